//! The permission table: every action, and who may do it.

use super::Standing::{self, Admin, Adult, Child, Guest, Link, Nobody, Owner, Stranger, Viewer};

/// What an action is done to; it decides what somebody's standing is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The list in the path.
    List,
    /// The household in the path.
    Household,
    /// The order in the path.
    Order,
    /// What the server shares: products, prices, stores, offers.
    Catalog,
    /// The server itself.
    Server,
    /// The account, session or token of the person who asks.
    Own,
}

impl Subject {
    /// The action that shows that such a thing exists; `None` where everybody knows.
    #[must_use]
    pub fn seen_by(self) -> Option<Action> {
        match self {
            Self::List => Some(Action::SeeList),
            Self::Household => Some(Action::SeeHousehold),
            Self::Order => Some(Action::SeeOrder),
            Self::Catalog | Self::Server | Self::Own => None,
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Permission {
    pub action: Action,
    pub subject: Subject,
    /// What it is, to follow "you may not".
    pub what: &'static str,
    pub allowed: &'static [Standing],
}

macro_rules! permissions {
    ($( $action:ident $subject:ident $what:literal [$($standing:ident)+]; )+) => {
        /// Everything that can be allowed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Action { $( #[doc = $what] $action, )+ }

        /// The table.
        pub const PERMISSIONS: &[Permission] = &[ $( Permission {
            action: Action::$action,
            subject: Subject::$subject,
            what: $what,
            allowed: &[$($standing),+],
        }, )+ ];
    };
}

// A guest's column is about the household; to a list that is shared with a guest by name, the guest is what that list says.
permissions! {
    SeeList List "see this list" [Admin Owner Adult Child Viewer Link];
    SeeListHistory List "see who changed what on this list" [Admin Owner Adult Child Viewer];
    FillList List "add and tick items, or change their quantities and notes" [Admin Owner Adult Child];
    EditList List "remove items, or rename, archive, restore or check out this list" [Admin Owner Adult];
    ShareList List "share this list" [Admin Owner];
    SeeHousehold Household "see this household" [Admin Owner Adult Child Viewer];
    SeeSpending Household "see what this household buys and spends" [Admin Owner Adult Viewer];
    EditHousehold Household "make lists and orders, or set budget and stores of this household" [Admin Owner Adult];
    ManageHousehold Household "invite people to this household, or change its members" [Admin Owner];
    EnrolMember Household "add somebody to this household without an invitation" [Admin];
    SeeOrder Order "see this order" [Admin Owner Adult Viewer];
    EditOrder Order "change this order" [Admin Owner Adult];
    SeeCatalog Catalog "see products, prices, stores and deals" [Admin Owner Adult Child Viewer Guest Link Stranger];
    EditCatalog Catalog "change products, prices, stores and offers" [Admin Owner Adult];
    FoundHousehold Catalog "found a household, or make lists of your own" [Admin Owner Adult];
    KeepAccount Own "see and end your sessions and tokens, or change your password" [Admin Owner Adult Child Viewer Guest Stranger];
    RunServer Server "read the whole log and the metrics, manage accounts, snapshots and restores" [Admin];
    Enter Own "ask whether the server lives, or sign in" [Admin Owner Adult Child Viewer Guest Link Stranger Nobody];
}

impl Action {
    /// Whether it only looks: a credential without the right to write may do it by whatever method.
    #[must_use]
    pub fn only_looks(self) -> bool {
        matches!(self, Self::SeeList | Self::SeeListHistory | Self::SeeHousehold | Self::SeeSpending | Self::SeeOrder | Self::SeeCatalog)
    }

    /// Its row.
    #[must_use]
    pub fn permission(self) -> &'static Permission {
        &PERMISSIONS[self as usize]
    }
}

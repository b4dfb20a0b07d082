//! The kinds of people who ask, and what each is to the things of a household.

use actix_web::{http::Method, test::TestRequest};

use super::things::Side;
use crate::{
    domain::rights::{Action, Standing, Subject},
    http::tests::rig::local,
};

/// Somebody who asks. The household under test is hers, or that of Eve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    Admin,
    Owner,
    Adult,
    Child,
    Viewer,
    /// A guest of the household, to whom its lists are shared as editor.
    Guest,
    /// Eve, the owner of the other household.
    Stranger,
    /// Without a credential.
    Nobody,
}

impl Person {
    pub const ALL: [Self; 8] =
        [Self::Admin, Self::Owner, Self::Adult, Self::Child, Self::Viewer, Self::Guest, Self::Stranger, Self::Nobody];

    /// Those with a role in the household under test.
    pub const MEMBERS: [(Self, &str); 4] =
        [(Self::Adult, "adult"), (Self::Child, "child"), (Self::Viewer, "viewer"), (Self::Guest, "guest")];

    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "local",
            Self::Owner => "hid-anna",
            Self::Adult => "hid-ben",
            Self::Child => "hid-cleo",
            Self::Viewer => "hid-vera",
            Self::Guest => "hid-gus",
            Self::Stranger => "far-eve",
            Self::Nobody => "nobody",
        }
    }

    /// A request that this person sends.
    pub fn asks(self, method: Method, path: &str) -> TestRequest {
        let request = local(method, path);
        match self {
            Self::Admin => request,
            Self::Nobody => request.insert_header(("user-agent", "Mozilla/5.0")),
            Self::Owner | Self::Adult | Self::Child | Self::Viewer | Self::Guest | Self::Stranger => {
                request.insert_header(("x-aisled-as", self.name()))
            }
        }
    }

    /// What this person is to what an action is done to.
    pub fn standing(self, action: Action, side: Side) -> Standing {
        match action.permission().subject {
            Subject::Catalog | Subject::Server | Subject::Own => self.role(),
            Subject::List if (self, side) == (Self::Guest, Side::Hidden) => Standing::Adult,
            Subject::Order if self == Self::Guest => Standing::Stranger,
            Subject::List | Subject::Household | Subject::Order => self.in_household(side),
        }
    }

    fn in_household(self, side: Side) -> Standing {
        match (self, side) {
            (Self::Admin | Self::Nobody, _) => self.role(),
            (Self::Stranger, Side::Far) => Standing::Owner,
            (Self::Stranger, Side::Hidden) => Standing::Stranger,
            (_, Side::Hidden) => self.role(),
            (_, Side::Far) => Standing::Stranger,
        }
    }

    /// The best role anywhere, which counts for what the server shares.
    fn role(self) -> Standing {
        match self {
            Self::Admin => Standing::Admin,
            Self::Owner | Self::Stranger => Standing::Owner,
            Self::Adult => Standing::Adult,
            Self::Child => Standing::Child,
            Self::Viewer => Standing::Viewer,
            Self::Guest => Standing::Guest,
            Self::Nobody => Standing::Nobody,
        }
    }
}

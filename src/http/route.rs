//! One row of the table of routes: its number, and what it needs.

use actix_web::{
    HttpRequest,
    guard::{Guard, GuardContext},
};

use super::NEEDS;
use crate::domain::rights::Action;

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The right to this action, checked before the handler.
    May(Action),
    /// A command: its entity checks the right to at least this action.
    Decided(Action),
    /// As [`Need::May`], and its answer shows what is there or lets others read it: a credential without the scope `read` is refused.
    Shows(Action),
    /// As [`Need::Decided`], with an answer that shows.
    DecidedShows(Action),
}

impl Need {
    /// The action that it takes the right to.
    #[must_use]
    pub fn action(self) -> Action {
        let (Self::May(action) | Self::Decided(action) | Self::Shows(action) | Self::DecidedShows(action)) = self;
        action
    }

    /// Whether the entity decides.
    #[must_use]
    pub fn is_decided(self) -> bool {
        matches!(self, Self::Decided(_) | Self::DecidedShows(_))
    }

    /// Whether the answer to a write shows what is there: previews, undo, and secrets that let others read.
    #[must_use]
    pub fn shows(self) -> bool {
        matches!(self, Self::Shows(_) | Self::DecidedShows(_))
    }
}

/// The route of the table that serves a request. As a guard it only stores itself with the request.
#[derive(Debug, Clone, Copy)]
pub struct RouteNumber(pub(super) u16);

impl Guard for RouteNumber {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        context.req_data_mut().insert(*self);
        true
    }
}

impl RouteNumber {
    /// The route of a request, if any.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Option<Self> {
        use actix_web::HttpMessage;
        request.extensions().get().copied()
    }

    /// What its row says that it takes.
    #[must_use]
    pub fn need(self) -> Option<Need> {
        NEEDS.get(usize::from(self.0)).copied()
    }
}

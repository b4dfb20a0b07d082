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

//! Gives each request the application that is served when it begins.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::{Payload, ServiceRequest},
    web::Data,
};

use super::error::Problem;
use crate::app::{Current, Running};

impl FromRequest for Current {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl Current {
    /// Keeps the application that is served now for the whole request: what it is checked against is what answers it.
    ///
    /// # Errors
    /// Never in a server: there is always one.
    pub fn keep(request: &ServiceRequest) -> Result<Self, Problem> {
        let current = Self::of(request.request())?;
        request.extensions_mut().insert(current.clone());
        Ok(current)
    }

    /// The application of a request.
    ///
    /// # Errors
    /// Never in a server: there is always one.
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        if let Some(found) = request.extensions().get::<Self>() {
            return Ok(found.clone());
        }
        let running = request.app_data::<Data<Running>>();
        running.map(|running| running.current()).ok_or_else(|| Problem::internal(&"no application is attached to the request"))
    }
}

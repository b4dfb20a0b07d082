//! The whole service: every route, inside the edge.

use std::sync::Arc;

use actix_web::{
    App as WebApp,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    web,
};

use super::{access::Access, configure, edge::Edge, site::Site};
use crate::app::Running;

/// The whole service, as the server and the tests run it.
#[must_use]
pub fn service(
    running: web::Data<Running>,
    site: Arc<Site>,
    access: Arc<Access>,
) -> WebApp<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl actix_web::body::MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    WebApp::new().app_data(running).configure(configure).wrap(Edge::new(site, access))
}

//! The first account, created with what the start printed, or by the owner on the server's own machine.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    on_accounts,
    session::{SessionView, signed_in},
};
use crate::{
    app::Current,
    domain::rights::Power,
    http::{
        access::identity,
        body::Json,
        error::{Problem, ProblemBody},
        site::Peer,
    },
    people::{DisplayName, FirstAccount, Login, NewSession, Password, Setup},
};

/// `POST /setup`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetUp {
    /// The code that the start printed, or, on the server's own machine, the end of its link. The owner there needs neither.
    #[serde(default)]
    key: String,
    login: String,
    name: String,
    password: String,
    #[serde(default)]
    device: String,
}

/// Creates the first account, an admin of this server, and signs it in. It is the owner of everything recorded so far.
#[utoipa::path(post, path = "/api/v1/setup", tag = "people", request_body = SetUp,
    responses((status = 201, body = SessionView), (status = "4XX", body = ProblemBody)))]
pub async fn set_up(app: Current, request: HttpRequest, Json(body): Json<SetUp>) -> Result<HttpResponse, Problem> {
    let is_owner = identity(&request).is_ok_and(|identity| identity.power == Power::Admin && identity.by.is_none());
    let peer = Peer::of(&request);
    let is_here = peer.address.is_some_and(|address| address.is_loopback());
    if !is_owner && !is_here && Setup::is_link(&body.key) {
        let detail = "the link sets up only on the server's own machine: type the code that it prints instead";
        return Err(Problem::new(StatusCode::FORBIDDEN, "setup_only_local", detail).at("/key"));
    }
    let (login, name) = (Login::new(body.login.trim())?, DisplayName::new(&body.name)?);
    let password = Password::new(&body.password, &login, &name)?;
    let first = FirstAccount { login, name, password };
    let (entrance, now) = (std::sync::Arc::clone(&app.entrance), app.clock.now());
    let (secret, session) = on_accounts(&app, move |people| {
        let account =
            if is_owner { people.add_first(first, now)? } else { entrance.setup.set_up(people, &body.key, first, peer.address, now)? };
        let new = NewSession { device: &body.device, address: peer.address };
        Ok::<_, Problem>(people.create_session(&account.who, new, None, now)?)
    })
    .await?;
    signed_in(&app, &request, &secret, &session)
}

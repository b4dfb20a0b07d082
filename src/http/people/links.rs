//! Links to one list: for reading, without an account.

use actix_web::{HttpRequest, HttpResponse, http::header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{credential, on_accounts};
use crate::{
    app::{Current, catch_up},
    commands::Caller,
    domain::{ListId, Moment, Principal},
    http::{
        body::{Nothing, OptionalJson},
        error::{Problem, ProblemBody},
        reads::{Id, Query, json},
        site::Peer,
    },
    people::{CredentialId, Link},
};

/// `POST /lists/{id}/links`
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewLink {
    /// When it ends: 7 days from now if not given, 365 at most.
    expires: Option<Moment>,
}

/// A link to a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkView {
    #[schema(value_type = String)]
    pub id: CredentialId,
    pub list: ListId,
    /// Who made it.
    pub by: Principal,
    pub created: Moment,
    pub expires: Moment,
    /// The page that shows the list: only in the answer that creates it. Its end also serves as a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// The links to a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinksView {
    pub links: Vec<LinkView>,
}

/// Makes a link with which anybody reads this list, and nothing else, until it ends or is revoked.
#[utoipa::path(post, path = "/api/v1/lists/{id}/links", tag = "people", params(("id" = ListId, Path)), request_body = Option<NewLink>,
    responses((status = 201, body = LinkView), (status = "4XX", body = ProblemBody)))]
pub async fn create(
    app: Current,
    caller: Caller,
    request: HttpRequest,
    Id(list): Id<ListId>,
    OptionalJson(body): OptionalJson<NewLink>,
) -> Result<HttpResponse, Problem> {
    // The link is worth what its maker may do, by what the views know.
    catch_up(&app, app.log.head()).await;
    let now = app.clock.now();
    let (secret, link) = on_accounts(&app, move |people| people.create_link(&list, &caller.who, body.expires, now)).await?;
    let page = format!("{}/view#{}", Peer::of(&request).base(app.entrance.reached_at.get().map(String::as_str)), secret.expose());
    let view = LinkView { link: Some(page), ..link.into() };
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(view))
}

/// Lists the links to a list, the newest first.
#[utoipa::path(get, path = "/api/v1/lists/{id}/links", tag = "people", params(("id" = ListId, Path)),
    responses((status = 200, body = LinksView), (status = "4XX", body = ProblemBody)))]
pub async fn index(app: Current, Id(list): Id<ListId>, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    let links = on_accounts(&app, move |people| people.links(&list)).await?;
    json(&LinksView { links: links.into_iter().map(LinkView::from).collect() })
}

/// Revokes a link, and closes the sockets that it opened.
#[utoipa::path(delete, path = "/api/v1/lists/{id}/links/{link}", tag = "people", params(("id" = ListId, Path), ("link" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
pub async fn revoke(app: Current, Id(list): Id<ListId>, request: HttpRequest, _: OptionalJson<Nothing>) -> Result<HttpResponse, Problem> {
    let id = credential(&request, "link")?;
    on_accounts(&app, move |people| people.revoke_link(&list, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

impl From<Link> for LinkView {
    fn from(link: Link) -> Self {
        let Link { id, list, by, created, expires } = link;
        Self { id, list, by, created, expires, link: None }
    }
}

//! Invitations to a household: a link and a code, each used once.

use actix_web::{HttpRequest, HttpResponse, http::header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    accounts::{principal_of, refuse_reserved},
    credential, on_accounts,
    session::{SessionView, signed_in},
};
use crate::{
    app::{App, Current, entrance},
    commands::Caller,
    domain::{
        HouseholdId, ListId, Moment, Principal,
        rights::{HouseholdRole, Power},
    },
    http::{
        access::identity,
        body::{Json, Nothing, OptionalJson},
        error::{Problem, ProblemBody},
        reads::{Id, Query, json},
        site::Peer,
    },
    people::{Acceptor, CredentialId, DisplayName, Invitation, Login, NewInvitation, NewSession, Password},
};

/// `POST /households/{id}/invitations`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// What the person will be in the household.
    role: HouseholdRole,
    /// For a guest: the lists that are shared by name, to be edited. A guest sees nothing else.
    #[serde(default)]
    lists: Vec<ListId>,
    /// When it ends: 7 days from now if not given, 30 at most.
    expires: Option<Moment>,
}

/// An invitation.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationView {
    #[schema(value_type = String)]
    pub id: CredentialId,
    pub household: HouseholdId,
    pub role: String,
    pub lists: Vec<ListId>,
    /// Who invites.
    pub by: Principal,
    pub created: Moment,
    pub expires: Moment,
    /// Who has accepted it.
    #[schema(required)]
    pub taken_by: Option<Principal>,
    /// The page for the invited person: only in the answer that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The same as a code, for typing: only in the answer that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// The invitations of a household.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvitationsView {
    pub invitations: Vec<InvitationView>,
}

/// Invites one person to a household. The answer shows the link and the code, and nothing ever shows them again.
#[utoipa::path(post, path = "/api/v1/households/{id}/invitations", tag = "people", params(("id" = HouseholdId, Path)), request_body = Invite,
    responses((status = 201, body = InvitationView), (status = "4XX", body = ProblemBody)))]
pub async fn create(
    app: Current,
    caller: Caller,
    request: HttpRequest,
    Id(household): Id<HouseholdId>,
    Json(body): Json<Invite>,
) -> Result<HttpResponse, Problem> {
    if app.views.read().households.get(&household).is_none() {
        return Err(crate::http::households::unknown(&household));
    }
    check_lists(&app, &household, &body)?;
    let (role, lists, expires, now) = (body.role.name().to_owned(), body.lists, body.expires, app.clock.now());
    let new = NewInvitation { household, role, lists, by: caller.who, expires };
    let (secret, code, invitation) = on_accounts(&app, move |people| people.invite(new, now)).await?;
    let link = format!("{}/join#{}", Peer::of(&request).base(app.entrance.reached_at.get().map(String::as_str)), secret.expose());
    let view = InvitationView { link: Some(link), code: Some(code.expose().to_owned()), ..invitation.into() };
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(view))
}

/// Only guests are invited to lists, and only to lists of this household.
fn check_lists(app: &App, household: &HouseholdId, body: &Invite) -> Result<(), Problem> {
    if body.role != HouseholdRole::Guest && !body.lists.is_empty() {
        return Err(Problem::invalid(
            "lists_for_guests_only",
            "/lists",
            "every other role sees all lists of the household: leave lists out",
        ));
    }
    let views = app.views.read();
    let is_foreign = |list: &&ListId| views.lists.get(list).is_none_or(|entry| entry.household.as_ref() != Some(household));
    match body.lists.iter().find(is_foreign) {
        None => Ok(()),
        Some(list) => Err(Problem::invalid("list_not_found", "/lists", format!("this household has no list {list}"))),
    }
}

/// Lists the invitations of a household, the newest first.
#[utoipa::path(get, path = "/api/v1/households/{id}/invitations", tag = "people", params(("id" = HouseholdId, Path)),
    responses((status = 200, body = InvitationsView), (status = "4XX", body = ProblemBody)))]
pub async fn index(app: Current, Id(household): Id<HouseholdId>, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    let invitations = on_accounts(&app, move |people| people.invitations(&household)).await?;
    json(&InvitationsView { invitations: invitations.into_iter().map(InvitationView::from).collect() })
}

/// Revokes an invitation that nobody has accepted.
#[utoipa::path(delete, path = "/api/v1/households/{id}/invitations/{invitation}", tag = "people",
    params(("id" = HouseholdId, Path), ("invitation" = String, Path)), responses((status = 204), (status = "4XX", body = ProblemBody)))]
pub async fn revoke(
    app: Current,
    Id(household): Id<HouseholdId>,
    request: HttpRequest,
    _: OptionalJson<Nothing>,
) -> Result<HttpResponse, Problem> {
    let id = credential(&request, "invitation")?;
    on_accounts(&app, move |people| people.revoke_invitation(&household, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /invitations/accept`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The end of the link, or the code.
    invitation: String,
    /// With name and password: a new account. Without them: the signed-in person joins.
    login: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    device: String,
}

/// Accepts an invitation: joins the household, with a new account or the one that is signed in. A new account is signed in.
#[utoipa::path(post, path = "/api/v1/invitations/accept", tag = "people", request_body = Accept,
    responses((status = 201, body = SessionView), (status = 204, description = "the signed-in person has joined"), (status = "4XX", body = ProblemBody)))]
pub async fn accept(app: Current, request: HttpRequest, Json(body): Json<Accept>) -> Result<HttpResponse, Problem> {
    let is_new = body.login.is_some();
    let acceptor = match &body.login {
        Some(login) => newcomer(&app, login, &body)?,
        None => known(&request)?,
    };
    let (address, now, device) = (Peer::of(&request).address, app.clock.now(), body.device);
    let accepting = on_accounts(&app, move |people| people.begin_accept(body.invitation.trim(), &acceptor, address, now)).await?;
    match entrance::complete(&app, &accepting).await? {
        entrance::Joined::Refused(failure) => Err(failure.into()),
        entrance::Joined::Done if !is_new => Ok(HttpResponse::NoContent().finish()),
        entrance::Joined::Done => {
            let who = accepting.who;
            let new = move |people: &crate::people::People| people.create_session(&who, NewSession { device: &device, address }, None, now);
            let (secret, session) = on_accounts(&app, new).await?;
            signed_in(&app, &request, &secret, &session)
        }
    }
}

fn known(request: &HttpRequest) -> Result<Acceptor, Problem> {
    let identity = identity(request)?;
    match identity.power {
        Power::Admin | Power::Account if identity.by.is_none() && identity.writes => Ok(Acceptor::Known(identity.who.clone())),
        Power::Admin | Power::Account | Power::Link(_) | Power::Nobody => {
            Err(Problem::invalid("login_missing", "/login", "choose a login, a name and a password, or sign in first"))
        }
    }
}

fn newcomer(app: &App, login: &str, body: &Accept) -> Result<Acceptor, Problem> {
    let (login, name) = (Login::new(login.trim())?, DisplayName::new(&body.name)?);
    let password = Password::new(&body.password, &login, &name)?;
    let who = free_principal(app, &login).ok_or_else(|| Problem::from(crate::people::PeopleError::LoginTaken))?;
    Ok(Acceptor::New { who, login, name, password })
}

/// A name for events that nobody has: a person who is a member somewhere under a name without an account must not be taken over by choosing
/// that login.
pub(super) fn free_principal(app: &App, login: &Login) -> Option<Principal> {
    let base = principal_of(login)?;
    let views = app.views.read();
    let is_free = |who: &Principal| {
        let known = views.households.knows_member(who) || views.lists.knows_member(who);
        !known && app.authority.people.account(who).is_none() && refuse_reserved(who).is_ok()
    };
    let numbered = (2..100).filter_map(|number| Principal::new(&format!("{base}-{number}")).ok());
    std::iter::once(base.clone()).chain(numbered).find(is_free)
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        let Invitation { id, household, role, lists, by, created, expires, taken_by, .. } = invitation;
        Self { id, household, role, lists, by, created, expires, taken_by, link: None, code: None }
    }
}

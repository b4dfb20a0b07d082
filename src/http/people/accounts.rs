//! The accounts of this server, managed by its admins.

use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{on_accounts, person};
use crate::{
    app::Current,
    domain::{
        HouseholdId, Moment, Principal,
        household::{HouseholdState, Households},
        rights::HouseholdRole,
    },
    http::{
        body::{Json, Nothing},
        commands::exactly_one,
        error::{Problem, ProblemBody},
        reads::{Id, Query, json},
    },
    people::{Account, DisplayName, Identity, Login, NewAccount, Password, People, PeopleError},
};

/// `POST /users`
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// What is typed to sign in.
    login: String,
    /// How the person is shown; the login if not given.
    name: Option<String>,
    /// Its name in events; the login if not given. One that is known already, from before there were accounts, is taken over.
    who: Option<Principal>,
    /// Without one the account cannot sign in yet.
    password: Option<String>,
    #[serde(default)]
    admin: bool,
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserView {
    pub who: Principal,
    #[schema(value_type = String)]
    pub login: Login,
    #[schema(value_type = String)]
    pub name: DisplayName,
    pub admin: bool,
    pub disabled: bool,
    /// Whether it has a password or another way to sign in.
    pub can_sign_in: bool,
    pub created: Moment,
}

/// All accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsersView {
    pub users: Vec<UserView>,
}

/// Creates an account. It belongs to no household until it is invited or founds one.
#[utoipa::path(post, path = "/api/v1/users", tag = "people", request_body = NewUser,
    responses((status = 201, body = UserView), (status = "4XX", body = ProblemBody)))]
pub async fn create(app: Current, Json(body): Json<NewUser>) -> Result<HttpResponse, Problem> {
    let now = app.clock.now();
    let added = on_accounts(&app, move |people| add(people, body, now)).await?;
    Ok(HttpResponse::Created().json(added))
}

/// Creates an account, for the API and for the terminal.
///
/// # Errors
/// What is wrong with the request, or taken.
pub fn add(people: &People, body: NewUser, now: Moment) -> Result<UserView, Problem> {
    let login = Login::new(body.login.trim())?;
    let name = DisplayName::new(body.name.as_deref().unwrap_or(login.as_str()))?;
    let password = body.password.map(|text| Password::new(&text, &login, &name)).transpose()?;
    let who = match body.who {
        Some(who) => who,
        None => principal_of(&login).ok_or_else(|| Problem::invalid("invalid_id", "/who", "the login is no id: give `who` as well"))?,
    };
    refuse_reserved(&who)?;
    let account = people.add(&NewAccount { who, login, name, admin: body.admin, password }, now)?;
    Ok(account.into())
}

/// Lists the accounts.
#[utoipa::path(get, path = "/api/v1/users", tag = "people", responses((status = 200, body = UsersView), (status = "4XX", body = ProblemBody)))]
pub async fn index(app: Current, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    json(&list(&app.authority.people))
}

/// The accounts, for the API and for the terminal.
#[must_use]
pub fn list(people: &People) -> UsersView {
    UsersView { users: people.accounts().into_iter().map(UserView::from).collect() }
}

/// Shows an account.
#[utoipa::path(get, path = "/api/v1/users/{who}", tag = "people", params(("who" = Principal, Path)),
    responses((status = 200, body = UserView), (status = "4XX", body = ProblemBody)))]
pub async fn show(app: Current, request: HttpRequest, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    json(&UserView::from(account(&app.authority.people, &person(&request)?)?))
}

/// `PATCH /users/{who}`: exactly one of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeUser {
    name: Option<String>,
    admin: Option<bool>,
    /// Ends all sessions and tokens of the account as well.
    disabled: Option<bool>,
    /// Resets the password, and ends all sessions.
    password: Option<String>,
}

enum Change {
    Name(String),
    Admin(bool),
    Disabled(bool),
    Password(String),
}

/// Changes one thing of an account: its name, its password, whether it is an admin's, or whether it is disabled.
#[utoipa::path(patch, path = "/api/v1/users/{who}", tag = "people", params(("who" = Principal, Path)), request_body = ChangeUser,
    responses((status = 200, body = UserView), (status = "4XX", body = ProblemBody)))]
pub async fn change(app: Current, request: HttpRequest, Json(body): Json<ChangeUser>) -> Result<HttpResponse, Problem> {
    let (who, now) = (person(&request)?, app.clock.now());
    json(&on_accounts(&app, move |people| change_one(people, &who, body, now)).await?)
}

/// Changes one thing of an account, for the API and for the terminal.
///
/// # Errors
/// What is wrong with the request, or there is no such account.
pub fn change_one(people: &People, who: &Principal, body: ChangeUser, now: Moment) -> Result<UserView, Problem> {
    let change = exactly_one([
        ("/name", body.name.map(Change::Name)),
        ("/admin", body.admin.map(Change::Admin)),
        ("/disabled", body.disabled.map(Change::Disabled)),
        ("/password", body.password.map(Change::Password)),
    ])?;
    apply(people, &account(people, who)?, change, now)?;
    account(people, who).map(UserView::from)
}

fn apply(people: &People, account: &Account, change: Change, now: Moment) -> Result<(), Problem> {
    let who = &account.who;
    match change {
        Change::Name(name) => people.rename(who, DisplayName::new(&name)?)?,
        Change::Admin(admin) => people.set_admin(who, admin)?,
        Change::Disabled(true) => people.disable(who)?,
        Change::Disabled(false) => people.enable(who)?,
        Change::Password(text) => people.set_password(who, &Password::new(&text, &account.login, &account.name)?, None, now)?,
    }
    Ok(())
}

fn account(people: &People, who: &Principal) -> Result<Account, Problem> {
    people.account(who).ok_or_else(|| PeopleError::UnknownAccount.into())
}

/// A login as a name in events, if it can be one: `@` and `+` are no letters of ids.
#[must_use]
pub fn principal_of(login: &Login) -> Option<Principal> {
    Principal::new(&login.as_str().replace(['@', '+'], "-")).ok()
}

/// Names that mean something else in events.
///
/// # Errors
/// 409 for one of them.
pub fn refuse_reserved(who: &Principal) -> Result<(), Problem> {
    let own = ["schedule", "system", "operator", "import", "demo", "admin", "aisled"];
    let is_reserved =
        own.contains(&who.as_str()) || *who == Identity::owner().who || *who == Identity::nobody().who || who.as_str().starts_with("link-");
    if is_reserved { Err(PeopleError::PrincipalTaken.into()) } else { Ok(()) }
}

/// Who is in a household.
#[derive(Debug, Serialize, ToSchema)]
pub struct HouseholdPeople {
    pub people: Vec<HouseholdPerson>,
}

/// Somebody in a household.
#[derive(Debug, Serialize, ToSchema)]
pub struct HouseholdPerson {
    pub who: Principal,
    /// How the account is shown; absent for a member without an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub name: Option<DisplayName>,
    pub role: HouseholdRole,
}

/// Lists the people of a household by name.
#[utoipa::path(get, path = "/api/v1/households/{id}/people", tag = "people", params(("id" = HouseholdId, Path)),
    responses((status = 200, body = HouseholdPeople), (status = "4XX", body = ProblemBody)))]
pub async fn of_household(app: Current, Id(id): Id<HouseholdId>, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    let loaded = app.registry.load::<Households>(id.as_str()).await?;
    let HouseholdState::Active(household) = &loaded.state else { return Err(crate::http::households::unknown(&id)) };
    let name = |who: &Principal| app.authority.people.account(who).map(|account| account.name);
    let person = |(who, role): (&Principal, &HouseholdRole)| HouseholdPerson { who: who.clone(), name: name(who), role: *role };
    json(&HouseholdPeople { people: household.members.iter().map(person).collect() })
}

impl From<Account> for UserView {
    fn from(account: Account) -> Self {
        let can_sign_in = account.can_sign_in();
        let Account { who, login, name, admin, disabled, created, .. } = account;
        Self { who, login, name, admin, disabled, can_sign_in, created }
    }
}

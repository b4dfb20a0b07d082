//! API tokens for programs: made by a person, with scopes and an end, shown once.

use actix_web::{HttpRequest, HttpResponse, http::header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{credential, on_accounts};
use crate::{
    app::Current,
    domain::{Moment, Principal},
    http::{
        access::Asker,
        body::{Json, Nothing, OptionalJson},
        error::{Problem, ProblemBody},
        permit::scope_missing,
        reads::{Query, json},
    },
    people::{CredentialId, DisplayName, Identity, NewToken, People, PeopleError, Scope, Scopes, Token},
};

/// `POST /tokens`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// What it is for.
    name: String,
    /// Of `read`, `write` and `admin`, separated by blanks; none includes another.
    scopes: String,
    /// When it ends; without it, it does not.
    expires: Option<Moment>,
}

/// A token.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenView {
    #[schema(value_type = String)]
    pub id: CredentialId,
    /// In whose name it acts.
    pub who: Principal,
    #[schema(value_type = String)]
    pub name: DisplayName,
    #[schema(value_type = String)]
    pub scopes: Scopes,
    pub created: Moment,
    #[schema(required)]
    pub expires: Option<Moment>,
    #[schema(required)]
    pub last_used: Option<Moment>,
    /// The token itself: only in the answer that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// One's tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokensView {
    pub tokens: Vec<TokenView>,
}

/// Creates a token in one's own name. The answer shows it, and nothing ever shows it again.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "people", request_body = TokenRequest,
    responses((status = 201, body = TokenView), (status = "4XX", body = ProblemBody)))]
pub async fn create(app: Current, asker: Asker, Json(body): Json<TokenRequest>) -> Result<HttpResponse, Problem> {
    let (new, identity) = (body.read()?, &asker.0);
    // A token gives away no more than its maker has.
    if !identity.reads && new.scopes.has(Scope::Read) {
        return Err(scope_missing("read"));
    }
    if new.scopes.has(Scope::Admin) && identity.by.is_none() && identity.power != crate::domain::rights::Power::Admin {
        return Err(scope_missing("admin"));
    }
    let (who, now) = (identity.who.clone(), app.clock.now());
    let made = on_accounts(&app, move |people| make(people, &who, new, now)).await?;
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(made))
}

impl TokenRequest {
    /// The token that is asked for.
    ///
    /// # Errors
    /// What is wrong with its name or its scopes.
    pub fn read(self) -> Result<NewToken, Problem> {
        let name = DisplayName::new(&self.name)?;
        let scopes: Scopes =
            self.scopes.parse().map_err(|error: crate::people::ScopeError| Problem::invalid(error.code(), "/scopes", error.to_string()))?;
        Ok(NewToken { name, scopes, expires: self.expires.and_then(Moment::as_end) })
    }
}

/// Creates a token in somebody's name, for the API and for the terminal; the owner gets an account for it if there is none yet.
///
/// # Errors
/// Its end is over, or the account may have no more.
pub fn make(people: &People, who: &Principal, new: NewToken, now: Moment) -> Result<TokenView, Problem> {
    if *who == Identity::owner().who {
        people.ensure_owner(now)?;
    }
    let (secret, token) = people.create_token(who, new, now)?;
    Ok(TokenView { token: Some(secret.expose().to_owned()), ..token.into() })
}

/// Somebody's tokens, for the API and for the terminal.
///
/// # Errors
/// The accounts cannot be read.
pub fn list(people: &People, who: &Principal) -> Result<TokensView, PeopleError> {
    Ok(TokensView { tokens: people.tokens(who)?.into_iter().map(TokenView::from).collect() })
}

/// Lists one's tokens, without the tokens themselves.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "people", responses((status = 200, body = TokensView), (status = "4XX", body = ProblemBody)))]
pub async fn index(app: Current, asker: Asker, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    let who = asker.0.who.clone();
    json(&on_accounts(&app, move |people| list(people, &who)).await?)
}

/// Revokes one of one's tokens, and closes the sockets that it opened.
#[utoipa::path(delete, path = "/api/v1/tokens/{token}", tag = "people", params(("token" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
pub async fn revoke(app: Current, asker: Asker, request: HttpRequest, _: OptionalJson<Nothing>) -> Result<HttpResponse, Problem> {
    let (who, id) = (asker.0.who.clone(), credential(&request, "token")?);
    on_accounts(&app, move |people| people.revoke_token(&who, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        let Token { id, who, name, scopes, created, expires, last_used } = token;
        Self { id, who, name, scopes, created, expires, last_used, token: None }
    }
}

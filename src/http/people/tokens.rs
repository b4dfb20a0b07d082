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
        body::{Json, Nothing},
        error::{Problem, ProblemBody},
        permit::scope_missing,
        reads::{Query, json},
    },
    people::{CredentialId, DisplayName, NewToken, Scope, Scopes, Token},
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
    let name = DisplayName::new(&body.name)?;
    let scopes: Scopes =
        body.scopes.parse().map_err(|error: crate::people::ScopeError| Problem::invalid(error.code(), "/scopes", error.to_string()))?;
    let identity = &asker.0;
    // A token gives away no more than its maker has.
    if !identity.reads && scopes.has(Scope::Read) {
        return Err(scope_missing("read"));
    }
    if scopes.has(Scope::Admin) && identity.by.is_none() && identity.power != crate::domain::rights::Power::Admin {
        return Err(scope_missing("admin"));
    }
    let (who, new, now) = (identity.who.clone(), NewToken { name, scopes, expires: body.expires }, app.clock.now());
    let (secret, token) = on_accounts(&app, move |people| {
        if who == crate::people::Identity::owner().who {
            people.ensure_owner(now)?;
        }
        people.create_token(&who, new, now)
    })
    .await?;
    let view = TokenView { token: Some(secret.expose().to_owned()), ..token.into() };
    Ok(HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(view))
}

/// Lists one's tokens, without the tokens themselves.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "people", responses((status = 200, body = TokensView), (status = "4XX", body = ProblemBody)))]
pub async fn index(app: Current, asker: Asker, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    let who = asker.0.who.clone();
    let tokens = on_accounts(&app, move |people| people.tokens(&who)).await?;
    json(&TokensView { tokens: tokens.into_iter().map(TokenView::from).collect() })
}

/// Revokes one of one's tokens, and closes the sockets that it opened.
#[utoipa::path(delete, path = "/api/v1/tokens/{token}", tag = "people", params(("token" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
pub async fn revoke(app: Current, asker: Asker, request: HttpRequest) -> Result<HttpResponse, Problem> {
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

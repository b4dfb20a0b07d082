//! Whether a request may do what its route does: asked once before each handler, by the action that the table of routes names.
//! Commands are decided by their entity, which knows best; here they only need somebody who may write.

use std::rc::Rc;

use actix_web::{Error, FromRequest, Handler, HttpRequest, dev::Payload, http::StatusCode};
use futures_util::future::{Either, FutureExt, LocalBoxFuture, Map, Ready, ready};

use super::{
    access::{check_cookie, identity, sign_in_first},
    error::Problem,
    input::encoding::decode,
    route::RouteNumber,
};
use crate::{
    actors::Failure,
    app::{Current, catch_up},
    domain::{
        HouseholdId, ListId, OrderId,
        household::{HouseholdState, Households},
        list::Lists,
        order::{OrderState, Orders},
        rights::{Action, Power, Reader, Rights, Standing, Subject, Verdict},
    },
    people::Identity,
};

/// What a handler takes, given to one that may run.
#[derive(Debug)]
pub struct Admitted<Args>(Args);

/// A handler that runs only with a permit.
#[derive(Clone)]
pub struct Permitted<H>(pub H);

impl<H, Args> Handler<Admitted<Args>> for Permitted<H>
where
    H: Handler<Args>,
{
    type Output = H::Output;
    type Future = H::Future;

    fn call(&self, Admitted(args): Admitted<Args>) -> Self::Future {
        self.0.call(args)
    }
}

/// Reads what the handler takes, once it is known that it may run.
type Reading<Args> = Map<<Args as FromRequest>::Future, fn(Result<Args, <Args as FromRequest>::Error>) -> Admission<Args>>;
type Admission<Args> = Result<Admitted<Args>, Error>;

impl<Args: FromRequest + 'static> FromRequest for Admitted<Args> {
    type Error = Error;
    type Future = Either<Either<Ready<Admission<Args>>, Reading<Args>>, LocalBoxFuture<'static, Admission<Args>>>;

    /// One after the other: read side by side, a mistake in the request would be answered first or last depending on whether
    /// the thing exists.
    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        match begin(request) {
            Ok(None) => match decode(request, payload) {
                Ok(()) => Either::Left(Either::Right(Args::from_request(request, payload).map(admit::<Args> as fn(_) -> _))),
                Err(problem) => Either::Left(Either::Left(ready(Err(problem.into())))),
            },
            Ok(Some(question)) => {
                let (request, mut payload) = (request.clone(), payload.take());
                let answering = async move {
                    question.answer().await?;
                    decode(&request, &mut payload)?;
                    admit(Args::from_request(&request, &mut payload).await)
                };
                Either::Right(answering.boxed_local())
            }
            Err(problem) => Either::Left(Either::Left(ready(Err(problem.into())))),
        }
    }
}

fn admit<Args: FromRequest>(args: Result<Args, Args::Error>) -> Admission<Args> {
    args.map(Admitted).map_err(Into::into)
}

/// A question about a thing that must be looked up.
struct Question {
    app: Current,
    identity: Rc<Identity>,
    action: Action,
    id: String,
}

/// Answers at once where nothing has to be looked up.
fn begin(request: &HttpRequest) -> Result<Option<Question>, Problem> {
    let need = RouteNumber::of(request).and_then(RouteNumber::need).ok_or_else(|| Problem::internal(&"a route without a need"))?;
    let action = need.action();
    check_cookie(request)?;
    if action == Action::Enter {
        return Ok(None);
    }
    let identity = identity(request)?;
    let only_looks = request.method().is_safe() || action.only_looks();
    let action = if is_past(request) && matches!(identity.power, Power::Link(_)) && action == Action::SeeList {
        Action::SeeListHistory
    } else {
        action
    };
    match identity.power {
        Power::Nobody => return Err(sign_in_first()),
        _ if !identity.writes && !only_looks => return Err(scope_missing("write")),
        _ if !identity.reads && (only_looks || need.shows()) => return Err(scope_missing("read")),
        Power::Admin => return Ok(None),
        Power::Account | Power::Link(_) => {}
    }
    if need.is_decided() {
        return Ok(None);
    }
    let app = Current::of(request)?;
    match action.permission().subject {
        Subject::List | Subject::Household | Subject::Order => {
            let id = request.match_info().get("id").unwrap_or_default().to_owned();
            let question = Question { app, identity, action, id };
            // What is awake answers at its first poll. Everything else, a no too, takes the way that waits.
            let at_once = question.standing().now_or_never();
            let is_allowed = matches!(at_once, Some(Ok(standing)) if standing.may(action) == Verdict::Allowed);
            Ok((!is_allowed).then_some(question))
        }
        Subject::Catalog | Subject::Server | Subject::Own => {
            let standing = app.authority.rights(&identity).to_catalog();
            match standing.may(action) {
                Verdict::Allowed => Ok(None),
                Verdict::Forbidden | Verdict::Hidden => Err(Failure::from(standing.not_permitted(action)).into()),
                Verdict::SignIn => Err(sign_in_first()),
            }
        }
    }
}

/// The credential is good, but not for this (403).
#[must_use]
pub fn scope_missing(scope: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "scope_missing", format!("this takes a credential with the scope {scope:?}"))
}

impl Question {
    /// The roles may be a moment behind what the sender was just told, so before a no they catch up.
    async fn answer(self) -> Result<(), Problem> {
        let standing = self.standing().await?;
        let standing = if standing.may(self.action) == Verdict::Allowed {
            standing
        } else {
            catch_up(&self.app, self.app.log.head()).await;
            self.standing().await?
        };
        match standing.may(self.action) {
            Verdict::Allowed => Ok(()),
            Verdict::Forbidden => Err(Failure::from(standing.not_permitted(self.action)).into()),
            Verdict::Hidden => Err(self.unknown()),
            Verdict::SignIn => Err(sign_in_first()),
        }
    }

    /// What the sender is to the thing; to one that is not there, a stranger.
    async fn standing(&self) -> Result<Standing, Problem> {
        let Reader { who, rights } = self.app.authority.reader(&self.identity);
        let registry = &self.app.registry;
        Ok(match self.action.permission().subject {
            Subject::List => match (&rights, ListId::new(&self.id)) {
                (Rights::Link(list), Ok(id)) if *list == id => Standing::Link,
                (_, Ok(id)) => match registry.load::<Lists>(id.as_str()).await?.state.list() {
                    Some(list) => rights.on_list(&who, list),
                    None => Standing::Stranger,
                },
                (_, Err(_)) => Standing::Stranger,
            },
            Subject::Household => match HouseholdId::new(&self.id) {
                Ok(id) => match &registry.load::<Households>(id.as_str()).await?.state {
                    HouseholdState::Active(household) => household.standing(&who, &rights),
                    HouseholdState::Absent => Standing::Stranger,
                },
                Err(_) => Standing::Stranger,
            },
            Subject::Order => match OrderId::new(&self.id) {
                Ok(id) => match &registry.load::<Orders>(id.as_str()).await?.state {
                    OrderState::Placed(order) | OrderState::Fulfilled(order) | OrderState::Cancelled(order) => {
                        rights.on_order(order.household.as_ref())
                    }
                    OrderState::Absent => Standing::Stranger,
                },
                Err(_) => Standing::Stranger,
            },
            Subject::Catalog | Subject::Server | Subject::Own => rights.to_catalog(),
        })
    }

    /// The very answer to an id that names nothing.
    fn unknown(&self) -> Problem {
        let (code, kind) = match self.action.permission().subject {
            Subject::Household => ("household_not_found", "household"),
            Subject::Order => ("order_not_found", "order"),
            Subject::List | Subject::Catalog | Subject::Server | Subject::Own => ("list_not_found", "list"),
        };
        Problem::not_found(code, format!("there is no {kind} {}", self.id))
    }
}

/// Whether the past is asked for; names are decoded, as the handlers decode them.
fn is_past(request: &HttpRequest) -> bool {
    url::form_urlencoded::parse(request.query_string().as_bytes())
        .any(|(name, value)| (name == "at" || name == "known_at") && !value.trim().is_empty())
}

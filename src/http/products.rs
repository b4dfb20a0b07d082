//! Products: register, read, change. Their prices have their own file.

use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use super::{
    body::{Json, Tagged},
    commands::{CommandAnswer, make, run},
    error::{Problem, ProblemBody},
    protocol::{ChangeProduct, NewProduct, ProductView},
    reads::{AfterQuery, Id, Page, Query, id_mark, page_limit},
    travel::{self, Shown},
};
use crate::{
    app::Current,
    commands::Caller,
    domain::{
        ProductId,
        codes::Gtin,
        product::{ProductCommand, ProductState, Products},
    },
    events::{At, Position},
    past::{Past, PastStates},
    projections::{ProductEntry, totals::TotalsView},
};

/// Registers a product. A repetition with the same id and details changes nothing.
#[utoipa::path(post, path = "/api/v1/products", tag = "products", request_body = NewProduct,
    responses((status = 201, body = CommandAnswer<TotalsView>), (status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn create(app: Current, caller: Caller, Json(body): Json<NewProduct>) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id.clone())?;
    let id = caller.id_for(body.id.clone(), "product", ProductId::new)?;
    let command = ProductCommand::Register(body.details());
    make::<Products>(&app, id.as_str(), caller.request(id.as_str(), command)).await
}

/// Which products are asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProductsQuery {
    /// A GTIN of 8, 12, 13 or 14 digits: only the product it belongs to.
    gtin: Option<String>,
    /// Where the previous page ended: its `next`.
    cursor: Option<String>,
    /// Entries of the page, 1 to 500; 50 if not given.
    limit: Option<usize>,
    /// Wait until this position is visible.
    #[param(value_type = Option<String>)]
    after: Option<Position>,
    /// The state at this position or time; a response header names the position.
    #[param(value_type = Option<String>)]
    at: Option<At>,
}

/// Lists the products, in order of registration, or finds the one of a GTIN.
#[utoipa::path(get, path = "/api/v1/products", tag = "products", params(ProductsQuery), responses((status = 200, body = Page<ProductEntry>)))]
pub async fn index(app: Current, request: HttpRequest, Query(query): Query<ProductsQuery>) -> Result<HttpResponse, Problem> {
    let limit = page_limit(query.limit)?;
    let after = id_mark::<ProductId>(query.cursor.as_deref())?;
    let parse = |text: &String| Gtin::parse(text).map_err(|error| Problem::malformed("invalid_gtin", error.to_string()).at("/gtin"));
    let gtin = query.gtin.as_ref().map(parse).transpose()?;
    travel::catalogue(app, &request, travel::when(query.at, query.after)?, move |known, _| {
        Ok(match gtin {
            Some(gtin) => Page { entries: known.product_by_gtin(gtin).and_then(|id| known.product(&id)).into_iter().collect(), next: None },
            None => Page::cut(known.products(after.as_ref(), limit + 1), limit, |product| product.id.to_string()),
        })
    })
    .await
}

/// Shows a product.
#[utoipa::path(get, path = "/api/v1/products/{id}", tag = "products", params(("id" = ProductId, Path), AfterQuery),
    responses((status = 200, body = ProductView), (status = 304), (status = 404, body = ProblemBody)))]
pub async fn show(
    app: Current,
    request: HttpRequest,
    Id(id): Id<ProductId>,
    Query(query): Query<AfterQuery>,
) -> Result<HttpResponse, Problem> {
    travel::show::<Products>(app, request, id, query).await
}

impl Shown for Products {
    type Id = ProductId;
    type Seen<'a> = ProductView<'a>;

    fn seen<'a>(id: &'a ProductId, version: u64, position: Position, state: &'a ProductState) -> Result<ProductView<'a>, Problem> {
        let (phase, product) = match state {
            ProductState::Absent => return Err(unknown(id)),
            ProductState::Active(product) => ("active", Some(product)),
            ProductState::Discontinued(product) => ("discontinued", Some(product)),
            ProductState::Merged { .. } => ("merged", None),
        };
        let mut view = ProductView::of(id.as_str(), version, position, phase, product);
        if let ProductState::Merged { into } = state {
            view.merged_into = Some(into);
        }
        Ok(view)
    }

    fn unknown(id: &ProductId) -> Problem {
        unknown(id)
    }

    fn histories(past: &Past) -> &PastStates<Self> {
        &past.products
    }
}

/// Changes a product's details, or links one more code to it.
#[utoipa::path(patch, path = "/api/v1/products/{id}", tag = "products", params(("id" = ProductId, Path)), request_body = ChangeProduct,
    responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn change(app: Current, caller: Caller, Id(id): Id<ProductId>, Json(body): Json<ChangeProduct>) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id.clone())?;
    let command = intent(body)?;
    let answer = run::<Products>(&app, id.as_str(), caller.request(id.as_str(), command)).await;
    answer.map_err(|problem| problem.renamed("/codes", "/add_code"))
}

/// Any command of the product, as over the socket.
#[utoipa::path(post, path = "/api/v1/products/{id}/commands", tag = "products", params(("id" = ProductId, Path)), request_body = ProductCommand,
    responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn command(
    app: Current,
    caller: Caller,
    Id(id): Id<ProductId>,
    Json(body): Json<Tagged<ProductCommand>>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id)?;
    run::<Products>(&app, id.as_str(), caller.request(id.as_str(), body.command)).await
}

fn intent(body: ChangeProduct) -> Result<ProductCommand, Problem> {
    let ChangeProduct { command_id: _, name, brand, category, content, sold_by_weight, add_code } = body;
    let details = name.is_some() || brand.is_some() || category.is_some() || content.is_some() || sold_by_weight.is_some();
    match (details, add_code) {
        (true, None) => Ok(ProductCommand::ChangeDetails {
            name,
            brand,
            category,
            content,
            sold_by_weight,
            organic: None,
            ingredients: None,
            nutrition: None,
        }),
        (false, Some(code)) => Ok(ProductCommand::LinkCode { code }),
        (true, Some(_)) => Err(Problem::invalid("one_intent_only", "/add_code", "change the details and add a code in two requests")),
        (false, None) => Err(Problem::invalid("nothing_to_change", "", "give at least one field to change")),
    }
}

/// There is no such product (404).
#[must_use]
pub fn unknown(id: &ProductId) -> Problem {
    Problem::not_found("product_not_found", format!("there is no product {id}"))
}

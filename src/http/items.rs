//! The items of a list. A change is one intent ("two more", "tick it"), so that edits from many devices add up.

use actix_web::{HttpResponse, http::StatusCode};

use super::{
    body::{Json, OptionalJson},
    commands::{CommandAnswer, answer, exactly_one, made},
    error::{Problem, ProblemBody},
    lists::run,
    protocol::{ChangeItem, CommandOnly, NewItem},
    reads::{Id, Item},
};
use crate::{
    app::Current,
    commands::{Caller, execute},
    domain::{
        ItemId, ListId, Outcome,
        list::{ListCommand, Lists},
    },
    projections::totals::TotalsView,
};

/// Adds an item; if the same is on the list unticked, the quantities are merged and the answer names the item they went to.
#[utoipa::path(post, path = "/api/v1/lists/{id}/items", tag = "lists", params(("id" = ListId, Path)), request_body = NewItem,
    responses((status = 201, body = CommandAnswer<TotalsView>), (status = 200, description = "merged, or already there", body = CommandAnswer<TotalsView>),
        (status = "4XX", body = ProblemBody)))]
pub async fn add(app: Current, caller: Caller, Id(id): Id<ListId>, Json(body): Json<NewItem>) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id.clone())?;
    let item = caller.id_for(body.id.clone(), "item", ItemId::new)?;
    let request = caller.request(id.as_str(), body.command(item.clone()));
    let mut done = execute::<Lists>(&app, id.as_str(), request).await.map_err(|failure| Problem::from(failure).renamed("/item", "/id"))?;
    // Added before under this very id: nothing is recorded, but it is there.
    done.subject.get_or_insert_with(|| item.to_string());
    if done.outcome != Outcome::Applied {
        return answer::<Lists, _>(&app, StatusCode::OK, id.as_str(), &done, Some(&*done.view));
    }
    let answer = answer::<Lists, _>(&app, StatusCode::CREATED, id.as_str(), &done, Some(&*done.view))?;
    made(answer, &format!("/api/v1/lists/{id}/items/{item}"))
}

/// Changes one thing of an item: set or change its quantity, tick it, rename or annotate it, match it, or move it.
#[utoipa::path(patch, path = "/api/v1/lists/{id}/items/{item}", tag = "lists", params(("id" = ListId, Path), ("item" = ItemId, Path)),
    request_body = ChangeItem, responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn change(
    app: Current,
    caller: Caller,
    Id(id): Id<ListId>,
    Item(item): Item<ItemId>,
    Json(body): Json<ChangeItem>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id.clone())?;
    let answer = run(&app, &id, caller.request(id.as_str(), intent(item, body)?)).await;
    answer.map_err(|problem| problem.renamed("/by", "/change_by"))
}

/// Takes an item off the list.
#[utoipa::path(delete, path = "/api/v1/lists/{id}/items/{item}", tag = "lists", params(("id" = ListId, Path), ("item" = ItemId, Path)),
    request_body = Option<CommandOnly>, responses((status = 200, body = CommandAnswer<TotalsView>), (status = "4XX", body = ProblemBody)))]
pub async fn remove(
    app: Current,
    caller: Caller,
    Id(id): Id<ListId>,
    Item(item): Item<ItemId>,
    OptionalJson(body): OptionalJson<CommandOnly>,
) -> Result<HttpResponse, Problem> {
    let caller = caller.with_command_id(body.command_id)?;
    run(&app, &id, caller.request(id.as_str(), ListCommand::Remove { item })).await
}

fn intent(item: ItemId, body: ChangeItem) -> Result<ListCommand, Problem> {
    let ChangeItem { command_id: _, quantity, change_by, checked, name, specification, note, product, after } = body;
    let details = name.is_some() || specification.is_some() || note.is_some();
    let id = || item.clone();
    let check = |checked| if checked { ListCommand::Check { item: id() } } else { ListCommand::Uncheck { item: id() } };
    exactly_one([
        ("/quantity", quantity.map(|quantity| ListCommand::SetQuantity { item: id(), quantity })),
        ("/change_by", change_by.map(|by| ListCommand::ChangeQuantity { item: id(), by })),
        ("/checked", checked.map(check)),
        ("/name", details.then(|| ListCommand::ChangeDetails { item: id(), name, specification, note })),
        ("/product", product.map(|product| ListCommand::Match { item: id(), product })),
        ("/after", after.map(|after| ListCommand::Move { item: id(), after })),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::input::parse;

    fn intent_of(text: &str) -> Result<ListCommand, Problem> {
        intent(ItemId::new("i").expect("an id"), parse(text.as_bytes()).expect("a body"))
    }

    #[test]
    fn each_field_is_its_own_intent() {
        assert!(matches!(intent_of(r#"{"checked":true}"#), Ok(ListCommand::Check { .. })));
        assert!(matches!(intent_of(r#"{"checked":false}"#), Ok(ListCommand::Uncheck { .. })));
        assert!(matches!(intent_of(r#"{"product":null}"#), Ok(ListCommand::Match { product: None, .. })));
        assert!(matches!(intent_of(r#"{"after":"j"}"#), Ok(ListCommand::Move { after: Some(_), .. })));
        assert!(matches!(intent_of(r#"{"name":"milk","note":""}"#), Ok(ListCommand::ChangeDetails { .. })));
    }

    #[test]
    fn two_intents_or_none_are_refused() {
        let refused = |text: &str| {
            intent_of(text).map_err(|problem| (problem.code(), problem.pointer().unwrap_or_default().to_owned())).expect_err("is refused")
        };
        assert_eq!(refused(r#"{"checked":true,"name":"x"}"#), ("one_intent_only", "/name".into()));
        assert_eq!(refused("{}").0, "nothing_to_change");
    }
}

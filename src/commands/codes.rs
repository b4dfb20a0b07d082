//! One code, one product: who gives a product a code that another has is told which.

use crate::{
    actors::{Failure, Hosted, Request},
    app::{App, claims::Claimed},
    domain::{
        Context, ProductId, Refusal, StreamKind,
        codes::ProductCode,
        references::{Refers, code_taken},
        rights::{Action, Verdict},
    },
};

/// Claims the codes of a request for its product until they are in the views; `None` without any.
///
/// # Errors
/// Another product has one of them, or is about to.
pub fn claim<'a, E: Hosted>(app: &'a App, id: &str, request: &Request<E::Command>) -> Result<Option<Claimed<'a>>, Failure> {
    let commands = std::iter::once(&request.command).chain(&request.more);
    let codes: Vec<&ProductCode> = commands.flat_map(Refers::codes).collect();
    if E::KIND != StreamKind::Product || codes.is_empty() || !may_give(&request.context) {
        return Ok(None);
    }
    let Ok(product) = ProductId::new(id) else { return Ok(None) };
    // Claimed before the views are asked: what was claimed and is no more is in them.
    let applied = *app.applied.borrow();
    let claimed = app.codes.claim(&product, codes.iter().map(|code| code.identity()).collect(), applied);
    let claimed = claimed.map_err(|(place, holder)| code_taken(codes[place], &holder))?;
    let views = app.views.read();
    match codes.iter().find_map(|code| taken(code, views.now().holder(code.identity())?, &product)) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(Some(claimed)),
    }
}

fn taken(code: &ProductCode, holder: &ProductId, product: &ProductId) -> Option<Refusal> {
    (holder != product).then(|| code_taken(code, holder))
}

/// A sender who may not change the catalogue is told only that.
fn may_give(context: &Context) -> bool {
    context.rights.to_catalog().may(Action::EditCatalog) == Verdict::Allowed
}

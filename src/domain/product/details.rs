//! How the details of a product change: by hand, or because its source says something else now.

use super::{
    DetailsChange, Product, ProductCommand, ProductDetails, ProductEvent,
    checks::{check_codes, check_content, check_details, check_ingredients, check_nutrition},
};
use crate::domain::{
    Decision, Outcome, Quantity, Refusal,
    codes::ProductCode,
    limits::NAME_CHARS_MAX,
    text::{check_optional_text, check_text},
};

type Answer = Result<Decision<ProductEvent>, Refusal>;

/// Records only the fields that really change; nothing when none does.
pub(super) fn change_by_hand(details: &ProductDetails, command: &ProductCommand) -> Answer {
    let ProductCommand::ChangeDetails { name, brand, category, content, sold_by_weight, organic, ingredients, nutrition } = command.clone()
    else {
        return Ok(Decision::unchanged());
    };
    check_change(name.as_deref(), [brand.as_deref(), category.as_deref()], content.as_ref())?;
    check_ingredients(ingredients.as_deref().filter(|text| !text.is_empty()))?;
    nutrition.as_ref().map_or(Ok(()), check_nutrition)?;
    let wanted = DetailsChange { name, brand, category, content, sold_by_weight, organic, ingredients, nutrition, from_source: false };
    Ok(recorded(wanted.beyond(details)).map_or_else(Decision::unchanged, Decision::applied))
}

/// What the source says otherwise than what is known, and its new codes.
pub(super) fn update(product: &Product, said: &ProductDetails) -> Answer {
    let said = said.tidied();
    check_details(&said)?;
    let known = &product.details;
    let by_hand = |field: &str| product.by_hand.contains(field);
    let is_new = |code: &&ProductCode| !known.codes.iter().any(|known| known.identity() == code.identity());
    let new_codes: Vec<_> = said.codes.iter().filter(is_new).collect();
    check_codes(known.codes.len() + new_codes.len())?;
    let change = said.as_change().without(by_hand).beyond(known);
    let codes = new_codes.into_iter().map(|code| ProductEvent::CodeLinked { code: code.clone() });
    let events: Vec<_> = recorded(change).into_iter().chain(codes).collect();
    let outcome = if events.is_empty() { Outcome::Unchanged } else { Outcome::Applied };
    Ok(Decision { outcome, events })
}

fn recorded(change: DetailsChange) -> Option<ProductEvent> {
    let changes = change.fields().next().is_some();
    changes.then_some(ProductEvent::DetailsChanged(change))
}

fn check_change(name: Option<&str>, [brand, category]: [Option<&str>; 2], content: Option<&Quantity>) -> Result<(), Refusal> {
    name.map_or(Ok(()), |name| check_text(name, NAME_CHARS_MAX, "/name"))?;
    brand.map_or(Ok(()), |brand| check_optional_text(brand, NAME_CHARS_MAX, "/brand"))?;
    category.map_or(Ok(()), |category| check_optional_text(category, NAME_CHARS_MAX, "/category"))?;
    content.map_or(Ok(()), check_content)
}

impl ProductDetails {
    /// All that a source says, as a change: what it leaves open is `None`.
    fn as_change(&self) -> DetailsChange {
        DetailsChange {
            name: Some(self.name.clone()),
            brand: self.brand.clone(),
            category: self.category.clone(),
            content: self.content.clone(),
            sold_by_weight: Some(self.sold_by_weight),
            organic: Some(self.organic),
            ingredients: self.ingredients.clone(),
            nutrition: (!self.nutrition.is_empty()).then(|| self.nutrition.clone()),
            from_source: true,
        }
    }
}

impl DetailsChange {
    /// The names of the fields that it changes.
    pub(super) fn fields(&self) -> impl Iterator<Item = &'static str> {
        let Self { name, brand, category, content, sold_by_weight, organic, ingredients, nutrition, from_source: _ } = self;
        let changes = [
            ("name", name.is_some()),
            ("brand", brand.is_some()),
            ("category", category.is_some()),
            ("content", content.is_some()),
            ("sold_by_weight", sold_by_weight.is_some()),
            ("organic", organic.is_some()),
            ("ingredients", ingredients.is_some()),
            ("nutrition", nutrition.is_some()),
        ];
        changes.into_iter().filter(|(_, changes)| *changes).map(|(field, _)| field)
    }

    /// Without the fields that are to stay.
    fn without(self, stays: impl Fn(&str) -> bool) -> Self {
        let Self { name, brand, category, content, sold_by_weight, organic, ingredients, nutrition, from_source } = self;
        Self {
            name: name.filter(|_| !stays("name")),
            brand: brand.filter(|_| !stays("brand")),
            category: category.filter(|_| !stays("category")),
            content: content.filter(|_| !stays("content")),
            sold_by_weight: sold_by_weight.filter(|_| !stays("sold_by_weight")),
            organic: organic.filter(|_| !stays("organic")),
            ingredients: ingredients.filter(|_| !stays("ingredients")),
            nutrition: nutrition.filter(|_| !stays("nutrition")),
            from_source,
        }
    }

    /// Only what differs from what is known; an absent field and an empty text are the same.
    fn beyond(self, known: &ProductDetails) -> Self {
        let text = |new: Option<String>, old: Option<&String>| {
            let new = new.map(|new| new.trim().to_owned());
            new.filter(|new| *new != old.cloned().unwrap_or_default())
        };
        Self {
            name: text(self.name, Some(&known.name)),
            brand: text(self.brand, known.brand.as_ref()),
            category: text(self.category, known.category.as_ref()),
            content: self.content.filter(|new| known.content.as_ref() != Some(new)),
            sold_by_weight: self.sold_by_weight.filter(|new| *new != known.sold_by_weight),
            organic: self.organic.filter(|new| *new != known.organic),
            ingredients: text(self.ingredients, known.ingredients.as_ref()),
            nutrition: self.nutrition.filter(|new| *new != known.nutrition),
            from_source: self.from_source,
        }
    }

    /// Whether the details are still as it made them.
    pub(super) fn still_holds(&self, now: &ProductDetails) -> bool {
        self.clone().beyond(now).fields().next().is_none()
    }

    pub(super) fn apply(&self, details: &mut ProductDetails) {
        let change = self.clone();
        let cleared = |text: String| Some(text).filter(|text| !text.is_empty());
        details.name = change.name.unwrap_or_else(|| std::mem::take(&mut details.name));
        for (field, text) in
            [(&mut details.brand, change.brand), (&mut details.category, change.category), (&mut details.ingredients, change.ingredients)]
        {
            *field = text.map_or_else(|| field.take(), cleared);
        }
        details.content = change.content.or_else(|| details.content.take());
        details.sold_by_weight = change.sold_by_weight.unwrap_or(details.sold_by_weight);
        details.organic = change.organic.unwrap_or(details.organic);
        details.nutrition = change.nutrition.unwrap_or_else(|| std::mem::take(&mut details.nutrition));
    }
}

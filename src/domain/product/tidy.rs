//! What a source says of a product, in the form in which it is recorded: no blanks around texts, no end in the year 9999.

use std::borrow::Cow;

use super::{PriceSeen, ProductDetails};
use crate::domain::{
    Moment,
    text::{is_tidy, tidy},
};

impl PriceSeen {
    /// Nearly every price is tidy already, and imports see millions.
    pub(super) fn tidied(&self) -> Cow<'_, Self> {
        let valid_until = self.valid_until.and_then(Moment::as_end);
        if is_tidy(&self.source) && self.evidence.as_deref().is_none_or(is_tidy) && valid_until == self.valid_until {
            return Cow::Borrowed(self);
        }
        let mut seen = Self { valid_until, ..self.clone() };
        tidy(&mut seen.source);
        seen.evidence.iter_mut().for_each(tidy);
        Cow::Owned(seen)
    }
}

impl ProductDetails {
    pub(super) fn tidied(&self) -> Cow<'_, Self> {
        let optional = [&self.brand, &self.category, &self.ingredients];
        let is_all_tidy = is_tidy(&self.name)
            && optional.into_iter().flatten().all(|text| is_tidy(text))
            && self.nutrition.keys().all(|nutrient| is_tidy(nutrient));
        if is_all_tidy {
            return Cow::Borrowed(self);
        }
        let mut details = self.clone();
        tidy(&mut details.name);
        [&mut details.brand, &mut details.category, &mut details.ingredients].into_iter().flatten().for_each(tidy);
        details.nutrition = details.nutrition.into_iter().map(|(nutrient, amount)| (nutrient.trim().to_owned(), amount)).collect();
        Cow::Owned(details)
    }
}

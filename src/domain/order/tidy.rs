//! What a source says of an order, in the form in which it is recorded: no blanks around texts, and no empty ones.

use super::{OrderLine, OrderPlacement};
use crate::domain::text::{tidy, tidy_optional};

impl OrderPlacement {
    pub(super) fn tidied(&self) -> Self {
        let mut placement = self.clone();
        tidy(&mut placement.source);
        placement.lines.iter_mut().for_each(|line| tidy_optional(&mut line.name));
        placement.extras.iter_mut().for_each(|extra| tidy(&mut extra.kind));
        placement
    }
}

impl OrderLine {
    pub(super) fn tidied(&self) -> Self {
        let mut line = self.clone();
        tidy_optional(&mut line.name);
        line
    }
}

pub(super) fn tidy_reason(reason: Option<&String>) -> Option<String> {
    let mut reason = reason.cloned();
    tidy_optional(&mut reason);
    reason
}

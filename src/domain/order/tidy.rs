//! What a source says of an order, in the form in which it is recorded: no blanks around texts.

use super::{OrderLine, OrderPlacement};
use crate::domain::text::tidy;

impl OrderPlacement {
    pub(super) fn tidied(&self) -> Self {
        let mut placement = self.clone();
        tidy(&mut placement.source);
        placement.lines.iter_mut().filter_map(|line| line.name.as_mut()).for_each(tidy);
        placement.extras.iter_mut().for_each(|extra| tidy(&mut extra.kind));
        placement
    }
}

impl OrderLine {
    pub(super) fn tidied(&self) -> Self {
        let mut line = self.clone();
        line.name.iter_mut().for_each(tidy);
        line
    }
}

pub(super) fn tidy_reason(reason: Option<&String>) -> Option<String> {
    reason.map(|reason| reason.trim().to_owned())
}

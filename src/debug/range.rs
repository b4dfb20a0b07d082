//! Ranges of positions that people ask for, and the views at a position.

use std::ops::ControlFlow;

use crate::{
    domain::Moment,
    events::{Log, LogError, Position},
    projections::Views,
};

/// The first and the last position of a range, inclusive: by default from the first event to the head.
///
/// # Errors
/// A sentence, if the range is empty or beyond the log.
pub fn check_range(from: Option<Position>, to: Option<Position>, head: Position) -> Result<(Position, Position), String> {
    if [from, to].contains(&Some(Position::START)) {
        return Err("there is nothing before the first event; positions begin at 1".into());
    }
    if let Some(beyond) = from.max(to).filter(|position| *position > head) {
        return Err(format!("the log ends at position {head}; it has not reached {beyond}"));
    }
    let (first, last) = (from.unwrap_or(Position(1)), to.unwrap_or(head));
    match (from, to) {
        (Some(_), Some(_)) if first > last => Err(format!("there are no events from position {first} to {last}")),
        _ => Ok((first, last)),
    }
}

/// The views up to and including a position, and when its event was recorded.
///
/// # Errors
/// When the log cannot be read.
pub fn views_at(log: &dyn Log, position: Position) -> Result<(Views, Moment), LogError> {
    let (mut views, mut at) = (Views::default(), Moment(0));
    log.scan(Position::START, &mut |recorded| {
        if recorded.position > position {
            return ControlFlow::Break(());
        }
        at = recorded.at;
        views.apply(&recorded);
        ControlFlow::Continue(())
    })?;
    Ok((views, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_within_the_log_and_has_a_beginning_before_its_end() {
        let check =
            |from: Option<u64>, to: Option<u64>| check_range(from.map(Position), to.map(Position), Position(5)).map(|(a, b)| (a.0, b.0));
        assert_eq!((check(None, None), check(Some(2), Some(2)), check(Some(3), None)), (Ok((1, 5)), Ok((2, 2)), Ok((3, 5))));
        for (from, to, word) in
            [(Some(0), None, "first event"), (None, Some(0), "first event"), (None, Some(6), "ends at"), (Some(3), Some(2), "no event")]
        {
            assert!(check(from, to).unwrap_err().contains(word));
        }
    }
}

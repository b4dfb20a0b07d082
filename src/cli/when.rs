//! Moments as people type them: a position, an exact time, `2h ago`, `yesterday 18:00`, `18:00`.

use jiff::{Span, ToSpan, ZonedDateTime, civil::Time};

use crate::{domain::Moment, events::At};

/// Understands a moment, in the time zone of this machine.
///
/// # Errors
/// A sentence with what can be written.
pub(super) fn when(text: &str) -> Result<At, String> {
    moment(text.trim(), &ZonedDateTime::now())
        .ok_or_else(|| format!("{text:?} is no moment: write a position, 2026-11-24T18:03:00Z, '2h ago', 18:00 or 'yesterday 18:00'"))
}

fn moment(text: &str, now: &ZonedDateTime) -> Option<At> {
    text.parse().ok().or_else(|| relative(text, now).map(|time| At::Time(Moment(time.timestamp().as_microsecond()))))
}

fn relative(text: &str, now: &ZonedDateTime) -> Option<ZonedDateTime> {
    if text.ends_with("ago") {
        return now.checked_add(text.parse::<Span>().ok()?).ok();
    }
    let (day, time) = match text.split_once(' ') {
        Some(("today", time)) => (now.clone(), time),
        Some(("yesterday", time)) => (now.checked_sub(1.day()).ok()?, time),
        None => (now.clone(), text),
        Some(_) => return None,
    };
    day.with().time(time.parse::<Time>().ok()?).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_understood_as_people_write_them() {
        let now: ZonedDateTime = "2026-11-24T19:30:00+01:00[Europe/Vienna]".parse().unwrap();
        let at = |text: &str| moment(text, &now).map(|at| at.to_string());
        assert_eq!(at("17").as_deref(), Some("17"));
        assert_eq!(at("2026-11-24T18:03:00Z").as_deref(), Some("2026-11-24T18:03:00Z"));
        assert_eq!(at("2h ago").as_deref(), Some("2026-11-24T16:30:00Z"));
        assert_eq!(at("90 minutes ago").as_deref(), Some("2026-11-24T17:00:00Z"));
        assert_eq!(at("18:00").as_deref(), Some("2026-11-24T17:00:00Z"));
        assert_eq!(at("yesterday 18:00").as_deref(), Some("2026-11-23T17:00:00Z"));
        assert_eq!(at("today 07:15").as_deref(), Some("2026-11-24T06:15:00Z"));
        for wrong in ["", "soon", "tomorrow 18:00", "yesterday", "25:00"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
}

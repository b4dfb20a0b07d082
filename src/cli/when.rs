//! Moments as people type them: a position, an exact time, `2h ago`, `yesterday 18:00`, `18:00`.

use jiff::{Span, ToSpan, ZonedDateTime, civil::Time};

use crate::{domain::Moment, events::At};

/// Parses a moment, in the time zone of this machine.
///
/// # Errors
/// A sentence with the accepted forms.
pub(super) fn when(text: &str) -> Result<At, String> {
    past(text.trim(), &ZonedDateTime::now())
}

fn past(text: &str, now: &ZonedDateTime) -> Result<At, String> {
    let known = moment(text, now);
    let at = known
        .ok_or_else(|| format!("{text:?} is not a moment: write a position, 2026-11-24T18:03:00Z, '2h ago', 18:00 or 'yesterday 18:00'"))?;
    match at {
        At::Time(time) if time.0 > now.timestamp().as_microsecond() => Err(format!("{text:?} is in the future{}", day_before(text))),
        at @ (At::Position(_) | At::Time(_)) => Ok(at),
    }
}

/// A hint, if only the time of day was written.
fn day_before(text: &str) -> String {
    let time = text.trim_start_matches("today ");
    if time.parse::<Time>().is_ok() { format!("; write 'yesterday {time}' for the day before") } else { String::new() }
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
        assert_eq!(past("2026-11-24T18:29:00Z", &now).unwrap().to_string(), "2026-11-24T18:29:00Z");
        let refused = |text: &str| past(text, &now).unwrap_err();
        assert_eq!(refused("2027-01-01T00:00:00Z"), "\"2027-01-01T00:00:00Z\" is in the future");
        for later in ["19:31", "today 19:31"] {
            assert!(refused(later).ends_with("is in the future; write 'yesterday 19:31' for the day before"), "{later}");
        }
        for wrong in ["", "soon", "tomorrow 18:00", "yesterday", "25:00"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
}

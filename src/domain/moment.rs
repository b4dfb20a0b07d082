//! A moment in time as the domain knows it: passed in with a command or an event, never read from a clock here.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds since 1970-01-01T00:00:00Z. Stored as an integer, shown as RFC 3339 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(pub i64);

/// Microseconds in one day of 24 hours.
pub const DAY_MICROS: i64 = 86_400_000_000;

impl Moment {
    /// The latest one: 9999-12-30T22:00:00Z. As the end of something it means that it does not end.
    pub const ENDLESS: Self = Self(253_402_207_200_000_000);

    /// The end that a validity has: sources name a day of the year 9999 where they mean that there is none.
    #[must_use]
    pub fn as_end(self) -> Option<Self> {
        const YEAR_9999: Moment = Moment(253_370_764_800_000_000);
        (self < YEAR_9999).then_some(self)
    }

    /// The moment this many days of 24 hours later.
    #[must_use]
    pub fn days_after(self, days: i64) -> Self {
        self.days_before(-days)
    }

    /// The moment this many days of 24 hours earlier.
    #[must_use]
    pub fn days_before(self, days: i64) -> Self {
        Self(self.0.saturating_sub(days.saturating_mul(DAY_MICROS)))
    }

    /// Seconds from `earlier` to `self`, zero if `earlier` is later.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0) / 1_000_000).unwrap_or(0)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(time) => write!(f, "{time}"),
            Err(_) => write!(f, "{}us", self.0),
        }
    }
}

/// A text is not a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is written as 2026-11-24T18:03:00Z, or as a day such as 2026-11-24")]
pub struct MomentError;

/// Sources write the last day of this year where they mean that something does not end.
const ENDLESS_YEAR: &str = "9999-";
/// The longest text that is looked at, in bytes.
const TEXT_BYTES_MAX: usize = 64;

impl FromStr for Moment {
    type Err = MomentError;

    /// Accepts RFC 3339 (`2024-06-30T12:00:00Z`) or an ISO day (`2024-06-30`, meaning its first moment in UTC). What lies in the year 9999
    /// and beyond what can be computed with, such as `9999-12-31`, is [`Moment::ENDLESS`].
    fn from_str(text: &str) -> Result<Self, MomentError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(MomentError);
        }
        if let Ok(day) = text.parse::<jiff::civil::Date>()
            && text.len() == 10
        {
            let start = jiff::tz::TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0));
            return start.map_or_else(|_| endless(text), |start| Ok(Self(start.as_microsecond())));
        }
        text.parse::<jiff::Timestamp>().map_or_else(|_| endless(text), |time| Ok(Self(time.as_microsecond())))
    }
}

/// Past the last moment that can be computed with; its form is still checked, a year earlier.
fn endless(text: &str) -> Result<Moment, MomentError> {
    let rest = text.strip_prefix(ENDLESS_YEAR).ok_or(MomentError)?;
    format!("9998-{rest}").parse::<Moment>().map(|_| Moment::ENDLESS)
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
            text.parse().map_err(serde::de::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

impl utoipa::PartialSchema for Moment {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::DateTime)))
            .into()
    }
}

impl utoipa::ToSchema for Moment {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_days_that_sources_name_are_understood_as_no_end() {
        let latest = jiff::Timestamp::MAX.as_microsecond();
        assert!(Moment::ENDLESS.0 <= latest && latest - Moment::ENDLESS.0 < DAY_MICROS, "{latest}");
        for text in
            ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999Z", "9999-12-31T00:00:00-11:00", "9999-12-31 23:59:59Z"]
        {
            assert_eq!(text.parse(), Ok(Moment::ENDLESS), "{text}");
        }
        for (text, ends) in [("9999-12-31", false), ("9999-01-01", false), ("9998-12-31", true), ("2026-06-30T12:00:00+02:00", true)] {
            assert_eq!(text.parse::<Moment>().expect("is a time").as_end().is_some(), ends, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused_in_our_own_words() {
        for text in [
            "",
            " ",
            "then",
            "2026-02-30",
            "2026-13-01",
            "2026-06-30T12:00:00",
            "9999-13-31",
            "9999-12-31T25:00:00Z",
            "10000-01-01",
            "infinity",
        ] {
            assert_eq!(text.parse::<Moment>(), Err(MomentError), "{text:?}");
        }
        assert_eq!("2026-11-24T18:03:00Z".repeat(1_000).parse::<Moment>(), Err(MomentError));
    }
}

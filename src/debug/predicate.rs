//! One small language for conditions on an event and the state after it: `path op value`, such as `data.quantity.amount>3`,
//! `who=ann`, `data.name~milk`, or a path alone, which holds if there is a value.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde_json::Value;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicate {
    /// Into the event as clients see it, or after `state.` into the state.
    path: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    /// Present, and neither null nor false.
    Holds,
    Compare(Operator, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    Unequal,
    AtLeast,
    AtMost,
    Greater,
    Less,
    /// Contains, ignoring case.
    Contains,
}

/// In the order in which they are looked for: longer ones first.
const OPERATORS: [(&str, Operator); 7] = [
    ("!=", Operator::Unequal),
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Contains),
];

/// What a path may begin with.
const ROOTS: [&str; 13] =
    ["type", "who", "by", "stream", "version", "position", "previous", "at", "command_id", "client", "shape", "data", "state"];

/// Why a text is not a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PredicateError(String);

impl FromStr for Predicate {
    type Err = PredicateError;

    fn from_str(text: &str) -> Result<Self, PredicateError> {
        let text = text.trim();
        let at = text.find(['=', '!', '>', '<', '~']);
        let (path, test) = match at {
            None => (text, Test::Holds),
            Some(at) => {
                let (path, rest) = text.split_at(at);
                let known = OPERATORS.iter().find_map(|(sign, operator)| Some((*operator, rest.strip_prefix(sign)?)));
                let (operator, value) = known.ok_or_else(|| PredicateError(format!("{rest:?} does not begin with = != > < >= <= or ~")))?;
                (path.trim(), Test::Compare(operator, value.trim().trim_matches('"').to_owned()))
            }
        };
        let root = path.split('.').next().unwrap_or_default();
        if !ROOTS.contains(&root) {
            return Err(PredicateError(format!("{root:?} is not one of {}", ROOTS.join(", "))));
        }
        Ok(Self { path: path.to_owned(), test })
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.test {
            Test::Holds => f.write_str(&self.path),
            Test::Compare(operator, value) => {
                let sign = OPERATORS.iter().find(|(_, known)| known == operator).map_or("=", |(sign, _)| *sign);
                write!(f, "{}{sign}{value}", self.path)
            }
        }
    }
}

impl Predicate {
    /// Whether it holds for an event as clients see it and the state after it.
    #[must_use]
    pub fn holds(&self, event: &Value, state: &Value) -> bool {
        let found = match self.path.strip_prefix("state") {
            Some("") => Some(state),
            Some(rest) if rest.starts_with('.') => lookup(state, &rest[1..]),
            _ => lookup(event, &self.path),
        };
        match &self.test {
            Test::Holds => found.is_some_and(|value| !value.is_null() && *value != false),
            Test::Compare(operator, wanted) => operator.holds(found.unwrap_or(&Value::Null), wanted),
        }
    }
}

/// Follows a path. Ids may contain dots, so at each step the longest existing name counts.
fn lookup<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(value);
    }
    let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
    let ends: Vec<_> = ends.collect();
    ends.into_iter().rev().find_map(|end| {
        let (name, rest) = (&path[..end], path.get(end + 1..).unwrap_or_default());
        let below = match value {
            Value::Object(fields) => fields.get(name),
            Value::Array(entries) => name.parse::<usize>().ok().and_then(|place| entries.get(place)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        below.and_then(|below| lookup(below, rest))
    })
}

impl Operator {
    fn holds(self, found: &Value, wanted: &str) -> bool {
        // A missing value is neither greater nor less than anything.
        if found.is_null() && !matches!(self, Self::Equal | Self::Unequal) {
            return false;
        }
        let found = text_of(found);
        let order = || decimal_order(&found, wanted).unwrap_or_else(|| found.as_str().cmp(wanted));
        match self {
            Self::Equal => order() == Ordering::Equal,
            Self::Unequal => order() != Ordering::Equal,
            Self::AtLeast => order() != Ordering::Less,
            Self::AtMost => order() != Ordering::Greater,
            Self::Greater => order() == Ordering::Greater,
            Self::Less => order() == Ordering::Less,
            Self::Contains => found.to_lowercase().contains(&wanted.to_lowercase()),
        }
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The order of two decimal numbers of any length, exact; `None` if one is not a number.
fn decimal_order(a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (Decimal::parse(a)?, Decimal::parse(b)?);
    let size = a.size(&b);
    Some(match (a.negative, b.negative) {
        _ if a.is_zero() && b.is_zero() => Ordering::Equal,
        (false, false) => size,
        (true, true) => size.reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    })
}

struct Decimal<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Decimal<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        (!whole.is_empty() && is_number(whole) && is_number(fraction)).then(|| Self {
            negative,
            whole: whole.trim_start_matches('0'),
            fraction: fraction.trim_end_matches('0'),
        })
    }

    fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    fn size(&self, other: &Self) -> Ordering {
        let whole = self.whole.len().cmp(&other.whole.len()).then_with(|| self.whole.cmp(other.whole));
        whole.then_with(|| self.fraction.cmp(other.fraction))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn holds(text: &str) -> bool {
        let event = json!({"type": "list.item_added", "who": "ann", "by": "local", "version": 12, "command_id": null,
            "data": {"name": "Oat Milk", "quantity": {"amount": "10.5", "unit": "each"}}});
        let state = json!({"items": {"i.1": {"checked": {"who": "ben"}}, "i2": {"checked": null}}, "tags": ["a", "b"]});
        text.parse::<Predicate>().unwrap().holds(&event, &state)
    }

    #[test]
    fn conditions_compare_texts_and_numbers_of_event_and_state() {
        for text in [
            "type=list.item_added",
            "who != ben",
            "by=local",
            "data.quantity.amount>3",
            "data.quantity.amount<=10.50",
            "data.name~milk",
            "version>=12",
            "state.items.i.1.checked",
            "state.items.i.1.checked.who=\"ben\"",
            "state.tags.1=b",
            "command_id=null",
        ] {
            assert!(holds(text), "{text}");
            assert_eq!(text.parse::<Predicate>().unwrap().to_string().parse::<Predicate>(), text.parse());
        }
        for text in
            ["who=ben", "data.quantity.amount<3", "state.items.i2.checked", "state.items.i9", "command_id", "version<9", "data.price>3"]
        {
            assert!(!holds(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused_with_the_reason() {
        let refusal = |text: &str| text.parse::<Predicate>().unwrap_err().to_string();
        assert!(refusal("").contains("is not one of"));
        assert!(refusal("mood=good").contains("mood"));
        assert!(refusal("who!ann").contains("!ann"));
    }

    proptest! {
        #[test]
        fn numbers_compare_as_numbers(a in -1_000_000_i64..1_000_000, b in -1_000_000_i64..1_000_000) {
            let text = |n: i64| format!("{}{}.{:03}", if n < 0 { "-" } else { "" }, n.abs() / 1000, n.abs() % 1000);
            prop_assert_eq!(decimal_order(&text(a), &text(b)), Some(a.cmp(&b)));
        }
    }
}

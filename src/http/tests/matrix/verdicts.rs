//! Whether an answer is what a verdict demands.

use std::collections::BTreeMap;

use serde_json::Value;

use super::things::Things;
use crate::{domain::rights::Verdict, http::tests::rig::Answer};

/// Headers that differ from answer to answer, and the length, which the body shows.
const OWN_OF_ANSWERS: [&str; 5] = ["x-request-id", "x-response-time", "server-timing", "date", "content-length"];

/// An answer with its ids taken out: two of them are equal if nobody can tell them apart.
pub fn plain(answer: &Answer, things: &Things) -> String {
    let headers: BTreeMap<_, _> = answer.headers.iter().map(|(name, value)| (name.as_str(), format!("{value:?}"))).collect();
    let headers: BTreeMap<_, _> = headers.into_iter().filter(|(name, _)| !OWN_OF_ANSWERS.contains(name)).collect();
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let text = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(mut fields)) => {
            fields.remove("request_id");
            Value::Object(fields).to_string()
        }
        Ok(_) | Err(_) => text,
    };
    let all = format!("{} {headers:?} {text}", answer.status.as_u16());
    let all = all.replace("hid-", "non-").replace("far-", "non-");
    all.replace(&format!("position {}", things.position), "position ?")
}

/// What is wrong with a refusal, if anything.
pub fn fault(verdict: Verdict, answer: &Answer) -> Option<String> {
    let expected = match verdict {
        Verdict::SignIn => (401, "not_authenticated"),
        Verdict::Forbidden => (403, "not_permitted"),
        // Compared with the answer to an unknown id instead.
        Verdict::Hidden | Verdict::Allowed => return None,
    };
    let (status, code, _) = answer.problem();
    ((status, code.as_str()) != expected).then(|| format!("{verdict:?}: {status} {code}"))
}

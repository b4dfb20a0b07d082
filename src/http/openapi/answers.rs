//! Answers: every status that an operation may give, with its codes, its form and its headers.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    codes::{self, Code},
    walk::{self, Row},
};
use crate::http::travel::{KNOWN_HEADER, POSITION_HEADER, TIME_HEADER};

/// Completes the answers of every operation.
pub fn complete(document: &mut Value) {
    document["components"]["headers"] = headers();
    walk::each_operation(document, |row, operation| {
        let travels = operation["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "at"));
        let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
        let pages = answers.remove("4XX");
        refuse(row, answers, pages.as_ref().filter(|page| page["content"].get("text/html").is_some()));
        for (status, answer) in answers {
            describe(status, answer);
            name_headers(row, status, answer, travels);
        }
    });
}

/// Adds each status of a problem. Two operations answer a browser with a page instead.
fn refuse(row: Row, answers: &mut Map<String, Value>, page: Option<&Value>) {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    codes::of(row).for_each(|code| by_status.entry(code.0).or_default().push(code));
    for (status, codes) in by_status {
        let names: Vec<_> = codes.iter().map(|code| code.1).collect();
        let listed: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let mut content = json!({ "application/problem+json": { "schema": walk::reference("Problem") } });
        if let Some(page) = page {
            content["text/html"] = page["content"]["text/html"].clone();
        }
        let known = answers.get(&status.to_string()).filter(|answer| row.operation == "getReadiness" && answer.get("content").is_some());
        if let Some(known) = known {
            content["application/json"] = known["content"]["application/json"].clone();
        }
        let reason = format!("{}: {}", reason(&status.to_string()), listed.join(", "));
        answers.insert(status.to_string(), json!({ "description": reason, "content": content, "x-codes": names }));
    }
}

/// Every answer has a description: by default the text of its status.
fn describe(status: &str, answer: &mut Value) {
    if answer["description"].as_str().unwrap_or_default().is_empty() {
        answer["description"] = reason(status).into();
    }
}

fn reason(status: &str) -> &'static str {
    StatusCode::from_bytes(status.as_bytes()).ok().and_then(|status| status.canonical_reason()).unwrap_or("Refused")
}

/// The headers that answers carry, each described once.
fn headers() -> Value {
    let text = |what: &str| json!({ "description": what, "schema": { "type": "string" } });
    json!({
        "X-Request-ID": text("The request's id, as sent or a new one"),
        "X-Response-Time": text("How long the server took, such as `0.312ms`"),
        "Server-Timing": text("The same for a browser's tools"),
        "ETag": text("The tag of this state: send it as `If-None-Match` to read, as `If-Match` to write"),
        "X-Aisled-Epoch": text("The history that is served: another one after a restore. Absent for strangers"),
        "Location": text("Where to look: what was created, the operation that began, or the next page"),
        "Retry-After": json!({ "description": "Seconds after which to try again", "schema": { "type": "integer", "minimum": 0 } }),
        "WWW-Authenticate": text("How to sign in"),
        "Set-Cookie": text("The session of a browser, or its end"),
        "Sec-WebSocket-Version": text("The version of the protocol to use"),
        POSITION_HEADER: text("With `at`: the position of the answer"),
        TIME_HEADER: text("With `at`: the moment that counts as now in the answer"),
        KNOWN_HEADER: text("With `known_at`: what was recorded after this position does not count"),
    })
}

fn name_headers(row: Row, status: &str, answer: &mut Value, travels: bool) {
    let mut names = vec!["X-Request-ID", "X-Response-Time", "Server-Timing", "X-Aisled-Epoch"];
    let is_tagged = answer.get("content").is_some() && row.method == "GET" && status == "200" && has_tag(row);
    match status {
        "200" if is_tagged => names.push("ETag"),
        "304" => names.push("ETag"),
        "201" | "202" if !is_of_people(row) => names.push("Location"),
        "302" | "303" => names.push("Location"),
        "401" => names.push("WWW-Authenticate"),
        "426" => names.push("Sec-WebSocket-Version"),
        "429" | "503" => names.push("Retry-After"),
        _ => {}
    }
    if matches!(row.operation, "signIn" | "signOut" | "setUp" | "acceptInvitation" | "finishOidc") && status.starts_with(['2', '3']) {
        names.push("Set-Cookie");
    }
    if travels && status == "200" {
        names.extend([POSITION_HEADER, TIME_HEADER, KNOWN_HEADER]);
    }
    let references = names.into_iter().map(|name| (name.to_owned(), json!({ "$ref": format!("#/components/headers/{name}") })));
    answer["headers"] = Value::Object(references.collect());
}

/// Reads of one entity.
fn has_tag(row: Row) -> bool {
    matches!(row.operation, "getList" | "getProduct" | "getStore" | "getOrder" | "getHousehold")
}

/// Creating credentials and accounts shows them at once, so there is no other place to look.
fn is_of_people(row: Row) -> bool {
    codes::of(row).any(|code| code.1 == "credential_not_found")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::openapi::document;

    #[test]
    fn every_answer_has_a_description_and_every_error_is_a_problem_with_its_codes() {
        for row in walk::rows() {
            let answers = document()["paths"][row.path][row.method.to_lowercase()]["responses"].as_object().expect("answers");
            for (status, answer) in answers {
                let answer = answer
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map_or(answer, |to| &document()["components"]["responses"][to.rsplit('/').next().expect("a name")]);
                assert!(!answer["description"].as_str().unwrap_or_default().is_empty(), "{row:?} {status}");
                assert!(status.parse::<u16>().is_ok(), "{row:?} {status}");
                if status.starts_with(['4', '5']) {
                    assert_eq!(
                        answer["content"]["application/problem+json"]["schema"]["$ref"], "#/components/schemas/Problem",
                        "{row:?} {status}"
                    );
                    assert!(answer["x-codes"].as_array().is_some_and(|codes| !codes.is_empty()), "{row:?} {status}");
                }
            }
        }
    }
}

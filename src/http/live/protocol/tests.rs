use serde_json::json;

use super::*;

fn read(text: &str) -> (Option<RequestId>, Result<Request, ErrorBody>) {
    parse(Encoding::Json, text.as_bytes())
}

#[test]
fn a_subscription_is_read_with_its_id() {
    let (id, request) = read(r#"{"id":7,"op":"subscribe","topics":[{"topic":"list:a","since":"12"},{"topic":"system"}],"epoch":"e"}"#);
    assert_eq!(id, Some(RequestId::Number(7)));
    let Ok(Request::Subscribe { topics, epoch }) = request else { panic!("{request:?}") };
    assert_eq!((topics[0].since, topics[1].since, epoch.as_deref()), (Some(Position(12)), None, Some("e")));
}

#[test]
fn an_unreadable_request_keeps_its_id_and_says_what_is_wrong() {
    for (text, code) in [
        (r#"{"id":"x","op":"dance"}"#, "invalid_request"),
        (r#"{"id":"x"}"#, "invalid_request"),
        (r#"{"id":"x","op":"ping","extra":1}"#, "invalid_request"),
        (r#"{"id":"x","op":"subscribe","topics":[{"topic":"a","since":-1}]}"#, "invalid_request"),
    ] {
        let (id, request) = read(text);
        assert_eq!(id, Some(RequestId::Text("x".into())), "{text}");
        assert_eq!(request.unwrap_err().code, code, "{text}");
    }
    for (text, code) in [("{", "malformed_message"), ("[]", "invalid_request"), ("7", "invalid_request"), ("", "malformed_message")] {
        assert_eq!(read(text).1.unwrap_err().code, code, "{text}");
    }
    for id in [json!(1.5), json!({}), json!("x".repeat(65)), json!(true)] {
        let text = json!({"id": id, "op": "ping"}).to_string();
        assert_eq!(read(&text).1.unwrap_err().code, "invalid_request_id", "{text}");
    }
}

#[test]
fn a_deeply_nested_message_is_refused_not_followed() {
    let text = "[".repeat(60_000);
    assert_eq!(read(&text).1.unwrap_err().code, "malformed_message");
}

#[test]
fn a_recovered_topic_and_a_snapshot_look_as_documented() {
    let recovered = TopicAnswer {
        topic: "list:a".into(),
        start: TopicStart::Recovered { recovered: True, partial: None, position: Position(9), events: vec![], states: States::new() },
    };
    assert_eq!(serde_json::to_value(&recovered).unwrap(), json!({"topic":"list:a","recovered":true,"position":"9","events":[]}));
    let snapshot = TopicAnswer {
        topic: "list:a".into(),
        start: TopicStart::Snapshot {
            recovered: False,
            position: Position(9),
            snapshot: Snapshot::Value(json!({})),
            events: vec![],
            states: States::new(),
        },
    };
    assert_eq!(serde_json::to_value(&snapshot).unwrap(), json!({"topic":"list:a","recovered":false,"position":"9","snapshot":{}}));
}

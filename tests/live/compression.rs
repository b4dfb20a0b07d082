//! permessage-deflate: agreed on if offered, large messages only, and no way to harm the server with it.

use serde_json::json;

use crate::{
    shop::{Bystander, rename, shop, wait_for_closed},
    support::TestApp,
    wire::{CLOSE, Frame, MSGPACK, OFFER, Opening, PONG, RSV1, TEXT, Wire, deflate, frame, message},
};

const THRESHOLD_BYTES: usize = 1_024;

fn open(app: &TestApp, headers: &[(&str, &str)]) -> Wire {
    Wire::greeted(app.server().url(), Opening { headers, ..Opening::default() }).0
}

/// The next frame with a message that is an event.
fn next_event(wire: &mut Wire) -> Frame {
    loop {
        let frame = wire.next_frame().expect("the session goes on");
        if frame.first & 0x0f <= 2 && message(&frame)["type"] == "event" {
            return frame;
        }
    }
}

#[test]
fn large_pushes_come_compressed_and_small_ones_plain() {
    let app = shop();
    let mut wires = [open(&app, &[OFFER]), open(&app, &[OFFER, MSGPACK]), open(&app, &[])];
    assert!(wires[0].head.contains("permessage-deflate; server_no_context_takeover; client_no_context_takeover"), "{}", wires[0].head);
    assert!(!wires[2].head.contains("permessage-deflate"), "{}", wires[2].head);
    wires.iter_mut().for_each(|wire| assert_eq!(wire.follow("list:weekly")["recovered"], false));
    for note in ["short".to_owned(), "x".repeat(900), "ä".repeat(450)] {
        app.patch("/api/v1/lists/weekly/items/i1", &json!({ "note": note })).ok();
        let frames = wires.each_mut().map(next_event);
        let large = note.len() > 100;
        assert_eq!(frames.each_ref().map(|frame| frame.first & RSV1 != 0), [large, large, false], "{note}");
        let [packed, _, plain] = frames.each_ref().map(|frame| frame.payload.len());
        assert_eq!(plain > THRESHOLD_BYTES, large, "the note makes the message as large as it should be: {plain}");
        assert!(!large || packed < plain / 2, "{packed} of {plain} bytes");
        let messages = frames.each_ref().map(message);
        assert_eq!(messages[0], messages[1]);
        assert_eq!(messages[0], messages[2]);
        assert_eq!(messages[0]["event"]["data"]["note"], *note);
    }
}

#[test]
fn a_request_may_be_compressed_whole_or_in_fragments() {
    let app = shop();
    let mut wire = open(&app, &[OFFER]);
    let request = json!({ "id": 1, "op": "subscribe", "topics": [{ "topic": "list:weekly" }] }).to_string();
    wire.send_frame(TEXT | RSV1, &deflate(request.as_bytes()));
    assert_eq!(wire.next_where(|message| message["id"] == 1)["type"], "subscribed");
    wire.send_frame(TEXT, br#"{"id":2,"op":"ping"}"#);
    assert_eq!(wire.next_where(|message| message["id"] == 2)["type"], "pong");
    let packed = deflate(br#"{"id":3,"op":"ping"}"#);
    wire.send_bytes(&[frame(0x01 | RSV1, &packed[..3]), frame(0x89, b"between"), frame(0x80, &packed[3..])].concat());
    assert_eq!(wire.next_where(|message| message["id"] == 3)["type"], "pong");
}

#[test]
fn compression_can_be_opted_out_of_and_is_declined_where_it_cannot_be_kept() {
    let app = shop();
    let url = app.server().url();
    let (wire, hello) = Wire::greeted(url, Opening { query: "?compression=off", headers: &[OFFER], ..Opening::default() });
    assert!(!wire.head.contains("permessage-deflate"), "{}", wire.head);
    assert_eq!(hello["compression"], false);
    for (offer, agreed) in [("permessage-deflate", true), ("permessage-deflate; mystery=1", false), ("x-webkit-deflate-frame", false)] {
        let (wire, hello) = Wire::greeted(url, Opening { headers: &[("Sec-WebSocket-Extensions", offer)], ..Opening::default() });
        assert_eq!((hello["compression"].as_bool(), wire.head.contains("permessage-deflate")), (Some(agreed), agreed), "{offer}");
    }
    let refused = Wire::try_open(url, Opening { query: "?compression=maybe", ..Opening::default() });
    assert!(refused.is_err_and(|answer| answer.starts_with("HTTP/1.1 400 ")));
}

#[test]
fn what_breaks_the_websocket_protocol_ends_the_session() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    let packed = deflate(br#"{"id":1,"op":"ping"}"#);
    let offered = &[OFFER][..];
    let unmasked = vec![TEXT, 2, b'{', b'}'];
    let cases = [
        ("a compressed message without an agreement", &[][..], frame(TEXT | RSV1, &packed)),
        ("a reserved bit that means nothing", offered, frame(TEXT | 0x20, b"{}")),
        ("a compressed ping", offered, frame(0x89 | RSV1, b"")),
        ("a compressed continuation", offered, [frame(0x01, b"{"), frame(0x80 | RSV1, &packed)].concat()),
        ("what cannot be inflated", offered, frame(TEXT | RSV1, &[0xff; 40])),
        ("a frame without a mask", &[][..], unmasked),
        ("an unknown opcode", &[][..], frame(0x83, b"")),
        ("an unknown control opcode", &[][..], frame(0x8b, b"")),
        ("a long ping", &[][..], frame(0x89, &[0; 126])),
        ("a ping in fragments", &[][..], frame(0x09, b"")),
        ("a continuation of nothing", &[][..], frame(0x80, b"x")),
        ("a message inside of another", &[][..], [frame(0x01, b"{"), frame(TEXT, b"{}")].concat()),
    ];
    for (met, (what, headers, bytes)) in (1..).zip(cases) {
        let mut wire = open(&app, headers);
        wire.send_bytes(&bytes);
        assert_eq!(wire.end(), Some(1002), "{what}");
        wait_for_closed(&app, "protocol_error", met);
        bystander.notices_nothing(what);
    }
}

#[test]
fn a_text_that_is_not_utf8_ends_the_session_however_it_comes() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    let cases = [
        ("plain", frame(TEXT, b"\"\xff\xfe\"")),
        ("compressed", frame(TEXT | RSV1, &deflate(b"\"\xc3\x28\""))),
        ("in fragments", [frame(0x01, b"\"\xe2\x82"), frame(0x80, b"\x28\"")].concat()),
        ("cut off inside a character", frame(TEXT, b"\xe2\x82")),
        ("a surrogate", frame(TEXT, b"\xed\xa0\x80")),
    ];
    for (met, (what, bytes)) in (1..).zip(cases) {
        let mut wire = open(&app, &[OFFER]);
        wire.send_bytes(&bytes);
        assert_eq!(wire.end(), Some(1007), "{what}");
        wait_for_closed(&app, "not_utf8", met);
        bystander.notices_nothing(what);
    }
}

#[test]
fn a_goodbye_is_answered_and_control_frames_are_no_messages() {
    let app = shop();
    let mut wire = open(&app, &[]);
    wire.send_frame(0x89, b"are you there");
    let pong = loop {
        let frame = wire.next_frame().expect("the session goes on");
        if frame.first == PONG {
            break frame;
        }
    };
    assert_eq!(pong.payload, b"are you there");
    wire.follow("list:weekly");
    rename(&app, "Heard");
    next_event(&mut wire);
    wire.send_frame(CLOSE, &1000_u16.to_be_bytes());
    assert_eq!(wire.end(), Some(1000));
    wait_for_closed(&app, "normal", 1);
}

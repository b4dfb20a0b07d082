//! Connections that are begun and not finished.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use crate::{
    shop::{Bystander, shop, shop_with, wait_for_closed},
    stalled::sessions,
    support::{PATIENCE, TestApp, wait_for},
    wire::{Opening, Wire, frame},
};

fn connect(app: &TestApp) -> TcpStream {
    let stream = TcpStream::connect(app.server().url().trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[test]
fn half_a_handshake_is_given_up_and_costs_no_session() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    let mut silent = connect(&app);
    let mut half = connect(&app);
    half.write_all(b"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: webso").unwrap();
    let mut garbage = connect(&app);
    garbage.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 this is no HTTP\r\n\r\n").unwrap();
    for stream in [&mut garbage, &mut half, &mut silent] {
        let mut answer = Vec::new();
        let ended = stream.read_to_end(&mut answer);
        assert!(ended.is_ok() || ended.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset), "the server hangs up");
        assert!(!answer.starts_with(b"HTTP/1.1 101 "));
    }
    assert_eq!(sessions(&app), 1);
    bystander.notices_nothing("half a handshake");
}

#[test]
fn a_client_that_vanishes_amid_a_message_is_forgotten() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    for gone in ["closed", "reset"] {
        let (mut wire, _) = Wire::greeted(app.server().url(), Opening::default());
        wire.follow("list:weekly");
        let whole = frame(0x81, br#"{"id":1,"op":"ping"}"#);
        wire.send_bytes(&whole[..10]);
        if gone == "reset" {
            wire.reset();
        } else {
            drop(wire);
        }
        wait_for("only the bystander to be left", || (sessions(&app) == 1).then_some(()));
        bystander.hears_everything(gone);
    }
    wait_for_closed(&app, "normal", 2);
}

#[test]
fn a_client_that_only_trickles_is_no_sign_of_life() {
    let app = shop_with(&["--session-ping-seconds", "1"]);
    let (mut wire, _) = Wire::greeted(app.server().url(), Opening::default());
    // A message that never gets whole.
    let whole = frame(0x81, br#"{"id":1,"op":"ping"}"#);
    wire.send_bytes(&whole[..10]);
    let end = loop {
        match wire.next_frame() {
            Some(frame) if frame.first == 0x88 => break frame.payload.first_chunk().map(|code| u16::from_be_bytes(*code)),
            Some(_) => {}
            None => break None,
        }
    };
    assert_eq!(end, Some(3002));
}

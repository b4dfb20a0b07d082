//! What the provider's answers may do: nothing but fail.

use super::{super::slots::TALKING_MAX, *};

fn cause(loopback: &Loopback) -> String {
    cause_of(&loopback.provider())
}

fn cause_of(provider: &Provider) -> String {
    match provider.begin(Purpose::SignIn, "http://127.0.0.1/back", NOW) {
        Err(OidcError::Unavailable(cause)) => cause,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it begins"),
    }
}

#[test]
fn an_answer_that_never_comes_is_given_up() {
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let loopback = Loopback::new(move |_, _, _| {
        let _ = wait.lock().expect("no panic").recv();
    });
    let provider = loopback.provider_with(Limits { whole: Duration::from_millis(200), ..Limits::default() });
    let cause = cause_of(&provider);
    assert!(cause.contains("timeout"), "{cause}");
    drop(release);
}

#[test]
fn an_endless_answer_is_cut_off() {
    let endless = |_: &str, _: &str, stream: &mut TcpStream| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[b' '; 4_096]).is_ok() {}
    };
    let cause = cause(&Loopback::new(endless));
    assert!(cause.contains("large") || cause.contains("limit"), "{cause}");
}

#[test]
fn a_redirect_is_not_followed() {
    let other = Loopback::with_keys(|| json!({ "keys": [] }));
    let target = other.url.clone();
    let loopback = Loopback::new(move |_, _, stream| {
        let _ = write!(stream, "HTTP/1.1 302 Found\r\nLocation: {target}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    assert!(cause(&loopback).contains("302"));
    assert_eq!(other.asked(), 0);
}

#[test]
fn a_description_of_another_provider_or_without_https_is_refused() {
    let of_another = Loopback::new(|own, _, stream| send(stream, "200 OK", &metadata(&format!("{own}/"), own).to_string()));
    assert!(cause(&of_another).contains("oidc_issuer"));
    let plain = Loopback::new(|own, _, stream| send(stream, "200 OK", &metadata(own, "http://id.example").to_string()));
    assert!(cause(&plain).contains("https"));
    for body in ["", "{}", "[1]", "<html>"] {
        assert!(cause(&Loopback::new(move |_, _, stream| send(stream, "200 OK", body))).contains("JSON"));
    }
    assert!(cause(&Loopback::new(|_, _, stream| send(stream, "500 Oops", ""))).contains("500"));
}

#[test]
fn endpoints_of_a_provider_elsewhere_must_be_https() {
    let web = super::web::Web::new("https://id.example", Limits::default());
    assert!(web.check("https://keys.example/jwks").is_ok());
    for unsafe_one in ["http://id.example/", "http://127.0.0.1/", "http://localhost", "file:///etc/passwd", "id.example", ""] {
        assert!(web.check(unsafe_one).is_err(), "{unsafe_one}");
    }
}

#[test]
fn only_a_few_wait_for_a_provider_that_hangs() {
    let slots = Slots::default();
    let held: Vec<_> = (0..TALKING_MAX).map(|_| slots.take().expect("there is a place")).collect();
    assert!(matches!(slots.take(), Err(OidcError::Busy)) && matches!(slots.take(), Err(OidcError::Busy)));
    drop(held);
    assert!(slots.take().is_ok());
}

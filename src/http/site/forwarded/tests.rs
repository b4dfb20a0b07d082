//! What proxies write, and what clients invent.

use actix_web::http::header::{HeaderName, HeaderValue};

use super::*;

type Lines<'a> = &'a [(&'static str, &'a str)];

fn headers(lines: Lines<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value"));
    }
    headers
}

/// Address, https and host as one text, or the code of the refusal.
fn said(lines: Lines<'_>) -> Result<String, &'static str> {
    let proxies: Vec<Network> = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"].iter().map(|text| text.parse().expect("a network")).collect();
    let headers = headers(lines);
    let said = read(&headers, &proxies).map_err(|problem| problem.code())?;
    let address = match said.address {
        Some(Node::Address(address)) => address.to_string(),
        Some(Node::Hidden) => "hidden".to_owned(),
        Some(Node::Unreadable) => "unreadable".to_owned(),
        None => "-".to_owned(),
    };
    let scheme = said.is_https.map_or("-", |is_https| if is_https { "https" } else { "http" });
    Ok(format!("{address} {scheme} {}", said.host.unwrap_or("-")))
}

fn is(lines: Lines<'_>, expected: &str) {
    assert_eq!(said(lines).as_deref(), Ok(expected), "{lines:?}");
}

#[test]
fn the_client_is_the_rightmost_address_that_is_no_trusted_proxy() {
    is(&[("x-forwarded-for", "203.0.113.7")], "203.0.113.7 - -");
    is(&[("x-forwarded-for", "198.51.100.1, 203.0.113.7, 10.1.2.3, 127.0.0.1")], "203.0.113.7 - -");
    is(&[("x-forwarded-for", "invented"), ("x-forwarded-for", "203.0.113.7:4711")], "203.0.113.7 - -");
    is(&[("x-forwarded-for", "10.9.9.9, 10.1.2.3")], "10.9.9.9 - -");
    is(&[("forwarded", "for=198.51.100.1, for=203.0.113.7;proto=https, for=10.1.2.3;proto=http")], "203.0.113.7 https -");
}

#[test]
fn ipv6_addresses_come_in_quotes_and_brackets_with_or_without_a_port() {
    is(&[("forwarded", "For=\"[2001:DB8::1]:4711\";Proto=HTTPS;Host=\"shop.example:8443\"")], "2001:db8::1 https shop.example:8443");
    is(&[("forwarded", "for=\"[2001:db8::1]\" ; by=_proxy")], "2001:db8::1 - -");
    is(&[("forwarded", "for=\"_a,b;c\", for=\"[::ffff:203.0.113.7]:_p\"")], "203.0.113.7 - -");
    is(&[("x-forwarded-for", "2001:db8::1")], "2001:db8::1 - -");
    is(&[("x-forwarded-for", "[2001:db8::1]:443")], "2001:db8::1 - -");
}

#[test]
fn a_proxy_may_keep_the_client_to_itself() {
    is(&[("forwarded", "for=_hidden;proto=https")], "hidden https -");
    is(&[("forwarded", "for=unknown")], "hidden - -");
    is(&[("x-forwarded-for", "unknown, 10.1.2.3")], "hidden - -");
    is(&[("forwarded", "proto=https")], "- https -");
    is(&[], "- - -");
}

#[test]
fn scheme_and_host_are_those_of_the_hop_that_the_client_reached() {
    let chain = ("x-forwarded-for", "203.0.113.7, 10.1.2.3");
    is(&[chain, ("x-forwarded-proto", "https"), ("x-forwarded-host", "shop.example")], "203.0.113.7 https shop.example");
    is(&[chain, ("x-forwarded-proto", "https, http"), ("x-forwarded-host", "shop.example, inside")], "203.0.113.7 https shop.example");
    is(&[("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", "https, http")], "203.0.113.7 http -");
    is(&[("x-forwarded-proto", "wss")], "- https -");
    is(&[("x-forwarded-proto", "")], "- - -");
}

#[test]
fn both_kinds_may_agree_but_not_contradict_each_other() {
    let standard = ("forwarded", "for=203.0.113.7;proto=https;host=shop.example");
    is(&[standard, ("x-forwarded-for", "203.0.113.7")], "203.0.113.7 https shop.example");
    is(&[standard, ("x-forwarded-for", "203.0.113.7"), ("x-forwarded-host", "SHOP.example.:443")], "203.0.113.7 https shop.example");
    for other in [("x-forwarded-for", "203.0.113.8"), ("x-forwarded-proto", "https")] {
        assert_eq!(said(&[standard, other]), Err("contradicting_forwarded"), "{other:?}");
    }
    for other in [("x-forwarded-proto", "http"), ("x-forwarded-host", "evil.example")] {
        assert_eq!(said(&[standard, ("x-forwarded-for", "203.0.113.7"), other]), Err("contradicting_forwarded"), "{other:?}");
    }
}

#[test]
fn what_no_proxy_writes_is_refused() {
    for line in [
        ("forwarded", "for"),
        ("forwarded", "for="),
        ("forwarded", "for=\"[::1]"),
        ("forwarded", "for=\"a\\\"b\""),
        ("forwarded", "for=1.1.1.1;for=2.2.2.2"),
        ("forwarded", "for=[fe80::1%eth0]"),
        ("forwarded", "for=\"[::1]x\""),
        ("forwarded", "for=1.1.1.1;proto=gopher"),
        ("forwarded", "for=1.1.1.1;;host=a"),
        ("x-forwarded-for", "fe80::1%eth0"),
        ("x-forwarded-for", "1.1.1.1:port"),
        ("x-forwarded-for", "localhost"),
        ("x-forwarded-proto", "gopher"),
    ] {
        assert_eq!(said(&[line]), Err("malformed_forwarded"), "{line:?}");
    }
}

#[test]
fn a_row_of_proxies_without_end_is_refused() {
    let long = vec!["1.1.1.1"; HOPS_MAX + 1].join(", ");
    assert_eq!(said(&[("x-forwarded-for", &long)]), Err("malformed_forwarded"));
    let long = vec!["for=1.1.1.1"; HOPS_MAX + 1].join(", ");
    assert_eq!(said(&[("forwarded", &long)]), Err("malformed_forwarded"));
    assert_eq!(said(&[("x-forwarded-for", &"1".repeat(64 << 10))]), Err("malformed_forwarded"));
}

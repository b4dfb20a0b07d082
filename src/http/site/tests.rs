//! Names, origins and proxies, request by request.

use actix_web::test::TestRequest;

use super::*;

/// A site of settings `name=entry,entry`.
fn site(settings: &[(&str, &str)]) -> Site {
    let environment = settings.iter().map(|(name, value)| (format!("AISLED_{}", name.to_uppercase()), (*value).to_owned())).collect();
    let sources = crate::config::Sources { environment, ..crate::config::Sources::default() };
    Site::of(&crate::config::load(&sources).expect("the settings can be used").config)
}

fn behind_a_proxy() -> Site {
    site(&[("public_url", "https://shop.example"), ("trusted_proxies", "127.0.0.1")])
}

fn request(method: &str, headers: &[(&'static str, &str)]) -> ServiceRequest {
    let request = TestRequest::with_uri("/").method(method.parse().expect("a method")).peer_addr(([127, 0, 0, 1], 1_024).into());
    headers.iter().fold(request, |request, header| request.append_header(*header)).to_srv_request()
}

/// The code of the refusal, or what is known of the client.
fn verdict(site: &Site, method: &str, headers: &[(&'static str, &str)]) -> Result<Peer, &'static str> {
    let request = request(method, headers);
    site.check(&request).map_err(|problem| problem.code())?;
    Ok(Peer::of(request.request()))
}

#[track_caller]
fn passes(site: &Site, method: &str, headers: &[(&'static str, &str)]) -> Peer {
    verdict(site, method, headers).unwrap_or_else(|code| panic!("{method} {headers:?}: {code}"))
}

#[track_caller]
fn refuses(site: &Site, method: &str, headers: &[(&'static str, &str)], code: &str) {
    assert_eq!(verdict(site, method, headers), Err(code), "{method} {headers:?}");
}

const LOCAL: (&str, &str) = ("host", "localhost:8080");

#[test]
fn a_missing_doubled_or_odd_host_is_foreign() {
    let site = behind_a_proxy();
    refuses(&site, "GET", &[], "foreign_host");
    refuses(&site, "GET", &[LOCAL, LOCAL], "foreign_host");
    for host in ["evil.example", "", "ann@localhost", "localhost:0", "localhost:99999", "[fe80::1%25lo]", "shop.example:8080"] {
        refuses(&site, "GET", &[("host", host)], "foreign_host");
    }
    for host in ["localhost", "SHOP.example.", "shop.example:443", "192.168.1.9:8080", "[::1]:8080"] {
        passes(&site, "GET", &[("host", host)]);
    }
}

#[test]
fn a_target_that_names_another_host_is_foreign() {
    let code = |uri: &str| {
        let request = TestRequest::with_uri(uri).insert_header(LOCAL).to_srv_request();
        site(&[]).check(&request).map_err(|problem| problem.code())
    };
    assert_eq!(code("http://LOCALHOST:8080/healthz"), Ok(()));
    assert_eq!(code("http://evil.example/healthz"), Err("foreign_host"));
    assert_eq!(code("http://localhost:9/healthz"), Err("foreign_host"));
}

#[test]
fn a_page_of_another_origin_may_read_nothing_new_and_write_nothing() {
    let site = site(&[]);
    for origin in ["https://evil.example", "null", "", "http://localhost:9", "https://localhost:8080", "http://localhost:8080.evil.example"]
    {
        for method in ["POST", "PATCH", "DELETE", "PUT", "TRACE", "CONNECT", "BREW"] {
            refuses(&site, method, &[LOCAL, ("origin", origin)], "foreign_origin");
        }
        for method in ["GET", "HEAD", "OPTIONS"] {
            passes(&site, method, &[LOCAL, ("origin", origin)]);
        }
    }
    refuses(&site, "POST", &[LOCAL, ("origin", "http://localhost:8080"), ("origin", "http://localhost:8080")], "foreign_origin");
}

#[test]
fn what_a_browser_says_of_the_site_counts_without_an_origin_too() {
    let site = site(&[]);
    for value in ["cross-site", "same-site", "Cross-Site"] {
        refuses(&site, "POST", &[LOCAL, ("sec-fetch-site", value)], "foreign_origin");
        refuses(&site, "POST", &[LOCAL, ("origin", "http://localhost:8080"), ("sec-fetch-site", value)], "foreign_origin");
        passes(&site, "GET", &[LOCAL, ("sec-fetch-site", value)]);
    }
    for value in ["same-origin", "none"] {
        passes(&site, "POST", &[LOCAL, ("origin", "http://LOCALHOST:8080"), ("sec-fetch-site", value)]);
    }
    refuses(&site, "POST", &[LOCAL, ("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], "foreign_origin");
    passes(&site, "POST", &[LOCAL]);
}

#[test]
fn a_socket_is_opened_by_pages_of_this_server_only() {
    let site = site(&[("cors_origins", "https://app.example")]);
    let upgrade = ("upgrade", "websocket");
    refuses(&site, "GET", &[LOCAL, upgrade, ("origin", "https://evil.example")], "foreign_origin");
    refuses(&site, "GET", &[LOCAL, upgrade, ("sec-fetch-site", "cross-site")], "foreign_origin");
    for origin in ["http://localhost:8080", "https://app.example"] {
        passes(&site, "GET", &[LOCAL, upgrade, ("origin", origin)]);
    }
    passes(&site, "GET", &[LOCAL, upgrade]);
}

#[test]
fn an_origin_that_is_let_in_may_write_from_another_site() {
    let site = site(&[("cors_origins", "https://app.example,http://127.0.0.1:5173")]);
    for origin in ["https://app.example", "http://127.0.0.1:5173"] {
        passes(&site, "POST", &[LOCAL, ("origin", origin), ("sec-fetch-site", "cross-site")]);
    }
    for origin in ["http://app.example", "https://app.example:8443", "https://my.app.example"] {
        refuses(&site, "POST", &[LOCAL, ("origin", origin)], "foreign_origin");
    }
}

#[test]
fn only_a_trusted_proxy_is_believed() {
    let proxied = [
        ("host", "127.0.0.1:8080"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "shop.example"),
    ];
    let peer = passes(&behind_a_proxy(), "GET", &proxied);
    let expected = Peer { address: "203.0.113.7".parse().ok(), is_https: true, host: "shop.example".to_owned(), is_direct_local: false };
    assert_eq!(peer, expected);
    let peer = passes(&site(&[("trusted_proxies", "10.0.0.0/8")]), "GET", &proxied);
    let expected = Peer { address: "127.0.0.1".parse().ok(), is_https: false, host: "127.0.0.1:8080".to_owned(), is_direct_local: false };
    assert_eq!(peer, expected);
    refuses(&behind_a_proxy(), "GET", &[LOCAL, ("x-forwarded-host", "evil.example")], "foreign_host");
    refuses(&behind_a_proxy(), "GET", &[LOCAL, ("forwarded", "for=_a"), ("x-forwarded-for", "1.1.1.1")], "contradicting_forwarded");
}

#[test]
fn https_is_what_a_trusted_proxy_or_a_public_url_says() {
    let site = behind_a_proxy();
    let https = ("x-forwarded-proto", "https");
    passes(&site, "POST", &[LOCAL, https, ("origin", "https://localhost:8080")]);
    refuses(&site, "POST", &[LOCAL, https, ("origin", "http://localhost:8080")], "foreign_origin");
    refuses(&site, "POST", &[LOCAL, ("origin", "https://localhost:8080")], "foreign_origin");
    passes(&site, "POST", &[LOCAL, ("origin", "https://shop.example")]);
    refuses(&site, "POST", &[("host", "shop.example"), ("origin", "http://shop.example")], "foreign_origin");
    assert!(passes(&site, "GET", &[("host", "shop.example")]).is_https);
    assert!(!passes(&site, "GET", &[LOCAL]).is_https);
}

#[test]
fn only_a_request_of_this_machine_that_no_proxy_touched_is_direct_and_local() {
    let plain = site(&[]);
    for host in ["localhost:8080", "127.0.0.1", "[::1]:8080", "LocalHost."] {
        assert!(passes(&plain, "GET", &[("host", host)]).is_direct_local, "{host}");
    }
    assert!(!passes(&plain, "GET", &[("host", "192.168.1.9")]).is_direct_local);
    for trace in ["x-forwarded-for", "x-real-ip", "via", "forwarded", "cf-ray"] {
        assert!(!passes(&plain, "GET", &[LOCAL, (trace, "1")]).is_direct_local, "{trace}");
    }
    for settings in [("public_url", "https://shop.example"), ("trusted_proxies", "127.0.0.1")] {
        assert!(!passes(&site(&[settings]), "GET", &[LOCAL]).is_direct_local, "{settings:?}");
    }
}

#[test]
fn a_request_from_another_machine_or_in_an_old_version_is_not_local() {
    use actix_web::http::Version;
    let is_local = |request: TestRequest| {
        let request = request.insert_header(LOCAL).to_srv_request();
        site(&[]).check(&request).expect("it passes");
        assert_eq!(Peer::of(request.request()).is_direct_local, is_direct_local(&request));
        is_direct_local(&request)
    };
    let from = |address: &str| TestRequest::default().peer_addr(address.parse().expect("an address"));
    assert!(is_local(from("127.0.0.1:9")));
    assert!(is_local(from("[::ffff:127.0.0.1]:9")));
    assert!(!is_local(from("192.168.1.7:9")));
    assert!(!is_local(TestRequest::default()));
    assert!(!is_local(from("127.0.0.1:9").version(Version::HTTP_10)));
}

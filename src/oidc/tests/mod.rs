//! A provider of the test's own, on the loopback, and what its answers may do.

mod answers;
mod content;
mod fetching;
mod signed;
mod waiting;

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};

use super::{pending::text, *};

/// A second in 2026.
const NOW: i64 = 1_780_000_000;

/// A key that a test made.
struct Signer {
    pair: EcdsaKeyPair,
    id: &'static str,
}

impl Signer {
    fn new(id: &'static str) -> Self {
        let random = SystemRandom::new();
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref(), &random).expect("a key");
        Self { pair, id }
    }

    fn jwk(&self) -> Value {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.id, "x": text(x), "y": text(y) })
    }

    /// A token of these claims, signed whatever its header says.
    fn token(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", text(header.to_string().as_bytes()), text(claims.to_string().as_bytes()));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", text(signature.as_ref()))
    }

    fn header(&self) -> Value {
        json!({ "alg": "ES256", "kid": self.id })
    }
}

fn key_set(keys: &[Value]) -> keys::Keys {
    keys::read(serde_json::from_value(json!({ "keys": keys })).expect("a key set"))
}

fn good_claims() -> Value {
    json!({ "iss": "https://id.example", "sub": "u1", "aud": "aisled", "exp": NOW + 300, "iat": NOW, "nonce": "n1", "name": "Ann" })
}

/// A server on the loopback that answers every request so, and counts them.
struct Loopback {
    url: String,
    asked: Arc<AtomicUsize>,
}

impl Loopback {
    fn new(answer: impl Fn(&str, &str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (asked, own, answer) = (Arc::new(AtomicUsize::new(0)), url.clone(), Arc::new(answer));
        let count = asked.clone();
        // It ends with the test's process.
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                count.fetch_add(1, SeqCst);
                let (own, answer) = (own.clone(), answer.clone());
                thread::spawn(move || answer(&own, &path_of(&stream), &mut stream));
            }
        });
        Self { url, asked }
    }

    /// A provider whose keys are these.
    fn with_keys(keys: impl Fn() -> Value + Send + Sync + 'static) -> Self {
        Self::new(move |own, path, stream| match path {
            "/keys" => send(stream, "200 OK", &keys().to_string()),
            _ => send(stream, "200 OK", &metadata(own, own).to_string()),
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }

    fn provider(&self) -> Provider {
        self.provider_with(Limits::default())
    }

    fn provider_with(&self, limits: Limits) -> Provider {
        Provider::new(Settings { issuer: self.url.clone(), client_id: "aisled".into(), client_secret: None, limits })
    }
}

fn metadata(issuer: &str, at: &str) -> Value {
    json!({ "issuer": issuer, "authorization_endpoint": format!("{at}/authorize"), "token_endpoint": format!("{at}/token"),
            "jwks_uri": format!("{at}/keys") })
}

fn path_of(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    let _ = lines.find(String::is_empty);
    first.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// The reader may be gone: that is what some tests are about.
fn send(stream: &mut TcpStream, status: &str, body: &str) {
    let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
}

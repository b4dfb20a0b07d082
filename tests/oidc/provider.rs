//! A provider on the loopback: it signs everybody in as one person, and breaks one rule if a test says so.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, mpsc},
    thread,
};

use base64ct::{Base64UrlUnpadded, Encoding};
use ring::{
    digest, hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING as ES256, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use url::{Url, form_urlencoded::parse};

use super::SECRET;

/// The one rule that it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twist {
    None,
    Nonce,
    Audience,
    Issuer,
    Expired,
    OtherKey,
    AlgNone,
    Hs256,
    Endless,
    /// The token endpoint answers when the test releases it.
    Hanging,
}

pub struct Provider {
    pub url: String,
    shared: Arc<Shared>,
    /// Told when a request hangs.
    pub hangs: mpsc::Receiver<()>,
}

struct Shared {
    url: String,
    key: EcdsaKeyPair,
    other: EcdsaKeyPair,
    twist: Mutex<Twist>,
    /// The claims of the person who signs in.
    person: Mutex<Value>,
    /// What was asked with each code that was not used yet.
    codes: Mutex<HashMap<String, HashMap<String, String>>>,
    secrets: Mutex<Vec<String>>,
    tell: Mutex<mpsc::Sender<()>>,
    held: Mutex<()>,
}

impl Provider {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (tell, hangs) = mpsc::channel();
        let shared = Arc::new(Shared {
            url: url.clone(),
            key: key(),
            other: key(),
            twist: Twist::None.into(),
            person: json!({}).into(),
            codes: Mutex::default(),
            secrets: Mutex::default(),
            tell: tell.into(),
            held: Mutex::default(),
        });
        let serving = shared.clone();
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = serving.clone();
                thread::spawn(move || shared.answer(stream));
            }
        });
        let provider = Self { url, shared, hangs };
        provider.be(json!({ "sub": "subject-ann", "preferred_username": "ann", "name": "Ann" }));
        provider
    }

    /// Who signs in from now on.
    pub fn be(&self, person: Value) {
        *self.shared.person.lock().unwrap() = person;
    }

    pub fn twist(&self, twist: Twist) {
        *self.shared.twist.lock().unwrap() = twist;
    }

    /// Keeps requests hanging while the guard lives.
    pub fn hold(&self) -> std::sync::MutexGuard<'_, ()> {
        self.shared.held.lock().unwrap()
    }

    /// All codes, tokens, states and verifiers so far.
    pub fn secrets(&self) -> Vec<String> {
        self.shared.secrets.lock().unwrap().clone()
    }
}

fn key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let der = EcdsaKeyPair::generate_pkcs8(&ES256, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ES256, der.as_ref(), &random).unwrap()
}

fn text(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn random() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    text(&bytes)
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) {
        let (target, body) = request(&stream);
        let url = Url::parse(&format!("{}{target}", self.url)).unwrap();
        let twist = *self.twist.lock().unwrap();
        match url.path() {
            "/authorize" => self.authorize(&url, &mut stream),
            "/token" if twist == Twist::Endless => endless(&mut stream),
            "/token" => {
                if twist == Twist::Hanging {
                    self.tell.lock().unwrap().send(()).unwrap();
                    drop(self.held.lock().unwrap());
                }
                match self.exchange(&body) {
                    Some(token) => {
                        send(&mut stream, "200 OK", &json!({ "id_token": token, "access_token": random(), "token_type": "Bearer" }));
                    }
                    None => send(&mut stream, "400 Bad Request", &json!({ "error": "invalid_grant" })),
                }
            }
            "/keys" => {
                let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
                let key = json!({ "kty": "EC", "crv": "P-256", "kid": "k1", "x": text(x), "y": text(y) });
                send(&mut stream, "200 OK", &json!({ "keys": [key] }));
            }
            _ => {
                let at = |path: &str| format!("{}{path}", self.url);
                let (authorize, token, keys) = (at("/authorize"), at("/token"), at("/keys"));
                let said = json!({ "issuer": self.url, "authorization_endpoint": authorize, "token_endpoint": token, "jwks_uri": keys });
                send(&mut stream, "200 OK", &said);
            }
        }
    }

    fn authorize(&self, url: &Url, stream: &mut TcpStream) {
        let asked: HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!((asked["response_type"].as_str(), asked["code_challenge_method"].as_str()), ("code", "S256"));
        let code = random();
        let back = format!("{}?code={code}&state={}", asked["redirect_uri"], asked["state"]);
        self.secrets.lock().unwrap().extend([code.clone(), asked["state"].clone(), asked["nonce"].clone()]);
        self.codes.lock().unwrap().insert(code, asked);
        let _ = write!(stream, "HTTP/1.1 302 Found\r\nLocation: {back}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }

    fn exchange(&self, (authorization, form): &(String, String)) -> Option<String> {
        let form: HashMap<_, _> = parse(form.as_bytes()).into_owned().collect();
        let asked = self.codes.lock().unwrap().remove(&form["code"])?;
        let basic = base64ct::Base64::encode_string(format!("{}:{SECRET}", asked["client_id"]).as_bytes());
        assert_eq!(*authorization, format!("Basic {basic}"));
        assert_eq!(form["redirect_uri"], asked["redirect_uri"]);
        let challenge = text(digest::digest(&digest::SHA256, form["code_verifier"].as_bytes()).as_ref());
        assert_eq!(challenge, asked["code_challenge"]);
        let token = self.token(&asked);
        self.secrets.lock().unwrap().extend([token.clone(), form["code_verifier"].clone(), basic]);
        Some(token)
    }

    fn token(&self, asked: &HashMap<String, String>) -> String {
        let twist = *self.twist.lock().unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let mut claims = self.person.lock().unwrap().clone();
        claims["iss"] = json!(if twist == Twist::Issuer { "https://evil.example" } else { &self.url });
        claims["aud"] = json!(if twist == Twist::Audience { "other" } else { &asked["client_id"] });
        claims["nonce"] = json!(if twist == Twist::Nonce { "other" } else { &asked["nonce"] });
        claims["iat"] = json!(now);
        claims["exp"] = json!(if twist == Twist::Expired { now - 61 } else { now + 300 });
        let name = match twist {
            Twist::AlgNone => "none",
            Twist::Hs256 => "HS256",
            Twist::None | Twist::Nonce | Twist::Audience | Twist::Issuer | Twist::Expired | Twist::OtherKey => "ES256",
            Twist::Endless | Twist::Hanging => "ES256",
        };
        let signed =
            format!("{}.{}", text(json!({ "alg": name, "kid": "k1" }).to_string().as_bytes()), text(claims.to_string().as_bytes()));
        format!("{signed}.{}", text(&self.signature(twist, signed.as_bytes())))
    }

    fn signature(&self, twist: Twist, signed: &[u8]) -> Vec<u8> {
        let by = |key: &EcdsaKeyPair| key.sign(&SystemRandom::new(), signed).unwrap().as_ref().to_vec();
        match twist {
            Twist::AlgNone => Vec::new(),
            Twist::Hs256 => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.key.public_key().as_ref()), signed).as_ref().to_vec(),
            Twist::OtherKey => by(&self.other),
            Twist::None | Twist::Nonce | Twist::Audience | Twist::Issuer | Twist::Expired => by(&self.key),
            Twist::Endless | Twist::Hanging => by(&self.key),
        }
    }
}

/// The target, and the authorization with the body.
fn request(stream: &TcpStream) -> (String, (String, String)) {
    let mut reader = BufReader::new(stream);
    let (mut target, mut authorization, mut length) = (String::new(), String::new(), 0);
    loop {
        let mut line = String::new();
        let ended = reader.read_line(&mut line).unwrap_or(0) == 0;
        let line = line.trim();
        if ended || line.is_empty() {
            break;
        }
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => value.clone_into(&mut authorization),
            Some(_) => {}
            None => line.split(' ').nth(1).unwrap_or("/").clone_into(&mut target),
        }
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    (target, (authorization, String::from_utf8_lossy(&body).into_owned()))
}

fn send(stream: &mut TcpStream, status: &str, body: &Value) {
    let body = body.to_string();
    let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
}

fn endless(stream: &mut TcpStream) {
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    while stream.write_all(&[b' '; 4_096]).is_ok() {}
}

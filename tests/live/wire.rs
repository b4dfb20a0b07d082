//! A client that writes its frames itself: both encodings, compression, other addresses, small buffers, and whatever else a
//! well-behaved library would not send.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use serde_json::{Value, json};
use socket2::{Domain, Socket, Type};

use crate::support::{PATIENCE, conform};

pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;
/// Set on the first frame of a compressed message.
pub const RSV1: u8 = 0x40;
/// Offers compression as a browser does.
pub const OFFER: (&str, &str) = ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits");
pub const MSGPACK: (&str, &str) = ("Sec-WebSocket-Protocol", "aisled.v1+msgpack");

/// How a session is opened.
#[derive(Clone, Copy, Default)]
pub struct Opening<'a> {
    /// After the path, with its question mark.
    pub query: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    /// An address of the loopback to come from.
    pub from: Option<[u8; 4]>,
    /// What the kernel may hold for this reader.
    pub receive_buffer: Option<usize>,
}

/// A frame as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Final bit, reserved bits and opcode.
    pub first: u8,
    pub payload: Vec<u8>,
}

/// How the server ended a session: the code of its close frame, `None` if the connection just ended.
pub type Ended = Option<u16>;

/// An open session.
pub struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
    /// The head of the answer to the handshake.
    pub head: String,
    pub msgpack: bool,
}

impl Wire {
    /// Opens a session; panics with the answer if there is none.
    pub fn open(url: &str, opening: Opening<'_>) -> Self {
        Self::try_open(url, opening).unwrap_or_else(|answer| panic!("no session: {answer}"))
    }

    /// Opens a session, or gives the answer instead.
    pub fn try_open(url: &str, opening: Opening<'_>) -> Result<Self, String> {
        let host = url.trim_start_matches("http://");
        let stream = connect(host, opening).map_err(|error| error.to_string())?;
        let mut wire = Self { stream, read: Vec::new(), head: String::new(), msgpack: opening.headers.contains(&MSGPACK) };
        let headers: String = opening.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!(
            "GET /api/v1/live{} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n",
            opening.query
        );
        wire.stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        let end = loop {
            if let Some(at) = wire.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if !wire.fill() {
                return Err(String::from_utf8_lossy(&wire.read).into_owned());
            }
        };
        wire.head = String::from_utf8_lossy(&wire.read.drain(..end).collect::<Vec<_>>()).into_owned();
        if wire.head.starts_with("HTTP/1.1 101 ") { Ok(wire) } else { Err(wire.head) }
    }

    /// Opens a session and reads the hello.
    pub fn greeted(url: &str, opening: Opening<'_>) -> (Self, Value) {
        let mut wire = Self::open(url, opening);
        let hello = wire.next();
        assert_eq!(hello["type"], "hello", "{hello}");
        (wire, hello)
    }

    /// Sends a request in the session's encoding. An ended session is noticed when it is read.
    pub fn send(&mut self, request: &Value) {
        if self.msgpack {
            self.send_frame(BINARY, &rmp_serde::to_vec_named(request).expect("JSON can be written as MessagePack"));
        } else {
            self.send_frame(TEXT, request.to_string().as_bytes());
        }
    }

    pub fn send_frame(&mut self, first: u8, payload: &[u8]) {
        self.send_bytes(&frame(first, payload));
    }

    pub fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a request and waits for its whole answer; pushes before it are dropped.
    pub fn ask(&mut self, request: &Value) -> Value {
        self.send(request);
        let mut answer = self.next_where(|message| message["id"] == request["id"]);
        // What was missed of a topic may come in parts.
        while answer["topics"][0]["partial"] == true {
            let mut next = self.next_where(|message| message["id"] == request["id"]);
            let events = next["topics"][0]["events"].take();
            let mut all = answer["topics"][0]["events"].take();
            all.as_array_mut().unwrap().extend(events.as_array().unwrap().iter().cloned());
            next["topics"][0]["events"] = all;
            answer = next;
        }
        answer
    }

    /// Follows a topic with options and returns how it starts.
    pub fn follow_with(&mut self, topic: &str, options: &Value) -> Value {
        let mut wanted = options.clone();
        wanted["topic"] = json!(topic);
        let epoch = wanted.as_object_mut().and_then(|wanted| wanted.remove("epoch"));
        self.ask(&json!({ "id": topic, "op": "subscribe", "epoch": epoch, "topics": [wanted] }))["topics"][0].clone()
    }

    pub fn follow(&mut self, topic: &str) -> Value {
        self.follow_with(topic, &json!({}))
    }

    /// The next message; panics when the server closes.
    #[track_caller]
    pub fn next(&mut self) -> Value {
        self.next_or_end().unwrap_or_else(|end| panic!("the server closed: {end:?}"))
    }

    /// The first message that fits; those before it are dropped.
    #[track_caller]
    pub fn next_where(&mut self, mut fits: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let message = self.next();
            if fits(&message) {
                return message;
            }
        }
    }

    /// Reads to the end and returns it.
    pub fn end(&mut self) -> Ended {
        loop {
            if let Err(end) = self.next_or_end() {
                return end;
            }
        }
    }

    /// The next message, or the end. Pings are answered.
    pub fn next_or_end(&mut self) -> Result<Value, Ended> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let frame = self.next_frame().ok_or(None)?;
            match frame.first & 0x0f {
                0x8 => return Err(frame.payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
                0x9 => self.send_frame(PONG, &frame.payload),
                0x1 | 0x2 => return Ok(message(&frame)),
                _ => {}
            }
            assert!(Instant::now() < deadline, "nothing but pings came");
        }
    }

    /// The next frame as it is; `None` at the end of the connection.
    pub fn next_frame(&mut self) -> Option<Frame> {
        loop {
            if let Some((frame, size)) = parse(&self.read) {
                self.read.drain(..size);
                return Some(frame);
            }
            if !self.fill() {
                return None;
            }
        }
    }

    /// Ends the connection as a crash would: with a reset, not a farewell.
    pub fn reset(self) {
        let socket = socket2::SockRef::from(&self.stream);
        socket.set_linger(Some(Duration::ZERO)).expect("a socket can be reset");
    }

    /// Reads more; false at the end of the connection.
    fn fill(&mut self) -> bool {
        let mut buffer = [0; 16 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => false,
            Ok(read) => {
                self.read.extend_from_slice(&buffer[..read]);
                true
            }
            // A stopped and continued process, as on a machine that is moved.
            Err(error) if error.kind() == ErrorKind::Interrupted => self.fill(),
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted) => {
                false
            }
            Err(error) => panic!("nothing came from the server: {error}"),
        }
    }
}

/// Connects as an opening says.
pub fn connect(host: &str, opening: Opening<'_>) -> std::io::Result<TcpStream> {
    let address: SocketAddr = host.parse().expect("the server's address");
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Some(bytes) = opening.receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    if let Some(from) = opening.from {
        socket.bind(&SocketAddr::from((from, 0)).into())?;
    }
    socket.connect(&address.into())?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A masked frame, as clients send them. The mask is all zeros, which is still a mask.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(0x80 | u8::try_from(length).unwrap()),
        length @ 126..=0xffff => {
            bytes.push(0x80 | 0x7e);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 0x7f);
            bytes.extend(u64::try_from(length).unwrap().to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend_from_slice(payload);
    bytes
}

/// The first frame and its bytes, if it is complete.
fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (first, length) = (*bytes.first()?, *bytes.get(1)?);
    assert_eq!(length & 0x80, 0, "a server does not mask");
    let (start, length) = match length {
        126 => (4, usize::from(u16::from_be_bytes(*bytes.get(2..4)?.first_chunk()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(*bytes.get(2..10)?.first_chunk()?)).unwrap()),
        length => (2, usize::from(length)),
    };
    let payload = bytes.get(start..start + length)?.to_vec();
    Some((Frame { first, payload }, start + length))
}

/// The message in a frame: inflated, read in the encoding of the opcode, and checked against its schema.
pub fn message(frame: &Frame) -> Value {
    assert_eq!(frame.first & 0x80, 0x80, "the server sends whole messages");
    let inflated = if frame.first & RSV1 == 0 { frame.payload.clone() } else { inflate(&frame.payload) };
    let message = match frame.first & 0x0f {
        0x1 => serde_json::from_slice(&inflated).expect("a text message is JSON"),
        _ => rmp_serde::from_slice(&inflated).expect("a binary message is MessagePack"),
    };
    conform::assert_sent_by_server(&message);
    message
}

/// Inflates one message that was compressed on its own.
pub fn inflate(payload: &[u8]) -> Vec<u8> {
    let mut bytes = payload.to_vec();
    bytes.extend([0, 0, 0xff, 0xff]);
    let (mut inflater, mut out) = (Decompress::new(false), Vec::with_capacity(1 << 20));
    inflater.decompress_vec(&bytes, &mut out, FlushDecompress::Sync).expect("the payload is deflated");
    assert!(out.len() < out.capacity(), "larger than any message");
    out
}

/// Compresses one message on its own.
pub fn deflate(payload: &[u8]) -> Vec<u8> {
    let (mut deflater, mut out) = (Compress::new(Compression::best(), false), Vec::with_capacity(payload.len() + 64));
    deflater.compress_vec(payload, &mut out, FlushCompress::Sync).expect("anything can be deflated");
    assert!(out.ends_with(&[0, 0, 0xff, 0xff]), "flushed as a whole");
    out.truncate(out.len() - 4);
    out
}

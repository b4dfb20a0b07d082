//! One keep-alive HTTP/1.1 connection: a request is bytes, a response is a status and the place of its body. No copies, no allocation per
//! request.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The largest answer read: more is an error, not a growing buffer.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// A connection with at most one request under way.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    token: Option<Token>,
}

/// What every request presents.
struct Token {
    /// Its line of the head.
    line: Vec<u8>,
    /// The request with that line.
    request: Vec<u8>,
}

/// A whole answer; its body is borrowed from the connection's buffer.
pub struct Answer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

/// The data in an answer's head.
struct Head {
    status: u16,
    body_from: usize,
    body: BodyLength,
}

enum BodyLength {
    Bytes(usize),
    Chunked,
}

impl Connection {
    pub async fn open(server: &str) -> io::Result<Self> {
        Self::open_as(server, None).await
    }

    /// Opens a connection that presents a token with every request.
    pub async fn open_as(server: &str, token: Option<&str>) -> io::Result<Self> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 << 10), token: token.map(Token::new) })
    }

    /// Sends a whole request and reads the whole answer.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        let request = self.token.as_mut().map_or(request, |token| token.added_to(request));
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            if let Some(head) = head_of(&self.buffer)? {
                break head;
            }
            self.read_more().await?;
        };
        let end = loop {
            if let Some(end) = body_end(&self.buffer, &head) {
                break end;
            }
            self.read_more().await?;
        };
        Ok(Answer { status: head.status, body: &self.buffer[head.body_from..end] })
    }

    async fn read_more(&mut self) -> io::Result<()> {
        if self.buffer.len() > ANSWER_BYTES_MAX {
            return Err(io::Error::other("the answer is too long"));
        }
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

impl Token {
    fn new(token: &str) -> Self {
        Self { line: format!("authorization: Bearer {token}\r\n").into_bytes(), request: Vec::with_capacity(1 << 10) }
    }

    /// The request with the token after its first line.
    fn added_to(&mut self, request: &[u8]) -> &[u8] {
        let (first, rest) = request.split_at(memchr::memchr(b'\n', request).map_or(0, |end| end + 1));
        self.request.clear();
        for part in [first, &self.line, rest] {
            self.request.extend_from_slice(part);
        }
        &self.request
    }
}

/// The status of an answer, once it is complete.
pub fn whole(bytes: &[u8]) -> io::Result<Option<u16>> {
    let Some(head) = head_of(bytes)? else { return Ok(None) };
    Ok(body_end(bytes, &head).map(|_| head.status))
}

/// Reads the head by hand: the status, and how long the body is.
fn head_of(bytes: &[u8]) -> io::Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&bytes[..end]).map_err(io::Error::other)?;
    let (first, headers) = text.split_once("\r\n").unwrap_or((text, ""));
    let status = first.get(9..12).and_then(|code| code.parse().ok()).ok_or_else(|| io::Error::other("an answer without a status"))?;
    let mut body = BodyLength::Bytes(0);
    for (name, value) in headers.split("\r\n").filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            body = BodyLength::Bytes(value.trim().parse().map_err(io::Error::other)?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            body = BodyLength::Chunked;
        }
    }
    Ok(Some(Head { status, body_from: end + 4, body }))
}

/// The end of the body, once it is complete. Chunks are not joined: nobody reads the content of a chunked answer here.
fn body_end(bytes: &[u8], head: &Head) -> Option<usize> {
    match head.body {
        BodyLength::Bytes(length) => Some(head.body_from + length).filter(|end| bytes.len() >= *end),
        BodyLength::Chunked => bytes[head.body_from..].ends_with(b"0\r\n\r\n").then_some(bytes.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_follows_the_first_line_of_every_request() {
        let mut token = Token::new("secret");
        for path in ["/", "/longer"] {
            let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
            let with = format!("GET {path} HTTP/1.1\r\nauthorization: Bearer secret\r\nhost: localhost\r\n\r\n");
            assert_eq!(token.added_to(request.as_bytes()), with.as_bytes());
        }
    }
}

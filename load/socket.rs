//! The client's half of a WebSocket, just enough for a measurement: masked text out, whole server frames in, pings answered.

use anyhow::{Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{connection::Connection, shapes};

const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// An open WebSocket.
pub struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Where the next frame starts in the buffer.
    at: usize,
}

/// One frame: its kind and where its payload lies.
struct Frame {
    kind: u8,
    payload: std::ops::Range<usize>,
}

impl Socket {
    pub async fn open(server: &str) -> Result<Self> {
        let mut connection = Connection::open(server).await?;
        let mut request = Vec::new();
        shapes::upgrade(&mut request);
        let answer = connection.ask(&request).await?;
        ensure!(answer.status == 101, "the upgrade was answered {}: {}", answer.status, String::from_utf8_lossy(answer.body));
        let (stream, buffer) = connection.into_parts();
        Ok(Self { stream, buffer, at: 0 })
    }

    pub async fn send(&mut self, text: &str) -> Result<()> {
        Ok(self.stream.write_all(&masked(TEXT, text.as_bytes())).await?)
    }

    /// Waits for the next text that fits.
    pub async fn wait_for(&mut self, fits: impl Fn(&[u8]) -> bool) -> Result<()> {
        loop {
            while let Some(frame) = self.frame() {
                let payload = &self.buffer[frame.payload];
                match frame.kind {
                    TEXT if fits(payload) => return Ok(()),
                    CLOSE => bail!("the server closed: {}", String::from_utf8_lossy(payload)),
                    PING => {
                        let pong = masked(PONG, payload);
                        self.stream.write_all(&pong).await?;
                    }
                    _ => {}
                }
            }
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server hung up");
        }
    }

    /// The next whole frame of the buffer. Frames of a server are not masked.
    fn frame(&mut self) -> Option<Frame> {
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
        }
        let bytes = &self.buffer[self.at..];
        let (kind, short) = (*bytes.first()? & 0x0F, *bytes.get(1)? & 0x7F);
        let (head, length) = match short {
            126 => (4, u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?) as usize),
            127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
            short => (2, usize::from(short)),
        };
        let from = self.at + head;
        let payload = from..from.checked_add(length)?;
        (self.buffer.len() >= payload.end).then(|| {
            self.at = payload.end;
            Frame { kind, payload }
        })
    }
}

/// A frame of a client: masked with zeros, which leaves the payload as it is.
fn masked(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | kind];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | u8::try_from(length).expect("this holds because it is at most 125")),
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

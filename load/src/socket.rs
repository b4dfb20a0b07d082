//! The client's half of a WebSocket, made to cost little: one read for all that has arrived, into a buffer that all clients share.

use std::{cell::RefCell, future::poll_fn, net::SocketAddr, pin::Pin, task::Poll, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf},
    net::{TcpSocket, TcpStream},
};

use crate::{
    frames::{self, BINARY, CLOSE, PING, PONG, TEXT},
    inflate::Inflater,
    offer::{Encoding, Offer},
    shapes,
};

/// One read takes at most this much.
const READ_BYTES: usize = 64 << 10;
/// A half message larger than this gives its memory back when it is whole.
const HALF_BYTES_KEPT: usize = 4 << 10;

thread_local! {
    static SHARED: RefCell<Shared> = RefCell::new(Shared { buffer: vec![0; READ_BYTES], inflater: Inflater::default() });
}

/// What all sockets of a thread use in turn.
struct Shared {
    buffer: Vec<u8>,
    inflater: Inflater,
}

/// One message as it arrived.
pub struct Message<'a> {
    pub payload: &'a [u8],
    /// Its frame on the wire, header included.
    pub wire_bytes: usize,
    pub deflated: bool,
}

/// An open WebSocket.
pub struct Socket {
    stream: TcpStream,
    /// The beginning of a message whose rest has not arrived.
    half: Vec<u8>,
    encoding: Encoding,
    /// The code of the server's close frame.
    pub closed: Option<u16>,
}

impl Socket {
    pub async fn open(server: SocketAddr, offer: &Offer) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = offer.receive_bytes {
            socket.set_recv_buffer_size(bytes)?;
        }
        let mut stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        // Closing resets the connection, so that its port is free at once and not only after a minute.
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        let mut request = Vec::with_capacity(512);
        shapes::upgrade(&mut request, offer);
        stream.write_all(&request).await?;
        let half = upgraded(&mut stream).await?;
        Ok(Self { stream, half, encoding: offer.encoding, closed: None })
    }

    /// Sends a request; it is written in JSON and goes out in the encoding that was asked for.
    pub async fn send(&mut self, request: &str) -> Result<()> {
        let frame = match self.encoding {
            Encoding::Json => frames::masked(TEXT, request.as_bytes()),
            Encoding::Msgpack => {
                let value: serde_json::Value = serde_json::from_str(request)?;
                frames::masked(BINARY, &rmp_serde::to_vec_named(&value)?)
            }
        };
        Ok(self.stream.write_all(&frame).await?)
    }

    /// Closes and waits for the server's close frame.
    pub async fn close(mut self) -> Result<()> {
        self.stream.write_all(&frames::masked(CLOSE, &1_000_u16.to_be_bytes())).await?;
        while self.closed.is_none() && self.read(|_| {}).await? {}
        Ok(())
    }

    /// Waits for bytes and passes on every whole message; false once the connection has ended.
    pub async fn read(&mut self, mut take: impl FnMut(Message<'_>)) -> Result<bool> {
        if !self.half.is_empty() {
            // What came with the answer of the handshake may be complete already.
            let bytes = std::mem::take(&mut self.half);
            let before = bytes.len();
            SHARED.with_borrow_mut(|shared| self.messages(&bytes, &mut shared.inflater, &mut take))?;
            if self.half.len() < before {
                return Ok(self.closed.is_none());
            }
        }
        poll_fn(|context| {
            SHARED.with_borrow_mut(|shared| {
                let mut buffer = ReadBuf::new(&mut shared.buffer);
                let read = Pin::new(&mut self.stream).poll_read(context, &mut buffer);
                match read {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(Err(error)) => Poll::Ready(Err(error.into())),
                    Poll::Ready(Ok(())) if buffer.filled().is_empty() => Poll::Ready(Ok(false)),
                    Poll::Ready(Ok(())) => {
                        let taken = self.arrived(buffer.filled(), &mut shared.inflater, &mut take);
                        Poll::Ready(taken.map(|()| self.closed.is_none()))
                    }
                }
            })
        })
        .await
    }

    /// Waits for the next message that matches; what arrived with it and after it is dropped.
    pub async fn wait_for(&mut self, fits: impl Fn(&[u8]) -> bool) -> Result<()> {
        let mut found = false;
        while !found {
            ensure!(self.read(|message| found |= fits(message.payload)).await?, "the server hung up: {:?}", self.closed);
        }
        Ok(())
    }

    fn arrived(&mut self, bytes: &[u8], inflater: &mut Inflater, take: &mut impl FnMut(Message<'_>)) -> Result<()> {
        if self.half.is_empty() {
            return self.messages(bytes, inflater, take);
        }
        let mut joined = std::mem::take(&mut self.half);
        joined.extend_from_slice(bytes);
        self.messages(&joined, inflater, take)?;
        if self.half.is_empty() && joined.capacity() <= HALF_BYTES_KEPT {
            joined.clear();
            self.half = joined;
        }
        Ok(())
    }

    /// Passes on the whole messages and keeps the rest.
    fn messages(&mut self, bytes: &[u8], inflater: &mut Inflater, take: &mut impl FnMut(Message<'_>)) -> Result<()> {
        let mut at = 0;
        while let Some(frame) = frames::at(bytes, at)? {
            let (payload, wire_bytes) = (&bytes[frame.payload.clone()], frame.payload.end - at);
            at = frame.payload.end;
            match frame.kind {
                TEXT | BINARY if frame.deflated => take(Message { payload: inflater.inflate(payload)?, wire_bytes, deflated: true }),
                TEXT | BINARY => take(Message { payload, wire_bytes, deflated: false }),
                PING => self.pong(payload),
                CLOSE => self.closed = Some(payload.first_chunk().map_or(0, |code| u16::from_be_bytes(*code))),
                _ => {}
            }
        }
        self.half.extend_from_slice(&bytes[at..]);
        Ok(())
    }

    /// Answers a ping, unless the socket is full.
    fn pong(&self, payload: &[u8]) {
        let _ = self.stream.try_write(&frames::masked(PONG, payload));
    }
}

/// Reads the answer of the handshake; returns what came after it.
async fn upgraded(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let mut answer = Vec::with_capacity(1 << 10);
    loop {
        ensure!(tokio::io::AsyncReadExt::read_buf(stream, &mut answer).await? > 0, "the server hung up during the handshake");
        if let Some(end) = memchr::memmem::find(&answer, b"\r\n\r\n") {
            if !answer.starts_with(b"HTTP/1.1 101") {
                bail!("the handshake was answered {}", String::from_utf8_lossy(&answer));
            }
            return Ok(answer.split_off(end + 4));
        }
    }
}

/// The address of a server as sockets want it.
pub fn address(server: &str) -> Result<SocketAddr> {
    use std::net::ToSocketAddrs;
    let all = server.to_socket_addrs().with_context(|| format!("no such address: {server}"))?;
    all.into_iter().find(SocketAddr::is_ipv4).with_context(|| format!("no IPv4 address: {server}"))
}

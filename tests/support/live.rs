//! A WebSocket client that speaks the JSON subprotocol: send a request, take the next message, or the first that fits.
//! Every message it receives is checked against its schema in the AsyncAPI document.

use std::net::TcpStream;

use serde_json::Value;
use tungstenite::{Message, WebSocket, client::IntoClientRequest, http::HeaderValue, protocol::CloseFrame};

use super::{PATIENCE, conform};

/// An open live connection.
pub struct Live {
    socket: WebSocket<TcpStream>,
}

impl Live {
    /// Connects to the server at this HTTP address.
    pub fn connect(url: &str) -> Self {
        Self::connect_with(url, &[])
    }

    /// Connects with more headers in the handshake.
    pub fn connect_with(url: &str, headers: &[(&'static str, &str)]) -> Self {
        let host = url.trim_start_matches("http://");
        let mut request = format!("ws://{host}/api/v1/live").into_client_request().expect("a valid address");
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("aisled.v1+json"));
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).expect("a header value"));
        }
        let stream = TcpStream::connect(host).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.set_nodelay(true).expect("nodelay can be set");
        let (socket, _) = tungstenite::client(request, stream).expect("the server agrees to a WebSocket");
        Self { socket }
    }

    /// Sends a request.
    pub fn send(&mut self, request: &Value) {
        self.socket.send(Message::text(request.to_string())).expect("the socket is open");
    }

    /// Sends a text unchanged.
    pub fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text.to_owned())).expect("the socket is open");
    }

    /// Sends a message unchanged.
    pub fn send_message(&mut self, message: Message) {
        self.socket.send(message).expect("the socket is open");
    }

    /// The next message; panics after [`PATIENCE`] or when the server closes.
    pub fn next(&mut self) -> Value {
        self.next_or_close().unwrap_or_else(|close| panic!("the server closed: {close:?}"))
    }

    /// The first message that fits; those before it are dropped.
    pub fn next_where(&mut self, mut fits: impl FnMut(&Value) -> bool) -> Value {
        loop {
            let message = self.next();
            if fits(&message) {
                return message;
            }
        }
    }

    /// Waits until the server closes, and returns the code.
    pub fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(frame) = self.next_or_close() {
                return frame.map(|frame| frame.code.into());
            }
        }
    }

    /// The next message, or how the server closed.
    pub fn next_or_close(&mut self) -> Result<Value, Option<CloseFrame>> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    let message = serde_json::from_str(&text).expect("a message is JSON");
                    conform::assert_sent_by_server(&message);
                    return Ok(message);
                }
                Ok(Message::Close(frame)) => return Err(frame),
                Ok(_) => {}
                Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed | tungstenite::Error::Protocol(_)) => {
                    return Err(None);
                }
                Err(error) => panic!("no message from the server: {error}"),
            }
        }
    }
}

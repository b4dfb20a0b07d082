//! Bodies that arrive compressed (`Content-Encoding`): decoded piece by piece, so that the limits of bodies and lines count what they hold.

use std::{cell::Cell, io, pin::Pin, rc::Rc};

use actix_web::{
    HttpRequest,
    dev::Payload,
    error::PayloadError,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::Bytes,
};
use async_compression::{
    tokio::bufread::{GzipDecoder, ZlibDecoder, ZstdDecoder},
    zstd::DParameter,
};
use futures_util::{Stream, StreamExt, TryStreamExt};
use tokio::io::AsyncRead;
use tokio_util::io::{ReaderStream, StreamReader};

use super::given;
use crate::http::error::Problem;

/// What is decoded; `identity` needs nothing.
const SUPPORTED: &str = "gzip, deflate, zstd";
/// Bytes decoded at a time.
const PIECE_BYTES: usize = 16 << 10;
/// A body may hold this many times the bytes that it is sent with, beyond the first megabyte. Texts of prices hold 10 to 40 times as many;
/// 1,000 times as many are blanks that only keep a worker busy.
const RATIO_MAX: u64 = 200;
const FREE_BYTES: u64 = 1 << 20;
/// The memory that a zstd body may ask for to look back, as its standard demands of every reader (RFC 8878, 3.1.1.1.2): 8 MiB.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// Makes the body of a write what the client wrote, before it was compressed. Reads have no body that counts, and frames after a handshake
/// are none.
///
/// # Errors
/// 415 for an encoding that is not decoded, naming those that are.
pub fn decode(request: &HttpRequest, payload: &mut Payload) -> Result<(), Problem> {
    match given(request.headers(), header::CONTENT_ENCODING).filter(|_| !request.method().is_safe()) {
        None => Ok(()),
        Some(_) if request.headers().get_all(header::CONTENT_ENCODING).count() > 1 => Err(unsupported()),
        Some(encoding) => {
            *payload = decoded(encoding, payload.take())?;
            Ok(())
        }
    }
}

fn decoded(encoding: &HeaderValue, payload: Payload) -> Result<Payload, Problem> {
    let arrived = Rc::new(Cell::new(0));
    match &*encoding.as_bytes().trim_ascii().to_ascii_lowercase() {
        b"identity" => Ok(payload),
        b"gzip" | b"x-gzip" => {
            let mut decoder = GzipDecoder::new(source(payload, &arrived));
            decoder.multiple_members(true);
            Ok(read_through(decoder, arrived))
        }
        b"deflate" => {
            let mut decoder = ZlibDecoder::new(source(payload, &arrived));
            decoder.multiple_members(true);
            Ok(read_through(decoder, arrived))
        }
        b"zstd" => {
            let limits = [DParameter::window_log_max(ZSTD_WINDOW_LOG_MAX)];
            let mut decoder = ZstdDecoder::with_params(source(payload, &arrived), &limits);
            decoder.multiple_members(true);
            Ok(read_through(decoder, arrived))
        }
        _ => Err(unsupported()),
    }
}

type Source = StreamReader<Pin<Box<dyn Stream<Item = io::Result<Bytes>>>>, Bytes>;

/// What arrives, counted.
fn source(payload: Payload, arrived: &Rc<Cell<u64>>) -> Source {
    let arrived = Rc::clone(arrived);
    let counted = payload.map_err(io::Error::other).inspect_ok(move |piece| arrived.set(arrived.get() + piece.len() as u64));
    StreamReader::new(Box::pin(counted))
}

/// What it holds, refused once that is more than a text of its size can be.
fn read_through(decoder: impl AsyncRead + 'static, arrived: Rc<Cell<u64>>) -> Payload {
    let mut held = 0_u64;
    let pieces = ReaderStream::with_capacity(decoder, PIECE_BYTES).map(move |piece| {
        let piece = piece.map_err(as_payload_error)?;
        held += piece.len() as u64;
        if held > FREE_BYTES && held / RATIO_MAX > arrived.get() {
            return Err(PayloadError::Io(io::ErrorKind::FileTooLarge.into()));
        }
        Ok(piece)
    });
    // Decoding waits for nothing as long as it has bytes: others of this worker get their turn in between.
    let fair = pieces.then(|piece| async move {
        tokio::task::consume_budget().await;
        piece
    });
    Payload::Stream { payload: Box::pin(fair) }
}

/// The body's own error, if that is what ended it; else what was read is not what its encoding says.
fn as_payload_error(error: io::Error) -> PayloadError {
    match error.downcast::<PayloadError>() {
        Ok(own) => own,
        Err(_) => PayloadError::Io(io::ErrorKind::InvalidData.into()),
    }
}

/// The answer to a body that cannot be read to its end.
#[must_use]
pub fn broken(error: &PayloadError) -> Problem {
    let kind = if let PayloadError::Io(error) = error { error.kind() } else { io::ErrorKind::UnexpectedEof };
    if kind == io::ErrorKind::InvalidData {
        return Problem::malformed("malformed_encoding", "the body is not what its Content-Encoding says, or ends before it is complete");
    }
    if kind == io::ErrorKind::FileTooLarge {
        let detail = format!("the body holds more than {RATIO_MAX} times the bytes that it is sent with");
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail);
    }
    cut_short()
}

/// The body ended before it was complete, or its framing is broken.
#[must_use]
pub fn cut_short() -> Problem {
    Problem::malformed("body_incomplete", "the body ended before it was complete")
}

fn unsupported() -> Problem {
    let detail = format!("this Content-Encoding is not read: send the body as it is, or with one of {SUPPORTED}");
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", detail)
        .with_header(header::ACCEPT_ENCODING, HeaderValue::from_static(SUPPORTED))
}

//! permessage-deflate (RFC 7692) around a WebSocket without it: an adapter for incoming bytes, one for
//! outgoing ones. No message refers to an earlier one, so a connection holds no compressor; each worker thread has one for all.

mod compressor;
mod header;
mod inbound;
mod inflate;
mod mask;
mod negotiate;
mod offers;
mod outbound;
mod reader;
#[cfg(test)]
mod tests;
mod utf8;

use actix_http::ws::Codec;
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::Stream;

pub use compressor::{deflate_frame, deflated};
pub use inbound::Inbound;
pub use negotiate::{Agreed, WINDOW_BITS_MAX, negotiate};
pub use outbound::Replies;

/// Messages from this size on are worth compressing: below, it costs more than the write itself and saves little.
pub const THRESHOLD_BYTES: usize = 1_024;

/// What a connection accepts and compresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// A message of the client, fragments joined, as sent and inflated; a larger one is reported as `ProtocolError::Overflow`.
    pub message_bytes_max: usize,
    /// Replies with a payload of at least this many bytes are compressed.
    pub threshold_bytes: usize,
}

/// Opens a WebSocket between the two adapters. `open` builds the stream of replies from the input and a codec of the same limits,
/// for example with `WebsocketContext::with_codec`. The limits and the check of UTF-8 hold without compression as well.
///
/// # Examples
/// ```
/// use actix_http::ws::Codec;
/// use actix_web::error::PayloadError;
/// use aisled_deflate::{self as deflate, Inbound, Sizes};
/// use bytes::Bytes;
/// use futures_util::stream;
///
/// let payload = stream::empty::<Result<Bytes, PayloadError>>();
/// let sizes = Sizes { message_bytes_max: 32 * 1024, threshold_bytes: deflate::THRESHOLD_BYTES };
/// let body = deflate::around(payload, None, sizes, |inbound: Inbound<_>, _codec: Codec| {
///     drop(inbound);
///     stream::iter([Ok::<_, actix_web::Error>(Bytes::from_static(b"\x81\x02hi"))])
/// });
/// # drop(body);
/// ```
pub fn around<P, R>(payload: P, agreed: Option<Agreed>, sizes: Sizes, open: impl FnOnce(Inbound<P>, Codec) -> R) -> Replies<R>
where
    P: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    R: Stream<Item = Result<Bytes, actix_web::Error>> + Unpin,
{
    let codec = Codec::new().max_size(sizes.message_bytes_max);
    let inbound = Inbound::new(payload, agreed.is_some(), sizes.message_bytes_max);
    Replies::new(open(inbound, codec), agreed, sizes.threshold_bytes)
}

//! What a client asks for in its handshake.

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Encoding {
    #[default]
    Json,
    Msgpack,
}

/// What a client asks for in its handshake.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    pub encoding: Encoding,
    pub deflate: bool,
    /// `SO_RCVBUF`, for a slow reader.
    pub receive_bytes: Option<u32>,
}

//! Why a session ends: the one table of close codes. 3xxx means come back, 4xxx means do not, 1xxx is RFC 6455's own.

use bytes::Bytes;

use super::frame;

/// A reason to close a session. `docs/live.md` shows the same table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Close {
    /// The client asked for it.
    Normal,
    /// The client broke the WebSocket protocol.
    ProtocolError,
    /// A binary message; this subprotocol is text.
    NotText,
    /// A text message that is not UTF-8.
    NotUtf8,
    /// The server stops or restarts.
    GoingAway,
    /// Nothing was heard for two ping intervals.
    Silent,
    /// More waited for this reader than the outbox may hold, or its socket took nothing for too long.
    TooSlow,
    /// The server has as many sessions as it may.
    TooManySessions,
    /// The server made a mistake; it is in its log.
    Internal,
    /// One message exceeded the size limit.
    MessageTooLarge,
    /// Too many unreadable requests in a row.
    BadRequests,
}

impl Close {
    /// Every reason there is, in the order of the table.
    pub const ALL: [Self; 11] = [
        Self::Normal,
        Self::ProtocolError,
        Self::NotText,
        Self::NotUtf8,
        Self::GoingAway,
        Self::Silent,
        Self::TooSlow,
        Self::TooManySessions,
        Self::Internal,
        Self::MessageTooLarge,
        Self::BadRequests,
    ];

    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Normal => 1000,
            Self::ProtocolError => 1002,
            Self::NotText => 1003,
            Self::NotUtf8 => 1007,
            Self::GoingAway => 3001,
            Self::Silent => 3002,
            Self::TooSlow => 3008,
            Self::TooManySessions => 3013,
            Self::Internal => 3500,
            Self::MessageTooLarge => 4009,
            Self::BadRequests => 4010,
        }
    }

    /// The sentence on the wire; at most 123 bytes, as a close frame demands.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Normal => "bye",
            Self::ProtocolError => "the websocket protocol was broken",
            Self::NotText => "messages of aisled.v1+json are text",
            Self::NotUtf8 => "a text message must be UTF-8",
            Self::GoingAway => "server going away: come back after a random pause of up to 5 seconds",
            Self::Silent => "nothing heard for two ping intervals: come back",
            Self::TooSlow => "too slow: come back and resume from your position",
            Self::TooManySessions => "too many sessions: come back later",
            Self::Internal => "internal error: come back and resume from your position",
            Self::MessageTooLarge => "message too large",
            Self::BadRequests => "too many unreadable requests in a row",
        }
    }

    /// The name in metrics and documentation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::ProtocolError => "protocol_error",
            Self::NotText => "not_text",
            Self::NotUtf8 => "not_utf8",
            Self::GoingAway => "going_away",
            Self::Silent => "silent",
            Self::TooSlow => "too_slow",
            Self::TooManySessions => "too_many_sessions",
            Self::Internal => "internal",
            Self::MessageTooLarge => "message_too_large",
            Self::BadRequests => "bad_requests",
        }
    }

    /// Whether the client should come back by itself.
    #[must_use]
    pub const fn come_back(self) -> bool {
        matches!(self.code(), 3000..=3999)
    }

    /// The close frame.
    #[must_use]
    pub fn frame(self) -> Bytes {
        frame::close(self.code(), self.reason())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_close_code_is_its_own_and_fits_a_control_frame() {
        let mut codes: Vec<_> = Close::ALL.iter().map(|close| close.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Close::ALL.len());
        assert!(Close::ALL.iter().all(|close| close.reason().len() <= 123));
    }

    #[test]
    fn the_documentation_names_every_close_code() {
        let page = include_str!("../../../docs/live.md");
        for close in Close::ALL {
            assert!(page.contains(&format!("| {} | `{}` |", close.code(), close.name())), "docs/live.md lacks {close:?}");
        }
    }
}

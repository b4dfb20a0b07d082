//! Why a session ends: the one table of close codes. 3xxx means come back, 4xxx means do not, 1xxx is RFC 6455's own.

use bytes::Bytes;

use super::frame;

/// One row of the table. `docs/live.md` shows the same, and so does the AsyncAPI document.
struct Row {
    close: Close,
    code: u16,
    name: &'static str,
    /// The sentence on the wire; at most 123 bytes, as a close frame demands.
    reason: &'static str,
    /// What it means, for documentation.
    meaning: &'static str,
}

macro_rules! closes {
    ($( $(#[doc = $doc:literal])+ $close:ident = $code:literal $name:literal $reason:literal; )+) => {
        /// A reason to close a session.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Close { $( $(#[doc = $doc])+ $close, )+ }

        impl Close {
            /// Every reason, in the order of the table.
            pub const ALL: &'static [Self] = &[ $( Self::$close, )+ ];
        }

        static ROWS: &[Row] = &[ $( Row { close: Close::$close, code: $code, name: $name, reason: $reason, meaning: concat!($($doc),+) }, )+ ];
    };
}

closes! {
    /// The client asked for it, or the connection was lost.
    Normal = 1000 "normal" "bye";
    /// The client violated the WebSocket protocol.
    ProtocolError = 1002 "protocol_error" "WebSocket protocol violation";
    /// A binary message in a JSON session, or a text in a MessagePack session.
    WrongEncoding = 1003 "wrong_encoding" "messages of aisled.v1+json are text, messages of aisled.v1+msgpack are binary";
    /// A text message that is not UTF-8.
    NotUtf8 = 1007 "not_utf8" "a text message must be UTF-8";
    /// One message exceeded the size limit, as sent or inflated.
    MessageTooLarge = 1009 "message_too_large" "message too large";
    /// The server stops or restarts.
    GoingAway = 3001 "going_away" "server going away: come back after a random pause of up to 5 seconds";
    /// Nothing was heard for two ping intervals.
    Silent = 3002 "silent" "nothing received for two ping intervals: come back";
    /// The session reached its maximum lifetime.
    Lifetime = 3003 "lifetime" "maximum session lifetime reached: come back and resume from your position";
    /// The server went back to another history, as a restore does: positions of the one before mean nothing any more.
    HistoryChanged = 3004 "history_changed" "the history was restored: come back and start from a snapshot";
    /// More waited for this reader than the outbox may hold, or its socket took nothing for too long.
    TooSlow = 3008 "too_slow" "too slow: come back and resume from your position";
    /// The worker could not keep up and dropped what waited.
    ServerTooSlow = 3009 "server_too_slow" "the server could not keep up: come back and resume from your position";
    /// The server has as many sessions as it may.
    TooManySessions = 3013 "too_many_sessions" "too many sessions: come back later";
    /// The address has as many sessions as it may.
    TooManyFromAddress = 3014 "too_many_from_address" "too many sessions from your address: come back later";
    /// The principal has as many sessions as it may.
    TooManyOfPrincipal = 3015 "too_many_of_principal" "you have too many sessions: come back when another has ended";
    /// Internal server error; see the server's log output.
    Internal = 3500 "internal" "internal error: come back and resume from your position";
    /// The token is wrong.
    NotAuthenticated = 4001 "not_authenticated" "the token is wrong: get another first";
    /// No token came in time.
    AuthenticationTimeout = 4002 "authentication_timeout" "no token was sent in time";
    /// The token has expired.
    TokenExpired = 4004 "token_expired" "the token has expired: get another first";
    /// The session or token that opened it was ended or revoked.
    SignedOut = 4005 "signed_out" "your session or token has ended: sign in again";
    /// Too many unreadable requests in a row.
    BadRequests = 4010 "bad_requests" "too many unreadable requests in a row";
    /// More messages or pings than any client needs.
    Flood = 4011 "flood" "too many messages: slow down";
}

impl Close {
    fn row(self) -> &'static Row {
        let row = &ROWS[self as usize];
        debug_assert_eq!(row.close, self);
        row
    }

    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> u16 {
        self.row().code
    }

    /// The sentence on the wire.
    #[must_use]
    pub fn reason(self) -> &'static str {
        self.row().reason
    }

    /// The name in metrics and documentation.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What it means, for documentation.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.row().meaning.trim()
    }

    /// Whether the client should come back by itself.
    #[must_use]
    pub fn come_back(self) -> bool {
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
    use crate::live::close::*;

    #[test]
    fn every_close_code_is_its_own_and_fits_a_control_frame() {
        let mut codes: Vec<_> = Close::ALL.iter().map(|close| close.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Close::ALL.len());
        assert!(Close::ALL.iter().all(|close| close.reason().len() <= 123));
    }

    #[test]
    fn the_documentation_names_every_close_code_with_its_verdict() {
        let page = include_str!("../../docs/live.md");
        for close in Close::ALL {
            let row = page.lines().find(|line| line.starts_with(&format!("| {} | `{}` |", close.code(), close.name())));
            let row = row.unwrap_or_else(|| panic!("docs/live.md lacks {close:?}"));
            let verdict = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim();
            assert_eq!(verdict.starts_with("yes"), close.come_back(), "{row}");
        }
    }
}

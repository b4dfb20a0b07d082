//! The one table of the live gateway's own error codes. A command's reply may also
//! carry any code of the HTTP answers.

macro_rules! errors {
    ($( $(#[doc = $doc:literal])+ $error:ident = $code:literal $temporary:literal; )+) => {
        /// An error of the live gateway.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $( $(#[doc = $doc])+ $error, )+ }

        impl ErrorCode {
            /// Every error, in the order of the table.
            pub const ALL: &'static [Self] = &[ $( Self::$error, )+ ];

            /// The stable code on the wire.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $( Self::$error => $code, )+ }
            }

            /// Whether the same request may succeed later.
            #[must_use]
            pub const fn is_temporary(self) -> bool {
                match self { $( Self::$error => $temporary, )+ }
            }

            /// What it means, as in `docs/live.md` and the AsyncAPI document.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $( Self::$error => concat!($($doc),+).trim(), )+ }
            }
        }
    };
}

errors! {
    /// the message is not JSON (or MessagePack)
    MalformedMessage = "malformed_message" false;
    /// an object of the message has the same field twice
    DuplicateField = "duplicate_field" false;
    /// no such `op`, a field is missing, unknown or wrong
    InvalidRequest = "invalid_request" false;
    /// the id is neither an integer nor a text of at most 64 bytes
    InvalidRequestId = "invalid_request_id" false;
    /// the `entity_id` or `command_id` of a command is not an id
    InvalidId = "invalid_id" false;
    /// no such kind of topic, or a bad id in it
    InvalidTopic = "invalid_topic" false;
    /// `max_rate` out of range, or a filter on a topic that takes none
    InvalidOption = "invalid_option" false;
    /// the list, product or household of the topic does not exist
    NotFound = "not_found" false;
    /// the version or epoch of a command is of another history than the one served: read again, and decide again
    HistoryChanged = "history_changed" false;
    /// this principal may not follow the topic, or the token belongs to another principal
    Forbidden = "forbidden" false;
    /// a request before the token
    NotAuthenticated = "not_authenticated" false;
    /// more than 1,000 topics in one session
    TooManyTopics = "too_many_topics" false;
    /// more than 64 commands wait
    TooManyInFlight = "too_many_in_flight" true;
    /// more than 50 commands a second (a burst of 100 is free)
    TooManyCommands = "too_many_commands" true;
    /// internal server error; see the server's log output
    Internal = "internal" false;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_every_error_code_with_its_meaning_and_no_other() {
        let page = include_str!("../../../docs/live.md");
        let table = page.split("\n## Errors").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("docs/live.md has errors");
        let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).collect();
        assert_eq!(rows.len(), ErrorCode::ALL.len(), "{rows:#?}");
        for (row, error) in rows.iter().zip(ErrorCode::ALL) {
            let start = format!("| `{}` | {} | {}", error.code(), error.meaning(), if error.is_temporary() { "yes" } else { "no" });
            assert!(row.starts_with(&start), "docs/live.md says {row}, the code {start}");
        }
    }
}

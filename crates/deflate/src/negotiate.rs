//! Which compression is agreed on in the handshake (RFC 7692, section 7.1).

use actix_web::http::header::{HeaderMap, HeaderValue, SEC_WEBSOCKET_EXTENSIONS};

use super::offers::{Offer, offers};

/// The window of frames that many sessions share, and of every session that does not ask for less.
pub const WINDOW_BITS_MAX: u8 = 15;
/// zlib cannot write the window of 8 bits that RFC 7692 also knows.
const WINDOW_BITS_MIN: u8 = 9;

/// That messages may be compressed, without context takeover on either side, and how far back a message of the server may refer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// What the client demanded, if anything.
    server_window_bits: Option<u8>,
}

impl Agreed {
    /// The window every message to this client must be compressed with, as a power of two.
    #[must_use]
    pub fn window_bits(self) -> u8 {
        self.server_window_bits.unwrap_or(WINDOW_BITS_MAX)
    }

    /// Whether the client can read shared frames, which are compressed with the full window. If not, it must be sent
    /// plain ones, or its own.
    #[must_use]
    pub fn takes_shared_frames(self) -> bool {
        self.window_bits() == WINDOW_BITS_MAX
    }

    /// The answer for `Sec-WebSocket-Extensions`. It never limits the client's window: inflating is shared and has the full one anyway.
    #[must_use]
    pub fn header(self) -> HeaderValue {
        const ANSWER: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        let Some(bits) = self.server_window_bits else { return HeaderValue::from_static(ANSWER) };
        HeaderValue::try_from(format!("{ANSWER}; server_max_window_bits={bits}")).expect("this holds because a number is ASCII")
    }
}

/// The first offer of the client that can be accepted, over all its headers; `None` leaves messages uncompressed.
#[must_use]
pub fn negotiate(headers: &HeaderMap) -> Option<Agreed> {
    headers
        .get_all(SEC_WEBSOCKET_EXTENSIONS)
        .filter_map(|header| offers(header.to_str().ok()?))
        .flatten()
        .find_map(|offer| (offer.name == "permessage-deflate").then(|| accept(&offer)).flatten())
}

/// `None` for a parameter that is unknown, repeated, or has an invalid value: such an offer must be declined as a whole.
fn accept(offer: &Offer<'_>) -> Option<Agreed> {
    let mut agreed = Agreed { server_window_bits: None };
    let mut seen = Vec::with_capacity(offer.parameters.len());
    for (name, value) in &offer.parameters {
        if seen.contains(name) {
            return None;
        }
        seen.push(name);
        match (*name, value.as_deref()) {
            // Both are always done.
            ("server_no_context_takeover" | "client_no_context_takeover", None) => {}
            ("client_max_window_bits", None) => {}
            ("client_max_window_bits", Some(bits)) => drop(window_bits(bits)?),
            ("server_max_window_bits", Some(bits)) => {
                agreed.server_window_bits = Some(window_bits(bits).filter(|bits| *bits >= WINDOW_BITS_MIN)?);
            }
            _ => return None,
        }
    }
    Some(agreed)
}

/// From 8 to 15, without leading zeros.
fn window_bits(text: &str) -> Option<u8> {
    let plain = !text.starts_with('0') && text.bytes().all(|letter| letter.is_ascii_digit());
    text.parse().ok().filter(|bits| plain && (8..=WINDOW_BITS_MAX).contains(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer to these headers; without the part that is always the same.
    fn answer(offered: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in offered {
            headers.append(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_str(value).unwrap());
        }
        let answer = negotiate(&headers)?.header().to_str().unwrap().to_owned();
        let always = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        Some(answer.strip_prefix(always).unwrap().to_owned())
    }

    #[test]
    fn what_can_be_honoured_is_accepted() {
        for offer in [
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=8",
            "permessage-deflate; client_max_window_bits=\"15\"",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            "permessage-deflate;server_no_context_takeover",
        ] {
            assert_eq!(answer(&[offer]).as_deref(), Some(""), "{offer}");
        }
    }

    #[test]
    fn a_smaller_window_is_promised_only_if_asked_for() {
        assert_eq!(answer(&["permessage-deflate; server_max_window_bits=9"]).as_deref(), Some("; server_max_window_bits=9"));
        assert_eq!(answer(&["permessage-deflate; server_max_window_bits=\"15\""]).as_deref(), Some("; server_max_window_bits=15"));
        let demanding = accept(&offers("permessage-deflate; server_max_window_bits=14").unwrap()[0]).unwrap();
        assert_eq!((demanding.window_bits(), demanding.takes_shared_frames()), (14, false));
        let easy = accept(&offers("permessage-deflate").unwrap()[0]).unwrap();
        assert_eq!((easy.window_bits(), easy.takes_shared_frames()), (15, true));
    }

    #[test]
    fn an_offer_with_anything_wrong_in_it_is_declined() {
        for offer in [
            "",
            "permessage-bzip2",
            "x-webkit-deflate-frame",
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=09",
            "permessage-deflate; server_max_window_bits=+9",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; client_max_window_bits=x",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
            "permessage-deflate; faster",
            "permessage-deflate;",
        ] {
            assert_eq!(answer(&[offer]), None, "{offer}");
        }
    }

    #[test]
    fn the_first_acceptable_offer_of_all_headers_wins() {
        let declined = "permessage-deflate; server_max_window_bits=8";
        let headers = ["x-other, ;broken", declined, "permessage-deflate; server_max_window_bits=10, permessage-deflate"];
        assert_eq!(answer(&headers).as_deref(), Some("; server_max_window_bits=10"));
        assert_eq!(answer(&[&format!("{declined}, permessage-deflate")]).as_deref(), Some(""));
        assert_eq!(answer(&["permessage-deflate;a=\"x, permessage-deflate"]), None, "an open quote hides what follows");
    }
}

//! Splits a body into lines as it arrives: bounded memory however long the body is, and a bad line does not stop others.

use std::{io, time::Duration};

use actix_web::{
    http::StatusCode,
    web::{Bytes, BytesMut, Payload},
};
use futures_util::{Stream, StreamExt, stream};
use tokio_util::{
    codec::{AnyDelimiterCodec, AnyDelimiterCodecError, Decoder, FramedRead},
    io::StreamReader,
};

use super::{
    body::{BODY_SECONDS_MAX, cut_short},
    error::Problem,
};

/// The longest line accepted, in bytes; a longer one is refused by itself and skipped.
pub const LINE_BYTES_MAX: usize = 64 << 10;

/// One line of a body, numbered from 1.
#[derive(Debug)]
pub struct Line {
    pub number: u64,
    /// Its text without the end, or why there is none.
    pub text: Result<Bytes, Problem>,
}

/// The lines of a body that are not blank.
pub fn lines(payload: Payload) -> impl Stream<Item = Line> {
    let framed = FramedRead::new(StreamReader::new(Box::pin(pieces(payload))), Lines::default());
    stream::unfold(Some(framed), |framed| async move {
        let mut framed = framed?;
        match framed.next().await? {
            Ok(line) => Some((line, Some(framed))),
            // What arrived of the last line may be half of it: it must not count.
            Err(_) => Some((Line { number: framed.decoder().number + 1, text: Err(cut_short()) }, None)),
        }
    })
}

/// What arrives of a body. One that breaks off or rests for too long ends with an error.
fn pieces(payload: Payload) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(payload, |mut payload| async move {
        let piece = tokio::time::timeout(Duration::from_secs(BODY_SECONDS_MAX), payload.next()).await;
        let piece = match piece {
            Ok(piece) => piece?.map_err(io::Error::other),
            Err(late) => Err(late.into()),
        };
        Some((piece, payload))
    })
}

/// Cuts lines and counts them. A refused line is an item like any other: after an error the reader would wait for more bytes
/// although whole lines may have arrived.
struct Lines {
    cut: AnyDelimiterCodec,
    number: u64,
}

impl Default for Lines {
    fn default() -> Self {
        // Nothing is written with it, so it needs no end of its own.
        Self { cut: AnyDelimiterCodec::new_with_max_length(b"\n".to_vec(), Vec::new(), LINE_BYTES_MAX), number: 0 }
    }
}

impl Lines {
    /// The line that was cut; nothing if it is blank.
    fn number(&mut self, cut: Result<Bytes, AnyDelimiterCodecError>, bytes_max: usize) -> Option<Line> {
        self.number += 1;
        let text = cut.ok().filter(|text| text.len() <= bytes_max).ok_or_else(too_long);
        let is_blank = text.as_ref().is_ok_and(|text| text.trim_ascii().is_empty());
        (!is_blank).then_some(Line { number: self.number, text })
    }
}

impl Decoder for Lines {
    type Item = Line;
    type Error = io::Error;

    fn decode(&mut self, arrived: &mut BytesMut) -> io::Result<Option<Line>> {
        while let Some(cut) = self.cut.decode(arrived).transpose() {
            // The end counts too.
            if let Some(line) = self.number(cut, LINE_BYTES_MAX - 1) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    fn decode_eof(&mut self, arrived: &mut BytesMut) -> io::Result<Option<Line>> {
        if let Some(line) = self.decode(arrived)? {
            return Ok(Some(line));
        }
        let rest = self.cut.decode_eof(arrived).transpose();
        Ok(rest.and_then(|rest| self.number(rest, LINE_BYTES_MAX)))
    }
}

fn too_long() -> Problem {
    let detail = format!("a line may have at most {LINE_BYTES_MAX} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "line_too_long", detail)
}

#[cfg(test)]
mod tests {
    use actix_web::{FromRequest, test::TestRequest};

    use super::*;

    async fn split(text: impl Into<Bytes>) -> Vec<(u64, Result<String, &'static str>)> {
        let (request, mut payload) = TestRequest::post().set_payload(text).to_http_parts();
        let payload = Payload::from_request(&request, &mut payload).await.expect("a payload");
        let line =
            |line: Line| (line.number, line.text.map(|text| String::from_utf8_lossy(&text).into_owned()).map_err(|problem| problem.code()));
        lines(payload).map(line).collect().await
    }

    #[actix_web::test]
    async fn lines_are_numbered_and_blank_ones_only_counted() {
        let all = split("a\n\nb\r\nc").await;
        assert_eq!(all, vec![(1, Ok("a".into())), (3, Ok("b\r".into())), (4, Ok("c".into()))]);
    }

    #[actix_web::test]
    async fn a_line_that_is_too_long_is_refused_alone() {
        let text = format!("a\n{}\nb\n", "x".repeat(LINE_BYTES_MAX + 1));
        assert_eq!(split(text).await, vec![(1, Ok("a".into())), (2, Err("line_too_long")), (3, Ok("b".into()))]);
    }

    #[actix_web::test]
    async fn each_of_several_long_lines_is_refused_and_the_limit_counts_the_end() {
        let (long, longest) = ("x".repeat(2 * LINE_BYTES_MAX), "y".repeat(LINE_BYTES_MAX - 1));
        let all = split(format!("{long}\n{long}\n{longest}\n{longest}z\n{longest}z")).await;
        let refused = |number| (number, Err("line_too_long"));
        assert_eq!(all, vec![refused(1), refused(2), (3, Ok(longest.clone())), refused(4), (5, Ok(format!("{longest}z")))]);
    }
}

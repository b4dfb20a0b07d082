//! Splits a body into lines as it arrives: bounded memory however long the body is, and a bad line does not stop others.

use std::{io, time::Duration};

use actix_web::{
    error::PayloadError,
    http::StatusCode,
    web::{Bytes, BytesMut},
};
use futures_util::{Stream, StreamExt, stream};
use tokio_util::{
    codec::{AnyDelimiterCodec, AnyDelimiterCodecError, Decoder, FramedRead},
    io::StreamReader,
};

use super::{
    body::{BODY_SECONDS_MAX, cut_short, too_slow},
    error::Problem,
    input::encoding,
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
pub fn lines<E>(payload: impl Stream<Item = Result<Bytes, E>>) -> impl Stream<Item = Line>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let pieces = payload.map(|piece| piece.map_err(io::Error::other));
    let framed = FramedRead::new(StreamReader::new(Box::pin(pieces)), Lines::default());
    stream::unfold(Some(framed), |framed| async move {
        let mut framed = framed?;
        // Bytes that make no line are no progress: a body that drips would hold its connection without end.
        let next = tokio::time::timeout(Duration::from_secs(BODY_SECONDS_MAX), framed.next());
        match next.await.unwrap_or_else(|late| Some(Err(late.into())))? {
            Ok(line) => Some((line, Some(framed))),
            // What arrived of the last line may be half of it: it must not count.
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Some((faulty(&framed, too_slow()), None)),
            Err(error) => Some((faulty(&framed, broken_off(&error)), None)),
        }
    })
}

/// The line that was under way when its body failed.
fn faulty<R>(framed: &FramedRead<R, Lines>, problem: Problem) -> Line {
    Line { number: framed.decoder().number + 1, text: Err(problem) }
}

fn broken_off(error: &io::Error) -> Problem {
    let own = error.get_ref().and_then(|inner| inner.downcast_ref::<PayloadError>());
    own.map_or_else(cut_short, encoding::broken)
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
    use actix_web::{FromRequest, test::TestRequest, web::Payload};

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
    async fn of_a_body_that_breaks_off_whole_lines_count_and_the_fault_is_the_last() {
        let pieces = ["a\nb", "b\nhal", "f of a line"].map(|piece| Ok(Bytes::from(piece)));
        for kept in 1..=3 {
            for fault in ["connection reset", "broken framing"] {
                let pieces = pieces[..kept].iter().cloned().chain([Err(fault)]);
                let found: Vec<_> = lines(stream::iter(pieces)).collect().await;
                let found: Vec<_> = found.into_iter().map(|line| (line.number, line.text.map_err(|problem| problem.code()))).collect();
                let whole = [Ok(Bytes::from("a")), Ok(Bytes::from("bb"))].into_iter().take(kept.min(2)).chain([Err("body_incomplete")]);
                assert_eq!(found, (1..).zip(whole).collect::<Vec<_>>(), "{kept} pieces");
            }
        }
    }

    #[actix_web::test(start_paused = true)]
    async fn a_body_that_drips_ends_although_each_piece_comes_in_time() {
        let drip = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(BODY_SECONDS_MAX - 1)).await;
            Some((Ok::<_, io::Error>(Bytes::from_static(b"x")), ()))
        });
        let found: Vec<_> = lines(stream::iter([Ok(Bytes::from_static(b"a\n"))]).chain(drip)).collect().await;
        let found: Vec<_> = found.into_iter().map(|line| (line.number, line.text.map_err(|problem| problem.code()))).collect();
        assert_eq!(found, vec![(1, Ok(Bytes::from_static(b"a"))), (2, Err("body_too_slow"))]);
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

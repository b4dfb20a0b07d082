//! Splits a body into lines as it arrives: bounded memory however long the body is, and a bad line does not stop others.

use std::time::Duration;

use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::{Stream, StreamExt, stream};

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

struct Splitter {
    payload: Payload,
    waiting: BytesMut,
    /// How much of `waiting` is known to hold no line end.
    searched: usize,
    number: u64,
    /// Inside a line that is too long: everything up to its end is dropped.
    skipping: bool,
    ended: bool,
}

/// The lines of a body that are not blank.
pub fn lines(payload: Payload) -> impl Stream<Item = Line> {
    let splitter = Splitter { payload, waiting: BytesMut::new(), searched: 0, number: 0, skipping: false, ended: false };
    stream::unfold(splitter, |mut splitter| async move { splitter.next().await.map(|line| (line, splitter)) })
}

impl Splitter {
    async fn next(&mut self) -> Option<Line> {
        loop {
            if let Some(line) = self.take_line() {
                return Some(line);
            }
            if self.ended {
                return self.take_rest();
            }
            if let Some(line) = self.grow().await {
                return Some(line);
            }
        }
    }

    /// A whole line of what has arrived.
    fn take_line(&mut self) -> Option<Line> {
        while let Some(end) = self.waiting[self.searched..].iter().position(|byte| *byte == b'\n') {
            let text = self.waiting.split_to(self.searched + end + 1).freeze();
            self.searched = 0;
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            self.number += 1;
            if text.len() > LINE_BYTES_MAX {
                return Some(self.too_long());
            }
            let text = text.slice(..text.len() - 1);
            if !text.trim_ascii().is_empty() {
                return Some(Line { number: self.number, text: Ok(text) });
            }
        }
        self.searched = self.waiting.len();
        None
    }

    /// What follows the last line end once the body has ended.
    fn take_rest(&mut self) -> Option<Line> {
        let text = self.waiting.split().freeze();
        self.searched = 0;
        if self.skipping || text.trim_ascii().is_empty() {
            return None;
        }
        self.number += 1;
        Some(Line { number: self.number, text: Ok(text) })
    }

    /// Waits for more of the body. A line only if the body breaks off or the line grows too long.
    async fn grow(&mut self) -> Option<Line> {
        match tokio::time::timeout(Duration::from_secs(BODY_SECONDS_MAX), self.payload.next()).await {
            Ok(Some(Ok(piece))) if self.skipping => self.waiting = BytesMut::from(&piece[..]),
            Ok(Some(Ok(piece))) => self.waiting.extend_from_slice(&piece),
            Ok(None) => self.ended = true,
            // What arrived of the last line may be half of it: it must not count.
            Ok(Some(Err(_))) | Err(_) => return Some(self.broken_off()),
        }
        self.searched = self.searched.min(self.waiting.len());
        if self.skipping {
            self.searched = 0;
            if !self.waiting.contains(&b'\n') {
                self.waiting.clear();
            }
            return None;
        }
        let unended = self.waiting.len() > LINE_BYTES_MAX && !self.waiting[self.searched..].contains(&b'\n');
        unended.then(|| {
            self.number += 1;
            self.skipping = true;
            self.waiting.clear();
            self.searched = 0;
            self.too_long()
        })
    }

    fn too_long(&self) -> Line {
        let detail = format!("a line may have at most {LINE_BYTES_MAX} bytes");
        Line { number: self.number, text: Err(Problem::new(actix_web::http::StatusCode::PAYLOAD_TOO_LARGE, "line_too_long", detail)) }
    }

    fn broken_off(&mut self) -> Line {
        (self.ended, self.skipping) = (true, true);
        self.waiting.clear();
        self.number += 1;
        Line { number: self.number, text: Err(cut_short()) }
    }
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
}

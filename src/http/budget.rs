//! One budget for the bodies of requests that are being read: a thousand clients that each hold back the end of a large one take no
//! more memory than it. Small bodies are free, so what holds the budget keeps out large bodies only.

use std::sync::atomic::{AtomicUsize, Ordering};

use metrics::counter;

use super::error::{Problem, RETRY_AFTER_SECONDS};
use crate::telemetry::HTTP_BODIES_REFUSED;

/// Bytes of all bodies being read. One more is answered 503 `bodies_busy`.
pub const BODIES_BYTES_MAX: usize = 64 << 20;
/// A body of this size takes nothing of it: the connection's own buffers are as large.
pub const FREE_BYTES: usize = 32 << 10;

static BODIES: Budget = Budget(AtomicUsize::new(0));

/// The bytes that are taken.
#[derive(Debug, Default)]
struct Budget(AtomicUsize);

/// What one body takes of the budget; given back when it is dropped.
#[derive(Debug)]
pub struct Share<'a> {
    of: &'a Budget,
    bytes: usize,
}

/// A share of nothing yet.
#[must_use]
pub fn share() -> Share<'static> {
    BODIES.share()
}

impl Budget {
    fn share(&self) -> Share<'_> {
        Share { of: self, bytes: 0 }
    }
}

impl Share<'_> {
    /// Takes as much as a body of this size needs in all. A body that alone is larger than the budget may be read while no other is.
    ///
    /// # Errors
    /// 503 if other bodies take the rest.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        let (own, more) = (self.bytes, bytes.saturating_sub(FREE_BYTES).saturating_sub(self.bytes));
        let fits = |taken: usize| (taken + more <= BODIES_BYTES_MAX || taken == own).then_some(taken + more);
        if self.of.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).is_err() {
            counter!(HTTP_BODIES_REFUSED).increment(1);
            let detail = "too many large bodies are being read at once: send it again";
            return Err(Problem::unavailable("bodies_busy", detail, RETRY_AFTER_SECONDS));
        }
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.of.0.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bodies_share_a_budget_and_small_ones_pass() {
        let budget = Budget::default();
        let mut held: Vec<Share<'_>> = Vec::new();
        let large = 1 << 20;
        let refused = loop {
            let mut share = budget.share();
            match share.grow(large) {
                Ok(()) => held.push(share),
                Err(problem) => break problem,
            }
        };
        assert_eq!((refused.code(), refused.status().as_u16()), ("bodies_busy", 503));
        assert!((60..=68).contains(&held.len()), "{}", held.len());
        budget.share().grow(FREE_BYTES).expect("a small one takes nothing");
        held.pop();
        budget.share().grow(large).expect("there is room again");
        held.clear();
        let mut alone = budget.share();
        alone.grow(BODIES_BYTES_MAX * 2).expect("no other is being read");
        alone.grow(BODIES_BYTES_MAX * 3).expect("it is still the only one");
        assert_eq!(budget.share().grow(large).expect_err("is refused").code(), "bodies_busy");
        drop(alone);
        assert_eq!(budget.0.load(Ordering::Acquire), 0);
    }
}

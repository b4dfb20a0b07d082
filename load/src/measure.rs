//! What was measured: every latency is kept, so that the largest is real and a quantile is exact.

use std::time::Duration;

use serde_json::json;

/// The latencies of one run.
#[derive(Clone, Default)]
pub struct Report {
    micros: Vec<u32>,
    pub errors: u64,
    /// The first error's answer, so that a failing run says why.
    pub first_error: Option<String>,
    pub seconds: f64,
}

impl Report {
    pub fn record(&mut self, taken: Duration) {
        self.micros.push(u32::try_from(taken.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn fail(&mut self, why: impl FnOnce() -> String) {
        self.errors += 1;
        self.first_error.get_or_insert_with(why);
    }

    /// Adds what another connection of the same run measured.
    pub fn join(&mut self, other: Self) {
        self.micros.extend(other.micros);
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
    }

    /// Ends the run: quantiles need the latencies in order.
    pub fn finish(mut self, seconds: f64) -> Self {
        self.micros.sort_unstable();
        self.seconds = seconds;
        self
    }

    pub fn count(&self) -> usize {
        self.micros.len()
    }

    /// Successful requests per second.
    pub fn rate(&self) -> f64 {
        self.count() as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }

    /// The latency in milliseconds that `per_mille` of a thousand requests did not exceed.
    pub fn quantile_ms(&self, per_mille: usize) -> f64 {
        let last = self.micros.len().saturating_sub(1);
        let at = (self.micros.len() * per_mille).div_ceil(1_000).saturating_sub(1).min(last);
        f64::from(self.micros.get(at).copied().unwrap_or(0)) / 1_000.0
    }

    pub fn max_ms(&self) -> f64 {
        self.quantile_ms(1_000)
    }

    /// The run as one JSON line.
    pub fn line(&self, scenario: &str) -> String {
        json!({
            "scenario": scenario, "count": self.count(), "errors": self.errors, "first_error": self.first_error, "seconds": round(self.seconds),
            "per_second": self.rate().round(), "p50_ms": self.quantile_ms(500), "p99_ms": self.quantile_ms(990), "max_ms": self.max_ms(),
        })
        .to_string()
    }
}

fn round(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// A count from a figure: rounded, and never negative.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded and clamped; no count here is near 2^52")]
pub fn count(value: f64) -> usize {
    value.round().max(0.0) as usize
}

/// The middle of several runs by one figure.
pub fn median<T>(mut runs: Vec<T>, figure: impl Fn(&T) -> f64) -> Option<T> {
    runs.sort_by(|a, b| figure(a).total_cmp(&figure(b)));
    let middle = runs.len().checked_sub(1)? / 2;
    Some(runs.swap_remove(middle))
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the figures are exact here")]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_exact() {
        let mut report = Report::default();
        for ms in (1..=100).rev() {
            report.record(Duration::from_millis(ms));
        }
        let report = report.finish(2.0);
        assert_eq!((report.quantile_ms(500), report.quantile_ms(990), report.max_ms()), (50.0, 99.0, 100.0));
        assert!((report.rate() - 50.0).abs() < 1e-9);
    }

    #[test]
    fn an_empty_run_has_quantiles_of_zero() {
        let report = Report::default().finish(1.0);
        assert_eq!((report.quantile_ms(500), report.max_ms()), (0.0, 0.0));
    }

    #[test]
    fn the_median_is_the_middle_run() {
        assert_eq!(median(vec![3.0, 1.0, 2.0], |run| *run), Some(2.0));
        assert_eq!(median(Vec::<f64>::new(), |run| *run), None);
    }
}

//! Days before now: what counts as a price of today depends on them.

/// The day so many days ago, such as `2026-11-05`.
pub fn days_ago(days: u64) -> String {
    let hours = i64::try_from(days).expect("a few days") * 24;
    let moment = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours);
    moment.strftime("%Y-%m-%d").to_string()
}

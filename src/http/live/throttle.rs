//! How fast one session may send: messages of any kind, and commands.

use std::time::Duration;

use governor::{
    Quota, RateLimiter,
    clock::{Clock, MonotonicClock},
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};

use crate::live::limits::Limits;

type Limiter = RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<<MonotonicClock as Clock>::Instant>>;

/// The rates of one session.
#[derive(Debug)]
pub struct Throttle {
    messages: Limiter,
    commands: Limiter,
}

impl Throttle {
    /// Full bursts to begin with.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        let limiter = |rate, burst| RateLimiter::direct_with_clock(Quota::per_second(rate).allow_burst(burst), MonotonicClock);
        Self {
            messages: limiter(limits.messages_per_second, limits.messages_burst),
            commands: limiter(limits.commands_per_second, limits.commands_burst),
        }
    }

    /// Whether one more message may come now.
    #[must_use]
    pub fn takes_message(&self) -> bool {
        self.messages.check().is_ok()
    }

    /// Accepts one more command.
    ///
    /// # Errors
    /// How long to wait before the next.
    pub fn take_command(&self) -> Result<(), Duration> {
        self.commands.check().map_err(|not_until| not_until.wait_time_from(MonotonicClock.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_and_what_follows_must_wait() {
        let limits = Limits::default();
        let throttle = Throttle::new(&limits);
        for _ in 0..limits.commands_burst.get() {
            assert_eq!(throttle.take_command(), Ok(()));
        }
        let wait = (0..limits.commands_burst.get()).find_map(|_| throttle.take_command().err()).expect("the burst is used up");
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1) / limits.commands_per_second.get());
        assert!(throttle.takes_message(), "messages are counted on their own");
    }
}

//! From `at` and `known_at` to a point of the log.

use crate::{
    app::App,
    domain::Moment,
    events::{At, Point, Position},
    http::{error::Problem, past},
    projections::{AsOf, Views},
};

/// A time so far back that no event will be recorded for it any more, whatever the clocks do.
const SETTLED_MICROS: i64 = 60 * 1_000_000;

/// The moment of a read, and its knowledge.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub at: At,
    /// What was recorded later does not count, what was recorded earlier about `at` does; as of `at` itself if not given.
    pub known_at: Option<At>,
    /// Prices that were true at a time, by current knowledge: the time need not be one of the log.
    pub by_truth: bool,
}

/// A point that was found.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    pub point: Point,
    pub known: Option<Point>,
    /// No later event can change its answers.
    pub is_final: bool,
}

impl Asked {
    /// As known at a moment.
    #[must_use]
    pub fn of(at: At) -> Self {
        Self { at, known_at: None, by_truth: false }
    }

    /// The position the views must have reached.
    #[must_use]
    pub fn needs(&self, head: Position) -> Position {
        let needs = |at: At| match at {
            At::Position(position) => position.min(head),
            At::Time(_) => head,
        };
        needs(self.at).max(self.known_at.map_or(Position::START, needs))
    }

    /// Finds the points in a log whose head is `head`. May read from storage.
    ///
    /// # Errors
    /// 400 `position_unknown` beyond the head; 404 `before_first_event` or `empty_log` before the first event.
    pub fn find(&self, app: &App, head: Position) -> Result<Found, Problem> {
        let known = self.known_at.map(|known_at| find(app, known_at, head, "/known_at")).transpose()?;
        let (point, known) = match self.at {
            At::Time(time) if self.by_truth => {
                let known = if let Some(known) = known { known } else { find(app, At::Position(head), head, "/at")? };
                (Point { position: known.position, time }, Some(known))
            }
            at @ (At::Position(_) | At::Time(_)) => (find(app, at, head, "/at")?, known),
        };
        let settled = Moment(app.clock.now().0.saturating_sub(SETTLED_MICROS));
        let is_settled = |at: At| match at {
            At::Position(_) => true,
            At::Time(time) => time < settled,
        };
        let is_final = match (self.known_at, self.by_truth, self.at) {
            (Some(known_at), true, _) => is_settled(known_at),
            (None, true, At::Time(_)) => false,
            (known_at, _, at) => is_settled(at) && known_at.is_none_or(is_settled),
        };
        Ok(Found { point, known, is_final })
    }
}

/// What is recorded meanwhile does not belong to the point.
fn find(app: &App, at: At, head: Position, pointer: &str) -> Result<Point, Problem> {
    let point = past::find(&*app.log, at, app.clock.now(), pointer)?;
    Ok(Point { position: point.position.min(head), ..point })
}

impl Found {
    /// The views as known at the point; with other knowledge, what was true then by it.
    #[must_use]
    pub fn of<'a>(&self, views: &'a Views) -> AsOf<'a> {
        match self.known {
            None => views.as_of(self.point.position),
            Some(known) => views.as_of(known.position).true_at(self.point.time),
        }
    }

    /// The views at the later of the two points: what exists by then may be queried.
    #[must_use]
    pub fn named_in<'a>(&self, views: &'a Views) -> AsOf<'a> {
        views.as_of(self.point.position.max(self.known.map_or(Position::START, |known| known.position)))
    }
}

//! Shows the progress of long work in the terminal.

use std::{thread, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use crate::snapshots::Progress;

/// How often the bar is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// A bar on standard error; hidden if that is not a terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template("{msg:<28} {wide_bar} {human_pos}/{human_len} {per_sec}");
        Self(ProgressBar::new(0).with_style(style.expect("this holds because the template is well formed")))
    }

    pub(super) fn show(&self, stage: &str, done: u64, total: u64) {
        if self.0.message() != stage {
            self.0.reset();
            self.0.set_message(stage.to_owned());
        }
        self.0.set_length(total);
        self.0.set_position(done);
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// Does work on a thread of its own and shows its progress.
pub(super) fn watched<T: Send>(work: impl FnOnce(&Progress) -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
    let (progress, bar) = (Progress::default(), Bar::new());
    let done = thread::scope(|scope| {
        let working = scope.spawn(|| work(&progress));
        while !working.is_finished() {
            let (stage, done, total) = progress.read();
            bar.show(stage, done, total);
            thread::park_timeout(DRAW_EVERY);
        }
        working.join()
    });
    bar.clear();
    done.unwrap_or_else(|_| Err(anyhow::anyhow!("the work panicked")))
}

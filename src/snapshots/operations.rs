//! Long admin operations, one at a time: what runs, its progress, and how the last ones ended.

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
};

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    error::SnapshotError,
    failed::{Busy, WorkError},
    progress::Progress,
};
use crate::domain::Moment;

/// How many ended ones are remembered.
const ENDED_MAX: usize = 50;

/// What runs and what ran.
#[derive(Debug, Default)]
pub struct Operations(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    running: Option<Arc<Operation>>,
    ended: VecDeque<Arc<Operation>>,
}

/// One operation.
#[derive(Debug)]
pub struct Operation {
    pub id: String,
    pub kind: &'static str,
    pub by: String,
    pub started_at: Moment,
    pub progress: Progress,
    end: OnceLock<End>,
}

#[derive(Debug)]
struct End {
    at: Moment,
    result: Result<Value, (&'static str, String)>,
}

impl Operations {
    /// Begins an operation.
    ///
    /// # Errors
    /// `Busy` while another runs.
    pub fn begin(&self, kind: &'static str, by: &str, at: Moment) -> Result<Arc<Operation>, Busy> {
        let mut state = self.0.lock();
        if let Some(running) = &state.running {
            return Err(Busy { kind: running.kind, id: running.id.clone() });
        }
        let id = Uuid::now_v7().to_string();
        let operation =
            Arc::new(Operation { id, kind, by: by.to_owned(), started_at: at, progress: Progress::default(), end: OnceLock::new() });
        state.running = Some(Arc::clone(&operation));
        Ok(operation)
    }

    /// Ends the running operation.
    pub fn end<T: Serialize>(&self, operation: &Arc<Operation>, at: Moment, done: &Result<T, SnapshotError>) {
        let failed = |error: &SnapshotError| {
            tracing::warn!(kind = operation.kind, id = %operation.id, %error, "admin operation failed");
            (error.code(), error.to_string())
        };
        let shown = |done| serde_json::to_value(done).map_err(|error| failed(&WorkError::Result(error).into()));
        let result = done.as_ref().map_err(failed).and_then(shown);
        // It ends once; a second end would be a mistake that changes nothing.
        let _ = operation.end.set(End { at, result });
        let mut state = self.0.lock();
        state.running = None;
        state.ended.push_front(Arc::clone(operation));
        state.ended.truncate(ENDED_MAX);
    }

    /// One by its id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Arc<Operation>> {
        self.list().into_iter().find(|operation| operation.id == id)
    }

    /// The running one, then the ended ones, newest first.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<Operation>> {
        let state = self.0.lock();
        state.running.iter().chain(&state.ended).cloned().collect()
    }
}

/// An operation as clients see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperationView {
    pub id: String,
    pub kind: &'static str,
    pub by: String,
    pub started_at: Moment,
    pub state: OperationState,
    /// What it does now, or did last.
    pub stage: &'static str,
    /// Completed steps of the stage, such as events.
    pub done: u64,
    /// All steps of the stage; zero if unknown.
    pub total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Moment>,
    /// Its result.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<OperationError>,
}

/// The state of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    Running,
    Done,
    Failed,
}

/// Why it failed.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OperationError {
    /// Stable; match on this.
    pub code: &'static str,
    pub detail: String,
}

impl Operation {
    /// As clients see it.
    #[must_use]
    pub fn view(&self) -> OperationView {
        let (stage, done, total) = self.progress.read();
        let end = self.end.get();
        let (state, result, error) = match end.map(|end| &end.result) {
            None => (OperationState::Running, None, None),
            Some(Ok(result)) => (OperationState::Done, Some(result.clone()), None),
            Some(Err((code, detail))) => (OperationState::Failed, None, Some(OperationError { code, detail: detail.clone() })),
        };
        let (id, by) = (self.id.clone(), self.by.clone());
        let ended_at = end.map(|end| end.at);
        OperationView { id, kind: self.kind, by, started_at: self.started_at, state, stage, done, total, ended_at, result, error }
    }
}

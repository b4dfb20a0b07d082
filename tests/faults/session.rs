//! A server whose system fails it once, and what it had acknowledged until then.

use std::{
    cell::Cell,
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Answer, Client, Exited, Random, TestApp, log_files::SMALL_JOURNALS, run_on, wait_for};

/// The environment variable that names the step that fails.
pub const VARIABLE: &str = "AISLED_TEST_FAULT";
/// Whatever hangs, a request is answered within this time.
const ANSWER_MAX: Duration = Duration::from_secs(12);
/// Whatever hangs, a stopping server ends within this time.
pub const STOP_MAX: Duration = Duration::from_secs(10);
/// The text of an item: with it some eighty fill a small journal.
const NOTE_CHARS: usize = 700;
const ARGUMENTS: [&str; 4] = ["--self-restore-every-minutes", "0", "--snapshot-every-minutes", "0"];

/// What a server logs at the failing step.
const MET: &str = "a test makes this step fail";

thread_local! {
    static FAULTS_MET: Cell<u64> = const { Cell::new(0) };
}

/// How many servers of this test have met their fault.
pub fn faults_met() -> u64 {
    FAULTS_MET.get()
}

fn note(exited: &Exited) {
    FAULTS_MET.set(FAULTS_MET.get() + u64::from(exited.stderr.contains(MET)));
}

/// A server under a fault.
pub struct Session {
    pub app: TestApp,
    pub client: Client,
    fault: String,
    /// The items that were acknowledged.
    pub acknowledged: BTreeSet<String>,
}

impl Session {
    /// Starts a server with small journals on a folder, or returns how it ended.
    pub fn start(folder: &Path, fault: &str) -> Result<Self, Exited> {
        let app = TestApp::start_on(folder, &ARGUMENTS, &[(VARIABLE, fault), SMALL_JOURNALS])?;
        let client = Client::with_patience(app.server().url(), ANSWER_MAX);
        Ok(Self { app, client, fault: fault.to_owned(), acknowledged: BTreeSet::new() })
    }

    /// Starts a server on a folder on which nothing fails any more.
    pub fn start_whole(folder: &Path) -> Self {
        Self::start(folder, "").unwrap_or_else(|exited| panic!("it does not start without the fault: {exited:?}"))
    }

    /// Creates the list, if the server accepts it.
    pub fn make_list(&self) -> Answer {
        self.client.post("/api/v1/lists", &json!({ "id": "weekly", "name": "Weekly" }))
    }

    /// Adds an item. One that is refused is refused with a code.
    pub fn add(&mut self, name: &str) -> Answer {
        let answer = self.client.post("/api/v1/lists/weekly/items", &json!({ "id": name, "name": name, "note": text_of(name) }));
        if answer.status < 300 {
            self.acknowledged.insert(name.to_owned());
        } else {
            assert!(answer.status == 503 && !answer.code().is_empty(), "{}: {} {}", self.fault, answer.status, answer.text);
        }
        answer
    }

    /// Adds items until one is refused, at most this many. Returns the refusal.
    pub fn add_until_refused(&mut self, name: &str, most: usize) -> Option<Answer> {
        (0..most).map(|number| self.add(&format!("{name}-{number}"))).find(|answer| answer.status >= 300)
    }

    /// Begins admin work and waits for its end; none if it is refused.
    pub fn work(&self, path: &str, body: &Value) -> Option<Value> {
        let begun = self.client.post(path, body);
        if begun.status != 202 {
            assert!(begun.status >= 400 && !begun.code().is_empty(), "{}: {} {}", self.fault, begun.status, begun.text);
            return None;
        }
        let path = format!("/api/v1/admin/operations/{}", begun.body["id"].as_str().expect("an id"));
        Some(wait_for("the work to end", || Some(self.client.get(&path).ok().body).filter(|operation| operation["state"] != "running")))
    }

    /// A dry run, and then the confirmed run.
    pub fn restore(&self, snapshot: &Value) -> Option<Value> {
        let request = json!({ "snapshot": snapshot });
        let plan = self.client.post("/api/v1/admin/restore", &request);
        self.work("/api/v1/admin/restore", &json!({ "snapshot": snapshot, "confirm": plan.body["confirm"] }))
    }

    /// The items that are there.
    pub fn items(&self) -> BTreeSet<String> {
        let list = self.client.get("/api/v1/lists/weekly");
        let items = list.body["items"].as_array().cloned().unwrap_or_default();
        items.iter().filter_map(|item| item["name"].as_str().map(str::to_owned)).collect()
    }

    /// Stops the server and waits for its end, which must come in time and with a message. Returns what was acknowledged.
    pub fn stop(mut self) -> BTreeSet<String> {
        let (fault, begun) = (&self.fault, Instant::now());
        let exited = self.app.stop_and_tell();
        note(&exited);
        assert!(begun.elapsed() <= STOP_MAX, "{fault}: it took {:?}: {exited:?}", begun.elapsed());
        assert!(matches!(exited.code, Some(0 | 1)), "{fault}: {exited:?}");
        assert!(!exited.stderr.contains("panicked"), "{fault}: {exited:?}");
        self.acknowledged
    }
}

/// A failed start names the file it could not use, and ends with 1.
pub fn assert_clear(exited: &Exited, folder: &Path, fault: &str) {
    note(exited);
    assert_eq!(exited.code, Some(1), "{fault}: {exited:?}");
    let last = exited.stderr.lines().rev().find(|line| !line.is_empty()).unwrap_or_default();
    assert!(last.contains(folder.to_str().expect("a name")) && last.contains("os error"), "{fault}: {exited:?}");
    assert!(!exited.stderr.contains("panicked"), "{fault}: {exited:?}");
}

/// Without the fault the server starts, has everything that was acknowledged, accepts commands, and its log is whole.
pub fn assert_nothing_is_lost(folder: &Path, acknowledged: &BTreeSet<String>, fault: &str) {
    let mut whole = Session::start_whole(folder);
    let missing: Vec<_> = acknowledged.difference(&whole.items()).cloned().collect();
    assert!(missing.is_empty(), "{fault}: {missing:?} were acknowledged and are missing");
    assert!(matches!(whole.make_list().status, 200..300 | 409), "{fault}");
    assert!(whole.add("one-more").status < 300, "{fault}: it takes commands");
    whole.app.kill();
    assert_eq!(run_on(&folder.join("data"), &["verify"]).ok().summary()["ok"], true, "{fault}");
}

/// Text that hardly compresses, so that a journal is full soon.
fn text_of(name: &str) -> String {
    let mut random = Random(name.bytes().fold(7, |sum, byte| sum * 31 % 65_521 + u64::from(byte)));
    (0..NOTE_CHARS).map(|_| char::from(b'#' + u8::try_from(random.below(80)).expect("it is small"))).collect()
}

//! What a scenario ends with: a small table for people, one JSON line for everything else, and files where asked for.

use std::{fmt::Write, fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::{chart, tally::Tally, watch::Spent};
use crate::measure::Report;

/// Everything one run of a scenario found.
#[derive(Default)]
pub struct Outcome {
    pub scenario: String,
    /// How it was run.
    pub settings: Map<String, Value>,
    /// Latencies by phase.
    pub latencies: Vec<(String, Report)>,
    figures: Vec<(String, f64)>,
    counts: Value,
    /// What the protocol promises never happens, and lost sessions and errors.
    faults: u64,
    first_error: Option<String>,
    notes: Vec<String>,
}

impl Outcome {
    pub fn new(scenario: &str, settings: &Value) -> Self {
        Self { scenario: scenario.into(), settings: settings.as_object().cloned().unwrap_or_default(), ..Self::default() }
    }

    /// Adds a figure; its name ends with its unit.
    pub fn figure(&mut self, name: impl Into<String>, value: f64) {
        self.figures.push((name.into(), value));
    }

    pub fn get(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// A figure that must exist.
    pub fn need(&self, name: &str) -> Result<f64> {
        self.get(name).with_context(|| format!("{} has no figure {name}", self.scenario))
    }

    /// What went wrong, as the end of a sentence; empty if nothing did.
    pub fn faults(&self) -> String {
        self.faults_or("")
    }

    pub fn faults_or(&self, none: &str) -> String {
        match (self.faults, &self.first_error) {
            (0, _) => none.to_owned(),
            (faults, Some(error)) => format!(", {faults} FAULTS: {}", error.chars().take(80).collect::<String>()),
            (faults, None) => format!(", {faults} FAULTS"),
        }
    }

    /// The latencies of a phase.
    pub fn phase(&self, name: &str) -> Result<&Report> {
        let found = self.latencies.iter().find(|(phase, _)| phase == name);
        Ok(&found.with_context(|| format!("{} has no phase {name}", self.scenario))?.1)
    }

    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Adds what the clients have seen.
    pub fn tally(&mut self, tally: &Tally) {
        self.latencies.extend(tally.latencies());
        self.counts = tally.json();
        self.faults = tally.broken() + tally.lost.get() + tally.errors.get();
        self.first_error = tally.first_error();
    }

    /// Rates of deliveries, and what they cost.
    pub fn deliveries(&mut self, deliveries: u64, wire_bytes: u64, spent: Spent) {
        let count = deliveries as f64;
        self.figure("deliveries", count);
        self.figure("deliveries_per_second", count / spent.seconds);
        self.figure("bytes_per_delivery", wire_bytes as f64 / count.max(1.0));
        self.cost(spent);
        if let Some(cpu) = spent.server_cpu {
            self.figure("deliveries_per_server_cpu_second", count / cpu.max(0.01));
        }
    }

    /// The processor time of server and client.
    pub fn cost(&mut self, spent: Spent) {
        self.figure("seconds", spent.seconds);
        if let Some(cpu) = spent.server_cpu {
            self.figure("server_cpu_seconds", cpu);
            self.figure("server_cpu_share", cpu / spent.seconds);
        }
        self.figure("client_cpu_share", spent.client_cpu / spent.seconds);
    }

    /// What the publisher's commands took, and whether they failed.
    pub fn commands(&mut self, report: Report) {
        self.faults += report.errors;
        self.first_error = self.first_error.take().or_else(|| report.first_error.clone());
        self.latencies.push(("commands answered".into(), report));
    }

    /// Events that a client should have received and did not.
    pub fn missing(&mut self, events: u64) {
        self.figure("missing", events as f64);
        self.faults += events;
        if events > 0 {
            self.first_error.get_or_insert_with(|| format!("{events} events did not arrive"));
        }
    }

    pub fn json(&self) -> Value {
        let latencies: Map<String, Value> = self.latencies.iter().map(|(name, report)| (name.clone(), quantiles(report))).collect();
        let figures: Map<String, Value> = self.figures.iter().map(|(name, value)| (name.clone(), json!(rounded(*value)))).collect();
        json!({ "scenario": self.scenario, "settings": self.settings, "latency_ms": latencies, "figures": figures, "counts": self.counts,
            "faults": self.faults, "first_error": self.first_error, "notes": self.notes })
    }

    /// The table for people.
    pub fn table(&self) -> String {
        let mut text = format!("{}  {}\n", self.scenario, Value::from(self.settings.clone()));
        for (name, report) in &self.latencies {
            let [p50, p99, p999, max] = [500, 990, 999, 1_000].map(|per_mille| report.quantile_ms(per_mille));
            let count = report.count();
            // Writing to a text cannot fail.
            let _ = writeln!(text, "  {name:<28} p50 {p50:9.2}  p99 {p99:9.2}  p99.9 {p999:9.2}  max {max:9.2} ms  n {count}");
        }
        for (name, value) in &self.figures {
            let _ = writeln!(text, "  {name:<40} {:>14}", rounded(*value));
        }
        let _ = writeln!(text, "  {}", self.counts);
        for note in &self.notes {
            let _ = writeln!(text, "  {note}");
        }
        text
    }

    /// Prints both, and writes JSON and chart into a folder where one is given.
    pub fn tell(&self, folder: Option<&Path>) -> Result<()> {
        print!("{}", self.table());
        println!("{}", self.json());
        folder.map_or(Ok(()), |folder| self.save(folder, &self.scenario))
    }

    pub fn save(&self, folder: &Path, name: &str) -> Result<()> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(folder.join(format!("{name}.json")), format!("{:#}\n", self.json()))?;
        if self.latencies.iter().any(|(_, report)| report.count() > 0) {
            fs::write(folder.join(format!("{name}.svg")), chart::quantiles(&self.scenario, &self.latencies))?;
        }
        Ok(())
    }
}

fn quantiles(report: &Report) -> Value {
    json!({ "count": report.count(), "p50": report.quantile_ms(500), "p90": report.quantile_ms(900), "p99": report.quantile_ms(990),
        "p99_9": report.quantile_ms(999), "max": report.max_ms() })
}

/// No more digits than a measurement is worth.
fn rounded(value: f64) -> f64 {
    let scale = if value.abs() >= 1_000.0 { 1.0 } else { 1_000.0 };
    (value * scale).round() / scale
}

//! The table that `make bench` ends with: a figure next to its budget, and whether it holds.

use std::fmt;

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub enum Budget {
    AtLeast { must: f64, aim: f64 },
    AtMost { must: f64, aim: f64 },
}

/// Every line of the table so far.
#[derive(Default)]
pub struct Table {
    lines: Vec<Line>,
    durability: Option<String>,
}

struct Line {
    row: u8,
    what: String,
    figure: String,
    must: String,
    aim: String,
    verdict: &'static str,
}

impl Table {
    /// Adds a measured figure.
    pub fn figure(&mut self, row: u8, what: impl Into<String>, figure: f64, unit: &str, budget: Budget) {
        let (must, aim, sign) = match budget {
            Budget::AtLeast { must, aim } => (must, aim, "≥"),
            Budget::AtMost { must, aim } => (must, aim, "≤"),
        };
        let verdict = match (budget.holds(figure, aim), budget.holds(figure, must)) {
            (true, _) => "aim met",
            (_, true) => "must met",
            _ => "MISSED",
        };
        let line = Line {
            row,
            what: what.into(),
            figure: format!("{} {unit}", short(figure)),
            must: format!("{sign} {}", short(must)),
            aim: format!("{sign} {}", short(aim)),
            verdict,
        };
        eprintln!("  {} {}: {} ({})", line.row, line.what, line.figure, line.verdict);
        self.lines.push(line);
    }

    /// Adds a figure without a budget.
    pub fn note(&mut self, row: u8, what: impl Into<String>, figure: impl Into<String>) {
        self.lines.push(Line { row, what: what.into(), figure: figure.into(), must: String::new(), aim: String::new(), verdict: "" });
    }

    /// States why a row has no figure.
    pub fn missing(&mut self, row: u8, what: &str, why: &str) {
        eprintln!("  {row} {what}: {why}");
        let why = why.lines().next().unwrap_or_default();
        self.lines.push(Line {
            row,
            what: format!("{what}: {why}"),
            figure: "none".into(),
            must: String::new(),
            aim: String::new(),
            verdict: "not measured",
        });
    }

    /// Remembers which durability a server said is in force.
    pub fn durability(&mut self, in_force: &str) {
        self.durability = Some(in_force.to_owned());
    }
}

impl Budget {
    fn holds(self, figure: f64, bound: f64) -> bool {
        match self {
            Self::AtLeast { .. } => figure >= bound,
            Self::AtMost { .. } => figure <= bound,
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<_> = self.lines.iter().collect();
        lines.sort_by_key(|line| line.row);
        let width = lines.iter().map(|line| line.what.chars().count()).max().unwrap_or(0).min(90);
        writeln!(f, "| {:>3} | {:width$} | {:>18} | {:>10} | {:>10} | {:12} |", "#", "what", "figure", "must", "aim", "verdict")?;
        writeln!(f, "|{:-<5}|{:-<w$}|{:-<20}|{:-<12}|{:-<12}|{:-<14}|", "", "", "", "", "", "", w = width + 2)?;
        for line in lines {
            let Line { row, what, figure, must, aim, verdict } = line;
            writeln!(f, "| {row:>3} | {what:width$} | {figure:>18} | {must:>10} | {aim:>10} | {verdict:12} |")?;
        }
        write!(f, "durability in force: {}", self.durability.as_deref().unwrap_or("not asked"))
    }
}

/// A number for people: no more digits than significant.
fn short(value: f64) -> String {
    if value >= 1_000_000.0 {
        format!("{:.2} M", value / 1_000_000.0)
    } else if value >= 1_000.0 {
        format!("{:.1} k", value / 1_000.0)
    } else if value >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

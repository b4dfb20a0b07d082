//! A chart as one SVG that needs nothing else: latency over its quantiles, both growing by factors.

use std::fmt::Write;

use crate::measure::Report;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
/// The margin around the plot, with labels at the left and below.
const MARGIN: f64 = 56.0;
/// The quantiles shown, each in its column: they show how rare slow ones are.
const COLUMNS: [(usize, &str); 7] = [(100, "p10"), (500, "p50"), (750, "p75"), (900, "p90"), (990, "p99"), (999, "p99.9"), (1_000, "max")];
const COLORS: [&str; 6] = ["#1b6ca8", "#c8553d", "#3a7d44", "#8e5aa8", "#b8860b", "#444444"];

/// Draws the latencies of every phase.
pub fn quantiles(title: &str, phases: &[(String, Report)]) -> String {
    let phases: Vec<_> = phases.iter().filter(|(_, report)| report.count() > 0).collect();
    let most = phases.iter().map(|(_, report)| report.max_ms()).fold(1.0, f64::max);
    let least = phases.iter().map(|(_, report)| report.quantile_ms(100)).fold(most, f64::min).max(0.01);
    let scale = Scale { low: least.log10().floor(), high: most.log10().ceil().max(least.log10().floor() + 1.0) };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/><text x=\"{MARGIN}\" y=\"24\" font-size=\"15\">{}: latency in ms</text>\n",
        escaped(title)
    );
    grid(&mut svg, &scale);
    for (number, (name, report)) in phases.iter().enumerate() {
        line(&mut svg, &scale, number, name, report);
    }
    svg + "</svg>\n"
}

/// The decades of milliseconds that are shown.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn y(&self, ms: f64) -> f64 {
        let part = (ms.max(0.001).log10() - self.low) / (self.high - self.low);
        HEIGHT - MARGIN - part.clamp(0.0, 1.0) * (HEIGHT - 2.0 * MARGIN)
    }
}

fn x(column: usize) -> f64 {
    MARGIN + column as f64 * (WIDTH - 3.5 * MARGIN) / (COLUMNS.len() - 1) as f64
}

/// Lines at each decade, and the names of the columns. Writing to a text cannot fail.
fn grid(svg: &mut String, scale: &Scale) {
    let mut decade = scale.low;
    while decade <= scale.high {
        let (ms, y) = (10_f64.powf(decade), scale.y(10_f64.powf(decade)));
        let right = x(COLUMNS.len() - 1);
        let _ = writeln!(svg, "<line x1=\"{MARGIN}\" x2=\"{right:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>");
        let _ = writeln!(svg, "<text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\">{ms}</text>", MARGIN - 6.0, y + 4.0);
        decade += 1.0;
    }
    for (column, (_, name)) in COLUMNS.iter().enumerate() {
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.0}\" text-anchor=\"middle\">{name}</text>", x(column), HEIGHT - MARGIN + 20.0);
    }
}

fn line(svg: &mut String, scale: &Scale, number: usize, name: &str, report: &Report) {
    let color = COLORS[number % COLORS.len()];
    let points = COLUMNS.iter().enumerate().map(|(column, (per_mille, _))| (x(column), report.quantile_ms(*per_mille)));
    let mut path = String::new();
    for (x, ms) in points {
        let y = scale.y(ms);
        let _ = write!(path, "{x:.1},{y:.1} ");
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{color}\"><title>{ms:.2} ms</title></circle>");
    }
    let _ = writeln!(svg, "<polyline points=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/>");
    let (left, y) = (x(COLUMNS.len() - 1) + 12.0, MARGIN + 10.0 + number as f64 * 18.0);
    let name = escaped(name);
    let _ = writeln!(svg, "<text x=\"{left:.0}\" y=\"{y:.0}\" fill=\"{color}\">{name}</text>");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

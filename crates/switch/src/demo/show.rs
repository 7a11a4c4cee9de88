//! What people see: a live summary while terminals trade, the verdict at the end.
//! Never shows a card number; figures come from the switch's own metrics and the terminals' own counters.

use super::Verdict;
use super::scene::Scene;
use loadtest::LiveStats;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

/// Colours only where somebody looks.
fn paint(colour: &str, text: &str) -> String {
    if std::io::stdout().is_terminal() { format!("{colour}{text}{PLAIN}") } else { text.to_owned() }
}

/// What is about to happen.
pub fn opening(scene: &Scene) {
    println!("{}", paint(BOLD, "Pointsman demo"));
    println!("Terminals speak UnionPay POS and ISO 8583:1987 over TLS, three issuers answer,");
    println!("every approval is on disk before it is told.");
    for (address, control) in scene.simulator.controls() {
        println!("  issuer {:<8} {}", control.name(), paint(DIM, &address.to_string()));
    }
    println!();
}

/// The live summary: redrawn in place on a terminal, a line now and then elsewhere.
pub struct Live {
    on: bool,
    in_place: bool,
    lines: usize,
    last: Option<(Duration, u64)>,
    next_line: Duration,
}

impl Live {
    /// Silent if not `on`.
    pub fn new(on: bool) -> Self {
        Self {
            on,
            in_place: std::io::stdout().is_terminal(),
            lines: 0,
            last: None,
            next_line: Duration::ZERO,
        }
    }

    /// An event worth a line of its own.
    pub fn say(&mut self, text: &str) {
        if self.on {
            self.wipe();
            println!("{} {text}", paint(YELLOW, "●"));
        }
    }

    /// The state of things.
    pub fn draw(&mut self, stats: &[Arc<LiveStats>], metrics: &str, now: Duration) {
        if !self.on {
            return;
        }
        let total = |read: fn(&LiveStats) -> u64| stats.iter().map(|stats| read(stats)).sum::<u64>();
        let answered = total(|stats| stats.answered.load(Relaxed));
        let approved = total(|stats| stats.approved.load(Relaxed));
        let (then, before) = self.last.unwrap_or_default();
        let elapsed = (now - then).as_secs_f64().max(0.001);
        let rate = answered.saturating_sub(before) as f64 / elapsed;
        self.last = Some((now, answered));
        let share = if answered == 0 { 0.0 } else { approved as f64 * 100.0 / answered as f64 };
        let summary = format!(
            "{:>5.0} s   {:>6.0} answers/s   {} approved   p50 {}   p99 {}   reversed {}   owed {:.0}",
            now.as_secs_f64(),
            rate,
            paint(GREEN, &format!("{share:.1} %")),
            micros(worst(stats, 0.5)),
            micros(worst(stats, 0.99)),
            total(|stats| stats.reversed.load(Relaxed)),
            sum(metrics, "pointsman_saf_depth"),
        );
        if self.in_place {
            self.wipe();
            let body = self.body(summary, metrics);
            self.lines = body.lines().count();
            print!("{body}");
            let _ = std::io::stdout().flush();
        } else if now >= self.next_line {
            self.next_line = now + Duration::from_secs(2);
            println!("{summary}");
        }
    }

    fn body(&self, summary: String, metrics: &str) -> String {
        let mut body = format!("{summary}\n\n  declines by cause\n");
        let causes = by_label(metrics, "pointsman_declines_total", "cause");
        let most = causes.values().copied().fold(1.0, f64::max);
        for (cause, count) in &causes {
            let bar = "█".repeat((count / most * 30.0).round() as usize);
            body += &format!("  {cause:<15} {count:>7.0} {}\n", paint(RED, &bar));
        }
        body += "\n  links          ";
        for (link, up) in links(metrics) {
            let mark = if up { paint(GREEN, "up") } else { paint(RED, "down") };
            body += &format!(" {link} {mark} ");
        }
        body + &format!("\n  {}\n", paint(DIM, "Ctrl-C ends it and lays the three books side by side"))
    }

    /// Takes the last drawing away.
    fn wipe(&mut self) {
        if self.in_place && self.lines > 0 {
            print!("\x1b[{}A\x1b[J", self.lines);
            self.lines = 0;
        }
    }

    /// Leaves the last drawing standing.
    pub fn end(&mut self) {
        self.lines = 0;
    }
}

/// The verdict.
pub fn closing(verdict: &Verdict) {
    println!();
    println!("{}", verdict.table());
    if verdict.agree() {
        println!(
            "{} terminals, journal and issuers agree to the cent",
            paint(GREEN, "✔ the three books agree:")
        );
    } else {
        println!("{}", paint(RED, "✘ the three books differ:"));
        for line in verdict.differences() {
            println!("  {line}");
        }
    }
    println!();
    println!("Where to look next:");
    println!(
        "  pointsman check --config deploy/pointsman.toml     the sample configuration, explained line by line"
    );
    println!("  pointsman decode --help                            read any message, masked");
    println!("  crates/ARCHITECTURE.md                             how one purchase walks through");
}

/// The sum of all series of a family in an exposition text.
pub fn sum(metrics: &str, family: &str) -> f64 {
    series(metrics, family).map(|(_, value)| value).sum()
}

/// Sums by one label, the empty ones left out.
pub fn by_label(metrics: &str, family: &str, label: &str) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    for (labels, value) in series(metrics, family).filter(|(_, value)| *value > 0.0) {
        if let Some(name) = label_value(labels, label) {
            *sums.entry(name.to_owned()).or_default() += value;
        }
    }
    sums
}

fn links(metrics: &str) -> Vec<(String, bool)> {
    let of = |(labels, value): (&str, f64)| {
        let name = format!("{}/{}", label_value(labels, "issuer")?, label_value(labels, "link")?);
        Some((name, value > 0.0))
    };
    let mut links: Vec<_> = series(metrics, "pointsman_link_up").filter_map(of).collect();
    links.sort();
    links
}

fn series<'a>(metrics: &'a str, family: &'a str) -> impl Iterator<Item = (&'a str, f64)> + 'a {
    metrics.lines().filter_map(move |line| {
        let rest = line.strip_prefix(family)?;
        let (labels, value) = rest.rsplit_once(' ')?;
        (labels.is_empty() || labels.starts_with('{')).then_some(())?;
        Some((labels, value.parse().ok()?))
    })
}

fn label_value<'a>(labels: &'a str, label: &str) -> Option<&'a str> {
    let start = labels.find(&format!("{label}=\""))? + label.len() + 2;
    labels[start..].split('"').next()
}

fn worst(stats: &[Arc<LiveStats>], share: f64) -> u64 {
    stats.iter().map(|stats| stats.latency_us(share)).max().unwrap_or(0)
}

fn micros(us: u64) -> String {
    if us < 1_000 { format!("{us} µs") } else { format!("{:.1} ms", us as f64 / 1_000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exposition_is_summed_by_label() {
        let text = "# HELP a b\na_total{cause=\"funds\",issuer=\"x\"} 2\na_total{cause=\"funds\",issuer=\"y\"} 3\na_total{cause=\"card\",issuer=\"y\"} 0\na_total_more 7\n";
        assert_eq!(sum(text, "a_total"), 5.0);
        assert_eq!(by_label(text, "a_total", "cause"), BTreeMap::from([("funds".to_owned(), 5.0)]));
    }
}

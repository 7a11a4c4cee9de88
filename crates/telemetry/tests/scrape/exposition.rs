//! A reader of the text format (version 0.0.4) that takes nothing for granted: it knows only the rules of the format.

use std::collections::{BTreeMap, BTreeSet};

/// What a scrape said.
#[derive(Debug, Default)]
pub struct Scrape {
    /// Type by family.
    pub types: BTreeMap<String, String>,
    /// Value by series, written `name{key="value",...}` with the labels in alphabetical order.
    pub series: BTreeMap<String, f64>,
}

impl Scrape {
    /// Reads a whole answer.
    ///
    /// # Panics
    /// With the line and the rule it breaks.
    pub fn read(text: &str) -> Self {
        let mut scrape = Self::default();
        let (mut helped, mut family, mut closed) = (BTreeSet::new(), String::new(), BTreeSet::new());
        assert!(text.ends_with('\n'), "the last line ends");
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, words) = help.split_once(' ').unwrap_or_else(|| panic!("no help text: {line}"));
                assert!(!words.is_empty() && helped.insert(name.to_owned()), "HELP twice or empty: {line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap_or_else(|| panic!("no type: {line}"));
                assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{line}");
                assert!(helped.contains(name), "TYPE without HELP: {line}");
                assert!(scrape.types.insert(name.into(), kind.into()).is_none(), "TYPE twice: {line}");
                closed.insert(std::mem::replace(&mut family, name.to_owned()));
            } else {
                assert!(!line.starts_with('#'), "unknown comment: {line}");
                let (name, labels, value) = sample(line);
                let stem = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
                let of_histogram = scrape.types.get(&family).is_some_and(|kind| kind == "histogram");
                let owner = if of_histogram { stem.unwrap_or(&name) } else { &name };
                assert_eq!(owner, family, "a sample outside its family: {line}");
                assert!(!closed.contains(&family), "families are mixed: {line}");
                let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
                let key = if labels.is_empty() { name } else { format!("{name}{{{}}}", labels.join(",")) };
                assert!(scrape.series.insert(key, value).is_none(), "the same series twice: {line}");
            }
        }
        assert_eq!(helped, scrape.types.keys().cloned().collect(), "every HELP has its TYPE");
        scrape
    }

    /// The value of one series.
    pub fn get(&self, series: &str) -> f64 {
        *self.series.get(series).unwrap_or_else(|| panic!("no series {series}"))
    }

    /// Series of a family, by name.
    pub fn of(&self, name: &str) -> Vec<(&str, f64)> {
        let ours = |key: &&String| key.split('{').next() == Some(name);
        self.series.keys().filter(ours).map(|key| (key.as_str(), self.series[key])).collect()
    }
}

/// One sample: name, labels in alphabetical order, value.
fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let name_end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no value: {line}"));
    let name = &line[..name_end];
    assert!(is_name(name, ":"), "not a metric name: {line}");
    let mut labels = BTreeMap::new();
    let mut rest = &line[name_end..];
    if let Some(mut inner) = rest.strip_prefix('{') {
        while !inner.starts_with('}') {
            let (key, after) = inner.split_once("=\"").unwrap_or_else(|| panic!("bad label: {line}"));
            assert!(is_name(key, ""), "not a label name: {line}");
            let (value, after) = quoted(after).unwrap_or_else(|| panic!("open label value: {line}"));
            assert!(labels.insert(key.to_owned(), value).is_none(), "label twice: {line}");
            inner = after.strip_prefix(',').unwrap_or(after);
        }
        rest = &inner[1..];
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("no space before the value: {line}"));
    (name.to_owned(), labels, value.parse().unwrap_or_else(|_| panic!("not a number: {line}")))
}

/// Up to the closing quote, escapes undone, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match chars.next()?.1 {
                'n' => '\n',
                c @ ('\\' | '"') => c,
                _ => return None,
            }),
            c => value.push(c),
        }
    }
    None
}

fn is_name(name: &str, also: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || also.contains(c);
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(allowed)
}

//! Registers series with the exporter's recorder directly, so that several sets of families can live in one process.
//! Never touches the global recorder. Guards: every series is shown from the first scrape (a handle is made for each).

use metrics::{Counter, Gauge, Key, KeyName, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::PrometheusRecorder;

/// Where families are registered, one name at a time.
pub(crate) struct Desk<'a> {
    recorder: &'a PrometheusRecorder,
    /// In the order of the layout's cells.
    pub(crate) counters: Vec<Counter>,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(recorder: &'a PrometheusRecorder) -> Self {
        Self { recorder, counters: Vec::new() }
    }

    /// A counter family; `series` gives the label values in the order of the cells.
    pub(crate) fn counters<const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        keys: [&'static str; N],
        series: impl IntoIterator<Item = [String; N]>,
    ) {
        self.recorder.describe_counter(KeyName::from_const_str(name), None, help.into());
        for values in series {
            self.counters.push(self.recorder.register_counter(&key(name, keys, values), &METADATA));
        }
    }

    /// A gauge family.
    pub(crate) fn gauges<const N: usize>(
        &mut self,
        name: &'static str,
        help: &'static str,
        keys: [&'static str; N],
        series: impl IntoIterator<Item = [String; N]>,
    ) -> Vec<Gauge> {
        self.recorder.describe_gauge(KeyName::from_const_str(name), None, help.into());
        let register = |values| self.recorder.register_gauge(&key(name, keys, values), &METADATA);
        series.into_iter().map(register).collect()
    }
}

fn key<const N: usize>(name: &'static str, keys: [&'static str; N], values: [String; N]) -> Key {
    let labels: Vec<_> = keys.into_iter().zip(values).map(|(key, value)| Label::new(key, value)).collect();
    Key::from_parts(name, labels)
}

const METADATA: Metadata<'static> = Metadata::new("pointsman", Level::INFO, None);

//! Counters that a dashboard reads while a fleet runs.
//! Never locks; guards: each counter only grows, but for `connected` and `in_flight`.

use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering::Relaxed};
use terms::ResponseCode;

/// How far a run is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Phase {
    /// Connections come about.
    #[default]
    Connecting,
    /// Load that is not measured.
    WarmUp,
    /// Load that is measured.
    Measuring,
    /// Nothing new is sent; answers and reversals are waited for.
    Draining,
    /// Over.
    Ended,
}

/// Live counters of a run. All threads add to it once per batch; latencies are added one by one.
#[derive(Debug)]
pub struct LiveStats {
    /// Messages sent, repeats, reversals and sign-ins included.
    pub sent: AtomicU64,
    /// Transactions begun.
    pub begun: AtomicU64,
    /// Transactions that got their (first) answer in time.
    pub answered: AtomicU64,
    /// Of these, approved.
    pub approved: AtomicU64,
    /// Of these, declined.
    pub declined: AtomicU64,
    /// Transactions that got no answer in time.
    pub timeouts: AtomicU64,
    /// Reversals answered with 00.
    pub reversed: AtomicU64,
    /// Repeats that were answered as before.
    pub repeats_agreed: AtomicU64,
    /// Repeats that were answered differently: a mistake of the switch.
    pub repeats_contradicted: AtomicU64,
    /// Answers that nobody waited for any more.
    pub late: AtomicU64,
    /// Bytes from the switch that were no answer.
    pub violations: AtomicU64,
    /// Connections that broke.
    pub broken: AtomicU64,
    /// Connections ready for traffic.
    pub connected: AtomicI64,
    /// Transactions under way.
    pub in_flight: AtomicI64,
    phase: AtomicU8,
    codes: Box<[AtomicU64]>,
    latencies: Box<[AtomicU64]>,
}

impl Default for LiveStats {
    fn default() -> Self {
        let zeros = |len| (0..len).map(|_| AtomicU64::new(0)).collect();
        Self {
            sent: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            approved: AtomicU64::new(0),
            declined: AtomicU64::new(0),
            timeouts: AtomicU64::new(0),
            reversed: AtomicU64::new(0),
            repeats_agreed: AtomicU64::new(0),
            repeats_contradicted: AtomicU64::new(0),
            late: AtomicU64::new(0),
            violations: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            connected: AtomicI64::new(0),
            in_flight: AtomicI64::new(0),
            phase: AtomicU8::new(0),
            codes: zeros(CODES),
            latencies: zeros(LATENCIES),
        }
    }
}

impl LiveStats {
    /// How far the run is.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Relaxed) {
            0 => Phase::Connecting,
            1 => Phase::WarmUp,
            2 => Phase::Measuring,
            3 => Phase::Draining,
            _ => Phase::Ended,
        }
    }

    /// Declines by code, in the order of the codes.
    pub fn declined_by_code(&self) -> Vec<(ResponseCode, u64)> {
        let codes = self.codes.iter().enumerate();
        codes
            .filter_map(|(at, count)| Some((code_at(at), count.load(Relaxed))).filter(|one| one.1 > 0))
            .collect()
    }

    /// The latency in microseconds that so much (0.0 to 1.0) of the measured answers do not exceed, to an eighth; 0 without
    /// answers. The outcome has exact ones.
    pub fn latency_us(&self, share: f64) -> u64 {
        let counts: Vec<u64> = self.latencies.iter().map(|count| count.load(Relaxed)).collect();
        let wanted = (counts.iter().sum::<u64>() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let reached = |count: &u64| {
            seen += count;
            seen >= wanted
        };
        if wanted == 0 { 0 } else { counts.iter().position(reached).map_or(0, bucket_end) }
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
    }

    pub(crate) fn add_declined(&self, code: [u8; 2]) {
        self.codes[code_place(code)].fetch_add(1, Relaxed);
    }

    pub(crate) fn add_latency(&self, us: u64) {
        self.latencies[bucket(us)].fetch_add(1, Relaxed);
    }
}

/// Two characters of 0-9, A-Z; anything else counts as `??`.
fn code_place(code: [u8; 2]) -> usize {
    let digit = |byte: u8| (byte as char).to_digit(36);
    match (digit(code[0]), digit(code[1])) {
        (Some(high), Some(low)) => (high * 36 + low) as usize,
        _ => CODES - 1,
    }
}

fn code_at(place: usize) -> ResponseCode {
    if place == CODES - 1 {
        return ResponseCode::of("??");
    }
    let digit =
        |value: usize| char::from_digit(value as u32, 36).map_or('?', |digit| digit.to_ascii_uppercase());
    ResponseCode::of(&[digit(place / 36), digit(place % 36)].iter().collect::<String>())
}

/// Eight buckets for each power of two.
fn bucket(us: u64) -> usize {
    if us < 8 {
        return us as usize;
    }
    let power = us.ilog2() as usize;
    let eighth = (us >> (power - 3)) as usize & 7;
    ((power - 2) * 8 + eighth).min(LATENCIES - 1)
}

fn bucket_end(at: usize) -> u64 {
    if at < 8 {
        return at as u64;
    }
    let (power, eighth) = (at / 8 + 2, at as u64 % 8);
    ((9 + eighth) << (power - 3)) - 1
}

const CODES: usize = 36 * 36 + 1;
/// Up to 2^32 µs, over an hour.
const LATENCIES: usize = 31 * 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_meet() {
        for us in (0..5_000).chain([65_535, 65_536, 1_000_000]) {
            let at = bucket(us);
            assert!(us <= bucket_end(at), "{us}");
            assert!(at == 0 || us > bucket_end(at - 1), "{us}");
        }
    }

    #[test]
    fn codes_go_there_and_back() {
        for code in ["00", "51", "A0", "N7", "ZZ"] {
            let bytes = [code.as_bytes()[0], code.as_bytes()[1]];
            assert_eq!(code_at(code_place(bytes)).as_str(), code);
        }
        assert_eq!(code_at(code_place(*b"~1")).as_str(), "??");
    }

    #[test]
    fn a_percentile_is_found() {
        let stats = LiveStats::default();
        assert_eq!(stats.latency_us(0.5), 0);
        (1..=100).for_each(|us| stats.add_latency(us * 10));
        assert!((500..=575).contains(&stats.latency_us(0.5)));
    }
}

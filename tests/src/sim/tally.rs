//! What a run did: transactions, simulated time, faults by kind, rows of the failure matrix met.
//! Never decides anything. Guards: a row that stays 0 over a range of seeds is seen.

use super::flows::FLOWS;
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts of one run or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Transactions that terminals began.
    pub transactions: u64,
    /// Messages that the switch was sent, by anybody.
    pub messages: u64,
    /// Simulated time, microseconds.
    pub simulated_us: u64,
    /// Business days that began.
    pub business_days: u64,
    /// Open items of the books, where peers broke the rules.
    pub open_items: u64,
    /// Answers that issuers kept back past every deadline, and sent after all.
    pub late_answers: u64,
    /// Approvals by kind of transaction, as terminals heard them.
    pub approved: BTreeMap<&'static str, u64>,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Rows of the matrix by number.
    pub rows: BTreeMap<u8, u64>,
}

/// The rows of the failure matrix that a simulation meets, and what they are.
pub const ROWS: &[(u8, &str)] = &[
    (1, "issuer time-out"),
    (2, "late approval"),
    (3, "late decline"),
    (4, "no link before sending"),
    (5, "link lost after sending"),
    (6, "link flaps"),
    (7, "half-open issuer"),
    (8, "slow issuer"),
    (9, "answer that matches nothing"),
    (10, "duplicate answer"),
    (11, "answer with another amount"),
    (13, "91, 96 and unknown codes"),
    (14, "stand-in approval, then the issuer's"),
    (15, "0430 lost"),
    (18, "issuer's own messages"),
    (19, "terminal gone before the reply"),
    (20, "written, perhaps not read"),
    (21, "repeat in flight"),
    (22, "repeat after the answer"),
    (23, "same key, other content"),
    (24, "0400 in flight"),
    (25, "0400 before its 0200"),
    (26, "0400 of nothing"),
    (27, "0400 again"),
    (29, "reversal after cutover"),
    (33, "frame without end"),
    (34, "garbage"),
    (36, "half-open terminal"),
    (39, "killed before INTENT was durable"),
    (40, "killed between INTENT and OUTCOME"),
    (41, "killed after OUTCOME"),
    (42, "killed during recovery"),
    (43, "torn tail"),
    (45, "failed sync"),
    (46, "disk full"),
    (47, "disk stalls"),
    (48, "new segment"),
    (49, "two on one journal"),
    (51, "wall clock steps"),
    (52, "cutover"),
    (53, "STAN comes round, odd dates"),
    (54, "limits race"),
    (55, "limit released"),
    (56, "limits replayed are limits live"),
    (57, "held until the reversal is acknowledged"),
    (65, "drain"),
];

impl Tally {
    /// One more of a fault.
    pub fn fault(&mut self, kind: &'static str) {
        *self.faults.entry(kind).or_default() += 1;
    }

    /// So many more of a fault.
    pub fn faults_met(&mut self, kind: &'static str, times: u64) {
        if times > 0 {
            *self.faults.entry(kind).or_default() += times;
        }
    }

    /// A terminal was told that this is approved.
    pub fn approved(&mut self, kind: &'static str) {
        *self.approved.entry(kind).or_default() += 1;
    }

    /// Kinds of transaction that no terminal was told to be approved.
    pub fn never_approved(&self) -> Vec<&'static str> {
        let others =
            ["partial approval", "partial reversal", "settlement, equal", "settlement, different", "upload"];
        let kinds = FLOWS.iter().map(|flow| flow.name).chain(others);
        kinds.filter(|kind| !self.approved.contains_key(kind)).collect()
    }

    /// A row of the matrix was met.
    pub fn row(&mut self, row: u8) {
        self.rows_met(row, 1);
    }

    /// A row of the matrix was met so often.
    pub fn rows_met(&mut self, row: u8, times: u64) {
        *self.rows.entry(row).or_default() += times;
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.transactions += other.transactions;
        self.messages += other.messages;
        self.simulated_us += other.simulated_us;
        self.business_days += other.business_days;
        self.open_items += other.open_items;
        self.late_answers += other.late_answers;
        other.approved.iter().for_each(|(kind, count)| *self.approved.entry(kind).or_default() += count);
        other.faults.iter().for_each(|(kind, count)| *self.faults.entry(kind).or_default() += count);
        other.rows.iter().for_each(|(row, count)| *self.rows.entry(*row).or_default() += count);
    }

    /// Rows that were not met.
    pub fn missed(&self) -> Vec<(u8, &'static str)> {
        ROWS.iter().copied().filter(|(row, _)| self.rows.get(row).copied().unwrap_or(0) == 0).collect()
    }
}

//! Payloads put together from the page of records, for tests.

pub(crate) const INTENT: u8 = 1;
pub(crate) const OUTCOME: u8 = 2;
pub(crate) const OBLIGATION: u8 = 4;
pub(crate) const ACK: u8 = 5;
pub(crate) const LATE: u8 = 7;
pub(crate) const PARKED: u8 = 10;

/// What tells one test transaction from another.
#[derive(Clone, Copy)]
pub(crate) struct Sale {
    pub(crate) serial: u64,
    pub(crate) kind: u8,
    pub(crate) stan: u32,
    pub(crate) amount: u64,
    pub(crate) time: u32,
    pub(crate) rrn: [u8; 12],
    pub(crate) link_stan: u32,
    pub(crate) transmission: u32,
    pub(crate) day: u16,
    pub(crate) batch: u32,
}

impl Sale {
    pub(crate) fn number(number: u32) -> Self {
        let mut rrn = *b"326000000000";
        rrn[6..].copy_from_slice(format!("{number:06}").as_bytes());
        Self {
            serial: u64::from(number),
            kind: 0,
            stan: number,
            amount: 1250,
            time: 93_015,
            rrn,
            link_stan: 1000 + number,
            transmission: 1_122_013_015,
            day: 9458,
            batch: 0,
        }
    }
}

pub(crate) const ISSUER: u32 = 0xA11;
pub(crate) const LINK: u32 = 0xA12;
pub(crate) const CALENDAR: u32 = 0xA13;

fn little(out: &mut Vec<u8>, bytes: usize, number: u64) {
    out.extend_from_slice(&number.to_le_bytes()[..bytes]);
}

fn head(sale: &Sale) -> Vec<u8> {
    let mut out = Vec::new();
    little(&mut out, 8, sale.serial);
    little(&mut out, 8, 0x1122_3344_5566_7788);
    little(&mut out, 4, 9);
    out
}

fn follower(sale: &Sale) -> Vec<u8> {
    let mut out = head(sale);
    little(&mut out, 6, 4224);
    little(&mut out, 6, 1_763_774_115_000);
    out
}

pub(crate) fn intent(sale: &Sale) -> (u8, Vec<u8>) {
    let mut out = head(sale);
    little(&mut out, 4, 0);
    little(&mut out, 6, 1_763_774_115_000);
    out.extend_from_slice(&[sale.kind, 0]);
    out.extend_from_slice(&[0x5A; 16]);
    little(&mut out, 6, sale.amount);
    little(&mut out, 2, 156);
    little(&mut out, 4, u64::from(ISSUER));
    little(&mut out, 4, u64::from(LINK));
    little(&mut out, 3, u64::from(sale.link_stan));
    out.push(0);
    little(&mut out, 4, u64::from(sale.transmission));
    little(&mut out, 4, u64::from(CALENDAR));
    little(&mut out, 4, 0);
    little(&mut out, 2, u64::from(sale.day));
    little(&mut out, 2, 9458);
    out.extend_from_slice(&[0, 0]);
    little(&mut out, 2, 0x0200);
    little(&mut out, 3, u64::from(sale.stan));
    out.push(8 | 15 << 4);
    little(&mut out, 4, 0);
    little(&mut out, 3, u64::from(sale.time));
    out.push(8);
    little(&mut out, 2, 1122);
    out.extend_from_slice(&[0; 11]);
    little(&mut out, 3, u64::from(sale.batch));
    out.extend_from_slice(&sale.rrn);
    out.extend_from_slice(b"12345678T0000001M00000000000001");
    (INTENT, out)
}

/// `code`: the issuer's; without one a decline is our own.
pub(crate) fn outcome(sale: &Sale, state: u8, reason: u8, code: Option<&str>) -> (u8, Vec<u8>) {
    let mut out = follower(sale);
    out.extend_from_slice(&[state, u8::from(state == 2), reason]);
    out.push(if code.is_some() { 255 } else { 13 });
    let mut field = [0; 5];
    if let Some(code) = code {
        field[0] = code.len() as u8;
        field[1..1 + code.len()].copy_from_slice(code.as_bytes());
    }
    out.extend_from_slice(&field);
    out.extend_from_slice(&[0; 15]);
    (OUTCOME, out)
}

pub(crate) fn obligation(sale: &Sale, reason: u8) -> (u8, Vec<u8>) {
    owed(sale, reason, 1, 0)
}

/// A reversal of a part: `stays` is what remains.
pub(crate) fn part(sale: &Sale, stays: u64) -> (u8, Vec<u8>) {
    owed(sale, 0, 3, stays)
}

fn owed(sale: &Sale, reason: u8, what: u8, stays: u64) -> (u8, Vec<u8>) {
    let mut out = head(sale);
    little(&mut out, 6, 1_763_774_116_000);
    out.extend_from_slice(&[what, 1]);
    little(&mut out, 6, 4224);
    out.push(reason);
    out.extend_from_slice(&[0; 5]);
    out.extend_from_slice(&[255, 0, 0, 0, 0, 0]);
    little(&mut out, 8, 0);
    out.extend_from_slice(&[9; 28]);
    little(&mut out, 6, sale.amount);
    little(&mut out, 6, stays);
    out.push(1);
    out.extend_from_slice(&[7; 24]);
    (OBLIGATION, out)
}

pub(crate) fn ack(sale: &Sale) -> (u8, Vec<u8>) {
    acknowledged(sale, 5, None)
}

/// The issuer took a part back: `stays` stays approved.
pub(crate) fn ack_part(sale: &Sale, stays: u64) -> (u8, Vec<u8>) {
    acknowledged(sale, 2, Some(stays))
}

fn acknowledged(sale: &Sale, state: u8, stays: Option<u64>) -> (u8, Vec<u8>) {
    let mut out = follower(sale);
    out.push(state);
    out.extend_from_slice(b"\x0200\0\0");
    out.extend_from_slice(&[255, 0, 0, 0, 0, 0]);
    out.push(if stays.is_some() { 2 } else { 0 });
    out.extend_from_slice(&[0; 6]);
    little(&mut out, 6, stays.unwrap_or(0));
    (ACK, out)
}

pub(crate) fn parked(sale: &Sale) -> (u8, Vec<u8>) {
    let (_, mut out) = ack(sale);
    out.truncate(44);
    out[32] = 3;
    (PARKED, out)
}

/// The same of an advice: what stands goes on standing.
pub(crate) fn parked_advice(sale: &Sale) -> (u8, Vec<u8>) {
    let (kind, mut out) = parked(sale);
    out[32] |= 0x80;
    (kind, out)
}

pub(crate) fn late(sale: &Sale) -> (u8, Vec<u8>) {
    let mut out = follower(sale);
    out.extend_from_slice(&[1, 0]);
    out.extend_from_slice(b"\x0200\0\0");
    out.extend_from_slice(&[0; 12]);
    (LATE, out)
}

pub(crate) fn config() -> (u8, Vec<u8>) {
    let mut out = vec![0; 6];
    little(&mut out, 2, 2);
    out.extend_from_slice(&[0; 12]);
    out.extend_from_slice(b"issuer 00000a11 huaxia\nlink 00000a12 huaxia/one\ncalendar 00000a13 cn\n");
    (12, out)
}

/// The calendar's business day begins at `at`.
pub(crate) fn day(at: u64, day: u16) -> (u8, Vec<u8>) {
    let mut out = Vec::new();
    little(&mut out, 6, at);
    little(&mut out, 4, u64::from(CALENDAR));
    little(&mut out, 2, u64::from(day));
    (11, out)
}

/// What the terminal of all sales says at the end of its batch.
pub(crate) enum Batch<'a> {
    /// Results, the terminal's domestic debits, ours.
    Settled([u8; 2], (u64, u32), (u64, u32)),
    /// STAN and amount.
    Lines(&'a [(u32, u64)]),
    /// So many lines, 207 or 202.
    End(u32, bool),
}

pub(crate) fn batch(number: u32, says: &Batch<'_>) -> (u8, Vec<u8>) {
    let mut out = Vec::new();
    little(&mut out, 6, 1_763_774_117_000);
    little(&mut out, 8, 1);
    little(&mut out, 3, u64::from(number));
    match says {
        Batch::Settled(results, theirs, ours) => {
            out.extend_from_slice(&[1, results[0], results[1]]);
            little(&mut out, 2, 9458);
            for (amount, count) in [theirs, ours] {
                little(&mut out, 6, *amount);
                little(&mut out, 3, u64::from(*count));
                out.extend_from_slice(&[0; 27]);
            }
        }
        Batch::Lines(lines) => {
            out.extend_from_slice(&[2, lines.len() as u8]);
            for (stan, amount) in *lines {
                little(&mut out, 3, u64::from(*stan));
                little(&mut out, 6, *amount);
            }
        }
        Batch::End(count, equal) => {
            out.push(3);
            little(&mut out, 3, u64::from(*count));
            out.push(u8::from(*equal));
        }
    }
    for text in ["12345678", "T0000001", "M00000000000001"] {
        out.push(text.len() as u8);
        out.extend_from_slice(text.as_bytes());
    }
    (15, out)
}

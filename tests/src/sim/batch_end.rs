//! The end of a terminal's batch: its totals in a 0500, an upload in 0320s where they differ, then another batch number.
//!
//! Never decides that totals are equal: the switch's answer says so. Guards: a terminal that is sure of what it sold hears
//! "equal", and one that miscounts hears "different".

use super::sale::framed;
use super::till::{Doing, Till, View};
use crate::message::MARKET;
use terms::Answer;

/// How far the end of a batch is.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// The totals are told; so much is added to the debits that is not true.
    Totals(u64),
    /// Lines are told, from this one on.
    Lines(usize),
    /// All lines were told; whether the totals were equal.
    Over(bool),
}

/// Lines of one 0320.
const LINES: usize = 8;

impl Till {
    /// Whether its batch is to end now: it is long enough, or the day is over.
    pub(super) fn ends_batch(&self) -> bool {
        let full = self.roll.in_batch() as u64 >= self.manners.batch_sales;
        self.listener == 0 && (full || self.left == 0 && self.roll.in_batch() > 0)
    }

    pub(super) fn end_batch(&mut self, view: &mut View<'_>) {
        let miscounts = self.chance.per_mille(self.manners.miscounts);
        let added = if miscounts { self.chance.between(1, 5_000) } else { 0 };
        self.go_on(Ending::Totals(added), view);
    }

    /// One more message of the end, under a STAN of its own.
    fn go_on(&mut self, ending: Ending, view: &mut View<'_>) {
        // A STAN that comes round begins another batch; the end of this one keeps to its number.
        self.stan = self.stan % 999_999 + 1;
        self.doing = Doing::Ending(ending);
        self.say_ending(ending, view);
    }

    pub(super) fn say_ending(&mut self, ending: Ending, view: &mut View<'_>) {
        let (mti, code, text) = match ending {
            Ending::Totals(added) => (0x0500, 201, self.totals_text(added)),
            Ending::Lines(from) => (0x0320, 201, self.lines_text(from)),
            Ending::Over(equal) => {
                // Equal totals were followed by no lines.
                let (code, lines) = if equal { (207, 0) } else { (202, self.roll.lines().len()) };
                (0x0320, code, format!("{lines:04}"))
            }
        };
        let frame = framed(&self.speech, mti, |writer| {
            writer.number(11, u64::from(self.stan));
            writer.text(41, self.terminal.as_bytes()).text(42, MARKET.as_bytes());
            writer.text(48, text.as_bytes()).text(49, b"156");
            writer.text(60, format!("00{:06}{code}", self.batch).as_bytes());
        });
        self.say(frame, view);
    }

    fn totals_text(&self, added: u64) -> String {
        let ([(debits, sales), (credits, returns)], _) = self.roll.totals();
        format!("{:012}{sales:03}{credits:012}{returns:03}0{:030}0", debits + added, 0)
    }

    fn lines_text(&self, from: usize) -> String {
        let lines = self.roll.lines();
        let some = &lines[from.min(lines.len())..lines.len().min(from + LINES)];
        let line = |(stan, amount): &(u32, u64)| format!("00{stan:06}{:020}{amount:012}", 0);
        format!("{:02}{}", some.len(), some.iter().map(line).collect::<String>())
    }

    pub(super) fn batch_answered(
        &mut self,
        ending: Ending,
        answer: &Answer,
        totals: Option<&str>,
        view: &mut View<'_>,
    ) {
        match answer.code.as_str() {
            // Not for now: told again when patience ends.
            "96" => return,
            "00" => {}
            code => self.complain(&format!("{ending:?} of a batch was answered with {code}")),
        }
        match ending {
            Ending::Totals(added) => self.totals_answered(added, totals.unwrap_or_default(), view),
            Ending::Lines(from) if from + LINES < self.roll.lines().len() => {
                self.go_on(Ending::Lines(from + LINES), view);
            }
            Ending::Lines(_) => self.go_on(Ending::Over(false), view),
            Ending::Over(_) => {
                view.tally.approved("upload");
                self.begin_batch(view);
            }
        }
    }

    fn totals_answered(&mut self, added: u64, totals: &str, view: &mut View<'_>) {
        let result = totals.as_bytes().get(30).copied().unwrap_or_default();
        let (counted, sure) = self.roll.totals();
        let expected = if added == 0 { b'1' } else { b'2' };
        let sure = sure && !self.manners.breaks_rules && !self.manners.issuers_take_back;
        if sure && result != expected {
            self.complain(&format!("totals {counted:?} and {added} were answered with {totals}"));
        }
        view.tally.approved(if result == b'1' { "settlement, equal" } else { "settlement, different" });
        if result != b'1' {
            return self.go_on(Ending::Lines(0), view);
        }
        if self.chance.percent(30) {
            return self.go_on(Ending::Over(true), view);
        }
        self.begin_batch(view);
    }

    fn begin_batch(&mut self, view: &mut View<'_>) {
        self.next_batch();
        self.rest(view);
    }
}

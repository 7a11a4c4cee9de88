//! What a terminal makes of the answers it hears.
//!
//! Never says anything that no answer or its manners call for. Guards: what breaks a promise of the switch's is a complaint.

use super::till::{Doing, Till, View};
use books::shapes::TerminalState;
use terms::Answer;

/// 10 is a part.
fn is_approved(answer: &Answer) -> bool {
    matches!(answer.code.as_str(), "00" | "10")
}

impl Till {
    pub(super) fn answered(&mut self, answer: Answer, totals: Option<String>, view: &mut View<'_>) {
        let class = answer.mti.class_digit();
        if let Some(heard) = &mut view.heard {
            let Answer { mti, stan, code, .. } = &answer;
            heard.push(format!("{} hears {:04x} {:06} {code}", self.terminal, mti.bcd(), stan.get()));
        }
        if let Doing::Ending(ending) = self.doing {
            if answer.stan.get() == self.stan && matches!(class, 3 | 5) {
                self.batch_answered(ending, &answer, totals.as_deref(), view);
            }
            return;
        }
        if self.is_idle() || answer.stan.get() != self.sale().stan || matches!(class, 3 | 5) {
            return;
        }
        let to_reversal = class == 4;
        self.answers += u32::from(!to_reversal);
        match self.doing {
            Doing::Asking { .. } if !to_reversal => self.told_outcome(answer, view),
            Doing::Rechecking if !to_reversal => self.told_again(&answer, view),
            Doing::Contradicting if !to_reversal => self.told_contradiction(&answer, view),
            Doing::Ghost if !to_reversal => self.told_ghost(&answer, view),
            Doing::Reversing { .. } | Doing::Stray if to_reversal => self.told_reversed(&answer, view),
            Doing::Shrinking(stays) if to_reversal => self.told_part(stays, &answer, view),
            _ => {}
        }
    }

    fn told_outcome(&mut self, answer: Answer, view: &mut View<'_>) {
        let approved = is_approved(&answer);
        if answer.code.as_str() == "96" && self.sale().kind().advice {
            // What has happened is told until it is taken: asked again when patience ends.
            return;
        }
        let entry = &mut self.roll.entries[self.at];
        entry.code = Some(answer.code.as_str().to_owned());
        entry.rrn = answer.rrn.map(|rrn| String::from_utf8_lossy(rrn.as_bytes()).trim_end().to_owned());
        if !approved && self.copies > 1 && self.sale().kind().moves_money() {
            // One copy was declined, another may still be under way: only a reversal tells for sure.
            self.doing = Doing::Reversing { keeps_goods: false, then_ask: false, again: false };
            return self.say_reversal(view);
        }
        if !approved {
            self.ended(TerminalState::Declined);
            // The issuer's own decline is settled: asked again, it must be told again.
            if answer.code.as_str() == "51" && self.chance.per_mille(self.manners.rechecks) {
                view.tally.row(22);
                self.doing = Doing::Ghost;
                return self.say_request(view);
            }
            return self.rest(view);
        }
        self.told_approved(answer, view);
    }

    fn told_approved(&mut self, answer: Answer, view: &mut View<'_>) {
        let kind = self.sale().kind();
        view.tally.approved(kind.name);
        if self.sale().hopeless {
            self.complain(&format!("a {} that must be declined was approved", kind.name));
        }
        if answer.code.as_str() == "10" {
            let part = answer.amount.unwrap_or_default() as u64;
            if part == 0 || part >= self.sale().amount {
                self.complain(&format!("{part} were approved as a part of {}", self.sale().amount));
            }
            view.tally.approved("partial approval");
            self.roll.stands_for(self.at, part);
        }
        (self.told, self.told_in) = (Some(answer), view.life);
        self.ended(kind.approved());
        if !kind.moves_money() {
            return self.rest(view);
        }
        if self.may_break() && self.chance.percent(5) {
            self.ended(TerminalState::Declined);
            return self.rest(view);
        }
        self.after_approval(view);
    }

    fn after_approval(&mut self, view: &mut View<'_>) {
        if self.chance.per_mille(self.manners.rechecks) {
            view.tally.row(22);
            self.doing = Doing::Rechecking;
            self.maybe_reconnect(view);
            return self.say_request(view);
        }
        if self.chance.per_mille(self.manners.contradicts) {
            view.tally.row(23);
            self.doing = Doing::Contradicting;
            let frame = self.sale().contradiction(&self.speech);
            return self.say(frame, view);
        }
        if self.chance.per_mille(self.manners.voluntary) {
            let keeps_goods = self.may_break() && self.chance.percent(30);
            let again = self.chance.percent(30);
            self.doing = Doing::Reversing { keeps_goods, then_ask: false, again };
            return self.say_reversal(view);
        }
        self.rest(view);
    }

    fn told_again(&mut self, answer: &Answer, view: &mut View<'_>) {
        let said = |answer: &Answer| (answer.code, answer.rrn, answer.amount);
        match self.told {
            // A full disk or a failed journal may refuse for now.
            _ if answer.code.as_str() == "96" => {}
            Some(told) if said(&told) == said(answer) => {
                view.tally.rows_met(41, u64::from(self.told_in != view.life));
            }
            // What the issuer takes back by itself is not told again.
            _ if answer.code.as_str() == "94" && self.manners.issuers_take_back => {}
            told => {
                let told = told.map(|told| (told.code, told.rrn, told.amount, told.approval_code));
                let again = (answer.code, answer.rrn, answer.amount, answer.approval_code);
                self.complain(&format!("an approval told as {told:?} was told again as {again:?}"));
            }
        }
        if self.chance.per_mille(self.manners.voluntary) {
            self.doing = Doing::Reversing { keeps_goods: false, then_ask: false, again: false };
            return self.say_reversal(view);
        }
        self.rest(view);
    }

    /// Neither is it approved, nor is what was approved before told again for it.
    fn told_contradiction(&mut self, answer: &Answer, view: &mut View<'_>) {
        // An answer to an earlier copy of the request itself may still have been under way.
        let own = self.answers > self.copies || answer.amount == Some(self.sale().amount as i64 + 1);
        if is_approved(answer) && own {
            self.complain("another amount under the same key was approved");
        }
        self.rest(view);
    }

    fn told_ghost(&mut self, answer: &Answer, view: &mut View<'_>) {
        if is_approved(answer) {
            self.complain("what was reversed or declined was approved after all");
        }
        self.rest(view);
    }

    /// "Not for now": asked again when patience ends. A full disk alone is no reason to say so.
    fn told_busy(&mut self, view: &View<'_>) {
        if view.only_full_since.is_some_and(|since| (since..since + RESERVE_US).contains(&self.said_us)) {
            self.complain("a reversal was told 96 while nothing was wrong but a full disk");
        }
    }

    fn told_part(&mut self, stays: u64, answer: &Answer, view: &mut View<'_>) {
        match answer.code.as_str() {
            "96" => return,
            "00" => {
                view.tally.approved("partial reversal");
                self.roll.shrink(self.at, stays);
            }
            // Refused: it stands as it did, and the books will say so.
            _ => view.tally.approved("partial reversal, refused"),
        }
        self.rest(view);
    }

    fn told_reversed(&mut self, answer: &Answer, view: &mut View<'_>) {
        if answer.code.as_str() == "96" {
            return self.told_busy(view);
        }
        if !is_approved(answer) {
            self.complain(&format!("a reversal was refused with {}", answer.code));
        }
        let Doing::Reversing { keeps_goods, then_ask, again } = self.doing else { return self.rest(view) };
        self.ended(if keeps_goods { self.sale().kind().approved() } else { TerminalState::Reversed });
        if keeps_goods {
            self.roll.close(self.at);
        }
        if again {
            view.tally.row(27);
            self.doing = Doing::Reversing { keeps_goods, then_ask, again: false };
            return self.say_reversal(view);
        }
        let all_heard = self.copies == self.answers;
        if then_ask || (!keeps_goods && all_heard && self.chance.per_mille(self.manners.rechecks)) {
            self.doing = Doing::Ghost;
            return self.say_request(view);
        }
        self.rest(view);
    }
}

/// So long the reserve of a full disk lasts at any rate.
const RESERVE_US: u64 = 1_000_000;

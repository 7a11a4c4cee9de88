//! How one record changes the entry of its transaction.
//! Never corrects what it reads; guards: a record that does not follow from the ones before is a finding.

use super::*;

impl SwitchBook {
    pub(super) fn begin(&mut self, intent: &Intent) {
        let entry = Entry {
            serial: serial_text(intent.serial),
            acquirer: intent.acquirer.clone(),
            terminal: intent.terminal.clone(),
            merchant: intent.merchant.clone(),
            batch: intent.batch,
            stan: intent.stan,
            local_date: intent.local_date,
            local_time: intent.local_time,
            rrn: intent.rrn.clone(),
            terminal_rrn: intent.terminal_rrn.clone(),
            kind: intent.kind,
            debits: DEBITS.contains(&intent.kind),
            foreign: intent.foreign,
            credits: CREDITS.contains(&intent.kind),
            voided: false,
            completed: false,
            taken: 0,
            amount: money(intent.amount),
            approved_amount: None,
            currency: intent.currency,
            state: State::Open,
            issuer: self.name(intent.issuer),
            link: self.name(intent.link),
            link_stan: intent.link_stan,
            link_transmission: intent.link_transmission,
            issuer_day: intent.issuer_day,
            issuer_calendar: self.name(intent.issuer_calendar),
            taken_back_by: None,
            reversed_on: None,
            at: intent.at,
            cause: None,
            code: None,
            approval_code: None,
            reversal_reason: None,
            approval_seen: false,
            undelivered: false,
            settled: false,
            part_owed: false,
            undone: false,
            refused: false,
            parked: false,
            advised: None,
        };
        if !self.calendars.contains_key(&entry.issuer) {
            self.calendars.insert(entry.issuer.clone(), entry.issuer_calendar.clone());
        }
        if intent.batch != 0 {
            let Intent { acquirer, terminal, merchant, batch, .. } = intent;
            let key = (acquirer.clone(), terminal.clone(), merchant.clone(), *batch);
            self.by_batch.entry(key).or_default().push(intent.serial);
        }
        if self.transactions.insert(intent.serial, entry).is_some() {
            self.findings.push(format!("{}: two intents", serial_text(intent.serial)));
        }
    }

    /// Moves a transaction on; `None` (and a finding) if it does not exist. A state it should not come from is a finding.
    pub(super) fn follow(&mut self, serial: u64, record: &str, from: &[State], to: u8) -> Option<&mut Entry> {
        let finding = |what: &str| format!("{}: {record} {what}", serial_text(serial));
        let Some(entry) = self.transactions.get_mut(&serial) else {
            self.findings.push(finding("without an intent"));
            return None;
        };
        if !from.contains(&entry.state) {
            self.findings.push(finding(&format!("in state {:?}", entry.state)));
        }
        entry.state = state_of(to);
        if entry.state == State::Reversing {
            let told = self.days.get(&format!("{} (told)", entry.issuer));
            let today = self.days.get(&entry.issuer_calendar).max(told);
            entry.reversed_on = entry.reversed_on.or(today.copied());
        }
        Some(entry)
    }

    /// An operation changed how its original stands.
    pub(super) fn link(&mut self, linked: &Linked) {
        if !self.transactions.contains_key(&linked.operation) {
            self.findings.push(format!("{}: LINKED without an intent", serial_text(linked.operation)));
        }
        match linked.taken_back {
            true => self.operations.remove(&linked.operation),
            false => self.operations.insert(linked.operation, linked.original),
        };
        let Some(original) = self.transactions.get_mut(&linked.original) else {
            return self.findings.push(format!("{}: LINKED to no original", serial_text(linked.operation)));
        };
        (original.voided, original.completed) = (linked.voided, linked.completed);
        original.taken = money(linked.taken);
        original.taken_back_by = linked.taken_back.then_some(linked.operation);
    }

    /// Originals whose operations do not add up: what LINKED says was taken is not what stands.
    pub fn unlinked(&self) -> Vec<String> {
        let mut sums: BTreeMap<u64, i64> = BTreeMap::new();
        let mut odd = Vec::new();
        for (operation, original) in &self.operations {
            let Some(operation) = self.transactions.get(operation) else { continue };
            if !operation.stands() {
                odd.push(format!("{}: its effect stands, itself it does not", operation.serial));
            }
            let whole = WHOLE.contains(&operation.kind);
            *sums.entry(*original).or_default() += if whole { 0 } else { operation.final_amount() };
        }
        for (serial, entry) in &self.transactions {
            let sum = sums.get(serial).copied().unwrap_or(0);
            if sum != entry.taken {
                odd.push(format!("{}: {} taken, operations say {sum}", entry.serial, entry.taken));
            }
        }
        odd
    }

    /// A business day begins.
    pub(super) fn turn(&mut self, at: u64, calendar: u32, day: u16) {
        let calendar = self.name(calendar);
        self.turns.entry(calendar.clone()).or_default().insert(at, day);
        self.days.insert(calendar, day);
    }

    /// On which business day of an issuer something happened; `None` where the journal does not say.
    pub fn day_at(&self, issuer: &str, at: i64) -> Option<u16> {
        let turns = self.turns.get(self.calendars.get(issuer)?)?;
        turns.range(..=u64::try_from(at).ok()?).next_back().map(|(_, day)| *day)
    }

    pub(super) fn refuse(&mut self, refused: &Refused) {
        *self.refused.entry(refused.cause.unwrap_or(u8::MAX)).or_default() += 1;
    }

    pub(super) fn name(&self, number: u32) -> String {
        self.names.get(&number).cloned().unwrap_or_else(|| format!("#{number:08x}"))
    }
}

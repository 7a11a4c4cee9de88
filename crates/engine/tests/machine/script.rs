//! Tests as lines in a ledger; this knows the API.
//!
//! ```text
//! ceiling 100.00                          first line, the card's daily amount
//! 0200 stan=1 amount=60.00 -> 00          [term=1] [card=1]; `-> 00 replayed`: the issuer saw nothing; `-> nothing`
//! 0100 | balance | 0400 | 0420 | sign-on | echo ...
//! 0220 | 0221 | 0120 | notice stan=2 of=1 an offline sale; a completion told of | adjust stan=2 of=1 | 0620
//! stand-in 50.00 100.00                   the issuer's, of one purchase and of a card's day | stands 60.00: what it has approved
//! void | cancel | complete | unvoid | refund stan=2 of=1 amount=60.00   [class=1]: the original is a 0100
//! refund term=2 stan=2 of=1 at=1          its original was made at terminal 1: our RRN names it
//! settle 60.00 1 0.00 0 Equal             the totals of terminal 1: debits, credits; and how they compare | upload
//! slots 3 | live 0 | issuer part 40.00 | terminals take parts | quarantined 1
//! issuer answers advices with 51          or nothing
//! issuer echoes everything | echoes another card | gives no approval code | approval codes are required
//! issuer approves | declines 51 | says 68 | says ZZ | silent | amount 1.00 | rejects reversals with 30
//! late 00 stan=1                          the issuer answers a purchase that it kept silent about
//! issuer reverses stan=1 amount=60.00 -> 00   its own 0420 of what it was asked for [link=0] [replacement=10.00]
//! terminal hangs up                       the next approval cannot be delivered
//! wait 5000 | cutover | days 180 | restart | drain | drain over | disk full | disk gone (the reserve, too) | disk free | lost stan=1 | unsent stan=1 | links down | link 0 up
//! hold | commit                           records wait for their sync from one to the other
//! memory forgets | archive looks | archive rules it out | archive cannot say
//! spent 60.00 | owed 1 | sent 0200 0420   what must be true now
//! ```

use crate::builders::{answer, network, operation, purchase, request, reversal, slot, stand_in, token};
use crate::world::{Archive, Sent, World};
use engine::{Code, Event, Verdict};
use limits::LimitKey;
use std::collections::HashMap;
use terms::batch::{BatchSays, Side, Totals, UPLOAD_LINES_MAX, UploadLine};
use terms::{Check, Flags, IssuerIx, Kind, LinkIx, Minor, Mti, Now, OriginalRef, Request, SlotKey};

#[derive(Clone, PartialEq)]
enum Mood {
    Says(String),
    Silent,
    Amount(Minor),
    Part(Minor),
    /// Approves and echoes all that it was sent, but for this.
    Echoes(String),
    /// Approves without DE 38.
    Uncoded,
}

/// Room for everything, for what is owed, for nothing.
enum Disk {
    Free,
    Full,
    Gone,
}

pub struct Play {
    pub world: World,
    ceiling: Minor,
    mood: Mood,
    reversals: String,
    advices: String,
    disk: Disk,
    hold: bool,
    /// How much of `world.sent` the issuer has dealt with.
    seen: usize,
    /// What went out before the restarts.
    earlier: Vec<Sent>,
    /// How much of `world.sent` a `sent` line has looked at.
    shown: usize,
    unanswered: HashMap<u32, Sent>,
}

/// Plays a script; every mistake names its line.
#[track_caller]
pub fn check(script: &str) -> Play {
    let mut lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().and_then(|line| line.strip_prefix("ceiling ")).expect("a ceiling first");
    let mut play = Play::new(money(first));
    for line in lines {
        play.line(line);
    }
    play
}

impl Play {
    pub fn new(ceiling: Minor) -> Self {
        Self {
            world: World::new(ceiling),
            ceiling,
            mood: Mood::Says("00".into()),
            reversals: "00".into(),
            advices: "00".into(),
            disk: Disk::Free,
            hold: false,
            seen: 0,
            shown: 0,
            earlier: Vec::new(),
            unanswered: HashMap::new(),
        }
    }

    #[track_caller]
    fn line(&mut self, line: &str) {
        let (command, expected) = line.split_once("->").map_or((line, None), |(c, e)| (c, Some(e)));
        let words: Vec<&str> = command.split_whitespace().collect();
        self.world.said.clear();
        self.world.told_issuer.clear();
        match words[..] {
            ["issuer", "approves"] => self.mood = Mood::Says("00".into()),
            ["issuer", "declines" | "says", code] => self.mood = Mood::Says(code.into()),
            ["issuer", "silent"] => self.mood = Mood::Silent,
            ["issuer", "amount", amount] => self.mood = Mood::Amount(money(amount)),
            ["issuer", "part", amount] => self.mood = Mood::Part(money(amount)),
            ["issuer", "echoes", "another", field] => self.mood = Mood::Echoes(field.into()),
            ["issuer", "echoes", "everything"] => self.mood = Mood::Echoes(String::new()),
            ["issuer", "gives", "no", "approval", "code"] => self.mood = Mood::Uncoded,
            ["approval", "codes", "are", "required"] => {
                self.world.snapshot.issuers[0].require_approval_code = true;
            }
            ["terminals", "take", "parts"] => self.world.listener.partial_approvals = true,
            ["slots", count] => assert_eq!(self.world.slots, count.parse::<usize>().unwrap(), "{line}"),
            ["live", count] => {
                assert_eq!(self.world.engine.live(), count.parse::<usize>().unwrap(), "{line}");
            }
            ["quarantined", count] => {
                let parked = self.world.engine.quarantined(IssuerIx(0));
                assert_eq!(parked, count.parse::<usize>().unwrap(), "{line}");
            }
            ["issuer", "rejects", "reversals", "with", code] => self.reversals = code.into(),
            ["issuer", "answers", "advices", "with", code] => self.advices = code.into(),
            ["stand-in", single, daily] => {
                self.world.snapshot.issuers[0].stand_in = Some(stand_in(money(single), money(daily)));
            }
            ["stands", amount] => {
                let key = LimitKey::stand_in(&token(1), self.world.snapshot.calendars[0]);
                assert_eq!(self.world.store.spent(key, self.world.day).0, money(amount), "{line}");
            }
            ["issuer", "takes", "reversals"] => self.reversals = "00".into(),
            ["issuer", "reverses", ..] => self.recant(command),
            ["late", code, stan] => self.late(code, number(stan)),
            ["lost", stan] => self.lost(number(stan)),
            ["unsent", stan] => self.unsent(number(stan)),
            ["terminal", "hangs", "up"] => self.world.undelivered = true,
            ["wait", ms] => self.world.advance(ms.parse().unwrap()),
            ["clock", "ahead", hours] => {
                let Now { tick, wall_ms, .. } = self.world.now;
                self.world.now = Now::at(tick, wall_ms + hours.parse::<i64>().unwrap() * 3_600_000);
            }
            ["cutover"] => self.world.day = self.world.day.next(),
            ["settle", debits, count, credits, credited, expected] => {
                let side =
                    |amount: &str, count: &str| Side { amount: money(amount), count: count.parse().unwrap() };
                let domestic = Totals { debits: side(debits, count), credits: side(credits, credited) };
                self.batch(Kind::Settlement, &BatchSays::Totals([domestic, Totals::default()]));
                self.settle();
                let compared = self.world.said.last().and_then(|said| said.reply.compared);
                assert_eq!(
                    compared.map(|both| format!("{:?}", both[0])).as_deref(),
                    Some(expected),
                    "{line}"
                );
            }
            ["upload"] => self.batch(
                Kind::BatchUpload,
                &BatchSays::Lines {
                    lines: [UploadLine { stan: 1, amount: 6_000 }; UPLOAD_LINES_MAX],
                    count: 1,
                },
            ),
            ["days", days] => self.world.day.0 += days.parse::<u16>().unwrap(),
            ["restart"] => self.restart(),
            ["drain"] => _ = self.world.event(Event::Drain),
            ["drain", "over"] => _ = self.world.event(Event::DrainOver),
            ["disk", "full"] => self.disk = Disk::Full,
            ["disk", "gone"] => self.disk = Disk::Gone,
            ["disk", "free"] => self.disk = Disk::Free,
            ["hold"] => self.hold = true,
            ["commit"] => self.hold = false,
            ["links", "down"] => self.world.links.fill(false),
            ["link", link, "up"] => self.link_up(link.parse().unwrap()),
            ["archive", "rules", "it", "out"] => self.world.archive = Archive::RulesOut,
            ["archive", "cannot", "say"] => self.world.archive = Archive::CannotSay,
            ["archive", "looks"] => self.world.archive = Archive::Looks,
            ["memory", "forgets"] => self.forget(),
            ["spent", amount] => assert_eq!(self.world.spent(1).0, money(amount), "{line}"),
            ["owed", count] => {
                assert_eq!(self.world.engine.owed(IssuerIx(0)), count.parse::<usize>().unwrap(), "{line}");
            }
            ["sent", ref expected @ ..] => assert_eq!(self.sent(), expected.join(" "), "{line}"),
            ["journaled"] => self.world.assert_journaled(),
            ["quiet"] => self.world.assert_quiet(),
            _ => _ = self.world.ask(&self.read(command)),
        }
        self.settle();
        let Some(expected) = expected else { return };
        let replayed = expected.contains("replayed");
        let code = expected.split_whitespace().next().unwrap();
        assert_eq!(self.said(), code, "{line}");
        assert!(!replayed || self.sent().is_empty(), "{line}: the issuer must not see it");
    }

    fn batch(&mut self, kind: Kind, says: &BatchSays) {
        let mut request = network(kind, 1);
        request.mti = Mti::of(if kind == Kind::Settlement { 0x0500 } else { 0x0320 });
        self.world.say(&request, says);
    }

    fn read(&self, words: &str) -> Request {
        let mut pairs = HashMap::new();
        let mut name = "";
        for word in words.split_whitespace() {
            match word.split_once('=') {
                Some((key, value)) => drop(pairs.insert(key, value)),
                None => name = word,
            }
        }
        let get = |key: &str, default: u32| pairs.get(key).map_or(default, |value| value.parse().unwrap());
        let amount = pairs.get("amount").map(|amount| money(amount));
        let (term, stan, card) = (get("term", 1) as u16, get("stan", 1), get("card", 1) as u16);
        let whole = amount.unwrap_or(0);
        let mut message = match name {
            "0200" => purchase(term, stan, whole, card),
            "0201" => Request { mti: Mti::of(0x0201), ..purchase(term, stan, whole, card) },
            "0120" | "0121" | "0220" | "0221" => {
                let bcd = u16::from_str_radix(name, 16).unwrap();
                request(Mti::of(bcd), Kind::OfflineSale, term, stan, whole, card)
            }
            "void" | "cancel" | "complete" | "notice" | "unvoid" | "adjust" | "refund" => {
                let class =
                    get("class", if matches!(name, "cancel" | "complete" | "notice") { 1 } else { 2 });
                let mti = if class == 1 { 0x0100 } else { 0x0200 };
                let original = request(Mti::of(mti), Kind::Purchase, term, get("of", 1), 1, card);
                let (mti, kind) = match name {
                    "void" => (0x0200, Kind::PurchaseVoid),
                    "cancel" => (0x0100, Kind::PreAuthCancel),
                    "complete" => (0x0200, Kind::Completion),
                    "notice" => (0x0220, Kind::CompletionAdvice),
                    "unvoid" => (0x0200, Kind::CompletionVoid),
                    "adjust" => (0x0220, Kind::Adjustment),
                    _ => (0x0220, Kind::Refund),
                };
                operation(Mti::of(mti), kind, &original, stan, whole, card)
            }
            "0100" => request(Mti::of(0x0100), Kind::PreAuth, term, stan, whole, card),
            "0620" => request(Mti::of(0x0620), Kind::ScriptResult, term, stan, whole, card),
            "unknown" => request(Mti::of(0x0200), Kind::Unknown, term, stan, whole, card),
            "balance" => request(Mti::of(0x0200), Kind::Balance, term, stan, 0, card),
            "0400" | "0401" | "0420" | "0421" => {
                let bcd = u16::from_str_radix(name, 16).unwrap();
                let mti = Mti::of(if get("class", 2) == 1 { 0x0100 } else { 0x0200 });
                let original = request(mti, Kind::Purchase, term, stan, whole, card);
                Request { mti: Mti::of(bcd), ..reversal(&original) }
            }
            "sign-on" => network(Kind::SignOn, term),
            "echo" => network(Kind::Echo, term),
            "sign-off" => network(Kind::SignOff, term),
            "keys" => network(Kind::NetworkOther, term),
            other => panic!("unknown line {other:?}"),
        };
        if pairs.contains_key("at") {
            let (made, of) = (slot(get("at", 1) as u16, get("of", 1)), slot(term, get("of", 1)));
            message.rrn = self.rrn_of(|sent| sent.request.slot == made);
            let (repeat, alias) = (Check::ANY, Check::ANY);
            message.original = Some(OriginalRef { slot: of, repeat, alias, class: 0 });
        }
        if let Some(part) = pairs.get("replacement") {
            message.replacement_amount = money(part);
            message.flags = message.flags.with(Flags::REPLACEMENT);
        }
        if let Some(entry) = pairs.get("entry") {
            message.entry_mode = terms::EntryMode(entry.parse().unwrap());
        }
        if pairs.contains_key("pin") {
            message.flags = message.flags.with(Flags::PIN);
        }
        if let Some(pan) = pairs.get("pan") {
            message.pan = terms::Pan::new(pan.as_bytes());
        }
        if let Some(expiry) = pairs.get("expiry") {
            message.expiry = terms::Expiry::new(expiry.parse().unwrap());
        }
        message
    }

    /// Commits and lets the issuer answer until nothing moves.
    fn settle(&mut self) {
        while !self.hold {
            match self.disk {
                Disk::Free => self.world.commit(),
                Disk::Full => self.world.commit_full(true),
                Disk::Gone => self.world.commit_full(false),
            }
            let Some(sent) = self.world.sent.get(self.seen).copied() else { break };
            self.seen += 1;
            self.deal_with(sent);
        }
    }

    fn deal_with(&mut self, sent: Sent) {
        if sent.reversal {
            let code = if sent.advice { self.advices.clone() } else { self.reversals.clone() };
            if code != "nothing" {
                let answer = answer(&sent.request, &code);
                self.world.issuer_says(&sent, &answer, verdict(&code));
            }
            return;
        }
        match self.mood.clone() {
            Mood::Silent => drop(self.unanswered.insert(sent.request.stan.get(), sent)),
            Mood::Says(code) => {
                self.world.issuer_says(&sent, &answer(&sent.request, &code), verdict(&code));
            }
            Mood::Echoes(other) => {
                self.world.issuer_says(&sent, &echo(&sent, &other), Verdict::Approves);
            }
            Mood::Uncoded => {
                let answer = terms::Answer { approval_code: None, ..answer(&sent.request, "00") };
                self.world.issuer_says(&sent, &answer, Verdict::Approves);
            }
            Mood::Amount(amount) | Mood::Part(amount) => {
                let code = if matches!(self.mood, Mood::Part(_)) { "10" } else { "00" };
                let mut answer = answer(&sent.request, code);
                answer.amount = Some(amount);
                self.world.issuer_says(&sent, &answer, Verdict::Approves);
            }
        }
    }

    /// Our reference of the last thing that went out and is meant, restarts or no.
    fn rrn_of(&self, meant: impl Fn(&Sent) -> bool) -> Option<terms::Rrn> {
        let mut sent = self.earlier.iter().chain(&self.world.sent);
        sent.rfind(|sent| meant(sent)).map(|sent| sent.rrn)
    }

    /// What the issuer is told comes as what is said.
    fn recant(&mut self, words: &str) {
        let (_, words) = words.split_once("reverses").unwrap();
        let link = words.split_whitespace().find_map(|word| word.strip_prefix("link="));
        let reversal = self.read(&format!("0420 {words}"));
        let original = reversal.original.unwrap().slot;
        let class = if words.contains("class=1") { 1 } else { 2 };
        let same = |sent: &Sent| {
            let request = &sent.request;
            !sent.reversal && request.slot == original && request.mti.class_digit() == class
        };
        let rrn = self.rrn_of(same);
        self.world.told_issuer.clear();
        let link = link.map_or(0, |link| link.parse().unwrap());
        self.world.issuer_reverses(link, &Request { rrn, ..reversal }, &[SlotKey(1), original]);
    }

    fn late(&mut self, code: &str, stan: u32) {
        let sent = *self.unanswered.get(&stan).expect("an unanswered request");
        self.world.issuer_says(&sent, &answer(&sent.request, code), verdict(code));
    }

    fn lost(&mut self, stan: u32) {
        let txn = self.unanswered[&stan].txn;
        self.world.event(Event::LinkLost { txn, reversal: false });
    }

    fn unsent(&mut self, stan: u32) {
        let txn = self.unanswered[&stan].txn;
        self.world.event(Event::NotSent { txn });
    }

    fn link_up(&mut self, link: u16) {
        self.world.links[usize::from(link)] = true;
        self.world.event(Event::LinkChanged { link: LinkIx(link), up: true });
    }

    fn restart(&mut self) {
        let Self { world, ceiling, mut earlier, .. } = std::mem::replace(self, Self::new(1));
        earlier.extend(&world.sent);
        *self = Self { world: world.restart(ceiling), ceiling, earlier, ..Self::new(1) };
    }

    /// Eleven minutes and some traffic of others, three times: the index drops what is settled.
    fn forget(&mut self) {
        for terminal in 900..903 {
            self.world.advance(700_000);
            self.world.ask(&purchase(terminal, 1, 1, 9));
            self.world.commit();
            let sent = *self.world.sent.last().unwrap();
            self.world.issuer_says(&sent, &answer(&sent.request, "00"), Verdict::Approves);
            self.world.commit();
        }
        (self.seen, self.shown) = (self.world.sent.len(), self.world.sent.len());
    }

    fn said(&self) -> String {
        let said = self.world.said.iter().map(|said| said.reply.code);
        let codes: Vec<String> = said.chain(self.world.told_issuer.iter().copied()).map(render).collect();
        if codes.is_empty() { "nothing".into() } else { codes.join("+") }
    }

    fn sent(&mut self) -> String {
        let new = &self.world.sent[self.shown..];
        let names: Vec<&str> = new
            .iter()
            .map(|sent| match (sent.reversal, sent.repeat) {
                (true, false) if sent.advice => "0220",
                (true, true) if sent.advice => "0221",
                (false, _) => "0200",
                (true, false) => "0420",
                (true, true) => "0421",
            })
            .collect();
        let names = names.join(" ");
        self.shown = self.world.sent.len();
        names
    }
}

/// An approval that carries all it can, of which `other` is somebody else's.
fn echo(sent: &Sent, other: &str) -> terms::Answer {
    let request = &sent.request;
    let mut echo = answer(request, "00");
    (echo.rrn, echo.processing_code) = (Some(sent.rrn), Some(request.processing_code));
    (echo.currency, echo.merchant) = (Some(request.currency), Some(request.merchant));
    match other {
        "" => {}
        "card" => echo.pan = terms::Pan::new(b"4000000000009999"),
        "rrn" => echo.rrn = Some(terms::Rrn::issue(1, 99, 99)),
        "processing-code" => echo.processing_code = Some(terms::ProcessingCode(200_000)),
        "currency" => echo.currency = terms::Currency::new(840),
        "terminal" => echo.terminal = Some(terms::Text::cut("T9999999")),
        "merchant" => echo.merchant = Some(terms::Text::cut("M99999999999999")),
        field => panic!("no such field {field:?}"),
    }
    echo
}

/// As ISO 8583:1987 would show it.
pub fn render(code: Code) -> String {
    match code {
        Code::Wire(code) => code.to_string(),
        Code::Internal(cause) => cause.iso_code().into(),
    }
}

fn verdict(code: &str) -> Verdict {
    match code {
        "00" | "10" => Verdict::Approves,
        "09" | "68" => Verdict::InDoubt,
        "51" | "05" | "55" | "30" | "91" | "96" => Verdict::Declines,
        _ => Verdict::Neither,
    }
}

fn money(text: &str) -> Minor {
    text.replace('.', "").parse().unwrap()
}

fn number(pair: &str) -> u32 {
    pair.split_once('=').map_or(pair, |(_, value)| value).parse().unwrap()
}

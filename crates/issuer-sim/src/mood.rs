//! Moods: what makes an issuer answer otherwise than its accounts say, and how.
//! Never looks at a socket or a clock; guards: the first mood that fits wins, and finding none costs one look-up.

use crate::random::Random;
use core::time::Duration;
use terms::{Kind, Minor, Pan, Request, ResponseCode};

/// What an issuer does instead of, or beside, its usual answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// Approves without asking the account (it is charged all the same, below its credit line if need be).
    Approve,
    /// Declines with this code, which need not be one that the dialect knows.
    Decline(ResponseCode),
    /// Decides and books at once, answers after this time: slow, or too late for whoever waits.
    Delay(Duration),
    /// Decides and books, and never answers.
    Drop,
    /// Never got the message: books nothing, answers nothing.
    Lose,
    /// Answers twice.
    Twice,
    /// Decides and books; the answer says this code instead, whatever became of the money.
    Say(ResponseCode),
    /// Decides and books; the answer is a frame of noise.
    Garbage,
    /// The answer says one minor unit more than was asked (and booked).
    WrongAmount,
    /// The answer carries the next STAN.
    WrongStan,
    /// The answer names another card.
    WrongCard,
    /// The answer names another currency.
    WrongCurrency,
    /// The answer names another RRN.
    WrongRrn,
    /// Approves half of a purchase or a hold, and says so (10).
    Part,
    /// The answer has no DE 41.
    NoTerminal,
    /// Declines it (51); the answer is the approval of somebody else's: another DE 37.
    Crossed,
    /// Answers, then signs off; whatever follows is declined until the next sign-on.
    SignOff,
    /// Answers; what it approved it then takes back by itself, with a 0420 of its own.
    TakeBack,
}

/// How late an answer is that is only said to be "late": past every usual deadline (28 s to 60 s).
pub const LATE: Duration = Duration::from_secs(65);

/// The last digits of a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ending {
    value: u64,
    modulus: u64,
}

impl Ending {
    /// From one to eighteen decimal digits.
    pub fn new(digits: &str) -> Option<Self> {
        let good = (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let value = digits.parse().ok().filter(|_| good)?;
        Some(Self { value, modulus: 10_u64.pow(digits.len() as u32) })
    }

    /// Whether `number` ends so; zeros are thought in front of a short one.
    pub const fn fits(self, number: u64) -> bool {
        number % self.modulus == self.value
    }

    /// Whether a number whose last two digits are `cents` can end so.
    const fn allows_cents(self, cents: u64) -> bool {
        if self.modulus == 10 { cents % 10 == self.value } else { self.value % 100 == cents }
    }
}

/// When a mood applies: all that is said must hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct When {
    /// Exactly this card.
    pub card: Option<Pan>,
    /// Cards that end so.
    pub card_ends: Option<Ending>,
    /// Exactly this amount, minor units.
    pub amount: Option<Minor>,
    /// Amounts (minor units) that end so.
    pub amount_ends: Option<Ending>,
    /// This kind only. Without it: everything but reversals and network management.
    pub kind: Option<Kind>,
    /// So many in a million, by the issuer's seed.
    pub per_million: Option<u32>,
}

/// One rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mood {
    /// When it applies.
    pub when: When,
    /// What happens then.
    pub act: Act,
}

impl Mood {
    /// Always, until a condition is added.
    pub fn new(act: Act) -> Self {
        Self { when: When::default(), act }
    }

    /// Declines with `code` (cut to four bytes).
    pub fn decline(code: &str) -> Self {
        Self::new(Act::Decline(ResponseCode::of(code)))
    }

    /// Only this card, 8 to 19 digits.
    /// # Panics
    /// If it is no card number: a mistake of the one who writes the rule.
    #[must_use]
    pub fn card(mut self, digits: &str) -> Self {
        self.when.card = Some(Pan::new(digits.as_bytes()).expect("a card number of 8 to 19 digits"));
        self
    }

    /// Only cards that end with `digits`.
    /// # Panics
    /// If they are no digits.
    #[must_use]
    pub fn card_ends(mut self, digits: &str) -> Self {
        self.when.card_ends = Some(Ending::new(digits).expect("one to eighteen digits"));
        self
    }

    /// Only this amount, minor units.
    #[must_use]
    pub fn amount(mut self, minor: Minor) -> Self {
        self.when.amount = Some(minor);
        self
    }

    /// Only amounts (minor units) that end with `digits`.
    /// # Panics
    /// If they are no digits.
    #[must_use]
    pub fn amount_ends(mut self, digits: &str) -> Self {
        self.when.amount_ends = Some(Ending::new(digits).expect("one to eighteen digits"));
        self
    }

    /// Only this kind.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.when.kind = Some(kind);
        self
    }

    /// Only so many in a million.
    #[must_use]
    pub fn per_million(mut self, rate: u32) -> Self {
        self.when.per_million = Some(rate);
        self
    }
}

impl When {
    fn fits(&self, request: &Request, random: &mut Random) -> bool {
        let kind = match self.kind {
            Some(kind) => kind == request.kind,
            None => request.kind != Kind::Reversal && !request.kind.is_network(),
        };
        let card = request.pan.map(|pan| pan.parts().0);
        kind && self.card.is_none_or(|card| Some(card) == request.pan)
            && self.card_ends.is_none_or(|end| card.is_some_and(|card| end.fits(card)))
            && self.amount.is_none_or(|amount| amount == request.amount)
            && self.amount_ends.is_none_or(|end| end.fits(request.amount.unsigned_abs()))
            && self.per_million.is_none_or(|rate| random.hits(rate))
    }
}

/// Declines by the last two digits of the amount, one for each code of the trade: an amount that ends in 51 is declined
/// with 51. Every cause a merchant can be told is among them; an amount that ends in 00 is always left alone.
pub fn standard_moods() -> Vec<Mood> {
    STANDARD.iter().map(|code| Mood::decline(code).amount_ends(code)).collect()
}

/// Moods in the order they were given, with a short cut by the last two digits of the amount.
#[derive(Clone, Debug)]
pub(crate) struct Moods {
    rules: Vec<Mood>,
    /// First rule that an amount with these two last digits can meet.
    first: Box<[u16; 100]>,
}

impl Moods {
    /// Rules over [`MOODS_MAX`] are cut off; the configuration refuses them before.
    pub(crate) fn new(mut rules: Vec<Mood>) -> Self {
        rules.truncate(MOODS_MAX);
        let mut first = Box::new([0; 100]);
        for (cents, slot) in (0..).zip(first.iter_mut()) {
            let meets = |mood: &Mood| mood.when.amount_ends.is_none_or(|end| end.allows_cents(cents));
            *slot = rules.iter().position(meets).unwrap_or(rules.len()) as u16;
        }
        Self { rules, first }
    }

    pub(crate) fn find(&self, request: &Request, random: &mut Random) -> Option<Act> {
        let first = self.first[(request.amount.unsigned_abs() % 100) as usize];
        let rules = &self.rules[usize::from(first)..];
        rules.iter().find(|mood| mood.when.fits(request, random)).map(|mood| mood.act)
    }
}

/// Rules an issuer can have.
pub(crate) const MOODS_MAX: usize = 10_000;

const STANDARD: [&str; 25] = [
    "01", "03", "04", "05", "12", "13", "14", "30", "41", "43", "51", "54", "55", "57", "58", "59", "61",
    "62", "63", "65", "68", "75", "91", "92", "96",
];

#[cfg(test)]
mod tests {
    use super::*;
    use terms::{Mti, Stan};

    fn asks(amount: Minor, card: &str) -> Request {
        let mut request = Request::new(Mti::of(0x0200), Kind::Purchase, Stan::MIN);
        (request.amount, request.pan) = (amount, Pan::new(card.as_bytes()));
        request
    }

    #[test]
    fn the_first_that_fits_wins() {
        let rules = vec![
            Mood::decline("62").card_ends("0113"),
            Mood::decline("51").amount_ends("51"),
            Mood::new(Act::Drop).amount_ends("7"),
            Mood::decline("61").amount(100_100),
        ];
        let (moods, mut random) = (Moods::new(rules), Random::new(1));
        for (amount, card, expected) in [
            (51, "6224242900000113", Some("62")),
            (1_051, "6224242900000999", Some("51")),
            (100_100, "6224242900000999", Some("61")),
            (100, "6224242900000999", None),
        ] {
            let code = |act| if let Act::Decline(code) = act { code.to_string() } else { format!("{act:?}") };
            let found = moods.find(&asks(amount, card), &mut random).map(code);
            assert_eq!(found.as_deref(), expected, "{amount}");
        }
        assert_eq!(moods.find(&asks(107, "6224242900000999"), &mut random), Some(Act::Drop));
    }

    #[test]
    fn a_rate_is_kept() {
        let moods = Moods::new(vec![Mood::new(Act::Drop).per_million(250_000)]);
        let mut random = Random::new(7);
        let dropped =
            (0..10_000).filter(|_| moods.find(&asks(100, "62242429"), &mut random).is_some()).count();
        assert!((2_300..2_700).contains(&dropped), "{dropped}");
    }

    #[test]
    fn endings_are_digits() {
        assert!(Ending::new("").is_none() && Ending::new("5x").is_none() && Ending::new("+5").is_none());
        assert!(Ending::new("051").unwrap().fits(1_051) && !Ending::new("051").unwrap().fits(151));
        assert!(Ending::new("051").unwrap().allows_cents(51));
    }
}

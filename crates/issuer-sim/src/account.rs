//! Cardholders' accounts: what they have, may owe, and why they may not pay.
//! Never forgets a movement: money moves only through [`Accounts::charge`] and [`Accounts::give_back`].
//! Guards: nothing is charged below the credit line unless the caller insists; the sum of movements is the ledger's.

use crate::config::UnknownCards;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use terms::{Expiry, Minor, Pan, ResponseCode};

/// One account in one currency; amounts are taken as minor units of it, whatever currency a message names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Account {
    /// Minor units; negative when the credit line is in use.
    pub balance: Minor,
    /// How far below zero the balance may go.
    pub credit_line: Minor,
    /// Expiry on the card; a message that shows another, or a day after it, is declined with 54.
    pub expiry: Option<Expiry>,
    /// Whether it may pay at all.
    pub status: Status,
    /// Most for one transaction; above it 61.
    pub single_limit: Option<Minor>,
}

/// Whether an account may pay.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It may.
    #[default]
    Active,
    /// Restricted by the issuer: 62.
    Blocked,
    /// 41.
    Lost,
    /// 43.
    Stolen,
    /// Too many wrong PINs: 75.
    PinBlocked,
    /// Suspected of fraud: 59.
    Suspected,
    /// No longer an account: 14.
    Closed,
}

impl Account {
    /// An active account with `balance` and no credit.
    pub const fn with_balance(balance: Minor) -> Self {
        Self { balance, credit_line: 0, expiry: None, status: Status::Active, single_limit: None }
    }

    /// What could still be spent.
    pub const fn available(&self) -> Minor {
        self.balance.saturating_add(self.credit_line)
    }

    /// Why it would not pay `amount`; `None` if it would.
    fn objection(&self, amount: Minor, shown: Option<Expiry>, yymm: u16) -> Option<&'static str> {
        if let Some(code) = self.status.code() {
            return Some(code);
        }
        if let Some(expiry) = self.expiry
            && (expiry.is_past(yymm) || shown.is_some_and(|shown| shown != expiry))
        {
            return Some("54");
        }
        if self.single_limit.is_some_and(|limit| amount > limit) {
            return Some("61");
        }
        (amount > self.available()).then_some("51")
    }
}

impl Status {
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Active => None,
            Self::Blocked => Some("62"),
            Self::Lost => Some("41"),
            Self::Stolen => Some("43"),
            Self::PinBlocked => Some("75"),
            Self::Suspected => Some("59"),
            Self::Closed => Some("14"),
        }
    }
}

/// What is asked of an account.
#[derive(Clone, Copy)]
pub(crate) struct Charge {
    pub pan: Pan,
    pub amount: Minor,
    pub expiry: Option<Expiry>,
    /// YYMM of today.
    pub yymm: u16,
    /// Advices and moods that approve: the money has gone already.
    pub insist: bool,
}

/// All accounts of one issuer.
#[derive(Debug)]
pub(crate) struct Accounts {
    held: HashMap<Pan, Account, BuildHasherDefault<Mixer>>,
    unknown: UnknownCards,
    bins: Vec<String>,
}

impl Accounts {
    pub(crate) fn new(given: &[(Pan, Account)], unknown: UnknownCards, bins: Vec<String>) -> Self {
        Self { held: given.iter().copied().collect(), unknown, bins }
    }

    /// Takes the money, or says with which code it will not be given.
    pub(crate) fn charge(&mut self, charge: &Charge) -> Result<(), ResponseCode> {
        let account = self.touch(charge.pan)?;
        if !charge.insist
            && let Some(code) = account.objection(charge.amount, charge.expiry, charge.yymm)
        {
            return Err(ResponseCode::of(code));
        }
        account.balance = account.balance.checked_sub(charge.amount).ok_or_else(|| ResponseCode::of("13"))?;
        Ok(())
    }

    /// Puts money back.
    pub(crate) fn give_back(&mut self, pan: Pan, amount: Minor) -> Result<(), ResponseCode> {
        let account = self.touch(pan)?;
        account.balance = account.balance.checked_add(amount).ok_or_else(|| ResponseCode::of("13"))?;
        Ok(())
    }

    /// What an account could spend, if it may be asked at all.
    pub(crate) fn inquire(&mut self, charge: &Charge) -> Result<Minor, ResponseCode> {
        let account = self.touch(charge.pan)?;
        match account.objection(0, charge.expiry, charge.yymm).filter(|code| *code != "51") {
            Some(code) => Err(ResponseCode::of(code)),
            None => Ok(account.available()),
        }
    }

    pub(crate) fn get(&self, pan: Pan) -> Option<&Account> {
        self.held.get(&pan)
    }

    pub(crate) fn set(&mut self, pan: Pan, account: Account) {
        self.held.insert(pan, account);
    }

    /// The account of a card; opens one where the policy says so.
    fn touch(&mut self, pan: Pan) -> Result<&mut Account, ResponseCode> {
        let known = self.held.len();
        // Entry takes one look-up for cards that are there, which is nearly always.
        match self.held.entry(pan) {
            std::collections::hash_map::Entry::Occupied(entry) => Ok(entry.into_mut()),
            std::collections::hash_map::Entry::Vacant(entry) => match self.unknown {
                UnknownCards::Decline => Err(ResponseCode::of("14")),
                UnknownCards::Open(_) if !in_bins(pan, &self.bins) => Err(ResponseCode::of("14")),
                UnknownCards::Open(_) if known >= ACCOUNTS_MAX => Err(ResponseCode::of("96")),
                UnknownCards::Open(account) => Ok(entry.insert(account)),
            },
        }
    }
}

/// Whether the card begins with one of `bins`; no bins are every card.
fn in_bins(pan: Pan, bins: &[String]) -> bool {
    let mut digits = [0; 19];
    let len = pan.digits(&mut digits);
    bins.is_empty() || bins.iter().any(|bin| digits[..len].starts_with(bin.as_bytes()))
}

/// Multiplies and folds: card numbers are spread well enough, and nobody here attacks the table.
#[derive(Clone, Copy, Default)]
pub(crate) struct Mixer(u64);

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        let wide = u128::from(self.0 ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        self.0 = (wide >> 64) as u64 ^ wide as u64;
    }
}

/// Accounts that are opened on first sight; about 80 bytes each.
const ACCOUNTS_MAX: usize = 4_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &[u8] = b"6224242900000113";

    fn charge(amount: Minor, expiry: u16) -> Charge {
        let pan = Pan::new(CARD).unwrap();
        Charge { pan, amount, expiry: Expiry::new(expiry), yymm: 2611, insist: false }
    }

    #[test]
    fn an_account_pays_to_its_credit_line_and_no_further() {
        let account = Account { credit_line: 500, ..Account::with_balance(1_000) };
        let pan = Pan::new(CARD).unwrap();
        let mut accounts = Accounts::new(&[(pan, account)], UnknownCards::Decline, vec![]);
        assert_eq!(accounts.charge(&charge(1_400, 0)), Ok(()));
        assert_eq!(accounts.charge(&charge(101, 0)), Err(ResponseCode::of("51")));
        assert_eq!(accounts.charge(&charge(100, 0)), Ok(()));
        assert_eq!(accounts.get(pan).unwrap().balance, -500);
        assert_eq!(accounts.charge(&Charge { insist: true, ..charge(9, 0) }), Ok(()));
        assert_eq!(accounts.give_back(pan, 1_509), Ok(()));
        assert_eq!(accounts.get(pan).unwrap().balance, 1_000);
    }

    #[test]
    fn each_status_has_its_code() {
        for (status, code) in [
            (Status::Blocked, "62"),
            (Status::Lost, "41"),
            (Status::Stolen, "43"),
            (Status::PinBlocked, "75"),
            (Status::Suspected, "59"),
            (Status::Closed, "14"),
        ] {
            let account = Account { status, ..Account::with_balance(1_000) };
            let mut accounts =
                Accounts::new(&[(Pan::new(CARD).unwrap(), account)], UnknownCards::Decline, vec![]);
            assert_eq!(accounts.charge(&charge(1, 0)), Err(ResponseCode::of(code)));
        }
    }

    #[test]
    fn expiry_limit_and_unknown_cards() {
        let account =
            Account { expiry: Expiry::new(2612), single_limit: Some(700), ..Account::with_balance(1_000) };
        let pan = Pan::new(CARD).unwrap();
        let mut accounts = Accounts::new(&[(pan, account)], UnknownCards::Decline, vec![]);
        assert_eq!(accounts.charge(&charge(1, 2701)), Err(ResponseCode::of("54")));
        assert_eq!(accounts.charge(&Charge { yymm: 2701, ..charge(1, 2612) }), Err(ResponseCode::of("54")));
        assert_eq!(accounts.charge(&charge(701, 2612)), Err(ResponseCode::of("61")));
        assert_eq!(accounts.charge(&charge(700, 2612)), Ok(()));
        let open = UnknownCards::Open(Account::with_balance(5));
        let mut accounts = Accounts::new(&[], open, vec!["622424".into()]);
        assert_eq!(accounts.charge(&charge(5, 0)), Ok(()));
        assert_eq!(accounts.charge(&charge(1, 0)), Err(ResponseCode::of("51")));
        let other = Charge { pan: Pan::new(b"4242424242424242").unwrap(), ..charge(1, 0) };
        assert_eq!(accounts.charge(&other), Err(ResponseCode::of("14")));
    }
}

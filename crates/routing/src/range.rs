//! What a BIN range says about its cards.
//! Never decides by itself beyond its own conditions; guards: schemes stay open, a new one needs no new build.

use crate::{Condition, Excluded, RouteQuery, Span, Verdict};
use core::fmt;
use terms::{IssuerIx, Text};

/// Card scheme. The usual ones by name, any other as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scheme {
    /// China UnionPay.
    UnionPay,
    /// Visa.
    Visa,
    /// Mastercard.
    Mastercard,
    /// American Express.
    Amex,
    /// JCB.
    Jcb,
    /// Diners Club.
    Diners,
    /// As configuration calls it, upper case.
    Other(Text<12>),
}

impl Scheme {
    /// From its three-letter mark (`CUP`, `VIS`, `MCC`, `AMX`, `JCB`, `DCC`) or any other name of 1 to 12 bytes,
    /// in either case. `None` if empty or longer.
    pub fn from_name(name: &str) -> Option<Self> {
        let upper = name.to_ascii_uppercase();
        Some(match upper.as_str() {
            "" => return None,
            "CUP" => Self::UnionPay,
            "VIS" => Self::Visa,
            "MCC" => Self::Mastercard,
            "AMX" => Self::Amex,
            "JCB" => Self::Jcb,
            "DCC" => Self::Diners,
            other => Self::Other(Text::new(other.as_bytes())?),
        })
    }

    /// Its mark or name.
    pub fn name(&self) -> &str {
        match self {
            Self::UnionPay => "CUP",
            Self::Visa => "VIS",
            Self::Mastercard => "MCC",
            Self::Amex => "AMX",
            Self::Jcb => "JCB",
            Self::Diners => "DCC",
            Self::Other(name) => name.as_str(),
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What kind of account stands behind the card.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum CardType {
    /// 借记卡.
    #[default]
    Debit,
    /// 贷记卡.
    Credit,
    /// 准贷记卡: credit that must first be paid in.
    QuasiCredit,
    /// 预付费卡.
    Prepaid,
}

impl CardType {
    /// Every type.
    pub const ALL: [Self; 4] = [Self::Debit, Self::Credit, Self::QuasiCredit, Self::Prepaid];

    /// The name in configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debit => "debit",
            Self::Credit => "credit",
            Self::QuasiCredit => "quasi-credit",
            Self::Prepaid => "prepaid",
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What holds for every card of a range. Ranges that say the same share one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Range {
    /// Who decides.
    pub issuer: IssuerIx,
    /// Whose marks the card bears.
    pub scheme: Scheme,
    /// Debit, credit or prepaid.
    pub card_type: CardType,
    /// Whether the check digit is checked here (not every UnionPay card has one).
    pub check_digit: bool,
    /// Whether the expiry is checked here.
    pub expiry: bool,
    /// In order: the first that fits a transaction decides; none fits: allowed.
    pub conditions: Box<[Condition]>,
    /// Which of the configuration's card ceilings hold, if any.
    pub limits: Option<u16>,
}

impl Range {
    /// A range of `issuer` that checks and excludes nothing.
    pub fn of(issuer: IssuerIx, scheme: Scheme) -> Self {
        Self {
            issuer,
            scheme,
            card_type: CardType::default(),
            check_digit: false,
            expiry: false,
            conditions: Box::default(),
            limits: None,
        }
    }

    /// Whether its cards may do this.
    /// # Errors
    /// [`Excluded`] by the first condition that fits, if that excludes.
    pub fn permits(&self, query: &RouteQuery) -> Result<(), Excluded> {
        match self
            .conditions
            .iter()
            .find(|condition| condition.fits(query))
            .map(|condition| condition.verdict)
        {
            None | Some(Verdict::Allow) => Ok(()),
            Some(Verdict::ExcludeCard) => Err(Excluded::Card),
            Some(Verdict::ExcludeTerminal) => Err(Excluded::Terminal),
        }
    }
}

/// One row of the BIN table as configuration checked it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RangeRow {
    /// Which cards.
    pub span: Span,
    /// Where it stands in its file, for errors; from 1.
    pub line: usize,
    /// What holds for them.
    pub range: Range,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_and_types_keep_their_names() {
        for name in ["CUP", "VIS", "MCC", "AMX", "JCB", "DCC", "ELO", "NETS"] {
            assert_eq!(Scheme::from_name(&name.to_lowercase()).unwrap().to_string(), name);
        }
        assert!(Scheme::from_name("").is_none() && Scheme::from_name("THIRTEEN-LONG").is_none());
        for kind in CardType::ALL {
            assert_eq!(CardType::from_name(kind.name()), Some(kind));
        }
    }
}

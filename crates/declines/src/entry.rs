//! What the catalogue holds: reasons with everything people are told about them, and codes and internal causes that have them.
//! Never a rule: `class`, Visa's category and Mastercard's advice are data that others may read.

use crate::{Class, Language, Lasts, May, Who};
use std::sync::Arc;
use terms::{Cause, InternalCause, ResponseCode};

/// A text in both languages; neither is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl Said {
    /// In one of them.
    pub fn to(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Zh => &self.zh,
        }
    }
}

/// Why something declines, and what everybody does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// As the data file calls it.
    pub name: String,
    /// One of the nine, or `unstated`; for an approving code, what it counts as where a dialect does not list it as approving.
    pub cause: Cause,
    /// Who can do something about it; never empty, the first one first.
    pub who: Vec<Who>,
    /// Whether waiting alone may help.
    pub lasts: Lasts,
    /// May it be tried again?
    pub retry: Retry,
    /// For a slip or a display: at most [`RECEIPT_MAX`] bytes of ASCII or GBK.
    pub receipt: Said,
    /// What the cardholder is told.
    pub cardholder: Said,
    /// What the merchant does.
    pub merchant: Said,
    /// What the operator of the switch does.
    pub operator: Said,
}

/// Another try: whether, when, and with what change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Whether.
    pub may: May,
    /// Seconds to wait at least; 0: none.
    pub after: u32,
    /// What has to be changed before; there for [`May::Changed`] only.
    pub change: Option<Said>,
}

impl Retry {
    /// The whole of it in words.
    pub fn text(&self, language: Language) -> String {
        let change = self.change.as_ref().map_or("", |change| change.to(language));
        match (language, self.may) {
            (Language::En, May::No) => "no: not with this card".into(),
            (Language::Zh, May::No) => "否，不要再用此卡尝试".into(),
            (Language::En, May::Changed) => format!("yes, {change}"),
            (Language::Zh, May::Changed) => format!("可以，{change}"),
            (_, May::Yes) => format!("{}{}", self.when(language), unchanged(language)),
        }
    }

    fn when(&self, language: Language) -> String {
        let (minutes, seconds) = (self.after / 60, self.after % 60);
        match (language, minutes, seconds) {
            (Language::En, 0, 0) => "yes, at once".into(),
            (Language::Zh, 0, 0) => "可以，马上".into(),
            (Language::En, minutes, 0) => format!("yes, after {minutes} min"),
            (Language::Zh, minutes, 0) => format!("可以，{minutes} 分钟后"),
            (Language::En, ..) => format!("yes, after {} s", self.after),
            (Language::Zh, ..) => format!("可以，{} 秒后", self.after),
        }
    }
}

fn unchanged(language: Language) -> &'static str {
    match language {
        Language::En => ", unchanged",
        Language::Zh => "原样重试",
    }
}

/// What a code means under one scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As on the wire.
    pub code: ResponseCode,
    /// Short name of the code itself.
    pub name: Said,
    /// Why it declines.
    pub reason: Arc<Reason>,
    /// UnionPay's class, under that scheme only.
    pub class: Option<Class>,
    /// Category 1 to 4 of Visa's reattempt rule, under that scheme and where known.
    pub visa_category: Option<u8>,
    /// Mastercard's advice codes that may come with it, under that scheme and where known.
    pub advice: Vec<String>,
    /// Whether the scheme means an approval by it.
    pub approves: bool,
}

/// One of our own causes, finer than any code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Internal {
    /// Which.
    pub cause: InternalCause,
    /// Short name.
    pub name: Said,
    /// Why it declines: overrides what the code alone would say.
    pub reason: Arc<Reason>,
    /// Table and code that tell it on the wire, in order of their names.
    pub wire: Vec<(String, ResponseCode)>,
}

/// The id that stands on receipts and in logs: `E` and the number that records carry.
pub fn explanation_id(cause: InternalCause) -> String {
    format!("E{:02}", cause.number())
}

/// The internal cause of an id; letters of either size.
pub fn from_explanation_id(id: &str) -> Option<InternalCause> {
    let digits = id.strip_prefix(['E', 'e'])?;
    let is_number = digits.len() >= 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    InternalCause::from_number(digits.parse().ok().filter(|_| is_number)?)
}

/// Bytes of a receipt text, so that it fits beside its explanation id into the smallest field there is (DE 44, 25 bytes).
pub const RECEIPT_MAX: usize = 21;

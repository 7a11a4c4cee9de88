//! A decline explained in one language: the same words for the command line, the console, the reference page and the runbook.
//! Never decides anything, never holds a secret. Guards: the internal cause, where it is known, overrides what its code alone says.

use crate::{Catalogue, Entry, Internal, Language, Lasts, May, Reason, Who, explanation_id};
use serde::Serialize;
use std::collections::BTreeMap;
use terms::{InternalCause, ResponseCode};

/// How parties are reached, as the configuration has it: a telephone number, a mail address, a page.
pub type Contacts = BTreeMap<Who, String>;

/// Why, whose move, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// DE 39; of an internal cause, the code that tells it in `scheme`.
    pub code: String,
    /// The table it was read by.
    pub scheme: String,
    /// Whether the table has the code. One that it has not is a decline, `unstated`.
    pub in_catalogue: bool,
    /// The internal cause, where that is what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal: Option<&'static str>,
    /// What stands for it on receipts that have no room for its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Short name.
    pub name: String,
    /// The scheme means an approval by the code.
    pub approves: bool,
    /// One of the nine, or `unstated`: the label of `pointsman_declines_total`.
    pub cause: &'static str,
    /// What people call the cause.
    pub cause_name: String,
    /// Whether waiting alone may help.
    pub lasts: Lasts,
    /// Who can do something, the first one first.
    pub who_acts: Vec<Who>,
    /// How they are reached, where the configuration says so.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contacts: Contacts,
    /// What the cardholder is told.
    pub cardholder: String,
    /// What the merchant does.
    pub merchant: String,
    /// What the operator does.
    pub operator: String,
    /// May it be tried again?
    pub retry: Retried,
    /// What stands on the receipt.
    pub receipt: String,
    /// The label of `pointsman_declines_by_code_total`.
    pub counted_as: String,
    /// UnionPay's class: for the terminal's own resend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unionpay_class: Option<Rule>,
    /// Category of Visa's reattempt rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub visa_category: Option<Rule>,
    /// Mastercard's advice codes that may come with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mastercard_advice: Vec<Rule>,
    /// Codes that tell the internal cause, by table.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub wire: BTreeMap<String, String>,
    /// Causes of ours that are told by this code: each has an explanation of its own that overrides this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub may_be_ours: Vec<&'static str>,
    #[serde(skip)]
    language: Language,
    /// What people call the duration and the parties, in their order.
    #[serde(skip)]
    lasts_name: String,
    #[serde(skip)]
    who_names: Vec<String>,
}

/// Another try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retried {
    /// Whether it makes sense at all.
    pub may: bool,
    /// Seconds to wait at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_seconds: Option<u32>,
    /// What has to be changed before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
    /// The whole of it in words.
    pub text: String,
}

/// A scheme's rule, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// As the scheme writes it.
    pub value: String,
    /// In words.
    pub means: String,
}

impl Catalogue {
    /// What `code` of a scheme or dialect means; one that its table has not is shown as itself.
    pub fn explain_code(
        &self,
        scheme: &str,
        code: ResponseCode,
        language: Language,
        contacts: &Contacts,
    ) -> Explanation {
        let entry = self.find(scheme, &code);
        let table = self.table_name(scheme).unwrap_or(scheme);
        let name =
            entry.map_or_else(|| missing(language).to_owned(), |entry| entry.name.to(language).to_owned());
        let reason = entry.map_or(self.not_in_catalogue(), |entry| &entry.reason);
        let mut explanation = self.explained(reason, name, code, language, contacts);
        explanation.scheme = table.to_owned();
        explanation.in_catalogue = entry.is_some();
        explanation.approves = entry.is_some_and(|entry| entry.approves);
        explanation.may_be_ours = self.ours(table, code);
        if let Some(entry) = entry {
            self.add_rules(&mut explanation, entry, language);
        }
        explanation
    }

    /// What a cause of ours means, and the code that tells it under a scheme or dialect.
    pub fn explain_internal(
        &self,
        cause: InternalCause,
        scheme: &str,
        language: Language,
        contacts: &Contacts,
    ) -> Explanation {
        let Internal { name, reason, wire, .. } = self.internal(cause);
        let code = self.wire(cause, scheme);
        let mut explanation = self.explained(reason, name.to(language).to_owned(), code, language, contacts);
        explanation.scheme = self.table_name(scheme).unwrap_or(scheme).to_owned();
        explanation.internal = Some(cause.name());
        explanation.id = Some(explanation_id(cause));
        explanation.counted_as = cause.iso_code().to_owned();
        explanation.wire =
            wire.iter().map(|(table, code)| (table.clone(), code.as_str().to_owned())).collect();
        explanation
    }

    /// Causes of ours that are told by `code` in a table; what an issuer said is not ours.
    fn ours(&self, table: &str, code: ResponseCode) -> Vec<&'static str> {
        let is_told = |internal: &&Internal| {
            internal.wire.iter().any(|(name, told)| name == table && *told == code)
                && internal.cause != InternalCause::IssuerDeclined
        };
        self.internals().iter().filter(is_told).map(|internal| internal.cause.name()).collect()
    }

    fn explained(
        &self,
        reason: &Reason,
        name: String,
        code: ResponseCode,
        language: Language,
        contacts: &Contacts,
    ) -> Explanation {
        let reached = |who: &Who| Some((*who, contacts.get(who)?.clone()));
        Explanation {
            code: code.as_str().to_owned(),
            scheme: String::new(),
            in_catalogue: true,
            internal: None,
            id: None,
            name,
            approves: false,
            cause: reason.cause.name(),
            cause_name: self.cause_word(reason.cause).to(language).to_owned(),
            lasts: reason.lasts,
            who_acts: reason.who.clone(),
            contacts: reason.who.iter().filter_map(reached).collect(),
            cardholder: reason.cardholder.to(language).to_owned(),
            merchant: reason.merchant.to(language).to_owned(),
            operator: reason.operator.to(language).to_owned(),
            retry: Retried {
                may: reason.retry.may != May::No,
                after_seconds: (reason.retry.may == May::Yes).then_some(reason.retry.after),
                change: reason.retry.change.as_ref().map(|change| change.to(language).to_owned()),
                text: reason.retry.text(language),
            },
            receipt: reason.receipt.to(language).to_owned(),
            counted_as: self.index_of(&code).map_or("other", |_| code.as_str()).to_owned(),
            unionpay_class: None,
            visa_category: None,
            mastercard_advice: Vec::new(),
            wire: BTreeMap::new(),
            may_be_ours: Vec::new(),
            language,
            lasts_name: self.lasts_word(reason.lasts).to(language).to_owned(),
            who_names: reason.who.iter().map(|who| self.who_word(*who).to(language).to_owned()).collect(),
        }
    }

    fn add_rules(&self, explanation: &mut Explanation, entry: &Entry, language: Language) {
        let words = self.words();
        let rule = |value: String, table: &BTreeMap<String, crate::Said>| {
            let means = table.get(&value).map_or(String::new(), |said| said.to(language).to_owned());
            Rule { value, means }
        };
        explanation.unionpay_class = entry.class.map(|class| rule(class.name().to_owned(), &words.class));
        explanation.visa_category =
            entry.visa_category.map(|category| rule(category.to_string(), &words.visa));
        explanation.mastercard_advice =
            entry.advice.iter().map(|code| rule(code.clone(), &words.advice)).collect();
    }
}

impl Explanation {
    /// `51 insufficient funds`, or `issuer-timeout issuer did not answer in time`.
    pub fn headline(&self) -> String {
        let what = self.internal.unwrap_or(if self.code.is_empty() { "-" } else { &self.code });
        format!("{what} {}", self.name)
    }

    /// What people read below the headline: labels and texts, in order.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = self.advice();
        let rule = |rule: &Rule| format!("{}: {}", rule.value, rule.means);
        let class =
            self.unionpay_class.iter().map(|one| (self.said("UnionPay class", "银联类别"), rule(one)));
        let category =
            self.visa_category.iter().map(|one| (self.said("Visa category", "Visa 类别"), rule(one)));
        let advice = self.mastercard_advice.iter();
        let advice = advice.map(|one| (self.said("Mastercard advice", "万事达建议码"), rule(one)));
        rows.extend(class.chain(category).chain(advice));
        if self.internal.is_some() {
            let wire: Vec<_> = self.wire.iter().map(|(table, code)| format!("{table} {code}")).collect();
            rows.push((self.said("on the wire", "应答码"), wire.join(" · ")));
        }
        let counted = format!("cause=\"{}\" rc=\"{}\"", self.cause, self.counted_as);
        rows.push((self.said("counted as", "计数标签"), counted));
        if !self.may_be_ours.is_empty() {
            rows.push((self.said("or one of ours", "或本系统原因"), self.may_be_ours.join(" ")));
        }
        rows
    }

    /// Those that are the reason's own: why, who, and what everybody does.
    pub fn advice(&self) -> Vec<(&'static str, String)> {
        vec![
            (self.said("cause", "原因"), format!("{} · {}", self.cause_name, self.lasts_name)),
            (self.said("who acts", "谁来处理"), self.parties()),
            (self.said("cardholder", "告知持卡人"), self.cardholder.clone()),
            (self.said("merchant", "商户处理"), self.merchant.clone()),
            (self.said("operator", "运营处理"), self.operator.clone()),
            (self.said("try again", "能否重试"), self.retry.text.clone()),
            (self.said("receipt", "签购单"), self.receipt.clone()),
        ]
    }

    fn said(&self, en: &'static str, zh: &'static str) -> &'static str {
        match self.language {
            Language::En => en,
            Language::Zh => zh,
        }
    }

    /// Who acts, with how they are reached.
    pub fn parties(&self) -> String {
        let one = |(who, name): (&Who, &String)| {
            let contact = self.contacts.get(who).map_or(String::new(), |contact| format!(" ({contact})"));
            format!("{name}{contact}")
        };
        self.who_acts.iter().zip(&self.who_names).map(one).collect::<Vec<_>>().join(self.said(", ", "、"))
    }
}

/// The name of a code that no table has.
fn missing(language: Language) -> &'static str {
    match language {
        Language::En => "declined, not in the catalogue",
        Language::Zh => "拒绝，不在目录中",
    }
}

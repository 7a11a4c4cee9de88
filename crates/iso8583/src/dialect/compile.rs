//! From the text of a dialect to its table. Every mistake is reported, not only the first.
//! Guards: what comes out refers only to fields it has, has keys that can be told apart, and a code for every cause.

use super::errors::{DialectErrors, Problems};
use super::field::{field_spec, label};
use super::kinds::KindRule;
use super::raw::{RawCoding, RawDialect, RawKind, RawReference, RawReversal, RawSay, RawStan};
use super::{
    Answers, Codes, Coding, Dialect, Keys, Label, Part, Reference, ReversalForm, ReversalStan, Roles, mask,
};
use crate::keys::{KeyPart, KeyParts};
use crate::layout::Layouts;
use crate::say::{SayRule, Words};
use crate::spec::{FIELD_MAX, Field, Shape};
use std::collections::BTreeMap;
use std::sync::Arc;
use terms::{InternalCause, Kind, Mti, ProcessingCode, ResponseCode};
use toml::Spanned;

/// Reads, checks, compiles.
pub(crate) fn compile(text: &str, source: &str) -> Result<Dialect, DialectErrors> {
    let mut problems = Problems::new(text);
    let raw: RawDialect = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            problems.at(error.span().unwrap_or(0..0), error.message());
            return problems.finish(None, source);
        }
    };
    let dialect =
        Compiler { problems: &mut problems, fields: Box::new([Field::UNKNOWN; 256]), labels: Vec::new() }
            .dialect(&raw);
    problems.finish(Some(dialect), source)
}

/// Roles as the text has them.
type RawRoles = BTreeMap<Spanned<String>, Spanned<String>>;

struct Compiler<'a, 'b> {
    problems: &'a mut Problems<'b>,
    fields: Box<[Field; 256]>,
    labels: Vec<Label>,
}

impl Compiler<'_, '_> {
    fn dialect(mut self, raw: &RawDialect) -> Dialect {
        let levels = self.levels(&raw.bitmap.highest);
        self.fields(raw, levels);
        let roles = self.roles(&raw.roles);
        let batch = raw
            .roles
            .iter()
            .find(|(role, _)| role.get_ref() == "batch")
            .map(|(_, name)| name.get_ref().as_str());
        let keys = self.keys(raw, batch);
        let reversal = self.reversal(&raw.reversal);
        let answers = Answers {
            echo: self.field_set(&raw.answers.echo),
            restore: self.field_set(&raw.answers.restore),
            never: self.field_set(&raw.answers.never),
        };
        let codes = self.codes(raw);
        let kinds = raw.kinds.iter().filter_map(|rule| self.kind(rule)).collect();
        let says = raw.says.iter().filter_map(|rule| self.say(rule)).collect();
        self.require(&roles, &keys, &reversal, &raw.roles);
        if raw.name.get_ref().is_empty() {
            self.problems.at(raw.name.span(), "name: expected a name, found an empty one");
        }
        let dialect = Dialect {
            name: raw.name.get_ref().clone(),
            about: raw.about.clone(),
            mti: coding(raw.mti),
            bitmap: coding(raw.bitmap.encoding),
            levels,
            fixed: super::mask((2..=FIELD_MAX).filter(|n| self.fields[usize::from(*n)].has_one_length())),
            fields: self.fields,
            layouts: Arc::new(Layouts::new()),
            labels: self.labels,
            keys,
            roles,
            reversal,
            answers,
            codes,
            kinds,
            says,
        };
        says_what_it_means(raw, &dialect, self.problems);
        dialect
    }

    fn levels(&mut self, highest: &Spanned<u16>) -> usize {
        match *highest.get_ref() {
            64 => 1,
            128 => 2,
            192 => 3,
            other => {
                self.problems.at(highest.span(), format!("highest: expected 64, 128 or 192, found {other}"));
                1
            }
        }
    }

    fn fields(&mut self, raw: &RawDialect, levels: usize) {
        for (number, field) in &raw.fields {
            let Some(n) = self.field_number(number, levels) else { continue };
            let label = label(n, field.get_ref());
            match field_spec(field.get_ref(), &raw.defaults) {
                Ok(spec) => self.fields[usize::from(n)] = spec,
                Err(what) => self.problems.at(field.span(), format!("field {n}: {what}")),
            }
            for part in &label.parts {
                let max = self.fields[usize::from(n)].max;
                if part.part.from + part.part.len > max {
                    self.problems
                        .at(field.span(), format!("field {n}: part \"{}\" ends after {max}", part.name));
                }
            }
            self.labels.push(label);
        }
        self.labels.sort_by_key(|label| label.field);
    }

    fn field_number(&mut self, number: &Spanned<String>, levels: usize) -> Option<u8> {
        let parsed = number.get_ref().parse::<u8>().ok();
        let highest = levels * 64;
        let fits =
            |n: &u8| *n >= 2 && usize::from(*n) <= highest && !crate::decode::is_structural(*n, levels);
        let n = parsed.filter(fits);
        if n.is_none() {
            let found = number.get_ref();
            self.problems.at(
                number.span(),
                format!("fields: expected a number 2 to {highest} that no bitmap uses, found {found}"),
            );
        }
        n
    }

    fn known(&mut self, n: u16, span: core::ops::Range<usize>) -> Option<u8> {
        let known = u8::try_from(n)
            .ok()
            .filter(|n| *n <= FIELD_MAX && self.fields[usize::from(*n)].shape != Shape::Unknown);
        if known.is_none() {
            self.problems.at(span, format!("field {n} is not in the dialect"));
        }
        known
    }

    fn field_set(&mut self, fields: &Spanned<Vec<u16>>) -> [u64; 3] {
        let span = fields.span();
        let known: Vec<u8> = fields.get_ref().iter().filter_map(|n| self.known(*n, span.clone())).collect();
        mask(known)
    }

    /// A field or a part of one, as `60` or `60.2`.
    fn part(&mut self, reference: &Spanned<String>) -> Option<Part> {
        let text = reference.get_ref();
        let (field, part) =
            text.split_once('.').map_or((text.as_str(), None), |(field, part)| (field, Some(part)));
        let Some(n) = field.parse::<u16>().ok() else {
            self.problems.at(
                reference.span(),
                format!("expected a field such as \"60\" or \"60.2\", found \"{text}\""),
            );
            return None;
        };
        let n = self.known(n, reference.span())?;
        let Some(part) = part else { return Some(Part::whole(n)) };
        let label = self.labels.iter().find(|label| label.field == n);
        let found =
            part.parse::<usize>().ok().and_then(|at| Some(label?.parts.get(at.checked_sub(1)?)?.part));
        if found.is_none() {
            self.problems.at(reference.span(), format!("field {n} has no part {part}"));
        }
        found
    }

    fn roles(&mut self, raw: &RawRoles) -> Roles {
        let mut roles = Roles {
            acquirer: 0,
            rrn: 0,
            approval_code: 0,
            code: 0,
            text: None,
            function: None,
            batch: None,
            network_code: None,
            original_data: 0,
            original_batch: None,
            original_stan: None,
        };
        for (role, reference) in raw {
            let Some(part) = self.part(reference) else { continue };
            match role.get_ref().as_str() {
                "acquirer" => roles.acquirer = part.field,
                "rrn" => roles.rrn = part.field,
                "approval-code" => roles.approval_code = part.field,
                "code" => roles.code = part.field,
                "text" => roles.text = Some(part),
                "function" => roles.function = Some(part),
                "batch" => roles.batch = Some(part),
                "network-code" => roles.network_code = Some(part),
                "original-data" => roles.original_data = part.field,
                "original-batch" => roles.original_batch = Some(part),
                "original-stan" => roles.original_stan = Some(part),
                other => self.problems.at(role.span(), format!("roles: no such role \"{other}\"")),
            }
        }
        roles
    }

    fn key(&mut self, parts: &[Spanned<String>], batch: Option<&str>) -> KeyParts {
        parts.iter().fold(KeyParts::default(), |key, name| match KeyPart::from_name(name.get_ref(), batch) {
            Some(part) => key.with(part),
            None => {
                let expected = "7, 11, 12, 13, 32, 41, 42, mti-class or the role batch";
                self.problems
                    .at(name.span(), format!("keys: expected {expected}, found \"{}\"", name.get_ref()));
                key
            }
        })
    }

    fn keys(&mut self, raw: &RawDialect, batch: Option<&str>) -> Keys {
        let repeat = self.key(raw.keys.repeat.get_ref(), batch);
        let slot = self.key(raw.keys.original.get_ref(), batch);
        let (alias, link) = (self.key(&raw.keys.alias, batch), self.key(&raw.keys.link, batch));
        let dated =
            repeat.has(KeyPart::Batch) || repeat.has(KeyPart::LocalDate) || repeat.has(KeyPart::Transmission);
        if !dated {
            let what = "keys: repeat has neither a date (7, 13) nor a batch number, so an old request would look like a repeat";
            self.problems.at(raw.keys.repeat.span(), what);
        }
        for (part, name) in [(KeyPart::Stan, "11"), (KeyPart::Terminal, "41")] {
            if !slot.has(part) {
                self.problems.at(raw.keys.original.span(), format!("keys: original lacks {name}"));
            }
        }
        if !slot.is_within(repeat) {
            self.problems.at(raw.keys.original.span(), "keys: original has a part that repeat has not");
        }
        if !link.has(KeyPart::Stan) || !link.has(KeyPart::Class) {
            self.problems.whole("keys: link needs mti-class and 11");
        }
        let known = [KeyPart::Class, KeyPart::Stan, KeyPart::Transmission, KeyPart::Terminal];
        if !link.is_within(known.into_iter().fold(KeyParts::default(), KeyParts::with)) {
            self.problems.whole("keys: link is made of mti-class, 11, 7 and 41, of nothing else");
        }
        let reversal = self.references(&raw.keys.reversal);
        let related = self.references(&raw.keys.related);
        Keys { slot, repeat: repeat.without(slot), alias, link, reversal, related }
    }

    fn references(&mut self, raw: &[Spanned<RawReference>]) -> [Reference; 3] {
        let mut ways = [Reference::None; 3];
        for (slot, way) in ways.iter_mut().zip(raw) {
            *slot = reference(*way.get_ref());
        }
        if let Some(extra) = raw.get(3) {
            self.problems.at(extra.span(), "keys: at most three ways to name an original");
        }
        ways
    }

    fn mti(&mut self, text: &Spanned<String>) -> Mti {
        let digits = <[u8; 4]>::try_from(text.get_ref().as_bytes()).ok();
        digits.and_then(Mti::from_ascii).unwrap_or_else(|| {
            self.problems.at(text.span(), format!("expected four digits, found \"{}\"", text.get_ref()));
            Mti::of(0x0420)
        })
    }

    fn reversal(&mut self, raw: &RawReversal) -> ReversalForm {
        let stan = match raw.stan {
            RawStan::Own => ReversalStan::Own,
            RawStan::Original => ReversalStan::Original,
        };
        ReversalForm {
            mti: self.mti(&raw.mti),
            repeat_mti: raw.repeat_mti.as_ref().map(|mti| self.mti(mti)),
            stan,
            reference: reference(*raw.reference.get_ref()),
            reason: self.known(*raw.reason.get_ref(), raw.reason.span()).unwrap_or(39),
            fields: self.field_set(&raw.fields),
        }
    }

    fn code(&mut self, text: &Spanned<String>) -> ResponseCode {
        let size = self.fields[39].max;
        let fits = text.get_ref().len() == usize::from(size);
        ResponseCode::new(text.get_ref().as_bytes()).filter(|_| fits).unwrap_or_else(|| {
            self.problems.at(
                text.span(),
                format!("expected a code of {size} characters, found \"{}\"", text.get_ref()),
            );
            ResponseCode::approved()
        })
    }

    fn codes(&mut self, raw: &RawDialect) -> Codes {
        let mut list = |codes: &[Spanned<String>]| {
            let mut codes: Vec<ResponseCode> = codes.iter().map(|code| self.code(code)).collect();
            codes.sort_unstable();
            codes
        };
        let (approve, decline) = (list(&raw.codes.approve), list(&raw.codes.decline));
        for code in raw.codes.decline.iter().filter(|code| {
            ResponseCode::new(code.get_ref().as_bytes()).is_some_and(|code| approve.contains(&code))
        }) {
            self.problems.at(code.span(), format!("code {} both approves and declines", code.get_ref()));
        }
        if approve.is_empty() {
            self.problems.whole("codes: approve is empty, so nothing could ever be approved");
        }
        let mut causes: Vec<ResponseCode> =
            InternalCause::ALL.iter().map(|cause| ResponseCode::of(cause.iso_code())).collect();
        for (name, code) in &raw.causes {
            match InternalCause::from_name(name.get_ref()) {
                Some(cause) => causes[usize::from(cause.number())] = self.code(code),
                None => {
                    self.problems.at(name.span(), format!("causes: no such cause \"{}\"", name.get_ref()))
                }
            }
        }
        Codes { approve, decline, causes }
    }

    fn kind(&mut self, raw: &Spanned<RawKind>) -> Option<KindRule> {
        let rule = kind_rule(raw.get_ref());
        match rule {
            Ok(rule) => Some(rule),
            Err(what) => {
                self.problems.at(raw.span(), format!("kinds: {what}"));
                None
            }
        }
    }

    fn say(&mut self, raw: &Spanned<RawSay>) -> Option<SayRule> {
        let say = raw.get_ref();
        let Some(kind) = Kind::from_name(&say.kind) else {
            self.problems.at(raw.span(), format!("says: no such kind \"{}\"", say.kind));
            return None;
        };
        let digit = say.mti.as_deref().map(mti_pattern);
        if digit.is_some_and(|pattern| pattern.is_none_or(|(_, mask)| mask != 0x00F0)) {
            self.problems.at(raw.span(), "says: mti: expected one digit and x, such as xx2x");
        }
        let function_digit = digit.flatten().map(|(value, _)| (value >> 4 & 0xF) as u8);
        let RawSay { code, condition, function, .. } = *say;
        Some(SayRule { kind, function_digit, code, condition, function })
    }

    /// What no dialect can do without.
    fn require(&mut self, roles: &Roles, keys: &Keys, reversal: &ReversalForm, said: &RawRoles) {
        for (n, name) in
            [(3, "processing code"), (4, "amount"), (11, "STAN"), (39, "response code"), (41, "terminal")]
        {
            if self.fields[n].shape == Shape::Unknown {
                self.problems.whole(format!("fields: {n} ({name}) is missing"));
            }
        }
        for (field, role) in
            [(roles.rrn, "rrn"), (roles.approval_code, "approval-code"), (roles.code, "code")]
        {
            // A role that names a field which is not there has been told at its line.
            if field == 0 && !said.keys().any(|name| name.get_ref() == role) {
                self.problems.whole(format!("roles: {role} is missing"));
            }
        }
        let named =
            |way| keys.reversal.contains(&way) || keys.related.contains(&way) || reversal.reference == way;
        if named(Reference::OriginalData) && roles.original_data == 0 {
            self.problems.whole("roles: original-data is missing, but keys or reversal refer to it");
        }
        let batch_and_stan = roles.original_batch.is_some() && roles.original_stan.is_some();
        if named(Reference::BatchAndStan) && !batch_and_stan {
            self.problems
                .whole("roles: original-batch and original-stan are missing, but keys refer to them");
        }
        if reversal.stan == ReversalStan::Original && reversal.reference == Reference::OriginalData {
            self.problems.whole("reversal: original data name a STAN, so the reversal must have its own");
        }
    }
}

fn coding(raw: RawCoding) -> Coding {
    match raw {
        RawCoding::Ascii => Coding::Ascii,
        RawCoding::Binary | RawCoding::Bcd => Coding::Binary,
        RawCoding::Ebcdic => Coding::Ebcdic,
    }
}

fn reference(raw: RawReference) -> Reference {
    match raw {
        RawReference::OriginalData => Reference::OriginalData,
        RawReference::BatchAndStan => Reference::BatchAndStan,
        RawReference::OurRrn => Reference::OurRrn,
        RawReference::SameKey => Reference::SameKey,
    }
}

fn kind_rule(raw: &RawKind) -> Result<KindRule, String> {
    let (mti, mti_mask) =
        mti_pattern(&raw.mti).ok_or(format!("mti: expected four digits or x, found \"{}\"", raw.mti))?;
    let kind = Kind::from_name(&raw.kind).ok_or(format!("no such kind \"{}\"", raw.kind))?;
    let networks = raw.network.as_deref().unwrap_or_default();
    let mut list = [0; 16];
    let count = networks.len();
    list.get_mut(..count).ok_or("more than 16 network codes")?.copy_from_slice(networks);
    Ok(KindRule {
        mti,
        mti_mask,
        codes: bits(raw.code.as_deref()),
        conditions: bits(raw.condition.as_deref()),
        functions: bits(raw.function.as_deref()),
        networks: list,
        count: count as u8,
        kind,
    })
}

/// Each line of `says` must be read, by the dialect's own kinds, as the type that it is for.
fn says_what_it_means(raw: &RawDialect, dialect: &Dialect, problems: &mut Problems<'_>) {
    let bare = |mti| Words {
        mti: Mti::of(mti),
        processing_code: ProcessingCode(0),
        condition: u8::MAX,
        function: None,
    };
    for (rule, line) in dialect.says.iter().zip(&raw.says) {
        let mut classes = [0x0100, 0x0200, 0x0120, 0x0220].into_iter().map(bare);
        if !classes.any(|from| crate::say::read(dialect, &rule.words(&from)) == rule.kind) {
            problems.at(line.span(), format!("says: {} would be read as another type", rule.kind));
        }
    }
}

/// Values as bits; all bits where the rule does not say. Everything over 126 is one: "absent".
fn bits(values: Option<&[u8]>) -> u128 {
    values.map_or(u128::MAX, |values| values.iter().fold(0, |bits, value| bits | 1 << (*value).min(127)))
}

fn mti_pattern(text: &str) -> Option<(u16, u16)> {
    let digits = <[u8; 4]>::try_from(text.as_bytes()).ok()?;
    let mut pattern = (0, 0);
    for digit in digits {
        let (value, mask) = match digit {
            b'0'..=b'9' => (u16::from(digit - b'0'), 0xF),
            b'x' => (0, 0),
            _ => return None,
        };
        pattern = (pattern.0 << 4 | value, pattern.1 << 4 | mask);
    }
    Some(pattern)
}

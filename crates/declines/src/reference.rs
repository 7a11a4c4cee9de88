//! The catalogue as pages: every code and cause in both languages, and the operator's rows of the runbook.
//! Never says what the data file does not. Guards: tests compare the written pages with what is rendered here.

use crate::{Catalogue, Contacts, Entry, Language};
use std::collections::BTreeSet;
use std::fmt::Write;

/// `crates/declines/REFERENCE.md`.
pub fn reference(catalogue: &Catalogue) -> String {
    let mut page = format!(
        "# Declines: every code and cause\n\n\
         Made from `data/codes.toml`, version {} of {}; `cargo xtask docs` writes it again.\n\
         `pointsman explain` says the same with the contacts of your configuration.\n",
        catalogue.version(),
        catalogue.dated()
    );
    codes(&mut page, catalogue);
    page += "\n## Reasons behind codes\n";
    let mut told = BTreeSet::new();
    for (scheme, entry) in all(catalogue) {
        if told.insert(&entry.reason.name) {
            let explain = |language| catalogue.explain_code(scheme, entry.code, language, &Contacts::new());
            let has = |(_, other): &(&str, &Entry)| other.reason.name == entry.reason.name;
            let codes = all(catalogue).filter(has).map(|(scheme, entry)| format!("{scheme} {}", entry.code));
            let _ =
                write!(page, "\n### {}\n\n{}\n", entry.reason.name, codes.collect::<Vec<_>>().join(" · "));
            tell(&mut page, &explain(Language::En).advice(), &explain(Language::Zh).advice());
        }
    }
    ours(&mut page, catalogue);
    page
}

fn all(catalogue: &Catalogue) -> impl Iterator<Item = (&str, &Entry)> {
    catalogue.schemes().flat_map(|scheme| catalogue.entries(scheme).iter().map(move |entry| (scheme, entry)))
}

fn codes(page: &mut String, catalogue: &Catalogue) {
    for scheme in catalogue.schemes() {
        let _ = write!(
            page,
            "\n## Codes of {scheme}\n\n| code | English | 中文 | reason | rule |\n|---|---|---|---|---|\n"
        );
        for entry in catalogue.entries(scheme) {
            let Entry { code, name, reason, class, visa_category, advice, approves } = entry;
            let class = class.iter().map(|class| format!("class {class}"));
            let category = visa_category.iter().map(|category| format!("category {category}"));
            let advice = Some(format!("advice {}", advice.join(" "))).filter(|_| !advice.is_empty());
            let approves = Some("approves".to_owned()).filter(|_| *approves);
            let rules: Vec<_> = approves.into_iter().chain(class).chain(category).chain(advice).collect();
            let link = format!("[{0}](#{0})", reason.name);
            let _ = writeln!(page, "| {code} | {} | {} | {link} | {} |", name.en, name.zh, rules.join(", "));
        }
    }
}

fn ours(page: &mut String, catalogue: &Catalogue) {
    *page += "\n## Our own causes\n\nFiner than the wire: where one of these is known it overrides what the code alone says.\n";
    for internal in catalogue.internals() {
        let explain =
            |language| catalogue.explain_internal(internal.cause, "iso87", language, &Contacts::new());
        let (en, zh) = (explain(Language::En), explain(Language::Zh));
        let id = en.id.clone().unwrap_or_default();
        let _ = write!(page, "\n### {}\n\n{id} · {} · {}\n", internal.cause, en.name, zh.name);
        tell(page, &en.rows(), &zh.rows());
    }
}

fn tell(page: &mut String, en: &[(&str, String)], zh: &[(&str, String)]) {
    let _ = writeln!(page, "\n| | English | 中文 |\n|---|---|---|");
    for ((label, english), (chinese_label, chinese)) in en.iter().zip(zh) {
        let _ = writeln!(page, "| {label} {chinese_label} | {} | {} |", cell(english), cell(chinese));
    }
}

/// Rows of the runbook's table of our own causes.
pub fn runbook(catalogue: &Catalogue) -> String {
    let mut rows = String::from(
        "| internal cause | counted as | who acts | what the operator does | 运营处理 |\n|---|---|---|---|---|\n",
    );
    for internal in catalogue.internals() {
        let explain =
            |language| catalogue.explain_internal(internal.cause, "iso87", language, &Contacts::new());
        let (en, zh) = (explain(Language::En), explain(Language::Zh));
        let (cause, source) = (en.cause, internal.cause.source());
        let _ = writeln!(
            rows,
            "| `{}` {} | `cause=\"{cause}\"` `source=\"{source}\"` | {} | {} | {} |",
            internal.cause,
            en.id.as_deref().unwrap_or_default(),
            en.parties(),
            cell(&en.operator),
            cell(&zh.operator)
        );
    }
    rows
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

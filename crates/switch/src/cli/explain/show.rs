//! An explanation as people read it. Never a colour where nobody looks; guards: colours say again what words say.

use super::super::output;
use comfy_table::{Attribute, Cell, Color, Table};
use declines::{Explanation, Language, Lasts};

/// Headline and rows.
pub(super) fn table(explanation: &Explanation, schemes: &[String]) -> Table {
    let mut table = output::plain_table();
    let code =
        explanation.internal.map_or(explanation.code.clone(), |_| explanation.id.clone().unwrap_or_default());
    let name = match explanation.internal {
        Some(cause) => format!("{cause} · {}", explanation.name),
        None if schemes.is_empty() => explanation.name.clone(),
        None => format!("{} · {}", explanation.name, schemes.join(", ")),
    };
    let bold = |text: String| Cell::new(text).fg(colour(explanation)).add_attribute(Attribute::Bold);
    table.add_row([bold(code), bold(name)]);
    let mut before = "";
    for (label, text) in explanation.rows() {
        let shown = if label == before { "" } else { label };
        table.add_row([Cell::new(shown).fg(Color::DarkGrey), Cell::new(text)]);
        before = label;
    }
    table.add_row(["", ""]);
    table
}

/// Where there was nothing to explain.
pub(super) fn nothing(lang: Language) -> &'static str {
    match lang {
        Language::En => "not declined: nothing to explain",
        Language::Zh => "未被拒绝，无需解释",
    }
}

fn colour(explanation: &Explanation) -> Color {
    match explanation.lasts {
        _ if explanation.approves => Color::Green,
        Lasts::Temporary => Color::Yellow,
        Lasts::Permanent => Color::Red,
    }
}

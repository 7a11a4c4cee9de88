//! "did you mean": the known name nearest to a mistyped one.
//! Never guesses wildly. Guards: a suggestion differs by a third of its letters at most.

/// The name out of `known` that `word` was probably meant to be.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|name| (distance(word, name), name));
    let (distance, name) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance <= name.chars().count() / 3).then_some(name)
}

/// What stands behind an unknown name: a suggestion if there is one, and the list.
pub fn expected<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<_> = known.into_iter().collect();
    let meant = nearest(word, known.iter().copied()).map(|name| format!("; did you mean \"{name}\"?"));
    let list = match known.as_slice() {
        [] => "there is none".to_owned(),
        names if names.len() > LIST_MAX => format!("expected one of {} names", names.len()),
        names => format!("expected {}", quoted(names)),
    };
    list + &meant.unwrap_or_default()
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Letters to insert, delete or change to turn one word into the other (Levenshtein), ignoring case.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<_> = b.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.to_lowercase().chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Longer lists are not printed.
const LIST_MAX: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_nonsense_is_not() {
        let known = ["unionpay-pos", "iso87-ascii", "iso87-binary"];
        assert_eq!(nearest("unionpay_pos", known), Some("unionpay-pos"));
        assert_eq!(nearest("iso87-asci", known), Some("iso87-ascii"));
        assert_eq!(nearest("base24", known), None);
        assert_eq!(expected("x", ["a", "b", "c"]), "expected \"a\", \"b\" or \"c\"");
        assert_eq!(expected("x", []), "there is none");
    }
}

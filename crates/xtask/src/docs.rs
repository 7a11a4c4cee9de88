//! `docs`: pages that are made from data are written again. Guards: what stands around a made part stays as it is.

use declines::{Catalogue, reference, runbook};
use std::fs;
use std::path::Path;

/// Writes the reference page of the catalogue and the runbook's rows.
pub fn write() -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let catalogue = Catalogue::builtin();
    put(&root.join("crates/declines/REFERENCE.md"), &reference(catalogue))?;
    let path = root.join("deploy/runbook.md");
    let page =
        fs::read_to_string(&path).map_err(|fault| format!("cannot read {}: {fault}", path.display()))?;
    let page = replaced(&page, &runbook(catalogue)).ok_or("deploy/runbook.md lacks its marks")?;
    put(&path, &page)
}

/// The page with `rows` between its marks.
fn replaced(page: &str, rows: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{rows}{END}{after}"))
}

fn put(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|fault| format!("cannot write {}: {fault}", path.display()))
}

const BEGIN: &str = "<!-- made by `cargo xtask docs` from crates/declines/data/codes.toml -->";
const END: &str = "<!-- end -->";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let page = format!("a\n{BEGIN}\nold\n{END}\nb\n");
        assert_eq!(replaced(&page, "new\n").unwrap(), format!("a\n{BEGIN}\nnew\n{END}\nb\n"));
        assert_eq!(replaced("no marks", "new\n"), None);
    }
}

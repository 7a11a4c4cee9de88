//! Every mistake a file can hold, with the line it is reported at; and the sample that must be clean.

mod changes;
mod mistakes;
mod random;
mod sample;

use super::Config;
use std::path::Path;

/// A small file without a mistake: each test breaks a copy of it.
const BASE: &str = include_str!("base.toml");

/// A directory with everything that [`BASE`] and the sample name.
fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for key_file in ["keys", "pointsman.keys"] {
        keys::KeyFile::generate(&place.path().join(key_file)).unwrap();
    }
    std::fs::create_dir(place.path().join("tls")).unwrap();
    for file in ["tls/ca.pem", "tls/switch.pem", "tls/switch.key"] {
        std::fs::write(place.path().join(file), "certificates are read by `serve`\n").unwrap();
    }
    place
}

/// `BASE` with `from` replaced by `to`; `from` must stand in it.
fn broken(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(BASE.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from:?} does not stand in the base file");
        text.replacen(from, to, 1)
    })
}

/// The report on `text`, without the place it was tried in; "clean" if there is none.
fn report(place: &Path, text: &str) -> String {
    let report = match Config::parse(&place.join("p.toml"), text) {
        Ok(config) => {
            config.warnings.iter().fold("clean".to_owned(), |all, one| format!("{all}\nwarning {one}"))
        }
        Err(errors) => errors.to_string(),
    };
    report.replace(&format!("{}/", place.display()), "")
}

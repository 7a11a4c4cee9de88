//! Key files that are refused, keys that outlive a restart, and sealed parts that open for nobody else.

mod fuzz;
mod key_file;
mod sealing;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

/// Writes a file with a mode.
fn write(path: &Path, text: &str, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

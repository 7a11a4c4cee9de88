//! The text of a configuration file and where its lines begin.
//! Never interprets it. Guards: a position is turned into a line in one place only.

use sha2::{Digest, Sha256};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A configuration file as read.
#[derive(Clone, Debug)]
pub struct Source {
    path: PathBuf,
    text: Arc<str>,
    starts: Vec<usize>,
}

/// Byte positions in the text.
pub type Span = Range<usize>;

impl Source {
    /// `text` as it stands in `path`; relative paths inside it are relative to the directory of `path`.
    pub fn new(path: impl Into<PathBuf>, text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path: path.into(), text: text.into(), starts }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line of a byte position, counted from 1.
    pub fn line(&self, position: usize) -> usize {
        self.starts.partition_point(|start| *start <= position).max(1)
    }

    /// A path named in the file, from where the process stands.
    pub fn resolve(&self, named: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(named)
    }

    /// SHA-256 of the text: what a CONFIG record and `build_info` name.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.text.as_bytes()).into()
    }
}

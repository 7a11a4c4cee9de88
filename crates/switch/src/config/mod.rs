//! The configuration: one TOML file, a raw form and a checked form.
//!
//! Never binds a port, never writes a file, never stops at the first mistake. Guards: whoever holds a [`Config`] need not
//! ask again; every mistake is reported in one go with file, line, value and what was expected.
//!
//! The way of a file: [`read`](self) makes the raw form of it (`raw`), `check` looks at every section and at how they fit
//! together, and only a file without any mistake becomes a [`Config`].

mod amount;
mod bounds;
mod changes;
mod check;
mod fuzz;
mod notes;
mod raw;
mod read;
mod section;
mod snapshot;
mod source;
mod suggest;
mod types;

pub use amount::{currency, minor};
pub use bounds::{Bound, MemoryBound};
pub use fuzz::fuzz_config;
pub use notes::{ConfigErrors, Pictured};
pub use source::Source;
pub use suggest::expected;
pub use types::{
    Address, ArchiveConfig, CalendarConfig, ClientTls, Config, IssuerConfig, JournalConfig, LinkConfig,
    ListenerConfig, MerchantConfig, MessagesConfig, ServerTls, terminal_key,
};

use notes::Notes;
use std::path::Path;

/// A file that is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It could not be read at all.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Every mistake in it.
    #[error("{0}")]
    Wrong(ConfigErrors),
}

impl Config {
    /// Reads and checks the file at `path`.
    /// # Errors
    /// [`LoadError`]: the file cannot be read, or everything that is wrong with it.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| LoadError::Read { path: path.display().to_string(), source })?;
        Self::parse(path, &text).map_err(LoadError::Wrong)
    }

    /// Checks `text` as if it stood in `path`; relative paths in it are relative to the directory of `path`.
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigErrors> {
        let source = Source::new(path, text);
        let mut notes = Notes::default();
        let Some(file) = read::read(&source, &mut notes) else {
            return Err(ConfigErrors::new(source, notes.into_parts().0));
        };
        check::check(source, &file, notes).map_err(|(source, problems)| ConfigErrors::new(source, problems))
    }
}

impl Config {
    /// Reads the file of this configuration again, for a process that runs since it was read.
    /// # Errors
    /// [`LoadError`]: as [`Config::load`], and everything that differs and takes a restart.
    pub fn reload(&self) -> Result<Self, LoadError> {
        let new = Self::load(self.source.path())?;
        let fixed = changes::fixed(&self.source, &new.source);
        if fixed.is_empty() { Ok(new) } else { Err(LoadError::Wrong(ConfigErrors::new(new.source, fixed))) }
    }
}

#[cfg(test)]
mod tests;

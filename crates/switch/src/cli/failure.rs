//! What a command that failed tells its user, once, with the whole chain of causes.
//! Never a backtrace, never a secret: errors of every room are made without one. Guards: the exit status is not 0.

use crate::config::{ConfigErrors, LoadError, Pictured};
use std::error::Error;
use std::fmt;
use std::io::IsTerminal;
use std::process::ExitCode;

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// In words, with what caused it.
    Because {
        /// What could not be done.
        doing: String,
        /// Why.
        source: Option<Box<dyn Error + Send + Sync>>,
    },
    /// Mistakes in a configuration, each at its line.
    Config(ConfigErrors),
    /// Everything was said already; only the exit status is left.
    Told(u8),
}

impl Failure {
    /// In words alone.
    pub fn new(doing: impl Into<String>) -> Self {
        Self::Because { doing: doing.into(), source: None }
    }

    /// What could not be done, and why.
    pub fn because(doing: impl Into<String>, source: impl Error + Send + Sync + 'static) -> Self {
        Self::Because { doing: doing.into(), source: Some(Box::new(source)) }
    }

    /// Prints it to standard error; the status to exit with.
    pub fn report(self) -> ExitCode {
        match self {
            Self::Told(status) => return ExitCode::from(status),
            // Pictures are for people: a log or a pipe gets one line per mistake.
            Self::Config(errors) if std::io::stderr().is_terminal() => {
                eprintln!("{:?}", miette::Report::new(Pictured(errors)));
            }
            other => eprintln!("pointsman: {other}"),
        }
        ExitCode::FAILURE
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Because { doing, source } => {
                f.write_str(doing)?;
                let mut next = source.as_deref().map(|source| source as &dyn Error);
                while let Some(cause) = next {
                    write!(f, ": {cause}")?;
                    next = cause.source();
                }
                Ok(())
            }
            Self::Config(errors) => errors.fmt(f),
            Self::Told(status) => write!(f, "exit status {status}"),
        }
    }
}

impl Error for Failure {}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Wrong(errors) => Self::Config(errors),
            LoadError::Read { path, source } => Self::because(format!("cannot read {path}"), source),
        }
    }
}

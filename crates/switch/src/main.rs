//! The binary `pointsman`: everything it does is in the library, where tests reach it.
//! Never more than a call. Guards: the exit status is the library's.

use std::process::ExitCode;

fn main() -> ExitCode {
    switch::cli::main()
}

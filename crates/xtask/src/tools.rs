//! Tools that tests and measurements need besides Rust: found, installed on Debian, or named.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program and the Debian package that has it.
#[derive(Clone, Copy)]
pub struct Tool {
    /// The program.
    pub program: &'static str,
    /// The package.
    pub package: &'static str,
}

/// What `cargo xtask test` needs.
pub const FOR_TESTS: &[Tool] = &[
    Tool { program: "cc", package: "build-essential" },
    Tool { program: "promtool", package: "prometheus" },
];

/// What `cargo xtask bench peers` needs.
pub const FOR_PEERS: &[Tool] =
    &[Tool { program: "nginx", package: "nginx-light" }, Tool { program: "haproxy", package: "haproxy" }];

/// Parts of the toolchain that formatting and lints need: the cargo command and the component that has it.
const COMPONENTS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// Makes sure that the toolchain can format and lint: with rustup both can be left out.
///
/// # Errors
/// Names what is missing and how to get it.
pub fn ensure_components() -> Result<(), String> {
    let has = |command: &str| {
        crate::run::cargo(&[command, "--version"]).output().is_ok_and(|output| output.status.success())
    };
    missing_components(has).or_else(|missing| {
        let rustup = find("rustup").ok_or_else(|| missing.clone())?;
        eprintln!("{missing}: adding it");
        let added =
            Command::new(rustup).args(["component", "add"]).args(COMPONENTS.map(|(_, name)| name)).status();
        if added.is_ok_and(|status| status.success()) { missing_components(has) } else { Err(missing) }
    })
}

fn missing_components(has: impl Fn(&str) -> bool) -> Result<(), String> {
    let missing: Vec<&str> =
        COMPONENTS.iter().filter(|(command, _)| !has(command)).map(|(_, component)| *component).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    Err(format!("the toolchain lacks {names}: `rustup component add {names}`, or your system's package"))
}

/// Makes sure that nginx can pass streams on: on Debian that is a module of its own.
///
/// # Errors
/// If it cannot and the module cannot be installed here.
pub fn ensure_stream_module() -> Result<(), String> {
    if has_stream_module() {
        return Ok(());
    }
    let named = format!("nginx' stream module (Debian: {STREAM_PACKAGE})");
    if find("apt-get").is_none() {
        return Err(format!("missing: {named}; this is no Debian, please install it"));
    }
    eprintln!("installing {named}");
    apt(&["update", "-qq"])?;
    apt(&["install", "-y", "-qq", "--no-install-recommends", STREAM_PACKAGE])?;
    if has_stream_module() { Ok(()) } else { Err(format!("{named} is still missing")) }
}

fn has_stream_module() -> bool {
    let built = || {
        let nginx = find("nginx")?;
        let told = Command::new(nginx).arg("-V").output().ok()?;
        Some(is_built_in(&String::from_utf8_lossy(&told.stderr)))
    };
    Path::new(STREAM_MODULE).is_file() || built().unwrap_or(false)
}

/// Whether `nginx -V` says that streams are part of the binary; `--with-stream=dynamic` is not.
fn is_built_in(told: &str) -> bool {
    told.split_whitespace().any(|word| word == "--with-stream")
}

/// Makes sure that every tool is there.
///
/// # Errors
/// Names the tools that are missing and cannot be installed here.
pub fn ensure(tools: &[Tool]) -> Result<(), String> {
    let missing: Vec<Tool> = tools.iter().copied().filter(|tool| find(tool.program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.iter().map(|tool| format!("{} (Debian: {})", tool.program, tool.package));
    let names = names.collect::<Vec<_>>().join(", ");
    if find("apt-get").is_none() {
        return Err(format!("missing: {names}; this is no Debian, please install them"));
    }
    eprintln!("installing {names}");
    let wanted: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    apt(&["update", "-qq"]).and_then(|()| {
        let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
        arguments.extend(&wanted);
        apt(&arguments)
    })?;
    match missing.iter().find(|tool| find(tool.program).is_none()) {
        Some(tool) => Err(format!("{} is still missing after installing {}", tool.program, tool.package)),
        None => Ok(()),
    }
}

/// Looks along the path and in the folders of system programs.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Where Debian puts it, and its package.
const STREAM_MODULE: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";
const STREAM_PACKAGE: &str = "libnginx-mod-stream";

/// apt-get, through sudo unless we are root.
fn apt(arguments: &[&str]) -> Result<(), String> {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0"));
    let mut command = if root { Command::new("apt-get") } else { Command::new("sudo") };
    if !root {
        command.args(["-n", "apt-get"]);
    }
    command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("apt-get {} failed: {status}", arguments.join(" "))),
        Err(error) => Err(format!("apt-get cannot be started (as root or through sudo): {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toolchain_without_lints_is_told_how_to_get_them() {
        assert_eq!(missing_components(|_| true), Ok(()));
        let told = missing_components(|command| command == "fmt").unwrap_err();
        assert!(told.contains("`rustup component add clippy`"), "{told}");
        let told = missing_components(|_| false).unwrap_err();
        assert!(told.contains("`rustup component add rustfmt clippy`"), "{told}");
    }

    #[test]
    fn a_module_that_is_only_loadable_is_not_built_in() {
        assert!(is_built_in("configure arguments: --with-threads --with-stream --with-http_v2_module"));
        assert!(!is_built_in("configure arguments: --with-stream=dynamic --with-stream_ssl_module"));
    }
}

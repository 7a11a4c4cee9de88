//! Tools that tests and measurements need besides Rust: found, installed on Debian, or named.

use std::path::PathBuf;
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

/// Makes sure that every tool is there.
///
/// # Errors
/// Names the tools that are missing and cannot be installed here.
pub fn ensure(tools: &[Tool], packages: &[&str]) -> Result<(), String> {
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
    let mut wanted: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    wanted.extend(packages);
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

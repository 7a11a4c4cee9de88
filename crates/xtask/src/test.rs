//! `cargo xtask test`: the whole gate, in the order in which a failure is cheapest to learn.

use crate::run::{Step, cargo, root, step, summary};
use crate::sim;
use crate::tools;
use std::path::PathBuf;

/// Everything.
///
/// # Errors
/// Says how many steps failed; the summary says which.
pub fn all(long: bool) -> Result<(), String> {
    tools::ensure_components()?;
    tools::ensure(tools::FOR_TESTS)?;
    let mut steps = lints();
    // The whole-switch tests run the binary: it must be the one of this tree.
    steps.push(step("build", cargo(&["build", "--workspace", "--bins"])));
    let mut tests = cargo(&["test", "--workspace", "--no-fail-fast"]);
    if long {
        tests.env("POINTSMAN_LONG", "1").env("PROPTEST_CASES", "4096");
    }
    steps.push(step("unit, property, end-to-end", tests));
    let mut seeds = sim::simulator();
    seeds.args(["--seeds", if long { "0..3000" } else { "0..300" }]);
    steps.push(step("simulation", seeds));
    steps.push(loom("loom: limit cell", "limits", "loom_cell"));
    steps.push(loom("loom: journal hand-off", "journal", "loom_handoff"));
    summary(&steps)
}

/// Formatting and lints only.
///
/// # Errors
/// As [`all`].
pub fn check() -> Result<(), String> {
    tools::ensure_components()?;
    tools::ensure(&tools::FOR_TESTS[..1])?;
    summary(&lints())
}

fn lints() -> Vec<Step> {
    vec![
        step("formatting", cargo(&["fmt", "--all", "--", "--check"])),
        step("lints", cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
        step(
            "lints, service build",
            cargo(&["clippy", "-p", "switch", "--no-default-features", "--", "-D", "warnings"]),
        ),
        fuzz(),
    ]
}

/// The fuzz targets are a workspace of their own, which nothing else compiles. They share what was compiled already.
fn fuzz() -> Step {
    let mut command = cargo(&["check", "--manifest-path", "fuzz/Cargo.toml"]);
    command.env("CARGO_TARGET_DIR", target());
    step("fuzz targets compile", command)
}

/// Loom replaces the atomics at compile time, so it has a target directory of its own.
fn loom(name: &'static str, package: &str, test: &str) -> Step {
    let mut command = cargo(&["test", "--release", "--package", package, "--test", test]);
    command.env("RUSTFLAGS", "--cfg loom").env("CARGO_TARGET_DIR", target().join("loom"));
    step(name, command)
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into)
}

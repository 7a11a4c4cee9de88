//! check, test, bench
fn main() {}

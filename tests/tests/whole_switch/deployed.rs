//! What an administrator is told to install, held against what the switch accepts.
//! Never needs an init system. Guards: the unit's user can read the keys, and nobody else can.

use std::os::unix::fs::PermissionsExt;
use tests::process::root;

/// The value of a setting that stands once in the unit.
fn setting(unit: &str, name: &str) -> Option<String> {
    let mut values = unit.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let value = values.next()?.to_owned();
    assert_eq!(values.next(), None, "{name} stands twice");
    Some(value)
}

#[test]
fn prometheus_takes_the_configuration_that_is_shipped() {
    let file = root().join("deploy/prometheus/prometheus.yml");
    let checked = std::process::Command::new("promtool").args(["check", "config"]).arg(file).output();
    let checked =
        checked.expect("promtool is there (Debian: package prometheus; `cargo xtask test` installs it)");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn alerts_fire_where_they_must_and_nowhere_else_and_say_what_to_do() {
    let dir = root().join("deploy/prometheus");
    let read = |name: &str| std::fs::read_to_string(root().join("deploy").join(name)).unwrap();
    let (rules, tests) = (read("prometheus/rules.yml"), read("prometheus/rules_test.yml"));
    let runbook = read("runbook.md");
    let alerts: Vec<&str> =
        rules.lines().filter_map(|line| line.trim_start().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 20, "{alerts:?}");
    for alert in alerts {
        assert!(tests.contains(&format!("name: {alert} fires\n")), "{alert} is not shown to fire");
        assert!(
            tests.contains(&format!("name: {alert} does not fire\n")),
            "{alert} is not shown to keep quiet"
        );
        assert!(runbook.contains(&format!("| `{alert}` |")), "{alert} has no row in the runbook");
    }
    let tested = std::process::Command::new("promtool")
        .args(["test", "rules", "rules_test.yml"])
        .current_dir(dir)
        .output();
    let tested =
        tested.expect("promtool is there (Debian: package prometheus; `cargo xtask test` installs it)");
    let said =
        String::from_utf8_lossy(&tested.stdout).into_owned() + &String::from_utf8_lossy(&tested.stderr);
    assert!(tested.status.success(), "{said}");
}

#[test]
fn a_call_that_the_unit_denies_is_an_error_and_no_death() {
    let unit = std::fs::read_to_string(root().join("deploy/systemd/pointsman.service")).unwrap();
    assert!(unit.lines().any(|line| line.starts_with("SystemCallFilter=~")), "some calls are denied");
    assert_eq!(setting(&unit, "SystemCallErrorNumber").as_deref(), Some("EPERM"), "without it: SIGSYS");
}

#[test]
fn the_unit_s_user_owns_the_keys_that_the_page_installs() {
    let unit = std::fs::read_to_string(root().join("deploy/systemd/pointsman.service")).unwrap();
    let page = std::fs::read_to_string(root().join("deploy/README.md")).unwrap();
    assert_eq!(setting(&unit, "DynamicUser"), None, "a user that changes owns no key file");
    let user = setting(&unit, "User").expect("a user of its own");
    assert!(page.contains(&format!("useradd --system --home-dir /var/lib/{user}")), "{user} is made");
    for file in ["pointsman.keys", "tls/switch.key"] {
        let line = page.lines().find(|line| line.starts_with("install ") && line.contains(file)).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[1..5], ["-o", &user, "-g", &user], "{line}");
        assert_eq!(words[5..7], ["-m", "0400"], "{line}");
    }
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("pointsman.keys");
    keys::KeyFile::generate(&keys).unwrap();
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o400)).unwrap();
    keys::KeyFile::load(&keys, &dir.path().join("journal")).unwrap();
}

//! The binary as its users meet it: what it prints, where, and the exit status.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const SIGN_IN: &str = "0063600049000060320032050108000020000000C0001600007431323334353637383132333435363738393132333435360011000000000030003753657175656E6365204E6F32343934393130303030303130343138313243413835393239310003313233";

/// A switch without issuers within reach: it answers network messages and declines everything else.
const CONFIG: &str = r#"
[admin]
listen = "127.0.0.1:0"

[journal]
dir = "journal"
key_file = "keys"
segment_bytes = 1_048_576

[[calendar]]
name = "cn"
zone = "Asia/Shanghai"
cutover = "23:00"

[[listener]]
name = "pos"
listen = "127.0.0.1:0"
dialect = "unionpay-pos"
framing = "unionpay"
acquirer = "00010000"
calendar = "cn"
terminals = "any"

[[issuer]]
name = "harbour"
dialect = "iso87-binary"
framing = "binary2"
calendar = "cn"

[[issuer.link]]
name = "a"
address = "127.0.0.1:9"

[[route]]
prefix = "6224"
issuer = "harbour"
scheme = "CUP"
"#;

fn pointsman(place: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    command.current_dir(place).args(args).env("NO_COLOR", "1");
    command
}

/// Exit status, standard output, standard error.
fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn run(place: &Path, args: &[&str]) -> (i32, String, String) {
    told(&pointsman(place, args).output().unwrap())
}

fn run_with_input(place: &Path, args: &[&str], input: &str) -> (i32, String, String) {
    let mut command = pointsman(place, args);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    told(&child.wait_with_output().unwrap())
}

/// A directory with keys and a configuration.
fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(run(place.path(), &["keys", "init", "keys"]).0, 0);
    std::fs::write(place.path().join("p.toml"), CONFIG).unwrap();
    place
}

/// A running switch, killed when a test gives up on it.
struct Serving {
    child: Child,
    log: BufReader<std::process::ChildStderr>,
    address: String,
}

impl Serving {
    /// Returns when the listener's port is known.
    fn start(place: &Path) -> Self {
        let mut command = pointsman(place, &["serve", "--json", "--config", "p.toml"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        // Held before anything can fail, so that the process never outlives the test.
        let mut serving = Self { child, log, address: String::new() };
        let mut seen = String::new();
        while serving.address.is_empty() {
            let mut line = String::new();
            assert_ne!(serving.log.read_line(&mut line).unwrap(), 0, "the switch ended:\n{seen}");
            let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if event["message"] == "listening" {
                serving.address = event["address"].as_str().unwrap_or_default().to_owned();
            }
            seen.push_str(&line);
        }
        serving
    }

    /// SIGTERM, then the exit status and the rest of the log.
    fn stop(mut self) -> (i32, String) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.log, &mut rest).unwrap();
        (self.child.wait().unwrap().code().unwrap_or(-1), rest)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn decode_prints_json_masked_and_tables_for_people() {
    let place = tempfile::tempdir().unwrap();
    let (status, out, err) = run(place.path(), &["decode", "--json", SIGN_IN]);
    assert_eq!((status, err.as_str()), (0, ""));
    let message: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&message["mti"], &message["fields"]["42"]), (&"0800".into(), &"123456789123456".into()));
    let (status, out, _) = run_with_input(place.path(), &["decode", "-"], SIGN_IN);
    assert!(
        status == 0 && out.starts_with("0800 · unionpay-pos · framing unionpay · TPDU 6000490000"),
        "{out}"
    );
    std::fs::write(place.path().join("cut"), &SIGN_IN[..60]).unwrap();
    let (status, out, err) = run(place.path(), &["decode", "--framing", "unionpay", "cut"]);
    assert_eq!((status, out.as_str()), (1, ""));
    assert_eq!(err, "pointsman: frame 1 at byte 0: its length asks for 101 bytes in all, found 30\n");
    let (_, _, err) = run(place.path(), &["decode", "--clear", SIGN_IN]);
    assert!(err.starts_with("warning: "), "{err}");
}

#[test]
fn check_reports_every_mistake_with_its_line_and_binds_nothing() {
    let place = place();
    let (status, out, err) = run(place.path(), &["check", "--config", "p.toml"]);
    assert!(
        (status, err.as_str()) == (0, "") && out.starts_with("p.toml: no problems; 1 listeners"),
        "{out}{err}"
    );
    assert!(out.contains("memory bound ") && !place.path().join("journal").exists());
    let wrong = CONFIG.replace("\"unionpay\"", "\"unionpai\"").replace("23:00", "25:00");
    std::fs::write(place.path().join("p.toml"), wrong).unwrap();
    let (status, out, err) = run(place.path(), &["check", "--config", "p.toml"]);
    assert_eq!((status, out.as_str()), (1, ""));
    let lines: Vec<_> = err.lines().collect();
    assert_eq!(lines[0], "pointsman: 2 problems in p.toml");
    assert!(lines[1].starts_with("  line 13: calendar \"cn\": cutover \"25:00\" is no time of day"), "{err}");
    assert!(lines[2].ends_with("did you mean \"unionpay\"?"), "{err}");
    let (status, out, _) = run(place.path(), &["check", "--json", "--config", "p.toml"]);
    let result: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &result["ok"], &result["problems"][0]["line"]), (1, &false.into(), &13.into()));
    let (status, _, err) = run(place.path(), &["serve", "--config", "none.toml"]);
    assert!(status == 1 && err.starts_with("pointsman: cannot read none.toml: "), "{err}");
}

#[test]
fn keys_are_never_overwritten() {
    let place = place();
    let before = std::fs::read(place.path().join("keys")).unwrap();
    let (status, out, err) = run(place.path(), &["keys", "init", "keys"]);
    assert!(status == 1 && out.is_empty() && err.starts_with("pointsman: no keys were made: "), "{err}");
    assert_eq!(std::fs::read(place.path().join("keys")).unwrap(), before);
}

#[test]
fn dialects_are_listed_shown_and_checked() {
    let place = tempfile::tempdir().unwrap();
    let (_, out, _) = run(place.path(), &["dialect", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 4);
    let (status, out, _) = run(place.path(), &["dialect", "show", "unionpay-pos"]);
    assert_eq!(status, 0);
    std::fs::write(place.path().join("mine.toml"), &out).unwrap();
    let (status, _, err) = run(place.path(), &["dialect", "check", "mine.toml"]);
    assert_eq!((status, err.as_str()), (0, ""));
    std::fs::write(place.path().join("mine.toml"), out.replacen("type = \"n\"", "type = \"nn\"", 1)).unwrap();
    let (status, _, err) = run(place.path(), &["dialect", "check", "mine.toml"]);
    assert!(status == 1 && err.contains("mine.toml\n  line "), "{err}");
}

#[test]
fn a_switch_is_served_asked_and_stopped_and_its_journal_is_sound() {
    let place = place();
    let serving = Serving::start(place.path());
    let send = |more: &[&str]| {
        let mut args = vec!["send", "--to", &serving.address, "--plain", "--dialect", "unionpay-pos"];
        args.extend_from_slice(&["--framing", "unionpay", "--json"]);
        args.extend_from_slice(more);
        let (status, out, err) = run_with_input(place.path(), &args, "6224242900000113\n");
        let answer: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
        assert!(!out.contains("6224242900000113"), "{out}");
        (status, answer["explanation"]["code"].clone(), answer["explanation"]["cause"].clone())
    };
    assert_eq!(send(&["--type", "echo"]), (0, "00".into(), serde_json::Value::Null));
    assert_eq!(send(&["--type", "sign-on"]), (0, "00".into(), serde_json::Value::Null));
    // No link is up.
    assert_eq!(send(&["--pan", "-"]), (2, "91".into(), "network".into()));
    let second = run(place.path(), &["serve", "--config", "p.toml"]);
    assert!(second.0 == 1 && second.2.contains("is held by process "), "{}", second.2);
    let (status, log) = serving.stop();
    assert_eq!(status, 0, "{log}");
    let (status, out, err) = run(place.path(), &["journal", "verify", "--json", "journal"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{err}"));
    assert_eq!((status, &report["sound"]), (0, &true.into()), "{out}");
}

//! The real binary as a child process: started, watched by its log, killed or told to stop.
//! Never leaves one behind. Guards: ports are those that the process says it bound; a child that ends early fails the test
//! with its log.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use testkit::{PATIENCE, wait_for};

/// A running `pointsman serve`.
pub struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
    /// Reads the log until its end.
    reader: Option<JoinHandle<()>>,
    listeners: HashMap<String, SocketAddr>,
    admin: SocketAddr,
}

impl Process {
    /// Starts it and returns when its ports are open.
    ///
    /// # Panics
    /// If it ends before.
    #[track_caller]
    pub fn serve(config: &Path) -> Self {
        Self::serve_logging(config, "info")
    }

    /// The same with more, or less, in the log.
    ///
    /// # Panics
    /// If it ends before its ports are open.
    #[track_caller]
    pub fn serve_logging(config: &Path, level: &str) -> Self {
        let mut command = Command::new(binary());
        command.args(["serve", "--json", "--log", level, "--config"]).arg(config);
        Self::start(command)
    }

    /// Any program that serves and logs as the switch does.
    ///
    /// # Panics
    /// If it ends before its ports are open.
    #[track_caller]
    pub fn start(command: Command) -> Self {
        Self::try_start(command).unwrap_or_else(|(status, log)| panic!("it did not start: {status}\n{log}"))
    }

    /// The same for one that may well end before: its status and its log.
    ///
    /// # Errors
    /// It ended.
    ///
    /// # Panics
    /// If it neither ends nor opens its ports.
    #[track_caller]
    pub fn try_start(mut command: Command) -> Result<Self, (ExitStatus, String)> {
        let streams = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = streams.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, reader) = follow(child.stderr.take().unwrap(), Arc::clone(&log));
        let mut listeners = HashMap::new();
        let admin = loop {
            let line = match lines.recv_timeout(PATIENCE) {
                Ok(line) => line,
                Err(RecvTimeoutError::Disconnected) => {
                    let status = child.wait().unwrap();
                    return Err((status, log.lock().unwrap_or_else(PoisonError::into_inner).clone()));
                }
                Err(RecvTimeoutError::Timeout) => {
                    let _ = child.kill();
                    panic!("it did not start:\n{}", log.lock().unwrap_or_else(PoisonError::into_inner));
                }
            };
            let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            let address = said["address"].as_str().and_then(|address| address.parse().ok());
            match (said["message"].as_str(), address) {
                (Some("listening"), Some(address)) => {
                    listeners.insert(said["listener"].as_str().unwrap().to_owned(), address);
                }
                (Some("metrics and health"), Some(address)) => break address,
                _ => {}
            }
        };
        Ok(Self { child, log, reader: Some(reader), listeners, admin })
    }

    /// Where a listener is.
    ///
    /// # Panics
    /// If there is no such.
    pub fn listener(&self, name: &str) -> SocketAddr {
        self.listeners[name]
    }

    /// Waits until `/readyz` says so.
    ///
    /// # Panics
    /// If it never does.
    pub fn ready(&self) {
        wait_for("ready", || self.get("/readyz").is_some_and(|(status, _)| status == 200));
    }

    /// The exposition text.
    ///
    /// # Panics
    /// If there is none.
    pub fn metrics(&self) -> String {
        self.get("/metrics").expect("the switch tells its metrics").1
    }

    /// Status and body of a page of the admin port; `None` if it does not answer.
    pub fn get(&self, page: &str) -> Option<(u16, String)> {
        let mut socket = TcpStream::connect(self.admin).ok()?;
        socket.set_read_timeout(Some(PATIENCE)).ok()?;
        write!(socket, "GET {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`: returns when it is gone.
    ///
    /// # Panics
    /// If it cannot be waited for.
    pub fn kill_nine(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM.
    ///
    /// # Panics
    /// If it cannot be sent.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// SIGHUP.
    ///
    /// # Panics
    /// If it cannot be sent.
    pub fn hang_up(&self) {
        kill_process(Pid::from_child(&self.child), Signal::HUP).unwrap();
    }

    /// Whether it has ended by itself.
    ///
    /// # Panics
    /// If it cannot be asked.
    pub fn is_gone(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end; its status and its log.
    ///
    /// # Panics
    /// If it does not end.
    pub fn ended(mut self) -> (ExitStatus, String) {
        let mut status = None;
        wait_for("the end of the process", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        // What it said last may still be in the pipe.
        self.reader.take().expect("it ends once").join().unwrap();
        (status.unwrap(), self.log())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It is usually gone by now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the log line by line for as long as the process lives.
fn follow(from: impl Read + Send + 'static, log: Arc<Mutex<String>>) -> (Receiver<String>, JoinHandle<()>) {
    let (tell, lines) = channel();
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push_str(&line);
            log.push('\n');
            drop(log);
            // Nobody listens any more once the ports are known.
            let _ = tell.send(line);
        }
    });
    (lines, reader)
}

/// The binary under test: `POINTSMAN_BIN`, else [`program`] `pointsman`.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("POINTSMAN_BIN") {
        Some(given) => given.into(),
        None => program("switch", "pointsman"),
    })
}

/// A binary of this build, which is made if it is missing or older than a file it was made from.
///
/// # Panics
/// If it cannot be built.
pub fn program(package: &str, name: &str) -> PathBuf {
    let ours = std::env::current_exe().unwrap();
    let profile = ours.parent().and_then(Path::parent).expect("a test is in target/PROFILE/deps");
    let binary = profile.join(name);
    if !is_fresh(&binary) {
        build(profile, package, name);
    }
    binary
}

/// By the list that the compiler leaves beside what it made.
fn is_fresh(binary: &Path) -> bool {
    let made = |path: &Path| path.metadata().and_then(|about| about.modified()).ok();
    let Some(built) = made(binary) else { return false };
    let Ok(list) = std::fs::read_to_string(binary.with_extension("d")) else { return false };
    let sources = list.split_once(": ").map_or("", |(_, sources)| sources);
    sources.split_whitespace().all(|source| made(Path::new(source)).is_some_and(|changed| changed <= built))
}

fn build(profile: &Path, package: &str, name: &str) {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--package", package, "--bin", name, "--target-dir"]).arg(profile.parent().unwrap());
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let done = cargo.current_dir(root()).status().unwrap();
    assert!(done.success(), "{name} cannot be built: {done}");
}

/// The workspace.
///
/// # Panics
/// Never: this package is a folder of it.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a folder of the workspace")
}

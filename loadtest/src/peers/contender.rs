//! Starting and stopping what is compared, with configurations made for the occasion.
//! Never leaves a process behind. Guards: all three listen with the same certificate and take TLS 1.3.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustix::process::{Pid, Signal, kill_process};
use std::error::Error;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Contender {
    Nginx,
    Haproxy,
    Switch,
}

impl Contender {
    /// In the order of the samples.
    pub(super) const ALL: [Self; 3] = [Self::Nginx, Self::Haproxy, Self::Switch];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Switch => "switch",
        }
    }
}

/// Binaries, certificates and a directory to work in.
pub(super) struct Places {
    dir: PathBuf,
    nginx: PathBuf,
    haproxy: PathBuf,
    switch: PathBuf,
}

/// One that has served.
pub(super) struct Stopped {
    dir: PathBuf,
}

/// One that serves.
pub(super) struct Running {
    child: Child,
    /// Where it takes TLS.
    pub address: SocketAddr,
    dir: PathBuf,
}

impl Places {
    /// Makes an authority and a certificate that all three use.
    pub(super) fn make(dir: &Path, [nginx, haproxy, switch]: [&PathBuf; 3]) -> Result<Self, Box<dyn Error>> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let own = CertificateParams::new(vec!["localhost".into()])?.signed_by(&key, &authority)?;
        fs::write(dir.join("ca.pem"), authority.pem())?;
        fs::write(dir.join("own.pem"), own.pem())?;
        fs::write(dir.join("own.key"), key.serialize_pem())?;
        // haproxy wants both in one file.
        fs::write(dir.join("both.pem"), own.pem() + &key.serialize_pem())?;
        let place = |path: &PathBuf| path.clone();
        Ok(Self { dir: dir.to_owned(), nginx: place(nginx), haproxy: place(haproxy), switch: place(switch) })
    }

    pub(super) fn ca(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// Starts one in front of `issuer` and waits until it takes traffic.
    pub(super) fn start(&self, contender: Contender, issuer: SocketAddr) -> Result<Running, Box<dyn Error>> {
        let dir = self.dir.join("run");
        fs::create_dir(&dir)?;
        let (address, admin) = free_ports()?;
        let log = fs::File::create(dir.join("log"))?;
        let mut command = self.command(contender, &dir, address, admin, issuer)?;
        let child = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn();
        let child = child.map_err(|fault| format!("{} cannot be started: {fault}", contender.name()))?;
        let mut running = Running { child, address, dir };
        let until = Instant::now() + START_MAX;
        let ready = || match contender {
            Contender::Switch => is_ready(admin),
            _ => TcpStream::connect(address).is_ok(),
        };
        while !ready() {
            if Instant::now() > until || running.child.try_wait()?.is_some() {
                let log = fs::read_to_string(running.dir.join("log"))?;
                return Err(format!("{} does not come up:\n{log}", contender.name()).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(running)
    }

    fn command(
        &self,
        contender: Contender,
        dir: &Path,
        address: SocketAddr,
        admin: SocketAddr,
        issuer: SocketAddr,
    ) -> Result<Command, Box<dyn Error>> {
        let (config, pem) = (dir.join("config"), self.dir.display());
        let text = match contender {
            Contender::Nginx => nginx(dir, &self.dir, address, issuer),
            Contender::Haproxy => format!(
                "global\n maxconn 8192\n nbthread 2\n ssl-default-bind-options ssl-min-ver TLSv1.3\n\
                 defaults\n mode tcp\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n\
                 listen issuer\n bind {address} ssl crt {pem}/both.pem\n server issuer {issuer}\n"
            ),
            Contender::Switch => {
                keys::KeyFile::generate(&dir.join("keys"))?;
                switch(&self.dir, address, admin, issuer)
            }
        };
        fs::write(&config, text)?;
        let (program, words) = match contender {
            Contender::Nginx => (&self.nginx, vec!["-p".as_ref(), dir.as_os_str(), "-c".as_ref()]),
            Contender::Haproxy => (&self.haproxy, vec!["-db".as_ref(), "-f".as_ref()]),
            Contender::Switch => (&self.switch, vec!["serve".as_ref(), "--config".as_ref()]),
        };
        let mut command = Command::new(program);
        command.args::<_, &std::ffi::OsStr>(words).arg(&config);
        Ok(command)
    }
}

impl Running {
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end and waits; its files are left to be looked at.
    pub(super) fn stop(mut self) -> io::Result<Stopped> {
        self.end()?;
        let dir = std::mem::take(&mut self.dir);
        Ok(Stopped { dir })
    }

    fn end(&mut self) -> io::Result<()> {
        if self.child.try_wait()?.is_none() {
            kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        }
        let until = Instant::now() + STOP_MAX;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > until {
                self.child.kill()?;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Stopped {
    /// Where the switch kept its transactions.
    pub(super) fn journal(&self) -> PathBuf {
        self.dir.join("journal")
    }

    /// Clears its files away.
    pub(super) fn clear(self) -> io::Result<()> {
        fs::remove_dir_all(&self.dir)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only reached with something left to do when an error is on its way, which says more.
        let _ = self.end();
    }
}

/// User and system time of a process so far; 0 if it is gone.
pub(super) fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // Fields 14 and 15 (proc(5)); the name before may hold blanks, its closing bracket is the last.
    let behind = stat.rsplit_once(") ").map_or("", |(_, behind)| behind);
    let ticks: u64 = behind.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

fn nginx(dir: &Path, tls: &Path, address: SocketAddr, issuer: SocketAddr) -> String {
    let (dir, tls) = (dir.display(), tls.display());
    let module = Path::new(STREAM_MODULE);
    let load = if module.exists() { format!("load_module {STREAM_MODULE};\n") } else { String::new() };
    format!(
        "{load}daemon off;\nworker_processes 2;\nworker_rlimit_nofile 16384;\npid {dir}/pid;\n\
         error_log {dir}/log warn;\nevents {{ worker_connections 8192; }}\n\
         stream {{\n access_log off;\n server {{\n  listen {address} ssl backlog=4096;\n  ssl_protocols TLSv1.3;\n\
         \x20 ssl_certificate {tls}/own.pem;\n  ssl_certificate_key {tls}/own.key;\n  proxy_pass {issuer};\n }}\n}}\n"
    )
}

/// Everything on: durable journal, duplicates, routing, limits of card, merchant and issuer.
fn switch(tls: &Path, address: SocketAddr, admin: SocketAddr, issuer: SocketAddr) -> String {
    let tls = tls.display();
    format!(
        r#"[switch]
node = 1
drain_timeout_ms = 2000
[admin]
listen = "{admin}"
[journal]
dir = "journal"
key_file = "keys"
sync = "durable"
index_entries = 8000000
[[calendar]]
name = "cn"
zone = "Asia/Shanghai"
cutover = "23:00"
[[limits]]
name = "card"
currency = "CNY"
daily = "900000000.00"
[[listener]]
name = "terminals"
listen = "{address}"
dialect = "iso87-binary"
framing = "binary2"
acquirer = "00010000"
calendar = "cn"
terminals = "any"
tls = {{ cert = "{tls}/own.pem", key = "{tls}/own.key" }}
[[issuer]]
name = "issuer"
dialect = "iso87-binary"
framing = "binary2"
calendar = "cn"
sign_on = false
acquirer = "00010000"
[[issuer.link]]
name = "a"
address = "{issuer}"
window = 8192
[[issuer.link]]
name = "b"
address = "{issuer}"
window = 8192
[[route]]
prefix = "622424"
issuer = "issuer"
scheme = "CUP"
card_type = "debit"
limits = "card"
[[merchant]]
id = "123456789123456"
acquirer = "00010000"
terminals = ["*"]
"#
    )
}

/// Two ports that were free a moment ago.
fn free_ports() -> io::Result<(SocketAddr, SocketAddr)> {
    let [one, two] =
        [TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?, TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?];
    Ok((one.local_addr()?, two.local_addr()?))
}

/// Whether the switch says that it takes traffic.
fn is_ready(admin: SocketAddr) -> bool {
    let ask = || -> io::Result<String> {
        let mut stream = TcpStream::connect(admin)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut said = String::new();
        stream.read_to_string(&mut said)?;
        Ok(said)
    };
    ask().is_ok_and(|said| said.starts_with("HTTP/1.1 200"))
}

/// Where Debian puts it; elsewhere it may be built in.
const STREAM_MODULE: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";
const START_MAX: Duration = Duration::from_secs(20);
const STOP_MAX: Duration = Duration::from_secs(10);

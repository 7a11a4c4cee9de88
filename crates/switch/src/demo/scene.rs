//! The stage: a directory, certificates, three issuers, a configuration, two fleets.
//! Never reaches beyond loopback. Guards: every port is one that was free.

use super::certificates::{Certificates, write};
use super::{DemoFault, Options};
use crate::config::ClientTls;
use crate::serve::{self, certificates};
use issuer_sim::{IssuerConfig, Listen, Simulator, standard_moods};
use loadtest::{Fleet, FleetConfig, Load, Mix, Plan, Stop, Tls};
use rustls_pki_types::ServerName;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// The issuer whose link is cut.
pub const CUT: &str = "meadow";

/// DE 42 of every terminal.
pub const MERCHANT: &str = "123456789123456";

/// BINs of the demo: one per issuer, and one that nobody issues.
const BINS: [(&str, &str); 3] = [("622424", "cup"), ("541333", "harbour"), ("424242", "meadow")];
const BIN_OF_NOBODY: &str = "999999";

/// Cards of a fleet: so many that a demo of hours does not bring them all to their day's limit.
const CARDS: u32 = 100_000;

/// Amount endings by which issuers decline: every cause a merchant can be told.
const ENDINGS: [u8; 12] = [51, 54, 55, 57, 58, 59, 61, 65, 91, 96, 12, 5];

/// Fleets with their loads, and the handles that end them.
pub type Fleets = (Vec<(Fleet, Load)>, Vec<Stop>);

/// Everything that stands before the first purchase.
pub struct Scene {
    /// Journal, keys and certificates; removed at the end.
    pub dir: TempDir,
    /// The configuration that the switch reads.
    pub config_path: PathBuf,
    /// The issuers.
    pub simulator: Simulator,
    certificates: Certificates,
}

impl Scene {
    /// Builds it.
    pub fn build(_: &Options) -> Result<Self, DemoFault> {
        let io = |source| DemoFault::Io { doing: "make a directory for the demo", source };
        let dir = tempfile::Builder::new().prefix("pointsman-demo-").tempdir().map_err(io)?;
        let certificates = Certificates::make(dir.path(), ["server", "client"])?;
        keys::KeyFile::generate(&dir.path().join("pointsman.keys"))
            .map_err(|fault| DemoFault::Config(fault.to_string()))?;
        let simulator = issuers(&certificates)?;
        let config_path = dir.path().join("pointsman.toml");
        write(&config_path, configuration(&simulator).as_bytes())?;
        Ok(Self { dir, config_path, simulator, certificates })
    }

    /// Cuts every connection of one issuer and refuses new ones for a while.
    pub fn cut_link(&self, refuse_for: Duration) {
        if let Some(control) = self.simulator.control(CUT) {
            control.cut_link(refuse_for);
        }
    }

    /// The journal's directory.
    pub fn journal(&self) -> PathBuf {
        self.dir.path().join("journal")
    }

    /// Shop terminals that speak UnionPay POS, and acquirer links that speak ISO 8583:1987 in ASCII.
    pub fn fleets(&self, running: &serve::Running, rate: f64) -> Result<Fleets, DemoFault> {
        let name = ServerName::try_from("localhost")
            .map_err(|_| DemoFault::Config("localhost is no name".into()))?;
        let files = ClientTls {
            ca: self.certificates.ca.clone(),
            identity: Some(self.certificates.client.clone()),
            server_name: "localhost".into(),
        };
        let config = certificates::client(&files).map_err(|fault| DemoFault::Config(fault.to_string()))?;
        let tls = Tls { config, name };
        let fleet = |at: usize, dialect: &str, connections: u32, first_terminal: u32| {
            let target = running.listeners()[at].1;
            let mut bins: Vec<String> =
                BINS.iter().flat_map(|(bin, _)| [*bin; 16]).map(str::to_owned).collect();
            bins.push(BIN_OF_NOBODY.to_owned());
            Fleet::new(FleetConfig {
                connections,
                first_terminal,
                merchant: MERCHANT.into(),
                acquirer: ["00010000", "00020000"][at].into(),
                bins,
                cards: CARDS,
                timeout: Duration::from_secs(8),
                ..FleetConfig::new(vec![target], Some(tls.clone()), dialect)
            })
        };
        let shop = fleet(0, "unionpay-pos", 32, 1)?;
        let acquirer = fleet(1, "iso87-ascii", 4, 5_001)?;
        let stops = vec![shop.stopper(), acquirer.stopper()];
        let share = |part: f64, in_flight| Load::Open { rate: rate * part, poisson: true, in_flight };
        Ok((vec![(shop, share(0.5, 1)), (acquirer, share(0.5, 64))], stops))
    }
}

/// Whether no request can go to the issuer whose link is cut.
pub fn is_cut(running: &serve::Running) -> bool {
    running.links_down().iter().any(|link| link.split('/').next() == Some(CUT))
}

/// What terminals send.
pub fn plan(run_for: Duration) -> Plan {
    let mix = Mix { balances: 20, repeats: 15, reversals: 20, ..Mix::default() }.declines(120, &ENDINGS);
    Plan {
        warm_up: Duration::ZERO,
        drain: Duration::from_secs(12),
        mix,
        ..Plan::new(Load::Closed { in_flight: 1 }, run_for)
    }
}

/// Three issuers, three dialects, one thread. One of them is reached over TLS with client certificates.
fn issuers(certificates: &Certificates) -> Result<Simulator, DemoFault> {
    let (cert, key) = &certificates.server;
    let tls = issuer_sim::server_config(cert, key, Some(&certificates.ca));
    let tls = tls.map_err(|fault| DemoFault::Config(fault.to_string()))?;
    let issuer = |name: &str, dialect: &str| IssuerConfig::new(name, dialect).moods(standard_moods());
    Ok(Simulator::start(vec![
        (issuer("cup", "unionpay-pos"), Listen::loopback_tls(tls.clone())),
        (issuer("harbour", "iso87-binary").require_sign_on(), Listen::loopback_tls(tls)),
        (issuer("meadow", "iso87-ascii"), Listen::loopback()),
    ])?)
}

fn configuration(simulator: &Simulator) -> String {
    let port = |name: &str| simulator.address(name).map_or(0, |address| address.port());
    let (cup, harbour, meadow) = (port("cup"), port("harbour"), port("meadow"));
    let routes: String = BINS
        .iter()
        .map(|(bin, issuer)| format!("[[route]]\nprefix = \"{bin}\"\nissuer = \"{issuer}\"\nscheme = \"CUP\"\ncard_type = \"debit\"\nlimits = \"card\"\n"))
        .collect();
    let link =
        r#"tls = { ca = "ca.pem", cert = "client.pem", key = "client.key", server_name = "localhost" }"#;
    format!(
        r#"[switch]
node = 1
drain_timeout_ms = 5000
answer_margin_ms = 1000

[admin]
listen = "127.0.0.1:0"

[journal]
dir = "journal"
key_file = "pointsman.keys"
segment_bytes = 16777216
reserve_bytes = 1048576
index_entries = 1000000

[[calendar]]
name = "cn"
zone = "Asia/Shanghai"
cutover = "23:00"

[[limits]]
name = "card"
currency = "CNY"
single = "99.00"
daily = "5000.00"

[[listener]]
name = "shops"
listen = "127.0.0.1:0"
dialect = "unionpay-pos"
framing = "unionpay"
acquirer = "00010000"
calendar = "cn"
answer_within_ms = 8000
tls = {{ cert = "server.pem", key = "server.key", client_ca = "ca.pem" }}

[[listener]]
name = "acquirer"
listen = "127.0.0.1:0"
dialect = "iso87-ascii"
framing = "binary2"
acquirer = "00020000"
calendar = "cn"
answer_within_ms = 8000
terminals = "any"
in_flight_per_connection = 256
tls = {{ cert = "server.pem", key = "server.key", client_ca = "ca.pem" }}

[[issuer]]
name = "cup"
dialect = "unionpay-pos"
framing = "unionpay"
calendar = "cn"
timeout_ms = 3000
acquirer = "00010000"
[[issuer.link]]
name = "a"
address = "127.0.0.1:{cup}"
{link}

[[issuer]]
name = "harbour"
dialect = "iso87-binary"
framing = "binary2"
calendar = "cn"
timeout_ms = 3000
sign_on = true
acquirer = "00010000"
[[issuer.link]]
name = "a"
address = "127.0.0.1:{harbour}"
{link}
[[issuer.link]]
name = "b"
address = "127.0.0.1:{harbour}"
{link}

[[issuer]]
name = "meadow"
dialect = "iso87-ascii"
framing = "binary2"
calendar = "cn"
timeout_ms = 3000
reconnect_first_ms = 100
reconnect_max_ms = 1000
acquirer = "00010000"
[[issuer.link]]
name = "a"
address = "127.0.0.1:{meadow}"

{routes}
[[merchant]]
id = "{MERCHANT}"
acquirer = "00010000"
terminals = ["T0000001..=T0000099"]

[[merchant]]
id = "{MERCHANT}"
acquirer = "00020000"
terminals = ["*"]
"#
    )
}

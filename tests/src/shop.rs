//! The configuration that whole-switch tests use: two listeners, two issuers, one market.
//! Never a fixed port. Guards: what a story changes is named where the story is told.

use crate::certificates::Certificates;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use switch::config::Config;

/// A directory with keys, certificates, configuration and journal.
pub struct Shop {
    /// The directory; it goes with the shop.
    pub dir: tempfile::TempDir,
    /// Who signed whose certificate.
    pub certificates: Certificates,
    /// Where the issuer of cards 6224 listens, plain.
    pub harbour: SocketAddr,
    /// Where the issuer of cards 5413 listens, over TLS; without one these cards have no issuer.
    pub meadow: Option<SocketAddr>,
    /// `[[issuer]]` harbour: when it is too late.
    pub timeout_ms: u32,
    /// Whether the acquirers' listener is without TLS.
    pub plain: bool,
    /// Whether the issuer of cards 6224 has a second link, to the same address.
    pub twin_links: bool,
    /// Ceiling of each card 6224 for a day.
    pub daily: &'static str,
    /// What else is different: text that stands in the file, and what stands there instead.
    pub edits: Vec<(&'static str, &'static str)>,
}

impl Shop {
    /// With keys and certificates made.
    ///
    /// # Panics
    /// If the directory cannot be made.
    pub fn new(harbour: SocketAddr) -> Self {
        let dir = tempfile::tempdir().unwrap();
        keys::KeyFile::generate(&dir.path().join("pointsman.keys")).unwrap();
        let certificates = Certificates::make(&dir.path().join("tls"));
        Self {
            dir,
            certificates,
            harbour,
            meadow: None,
            timeout_ms: 20_000,
            plain: false,
            twin_links: false,
            daily: "1000000.00",
            edits: Vec::new(),
        }
    }

    /// Its journal.
    pub fn journal(&self) -> PathBuf {
        self.dir.path().join("journal")
    }

    /// Writes the configuration; its file.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn file(&self) -> PathBuf {
        let file = self.dir.path().join("pointsman.toml");
        std::fs::write(&file, self.text()).unwrap();
        file
    }

    /// The checked configuration.
    ///
    /// # Panics
    /// If it is not in order.
    pub fn config(&self) -> Config {
        Config::load(&self.file()).unwrap_or_else(|errors| panic!("{errors:?}"))
    }

    fn text(&self) -> String {
        let tls = "tls = { cert = \"tls/switch.pem\", key = \"tls/switch.key\", client_ca = \"tls/ca.pem\" }";
        let acquirer_tls = if self.plain { "" } else { tls };
        let Self { harbour, timeout_ms, daily, twin_links, .. } = self;
        let meadow = self.meadow.map_or_else(String::new, meadow);
        let twin = if *twin_links { TWIN } else { "" };
        let text = format!("{HEAD}\n{acquirer_tls}\n{MERCHANTS}\n{meadow}\n")
            .replace("@TWIN@", twin)
            .replace("@HARBOUR@", &harbour.to_string())
            .replace("@TIMEOUT@", &timeout_ms.to_string())
            .replace("@DAILY@", daily);
        self.edits.iter().fold(text, |text, (from, to)| {
            assert!(text.contains(from), "{from:?} does not stand in the file");
            text.replacen(from, to, 1)
        })
    }
}

fn meadow(address: SocketAddr) -> String {
    format!(
        r#"
[[issuer]]
name = "meadow"
dialect = "iso87-ascii"
framing = "binary2"
calendar = "cn"
timeout_ms = 20_000
[[issuer.link]]
name = "a"
address = "{address}"
tls = {{ ca = "tls/ca.pem", server_name = "localhost" }}
[[route]]
prefix = "5413"
issuer = "meadow"
scheme = "MCC"
card_type = "credit"
"#
    )
}

/// Whether a file of the journal, or of a folder in it, holds `bytes`.
///
/// # Panics
/// If the folder cannot be read.
pub fn holds(folder: &Path, bytes: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, bytes);
        }
        std::fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes)
    })
}

const HEAD: &str = r#"
[switch]
node = 1
workers = 2
drain_timeout_ms = 30_000
max_live = 16_384
limit_counters = 10_000
[admin]
listen = "127.0.0.1:0"
[journal]
dir = "journal"
key_file = "pointsman.keys"
segment_bytes = 1_048_576
reserve_bytes = 65_536
index_entries = 100_000
[[calendar]]
name = "cn"
zone = "Asia/Shanghai"
cutover = "23:00"
[[limits]]
name = "card"
currency = "CNY"
daily = "@DAILY@"
[[issuer]]
name = "harbour"
dialect = "iso87-binary"
framing = "binary2"
calendar = "cn"
timeout_ms = @TIMEOUT@
reversal_timeout_ms = 300
retry_first_ms = 100
retry_max_ms = 200
reconnect_first_ms = 10
reconnect_max_ms = 50
acquirer = "00010000"
[[issuer.link]]
name = "a"
address = "@HARBOUR@"
@TWIN@
[[route]]
prefix = "6224"
issuer = "harbour"
scheme = "CUP"
card_type = "debit"
limits = "card"
[[listener]]
name = "pos"
listen = "127.0.0.1:0"
dialect = "unionpay-pos"
framing = "unionpay"
acquirer = "00010000"
calendar = "cn"
terminals = "registered"
tls = { cert = "tls/switch.pem", key = "tls/switch.key" }
[[listener]]
name = "acquirer"
listen = "127.0.0.1:0"
dialect = "iso87-ascii"
framing = "binary2"
acquirer = "00020000"
calendar = "cn"
terminals = "any"
in_flight_per_connection = 4_096
"#;

const TWIN: &str = r#"
[[issuer.link]]
name = "b"
address = "@HARBOUR@"
"#;

const MERCHANTS: &str = r#"
[[merchant]]
id = "123456789123456"
acquirer = "00010000"
terminals = ["T0000001..=T0000100"]
[[merchant]]
id = "123456789000000"
acquirer = "00010000"
status = "suspended"
terminals = ["T0000101"]
"#;

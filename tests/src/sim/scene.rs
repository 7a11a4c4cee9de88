//! The configuration of a simulated switch, and where it starts in time.
//! Never a socket: addresses are names only. Guards: the same seed gives the same text.

use super::dose::Dose;
use std::path::{Path, PathBuf};
use switch::config::Config;
use testkit::Chance;

/// Keys and a place for the configuration, shared by all runs of a process: nothing in it depends on the seed.
pub struct Ground {
    dir: tempfile::TempDir,
}

impl Ground {
    /// With a key file whose keys are always the same, so that tokens are.
    ///
    /// # Panics
    /// If the directory cannot be made.
    pub fn new() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let key =
            |salt: u8| (0..32u8).map(|at| format!("{:02x}", at.wrapping_mul(37) ^ salt)).collect::<String>();
        let file = dir.path().join("pointsman.keys");
        std::fs::write(&file, format!("token_key = {}\nkek = {}\n", key(0x5A), key(0xC3))).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        Self { dir }
    }

    /// The tokenizer of its keys.
    ///
    /// # Panics
    /// If the key file is not what was written.
    pub fn tokenizer(&self) -> keys::Tokenizer {
        let file = keys::KeyFile::load(&self.dir.path().join("pointsman.keys"), &self.journal()).unwrap();
        keys::Tokenizer::new(file.token_key())
    }

    /// Where the configuration says that the journal is; nothing is ever written there.
    pub fn journal(&self) -> PathBuf {
        self.dir.path().join("journal")
    }

    /// The checked configuration of a seed.
    ///
    /// # Panics
    /// If it is not in order.
    pub fn config(&self, text: &str) -> Config {
        Config::parse(&self.dir.path().join("pointsman.toml"), text)
            .unwrap_or_else(|errors| panic!("{errors:?}"))
    }

    /// A directory for what the books read.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Default for Ground {
    fn default() -> Self {
        Self::new()
    }
}

/// Names of the issuers, in the order of the configuration, with the first digits of their cards and their dialect.
pub const ISSUERS: [(&str, &str, &str); 2] =
    [("harbour", "622424", "iso87-binary"), ("meadow", "541333", "iso87-ascii")];

/// The text of a seed's configuration.
pub fn text(dose: &Dose, chance: &mut Chance) -> String {
    let zone = *chance.pick(&["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]);
    let timeout_ms = chance.between(1_000, 3_000);
    let daily = if dose.tight_limits { "200.00" } else { "1000000.00" };
    let mut text = HEAD
        .replace("@WORKERS@", &dose.workers.to_string())
        .replace("@ZONE@", zone)
        .replace("@DAILY@", daily)
        .replace("@SEGMENT@", &(65_536 * chance.between(3, 8)).to_string());
    for (name, prefix, dialect) in ISSUERS {
        text += &ISSUER
            .replace("@NAME@", name)
            .replace("@PREFIX@", prefix)
            .replace("@DIALECT@", dialect)
            .replace("@TIMEOUT@", &timeout_ms.to_string())
            .replace("@GRACE@", &chance.between(0, 3_000).to_string())
            .replace("@RETRY@", &chance.between(100, 1_000).to_string())
            .replace("@STAND_IN@", if dose.stand_in { STAND_IN } else { "" })
            .replace("@TWIN@", if dose.twin_links { TWIN } else { "" });
    }
    text + &LISTENERS.replace("@PARTS@", if dose.takes_parts { "true" } else { "false" })
}

/// Moments worth starting at, in seconds since 1970: an ordinary day, ends of years, leap days, changes of the clocks, the end
/// of 32 bits.
pub const STARTS: [i64; 9] = [
    1_795_341_600, // 2026-11-22T10:00Z
    1_798_761_000, // 2026-12-31T23:50Z
    1_835_394_000, // 2028-02-28T21:00Z
    1_835_480_400, // 2028-02-29T21:00Z
    1_806_191_700, // 2027-03-28T00:55Z, clocks go forward in Berlin
    1_793_494_500, // 2026-11-01T00:55Z, a few hours before they go back in New York
    1_824_944_100, // 2027-10-31T00:55Z, clocks go back in Berlin
    2_147_483_400, // 2038-01-19T03:10Z
    4_107_540_000, // 2100-02-28T22:00Z: no leap year
];

const HEAD: &str = r#"
[switch]
node = 1
workers = @WORKERS@
drain_timeout_ms = 5_000
max_live = 4_096
limit_counters = 4_096
[admin]
listen = "127.0.0.1:0"
[journal]
dir = "journal"
key_file = "pointsman.keys"
segment_bytes = @SEGMENT@
reserve_bytes = 65_536
index_entries = 20_000
[[calendar]]
name = "home"
zone = "@ZONE@"
cutover = "23:00"
[[limits]]
name = "card"
currency = "CNY"
daily = "@DAILY@"
count = 10_000
[[limits]]
name = "stand-in"
currency = "CNY"
single = "18.00"
daily = "150.00"
count = 30
"#;

const ISSUER: &str = r#"
[[issuer]]
name = "@NAME@"
dialect = "@DIALECT@"
framing = "binary2"
calendar = "home"
timeout_ms = @TIMEOUT@
reversal_timeout_ms = 800
retry_first_ms = @RETRY@
retry_max_ms = 4_000
grace_ms = @GRACE@
reconnect_first_ms = 50
reconnect_max_ms = 2_000
echo_ms = 10_000
echo_timeout_ms = 2_000
sign_on_timeout_ms = 2_000
acquirer = "00010000"
@STAND_IN@
[[issuer.link]]
name = "a"
address = "127.0.0.1:9"
@TWIN@
[[route]]
prefix = "@PREFIX@"
issuer = "@NAME@"
scheme = "CUP"
card_type = "debit"
limits = "card"
"#;

const STAND_IN: &str = "stand_in = { limits = \"stand-in\" }";

const TWIN: &str = "[[issuer.link]]\nname = \"b\"\naddress = \"127.0.0.1:9\"";

const LISTENERS: &str = r#"
[[listener]]
name = "pos"
listen = "127.0.0.1:0"
dialect = "unionpay-pos"
framing = "unionpay"
acquirer = "00010000"
calendar = "home"
terminals = "any"
answer_within_ms = 8_000
partial_approvals = @PARTS@
[[listener]]
name = "acquirer"
listen = "127.0.0.1:0"
dialect = "iso87-ascii"
framing = "binary2"
acquirer = "00020000"
calendar = "home"
terminals = "any"
answer_within_ms = 8_000
partial_approvals = @PARTS@
"#;

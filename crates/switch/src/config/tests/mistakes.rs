//! One line of ledger per mistake: what is broken, what the report says.

use super::*;

/// Breaks the base file by `edits` and compares the report without its first line.
#[track_caller]
fn check(edits: &[(&str, &str)], expected: &str) {
    let place = place();
    let report = report(place.path(), &broken(edits));
    let lines = report.lines().filter(|line| !line.ends_with(" in p.toml"));
    let found: Vec<_> = lines.map(str::trim).collect();
    let expected: Vec<_> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(found, expected, "\n{report}");
}

#[test]
fn the_base_file_is_clean() {
    check(&[], "clean");
}

#[test]
fn all_mistakes_come_in_one_report_in_the_order_of_the_file() {
    let place = place();
    let text = broken(&[
        ("node = 7", "node = 70000\nnodes = 2"),
        ("\"Asia/Shanghai\"", "\"Asia/Peking\""),
        ("\"unionpay-pos\"", "\"unionpay_pos\""),
        ("timeout_ms = 20_000", "timeout_ms = 0"),
        ("prefix = \"6224\"", "prefix = \"62x4\""),
    ]);
    assert_eq!(
        report(place.path(), &text),
        r#"6 problems in p.toml
  line 2: switch: node = 70000, expected 1..=65535
  line 3: switch: unknown key `nodes`, did you mean `node`?
  line 12: calendar "cn": zone "Asia/Peking" is unknown, expected a name such as "Asia/Shanghai"
  line 23: listener "pos": dialect = "unionpay_pos", expected "iso87-ascii", "iso87-binary", "iso87-ebcdic" or "unionpay-pos"; did you mean "unionpay-pos"? (or a .toml file)
  line 34: issuer "harbour": timeout_ms = 0, expected 100..=120000
  line 41: route "62x4": "62x4" is no prefix, expected 1 to 12 digits"#
    );
}

#[test]
fn what_is_not_toml_is_shown_at_its_line() {
    check(
        &[("node = 7", "node = ")],
        "line 2: not TOML: string values must be quoted, expected literal string",
    );
}

#[test]
fn unknown_sections_keys_and_wrong_types_are_named() {
    check(
        &[("[[merchant]]", "[[merchants]]")],
        "line 45: unknown section [merchants], expected \"switch\", \"admin\", \"journal\", \"archive\", \"contacts\", \"calendar\", \"limits\", \
         \"listener\", \"issuer\", \"route\" or \"merchant\"; did you mean \"merchant\"?",
    );
    check(
        &[("[[listener]]", "[listener]")],
        "line 19: listener: expected sections [[listener]], with two brackets
        section [[listener]] is missing, expected at least one",
    );
    check(
        &[("node = 7", "node = \"seven\""), ("workers = 2", "workers = 2.5")],
        "line 2: switch: found string \"seven\", expected a whole number
         line 3: switch: found floating point `2.5`, expected a whole number",
    );
    check(
        &[("terminals = [\"10000019\"]", "terminals = [\"10000019\", 7, true]")],
        "line 47: merchant \"850100082410002\": found integer `7`, expected a string
         line 47: merchant \"850100082410002\": found boolean `true`, expected a string",
    );
    check(
        &[("address = \"127.0.0.1:8001\"", "address = \"127.0.0.1:8001\"\nwieght = 2\ncolour = \"red\"")],
        "line 38: issuer \"harbour\": unknown key `wieght`, did you mean `weight`?
         line 39: issuer \"harbour\": unknown key `colour`, expected one of name, address, tls, weight, backup, window, pin, \
         allow_unauthenticated",
    );
}

#[test]
fn what_is_missing_is_asked_for() {
    check(
        &[("dialect = \"unionpay-pos\"\n", ""), ("acquirer = \"00010000\"\n", ""), ("scheme = \"CUP\"\n", "")],
        "line 19: listener \"pos\": dialect is missing, expected the name of a dialect or a .toml file
         line 19: listener \"pos\": acquirer is missing, expected DE 32 of its messages that have none: 1 to 11 digits
         line 37: route \"6224\": scheme is missing, expected a mark such as \"CUP\", \"VIS\", \"MCC\" or another name of \
         1 to 12 letters",
    );
    check(
        &[("[[issuer.link]]\nname = \"a\"\naddress = \"127.0.0.1:8001\"\n", "")],
        "line 28: issuer \"harbour\": section [[issuer.link]] is missing, expected at least one",
    );
    let place = place();
    assert_eq!(
        report(place.path(), ""),
        "5 problems in p.toml
  section [[calendar]] is missing, expected at least one
  section [[listener]] is missing, expected at least one
  section [[issuer]] is missing, expected at least one
  section [[route]] is missing, expected at least one
  section [journal] is missing, expected one with dir and key_file"
    );
}

#[test]
fn names_are_unique_and_known() {
    check(
        &[("[[limits]]", "[[calendar]]\nname = \"cn\"\nzone = \"UTC\"\ncutover = \"00:00\"\n\n[[limits]]")],
        "line 15: calendar \"cn\": this name stands already (line 10)",
    );
    check(&[("name = \"harbour\"", "name = \"the harbour\"")],
        "line 29: issuer \"the harbour\": name = \"the harbour\", expected 1 to 32 letters, digits, `-`, `_` or `.`
         line 41: route \"6224\": issuer = \"harbour\", expected \"the harbour\"",
    );
    check(
        &[("calendar = \"cn\"", "calendar = \"ch\""), ("limits = \"card\"", "limits = \"cards\"")],
        "line 25: listener \"pos\": calendar = \"ch\", expected \"cn\"
         line 43: route \"6224\": limits = \"cards\", expected \"card\"; did you mean \"card\"?",
    );
}

#[test]
fn a_stable_number_belongs_to_one_name() {
    // Found by search: two names with one `terms::stable_id`.
    let (one, other) = colliding("n");
    assert_eq!(terms::stable_id(&one), terms::stable_id(&other));
    let second =
        format!("[[calendar]]\nname = \"{other}\"\nzone = \"UTC\"\ncutover = \"00:00\"\n\n[[limits]]");
    let first = format!("name = \"{one}\"");
    check(
        &[
            ("name = \"cn\"", &first),
            ("[[limits]]", &second),
            ("calendar = \"cn\"", &format!("calendar = \"{one}\"")),
            ("calendar = \"cn\"", &format!("calendar = \"{one}\"")),
        ],
        &format!(
            "line 15: calendar \"{other}\": the stable number of \"{other}\" is that of \"{one}\", choose another name \
             (line 10)"
        ),
    );
}

#[test]
fn a_stable_number_belongs_to_one_link_of_all_issuers() {
    let (one, other) = colliding("harbour/l");
    let (one_link, other_link) = (one.rsplit('/').next().unwrap(), other.rsplit('/').next().unwrap());
    let links = format!(
        "name = \"{one_link}\"\naddress = \"127.0.0.1:8001\"\n\n[[issuer.link]]\nname = \"{other_link}\"\naddress = \
         \"127.0.0.1:8002\""
    );
    check(
        &[("name = \"a\"\naddress = \"127.0.0.1:8001\"", &links)],
        &format!("the stable number of \"{other}\" is that of \"{one}\", choose another name"),
    );
}

/// By the birthday bound some hundred thousand names are enough for 32 bits.
fn colliding(prefix: &str) -> (String, String) {
    let mut seen = std::collections::HashMap::new();
    for number in 0_u32.. {
        let name = format!("{prefix}{number}");
        if let Some(other) = seen.insert(terms::stable_id(&name), name.clone()) {
            return (other, name);
        }
    }
    unreachable!("32 bits repeat sooner")
}

#[test]
fn calendars_and_ceilings_are_exact() {
    check(
        &[("cutover = \"23:00\"", "cutover = \"24:00\""), ("zone = \"Asia/Shanghai\"", "zone = \"Mars/Olympus\"")],
        "line 11: calendar \"cn\": zone \"Mars/Olympus\" is unknown, expected a name such as \"Asia/Shanghai\"
         line 12: calendar \"cn\": cutover \"24:00\" is no time of day, expected hh:mm from 00:00 to 23:59",
    );
    check(
        &[("daily = \"5000.00\"", "daily = \"5000.005\"\nsingle = \"-1\"\ncount = 0\nother_currency = \"ignored\"")],
        "line 17: limits \"card\": daily = \"5000.005\", expected an amount such as \"5000\" with at most 2 decimal places
         line 18: limits \"card\": single = \"-1\", expected an amount such as \"5000\" with at most 2 decimal places
         line 19: limits \"card\": count = 0, expected 1..=4294967295
         line 20: limits \"card\": other_currency = \"ignored\", expected \"refuse\" or \"ignore\"; did you mean \"ignore\"?",
    );
    check(
        &[("currency = \"CNY\"", "currency = \"RMB\"")],
        "line 16: limits \"card\": currency = \"RMB\", expected letters such as \"CNY\" or three digits such as \"156\"",
    );
    check(
        &[(
            "daily = \"5000.00\"",
            "daily = \"5000.00\"\nother_currency = \"ignore\"\n[[limits.other]]\ncurrency = \"156\"",
        )],
        "line 14: limits \"card\": currency 156 has two sets of ceilings, expected one
         line 18: limits \"card\": other_currency stands beside [[limits.other]], expected one of the two",
    );
}

#[test]
fn the_journal_and_its_keys_are_looked_at() {
    check(
        &[("key_file = \"keys\"", "key_file = \"journal/keys\"")],
        "line 7: journal: key_file = \"journal/keys\": journal/keys does not exist
         line 7: journal: key_file = \"journal/keys\" lies inside dir, expected a place elsewhere",
    );
    check(
        &[(
            "key_file = \"keys\"",
            "key_file = \"tls/ca.pem\"\nsegment_bytes = 132000\nreserve_bytes = 9000\nsync = \"fast\"",
        )],
        "line 7: journal: key file tls/ca.pem has mode 0644, expected 0600 or 0400: only its owner may read it
         line 8: journal: segment_bytes = 132000, expected a multiple of 4096
         line 9: journal: reserve_bytes = 9000, expected 0..=928
         line 10: journal: sync = \"fast\", expected \"durable\" or \"relaxed\"",
    );
    check(
        &[("key_file = \"keys\"", "key_file = \"keys\"\nsegment_bytes = 8192")],
        "line 8: journal: segment_bytes = 8192, expected 131072..=4294967296",
    );
    check(
        &[("dir = \"journal\"", "dir = \"keys\"\nsync = \"relaxed\"\nindex_window_ms = 1")],
        "line 6: journal: dir = \"keys\": keys is no directory
         line 8: journal: index_window_ms = 1, expected 600000..=604800000
         line 9: journal: key_file = \"keys\" lies inside dir, expected a place elsewhere",
    );
}

#[test]
fn nothing_is_open_to_strangers_by_accident() {
    let far = ("listen = \"127.0.0.1:7001\"", "listen = \"0.0.0.0:7001\"");
    check(
        &[far, ("address = \"127.0.0.1:8001\"", "address = \"issuer.example:8001\"")],
        "line 21: listener \"pos\": is reached from other machines without TLS and client certificates (tls = { cert, key, \
         client_ca }), expected them, or allow_unauthenticated = true
         line 37: issuer \"harbour\", link \"a\": is reached from other machines without TLS and client certificates \
         (tls = { ca, cert, key }), expected them, or allow_unauthenticated = true",
    );
    check(
        &[far, ("framing = \"unionpay\"", "framing = \"unionpay\"\nallow_unauthenticated = true")],
        "clean
         warning line 21: listener \"pos\": is reached from other machines without TLS and client certificates (tls = { \
         cert, key, client_ca }): whoever reaches it is believed",
    );
    let tls = "framing = \"unionpay\"\ntls = { cert = \"tls/switch.pem\", key = \"tls/switch.key\", client_ca = \"tls/ca.pem\" }";
    check(&[far, ("framing = \"unionpay\"", tls)], "clean");
}

#[test]
fn the_admin_port_stays_on_loopback() {
    check(
        &[("[journal]", "[admin]\nlisten = \"10.0.0.1:9464\"\n\n[journal]")],
        "line 6: admin: listen = \"10.0.0.1:9464\", expected a loopback address: nobody is asked who he is here",
    );
    check(
        &[("[journal]", "[admin]\nlisten = \"127.0.0.1:7001\"\n\n[journal]")],
        "line 24: listen = \"127.0.0.1:7001\" is taken already (line 6)",
    );
    check(
        &[("[journal]", "[admin]\nlisten = \"localhost\"\n\n[journal]")],
        "line 6: admin: listen = \"localhost\", expected an address and port such as \"127.0.0.1:7001\" or \"[::]:7001\"",
    );
}

#[test]
fn files_that_are_named_must_be_there() {
    let tls = "framing = \"unionpay\"\ntls = { cert = \"tls/none.pem\", key = \"tls\" }";
    check(
        &[
            ("framing = \"unionpay\"", tls),
            ("address = \"127.0.0.1:8001\"", "address = \"127.0.0.1:8001\"\ntls = { cert = \"tls/switch.pem\" }"),
        ],
        "line 24: listener \"pos\": tls.cert = \"tls/none.pem\": tls/none.pem does not exist
         line 24: listener \"pos\": tls.key = \"tls\": tls is no file
         line 36: issuer \"harbour\", link \"a\": tls.ca is missing, expected a PEM file with who may sign the issuer's \
         certificate
         line 39: issuer \"harbour\", link \"a\": one of tls.cert and tls.key is missing, expected both or none",
    );
    check(
        &[("dialect = \"unionpay-pos\"", "dialect = \"mine.toml\"")],
        "line 22: listener \"pos\": dialect = \"mine.toml\": cannot read mine.toml: No such file or directory (os error 2)",
    );
}

#[test]
fn an_issuer_must_answer_before_the_terminal_gives_up() {
    check(
        &[("timeout_ms = 20_000", "timeout_ms = 28_001")],
        "line 33: issuer \"harbour\": timeout_ms = 28001, expected at most 28000: listener \"pos\" answers within 30000 ms, \
         less a margin of 2000 ms (line 26)",
    );
    check(&[("timeout_ms = 20_000", "timeout_ms = 28_000")], "clean");
    check(
        &[("timeout_ms = 20_000\n", ""), ("answer_within_ms = 30_000", "answer_within_ms = 20_000")],
        "line 28: issuer \"harbour\": timeout_ms = 20000, expected at most 18000: listener \"pos\" answers within 20000 ms, \
         less a margin of 2000 ms (line 26)",
    );
}

#[test]
fn macs_and_pins_are_not_promised_before_there_are_keys() {
    check(
        &[("framing = \"unionpay\"", "framing = \"unionpay\"\nmac = \"ansi-9.9\"\npin = \"translate\"")],
        "line 24: listener \"pos\": mac = \"ansi-9.9\", expected \"none\"
         line 25: listener \"pos\": pin = \"translate\", expected \"none\" or \"passthrough\"",
    );
}

#[test]
fn links_can_be_reached_and_share_fairly() {
    check(
        &[("address = \"127.0.0.1:8001\"", "address = \"127.0.0.1\"\nweight = 0\nwindow = 1")],
        "line 37: issuer \"harbour\", link \"a\": address = \"127.0.0.1\", expected a host and port such as \
         \"issuer.example:8583\" or \"[::1]:8583\"
         line 38: issuer \"harbour\", link \"a\": weight = 0, expected 1..=65535
         line 39: issuer \"harbour\", link \"a\": window = 1, expected 2..=65536",
    );
    let twice = "address = \"127.0.0.1:8001\"\n\n[[issuer.link]]\nname = \"a\"\naddress = \"localhost:1\"";
    check(
        &[("address = \"127.0.0.1:8001\"", twice)],
        "line 40: issuer \"harbour\", link \"a\": this name stands already (line 36)",
    );
    let settings = "timeout_ms = 20_000\ntpdu = \"6000\"\nbalance = \"fair\"\nretry_first_ms = 5000\nretry_max_ms = 4000";
    check(
        &[("timeout_ms = 20_000", settings)],
        "line 34: issuer \"harbour\": tpdu = \"6000\", expected 10 hex digits
         line 35: issuer \"harbour\": balance = \"fair\", expected \"round-robin\" or \"weighted\"
         line 37: issuer \"harbour\": retry_max_ms = 4000, expected 5000..=3600000",
    );
}

#[test]
fn ranges_that_half_overlap_are_shown_with_both_lines() {
    let row =
        |range: &str| format!("[[route]]\nrange = \"{range}\"\nissuer = \"harbour\"\nscheme = \"MCC\"\n\n");
    let rows: String =
        ["541333..=541395", "541390..=541399", "6224..=6224", "62242..=62243"].map(row).concat();
    check(
        &[("[[merchant]]", &(rows + "[[merchant]]"))],
        "line 51: route \"541390..=541399\": overlaps 541333..=541395 of issuer \"harbour\" (line 46)
         line 56: route \"6224\": is the same as 6224 of issuer \"harbour\" (line 40)",
    );
}

#[test]
fn routes_and_their_conditions_are_read_whole() {
    check(
        &[("prefix = \"6224\"", "prefix = \"6224\"\nrange = \"1..=2\"\ncard_type = \"debt\"")],
        "line 41: route \"6224\": range stands beside prefix, expected one of the two
         line 42: route \"6224\": card_type = \"debt\", expected \"debit\", \"credit\", \"quasi-credit\" or \"prepaid\"; did you \
         mean \"debit\"?",
    );
    let condition = r#"
[[route.condition]]
kinds = ["purchase", "Refund"]
processing_codes = ["0"]
currencies = ["EUR", "JPY", "X"]
entry_modes = ["051"]
min = "10"
max = "9""#;
    let kinds: Vec<_> = terms::Kind::ALL.iter().map(|kind| kind.name()).collect();
    let kinds = super::super::suggest::expected("Refund", kinds);
    check(
        &[("limits = \"card\"", condition)],
        &format!(
            "line 44: route \"6224\": effect is missing, expected \"allow\", \"exclude-card\" or \"exclude-terminal\"
             line 44: route \"6224\": min and max need currencies, all with the same number of decimal places
             line 44: route \"6224\": max lies below min, expected min <= max
             line 45: route \"6224\": kinds has \"Refund\", {kinds}
             line 46: route \"6224\": processing_codes has \"0\", expected six digits such as \"000000\"
             line 47: route \"6224\": currencies has \"X\", expected letters such as \"CNY\" or three digits
             line 48: route \"6224\": entry_modes has \"051\", expected the first two digits of DE 22, such as \"05\""
        ),
    );
}

#[test]
fn terminals_are_counted_once() {
    let terminals = r#"terminals = ["10000019", "10000001..=10000100", "T1..=T10", "*"]
suspended = ["has space"]"#;
    check(
        &[("terminals = [\"10000019\"]", terminals)],
        "line 47: merchant \"850100082410002\": terminal \"10000019\" stands already (line 47)
         line 47: merchant \"850100082410002\": terminals has \"T1..=T10\", expected two ends that differ in their last \
         digits only, such as \"T0001..=T0100\"
         line 47: merchant \"850100082410002\": terminals has \"*\", but listener \"pos\" takes registered terminals only; \
         expected terminals = \"any\" there
         line 48: merchant \"850100082410002\": terminals = \"has space\", expected 1 to 16 printable ASCII characters without \
         spaces",
    );
    let again = "[[merchant]]\nid = \"850100082410002\"\nstatus = \"gone\"\n\n[[merchant]]";
    check(
        &[("[[merchant]]", again)],
        "line 47: merchant \"850100082410002\": status = \"gone\", expected \"active\" or \"suspended\"
         line 49: merchant \"850100082410002\": this merchant stands already (line 45)",
    );
    let two = "calendar = \"cn\"\n[[listener]]\nname = \"other\"\nlisten = \"127.0.0.1:7002\"\ndialect = \"iso87-ascii\"\n\
               framing = \"binary2\"\nacquirer = \"00020000\"\ncalendar = \"cn\"";
    check(
        &[("calendar = \"cn\"", two)],
        "line 52: merchant \"850100082410002\": acquirer is missing, expected one since the listeners have several",
    );
}

/// Whatever somebody does to a file, the answer is a report.
#[test]
fn a_file_cut_or_changed_anywhere_is_reported_never_a_panic() {
    let place = place();
    let check = |position: usize, text: &str| {
        let report = report(place.path(), text);
        assert!(report.starts_with("clean") || report.contains(" in p.toml\n"), "byte {position}: {report}");
    };
    for position in 0..BASE.len() {
        check(position, &BASE[..position]);
        for byte in ["\"", "[", "=", "9", "\n", "é"] {
            let mut text = BASE.to_owned();
            text.replace_range(position..=position, byte);
            check(position, &text);
        }
    }
}

#[test]
fn a_link_must_be_able_to_sign_on() {
    check(
        &[("timeout_ms = 20_000", "timeout_ms = 20_000\nterminal = \"NINE-CHARS\"")],
        "line 28: issuer \"harbour\": our network management cannot be written in its dialect: cannot write field \
         41: longer than 8",
    );
}

#[test]
fn texts_beside_codes_need_room_and_characters_that_fit() {
    let listener = "framing = \"unionpay\"";
    let with = |explanation: &str| format!("{listener}\nexplanation = {explanation}");
    for good in [
        "{ field = \"none\" }",
        "{ field = \"44\", language = \"en\", charset = \"ascii\" }",
        "{ field = \"63.2\", language = \"zh\", charset = \"utf-8\" }",
        "{ language = \"zh\" }",
    ] {
        check(&[(listener, &with(good))], "clean");
    }
    for (wrong, expected) in [
        (
            "{ field = \"39\" }",
            "line 24: listener \"pos\": explanation.field = \"39\", expected \"none\" or a field of unionpay-pos with room for 16 bytes \
             of text (left out: the dialect's own)",
        ),
        (
            "{ language = \"de\" }",
            "line 24: listener \"pos\": explanation.language = \"de\", expected \"en\" or \"zh\"",
        ),
        (
            "{ charset = \"ascii\" }",
            "line 24: listener \"pos\": explanation.language = \"zh\" needs gbk or utf-8, in a field that takes any bytes",
        ),
        (
            "{ feild = \"44\" }",
            "line 24: listener \"pos\": unknown key `feild`, expected one of field, language, charset",
        ),
    ] {
        check(&[(listener, &with(wrong))], expected);
    }
}

#[test]
fn contacts_are_lines_of_text() {
    let journal = "[[calendar]]";
    let with = |contacts: &str| format!("[contacts]\n{contacts}\n\n{journal}");
    check(&[(journal, &with("acquirer = \"95516\"\nissuer = \"the number on the card\""))], "clean");
    check(
        &[(journal, &with("acquirer = \" \""))],
        "line 10: contacts: acquirer = \" \", expected 1 to 120 printable characters",
    );
    check(
        &[(journal, &with("bank = \"95516\""))],
        "line 10: contacts: unknown key `bank`, expected one of cardholder, issuer, merchant, acquirer, network",
    );
}

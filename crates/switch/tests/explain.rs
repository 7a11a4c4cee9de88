//! `pointsman explain` as people and scripts see it.

use std::process::Command;

/// Exit status, standard output, standard error.
fn explain(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pointsman"));
    let output = command.arg("explain").args(args).env("NO_COLOR", "1").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

#[track_caller]
fn prints(args: &[&str], expected: &str) {
    let (status, out, err) = explain(args);
    let trimmed = |text: &str| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>().join("\n");
    assert_eq!((status, trimmed(&out).trim(), err.as_str()), (0, trimmed(expected).trim(), ""), "\n{out}");
}

fn json(args: &[&str]) -> serde_json::Value {
    let (status, out, err) = explain(&[args, &["--json"]].concat());
    assert_eq!((status, err.as_str()), (0, ""));
    serde_json::from_str(&out).unwrap()
}

#[test]
fn a_code_under_its_scheme() {
    prints(
        &["51", "--scheme", "visa"],
        r#"
 51             insufficient funds · visa
 cause          funds · temporary
 who acts       cardholder
 cardholder     There is not enough money or credit on this card. Top up, pay a smaller amount, or use another card.
 merchant       Ask for another card, or split the amount if your rules allow it.
 operator       Nothing to do: it is between the cardholder and the bank.
 try again      yes, with a lower amount, after topping up, or with another card
 receipt        NOT ENOUGH FUNDS
 Visa category  2: not approved at this time: at most 15 further tries in 30 days
 counted as     cause="funds" rc="51"
"#,
    );
}

#[test]
fn an_internal_cause_in_chinese() {
    prints(
        &["--internal", "issuer-timeout", "--lang", "zh"],
        r#"
 E13         issuer-timeout · 发卡方超时未应答
 原因        网络 · 暂时
 谁来处理    发卡行、收单机构
 告知持卡人  发卡行未及时应答；若已冻结资金会自动退回。请一分钟后再试，或换卡。
 商户处理    此笔不要交付商品；一分钟后再试一次，或请顾客换卡。
 运营处理    冲正会自动发出。查看 `pointsman_issuer_timeouts_total` 和该发卡方延迟，高于平时则联系其值班。
 能否重试    可以，1 分钟后原样重试
 签购单      交易超时 请重试
 应答码      iso87 91 · unionpay 98
 计数标签    cause="network" rc="91"
"#,
    );
    let by_name = explain(&["issuer-timeout", "--lang", "zh"]);
    assert_eq!(by_name, explain(&["--internal", "issuer-timeout", "--lang", "zh"]));
    assert_eq!(by_name, explain(&["e13", "--lang", "zh"]), "the id on a receipt");
}

#[test]
fn an_unknown_code_is_shown_as_itself() {
    prints(
        &["ZZ"],
        r#"
 ZZ          declined, not in the catalogue
 cause       not stated by the issuer · temporary
 who acts    issuer
 cardholder  The payment was declined with a reason that we cannot read. Use another card, or call your bank.
 merchant    Ask for another card; give the code on the receipt to your acquirer.
 operator    The code is not in the catalogue: ask the issuer what it means, add it to the data file, and say in the dialect whether it approves or declines.
 try again   yes, with another card
 receipt     DECLINED, OTHER CARD
 counted as  cause="unstated" rc="other"
"#,
    );
}

#[test]
fn machines_get_every_key() {
    for args in
        [&["51"][..], &["51", "--scheme", "mastercard"], &["--internal", "hot-card"], &["ZZ"], &["E05"]]
    {
        let told = json(args);
        for key in ["code", "cause", "who_acts", "cardholder", "merchant", "operator", "retry"] {
            assert!(!told[key].is_null(), "{args:?} {key}: {told}");
        }
        assert!(told["retry"]["may"].is_boolean() && told["retry"]["text"].is_string(), "{told}");
        assert!(told["who_acts"].as_array().is_some_and(|who| !who.is_empty()), "{told}");
    }
    let told = json(&["51"]);
    assert_eq!(
        (&told["code"], &told["cause"], &told["who_acts"][0]),
        (&"51".into(), &"funds".into(), &"cardholder".into())
    );
    assert_eq!(told["schemes"].as_array().unwrap().len(), 4);
    assert_eq!(
        (&told["visa_category"]["value"], &told["unionpay_class"]["value"]),
        (&"2".into(), &"C".into())
    );
    let slow = json(&["--internal", "issuer-timeout", "--scheme", "unionpay-pos"]);
    assert_eq!(
        (&slow["code"], &slow["retry"]["after_seconds"], &slow["internal"]),
        (&"98".into(), &60.into(), &"issuer-timeout".into())
    );
}

#[test]
fn a_code_that_schemes_mean_differently_is_told_once_for_each_meaning() {
    let told = json(&["79"]);
    assert_eq!((&told["name"], &told["schemes"][0]), (&"life cycle".into(), &"mastercard".into()));
    assert_eq!(
        (&told["also"][0]["name"], &told["also"][0]["cause"]),
        (&"offline totals mismatch".into(), &"operator".into())
    );
    let (_, out, _) = explain(&["79"]);
    assert!(
        out.contains("life cycle · mastercard") && out.contains("offline totals mismatch · unionpay"),
        "{out}"
    );
}

#[test]
fn whom_to_call_comes_from_the_configuration() {
    let place = tempfile::tempdir().unwrap();
    let sample =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/pointsman.toml")).unwrap();
    // Certificates and keys are for `serve`: only contacts are asked for here.
    std::fs::create_dir(place.path().join("tls")).unwrap();
    for file in ["tls/ca.pem", "tls/switch.pem", "tls/switch.key"] {
        std::fs::write(place.path().join(file), "").unwrap();
    }
    keys::KeyFile::generate(&place.path().join("pointsman.keys")).unwrap();
    let file = place.path().join("p.toml");
    std::fs::write(&file, sample).unwrap();
    let file = file.display().to_string();
    let (status, out, err) = explain(&["--internal", "unknown-terminal", "--config", &file]);
    assert!(
        status == 0 && out.contains("acquirer (service desk +86 21 5555 0100, day and night)"),
        "{out}{err}"
    );
    let told = json(&["--internal", "unknown-terminal", "--config", &file]);
    assert_eq!(told["contacts"]["acquirer"], "service desk +86 21 5555 0100, day and night");
}

#[test]
fn what_is_none_is_refused_with_what_was_meant() {
    for (args, said) in [
        (
            &["51", "--scheme", "amex"][..],
            "--scheme \"amex\": expected \"iso87\", \"mastercard\", \"unionpay\" or \"visa\"",
        ),
        (&["--internal", "isuer-timeout"], "did you mean \"issuer-timeout\"?"),
        (&["issuer-timeot"], "did you mean \"issuer-timeout\"?"),
        (&["5 1"], "expected a response code of one to four characters"),
        (&["51", "--lang", "de"], "expected \"en\" or \"zh\""),
        (&[], "required arguments were not provided"),
        (&["--txn", "326A0000001B"], "--config <FILE>"),
    ] {
        let (status, out, err) = explain(args);
        assert!(status != 0 && out.is_empty() && err.contains(said), "{args:?}: {err}");
    }
    let (status, help, _) = explain(&["--help"]);
    assert!(status == 0 && help.contains("pointsman explain 51 --scheme visa --lang zh"), "{help}");
}

#[test]
fn a_catalogue_with_mistakes_is_refused_with_their_lines() {
    let place = tempfile::tempdir().unwrap();
    let shipped =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../declines/data/codes.toml")).unwrap();
    let file = place.path().join("codes.toml");
    let asked = |text: &str| {
        std::fs::write(&file, text).unwrap();
        explain(&["51", "--catalogue", &file.display().to_string()])
    };
    assert_eq!(asked(&shipped), explain(&["51"]));
    let at = |text: &str| 1 + shipped[..shipped.find(text).unwrap()].matches('\n').count();
    let good = "cause = \"funds\"";
    let broken = shipped.replacen(good, "cause = \"money\"", 1);
    let (status, out, err) = asked(&broken.replacen(", zh = \"余额不足 请换卡\"", "", 1));
    assert_eq!((status, out.as_str()), (1, ""));
    assert!(err.starts_with("pointsman: 2 problems in "), "{err}");
    assert!(
        err.contains(&format!("\n  line {}: reason approved-part has cause \"money\"", at(good))),
        "{err}"
    );
    let receipt = at("zh = \"余额不足 请换卡\"");
    assert!(
        err.contains(&format!("\n  line {receipt}: reason insufficient-funds has no receipt in \"zh\"")),
        "{err}"
    );
    let (status, _, err) = asked(&shipped.replacen("[internal]\n", "[internal]\nissuer-down = 1\n", 1));
    assert!(status == 1 && err.contains(": duplicate key"), "{err}");
}

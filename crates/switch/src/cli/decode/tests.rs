//! Published messages decode to their published values; what is cut, changed or left over is an error with its place.

use super::*;
use serde_json::Value;

const SIGN_IN: &str = "0063600049000060320032050108000020000000C0001600007431323334353637383132333435363738393132333435360011000000000030003753657175656E6365204E6F32343934393130303030303130343138313243413835393239310003313233";
const PURCHASE: &str = "01AA60000600006031003110030200702406C020C19A311662242429000001130000000000000000010004032806071000000012346224242900000113D280620139490310133130303030303139383530313030303832343130303032000100313536D1EEF419D0AE2609260000000000000001399F260895BBE372271DDA7C9F2701809F101307010103A00000010A010000000000ED538FE49F37047F9F349E9F36020157950500000000009A031908309C01009F02060000000000015F2A02015682027C009F1A0201569F03060000000000009F3303E0E1C89F3501229F1E0831303030303031398408A0000003330101029F0902008C9F410400000403015331323230383938363036313730383030303235383339393331333131484654313730383033303131343134323031393038333030393334333531353032303031373232424433302E3632313535352C3131342E333631393534413236303031303230323032313630303030323930323130303135373038303330363030303131333034303830343234373239323035303848373036323830310014220000240006003846363531423236";
const AUTHORIZATION: &str = "01007000000000000000164242424242424242123456000000000100";

/// What `decode --json` prints, message by message.
fn decoded(input: &str, dialect: Option<&str>, framing: &str, clear: bool) -> Result<Vec<Value>, String> {
    let bytes = input::bytes(input).map_err(|failure| failure.to_string())?;
    let dialect = dialect.map(|name| input::dialect(name).unwrap());
    let wanted = Wanted::parse(framing).map_err(|failure| failure.to_string())?;
    let explained = first(&bytes.meanings, |bytes| explain(bytes, dialect.as_ref(), wanted, clear));
    let explained = explained.map_err(|failure| failure.to_string())?;
    let json = |message| serde_json::to_value(Json::new(&explained, message)).unwrap();
    Ok(explained.messages.iter().map(json).collect())
}

#[track_caller]
fn check(message: &Value, expected: &[(&str, &str)]) {
    for (key, value) in expected {
        let found = message.get(*key).or_else(|| message["fields"].get(*key));
        assert_eq!(found.and_then(Value::as_str), Some(*value), "{key} of {message}");
    }
}

#[test]
fn the_published_sign_in_decodes_to_its_values() {
    for (dialect, framing) in [(None, "auto"), (Some("unionpay-pos"), "unionpay")] {
        let messages = decoded(SIGN_IN, dialect, framing, true).unwrap();
        check(
            &messages[0],
            &[
                ("mti", "0800"),
                ("dialect", "unionpay-pos"),
                ("framing", "unionpay"),
                ("tpdu", "6000490000"),
                ("header", "603200320501"),
                ("11", "000074"),
                ("41", "12345678"),
                ("42", "123456789123456"),
                ("60", "00000000003"),
                ("62", "Sequence No249491000001041812CA859291"),
                ("63", "123"),
            ],
        );
        assert_eq!(messages[0]["fields"].as_object().unwrap().len(), 6);
    }
}

#[test]
fn the_published_purchase_decodes_to_its_values_and_hides_its_secrets() {
    let clear = &decoded(PURCHASE, None, "auto", true).unwrap()[0];
    let values = [
        ("mti", "0200"),
        ("tpdu", "6000060000"),
        ("header", "603100311003"),
        ("2", "6224242900000113"),
        ("3", "000000"),
        ("4", "000000000001"),
        ("11", "000403"),
        ("14", "2806"),
        ("22", "071"),
        ("25", "00"),
        ("26", "12"),
        ("35", "6224242900000113D28062013949031013"),
        ("41", "10000019"),
        ("42", "850100082410002"),
        ("49", "156"),
        ("52", "D1EEF419D0AE2609"),
        ("53", "2600000000000000"),
        ("60", "22000024000600"),
        ("64", "3846363531423236"),
    ];
    check(clear, &values);
    let masked = &decoded(PURCHASE, None, "auto", false).unwrap()[0];
    let open: Vec<_> =
        values.iter().filter(|(key, _)| !["2", "35", "52", "53", "60"].contains(key)).copied().collect();
    check(masked, &open);
    let text = masked.to_string();
    for secret in ["6224242900000113", "D1EEF419D0AE2609", "D28062013949031013"] {
        assert!(!text.contains(secret), "{secret} is shown in {text}");
    }
}

#[test]
fn an_ascii_message_decodes_from_its_characters_and_from_their_hex() {
    let hex = explain::hex(AUTHORIZATION.as_bytes());
    // Its digits are also a message of `iso87-binary`, so that the dialect must be named where they are not in hex.
    for (input, dialect) in [(AUTHORIZATION, Some("iso87-ascii")), (&hex, Some("iso87-ascii")), (&hex, None)]
    {
        for framing in ["none", "auto"] {
            let message = &decoded(input, dialect, framing, true).unwrap()[0];
            check(
                message,
                &[
                    ("mti", "0100"),
                    ("dialect", "iso87-ascii"),
                    ("framing", "none"),
                    ("2", "4242424242424242"),
                    ("3", "123456"),
                    ("4", "000000000100"),
                ],
            );
        }
    }
}

#[test]
fn frames_are_decoded_one_after_the_other_and_keep_alives_passed_over() {
    let messages = decoded(&format!("{SIGN_IN} 0000 {PURCHASE}"), None, "unionpay", false).unwrap();
    let types: Vec<_> = messages.iter().map(|message| message["mti"].as_str().unwrap()).collect();
    assert_eq!(types, ["0800", "0200"]);
}

#[test]
fn a_length_that_disagrees_with_the_bytes_is_an_error() {
    let cut = &SIGN_IN[..SIGN_IN.len() - 2];
    assert_eq!(
        decoded(cut, Some("unionpay-pos"), "unionpay", false).unwrap_err(),
        "frame 1 at byte 0: its length asks for 101 bytes in all, found 100"
    );
    let shorter = SIGN_IN.replacen("0063", "0062", 1);
    let error = decoded(&shorter, Some("unionpay-pos"), "unionpay", false).unwrap_err();
    assert!(error.starts_with("frame 2 at byte 100: "), "{error}");
    let error = decoded(cut, None, "auto", false).unwrap_err();
    let expected = "framed: expected a length prefix for the 100 bytes there are, found one for 101 (binary2), one for 65 (bcd2)";
    assert!(error.contains(expected), "{error}");
    let left_over = format!("{AUTHORIZATION}0");
    let error = decoded(&left_over, Some("iso87-ascii"), "none", false).unwrap_err();
    assert_eq!(error, "iso87-ascii: message at byte 56: expected the end of the message, found 1 bytes more");
}

#[test]
fn an_error_names_field_place_and_expectation_but_no_secret() {
    let dirty = AUTHORIZATION.replace("123456000000000100", "12345x000000000100");
    assert_eq!(
        decoded(&dirty, Some("iso87-ascii"), "none", false).unwrap_err(),
        "iso87-ascii: field 3 at byte 43: expected decimal digits, found byte 0x78 (processing code)"
    );
    let secret = AUTHORIZATION.replace("4242424242424242", "42424242424242x2");
    let error = decoded(&secret, Some("iso87-ascii"), "none", false).unwrap_err();
    assert!(error.contains("field 2 ") && !error.contains("4242"), "{error}");
}

#[test]
fn wrong_names_are_met_with_the_right_ones() {
    let error = decoded(SIGN_IN, None, "unionpai", false).unwrap_err();
    assert!(error.contains("did you mean \"unionpay\"?"), "{error}");
    let error = input::dialect("iso87-asci").unwrap_err().to_string();
    assert!(error.contains("did you mean \"iso87-ascii\"?"), "{error}");
    let error = decoded("no-such-file.bin", None, "auto", false).unwrap_err();
    assert_eq!(error, "\"no-such-file…\" is neither a file nor hex digits");
}

//! Names of framings there and back.

use framing::{ETX, Framing, Header, LengthForm};

#[test]
fn every_name_that_is_offered_is_known_and_comes_back() {
    for name in Framing::names() {
        let framing = Framing::by_name(name).unwrap_or_else(|| panic!("{name} is offered but unknown"));
        assert_eq!(framing.to_string(), name);
    }
}

#[test]
fn every_combination_has_a_name() {
    for form in ["binary2", "bcd2", "ascii4", "hex4", "binary4"] {
        for inclusive in ["", "-inclusive"] {
            for tpdu in ["", "+tpdu"] {
                for header in ["", "+header6"] {
                    for trailer in ["", "+etx", "+etx-extra"] {
                        let name = format!("{form}{inclusive}{tpdu}{header}{trailer}");
                        let framing = Framing::by_name(&name).unwrap_or_else(|| panic!("{name} is unknown"));
                        assert_eq!(Framing::by_name(&framing.to_string()), Some(framing), "{name}");
                    }
                }
            }
        }
    }
}

#[test]
fn an_alias_is_what_it_stands_for() {
    let unionpay = Framing { tpdu: true, header: Header::UnionPay6, ..Framing::default() };
    let base24 = Framing { trailer: Some(ETX), trailer_counted: true, ..Framing::default() };
    let ascii = Framing { length: LengthForm::Ascii4, inclusive: true, ..Framing::default() };
    assert_eq!(Framing::by_name("unionpay"), Some(unionpay));
    assert_eq!(Framing::by_name("nac"), Some(Framing { tpdu: true, ..Framing::default() }));
    assert_eq!(Framing::by_name("base24"), Some(base24));
    assert_eq!(Framing::by_name("ascii4-inclusive"), Some(ascii));
}

#[test]
fn other_words_are_no_names() {
    for word in [
        "",
        "binary",
        "binary3",
        "Binary2",
        "binary2+",
        "+tpdu",
        "binary2+header6+tpdu",
        "binary2+tpdu+tpdu",
        "binary2+etx+etx-extra",
        "binary2-inclusive-inclusive",
        "nac+etx",
        "none",
    ] {
        assert_eq!(Framing::by_name(word), None, "{word:?}");
    }
}

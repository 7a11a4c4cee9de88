//! Where an answer goes and what its header demands.

use framing::{Demand, Envelope};

use crate::ledger::{bytes, hex, lines};

fn envelope(tpdu: &str, header: &str) -> Envelope {
    let (tpdu, header) = (bytes(tpdu), bytes(header));
    Envelope { tpdu: tpdu.try_into().expect("5 bytes"), header: header.try_into().expect("6 bytes") }
}

#[test]
fn a_reply_goes_back_to_its_origin() {
    for [request, reply] in lines(
        "
        6000490000 | 6000000049
        6000060000 | 6000000006
        6012345678 | 6056781234
        6800011234 | 6812340001
        ",
    ) {
        let asked = envelope(request, "603100311003");
        assert_eq!(hex(&asked.reply().tpdu), reply, "{request}");
        assert_eq!(asked.reply().reply().tpdu, asked.tpdu, "{request} there and back");
    }
}

#[test]
fn a_reply_keeps_the_header_but_for_the_demand() {
    for [header, demand, reply] in lines(
        "
        603100311003 | 0 | 603100311003
        603203320501 | 0 | 603200320501
        603200320501 | 1 | 603201320501
        613214320501 | 2 | 613212320501
        603209320501 | 4 | 603204320501
        ",
    ) {
        let demand = demand.parse().ok().and_then(Demand::from_digit).expect("a digit");
        let asked = envelope("6000490000", header);
        assert_eq!(asked.reply().demand(), Demand::NONE, "{header}: nothing unless asked for");
        let answer = asked.reply().with_demand(demand);
        assert_eq!((hex(&answer.header).as_str(), answer.demand()), (reply, demand), "{header}");
    }
}

#[test]
fn a_demand_is_one_digit() {
    assert_eq!(Demand::from_digit(1), Some(Demand::SIGN_IN));
    assert_eq!(Demand::from_digit(9).map(Demand::digit), Some(9));
    assert_eq!(Demand::from_digit(10), None);
}

#[test]
fn a_request_names_both_ends() {
    let request = Envelope::request([0x00, 0x49], [0x12, 0x34]).with_header([0x61, 0x32, 0, 0x32, 5, 1]);
    assert_eq!(hex(&request.tpdu), "6000491234");
    assert_eq!((request.destination(), request.origin()), ([0x00, 0x49], [0x12, 0x34]));
    assert_eq!((request.application_class(), request.demand()), (0x61, Demand::NONE));
    assert_eq!(request.reply().destination(), [0x12, 0x34]);
}

use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use ingest::flow::{Call, address};

const ID: &str = "segment-drift";
const ENI: &str = "eni-0123456789abcdef0";

fn called(interface: &str, day: i32, (own, peer): (&str, &str)) -> Call {
    let one = flow(interface, (peer.parse().unwrap(), 5_432), at(day, "10:00"));
    Call { own: address(own.parse().unwrap()), is_answered: true, bytes: (900, 9_000), ..one }
}

fn habit(days: i32) -> Logs {
    let days = -2 - days..-2;
    days.fold(Logs::new(), |logs, day| logs.flow(called(ENI, day, ("10.0.1.5", "10.0.2.7"))))
}

#[test]
fn subnets_that_never_talked_are_told() {
    for (own, peer, pair) in [
        ("10.0.1.5", "10.0.9.7", ("10.0.1.0/24", "10.0.9.0/24")),
        ("2001:db8:0:1::5", "2001:db8:0:9::7", ("2001:db8:0:1::/64", "2001:db8:0:9::/64")),
        ("fd00:0:0:1::5", "fd00:0:0:9::7", ("fd00:0:0:1::/64", "fd00:0:0:9::/64")),
    ] {
        let finding = habit(8).flow(called(ENI, 0, (own, peer))).finding(ID);
        assert_eq!(finding.severity, Severity::Low);
        let words = format!("called from subnet {} into {}, two", pair.0, pair.1);
        says(&finding, &[&words, "10.0.1.0/24 10.0.2.0/24"]);
        let flow = finding.flow.unwrap();
        assert_eq!((&*flow.peers, flow.has_all_peers), (&[pair.1.to_owned()][..], false));
    }
}

#[test]
fn known_pairs_hosts_outside_and_who_does_not_answer_stay_quiet() {
    for peer in ["10.0.2.99", "10.0.1.99", "198.51.100.7"] {
        habit(8).flow(called(ENI, 0, ("10.0.1.5", peer))).stays_quiet(ID);
    }
    let vain = Call { is_answered: false, ..called(ENI, 0, ("10.0.1.5", "10.0.9.7")) };
    habit(8).flow(vain).stays_quiet(ID);
}

#[test]
fn a_pair_that_others_of_the_account_show_stays_quiet() {
    let mut logs = habit(8);
    for day in -10..-2 {
        logs = logs.flow(called("eni-1", day, ("10.0.1.6", "10.0.9.8")));
    }
    logs.flow(called(ENI, 0, ("10.0.1.5", "10.0.9.7"))).stays_quiet(ID);
}

#[test]
fn a_young_interface_stays_quiet() {
    habit(6).flow(called(ENI, 0, ("10.0.1.5", "10.0.9.7"))).stays_quiet(ID);
}

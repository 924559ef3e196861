use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use ingest::flow::{Call, address};

const ID: &str = "reject-storm";
const ENI: &str = "eni-0123456789abcdef0";

fn rejected(day: i32, (peer, port): (&str, u16), n_flows: u32) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), port), at(day, "10:00"));
    Call { is_admitted: false, n_flows, ..one }
}

fn to_hosts(n: u32, each: u32) -> Logs {
    (0..n).fold(Logs::new(), |logs, host| {
        logs.flow(rejected(0, (&format!("10.0.3.{host}"), 445), each))
    })
}

#[test]
fn calls_to_many_hosts_are_medium() {
    let finding = to_hosts(10, 10).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Medium, 100));
    says(
        &finding,
        &["was rejected 100 times", "port 445 of 10 hosts inside, 10 times to 10.0.3.0;"],
    );
    let flow = finding.flow.unwrap();
    assert_eq!((flow.peers.len(), flow.ports), (10, vec![445]));
}

#[test]
fn calls_to_one_host_are_low_and_may_be_of_ipv6() {
    let finding = to_hosts(1, 100).finding(ID);
    assert_eq!(finding.severity, Severity::Low);
    let of_vpc = Call {
        own: address("2001:db8::5".parse().unwrap()),
        ..rejected(0, ("2001:db8:0:9::7", 445), 100)
    };
    let v6 = Logs::new().flow(of_vpc).finding(ID);
    says(&v6, &["100 times to 2001:db8:0:9::7;"]);
}

#[test]
fn fewer_hosts_outside_and_who_was_let_out_stay_quiet() {
    to_hosts(11, 9).stays_quiet(ID);
    Logs::new().flow(rejected(0, ("198.51.100.7", 445), 100)).stays_quiet(ID);
    let let_out = Call { is_admitted: true, ..rejected(0, ("10.0.3.1", 445), 100) };
    Logs::new().flow(let_out).stays_quiet(ID);
    let stranger = Call { is_inbound: true, ..rejected(0, ("198.51.100.7", 22), 9_000) };
    Logs::new().flow(stranger).stays_quiet(ID);
}

#[test]
fn what_is_rejected_every_day_becomes_usual() {
    let every_day =
        (-12..1).fold(Logs::new(), |logs, day| logs.flow(rejected(day, ("10.0.3.1", 445), 120)));
    assert!(every_day.clone().today(ID).is_none());
    let more = every_day.flow(rejected(0, ("10.0.3.2", 445), 90_000));
    assert!(more.today(ID).is_some());
}

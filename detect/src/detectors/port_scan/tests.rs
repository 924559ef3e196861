use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use ingest::flow::Call;

const ID: &str = "port-scan";
const ENI: &str = "eni-0123456789abcdef0";

fn ports(n: u32) -> impl Iterator<Item = String> {
    (1..=n).map(|port| format!("10.0.0.9 {port}"))
}

fn scan(n: u32) -> Logs {
    Logs::new().flows(0, "10:00", ENI, ports(n))
}

#[test]
fn fires_at_the_floor() {
    let finding = scan(15).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Medium, 15));
    assert_eq!((&*finding.entity.key, finding.records.len()), (ENI, 0));
    says(&finding, &["tried 15 pairs of address and port", "one address and 15 ports"]);
    let flow = finding.flow.unwrap();
    assert_eq!((flow.interface.as_str(), flow.peers.len(), flow.ports.len()), (ENI, 1, 15));
    scan(14).stays_quiet(ID);
}

#[test]
fn the_same_pair_counts_once() {
    let again = (0..90).map(|_| "10.0.0.9 22".to_owned());
    Logs::new().flows(0, "10:00", ENI, again).stays_quiet(ID);
}

#[test]
fn a_narrow_and_large_one_is_high() {
    assert_eq!(scan(1_000).finding(ID).severity, Severity::High);
    let sweep = (0..1_000).map(|n| format!("10.0.{}.{} 22", n / 250, n % 250));
    let sweep = Logs::new().flows(0, "10:00", ENI, sweep).finding(ID);
    assert_eq!(sweep.severity, Severity::High);
    says(&sweep, &["tried about ", "one port"]);
    let stray = scan(1_000).flows(0, "10:01", ENI, ["10.0.0.8 9".to_owned()]);
    assert_eq!(stray.finding(ID).severity, Severity::High);
    let wide = (0..1_000).map(|n| format!("10.0.0.{} {n}", n % 250));
    let wide = Logs::new().flows(0, "10:00", ENI, wide).finding(ID);
    assert_eq!(wide.severity, Severity::Medium);
}

#[test]
fn slow_scans_add_up_within_an_hour_only() {
    let slow = |minutes: &[&str]| {
        let mut logs = Logs::new();
        for (n, clock) in minutes.iter().enumerate() {
            logs = logs.flows(0, clock, ENI, (0..5).map(|port| format!("10.0.0.9 1{n}{port}")));
        }
        logs
    };
    slow(&["10:30", "10:55", "11:20"]).finding(ID);
    slow(&["10:30", "11:00", "11:30"]).stays_quiet(ID);
}

#[test]
fn a_monitor_that_does_so_every_hour_is_usual() {
    let mut logs = Logs::new();
    for day in -12..1 {
        for hour in 8..16 {
            logs = logs.flows(day, &format!("{hour}:10"), ENI, ports(40));
        }
    }
    assert!(logs.clone().today(ID).is_none());
    let logs =
        logs.flows(0, "10:20", ENI, (0..1_000).map(|n| format!("10.7.{}.{} 22", n / 250, n % 250)));
    assert!(logs.today(ID).is_some());
}

#[test]
fn an_interface_that_never_scans_is_judged_by_bits() {
    let mut logs = Logs::new();
    for day in -12..-2 {
        for hour in 8..16 {
            logs = logs.flows(day, &format!("{hour}:10"), ENI, ports(1));
        }
    }
    let finding = logs.flows(0, "10:10", ENI, ports(60)).finding(ID);
    assert!(finding.bits().as_f64() >= 8.0);
}

#[test]
fn settings_move_the_floor() {
    let with = |n| Logs::with(|options| options.detectors.port_scan.targets_min = n);
    with(3).flows(0, "10:00", ENI, ports(3)).finding(ID);
    with(30).flows(0, "10:00", ENI, ports(29)).stays_quiet(ID);
}

/// Ports of one peer, answered, as one object shows them.
fn answered(ports: std::ops::Range<u16>, n_ports_of_peer: u32) -> Logs {
    ports.fold(Logs::new(), |logs, port| {
        let call = flow(ENI, ([10, 0, 0, 9].into(), port), at(0, "10:00"));
        logs.flow(Call { is_answered: true, n_ports_of_peer, ..call })
    })
}

#[test]
fn many_ports_of_one_peer_are_a_scan_though_they_answer() {
    let finding = answered(1_000..1_012, 12).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Medium, 12));
    says(&finding, &["called 12 different ports of 10.0.0.9"]);
    let seen = finding.flow.unwrap();
    assert_eq!((seen.peers, seen.ports.len()), (vec!["10.0.0.9".to_owned()], 12));
    let other = flow(ENI, ([10, 0, 0, 7].into(), 7), at(0, "10:00"));
    let other = Call { is_answered: true, n_ports_of_peer: 3, ..other };
    let seen = answered(1_000..1_012, 12).flow(other).finding(ID).flow.unwrap();
    assert!(!seen.ports.contains(&7), "{seen:?}");
    says(&answered(1_000..1_100, 100).finding(ID), &["called at least 64 different ports"]);
    answered(1_000..1_011, 11).stays_quiet(ID);
    answered(1_000..1_050, 2).stays_quiet(ID);
}

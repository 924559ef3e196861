use crate::{
    Severity,
    testkit::{Logs, at, flow, opened, says},
};
use ingest::flow::Call;

const ID: &str = "brute-force-target";
const ENI: &str = "eni-0123456789abcdef0";

/// `n` connections that a peer opens to a port, as one object shows them: each an SSH handshake.
fn tries(day: i32, clock: &str, (peer, port): (&str, u16), n: u32) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), port), at(day, clock));
    let bytes = (u64::from(n) * 2_600, u64::from(n) * 2_100);
    let opened = opened(one.end_s, n);
    Call { is_inbound: true, is_answered: true, n_flows: n, opened, bytes, ..one }
}

fn from(peer: &str, port: u16, n: u32) -> Logs {
    Logs::new().flow(tries(0, "10:00", (peer, port), n))
}

#[test]
fn one_peer_that_tries_often_is_medium() {
    let finding = from("198.51.100.7", 22, 30).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Medium, 30));
    says(&finding, &["was tried 30 times at port 22 (SSH)", "30 times by 198.51.100.7;"]);
    let flow = finding.flow.unwrap();
    assert_eq!((flow.peers, flow.ports), (vec!["198.51.100.7".to_owned()], vec![22]));
    let v6 = from("2001:db8::7", 3389, 30).finding(ID);
    says(&v6, &["port 3389 (RDP)", "by 2001:db8::7;"]);
}

#[test]
fn many_peers_that_try_a_little_are_low() {
    let mut logs = Logs::new();
    for n in 1..8 {
        logs = logs.flow(tries(0, "10:00", (&format!("198.51.100.{n}"), 22), 3));
    }
    let finding = logs.finding(ID);
    assert_eq!(finding.severity, Severity::Low);
    says(&finding, &["was tried 21 times", "and by 6 others"]);
}

#[test]
fn strangers_who_try_a_little_do_not_hide_one_who_tries_hard() {
    let logs = (0..300_u16).fold(from("203.0.113.9", 22, 40), |logs, n| {
        let [high, low] = n.to_be_bytes();
        logs.flow(tries(0, "10:00", (&format!("198.51.{high}.{low}"), 22), 3))
    });
    let finding = logs.finding(ID);
    assert_eq!(finding.severity, Severity::Medium);
    assert!(finding.flow.unwrap().peers.contains(&"203.0.113.9".to_owned()));
}

#[test]
fn fewer_or_rejected_tries_stay_quiet() {
    from("198.51.100.7", 22, 19).stays_quiet(ID);
    let rejected = tries(0, "10:00", ("198.51.100.7", 22), 90);
    Logs::new().flow(Call { is_answered: false, ..rejected }).stays_quiet(ID);
    let one_a_time = (0..40).fold(Logs::new(), |logs, n| {
        logs.flow(tries(0, "10:00", (&format!("198.51.100.{n}"), 22), 2))
    });
    one_a_time.stays_quiet(ID);
}

#[test]
fn any_port_counts_from_outside_but_for_those_of_programs() {
    assert_eq!(from("198.51.100.7", 2222, 40).finding(ID).severity, Severity::Low);
    from("10.0.0.9", 22, 40).finding(ID);
    from("10.0.0.9", 2222, 40).stays_quiet(ID);
    from("198.51.100.7", 443, 40).stays_quiet(ID);
}

#[test]
fn sessions_are_no_tries() {
    let session = tries(0, "10:00", ("198.51.100.7", 22), 40);
    Logs::new().flow(Call { bytes: (40 * 20_000, 9), ..session }).stays_quiet(ID);
}

#[test]
fn what_knocks_every_day_becomes_usual() {
    let mut logs = Logs::new();
    for day in -12..1 {
        for hour in 8..16 {
            let clock = format!("{hour}:10");
            logs = logs.flow(tries(day, &clock, ("198.51.100.7", 22), 40));
        }
    }
    assert!(logs.clone().today(ID).is_none());
    let more = logs.flow(tries(0, "10:20", ("198.51.100.9", 22), 2_000));
    assert!(more.today(ID).is_some());
}

#[test]
fn settings_move_the_floor() {
    let logs = Logs::with(|options| options.detectors.brute_force_target.tries_min = 50);
    logs.flow(tries(0, "10:00", ("198.51.100.7", 22), 49)).stays_quiet(ID);
}

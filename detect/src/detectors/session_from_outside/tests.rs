use crate::{
    Severity,
    testkit::{Logs, at, flow, opened, says},
};
use ingest::flow::{Call, Lasting, Opened};

const ID: &str = "session-from-outside";
const ENI: &str = "eni-0123456789abcdef0";

/// A connection of a peer that goes on through five minutes.
fn session(day: i32, clock: &str, (peer, port): (&str, u16)) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), port), at(day, clock));
    let lasting = Some(Lasting { port: 50_001, covered_s: 300 });
    let bytes = (30_000, 9_000);
    Call { is_inbound: true, is_answered: true, opened: Opened::default(), bytes, lasting, ..one }
}

/// `n` attempts to log on.
fn tries(day: i32, clock: &str, (peer, port): (&str, u16), n: u32) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), port), at(day, clock));
    let bytes = (u64::from(n) * 2_600, u64::from(n) * 2_100);
    let opened = opened(one.end_s, n);
    Call { is_inbound: true, is_answered: true, n_flows: n, opened, bytes, ..one }
}

fn hours(logs: Logs, day: i32, peer: (&str, u16), n: i64) -> Logs {
    (0..n * 12).fold(logs, |logs, five| {
        let clock = format!("{:02}:{:02}", 8 + five / 12, five % 12 * 5);
        logs.flow(session(day, &clock, peer))
    })
}

#[test]
fn a_session_after_attempts_is_high() {
    for peer in ["198.51.100.7", "2001:db8:9::7"] {
        let logs = Logs::new().flow(tries(0, "08:00", (peer, 22), 10));
        let finding = logs.flow(session(0, "11:30", (peer, 22))).finding(ID);
        assert_eq!(finding.severity, Severity::High);
        says(&finding, &[&format!("at port 22 (SSH) by {peer}, after 10 attempts")]);
        let flow = finding.flow.unwrap();
        assert_eq!((flow.peers, flow.ports), (vec![peer.to_owned()], vec![22]));
    }
}

#[test]
fn what_is_taken_after_attempts_is_a_session_too() {
    let logs = Logs::new().flow(tries(0, "08:00", ("198.51.100.7", 3389), 40));
    let taken = Call { bytes: (900_000, 9_000), ..tries(0, "08:10", ("198.51.100.7", 3389), 1) };
    assert_eq!(logs.flow(taken).finding(ID).severity, Severity::High);
}

#[test]
fn fewer_attempts_another_peer_and_attempts_that_come_later_stay_quiet() {
    let (one, other) = (("198.51.100.7", 22), ("198.51.100.8", 22));
    let with = |call: Call| Logs::new().flow(session(0, "11:30", one)).flow(call);
    with(tries(0, "08:00", one, 9)).stays_quiet(ID);
    with(tries(0, "08:00", other, 90)).stays_quiet(ID);
    with(tries(0, "08:00", ("198.51.100.7", 3389), 90)).stays_quiet(ID);
    with(tries(0, "12:00", one, 90)).stays_quiet(ID);
    with(tries(-1, "23:50", one, 90)).stays_quiet(ID);
    let inside = ("10.0.0.9", 22);
    Logs::new()
        .flow(tries(0, "08:00", inside, 90))
        .flow(session(0, "9:00", inside))
        .stays_quiet(ID);
}

#[test]
fn hours_of_a_stranger_are_low_and_of_a_known_peer_quiet() {
    let peer = ("198.51.100.7", 22);
    let finding = hours(Logs::new(), 0, peer, 4).finding(ID);
    assert_eq!((finding.severity, finding.n_hours), (Severity::Low, 1));
    says(&finding, &["had sessions of 198.51.100.7 at port 22 (SSH) for 4.0 hours of the day"]);
    hours(Logs::new(), 0, peer, 3).stays_quiet(ID);
    let known = (-5..-2).fold(Logs::new(), |logs, day| logs.flow(session(day, "10:00", peer)));
    hours(known, 0, peer, 4).stays_quiet(ID);
}

#[test]
fn attempts_and_a_session_of_a_known_peer_are_low_and_do_not_hide_a_stranger() {
    let (office, stranger) = (("198.51.100.7", 22), ("203.0.113.9", 22));
    let known = (-5..-2).fold(Logs::new(), |logs, day| logs.flow(session(day, "10:00", office)));
    let scripts = known.flow(tries(0, "08:00", office, 90)).flow(session(0, "11:30", office));
    let finding = scripts.clone().finding(ID);
    assert_eq!(finding.severity, Severity::Low);
    says(&finding, &["by 198.51.100.7, after 90 attempts", "sessions of that peer are known"]);
    let taken = scripts.flow(tries(0, "08:10", stranger, 10));
    let finding = taken.flow(session(0, "11:40", stranger)).finding(ID);
    assert_eq!(finding.severity, Severity::High);
    says(&finding, &["by 203.0.113.9, after 10 attempts"]);
}

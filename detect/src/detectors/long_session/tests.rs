use crate::{
    Severity,
    testkit::{Logs, at, flow, opened, says},
};
use ingest::flow::{Call, Lasting, Opened};

const ID: &str = "long-session";
const ENI: &str = "eni-0123456789abcdef0";

/// A connection that goes on in each five minutes from `hh:00` on, so many hours long.
fn session(mut logs: Logs, hour: i64, (peer, port): (&str, u16), hours: i64) -> Logs {
    for n in 0..hours * 12 {
        let end_ms = at(0, "00:00") + (hour * 12 + n) * 300_000 + 299_000;
        let one = flow(ENI, (peer.parse().unwrap(), port), end_ms);
        let lasting = Some(Lasting { port: 56_394, covered_s: 300 });
        let opened = Opened::default();
        logs = logs.flow(Call { is_answered: true, opened, lasting, bytes: (505, 1_050), ..one });
    }
    logs
}

#[test]
fn a_session_of_hours_is_told_while_it_lasts() {
    for peer in ["198.51.100.7", "2001:db8::7"] {
        let finding = session(Logs::new(), 8, (peer, 22), 6).finding(ID);
        assert_eq!((finding.severity, finding.n_hours), (Severity::Medium, 3));
        says(&finding, &[&format!("to port 22 of {peer}, from its port 56394: at least 6 hours")]);
        let flow = finding.flow.unwrap();
        assert_eq!((flow.peers, flow.ports), (vec![peer.to_owned()], vec![22]));
    }
    session(Logs::new(), 8, ("198.51.100.7", 22), 3).stays_quiet(ID);
}

#[test]
fn a_session_over_midnight_is_one() {
    let findings = session(Logs::new(), 21, ("198.51.100.7", 22), 6).findings(ID);
    assert_eq!(findings.len(), 1);
    says(&findings[0], &["at least 6 hours"]);
}

#[test]
fn connections_that_programs_keep_open_are_low() {
    let finding = session(Logs::new(), 8, ("198.51.100.7", 443), 6).finding(ID);
    assert_eq!(finding.severity, Severity::Low);
}

#[test]
fn another_port_is_medium_once_there_is_history() {
    let cold = session(Logs::new(), 8, ("198.51.100.7", 4_444), 6).finding(ID);
    assert_eq!(cold.severity, Severity::Low);
    let mut logs = Logs::new();
    for day in -10..-2 {
        logs = logs.flow(flow(ENI, ([198, 51, 100, 1].into(), 443), at(day, "10:00")));
    }
    let settled = session(logs, 8, ("198.51.100.7", 4_444), 6).finding(ID);
    assert_eq!(settled.severity, Severity::Medium);
}

#[test]
fn a_peer_inside_or_known_stays_quiet() {
    session(Logs::new(), 8, ("10.0.0.9", 22), 6).stays_quiet(ID);
    let mut logs = Logs::new();
    for day in -6..-2 {
        let one = flow(ENI, ([198, 51, 100, 7].into(), 22), at(day, "10:00"));
        let opened = opened(one.end_s, 1);
        logs = logs.flow(Call { is_answered: true, opened, bytes: (505, 1_050), ..one });
    }
    session(logs, 8, ("198.51.100.7", 22), 6).stays_quiet(ID);
}

use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use ingest::flow::Call;

const ID: &str = "unusual-port";
const ENI: &str = "eni-0123456789abcdef0";

fn called(day: i32, (peer, port): (&str, u16)) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), port), at(day, "10:00"));
    Call { is_answered: true, bytes: (900, 9_000), ..one }
}

/// Days on which the same few ports are called.
fn habit(days: i32) -> Logs {
    (-2 - days..-2).fold(Logs::new(), |logs, day| {
        [25, 587, 8_883]
            .into_iter()
            .fold(logs, |logs, port| logs.flow(called(day, ("198.51.100.1", port))))
    })
}

#[test]
fn a_port_that_was_never_called_is_told_with_its_peers() {
    for peer in ["203.0.113.9", "2001:db8::9"] {
        let logs = habit(10).flow(called(0, (peer, 4_444)));
        let finding = logs.flow(called(0, ("198.51.100.1", 25))).finding(ID);
        assert_eq!((finding.severity, finding.count), (Severity::Medium, 1));
        says(&finding, &["called port 4444 outside by TCP, 1 times", "tcp 25"]);
        let flow = finding.flow.unwrap();
        assert_eq!((flow.peers, flow.ports), (vec![peer.to_owned()], vec![4_444]));
    }
}

#[test]
fn known_ports_and_ports_of_everybody_stay_quiet() {
    for port in [25, 443, 53, 50_000] {
        habit(10).flow(called(0, ("203.0.113.9", port))).stays_quiet(ID);
    }
    let unanswered = Call { is_answered: false, ..called(0, ("203.0.113.9", 4_444)) };
    habit(10).flow(unanswered).stays_quiet(ID);
    habit(10).flow(called(0, ("10.0.0.9", 4_444))).stays_quiet(ID);
}

#[test]
fn a_young_interface_and_one_that_calls_new_ports_every_day_stay_quiet() {
    habit(6).flow(called(0, ("203.0.113.9", 4_444))).stays_quiet(ID);
    let mut logs = Logs::new();
    for day in 1..=10_u16 {
        for n in 0..8_u16 {
            let port = 3_000 + day * 10 + n;
            logs = logs.flow(called(-2 - i32::from(day), ("198.51.100.1", port)));
        }
    }
    logs.flow(called(0, ("203.0.113.9", 4_444))).stays_quiet(ID);
}

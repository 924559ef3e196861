use crate::{
    Severity,
    testkit::{Logs, at, flow, opened, says},
};
use ingest::flow::Call;

const ID: &str = "calls-in-vain";
const ENI: &str = "eni-0123456789abcdef0";

fn calls(day: i32, clock: &str, peer: &str, n: u32) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), 5_888), at(day, clock));
    Call { n_flows: n, opened: opened(one.end_s, n), ..one }
}

#[test]
fn a_service_that_never_answers_and_is_called_on_and_on_is_medium() {
    let logs = Logs::new();
    let logs = logs.flow(calls(0, "10:00", "198.51.100.7", 60));
    let finding = logs.flow(calls(0, "10:05", "198.51.100.7", 40)).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Medium, 100));
    says(&finding, &["called port 198.51.100.7:5888 100 times"]);
    let flow = finding.flow.unwrap();
    assert_eq!((flow.peers, flow.ports), (vec!["198.51.100.7".to_owned()], vec![5_888]));
    Logs::new().flow(calls(0, "10:00", "2001:db8::7", 100)).finding(ID);
}

#[test]
fn fewer_calls_or_such_to_hosts_inside_stay_quiet() {
    Logs::new().flow(calls(0, "10:00", "198.51.100.7", 99)).stays_quiet(ID);
    Logs::new().flow(calls(0, "10:00", "10.0.0.9", 500)).stays_quiet(ID);
    let slow = (0..12).fold(Logs::new(), |logs, n| {
        logs.flow(calls(0, &format!("10:{:02}", n * 5), "198.51.100.7", 9))
    });
    slow.stays_quiet(ID);
    let answered = Call { is_answered: true, ..calls(0, "10:00", "198.51.100.7", 500) };
    Logs::new().flow(answered).stays_quiet(ID);
}

#[test]
fn a_peer_that_was_known_before_may_be_down() {
    let mut logs = Logs::new();
    for day in -12..-2 {
        let usual = Call { is_answered: true, ..calls(day, "10:00", "198.51.100.7", 40) };
        logs = logs.flow(usual);
    }
    logs.flow(calls(0, "10:00", "198.51.100.7", 500)).stays_quiet(ID);
}

use crate::{
    Severity,
    testkit::{Logs, at, flow, opened, says},
};
use ingest::flow::Call;

const ID: &str = "brute-force-actor";
const ENI: &str = "eni-0123456789abcdef0";

fn tries((peer, port): (&str, u16), n: u32) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), port), at(0, "10:00"));
    let bytes = (u64::from(n) * 2_100, u64::from(n) * 2_600);
    Call { is_answered: true, n_flows: n, opened: opened(one.end_s, n), bytes, ..one }
}

#[test]
fn one_service_that_is_tried_often_is_told() {
    for (target, words) in [
        (("10.0.0.9", 22), "port 22 (SSH) of other hosts, 30 times at 10.0.0.9"),
        (("198.51.100.7", 3389), "port 3389 (RDP)"),
        (("2001:db8::7", 5985), "port 5985 (WinRM)"),
    ] {
        let finding = Logs::new().flow(tries(target, 30)).finding(ID);
        assert_eq!((finding.severity, finding.count), (Severity::Medium, 30));
        says(&finding, &["tried 30 times", words]);
        assert_eq!(finding.flow.unwrap().peers, [target.0]);
    }
    Logs::new().flow(tries(("10.0.0.9", 22), 29)).stays_quiet(ID);
}

#[test]
fn what_history_makes_improbable_is_high() {
    let mut logs = Logs::new();
    for day in -12..-2 {
        for hour in 8..16 {
            let one = flow(ENI, ([10, 0, 0, 2].into(), 443), at(day, &format!("{hour}:00")));
            logs = logs.flow(Call { is_answered: true, ..one });
        }
    }
    let finding = logs.flow(tries(("10.0.0.9", 22), 300)).finding(ID);
    assert_eq!(finding.severity, Severity::High);
}

#[test]
fn several_services_count_together() {
    let tried = |n: u8| {
        (1..=n)
            .fold(Logs::new(), |logs, host| logs.flow(tries((&format!("10.0.0.{host}"), 22), 10)))
    };
    let finding = tried(10).finding(ID);
    says(&finding, &["tried 100 times", "10 times at 10.0.0.1 and by 9 others"]);
    tried(9).stays_quiet(ID);
}

#[test]
fn another_port_outside_is_low_and_takes_more() {
    let finding = Logs::new().flow(tries(("198.51.100.7", 50_022), 100)).finding(ID);
    assert_eq!(finding.severity, Severity::Low);
    says(&finding, &["port 50022 of other hosts, 100 times at 198.51.100.7"]);
    Logs::new().flow(tries(("198.51.100.7", 50_022), 99)).stays_quiet(ID);
}

#[test]
fn programs_that_connect_often_stay_quiet() {
    Logs::new().flow(tries(("10.0.0.9", 5432), 500)).stays_quiet(ID);
    Logs::new().flow(tries(("198.51.100.7", 443), 500)).stays_quiet(ID);
    Logs::new().flow(tries(("198.51.100.7", 587), 500)).stays_quiet(ID);
    let refused = Call { is_answered: false, ..tries(("10.0.0.9", 22), 500) };
    Logs::new().flow(refused).stays_quiet(ID);
}

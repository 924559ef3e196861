use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use ingest::flow::Call;

const ID: &str = "slow-data-leaving";
const ENI: &str = "eni-0123456789abcdef0";
const HOURS: std::ops::Range<i64> = 6..22;

/// What an interface sends to a peer in one hour of a day.
fn sent(day: i32, hour: i64, peer: &str, mebibytes: u64) -> Call {
    let one = flow(ENI, (peer.parse().unwrap(), 443), at(day, "00:20") + hour * 3_600_000);
    Call { is_answered: true, bytes: (mebibytes << 20, 90_000), ..one }
}

/// 30 days of 3 MiB in each of 16 hours, a little more on every other.
fn habit() -> Logs {
    (-32..-2).fold(Logs::new(), |logs, day| {
        of_day(logs, day, "198.51.100.1", 3 + u64::from(day % 2 == 0))
    })
}

fn of_day(logs: Logs, day: i32, peer: &str, mebibytes: u64) -> Logs {
    HOURS.fold(logs, |logs, hour| logs.flow(sent(day, hour, peer, mebibytes)))
}

#[test]
fn much_in_small_pieces_is_told_when_the_day_closes() {
    for peer in ["203.0.113.9", "2001:db8:9::9"] {
        let finding = of_day(habit(), 0, peer, 40).finding(ID);
        assert_eq!(finding.severity, Severity::Medium);
        says(&finding, &["MiB outside on the day", &format!("most of it to {peer}; usual: about")]);
        assert_eq!(finding.flow.unwrap().peers[0], peer);
    }
}

#[test]
fn a_usual_day_and_one_that_is_little_more_stay_quiet() {
    of_day(habit(), 0, "203.0.113.9", 4).stays_quiet(ID);
    of_day(habit(), 0, "203.0.113.9", 12).stays_quiet(ID);
}

#[test]
fn one_hour_that_holds_most_of_it_is_for_another_detector() {
    let logs = of_day(habit(), 0, "198.51.100.1", 3).flow(sent(0, 10, "203.0.113.9", 900));
    logs.stays_quiet(ID);
}

#[test]
fn a_short_history_and_days_that_always_differ_stay_quiet() {
    let short = (-16..-2).fold(Logs::new(), |logs, day| of_day(logs, day, "198.51.100.1", 3));
    of_day(short, 0, "203.0.113.9", 40).stays_quiet(ID);
    let weekly = (-44..-2).fold(Logs::new(), |logs, day| {
        of_day(logs, day, "198.51.100.1", if day % 7 == 0 { 60 } else { 3 })
    });
    of_day(weekly, 0, "203.0.113.9", 60).stays_quiet(ID);
}

#[test]
fn a_week_that_sends_twice_as_much_is_told() {
    let mut logs = (-60..-11).fold(Logs::new(), |logs, day| of_day(logs, day, "198.51.100.1", 10));
    for day in -11..1 {
        logs = of_day(logs, day, "203.0.113.9", 29);
    }
    let finding = logs.today(ID).unwrap();
    says(&finding, &["on each of its last seven days"]);
}

use crate::{
    Severity,
    testkit::{Logs, at, flow, opened, says},
};
use ingest::flow::Call;

const ID: &str = "beacon";
const ENI: &str = "eni-0123456789abcdef0";

/// A call of a peer at each of these seconds of a day.
fn called(
    logs: Logs,
    day: i32,
    (peer, port): (&str, u16),
    seconds: impl IntoIterator<Item = i64>,
) -> Logs {
    seconds.into_iter().fold(logs, |logs, second| {
        let one = flow(ENI, (peer.parse().unwrap(), port), at(day, "00:00") + second * 1_000);
        let opened = opened(one.end_s, 1);
        let bytes = (292, 539);
        logs.flow(Call { is_answered: true, opened, bytes, squares: 292 * 292, ..one })
    })
}

/// Every 200 to 350 seconds from 08:00 on, six hours long.
fn jittered() -> impl Iterator<Item = i64> {
    let mut at = 8 * 3_600;
    (0..).map_while(move |n: i64| {
        at += 200 + (n * 7_919) % 151;
        (at < 14 * 3_600).then_some(at)
    })
}

#[test]
fn calls_at_a_steady_pace_with_jitter_are_a_beacon() {
    for peer in ["198.51.100.7", "2001:db8::7"] {
        let finding = called(Logs::new(), 0, (peer, 80), jittered()).finding(ID);
        assert_eq!(finding.severity, Severity::Medium);
        says(&finding, &[&format!("called port 80 of {peer}"), "with about 292 bytes each time"]);
        let flow = finding.flow.clone().unwrap();
        assert_eq!((flow.peers, flow.ports), (vec![peer.to_owned()], vec![80]));
        assert!(finding.bits().as_f64() >= 20.0);
    }
}

#[test]
fn calls_in_bursts_stay_quiet() {
    let bursts = (0..8).flat_map(|hour| (0..12).map(move |n| (8 + hour) * 3_600 + n * 3));
    called(Logs::new(), 0, ("198.51.100.7", 80), bursts).stays_quiet(ID);
}

#[test]
fn clocks_names_and_networks_of_amazon_stay_quiet() {
    for target in
        [("198.51.100.7", 123), ("198.51.100.7", 53), ("52.94.76.1", 443), ("10.0.0.9", 80)]
    {
        called(Logs::new(), 0, target, jittered()).stays_quiet(ID);
    }
}

#[test]
fn what_sends_now_much_now_little_stays_quiet() {
    let logs = called(Logs::new(), 0, ("198.51.100.7", 80), jittered());
    let download = flow(ENI, ([198, 51, 100, 7].into(), 80), at(0, "09:00"));
    let (bytes, squares) = ((2_000_000, 0), 4_000_000_000_000);
    logs.flow(Call { is_answered: true, bytes, squares, ..download }).stays_quiet(ID);
}

#[test]
fn a_peer_of_days_before_is_known() {
    let mut logs = Logs::new();
    for day in -6..-2 {
        logs = called(logs, day, ("198.51.100.7", 80), [36_000]);
    }
    called(logs, 0, ("198.51.100.7", 80), jittered()).stays_quiet(ID);
}

#[test]
fn the_surest_of_several_comes_first() {
    let logs = called(Logs::new(), 0, ("198.51.100.7", 80), jittered());
    let logs = called(logs, 0, ("198.51.100.8", 80), (0..288).map(|n| n * 300));
    let finding = logs.finding(ID);
    says(&finding, &["of 198.51.100.8 288 times, evenly, once in 300 s", "and 1 more services"]);
    assert_eq!(finding.flow.unwrap().peers, ["198.51.100.8", "198.51.100.7"]);
}

use crate::{
    Engine, Finding, FlowRows, Options, Severity,
    detector::Verdict,
    finding::assemble,
    shard::Occurrence,
    testkit::{Kept, Logs, TODAY, at, engine, flow, opened, rules},
};
use baseline::{Entity, Kind, Slot, stable_hash};
use ingest::{enrich::Enrich, flow::Call, flowlog::FlowReader, source::Filter};
use std::{collections::BTreeSet, net::IpAddr, ops::Range};

const ENI: &str = "eni-0123456789abcdef0";
const PEERS: [IpAddr; 2] = [
    IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7)),
    IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7)),
];

/// `n` attempts of a peer to log on.
fn tries(day: i32, clock: &str, peer: IpAddr, n: u32) -> Call {
    let one = flow(ENI, (peer, 22), at(day, clock));
    let bytes = (u64::from(n) * 2_600, u64::from(n) * 2_100);
    let opened = opened(one.end_s, n);
    Call { is_inbound: true, is_answered: true, n_flows: n, opened, bytes, ..one }
}

/// A week of a little, and today much, by one peer and the other.
fn logs() -> Logs {
    let week = (-9..-2).fold(Logs::new(), |logs, day| logs.flow(tries(day, "10:00", PEERS[0], 12)));
    PEERS.into_iter().fold(week, |logs, peer| {
        logs.flow(tries(0, "10:00", peer, 40)).flow(tries(0, "13:30", peer, 90))
    })
}

/// What findings say, but for what the group knows: it has a member more for each log.
fn said(mut findings: Vec<Finding>) -> Vec<Finding> {
    for finding in &mut findings {
        finding.parts.clear();
        finding.summary.clear();
    }
    findings
}

#[test]
fn flows_that_two_logs_have_count_once() {
    let one = said(logs().logged_by(&["fl-a"]).all());
    assert!(one.iter().any(|finding| finding.about.id == "brute-force-target"));
    assert_eq!(said(logs().all()), one);
    assert_eq!(said(logs().logged_by(&["fl-a", "fl-b"]).all()), one);
    assert_eq!(said(logs().logged_by(&["fl-c", "fl-b", "fl-a"]).all()), one);
    // Half of what is told, in each of two logs.
    let half = Logs::new().flow(tries(0, "10:00", PEERS[0], 19)).logged_by(&["fl-a", "fl-b"]);
    half.stays_quiet("brute-force-target");
}

#[test]
fn it_does_not_matter_which_log_comes_first() {
    let by = |flow_logs| logs().logged_by(flow_logs).all();
    assert_eq!(by(&["fl-a", "fl-b"]), by(&["fl-b", "fl-a"]));
}

/// Two weeks of calls of a host to one port of three hosts outside, and today one to a port of its own.
fn weeks_of(accepted: bool) -> Logs {
    let call = |day, host: u8, port| {
        let peer = ([198, 51, 100, host].into(), port);
        let one = flow(ENI, peer, at(day, "10:00"));
        let bytes = if accepted { (90_000, 9_000) } else { (0, 0) };
        Call { is_admitted: accepted, is_answered: accepted, bytes, ..one }
    };
    let weeks = (-16..-2).flat_map(|day| (1..4).map(move |host| call(day, host, 8_443)));
    let weeks = weeks.fold(Logs::new(), Logs::flow).logged_by(&["fl-a"]);
    let today = |host| Call {
        is_admitted: true,
        is_answered: true,
        bytes: (90_000, 9_000),
        ..call(0, host, 8_443)
    };
    let logs = (1..4).map(today).fold(weeks, Logs::flow);
    logs.flow(Call { port: 4_444, ..today(9) })
}

#[test]
fn a_flow_log_that_is_made_anew_makes_no_stranger_of_a_host() {
    let told = weeks_of(true).finding("unusual-port");
    assert_eq!(told.history_days.0, 14);
    for day in [0, -1, -3] {
        assert_eq!(weeks_of(true).made_anew(day, "fl-b").finding("unusual-port"), told, "{day}");
    }
}

#[test]
fn what_a_log_of_rejected_flows_taught_says_nothing_of_accepted_ones() {
    weeks_of(false).made_anew(0, "fl-b").stays_quiet("unusual-port");
}

/// Reads an object of a flow log with one call of `port` of each of these hosts outside.
fn read(
    engine: &mut Engine,
    log: &str,
    (day, clock): (i32, &str),
    (hosts, port): (Range<u8>, u16),
) {
    let mut reader = engine.reader();
    reader.begin(stable_hash(&[log.as_bytes(), clock.as_bytes(), &day.to_le_bytes()]), None);
    reader.of_flow_log(Some(log));
    let call = |host| {
        let one = flow(ENI, ([198, 51, 100, host].into(), port), at(day, clock));
        Call { is_answered: true, bytes: (90_000, 9_000), ..one }
    };
    let calls: Vec<Call> = hosts.map(call).collect();
    reader.flows("111122223333", calls.len() as u64, &calls);
    let chunk = reader.finish();
    engine.apply(&[chunk]).unwrap();
}

#[test]
fn what_goes_on_beside_a_new_log_teaches_it_nothing() {
    let told = |later: &[&str], clock: &str| {
        let mut engine = engine();
        for day in -16..0 {
            engine.advance(at(day, "0:00")).unwrap();
            read(&mut engine, "fl-a", (day, "10:00"), (1..2, 8_443));
        }
        engine.advance(at(0, "0:00")).unwrap();
        read(&mut engine, "fl-b", (0, "11:00"), (1..2, 4_444));
        for log in later {
            read(&mut engine, log, (0, clock), (1..2, 8_443));
        }
        engine.finish().unwrap();
        engine.take_findings().iter().any(|finding| finding.about.id == "unusual-port")
    };
    assert!(told(&[], ""));
    assert!(told(&["fl-b"], "15:30"));
    // Some make the new one first.
    assert!(told(&["fl-a"], "14:59"));
    assert!(!told(&["fl-a"], "15:00"));
}

#[test]
fn what_a_new_log_teaches_does_not_depend_on_when_its_first_day_closes() {
    let mut engines = [1, 2].map(|comes_on| {
        let mut engine = engine();
        for day in -9..4 {
            engine.advance(at(day, "0:00")).unwrap();
            let (log, hosts) = match day {
                ..-4 => ("fl-a", 100..150),
                -4..0 => ("fl-a", 150..200),
                0 => ("fl-b", 1..3),
                _ => ("fl-b", 1..120),
            };
            read(&mut engine, log, (day, "10:00"), (hosts, 443));
            if day == comes_on {
                // More than a day may teach of what was not known, and what was learned in the other log.
                read(&mut engine, "fl-b", (1, "23:00"), (80..220, 443));
            }
        }
        engine.finish().unwrap();
        engine
    });
    let findings = engines.each_mut().map(Engine::take_findings);
    assert_eq!(findings[0], findings[1]);
    let [before, after] = engines.each_ref().map(Engine::memory);
    assert!(before == after);
}

#[test]
fn of_two_logs_that_tell_as_much_it_does_not_matter_which_was_judged_first() {
    let rules = rules("");
    let verdict = |summary: &str| Verdict {
        parts: Vec::new(),
        severity: Severity::High,
        summary: summary.to_owned(),
        slots: vec![(Slot::of(at(0, "10:00")), 1)],
        records: Vec::new(),
        last_ms: None,
        targets: vec![summary.to_owned()],
        flow: None,
        threshold: None,
    };
    let entity = Entity { account: "111122223333".into(), kind: Kind::Interface, key: ENI.into() };
    let told = |log: &str| Occurrence {
        speaker: 0,
        id: entity.id_in(Some(log)),
        entity: entity.clone(),
        hour: Slot::of(at(0, "10:00")).hour(),
        verdict: verdict(log),
        own_days: 0,
        group_days: 0,
        news: BTreeSet::new(),
    };
    let of = |logs: [&str; 2]| assemble(TODAY, logs.map(told).to_vec(), rules.catalogue());
    assert_eq!(of(["fl-a", "fl-b"]), of(["fl-b", "fl-a"]));
    assert_eq!(of(["fl-a", "fl-b"]).len(), 1);
}

#[test]
fn what_is_kept_of_each_log_comes_back() {
    let mut whole = engine();
    whole.note_changes();
    logs().logged_by(&["fl-a", "fl-b"]).read_by(&mut whole);
    let mut kept = Kept::default();
    kept.keep(&mut whole);
    let mut resumed = kept.resumed(engine());
    let [of_whole, of_resumed] = [&mut whole, &mut resumed].map(|engine| {
        engine.finish().unwrap();
        let mut findings = engine.take_findings();
        findings.retain(|finding| finding.day == TODAY);
        findings
    });
    assert!(!of_whole.is_empty());
    assert_eq!(of_resumed, of_whole);
}

const SHELLS: &str = "title: shells\nname: shells\nlogsource: {product: aws, service: vpcflow}\n\
                      detection:\n  s: {dstport: 22}\n  condition: s\n";

/// Reads what a flow log has of a day, and these calls.
fn apply_shells(engine: &mut Engine, (log, day): (&str, i32), calls: &[Call]) {
    let mut reader = engine.reader();
    reader.begin(stable_hash(&[log.as_bytes(), &day.to_le_bytes()]), None);
    reader.of_flow_log(Some(log));
    reader.flows("111122223333", calls.len() as u64, calls);
    FlowReader::default().read(shells(day).as_bytes(), &mut |batch| {
        let (account, filter) = (None, &Filter::default());
        reader.flow_rows(&FlowRows { batch: &batch, account, filter });
    });
    let chunk = reader.finish();
    engine.apply(&[chunk]).unwrap();
}

#[test]
fn what_rules_count_of_flows_counts_once_as_well() {
    let found = |flow_logs: &[&str]| {
        let options = Options { rules: rules(SHELLS), ..Options::default() };
        let mut engine = Engine::new(options, Enrich::built_in());
        for log in flow_logs {
            apply_shells(&mut engine, (log, 0), &[]);
        }
        engine.finish().unwrap();
        engine.take_findings()
    };
    let one = found(&["fl-a"]);
    assert_eq!(one.iter().map(|finding| finding.count).collect::<Vec<_>>(), [3]);
    assert_eq!(found(&["fl-a", "fl-b"]), one);
}

#[test]
fn what_rules_say_of_another_log_on_the_way_does_not_depend_on_what_is_put_away() {
    for logs in [["fl-a", "fl-b"], ["fl-b", "fl-a"]] {
        // Both from the first day on, and one after the other.
        for before in [&logs[..], &logs[..1]] {
            let told = |bytes_max: Option<usize>| {
                let options = Options { rules: rules(SHELLS), ..Options::default() };
                let mut engine = Engine::new(options, Enrich::built_in());
                let kept = Kept::default();
                bytes_max.inspect(|bytes_max| kept.bound(&mut engine, *bytes_max));
                engine.note_touched();
                let tried = |day| Call {
                    is_answered: true,
                    bytes: (90_000, 9_000),
                    ..tries(day, "10:00", PEERS[0], 1)
                };
                for day in -9..-2 {
                    engine.advance(at(day, "0:00")).unwrap();
                    for log in before {
                        apply_shells(&mut engine, (log, day), &[tried(day)]);
                    }
                }
                engine.advance(at(0, "0:00")).unwrap();
                let told = logs.iter().rev().take(before.len()).map(|log| {
                    apply_shells(&mut engine, (log, 0), &[tried(0)]);
                    engine.judge_open().unwrap()
                });
                let told: Vec<Vec<Finding>> = told.collect();
                assert_eq!(bytes_max.is_some(), !kept.who_is_away().is_empty());
                told
            };
            let whole = told(None);
            let with_history = |finding: &Finding| finding.history_days.0 > 0;
            assert!(whole.concat().iter().any(with_history), "{whole:#?}");
            assert!(whole.concat().iter().all(with_history), "{whole:#?}");
            assert_eq!(told(Some(0)), whole);
        }
    }
}

/// Three flows to a shell, five minutes apart.
fn shells(day: i32) -> String {
    let line = |n: i64| {
        let end_s = at(day, "10:00") / 1_000 + n * 300;
        format!(
            "2 111122223333 {ENI} 10.0.0.1 203.0.113.1 40000 22 6 9 900 {end_s} {end_s} ACCEPT OK\n"
        )
    };
    (0..3).map(line).collect()
}

use crate::{
    Engine, Finding, FlowRows, Options, Severity,
    detector::Verdict,
    finding::assemble,
    shard::Occurrence,
    testkit::{Kept, Logs, TODAY, at, engine, flow, opened, rules},
};
use baseline::{Entity, Kind, Slot, stable_hash};
use ingest::{enrich::Enrich, flow::Call, flowlog::FlowReader, source::Filter};
use std::{collections::BTreeSet, net::IpAddr};

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

#[test]
fn what_rules_count_of_flows_counts_once_as_well() {
    let rule = "title: shells\nname: shells\nlogsource: {product: aws, service: vpcflow}\n\
                detection:\n  s: {dstport: 22}\n  condition: s\n";
    let found = |flow_logs: &[&str]| {
        let options = Options { rules: rules(rule), ..Options::default() };
        let mut engine = Engine::new(options, Enrich::built_in());
        for log in flow_logs {
            let mut reader = engine.reader();
            reader.begin(stable_hash(&[log.as_bytes()]), None);
            reader.of_flow_log(Some(log));
            FlowReader::default().read(shells().as_bytes(), &mut |batch| {
                let (account, filter) = (None, &Filter::default());
                reader.flow_rows(&FlowRows { batch: &batch, account, filter });
            });
            let chunk = reader.finish();
            engine.apply(&[chunk]).unwrap();
        }
        engine.finish().unwrap();
        engine.take_findings()
    };
    let one = found(&["fl-a"]);
    assert_eq!(one.iter().map(|finding| finding.count).collect::<Vec<_>>(), [3]);
    assert_eq!(found(&["fl-a", "fl-b"]), one);
}

/// Three flows to a shell, five minutes apart.
fn shells() -> String {
    let line = |n: i64| {
        let end_s = at(0, "10:00") / 1_000 + n * 300;
        format!(
            "2 111122223333 {ENI} 10.0.0.1 203.0.113.1 40000 22 6 9 900 {end_s} {end_s} ACCEPT OK\n"
        )
    };
    (0..3).map(line).collect()
}

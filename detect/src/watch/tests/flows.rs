//! Matches of flow logs.

use super::{correlation, rules};
use crate::{Finding, testkit::at};
use baseline::Kind;

/// Flow logs of four interfaces and three ports, a line each.
fn flow_lines() -> Vec<String> {
    let lines = (0..60_i64).map(|n| {
        let end_s = at(0, "23:30").div_euclid(1_000) + n * 61;
        let (interface, port) = (n % 4, [22, 23, 443][usize::try_from(n).unwrap() % 3]);
        format!(
            "2 111122223333 eni-{interface} 203.0.113.{} 10.0.0.{interface} 40000 {port} 6 1 40 {} {end_s} REJECT OK\n",
            n % 5,
            end_s - 60
        )
    });
    lines.collect()
}

/// The findings of flow logs, each object read `n_times`.
fn flow_findings(objects: &[String], n_times: usize) -> Vec<Finding> {
    let rule = |name: &str, port: u16| {
        format!(
            "title: {name}\nname: {name}\nlogsource: {{product: aws, service: vpcflow}}\n\
             detection:\n  s: {{dstport: {port}}}\n  condition: s\n---\n"
        )
    };
    let what = "type: temporal_ordered, rules: [telnet, shell], group-by: [srcaddr], timespan: 1h, \
                generate: true";
    let text = rule("telnet", 23) + &rule("shell", 22) + &correlation(what);
    let options = crate::Options { rules: rules(&text), ..crate::Options::default() };
    let mut engine = crate::Engine::new(options, ingest::enrich::Enrich::built_in());
    for object in objects.iter().flat_map(|object| std::iter::repeat_n(object, n_times)) {
        let mut reader = engine.reader();
        reader.begin(baseline::stable_hash(&[object.as_bytes()]), None);
        let counts = ingest::flowlog::FlowReader::default().read(object.as_bytes(), &mut |batch| {
            let filter = &ingest::source::Filter::default();
            reader.flow_rows(&crate::FlowRows { batch: &batch, account: None, filter });
        });
        reader.flows("", counts.rows, &[]);
        let chunk = reader.finish();
        engine.apply(&[chunk]).unwrap();
    }
    engine.finish().unwrap();
    engine.take_findings()
}

#[test]
fn matches_of_flows_may_come_in_any_order_and_again() {
    let lines = flow_lines();
    let objects: Vec<String> = lines.chunks(7).map(<[String]>::concat).collect();
    let findings = flow_findings(&objects, 1);
    let by_hand: Vec<String> = lines.iter().rev().cloned().collect();
    assert_eq!(flow_findings(&by_hand, 1), findings);
    let again: Vec<String> = objects.iter().rev().cloned().collect();
    assert_eq!(flow_findings(&again, 3), findings);
    let told = |id: &str| findings.iter().filter(|one| one.about.id == id).collect::<Vec<_>>();
    let shell = told("shell")[0];
    let flow = shell.flow.as_ref().unwrap();
    assert_eq!((shell.entity.kind, &*flow.interface), (Kind::Interface, &*shell.entity.key));
    assert_eq!((flow.ports.as_slice(), flow.peers.len()), (&[22][..], 3));
    assert!(shell.records.is_empty());
    assert_eq!(told("together").len(), 10, "five sources on two days");
    assert!(told("together").iter().all(|one| one.entity.kind == Kind::Source));
}

use super::{ByPorts, PORTS};
use crate::rules::{
    List, Lists, Names, RuleSet,
    rule::RuleNo,
    view::{FlowRow, View},
};
use ingest::flowlog::{FlowFormat, FlowReader};

/// Rules about flows, of these selections.
fn rules(selections: &[&str], names: Names) -> RuleSet {
    let text = |selection: &&str| {
        format!(
            "title: Flows\nlogsource: {{product: aws, service: vpcflow}}\n\
             detection:\n  s: {{{selection}}}\n  condition: s\n"
        )
    };
    let texts: Vec<(String, String)> = (0..)
        .zip(selections)
        .map(|(n, selection): (u32, _)| (format!("{n:05}.yml"), text(selection)))
        .collect();
    let (set, errors) = RuleSet::read(texts.iter().map(|(a, b)| (a.as_str(), b.as_str())), names);
    assert_eq!(errors, []);
    set
}

/// Asserts that no row that a rule matches is left out, whatever its ports; how many rows are asked.
#[track_caller]
fn asked(set: &RuleSet, ports: impl Iterator<Item = (String, String)>) -> usize {
    let lines: Vec<String> = ports.map(|(from, to)| format!("{from} {to} ACCEPT")).collect();
    asked_of(set, "${srcport} ${dstport} ${action}", &lines.join("\n"))
}

/// The same of any rows.
#[track_caller]
fn asked_of(set: &RuleSet, format: &str, text: &str) -> usize {
    let format = FlowFormat::parse(format).unwrap();
    let by_ports = ByPorts::of(set.rules(), set.names());
    let mut n_asked = 0;
    FlowReader::new(Some(format)).read(text.as_bytes(), &mut |batch| {
        let mut left = vec![Vec::new(); batch.rows()];
        by_ports.each(&batch, |row, rules| {
            left[row].extend(rules);
            n_asked += 1;
        });
        for (row, left) in left.iter().enumerate() {
            let view = View::whole(FlowRow { batch: &batch, row }, set.names());
            for (no, rule) in (0..).map(RuleNo).zip(set.rules()) {
                let holds = rule.predicate().holds(&view).unwrap();
                assert!(!holds || left.contains(&no), "{no:?} of row {row}");
            }
        }
    });
    n_asked
}

fn every_port() -> impl Iterator<Item = (String, String)> {
    (0..PORTS).map(|port| ("40000".to_owned(), port.to_string()))
}

#[test]
fn ports_tell_the_rows_that_can_match() {
    for (selection, n_asked) in [
        ("dstport: 22", 1),
        ("dstport: '22'", 1),
        ("dstport: [22, 3389, 70000, -1, 22.5]", 2),
        ("dstport|lt: 1024", 1_024),
        ("dstport|gte: 65535", 1),
        ("dstport|gt: 65533.5", 2),
        ("dstport|lte: 0", 1),
        ("dstport: null", 0),
        ("dstport|exists: true", PORTS),
        ("dstport: '33*'", PORTS),
        ("dstport|re: '^22$'", PORTS),
        ("dstport|fieldref: srcport", PORTS),
        ("srcport: 40000, dstport: 1", 1),
        ("srcport: 40001, dstport|lt: 1024", 0),
        ("action: REJECT", PORTS),
    ] {
        assert_eq!(
            asked(&rules(&[selection], Names::default()), every_port()),
            n_asked,
            "{selection}"
        );
    }
}

#[test]
fn a_row_outside_of_a_range_is_not_asked() {
    let packets: Vec<String> = (0..100).map(|n| n.to_string()).chain(["-".to_owned()]).collect();
    let addresses = ["10.0.0.1", "192.0.2.1", "2001:db8::1", "fd00::1", "-"];
    let rows: Vec<String> = packets
        .iter()
        .flat_map(|packets| addresses.map(|address| format!("{packets} {address} 22")))
        .collect();
    for (selection, n_asked) in [
        ("packets: 5", 5),
        ("packets: [5, '7', 'x']", 505),
        ("packets|gt: 97.5", 10),
        ("packets|gte: 4, packets|lte: 8", 25),
        ("packets|gte: 9007199254740993", 505),
        ("packets|exists: true", 505),
        ("srcaddr|cidr: 10.0.0.0/8", 101),
        ("srcaddr|cidr: [10.0.0.0/8, 'fc00::/7']", 202),
        ("srcaddr|cidr: 10.0.0.0/8, packets: 5, dstport: 22", 1),
        ("srcaddr: 10.0.0.1", 505),
    ] {
        let set = rules(&[selection], Names::default());
        let n = asked_of(&set, "${packets} ${srcaddr} ${dstport}", &rows.join("\n"));
        assert_eq!(n, n_asked, "{selection}");
    }
    for (condition, n_asked) in [
        ("not (s or t)", (303 + 101) * 96 / 101),
        ("not (s and t)", 505),
        ("s or t", 505),
        ("t and not s", (303 + 101) * 5 / 101),
    ] {
        let text = format!(
            "title: Flows\nlogsource: {{product: aws, service: vpcflow}}\ndetection:\n  \
             s: {{srcaddr|cidr: 10.0.0.0/8}}\n  t: {{packets|lt: 5}}\n  condition: {condition}\n"
        );
        let (set, errors) = RuleSet::read([("a.yml", text.as_str())], Names::default());
        assert_eq!(errors, []);
        let n = asked_of(&set, "${packets} ${srcaddr} ${dstport}", &rows.join("\n"));
        assert_eq!(n, n_asked, "{condition}");
    }
}

#[test]
fn rows_without_ports_are_asked_of_rules_that_can_do_without() {
    let row = || [("-".to_owned(), "-".to_owned())].into_iter();
    assert_eq!(asked(&rules(&["dstport: 22"], Names::default()), row()), 0);
    assert_eq!(asked(&rules(&["dstport: null"], Names::default()), row()), 1);
}

#[test]
fn rules_beyond_the_bits_and_the_classes_are_asked() {
    let ports: Vec<String> = (0..400).map(|port| format!("dstport: {port}")).collect();
    let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
    // Those who speak the first 1,024 will do.
    let first_ports = || every_port().take(1_024);
    let n_asked = asked(&rules(&ports, Names::default()), first_ports());
    assert_eq!(n_asked, 400);
    // Each of 300 ports leaves other rules than every other.
    let bits = |port: u32| (0..9).filter(move |bit| port >> bit & 1 == 1);
    let of = |bit: u32| (1..512).filter(move |port| bits(*port).any(|one| one == bit));
    let many: Vec<String> =
        (0..9).map(|bit| format!("dstport: {:?}", of(bit).collect::<Vec<_>>())).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(asked(&rules(&many, Names::default()), first_ports()) >= 511);
}

#[test]
fn without_lists_no_rule_asks_for_them() {
    let selections = ["sentrail.lists|exists: true", "sentrail.lists: bad, dstport: 22"];
    assert_eq!(asked(&rules(&selections, Names::default()), every_port()), 0);
    let list = List::parse("bad", "198.51.100.0/24", false).unwrap();
    let names = Names { lists: Lists::new(vec![list]), ..Names::default() };
    assert_eq!(asked(&rules(&selections, names.clone()), every_port()), PORTS);
    assert_eq!(asked(&rules(&selections[1..], names), every_port()), 1);
}

use super::*;
use crate::sample;
use baseline::Kind;
use detect::{Bound, Threshold, Verdict, literal};
use proptest::prelude::*;
use std::sync::Arc;

fn entry(criteria: &[(Field, &[&str])]) -> Suppression {
    let criterion = |(field, texts): &(Field, &[&str])| Criterion::new(*field, texts).unwrap();
    Suppression { grounds: sample::grounds(), criteria: criteria.iter().map(criterion).collect() }
}

fn suppresses(criteria: &[(Field, &[&str])], finding: &Finding) -> bool {
    Suppressions::new(vec![entry(criteria)], &["state-restored"]).of(finding).is_some()
}

/// A finding that names all it rests on.
fn whole() -> Finding {
    let mut finding = sample::finding("s3-mass-reencryption");
    finding.count = finding.records.len() as u64;
    finding
}

#[test]
fn every_field_is_compared() {
    let mut finding = whole();
    finding.records.iter_mut().for_each(|record| {
        Arc::make_mut(&mut record.call).actor = Some("hedda".into());
    });
    for (field, fits, misses) in [
        (Field::Detector, "s3-*", "s3"),
        (Field::Severity, "critical", "high"),
        (Field::Account, "1111????3333", "1111"),
        (Field::Entity, "*#hedda@example.com", "hedda*"),
        (Field::EntityKind, "human", "ci"),
        (Field::EntityName, "hedda@example.com (AWSReservedSSO_Engineer)", "*hedda"),
        (Field::Impact, "destruction", "discovery"),
        (Field::Technique, "T1486", "T1485"),
        (Field::Address, "203.0.113.0/24", "203.0.113.0/28"),
        (Field::AccessKey, "ASIA*", "AKIA*"),
        (Field::Region, "us-*", "eu-*"),
        (Field::Actor, "hedda", "Hedda"),
        (Field::Api, "s3:Copy*", "s3:Get*"),
        (Field::Target, "ledger", "ledge"),
    ] {
        assert!(suppresses(&[(field, &[fits])], &finding), "{fits}");
        assert!(suppresses(&[(field, &[misses, fits])], &finding), "{misses} or {fits}");
        assert!(!suppresses(&[(field, &[misses])], &finding), "{misses}");
    }
    assert_eq!(Field::ALL.len(), 15);
}

#[test]
fn all_keys_have_to_fit() {
    let both: &[(Field, &[&str])] = &[(Field::Detector, &["s3-*"]), (Field::Region, &["eu-*"])];
    assert!(!suppresses(both, &whole()));
    assert!(!suppresses(&[], &whole()));
}

#[test]
fn one_value_that_does_not_fit_keeps_a_finding_told() {
    let mut finding = whole();
    let network: &[(Field, &[&str])] = &[(Field::Address, &["203.0.113.0/24", "::1"])];
    assert!(suppresses(network, &finding));
    Arc::make_mut(&mut finding.records[7].call).address = Some("198.51.100.1".into());
    assert!(!suppresses(network, &finding));
    // A service's name is no address, and a record without any may have come from everywhere.
    for address in [Some("s3.amazonaws.com".into()), None] {
        Arc::make_mut(&mut finding.records[7].call).address = address;
        assert!(!suppresses(network, &finding));
    }
}

#[test]
fn peers_of_flows_are_compared_where_all_are_named() {
    let mut finding = sample::flow();
    let peers = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let entry: &[(Field, &[&str])] = &[(Field::Peer, &["192.0.2.0/24", "2001:db8::7"])];
    let mut with = |all: &[&str]| {
        finding.flow.as_mut().unwrap().peers = peers(all);
        suppresses(entry, &finding)
    };
    assert!(with(&["192.0.2.9"]));
    assert!(with(&["192.0.2.9", "2001:db8::7"]));
    assert!(!with(&["192.0.2.9", "2001:db8::8"]));
    assert!(!with(&[]));
    finding.flow.as_mut().unwrap().peers = peers(&["192.0.2.9"]);
    assert!(suppresses(entry, &finding));
    finding.flow.as_mut().unwrap().has_all_peers = false;
    assert!(!suppresses(entry, &finding));
    // One of CloudTrail has none.
    assert!(!suppresses(entry, &whole()));
}

#[test]
fn a_finding_that_does_not_name_everything_is_told() {
    let fields: [(Field, &[&str]); 2] = [(Field::Region, &["*"]), (Field::Target, &["*"])];
    let mut finding = whole();
    finding.targets = vec!["b".to_owned(); Verdict::TARGETS_MAX - 1];
    assert!(fields.iter().all(|one| suppresses(&[*one], &finding)));
    finding.count += 1;
    finding.targets.push("b".to_owned());
    assert!(fields.iter().all(|one| !suppresses(&[*one], &finding)));
    // Of unusual behaviour only what was unusual is named.
    finding = whole();
    assert!(fields.iter().all(|one| suppresses(&[*one], &finding)));
    finding.threshold = Some(Threshold { bits: 40.0, bound: Bound::Kind });
    assert!(fields.iter().all(|one| !suppresses(&[*one], &finding)));
    // One that names nothing says nothing about where it was.
    finding = sample::flow();
    finding.count = 0;
    assert!(fields.iter().all(|one| !suppresses(&[*one], &finding)));
}

#[test]
fn an_entry_holds_up_to_the_end_of_its_last_day() {
    let mut finding = whole();
    let entry: &[(Field, &[&str])] = &[(Field::Detector, &["s3-*"])];
    assert!(suppresses(entry, &finding));
    finding.day.0 += 1;
    assert!(!suppresses(entry, &finding));
}

#[test]
fn a_finding_about_the_watch_itself_has_to_be_named() {
    let mut finding = whole();
    let mut about = (*finding.about).clone();
    "state-restored".clone_into(&mut about.id);
    finding.about = Arc::new(about);
    assert!(!suppresses(&[(Field::Account, &["*"])], &finding));
    assert!(!suppresses(&[(Field::Detector, &["state-*"])], &finding));
    assert!(suppresses(&[(Field::Detector, &["state-restored"])], &finding));
}

#[test]
fn the_first_entry_that_fits_counts() {
    let mut second = entry(&[(Field::Detector, &["*"])]);
    "everything".clone_into(&mut second.grounds.name);
    let both = Suppressions::new(vec![entry(&[(Field::Region, &["us-*"])]), second], &[]);
    assert_eq!(both.of(&whole()).unwrap().name, "drill");
    assert_eq!(both.of(&sample::flow()).unwrap().name, "everything");
}

#[test]
fn an_entry_that_leaves_nothing_to_be_told_is_known() {
    let all: &[&[(Field, &[&str])]] = &[
        &[(Field::Detector, &["*"]), (Field::Account, &["????????????"])],
        &[(Field::Severity, &["low", "*"])],
        &[(Field::EntityKind, &["*"]), (Field::Address, &["10.0.0.0/8", "0.0.0.0/0"])],
        &[(Field::Address, &["::/0"])],
        &[],
    ];
    assert!(all.iter().all(|criteria| !entry(criteria).narrows()), "{all:?}");
    let some: &[&[(Field, &[&str])]] = &[
        &[(Field::Detector, &["*"]), (Field::Severity, &["low"])],
        &[(Field::Address, &["0.0.0.0/1"])],
        &[(Field::Target, &["*a"])],
    ];
    assert!(some.iter().all(|criteria| entry(criteria).narrows()), "{some:?}");
}

#[test]
fn what_nothing_can_be_compared_with_is_refused() {
    let wrong = |field, texts: &[&str]| {
        let (n, wrong) = Criterion::new(field, texts).unwrap_err();
        (n, wrong.to_string())
    };
    let (n, what) = wrong(Field::Severity, &["low", "hihg"]);
    assert_eq!((n, &*what), (1, "nothing that there is; did you mean \"high\"?"));
    assert!(wrong(Field::Impact, &["x"]).1.contains("expected one of "));
    assert!(wrong(Field::Address, &["10.0.0.0/33"]).1.contains("expected such as"));
    let [longest, long] = [0, 1].map(|more| "x".repeat(PATTERN_BYTES_MAX + more));
    assert!(wrong(Field::Entity, &[&long]).1.contains("4225 bytes (expected 4224 at most)"));
    assert!(Criterion::new(Field::Entity, &[&longest]).is_ok());
}

proptest! {
    #[test]
    fn a_list_of_literals_fits_their_findings_alone(
        regions in prop::collection::vec("[ab*?]{1,2}", 1..4),
        wanted in prop::collection::vec("[ab*?]{1,2}", 1..4),
    ) {
        let mut finding = whole();
        for (n, record) in finding.records.iter_mut().enumerate() {
            let region = regions[n % regions.len()].as_str();
            Arc::make_mut(&mut record.call).region = Some(region.into());
        }
        let patterns: Vec<_> = wanted.iter().map(|text| literal(text)).collect();
        let patterns: Vec<_> = patterns.iter().map(String::as_str).collect();
        let expected = regions.iter().all(|region| wanted.contains(region));
        prop_assert_eq!(suppresses(&[(Field::Region, &patterns)], &finding), expected);
    }

    #[test]
    fn what_is_escaped_fits_only_itself(key in any::<String>(), other in any::<String>()) {
        let mut finding = whole();
        finding.entity = baseline::Entity { kind: Kind::Human, key: key.as_str().into(), ..finding.entity };
        let pattern = literal(&key);
        prop_assert!(suppresses(&[(Field::Entity, &[&pattern])], &finding));
        finding.entity.key = other.as_str().into();
        prop_assert_eq!(suppresses(&[(Field::Entity, &[&pattern])], &finding), key == other);
    }
}

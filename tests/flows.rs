//! What flow logs tell, through the command line.

use crate::support::{run, stories, text};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn a_machine_that_calls_home_is_told_with_the_address_that_it_calls() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("logs");
    let size = ["--accounts=1", "--people=1", "--machines=0", "--pipelines=0", "--agents=0"];
    let asked = ["simulate", "--to", to.to_str().unwrap(), "--days=4", "--story=beacon"];
    run(&[&asked[..], &size].concat()).ends(0);
    let replayed = run(&["replay", "--format=jsonl", to.join("AWSLogs").to_str().unwrap()]);
    let rows = replayed.ends(0).rows();
    let (beacons, others): (Vec<_>, Vec<_>) =
        rows.iter().partition(|row| row["detector"] == "beacon");
    let story = stories(&to).remove(0);
    let flow = story["steps"][0]["flows"][0].as_str().unwrap();
    let words: Vec<&str> = flow.split(' ').collect();
    let [interface, _, home, _, port, ..] = words[..] else { panic!("{flow}") };
    assert!(!beacons.is_empty());
    for beacon in beacons {
        let seen = &beacon["flow"];
        assert_eq!((&seen["interface"], &seen["peers"][0]), (&interface.into(), &home.into()));
        assert_eq!(seen["ports"][0].to_string(), port);
    }
    // Whoever knocks at an exposed host is worth a record a day, and no more.
    assert!(others.iter().all(|row| row["severity"]["label"] == "low"), "{others:#?}");
}

/// Attacks, each with a detector or rule that tells it, and at least how loud.
const ATTACKS: [(&str, &str, &str); 17] = [
    ("password-guessing", "brute-force-target", "medium"),
    ("password-guessing", "session-from-outside", "high"),
    ("ssh-worm", "brute-force-actor", "high"),
    ("crypto-miner", "long-session", "medium"),
    ("ssh-worm", "unusual-port", "medium"),
    ("foreign-resolver", "unusual-resolver", "medium"),
    ("flood", "outbound-flood", "medium"),
    ("flood", "coverage-gap", "low"),
    ("spam", "mail-sent-to-many-servers", "medium"),
    ("walled-in-worm", "reject-storm", "medium"),
    ("network-crossing", "segment-drift", "low"),
    ("network-crossing", "lateral-movement", "medium"),
    ("dead-server", "calls-in-vain", "medium"),
    ("bulk-upload", "data-leaving", "medium"),
    ("port-scan", "port-scan", "medium"),
    ("beacon", "beacon", "medium"),
    ("beacon", "listed-address-called", "medium"),
];

/// What looks like one of these.
const TWINS: [&str; 11] = [
    "file-drop",
    "configuration-run",
    "message-broker",
    "public-resolver",
    "load-test",
    "mail-relay",
    "orphaned-client",
    "peered-report",
    "partner-outage",
    "nightly-backup",
    "agent-reports",
];

#[test]
fn every_attack_of_packets_is_told_and_no_twin_of_it_alerts() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("logs");
    let names: Vec<&str> = ATTACKS.iter().map(|(story, ..)| *story).chain(TWINS).collect();
    // One VPC, of 30 interfaces.
    let told = simulated(&to, "--seed=7 --days=18 --accounts=1", &names);
    // Somebody else saw whom the beacon calls, and put it on a list.
    let beacon = flows(of(&told, "beacon"))[0].split(' ').nth(2).unwrap();
    fs::write(folder.path().join("feed.txt"), beacon).unwrap();
    let config = folder.path().join("sentrail.toml");
    fs::write(&config, "[lists.feed]\nfile = \"feed.txt\"\n").unwrap();
    let logs = text(&to.join("AWSLogs"));
    let asked = ["replay", "--format=jsonl", "--config", &text(&config), &logs];
    let findings = run(&asked).ends(0).rows();
    for attack in ATTACKS {
        is_told(&findings, &told, attack);
    }
    for name in TWINS {
        does_not_alert(&findings, of(&told, name));
    }
}

#[test]
fn encryption_that_is_lost_is_told_and_what_never_was_encrypted_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("logs");
    // The flow log of the fourth VPC, which is in the fourth account, has the field.
    let size = "--days=8 --accounts=4 --vpcs=4";
    let told = simulated(&to, size, &["encryption-lost", "plain-cache"]);
    let account = of(&told, "plain-cache")["entity"].as_str().unwrap().split('/').next().unwrap();
    let logs = text(&to.join("AWSLogs").join(account));
    let findings = run(&["replay", "--format=jsonl", &logs]).ends(0).rows();
    is_told(&findings, &told, ("encryption-lost", "encryption-fallback", "medium"));
    does_not_alert(&findings, of(&told, "plain-cache"));
}

#[test]
fn what_leaves_in_small_pieces_is_told_after_three_weeks() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("logs");
    let told = simulated(&to, "--seed=91 --days=30 --accounts=1", &["slow-upload"]);
    let logs = text(&to.join("AWSLogs"));
    let findings = run(&["replay", "--format=jsonl", &logs]).ends(0).rows();
    is_told(&findings, &told, ("slow-upload", "slow-data-leaving", "medium"));
}

/// Writes the logs of an organisation of networks, with their stories.
fn simulated(to: &Path, size: &str, names: &[&str]) -> Vec<Value> {
    let others = "--people=1 --machines=0 --pipelines=0 --agents=0";
    let mut asked = vec!["simulate".to_owned(), "--to".to_owned(), text(to)];
    asked.extend(size.split(' ').chain(others.split(' ')).map(str::to_owned));
    let names: BTreeSet<&&str> = names.iter().collect();
    asked.extend(names.iter().map(|name| format!("--story={name}")));
    run(&asked).ends(0);
    let told = stories(to);
    assert_eq!(told.len(), names.len(), "everybody finds a victim");
    told
}

fn of<'a>(told: &'a [Value], name: &str) -> &'a Value {
    told.iter().find(|story| story["name"] == name).unwrap()
}

#[track_caller]
fn is_told(findings: &[Value], told: &[Value], (name, detector, least): (&str, &str, &str)) {
    let found = findings.iter().filter(|one| one["detector"] == detector);
    let found: Vec<&str> = found.filter(|one| is_about(one, of(told, name))).map(label).collect();
    let is_loud = |label: &&str| rank(label) >= rank(least);
    assert!(found.iter().any(is_loud), "{name}: {detector} {found:?}");
}

#[track_caller]
fn does_not_alert(findings: &[Value], story: &Value) {
    let found = findings.iter().filter(|one| is_about(one, story));
    let loud: Vec<&Value> = found.filter(|one| rank(label(one)) > rank("low")).collect();
    assert!(loud.is_empty(), "{}: {loud:#?}", story["name"]);
}

fn label(finding: &Value) -> &str {
    finding["severity"]["label"].as_str().unwrap()
}

fn rank(label: &str) -> Option<usize> {
    ["low", "medium", "high", "critical"].iter().position(|one| *one == label)
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn flows(story: &Value) -> Vec<&str> {
    story["steps"].as_array().unwrap().iter().flat_map(|step| texts(&step["flows"])).collect()
}

/// Whether a finding is about the interface of a story, or its address, and names a peer of it, on a day of it. Of a
/// subnet its first address is named; who tells of no peer has none.
fn is_about(finding: &Value, story: &Value) -> bool {
    let interface = story["entity"].as_str().unwrap().rsplit('/').next().unwrap();
    let flows = flows(story);
    let own: Vec<&&str> = flows.iter().filter(|flow| flow.starts_with(interface)).collect();
    let names = |word: &str| own.iter().any(|flow| flow.split(' ').take(3).any(|of| of == word));
    let day = |of: &str| story[of].as_str().and_then(|time| time.get(..10)).unwrap();
    let is_then =
        finding["day"].as_str().is_some_and(|of| (day("first")..=day("last")).contains(&of));
    let mut peers = texts(&finding["flow"]["peers"]).chain(texts(&finding["targets"])).peekable();
    let has_none = peers.peek().is_none();
    let is_there = |peer: &str| {
        let peer = peer.split(['/', ' ']).next().unwrap_or(peer);
        let subnet = peer.strip_suffix(".0").map(|of| format!(" {of}."));
        names(peer) || subnet.is_some_and(|of| own.iter().any(|flow| flow.contains(&of)))
    };
    is_then
        && names(finding["entity"]["key"].as_str().unwrap())
        && (has_none || peers.any(is_there))
}

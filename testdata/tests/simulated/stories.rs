//! Every story, told between what an organisation does on ordinary days.

use std::collections::{BTreeMap, BTreeSet};

use libdeflater::Decompressor;
use serde_json::Value;
use testdata::Archive;
use testdata::organisation::Size;
use testdata::simulate::{Outcome, Plan, run};
use testdata::story::{STORIES, Story, named};
use testdata::truth::{TRUTH, Truth};

/// Monday 2026-03-02. Unit: seconds since the Unix epoch.
const START_S: i64 = 1_772_409_600;
const SIZE: Size = Size { accounts: 2, people: 30, machines: 4, pipelines: 2, agents: 1, vpcs: 1 };
/// Enough for every story to find somebody.
const FOR_ALL: Size = Size { vpcs: 4, ..SIZE };

fn archive(seed: u64, stories: &[&'static Story]) -> (Archive, Outcome) {
    archive_of(SIZE, seed, stories)
}

fn archive_of(size: Size, seed: u64, stories: &[&'static Story]) -> (Archive, Outcome) {
    let mut archive = Archive::new();
    let stories = stories.to_vec();
    let plan = Plan { seed, size, start_s: START_S, days: 8, has_digests: false, stories };
    let outcome = run(&plan, &mut archive, &mut |_| ()).unwrap();
    (archive, outcome)
}

fn texts<'a>(archive: &'a Archive, part: &'a str) -> impl Iterator<Item = Vec<u8>> + 'a {
    archive.iter().filter(move |(key, _)| key.contains(part)).map(|(_, bytes)| {
        // A gzip member ends with the length of its text.
        let length = bytes.last_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let mut text = vec![0; length as usize];
        let length = Decompressor::new().gzip_decompress(bytes, &mut text).unwrap();
        text.truncate(length);
        text
    })
}

/// `eventID` of every record, and its time. Left out: what the trail calls for each object it
/// delivers, since more records make more objects.
fn events(archive: &Archive) -> BTreeSet<(String, String)> {
    let mut events = BTreeSet::new();
    for text in texts(archive, "/CloudTrail/") {
        let value: Value = serde_json::from_slice(&text).unwrap();
        for record in value["Records"].as_array().unwrap() {
            let text = |field: &str| record[field].as_str().unwrap().to_owned();
            if text("userAgent") == "cloudtrail.amazonaws.com" {
                continue;
            }
            events.insert((text("eventID"), text("eventTime")));
        }
    }
    events
}

/// What names a flow in the truth.
const KEY: [&str; 7] =
    ["interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "start"];

/// Rows of interfaces that the truth names, as the truth writes them.
fn flow_keys(archive: &Archive, truth: &Truth) -> BTreeSet<String> {
    let steps = truth.stories.iter().flat_map(|story| &story.steps);
    let named: BTreeSet<&str> =
        steps.flat_map(|step| &step.flows).filter_map(|flow| flow.split(' ').next()).collect();
    let mut keys = BTreeSet::new();
    for text in texts(archive, "/vpcflowlogs/") {
        let mut lines = str::from_utf8(&text).unwrap().lines();
        let header: Vec<&str> = lines.next().unwrap().split(' ').collect();
        let places = KEY.map(|field| header.iter().position(|name| *name == field).unwrap());
        for line in lines {
            let fields: Vec<_> = line.split(' ').collect();
            let key = places.map(|place| fields[place]);
            if named.contains(key[0]) {
                keys.insert(key.join(" "));
            }
        }
    }
    keys
}

#[test]
fn names_are_unique_and_found() {
    let names: BTreeSet<_> = STORIES.iter().map(|story| story.name).collect();
    assert_eq!(names.len(), STORIES.len());
    assert!(names.iter().all(|name| named(name).is_some_and(|story| story.name == *name)));
    assert!(named("nothing").is_none());
}

#[test]
fn what_is_true_is_in_the_logs_and_in_time() {
    for seed in 1..=2 {
        let (archive, outcome) = archive_of(FOR_ALL, seed, &STORIES);
        let truth = Truth::read(&archive[TRUTH]).unwrap();
        assert_eq!(truth, outcome.truth);
        let told_of: BTreeSet<_> = truth.stories.iter().map(|story| story.name.as_str()).collect();
        let names: BTreeSet<_> = STORIES.iter().map(|story| story.name).collect();
        assert_eq!(told_of, names);
        let told = events(&archive);
        let rows = flow_keys(&archive, &truth);
        let mut seen = BTreeSet::new();
        for story in &truth.stories {
            assert!(!story.steps.is_empty(), "{}", story.name);
            for step in &story.steps {
                assert!(step.first >= story.first && step.last <= story.last, "{}", story.name);
                assert!(step.first <= step.last, "{}", story.name);
                for id in &step.event_ids {
                    assert!(seen.insert(id.clone()), "{}: {id} twice", story.name);
                    let after = (id.clone(), step.first.clone());
                    let until = (id.clone(), step.last.clone());
                    assert!(told.range(after..=until).next().is_some(), "{}: {id}", story.name);
                }
                for flow in &step.flows {
                    assert!(rows.contains(flow), "{}: {flow}", story.name);
                }
            }
        }
    }
}

#[test]
fn ordinary_life_is_the_same_with_and_without_stories() {
    let (with, outcome) = archive(1, &STORIES);
    let (without, _) = archive(1, &[]);
    let (with, without) = (events(&with), events(&without));
    assert!(without.is_subset(&with));
    let steps = outcome.truth.stories.iter().flat_map(|story| &story.steps);
    let told: BTreeSet<_> = steps.flat_map(|step| &step.event_ids).collect();
    assert!(without.iter().all(|(id, _)| !told.contains(id)));
}

#[test]
fn two_seeds_tell_two_attacks() {
    let codefinger = named("codefinger").unwrap();
    let truth = |seed| archive(seed, &[codefinger]).1.truth;
    assert_eq!(truth(1), truth(1));
    assert_ne!(truth(1), truth(2));
}

#[test]
fn a_flow_log_that_is_gone_writes_nothing_until_there_is_another() {
    let (archive, outcome) = archive(3, &[named("flow-log-deleted").unwrap()]);
    let first = |key: &str| key.split('_').find(|part| part.ends_with('Z')).unwrap().to_owned();
    let keys = archive.keys().filter(|key| key.contains("/vpcflowlogs/"));
    let mut by_log: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for key in keys {
        let log = key.split("_fl-").nth(1).unwrap().split('_').next().unwrap();
        by_log.entry(log).or_default().push(first(key));
    }
    let [old, new] = &by_log.values().collect::<Vec<_>>()[..] else { panic!("{by_log:?}") };
    let (old, new) = if old < new { (old, new) } else { (new, old) };
    let (last, again) = (old.iter().max().unwrap(), new.iter().min().unwrap());
    let deleted = outcome.truth.stories[0].last.replace(['-', ':'], "");
    // An object is named after the start of what it holds.
    let day_and_time = |text: &str| {
        let (date, time) = text.trim_end_matches('Z').split_once('T').unwrap();
        let minutes: String = time.chars().take(4).collect();
        (date.parse::<i64>().unwrap(), minutes.parse::<i64>().unwrap())
    };
    assert!(day_and_time(last) <= day_and_time(&deleted), "{last} {deleted}");
    let ((day, from), (same, until)) = (day_and_time(last), day_and_time(again));
    let hours = (same - day) * 24 + until / 100 - from / 100;
    assert!((5..=13).contains(&hours), "{last} {again}");
}

//! Every story, told between what an organisation does on ordinary days.

use std::collections::BTreeSet;

use libdeflater::Decompressor;
use serde_json::Value;
use testdata::Archive;
use testdata::organisation::Size;
use testdata::rng::Rng;
use testdata::simulate::{Outcome, Plan, run};
use testdata::story::{STORIES, Story, Victim, VictimError, deliver, named};
use testdata::truth::{TRUTH, Truth};

/// Monday 2026-03-02. Unit: seconds since the Unix epoch.
const START_S: i64 = 1_772_409_600;
const SIZE: Size = Size { accounts: 2, people: 30, machines: 4, pipelines: 2, agents: 1, vpcs: 1 };

fn archive(seed: u64, stories: &[&'static Story]) -> (Archive, Outcome) {
    let mut archive = Archive::new();
    let stories = stories.to_vec();
    let plan = Plan { seed, size: SIZE, start_s: START_S, days: 8, has_digests: false, stories };
    let outcome = run(&plan, &mut archive, &mut |_| ()).unwrap();
    (archive, outcome)
}

fn texts<'a>(archive: &'a Archive, part: &'a str) -> impl Iterator<Item = Vec<u8>> + 'a {
    archive.iter().filter(move |(key, _)| key.contains(part)).map(|(_, bytes)| {
        let mut text = vec![0; 2 << 20];
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
        let (archive, outcome) = archive(seed, &STORIES);
        let truth = Truth::read(&archive[TRUTH]).unwrap();
        assert_eq!(truth, outcome.truth);
        assert_eq!(truth.stories.len(), STORIES.len());
        let told = events(&archive);
        let flows: String =
            texts(&archive, "/vpcflowlogs/").map(|text| String::from_utf8(text).unwrap()).collect();
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
                    let interface = flow.split(' ').next().unwrap();
                    assert!(flows.contains(interface), "{}: {flow}", story.name);
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

const IDENTITY: &str = r#"{"type":"AssumedRole","principalId":"AROAEXAMPLE:ada@tallow.example",
    "arn":"arn:aws:sts::111122223333:assumed-role/Developer/ada@tallow.example",
    "accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{
    "type":"Role","principalId":"AROAEXAMPLE","accountId":"111122223333","userName":"Developer",
    "arn":"arn:aws:iam::111122223333:role/teams/Developer"}}}"#;

#[test]
fn a_story_is_told_of_somebody_read_from_records() {
    let at = ("111122223333", "eu-central-1");
    let victim = Victim::read(IDENTITY, at, ("91.64.0.9", "aws-cli/2")).unwrap();
    for story in STORIES {
        let told = story.told(&victim, (START_S, START_S), Rng::new(5));
        let mut archive = Archive::new();
        let written = deliver(&told, &victim, None, &mut archive).unwrap();
        assert_eq!(written.records, told.records.len() as u64, "{}", story.name);
        let ids: BTreeSet<_> = events(&archive).into_iter().map(|(id, _)| id).collect();
        let mut named = told.truth.steps.iter().flat_map(|step| &step.event_ids);
        assert!(named.all(|id| ids.contains(id)), "{}", story.name);
        let own = "AWSLogs/111122223333/CloudTrail/";
        assert!(archive.keys().all(|key| key.starts_with(own)), "{}", story.name);
    }
}

#[test]
fn identities_that_no_story_fits_are_named() {
    let read = |identity, region| {
        Victim::read(identity, ("111122223333", region), ("192.0.2.1", "x")).unwrap_err()
    };
    assert_eq!(read(IDENTITY, "mars-1"), VictimError::Region("mars-1".to_owned()));
    assert_eq!(read(r#"{"type":"Root"}"#, "eu-west-1"), VictimError::Kind("Root".to_owned()));
    assert_eq!(read(r#"{"type":"IAMUser"}"#, "eu-west-1"), VictimError::Lacks("accountId"));
}

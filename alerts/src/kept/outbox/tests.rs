use super::*;
use crate::{
    StateFile, sample,
    sinks::{
        Access, Allowed, Endpoint, Form, Quiet, Service, To, json_lines, security_hub,
        webhook::Settings,
    },
};
use baseline::Day;
use proptest::prelude::*;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};
use tempfile::TempDir;

pub(super) const H_MS: i64 = 3_600_000;
/// 2026-03-13T11:06:40Z.
pub(super) const START_MS: i64 = 1_773_400_000_000;

pub(super) fn file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    (folder, path)
}

pub(super) fn sink(name: &str, min_severity: Severity) -> Sink {
    let allowed = Allowed::default();
    let endpoint = Endpoint::parse("https://siem.example.com/", &allowed).unwrap();
    let to = To::Webhook(Settings {
        endpoint,
        form: Form::Standard(Vec::new()),
        allowed,
        headers: Vec::new(),
    });
    Sink::new(name, min_severity, to)
}

pub(super) fn finding(n: usize, severity: usize) -> Finding {
    let id = FindingId(n as u128);
    let mut finding = Finding { id, severity: Severity::ALL[severity], ..sample::flow() };
    // Each opens a series of its own.
    finding.entity.key = n.to_string().into();
    finding
}

pub(super) fn tell(
    file: &StateFile,
    finding: &Finding,
    sinks: &[Sink],
    now_ms: i64,
) -> Vec<Dropped> {
    file.outbox().tell((finding, &sample::inputs()), sinks, now_ms).unwrap()
}

#[test]
fn in_quiet_hours_only_what_is_critical_is_handed_out() {
    let (_folder, path) = file();
    let mut file = sample::state(&path);
    let chat = [sink("chat", Severity::Low)];
    // At seven past eleven, UTC.
    for (n, severity) in [0, 3, 2].into_iter().enumerate() {
        tell(&file, &finding(n, severity), &chat, START_MS);
    }
    file.commit().unwrap();
    let quiet = Quiet::new("11:00", "12:00", "UTC").unwrap();
    let mut lane = Lane::new("chat").quiet(Some(quiet));
    let ids = |messages: Vec<Message>| messages.iter().map(|one| one.finding.0).collect::<Vec<_>>();
    assert_eq!(ids(file.outbox().due(&mut lane, START_MS, 8).unwrap()), [1]);
    assert_eq!(ids(file.outbox().due(&mut lane, START_MS, 8).unwrap()), []);
    let awake_ms = lane.quiet_ends_ms(START_MS).unwrap();
    assert_eq!(ids(file.outbox().due(&mut lane, awake_ms, 8).unwrap()), [2, 0]);
}

fn failed() -> Outcome {
    Outcome::Retry { error: "status 503".to_owned(), after_ms: None }
}

fn refused() -> Outcome {
    Outcome::Refused { error: "status 422".to_owned() }
}

/// Pending, dead and dropped of a sink.
pub(super) fn counts(file: &StateFile, sink: &str) -> [u64; 3] {
    let counts = file.outbox().counts().unwrap();
    let of = counts.iter().find(|counts| counts.sink == sink);
    of.map_or([0; 3], |of| [of.n_pending, of.n_dead, of.n_dropped])
}

fn type_of(message: &Message) -> String {
    let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
    body["type"].as_str().unwrap().to_owned()
}

#[test]
fn each_sink_is_told_what_is_new_to_it_and_severe_enough() {
    let (_folder, path) = file();
    let mut file = sample::state(&path);
    let sinks = [sink("all", Severity::Low), sink("pager", Severity::High)];
    let mut lanes = sinks.clone().map(|sink| Lane::new(&sink.name));
    let mut told = |file: &mut StateFile, severity| {
        tell(file, &finding(1, severity), &sinks, START_MS);
        file.commit().unwrap();
        let mut told = Vec::new();
        for lane in &mut lanes {
            for message in file.outbox().due(lane, START_MS, 9).unwrap() {
                file.outbox().settle(lane, &message, &Outcome::Delivered, START_MS).unwrap();
                told.push(format!(
                    "{} {} {}",
                    lane.sink(),
                    type_of(&message),
                    message.severity.label()
                ));
            }
        }
        file.commit().unwrap();
        told
    };
    assert_eq!(told(&mut file, 1), ["all finding.created medium"]);
    assert!(told(&mut file, 1).is_empty() && told(&mut file, 0).is_empty());
    let risen = ["all finding.updated critical", "pager finding.created critical"];
    assert_eq!(told(&mut file, 3), risen);
    drop(file);
    let mut file = sample::state(&path);
    assert!(told(&mut file, 3).is_empty() && told(&mut file, 2).is_empty());
    assert_eq!(counts(&file, "all"), [0, 0, 0]);
}

#[test]
fn people_hear_of_a_series_once_and_files_of_all_its_findings() {
    let (_folder, path) = file();
    let file = sample::state(&path);
    let chat = sink("chat", Severity::Low);
    let to = To::JsonLines(json_lines::Settings { path: path.with_extension("jsonl") });
    let siem = Sink::new("siem", Severity::Low, to);
    let sinks = [chat, siem];
    let on = |day: i32, n: usize, severity: usize| {
        let id = FindingId(n as u128);
        let day = Day(finding(0, 0).day.0 + day);
        Finding { id, day, ..finding(7, severity) }
    };
    for (day, n, severity) in [(0, 1, 1), (1, 2, 1), (2, 3, 2), (2, 3, 2), (9, 4, 1), (17, 5, 0)] {
        tell(&file, &on(day, n, severity), &sinks, START_MS);
    }
    file.outbox().store.commit().unwrap();
    let outbox = Outbox { through: i64::MAX, ..file.outbox() };
    let told = |sink: &str| -> Vec<(u128, Option<(String, String)>)> {
        let messages = outbox.due(&mut Lane::new(sink), START_MS, 99).unwrap();
        let read = |message: Message| {
            let body: Value = serde_json::from_str(&message.body).unwrap();
            let of = |key: &str| body["series"][key].as_str().map(str::to_owned);
            (message.finding.0, of("id").zip(of("why")))
        };
        let mut told: Vec<_> = messages.into_iter().map(read).collect();
        told.sort();
        told
    };
    let all: Vec<u128> = told("siem").into_iter().map(|(id, _)| id).collect();
    assert_eq!(all, [1, 2, 3, 4, 5]);
    let of = |id: u128, opened: u128, why: &str| {
        (id, Some((FindingId(opened).to_string(), why.to_owned())))
    };
    let expected =
        [of(1, 1, "opened"), of(3, 1, "risen"), of(4, 1, "reminder"), of(5, 5, "opened")];
    assert_eq!(told("chat"), expected);
}

#[test]
fn a_replay_that_is_repeated_opens_no_series_anew() {
    let (_folder, path) = file();
    let mut file = sample::state(&path);
    let chat = [sink("chat", Severity::Low)];
    let mut lane = Lane::new("chat");
    let mut replay = || {
        for (day, n, severity) in [(0, 1, 1), (1, 2, 1), (2, 3, 2), (20, 4, 1), (21, 5, 1)] {
            let id = FindingId(n);
            let day = Day(finding(0, 0).day.0 + day);
            tell(&file, &Finding { id, day, ..finding(7, severity) }, &chat, START_MS);
        }
        file.commit().unwrap();
        let messages = file.outbox().due(&mut lane, START_MS, 9).unwrap();
        for message in &messages {
            file.outbox().settle(&mut lane, message, &Outcome::Delivered, START_MS).unwrap();
        }
        let mut ids: Vec<_> = messages.iter().map(|message| message.finding.0).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(replay(), [1, 3, 4]);
    assert_eq!(replay(), []);
}

/// What `file` still has to tell Security Hub, by the finding that it is about: the id of what it says, how severe the
/// series is, and when that was seen first.
fn filed(file: &StateFile) -> Vec<(u128, String, Severity, Value)> {
    let outbox = Outbox { through: i64::MAX, ..file.outbox() };
    let messages = outbox.due(&mut Lane::new("hub"), START_MS, 99).unwrap();
    let filed = messages.into_iter().map(|message| {
        let body: Value = serde_json::from_str(&message.body).unwrap();
        assert_eq!(body["Id"], message.finding.to_string());
        assert_eq!((body.get("CreatedAt"), body.get("UpdatedAt")), (None, None));
        let label = message.severity.label().to_uppercase();
        assert_eq!(body["FindingProviderFields"]["Severity"]["Label"], label);
        let says = body["ProductFields"]["sentrail/finding"].as_str().unwrap().to_owned();
        (message.finding.0, says, message.severity, body["FirstObservedAt"].clone())
    });
    filed.collect()
}

#[test]
fn a_series_is_one_finding_that_all_of_it_brings_up_to_date() {
    let (_folder, path) = file();
    let mut file = sample::state(&path);
    let hub = |min_severity| {
        let file_as = security_hub::FileAs::Own;
        let access = Access::default();
        let settings = security_hub::Settings { access, file_as };
        [Sink::new("hub", min_severity, To::Service(Service::SecurityHub(settings)))]
    };
    let sinks = hub(Severity::Medium);
    let on = |day: i32, n: u128, severity: usize| {
        let finding = finding(7, severity);
        let later = i64::from(day) * 24 * H_MS;
        let times_ms = (finding.times_ms.0 + later, finding.times_ms.1 + later);
        Finding { id: FindingId(n), day: Day(finding.day.0 + day), times_ms, ..finding }
    };
    let says = |n: u128| FindingId(n).to_string();
    let first = || Value::from("2026-03-12T14:03:11Z");
    let mut lane = Lane::new("hub");
    tell(&file, &on(0, 1, 0), &sinks, START_MS);
    assert_eq!(filed(&file), [], "not severe enough");
    tell(&file, &on(0, 1, 2), &sinks, START_MS);
    tell(&file, &on(1, 2, 1), &sinks, START_MS);
    // What waits is replaced, and what it says once is not said again.
    for n in [1, 2, 1] {
        tell(&file, &on(0, n, 1), &sinks, START_MS);
        assert_eq!(filed(&file), [(1, says(2), Severity::High, first())]);
    }
    assert_eq!(counts(&file, "hub"), [1, 0, 0]);
    file.commit().unwrap();
    let mut message = file.outbox().due(&mut lane, START_MS, 9).unwrap().remove(0);
    assert_eq!(message.created_ms, None);
    // Another one comes while it is on the way, and is not lost with it.
    tell(&file, &on(2, 3, 1), &sinks, START_MS);
    message.created_ms = Some(START_MS + 5);
    file.outbox().settle(&mut lane, &message, &Outcome::Delivered, START_MS + 9).unwrap();
    file.commit().unwrap();
    assert_eq!(filed(&file), [(1, says(3), Severity::High, first())]);
    let next = file.outbox().due(&mut lane, START_MS + 9, 9).unwrap().remove(0);
    assert_eq!((next.created_ms, next.id == message.id), (Some(START_MS + 5), false));
    // A dead one is alive with what comes next; `CreatedAt` stays.
    file.outbox().settle(&mut lane, &next, &refused(), START_MS).unwrap();
    assert_eq!(counts(&file, "hub"), [0, 1, 0]);
    tell(&file, &on(2, 3, 3), &sinks, START_MS);
    file.commit().unwrap();
    assert_eq!((filed(&file).len(), counts(&file, "hub")), (1, [1, 0, 0]));
    let mut risen = file.outbox().due(&mut lane, START_MS, 9).unwrap().remove(0);
    assert_eq!((risen.severity, risen.created_ms), (Severity::Critical, Some(START_MS + 5)));
    risen.created_ms = Some(START_MS + 99);
    file.outbox().settle(&mut lane, &risen, &Outcome::Delivered, START_MS).unwrap();
    tell(&file, &on(12, 9, 1), &sinks, START_MS);
    assert_eq!(filed(&file), [(9, says(9), Severity::Medium, "2026-03-24T14:03:11Z".into())]);
    // There is no room, and the series is the same when there is.
    let full = Outbox { messages_max: 0, ..file.outbox() };
    let dropped = full.tell((&on(13, 10, 1), &sample::inputs()), &sinks, START_MS).unwrap();
    assert_eq!((dropped[0].finding.0, filed(&file)), (9, Vec::new()));
    tell(&file, &on(13, 10, 1), &sinks, START_MS);
    assert_eq!(filed(&file).first().map(|one| (one.0, one.1.clone())), Some((9, says(10))));
}

#[test]
fn nothing_is_handed_out_before_it_is_durable() {
    let (_folder, path) = file();
    let mut file = sample::state(&path);
    let sinks = [sink("siem", Severity::Low)];
    let mut lane = Lane::new("siem");
    tell(&file, &finding(1, 1), &sinks, START_MS);
    assert!(file.outbox().due(&mut lane, START_MS, 9).unwrap().is_empty());
    file.commit().unwrap();
    let first = file.outbox().due(&mut lane, START_MS, 9).unwrap().remove(0);
    file.outbox().settle(&mut lane, &first, &Outcome::Delivered, START_MS).unwrap();
    // The row before is gone; its number is not given again.
    tell(&file, &finding(2, 3), &sinks, START_MS);
    assert!(file.outbox().due(&mut lane, START_MS, 9).unwrap().is_empty());
    // Neither the delivery nor the second message became durable.
    drop(file);
    let file = sample::state(&path);
    let again = file.outbox().due(&mut Lane::new("siem"), START_MS, 9).unwrap();
    assert_eq!(again, [first]);
}

#[test]
fn what_is_on_the_way_is_not_handed_out_twice() {
    let (_folder, path) = file();
    let mut file = sample::state(&path);
    for n in 0..5 {
        tell(&file, &finding(n, 1), &[sink("siem", Severity::Low)], START_MS);
    }
    file.commit().unwrap();
    let mut lane = Lane::new("siem");
    let ids =
        |messages: Vec<Message>| messages.into_iter().map(|one| one.finding.0).collect::<Vec<_>>();
    let first = file.outbox().due(&mut lane, START_MS, 2).unwrap();
    assert!(file.outbox().due(&mut lane, START_MS, 2).unwrap().is_empty());
    file.outbox().settle(&mut lane, &first[1], &refused(), START_MS).unwrap();
    assert_eq!(ids(first), [0, 1]);
    assert_eq!(ids(file.outbox().due(&mut lane, START_MS, 9).unwrap()), [2, 3, 4]);
}

#[test]
fn a_more_severe_message_takes_the_place_of_one_that_waits() {
    let (_folder, path) = file();
    let mut file = sample::state(&path);
    let sinks = [sink("siem", Severity::Low)];
    let mut lane = Lane::new("siem");
    tell(&file, &finding(1, 0), &sinks, START_MS);
    file.commit().unwrap();
    let low = file.outbox().due(&mut lane, START_MS, 9).unwrap().remove(0);
    tell(&file, &finding(1, 2), &sinks, START_MS);
    file.commit().unwrap();
    // The one that was on the way arrives all the same, and is known then.
    file.outbox().settle(&mut lane, &low, &Outcome::Delivered, START_MS).unwrap();
    assert_eq!(counts(&file, "siem"), [1, 0, 0]);
    let high = file.outbox().due(&mut lane, START_MS, 9).unwrap().remove(0);
    assert_ne!(low.id, high.id);
    file.outbox().settle(&mut lane, &high, &refused(), START_MS).unwrap();
    assert_eq!(counts(&file, "siem"), [0, 1, 0]);
    tell(&file, &finding(1, 2), &sinks, START_MS);
    assert_eq!(counts(&file, "siem"), [0, 1, 0], "the same again, though dead");
    tell(&file, &finding(1, 3), &sinks, START_MS);
    assert_eq!(counts(&file, "siem"), [1, 0, 0], "more severe than the dead one");
}

#[test]
fn a_message_dies_of_its_tenth_failure_and_can_be_sent_again() {
    let (_folder, path) = file();
    let mut file = sample::state(&path);
    tell(&file, &finding(1, 1), &[sink("siem", Severity::Low)], START_MS);
    file.commit().unwrap();
    let mut now_ms = START_MS;
    let mut first = String::new();
    for n in 1..=10 {
        let mut lane = Lane::new("siem");
        let message = file.outbox().due(&mut lane, now_ms, 9).unwrap().remove(0);
        assert!(first.is_empty() || first == message.id);
        first.clone_from(&message.id);
        match file.outbox().settle(&mut lane, &message, &failed(), now_ms).unwrap() {
            Settled::Again { due_ms } if n < 10 => {
                assert!(
                    file.outbox().due(&mut Lane::new("siem"), due_ms - 1, 9).unwrap().is_empty()
                );
                now_ms = due_ms;
            }
            Settled::Dead if n == 10 => {}
            other => panic!("{n}: {other:?}"),
        }
    }
    assert!((75 * H_MS..84 * H_MS).contains(&(now_ms - START_MS)));
    assert_eq!(counts(&file, "siem"), [0, 1, 0]);
    assert!(file.outbox().due(&mut Lane::new("siem"), i64::MAX, 9).unwrap().is_empty());
    file.commit().unwrap();
    // Nobody writes meanwhile: the transaction that was begun holds nothing.
    drop(file);
    assert_eq!(resend(&path, Some("other"), now_ms).unwrap(), []);
    assert_eq!(resend(&path, None, now_ms).unwrap(), [("siem".to_owned(), 1)]);
    let file = sample::state(&path);
    let message = file.outbox().due(&mut Lane::new("siem"), now_ms, 9).unwrap().remove(0);
    assert_eq!((message.id, message.attempts), (first, 0));
}

#[test]
fn a_sink_that_is_gone_keeps_its_messages_for_the_next_start() {
    let (_folder, path) = file();
    let mut file = sample::state(&path);
    for n in 0..2 {
        tell(&file, &finding(n, 1), &[sink("siem", Severity::Low)], START_MS);
    }
    file.commit().unwrap();
    let mut lane = Lane::new("siem");
    let message = file.outbox().due(&mut lane, START_MS, 1).unwrap().remove(0);
    let gone = Outcome::Gone { error: "status 410".to_owned() };
    let settled = file.outbox().settle(&mut lane, &message, &gone, START_MS).unwrap();
    assert_eq!(settled, Settled::Waits);
    assert!(file.outbox().due(&mut lane, i64::MAX, 9).unwrap().is_empty() && lane.is_gone());
    let anew = file.outbox().due(&mut Lane::new("siem"), START_MS, 9).unwrap();
    assert_eq!((anew.len(), anew[0].attempts), (2, 0));
}

#[test]
fn of_too_many_the_least_severe_go_the_newest_first() {
    let (_folder, path) = file();
    let mut file = sample::state(&path);
    let sinks = [sink("siem", Severity::Low)];
    let inputs = sample::inputs();
    let mut n_told = 0;
    let mut dropped = |file: &StateFile, severity: usize| {
        let outbox = Outbox { messages_max: 4, ..file.outbox() };
        n_told += 1;
        let dropped = outbox.tell((&finding(n_told, severity), &inputs), &sinks, START_MS).unwrap();
        dropped.iter().map(|one| (one.finding.0, one.severity)).collect::<Vec<_>>()
    };
    // Findings 1 to 4.
    for severity in [1, 0, 0, 2] {
        assert!(dropped(&file, severity).is_empty());
    }
    assert_eq!(dropped(&file, 0), [(5, Severity::Low)], "itself");
    assert_eq!(dropped(&file, 3), [(3, Severity::Low)]);
    file.commit().unwrap();
    let mut lane = Lane::new("siem");
    let most = file.outbox().due(&mut lane, START_MS, 1).unwrap().remove(0);
    assert_eq!(most.finding.0, 6);
    file.outbox().settle(&mut lane, &most, &refused(), START_MS).unwrap();
    assert_eq!(dropped(&file, 1), [(2, Severity::Low)]);
    assert_eq!(dropped(&file, 2), [(7, Severity::Medium)]);
    assert_eq!(dropped(&file, 3), [(1, Severity::Medium)]);
    assert_eq!(counts(&file, "siem"), [3, 1, 5]);
    // What was dropped is told if it is found again.
    assert!(tell(&file, &finding(5, 0), &sinks, START_MS).is_empty());
    assert_eq!(counts(&file, "siem"), [4, 1, 5]);
}

#[test]
fn a_message_that_was_changed_by_hand_is_told() {
    let (_folder, path) = file();
    let mut file = sample::state(&path);
    tell(&file, &finding(1, 1), &[sink("siem", Severity::Low)], START_MS);
    file.commit().unwrap();
    let due = |file: &StateFile| file.outbox().due(&mut Lane::new("siem"), START_MS, 9);
    for (change, words) in [
        ("severity = 9", "outbox: holds an unknown severity: 9"),
        ("severity = 1, body = body || ' '", "of the outbox is not what was written"),
        ("message = 'msg_0'", "message msg_0 of the outbox is not what was written"),
    ] {
        file.outbox().store.execute(&format!("UPDATE outbox SET {change}"), &[]).unwrap();
        let error = due(&file).unwrap_err().to_string();
        assert!(error.contains("state.db is damaged: ") && error.contains(words), "{error}");
    }
}

/// The receiver is down for six hours while 50,000 findings come.
#[test]
fn an_outage_loses_nothing_and_the_most_severe_come_first() {
    const N: usize = 50_000;
    let (_folder, path) = file();
    let mut file = sample::state(&path);
    let sinks = [sink("siem", Severity::Low)];
    let (mut lane, mut now_ms) = (Lane::new("siem"), START_MS);
    let (mut n_told, mut n_failed) = (0, 0);
    let mut arrived: Vec<(String, Severity)> = Vec::new();
    while n_told < N || counts(&file, "siem")[0] > 0 {
        if n_told < N {
            for n in n_told..n_told + 5_000 {
                assert!(tell(&file, &finding(n, n * 7 % 4), &sinks, now_ms).is_empty());
            }
            n_told += 5_000;
            file.commit().unwrap();
        }
        let is_down = now_ms < START_MS + 6 * H_MS;
        let outcome = if is_down { failed() } else { Outcome::Delivered };
        for message in file.outbox().due(&mut lane, now_ms, 8).unwrap() {
            n_failed += usize::from(is_down);
            file.outbox().settle(&mut lane, &message, &outcome, now_ms).unwrap();
            if !is_down {
                arrived.push((message.id, message.severity));
            }
        }
        now_ms += if is_down { 5_000 } else { 100 };
    }
    assert_eq!(counts(&file, "siem"), [0, 0, 0]);
    assert_eq!(arrived.len(), N);
    assert_eq!(arrived.iter().map(|(id, _)| id).collect::<BTreeSet<_>>().len(), N);
    // But for the one with which the end of the outage was noticed.
    assert!(arrived[1..].windows(2).all(|pair| pair[0].1 >= pair[1].1));
    assert!(now_ms - START_MS < 6 * H_MS + 1_000_000, "{} ms", now_ms - START_MS);
    assert!((70..90).contains(&n_failed), "{n_failed}");
}

#[derive(Debug, Clone)]
enum Step {
    Tell(usize, usize),
    Commit,
    /// Hand out, and let so many of them arrive, of which so many are reported.
    Send {
        outcome: u8,
        n_reported: usize,
    },
    Crash,
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_usize..6, 0_usize..4).prop_map(|(n, severity)| Step::Tell(n, severity)),
        2 => Just(Step::Commit),
        3 => (0_u8..4, 0_usize..4).prop_map(|(outcome, n_reported)| Step::Send { outcome, n_reported }),
        1 => Just(Step::Crash),
        1 => (0_i64..90_000_000).prop_map(Step::Wait),
    ]
}

/// A receiver, and what it has to have in the end.
#[derive(Default)]
struct World {
    /// What arrived, by finding: the highest severity.
    arrived: BTreeMap<u128, Severity>,
    /// Every id under which a finding of a severity was sent.
    ids: BTreeMap<(u128, Severity), BTreeSet<String>>,
    durable: BTreeMap<u128, Severity>,
    told: BTreeMap<u128, Severity>,
}

impl World {
    fn send(&mut self, file: &StateFile, lane: &mut Lane, now_ms: i64) -> Vec<Message> {
        let messages = file.outbox().due(lane, now_ms, 3).unwrap();
        assert!(messages.is_sorted_by(|a, b| a.severity >= b.severity));
        for one in &messages {
            let key = (one.finding.0, one.severity);
            self.ids.entry(key).or_default().insert(one.id.clone());
            assert!(self.durable.get(&one.finding.0) >= Some(&one.severity), "sent before durable");
        }
        messages
    }

    fn arrive(&mut self, message: &Message) {
        let severity = self.arrived.entry(message.finding.0).or_insert(message.severity);
        *severity = message.severity.max(*severity);
    }
}

fn outcome(n: u8) -> Outcome {
    match n {
        0 | 1 => Outcome::Delivered,
        2 => failed(),
        _ => refused(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_the_receiver_has_all_in_the_end(steps in prop::collection::vec(step(), 1..50)) {
        let (_folder, path) = file();
        let mut file = sample::state(&path);
        let sinks = [sink("siem", Severity::Medium)];
        let (mut lane, mut now_ms) = (Lane::new("siem"), START_MS);
        let mut world = World::default();
        for step in steps {
            match step {
                Step::Tell(n, severity) => {
                    tell(&file, &finding(n, severity), &sinks, now_ms);
                    let severity = Severity::ALL[severity];
                    if severity >= Severity::Medium {
                        let known = world.told.entry(n as u128).or_insert(severity);
                        *known = severity.max(*known);
                    }
                }
                Step::Commit => {
                    file.commit().unwrap();
                    world.durable.clone_from(&world.told);
                }
                Step::Send { outcome: n, n_reported } => {
                    for (n_before, message) in world.send(&file, &mut lane, now_ms).iter().enumerate() {
                        if outcome(n) == Outcome::Delivered {
                            world.arrive(message);
                        }
                        if n_before < n_reported {
                            file.outbox().settle(&mut lane, message, &outcome(n), now_ms).unwrap();
                        }
                    }
                }
                Step::Crash => {
                    drop(file);
                    file = sample::state(&path);
                    lane = Lane::new("siem");
                    world.told.clone_from(&world.durable);
                }
                Step::Wait(ms) => now_ms += ms,
            }
        }
        file.commit().unwrap();
        world.durable.clone_from(&world.told);
        file.outbox().resend("siem", now_ms).unwrap();
        lane = Lane::new("siem");
        while counts(&file, "siem")[0] > 0 {
            for message in world.send(&file, &mut lane, now_ms) {
                world.arrive(&message);
                file.outbox().settle(&mut lane, &message, &Outcome::Delivered, now_ms).unwrap();
            }
            now_ms += H_MS;
        }
        prop_assert_eq!(world.arrived, world.durable);
        prop_assert_eq!(counts(&file, "siem"), [0, 0, 0]);
        for (key, ids) in world.ids {
            prop_assert_eq!(ids.len(), 1, "{:?} under {:?}", key, ids);
        }
    }
}

#[test]
fn what_one_account_does_not_take_holds_up_no_other() {
    let (_folder, path) = file();
    let mut file = sample::state(&path);
    let sinks = [sink("hub", Severity::Low)];
    for n in 0..20 {
        tell(&file, &finding(n, 2), &sinks, START_MS);
    }
    file.commit().unwrap();
    let (mut lane, mut met) = (Lane::new("hub"), Vec::new());
    for _ in 0..3 {
        for message in file.outbox().due(&mut lane, START_MS, 9).unwrap() {
            let (is_last, error) = (message.finding == FindingId(19), "no role".to_owned());
            let outcome = if is_last { Outcome::Delivered } else { Outcome::Later { error } };
            let settled = file.outbox().settle(&mut lane, &message, &outcome, START_MS).unwrap();
            met.push(settled == Settled::Delivered);
        }
    }
    assert_eq!((met.len(), met.last()), (20, Some(&true)));
    assert_eq!(counts(&file, "hub"), [19, 0, 0]);
}

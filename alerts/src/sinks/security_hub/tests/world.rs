//! Outbox, sink and service together, of which each may fail at any time.

use super::{
    NOW_MS, START_MS, hub, now_ms, settings,
    stub::{Fault, OWN, Stub},
};
use crate::{
    StateFile, sample,
    sinks::{
        Lane, Outcome, Service, Sink, To,
        security_hub::{FileAs, SecurityHub},
    },
};
use baseline::Day;
use detect::{Finding, FindingId, Severity};
use proptest::prelude::*;
use std::collections::BTreeMap;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

const H_MS: i64 = 3_600_000;
const N_FINDINGS_MAX: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    /// Something is found of a series, on a day of it.
    Tell(u128, i32, usize),
    /// What is due goes, meets this, and of its outcomes so many are noted.
    Send(Option<Fault>, usize),
    Crash,
    Clock(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        Just(Fault::Answer("429 Too Many\r\nretry-after: 3", "")),
        Just(Fault::Answer("500 Oops", "")),
        Just(Fault::HangUp),
        Just(Fault::DropReply),
        Just(Fault::EverySecond("LimitExceeded")),
        Just(Fault::EverySecond("InvalidInput")),
    ];
    prop_oneof![
        4 => (0_u128..4, 0..6_i32, 0_usize..4).prop_map(|(of, day, severity)| Step::Tell(of, day, severity)),
        4 => (prop::option::of(fault), 0..=N_FINDINGS_MAX).prop_map(|(fault, n)| Step::Send(fault, n)),
        1 => Just(Step::Crash),
        2 => (-H_MS..3 * H_MS).prop_map(Step::Clock),
    ]
}

/// What Security Hub has to have of a series.
#[derive(Debug, PartialEq)]
struct Expected {
    opened: FindingId,
    last: FindingId,
    severity: Severity,
}

struct World {
    _folder: TempDir,
    file: Option<StateFile>,
    lane: Lane,
    hub: SecurityHub,
    stub: Stub,
    sinks: [Sink; 1],
    runtime: Runtime,
    /// No process begins before this.
    latest_ms: i64,
    /// Nor does one send for the first time before this: what earlier ones said it cannot know.
    begun_ms: i64,
    /// Severities that were told, by finding.
    told: BTreeMap<u128, usize>,
    expected: BTreeMap<u128, Expected>,
}

impl World {
    fn new() -> Self {
        NOW_MS.set(START_MS);
        let folder = tempfile::tempdir().unwrap();
        let stub = Stub::new();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let to = To::Service(Service::SecurityHub(settings(&stub, FileAs::Own)));
        let sinks = [Sink::new("hub", Severity::Medium, to)];
        Self {
            file: Some(sample::state(&folder.path().join("s.db"))),
            _folder: folder,
            lane: Lane::new("hub"),
            hub: runtime.block_on(hub(&stub, FileAs::Own)),
            stub,
            sinks,
            runtime,
            latest_ms: START_MS,
            begun_ms: START_MS,
            told: BTreeMap::new(),
            expected: BTreeMap::new(),
        }
    }

    fn file(&mut self) -> &mut StateFile {
        self.file.as_mut().unwrap()
    }

    fn tell(&mut self, of: u128, day: i32, severity: usize) {
        let n = of * 100 + u128::try_from(day).unwrap();
        let mut finding = Finding { id: FindingId(n), ..sample::flow() };
        finding.severity = Severity::ALL[severity];
        finding.entity.key = of.to_string().into();
        finding.day = Day(finding.day.0 + day);
        let sinks = self.sinks.clone();
        let outbox = self.file().outbox();
        assert!(outbox.tell((&finding, &sample::inputs()), &sinks, now_ms()).unwrap().is_empty());
        self.file().commit().unwrap();
        if severity == 0 || self.told.get(&n).is_some_and(|known| *known >= severity) {
            return;
        }
        self.told.insert(n, severity);
        let new = Expected { opened: finding.id, last: finding.id, severity: finding.severity };
        let known = self.expected.entry(of).or_insert(new);
        known.last = finding.id;
        known.severity = known.severity.max(finding.severity);
    }

    fn send(&mut self, n_noted: usize) {
        let file = self.file.as_mut().unwrap();
        let messages = file.outbox().due(&mut self.lane, now_ms(), N_FINDINGS_MAX).unwrap();
        if !messages.is_empty() {
            self.begun_ms = i64::MIN;
        }
        let sent = self.runtime.block_on(self.hub.send(messages, now_ms));
        for (message, outcome) in sent.iter().take(n_noted) {
            file.outbox().settle(&mut self.lane, message, outcome, now_ms()).unwrap();
        }
        file.commit().unwrap();
    }

    /// A new process goes on with the file.
    fn crash(&mut self) {
        let path = self.file().path().to_owned();
        self.file = None;
        self.file = Some(sample::state(&path));
        self.lane = Lane::new("hub");
        self.hub = self.runtime.block_on(hub(&self.stub, FileAs::Own));
        // Within a process the clock may do what it wants.
        NOW_MS.set(self.latest_ms + 1_000);
        self.latest_ms = now_ms();
        self.begun_ms = now_ms();
    }

    /// All is well from now on.
    fn settle(&mut self) {
        self.stub.state().faults.clear();
        self.crash();
        let path = self.file().path().to_owned();
        self.file = None;
        crate::resend(&path, None, now_ms()).unwrap();
        self.file = Some(sample::state(&path));
        while self.file().outbox().counts().unwrap().iter().any(|sink| sink.n_pending > 0) {
            self.send(N_FINDINGS_MAX);
            NOW_MS.set(now_ms() + 12 * H_MS);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_the_service_has_all_in_the_end(steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Tell(of, day, severity) => world.tell(of, day, severity),
                Step::Send(fault, n_noted) => {
                    world.stub.state().faults.extend(fault);
                    world.send(n_noted);
                }
                Step::Crash => world.crash(),
                Step::Clock(ms) => {
                    NOW_MS.set((now_ms() + ms).max(world.begun_ms));
                    world.latest_ms = world.latest_ms.max(now_ms());
                }
            }
        }
        world.settle();
        let state = world.stub.state();
        prop_assert_eq!((state.findings.len(), state.n_stale), (world.expected.len(), 0));
        for Expected { opened, last, severity } in world.expected.values() {
            let kept = &state.findings[&(OWN.to_owned(), opened.to_string())];
            prop_assert_eq!(&kept["ProductFields"]["sentrail/finding"], &last.to_string());
            let label = &kept["FindingProviderFields"]["Severity"]["Label"];
            prop_assert_eq!(label, &severity.label().to_uppercase());
            prop_assert!(kept["CreatedAt"].as_str() <= kept["UpdatedAt"].as_str());
        }
    }
}

#[test]
fn a_burst_is_no_faster_than_the_service_takes() {
    let mut world = World::new();
    for _ in 0..45 {
        world.stub.fails(Fault::Answer("500 Oops", ""));
    }
    for n in 0..45 {
        world.tell(n, 0, 1);
        let file = world.file.as_mut().unwrap();
        let messages = file.outbox().due(&mut Lane::new("hub"), now_ms(), 1).unwrap();
        let sent = world.runtime.block_on(world.hub.send(messages, now_ms));
        assert!(sent.iter().all(|(_, outcome)| *outcome != Outcome::Delivered));
    }
    let state = world.stub.state();
    let times: Vec<_> = state.calls.iter().map(|(at, ..)| *at).collect();
    // 30 at once, then one each 100 ms.
    let rested = |n: usize| u32::try_from(n).unwrap() * std::time::Duration::from_millis(100);
    let slack = std::time::Duration::from_millis(50);
    for (n, at) in times.iter().enumerate().skip(30) {
        assert!(*at - times[0] + slack >= rested(n - 29), "{n}");
    }
}

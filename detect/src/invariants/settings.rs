//! An engine that goes on under other settings is one that begins with them and takes back the state.

use super::{Delivery, Object, RULES, config, delivery, end_ms, records, world};
use crate::{
    Engine, Finding, Kinds, Options, Rules,
    testkit::{self, Kept},
};
use baseline::Kind;
use ingest::enrich::Enrich;
use proptest::prelude::*;
use std::{
    num::NonZeroU32,
    sync::{Arc, LazyLock},
};

/// The same rules in another order, but for some: one is gone, one has another timespan, one is new.
static OTHER_RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| {
    let text = include_str!("../invariants.yml");
    let mut documents: Vec<String> = text.split("---\n").map(str::to_owned).collect();
    documents.retain(|text| !text.contains("name: denied-lists\n"));
    let changed = documents.iter_mut().find(|text| text.contains("name: many-secrets\n")).unwrap();
    *changed = changed.replace("timespan: 30m", "timespan: 1h");
    let describes = documents[0].replace("DeleteObject", "Describe1").replace("deletions", "looks");
    documents.push(describes);
    documents.reverse();
    let documents: Vec<&str> = documents.iter().map(|text| text.trim_end()).collect();
    testkit::rules(&documents.join("\n---\n"))
});

fn options() -> Options {
    Options { rules: Arc::clone(&RULES), ..Options::default() }
}

/// What is found and taken back with it is another.
fn other_options() -> Options {
    let mut options = Options { rules: Arc::clone(&OTHER_RULES), ..Options::default() };
    options.alerts_per_day = NonZeroU32::MIN;
    options.detectors.disable.insert("root-use".to_owned());
    options.detectors.denied_burst.calls_min = 2;
    options.kinds = Arc::new(Kinds::of([("*:user/alice".to_owned(), Kind::Agent)]));
    options
}

/// An engine with its state.
struct Running {
    engine: Engine,
    kept: Kept,
    findings: Vec<Finding>,
}

impl Running {
    fn begin(options: Options, kept: Kept, delivery: &Delivery) -> Self {
        let mut engine = Engine::new(options, Enrich::built_in());
        delivery.bound(&mut engine, &kept);
        engine.note_changes();
        engine.note_touched();
        let engine = kept.resumed(engine);
        Self { engine, kept, findings: Vec::new() }
    }

    fn read(&mut self, objects: &[Object], records: &[(i64, String)]) {
        for object in objects {
            self.engine.advance(object.stamp_ms).unwrap();
            let mut reader = self.engine.reader();
            let raw: Vec<_> = object.records.iter().map(|i| &records[*i].1).collect();
            testkit::read(&mut reader, Some(object.stamp_ms), &raw);
            let chunk = reader.finish();
            self.engine.apply(&[chunk]).unwrap();
            self.commit();
        }
    }

    fn commit(&mut self) {
        self.findings.extend(self.engine.take_findings());
        self.findings.extend(self.engine.judge_open().unwrap());
        self.kept.keep(&mut self.engine);
    }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn what_goes_on_under_other_settings_is_what_begins_with_them(
        deeds in world(4..16), delivery in delivery(), share in 0..=100_usize,
    ) {
        let records = records(&deeds);
        let objects = delivery.objects(&records);
        let (first, rest) = objects.split_at(objects.len() * share / 100);
        let [mut going_on, ended] = [(); 2].map(|()| {
            let mut running = Running::begin(options(), Kept::default(), &delivery);
            running.read(first, &records);
            running.findings.clear();
            running
        });
        going_on.engine.reconfigure(other_options(), Enrich::built_in()).unwrap();
        let mut begun = Running::begin(other_options(), ended.kept, &delivery);
        for running in [&mut going_on, &mut begun] {
            running.commit();
            running.read(rest, &records);
            running.engine.advance(end_ms()).unwrap();
            running.commit();
        }
        prop_assert_eq!(&going_on.findings, &begun.findings);
        prop_assert!(going_on.kept == begun.kept, "states differ");
        for running in [&mut going_on, &mut begun] {
            let away = running.kept.who_is_away();
            running.engine.hold_all(&away);
        }
        prop_assert!(going_on.engine.memory() == begun.engine.memory(), "memories differ");
    }
}

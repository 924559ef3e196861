//! Judging open days on the way changes nothing, and says what the close says.

use super::{Delivery, config, delivery, end_ms, new_engine, records, world};
use crate::{Engine, Finding, FindingId, detectors::DETECTORS, testkit::Kept};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Whoever keeps findings: what was told on the way, until its day closes.
#[derive(Debug, Default)]
struct Keeper {
    kept: BTreeMap<FindingId, Finding>,
    /// Of days that have closed: what was told on the way last, where it is not what the close told.
    unlike: Vec<(Option<Finding>, Option<Finding>)>,
    /// What was told of an open day, and less later.
    lessened: Vec<(Finding, Finding)>,
}

impl Keeper {
    fn keep(&mut self, engine: &mut Engine) {
        for finding in engine.judge_open().unwrap() {
            // Of what weighs the same, what rests on fewer records may be worse: the shorter of two ways.
            let weight = |one: &Finding| (one.severity, one.bits(), one.n_hours);
            let before = self.kept.insert(finding.id, finding.clone());
            let before = before.filter(|before| weight(before) > weight(&finding));
            self.lessened.extend(before.map(|before| (before, finding)));
        }
    }

    fn close(&mut self, engine: &mut Engine) {
        let oldest_open = engine.oldest_open();
        let is_closed = |_: &FindingId, finding: &mut Finding| finding.day < oldest_open;
        let mut told: BTreeMap<_, _> = self.kept.extract_if(.., is_closed).collect();
        for finding in engine.take_findings() {
            let told = told.remove(&finding.id);
            let is_due = told.is_some() || !is_said_at_close(&finding);
            if is_due && told.as_ref() != Some(&finding) {
                self.unlike.push((told, Some(finding)));
            }
        }
        self.unlike.extend(told.into_values().map(|told| (Some(told), None)));
    }
}

/// Whether the detector speaks when a day closes, and not on the way.
fn is_said_at_close(finding: &Finding) -> bool {
    let mut at_close = DETECTORS.iter().filter(|one| one.meta.is_at_close());
    at_close.any(|one| *one.meta.id == *finding.about.id)
}

/// An engine that notes all it can.
fn noting() -> Engine {
    let mut engine = new_engine();
    engine.note_changes();
    engine
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn judging_on_the_way_changes_nothing(
        deeds in world(4..16), delivery in delivery(), ends_after in 0..6_u64,
    ) {
        let records = records(&deeds);
        let delivery = Delivery { ends_after, ..delivery };
        let (mut plain, mut expected) = delivery.run_on(noting(), &records, &|_| true);
        let mut judging = noting();
        judging.note_touched();
        let mut n_told = 0;
        let mut judge = |engine: &mut Engine| n_told += engine.judge_open().unwrap().len();
        let (mut judging, mut findings) =
            delivery.run_with((judging, &mut judge), &records, &|_| true);
        prop_assert!(plain.memory() == judging.memory(), "open days differ");
        let [kept, kept_of_judging] = [&mut plain, &mut judging].map(|engine| {
            let mut kept = Kept::default();
            kept.keep(engine);
            kept
        });
        prop_assert!(kept == kept_of_judging, "states differ");
        plain.advance(end_ms()).unwrap();
        judging.advance(end_ms()).unwrap();
        prop_assert!(plain.memory() == judging.memory(), "what was learned differs");
        expected.extend(plain.take_findings());
        findings.extend(judging.take_findings());
        let on_the_way = findings.iter().filter(|finding| !is_said_at_close(finding));
        prop_assert!(n_told >= on_the_way.count());
        prop_assert_eq!(findings, expected);
    }

    #[test]
    fn what_is_told_on_the_way_is_what_the_close_tells(
        deeds in world(4..16), delivery in delivery(), ends_after in 0..6_u64,
    ) {
        let records = records(&deeds);
        let delivery = Delivery { ends_after, ..delivery };
        let mut engine = noting();
        engine.note_touched();
        let mut keeper = Keeper::default();
        let mut judge = |engine: &mut Engine| {
            keeper.close(engine);
            keeper.keep(engine);
        };
        let (mut engine, _) = delivery.run_with((engine, &mut judge), &records, &|_| true);
        engine.advance(end_ms()).unwrap();
        keeper.close(&mut engine);
        prop_assert!(keeper.unlike.is_empty(), "{:#?}", keeper.unlike);
        prop_assert!(keeper.lessened.is_empty(), "{:#?}", keeper.lessened);
        prop_assert!(keeper.kept.is_empty());
    }
}

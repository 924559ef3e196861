use super::*;
use crate::Part;
use crate::testkit::{self, Kept as KeptState, TODAY};
use ingest::testkit as raw;
use std::sync::Arc;

const FIRST: i32 = -24;

/// What is said of the findings of a detector on `of`, on the day `on`, by an engine that has read all days before
/// `told` then; days are counted from today.
#[derive(Clone, Copy)]
struct Said {
    detector: &'static str,
    of: i32,
    nature: Nature,
    on: i32,
    told: i32,
}

/// A person with habits who is denied much from a day on, and a machine whose credentials are used from outside from
/// then on.
fn day(engine: &mut Engine, day: i32) {
    let is_odd = day >= -10;
    let person = |n: u32| {
        let at_ms = testkit::at(day, "10:00") + i64::from(n) * 1_000;
        let id = raw::uuid(&format!("{day} {n}"));
        let call = raw::call("alice").api("iam:ListUsers").at_ms(at_ms).id(&id);
        if is_odd { call.error("AccessDenied") } else { call }
    };
    let machine = raw::by(raw::instance_role("web", "i-01234567")).from_ip("8.8.8.8");
    let machine = is_odd
        .then(|| machine.at_ms(testkit::at(day, "11:00")).id(&raw::uuid(&format!("{day}"))).raw());
    let n = if is_odd { 40 } else { 5 };
    let records: Vec<_> = (0..n).map(|n| person(n).raw()).chain(machine).collect();
    engine.advance(testkit::at(day, "10:00")).unwrap();
    testkit::apply(engine, &records);
}

fn marked(finding: &Finding, said: Said) -> Marked {
    let Finding { id, entity, day, news, .. } = finding.clone();
    let mark = Mark { nature: said.nature, day: Day(TODAY.0 + said.on) };
    Marked { id, entity, day, news, mark }
}

fn is_of(finding: &Finding, said: Said) -> bool {
    finding.day.0 - TODAY.0 == said.of
        && (said.detector == "*" || finding.about.id == said.detector)
}

/// The findings of an engine that hears of marks while it reads, is written after each day, and goes on as another.
/// Of days that are open it is told by the ids of `found`, which it will find.
fn live(all: &[Said], found: &[Finding]) -> (Vec<Finding>, Vec<Heard>, Engine) {
    let mut state = KeptState::default();
    let mut engine = testkit::engine();
    engine.note_changes();
    let (mut findings, mut heard) = (Vec::new(), Vec::new());
    for now in FIRST..3 {
        for said in all.iter().filter(|said| said.told == now) {
            let open = found.iter().filter(|finding| finding.day >= engine.oldest_open());
            let known: Vec<Finding> = findings.iter().chain(open).cloned().collect();
            for finding in known.iter().filter(|finding| is_of(finding, *said)) {
                let look = &mut |key| Ok(state.blob(Part::Withheld, key));
                engine.hear(&marked(finding, *said), look).unwrap();
            }
        }
        day(&mut engine, now);
        findings.extend(engine.take_findings());
        heard.extend(engine.take_heard());
        state.keep(&mut engine);
        let waiting = std::mem::take(&mut engine.hearing.waiting);
        engine = state.resumed(testkit::engine());
        // Whoever goes on is told again.
        engine.hearing.waiting = waiting;
    }
    engine.finish().unwrap();
    findings.extend(engine.take_findings());
    (findings, heard, engine)
}

/// Those of one that knew the marks from the beginning.
fn replayed(all: &[Said], found: &[Finding]) -> (Vec<Finding>, Engine) {
    let of = |said: &Said| {
        found.iter().filter(|one| is_of(one, *said)).map(|one| marked(one, *said)).collect()
    };
    let marks: Vec<Marked> = all.iter().flat_map(|said| -> Vec<Marked> { of(said) }).collect();
    let mut options = crate::Options::default();
    options.lessons = Arc::new(Lessons::of(&marks, &options.hash_key));
    let mut engine = Engine::new(options, ingest::enrich::Enrich::built_in());
    (FIRST..3).for_each(|now| day(&mut engine, now));
    engine.finish().unwrap();
    (engine.take_findings(), engine)
}

#[test]
fn marks_that_are_heard_on_the_way_teach_what_they_teach_a_replay() {
    let (plain, ..) = live(&[], &[]);
    let n_denied = plain.iter().filter(|one| one.about.id == "denied-burst").count();
    assert!(n_denied > 2 && plain.len() > n_denied + 4, "{n_denied} of {}", plain.len());
    let all = "*";
    let outside = "compute-credentials-outside-aws";
    let (benign, malicious) = (Nature::Benign, Nature::Malicious);
    let said = |detector, of, nature, on, told| Said { detector, of, nature, on, told };
    let courses = [
        // Of a day that is open, of one that has just closed, and of one that closed long ago.
        vec![said(all, -10, benign, -10, -9)],
        vec![said(all, -10, benign, -9, -8)],
        vec![said(all, -10, benign, -8, -7)],
        vec![said(outside, -10, benign, -9, -8)],
        vec![said(all, -10, malicious, -10, -9)],
        vec![said(outside, -9, malicious, -6, -6)],
        // Of one finding after the other.
        vec![said(outside, -10, benign, -9, -9), said(all, -10, benign, -7, -7)],
        vec![said(all, -10, benign, -9, -8), said(all, -8, benign, -7, -6)],
    ];
    for (n, course) in courses.iter().enumerate() {
        let (found, heard, engine) = live(course, &plain);
        assert!(!heard.is_empty() && heard.iter().all(|one| one.on == one.mark.day), "{n}");
        // Each finding is marked once in a replay.
        if course.len() == 1 || course[0].of != course[1].of {
            let (expected, other) = replayed(course, &found);
            assert!(found == expected, "{n}");
            assert!(engine.memory() == other.memory(), "{n}");
            assert!(found != plain || course[0].nature == malicious, "{n}");
        }
        assert!(engine.hearing.waiting.is_empty());
    }
}

#[test]
fn what_more_identities_hold_back_than_are_kept_of_a_day_is_let_go() {
    let mut engine = testkit::engine();
    let of = |id| Withheld::of((id, TODAY), [FindingId(id)].into_iter(), &ClosedDay::default());
    engine.withhold((0..=WITHHELD_MAX as u128).rev().map(of).collect());
    let kept: BTreeSet<u128> =
        engine.changes.withheld.values().flatten().map(|one| one.id).collect();
    assert_eq!(kept, (0..WITHHELD_MAX as u128).collect());
    assert_eq!(engine.intake().n_days_let_go, 1);
    assert!(engine.changes.withheld.keys().all(|key| *key >= withheld_since(TODAY)));
    assert!(engine.changes.withheld.keys().all(|key| *key < withheld_since(Day(TODAY.0 + 1))));
}

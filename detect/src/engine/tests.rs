use super::*;
use crate::testkit::{self, apply, engine};
use ingest::testkit as raw;
use serde_json::json;

/// Days enough after the last record for every generation to be merged.
fn long_after() -> i64 {
    testkit::at(13, "0:0")
}

fn put() -> raw::Call {
    raw::call("alice").api("s3:PutObject").at_ms(testkit::at(0, "10:00"))
}

#[test]
fn late_records_are_counted_and_teach_the_oldest_open_day() {
    let mut engine = engine();
    engine.advance(testkit::at(0, "12:00")).unwrap();
    let late: Vec<_> = (2..40).map(|day| put().at_ms(testkit::at(-day, "10:00")).raw()).collect();
    apply(&mut engine, &late);
    let counts = engine.intake();
    assert_eq!((counts.n_late, counts.n_records, counts.n_entities), (38, 38, 1));
    apply(&mut engine, &[put().at_ms(testkit::at(-1, "10:00")).raw()]);
    assert_eq!(engine.intake().n_late, 38);
    apply(&mut engine, &late);
    assert_eq!(engine.intake().n_duplicate_objects, 1);
    apply(&mut engine, &[&late[..], &[put().raw()]].concat());
    assert_eq!((engine.intake().n_duplicates, engine.intake().n_records), (76, 40));
    engine.finish().unwrap();
}

#[test]
fn events_of_any_time_do_no_harm() {
    let mut engine = engine();
    for time_ms in [0, -1, -62_135_596_800_000, 253_402_300_799_000, testkit::at(0, "10:00")] {
        let mut reader = engine.reader();
        let raw = put().raw();
        reader.begin(u128::from(time_ms.unsigned_abs()), None);
        let shape = ingest::cloudtrail::read(&raw::object(&[raw]), |_, record| {
            let Ok(ingest::cloudtrail::Record::Event(event)) = record else { panic!("{record:?}") };
            reader.record(&ingest::Event { time_ms, ..event });
        });
        assert!(shape.is_ok());
        let chunk = reader.finish();
        engine.apply(&[chunk]).unwrap();
    }
    for time_ms in [i64::MIN, 0, testkit::at(0, "10:00"), i64::MAX] {
        engine.advance(time_ms).unwrap();
    }
    engine.finish().unwrap();
    assert_eq!(engine.intake().n_records, 5);
}

#[test]
fn a_record_dated_after_its_objects_counts_once() {
    let mut engine = engine();
    let raw = put().raw();
    for minutes in [90, 30] {
        let mut reader = engine.reader();
        let stamp_ms = testkit::at(0, "10:00") - minutes * 60_000;
        testkit::read(&mut reader, Some(stamp_ms), &[raw.clone(), put().raw()]);
        let chunk = reader.finish();
        engine.apply(&[chunk]).unwrap();
    }
    assert_eq!((engine.intake().n_records, engine.intake().n_duplicates), (3, 1));
}

#[test]
fn corrections_are_no_calls() {
    let mut engine = engine();
    let addendum = json!({"reason": "UPDATED_DATA", "originalEventID": "x"});
    let delayed = json!({"reason": "DELIVERY_DELAY"});
    apply(
        &mut engine,
        &[put().set("addendum", addendum).raw(), put().set("addendum", delayed).raw()],
    );
    assert_eq!((engine.intake().n_corrections, engine.intake().n_records), (1, 1));
}

#[test]
fn a_damaged_object_leaves_no_trace() {
    let mut engine = engine();
    let addendum = json!({"reason": "UPDATED_DATA", "originalEventID": "x"});
    let denied = || put().error("AccessDenied").raw();
    let mut reader = engine.reader();
    testkit::read(&mut reader, None, &[denied()]);
    testkit::read(&mut reader, None, &[put().set("addendum", addendum).raw(), denied()]);
    reader.abandon();
    testkit::read(&mut reader, None, &[denied()]);
    let chunk = reader.finish();
    engine.apply(&[chunk]).unwrap();
    assert_eq!((engine.intake().n_records, engine.intake().n_corrections), (2, 0));
    let mut other = testkit::engine();
    apply(&mut other, &[denied(), denied()]);
    other.advance(long_after()).unwrap();
    engine.advance(long_after()).unwrap();
    assert!(other.memory() == engine.memory());
}

#[test]
fn records_without_ids_are_ordered_all_the_same() {
    let one = put().without("eventID").from_ip("8.8.8.8").raw();
    let other = put().without("eventID").from_ip("8.8.8.8").api("s3:GetObject").raw();
    let [mut left, mut right] = [engine(), engine()];
    apply(&mut left, &[&one, &other]);
    apply(&mut right, &[&other, &one]);
    assert!(left.memory() == right.memory());
}

#[test]
fn an_alerted_day_teaches_an_eighth() {
    let outside = |day: i32| {
        let call = raw::by(raw::instance_role("web", "i-01234567")).from_ip("8.8.8.8");
        call.at_ms(testkit::at(day, "10:00")).raw()
    };
    let mut engine = engine();
    for day in -10..0 {
        engine.advance(testkit::at(day, "0:0")).unwrap();
        apply(&mut engine, &[outside(day)]);
    }
    engine.finish().unwrap();
    let days: Vec<_> = engine
        .take_findings()
        .iter()
        .filter(|finding| finding.about.id == "compute-credentials-outside-aws")
        .map(|finding| finding.day.0 - testkit::TODAY.0)
        .collect();
    // Four eighths make it known: of the days to -7, so from -5 on.
    assert_eq!(days, [-10, -9, -8, -7, -6]);
}

#[test]
fn what_is_told_does_not_change_what_is_learned() {
    let outside = |day: i32| {
        let call = raw::by(raw::instance_role("web", "i-01234567")).from_ip("8.8.8.8");
        call.at_ms(testkit::at(day, "10:00")).raw()
    };
    let id = "compute-credentials-outside-aws".to_owned();
    let mut options = Options::default();
    options.detectors.disable.extend([id]);
    options.detectors.compute_credentials_outside_aws.networks = vec![15_169];
    let [mut loud, mut silent] = [engine(), Engine::new(options, Enrich::built_in())];
    for engine in [&mut loud, &mut silent] {
        for day in -10..0 {
            engine.advance(testkit::at(day, "0:0")).unwrap();
            apply(engine, &[outside(day)]);
        }
        engine.advance(long_after()).unwrap();
    }
    assert!(!loud.take_findings().is_empty() && silent.take_findings().is_empty());
    assert!(loud.memory() == silent.memory());
}

#[test]
fn one_call_counts_no_more_things_than_the_bound() {
    let names: Vec<_> = (0..2 * crate::Counts::MAX).map(|n| format!("s{n}")).collect();
    let call = put().api("secretsmanager:BatchGetSecretValue");
    let mut engine = engine();
    let mut reader = engine.reader();
    let raw = call.request(json!({"secretIdList": names})).raw();
    testkit::read(&mut reader, None, &[raw]);
    let chunk = reader.finish();
    assert_eq!(chunk.extras.len(), crate::Counts::MAX);
    engine.apply(&[chunk]).unwrap();
}

#[test]
fn a_finding_keeps_its_first_records_and_counts_all() {
    let denied = |minute: u32, i: u32| {
        let time_ms = testkit::at(0, &format!("{}:{}", minute / 60, minute % 60)) + i64::from(i);
        put().error("AccessDenied").at_ms(time_ms).raw()
    };
    let minutes = (0..40).map(|slot| slot * 5);
    let raw: Vec<_> = minutes.flat_map(|minute| (0..40).map(move |i| denied(minute, i))).collect();
    let mut engine = engine();
    apply(&mut engine, &raw);
    engine.finish().unwrap();
    let findings = engine.take_findings();
    assert_eq!((findings.len(), findings[0].count), (1, 1_600));
    assert_eq!(findings[0].records.len(), Finding::RECORDS_MAX);
    assert!(findings[0].records.is_sorted());
}

#[test]
fn more_records_of_one_finding_are_no_more_targets() {
    let denied = |n: u32| put().api(&format!("iam:Get{n}")).error("AccessDenied").raw();
    let raw: Vec<_> = (0..60).map(denied).collect();
    let mut engine = engine();
    apply(&mut engine, &raw);
    engine.finish().unwrap();
    let findings = engine.take_findings();
    let burst = findings.iter().find(|finding| finding.about.id == "denied-burst").unwrap();
    assert_eq!(burst.targets.len(), crate::Verdict::TARGETS_MAX);
}

#[test]
fn full_bounds_do_not_depend_on_order() {
    let raw: Vec<_> = (0..400)
        .map(|n: u32| {
            let call = put().api(&format!("iam:Get{n}")).error("AccessDenied");
            let call = call.from_ip(&format!("81.2.{}.{}", n % 7, n % 251));
            call.at_ms(testkit::at(0, "10:00") + i64::from(n % 9) * 61_000).raw()
        })
        .collect();
    let reversed: Vec<_> = raw.iter().rev().collect();
    let [mut up, mut down] = [engine(), engine()];
    apply(&mut up, &raw);
    for object in reversed.chunks(7) {
        apply(&mut down, object);
    }
    assert!(up.memory() == down.memory(), "open");
    up.advance(long_after()).unwrap();
    down.advance(long_after()).unwrap();
    assert!(up.memory() == down.memory(), "learned");
    assert_eq!(up.take_findings(), down.take_findings());
}

#[test]
fn late_records_that_were_spread_are_no_burst() {
    let denied = |day: i32, hour: i32, i: i64| {
        let time_ms = testkit::at(-day, &format!("{hour}:30")) + i;
        put().error("AccessDenied").at_ms(time_ms).raw()
    };
    for (per_hour, n_findings) in [(5, 0), (20, 1)] {
        let mut engine = engine();
        engine.advance(testkit::at(0, "12:00")).unwrap();
        let hours = (0..20).flat_map(|hour| (0..per_hour).map(move |i| denied(9, hour, i)));
        apply(&mut engine, &hours.collect::<Vec<_>>());
        engine.finish().unwrap();
        assert_eq!(engine.intake().n_late, 20 * per_hour.unsigned_abs());
        assert_eq!(engine.take_findings().len(), n_findings, "{per_hour}");
    }
}

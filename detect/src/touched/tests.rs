use crate::{
    Engine, Finding, FlowRows, Options, Severity,
    testkit::{Kept, TODAY, apply, at, engine, flow, rules},
};
use baseline::Day;
use ingest::{
    enrich::Enrich,
    flowlog::FlowReader,
    source::Filter,
    testkit::{self as raw, Call, call},
};
use serde_json::json;
use std::net::Ipv4Addr;

/// An engine that judges on the way, at noon of today.
fn noon() -> Engine {
    let mut engine = engine();
    engine.note_touched();
    engine.advance(at(0, "12:00")).unwrap();
    engine
}

/// An engine with a rule that holds as long as so many denials are in an hour.
fn counting(bound: &str) -> Engine {
    let text = format!(
        r"
title: tried
name: tried
level: informational
logsource: {{product: aws, service: cloudtrail}}
detection:
  s:
    errorCode: AccessDenied
  condition: s
---
title: seldom
correlation:
  type: event_count
  rules: [tried]
  group-by: [userIdentity.arn]
  timespan: 1h
  condition: {{{bound}}}
level: medium
"
    );
    let options = Options { rules: rules(&text), ..Options::default() };
    Engine::new(options, Enrich::built_in())
}

/// The same, at noon of today.
fn counting_at_noon(bound: &str) -> Engine {
    let mut engine = counting(bound);
    engine.note_touched();
    engine.advance(at(0, "12:00")).unwrap();
    engine
}

/// `n` denied calls of `user`, a second apart.
fn denied(engine: &mut Engine, user: &str, (day, clock): (i32, &str), n: i64) {
    let one = |i: i64| {
        let call: Call = call(user).api("kms:CreateKey").error("AccessDenied");
        call.at_ms(at(day, clock) + i * 1_000).id(&raw::uuid(&format!("{user} {clock} {i}"))).raw()
    };
    apply(engine, &(0..n).map(one).collect::<Vec<_>>());
}

/// Who was denied how often, on which day.
fn bursts(findings: &[Finding]) -> Vec<(&str, i32, u64)> {
    let bursts = findings.iter().filter(|finding| &*finding.about.id == "denied-burst");
    let name =
        |finding: &Finding| if finding.entity.key.ends_with("bob") { "bob" } else { "alice" };
    bursts.map(|one| (name(one), one.day.0 - TODAY.0, one.count)).collect()
}

#[test]
fn what_is_found_is_told_at_once_and_again_when_there_is_more() {
    let mut engine = noon();
    denied(&mut engine, "alice", (0, "11:00"), 14);
    assert_eq!(bursts(&engine.judge_open().unwrap()), []);
    denied(&mut engine, "alice", (0, "11:10"), 1);
    assert_eq!(bursts(&engine.judge_open().unwrap()), [("alice", 0, 15)]);
    denied(&mut engine, "alice", (0, "11:20"), 5);
    let told = engine.judge_open().unwrap();
    assert_eq!(bursts(&told), [("alice", 0, 20)]);
    engine.finish().unwrap();
    assert_eq!(engine.take_findings(), told);
}

#[test]
fn nobody_is_judged_whom_no_record_touched_since() {
    let mut engine = counting_at_noon("gte: 3");
    // So many that each has others in its shard.
    for n in 0..200 {
        denied(&mut engine, &format!("user{n}"), (0, "11:00"), 15);
    }
    assert_eq!(engine.judge_open().unwrap().len(), 400);
    assert_eq!(engine.judge_open().unwrap(), []);
    denied(&mut engine, "user7", (0, "11:30"), 1);
    let told = engine.judge_open().unwrap();
    assert_eq!(told.iter().map(|one| one.count).collect::<Vec<_>>(), [16, 16]);
    assert!(told.iter().all(|one| one.entity.key.ends_with("user7")), "{told:#?}");
}

#[test]
fn an_engine_that_is_not_asked_to_notes_nobody() {
    let mut engine = engine();
    engine.advance(at(0, "12:00")).unwrap();
    denied(&mut engine, "alice", (0, "11:00"), 15);
    assert_eq!(engine.judge_open().unwrap(), []);
}

#[test]
fn a_late_record_is_seen_from_the_day_after_it() {
    let mut engine = noon();
    denied(&mut engine, "alice", (0, "0:00"), 10);
    assert_eq!(bursts(&engine.judge_open().unwrap()), []);
    denied(&mut engine, "alice", (-1, "23:50"), 5);
    assert_eq!(bursts(&engine.judge_open().unwrap()), [("alice", 0, 15)]);
}

#[test]
fn a_day_ahead_waits_until_what_judges_it_is_learned() {
    let mut engine = noon();
    denied(&mut engine, "alice", (1, "0:10"), 15);
    assert_eq!(engine.judge_open().unwrap(), []);
    engine.advance(at(0, "23:59")).unwrap();
    assert_eq!(engine.judge_open().unwrap(), []);
    engine.advance(at(1, "0:00")).unwrap();
    assert_eq!(bursts(&engine.judge_open().unwrap()), [("alice", 1, 15)]);
    assert_eq!(engine.judge_open().unwrap(), []);
}

#[test]
fn findings_come_in_order_of_days_and_closed_days_are_left_to_their_close() {
    let mut engine = noon();
    denied(&mut engine, "bob", (0, "11:00"), 15);
    denied(&mut engine, "alice", (-1, "12:00"), 15);
    assert_eq!(bursts(&engine.judge_open().unwrap()), [("alice", -1, 15), ("bob", 0, 15)]);
    denied(&mut engine, "alice", (-1, "12:10"), 1);
    denied(&mut engine, "bob", (0, "11:10"), 1);
    engine.advance(at(1, "0:00")).unwrap();
    assert_eq!(engine.oldest_open(), TODAY);
    assert_eq!(bursts(&engine.judge_open().unwrap()), [("bob", 0, 16)]);
    assert_eq!(bursts(&engine.take_findings()), [("alice", -1, 16)]);
}

#[test]
fn silence_is_kept_on_the_way() {
    let mut engine = noon();
    engine.say_nothing_before(baseline::Hour::of(at(0, "12:00")));
    denied(&mut engine, "alice", (0, "11:00"), 15);
    denied(&mut engine, "bob", (0, "12:00"), 15);
    assert_eq!(bursts(&engine.judge_open().unwrap()), [("bob", 0, 15)]);
}

#[test]
fn flows_are_told_on_the_way() {
    let mut engine = noon();
    let mut reader = engine.reader();
    reader.begin(1, None);
    for port in 0..300 {
        let peer = Ipv4Addr::new(10, 0, 0, 7).into();
        let one = flow("eni-a", (peer, 1_000 + port), at(0, "11:00") + i64::from(port) * 1_000);
        reader.flows(raw::ACCOUNT, 1, &[one]);
    }
    let chunk = reader.finish();
    engine.apply(&[chunk]).unwrap();
    let told = engine.judge_open().unwrap();
    assert!(told.iter().any(|one| one.entity.key.contains("eni-a")), "{told:#?}");
    engine.finish().unwrap();
    assert_eq!(engine.take_findings(), told);
}

#[test]
fn an_engine_that_goes_on_judges_all_open_days_once() {
    let mut first = counting_at_noon("gte: 3");
    first.note_changes();
    denied(&mut first, "alice", (0, "11:00"), 15);
    let told = first.judge_open().unwrap();
    assert_eq!((bursts(&told), told.len()), (vec![("alice", 0, 15)], 2), "{told:#?}");
    let mut kept = Kept::default();
    kept.keep(&mut first);
    let mut second = counting("gte: 3");
    second.note_touched();
    let mut second = kept.resumed(second);
    assert_eq!(second.judge_open().unwrap(), told);
    assert_eq!(second.judge_open().unwrap(), []);
    assert_eq!(second.oldest_open(), Day(TODAY.0 - 1));
}

#[test]
fn a_finding_holds_the_hours_that_nothing_touched_any_more() {
    let mut engine = noon();
    denied(&mut engine, "alice", (0, "8:00"), 15);
    assert_eq!(bursts(&engine.judge_open().unwrap()), [("alice", 0, 15)]);
    denied(&mut engine, "alice", (0, "11:00"), 16);
    let told = engine.judge_open().unwrap();
    assert_eq!(bursts(&told), [("alice", 0, 31)]);
    denied(&mut engine, "alice", (0, "11:50"), 1);
    let told_again = engine.judge_open().unwrap();
    assert_eq!(bursts(&told_again), [("alice", 0, 32)]);
    engine.finish().unwrap();
    assert_eq!(engine.take_findings(), told_again);
}

#[test]
fn what_more_records_refute_is_told_on_the_way_and_not_at_the_close() {
    let mut engine = counting_at_noon("lte: 2");
    denied(&mut engine, "alice", (0, "11:00"), 2);
    let told = engine.judge_open().unwrap();
    assert_eq!(told.len(), 1, "{told:#?}");
    denied(&mut engine, "alice", (0, "11:00"), 9);
    assert_eq!(engine.judge_open().unwrap(), []);
    engine.finish().unwrap();
    assert_eq!(engine.take_findings(), []);
}

#[test]
fn a_key_that_is_deleted_again_makes_what_was_told_of_it_low() {
    let mut engine = noon();
    let key = "AKIAIOSFODNN7EXAMPLE";
    let made = call("alice").api("iam:CreateAccessKey").request(json!({"userName": "dave"}));
    let made = made.response(json!({"accessKey": {"accessKeyId": key}}));
    let deleted = call("alice").api("iam:DeleteAccessKey");
    let deleted = deleted.request(json!({"userName": "dave", "accessKeyId": key}));
    let severities = |findings: &[Finding]| -> Vec<Severity> {
        let of = findings.iter().filter(|one| &*one.about.id == "credentials-for-others");
        of.map(|one| one.severity).collect()
    };
    apply(&mut engine, &[made.at_ms(at(0, "11:00")).raw()]);
    assert_eq!(severities(&engine.judge_open().unwrap()), [Severity::Medium]);
    apply(&mut engine, &[deleted.at_ms(at(0, "11:05")).raw()]);
    assert_eq!(severities(&engine.judge_open().unwrap()), [Severity::Low]);
    engine.finish().unwrap();
    assert_eq!(severities(&engine.take_findings()), [Severity::Low]);
}

#[test]
fn a_late_match_is_counted_from_the_day_after_it() {
    let mut engine = counting_at_noon("gte: 3");
    denied(&mut engine, "alice", (0, "0:05"), 2);
    assert_eq!(engine.judge_open().unwrap(), []);
    denied(&mut engine, "alice", (-1, "23:50"), 1);
    let told = engine.judge_open().unwrap();
    assert_eq!(told.iter().map(|one| (one.day, one.count)).collect::<Vec<_>>(), [(TODAY, 3)]);
}

#[test]
fn the_hour_before_midnight_is_seen_as_after_the_close_of_its_day() {
    let calls = |(day, clock): (i32, &str), apis: &[String]| -> Vec<String> {
        let call = |api: &String| {
            let id = raw::uuid(&format!("{day} {clock} {api}"));
            call("alice").api(api).at_ms(at(day, clock)).id(&id).raw()
        };
        apis.iter().map(call).collect()
    };
    let mut engine = engine();
    engine.note_touched();
    for day in -12..-1 {
        engine.advance(at(day, "12:00")).unwrap();
        apply(&mut engine, &calls((day, "9:00"), &["s3:ListBuckets".to_owned()]));
    }
    // More than a slot keeps, once it is known what was usual on its day.
    let many: Vec<_> = (0..150).map(|n| format!("ec2:DescribeThing{n}")).collect();
    apply(&mut engine, &calls((0, "23:40"), &many));
    engine.advance(at(1, "0:20")).unwrap();
    engine.judge_open().unwrap();
    let stranger = call("alice").api("ec2:DescribeStranger").from_ip("185.220.101.1");
    apply(&mut engine, &[stranger.at_ms(at(1, "0:10")).raw()]);
    let mut told = engine.judge_open().unwrap();
    told.retain(|one| one.day > TODAY);
    assert!(told.iter().any(|one| one.about.id.starts_with("anomalous-")), "{told:#?}");
    engine.finish().unwrap();
    let mut findings = engine.take_findings();
    findings.retain(|one| one.day > TODAY);
    assert_eq!(findings, told);
}

#[test]
fn a_match_of_whom_nothing_else_came_is_judged_by_all_that_its_group_knows() {
    let rule = "title: shell\nname: shell\nlogsource: {product: aws, service: vpcflow}\n\
                detection:\n  s: {dstport: 22}\n  condition: s\n";
    let options = Options { rules: rules(rule), ..Options::default() };
    let mut engine = Engine::new(options, Enrich::built_in());
    engine.note_touched();
    let peer = Ipv4Addr::new(10, 0, 0, 7).into();
    for day in -9..-2 {
        engine.advance(at(day, "12:00")).unwrap();
        let mut reader = engine.reader();
        reader.begin(at(day, "11:00").unsigned_abs().into(), None);
        reader.flows(raw::ACCOUNT, 1, &[flow("eni-a", (peer, 443), at(day, "11:00"))]);
        let chunk = reader.finish();
        engine.apply(&[chunk]).unwrap();
        assert_eq!(engine.judge_open().unwrap(), []);
    }
    engine.advance(at(0, "12:00")).unwrap();
    let end_s = at(0, "11:00").div_euclid(1_000);
    let account = raw::ACCOUNT;
    let line = format!(
        "2 {account} eni-a 203.0.113.1 10.0.0.1 40000 22 6 1 40 {} {end_s} REJECT OK\n",
        end_s - 60
    );
    let mut reader = engine.reader();
    reader.begin(0, None);
    FlowReader::default().read(line.as_bytes(), &mut |batch| {
        reader.flow_rows(&FlowRows { batch: &batch, account: None, filter: &Filter::default() });
    });
    let chunk = reader.finish();
    engine.apply(&[chunk]).unwrap();
    let told = engine.judge_open().unwrap();
    assert_eq!(told.iter().map(|one| one.history_days).collect::<Vec<_>>(), [(7, 7)]);
    engine.finish().unwrap();
    assert_eq!(engine.take_findings(), told);
}

#[test]
fn of_ways_that_nobody_can_go_the_shortest_in_time_is_told_though_it_rests_on_less() {
    let mut engine = noon();
    let from = |engine: &mut Engine, address: &str, clocks: &[&str]| {
        let one = |clock: &&str| {
            let id = raw::uuid(&format!("{address} {clock}"));
            let call = call("alice").api("s3:ListBuckets").from_ip(address);
            call.at_ms(at(0, clock)).id(&id).raw()
        };
        apply(engine, &clocks.iter().map(one).collect::<Vec<_>>());
    };
    let travels = |findings: &[Finding]| -> Vec<u64> {
        let of = findings.iter().filter(|one| &*one.about.id == "impossible-travel");
        of.map(|one| one.count).collect()
    };
    from(&mut engine, "81.2.69.142", &["11:00", "11:01", "11:02", "11:03"]);
    from(&mut engine, "126.0.0.1", &["11:10"]);
    assert_eq!(travels(&engine.judge_open().unwrap()), [5]);
    from(&mut engine, "81.2.69.142", &["11:09"]);
    let told = engine.judge_open().unwrap();
    assert_eq!(travels(&told), [2]);
    engine.finish().unwrap();
    assert_eq!(engine.take_findings(), told);
}

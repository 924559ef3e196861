use super::{FACTS_MAX, Fact, Facts, Topic};
use crate::{
    Engine, Finding, FindingId, Severity,
    testkit::{self, Kept, Logs, TODAY, apply, at, engine, flow},
};
use baseline::{Day, HashKey, Slot, form::Texts, stable_hash};
use ingest::{
    flow::Call,
    testkit::{self as raw, call},
};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

const ENI: &str = "eni-0123456789abcdef0";
const HOST: &str = "i-0123456789abcdef0";
const HOME: &str = "203.0.113.7";

/// An object of one record or flow on a day, at a minute of it.
#[derive(Debug, Clone, Copy)]
enum Object {
    Opens,
    Session,
    Agent,
    /// By the host or its neighbour, from an address of either.
    Uses(u8),
    Visit(u8),
    Sends(u8),
}

/// What, on which day, and in which minute of it.
type Deed = (Object, i32, i64);

fn opens(from: &str) -> raw::Call {
    let range = json!({"items": [{"cidrIp": "203.0.113.0/24"}]});
    let rule = json!({"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": range});
    let request = json!({"groupId": "sg-1", "ipPermissions": {"items": [rule]}});
    call("alice").api("ec2:AuthorizeSecurityGroupIngress").from_ip(from).request(request)
}

fn record((object, day, minute): Deed) -> Option<String> {
    let by_host = || raw::by(raw::instance_role("web", HOST));
    let call = match object {
        Object::Opens => opens(HOME),
        Object::Session => call("bob").api("ssm:StartSession").request(json!({"target": HOST})),
        Object::Agent => by_host()
            .api("ssm:UpdateInstanceInformation")
            .request(json!({"instanceId": HOST, "iPAddress": "10.0.0.1"})),
        Object::Uses(n) => {
            let who = [HOST, "i-0fedcba9876543210"][usize::from(n % 2)];
            let call = raw::by(raw::instance_role("web", who));
            let from = format!("10.0.0.{}", 1 + n / 2 % 2);
            if n < 4 {
                call.from_ip(&from)
            } else {
                let request =
                    json!({"instanceId": who, "iPAddress": format!("10.0.0.{}", 1 + n % 2)});
                call.api("ssm:UpdateInstanceInformation").request(request)
            }
        }
        Object::Visit(_) | Object::Sends(_) => return None,
    };
    let id = raw::uuid(&format!("{object:?} {day} {minute}"));
    Some(call.at_ms(at(day, "0:0") + minute * 60_000).id(&id).set("requestID", json!(id)).raw())
}

fn flows((object, day, minute): Deed) -> Option<Call> {
    let end_ms = at(day, "0:0") + minute * 60_000;
    let (peer, port, is_inbound) = match object {
        Object::Visit(n) => ([203, 0, 113, 7 + n % 2], 22, true),
        Object::Sends(n) => ([198, 51, 100, n], 443, false),
        _ => return None,
    };
    let one = flow(ENI, (peer.into(), port), end_ms);
    Some(Call { is_inbound, is_answered: true, bytes: (90_000, 9_000), ..one })
}

fn deed() -> impl Strategy<Value = Deed> {
    let object = prop_oneof![
        2 => Just(Object::Opens),
        2 => Just(Object::Session),
        1 => Just(Object::Agent),
        3 => (0..6_u8).prop_map(Object::Uses),
        3 => (0..2_u8).prop_map(Object::Visit),
        3 => (1..5_u8).prop_map(Object::Sends),
    ];
    (object, 0..2_i32, prop_oneof![2 => 600..700_i64, 1 => 1_400..1_440_i64, 1 => 0..30_i64])
}

/// Days on which the host calls one peer.
fn habit() -> Vec<Deed> {
    (-9..-2).map(|day| (Object::Sends(1), day, 540)).collect()
}

fn read(engine: &mut Engine, deeds: &[Deed]) {
    let mut reader = engine.reader();
    for deed in deeds {
        match (record(*deed), flows(*deed)) {
            (Some(record), _) => testkit::read(&mut reader, None, &[record]),
            (None, Some(call)) => {
                reader.begin(stable_hash(&[format!("{deed:?}").as_bytes()]), None);
                reader.flows(raw::ACCOUNT, 1, &[call]);
            }
            (None, None) => {}
        }
    }
    let chunk = reader.finish();
    engine.apply(&[chunk]).unwrap();
}

/// An engine that has read the days before today.
fn begun() -> Engine {
    let mut engine = engine();
    engine.note_changes();
    engine.note_touched();
    for deed in habit() {
        engine.advance(at(deed.1, "0:0")).unwrap();
        read(&mut engine, &[deed]);
    }
    engine.advance(at(0, "0:0")).unwrap();
    engine
}

fn by_id(findings: Vec<Finding>) -> BTreeMap<FindingId, Finding> {
    findings.into_iter().map(|one| (one.id, one)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48, failure_persistence: None, ..ProptestConfig::default()
    })]

    /// Whatever the order, however often, over ends and beginnings; and what is told on the way is what the
    /// close tells.
    #[test]
    fn joins_do_not_depend_on_how_logs_come(
        deeds in prop::collection::vec(deed(), 2..24),
        seed in any::<u64>(),
        n_per_batch in 1..6_usize,
        ends_after in 1..4_u64,
    ) {
        let mut plain = begun();
        let mut sorted = deeds.clone();
        sorted.sort_by_key(|(_, day, minute)| (*day, *minute));
        read(&mut plain, &sorted);
        let mut mixed: Vec<(u128, Deed)> = Vec::new();
        for (n, deed) in deeds.iter().chain(&deeds).enumerate() {
            let place = stable_hash(&[&seed.to_le_bytes(), &n.to_le_bytes()]);
            mixed.push((place, *deed));
        }
        mixed.sort_by_key(|(place, _)| *place);
        let mixed: Vec<Deed> = mixed.into_iter().map(|(_, deed)| deed).collect();
        let (mut other, mut kept) = (begun(), Kept::default());
        let mut told = by_id(other.judge_open().unwrap());
        other.take_findings();
        plain.take_findings();
        for (n, batch) in mixed.chunks(n_per_batch).enumerate() {
            read(&mut other, batch);
            kept.keep(&mut other);
            if (seed ^ n as u64).is_multiple_of(ends_after) {
                let mut next = engine();
                next.note_touched();
                other = kept.resumed(next);
            }
            told.extend(by_id(other.judge_open().unwrap()));
        }
        prop_assert!(plain.memory() == other.memory());
        // The second day can be judged once the day before today has closed.
        other.advance(at(1, "0:0")).unwrap();
        told.extend(by_id(other.judge_open().unwrap()));
        plain.advance(at(9, "0:0")).unwrap();
        other.advance(at(9, "0:0")).unwrap();
        let expected = by_id(plain.take_findings());
        prop_assert!(by_id(other.take_findings()) == expected);
        let joined = ["opened-then-entered", "egress-after-session"];
        for finding in expected.values().filter(|one| joined.contains(&&*one.about.id)) {
            prop_assert_eq!(told.get(&finding.id), Some(finding));
        }
        prop_assert!(plain.memory() == other.memory());
    }
}

#[test]
fn what_was_learned_holds_the_facts_of_its_days() {
    let mut learner = engine();
    let record = opens(HOME).at_ms(at(-3, "9:00")).raw();
    apply(&mut learner, &[record]);
    learner.close_before(TODAY).unwrap();
    let (mut next, mut texts) = (engine(), Texts::default());
    next.begin_after(Day(TODAY.0 - 1));
    let recalled = learner.learned(&mut |blob| next.recall(&blob, &mut texts));
    assert_eq!(recalled, Ok(()));
    assert!(next.facts == learner.facts);
    let visit = flows((Object::Visit(0), 0, 620)).unwrap();
    let logs = Logs::new().call(0, "10:00", opens(HOME)).flow(visit);
    let findings = logs.judged_by(&mut next);
    let finding = findings.iter().find(|one| one.about.id == "opened-then-entered").unwrap();
    assert_eq!(finding.severity, Severity::Low);
}

#[test]
fn a_day_has_so_many_facts_of_a_topic_whatever_the_order() {
    let n_more = 10;
    let fact = |n: usize| {
        let value = HashKey::DEFAULT.value(&format!("10.0.{}.{} eni-{n}", n >> 8, n & 255));
        let (account, topic) = (raw::ACCOUNT.into(), Topic::Holds);
        Fact { account, topic, value, slot: Slot::of(at(0, "10:00")), amount: 0, evidence: None }
    };
    let all: Vec<Fact> = (0..FACTS_MAX + n_more).map(fact).collect();
    let [mut up, mut down] = [Facts::default(), Facts::default()];
    for (one, other) in all.iter().zip(all.iter().rev()) {
        up.add(one);
        down.add(other);
    }
    assert!(up == down);
    assert_eq!((up.n_full(), down.n_full()), (1, 1));
    assert_eq!(up.of(raw::ACCOUNT).until(TODAY, (Topic::Holds, 0)).count(), FACTS_MAX);
    // Facts of another topic have room of their own, and all are forgotten in time.
    let other = Fact { topic: Topic::Session, ..fact(0) };
    assert!(up.add(&other));
    up.advance(Day(TODAY.0 + Topic::Holds.days_kept() + 1));
    assert_eq!(up.of(raw::ACCOUNT).until(TODAY, (Topic::Holds, 0)).count(), 0);
    assert_eq!(up.of(raw::ACCOUNT).until(TODAY, (Topic::Session, 0)).count(), 1);
    up.advance(Day(TODAY.0 + Topic::Session.days_kept() + 1));
    assert!(up.accounts.is_empty());
    assert_eq!(up.n_full(), 1);
}

#[test]
fn who_is_on_the_host_may_be_said_last_and_on_the_day_before() {
    // The agent speaks last; then, of a session on the second day, on the first.
    for deeds in [
        [(Object::Session, 0, 600), (Object::Sends(3), 0, 620), (Object::Agent, 0, 480)],
        [(Object::Session, 1, 600), (Object::Sends(3), 1, 620), (Object::Agent, 0, 480)],
    ] {
        let (mut engine, mut told) = (begun(), BTreeMap::new());
        engine.take_findings();
        if deeds[0].1 == 1 {
            read(&mut engine, &[(Object::Sends(1), 0, 540)]);
        }
        for deed in deeds {
            read(&mut engine, &[deed]);
            told.extend(by_id(engine.judge_open().unwrap()));
        }
        engine.advance(at(1, "0:0")).unwrap();
        told.extend(by_id(engine.judge_open().unwrap()));
        engine.advance(at(9, "0:0")).unwrap();
        let closed = engine.take_findings();
        let one = closed.iter().find(|one| &*one.about.id == "egress-after-session").unwrap();
        assert_eq!(told.get(&one.id), Some(one));
    }
}

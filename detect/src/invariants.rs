//! What must not depend on how logs come: order, batches, threads, redelivery, moments of closing.

use crate::{
    Chunk, Engine, Finding, Options, Reader, Rules,
    testkit::{self, Kept, apply, engine},
};
use baseline::{Day, Hour, form::Texts, time::HOUR_MS};
use ingest::{
    enrich::Enrich,
    flow::{Call, Lasting},
    testkit as raw,
};
use proptest::prelude::*;
use serde_json::json;
use std::sync::{Arc, LazyLock};

/// What somebody did: `n` calls, `gap_s` apart.
#[derive(Debug, Clone)]
struct Deed {
    who: u8,
    what: u8,
    from: u8,
    start_min: i64,
    gap_s: i64,
    n: u8,
}

/// Rules and correlations of every kind that more records only add to.
static RULES: LazyLock<Arc<Rules>> =
    LazyLock::new(|| testkit::rules(include_str!("invariants.yml")));

const DAYS: i64 = 5;
const ADDRESSES: [&str; 6] =
    ["8.8.8.8", "1.1.1.1", "18.236.0.1", "81.2.69.142", "10.0.0.7", "2001:4860:4860::8888"];

fn deed() -> impl Strategy<Value = Deed> {
    // Around midnight more often than by chance.
    let minute = prop_oneof![2 => 0..24 * 60_i64, 1 => 23 * 60 + 30..24 * 60_i64, 1 => 0..40_i64];
    let gap = prop_oneof![Just(1_i64), Just(20), Just(150), Just(299), Just(2_000)];
    (0..7_u8, 0..13_u8, 0..6_u8, (0..DAYS, minute), gap, 1..28_u8).prop_map(
        |(who, what, from, (day, minute), gap_s, n)| Deed {
            who,
            what,
            from,
            start_min: day * 24 * 60 + minute,
            gap_s,
            n,
        },
    )
}

fn record(deed: &Deed, i: u8, id: &str) -> (i64, String) {
    let who = match deed.who {
        0 => raw::iam_user("alice"),
        1 => raw::iam_user("bob"),
        2 => raw::sso_user("Admin", "carol@example.com"),
        3 => raw::instance_role("web", "i-0123456789abcdef0"),
        4 => raw::root(),
        5 => raw::role_session("deploy", &format!("job-{i}")),
        _ => raw::service("config.amazonaws.com"),
    };
    let call = raw::by(who);
    let call = match deed.what {
        0 => call.api("ec2:RunInstances").error("Client.UnauthorizedOperation"),
        1 => call.api(&format!("iam:List{i}")).error("AccessDenied"),
        2 => {
            call.api("secretsmanager:GetSecretValue").request(json!({"secretId": format!("s{i}")}))
        }
        3 => call.api("secretsmanager:BatchGetSecretValue").request(json!({"maxResults": 7})),
        4 => call.api("s3:DeleteObject").request(json!({"bucketName": format!("b{}", i % 2)})),
        5 => call.api("s3:PutObject").request(json!({
            "bucketName": "b", "x-amz-server-side-encryption-customer-algorithm": "AES256"})),
        6 => call.api("signin:ConsoleLogin").additional(json!({"MFAUsed": "Yes"})),
        7 => call.api("signin:ConsoleLogin").additional(json!({"MFAUsed": "No"})),
        8 => call.api("iam:CreateAccessKey").request(json!({"userName": "dave"})),
        9 => call.api("cloudtrail:StopLogging").request(json!({"name": "trail"})),
        12 => call.api("ec2:ModifySnapshotAttribute").request(json!({
            "createVolumePermission": {"add": {"items": [{"userId": format!("77778888{:04}", i % 3)}]}}})),
        10 => call
            .api(&format!("ec2:Describe{}", i % 5))
            .region(["eu-west-1", "us-east-1"][i as usize % 2]),
        _ => call.api("s3:GetObject").without("eventID"),
    };
    let account = if deed.start_min % 3 == 0 { "444455556666" } else { raw::ACCOUNT };
    let time_ms = testkit::at(0, "0:0") + (deed.start_min * 60 + deed.gap_s * i64::from(i)) * 1_000;
    let call = call.at_ms(time_ms).from_ip(ADDRESSES[deed.from as usize]).account(account);
    let call = call.set("requestID", json!(format!("r-{id}")));
    let call = if deed.what == 11 { call } else { call.id(&raw::uuid(id)) };
    (time_ms, call.raw())
}

fn records(deeds: &[Deed]) -> Vec<(i64, String)> {
    let calls = deeds
        .iter()
        .enumerate()
        .flat_map(|(n, deed)| (0..deed.n).map(move |i| record(deed, i, &format!("{n}-{i}"))));
    calls.collect()
}

fn world(n: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Deed>> {
    prop::collection::vec(deed(), n)
}

/// How records reach the engine.
#[derive(Debug, Clone)]
struct Delivery {
    seed: u64,
    copies_max: u64,
    object_max: usize,
    objects_per_chunk: usize,
    chunks_per_apply: usize,
    n_threads: usize,
    /// Of so many batches one is the last before the process ends, and another goes on; 0 for none.
    ends_after: u64,
    /// What may be held of profiles; the others are put away. Unit: bytes.
    room: Option<usize>,
    /// Records and profiles that are worked on at once.
    at_once: usize,
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let room = prop_oneof![Just(None), Just(Some(0)), Just(Some(64 << 10)), Just(Some(3 << 20))];
    let threads = prop_oneof![Just(1), Just(3)];
    (any::<u64>(), 1..=5_u64, 1..60_usize, 1..5_usize, 1..4_usize, threads, room).prop_map(
        |(seed, copies_max, object_max, objects_per_chunk, chunks_per_apply, n_threads, room)| {
            Delivery {
                seed,
                copies_max,
                object_max,
                objects_per_chunk,
                chunks_per_apply,
                n_threads,
                ends_after: 0,
                room,
                at_once: if seed % 3 == 0 { 7 } else { usize::MAX },
            }
        },
    )
}

/// One record after the other, each as its own object.
const PLAIN: Delivery = Delivery {
    seed: 0,
    copies_max: 1,
    object_max: 1,
    objects_per_chunk: 1,
    chunks_per_apply: 1,
    n_threads: 1,
    ends_after: 0,
    room: None,
    at_once: usize::MAX,
};

struct Object {
    stamp_ms: i64,
    records: Vec<usize>,
}

impl Delivery {
    fn random(&self, what: &str, of: u64) -> u64 {
        let hash = baseline::stable_hash(&[&self.seed.to_le_bytes(), what.as_bytes()]);
        u64::try_from(hash % u128::from(of)).unwrap()
    }

    fn random_ms(&self, what: &str, below_h: i64) -> i64 {
        i64::try_from(self.random(what, u64::try_from(below_h * HOUR_MS).unwrap())).unwrap()
    }

    /// Objects in the order in which they come. No record is later than 22 hours after its event,
    /// and no object comes when *now* is more than an hour ahead of its stamp.
    fn objects(&self, records: &[(i64, String)]) -> Vec<Object> {
        let is_plain = self.object_max == 1 && self.seed == 0;
        let mut arrivals = Vec::new();
        for (i, (time_ms, _)) in records.iter().enumerate() {
            for copy in 0..=self.random(&format!("copies {i}"), self.copies_max) {
                let late = self.random_ms(&format!("late {i} {copy}"), 20);
                arrivals.push((time_ms + if is_plain { 0 } else { late }, i));
            }
        }
        arrivals.sort_unstable();
        let mut objects: Vec<Object> = Vec::new();
        let mut first_ms = i64::MIN;
        for (arrival_ms, i) in arrivals {
            match objects.last_mut() {
                Some(object)
                    if object.records.len() < self.object_max
                        && arrival_ms - first_ms < 2 * HOUR_MS =>
                {
                    object.stamp_ms = arrival_ms;
                    object.records.push(i);
                }
                _ => {
                    first_ms = arrival_ms;
                    objects.push(Object { stamp_ms: arrival_ms, records: vec![i] });
                }
            }
        }
        let again: Vec<Object> = objects
            .iter()
            .enumerate()
            .filter(|(n, _)| self.random(&format!("again {n}"), 4) == 0 && !is_plain)
            .map(|(_, object)| Object {
                stamp_ms: object.stamp_ms,
                records: object.records.clone(),
            })
            .collect();
        objects.extend(again);
        for (n, object) in objects.iter_mut().enumerate() {
            object.records.sort_by_key(|i| self.random(&format!("place {n} {i}"), 1 << 40));
        }
        let disorder = |n: usize| if is_plain { 0 } else { self.random_ms(&format!("way {n}"), 1) };
        let mut order: Vec<_> = objects
            .into_iter()
            .enumerate()
            .map(|(n, o)| (o.stamp_ms + disorder(n), n, o))
            .collect();
        order.sort_by_key(|(when_ms, n, _)| (*when_ms, *n));
        order.into_iter().map(|(_, _, object)| object).collect()
    }

    /// Bounds an engine that has read nothing yet.
    fn bound(&self, engine: &mut Engine, kept: &Kept) {
        (engine.rows_at_once, engine.profiles_at_once) = (self.at_once, self.at_once);
        self.room.inspect(|room| kept.bound(engine, *room));
    }

    fn run(&self, records: &[(i64, String)]) -> (Engine, Vec<Finding>) {
        self.run_on(new_engine(), records, &|_| true)
    }

    /// What `engine` makes of them, of the objects with stamps that are wanted.
    fn run_on(
        &self,
        engine: Engine,
        records: &[(i64, String)],
        is_wanted: &(dyn Fn(i64) -> bool + Sync),
    ) -> (Engine, Vec<Finding>) {
        self.run_with((engine, &mut |_| ()), records, is_wanted)
    }

    /// The same, with what is done after each batch.
    fn run_with(
        &self,
        (mut engine, after_batch): (Engine, &mut (dyn FnMut(&mut Engine) + Send)),
        records: &[(i64, String)],
        is_wanted: &(dyn Fn(i64) -> bool + Sync),
    ) -> (Engine, Vec<Finding>) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.n_threads).build().unwrap();
        pool.install(move || {
            let mut objects = self.objects(records);
            objects.retain(|object| is_wanted(object.stamp_ms));
            // Chunks are made anew, or go on with what earlier ones worked out of texts.
            let keeps = self.seed % 2 == 1;
            let mut emptied: Vec<Chunk> = Vec::new();
            let (mut kept, mut findings) = (Kept::default(), Vec::new());
            self.bound(&mut engine, &kept);
            let mut rest = objects.as_slice();
            while let Some(first) = rest.first() {
                engine.advance(first.stamp_ms).unwrap();
                let open = engine.oldest_open_at(first.stamp_ms);
                let n_max = self.objects_per_chunk * self.chunks_per_apply;
                let n = rest
                    .iter()
                    .take(n_max)
                    .take_while(|object| engine.oldest_open_at(object.stamp_ms) == open)
                    .count();
                let (batch, others) = rest.split_at(n);
                rest = others;
                let chunks: Vec<Chunk> = batch
                    .chunks(self.objects_per_chunk)
                    .map(|objects| {
                        let mut reader = engine.reader_after(emptied.pop().unwrap_or_default());
                        for Object { stamp_ms, records: numbers } in objects {
                            let raw: Vec<_> = numbers.iter().map(|i| &records[*i].1).collect();
                            testkit::read(&mut reader, Some(*stamp_ms), &raw);
                        }
                        reader.finish()
                    })
                    .collect();
                engine.apply(&chunks).unwrap();
                after_batch(&mut engine);
                if keeps {
                    emptied.extend(chunks.into_iter().map(|chunk| chunk.emptied(usize::MAX)));
                }
                if self.ends_after > 0 {
                    findings.extend(engine.take_findings());
                    kept.keep(&mut engine);
                    if self.random(&format!("end {}", rest.len()), self.ends_after) == 0 {
                        let mut next = new_engine();
                        self.bound(&mut next, &kept);
                        if engine.touched.is_some() {
                            next.note_touched();
                        }
                        engine = kept.resumed(next);
                        emptied.clear();
                    }
                }
            }
            findings.extend(engine.take_findings());
            engine.hold_all(&kept.who_is_away());
            (engine, findings)
        })
    }
}

fn new_engine() -> Engine {
    let options = Options { rules: Arc::clone(&RULES), ..Options::default() };
    Engine::new(options, Enrich::built_in())
}

/// An engine that begins with what the days of `learner` before `day` have taught.
fn after(mut learner: Engine, day: Day) -> Engine {
    learner.close_before(day).unwrap();
    assert_eq!(learner.learned_through(), Some(Day(day.0 - 1)));
    let (mut engine, mut texts) = (new_engine(), Texts::default());
    engine.begin_after(Day(day.0 - 1));
    let recalled = learner.learned(&mut |blob| engine.recall(&blob, &mut texts));
    assert_eq!(recalled, Ok(()));
    engine
}

fn in_order(records: &[(i64, String)]) -> Vec<&(i64, String)> {
    let mut records: Vec<_> = records.iter().collect();
    records.sort_by_key(|(time_ms, _)| *time_ms);
    records
}

/// The end of all days, with days enough for every generation to be merged.
fn end_ms() -> i64 {
    testkit::at(i32::try_from(DAYS).unwrap() + 8, "0:0")
}

/// An object in which an interface and a peer, inside or outside, call `n` ports of each other.
fn scan(reader: &mut Reader<'_>, (day, minute, n, peer): (i32, i64, u16, u8)) {
    for port in 0..n {
        let interface = ["eni-a", "eni-b"][usize::from(peer % 2)];
        let end_ms = testkit::at(day, "0:0") + minute * 60_000 + i64::from(port) * 9_000;
        let network = if peer % 3 == 0 { 10 } else { 198 };
        let target = (
            [network, 51, 100, peer].into(),
            [22, 53, 443, 1_000 + port * 7][usize::from(port) % 4],
        );
        let one = testkit::flow(interface, target, end_ms);
        let mut opened = testkit::opened(one.end_s, u32::from(port));
        opened.add(one.start_s - 200, 4);
        let call = Call {
            is_inbound: port % 5 == 0,
            n_flows: 2,
            is_answered: port % 3 == 0,
            n_ports_of_peer: u32::from(n),
            opened,
            bytes: (u64::from(port) << 18, 900),
            packets: (u64::from(port) * 20_000, 9),
            lasting: (port % 7 == 0).then_some(Lasting { port, covered_s: 290 }),
            is_clear: (port % 5 == 0).then_some(port % 2 == 0),
            ..one
        };
        reader.flows(raw::ACCOUNT, 2, &[call]);
    }
}

/// A call that opened before midnight, on a day that was learned, and ended after it.
#[test]
fn a_call_over_midnight_opens_no_learned_day() {
    let mut engine = after(new_engine_with_a_day(), Day(testkit::TODAY.0));
    let mut reader = engine.reader();
    reader.begin(1, None);
    let peer = [198, 51, 100, 7].into();
    let one = testkit::flow("eni-a", (peer, 443), testkit::at(0, "0:02"));
    let mut opened = testkit::opened(one.end_s, 1);
    opened.add(one.end_s - 600, 1);
    reader.flows(raw::ACCOUNT, 1, &[Call { opened, ..one }]);
    let chunk = reader.finish();
    let days: Vec<Day> = chunk
        .objects
        .iter()
        .flat_map(|object| &object.flows)
        .flat_map(|aggregate| &aggregate.talks)
        .map(|(day, _)| *day)
        .collect();
    assert_eq!(days, [testkit::TODAY]);
    engine.apply(&[chunk]).unwrap();
}

/// An engine that has read one call of the day before today.
fn new_engine_with_a_day() -> Engine {
    let mut engine = new_engine();
    let mut reader = engine.reader();
    reader.begin(0, None);
    let one = testkit::flow("eni-a", ([198, 51, 100, 7].into(), 443), testkit::at(-1, "10:00"));
    reader.flows(raw::ACCOUNT, 1, &[one]);
    let chunk = reader.finish();
    engine.apply(&[chunk]).unwrap();
    engine
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn nothing_depends_on_how_records_come(deeds in world(4..16), delivery in delivery()) {
        let records = records(&deeds);
        let last_ms = records.iter().map(|(time_ms, _)| *time_ms).max().unwrap() + 24 * HOUR_MS;
        let (mut plain, mut expected) = PLAIN.run(&records);
        let (mut other, mut findings) = delivery.run(&records);
        prop_assert_eq!(other.intake().n_records, records.len() as u64);
        prop_assert_eq!(other.intake().n_late, 0);
        plain.advance(last_ms).unwrap();
        other.advance(last_ms).unwrap();
        prop_assert!(plain.memory() == other.memory(), "open days differ");
        plain.advance(end_ms()).unwrap();
        other.advance(end_ms()).unwrap();
        prop_assert!(plain.memory() == other.memory(), "what was learned differs");
        expected.extend(plain.take_findings());
        findings.extend(other.take_findings());
        prop_assert_eq!(findings, expected);
    }

    #[test]
    fn nothing_depends_on_when_days_close(deeds in world(4..16), step_h in 1..30_i64) {
        let records = records(&deeds);
        let (mut plain, mut expected) = PLAIN.run(&records);
        plain.advance(end_ms()).unwrap();
        expected.extend(plain.take_findings());

        let mut stepped = PLAIN.run(&[]).0;
        let mut findings = Vec::new();
        let mut now_ms = 0;
        for (time_ms, raw) in in_order(&records) {
            while now_ms < *time_ms {
                now_ms = if now_ms == 0 { *time_ms } else { time_ms.min(&(now_ms + step_h * HOUR_MS)).to_owned() };
                stepped.advance(now_ms).unwrap();
                findings.extend(stepped.take_findings());
            }
            apply(&mut stepped, &[raw]);
        }
        stepped.advance(end_ms()).unwrap();
        findings.extend(stepped.take_findings());
        prop_assert_eq!(&findings, &expected);
        prop_assert!(stepped.memory() == plain.memory(), "steps");

        let mut jumped = PLAIN.run(&[]).0;
        let raw: Vec<_> = records.iter().map(|(_, raw)| raw).collect();
        apply(&mut jumped, &raw);
        jumped.advance(end_ms()).unwrap();
        prop_assert_eq!(jumped.take_findings(), expected);
        prop_assert!(jumped.memory() == plain.memory(), "one jump");
    }

    #[test]
    fn flows_may_come_in_any_order_and_again(
        objects in prop::collection::vec(
            ((0..6_i32, 0..1_440_i64, 1..40_u16, 1..4_u8), 0..3_usize),
            1..24,
        ),
        seed in any::<u64>(),
        n_per_chunk in 1..5_usize,
        bytes_max in prop::option::of(0..2_usize),
    ) {
        let plain: Vec<_> = (0..objects.len()).collect();
        let mut mixed: Vec<_> = plain.iter().chain(&plain).copied().collect();
        let drawn = |n: usize| baseline::stable_hash(&[&seed.to_le_bytes(), &n.to_le_bytes()]);
        mixed.sort_by_key(|n| drawn(*n));
        let in_time = |n: usize| objects[n].0.0;
        // But for what reaches back into the day before, which has closed a day later.
        let may_be_late = |n: usize| objects[n].0.1 > 60 && drawn(n) % 3 == 0;
        let late = |n: usize| in_time(n) + i32::from(may_be_late(n));
        let run = |order: &[usize], comes_on: &dyn Fn(usize) -> i32, n_per_chunk, bytes_max| {
            let mut engine = engine();
            let kept = Kept::default();
            Option::inspect(bytes_max, |bytes_max| kept.bound(&mut engine, *bytes_max));
            // Days in order, objects of a day in any.
            for day in 0..7 {
                engine.advance(testkit::at(day, "0:0")).unwrap();
                let order: Vec<_> = order.iter().filter(|n| comes_on(**n) == day).collect();
                for chunk in order.chunks(n_per_chunk) {
                    let mut reader = engine.reader();
                    for n in chunk {
                        let (flows, log) = objects[**n];
                        reader.begin(**n as u128, None);
                        reader.of_flow_log([None, Some("fl-a"), Some("fl-b")][log]);
                        scan(&mut reader, flows);
                    }
                    let chunk = reader.finish();
                    engine.apply(&[chunk]).unwrap();
                }
            }
            engine.advance(end_ms()).unwrap();
            let findings = engine.take_findings();
            if bytes_max.is_some() {
                engine.hold_all(&kept.who_is_away());
            }
            (engine, findings)
        };
        let (plain, expected) = run(&plain, &in_time, 1, None);
        let (mixed, findings) = run(&mixed, &late, n_per_chunk, bytes_max);
        prop_assert_eq!(findings, expected);
        prop_assert!(plain.memory() == mixed.memory());
        prop_assert_eq!(plain.intake().n_flows, mixed.intake().n_flows);
        prop_assert_eq!(mixed.intake().n_duplicate_objects, objects.len() as u64);
    }

    #[test]
    fn what_was_learned_is_as_good_as_its_records(
        deeds in world(6..20),
        delivery in delivery(),
        n_days in 1..DAYS,
    ) {
        let records = records(&deeds);
        let day = Day(testkit::TODAY.0 + i32::try_from(n_days).unwrap());
        let (mut whole, mut expected) = delivery.run(&records);
        whole.advance(end_ms()).unwrap();
        expected.extend(whole.take_findings());
        expected.retain(|finding| finding.day >= day);

        let lateness = Options::default().lateness;
        let is_before = |stamp_ms| lateness.oldest_open(stamp_ms) < day;
        // Objects of learned days only may be there or not.
        for from in [i64::MIN, day.start_ms()] {
            let (learner, _) = delivery.run_on(new_engine(), &records, &is_before);
            let (mut rest, mut findings) =
                delivery.run_on(after(learner, day), &records, &|stamp_ms| stamp_ms >= from);
            rest.advance(end_ms()).unwrap();
            findings.extend(rest.take_findings());
            prop_assert_eq!(&findings, &expected);
            prop_assert!(rest.memory() == whole.memory(), "what was learned differs");
        }
    }

    #[test]
    fn an_engine_that_goes_on_is_as_good_as_one_that_never_ended(
        deeds in world(4..16),
        delivery in delivery(),
        ends_after in 1..6_u64,
    ) {
        let records = records(&deeds);
        let (mut whole, mut expected) = delivery.run(&records);
        let ending = Delivery { ends_after, ..delivery };
        let mut first = new_engine();
        first.note_changes();
        let (mut other, mut findings) = ending.run_on(first, &records, &|_| true);
        prop_assert!(whole.memory() == other.memory(), "open days differ");
        whole.advance(end_ms()).unwrap();
        other.advance(end_ms()).unwrap();
        prop_assert!(whole.memory() == other.memory(), "what was learned differs");
        expected.extend(whole.take_findings());
        findings.extend(other.take_findings());
        prop_assert_eq!(findings, expected);
    }

    #[test]
    fn silence_hides_and_changes_nothing(deeds in world(4..16), hour in 0..DAYS * 24) {
        let records = records(&deeds);
        let hour = Hour(testkit::TODAY.0 * 24 + i32::try_from(hour).unwrap());
        let [mut loud, mut silent] = [new_engine(), new_engine()];
        silent.say_nothing_before(hour);
        let mut found = [&mut loud, &mut silent].map(|engine| {
            let raw: Vec<_> = records.iter().map(|(_, raw)| raw).collect();
            apply(engine, &raw);
            engine.advance(end_ms()).unwrap();
            engine.take_findings()
        });
        prop_assert!(loud.memory() == silent.memory());
        for findings in &mut found {
            findings.retain(|finding| finding.day != hour.day());
        }
        let [expected, findings] = found;
        let expected: Vec<_> =
            expected.into_iter().filter(|finding| finding.day > hour.day()).collect();
        prop_assert_eq!(findings, expected);
    }

    #[test]
    fn hindsight_does_not_depend_on_how_records_come(
        deeds in world(4..12), delivery in delivery(), other in delivery(),
    ) {
        let records = records(&deeds);
        let run = |first: &Delivery, second: &Delivery| {
            let mut learner = new_engine();
            learner.learn_for_hindsight();
            let (mut learner, _) = first.run_on(learner, &records, &|_| true);
            learner.finish().unwrap();
            let (mut engine, mut findings) =
                second.run_on(learner.in_hindsight(), &records, &|_| true);
            engine.finish().unwrap();
            findings.extend(engine.take_findings());
            findings
        };
        prop_assert_eq!(run(&delivery, &other), run(&PLAIN, &PLAIN));
    }

    #[test]
    fn the_end_of_input_closes_like_time(deeds in world(4..12)) {
        let records = records(&deeds);
        let (mut plain, mut expected) = PLAIN.run(&records);
        plain.advance(end_ms()).unwrap();
        expected.extend(plain.take_findings());
        let (mut ended, mut findings) = PLAIN.run(&records);
        ended.finish().unwrap();
        findings.extend(ended.take_findings());
        prop_assert_eq!(findings, expected);
        ended.advance(end_ms()).unwrap();
        prop_assert!(ended.memory() == plain.memory());
        prop_assert!(ended.take_findings().is_empty());
    }

    #[test]
    fn more_records_never_lower_a_finding(deeds in world(4..14), more in world(1..6)) {
        let last_day = DAYS - 1;
        let mut larger = deeds.clone();
        larger.extend(more.into_iter().map(|deed| Deed {
            start_min: deed.start_min % (24 * 60) + last_day * 24 * 60,
            ..deed
        }));
        let found = |deeds: &[Deed]| {
            let (mut engine, mut findings) = PLAIN.run(&records(deeds));
            engine.finish().unwrap();
            findings.extend(engine.take_findings());
            findings
        };
        let (fewer, larger) = (found(&deeds), found(&larger));
        for finding in fewer {
            let same = larger.iter().find(|larger| larger.id == finding.id);
            let same = same.map(|same| (same.severity, same.bits(), same.n_hours, same.history_days));
            prop_assert!(
                same.is_some_and(|(severity, bits, n_hours, days)| (severity, bits) >= (finding.severity, finding.bits())
                    && n_hours >= finding.n_hours
                    && days == finding.history_days),
                "{:?} of {:#?}", same, finding
            );
        }
    }
}

mod on_the_way;
mod settings;

use std::sync::Mutex;
use std::time::Instant;

use super::super::super::{Object, Skip};
use super::super::{Counts, RETRY_S_DEFAULT};
use super::*;
use crate::time::Stretch;

const TIMEOUT: Duration = Duration::from_secs(30);
const RECEIVES_MAX: u32 = 5;

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Knows keys, or keys of one entity tag.
#[derive(Default)]
struct Known(Vec<(String, Option<String>)>);

impl Ledger for Known {
    fn has_read(&self, key: &str, _: Option<u64>, etag: Option<&str>) -> bool {
        self.0
            .iter()
            .any(|(known, tag)| known == key && tag.as_deref().is_none_or(|tag| Some(tag) == etag))
    }
}

struct Bench {
    desk: Desk,
    counters: Arc<Counters>,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Bench {
    fn new(known: Known) -> Self {
        Self::with(known, OBJECT_BYTES_MAX, Filter::default())
    }

    fn with(known: Known, bytes_max: u64, filter: Filter) -> Self {
        let (counters, events) = (Arc::<Counters>::default(), Arc::<Mutex<Vec<Event>>>::default());
        let told = Arc::clone(&events);
        let desk = Desk::new(Rules {
            filter,
            queue: QueueRules { timeout: TIMEOUT, receives_max: Some(RECEIVES_MAX) },
            bytes_max,
            retry_s: RETRY_S_DEFAULT,
            ledger: Arc::new(known),
            counters: Arc::clone(&counters),
            tell: Arc::new(move |event| told.lock().unwrap().push(event)),
        });
        Self { desk, counters, events }
    }

    /// A message that names these keys, with the size 100 and the entity tag `old`.
    fn receive(&mut self, handle: &str, keys: &[&str]) -> Vec<Action> {
        self.receive_body(handle, &created(keys), 1)
    }

    fn receive_body(&mut self, handle: &str, body: &str, receive_count: u32) -> Vec<Action> {
        let (body, handle) = (body.to_owned(), handle.to_owned());
        self.desk.received(Received { body, handle, receive_count }, s(0));
        self.desk.actions()
    }

    fn fetched(&mut self, part: PartId, n_bytes: usize, etag: &str) -> Vec<Action> {
        let fetched = Fetched {
            bytes: vec![0; n_bytes],
            etag: Some(Box::from(etag)),
            got: Stretch::since(Instant::now()),
        };
        self.desk.fetched(part, Some(Ok(fetched)));
        self.desk.actions()
    }

    fn failed(&mut self, part: PartId, error: S3Error) -> Vec<Action> {
        self.desk.fetched(part, Some(Err(error)));
        self.desk.actions()
    }

    fn hand(&mut self) -> (PartId, Object) {
        assert!(self.desk.can_hand());
        let Handed { part, object, .. } = self.desk.hand().unwrap();
        (part, object)
    }

    fn answered(&mut self, part: PartId, outcome: Outcome) -> Vec<Action> {
        self.desk.answered(part, Some(outcome));
        self.desk.actions()
    }

    fn tick(&mut self, now: Duration) -> Vec<Action> {
        self.desk.tick(now);
        self.desk.actions()
    }

    fn counts(&self) -> Counts {
        self.counters.snapshot()
    }

    fn last_event(&self) -> Event {
        self.events.lock().unwrap().last().unwrap().clone()
    }
}

fn key(name: &str) -> String {
    format!(
        "AWSLogs/111122223333/CloudTrail/us-east-1/2025/03/14/111122223333_CloudTrail_us-east-1_20250314T1000Z_{name}.json.gz"
    )
}

fn created(names: &[&str]) -> String {
    let records =
        names.iter().map(|name| record("ObjectCreated:Put", &key(name))).collect::<Vec<_>>();
    format!("{{\"Records\":[{}]}}", records.join(","))
}

fn record(event: &str, key: &str) -> String {
    format!(
        r#"{{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"{event}","s3":{{"bucket":{{"name":"logs"}},"object":{{"key":"{key}","size":100,"eTag":"old"}}}}}}"#
    )
}

fn part(message: u64, part: usize) -> PartId {
    PartId { message, part }
}

fn delete(handle: &str) -> Vec<Action> {
    vec![Action::Delete { handle: handle.to_owned() }]
}

fn delay(handle: &str, delay_s: u32) -> Vec<Action> {
    vec![Action::Delay { handle: handle.to_owned(), delay_s }]
}

fn release(handle: &str) -> Vec<Action> {
    vec![Action::Release { handle: handle.to_owned() }]
}

fn at() -> String {
    "s3://logs/a".to_owned()
}

/// The parts that are to be read.
fn fetches(actions: &[Action]) -> Vec<PartId> {
    let part = |action: &Action| match action {
        Action::Fetch { part, .. } => Some(*part),
        _ => None,
    };
    actions.iter().filter_map(part).collect()
}

#[test]
fn a_message_is_deleted_when_its_last_object_is_durable() {
    let mut bench = Bench::new(Known::default());
    let actions = bench.receive("m", &["a", "b"]);
    assert_eq!(fetches(&actions), [part(0, 0), part(0, 1)]);
    assert_eq!(bench.fetched(part(0, 1), 100, "old"), []);
    assert_eq!(bench.fetched(part(0, 0), 100, "old"), []);
    // In the order in which they came.
    let (first, object) = bench.hand();
    assert_eq!((first, object.key()), (part(0, 1), key("b").as_str()));
    let (second, _) = bench.hand();
    assert_eq!(bench.answered(first, Outcome::Durable), []);
    assert_eq!(bench.answered(second, Outcome::Durable), delete("m"));
    assert!(bench.desk.is_empty() && bench.desk.next().is_none());
    let counts = bench.counts();
    assert_eq!((counts.objects_handed, counts.objects_durable), (2, 2));
    assert_eq!((counts.messages_received, counts.bytes_read), (1, 200));
}

#[test]
fn what_the_ledger_knows_is_not_read_again() {
    let mut bench = Bench::new(Known(vec![(key("a"), None)]));
    let actions = bench.receive("m", &["a", "b"]);
    assert_eq!(fetches(&actions), [part(0, 0)]);
    assert_eq!(bench.receive("all", &["a"]), delete("all"));
    assert_eq!(bench.counts().objects_known, 2);
}

#[test]
fn an_object_that_is_another_than_announced_is_looked_up_as_what_it_is() {
    let mut bench = Bench::new(Known(vec![(key("a"), Some("new".to_owned()))]));
    assert_eq!(fetches(&bench.receive("m", &["a"])), [part(0, 0)]);
    assert_eq!(bench.fetched(part(0, 0), 100, "new"), delete("m"));
    assert_eq!(bench.counts().objects_known, 1);
    // As announced it is not looked up again, and not known.
    assert_eq!(fetches(&bench.receive("n", &["a"])), [part(1, 0)]);
    assert_eq!(bench.fetched(part(1, 0), 100, "old"), []);
    assert!(bench.desk.can_hand());
}

#[test]
fn what_is_not_to_be_read_counts_as_done() {
    let filter = Filter { accounts: vec!["444455556666".to_owned()], ..Filter::default() };
    let mut bench = Bench::with(Known::default(), OBJECT_BYTES_MAX, filter);
    assert_eq!(bench.receive("account", &["a"]), delete("account"));
    let removed = format!("{{\"Records\":[{}]}}", record("ObjectRemoved:Delete", &key("a")));
    assert_eq!(bench.receive_body("removed", &removed, 1), delete("removed"));
    let digest = "AWSLogs/444455556666/CloudTrail-Digest/us-east-1/2025/03/14/x.json.gz";
    let digest = format!("{{\"Records\":[{}]}}", record("ObjectCreated:Put", digest));
    assert_eq!(bench.receive_body("digest", &digest, 1), delete("digest"));
    let counts = bench.counts();
    assert_eq!(counts.objects_not_created, 1);
    let skipped = [Skip::Account, Skip::Digest].map(|skip| counts.objects_skipped.count(skip));
    assert_eq!(skipped, [1, 1]);
}

#[test]
fn tests_and_validations_are_deleted_and_the_unknown_never_is() {
    let mut bench = Bench::new(Known::default());
    for (handle, body) in [
        ("test", r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"logs"}"#),
        ("validation", "CloudTrail validation message."),
    ] {
        assert_eq!(bench.receive_body(handle, body, 1), delete(handle));
    }
    assert_eq!(bench.counts().messages_without_objects, 2);
    for (count, expected_s) in [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (9, 480)] {
        assert_eq!(bench.receive_body("odd", "{\"a\":1}", count), delay("odd", expected_s));
    }
    assert_eq!(bench.counts().retries[&Retry::UnknownEnvelope], 6);
    let Event { level, sentence } = bench.last_event();
    assert_eq!(level, Level::Error);
    assert!(sentence.ends_with("it goes to the dead-letter queue after 9 times"), "{sentence}");
}

#[test]
fn one_failed_object_keeps_its_message_and_no_other() {
    let mut bench = Bench::new(Known::default());
    bench.receive("m", &["a", "b"]);
    let denied = S3Error::Denied { at: at(), code: "AccessDenied".to_owned() };
    assert_eq!(bench.failed(part(0, 0), denied), [], "the other is read on");
    bench.fetched(part(0, 1), 100, "old");
    let (handed, _) = bench.hand();
    assert_eq!(bench.answered(handed, Outcome::Durable), delay("m", 30));
    let counts = bench.counts();
    assert_eq!((counts.retries[&Retry::Denied], counts.objects_failed), (1, 1));
}

#[test]
fn each_failure_has_its_reason() {
    let reason = "Any".to_owned();
    let code = reason.clone();
    for (error, retry, level) in [
        (S3Error::Gone { at: at(), code: code.clone() }, Retry::Gone, Level::Error),
        (S3Error::Denied { at: at(), code }, Retry::Denied, Level::Warn),
        (S3Error::Changed { at: at() }, Retry::Changed, Level::Warn),
        (
            S3Error::Unavailable { at: at(), reason: reason.clone() },
            Retry::Unavailable,
            Level::Warn,
        ),
        (S3Error::Other { at: at(), reason }, Retry::Other, Level::Warn),
    ] {
        let mut bench = Bench::new(Known::default());
        bench.receive("m", &["a"]);
        assert_eq!(bench.failed(part(0, 0), error), delay("m", 30));
        assert_eq!(bench.counts().retries[&retry], 1, "{retry:?}");
        assert_eq!(bench.events.lock().unwrap()[0].level, level, "{retry:?}");
    }
}

#[test]
fn an_undecodable_object_comes_again() {
    let mut bench = Bench::new(Known::default());
    bench.receive("m", &["a"]);
    bench.fetched(part(0, 0), 100, "old");
    let (handed, _) = bench.hand();
    let outcome = Outcome::Failed { reason: "truncated gzip member".to_owned() };
    assert_eq!(bench.answered(handed, outcome), delay("m", 30));
    let told = &bench.events.lock().unwrap()[0].sentence;
    assert_eq!(*told, format!("s3://logs/{}: truncated gzip member", key("a")));
}

#[test]
fn leases_are_extended_until_the_end_of_the_message() {
    let mut bench = Bench::new(Known::default());
    bench.receive("m", &["a"]);
    let extend = |message| Action::Extend { message, handle: "m".to_owned(), timeout_s: 30 };
    assert_eq!(bench.desk.next(), Some(s(10)));
    for at in [10, 20, 30, 40] {
        assert_eq!(bench.tick(s(at)), [extend(0)]);
        bench.desk.extended(0, Extension::Done);
    }
    bench.fetched(part(0, 0), 100, "old");
    let (handed, _) = bench.hand();
    assert_eq!(bench.tick(s(50)), [extend(0)]);
    assert_eq!(bench.answered(handed, Outcome::Durable), delete("m"));
    assert_eq!(bench.counts().extensions_ok, 4);
}

#[test]
fn lost_before_it_was_handed_over_it_is_dropped() {
    let mut bench = Bench::new(Known::default());
    bench.receive("m", &["a", "b"]);
    bench.fetched(part(0, 0), 100, "old");
    bench.tick(s(10));
    bench.desk.extended(0, Extension::Refused);
    assert_eq!(bench.desk.actions(), [Action::Abandon(part(0, 1))]);
    assert!(bench.desk.is_empty() && !bench.desk.can_hand());
    bench.desk.fetched(part(0, 1), None);
    let counts = bench.counts();
    assert_eq!((counts.receipts_lost, counts.extensions_failed), (1, 1));
    assert_eq!(bench.desk.held_bytes, 0);
    assert_eq!(bench.desk.n_fetching, 0);
}

#[test]
fn lost_after_it_was_handed_over_it_is_finished_and_left() {
    let mut bench = Bench::new(Known::default());
    bench.receive("m", &["a"]);
    bench.fetched(part(0, 0), 100, "old");
    let (handed, _) = bench.hand();
    // No extension came through in time.
    for at in [10, 20, 30] {
        bench.tick(s(at));
        bench.desk.extended(0, Extension::Failed);
    }
    assert_eq!(bench.counts().receipts_lost, 1);
    assert!(!bench.desk.is_empty());
    assert_eq!(bench.answered(handed, Outcome::Durable), []);
    assert!(bench.desk.is_empty());
}

#[test]
fn a_stop_gives_back_what_was_not_handed_over() {
    let mut bench = Bench::new(Known::default());
    bench.receive("handed", &["a"]);
    bench.receive("ready", &["b"]);
    bench.receive("half", &["c", "d"]);
    bench.fetched(part(0, 0), 100, "old");
    bench.fetched(part(2, 0), 100, "old");
    let (handed, half) = (bench.hand().0, bench.hand().0);
    bench.fetched(part(1, 0), 100, "old");
    bench.desk.stop();
    let actions = bench.desk.actions();
    assert_eq!(actions, [release("ready"), vec![Action::Abandon(part(2, 1))]].concat());
    assert_eq!(bench.desk.room(), 0);
    assert_eq!(bench.receive("late", &["e"]), release("late"));
    assert_eq!(bench.answered(handed, Outcome::Durable), delete("handed"));
    assert_eq!(bench.answered(half, Outcome::Durable), release("half"));
    assert!(bench.desk.is_empty());
    assert_eq!(bench.counts().messages_released, 3);
}

#[test]
fn a_receipt_that_was_dropped_delays_its_message() {
    let mut bench = Bench::new(Known::default());
    bench.receive("m", &["a"]);
    bench.fetched(part(0, 0), 100, "old");
    let (handed, _) = bench.hand();
    bench.desk.answered(handed, None);
    assert_eq!(bench.desk.actions(), delay("m", 30));
    assert_eq!(bench.counts().retries[&Retry::Unanswered], 1);
}

#[test]
fn no_more_is_read_at_a_time_than_there_is_room_for() {
    let mut bench = Bench::with(Known::default(), 250, Filter::default());
    let actions = bench.receive("m", &["a", "b", "c"]);
    assert_eq!(fetches(&actions), [part(0, 0), part(0, 1)], "200 of 250 bytes");
    bench.fetched(part(0, 0), 100, "old");
    assert_eq!(bench.desk.room(), 0, "what was read waits for its reader");
    let (handed, _) = bench.hand();
    assert_eq!(fetches(&bench.desk.actions()), []);
    assert_eq!(fetches(&bench.answered(handed, Outcome::Durable)), [part(0, 2)]);
}

#[test]
fn an_object_larger_than_announced_is_read_with_room_for_it() {
    let mut bench = Bench::with(Known::default(), 1_000, Filter::default());
    bench.receive("m", &["a"]);
    let larger = |bytes, limit| S3Error::TooLarge { at: at(), bytes, limit };
    let actions = bench.failed(part(0, 0), larger(900, 100));
    assert!(matches!(actions[..], [Action::Fetch { bytes_max: 900, .. }]), "{actions:?}");
    // Larger than all the room there is.
    assert_eq!(bench.failed(part(0, 0), larger(1_001, 900)), delay("m", 30));
    assert_eq!(bench.counts().retries[&Retry::TooLarge], 1);
}

#[test]
fn only_as_many_messages_are_asked_for_as_can_begin() {
    let mut bench = Bench::new(Known::default());
    assert_eq!(bench.desk.room(), BATCH_MAX);
    let names: Vec<String> = (0..FETCHES_MAX - 3).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let actions = bench.receive("m", &names);
    assert_eq!((fetches(&actions).len(), bench.desk.room()), (FETCHES_MAX - 3, 3));
    bench.receive("n", &["a", "b", "c", "d"]);
    assert_eq!((bench.desk.room(), bench.desk.waiting.len()), (0, 1));
}

#[test]
fn no_more_receipts_are_out_than_there_is_room_for_answers() {
    let mut bench = Bench::new(Known::default());
    for n in 0..=RECEIPTS_MAX as u64 {
        bench.receive("m", &["a"]);
        bench.fetched(part(n, 0), 1, "old");
        assert_eq!(bench.desk.can_hand(), n < RECEIPTS_MAX as u64);
        if bench.desk.can_hand() {
            bench.hand();
        }
    }
    assert_eq!(bench.desk.room(), 0);
    bench.answered(part(0, 0), Outcome::Durable);
    assert!(bench.desk.can_hand());
}

#[test]
fn a_message_names_an_object_once() {
    let mut bench = Bench::new(Known::default());
    assert_eq!(fetches(&bench.receive("m", &["a", "a"])), [part(0, 0)]);
}

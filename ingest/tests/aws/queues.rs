//! Queues consumed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ingest::source::s3::Buckets;
use ingest::source::sqs::{
    Consumer, Counters, Counts, Delivery, Event, Ledger, Outcome, Retry, Settings, SqsError, Tell,
};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::access::session;
use super::proxy::{Fault, Proxy};
use super::servers::{Server, server};

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Knows the keys that it was told.
#[derive(Default)]
struct Known(Mutex<Vec<String>>);

impl Ledger for Known {
    fn has_read(&self, key: &str, _: Option<u64>, _: Option<&str>) -> bool {
        self.0.lock().unwrap().iter().any(|known| known == key)
    }
}

/// A bucket and a queue of one name, behind a proxy.
struct Bench {
    server: &'static Server,
    proxy: Proxy,
    name: &'static str,
    queue: String,
    dead: String,
    known: Arc<Known>,
    events: Arc<Mutex<Vec<Event>>>,
}

/// A consumer at work; aborted when it is dropped, as if its machine had died.
struct Run {
    deliveries: mpsc::Receiver<Delivery>,
    stop: watch::Sender<bool>,
    counters: Arc<Counters>,
    tasks: JoinSet<()>,
}

impl Bench {
    fn new(name: &'static str, timeout_s: u32) -> Self {
        let server = server();
        let (queue, dead) = server.queue_with_dead_letters(name, timeout_s, 5);
        server.bucket(name);
        let proxy = Proxy::before(&server.address);
        Self { server, proxy, name, queue, dead, known: Arc::default(), events: Arc::default() }
    }

    /// Puts an object and tells the queue of it.
    fn put(&self, key: &str) {
        self.server.put(self.name, key, &[b'x'; 1_000]);
        self.tell(&[key]);
    }

    fn tell(&self, keys: &[&str]) {
        self.server.send(&self.queue, &cloudtrail(self.name, keys));
    }

    async fn run(&self) -> Run {
        self.run_with(100, Settings { retry_s: 0, ..Settings::of(&self.queue) }).await
    }

    async fn run_with(&self, places: usize, settings: Settings) -> Run {
        let session = session(self.proxy.endpoint()).await;
        let (deliveries, taken) = mpsc::channel(places);
        let (stop, stopped) = watch::channel(false);
        let (ledger, events) = (Arc::clone(&self.known), Arc::clone(&self.events));
        let tell: Tell = Arc::new(move |event| events.lock().unwrap().push(event));
        let buckets = Buckets::new(&session);
        let consumer = Consumer::open(&session, buckets, settings, ledger, tell).await.unwrap();
        let counters = consumer.counters();
        let mut tasks = JoinSet::new();
        tasks.spawn(consumer.run(deliveries, stopped));
        Run { deliveries: taken, stop, counters, tasks }
    }

    async fn until_messages(&self, expected: (u64, u64)) {
        until(&format!("{expected:?} messages"), || self.server.messages(&self.queue) == expected)
            .await;
    }

    fn calls(&self, action: &str) -> usize {
        self.proxy.requests(action).len()
    }
}

impl Run {
    async fn delivery(&mut self) -> Delivery {
        tokio::time::timeout(PATIENCE, self.deliveries.recv()).await.unwrap().unwrap()
    }

    fn counts(&self) -> Counts {
        self.counters.snapshot()
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Counts) -> bool) {
        until(what, || is_so(&self.counts())).await;
    }

    async fn end(mut self) {
        tokio::time::timeout(PATIENCE, self.tasks.join_next()).await.unwrap().unwrap().unwrap();
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let all = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, all).await.is_ok(), "never: {what}");
}

fn cloudtrail(bucket: &str, keys: &[&str]) -> String {
    serde_json::json!({"s3Bucket": bucket, "s3ObjectKey": keys}).to_string()
}

fn event_bridge(bucket: &str, key: &str) -> String {
    serde_json::json!({
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": bucket}, "object": {"key": key, "size": 1_000}},
    })
    .to_string()
}

fn sns(message: &str) -> String {
    serde_json::json!({"Type": "Notification", "MessageId": "1", "Message": message}).to_string()
}

#[tokio::test]
async fn all_shapes_of_messages_lead_to_deliveries() {
    let bench = Bench::new("shapes", 30);
    let lake = "aws-security-data-lake-us-east-1-abcdefghijklmnop";
    bench.server.bucket(lake);
    for name in ["bridge", "sns", "trail", "twice"] {
        bench.server.put(bench.name, &format!("{name}.json"), b"x");
    }
    bench.server.put(lake, "lake.json", b"x");
    // This makes S3 send its test message; the object then comes by a real notification.
    bench.server.notify(bench.name, "shapes");
    bench.server.put(bench.name, "s3 event.json", b"x");
    for body in [
        event_bridge(bench.name, "bridge.json"),
        event_bridge(lake, "lake.json"),
        sns(&cloudtrail(bench.name, &["sns.json"])),
        cloudtrail(bench.name, &["trail.json", "twice.json"]),
        "CloudTrail validation message.".to_owned(),
    ] {
        bench.server.send(&bench.queue, &body);
    }
    let mut run = bench.run().await;
    let mut keys = Vec::new();
    for _ in 0..6 {
        let Delivery { object, bytes, receipt, .. } = run.delivery().await;
        assert_eq!(bytes, b"x");
        keys.push(object.key().to_string());
        receipt.answer(Outcome::Durable);
    }
    keys.sort();
    assert_eq!(
        keys,
        ["bridge.json", "lake.json", "s3 event.json", "sns.json", "trail.json", "twice.json"]
    );
    run.until("seven deletions", |counts| counts.messages_deleted == 7).await;
    bench.until_messages((0, 0)).await;
    let counts = run.counts();
    assert_eq!((counts.messages_without_objects, counts.objects_durable), (2, 6));
    // What was done is known now: told again, it is deleted and not read.
    bench.known.0.lock().unwrap().push("trail.json".to_owned());
    bench.tell(&["trail.json"]);
    run.until("a known object", |counts| counts.messages_deleted == 8).await;
    assert_eq!((run.counts().objects_known, run.counts().objects_handed), (1, 6));
}

#[tokio::test]
async fn what_a_dead_consumer_had_comes_again() {
    let bench = Bench::new("died", 1);
    bench.put("a.json");
    let mut first = bench.run().await;
    let held = first.delivery().await;
    assert_eq!(first.counts().messages_deleted, 0);
    drop(first);
    let mut second = bench.run().await;
    let again = second.delivery().await;
    assert_eq!(again.object, held.object);
    again.receipt.answer(Outcome::Durable);
    // The answer to whoever is gone changes nothing.
    held.receipt.answer(Outcome::Failed { reason: "too late".to_owned() });
    second.until("a deletion", |counts| counts.messages_deleted == 1).await;
    bench.until_messages((0, 0)).await;
}

#[tokio::test]
async fn a_slow_object_stays_invisible_and_is_read_once() {
    let bench = Bench::new("slow", 1);
    bench.server.put(bench.name, "slow.json", &[b'x'; 2_500]);
    bench.proxy.fault("/slow/slow.json", 1, Fault::Slow);
    bench.tell(&["slow.json"]);
    let mut run = bench.run().await;
    let delivery = run.delivery().await;
    assert_eq!(delivery.bytes.len(), 2_500);
    // As long again until its epoch is committed.
    run.until("eight extensions", |counts| counts.extensions_ok >= 8).await;
    delivery.receipt.answer(Outcome::Durable);
    run.until("a deletion", |counts| counts.messages_deleted == 1).await;
    bench.until_messages((0, 0)).await;
    let counts = run.counts();
    assert_eq!((counts.messages_received, counts.receipts_lost), (1, 0));
    assert_eq!(bench.calls("/slow/slow.json"), 1);
}

#[tokio::test]
async fn what_cannot_be_done_ends_among_the_dead_letters() {
    let bench = Bench::new("poison", 30);
    bench.server.send(&bench.queue, "not a notification");
    bench.tell(&["gone.json"]);
    bench.put("damaged.json");
    let mut run = bench.run().await;
    for _ in 0..5 {
        let delivery = run.delivery().await;
        delivery.receipt.answer(Outcome::Failed { reason: "bad gzip".to_owned() });
    }
    until("three dead letters", || bench.server.messages(&bench.dead).0 == 3).await;
    bench.until_messages((0, 0)).await;
    let counts = run.counts();
    assert_eq!(counts.messages_deleted, 0);
    for retry in [Retry::UnknownEnvelope, Retry::Gone, Retry::Undecodable] {
        assert_eq!(counts.retries.get(&retry), Some(&5), "{retry:?}");
    }
    let events = bench.events.lock().unwrap();
    let last =
        "a message is not done (undecodable); it goes to the dead-letter queue after 5 times";
    assert!(events.iter().any(|event| event.sentence == last), "{events:#?}");
}

#[tokio::test]
async fn an_object_that_cannot_be_had_is_not_asked_for_in_a_hot_loop() {
    let bench = Bench::new("refused", 30);
    bench.put("a.json");
    bench.put("b.json");
    bench.proxy.fault("/refused/a.json", 100, Fault::Answer(403, "AccessDenied"));
    bench.proxy.fault("/refused/b.json", 1, Fault::Answer(403, "AccessDenied"));
    let mut run = bench.run_with(10, Settings { retry_s: 1, ..Settings::of(&bench.queue) }).await;
    // Its second try, a second after the first.
    let delivery = run.delivery().await;
    assert_eq!(delivery.object.key(), "b.json");
    delivery.receipt.answer(Outcome::Durable);
    run.until("a deletion", |counts| counts.messages_deleted == 1).await;
    let counts = run.counts();
    let asked = bench.calls("/refused/a.json");
    assert!(asked as u64 <= counts.retries[&Retry::Denied] + 1, "{asked} {counts:?}");
    assert!((1..=2).contains(&asked), "{asked}");
}

#[tokio::test]
async fn a_deletion_whose_answer_was_lost_is_sent_again() {
    let bench = Bench::new("lost-reply", 30);
    bench.proxy.fault("DeleteMessageBatch", 1, Fault::DropReply);
    bench.put("a.json");
    let mut run = bench.run().await;
    run.delivery().await.receipt.answer(Outcome::Durable);
    run.until("a deletion", |counts| counts.messages_deleted == 1).await;
    bench.until_messages((0, 0)).await;
    assert_eq!(bench.calls("DeleteMessageBatch"), 2);
}

#[tokio::test]
async fn deletions_go_together_and_a_failed_one_is_tried_three_times() {
    let bench = Bench::new("deletions", 30);
    for n in 0..10 {
        bench.put(&format!("{n}.json"));
    }
    // No error that the SDK sends again by itself.
    bench.proxy.fault("DeleteMessageBatch", 2, Fault::Answer(400, "InvalidAddress"));
    let mut run = bench.run().await;
    let mut receipts = Vec::new();
    for _ in 0..10 {
        receipts.push(run.delivery().await.receipt);
    }
    for receipt in receipts {
        receipt.answer(Outcome::Durable);
    }
    run.until("ten deletions", |counts| counts.messages_deleted == 10).await;
    assert_eq!(bench.calls("DeleteMessageBatch"), 3);
    bench.put("never.json");
    bench.proxy.fault("DeleteMessageBatch", 3, Fault::Answer(400, "InvalidAddress"));
    run.delivery().await.receipt.answer(Outcome::Durable);
    run.until("it is given up", |counts| counts.deletions_failed == 1).await;
    assert_eq!(bench.calls("DeleteMessageBatch"), 6);
}

#[tokio::test]
async fn a_receipt_lost_before_the_delivery_drops_the_object() {
    let bench = Bench::new("stale-early", 3);
    bench.server.put(bench.name, "a.json", &[b'x'; 1_000]);
    bench.proxy.fault("/stale-early/a.json", 1, Fault::Delay(Duration::from_secs(3)));
    bench.proxy.fault("ChangeMessageVisibility", 1, Fault::Answer(400, "InvalidParameterValue"));
    bench.tell(&["a.json"]);
    let mut run = bench.run().await;
    run.until("a lost receipt", |counts| counts.receipts_lost == 1).await;
    assert_eq!(run.counts().objects_handed, 0);
    // It comes again, and then goes through.
    run.delivery().await.receipt.answer(Outcome::Durable);
    run.until("a deletion", |counts| counts.messages_deleted == 1).await;
    let counts = run.counts();
    assert_eq!((counts.messages_received, counts.objects_handed), (2, 1));
}

#[tokio::test]
async fn a_receipt_lost_after_the_delivery_leaves_the_message_to_the_ledger() {
    let bench = Bench::new("stale-late", 3);
    bench.put("a.json");
    bench.proxy.fault("ChangeMessageVisibility", 1, Fault::Answer(400, "InvalidParameterValue"));
    let mut run = bench.run().await;
    let delivery = run.delivery().await;
    run.until("a lost receipt", |counts| counts.receipts_lost == 1).await;
    bench.known.0.lock().unwrap().push("a.json".to_owned());
    delivery.receipt.answer(Outcome::Durable);
    run.until("the redelivery is known", |counts| counts.objects_known == 1).await;
    run.until("a deletion", |counts| counts.messages_deleted == 1).await;
    assert_eq!(bench.calls("DeleteMessageBatch"), 1, "of the second receipt only");
    bench.until_messages((0, 0)).await;
}

#[tokio::test]
async fn a_stop_gives_messages_back_and_waits_for_what_was_handed_over() {
    let bench = Bench::new("stopped", 600);
    bench.put("handed.json");
    let mut run = bench.run().await;
    let delivery = run.delivery().await;
    bench.proxy.fault("slow", 100, Fault::Slow);
    for n in 0..5 {
        let key = format!("slow{n}.json");
        bench.server.put(bench.name, &key, &vec![b'x'; 100_000]);
        bench.tell(&[&key]);
    }
    run.until("six messages", |counts| counts.messages_received == 6).await;
    run.stop.send_replace(true);
    bench.until_messages((5, 1)).await;
    delivery.receipt.answer(Outcome::Durable);
    let counters = Arc::clone(&run.counters);
    run.end().await;
    let counts = counters.snapshot();
    assert_eq!((counts.messages_released, counts.messages_deleted), (5, 1));
    assert_eq!(bench.server.messages(&bench.queue), (5, 0));
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever_for_an_answer() {
    let bench = Bench::new("unanswered", 600);
    bench.put("a.json");
    let mut run = bench.run().await;
    let delivery = run.delivery().await;
    run.stop.send_replace(true);
    run.end().await;
    assert_eq!(bench.server.messages(&bench.queue), (0, 1));
    delivery.receipt.answer(Outcome::Durable);
}

#[tokio::test]
async fn who_takes_no_deliveries_is_not_buried_in_them() {
    let bench = Bench::new("pressure", 600);
    for n in 0..60 {
        bench.put(&format!("{n}.json"));
    }
    let bytes_max = 4_000;
    // Objects of unknown size are given all the room there is, so they are read one by one.
    let mut run = bench.run_with(1, Settings { bytes_max, ..Settings::of(&bench.queue) }).await;
    run.until("one delivery", |counts| counts.objects_handed == 1).await;
    let counts = run.counts();
    assert!(counts.messages_received <= 26, "{counts:?}");
    assert!(counts.bytes_read <= bytes_max, "{counts:?}");
    for n in 0..60 {
        let delivery = run.delivery().await;
        let counts = run.counts();
        assert!(counts.bytes_read <= n * 1_000 + bytes_max, "{counts:?}");
        delivery.receipt.answer(Outcome::Durable);
    }
    run.until("all deletions", |counts| counts.messages_deleted == 60).await;
}

#[tokio::test]
async fn who_goes_without_a_word_leaves_its_messages_to_others() {
    let bench = Bench::new("gone", 600);
    for n in 0..3 {
        bench.put(&format!("{n}.json"));
    }
    let mut run = bench.run_with(2, Settings::of(&bench.queue)).await;
    let taken = run.delivery().await;
    run.until("all are received", |counts| counts.messages_received == 3).await;
    run.deliveries = mpsc::channel(1).1;
    drop(taken);
    let counters = Arc::clone(&run.counters);
    run.end().await;
    assert_eq!(bench.server.messages(&bench.queue), (3, 0));
    assert_eq!(counters.snapshot().messages_released, 3);
}

#[tokio::test]
async fn a_queue_that_does_not_answer_is_asked_again_after_a_pause() {
    let bench = Bench::new("silent", 30);
    bench.put("a.json");
    let mut run = bench.run().await;
    run.delivery().await.receipt.answer(Outcome::Durable);
    bench.proxy.fault("ReceiveMessage", 1, Fault::Answer(403, "AccessDenied"));
    let fails = |counts: &Counts| counts.receives_failed == 1 && counts.failing_since.is_some();
    run.until("a failure", fails).await;
    bench.put("b.json");
    run.delivery().await.receipt.answer(Outcome::Durable);
    run.until("an answer", |counts| counts.failing_since.is_none()).await;
    let events = bench.events.lock().unwrap();
    assert!(events.iter().any(|event| event.sentence.ends_with("; again in 1 s")), "{events:#?}");
}

#[tokio::test]
async fn a_queue_that_cannot_be_used_is_told_at_the_start() {
    let bench = Bench::new("start", 0);
    let session = session(bench.proxy.endpoint()).await;
    let open = |queue: &str| {
        let buckets = Buckets::new(&session);
        let (ledger, settings) = (Arc::clone(&bench.known), Settings::of(queue));
        Consumer::open(&session, buckets, settings, ledger, Arc::new(drop))
    };
    let error = open(&bench.queue).await.err().unwrap();
    assert_eq!(error, SqsError::NoTimeout { queue: bench.queue.clone() });
    let error = open("http://127.0.0.1/123456789012/none").await.err().unwrap().to_string();
    assert!(error.contains("none cannot be used (expected to be allowed sqs:GetQ"), "{error}");
    assert!(error.contains("NonExistentQueue") || error.contains("QueueDoesNotExist"), "{error}");
}

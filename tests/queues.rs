//! `run --queue` over real sockets: notification, object, finding, and a message that is done with.

use crate::{
    proxy::{Fault, Proxy},
    servers::{Server, server},
    support::{archive, daemon::Daemon, in_order, kept, objects_by_stamp, run, take_changed, text},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// How often it is looked whether a queue is empty, and how many times at most.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const LOOKS_MAX: usize = 600;
/// A queue with more slows the server down. Unit: objects in one message.
const OBJECTS_PER_MESSAGE: usize = 25;

/// What the server takes for keys.
const KEYS: [(&str, &str); 3] =
    [("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

/// Objects of the first three days of the archive, by stamp.
fn objects() -> Vec<PathBuf> {
    let mut objects = objects_by_stamp();
    objects.retain(|path| {
        ["/2026/03/02/", "/2026/03/03/", "/2026/03/04/"].iter().any(|day| text(path).contains(day))
    });
    objects
}

/// A bucket with objects and a queue of one name, with a folder of the same objects.
struct Bench {
    server: &'static Server,
    proxy: Proxy,
    name: &'static str,
    queue: String,
    dead: String,
    folder: tempfile::TempDir,
}

fn key_of(object: &Path) -> String {
    text(object.strip_prefix(archive()).unwrap())
}

impl Bench {
    fn new(name: &'static str, timeout_s: u32) -> Self {
        let server = server();
        let (queue, dead) = server.queue_with_dead_letters(name, timeout_s, 5);
        server.bucket(name);
        let proxy = Proxy::before(&server.address);
        Self { server, proxy, name, queue, dead, folder: tempfile::tempdir().unwrap() }
    }

    fn put(&self, objects: &[PathBuf]) {
        for object in objects {
            let bytes = fs::read(object).unwrap();
            self.server.put(self.name, &key_of(object), &bytes);
            let copy = self.folder.path().join("logs").join(key_of(object));
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::write(copy, bytes).unwrap();
        }
    }

    fn tell(&self, body: &Value) {
        self.server.send(&self.queue, &body.to_string());
    }

    fn state(&self) -> String {
        text(&self.folder.path().join("s.db"))
    }

    fn start(&self, more: &[&str], fault: Option<&str>) -> Daemon {
        let state = self.state();
        let own = ["--queue", &self.queue, "--state", &state];
        let endpoint = self.proxy.endpoint();
        let environment = [&KEYS[..], &[("AWS_ENDPOINT_URL", endpoint.as_str())]].concat();
        Daemon::start_in(&environment, &[&own[..], more].concat(), fault)
    }

    /// Waits until no more than so many messages are left in the queue.
    #[track_caller]
    fn is_left(&self, n_left: u64) {
        let is_so = || {
            thread::sleep(LOOK_EVERY);
            let (visible, received) = self.server.messages(&self.queue);
            visible + received == n_left
        };
        let said = || format!("{:?}", self.server.messages(&self.queue));
        assert!(std::iter::repeat_with(is_so).take(LOOKS_MAX).any(|is_so| is_so), "{}", said());
    }

    /// What a replay of the same objects finds.
    #[track_caller]
    fn expected(&self) -> Vec<Value> {
        let logs = text(&self.folder.path().join("logs"));
        in_order(run(&["replay", "--quiet", "--format", "jsonl", &logs]).ends(0).rows())
    }
}

/// S3's own event about objects of a bucket; keys are encoded as AWS encodes them.
fn of_s3(bucket: &str, keys: &[String]) -> Value {
    let record = |key: &String| {
        json!({"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
               "s3": {"bucket": {"name": bucket}, "object": {"key": key.replace('=', "%3D")}}})
    };
    json!({"Records": keys.iter().map(record).collect::<Vec<_>>()})
}

fn of_cloudtrail(bucket: &str, keys: &[String]) -> Value {
    json!({"s3Bucket": bucket, "s3ObjectKey": keys})
}

fn of_sns(message: &Value) -> Value {
    json!({"Type": "Notification", "MessageId": "1", "Message": message.to_string()})
}

fn of_event_bridge(bucket: &str, key: &str) -> Value {
    json!({"version": "0", "source": "aws.s3", "detail-type": "Object Created",
           "detail": {"bucket": {"name": bucket}, "object": {"key": key}, "reason": "PutObject"}})
}

#[test]
fn every_shape_of_notification_leads_to_what_a_replay_finds() {
    let bench = Bench::new("every-shape", 60);
    let objects = objects();
    bench.put(&objects);
    bench.tell(&json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "every-shape"}));
    bench.server.send(&bench.queue, "CloudTrail validation message.");
    for (n, group) in objects.chunks(OBJECTS_PER_MESSAGE).enumerate() {
        let keys: Vec<String> = group.iter().map(|object| key_of(object)).collect();
        let bucket = bench.name;
        match n % 5 {
            0 => bench.tell(&of_s3(bucket, &keys)),
            1 => bench.tell(&of_sns(&of_s3(bucket, &keys))),
            2 => bench.tell(&of_cloudtrail(bucket, &keys)),
            3 => bench.tell(&of_sns(&of_cloudtrail(bucket, &keys))),
            _ => {
                for key in &keys[..keys.len().min(5)] {
                    bench.tell(&of_event_bridge(bucket, key));
                }
                bench.tell(&of_cloudtrail(bucket, &keys[keys.len().min(5)..]));
            }
        }
    }
    let mut daemon = bench.start(&[], None);
    assert!(daemon.says("queue-served"));
    bench.is_left(0);
    let told = daemon.stop();
    let read = format!("{} read, 0 could not be read", objects.len());
    assert!(told.iter().any(|line| line.contains(&read)), "{told:#?}");
    let found = kept(&bench.state());
    assert!(!found.is_empty());
    assert_eq!(found, bench.expected());
    assert_eq!(bench.server.messages(&bench.dead), (0, 0));
}

#[test]
fn deliveries_again_and_deaths_in_between_change_nothing() {
    let bench = Bench::new("again", 3);
    let objects = objects();
    bench.put(&objects);
    // Each object is told of up to three times, and not in its order.
    for (n, group) in objects.chunks(OBJECTS_PER_MESSAGE).enumerate() {
        let mut keys: Vec<String> = group.iter().map(|object| key_of(object)).collect();
        keys.reverse();
        for _ in 0..=n % 3 {
            bench.tell(&of_cloudtrail(bench.name, &keys));
        }
    }
    for (fault, threads) in
        [("mid-decode:300", "1"), ("after-commit:2", "4"), ("mid-transaction:900", "4")]
    {
        let mut daemon = bench.start(&["--threads", threads], Some(fault));
        assert_eq!(daemon.ends().code(), None, "{fault}: {:#?}", daemon.said);
    }
    let mut daemon = bench.start(&["--threads", "1"], None);
    assert!(daemon.says("queue-served"));
    bench.is_left(0);
    daemon.stop();
    assert_eq!(kept(&bench.state()), bench.expected());
    assert_eq!(bench.server.messages(&bench.dead), (0, 0));
}

#[test]
fn what_came_while_nobody_read_is_looked_up_in_the_bucket() {
    let bench = Bench::new("catch-up", 60);
    let objects = objects();
    let (before, after) = objects.split_at(objects.len() / 2);
    bench.put(before);
    // Nobody is told of what is there: it was put before the queue was.
    let mut daemon = bench.start(&["--bucket", "s3://catch-up/AWSLogs"], None);
    assert!(daemon.says("queue-served"));
    daemon.stop();
    bench.put(after);
    let mut daemon = bench.start(&["--bucket", "s3://catch-up/AWSLogs"], None);
    assert!(daemon.says("queue-served"));
    // What is known is acknowledged and not read.
    let keys: Vec<String> = after.iter().take(20).map(|object| key_of(object)).collect();
    bench.tell(&of_cloudtrail(bench.name, &keys));
    bench.is_left(0);
    let told = daemon.stop();
    let read = format!("{} seen, {} read", after.len(), after.len());
    assert!(told.iter().any(|line| line.contains(&read)), "{told:#?}");
    assert_eq!(kept(&bench.state()), bench.expected());
}

#[test]
fn a_bucket_that_is_still_empty_keeps_no_queue_waiting() {
    let bench = Bench::new("empty", 60);
    let mut daemon = bench.start(&["--bucket", "s3://empty/AWSLogs/"], None);
    assert!(daemon.says("queue-served"));
    assert!(daemon.said.iter().any(|line| line.contains("nothing lies at s3://empty/AWSLogs/")));
    let objects = &objects()[..10];
    bench.put(objects);
    let keys: Vec<String> = objects.iter().map(|object| key_of(object)).collect();
    bench.tell(&of_s3(bench.name, &keys));
    bench.is_left(0);
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("10 read, 0 could not be read")), "{told:#?}");
}

#[test]
fn a_poisoned_object_ends_among_the_dead_letters_and_costs_nobody_else() {
    let bench = Bench::new("poison", 1);
    let objects = objects();
    let (good, poison) = (&objects[..30], key_of(&objects[31]));
    bench.put(good);
    bench.server.put(bench.name, &poison, b"\\x1f\\x8b this is no gzip");
    bench.tell(&of_cloudtrail(bench.name, std::slice::from_ref(&poison)));
    let keys: Vec<String> = good.iter().map(|object| key_of(object)).collect();
    bench.tell(&of_cloudtrail(bench.name, &keys));
    bench.server.send(&bench.queue, "{\"unknown\": \"shape\"}");
    let mut daemon = bench.start(&[], None);
    assert!(daemon.says("object-unread"));
    assert!(daemon.said.last().unwrap().contains(&poison), "{:?}", daemon.said.last());
    bench.is_left(2);
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("30 read, 1 could not be read")), "{told:#?}");
    // Neither is deleted.
    bench.is_left(2);
}

#[test]
fn what_is_put_again_is_looked_at_and_what_is_another_is_told() {
    let bench = Bench::new("put-again", 60);
    let objects = &objects()[..40];
    bench.put(objects);
    // What a folder told of is known by other versions: those of a bucket are looked at once.
    let logs = text(&bench.folder.path().join("logs"));
    run(&["replay", "--quiet", "--state", &bench.state(), &logs]).ends(0);
    let expected = kept(&bench.state());
    bench.server.notify(bench.name, "put-again");
    let put = |at: &[usize], with: usize| {
        for at in at {
            let bytes = fs::read(&objects[with.max(*at)]).unwrap();
            bench.server.put(bench.name, &key_of(&objects[*at]), &bytes);
        }
    };
    let all = [3, 5, 7, 9];
    put(&all, 0);
    let mut daemon = bench.start(&[], None);
    assert!(daemon.says("queue-served"));
    bench.is_left(0);
    // The same once more, which nobody reads; the second is another one.
    put(&all, 0);
    put(&[5], 30);
    assert!(daemon.says("log-object-changed"));
    bench.is_left(0);
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("objects   5 seen, 0 read")), "{told:#?}");
    assert!(told.iter().any(|line| line.contains("4 objects written again as")), "{told:#?}");
    assert!(told.iter().any(|line| line.contains("1 objects that hold something else")));
    let mut found = kept(&bench.state());
    let changed = take_changed(&mut found);
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0]["entity"]["key"], key_of(&objects[5]));
    assert_eq!(found, expected);
    // All of the bucket is looked at: what the folder told of, too, and what was told is not told again.
    let mut daemon = bench.start(&["--bucket", "s3://put-again/AWSLogs"], None);
    assert!(daemon.says("queue-served"));
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("objects   36 seen, 0 read")), "{told:#?}");
    assert!(told.iter().any(|line| line.contains("36 objects written again as")), "{told:#?}");
    let mut found = kept(&bench.state());
    assert_eq!(take_changed(&mut found), changed);
    assert_eq!(found, expected);
}

#[test]
fn a_network_that_fails_loses_nothing() {
    let bench = Bench::new("faults", 30);
    let objects = &objects()[..200];
    bench.put(objects);
    let get = |n: usize| format!("GET /faults/{}", key_of(&objects[n]));
    bench.proxy.fault(&get(10), 2, Fault::Answer(503, "SlowDown"));
    bench.proxy.fault(&get(20), 1, Fault::Cut(100));
    bench.proxy.fault(&get(30), 1, Fault::HangUp);
    bench.proxy.fault("DeleteMessageBatch", 1, Fault::DropReply);
    bench.proxy.fault("ReceiveMessage", 1, Fault::Answer(500, "InternalError"));
    for group in objects.chunks(OBJECTS_PER_MESSAGE) {
        let keys: Vec<String> = group.iter().map(|object| key_of(object)).collect();
        bench.tell(&of_s3(bench.name, &keys));
    }
    let mut daemon = bench.start(&[], None);
    assert!(daemon.says("queue-served"));
    bench.is_left(0);
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("200 read, 0 could not be read")), "{told:#?}");
    assert_eq!(kept(&bench.state()), bench.expected());
}

#[test]
fn an_archive_in_a_bucket_is_replayed_like_one_in_a_folder() {
    let bench = Bench::new("archive", 30);
    bench.put(&objects()[..300]);
    // A name that does not say when it was written: its records do.
    let unnamed = objects()[300].clone();
    let bytes = fs::read(&unnamed).unwrap();
    bench.server.put(bench.name, "AWSLogs/events.json.gz", &bytes);
    fs::write(bench.folder.path().join("logs/events.json.gz"), bytes).unwrap();
    let replay = |path: &str| {
        std::process::Command::new(env!("CARGO_BIN_EXE_sentrail"))
            .args(["replay", "--quiet", "--format", "jsonl", path])
            .env("AWS_ENDPOINT_URL", bench.proxy.endpoint())
            .envs(KEYS)
            .output()
            .unwrap()
    };
    let mistyped = replay("s3://archive/AWSLog/");
    assert_eq!(mistyped.status.code(), Some(2));
    let said = String::from_utf8(mistyped.stderr).unwrap();
    assert!(
        said.contains("nothing lies at s3://archive/AWSLog/ (expected a folder such as"),
        "{said}"
    );
    let found = replay("s3://archive/AWSLogs/");
    assert_eq!(found.status.code(), Some(0), "{}", String::from_utf8_lossy(&found.stderr));
    let found = String::from_utf8(found.stdout).unwrap();
    let found: Vec<Value> = found.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(in_order(found), bench.expected());
}

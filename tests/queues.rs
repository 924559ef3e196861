//! `run --queue` over real sockets: notification, object, finding, and a message that is done with.

use crate::{
    proxy::Fault,
    support::{
        bench::{Bench, KEYS, OBJECTS_PER_MESSAGE, key_of, objects, of_cloudtrail, of_s3},
        gzip, in_order, kept, run, take_changed, text,
    },
};
use serde_json::{Value, json};
use std::fs;

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
    bench.tell_of(objects);
    bench.is_left(0);
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("10 read, 0 could not be read")), "{told:#?}");
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
    bench.tell_of(objects);
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

#[test]
fn what_takes_ten_times_the_visibility_timeout_is_read_once() {
    // Of less, a machine that does much else at once may miss what is left after a third of it.
    const TIMEOUT_S: usize = 4;
    let bench = Bench::new("ten-times", u32::try_from(TIMEOUT_S).unwrap());
    let key = key_of(&objects()[0]);
    // At 1 KB/s: what cannot be compressed, in a field that nobody reads.
    let numbers =
        (0..10 * TIMEOUT_S as u64 * 1_000 / 8).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let noise = numbers.map(|n| format!("{n:016x}")).collect::<Vec<_>>().concat();
    let record = format!(
        r#"{{"Records":[{{"eventTime":"2026-03-02T00:00:00Z","eventName":"ListBuckets",
            "eventSource":"s3.amazonaws.com","eventID":"slow","requestID":"{noise}"}}]}}"#
    );
    let bytes = gzip(record.as_bytes());
    assert!(bytes.len() >= 10 * TIMEOUT_S * 1_000, "{}", bytes.len());
    bench.put_bytes(&key, &bytes);
    bench.proxy.fault(&format!("GET /ten-times/{key}"), 1, Fault::Slow);
    bench.tell(&of_cloudtrail(bench.name, std::slice::from_ref(&key)));
    let daemon = bench.start(&[], None);
    bench.is_left(0);
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("1 read, 0 could not be read")), "{told:#?}");
    assert!(!told.iter().any(|line| line.contains("became visible to others")), "{told:#?}");
    assert_eq!(bench.proxy.requests(&format!("GET /ten-times/{key}")).len(), 1);
    // Received once, and extended again before half of the time was over, else there were fewer.
    let n_extended = bench.proxy.requests("ChangeMessageVisibility").len();
    assert!(n_extended >= 2 * bytes.len() / 1_000 / TIMEOUT_S, "{n_extended}");
    assert_eq!(bench.proxy.requests("DeleteMessageBatch").len(), 1);
}

//! Objects that are not what they should be, among others, through a queue.

use crate::{
    proxy::Fault,
    support::{
        bench::{Bench, key_of, objects, of_cloudtrail},
        gzip, kept,
    },
};
use serde_json::Value;
use std::collections::BTreeSet;

/// Of the queue. Unit: seconds.
const TIMEOUT_S: u32 = 20;
/// Receives after which a message goes to the dead letters.
const RECEIVES_MAX: usize = 5;

/// A log file of one record.
fn log_file(id: &str) -> String {
    format!(
        r#"{{"Records":[{{"eventTime":"2026-03-03T09:55:00Z","eventName":"ListBuckets","awsRegion":"us-east-1",
            "eventSource":"s3.amazonaws.com","eventID":"{id}","userIdentity":{{"type":"Root"}}}}]}}"#
    )
}

/// Content that cannot be read, and what is told of it.
fn unreadable() -> Vec<(Vec<u8>, &'static str)> {
    let good = gzip(log_file("bad").as_bytes());
    let mut bad_crc = good.clone();
    let at = good.len() - 8;
    bad_crc[at] ^= 1;
    let bomb = format!(r#"{{"Records":{}"#, "[".repeat(1_000_000));
    let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0".to_vec();
    vec![
        (bad_crc, "wrong CRC-32 at byte"),
        (good[..good.len() / 2].to_vec(), "inside compressed data; expected the rest of it"),
        ([&good, &b"garbage"[..]].concat(), "unknown bytes after the compressed data at byte"),
        (gzip(b"503 Slow Down"), "expected a JSON object or array at byte 0"),
        (png, "expected a JSON object or array at byte 0"),
        (gzip(bomb.as_bytes()), "expected a JSON object as a record"),
        (gzip(deep.as_bytes()), "none of its 1 records could be read"),
        (gzip(&[0; 4_096]), "expected a JSON object or array at byte 0"),
        (gzip(br#"{"items":[{"some":"thing"}]}"#), "none of its 1 records could be read"),
    ]
}

/// Content of which it might be thought that it cannot be read.
fn readable() -> Vec<Vec<u8>> {
    let digest = r#"{"awsAccountId":"111122223333","digestStartTime":"2026-03-03T09:00:00Z",
        "digestEndTime":"2026-03-03T10:00:00Z","digestS3Bucket":"b","digestS3Object":"o","logFiles":[]}"#;
    let mut no_text = log_file("no-text").into_bytes();
    let at = no_text.windows(5).position(|bytes| bytes == b"\"Root").unwrap();
    no_text[at + 1] = 0xff;
    vec![gzip(digest.as_bytes()), gzip(br#"{"Records":[]}"#), Vec::new(), gzip(&no_text)]
}

fn key(n: usize) -> String {
    format!(
        "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/03/\
         111122223333_CloudTrail_us-east-1_20260303T1000Z_aaaaaaaaaaaaa{n:03}.json.gz"
    )
}

/// Messages of the dead letters about objects: their keys. `None` is one of another shape.
fn dead(bench: &Bench) -> Vec<Option<String>> {
    let key = |body: &String| {
        let body: Value = serde_json::from_str(body).unwrap();
        body["s3ObjectKey"][0].as_str().map(str::to_owned)
    };
    bench.server.bodies(&bench.dead).iter().map(key).collect()
}

#[test]
fn what_cannot_be_read_ends_among_the_dead_letters_and_costs_nobody_else() {
    let bench = Bench::new("poison", TIMEOUT_S);
    // Half a minute is over at once, eight of them in four seconds.
    bench.proxy.fault("ChangeMessageVisibility", usize::MAX, Fault::Sooner(120));
    let mut objects = objects();
    objects.retain(|object| !key_of(object).contains("/2026/03/04/"));
    bench.put(&objects);
    let (unreadable, readable) = (unreadable(), readable());
    let poison: Vec<(String, &str)> =
        unreadable.iter().enumerate().map(|(n, (_, why))| (key(n), *why)).collect();
    for ((key, _), (bytes, _)) in poison.iter().zip(&unreadable) {
        bench.server.put(bench.name, key, bytes);
        bench.tell(&of_cloudtrail(bench.name, std::slice::from_ref(key)));
    }
    for (n, bytes) in readable.iter().enumerate() {
        bench.put_bytes(&key(100 + n), bytes);
        bench.tell(&of_cloudtrail(bench.name, &[key(100 + n)]));
    }
    let digest = key(200).replace("CloudTrail", "CloudTrail-Digest");
    bench.tell(&of_cloudtrail(bench.name, std::slice::from_ref(&digest)));
    bench.server.send(&bench.queue, r#"{"unknown":"shape"}"#);
    bench.tell_of(&objects);
    let mut daemon = bench.start(&[], None);
    let mut reasons = Vec::new();
    while reasons.len() < poison.len() {
        assert!(daemon.says("object-unread"));
        let said: Value = serde_json::from_str(daemon.said.last().unwrap()).unwrap();
        let told = ["object", "reason"].map(|name| said[name].as_str().unwrap().to_owned());
        reasons.extend((!reasons.contains(&told)).then_some(told));
    }
    for (key, why) in &poison {
        let is_so = |[object, told]: &[String; 2]| object.contains(key) && told.contains(why);
        assert!(reasons.iter().any(is_so), "{key}: {why}: {reasons:#?}");
    }
    bench.is_left(0);
    let told = daemon.stop();
    let n_read = objects.len() + readable.len();
    let read = format!(" {n_read} read, {} could not be read", poison.len() * RECEIVES_MAX);
    assert!(told.iter().any(|line| line.contains(&read)), "{read}: {told:#?}");
    // The picture, each time, and one that is read all the same.
    let lossy = format!(" {} objects with bytes that are not UTF-8", RECEIVES_MAX + 1);
    assert!(told.iter().any(|line| line.contains(&lossy)), "{told:#?}");
    // None of them is deleted, and each was tried five times.
    let dead = dead(&bench);
    assert_eq!(dead.len(), poison.len() + 1);
    let expected = poison.iter().map(|(key, _)| Some(key.clone())).chain([None]);
    assert_eq!(dead.into_iter().collect::<BTreeSet<_>>(), expected.collect());
    for (key, _) in &poison {
        assert_eq!(bench.proxy.requests(&format!("GET /poison/{key}")).len(), RECEIVES_MAX);
    }
    assert_eq!(bench.proxy.requests(&format!("/{digest}")), Vec::<String>::new());
    assert_eq!(bench.proxy.requests(&key_of(&objects[0])).len(), 1);
    let found = kept(&bench.state());
    assert!(!found.is_empty());
    assert_eq!(found, bench.expected());
}

//! What sentrail itself lives on, touched while it runs: told in the batch that holds the call, and at once.

use crate::support::{
    bench::{Bench, KEYS, of_s3},
    daemon::Daemon,
    in_order, kept,
    receiver::receiver,
    run, run_in, text,
};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

const ID: &str = "sentrail-tampered-with";
const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:111122223333:trail/main";
/// Longer than a message takes, shorter than any night. Unit: seconds.
const AT_ONCE_S: u64 = 120;

/// The key and content of an object that holds these calls by an intruder, each a minute after the other.
fn object(calls: &[(&str, &str, Value)]) -> (String, Vec<u8>) {
    let record = |(n, (source, name, request)): (usize, &(&str, &str, Value))| {
        json!({
            "eventVersion": "1.11",
            "userIdentity": {"type": "IAMUser", "principalId": "AIDAEXAMPLEEXAMPLE07",
                "arn": "arn:aws:iam::111122223333:user/mallory", "accountId": "111122223333",
                "accessKeyId": "AKIAEXAMPLEEXAMPLE07", "userName": "mallory"},
            "eventTime": format!("2026-03-02T10:{n:02}:00Z"),
            "eventSource": format!("{source}.amazonaws.com"),
            "eventName": name,
            "awsRegion": "us-east-1",
            "sourceIPAddress": "198.51.100.7",
            "userAgent": "aws-cli/2.15.0",
            "requestParameters": request,
            "responseElements": null,
            "eventID": format!("5d1f2c46-3ed4-41a1-8d42-5f0a7a2f6d{n:02}"),
            "eventType": "AwsApiCall",
            "recipientAccountId": "111122223333",
            "managementEvent": true,
            "readOnly": false,
        })
    };
    let records: Vec<_> = calls.iter().enumerate().map(record).collect();
    let key = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/02/\
               111122223333_CloudTrail_us-east-1_20260302T1015Z_aaaaaaaaaaaaaaaa.json";
    (key.to_owned(), json!({"Records": records}).to_string().into_bytes())
}

fn put(folder: &Path, (key, content): (String, Vec<u8>)) {
    let file = folder.join(key);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, content).unwrap();
    let file = fs::File::options().append(true).open(file).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
}

/// A sink that is quiet all day but for what is critical.
fn quiet(address: &str) -> String {
    format!(
        "own = [\"{TRAIL}\"]\n[sinks.chat]\ntype = \"webhook\"\nurl = \"http://{address}/hook\"\n\
         allow = [\"127.0.0.1\"]\nquiet = {{ from = \"00:00\", to = \"23:59\", zone = \"UTC\" }}\n"
    )
}

fn of_the_watch(mut findings: Vec<Value>) -> Vec<Value> {
    findings.retain(|finding| finding["detector"] == ID);
    findings
}

#[test]
fn a_stopped_trail_is_told_at_once_through_quiet_hours() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let (address, _, told) = receiver();
    let (config, state) = (folder.path().join("sentrail.toml"), folder.path().join("s.db"));
    fs::write(&config, quiet(&address)).unwrap();
    let (config, state) = (text(&config), text(&state));
    let arguments = ["--folder", &text(&logs), "--state", &state, "--config", &config];
    let mut daemon = Daemon::start(&arguments, None);
    assert!(daemon.says("own") && daemon.said.last().unwrap().contains(TRAIL));
    assert!(daemon.says("caught-up"));
    put(&logs, object(&[("cloudtrail", "StopLogging", json!({"name": "main"}))]));
    let sent = told.recv_timeout(Duration::from_secs(AT_ONCE_S)).unwrap();
    assert_eq!(
        (&sent["data"]["detector"], &sent["data"]["severity"]["label"]),
        (&ID.into(), &"critical".into())
    );
    let summary = sent["data"]["summary"].as_str().unwrap();
    assert!(summary.contains(": now records of calls come no more"), "{summary}");
    daemon.stop();
    // One deed is one finding, and a replay finds it as well.
    let mut found = kept(&state);
    found.retain(|finding| finding["severity"]["label"] != "low");
    assert_eq!(found.len(), 1, "{found:#?}");
    let replayed =
        run(&["replay", "--quiet", "--format", "jsonl", "--config", &config, &text(&logs)]);
    assert_eq!(in_order(of_the_watch(replayed.ends(0).rows())), in_order(of_the_watch(found)));
}

#[test]
fn a_queue_that_is_closed_is_told_by_what_the_queue_still_brings() {
    let bench = Bench::new("closed", 120);
    let (address, _, told) = receiver();
    let config = bench.folder.path().join("sentrail.toml");
    fs::write(&config, quiet(&address)).unwrap();
    let config = text(&config);
    let bucket = format!("s3://{}", bench.name);
    let mut daemon = bench.start(&["--bucket", &bucket, "--config", &config], None);
    assert!(daemon.says("caught-up"));
    // As AWS writes the URL; the server has another host, and the account that all of its queues have.
    let name = bench.queue.rsplit('/').next().unwrap();
    let account = bench.queue.rsplit('/').nth(1).unwrap();
    let url = format!("https://sqs.us-east-1.amazonaws.com/{account}/{name}");
    let (key, content) = object(&[
        ("sqs", "SetQueueAttributes", json!({"queueUrl": url, "attributes": {"Policy": ""}})),
        (
            "s3",
            "PutBucketNotification",
            json!({"bucketName": bench.name, "notification": "",
            "NotificationConfiguration": {"xmlns": "http://s3.amazonaws.com/doc/2006-03-01/"}}),
        ),
        (
            "sqs",
            "PurgeQueue",
            json!({"queueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/other"}),
        ),
    ]);
    bench.put_bytes(&key, &content);
    bench.tell(&of_s3(bench.name, &[key]));
    let sent = told.recv_timeout(Duration::from_secs(AT_ONCE_S)).unwrap();
    assert_eq!(sent["data"]["detector"], ID);
    let summary = sent["data"]["summary"].as_str().unwrap();
    for words in
        ["sqs:SetQueueAttributes on its queue", "s3:PutBucketNotification on its bucket of logs"]
    {
        assert!(summary.contains(words), "{summary}");
    }
    assert_eq!(sent["data"]["count"], 2);
    bench.is_left(0);
    daemon.stop();
    let found = of_the_watch(kept(&bench.state()));
    assert_eq!(found.len(), 1);
    // A replay of the same bucket knows it by itself, and the queue by what it is told.
    let endpoint = bench.proxy.endpoint();
    let environment = [&KEYS[..], &[("AWS_ENDPOINT_URL", endpoint.as_str())]].concat();
    let own = format!("arn:*:sqs:*:{account}:{name}");
    let arguments =
        ["replay", "--quiet", "--format", "jsonl", "--config", &config, "--own", &own, &bucket];
    let replayed = run_in(&environment, &arguments);
    assert_eq!(in_order(of_the_watch(replayed.ends(0).rows())), in_order(found));
}

#[test]
fn only_a_suppression_that_names_it_hides_it() {
    let folder = tempfile::tempdir().unwrap();
    put(
        &folder.path().join("logs"),
        object(&[("cloudtrail", "DeleteTrail", json!({"name": "main"}))]),
    );
    let logs = text(&folder.path().join("logs"));
    let replay = |detector: &str| {
        let entry = format!(
            "[[suppress]]\nreason = \"the trail moves\"\nowner = \"platform\"\nexpires = \"2026-12-31\"\n\
             entity-name = \"mallory\"\ndetector = \"{detector}\"\n"
        );
        let config = folder.path().join("sentrail.toml");
        fs::write(folder.path().join("quiet.toml"), entry).unwrap();
        fs::write(&config, format!("suppressions = \"quiet.toml\"\nown = [\"{TRAIL}\"]\n"))
            .unwrap();
        run(&["replay", "--format", "jsonl", "--config", &text(&config), &logs])
    };
    assert_eq!(of_the_watch(replay("*").ends(0).rows()).len(), 1);
    let named = replay(ID);
    assert_eq!(of_the_watch(named.ends(0).rows()), [json!(null); 0]);
    named.tells(&["the trail moves"]);
}

#[test]
fn it_cannot_be_switched_off() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("sentrail.toml");
    fs::write(&config, format!("[detectors]\ndisable = [\"{ID}\"]\n")).unwrap();
    run(&["config", "check", "--config", &text(&config)]).ends(2).tells(&[
        ":2:12: \"sentrail-tampered-with\" is always on (expected an entry of `suppressions`",
    ]);
    run(&["replay", "--own", "arn:aws:s3:::*", &text(folder.path())])
        .ends(2)
        .tells(&["names all there are"]);
}

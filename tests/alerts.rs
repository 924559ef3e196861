//! `alerts test`, `alerts resend` and `replay --alert`, before a receiver of their own.

use crate::support::{
    archive, daemon::Daemon, deliver_all, objects_by_stamp, receiver::receiver, run, text,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read as _,
    net::TcpListener,
    path::Path,
    sync::{atomic::Ordering, mpsc},
    thread,
    time::SystemTime,
};

fn configured(folder: &Path, address: &str) -> String {
    let config = folder.join("sentrail.toml");
    let table = format!(
        "[sinks.archive]\ntype = \"json-lines\"\npath = \"told.jsonl\"\n\
         [sinks.chat]\ntype = \"webhook\"\nurl = \"http://{address}/hook\"\nallow = [\"127.0.0.1\"]\n\
         min-severity = \"high\"\n"
    );
    fs::write(&config, table).unwrap();
    text(&config)
}

#[test]
fn every_sink_is_told_a_sample_and_what_came_of_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (address, status, told) = receiver();
    let config = configured(folder.path(), &address);
    let tried = run(&["alerts", "test", "--config", &config]);
    tried.ends(0).tells(&["archive: delivered"]).tells(&["chat: delivered"]);
    let line = fs::read_to_string(folder.path().join("told.jsonl")).unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    assert!(line["title"].as_str().unwrap().starts_with("[SAMPLE]"), "{line}");
    let sent = told.recv().unwrap();
    assert_eq!(sent["data"]["severity"]["label"], "high");
    status.store(403, Ordering::SeqCst);
    let one = run(&["alerts", "test", "--config", &config, "--sink", "chat"]);
    one.ends(1).tells(&["chat: ", "403"]);
    run(&["alerts", "test", "--config", &config, "--sink", "pager"])
        .ends(2)
        .tells(&["no sink pager"]);
}

#[test]
fn a_collector_of_logs_is_told_over_tcp() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = folder.path().join("sentrail.toml");
    let table = format!(
        "[sinks.siem]\ntype = \"syslog\"\nurl = \"tcp://{address}\"\nallow = [\"127.0.0.1\"]\n"
    );
    fs::write(&config, table).unwrap();
    let reading = thread::spawn(move || {
        let mut sent = String::new();
        listener.accept().unwrap().0.read_to_string(&mut sent).unwrap();
        sent
    });
    let config = text(&config);
    run(&["alerts", "test", "--config", &config]).ends(0).tells(&["siem: delivered"]);
    let sent = reading.join().unwrap();
    let (length, message) = sent.split_once(' ').unwrap();
    assert_eq!(length, message.len().to_string());
    assert!(
        message.starts_with("<109>1 ") && message.contains(" sentrail - sample - {"),
        "{message}"
    );
    run(&["alerts", "test", "--config", &config]).ends(1).tells(&["siem: cannot connect"]);
}

#[test]
fn a_webhook_gets_the_body_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _, told) = receiver();
    let config = configured(folder.path(), &address);
    let body = r#"{"message": "{severity}: {title}", "priority": "P{priority}"}"#;
    fs::write(folder.path().join("body.json"), body).unwrap();
    let table = fs::read_to_string(&config).unwrap() + "body = \"body.json\"\n";
    fs::write(&config, table).unwrap();
    run(&["alerts", "test", "--config", &config]).ends(0).tells(&["chat: delivered"]);
    let message = "high: [SAMPLE] This sink gets what it is told";
    let told = told.recv().unwrap();
    assert_eq!((&told["message"], &told["priority"]), (&message.into(), &"P2".into()));
    assert!(told["type"].is_null(), "{told}");
    fs::write(folder.path().join("body.json"), "[\n\"{tilte}\"]").unwrap();
    let wrong = run(&["config", "check", "--config", &config]);
    wrong.ends(2).tells(&["sinks.chat.body: ", "body.json:2: no field {tilte} (expected one of"]);
}

#[test]
fn a_sink_that_asks_for_it_hears_once_that_the_watch_is_at_work() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _, told) = receiver();
    let config = configured(folder.path(), &address);
    let table = fs::read_to_string(&config).unwrap() + "detectors = [\"!*\"]\nheartbeat = \"7d\"\n";
    fs::write(&config, table).unwrap();
    let (logs, state) = (folder.path().join("logs"), text(&folder.path().join("s.db")));
    fs::create_dir(&logs).unwrap();
    deliver_all(&objects_by_stamp()[..50], &logs);
    let arguments = ["--folder", &text(&logs), "--state", &state, "--config", &config];
    let daemon = Daemon::start(&arguments, None);
    let sent = told.recv().unwrap();
    assert_eq!((&sent["type"], &sent["data"]["objects"]), (&"heartbeat".into(), &50.into()));
    daemon.stop();
    let mut daemon = Daemon::start(&arguments, None);
    assert!(daemon.says("caught-up"));
    daemon.stop();
    assert_eq!(told.try_iter().count(), 0);
}

/// Hours in which this test runs, whenever that is.
fn hours_around_now() -> String {
    #[expect(clippy::disallowed_methods, reason = "quiet hours are told by the clock")]
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let hour = since.as_secs() / 3_600 % 24;
    let (from, to) = ((hour + 23) % 24, (hour + 2) % 24);
    format!("quiet = {{ from = \"{from:02}:00\", to = \"{to:02}:00\", zone = \"UTC\" }}\n")
}

#[test]
fn in_quiet_hours_people_hear_only_of_what_is_critical() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _, told) = receiver();
    let config = configured(folder.path(), &address);
    let awake = fs::read_to_string(&config).unwrap();
    let (logs, state) = (folder.path().join("logs"), text(&folder.path().join("s.db")));
    fs::create_dir(&logs).unwrap();
    deliver_all(&objects_by_stamp(), &logs);
    let arguments = ["--folder", &text(&logs), "--state", &state, "--config", &config];
    let severities = |config_text: &str| {
        fs::write(&config, config_text).unwrap();
        let mut daemon = Daemon::start(&arguments, None);
        assert!(daemon.says("caught-up"));
        daemon.stop();
        let severity = |sent: Value| sent["data"]["severity"]["label"].as_str().map(str::to_owned);
        told.try_iter().filter_map(severity).collect::<BTreeSet<_>>()
    };
    let critical = BTreeSet::from(["critical".to_owned()]);
    assert_eq!(severities(&(awake.clone() + &hours_around_now())), critical);
    assert!(severities(&awake).contains("high"));
}

#[test]
fn what_a_sink_refused_is_sent_once_more_when_somebody_asks() {
    let folder = tempfile::tempdir().unwrap();
    let (address, status, told) = receiver();
    let config = configured(folder.path(), &address);
    let (logs, state) = (folder.path().join("logs"), text(&folder.path().join("s.db")));
    fs::create_dir(&logs).unwrap();
    deliver_all(&objects_by_stamp(), &logs);
    let arguments = ["--folder", &text(&logs), "--state", &state, "--config", &config];
    status.store(422, Ordering::SeqCst);
    let mut daemon = Daemon::start(&arguments, None);
    assert!(daemon.says("finding-undelivered"));
    daemon.stop();
    status.store(200, Ordering::SeqCst);
    run(&["alerts", "resend", &state, "--sink", "pager"]).ends(2).tells(&["no sink pager"]);
    let asked = run(&["alerts", "resend", &state, "--sink", "chat"]);
    asked.ends(0).tells(&["chat: ", "to be sent once more"]);
    let daemon = Daemon::start(&arguments, None);
    let sent = told.recv().unwrap();
    assert_eq!(sent["type"], "finding.created");
    daemon.stop();
    run(&["alerts", "resend", &state]).ends(0).tells(&["chat: 0 messages"]);
}

/// Messages by their ids.
fn by_id(told: &mpsc::Receiver<Value>) -> BTreeMap<String, Value> {
    let mut messages = BTreeMap::new();
    for message in told.try_iter() {
        let id = message["webhook-id"].as_str().unwrap().to_owned();
        assert!(messages.insert(id, message).is_none());
    }
    messages
}

#[test]
fn a_replay_tells_sinks_once_what_it_found_and_without_a_file_says_the_same_again() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _, told) = receiver();
    let config = configured(folder.path(), &address);
    // A replay is by hand: quiet hours do not hold.
    let quiet = fs::read_to_string(&config).unwrap() + &hours_around_now();
    fs::write(&config, quiet).unwrap();
    let replay = |more: &[&str]| {
        let own = ["replay", "--alert", "--config", &config];
        let ended = run(&[&own[..], more, &[archive()]].concat());
        ended.ends(0);
        (ended, by_id(&told))
    };
    let (first, messages) = replay(&[]);
    let n = messages.len();
    assert!(n > 3 && messages.values().any(|told| told["data"]["severity"]["label"] == "high"));
    first.tells(&["alerts    archive: ", " messages delivered"]);
    first.tells(&[&format!("          chat: {n} messages delivered")]);
    // What is said is when it happened, and so the same in any year.
    for message in messages.values() {
        assert_eq!(message["timestamp"], message["data"]["last_seen"]);
    }
    let (_, again) = replay(&["--quiet"]);
    assert_eq!(again, messages);
    for file in ["--out", "--state"] {
        let path = text(&folder.path().join(file));
        let (_, kept) = replay(&[file, &path]);
        assert!(kept.keys().all(|id| messages.contains_key(id)), "{file}");
        // A state leaves days open, whose findings are of a later replay.
        assert!(!kept.is_empty() && (file == "--state" || kept == messages), "{file}");
        let (second, more) = replay(&[file, &path]);
        assert_eq!(more.len(), 0, "{file}");
        second.tells(&["          chat: 0 messages delivered"]);
    }
}

#[test]
fn a_replay_says_what_a_sink_did_not_take_and_the_next_one_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let (address, status, told) = receiver();
    let config = configured(folder.path(), &address);
    let one = fs::read_to_string(&config).unwrap() + "detectors = [\"s3-mass-reencryption\"]\n";
    fs::write(&config, one).unwrap();
    let file = text(&folder.path().join("out.db"));
    let replay = |more: &[&str]| {
        let own = ["replay", "--alert", "--quiet", "--fail-on", "low", "--config", &config];
        run(&[&own[..], more, &[archive()]].concat())
    };
    status.store(503, Ordering::SeqCst);
    let down = replay(&["--out", &file]);
    down.ends(1).tells(&["sink chat: finding ", "status 503; again in "]);
    let words = "sink chat: 0 messages delivered, 1 not delivered (status 503); what waits is in ";
    down.tells(&[words, "the next replay with --alert"]);
    status.store(422, Ordering::SeqCst);
    let refused = replay(&[]);
    refused.ends(1).tells(&["sink chat: 0 messages delivered, 1 refused", "under the same ids"]);
    status.store(200, Ordering::SeqCst);
    replay(&["--out", &file]).ends(3);
    let waited = by_id(&told);
    replay(&[]).ends(3);
    assert_eq!((waited.len(), &by_id(&told)), (1, &waited));
    // Nobody is there to be told.
    let nobody = run(&["replay", "--alert", archive()]);
    nobody.ends(2).tells(&["--alert has nobody to tell (expected a table [sinks.NAME]"]);
}

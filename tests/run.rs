//! `run`: the daemon over a folder, as a user would start it.

use crate::support::{
    archive, daemon::Daemon, deliver, deliver_all, expected, get, kept, objects_by_stamp, run,
    take_changed, text, write_again,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant, SystemTime},
};

/// After the days of all logs: days that are open are judged on the way.
const EVERY_DAY: &str = "9999-12-31";

/// A folder, empty, and a state file beside it.
fn place() -> (tempfile::TempDir, PathBuf, String) {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    let file = text(&folder.path().join("s.db"));
    (folder, logs, file)
}

fn arguments(logs: &Path, file: &str) -> Vec<String> {
    ["--folder", &text(logs), "--state", file].map(str::to_owned).to_vec()
}

#[test]
fn what_comes_into_the_folder_is_found_as_a_replay_finds_it() {
    let (_folder, logs, file) = place();
    let objects = objects_by_stamp();
    let (first, rest) = objects.split_at(objects.len() / 2);
    deliver_all(first, &logs);
    let mut daemon = Daemon::start(&arguments(&logs, &file), None);
    assert!(daemon.says("caught-up"));
    deliver_all(rest, &logs);
    let n_objects = format!("\"objects\":{}", objects.len());
    while !daemon.said.last().unwrap().contains(&n_objects) {
        assert!(daemon.says("caught-up"));
    }
    let told = daemon.stop();
    let read = format!("{} read, 0 could not be read", objects.len());
    assert!(told.iter().any(|line| line.contains(&read)), "{told:#?}");
    let found = kept(&file);
    assert!(!found.is_empty());
    assert_eq!(found, expected(EVERY_DAY));
    // The file is one whole, and goes on.
    assert!(!Path::new(&format!("{file}-wal")).exists());
    let mut daemon = Daemon::start(&arguments(&logs, &file), None);
    assert!(daemon.says("caught-up"));
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("objects   0 seen")), "{told:#?}");
}

#[test]
fn a_daemon_that_dies_anywhere_goes_on_as_if_nothing_had_been() {
    let (_folder, logs, file) = place();
    deliver_all(&objects_by_stamp(), &logs);
    // What is killed later has more behind it.
    let faults = ["mid-transaction:300", "mid-decode:700", "mid-apply:1", "after-commit:1"];
    for fault in faults {
        let mut daemon = Daemon::start(&arguments(&logs, &file), Some(fault));
        assert!(!daemon.says("caught-up"), "{fault} was not met");
        assert_eq!(daemon.ends().code(), None, "{fault}");
    }
    let mut daemon = Daemon::start(&arguments(&logs, &file), None);
    assert!(daemon.says("caught-up"));
    daemon.stop();
    assert_eq!(kept(&file), expected(EVERY_DAY));
}

#[test]
fn a_daemon_that_is_asked_to_end_in_the_middle_keeps_what_it_has_read() {
    let (_folder, logs, file) = place();
    deliver_all(&objects_by_stamp(), &logs);
    let mut n_runs = 0;
    loop {
        let mut daemon = Daemon::start(&arguments(&logs, &file), None);
        assert!(daemon.says("started"));
        daemon.signal("INT");
        let is_done = daemon.says("caught-up");
        assert_eq!(daemon.ends().code(), Some(0), "{:#?}", daemon.said);
        n_runs += 1;
        if is_done || n_runs == 3 {
            break;
        }
    }
    let mut daemon = Daemon::start(&arguments(&logs, &file), None);
    assert!(daemon.says("caught-up"));
    daemon.stop();
    assert_eq!(kept(&file), expected(EVERY_DAY));
}

#[test]
fn nothing_is_caught_up_with_before_what_was_there_is_whole() {
    let (_folder, logs, file) = place();
    deliver_all(&objects_by_stamp()[..20], &logs);
    // Written a moment ago, and perhaps not to its end.
    let last = logs.join(objects_by_stamp()[20].strip_prefix(archive()).unwrap());
    fs::write(&last, fs::read(&objects_by_stamp()[20]).unwrap()).unwrap();
    let mut daemon = Daemon::start(&arguments(&logs, &file), None);
    assert!(daemon.says("caught-up"));
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("21 read, 0 could not be read")), "{told:#?}");
}

#[test]
fn a_damaged_object_costs_itself_and_is_told() {
    let (_folder, logs, file) = place();
    let objects = objects_by_stamp();
    deliver_all(&objects[..20], &logs);
    let damaged = logs.join(objects[10].strip_prefix(archive()).unwrap());
    let bytes = fs::read(&damaged).unwrap();
    fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    let written = fs::File::options().append(true).open(&damaged).unwrap();
    written.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let mut daemon = Daemon::start(&arguments(&logs, &file), None);
    assert!(daemon.says("object-unread"));
    assert!(daemon.said.last().unwrap().contains("again in 30 s"), "{:?}", daemon.said.last());
    assert!(daemon.says("caught-up"));
    // Once it is whole it is read.
    deliver(&objects[10], &logs);
    assert!(daemon.says("caught-up"));
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("21 seen, 20 read, 1 could not be read")));
}

#[test]
fn a_log_that_was_read_and_is_another_now_is_told_once_and_never_learned() {
    let (_folder, logs, file) = place();
    let objects = objects_by_stamp();
    deliver_all(&objects[..100], &logs);
    let mut daemon = Daemon::start(&arguments(&logs, &file), None);
    assert!(daemon.says("caught-up"));
    daemon.stop();
    let expected = kept(&file);
    // Encrypted anew, or copied: the same bytes. And the records of another object.
    write_again(&objects[5], &logs, &fs::read(&objects[5]).unwrap(), 1);
    write_again(&objects[7], &logs, &fs::read(&objects[200]).unwrap(), 1);
    let mut daemon = Daemon::start(&arguments(&logs, &file), None);
    assert!(daemon.says("log-object-changed"));
    assert!(daemon.says("caught-up"));
    let told = daemon.stop();
    for what in ["1 objects written again as they were", "1 objects that hold something else"] {
        assert!(told.iter().any(|line| line.contains(what)), "{what} not in {told:#?}");
    }
    let mut found = kept(&file);
    let changed = take_changed(&mut found);
    assert_eq!(found, expected);
    assert_eq!(changed.len(), 1);
    let key = text(objects[7].strip_prefix(archive()).unwrap());
    assert_eq!(changed[0]["entity"]["key"], key);
    assert_eq!(changed[0]["severity"]["label"], "high");
    let summary = changed[0]["summary"].as_str().unwrap();
    assert!(
        summary.contains(".gz holds something else than what was read of it at 20"),
        "{summary}"
    );
    assert!(
        summary.contains("hash ") && summary.contains("version 1000 in place of "),
        "{summary}"
    );
    // Whoever starts again knows both.
    let mut daemon = Daemon::start(&arguments(&logs, &file), None);
    assert!(daemon.says("caught-up"));
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("objects   0 seen")), "{told:#?}");
    // What was there first is put back: there is nothing to tell.
    write_again(&objects[7], &logs, &fs::read(&objects[7]).unwrap(), 2);
    let mut daemon = Daemon::start(&arguments(&logs, &file), None);
    assert!(daemon.says("caught-up"));
    assert!(daemon.stop().iter().any(|line| line.contains("1 objects written again as they")));
    let mut found = kept(&file);
    assert_eq!(take_changed(&mut found), changed);
    assert_eq!(found, expected);
}

/// Ids of findings, sorted.
fn ids<'a>(findings: impl IntoIterator<Item = &'a Value>) -> BTreeSet<String> {
    findings.into_iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
}

/// Findings in a file of JSON lines.
fn lines_of(path: &Path) -> Vec<Value> {
    let lines = fs::read_to_string(path).unwrap_or_default();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn what_is_found_is_told_though_the_daemon_dies_while_it_tells() {
    let (folder, logs, file) = place();
    deliver_all(&objects_by_stamp(), &logs);
    let config = folder.path().join("sentrail.toml");
    fs::write(&config, "[sinks.siem]\ntype = \"json-lines\"\npath = \"told.jsonl\"\n").unwrap();
    let told = folder.path().join("told.jsonl");
    let config = ["--config".to_owned(), text(&config)];
    let arguments = [&arguments(&logs, &file)[..], &config].concat();
    for fault in ["mid-send:1", "mid-send:2"] {
        let mut daemon = Daemon::start(&arguments, Some(fault));
        assert_eq!(daemon.ends().code(), None, "{:#?}", daemon.said);
    }
    let n_before = lines_of(&told).len();
    assert!(n_before > 0);
    let mut daemon = Daemon::start(&arguments, None);
    assert!(daemon.says("caught-up"));
    daemon.stop();
    let lines = lines_of(&told);
    assert_eq!(ids(&lines), ids(&kept(&file)));
    // Only what was on the way when it died is told twice: 8 at a time.
    assert!(lines.len() <= ids(&lines).len() + 2 * 8, "{} of {}", lines.len(), ids(&lines).len());
    // Whoever starts again has nothing to tell.
    let mut daemon = Daemon::start(&arguments, None);
    assert!(daemon.says("caught-up"));
    daemon.stop();
    assert_eq!(lines_of(&told).len(), lines.len());
}

/// A request as it came.
struct Request {
    head: String,
    body: Value,
    /// Before it was answered.
    at: Instant,
}

/// Takes requests, says yes to them, and hands them on.
fn receiver() -> (SocketAddr, mpsc::Receiver<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (to, received) = mpsc::sync_channel(10_000);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert!(stream.read_line(&mut head).unwrap() > 0);
            }
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
            });
            let mut body = vec![0; length.unwrap()];
            stream.read_exact(&mut body).unwrap();
            let at = Instant::now();
            stream.get_mut().write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
            to.send(Request { head, body: serde_json::from_slice(&body).unwrap(), at }).unwrap();
        }
    });
    (address, received)
}

#[test]
fn a_webhook_is_told_each_series_once_while_the_day_is_open() {
    let (folder, logs, file) = place();
    let (address, received) = receiver();
    let config = folder.path().join("sentrail.toml");
    let secret = folder.path().join("secret");
    fs::write(&secret, "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").unwrap();
    let table = format!(
        "[sinks.chat]\ntype = \"webhook\"\nurl = \"http://{address}/hook\"\nallow = [\"127.0.0.1\"]\n\
         secret-file = \"secret\"\n"
    );
    fs::write(&config, table).unwrap();
    let config = ["--config".to_owned(), text(&config)];
    let arguments = [&arguments(&logs, &file)[..], &config].concat();
    deliver_all(&objects_by_stamp(), &logs);
    let mut daemon = Daemon::start(&arguments, None);
    assert!(daemon.says("caught-up"));
    daemon.stop();
    let messages: Vec<Request> = received.try_iter().collect();
    let created: Vec<_> =
        messages.iter().filter(|one| one.body["type"] == "finding.created").collect();
    let told: Vec<_> = created.iter().map(|one| &one.body["data"]).collect();
    assert_eq!(told.len(), ids(told.iter().copied()).len());
    let found = kept(&file);
    assert!(ids(told.iter().copied()).is_subset(&ids(&found)));
    // Whatever is not told is of a series that is told as severe.
    let series = |finding: &Value| ["detector", "entity"].map(|key| finding[key].to_string());
    let rank = |finding: &Value| {
        let severity = finding["severity"]["label"].as_str().unwrap();
        ["low", "medium", "high", "critical"].iter().position(|one| *one == severity)
    };
    let is_told = |finding: &&Value| {
        let severest =
            told.iter().filter(|one| series(one) == series(finding)).map(|one| rank(one));
        severest.max() >= Some(rank(finding))
    };
    assert_eq!(found.iter().filter(|one| !is_told(one)).count(), 0);
    let n_series = found.iter().map(series).collect::<BTreeSet<_>>().len();
    assert!(
        (n_series..found.len()).contains(&told.len()),
        "{n_series} {} {}",
        told.len(),
        found.len()
    );
    assert!(messages.iter().all(|one| one.head.to_lowercase().contains("webhook-signature: v1,")));
    // The last day of the archive is open, and told all the same.
    let last = told.iter().map(|finding| finding["day"].as_str().unwrap()).max();
    assert!(last >= Some("2026-03-05"), "{last:?}");
}

/// Of an integration of PagerDuty.
const KEY: &str = "0123456789abcdefABCDEFghijklmnop";

/// What the daemon tells of findings from high on to a sink of these keys, which `id` finds in a body.
fn told_to(keys: &str, id: fn(&Value) -> Option<String>) -> Vec<Request> {
    let (folder, logs, file) = place();
    let (address, received) = receiver();
    let config = folder.path().join("sentrail.toml");
    fs::write(folder.path().join("key"), KEY).unwrap();
    let table = format!(
        "[sinks.people]\nurl = \"http://{address}/hook\"\nallow = [\"127.0.0.1\"]\nmin-severity = \"high\"\n{keys}"
    );
    fs::write(&config, table).unwrap();
    let config = ["--config".to_owned(), text(&config)];
    let arguments = [&arguments(&logs, &file)[..], &config].concat();
    deliver_all(&objects_by_stamp(), &logs);
    let is_loud = |finding: &Value| {
        ["high", "critical"].map(Some).contains(&finding["severity"]["label"].as_str())
    };
    let mut wanted = ids(expected(EVERY_DAY).iter().filter(|finding| is_loud(finding)));
    assert!(wanted.len() > 2, "{wanted:?}");
    let daemon = Daemon::start(&arguments, None);
    let mut messages = Vec::new();
    while !wanted.is_empty() {
        let request = received.recv_timeout(Duration::from_mins(2)).unwrap();
        wanted.remove(&id(&request.body).unwrap());
        messages.push(request);
    }
    daemon.stop();
    let state = fs::read(&file).unwrap();
    assert!(!state.windows(KEY.len()).any(|bytes| bytes == KEY.as_bytes()));
    messages
}

#[test]
fn slack_is_told_what_is_found_one_message_a_second() {
    let id = |body: &Value| {
        let fields = body["blocks"][2]["fields"].as_array()?;
        let id = fields.iter().find_map(|field| field["text"].as_str()?.strip_prefix("finding\n"));
        id.map(str::to_owned)
    };
    let messages = told_to("type = \"slack\"\nburst = 1000\n", id);
    for pair in messages.windows(2) {
        // The daemon counts milliseconds.
        assert!(pair[1].at - pair[0].at >= Duration::from_millis(999));
    }
    assert!(messages.iter().all(|one| !one.head.to_lowercase().contains("webhook-")));
    let heads: BTreeSet<_> =
        messages.iter().map(|one| one.body["text"].as_str().unwrap()).collect();
    assert!(heads.iter().all(|head| head.starts_with("HIGH: ") || head.starts_with("CRITICAL: ")));
}

#[test]
fn teams_is_told_what_is_found_in_cards() {
    let id = |body: &Value| {
        let blocks = body["attachments"][0]["content"]["body"].as_array()?;
        let fact = blocks.iter().find(|block| block["inlines"][0]["text"] == "finding: ")?;
        fact["inlines"][1]["text"].as_str().map(str::to_owned)
    };
    let messages = told_to("type = \"teams\"\nburst = 1000\n", id);
    for pair in messages.windows(2) {
        assert!(pair[1].at - pair[0].at >= Duration::from_millis(249));
    }
    assert!(messages.iter().all(|one| one.body["type"] == "message"));
}

#[test]
fn a_chat_gets_one_message_of_many_that_come_at_once() {
    let (folder, logs, file) = place();
    let (address, received) = receiver();
    let config = folder.path().join("sentrail.toml");
    let table = format!(
        "[sinks.people]\ntype = \"slack\"\nurl = \"http://{address}/hook\"\nallow = [\"127.0.0.1\"]\nburst = 2\n"
    );
    fs::write(&config, table).unwrap();
    let arguments =
        [&arguments(&logs, &file)[..], &["--config".to_owned(), text(&config)]].concat();
    deliver_all(&objects_by_stamp(), &logs);
    let mut daemon = Daemon::start(&arguments, None);
    let is_burst =
        |request: &Request| request.body["text"].as_str().unwrap().contains(" findings at once: ");
    while !is_burst(&received.recv_timeout(Duration::from_mins(2)).unwrap()) {}
    assert!(daemon.says("caught-up"));
    daemon.stop();
    // What it told of is told.
    let mut daemon = Daemon::start(&arguments, None);
    assert!(daemon.says("caught-up"));
    daemon.stop();
    assert!(received.try_iter().count() <= 2);
}

#[test]
fn pagerduty_is_told_with_a_key_that_nothing_keeps() {
    let id =
        |body: &Value| body["payload"]["custom_details"]["finding"].as_str().map(str::to_owned);
    let messages = told_to("type = \"pagerduty\"\nkey-file = \"key\"\n", id);
    for Request { body, .. } in &messages {
        assert_eq!((&body["routing_key"], &body["event_action"]), (&json!(KEY), &json!("trigger")));
        assert!(["error", "critical"].map(Some).contains(&body["payload"]["severity"].as_str()));
    }
}

/// Names and types of families of metrics, as a parser of Prometheus reads them: it refuses what is not
/// `OpenMetrics`.
fn families(metrics: &str) -> BTreeMap<String, String> {
    let program = "import sys\n\
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as read\n\
        for family in read(sys.stdin.read()): print(family.name, family.type)";
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let mut python = Command::new(python)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the parser is not installed: run `make servers` once");
    python.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let ended = python.wait_with_output().unwrap();
    assert!(ended.status.success(), "no OpenMetrics, or no parser (`make servers`): {metrics}");
    let told = String::from_utf8(ended.stdout).unwrap();
    let family = |line: &str| line.split_once(' ').map(|(name, kind)| (name.into(), kind.into()));
    told.lines().filter_map(family).collect()
}

#[test]
fn health_and_metrics_are_told_while_it_runs() {
    let (_folder, logs, file) = place();
    deliver_all(&objects_by_stamp()[..50], &logs);
    let more = ["--listen", "127.0.0.1:0"].map(str::to_owned);
    let mut daemon = Daemon::start(&[&arguments(&logs, &file)[..], &more].concat(), None);
    assert!(daemon.says("listening"));
    let said: Value = serde_json::from_str(daemon.said.last().unwrap()).unwrap();
    let at = said["address"].as_str().unwrap();
    assert!(daemon.says("caught-up"));
    assert_eq!(get(at, "/livez"), ("200".to_owned(), "alive\n".to_owned()));
    assert_eq!(get(at, "/readyz"), ("200".to_owned(), "ready\n".to_owned()));
    assert_eq!(get(at, "/").0, "404");
    run(&["healthcheck", "--at", at]).ends(0);
    let (status, metrics) = get(at, "/metrics");
    assert_eq!(status, "200");
    for line in [
        "sentrail_objects_processed_total{source=\"cloudtrail\",result=\"read\"} 50",
        "sentrail_objects_processed_total{source=\"cloudtrail\",result=\"unread\"} 0",
        "sentrail_parse_errors_total{source=\"cloudtrail\"} 0",
        "sentrail_event_lag_seconds_count 50",
        "sentrail_epoch_commit_seconds_count 1",
        "sentrail_epoch_bytes_count 1",
        "sentrail_score_seconds_count 1",
        "sentrail_days_open 2",
        "# EOF",
    ] {
        assert!(metrics.lines().any(|own| own == line), "{line} not in: {metrics}");
    }
    let families = families(&metrics);
    for (name, kind) in [
        ("sentrail_records", "counter"),
        ("sentrail_event_lag_seconds", "histogram"),
        ("sentrail_build", "info"),
        ("process_resident_memory_bytes", "gauge"),
        ("process_open_fds", "gauge"),
    ] {
        assert_eq!(families.get(name).map(String::as_str), Some(kind), "{name} in {families:#?}");
    }
    let page = include_str!("../docs/running.md");
    for name in families.keys() {
        assert!(page.contains(&format!("`{name}")), "{name} is not in docs/running.md");
    }
    let page = run(&["status", "--at", at]).ends(0).out.clone();
    for words in ["ready      yes; version ", "2 days open", "50 read, 0 a second; 0 could not"] {
        assert!(page.contains(words), "{words} not in: {page}");
    }
    assert!(!page.contains("trouble"), "{page}");
    // What cannot be read is a trouble.
    let damaged = logs.join(objects_by_stamp()[50].strip_prefix(archive()).unwrap());
    fs::write(&damaged, "no log").unwrap();
    let written = fs::File::options().append(true).open(&damaged).unwrap();
    written.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert!(daemon.says("object-unread"));
    let status = run(&["status", "--at", at, "--json"]).ends(0).rows();
    assert_eq!(status[0]["troubles"][0]["event"], "object-unread");
    assert_eq!(status[0]["objects"]["read"], 50.0);
    // A client that never asks does not keep it from ending.
    let _silent = TcpStream::connect(at).unwrap();
    daemon.stop();
    run(&["healthcheck", "--at", at]).ends(1).tells(&["nobody answers at"]);
    run(&["status", "--at", at]).ends(1).tells(&["nobody answers at"]);
}

/// What somebody who watches is shown: lines until one that begins so.
fn shown(lines: &mpsc::Receiver<String>, beginning: &str) {
    while !lines.recv_timeout(Duration::from_mins(1)).unwrap().starts_with(beginning) {}
}

#[test]
fn whoever_watches_goes_on_after_a_restart() {
    let (_folder, logs, file) = place();
    let start = |at: &str| {
        let more = ["--listen", at].map(str::to_owned);
        Daemon::start(&[&arguments(&logs, &file)[..], &more].concat(), None)
    };
    let mut daemon = start("127.0.0.1:0");
    assert!(daemon.says("listening"));
    let said: Value = serde_json::from_str(daemon.said.last().unwrap()).unwrap();
    let at = said["address"].as_str().unwrap().to_owned();
    assert!(daemon.says("caught-up"));
    let mut watch = Command::new(env!("CARGO_BIN_EXE_sentrail"))
        .args(["status", "--watch", "--at", &at])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (to, lines) = mpsc::channel();
    let out = BufReader::new(watch.stdout.take().unwrap());
    thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| to.send(line)));
    shown(&lines, "ready      yes");
    daemon.stop();
    shown(&lines, "away       nobody answers at");
    let daemon = start(&at);
    shown(&lines, "ready      yes");
    daemon.stop();
    watch.kill().unwrap();
    watch.wait().unwrap();
    run(&["status", "--watch", "--at", &at]).ends(1).tells(&["nobody answers at"]);
}

#[test]
fn a_queue_that_is_no_url_is_refused_with_an_example() {
    let (_folder, _, file) = place();
    for command in ["run", "doctor"] {
        for queue in ["notaurl", "https://sqs.eu-central-1.amazonaws.com", "arn:aws:sqs:a:1:b"] {
            let expected =
                "expected a URL such as https://sqs.eu-central-1.amazonaws.com/111122223333";
            run(&[command, "--queue", queue, "--state", &file]).ends(2).tells(&[expected]);
        }
    }
    assert!(!Path::new(&file).exists());
}

#[test]
fn a_damaged_state_is_told_and_never_begun_anew_in_silence() {
    let (_folder, logs, file) = place();
    deliver_all(&objects_by_stamp()[..50], &logs);
    let mut daemon = Daemon::start(&arguments(&logs, &file), None);
    assert!(daemon.says("caught-up"));
    daemon.stop();
    fs::copy(&file, format!("{file}.1")).unwrap();
    let whole = fs::read(&file).unwrap();
    // Bytes of profiles: `SQLite` does not notice.
    let name = b"arn:aws:iam::";
    let at: Vec<usize> = (0..whole.len()).filter(|at| whole[*at..].starts_with(name)).collect();
    let mut damaged = whole;
    for at in at {
        damaged[at] ^= 1;
    }
    fs::write(&file, &damaged).unwrap();
    let mut daemon = Daemon::start(&arguments(&logs, &file), None);
    assert!(daemon.says("state-restored"));
    assert!(daemon.says("caught-up"));
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("objects   0 seen")), "{told:#?}");
    let found = kept(&file);
    assert!(found.iter().any(|finding| finding["detector"] == "state-restored"), "{found:#?}");
    // One that is gone is looked for among the copies, too.
    fs::rename(&file, format!("{file}.2")).unwrap();
    let mut daemon = Daemon::start(&arguments(&logs, &file), None);
    assert!(daemon.says("state-restored"));
    assert!(daemon.says("caught-up"));
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("objects   0 seen")), "{told:#?}");
    // Without a copy it is not begun anew.
    fs::write(&file, &damaged).unwrap();
    let again = [&["run".to_owned()], &arguments(&logs, &file)[..]].concat();
    for _ in 0..2 {
        run(&again).ends(1).tells(&["s.db", "its bytes are not what was written"]);
    }
}

/// Writes an object of one record, written so many minutes ago.
fn recent(folder: &Path, region: &str, minutes_ago: i64) {
    #[expect(clippy::disallowed_methods, reason = "silence is told by the clock")]
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let at_ms = (i64::try_from(now.as_secs()).unwrap() - minutes_ago * 60) * 1_000;
    let time = ingest::time::format_ms(at_ms);
    let stamp: String = time.chars().filter(|c| !"-:".contains(*c)).take(13).collect();
    let name = format!("111122223333_CloudTrail_{region}_{stamp}Z_aaaaaaaaaaaaaaaa.json");
    let folder = folder.join("AWSLogs/111122223333/CloudTrail").join(region);
    fs::create_dir_all(&folder).unwrap();
    let record = format!(
        r#"{{"Records":[{{"eventTime":"{time}","eventName":"ListBuckets","awsRegion":"{region}",
            "eventSource":"s3.amazonaws.com","eventID":"{region}-{minutes_ago}"}}]}}"#
    );
    fs::write(folder.join(&name), record).unwrap();
    let file = fs::File::options().append(true).open(folder.join(name)).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
}

#[test]
fn a_feed_that_stops_is_told_within_half_an_hour() {
    let (_folder, logs, file) = place();
    for minutes_ago in (0..180).step_by(5) {
        recent(&logs, "us-east-1", minutes_ago);
        if minutes_ago >= 25 {
            recent(&logs, "eu-west-1", minutes_ago);
        }
    }
    let mut daemon = Daemon::start(&arguments(&logs, &file), None);
    assert!(daemon.says("feed-silent"));
    daemon.stop();
    let mut found = kept(&file);
    found.retain(|finding| finding["detector"] == "feed-silent");
    assert_eq!(found.len(), 1);
    let summary = found[0]["summary"].as_str().unwrap();
    let told = "CloudTrail of 111122223333 in eu-west-1 delivered nothing for 2";
    assert!(summary.starts_with(told), "{summary}");
    run(&["findings", "explain", "--in", &file, found[0]["id"].as_str().unwrap()]).ends(0);
}

#[test]
fn a_folder_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let state = text(&folder.path().join("s.db"));
    let missing = text(&folder.path().join("none"));
    run(&["run", "--folder", &missing, "--state", &state])
        .ends(2)
        .tells(&["is no folder (expected one that logs come into)"]);
    assert!(!Path::new(&state).exists());
}

#[test]
fn a_state_of_which_nothing_is_left_is_not_begun_anew() {
    let (_folder, logs, file) = place();
    fs::write(&file, "").unwrap();
    let again = [&["run".to_owned()], &arguments(&logs, &file)[..]].concat();
    run(&again)
        .ends(1)
        .tells(&["s.db is empty (expected a state, or no file where one is to begin)"]);
    assert_eq!(fs::read(&file).unwrap(), b"");
}

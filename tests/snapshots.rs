//! `run --snapshots` over real sockets: the disk is lost, a snapshot is damaged, two run, one is paused.

use crate::{
    proxy::{Fault, Proxy},
    support::{
        bench::{Bench, KEYS, objects},
        daemon::Daemon,
        kept,
        receiver::receiver,
        run, text,
    },
};
use serde_json::Value;
use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

/// Looks until it is so.
#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(90), "waits in vain: {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// One of the machines that a daemon may run on: a folder of its own, and a proxy that counts what it asks.
struct Machine {
    proxy: Proxy,
    folder: tempfile::TempDir,
}

impl Machine {
    fn new(bench: &Bench) -> Self {
        bench.server.bucket(&vault(bench));
        let proxy = Proxy::before(&bench.server.address);
        Self { proxy, folder: tempfile::tempdir().unwrap() }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("s.db")
    }

    fn start(&self, bench: &Bench, more: &[&str]) -> Daemon {
        let state = text(&self.state());
        let logs = format!("s3://{}/AWSLogs/", bench.name);
        let snapshots = format!("s3://{}-state/state", bench.name);
        let own = ["--queue", &bench.queue, "--bucket", &logs, "--state", &state];
        let own = [&own[..], &["--snapshots", &snapshots, "--lease", "5s"], more].concat();
        let endpoint = self.proxy.endpoint();
        let environment = [&KEYS[..], &[("AWS_ENDPOINT_URL", endpoint.as_str())]].concat();
        Daemon::start_in(&environment, &own, None)
    }

    /// What was written of anything: objects, and messages of queues.
    fn n_writes(&self) -> usize {
        ["PUT /", "DELETE /", "DeleteMessageBatch", "ChangeMessageVisibility"]
            .iter()
            .map(|text| self.proxy.requests(text).len())
            .sum()
    }
}

/// The bucket of the snapshots.
fn vault(bench: &Bench) -> String {
    format!("{}-state", bench.name)
}

fn snapshots(bench: &Bench) -> Vec<String> {
    let mut keys = bench.server.keys(&vault(bench));
    keys.retain(|key| key.starts_with("state/snapshots/"));
    keys
}

fn says(daemon: &Daemon, what: &str) -> bool {
    daemon.said.iter().any(|line| line.contains(what))
}

#[track_caller]
fn hears(daemon: &mut Daemon, event: &str) {
    assert!(daemon.says(event), "{event} in vain: {:#?}", daemon.said);
}

/// Somebody empties the folder of the snapshots.
fn empty(bench: &Bench) {
    for key in bench.server.keys(&vault(bench)) {
        bench.server.delete(&vault(bench), &key);
    }
}

/// Kills it as the kernel does.
fn kill(mut daemon: Daemon) {
    daemon.signal("KILL");
    assert_eq!(daemon.ends().code(), None);
}

fn without_operations(mut findings: Vec<Value>) -> (Vec<Value>, usize) {
    let n = findings.len();
    findings.retain(|finding| finding["detector"] != "state-restored");
    let n_told = n - findings.len();
    (findings, n_told)
}

#[test]
fn whoever_starts_elsewhere_finds_what_was_found_and_what_came_since() {
    let bench = Bench::new("elsewhere", 60);
    let objects = objects();
    let (before, after) = objects.split_at(objects.len() / 2);
    bench.put(before);
    let first = Machine::new(&bench);
    let mut daemon = first.start(&bench, &["--snapshot-every", "10s"]);
    hears(&mut daemon, "begins-anew");
    hears(&mut daemon, "caught-up");
    hears(&mut daemon, "snapshot-kept");
    // What comes after it is in no snapshot, and its messages are deleted.
    bench.put(after);
    bench.tell_of(&after[..100]);
    bench.is_left(0);
    kill(daemon);
    drop(first);
    let second = Machine::new(&bench);
    let mut daemon = second.start(&bench, &["--snapshot-every", "1h"]);
    hears(&mut daemon, "standby");
    hears(&mut daemon, "lease-held");
    hears(&mut daemon, "snapshot-restored");
    hears(&mut daemon, "caught-up");
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("snapshot-kept")), "{told:#?}");
    let found = kept(&text(&second.state()));
    assert!(!found.is_empty());
    assert_eq!(found, bench.expected());
    // It was given back: a third begins at once, and reads nothing anew.
    let third = Machine::new(&bench);
    let mut daemon = third.start(&bench, &[]);
    hears(&mut daemon, "caught-up");
    assert!(!says(&daemon, "\"standby\""), "{:#?}", daemon.said);
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains(" 0 read, 0 could not be read")), "{told:#?}");
    assert_eq!(kept(&text(&third.state())), found);
    // The second has what it had: another has gone on since, whose snapshot counts.
    let mut daemon = second.start(&bench, &[]);
    hears(&mut daemon, "started");
    daemon.stop();
    assert_eq!(kept(&text(&second.state())), found);
}

#[test]
fn a_state_that_was_there_before_its_snapshots_is_in_the_first() {
    let bench = Bench::new("moved", 60);
    bench.put(&objects()[..200]);
    let machine = Machine::new(&bench);
    let mut daemon = machine.start(&bench, &["--snapshot-every", "1h"]);
    hears(&mut daemon, "caught-up");
    daemon.stop();
    // The folder is another one: nobody has told of it yet what the state holds.
    empty(&bench);
    let mut daemon = machine.start(&bench, &["--snapshot-every", "1h"]);
    hears(&mut daemon, "caught-up");
    daemon.stop();
    assert_eq!(snapshots(&bench).len(), 1);
}

#[test]
fn of_a_folder_that_was_emptied_and_begun_anew_an_older_state_is_stale() {
    let bench = Bench::new("emptied", 60);
    let objects = objects();
    bench.put(&objects[..200]);
    let old = Machine::new(&bench);
    let mut daemon = old.start(&bench, &["--snapshot-every", "1h"]);
    hears(&mut daemon, "caught-up");
    daemon.stop();
    empty(&bench);
    bench.put(&objects[200..400]);
    let new = Machine::new(&bench);
    let mut daemon = new.start(&bench, &["--snapshot-every", "1h"]);
    hears(&mut daemon, "begins-anew");
    hears(&mut daemon, "caught-up");
    daemon.stop();
    let mut daemon = old.start(&bench, &["--snapshot-every", "1h"]);
    hears(&mut daemon, "snapshot-restored");
    hears(&mut daemon, "caught-up");
    daemon.stop();
    assert_eq!(kept(&text(&old.state())), kept(&text(&new.state())));
}

#[test]
fn whoever_waited_goes_on_under_the_configuration_of_when_its_turn_comes() {
    let bench = Bench::new("waited", 60);
    let [config, rule] = ["sentrail.toml", "took.yml"].map(|name| bench.folder.path().join(name));
    fs::write(&config, "alerts-per-day = 5\n").unwrap();
    let named = ["--config", &text(&config), "--snapshot-every", "1h"];
    let (first, second) = (Machine::new(&bench), Machine::new(&bench));
    let mut daemon = first.start(&bench, &named);
    hears(&mut daemon, "caught-up");
    let mut other = second.start(&bench, &named);
    hears(&mut other, "standby");
    daemon.stop();
    hears(&mut other, "caught-up");
    // The third begins to wait under what the first two began with.
    let third = Machine::new(&bench);
    let mut waiting = third.start(&bench, &named);
    hears(&mut waiting, "standby");
    fs::write(
        &rule,
        "title: Somebody took a role\nlogsource: {product: aws, service: cloudtrail}\n\
         detection: {s: {eventName: AssumeRole}, condition: s}\nlevel: medium\n",
    )
    .unwrap();
    fs::write(&config, "rules = [\"took.yml\"]\n").unwrap();
    // Whoever takes over finds all of them by listing.
    bench.put(&objects()[..400]);
    kill(other);
    hears(&mut waiting, "caught-up");
    for event in ["config-refused", "config-applied"] {
        assert!(!says(&waiting, event), "{:#?}", waiting.said);
    }
    waiting.stop();
    let found = kept(&text(&third.state()));
    assert!(found.iter().any(|finding| finding["detector"] == "took"), "{found:#?}");
}

#[test]
fn a_snapshot_that_is_damaged_is_told_and_the_one_before_takes_its_place() {
    let bench = Bench::new("damaged-snapshot", 60);
    let objects = objects();
    let machine = Machine::new(&bench);
    for part in objects.chunks(objects.len() / 4) {
        bench.put(part);
        let mut daemon = machine.start(&bench, &[]);
        hears(&mut daemon, "caught-up");
        daemon.stop();
    }
    let all = snapshots(&bench);
    assert_eq!(all.len(), 3, "{all:?}");
    let [_, second, newest] = &all[..] else { panic!("{all:?}") };
    let fresh = || {
        let machine = Machine::new(&bench);
        let mut daemon = machine.start(&bench, &[]);
        let is_ready = daemon.says("caught-up");
        (machine, daemon, is_ready)
    };
    let whole = bench.server.object(&vault(&bench), newest);
    bench.server.put(&vault(&bench), newest, &whole[..whole.len() / 2]);
    let (machine, daemon, is_ready) = fresh();
    assert!(is_ready, "{:#?}", daemon.said);
    assert!(says(&daemon, "is of no use"), "{:#?}", daemon.said);
    daemon.stop();
    let (found, n_told) = without_operations(kept(&text(&machine.state())));
    assert_eq!((found, n_told), (bench.expected(), 1));
    // One that is larger than any is passed over as well, and not read.
    let last = snapshots(&bench).pop().unwrap();
    let (of_fence, _) = last.rsplit_once('-').unwrap();
    let large = format!("{of_fence}-01000000000000000000");
    bench.server.put(&vault(&bench), &large, &vec![b' '; (16 << 20) + 1]);
    let (machine, daemon, is_ready) = fresh();
    assert!(is_ready, "{:#?}", daemon.said);
    assert!(says(&daemon, "of 16777217 bytes") || says(&daemon, "16777216"), "{:#?}", daemon.said);
    daemon.stop();
    assert_eq!(without_operations(kept(&text(&machine.state()))).0, bench.expected());
    // No snapshot that is whole: nobody begins anew in silence.
    for name in [second, newest].into_iter().chain(&snapshots(&bench)) {
        bench.server.put(&vault(&bench), name, b"nothing");
    }
    let (machine, mut daemon, is_ready) = fresh();
    assert!(!is_ready);
    assert_eq!(daemon.ends().code(), Some(1));
    assert!(says(&daemon, "can take the place of the state"), "{:#?}", daemon.said);
    assert!(!machine.state().exists());
}

#[test]
fn whoever_was_paused_for_longer_than_its_lease_writes_nothing_any_more() {
    let bench = Bench::new("paused", 5);
    let objects = objects();
    let (before, after) = objects.split_at(objects.len() / 2);
    let (hook, _, told) = receiver();
    let config = bench.folder.path().join("sentrail.toml");
    let table = format!(
        "[sinks.hook]\ntype = \"webhook\"\nurl = \"http://{hook}/first\"\nallow = [\"127.0.0.1\"]\n"
    );
    fs::write(&config, table).unwrap();
    let config = text(&config);
    bench.put(before);
    let (first, second) = (Machine::new(&bench), Machine::new(&bench));
    // Of sixteen pieces on their way one may have passed the gate when it is stopped; a piece harms nobody.
    let mut paused = first.start(&bench, &["--snapshot-every", "1h", "--config", &config]);
    hears(&mut paused, "queue-served");
    bench.put(after);
    bench.tell_of(after);
    // In the middle of reading.
    until("deletions", || !first.proxy.requests("DeleteMessageBatch").is_empty());
    paused.signal("STOP");
    let mut other = second.start(&bench, &["--snapshot-every", "10s"]);
    hears(&mut other, "standby");
    hears(&mut other, "lease-held");
    hears(&mut other, "queue-served");
    let n_told = told.try_iter().count();
    let n_writes = first.n_writes();
    paused.signal("CONT");
    assert_eq!(paused.ends().code(), Some(1), "{:#?}", paused.said);
    assert!(says(&paused, "has ended: another sentrail may go on"), "{:#?}", paused.said);
    // One may have been on its way when it was stopped: of what is durable, or a renewal, which is refused.
    let more = first.n_writes() - n_writes;
    assert!(more <= 1, "{more} requests more");
    assert_eq!(told.try_iter().count(), 0, "{n_told} were told before");
    bench.is_left(0);
    other.stop();
    assert_eq!(kept(&text(&second.state())), bench.expected());
    // The fenced one begins again: from what the other has kept.
    let mut again = first.start(&bench, &[]);
    hears(&mut again, "snapshot-restored");
    hears(&mut again, "caught-up");
    again.stop();
    assert_eq!(kept(&text(&first.state())), bench.expected());
}

#[test]
fn a_lease_that_cannot_be_renewed_in_time_ends_the_process_and_a_lost_answer_does_not() {
    let bench = Bench::new("renewals", 60);
    bench.put(&objects()[..10]);
    let machine = Machine::new(&bench);
    let mut daemon = machine.start(&bench, &[]);
    hears(&mut daemon, "caught-up");
    machine.proxy.fault("PUT /renewals-state/state/lease", 1, Fault::DropReply);
    let renewals = || machine.proxy.requests("PUT /renewals-state/state/lease").len();
    let n = renewals();
    until("renewals", || renewals() > n + 6);
    machine.proxy.fault("PUT /renewals-state/state/lease", 1_000, Fault::Answer(503, "SlowDown"));
    assert_eq!(daemon.ends().code(), Some(1), "{:#?}", daemon.said);
    assert!(says(&daemon, "has ended: another sentrail may go on"), "{:#?}", daemon.said);
}

#[test]
fn whoever_waits_is_alive_and_not_ready_and_a_bucket_out_of_reach_is_no_beginning() {
    let bench = Bench::new("health", 60);
    bench.put(&objects()[..10]);
    let (first, second) = (Machine::new(&bench), Machine::new(&bench));
    let mut daemon = first.start(&bench, &["--listen", "127.0.0.1:0"]);
    let address = |daemon: &mut Daemon| {
        hears(daemon, "listening");
        let line: Value = serde_json::from_str(daemon.said.last().unwrap()).unwrap();
        line["address"].as_str().unwrap().to_owned()
    };
    let asked = |address: &str, path: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let at = address(&mut daemon);
    hears(&mut daemon, "caught-up");
    assert!(asked(&at, "/readyz").starts_with("HTTP/1.1 200"));
    let metrics = asked(&at, "/metrics");
    assert!(metrics.contains("\nsentrail_lease_held{} 1\n"), "{metrics}");
    assert!(metrics.contains("\nsentrail_snapshot_age_seconds{} "), "{metrics}");
    let mut other = second.start(&bench, &["--listen", "127.0.0.1:0"]);
    let at = address(&mut other);
    hears(&mut other, "standby");
    let answer = asked(&at, "/readyz");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.ends_with("standby\n"), "{answer}");
    assert!(asked(&at, "/livez").starts_with("HTTP/1.1 200"));
    assert!(asked(&at, "/metrics").contains("\nsentrail_lease_held{} 0\n"));
    // Asked to end, it does so; then the first gives its lease back.
    other.stop();
    assert!(!second.state().exists());
    let told = daemon.stop();
    assert!(told.iter().any(|line| line.contains("snapshot-kept")), "{told:#?}");
    second.proxy.fault("GET /health-state/state/lease", 100, Fault::Answer(403, "AccessDenied"));
    let mut daemon = second.start(&bench, &[]);
    assert_eq!(daemon.ends().code(), Some(1), "{:#?}", daemon.said);
    assert!(says(&daemon, "cannot read the lease"), "{:#?}", daemon.said);
    assert!(!second.state().exists());
}

#[test]
fn what_cannot_be_found_again_by_listing_is_no_use_of_snapshots() {
    let url = "http://127.0.0.1:9/queue";
    let own = ["run", "--queue", url, "--state", "s.db", "--snapshots", "s3://a/b"];
    run(&own).ends(2).tells(&["--snapshots with --queue needs --bucket"]);
    let with = |more: &[&str]| run(&[&own[..], &["--bucket", "s3://a/c"], more].concat());
    with(&["--lease", "1s"]).ends(2).tells(&["expected 3s to 1h"]);
    with(&["--snapshot-every", "5"]).ends(2).tells(&["expected 10s to 24h"]);
}

#[test]
fn a_state_goes_elsewhere_as_one_file() {
    let bench = Bench::new("one-file", 60);
    bench.put(&objects()[..200]);
    let at = |name: &str| text(&bench.folder.path().join(name));
    let logs = at("logs");
    run(&["replay", "--quiet", "--state", &at("s.db"), &logs]).ends(0);
    run(&["state", "export", &at("s.db"), "--out", &at("out")]).ends(0).tells(&["piece"]);
    run(&["state", "import", &at("out"), "--into", &at("t.db")]).ends(0);
    assert_eq!(kept(&at("t.db")), kept(&at("s.db")));
    run(&["state", "import", &at("out"), "--into", &at("t.db")])
        .ends(2)
        .tells(&["t.db is there already"]);
    let whole = fs::read(at("out")).unwrap();
    fs::write(at("cut"), &whole[..whole.len() - 1]).unwrap();
    run(&["state", "import", &at("cut"), "--into", &at("u.db")])
        .ends(1)
        .tells(&["cut is damaged: it ends too soon"]);
    run(&["state", "import", &logs, "--into", &at("u.db")]).ends(1);
    run(&["state", "import", &at("nope"), "--into", &at("u.db")])
        .ends(2)
        .tells(&["cannot open", "nope: No such file"]);
    assert!(!bench.folder.path().join("u.db").exists());
    // What is called as it passes by is somebody's.
    for (name, made) in [("v.part", "v"), ("w.copy", "w"), ("x.db.part", "x.db")] {
        fs::write(at(name), "precious").unwrap();
        let ended = if made == "x.db" {
            run(&["state", "import", &at("out"), "--into", &at(made)])
        } else {
            run(&["state", "export", &at("s.db"), "--out", &at(made)])
        };
        ended.ends(2).tells(&[&format!("{name} is there already")]);
        assert_eq!(fs::read_to_string(at(name)).unwrap(), "precious");
        assert!(!bench.folder.path().join(made).exists());
    }
}

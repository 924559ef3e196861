//! A configuration that changes while the daemon runs, as a user changes it.

use crate::support::{
    daemon::Daemon, deliver_all, expected, get, kept, objects_by_stamp, receiver::receiver, run,
    text,
};
use serde_json::Value;
use std::{fs, path::PathBuf, time::Duration};
use tempfile::TempDir;

/// A folder with logs, a configuration and a state.
struct Place(TempDir);

/// Told of many records of the archive.
const RULE: &str = "title: Somebody took a role\nlogsource: {product: aws, service: cloudtrail}\n\
                    detection:\n  s:\n    eventName: AssumeRole\n  condition: s\nlevel: medium\n";

impl Place {
    fn new(config: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("logs")).unwrap();
        place.write("sentrail.toml", config);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file as those who know how do: whole, or not at all.
    fn write(&self, name: &str, text: &str) {
        let (part, whole) = (self.path("part"), self.path(name));
        fs::create_dir_all(whole.parent().unwrap()).unwrap();
        fs::write(&part, text).unwrap();
        fs::rename(part, whole).unwrap();
    }

    fn deliver(&self, objects: &[PathBuf]) {
        deliver_all(objects, &self.path("logs"));
    }

    fn state(&self) -> String {
        text(&self.path("s.db"))
    }

    fn start(&self) -> Daemon {
        let config = text(&self.path("sentrail.toml"));
        self.start_with(&["--config", &config, "--listen", "127.0.0.1:0"])
    }

    fn start_with(&self, more: &[&str]) -> Daemon {
        let (logs, state) = (text(&self.path("logs")), self.state());
        Daemon::start(&[&["--folder", &logs, "--state", &state], more].concat(), None)
    }

    /// What is found by one detector or rule, up to now.
    fn found(&self, id: &str) -> Vec<Value> {
        let mut found = kept(&self.state());
        found.retain(|finding| finding["detector"] == id);
        found
    }
}

/// Waits until it has read so many objects since it was started.
fn reads(daemon: &mut Daemon, n: usize) {
    let all = format!("\"objects\":{n},");
    loop {
        assert!(daemon.says("caught-up"));
        if daemon.said.last().unwrap().contains(&all) {
            return;
        }
    }
}

/// What it said last of an event.
fn said(daemon: &Daemon, event: &str) -> Value {
    let lines = daemon.said.iter().rev().filter_map(|line| serde_json::from_str(line).ok());
    lines.into_iter().find(|said: &Value| said["event"] == event).unwrap()
}

/// The words of all lines of an event.
fn words(daemon: &Daemon, event: &str) -> Vec<String> {
    let lines = daemon.said.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let own = lines.filter(|said| said["event"] == event);
    own.map(|said| said["message"].as_str().unwrap().to_owned()).collect()
}

/// What `status` says now, for programs.
fn status(at: &str) -> Value {
    serde_json::from_str(&run(&["status", "--json", "--at", at]).out).unwrap()
}

fn address(daemon: &mut Daemon) -> String {
    assert!(daemon.says("listening"));
    said(daemon, "listening")["address"].as_str().unwrap().to_owned()
}

/// What a state keeps, with what names the run.
fn everything(file: &str) -> String {
    run(&["findings", "list", "--in", file, "--format", "jsonl", "--suppressed"])
        .ends(0)
        .out
        .clone()
        + &run(&["findings", "list", "--in", file, "--format", "jsonl"]).ends(0).out
}

const BEFORE: &str = "rules = [\"rules\"]\nsuppressions = \"quiet.toml\"\n";
const AFTER: &str = "rules = [\"rules\"]\nsuppressions = \"quiet.toml\"\nalerts-per-day = 1\n\
                     [detectors]\ndisable = [\"root-use\"]\nseverity = { denied-burst = \"low\" }\n\
                     [detectors.mass-secret-read]\nsecrets-min = 1000\n\
                     [kinds]\nhuman = [\"*:role/ci*\"]\n";
const QUIET: &str = "[[suppress]]\ndetector = \"s3-mass-reencryption\"\nreason = \"r\"\nowner = \"o\"\n\
                     expires = \"2999-01-01\"\n";

/// Another configuration in place of the first.
fn change(place: &Place) {
    place.write("rules/takes-role.yml", RULE);
    place.write("quiet.toml", QUIET);
    fs::remove_file(place.path("rules/lists.yml")).unwrap();
    place.write("sentrail.toml", AFTER);
}

fn begin() -> Place {
    let place = Place::new(BEFORE);
    place.write("rules/lists.yml", &RULE.replace("AssumeRole", "ListBuckets"));
    place.write("quiet.toml", "");
    place
}

#[test]
fn a_reload_leaves_what_a_restart_leaves() {
    let objects = objects_by_stamp();
    let (first, rest) = objects.split_at(objects.len() / 2);
    let [reloaded, restarted] = [true, false].map(|is_reload| {
        let place = begin();
        place.deliver(first);
        let mut daemon = place.start();
        reads(&mut daemon, first.len());
        assert!(place.found("takes-role").is_empty());
        let n_before = if is_reload {
            change(&place);
            daemon.signal("HUP");
            assert!(daemon.says("config-applied"));
            first.len()
        } else {
            daemon.stop();
            change(&place);
            daemon = place.start();
            assert!(daemon.says("caught-up"));
            0
        };
        place.deliver(rest);
        reads(&mut daemon, n_before + rest.len());
        daemon.stop();
        assert!(!place.found("takes-role").is_empty());
        everything(&place.state())
    });
    assert!(!reloaded.is_empty());
    assert_eq!(reloaded, restarted);
}

#[test]
fn a_reload_in_the_middle_of_reading_loses_nothing() {
    let place = begin();
    place.deliver(&objects_by_stamp());
    let mut daemon = place.start();
    assert!(daemon.says("started"));
    // An entry that nothing fits: what is found stays the same.
    for detector in ["nobodys", "nobodys-either", "nobodys"] {
        place.write("quiet.toml", &QUIET.replace("s3-mass-reencryption", detector));
        daemon.signal("HUP");
        assert!(daemon.says("config-applied"));
    }
    if words(&daemon, "caught-up").is_empty() {
        assert!(daemon.says("caught-up"));
    }
    daemon.stop();
    let mut found = kept(&place.state());
    found.retain(|finding| finding["detector"] != "lists");
    assert_eq!(found, expected("9999-12-31"));
}

#[test]
fn a_url_that_a_file_holds_is_taken_when_the_file_changes() {
    let (old, _, told_old) = receiver();
    let (new, _, told_new) = receiver();
    let config = "[sinks.chat]\ntype = \"webhook\"\nurl-file = \"url\"\nallow = [\"127.0.0.1\"]\n";
    let place = Place::new(config);
    place.write("url", &format!("http://{old}/"));
    let mut daemon = place.start();
    assert!(daemon.says("caught-up"));
    place.write("url", &format!("http://{new}/"));
    assert!(daemon.says("config-applied"));
    place.deliver(&objects_by_stamp());
    told_new.recv_timeout(Duration::from_mins(1)).unwrap();
    place.write("url", "no address");
    assert!(daemon.says("config-refused"));
    let reason = said(&daemon, "config-refused")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("sentrail.toml:3:12: sinks.chat.url-file: "), "{reason}");
    let said = daemon.stop().concat();
    assert!(told_old.try_recv().is_err());
    assert!(!said.contains(&old) && !said.contains(&new) && !said.contains("no address"), "{said}");
}

#[test]
fn what_changed_is_said_line_by_line_and_nothing_where_nothing_did() {
    let place = begin();
    let mut daemon = place.start();
    assert!(daemon.says("caught-up"));
    daemon.signal("HUP");
    assert!(daemon.says("config-unchanged"));
    change(&place);
    daemon.signal("HUP");
    assert!(daemon.says("config-applied"));
    assert_eq!(
        words(&daemon, "config-changed"),
        [
            "alerts-per-day 5 -> 1",
            "detectors.disable: +1 -0 ~0: +root-use",
            "detectors.mass-secret-read.secrets-min 20 -> 1000",
            "detectors.severity.denied-burst not set -> \"low\"",
            "kinds.human: +1 -0",
            "rules: +1 -1 ~0: +takes-role, -lists",
            "suppressions: +1 -0 ~0: +suppress 1",
        ]
    );
    let applied = said(&daemon, "config-applied");
    assert_ne!(applied["hash"], applied["hash_before"]);
    let check = run(&["config", "check", "--config", &text(&place.path("sentrail.toml"))]);
    assert!(check.err.contains(applied["hash"].as_str().unwrap()), "{}", check.err);
    daemon.stop();
}

#[test]
fn a_wrong_configuration_changes_nothing_until_it_is_mended() {
    let place = begin();
    let objects = objects_by_stamp();
    let (first, rest) = objects.split_at(objects.len() / 2);
    let mut daemon = place.start();
    let at = address(&mut daemon);
    assert!(daemon.says("caught-up"));
    // Of two files one is wrong: neither counts.
    place.write("rules/takes-role.yml", RULE);
    place.write("sentrail.toml", &AFTER.replace("secrets-min", "secret-min"));
    assert!(daemon.says("config-refused"));
    let reason = said(&daemon, "config-refused")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("sentrail.toml:8:1: no key \"secret-min\""), "{reason}");
    let metrics = || get(&at, "/metrics").1;
    assert!(metrics().contains("sentrail_config_reloads_total{result=\"refused\"} 1"));
    assert!(metrics().contains("sentrail_config_unapplied 1"));
    let told = status(&at);
    assert_eq!(told["config_unapplied"], true);
    assert!(told["troubles"].to_string().contains("secret-min"), "{told}");
    let page = run(&["status", "--at", &at]).out;
    assert!(page.contains("config     the one on disk is not in force"), "{page}");
    place.deliver(first);
    reads(&mut daemon, first.len());
    assert!(place.found("takes-role").is_empty());
    // A rule that cannot be understood, then all is mended.
    place.write("rules/takes-role.yml", &RULE.replace("condition: s", "condition: t"));
    place.write("sentrail.toml", AFTER);
    assert!(daemon.says("config-refused"));
    let reason = said(&daemon, "config-refused")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("rules/takes-role.yml:"), "{reason}");
    place.write("rules/takes-role.yml", RULE);
    assert!(daemon.says("config-applied"));
    assert!(metrics().contains("sentrail_config_unapplied 0"));
    assert_eq!(status(&at)["config_unapplied"], false);
    place.deliver(rest);
    reads(&mut daemon, objects.len());
    assert!(!place.found("takes-role").is_empty());
    daemon.stop();
}

#[test]
fn what_cannot_change_is_named_and_the_rest_is_applied() {
    let place = begin();
    let mut daemon = place.start();
    let at = address(&mut daemon);
    assert!(daemon.says("caught-up"));
    place.write("sentrail.toml", &format!("lateness = \"48h\"\nmemory = \"2 GiB\"\n{AFTER}"));
    assert!(daemon.says("config-applied"));
    assert_eq!(
        words(&daemon, "config-waits"),
        ["needs a restart: lateness \"24h\" -> \"48h\" (with a new state); memory \"4 GiB\" -> \
             \"2 GiB\""]
    );
    assert!(words(&daemon, "config-changed").contains(&"alerts-per-day 5 -> 1".to_owned()));
    assert_eq!(status(&at)["config_unapplied"], true);
    daemon.stop();
}

#[test]
fn a_suppression_that_is_added_is_in_force_for_days_that_are_open() {
    let place = begin();
    let objects = objects_by_stamp();
    let (last, first) = objects.split_last().unwrap();
    place.deliver(first);
    let mut daemon = place.start();
    reads(&mut daemon, first.len());
    let found = kept(&place.state());
    let id = found.last().unwrap()["detector"].as_str().unwrap().to_owned();
    let day = found.last().unwrap()["day"].as_str().unwrap().to_owned();
    let n_told = |id: &str| place.found(id).iter().filter(|one| one["day"] == *day).count();
    assert!(n_told(&id) > 0);
    place.write("quiet.toml", &QUIET.replace("s3-mass-reencryption", &id));
    assert!(daemon.says("config-applied"));
    // The next epoch judges open days anew.
    place.deliver(std::slice::from_ref(last));
    reads(&mut daemon, objects.len());
    daemon.stop();
    assert_eq!(n_told(&id), 0);
}

#[test]
fn a_sink_that_takes_the_place_of_another_is_told_what_comes() {
    let sink = |name: &str, address: &str| {
        format!(
            "[sinks.{name}]\ntype = \"webhook\"\nurl = \"http://{address}/\"\nallow = [\"127.0.0.1\"]\n"
        )
    };
    let (old, _, told_old) = receiver();
    let (new, _, told_new) = receiver();
    let (same, _, told_same) = receiver();
    let objects = objects_by_stamp();
    let (first, rest) = objects.split_at(objects.len() / 2);
    let place = Place::new(&[sink("chat", &old), sink("other", &same)].concat());
    place.deliver(first);
    let mut daemon = place.start();
    reads(&mut daemon, first.len());
    let patience = Duration::from_mins(1);
    told_old.recv_timeout(patience).unwrap();
    told_same.recv_timeout(patience).unwrap();
    place.write("sentrail.toml", &[sink("chat", &new), sink("other", &same)].concat());
    assert!(daemon.says("config-applied"));
    assert_eq!(
        words(&daemon, "config-changed"),
        ["sinks: +0 -0 ~1: ~chat", "sinks.chat: what its URL, files, variables or secrets hold"]
    );
    while told_old.try_recv().is_ok() {}
    place.deliver(rest);
    reads(&mut daemon, objects.len());
    told_new.recv_timeout(patience).unwrap();
    let said = daemon.stop().concat();
    assert!(told_old.try_recv().is_err());
    // Of each message the other sink was told once: its task went on.
    let ids: Vec<Value> = told_same.try_iter().map(|sent| sent["webhook-id"].clone()).collect();
    let mut once = ids.clone();
    once.sort_by_key(Value::to_string);
    once.dedup();
    assert_eq!(once.len(), ids.len());
    assert!(!said.contains(&old) && !said.contains(&new), "{said}");
}

#[test]
fn a_signal_without_a_configuration_ends_nothing() {
    let place = Place::new("");
    let mut daemon = place.start_with(&[]);
    assert!(daemon.says("caught-up"));
    daemon.signal("HUP");
    assert!(daemon.says("config-unchanged"));
    daemon.stop();
}

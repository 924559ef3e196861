//! What nobody has to be told, what accounts are called, and which findings a sink is for, as a user says so.

use crate::support::{
    Ended, archive, daemon::Daemon, deliver_all, kept, objects_by_stamp, run, text,
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    sync::OnceLock,
};
use tempfile::TempDir;

/// A replay that is told of everything, and the file that it keeps.
fn everything() -> &'static (String, Ended) {
    static EVERYTHING: OnceLock<(String, Ended)> = OnceLock::new();
    EVERYTHING.get_or_init(|| {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("told.db");
        if file.exists() {
            fs::remove_file(&file).unwrap();
        }
        let ended = run(&["replay", "--out", &text(&file), archive()]);
        ended.ends(0);
        (text(&file), ended)
    })
}

/// A folder with a configuration and the files beside it.
struct Configured(TempDir);

impl Configured {
    fn new(config: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [("sentrail.toml", config)].iter().chain(files) {
            fs::write(folder.path().join(name), content).unwrap();
        }
        Self(folder)
    }

    fn file(&self, name: &str) -> String {
        text(&self.0.path().join(name))
    }

    fn replay(&self, more: &[&str]) -> Ended {
        let config = self.file("sentrail.toml");
        run(&[&["replay", "--config", &config], more, &[archive()]].concat())
    }
}

const SUPPRESSIONS: &str = "suppressions = \"quiet.toml\"\n";

/// The entry that an explanation of a detector's first finding proposes, and the finding.
fn proposed(detector: &str) -> (String, Value) {
    let (file, ended) = everything();
    let rows = ended.rows();
    let finding = rows.into_iter().find(|row| row["detector"] == detector).unwrap();
    let explained =
        run(&["findings", "explain", finding["id"].as_str().unwrap(), "--in", file]).out;
    let heading = "\nTo be told nothing of the like, in the file of suppressions\n";
    let entry = explained.split_once(heading).unwrap().1.split("\n\n").next().unwrap();
    (entry.to_owned(), finding)
}

fn ids(rows: &[Value]) -> BTreeSet<String> {
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// The lines of a text but those that hold one of these ids.
fn without(lines: &str, ids: &BTreeSet<String>) -> String {
    let is_left = |line: &&str| !ids.iter().any(|id| line.contains(id));
    lines.lines().filter(is_left).flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn what_is_suppressed_is_kept_and_counted_and_not_told() {
    let (entry, finding) = proposed("s3-mass-reencryption");
    let configured = Configured::new(SUPPRESSIONS, &[("quiet.toml", &entry)]);
    let file = configured.file("out.db");
    let told = configured.replay(&["--out", &file]);
    let all = &everything().1;
    let is_meant = |row: &&Value| {
        row["detector"] == finding["detector"] && row["entity"]["key"] == finding["entity"]["key"]
    };
    let meant: Vec<_> = all.rows().iter().filter(is_meant).cloned().collect();
    assert_eq!(told.ends(0).out, without(&all.out, &ids(&meant)));
    let n_told = all.rows().len() - meant.len();
    told.tells(&[&format!("findings  {n_told} told, {} suppressed", meant.len())]);
    told.tells(&[&format!("          {} by suppress 1: WHY (owner: WHO)", meant.len())]);
    told.tells(&["warning: ", "quiet.toml:2:", "suppress 1: reason still says \"WHY\""]);
    told.tells(&[&format!("kept      {} findings in ", all.rows().len())]);

    let listed = run(&["findings", "list", "--in", &file]);
    assert_eq!(listed.ends(0).out, told.out);
    listed.tells(&["left out: --suppressed lists them"]);
    let hidden = run(&["findings", "list", "--in", &file, "--suppressed"]).ends(0).rows();
    assert_eq!(ids(&hidden), ids(&meant));
    assert_eq!(hidden[0]["suppressed"]["name"], "suppress 1");
    assert_eq!(hidden[0]["suppressed"]["owner"], "WHO");
    let id = finding["id"].as_str().unwrap();
    for command in ["explain", "show"] {
        let format = if command == "show" { &["--format", "table"][..] } else { &[] };
        let said = run(&[&["findings", command, id, "--in", &file], format].concat());
        let words = "suppressed by suppress 1 until ";
        assert!(said.ends(0).out.contains(words), "{}", said.out);
    }
}

#[test]
fn what_is_suppressed_makes_no_replay_fail() {
    let (_, finding) = proposed("s3-mass-reencryption");
    let entry = |severity: &str, expires: &str| {
        format!(
            "[[suppress]]\nname = \"drill\"\nreason = \"an exercise\"\nowner = \"blue team\"\n\
             expires = \"{expires}\"\nseverity = {severity}\n"
        )
    };
    let fails = |entry: &str, code: i32| {
        let configured = Configured::new(SUPPRESSIONS, &[("quiet.toml", entry)]);
        configured.replay(&["--fail-on", "high"]).ends(code).clone()
    };
    let louder = "[\"critical\", \"high\"]";
    let told = fails(&entry(louder, "9999-12-31"), 0);
    let loud =
        |row: &&Value| matches!(row["severity"]["label"].as_str().unwrap(), "high" | "critical");
    assert_eq!(told.rows().iter().filter(loud).count(), 0);
    assert!(!told.out.is_empty());
    fails(&entry("\"low\"", "9999-12-31"), 3);
    // By the day of a finding, whatever day it is today.
    let day = finding["day"].as_str().unwrap();
    let ended = fails(&entry(louder, "2026-01-01"), 3);
    ended.tells(&["warning: ", "quiet.toml:5:11: drill expired with 2026-01-01"]);
    assert_eq!(ended.out, everything().1.out);
    let last = fails(&entry("\"*\"\ndetector = \"s3-*\"", day), 3);
    let hidden = |row: &Value| {
        row["detector"].as_str().unwrap().starts_with("s3-") && row["day"].as_str().unwrap() <= day
    };
    let rows = everything().1.rows();
    assert!(!last.rows().iter().any(hidden) && rows.iter().any(hidden));
}

#[test]
fn a_comparison_tells_what_would_be_suppressed() {
    let (entry, finding) = proposed("s3-mass-reencryption");
    let configured = Configured::new(SUPPRESSIONS, &[("quiet.toml", &entry)]);
    let other = configured.file("sentrail.toml");
    let compared = run(&["replay", "--compare", &other, "--fail-on", "low", archive()]);
    let rows = compared.ends(0).rows();
    let row = rows.iter().find(|row| row["id"] == finding["id"]).unwrap();
    assert_eq!((&row["change"], &row["before"]["suppressed"]), (&"vanishes".into(), &Value::Null));
    assert_eq!(row["after"]["suppressed"]["name"], "suppress 1");
    compared.tells(&["compared ", " 0 appear, ", " vanish, 0 change, "]);
    // The same on both sides is no difference.
    let same = configured.replay(&["--quiet", "--compare", &other]);
    assert_eq!(same.ends(0).out, "");
}

#[test]
fn a_replay_that_goes_on_tells_as_little() {
    // Of a day that closes before the logs end.
    let finding = everything().1.rows().into_iter().next().unwrap();
    let (entry, finding) = proposed(finding["detector"].as_str().unwrap());
    let configured = Configured::new(SUPPRESSIONS, &[("quiet.toml", &entry)]);
    let state = configured.file("s.db");
    let told = configured.replay(&["--state", &state]);
    let hidden = run(&["findings", "list", "--in", &state, "--suppressed"]).ends(0).rows();
    assert!(ids(&hidden).is_disjoint(&ids(&told.ends(0).rows())));
    assert!(hidden.iter().any(|row| row["id"] == finding["id"]));
    assert!(hidden.iter().all(|row| row["entity"]["key"] == finding["entity"]["key"]));
    told.tells(&["findings  ", &format!(" told, {} suppressed", hidden.len())]);
}

fn metrics(at: &str) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {at}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn told(configured: &Configured, name: &str) -> Vec<Value> {
    let lines = fs::read_to_string(configured.file(name)).unwrap_or_default();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn no_sink_hears_of_what_is_suppressed_and_each_of_what_it_is_for() {
    let (entry, finding) = proposed("s3-mass-reencryption");
    let entry = entry.replace("\"WHY\"", "\"a\u{202e} drill\"");
    let account = finding["account"].as_str().unwrap();
    let sink = |name: &str, more: &str| {
        format!("[sinks.{name}]\ntype = \"json-lines\"\npath = \"{name}.jsonl\"\n{more}\n")
    };
    let config = [
        SUPPRESSIONS.to_owned(),
        "accounts = \"accounts.toml\"\n".to_owned(),
        sink("all", ""),
        sink("prod", "account-tags = [\"prod\"]\naccounts = [\"payments-*\"]"),
        sink("test", "account-tags = [\"!prod\"]"),
        sink("scans", "detectors = [\"port-*\"]"),
    ];
    let accounts = format!(
        "\"{account}\" = {{ name = \"payments-prod\", owner = \"pay\", tags = [\"prod\"] }}\n"
    );
    let files = [("quiet.toml", &*entry), ("accounts.toml", &*accounts)];
    let configured = Configured::new(&config.concat(), &files);
    let (logs, state) = (configured.0.path().join("logs"), configured.file("s.db"));
    fs::create_dir(&logs).unwrap();
    deliver_all(&objects_by_stamp(), &logs);
    let mut daemon = Daemon::start(
        &[
            ["--folder", &text(&logs), "--state", &state],
            ["--config", &configured.file("sentrail.toml"), "--listen", "127.0.0.1:0"],
        ]
        .concat(),
        None,
    );
    assert!(daemon.says("listening"));
    let said: Value = serde_json::from_str(daemon.said.last().unwrap()).unwrap();
    let at = said["address"].as_str().unwrap().to_owned();
    let first = metrics(&at);
    let counter = "sentrail_findings_suppressed_total{rule=\"suppress 1\"} ";
    assert!(first.contains(counter), "{first}");
    assert!(daemon.says("finding-suppressed"));
    let line = daemon.said.last().unwrap();
    assert!(line.contains("a\\u202e drill (owner: WHO)"), "{line}");
    assert!(daemon.says("caught-up"));
    assert!(!metrics(&at).contains(&format!("{counter}0\n")));
    let said = daemon.stop();
    assert!(said.iter().any(|line| line.contains(" told, ") && line.contains(" suppressed")));

    let hidden = run(&["findings", "list", "--in", &state, "--suppressed"]).ends(0).rows();
    assert!(hidden.iter().any(|row| row["id"] == finding["id"]));
    let (all, kept) = (told(&configured, "all.jsonl"), kept(&state));
    assert_eq!(ids(&all), ids(&kept));
    assert!(ids(&all).is_disjoint(&ids(&hidden)));
    assert!(all.iter().all(|row| row["account_name"] == "payments-prod"));
    assert!(
        all.iter().all(|row| row["account_owner"] == "pay" && row["account_tags"][0] == "prod")
    );
    assert_eq!(ids(&told(&configured, "prod.jsonl")), ids(&all));
    assert_eq!(told(&configured, "test.jsonl").len(), 0);
    let scans: Vec<_> = all.iter().filter(|row| row["detector"] == "port-scan").cloned().collect();
    assert!(!scans.is_empty());
    assert_eq!(ids(&told(&configured, "scans.jsonl")), ids(&scans));
}

#[test]
fn people_read_what_an_account_is_called() {
    let (_, finding) = proposed("s3-mass-reencryption");
    let account = finding["account"].as_str().unwrap();
    let accounts = format!("{account} = {{ name = \"payments-prod\" }}\n");
    let files = [("accounts.toml", &*accounts)];
    let configured = Configured::new("accounts = \"accounts.toml\"", &files);
    let file = configured.file("out.db");
    let table = configured.replay(&["--out", &file, "--format", "table"]);
    let called = format!(", account payments-prod ({account})");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&table.ends(0).out).contains(&called), "{}", table.out);
    // The file of findings remembers it.
    let id = finding["id"].as_str().unwrap();
    let explained = run(&["findings", "explain", id, "--in", &file]);
    assert!(words(&explained.ends(0).out).contains(&called), "{}", explained.out);
    let shown = run(&["findings", "show", id, "--in", &file]).ends(0).rows();
    assert_eq!(shown[0]["account_name"], "payments-prod");
    assert_eq!(shown[0]["inputs"], finding["inputs"]);
}

#[test]
fn what_is_wrong_with_a_file_is_said_where_it_stands() {
    let check = |config: &str, files: &[(&str, &str)]| {
        let configured = Configured::new(config, files);
        let config = configured.file("sentrail.toml");
        run(&["config", "check", "--config", &config])
    };
    let entry =
        "[[suppress]]\nreason = \"a drill\"\nowner = \"blue team\"\nexpires = \"2020-03-31\"\n";
    let good = format!("{entry}api = \"s3:*\"\n");
    let ended = check(SUPPRESSIONS, &[("quiet.toml", &good)]);
    ended.ends(0).tells(&["ok: 1 suppression"]);
    ended.tells(&["warning: ", "quiet.toml:4:11: suppress 1 expired with 2020-03-31"]);
    let slip = format!("{entry}reigon = \"us-*\"\n");
    let ended = check(SUPPRESSIONS, &[("quiet.toml", &slip)]);
    ended
        .ends(2)
        .tells(&["quiet.toml:5:1: no key \"reigon\" in [suppress]; did you mean \"region\"?"]);
    let all = format!("{entry}account = \"*\"\n");
    let ended = check(SUPPRESSIONS, &[("quiet.toml", &all)]);
    ended.ends(2).tells(&["quiet.toml:1:1: suppresses every finding"]);
    check(SUPPRESSIONS, &[]).ends(2).tells(&["quiet.toml"]);
    let accounts = "accounts = \"accounts.toml\"";
    let good = "111122223333 = { name = \"prod\" }\n";
    check(accounts, &[("accounts.toml", good)]).ends(0).tells(&["ok: 1 account with a name"]);
    let ended = check(accounts, &[("accounts.toml", "1 = { name = \"prod\" }\n")]);
    ended.ends(2).tells(&["accounts.toml:1:1: \"1\" is no account (expected 12 digits"]);
}

//! The sink of Security Hub, before a server that keeps findings, and through a network that fails.

use crate::{
    proxy::{Fault, Proxy},
    servers::server,
    support::{bench::KEYS, daemon::Daemon, deliver_all, kept, objects_by_stamp, run, text},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

/// The account of the server.
const OWN: &str = "123456789012";

fn configured(folder: &Path, endpoint: &str, region: &str) -> String {
    let config = folder.join("sentrail.toml");
    let text_of = format!(
        "[sinks.hub]\ntype = \"security-hub\"\nregion = \"{region}\"\n[aws]\nendpoint = \"{endpoint}\"\n"
    );
    fs::write(&config, text_of).unwrap();
    text(&config)
}

/// Series of what is kept: the ids of each, and the highest severity.
fn series(kept: &[Value]) -> BTreeMap<[String; 2], (BTreeSet<String>, usize)> {
    let mut series = BTreeMap::<_, (BTreeSet<String>, usize)>::new();
    for finding in kept {
        let key = ["detector", "entity"].map(|key| finding[key].to_string());
        let (ids, highest) = series.entry(key).or_default();
        ids.insert(finding["id"].as_str().unwrap().to_owned());
        *highest = rank(finding["severity"]["label"].as_str().unwrap()).max(*highest);
    }
    series
}

fn rank(label: &str) -> usize {
    let labels = ["LOW", "MEDIUM", "HIGH", "CRITICAL"];
    labels.iter().position(|one| *one == label.to_uppercase()).unwrap()
}

/// Whether findings fit the model of the service and the bounds of its manual.
#[track_caller]
fn fits_the_service(findings: &[Value], folder: &Path) {
    let path = folder.join("sent.jsonl");
    let lines: Vec<_> = findings.iter().map(|finding| format!("{finding}\n")).collect();
    fs::write(&path, lines.concat()).unwrap();
    let endpoint = format!("http://{}", server().address);
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    let mut command = Command::new(python);
    let ended = command.args(["tests/formats.py", &endpoint]).arg(&path).output().unwrap();
    let [out, err] = [ended.stdout, ended.stderr].map(|out| String::from_utf8(out).unwrap());
    assert_eq!(ended.status.code(), Some(0), "{out}{err}");
}

#[test]
fn each_series_is_one_finding_whatever_fails_and_whenever_the_daemon_dies() {
    const REGION: &str = "eu-west-1";
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::before(&server().address);
    let config = configured(folder.path(), &proxy.endpoint(), REGION);
    let (logs, state) = (folder.path().join("logs"), text(&folder.path().join("s.db")));
    fs::create_dir(&logs).unwrap();
    deliver_all(&objects_by_stamp(), &logs);
    let arguments = ["--folder", &text(&logs), "--state", &state, "--config", &config];
    let import = "POST /findings/import";
    proxy.fault(import, 1, Fault::Answer(500, "InternalException"));
    proxy.fault(import, 1, Fault::DropReply);
    proxy.fault(import, 1, Fault::HangUp);
    proxy.fault("GetCallerIdentity", 1, Fault::HangUp);
    for _ in 0..3 {
        // All that waits goes in one call.
        let mut daemon = Daemon::start_in(&KEYS, &arguments, Some("mid-send:1"));
        assert_eq!(daemon.ends().code(), None, "{:#?}", daemon.said);
    }
    let mut daemon = Daemon::start_in(&KEYS, &arguments, None);
    // Before, what was told may be all that was found so far.
    assert!(daemon.says("caught-up"));
    let found = || {
        let told: Vec<Value> = server().findings(REGION);
        let expected = series(&kept(&state));
        let ids: BTreeSet<_> = told.iter().map(|one| one["Id"].as_str().unwrap()).collect();
        let is_there = |(ids_of, _): &(BTreeSet<String>, usize)| {
            ids_of.iter().any(|id| ids.contains(id.as_str()))
        };
        expected.values().all(is_there).then_some((told, expected))
    };
    let looks = std::iter::repeat_with(|| {
        std::thread::sleep(std::time::Duration::from_millis(200));
        found()
    });
    assert!(looks.take(300).flatten().next().is_some(), "not all series are told");
    daemon.stop();
    let (told, expected) = found().unwrap();
    assert!(expected.len() > 5 && told.len() == expected.len(), "{}", told.len());
    for one in &told {
        let word = |pointer: &str| one.pointer(pointer).and_then(Value::as_str).unwrap();
        assert_eq!(word("/AwsAccountId"), OWN);
        let product = format!("arn:aws:securityhub:{REGION}:{OWN}:product/{OWN}/default");
        assert_eq!(word("/ProductArn"), product);
        assert!(word("/CreatedAt") <= word("/UpdatedAt"));
        let (ids, highest) = expected.values().find(|(ids, _)| ids.contains(word("/Id"))).unwrap();
        assert!(ids.contains(word("/ProductFields/sentrail~1finding")));
        assert!(rank(word("/FindingProviderFields/Severity/Label")) >= *highest, "{one}");
        // What it is about stands there, whosever finding it is filed as.
        let shown = run(&["findings", "show", word("/Id"), "--in", &state, "--format", "asff"]);
        let shown: Value = serde_json::from_str(&shown.ends(0).out).unwrap();
        for key in ["GeneratorId", "Title"] {
            assert_eq!(one[key], shown[key]);
        }
        assert_eq!(
            one["ProductFields"]["sentrail/entity"],
            shown["ProductFields"]["sentrail/entity"]
        );
    }
    fits_the_service(&told, folder.path());
    // Whoever starts again has nothing to tell.
    let n_before = proxy.requests(import).len();
    let mut daemon = Daemon::start_in(&KEYS, &arguments, None);
    assert!(daemon.says("caught-up"));
    daemon.stop();
    assert_eq!(proxy.requests(import).len(), n_before);
}

#[test]
fn a_sample_reaches_security_hub_and_says_so() {
    const REGION: &str = "ap-south-1";
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("http://{}", server().address);
    let config = configured(folder.path(), &endpoint, REGION);
    let test = |keys: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sentrail"));
        command.args(["alerts", "test", "--config", &config]);
        let ended = command.envs(keys.iter().copied()).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    };
    assert_eq!(test(&KEYS), (Some(0), "sentrail: hub: delivered\n".to_owned()));
    let told = server().findings(REGION);
    assert_eq!((told.len(), &told[0]["Sample"]), (1, &Value::Bool(true)));
    fits_the_service(&told, folder.path());
}

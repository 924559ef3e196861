//! The sink that writes OCSF, before a server that keeps buckets, and through a network that fails.

use crate::{
    proxy::{Fault, Proxy},
    servers::server,
    support::{bench::KEYS, daemon::Daemon, deliver_all, kept, objects_by_stamp, run, text},
};
use ingest::decode::gunzip;
use serde_json::Value;
use std::{collections::BTreeMap, fs, path::Path, thread::sleep, time::Duration};

fn configured(folder: &Path, sink: &str) -> String {
    let config = folder.join("sentrail.toml");
    fs::write(&config, format!("[sinks.lake]\ntype = \"ocsf\"\n{sink}")).unwrap();
    text(&config)
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = String::from_utf8(gunzip(bytes, 1 << 20).unwrap()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_finding_lies_in_a_bucket_whatever_fails() {
    server().bucket("lake");
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::before(&server().address);
    let endpoint = proxy.endpoint();
    let aws = format!("[aws]\nendpoint = \"{endpoint}\"\nregion = \"us-east-1\"\n");
    let config = configured(folder.path(), &format!("path = \"s3://lake/ext/sentrail\"\n{aws}"));
    let (logs, state) = (folder.path().join("logs"), text(&folder.path().join("s.db")));
    fs::create_dir(&logs).unwrap();
    deliver_all(&objects_by_stamp(), &logs);
    let arguments = ["--folder", &text(&logs), "--state", &state, "--config", &config];
    let call = "/lake/ext/sentrail/";
    proxy.fault(call, 1, Fault::Answer(500, "InternalError"));
    proxy.fault(call, 1, Fault::DropReply);
    let mut daemon = Daemon::start_in(&KEYS, &arguments, Some("mid-send:1"));
    assert_eq!(daemon.ends().code(), None, "{:#?}", daemon.said);
    let mut daemon = Daemon::start_in(&KEYS, &arguments, None);
    assert!(daemon.says("caught-up"));
    let mut written = BTreeMap::new();
    for _ in 0..300 {
        sleep(Duration::from_millis(200));
        written.clear();
        for key in server().keys("lake") {
            for line in lines(&server().object("lake", &key)) {
                let id = line["finding_info"]["uid"].as_str().unwrap().to_owned();
                written.insert(id, (key.clone(), line));
            }
        }
        let findings = kept(&state);
        if findings.len() > 5 && findings.len() == written.len() {
            break;
        }
    }
    daemon.stop();
    let findings = kept(&state);
    assert_eq!(written.len(), findings.len());
    for finding in findings {
        let (key, line) = &written[finding["id"].as_str().unwrap()];
        assert_eq!(line["class_uid"], 2004);
        let account = format!("/accountId={}/", finding["account"].as_str().unwrap());
        assert!(key.starts_with("ext/sentrail/region=") && key.contains(&account), "{key}");
        let day =
            finding["last_seen"].as_str().unwrap().split_once('T').unwrap().0.replace('-', "");
        assert!(key.contains(&format!("/eventDay={day}/sentrail-")), "{key}");
    }
    assert!(proxy.requests(call).len() >= 3);
}

#[test]
fn a_sample_lies_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let config = configured(folder.path(), "path = \"lake\"\n");
    run(&["alerts", "test", "--config", &config]).ends(0).tells(&["lake: delivered"]);
    let below = folder.path().join("lake/region=unknown/accountId=111122223333");
    let day = fs::read_dir(below).unwrap().next().unwrap().unwrap().path();
    let file = fs::read_dir(day).unwrap().next().unwrap().unwrap().path();
    let title = &lines(&fs::read(file).unwrap())[0]["finding_info"]["title"];
    assert!(title.as_str().unwrap().starts_with("[SAMPLE]"), "{title}");
}

#[test]
fn a_bucket_that_is_not_there_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("http://{}", server().address);
    let aws = format!("[aws]\nendpoint = \"{endpoint}\"\nregion = \"us-east-1\"\n");
    let config = configured(folder.path(), &format!("path = \"s3://no-such-lake\"\n{aws}"));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sentrail"));
    command.args(["alerts", "test", "--config", &config]);
    let ended = command.envs(KEYS).output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(
        told.contains("lake: s3://no-such-lake/region=")
            && told.contains("cannot be written: NoSuchBucket"),
        "{told}"
    );
}

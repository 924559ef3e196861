//! The sinks of SNS and EventBridge, before a server that hands a queue what they are told, and through a network that
//! fails.

use crate::{
    proxy::{Fault, Proxy},
    servers::server,
    support::{bench::KEYS, daemon::Daemon, deliver_all, kept, objects_by_stamp, text},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path, process::Command, thread::sleep, time::Duration};

fn configured(folder: &Path, endpoint: &str, sink: &str) -> String {
    let config = folder.join("sentrail.toml");
    let table =
        format!("[sinks.bus]\n{sink}\n[aws]\nendpoint = \"{endpoint}\"\nregion = \"us-east-1\"\n");
    fs::write(&config, table).unwrap();
    text(&config)
}

/// What `alerts test` ends with, and what it says.
fn tested(config: &str) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentrail"));
    command.args(["alerts", "test", "--config", config]);
    let ended = command.envs(KEYS).output().unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

/// Runs the daemon on all objects until every series is told to a queue, dying on the way and after each of these faults;
/// the bodies of the messages there.
fn told_through_faults(
    sink: &str,
    queue: &str,
    call: &str,
    id: fn(&Value) -> String,
) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let proxy = Proxy::before(&server().address);
    let config = configured(folder.path(), &proxy.endpoint(), sink);
    let (logs, state) = (folder.path().join("logs"), text(&folder.path().join("s.db")));
    fs::create_dir(&logs).unwrap();
    deliver_all(&objects_by_stamp(), &logs);
    let arguments = ["--folder", &text(&logs), "--state", &state, "--config", &config];
    proxy.fault(call, 1, Fault::Answer(500, "InternalFailure"));
    proxy.fault(call, 1, Fault::DropReply);
    proxy.fault(call, 1, Fault::HangUp);
    let mut daemon = Daemon::start_in(&KEYS, &arguments, Some("mid-send:1"));
    assert_eq!(daemon.ends().code(), None, "{:#?}", daemon.said);
    let mut daemon = Daemon::start_in(&KEYS, &arguments, None);
    assert!(daemon.says("caught-up"));
    let (mut told, mut ids) = (Vec::new(), BTreeSet::new());
    let mut is_all = false;
    for _ in 0..300 {
        sleep(Duration::from_millis(200));
        for body in server().bodies(queue) {
            let body: Value = serde_json::from_str(&body).unwrap();
            ids.insert(id(&body));
            told.push(body);
        }
        // Which of a series are news depends on when each was found.
        let key = |finding: &Value| ["detector", "entity"].map(|key| finding[key].to_string());
        let findings = kept(&state);
        let series: BTreeSet<_> = findings.iter().map(key).collect();
        let is_told = |finding: &&Value| ids.contains(finding["id"].as_str().unwrap());
        let known: BTreeSet<_> = findings.iter().filter(is_told).map(key).collect();
        is_all = series.len() > 5 && series == known;
        if is_all {
            break;
        }
    }
    daemon.stop();
    assert!(is_all, "not all series are told");
    assert!(proxy.requests(call).len() >= 4);
    told
}

#[test]
fn a_topic_tells_its_subscribers_every_series_whatever_fails() {
    let queue = server().queue("told-by-topic", 300);
    let topic = server().topic("findings", "told-by-topic", &[("RawMessageDelivery", "true")]);
    let sink = format!("type = \"sns\"\ntopic = \"{topic}\"");
    let id = |body: &Value| body["data"]["id"].as_str().unwrap().to_owned();
    let told = told_through_faults(&sink, &queue, "Action=Publish", id);
    for body in &told {
        assert_eq!(body["type"], "finding.created");
        assert!(body["series"]["id"].is_string(), "{body}");
    }
}

#[test]
fn a_bus_tells_its_rules_every_series_whatever_fails() {
    let queue = server().queue("told-by-bus", 300);
    server().bus("findings", "told-by-bus", &json!({"source": ["sentrail"]}));
    let sink = "type = \"eventbridge\"\nbus = \"findings\"";
    let id = |event: &Value| event["detail"]["id"].as_str().unwrap().to_owned();
    let told = told_through_faults(sink, &queue, "AWSEvents.PutEvents", id);
    for event in &told {
        assert_eq!(event["detail-type"], "finding.created");
        assert!(event["detail"]["series"]["id"].is_string(), "{event}");
        let arn = |one: &Value| one.as_str().unwrap().starts_with("arn:");
        assert!(event["resources"].as_array().unwrap().iter().all(arn), "{event}");
    }
    assert!(told.iter().any(|event| event["resources"] != json!([])));
}

#[test]
fn a_sample_reaches_a_subscriber_that_filters_by_severity() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("http://{}", server().address);
    let queue = server().queue("samples-by-topic", 300);
    let policy = json!({"severity": ["high"], "account": ["111122223333"]}).to_string();
    let attributes = [("RawMessageDelivery", "true"), ("FilterPolicy", &*policy)];
    let topic = server().topic("samples", "samples-by-topic", &attributes);
    for severity in ["high", "low"] {
        let sink = format!("type = \"sns\"\ntopic = \"{topic}\"\nmin-severity = \"{severity}\"");
        let config = configured(folder.path(), &endpoint, &sink);
        assert_eq!(tested(&config), (Some(0), "sentrail: bus: delivered\n".to_owned()));
    }
    let told = server().bodies(&queue);
    assert_eq!(told.len(), 1, "{told:?}");
    let told: Value = serde_json::from_str(&told[0]).unwrap();
    assert_eq!(told["data"]["severity"]["label"], "high");
    assert!(told["data"]["title"].as_str().unwrap().starts_with("[SAMPLE]"));
}

#[test]
fn a_topic_that_is_not_there_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("http://{}", server().address);
    let sink = "type = \"sns\"\ntopic = \"arn:aws:sns:us-east-1:123456789012:none\"";
    let (code, said) = tested(&configured(folder.path(), &endpoint, sink));
    assert_eq!(code, Some(1));
    let words =
        "bus: there is no topic arn:aws:sns:us-east-1:123456789012:none (make it, or mend `topic`)";
    assert!(said.contains(words), "{said}");
}

#[test]
fn a_sample_reaches_the_rule_of_a_bus() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = format!("http://{}", server().address);
    let queue = server().queue("samples-by-bus", 300);
    let pattern = json!({"source": ["sentrail"], "detail": {"severity": {"label": ["high"]}}});
    server().bus("samples", "samples-by-bus", &pattern);
    for severity in ["high", "low"] {
        let sink =
            format!("type = \"eventbridge\"\nbus = \"samples\"\nmin-severity = \"{severity}\"");
        let config = configured(folder.path(), &endpoint, &sink);
        assert_eq!(tested(&config), (Some(0), "sentrail: bus: delivered\n".to_owned()));
    }
    let told = server().bodies(&queue);
    assert_eq!(told.len(), 1, "{told:?}");
    let event: Value = serde_json::from_str(&told[0]).unwrap();
    assert!(event["detail"]["title"].as_str().unwrap().starts_with("[SAMPLE]"));
}

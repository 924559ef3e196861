//! Stories that CloudTrail and flow logs tell together: each attack is told by the detector of its kind, with both
//! kinds of evidence, and its harmless twin at most in a low voice.

use crate::support::{run, stories};
use serde_json::Value;

/// Attacks and harmless twins, with the detector that joins what they are.
const JOINED: [(&str, &str); 7] = [
    ("door-opened", "opened-then-entered"),
    ("shell-and-out", "egress-after-session"),
    ("credentials-next-door", "instance-credentials-elsewhere"),
    ("bulk-read", "s3-read-confirmed"),
    ("own-door", "opened-then-entered"),
    ("release-by-command", "egress-after-session"),
    ("daily-load", "s3-read-confirmed"),
];

/// Words of a list of texts.
fn texts(list: &Value) -> Vec<&str> {
    list.as_array().map_or_else(Vec::new, |all| all.iter().filter_map(Value::as_str).collect())
}

#[test]
fn what_both_logs_tell_together_is_told() {
    tells(&JOINED);
}

/// By itself: a flow log that is made anew has no history, which the others need.
#[test]
fn a_flow_log_that_is_deleted_and_silent_is_told() {
    tells(&[("flow-log-deleted", "silence-after-stop")]);
}

/// That stories are told in logs of an organisation, each by its detector.
fn tells(joined: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("logs");
    let size = "--days 12 --accounts 1 --people 2 --machines 0 --pipelines 0 --agents 0 --vpcs 1";
    let mut asked = vec!["simulate".to_owned(), "--to".to_owned(), to.to_str().unwrap().to_owned()];
    asked.extend(size.split(' ').map(str::to_owned));
    asked.extend(joined.iter().map(|(story, _)| format!("--story={story}")));
    run(&asked).ends(0);
    let replayed = run(&["replay", "--format", "jsonl", to.join("AWSLogs").to_str().unwrap()]);
    let findings = replayed.ends(0).rows();
    let told = stories(&to);
    for (name, detector) in joined {
        let story = told.iter().find(|story| story["name"] == *name).unwrap();
        let steps = story["steps"].as_array().unwrap();
        let ids: Vec<&str> = steps.iter().flat_map(|step| texts(&step["event_ids"])).collect();
        let flows: Vec<&str> = steps.iter().flat_map(|step| texts(&step["flows"])).collect();
        let names_record = |one: &Value| texts(&one["event_ids"]).iter().any(|id| ids.contains(id));
        let names_flow = |one: &Value| {
            let interface = one["flow"]["interface"].as_str().unwrap_or_default();
            let at = |peer: &&str| {
                flows.iter().any(|flow| flow.starts_with(interface) && flow.contains(peer))
            };
            let peers = texts(&one["flow"]["peers"]);
            // Who is silent has none.
            peers.iter().any(at) || peers.is_empty() && interface.starts_with("eni-")
        };
        let found = findings.iter().filter(|one| one["detector"] == *detector);
        let found = found.filter(|one| names_record(one) && names_flow(one));
        let labels: Vec<&Value> = found.map(|one| &one["severity"]["label"]).collect();
        let is_harmless = story["is_harmless"] == true;
        let is_apt = |label: &&Value| (**label == "low") == is_harmless;
        let is_told = is_harmless || !labels.is_empty();
        assert!(is_told && labels.iter().all(is_apt), "{name}: {labels:?}");
    }
}

//! What `deploy/` shows and rings of a running daemon: metrics that there are, alarms that the runbook explains.

use regex::Regex;
use std::collections::BTreeSet;

const RULES: &str = include_str!("../deploy/prometheus/sentrail.yml");
const DASHBOARD: &str = include_str!("../deploy/grafana/sentrail.json");
const RUNNING: &str = include_str!("../docs/running.md");
const RUNBOOK: &str = include_str!("../docs/runbook.md");

fn all<'t>(pattern: &str, text: &'t str) -> BTreeSet<&'t str> {
    let pattern = Regex::new(pattern).unwrap();
    pattern.captures_iter(text).map(|found| found.get(1).unwrap().as_str()).collect()
}

#[test]
fn only_metrics_that_there_are_are_asked_for() {
    // The page of `run` has them all; a test of `run` compares it with what `/metrics` answers.
    let told = all(r"`((?:sentrail|process)_[a-z_]+)`", RUNNING);
    let asked = r"\b((?:sentrail|process)_[a-z_]+)[{]";
    let mut asked = all(asked, RULES).into_iter().chain(all(asked, DASHBOARD)).peekable();
    assert!(asked.peek().is_some());
    for name in asked {
        let name = name.strip_suffix("_bucket").unwrap_or(name);
        assert!(told.contains(name), "no metric {name}");
    }
}

#[test]
fn every_alarm_has_its_section_in_the_runbook() {
    let alarms = all(r"- alert: (\w+)", RULES);
    let sections = all(r"(?m)^## (Sentrail\w+)$", RUNBOOK);
    assert_eq!(alarms, sections);
    let links: BTreeSet<String> =
        alarms.iter().map(|name| format!("docs/runbook.md#{}", name.to_lowercase())).collect();
    let linked = all(r"runbook_url: (\S+)", RULES);
    assert_eq!(linked, links.iter().map(String::as_str).collect());
}

#[test]
fn every_panel_says_in_which_unit_it_is() {
    let board: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = board["panels"].as_array().unwrap().iter().filter(|one| one["type"] != "row");
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{}", panel["title"]);
        assert!(ids.insert(panel["id"].as_i64().unwrap()), "{}", panel["title"]);
    }
    assert!(ids.len() > 10);
}

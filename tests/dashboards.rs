//! What `deploy/` shows and rings of a running daemon: metrics that there are, alarms that the runbook explains.

use regex::Regex;
use std::collections::BTreeSet;

const RULES: &str = include_str!("../deploy/prometheus/sentrail.yml");
const DASHBOARD: &str = include_str!("../deploy/grafana/sentrail.json");
const TEMPLATES: [&str; 2] = [
    include_str!("../deploy/cloudformation/single-account.yml"),
    include_str!("../deploy/cloudformation/organization.yml"),
];
/// Where what templates count is said.
const SAID: [&str; 3] = [
    include_str!("../src/run.rs"),
    include_str!("../src/run/snapshots.rs"),
    include_str!("../src/run/snapshots/lease.rs"),
];
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
fn every_alarm_of_a_template_has_its_row_in_the_runbook() {
    let (_, table) = RUNBOOK.split_once("\n## Alarms of the templates\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows = all(r"(?m)^\| `(\w+)` \|", table);
    for template in TEMPLATES {
        let alarms = all(r"(?m)^  (\w+):\n    Type: AWS::CloudWatch::Alarm$", template);
        assert_eq!(alarms, rows);
        // What is counted is said in the log, or counted by AWS.
        let counted =
            all(r"MetricName: !Sub \$\{AWS::StackName\}-(\S+)\n          MetricValue", template);
        let looked_at =
            all(r"MetricName: !Sub \$\{AWS::StackName\}-(\S+)\n      Statistic", template);
        assert_eq!(counted, looked_at);
        for event in all(r#"\$\.event = "([a-z-]+)""#, template) {
            assert!(SAID.iter().any(|code| code.contains(&format!("\"{event}\""))), "{event}");
        }
    }
    let sections: BTreeSet<String> =
        all(r"\(#(\w+)\)", table).into_iter().map(str::to_owned).collect();
    let there = all(r"(?m)^## (Sentrail\w+)$", RUNBOOK);
    assert!(sections.iter().all(|one| there.iter().any(|name| name.to_lowercase() == *one)));
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

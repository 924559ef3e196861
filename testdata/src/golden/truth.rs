//! What is true of the story: `truth.json`, the answers by which a detector is judged.

use serde::Serialize;

use crate::aws::flow::Flow;
use crate::clock::iso;

/// Steps of the attack, and harmless things that look like one.
#[derive(Debug, Default, Serialize)]
pub(super) struct Truth {
    attack: Vec<Step>,
    hard_negatives: Vec<Step>,
}

/// One thing that happened.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    name: &'static str,
    /// ARN of the principal, or account and interface.
    entity: String,
    /// MITRE ATT&CK technique; for a hard negative the one it resembles.
    technique: &'static str,
    first: String,
    last: String,
    /// `eventID` of each record.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    event_ids: Vec<String>,
    /// Interface, source, destination, ports, protocol and start of each flow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    flows: Vec<String>,
}

/// How a step is called.
#[derive(Debug, Clone)]
pub(super) struct Title {
    pub(super) name: &'static str,
    pub(super) entity: String,
    pub(super) technique: &'static str,
}

impl Truth {
    pub(super) fn attack(&mut self, title: Title, events: &[(i64, String)]) {
        self.attack.push(Step::of_events(title, events));
    }

    pub(super) fn harmless(&mut self, title: Title, events: &[(i64, String)]) {
        self.hard_negatives.push(Step::of_events(title, events));
    }

    pub(super) fn attack_flows(&mut self, title: Title, flows: &[Flow]) {
        self.attack.push(Step::of_flows(title, flows));
    }

    pub(super) fn harmless_flows(&mut self, title: Title, flows: &[Flow]) {
        self.hard_negatives.push(Step::of_flows(title, flows));
    }

    /// The file.
    pub(super) fn text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl Step {
    fn of_events(title: Title, events: &[(i64, String)]) -> Self {
        let times = || events.iter().map(|(time_s, _)| *time_s);
        let event_ids = events.iter().map(|(_, id)| id.clone()).collect();
        Self::new(title, (times().min(), times().max()), event_ids, Vec::new())
    }

    fn of_flows(title: Title, flows: &[Flow]) -> Self {
        let first_s = flows.iter().map(|flow| flow.start_s).min();
        let last_s = flows.iter().map(|flow| flow.end_s).max();
        let keys = flows.iter().map(Flow::key).collect();
        Self::new(title, (first_s, last_s), Vec::new(), keys)
    }

    fn new(
        title: Title,
        (first_s, last_s): (Option<i64>, Option<i64>),
        event_ids: Vec<String>,
        flows: Vec<String>,
    ) -> Self {
        let Title { name, entity, technique } = title;
        let written = |time_s: Option<i64>| time_s.map(iso).unwrap_or_default();
        Self {
            name,
            entity,
            technique,
            first: written(first_s),
            last: written(last_s),
            event_ids,
            flows,
        }
    }
}

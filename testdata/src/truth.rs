//! What is true of a story: `truth.json`, the answers by which a detector is judged.

use serde::Serialize;

use crate::aws::flow::Flow;
use crate::clock::iso;

/// Everything that was told on purpose.
#[derive(Debug, Default, Serialize)]
pub struct Truth {
    /// One entry for each story.
    pub stories: Vec<Account>,
}

/// What happened in one story.
#[derive(Debug, Serialize)]
pub struct Account {
    /// The story's name.
    pub name: &'static str,
    /// It looks like an attack and is none.
    pub is_harmless: bool,
    /// Its steps, in the order of their first moments.
    pub steps: Vec<Step>,
}

/// One thing that happened.
#[derive(Debug, Serialize)]
pub struct Step {
    /// What it is called, for example `objects-encrypted`.
    pub name: &'static str,
    /// ARN of the principal, or account and interface.
    pub entity: String,
    /// MITRE ATT&CK technique; for a harmless step the one it resembles.
    pub technique: &'static str,
    /// The first moment, ISO 8601.
    pub first: String,
    /// The last moment, ISO 8601.
    pub last: String,
    /// `eventID` of each record.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub event_ids: Vec<String>,
    /// Interface, source, destination, ports, protocol and start of each flow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<String>,
}

impl Step {
    /// A step that nothing belongs to yet.
    pub fn new(name: &'static str, technique: &'static str, entity: &str) -> Self {
        Self {
            name,
            entity: entity.to_owned(),
            technique,
            first: String::new(),
            last: String::new(),
            event_ids: Vec::new(),
            flows: Vec::new(),
        }
    }

    /// Takes a record.
    pub fn event(&mut self, time_s: i64, id: String) {
        self.spans(time_s, time_s);
        self.event_ids.push(id);
    }

    /// Takes a flow.
    pub fn flow(&mut self, flow: &Flow) {
        self.spans(flow.start_s, flow.end_s);
        self.flows.push(flow.key());
    }

    fn spans(&mut self, first_s: i64, last_s: i64) {
        // ISO 8601 in UTC sorts as time does.
        let (first, last) = (iso(first_s), iso(last_s));
        if self.first.is_empty() || first < self.first {
            self.first = first;
        }
        if last > self.last {
            self.last = last;
        }
    }
}

impl Truth {
    /// The file.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

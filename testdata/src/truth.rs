//! What is true of a story: `truth.json`, the answers by which a detector is judged.

use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::aws::flow::Flow;
use crate::clock::iso;

/// The name of the file, at the root of the archive.
pub const TRUTH: &str = "truth.json";

/// Everything that was told on purpose.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// One entry for each story.
    pub stories: Vec<Account>,
}

/// What happened in one story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The story's name.
    pub name: String,
    /// It looks like an attack and is none.
    pub is_harmless: bool,
    /// Whom it happens to: ARN of the principal, or account and interface.
    pub entity: String,
    /// The first moment, ISO 8601.
    pub first: String,
    /// The last moment, ISO 8601.
    pub last: String,
    /// Its steps, in the order of their first moments.
    pub steps: Vec<Step>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it is called, for example `objects-encrypted`.
    pub name: String,
    /// ARN of the principal, or account and interface.
    pub entity: String,
    /// MITRE ATT&CK technique; for a harmless step the one it resembles.
    pub technique: String,
    /// The first moment, ISO 8601.
    pub first: String,
    /// The last moment, ISO 8601.
    pub last: String,
    /// `eventID` of each record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_ids: Vec<String>,
    /// Interface, source, destination, ports, protocol and start of each flow, as the row has them in
    /// which it begins. What goes on beyond a window has more rows, which differ in their start alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<String>,
}

impl Step {
    /// A step that nothing belongs to yet.
    pub fn new(name: &'static str, technique: &'static str, entity: &str) -> Self {
        Self {
            name: name.to_owned(),
            entity: entity.to_owned(),
            technique: technique.to_owned(),
            first: String::new(),
            last: String::new(),
            event_ids: Vec::new(),
            flows: Vec::new(),
        }
    }

    /// Takes a record.
    pub fn event(&mut self, time_s: i64, id: String) {
        self.span(time_s, time_s);
        self.event_ids.push(id);
    }

    /// Takes a flow.
    pub fn flow<I: Clone + Display>(&mut self, flow: &Flow<I>) {
        self.span(flow.start_s, flow.end_s);
        self.flows.push(flow.key());
    }

    /// Something of it happened from `first_s` to `last_s`. Unit: seconds since the Unix epoch.
    pub fn span(&mut self, first_s: i64, last_s: i64) {
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
    /// Reads the file.
    pub fn read(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// The file.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

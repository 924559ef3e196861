//! A message that the watch is at work, for people who cannot tell silence from peace. In: what was read and told. Out:
//! bodies, for sinks that take one.

use super::{Form, Service, To, body::json, note::Note, slack, teams, webhook};
use detect::Severity;
use ingest::time::format_ms;
use serde::Serialize;

/// What was done since the start. Unit of moments: milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// When it started.
    pub since_ms: i64,
    /// Objects that were read.
    pub n_objects: u64,
    /// Records of them that count.
    pub n_records: u64,
    /// When the newest of all records happened, if there is any.
    pub newest_ms: Option<i64>,
    /// Findings that were told.
    pub n_told: u64,
    /// Findings that were suppressed.
    pub n_suppressed: u64,
    /// From when on the next message like this is due.
    pub next_ms: i64,
}

/// A message of a webhook.
#[derive(Serialize)]
struct Envelope {
    r#type: &'static str,
    timestamp: String,
    data: Data,
}

#[derive(Serialize)]
struct Data {
    since: String,
    objects: u64,
    records: u64,
    newest_record: Option<String>,
    findings: u64,
    suppressed: u64,
    next: String,
}

impl Heartbeat {
    fn envelope(&self, now_ms: i64) -> String {
        let data = Data {
            since: format_ms(self.since_ms),
            objects: self.n_objects,
            records: self.n_records,
            newest_record: self.newest_ms.map(format_ms),
            findings: self.n_told,
            suppressed: self.n_suppressed,
            next: format_ms(self.next_ms),
        };
        json(&Envelope { r#type: "heartbeat", timestamp: format_ms(now_ms), data })
    }

    fn note(&self) -> Note {
        let Self { n_objects, n_records, n_told, n_suppressed, .. } = self;
        let newest = self.newest_ms.map_or("none so far".to_owned(), format_ms);
        Note {
            head: "sentrail is at work".to_owned(),
            summary: format!(
                "Since {} it has read {n_objects} objects with {n_records} records; findings told: {n_told}, \
                 suppressed: {n_suppressed}.",
                format_ms(self.since_ms)
            ),
            facts: vec![
                ("newest record", newest),
                ("next", format!("from {} on; without it nobody watches", format_ms(self.next_ms))),
            ],
            paragraphs: Vec::new(),
        }
    }
}

impl To {
    /// The body of a heartbeat; `None` where nobody would read it, or it would wake somebody. Unit of `now_ms`:
    /// milliseconds since the Unix epoch.
    pub(crate) fn heartbeat(&self, heartbeat: &Heartbeat, now_ms: i64) -> Option<String> {
        match self {
            Self::Webhook(webhook::Settings { form, .. }) => match form {
                Form::Standard(_) => Some(heartbeat.envelope(now_ms)),
                Form::Slack => Some(slack::of(&heartbeat.note())),
                Form::Teams => Some(teams::of(&heartbeat.note(), Severity::Low)),
                Form::PagerDuty(_) | Form::Template(_) => None,
            },
            Self::Service(Service::Sns(_)) => Some(heartbeat.envelope(now_ms)),
            Self::JsonLines(_) | Self::Syslog(_) | Self::Service(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const BEAT: Heartbeat = Heartbeat {
        since_ms: 1_773_400_000_000,
        n_objects: 1_234,
        n_records: 56_789,
        newest_ms: Some(1_773_403_600_000),
        n_told: 3,
        n_suppressed: 1,
        next_ms: 1_773_446_400_000,
    };

    #[test]
    fn a_webhook_gets_numbers() {
        let body: Value = serde_json::from_str(&BEAT.envelope(1_773_403_700_000)).unwrap();
        let data = json!({
            "since": "2026-03-13T11:06:40Z", "objects": 1_234, "records": 56_789,
            "newest_record": "2026-03-13T12:06:40Z", "findings": 3, "suppressed": 1,
            "next": "2026-03-14T00:00:00Z",
        });
        let expected =
            json!({"type": "heartbeat", "timestamp": "2026-03-13T12:08:20Z", "data": data});
        assert_eq!(body, expected);
    }

    #[test]
    fn chats_get_a_note() {
        for body in [slack::of(&BEAT.note()), teams::of(&BEAT.note(), Severity::Low)] {
            for words in [
                "sentrail is at work",
                "Since 2026-03-13T11:06:40Z it has read 1234 objects with 56789 records; findings told: 3, \
                 suppressed: 1.",
                "2026-03-13T12:06:40Z",
                "from 2026-03-14T00:00:00Z on; without it nobody watches",
            ] {
                assert!(body.contains(words), "{words}: {body}");
            }
        }
        assert!(slack::of(&Heartbeat { newest_ms: None, ..BEAT }.note()).contains("none so far"));
    }
}

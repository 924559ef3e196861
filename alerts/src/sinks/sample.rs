//! A message that nothing happened for: it shows that a sink gets what it is told, and how that looks there. In: a
//! sink. Out: a message about a finding that says of itself that it is a sample.

use super::{Event, Message, Occasion, Sink, To};
use crate::Inputs;
use baseline::{Bits, Dimension, Entity, Kind, Part, stable_hash};
use detect::{About, Finding, FindingId, Impact, Severity};

/// The account of AWS's documentation.
const ACCOUNT: &str = "111122223333";

impl Message {
    /// A sample for `sink`, as severe as the least that it is told of. Unit of `now_ms`: milliseconds since the Unix
    /// epoch.
    #[must_use]
    pub fn sample(sink: &Sink, inputs: &Inputs, now_ms: i64) -> Self {
        let id = stable_hash(&[b"sample", sink.name.as_bytes(), &now_ms.to_le_bytes()]);
        let finding = finding(FindingId(id), sink.min_severity, now_ms);
        let occasion = Occasion { event: Event::Created, series: None };
        let body = sink.to.body(occasion, (&finding, inputs), now_ms);
        let body = match &sink.to {
            To::Service(service) => service.as_sample(body),
            To::Webhook(_) | To::JsonLines(_) | To::Syslog(_) => body,
        };
        let Finding { id: of, severity, .. } = finding;
        let id = format!("msg_{id:032x}");
        Self { id, finding: of, severity, body, attempts: 0, created_ms: None, n_findings: 1 }
    }
}

fn finding(id: FindingId, severity: Severity, now_ms: i64) -> Finding {
    let about = About {
        id: "sample".to_owned(),
        uuid: None,
        title: "[SAMPLE] This sink gets what it is told".to_owned(),
        severity,
        impact: Impact::Discovery,
        techniques: Vec::new(),
        guardduty: None,
        page: "# Sample\n\n## Triage\n\nNothing: it was sent by `sentrail alerts test`.\n"
            .to_owned(),
    };
    let part = Part {
        dimension: Dimension::Api,
        bits: Bits::ZERO,
        observed: "a sample".to_owned(),
        usual: "no samples".to_owned(),
    };
    let key = "arn:aws:iam::111122223333:user/sample".into();
    let entity = Entity { account: ACCOUNT.into(), kind: Kind::Human, key };
    let summary = "did nothing [SAMPLE]: somebody tries whether this sink gets what it is told";
    let bare = Finding::of_words(about.into(), entity, (now_ms, now_ms), summary.to_owned());
    Finding { id, parts: vec![part], ..bare }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sample, sinks::json_lines};
    use serde_json::Value;

    #[test]
    fn a_sample_says_so_and_is_as_severe_as_the_sink_asks_for() {
        let to = To::JsonLines(json_lines::Settings { path: "told.jsonl".into() });
        let sink = Sink::new("siem", Severity::High, to);
        let [one, again] = [7, 8].map(|now_ms| Message::sample(&sink, &sample::inputs(), now_ms));
        let body: Value = serde_json::from_str(&one.body).unwrap();
        for key in ["title", "summary"] {
            assert!(body[key].as_str().unwrap().contains("[SAMPLE]"), "{body}");
        }
        assert_eq!(body["severity"]["label"], "high");
        assert_eq!(body["id"], one.finding.to_string());
        assert_ne!(one.id, again.id);
    }
}

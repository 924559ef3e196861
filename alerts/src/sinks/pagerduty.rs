//! # PagerDuty
//!
//! Each finding is an event of PagerDuty's Events API v2, which opens an incident, or adds to the one that is
//! open for its series: `dedup_key` is the id of the finding that opened that.
//!
//! ## Sends
//!
//! `event_action` is `trigger`, and `resolve` when the series has ended. `summary` says how bad and what, and who did it;
//! `source` who it was; `custom_details` holds the note that Slack gets. Severities are `critical` for critical,
//! `error` for high, `warning` for medium, `info` for low.
//!
//! The routing key is put in when a message is sent: neither the outbox nor a copy of it holds the key, and a new key
//! is used for what waits, too.
//!
//! ## Limits
//!
//! PagerDuty takes 1,024 characters of a summary, 255 of a `dedup_key`, and 512 KB in all. The note is as long
//! as in Slack: a body is less than 13,000 bytes.
//!
//! ## Answers
//!
//! Those of a webhook: 202 is delivered, 400 dead at once, 429 sent again.

use super::note::{Note, Told, cut, fitting};
use detect::{FindingId, Severity};
use ingest::time::format_ms;
use serde_json::{Map, Value, json};
use std::fmt;

/// Where events go; accounts in the EU have `https://events.eu.pagerduty.com/v2/enqueue`.
pub const URL: &str = "https://events.pagerduty.com/v2/enqueue";
/// Unit: bytes.
pub(super) const BODY_BYTES_MAX: usize = 13_000;
/// Unit: UTF-16 units.
const SUMMARY_UNITS_MAX: usize = 1_024;
/// Unit: characters.
const KEY_CHARS: usize = 32;
/// Names and values in JSON, and what stands between them.
const KEY_MEMBER_BYTES: usize = "\"routing_key\":\"\",".len() + KEY_CHARS;

/// The key of an integration: whoever has it can page people.
#[derive(Clone, PartialEq, Eq)]
pub struct RoutingKey(String);

/// It is not told.
impl fmt::Debug for RoutingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoutingKey(hidden)")
    }
}

/// What is held as a key is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an integration key of PagerDuty: {KEY_CHARS} letters and digits")]
pub struct NoKey;

impl RoutingKey {
    /// Reads a key, around which there may be blanks.
    pub fn parse(text: &str) -> Result<Self, NoKey> {
        let key = text.trim();
        let fits = key.len() == KEY_CHARS && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if fits { Ok(Self(key.to_owned())) } else { Err(NoKey) }
    }

    /// A body of [`body`] with the key in it.
    pub(super) fn put_into(&self, body: &str) -> String {
        let rest = body.strip_prefix('{').unwrap_or_default();
        format!("{{\"routing_key\":\"{}\",{rest}", self.0)
    }
}

/// The body of a message, without the key.
pub(super) fn body(told: Told<'_>) -> String {
    let (occasion, finding, _) = told;
    let opened = occasion.series.map_or(finding.id, |series| series.opened);
    let event = |note: &Note| {
        json!({
            "client": "sentrail",
            "event_action": "trigger",
            "dedup_key": opened.to_string(),
            "payload": {
                "summary": cut(&format!("{}: {}", note.head, note.summary), SUMMARY_UNITS_MAX),
                "source": note.facts.first().map(|(_, who)| who),
                "severity": severity(finding.severity),
                "timestamp": format_ms(finding.times_ms.1),
                "class": finding.about.id,
                "custom_details": details(note),
            },
        })
    };
    fitting(told, BODY_BYTES_MAX - KEY_MEMBER_BYTES, event)
}

/// The body of a message which says that a series has ended, without the key.
pub(super) fn resolve(opened: FindingId) -> String {
    json!({"event_action": "resolve", "dedup_key": opened.to_string()}).to_string()
}

fn details(note: &Note) -> Map<String, Value> {
    let facts = note.facts.iter().map(|(what, text)| ((*what).to_owned(), json!(text)));
    let lines: Vec<_> = note.paragraphs.iter().flatten().collect();
    facts.chain([("note".to_owned(), json!(lines))]).collect()
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "info",
        Severity::Medium => "warning",
        Severity::High => "error",
        Severity::Critical => "critical",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        escape::is_hidden,
        sample,
        sinks::{
            Event, InSeries, Occasion, Why,
            note::tests::{full_of, largest_of, texts},
        },
    };
    use detect::Finding;
    use proptest::prelude::*;

    const KEY: &str = "0123456789abcdefABCDEFghijklmnop";

    #[track_caller]
    fn told(finding: &Finding) -> Value {
        check(&body((Occasion::NEW, finding, &sample::inputs())), finding)
    }

    /// Whether PagerDuty takes it once the key is in it.
    #[track_caller]
    pub(in crate::sinks) fn check(body: &str, finding: &Finding) -> Value {
        assert!(!body.starts_with("{\"routing_key"), "{body}");
        let body = RoutingKey::parse(KEY).unwrap().put_into(body);
        assert!(body.len() < BODY_BYTES_MAX, "{}", body.len());
        let value: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            (&value["routing_key"], &value["event_action"]),
            (&json!(KEY), &json!("trigger"))
        );
        assert_eq!(value["dedup_key"], finding.id.to_string());
        let payload = &value["payload"];
        assert!(payload["summary"].as_str().unwrap().encode_utf16().count() <= 1_024);
        assert!(!payload["source"].as_str().unwrap().is_empty());
        assert!(!texts(&value).iter().any(|text| text.chars().any(is_hidden)), "{value}");
        value
    }

    #[test]
    fn an_event_says_how_bad_what_who_and_when() {
        let finding = sample::finding("s3-mass-reencryption");
        let payload = &told(&finding)["payload"];
        let summary = payload["summary"].as_str().unwrap();
        assert!(summary.starts_with(&format!("CRITICAL: {}: hedda@", finding.about.title)));
        assert_eq!(
            payload["source"],
            "hedda@example.com (AWSReservedSSO_Engineer), account 111122223333"
        );
        assert_eq!(payload["timestamp"], "2026-03-12T14:41:02.250Z");
        assert_eq!(payload["class"], "s3-mass-reencryption");
        assert_eq!(
            payload["custom_details"]["where"],
            "from 203.0.113.0 and 29 more, key ...MPLE, in us-west-2"
        );
        assert_eq!(payload["custom_details"]["note"][1], "21.01 bits  objects-reencrypted: 120");
    }

    #[test]
    fn a_series_is_one_incident() {
        let (finding, inputs) = (sample::flow(), sample::inputs());
        let series = InSeries { opened: FindingId(0x0a1b), ..InSeries::of(&finding, Why::Risen) };
        let body =
            body((Occasion { event: Event::Created, series: Some(series) }, &finding, &inputs));
        let value: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(value["dedup_key"], "00000000000000000000000000000a1b");
        assert_eq!(value["payload"]["custom_details"]["finding"], finding.id.to_string());
    }

    #[test]
    fn each_severity_has_one_of_pagerduty() {
        let mut finding = sample::finding("denied-burst");
        for (severity, name) in Severity::ALL.iter().zip(["info", "warning", "error", "critical"]) {
            finding.severity = *severity;
            assert_eq!(told(&finding)["payload"]["severity"], name);
        }
    }

    #[test]
    fn the_largest_event_fits() {
        for wide in ["\u{e0041}", "\u{1f600}", "\"", "\\", "W", "東"] {
            let value = told(&largest_of(&wide.repeat(5_000)));
            assert!(texts(&value).iter().any(|text| text.ends_with("...")));
        }
        told(&sample::hostile());
        told(&sample::flow());
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_repeated() {
        let long = format!("{KEY}0");
        for text in [
            "",
            "0123",
            &long,
            "0123456789abcdef0123456789abcde\"",
            "0123456789abcdef0123456789abcdé",
        ] {
            let error = RoutingKey::parse(text).unwrap_err().to_string();
            assert!(error.starts_with("expected an integration key"), "{error}");
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
        let key = RoutingKey::parse(&format!("{KEY}\n")).unwrap();
        assert_eq!(format!("{key:?}"), "RoutingKey(hidden)");
    }

    proptest! {
        #[test]
        fn any_text_fits(text in "\\PC{0,300}|.{0,300}", times in 1_usize..40) {
            told(&full_of(&text.repeat(times)));
        }
    }
}

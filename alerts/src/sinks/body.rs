//! What messages say: a finding as a line of JSON Lines, or in the envelope of Standard Webhooks.

use super::{Event, InSeries, Occasion, Why};
use crate::{Inputs, formats::write_json, report::Report};
use detect::Finding;
use ingest::time::format_ms;
use serde::Serialize;
use serde_json::Value;

/// Standard Webhooks asks for less than 20 KB. Unit: bytes.
pub(super) const ENVELOPE_BYTES_MAX: usize = 20_000;

/// How much of lists and texts is left, one after the other, until an envelope fits: the last always does.
/// A character takes 12 bytes at most. Unit: values of a list, characters of a text.
const CUTS: [(usize, usize); 4] = [(20, usize::MAX), (20, 1_000), (5, 250), (1, 60)];

/// Fields of a line that say who did what, which are left of one for which there is no room: as they are, and cut.
const BRIEF: [&str; 5] = ["id", "severity", "first_seen", "last_seen", "count"];
const BRIEF_TEXTS: [&str; 5] = ["detector", "title", "account", "entity", "summary"];
/// How much of these texts is left, one after the other, until they fit: the last always does, into 1,600 bytes. Unit:
/// characters of a text.
const BRIEF_CHARS: [usize; 3] = [250, 60, 16];

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::Created => "finding.created",
            Self::Updated => "finding.updated",
        }
    }
}

impl Why {
    fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Risen => "risen",
            Self::Reminder => "reminder",
        }
    }
}

/// What the message is to the findings of the same detector on the same entity before it.
#[derive(Serialize)]
struct SeriesReport {
    /// Of the finding that opened the series.
    id: String,
    why: Option<&'static str>,
}

#[derive(Serialize)]
struct Envelope<T> {
    r#type: &'static str,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<SeriesReport>,
    /// Only where something is missing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
    data: T,
}

/// The line that `replay --format jsonl` writes, without its end.
pub(super) fn line(finding: &Finding, inputs: &Inputs) -> String {
    json(&Report::new(finding, inputs))
}

/// An envelope of less than [`ENVELOPE_BYTES_MAX`].
pub(super) fn envelope(
    Occasion { event, series }: Occasion,
    (finding, inputs): (&Finding, &Inputs),
    now_ms: i64,
) -> String {
    let report = Report::new(finding, inputs);
    let (r#type, timestamp) = (event.name(), format_ms(now_ms));
    let in_series = || {
        let of = |InSeries { opened, why, .. }| SeriesReport {
            id: opened.to_string(),
            why: why.map(Why::name),
        };
        series.map(of)
    };
    let head = || (timestamp.clone(), in_series());
    let (timestamp, series) = head();
    let body = json(&Envelope { r#type, timestamp, series, truncated: false, data: &report });
    if body.len() < ENVELOPE_BYTES_MAX {
        return body;
    }
    // A finding of plain values always has a JSON form.
    let mut data = serde_json::to_value(&report).unwrap_or_default();
    let mut cut_to = |most| {
        cut(&mut data, most);
        let (timestamp, series) = head();
        json(&Envelope { r#type, timestamp, series, truncated: true, data: &data })
    };
    let [cuts @ .., last] = CUTS;
    let fits = cuts.into_iter().map(&mut cut_to).find(|body| body.len() < ENVELOPE_BYTES_MAX);
    fits.unwrap_or_else(|| cut_to(last))
}

/// The line that `replay --format jsonl` writes, in ASCII and at most so long: of a larger finding lists and texts are cut,
/// then most fields, and `truncated` says so. Unit: bytes.
pub(super) fn ascii_line((finding, inputs): (&Finding, &Inputs), bytes_max: usize) -> String {
    let report = Report::new(finding, inputs);
    let whole = ascii(&json(&report));
    if whole.len() <= bytes_max {
        return whole;
    }
    // A finding of plain values always has a JSON form.
    let all = serde_json::to_value(&report).unwrap_or_default();
    let fields = |names: &[&str]| {
        let fields =
            names.iter().filter_map(|name| Some(((*name).to_owned(), all.get(name)?.clone())));
        Value::Object(fields.collect())
    };
    // With less than 250 characters of each text more is said by fewer of them.
    let [cuts @ .., _] = CUTS;
    let briefs = BRIEF_CHARS.map(|n_chars| (fields(&BRIEF_TEXTS), (1, n_chars), &BRIEF[..]));
    let cuts = cuts.map(|most| (all.clone(), most, &[][..])).into_iter().chain(briefs);
    let mut line = String::new();
    for (mut value, most, exact) in cuts {
        cut(&mut value, most);
        if let (Some(told), Value::Object(exact)) = (value.as_object_mut(), fields(exact)) {
            told.extend(exact);
            told.insert("truncated".to_owned(), true.into());
        }
        line = ascii(&json(&value));
        if line.len() <= bytes_max {
            break;
        }
    }
    line
}

/// JSON in which all that is not ASCII is written as `\u....`: it stands in texts only.
fn ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            ascii.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            ascii.extend(format!("\\u{unit:04x}").chars());
        }
    }
    ascii
}

/// Compact JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    // Memory takes all that is written, and JSON is UTF-8.
    drop(write_json(&mut bytes, value));
    String::from_utf8(bytes).unwrap_or_default()
}

/// Leaves the first values of every list and the first characters of every text.
fn cut(value: &mut Value, most @ (n_values, n_chars): (usize, usize)) {
    match value {
        Value::Array(values) => {
            values.truncate(n_values);
            for value in values {
                cut(value, most);
            }
        }
        Value::Object(fields) => {
            for value in fields.values_mut() {
                cut(value, most);
            }
        }
        Value::String(text) => {
            if let Some((at, _)) = text.char_indices().nth(n_chars) {
                text.truncate(at);
                text.push_str("...");
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::sample;
    use proptest::prelude::*;

    const NOW_MS: i64 = 1_773_400_000_000;

    fn told(event: Event, finding: &Finding) -> (String, Value) {
        let occasion = Occasion { event, series: Some(InSeries::of(finding, Why::Opened)) };
        let body = envelope(occasion, (finding, &sample::inputs()), NOW_MS);
        let value = serde_json::from_str(&body).unwrap();
        (body, value)
    }

    /// Whether a webhook gets what Standard Webhooks asks for, about this finding.
    pub(in crate::sinks) fn check(body: &str, finding: &Finding) -> Value {
        assert!(body.len() < ENVELOPE_BYTES_MAX, "{}", body.len());
        let value: Value = serde_json::from_str(body).unwrap();
        let data = &value["data"];
        assert_eq!(data["id"], finding.id.to_string());
        assert_eq!(data["severity"]["label"], finding.severity.label());
        assert_eq!(data["count"], finding.count);
        value
    }

    #[test]
    fn an_envelope_holds_the_finding_as_it_is_written() {
        let finding = sample::finding("s3-mass-reencryption");
        let (body, value) = told(Event::Created, &finding);
        let line = line(&finding, &sample::inputs());
        let series = format!("{{\"id\":\"{}\",\"why\":\"opened\"}}", finding.id);
        let begin = format!(
            "{{\"type\":\"finding.created\",\"timestamp\":\"2026-03-13T11:06:40Z\",\"series\":{series},\"data\":"
        );
        assert_eq!(body, format!("{begin}{line}}}"));
        assert_eq!(value.get("truncated"), None);
        assert_eq!(told(Event::Updated, &finding).1["type"], "finding.updated");
    }

    #[test]
    fn a_large_finding_is_cut_to_the_first_of_its_records() {
        let mut finding = sample::finding("s3-mass-reencryption");
        let records = finding.records.clone();
        finding.records = std::iter::repeat_n(records, 30).flatten().collect();
        finding.count = 900;
        let (body, value) = told(Event::Created, &finding);
        assert!(body.len() < ENVELOPE_BYTES_MAX, "{}", body.len());
        assert_eq!(value["truncated"], true);
        let all = serde_json::from_str::<Value>(&line(&finding, &sample::inputs())).unwrap();
        let data = &value["data"];
        assert_eq!((&data["count"], &data["summary"]), (&all["count"], &all["summary"]));
        let ids = data["event_ids"].as_array().unwrap();
        assert_eq!((ids.len(), &ids[..]), (20, &all["event_ids"].as_array().unwrap()[..20]));
        assert_eq!(all["event_ids"].as_array().unwrap().len(), 900);
    }

    #[test]
    fn the_largest_envelope_fits() {
        // Every list and text as long as it can be, of what takes the most bytes.
        let mut finding = sample::hostile();
        let wide = "\u{e0041}".repeat(5_000);
        finding.summary.clone_from(&wide);
        finding.entity.key = wide.as_str().into();
        finding.targets = vec![wide.clone(); 100];
        finding.parts = vec![finding.parts[0].clone(); 100];
        for part in &mut finding.parts {
            part.observed.clone_from(&wide);
            part.usual.clone_from(&wide);
        }
        finding.flow = Some(detect::FlowSeen {
            interface: wide.clone(),
            peers: vec![wide.clone(); 100],
            ports: vec![65_535; 10_000],
            has_all_peers: false,
        });
        let (body, value) = told(Event::Created, &finding);
        assert!(body.len() < ENVELOPE_BYTES_MAX, "{}", body.len());
        assert_eq!(value["data"]["id"], finding.id.to_string());
    }

    proptest! {
        #[test]
        fn every_envelope_fits_and_can_be_read(text in "\\PC{0,400}", times in 1_usize..60, n in 0_usize..60) {
            let mut finding = sample::hostile();
            let text = text.repeat(times);
            finding.summary.clone_from(&text);
            finding.targets = vec![text; n];
            let (body, value) = told(Event::Updated, &finding);
            prop_assert!(body.len() < ENVELOPE_BYTES_MAX);
            prop_assert_eq!(value["data"]["id"].as_str().unwrap(), finding.id.to_string());
        }
    }
}

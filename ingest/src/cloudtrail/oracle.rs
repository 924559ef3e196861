//! The parser against `serde_json` on generated records, and against published pairs of records
//! and their fields.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::cloudtrail::{Record, read};
use crate::event::{Event, Identity, Outcome, Raw, Text};
use crate::time;

const TEXTS: [&str; 12] = [
    "eventID",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "eventType",
    "recipientAccountId",
    "requestID",
    "vpcEndpointId",
];

const RAWS: [&str; 6] = [
    "userIdentity",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "resources",
    "tlsDetails",
];

fn text_field<'a>(event: &Event<'a>, key: &str) -> Option<Text<'a>> {
    match key {
        "eventID" => event.id,
        "eventSource" => Some(event.source),
        "eventName" => Some(event.name),
        "awsRegion" => event.region,
        "sourceIPAddress" => event.source_ip,
        "userAgent" => event.user_agent,
        "errorCode" => event.error_code,
        "errorMessage" => event.error_message,
        "eventType" => event.event_type,
        "recipientAccountId" => event.recipient_account,
        "requestID" => event.request_id,
        _ => event.vpc_endpoint,
    }
}

fn raw_field<'a>(event: &Event<'a>, key: &str) -> Option<Raw<'a>> {
    match key {
        "userIdentity" => event.identity,
        "requestParameters" => event.request,
        "responseElements" => event.response,
        "additionalEventData" => event.additional,
        "resources" => event.resources,
        _ => event.tls,
    }
}

/// Compares one event with what serde read from the same text.
fn agree(event: &Event<'_>, expected: &Value) {
    for key in TEXTS {
        let text = text_field(event, key).map(|text| text.get().into_owned());
        assert_eq!(text.as_deref(), expected[key].as_str(), "{key}");
    }
    for key in RAWS {
        let raw =
            raw_field(event, key).map_or(Value::Null, |raw| serde_json::from_str(raw.0).unwrap());
        assert_eq!(raw, expected[key], "{key}");
    }
    assert_eq!(event.read_only, expected["readOnly"].as_bool());
    assert_eq!(Some(event.time_ms), time::parse_ms(expected["eventTime"].as_str().unwrap()));
}

/// Writes an object with white space and with escapes where none are needed.
fn write_object(members: &[(String, Value)], space: &str, escape: bool) -> String {
    let key = |key: &str| match (escape, key.split_at_checked(1)) {
        (true, Some((first, rest))) if first.is_ascii() => {
            format!("\"\\u{:04x}{rest}\"", first.as_bytes()[0])
        }
        _ => format!("\"{key}\""),
    };
    let written: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{space}{}{space}:{space}{value}{space}", key(name)))
        .collect();
    format!("{{{}}}", written.join(","))
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        r#"[ -~\\"{}\[\]é😀\n]{0,40}"#.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(r#"[a-zA-Z"\\]{0,8}"#, inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn containers() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        proptest::collection::vec(values(), 0..4).prop_map(Value::from),
        proptest::collection::btree_map("[a-z]{0,6}", values(), 0..4)
            .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
    ]
}

/// Members in any order, some of them missing, some twice, some unknown.
fn members() -> impl Strategy<Value = Vec<(String, Value)>> {
    let text = |key: &'static str| {
        r#"[ -~\\"é😀]{1,40}"#.prop_map(move |text| (key.to_owned(), Value::from(text)))
    };
    let texts = proptest::sample::select(&TEXTS[..]).prop_flat_map(text);
    let raws = (proptest::sample::select(&RAWS[..]), containers());
    let others = ("[a-z]{1,30}", values());
    let optional = prop_oneof![
        texts,
        raws.prop_map(|(key, value)| (key.to_owned(), value)),
        others,
        any::<bool>().prop_map(|read_only| ("readOnly".to_owned(), Value::from(read_only))),
    ];
    let time = (0..=time::TIME_MS_MAX)
        .prop_map(|time_ms| ("eventTime".to_owned(), Value::from(time::format_ms(time_ms))));
    (proptest::collection::vec(optional, 0..20), time, text("eventSource"), text("eventName"))
        .prop_map(|(mut members, time, source, name)| {
            members.extend([time, source, name]);
            members
        })
        .prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn records_read_as_serde_reads_them(
        records in proptest::collection::vec(members(), 1..5),
        space in "[ \n\t\r]{0,3}",
        escape in any::<bool>(),
    ) {
        let written: Vec<String> =
            records.iter().map(|members| write_object(members, &space, escape)).collect();
        let text = format!("{{\"Records\":{space}[{}]{space}}}", written.join(","));
        let expected: Value = serde_json::from_str(&text).unwrap();
        let mut seen = 0;
        let shape = read(&text, |index, record| {
            let Ok(Record::Event(event)) = record else { panic!("{record:?}") };
            agree(&event, &expected["Records"][index]);
            seen += 1;
        });
        prop_assert!(shape.is_ok());
        prop_assert_eq!(seen, records.len());
    }

    #[test]
    fn text_cut_or_changed_anywhere_is_answered(
        records in proptest::collection::vec(members(), 1..4),
        cut in any::<proptest::sample::Index>(),
        change in any::<proptest::sample::Index>(),
        byte in proptest::sample::select(&b"\"\\{}[]:, x\x00\xff"[..]),
    ) {
        let written: Vec<String> =
            records.iter().map(|members| write_object(members, "", false)).collect();
        let mut bytes = format!("{{\"Records\":[{}]}}", written.join(",")).into_bytes();
        let at = change.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        let decoded = crate::cloudtrail::text(&bytes);
        let mut next = 0;
        let _shape = read(&decoded.text, |index, record| {
            assert_eq!(index, next);
            next += 1;
            if let Ok(Record::Event(event)) = record {
                let _ = (event.account(), event.outcome(), event.denied(), event.service());
                let _ = event.identity.map(Identity::of);
            }
        });
    }

    #[test]
    fn any_bytes_are_answered(bytes in any::<Vec<u8>>(), json in r#"[\[\]{}"\\a,: 0-9]{0,100}"#) {
        let _shape = read(&crate::cloudtrail::text(&bytes).text, |_, _| {});
        let _shape = read(&json, |_, _| {});
    }
}

/// Every field that the published expectations name.
fn fields(record: &Record<'_>) -> Vec<(&'static str, Option<String>)> {
    let own = |text: Option<Text<'_>>| text.map(|text| text.get().into_owned());
    match record {
        Record::Event(event) => {
            let identity = event.identity.map(Identity::of).unwrap_or_default();
            let outcome = match event.outcome() {
                Outcome::Success => "success",
                Outcome::Failure => "failure",
            };
            vec![
                ("event_time", Some(event.time_ms.to_string())),
                ("event_source", own(Some(event.source))),
                ("event_name", own(Some(event.name))),
                ("region", own(event.region)),
                ("source_ip", own(event.source_ip)),
                ("user_agent", own(event.user_agent)),
                ("identity_type", own(identity.kind)),
                ("identity_arn", own(identity.arn)),
                ("account", own(event.account())),
                ("event_id", own(event.id)),
                ("event_type", own(event.event_type)),
                ("outcome", Some(outcome.to_owned())),
                ("error_code", own(event.error_code)),
                ("invoked_by", own(identity.invoked_by)),
                ("user_name", own(identity.user_name)),
            ]
        }
        Record::Insight(insight) => vec![
            ("event_time", Some(insight.time_ms.to_string())),
            ("region", own(insight.region)),
            ("account", own(insight.recipient_account)),
            ("event_id", own(insight.id)),
            ("event_type", own(insight.event_type)),
        ],
        Record::Aggregated(aggregated) => vec![("account", own(aggregated.account))],
    }
}

#[test]
fn published_pairs_read_as_published() {
    let path = "../../shared/data/conformance/cloudtrail_pairs.ndjson.gz";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let Ok(gzip) = std::fs::read(&path) else {
        eprintln!("skipped: no {}", path.display());
        return;
    };
    let mut lines = vec![0; 64 << 20];
    let length = libdeflater::Decompressor::new().gzip_decompress(&gzip, &mut lines).unwrap();
    lines.truncate(length);
    let (mut compared, mut wrong) = (0, Vec::new());
    for pair in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let pair: Value = serde_json::from_slice(pair).unwrap();
        let input = pair["input"].as_str().map_or_else(|| pair["input"].to_string(), str::to_owned);
        let mut first = None;
        let _shape = read(&input, |_, record| {
            if let (None, Ok(record)) = (&first, &record) {
                first = Some(fields(record));
            }
        });
        if pair["must"] == "ignore" {
            assert_eq!(first, None, "{}", pair["id"]);
        }
        for (key, value) in pair["expected"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap();
            let found = first.iter().flatten().find(|(name, _)| name == key);
            let found = found.and_then(|(_, found)| found.as_deref());
            let same = match key.as_str() {
                "event_time" => found == time::parse_ms(value).map(|ms| ms.to_string()).as_deref(),
                _ => found == Some(value),
            };
            compared += 1;
            // Some published samples redact the expectation and not the input; such a value is
            // in no field of the record.
            let redacted = value.ends_with("EXAMPLE")
                || value.contains("EXAMPLE:")
                || value.ends_with("-example");
            if pair["must"] == "parse" && !same && !redacted {
                wrong.push(format!("{} {key}: {value} but {found:?}", pair["id"]));
            }
        }
    }
    assert!(compared > 500, "{compared}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

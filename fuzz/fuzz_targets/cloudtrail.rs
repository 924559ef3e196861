//! The parser against `serde_json`: it never panics, and what both read, both read alike.

#![no_main]

use ingest::cloudtrail::{self, Record};
use ingest::event::{Event, Identity, Raw, Text};
use ingest::time;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let decoded = cloudtrail::text(bytes);
    let mut next = 0;
    let shape = cloudtrail::read(&decoded.text, |index, record| {
        assert_eq!(index, next);
        next += 1;
        if let Ok(Record::Event(event)) = record {
            let _ = (event.account(), event.outcome(), event.denied(), event.service());
            let _ = event.identity.map(Identity::of);
        }
    });
    let Ok(Value::Object(expected)) = serde_json::from_str(&decoded.text) else { return };
    assert!(shape.is_ok(), "{shape:?}");
    match expected.get("Records") {
        // Under an earlier duplicate of "Records", which serde drops, records are read too.
        Some(Value::Array(records)) if decoded.text.matches("ecords").count() == 1 => {
            compare(&decoded.text, records);
        }
        None => compare(&decoded.text, &[Value::Object(expected)]),
        _ => {}
    }
});

/// Keys of what is no record by itself, or holds others.
const WRAPPERS: [&str; 8] = [
    "Records",
    "CloudTrailEvent",
    "Events",
    "messageType",
    "logEvents",
    "message",
    "detail",
    "digestEndTime",
];

fn compare(text: &str, records: &[Value]) {
    if records.iter().any(|record| WRAPPERS.iter().any(|key| record.get(key).is_some())) {
        return;
    }
    let mut seen = 0;
    let _ = cloudtrail::read(text, |index, record| {
        seen += 1;
        if let Ok(Record::Event(event)) = record {
            agree(&event, &records[index]);
        }
    });
    assert_eq!(seen, records.len());
}

fn agree(event: &Event<'_>, expected: &Value) {
    for (key, text) in [
        ("eventID", event.id),
        ("eventSource", Some(event.source)),
        ("eventName", Some(event.name)),
        ("awsRegion", event.region),
        ("sourceIPAddress", event.source_ip),
        ("userAgent", event.user_agent),
        ("errorCode", event.error_code),
        ("errorMessage", event.error_message),
        ("eventType", event.event_type),
        ("eventCategory", event.category),
        ("recipientAccountId", event.recipient_account),
        ("requestID", event.request_id),
        ("sharedEventID", event.shared_event_id),
        ("vpcEndpointId", event.vpc_endpoint),
    ] {
        same_text(key, text, &expected[key]);
    }
    for (key, raw) in [
        ("userIdentity", event.identity),
        ("requestParameters", event.request),
        ("responseElements", event.response),
        ("additionalEventData", event.additional),
        ("serviceEventDetails", event.service_details),
        ("resources", event.resources),
        ("tlsDetails", event.tls),
        ("addendum", event.addendum),
    ] {
        let read = raw.map_or(Value::Null, |raw| serde_json::from_str(raw.0).unwrap());
        assert_eq!(read, expected[key], "{key}");
        if let Some(raw) = raw {
            same_members(raw, &expected[key]);
        }
    }
    let time_ms = expected["eventTime"].as_str().and_then(time::parse_ms);
    assert_eq!(Some(event.time_ms), time_ms);
}

fn same_text(key: &str, text: Option<Text<'_>>, expected: &Value) {
    match expected {
        Value::String(expected) => assert_eq!(text.unwrap().get(), expected.as_str(), "{key}"),
        Value::Number(_) => assert!(text.is_some(), "{key}"),
        _ => assert_eq!(text, None, "{key}"),
    }
}

/// What `Raw` finds inside is what serde finds there.
fn same_members(raw: Raw<'_>, expected: &Value) {
    match expected {
        Value::Object(members) => {
            for (key, value) in members {
                let found = raw.get(key).unwrap();
                same_members(found, value);
            }
        }
        Value::Array(elements) => {
            assert_eq!(raw.each().count(), elements.len());
            for (found, value) in raw.each().zip(elements) {
                same_members(found, value);
            }
        }
        Value::String(text) => assert_eq!(raw.text().unwrap().get(), text.as_str()),
        Value::Bool(value) => assert_eq!(raw.bool(), Some(*value)),
        Value::Null => assert!(raw.is_null()),
        Value::Number(number) => {
            if let Some(integer) = number.as_i64() {
                assert_eq!(raw.integer(), Some(integer));
            }
        }
    }
}

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const S3_EVENT: &str = r#"{"Records": [
    {"eventVersion": "2.1", "eventSource": "aws:s3", "eventTime": "2025-03-14T10:05:00.250Z",
     "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "logs"}, "object": {
        "key": "AWSLogs/aws-account-id%3D111122223333/my+file%2B%C3%A9.log.gz", "size": 7,
        "eTag": "d41d8cd9", "versionId": "v1", "sequencer": "0055AED6DCD90281E5"}}},
    {"eventVersion": "2.3", "eventSource": "aws:s3", "eventName": "LifecycleExpiration:Delete",
     "s3": {"bucket": {"name": "logs"}, "object": {"key": "old"}}}
]}"#;

const EVENT_BRIDGE: &str = r#"{"source": "aws.s3", "detail-type": "Object Created",
    "time": "2025-03-14T10:05:00Z", "detail": {"bucket": {"name": "logs"}, "object": {
    "key": "a+b%20c", "size": 5, "etag": "b194", "version-id": "v2", "sequencer": "617f"}}}"#;

fn object(bucket: &str, key: &str) -> ObjectRef {
    ObjectRef {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        action: Action::Created,
        version_id: None,
        etag: None,
        size_bytes: None,
        sequencer: None,
        event_ms: None,
    }
}

#[track_caller]
fn check(body: &str, shape: Shape, objects: &[ObjectRef]) {
    let expected = Notification { shape, objects: objects.to_vec() };
    assert_eq!(parse(body.as_bytes()), Ok(expected));
}

fn s3_objects() -> [ObjectRef; 2] {
    let first = ObjectRef {
        version_id: Some("v1".to_owned()),
        etag: Some("d41d8cd9".to_owned()),
        size_bytes: Some(7),
        sequencer: Some("0055AED6DCD90281E5".to_owned()),
        event_ms: Some(1_741_946_700_250),
        ..object("logs", "AWSLogs/aws-account-id=111122223333/my file+é.log.gz")
    };
    [first, ObjectRef { action: Action::Removed, ..object("logs", "old") }]
}

#[test]
fn every_record_of_an_s3_event_is_read_and_its_key_decoded() {
    check(S3_EVENT, Shape::S3, &s3_objects());
}

#[test]
fn keys_of_eventbridge_and_cloudtrail_are_not_decoded() {
    let expected = ObjectRef {
        version_id: Some("v2".to_owned()),
        etag: Some("b194".to_owned()),
        size_bytes: Some(5),
        sequencer: Some("617f".to_owned()),
        event_ms: Some(1_741_946_700_000),
        ..object("logs", "a+b%20c")
    };
    check(EVENT_BRIDGE, Shape::EventBridge, &[expected]);
    let own = r#"{"s3Bucket": "logs", "s3ObjectKey": ["a+b", "c%20d"]}"#;
    check(own, Shape::CloudTrail, &[object("logs", "a+b"), object("logs", "c%20d")]);
}

#[test]
fn security_lake_is_told_by_its_buckets() {
    let body = EVENT_BRIDGE.replace("\"logs\"", "\"aws-security-data-lake-eu-west-1-x\"");
    assert_eq!(parse(body.as_bytes()).unwrap().shape, Shape::SecurityLake);
}

#[test]
fn messages_that_name_no_object_are_no_error() {
    check(r#"{"Service": "Amazon S3", "Event": "s3:TestEvent"}"#, Shape::S3Test, &[]);
    check("CloudTrail validation message.", Shape::CloudTrailValidation, &[]);
    let confirmation = r#"{"Type": "SubscriptionConfirmation", "Message": "You have chosen"}"#;
    check(confirmation, Shape::SnsSubscription, &[]);
}

#[test]
fn envelopes_are_taken_off() {
    let sns = |inner: &str| json!({"Type": "Notification", "Message": inner}).to_string();
    let sqs =
        |inner: &str| json!({"Records": [{"eventSource": "aws:sqs", "body": inner}]}).to_string();
    let lambda = |inner: &str| {
        json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": inner}}]}).to_string()
    };
    check(&sns(S3_EVENT), Shape::S3, &s3_objects());
    check(&sqs(&sns(S3_EVENT)), Shape::S3, &s3_objects());
    check(&lambda(S3_EVENT), Shape::S3, &s3_objects());
    check(&sns("CloudTrail validation message."), Shape::CloudTrailValidation, &[]);
    check(&json!(S3_EVENT).to_string(), Shape::S3, &s3_objects());
}

#[test]
fn envelopes_without_end_are_refused() {
    let mut body = S3_EVENT.to_owned();
    for _ in 0..ENVELOPES_MAX {
        body = json!({"Type": "Notification", "Message": body}).to_string();
    }
    check(&body, Shape::S3, &s3_objects());
    let one_more = json!({"Type": "Notification", "Message": body}).to_string();
    assert_eq!(parse(one_more.as_bytes()), Err(NotificationError::TooDeep));
}

#[test]
fn a_body_above_the_limit_is_refused_unread() {
    let padding = " ".repeat(BODY_BYTES_MAX - S3_EVENT.len());
    check(&(S3_EVENT.to_owned() + &padding), Shape::S3, &s3_objects());
    let body = vec![b' '; BODY_BYTES_MAX + 1];
    let error = parse(&body).unwrap_err();
    assert_eq!(
        error.to_string(),
        "notification of 2097153 bytes is larger than the 2097152 byte limit"
    );
}

#[test]
fn a_body_made_of_braces_is_refused_unread() {
    let body = |count: usize| format!("[{}0]", "{\"\":0},".repeat(count));
    assert!(matches!(
        parse(body(BRACES_MAX).as_bytes()),
        Err(NotificationError::UnknownShape { .. })
    ));
    let error = parse(body(BRACES_MAX + 1).as_bytes());
    assert_eq!(error, Err(NotificationError::TooManyBraces));
    let hidden = json!("{".repeat(BRACES_MAX + 1)).to_string().replace('{', "\\u007b");
    assert_eq!(parse(hidden.as_bytes()), Err(NotificationError::TooManyBraces));
}

#[test]
fn unknown_shapes_say_what_they_are() {
    let refused = |body: &str| parse(body.as_bytes()).unwrap_err().to_string();
    let tail = "(expected an event of S3, EventBridge or CloudTrail, plain or in an SNS envelope)";
    for (body, found) in [
        ("{}", "an object with no fields"),
        ("[]", "an array"),
        (r#"{"awslogs": {"data": ""}}"#, "an object with awslogs"),
        (r#"{"a\u0007\u001b[31m": 1}"#, r"an object with a\u{7}\u{1b}[31m"),
        (r#"{"Records": []}"#, "no records"),
        (r#"{"Records": [{"eventSource": "s3.amazonaws.com"}]}"#, "a record with eventSource"),
        (r#"{"detail-type": "x", "source": "aws.ec2"}"#, "an object with detail-type, source"),
    ] {
        assert_eq!(refused(body), format!("unknown notification shape: {found} {tail}"));
    }
    assert!(refused("Hello from SNS!").starts_with("notification is not JSON: expected value"));
}

#[test]
fn a_known_shape_that_lacks_a_field_says_which() {
    let refused = |body: &str| parse(body.as_bytes()).unwrap_err().to_string();
    assert_eq!(
        refused(&S3_EVENT.replace("\"key\": \"old\"", "\"size\": 1")),
        "S3 notification has no s3.object.key (record 1)"
    );
    assert_eq!(
        refused(r#"{"s3Bucket": "b", "s3ObjectKey": ["k", 1]}"#),
        "CloudTrail notification has no s3ObjectKey (record 1)"
    );
    assert_eq!(
        refused(&S3_EVENT.replace("2.1", "3.0")),
        "S3 event version 3.0 is not known (expected 2.x)"
    );
    assert_eq!(
        refused(&S3_EVENT.replace("old", "%FF")),
        "key of record 1 is not UTF-8 when decoded"
    );
}

#[test]
fn a_percent_that_encodes_nothing_stands_for_itself() {
    assert_eq!(decode_key("100%").as_deref(), Some("100%"));
    assert_eq!(decode_key("%zz%4").as_deref(), Some("%zz%4"));
    assert_eq!(decode_key("%%41").as_deref(), Some("%A"));
}

/// Lines of a gzip file of one member.
fn lines(path: &Path) -> Option<Vec<String>> {
    let packed = std::fs::read(path).ok()?;
    let size = u32::from_le_bytes(*packed.last_chunk()?);
    let mut text = vec![0; usize::try_from(size).ok()?];
    libdeflater::Decompressor::new().gzip_decompress(&packed, &mut text).ok()?;
    Some(String::from_utf8(text).ok()?.lines().map(str::to_owned).collect())
}

#[test]
fn published_samples_name_the_objects_they_should() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/conformance/notifications.ndjson.gz");
    let Some(lines) = lines(&path) else {
        println!("skipped: no {}", path.display());
        return;
    };
    let mut wrong = Vec::new();
    for line in &lines {
        let sample: Value = serde_json::from_str(line).unwrap();
        let body = match &sample["body"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let named = parse(body.as_bytes()).map(|known| known.objects).unwrap_or_default();
        let mut got: Vec<(&str, &str)> =
            named.iter().map(|object| (object.bucket.as_str(), object.key.as_str())).collect();
        let mut expected: Vec<(&str, &str)> = sample["expected_objects"]
            .as_array()
            .unwrap()
            .iter()
            .map(|object| (object["bucket"].as_str().unwrap(), object["key"].as_str().unwrap()))
            .collect();
        got.sort_unstable();
        expected.sort_unstable();
        if got != expected {
            wrong.push(sample["id"].to_string());
        }
    }
    println!("{} samples, {} wrong", lines.len(), wrong.len());
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// JSON of any shape, made mostly of the names that the shapes are told by.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "Records",
        "eventSource",
        "EventSource",
        "body",
        "Sns",
        "Message",
        "Type",
        "s3",
        "bucket",
        "name",
        "object",
        "key",
        "s3Bucket",
        "s3ObjectKey",
        "source",
        "detail-type",
        "detail",
        "Event",
        "eventVersion",
        "other",
    ]);
    let texts = prop::sample::select(vec![
        "aws:s3",
        "aws:sqs",
        "aws:sns",
        "aws.s3",
        "Object Created",
        "Notification",
        "2.1",
        "k",
        "s3:TestEvent",
        "{\"Records\":[]}",
        "%FF",
        "CloudTrail validation message.",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        texts.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_json_has_an_answer(body in any_json()) {
        let answer = parse(body.to_string().as_bytes());
        prop_assert!(answer.is_ok() || !answer.unwrap_err().to_string().is_empty());
    }

    #[test]
    fn any_bytes_have_an_answer(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let answer = parse(&body);
        prop_assert!(answer.is_ok() || !answer.unwrap_err().to_string().is_empty());
    }

    #[test]
    fn an_encoded_key_is_decoded_to_itself(key in r"\PC{0,60}") {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*/".contains(&byte);
        let encoded: String = key.bytes().map(|byte| match byte {
            b' ' => "+".to_owned(),
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        }).collect();
        let decoded = decode_key(&encoded);
        prop_assert_eq!(decoded.as_deref(), Some(key.as_str()));
    }

    #[test]
    fn any_text_can_be_decoded_or_refused(text in "[%+0-9a-fA-Fé]{0,40}") {
        if let Some(decoded) = decode_key(&text) {
            prop_assert!(decoded.len() <= text.len());
        }
    }
}

//! Takes a message apart: envelopes first, then the shapes that name objects.

use serde_json::{Map, Value};

use super::{
    Action, BODY_BYTES_MAX, BRACES_MAX, ENVELOPES_MAX, Notification, NotificationError, ObjectRef,
    Shape, decode_key,
};

/// How CloudTrail's validation message begins; it is no JSON.
const CLOUDTRAIL_VALIDATION: &str = "CloudTrail validation message";

/// Buckets that Security Lake makes.
const SECURITY_LAKE_BUCKET: &str = "aws-security-data-lake-";

/// Field names quoted in an error about an unknown shape.
const NAMES_QUOTED_MAX: usize = 8;

/// Longest text quoted in an error. Unit: characters.
const QUOTED_CHARS_MAX: usize = 40;

type Answer = Result<Notification, NotificationError>;

/// The objects that a message body names.
///
/// Messages that name none (test events, validation, subscriptions) are answers with no objects;
/// what is not recognised is an error, so that its message can stay in the queue.
pub fn parse(body: &[u8]) -> Result<Notification, NotificationError> {
    if body.len() > BODY_BYTES_MAX {
        return Err(NotificationError::TooLarge { bytes: body.len() });
    }
    let Ok(text) = std::str::from_utf8(body) else {
        return Err(NotificationError::NotJson { reason: "it is not UTF-8".to_owned() });
    };
    text_at(text, 0)
}

/// Reads a text that so many envelopes were taken off.
fn text_at(text: &str, envelopes: usize) -> Answer {
    if envelopes > ENVELOPES_MAX {
        return Err(NotificationError::TooDeep);
    }
    // Counted in every envelope: a brace may hide in the one around it as `\u007b`.
    if memchr::memchr_iter(b'{', text.as_bytes()).nth(BRACES_MAX).is_some() {
        return Err(NotificationError::TooManyBraces);
    }
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with(CLOUDTRAIL_VALIDATION) {
        return Ok(Notification { shape: Shape::CloudTrailValidation, objects: Vec::new() });
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => object_at(&object, envelopes),
        // Some forwarders quote the whole body once more.
        Ok(Value::String(inner)) => text_at(&inner, envelopes + 1),
        Ok(other) => Err(NotificationError::UnknownShape { found: describe(&other) }),
        Err(error) => Err(NotificationError::NotJson { reason: error.to_string() }),
    }
}

fn object_at(object: &Map<String, Value>, envelopes: usize) -> Answer {
    if let Some(Value::Array(records)) = object.get("Records") {
        return records_at(records, envelopes);
    }
    if object.contains_key("s3Bucket") && object.contains_key("s3ObjectKey") {
        return cloudtrail(object);
    }
    if text(object, "Event") == Some("s3:TestEvent") {
        return Ok(Notification { shape: Shape::S3Test, objects: Vec::new() });
    }
    if is_event_bridge(object) {
        return event_bridge(object);
    }
    match (text(object, "Type"), text(object, "Message")) {
        (Some("Notification"), Some(message)) => text_at(message, envelopes + 1),
        (Some("SubscriptionConfirmation" | "UnsubscribeConfirmation"), _) => {
            Ok(Notification { shape: Shape::SnsSubscription, objects: Vec::new() })
        }
        _ => Err(NotificationError::UnknownShape { found: describe_object(object) }),
    }
}

/// Reads `Records[]`: events of S3, or messages in a wrapper of Lambda's.
fn records_at(records: &[Value], envelopes: usize) -> Answer {
    let mut whole: Option<Notification> = None;
    for (record, value) in records.iter().enumerate() {
        let Value::Object(fields) = value else {
            return Err(NotificationError::UnknownShape { found: describe(value) });
        };
        let source = text(fields, "eventSource").or_else(|| text(fields, "EventSource"));
        let sns_message = fields.get("Sns").and_then(|sns| sns.get("Message"));
        let part = match (source, fields.get("body"), sns_message) {
            (Some("aws:s3"), _, _) => {
                Notification { shape: Shape::S3, objects: vec![s3(fields, record)?] }
            }
            (Some("aws:sqs"), Some(Value::String(inner)), _)
            | (Some("aws:sns"), _, Some(Value::String(inner))) => text_at(inner, envelopes + 1)?,
            _ => {
                let found = format!("a record with {}", names(fields));
                return Err(NotificationError::UnknownShape { found });
            }
        };
        match &mut whole {
            Some(whole) => whole.objects.extend(part.objects),
            None => whole = Some(part),
        }
    }
    whole.ok_or_else(|| NotificationError::UnknownShape { found: "no records".to_owned() })
}

fn s3(fields: &Map<String, Value>, record: usize) -> Result<ObjectRef, NotificationError> {
    if let Some(version) = text(fields, "eventVersion")
        && version.split('.').next() != Some("2")
    {
        return Err(NotificationError::UnknownVersion { version: quoted(version) });
    }
    let missing = |field| NotificationError::MissingField { shape: Shape::S3, field, record };
    let s3 = fields.get("s3");
    let bucket = s3
        .and_then(|s3| s3.get("bucket")?.get("name")?.as_str())
        .ok_or_else(|| missing("s3.bucket.name"))?;
    let object =
        s3.and_then(|s3| s3.get("object")?.as_object()).ok_or_else(|| missing("s3.object"))?;
    let key = text(object, "key").ok_or_else(|| missing("s3.object.key"))?;
    let key = decode_key(key).ok_or(NotificationError::BadKey { record })?.into_owned();
    Ok(ObjectRef {
        bucket: bucket.to_owned(),
        key,
        action: s3_action(text(fields, "eventName").unwrap_or_default()),
        version_id: owned(object, "versionId"),
        etag: owned(object, "eTag"),
        size_bytes: object.get("size").and_then(Value::as_u64),
        sequencer: owned(object, "sequencer"),
        event_ms: text(fields, "eventTime").and_then(instant),
    })
}

/// What an S3 event name means; some senders put `s3:` before it.
fn s3_action(name: &str) -> Action {
    let name = name.strip_prefix("s3:").unwrap_or(name);
    match name.split(':').next().unwrap_or_default() {
        "ObjectCreated" => Action::Created,
        "ObjectRemoved" | "LifecycleExpiration" => Action::Removed,
        "ObjectRestore" => Action::Restored,
        _ => Action::Other,
    }
}

fn cloudtrail(object: &Map<String, Value>) -> Answer {
    let missing =
        |field, record| NotificationError::MissingField { shape: Shape::CloudTrail, field, record };
    let bucket = text(object, "s3Bucket").ok_or_else(|| missing("s3Bucket", 0))?;
    let keys = match object.get("s3ObjectKey") {
        Some(Value::Array(keys)) => keys.as_slice(),
        Some(single) => std::slice::from_ref(single),
        None => &[],
    };
    let objects = keys.iter().enumerate().map(|(record, key)| {
        let key = key.as_str().ok_or_else(|| missing("s3ObjectKey", record))?;
        Ok(ObjectRef {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            action: Action::Created,
            version_id: None,
            etag: None,
            size_bytes: None,
            sequencer: None,
            event_ms: None,
        })
    });
    Ok(Notification { shape: Shape::CloudTrail, objects: objects.collect::<Result<_, _>>()? })
}

/// Other events of `EventBridge` from S3 (API calls by way of CloudTrail) name no object so.
fn is_event_bridge(object: &Map<String, Value>) -> bool {
    text(object, "source") == Some("aws.s3")
        && text(object, "detail-type").is_some_and(|kind| kind.starts_with("Object "))
}

fn event_bridge(event: &Map<String, Value>) -> Answer {
    let missing =
        |field| NotificationError::MissingField { shape: Shape::EventBridge, field, record: 0 };
    let detail = event.get("detail");
    let bucket = detail
        .and_then(|detail| detail.get("bucket")?.get("name")?.as_str())
        .ok_or_else(|| missing("detail.bucket.name"))?;
    let object = detail
        .and_then(|detail| detail.get("object")?.as_object())
        .ok_or_else(|| missing("detail.object"))?;
    let key = text(object, "key").ok_or_else(|| missing("detail.object.key"))?;
    let is_lake = bucket.starts_with(SECURITY_LAKE_BUCKET);
    let objects = vec![ObjectRef {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        action: match text(event, "detail-type") {
            Some("Object Created") => Action::Created,
            Some("Object Deleted") => Action::Removed,
            Some("Object Restore Completed") => Action::Restored,
            _ => Action::Other,
        },
        version_id: owned(object, "version-id"),
        etag: owned(object, "etag"),
        size_bytes: object.get("size").and_then(Value::as_u64),
        sequencer: owned(object, "sequencer"),
        event_ms: text(event, "time").and_then(instant),
    }];
    let shape = if is_lake { Shape::SecurityLake } else { Shape::EventBridge };
    Ok(Notification { shape, objects })
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

fn owned(object: &Map<String, Value>, name: &str) -> Option<String> {
    text(object, name).map(str::to_owned)
}

fn instant(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// What a value is, for an error.
fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(object) => describe_object(object),
    }
}

fn describe_object(object: &Map<String, Value>) -> String {
    format!("an object with {}", names(object))
}

/// The first field names of an object. They are hostile text: shortened and escaped.
fn names(object: &Map<String, Value>) -> String {
    let mut names: Vec<String> =
        object.keys().take(NAMES_QUOTED_MAX).map(|name| quoted(name)).collect();
    if names.is_empty() {
        return "no fields".to_owned();
    }
    if object.len() > names.len() {
        names.push("...".to_owned());
    }
    names.join(", ")
}

fn quoted(text: &str) -> String {
    text.chars().take(QUOTED_CHARS_MAX).flat_map(char::escape_debug).collect()
}

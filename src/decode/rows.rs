//! Names and values of what was decoded. What a record does not say is null.

use ingest::{
    Event, Identity, Text,
    cloudtrail::{Aggregated, Insight, Record},
    event::Outcome,
    flow::Value,
    notification::{Action, ObjectRef},
    time::format_ms,
};
use std::borrow::Cow;

/// One row: names and values, in the order in which they are written.
pub(super) type Row<'a> = Vec<(&'static str, Value<'a>)>;

/// A record of CloudTrail. The names are the same whatever its schema.
pub(super) fn record<'a>(record: &Record<'a>) -> Row<'a> {
    match record {
        Record::Event(one) => event(one),
        Record::Insight(one) => insight(one),
        Record::Aggregated(one) => aggregated(one),
    }
    .row()
}

/// An object that a notification names.
pub(super) fn object(object: &ObjectRef) -> Row<'_> {
    let action = match object.action {
        Action::Created => "created",
        Action::Removed => "removed",
        Action::Restored => "restored",
        Action::Other => "other",
    };
    let text = |text: Option<&str>| value(text.map(|text| Cow::Owned(text.to_owned())));
    let size = object.size_bytes.and_then(|bytes| i64::try_from(bytes).ok());
    vec![
        ("bucket", text(Some(&object.bucket))),
        ("key", text(Some(&object.key))),
        ("action", text(Some(action))),
        ("version_id", text(object.version_id.as_deref())),
        ("etag", text(object.etag.as_deref())),
        ("size_bytes", size.map_or(Value::Null, Value::Integer)),
    ]
}

/// What the schemas of CloudTrail have in common.
#[derive(Default)]
struct Fields<'a> {
    time_ms: i64,
    source: Option<Text<'a>>,
    name: Option<Text<'a>>,
    region: Option<Text<'a>>,
    source_ip: Option<Text<'a>>,
    user_agent: Option<Text<'a>>,
    identity: Identity<'a>,
    account: Option<Text<'a>>,
    id: Option<Text<'a>>,
    event_type: Option<Text<'a>>,
    outcome: Option<&'static str>,
    error_code: Option<Text<'a>>,
}

impl<'a> Fields<'a> {
    fn row(self) -> Row<'a> {
        let text = |text: Option<Text<'a>>| value(text.map(Text::get));
        let Identity { kind, arn, invoked_by, user_name, principal_id, access_key_id, .. } =
            self.identity;
        vec![
            ("event_time", Value::Text(format_ms(self.time_ms).into())),
            ("event_source", text(self.source)),
            ("event_name", text(self.name)),
            ("region", text(self.region)),
            ("source_ip", text(self.source_ip)),
            ("user_agent", text(self.user_agent)),
            ("identity_type", text(kind)),
            ("identity_arn", text(arn)),
            ("account", text(self.account)),
            ("event_id", text(self.id)),
            ("event_type", text(self.event_type)),
            ("outcome", value(self.outcome.map(Cow::Borrowed))),
            ("error_code", text(self.error_code)),
            ("invoked_by", text(invoked_by)),
            ("user_name", text(user_name)),
            ("principal_id", text(principal_id)),
            ("access_key", text(access_key_id)),
        ]
    }
}

fn event<'a>(event: &Event<'a>) -> Fields<'a> {
    Fields {
        time_ms: event.time_ms,
        source: Some(event.source),
        name: Some(event.name),
        region: event.region,
        source_ip: event.source_ip,
        user_agent: event.user_agent,
        identity: event.identity.map(Identity::of).unwrap_or_default(),
        account: event.account(),
        id: event.id,
        event_type: event.event_type,
        outcome: Some(match event.outcome() {
            Outcome::Success => "success",
            Outcome::Failure => "failure",
        }),
        error_code: event.error_code,
    }
}

fn insight<'a>(insight: &Insight<'a>) -> Fields<'a> {
    Fields {
        time_ms: insight.time_ms,
        source: insight.source,
        name: insight.name,
        region: insight.region,
        account: insight.recipient_account,
        id: insight.id,
        event_type: insight.event_type,
        error_code: insight.error_code,
        ..Fields::default()
    }
}

fn aggregated<'a>(aggregated: &Aggregated<'a>) -> Fields<'a> {
    Fields {
        time_ms: aggregated.start_ms,
        source: aggregated.source,
        region: aggregated.region,
        account: aggregated.account,
        id: aggregated.id,
        ..Fields::default()
    }
}

fn value(text: Option<Cow<'_, str>>) -> Value<'_> {
    text.map_or(Value::Null, Value::Text)
}

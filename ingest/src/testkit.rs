//! Raw CloudTrail records for tests, written as AWS writes them: its key order, its identities.
//! In: what matters to the test. Out: text, so that every test passes through the parser.
//!
//! ```
//! use ingest::testkit;
//!
//! let raw = testkit::call("alice").api("s3:PutObject").error("AccessDenied").raw();
//! assert!(raw.contains(r#""errorCode":"AccessDenied""#));
//! ```

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};

pub(crate) mod identity;

pub use identity::{ACCOUNT, iam_user, instance_role, role_session, root, service, sso_user};

/// A record in the making; see [`call`].
#[derive(Debug, Clone)]
#[must_use = "ends with `raw`"]
pub struct Call {
    members: Map<String, Value>,
    source: String,
    name: String,
}

/// The order in which AWS writes the members of a record.
const ORDER: [&str; 26] = [
    "eventVersion",
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "requestID",
    "eventID",
    "readOnly",
    "resources",
    "eventType",
    "apiVersion",
    "managementEvent",
    "recipientAccountId",
    "sharedEventID",
    "serviceEventDetails",
    "vpcEndpointId",
    "eventCategory",
    "tlsDetails",
];

/// A call by the IAM user `user` that succeeds: `s3:ListBuckets` on 2025-03-14 from 198.51.100.7.
/// Event and request ids are new with every call of this function.
pub fn call(user: &str) -> Call {
    by(iam_user(user))
}

/// A call by any identity, such as [`role_session`]'s.
pub fn by(identity: Value) -> Call {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut call = Call { members: Map::new(), source: String::new(), name: String::new() };
    let account = identity.get("accountId").cloned().unwrap_or_else(|| json!(ACCOUNT));
    for (key, value) in [
        ("eventVersion", json!("1.11")),
        ("userIdentity", identity),
        ("eventTime", json!("2025-03-14T10:00:00Z")),
        ("awsRegion", json!("eu-central-1")),
        ("sourceIPAddress", json!("198.51.100.7")),
        ("userAgent", json!("aws-cli/2.15.0 Python/3.11.6 Linux/6.1.0")),
        ("requestParameters", Value::Null),
        ("responseElements", Value::Null),
        ("requestID", json!(uuid(&format!("request {number}")))),
        ("eventID", json!(uuid(&format!("event {number}")))),
        ("eventType", json!("AwsApiCall")),
        ("managementEvent", json!(true)),
        ("recipientAccountId", account),
        ("eventCategory", json!("Management")),
    ] {
        call.members.insert(key.to_owned(), value);
    }
    call.api("s3:ListBuckets")
}

impl Call {
    /// `service:Name`, for example `s3:PutObject`. Names that begin with Get, List, Describe,
    /// Head or Lookup are read-only; [`read_only`](Self::read_only) overrides it.
    pub fn api(mut self, api: &str) -> Self {
        let (service, name) = api.split_once(':').unwrap_or((api, "Unknown"));
        let reads = ["Get", "List", "Describe", "Head", "Lookup"];
        let read_only = reads.iter().any(|prefix| name.starts_with(prefix));
        self.source = format!("{service}.amazonaws.com");
        name.clone_into(&mut self.name);
        self.read_only(read_only)
    }

    /// `eventSource`, where it is not the service's name with `.amazonaws.com`.
    pub fn source(mut self, source: &str) -> Self {
        source.clone_into(&mut self.source);
        self
    }

    /// `eventTime`, as the log writes it.
    pub(crate) fn at(self, time: &str) -> Self {
        self.set("eventTime", json!(time))
    }

    /// `eventTime`. Unit: milliseconds since the Unix epoch.
    pub fn at_ms(self, time_ms: i64) -> Self {
        let time = crate::time::format_ms(time_ms);
        self.at(&time)
    }

    /// `awsRegion`.
    pub fn region(self, region: &str) -> Self {
        self.set("awsRegion", json!(region))
    }

    /// `sourceIPAddress`.
    pub fn from_ip(self, address: &str) -> Self {
        self.set("sourceIPAddress", json!(address))
    }

    /// `userAgent`.
    pub fn agent(self, agent: &str) -> Self {
        self.set("userAgent", json!(agent))
    }

    /// `errorCode`, with an `errorMessage` beside it.
    pub fn error(self, code: &str) -> Self {
        self.set("errorCode", json!(code)).set("errorMessage", json!(format!("{code} (test)")))
    }

    /// `requestParameters`.
    pub fn request(self, parameters: Value) -> Self {
        self.set("requestParameters", parameters)
    }

    /// `responseElements`.
    pub fn response(self, elements: Value) -> Self {
        self.set("responseElements", elements)
    }

    /// `additionalEventData`.
    pub fn additional(self, data: Value) -> Self {
        self.set("additionalEventData", data)
    }

    /// `resources`.
    pub fn resources(self, resources: Value) -> Self {
        self.set("resources", resources)
    }

    /// `eventID`.
    pub fn id(self, id: &str) -> Self {
        self.set("eventID", json!(id))
    }

    /// `userIdentity`.
    pub fn identity(self, identity: Value) -> Self {
        self.set("userIdentity", identity)
    }

    /// `recipientAccountId`.
    pub fn account(self, account: &str) -> Self {
        self.set("recipientAccountId", json!(account))
    }

    /// `readOnly`.
    pub(crate) fn read_only(self, read_only: bool) -> Self {
        self.set("readOnly", json!(read_only))
    }

    /// `eventType`, for example `AwsConsoleSignIn`.
    pub fn event_type(self, event_type: &str) -> Self {
        self.set("eventType", json!(event_type))
    }

    /// Any member, by the key that the log uses.
    pub fn set(mut self, key: &str, value: Value) -> Self {
        self.members.insert(key.to_owned(), value);
        self
    }

    /// Takes a member away, as in records of old versions.
    pub fn without(mut self, key: &str) -> Self {
        self.members.remove(key);
        self
    }

    /// The record as one line of JSON.
    pub fn raw(self) -> String {
        let Self { mut members, source, name } = self;
        members.entry("eventSource").or_insert(Value::String(source));
        members.entry("eventName").or_insert(Value::String(name));
        let known = ORDER.iter().filter_map(|key| Some((*key, members.get(*key)?)));
        let others = members.iter().filter(|(key, _)| !ORDER.contains(&key.as_str()));
        let others = others.map(|(key, value)| (key.as_str(), value));
        let written: Vec<String> =
            known.chain(others).map(|(key, value)| format!("{}:{value}", json!(key))).collect();
        format!("{{{}}}", written.join(","))
    }
}

/// A log file, `{"Records":[...]}`, of raw records.
pub fn object<S: AsRef<str>>(records: &[S]) -> String {
    let records: Vec<&str> = records.iter().map(AsRef::as_ref).collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

/// A UUID that is always the same for one `seed`.
pub fn uuid(seed: &str) -> String {
    let hash = xxhash_rust::xxh3::xxh3_128(seed.as_bytes());
    let hex = format!("{hash:032x}");
    let mut uuid = String::with_capacity(36);
    for (index, digit) in hex.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(digit);
    }
    uuid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudtrail::{Record, Shape, read};
    use crate::event::{Identity, Text};

    #[test]
    fn what_is_built_is_what_is_read() {
        let raw = call("alice")
            .api("iam:CreateUser")
            .at("2025-03-14T10:00:01Z")
            .region("us-east-1")
            .from_ip("203.0.113.9")
            .agent("a \"quoted\" agent")
            .error("AccessDenied")
            .request(json!({"userName": "bob"}))
            .id("event-1")
            .raw();
        assert!(raw.starts_with(r#"{"eventVersion":"1.11","userIdentity":{"#));
        let mut events = 0;
        let shape = read(&object(&[&raw]), |_, record| {
            let Ok(Record::Event(event)) = record else { panic!("{record:?}") };
            events += 1;
            assert_eq!(event.time_ms, 1_741_946_401_000);
            assert_eq!(event.source, "iam.amazonaws.com");
            assert_eq!(event.name, "CreateUser");
            assert_eq!(event.id, Some(Text("event-1")));
            assert_eq!(event.user_agent.unwrap(), "a \"quoted\" agent");
            assert_eq!(event.read_only, Some(false));
            assert!(event.denied());
            let identity = Identity::of(event.identity.unwrap());
            assert_eq!(identity.user_name.unwrap(), "alice");
            assert_eq!(event.account().unwrap(), ACCOUNT);
        });
        assert_eq!((shape, events), (Ok(Shape::Records), 1));
    }

    #[test]
    fn members_can_be_added_and_taken_away() {
        let raw = call("alice").without("eventID").set("addendum", json!({"reason": "x"})).raw();
        assert!(!raw.contains("eventID"));
        assert!(raw.ends_with(r#","addendum":{"reason":"x"}}"#));
    }

    #[test]
    fn ids_differ_from_call_to_call_and_follow_from_a_seed() {
        assert_ne!(call("alice").raw(), call("alice").raw());
        assert_eq!(uuid("a"), uuid("a"));
        assert_eq!(uuid("a").len(), 36);
    }
}

//! One call, and the record of version 1.11 that CloudTrail makes of it.

use super::caller::Caller;
use crate::clock::iso;
use crate::json::Json;
use crate::object;
use crate::rng::Rng;

const VERSION: &str = "1.11";
/// Beginnings of event names that CloudTrail marks `readOnly`.
const READ_ONLY: [&str; 9] =
    ["Get", "List", "Describe", "Lookup", "Head", "AssumeRole", "Decrypt", "Generate", "Filter"];

/// What kind of event it is: `eventType` and `eventCategory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A management call.
    Api,
    /// A data event.
    Data,
    /// A sign-in to the console; it has no request id.
    SignIn,
    /// Something a service did by itself.
    Service,
}

/// What is asked, and what is answered.
#[derive(Debug, Clone)]
pub struct Call {
    /// Unit: seconds since the Unix epoch.
    pub time_s: i64,
    /// `awsRegion`, and the region of the object that tells of it.
    pub region: &'static str,
    /// The service without `.amazonaws.com`, for example `s3`.
    pub service: &'static str,
    /// `eventName`.
    pub name: &'static str,
    /// `eventType` and `eventCategory`.
    pub kind: Kind,
    /// `requestParameters`.
    pub request: Json,
    /// `responseElements`.
    pub response: Json,
    /// `errorCode` and `errorMessage`.
    pub error: Option<(&'static str, String)>,
    /// `additionalEventData`.
    pub additional: Option<Json>,
    /// `resources`, left out when empty.
    pub resources: Vec<Json>,
    /// `serviceEventDetails`.
    pub details: Option<Json>,
    /// `clientProvidedHostHeader`.
    pub host: String,
}

/// A record, ready to be delivered.
#[derive(Debug, Clone)]
pub struct Record {
    /// `eventTime`. Unit: seconds since the Unix epoch.
    pub time_s: i64,
    /// `awsRegion`.
    pub region: &'static str,
    /// `eventID`.
    pub id: String,
    /// The record itself.
    pub body: Json,
}

impl Call {
    /// A management call without parameters.
    pub fn new(
        time_s: i64,
        region: &'static str,
        service: &'static str,
        name: &'static str,
    ) -> Self {
        let host = match service {
            "iam" => "iam.amazonaws.com".to_owned(),
            _ => format!("{service}.{region}.amazonaws.com"),
        };
        Self {
            time_s,
            region,
            service,
            name,
            kind: Kind::Api,
            request: Json::Null,
            response: Json::Null,
            error: None,
            additional: None,
            resources: Vec::new(),
            details: None,
            host,
        }
    }

    /// With `requestParameters`.
    #[must_use]
    pub fn asking(mut self, request: Json) -> Self {
        self.request = request;
        self
    }

    /// With `responseElements`.
    #[must_use]
    pub fn answered(mut self, response: Json) -> Self {
        self.response = response;
        self
    }

    /// Refused: AWS leaves the answer empty.
    #[must_use]
    pub fn refused(mut self, code: &'static str, message: impl Into<String>) -> Self {
        self.error = Some((code, message.into()));
        self.response = Json::Null;
        self
    }

    /// Of another kind than a management call.
    #[must_use]
    pub fn of(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// A record of this call, with identifiers drawn from `rng`.
    pub fn record(self, caller: &Caller, account: &str, rng: &mut Rng) -> Record {
        let id = rng.uuid();
        let request_id = if self.service == "s3" { rng.capitals(16) } else { rng.uuid() };
        let mut pairs = vec![
            ("eventVersion", Json::from(VERSION)),
            ("userIdentity", caller.identity.clone()),
            ("eventTime", Json::from(iso(self.time_s))),
            ("eventSource", Json::from(format!("{}.amazonaws.com", self.service))),
            ("eventName", Json::from(self.name)),
            ("awsRegion", Json::from(self.region)),
            ("sourceIPAddress", Json::from(&caller.address)),
            ("userAgent", Json::from(&caller.agent)),
        ];
        if let Some((code, message)) = self.error {
            pairs.push(("errorCode", Json::from(code)));
            pairs.push(("errorMessage", Json::from(message)));
        }
        pairs.push(("requestParameters", self.request));
        pairs.push(("responseElements", self.response));
        pairs.extend(self.additional.map(|data| ("additionalEventData", data)));
        if matches!(self.kind, Kind::Api | Kind::Data) {
            pairs.push(("requestID", Json::from(request_id)));
        }
        let read_only = READ_ONLY.iter().any(|start| self.name.starts_with(start));
        pairs.push(("eventID", Json::from(&id)));
        pairs.push(("readOnly", Json::from(read_only)));
        if !self.resources.is_empty() {
            pairs.push(("resources", Json::List(self.resources)));
        }
        let (event_type, management) = match self.kind {
            Kind::Api => ("AwsApiCall", true),
            Kind::Data => ("AwsApiCall", false),
            Kind::SignIn => ("AwsConsoleSignIn", true),
            Kind::Service => ("AwsServiceEvent", true),
        };
        pairs.push(("eventType", Json::from(event_type)));
        pairs.push(("managementEvent", Json::from(management)));
        pairs.push(("recipientAccountId", Json::from(account)));
        if caller.service {
            pairs.push(("sharedEventID", Json::from(rng.uuid())));
        }
        pairs.extend(self.details.map(|details| ("serviceEventDetails", details)));
        pairs.push(("eventCategory", Json::from(if management { "Management" } else { "Data" })));
        if !caller.service && self.kind != Kind::Service && caller.address != caller.agent {
            if caller.console && self.kind != Kind::SignIn {
                pairs.push(("sessionCredentialFromConsole", Json::from("true")));
            } else {
                pairs.push(("tlsDetails", tls(&self.host)));
            }
        }
        Record { time_s: self.time_s, region: self.region, id, body: Json::Object(pairs) }
    }
}

fn tls(host: &str) -> Json {
    object! {
        "tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256",
        "clientProvidedHostHeader": host,
    }
}

/// How S3 encrypted what it stored or read: `SSEApplied`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Nothing is stored or read.
    None,
    /// S3's own keys, by default.
    Default,
    /// A key that the caller brings with each call.
    Customer,
}

/// What crossed the wire in a call to S3.
#[derive(Debug, Clone, Copy)]
pub struct Transfer {
    /// `bytesTransferredIn`. Unit: bytes.
    pub in_bytes: i64,
    /// `bytesTransferredOut`. Unit: bytes.
    pub out_bytes: i64,
    /// `SSEApplied`.
    pub encryption: Encryption,
}

impl Call {
    /// A call on a bucket: host, `additionalEventData` and `resources` as S3 gives them.
    #[must_use]
    pub fn on_bucket(mut self, account: &str, bucket: &str, rng: &mut Rng) -> Self {
        self.host = format!("{bucket}.s3.{}.amazonaws.com", self.region);
        let moved = Transfer { in_bytes: 0, out_bytes: 0, encryption: Encryption::None };
        self.additional = Some(s3_data(moved, rng));
        self.resources = vec![bucket_resource(account, bucket)];
        self
    }

    /// A data event on an object. `extra` parameters follow bucket, host and key.
    #[must_use]
    pub fn on_object(
        mut self,
        account: &str,
        (bucket, key): (&str, &str),
        moved: Transfer,
        rng: &mut Rng,
    ) -> Self {
        self = self.on_bucket(account, bucket, rng).of(Kind::Data);
        self.additional = Some(s3_data(moved, rng));
        let mut request = vec![
            ("bucketName", Json::from(bucket)),
            ("Host", Json::from(&self.host)),
            ("key", Json::from(key)),
        ];
        if let Json::Object(extra) = self.request {
            request.extend(extra);
        }
        self.request = Json::Object(request);
        let object_arn = format!("arn:aws:s3:::{bucket}/{key}");
        self.resources = vec![
            object! { "type": "AWS::S3::Object", "ARN": object_arn },
            bucket_resource(account, bucket),
        ];
        self
    }
}

fn bucket_resource(account: &str, bucket: &str) -> Json {
    object! {
        "accountId": account, "type": "AWS::S3::Bucket", "ARN": format!("arn:aws:s3:::{bucket}"),
    }
}

fn s3_data(moved: Transfer, rng: &mut Rng) -> Json {
    let mut pairs = vec![
        ("SignatureVersion", Json::from("SigV4")),
        ("CipherSuite", Json::from("TLS_AES_128_GCM_SHA256")),
        ("bytesTransferredIn", Json::from(moved.in_bytes)),
    ];
    match moved.encryption {
        Encryption::None => {}
        Encryption::Default => pairs.push(("SSEApplied", Json::from("Default_SSE_S3"))),
        Encryption::Customer => pairs.push(("SSEApplied", Json::from("SSE_C"))),
    }
    pairs.push(("AuthenticationMethod", Json::from("AuthHeader")));
    pairs.push(("x-amz-id-2", Json::from(rng.base64(75) + "=")));
    pairs.push(("bytesTransferredOut", Json::from(moved.out_bytes)));
    Json::Object(pairs)
}

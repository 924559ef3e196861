//! One call, and the record of version 1.11 that CloudTrail makes of it.

mod read_only;
mod storage;

use std::borrow::Cow;

use super::caller::Caller;
use crate::clock::write_iso;
use crate::json::{Json, write_text};
use crate::rng::Rng;

pub use read_only::is_read_only;
pub use storage::{Encryption, Transfer};
pub(in crate::aws) use storage::{bucket_resource, s3_data};

/// Records of this size need no second allocation; real ones have 1.4 KB on average. Unit: bytes.
const RECORD_BYTES: usize = 2_048;

/// What kind of event it is: `eventType` and `eventCategory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A management call.
    Api,
    /// A data event.
    Data,
    /// A sign-in to the console; it has no request id.
    SignIn,
    /// A click that is no call of an API, for example of the console of AWS Health.
    Console,
    /// Something a service did by itself.
    Service,
    /// A call through a VPC endpoint, as its owner sees it.
    Endpoint,
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
    /// `readOnly`.
    pub read_only: bool,
    /// `apiVersion`, which few services tell.
    pub api_version: Option<&'static str>,
    /// `requestParameters`.
    pub request: Json,
    /// `responseElements`.
    pub response: Json,
    /// `errorCode` and `errorMessage`; each is left out when empty.
    pub error: Option<(&'static str, Cow<'static, str>)>,
    /// `additionalEventData`.
    pub additional: Option<Json>,
    /// `resources`, left out when empty.
    pub resources: Vec<Json>,
    /// `serviceEventDetails`.
    pub details: Option<Json>,
    /// `sharedEventID`, where the same call is told in two accounts. The calls of a service have
    /// one anyway.
    pub shared_id: Option<String>,
    /// `clientProvidedHostHeader`; empty: the service's own in the region.
    pub host: Cow<'static, str>,
}

/// A record, ready to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `eventTime`. Unit: seconds since the Unix epoch.
    pub time_s: i64,
    /// `awsRegion`.
    pub region: &'static str,
    /// `eventID`.
    pub id: String,
    /// The record itself, one line of JSON.
    pub text: String,
}

impl Call {
    /// A management call without parameters.
    pub fn new(
        time_s: i64,
        region: &'static str,
        service: &'static str,
        name: &'static str,
    ) -> Self {
        let host = if service == "iam" { "iam.amazonaws.com" } else { "" };
        Self {
            time_s,
            region,
            service,
            name,
            kind: Kind::Api,
            read_only: is_read_only(service, name),
            api_version: None,
            request: Json::Null,
            response: Json::Null,
            error: None,
            additional: None,
            resources: Vec::new(),
            details: None,
            shared_id: None,
            host: Cow::Borrowed(host),
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

    /// With `additionalEventData`.
    #[must_use]
    pub fn adding(mut self, additional: Json) -> Self {
        self.additional = Some(additional);
        self
    }

    /// With one of `resources` more.
    #[must_use]
    pub fn touching(mut self, resource: Json) -> Self {
        self.resources.push(resource);
        self
    }

    /// Sent to another host than the service's own in the region.
    #[must_use]
    pub fn to(mut self, host: impl Into<Cow<'static, str>>) -> Self {
        self.host = host.into();
        self
    }

    /// Refused: AWS leaves the answer empty.
    #[must_use]
    pub fn refused(mut self, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
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
        let mut text = String::with_capacity(RECORD_BYTES);
        let id = self.write(caller, account, rng, &mut text);
        Record { time_s: self.time_s, region: self.region, id, text }
    }

    /// Appends the text of `record` to `out` and returns its `eventID`.
    pub fn write(&self, caller: &Caller, account: &str, rng: &mut Rng, out: &mut String) -> String {
        let id = rng.uuid();
        self.write_question(caller, out);
        if self.has_request_id() {
            out.push_str(",\"requestID\":\"");
            match self.service {
                "s3" => rng.write_capitals(16, out),
                _ => rng.write_uuid(out),
            }
            out.push('"');
        } else {
            // Drawn all the same: what comes next does not depend on the kind of a call.
            rng.uuid();
        }
        out.push_str(",\"eventID\":\"");
        out.push_str(&id);
        out.push_str(if self.read_only { "\",\"readOnly\":true" } else { "\",\"readOnly\":false" });
        if !self.resources.is_empty() {
            out.push_str(",\"resources\":[");
            for (n, resource) in self.resources.iter().enumerate() {
                out.push_str(if n > 0 { "," } else { "" });
                resource.write(out);
            }
            out.push(']');
        }
        self.write_kind(account, out);
        self.write_owners(caller, rng, out);
        out.push_str(match self.kind {
            Kind::Data => ",\"eventCategory\":\"Data\"",
            Kind::Endpoint => ",\"eventCategory\":\"NetworkActivity\"",
            _ => ",\"eventCategory\":\"Management\"",
        });
        self.write_transport(caller, out);
        out.push('}');
        id
    }

    /// From `eventVersion` to `additionalEventData`.
    fn write_question(&self, caller: &Caller, out: &mut String) {
        out.push_str("{\"eventVersion\":\"1.11\",\"userIdentity\":");
        caller.identity.write(out);
        out.push_str(",\"eventTime\":\"");
        write_iso(self.time_s, out);
        out.push_str("\",\"eventSource\":\"");
        out.push_str(self.service);
        out.push_str(".amazonaws.com\",\"eventName\":\"");
        out.push_str(self.name);
        out.push_str("\",\"awsRegion\":\"");
        out.push_str(self.region);
        out.push_str("\",\"sourceIPAddress\":");
        write_text(&caller.address, out);
        out.push_str(",\"userAgent\":");
        write_text(&caller.agent, out);
        if let Some((code, message)) = &self.error {
            if !code.is_empty() {
                out.push_str(",\"errorCode\":");
                write_text(code, out);
            }
            if !message.is_empty() {
                out.push_str(",\"errorMessage\":");
                write_text(message, out);
            }
        }
        out.push_str(",\"requestParameters\":");
        self.request.write(out);
        out.push_str(",\"responseElements\":");
        self.response.write(out);
        if let Some(additional) = &self.additional {
            out.push_str(",\"additionalEventData\":");
            additional.write(out);
        }
    }

    fn has_request_id(&self) -> bool {
        match self.kind {
            Kind::Api | Kind::Data | Kind::Endpoint => true,
            // What people do in Identity Center is told as events of the service.
            Kind::Service => matches!(self.service, "signin" | "sso"),
            Kind::SignIn | Kind::Console => false,
        }
    }

    /// From `eventType` to `recipientAccountId`.
    fn write_kind(&self, account: &str, out: &mut String) {
        out.push_str(match self.kind {
            Kind::Api | Kind::Data => ",\"eventType\":\"AwsApiCall\"",
            Kind::SignIn => ",\"eventType\":\"AwsConsoleSignIn\"",
            Kind::Console => ",\"eventType\":\"AwsConsoleAction\"",
            Kind::Service => ",\"eventType\":\"AwsServiceEvent\"",
            Kind::Endpoint => ",\"eventType\":\"AwsVpceEvent\"",
        });
        if let Some(version) = self.api_version {
            out.push_str(",\"apiVersion\":");
            write_text(version, out);
        }
        let management = !matches!(self.kind, Kind::Data | Kind::Endpoint);
        let start =
            if management { ",\"managementEvent\":true" } else { ",\"managementEvent\":false" };
        out.push_str(start);
        out.push_str(",\"recipientAccountId\":");
        write_text(account, out);
    }

    /// From `sharedEventID` to `serviceEventDetails`.
    fn write_owners(&self, caller: &Caller, rng: &mut Rng, out: &mut String) {
        if caller.service || self.shared_id.is_some() {
            out.push_str(",\"sharedEventID\":\"");
            match &self.shared_id {
                Some(id) => out.push_str(id),
                None => rng.write_uuid(out),
            }
            out.push('"');
        }
        if let Some(endpoint) = &caller.endpoint {
            out.push_str(",\"vpcEndpointId\":");
            write_text(&endpoint.id, out);
            if !endpoint.account.is_empty() {
                out.push_str(",\"vpcEndpointAccountId\":");
                write_text(&endpoint.account, out);
            }
        }
        if let Some(details) = &self.details {
            out.push_str(",\"serviceEventDetails\":");
            details.write(out);
        }
    }

    /// `tlsDetails` and `sessionCredentialFromConsole`. The console's own servers hide the former.
    fn write_transport(&self, caller: &Caller, out: &mut String) {
        if caller.service || self.kind == Kind::Service || caller.address == caller.agent {
            return;
        }
        let in_console = caller.console && self.kind != Kind::SignIn;
        if !in_console || caller.is_direct() {
            out.push_str(",\"tlsDetails\":{\"tlsVersion\":\"TLSv1.3\",");
            out.push_str(
                "\"cipherSuite\":\"TLS_AES_128_GCM_SHA256\",\"clientProvidedHostHeader\":",
            );
            if self.host.is_empty() {
                out.push('"');
                for part in [self.service, ".", self.region, ".amazonaws.com\"}"] {
                    out.push_str(part);
                }
            } else {
                write_text(&self.host, out);
                out.push('}');
            }
        }
        if in_console {
            out.push_str(",\"sessionCredentialFromConsole\":\"true\"");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::object;

    fn told(call: Call, caller: &Caller) -> Value {
        let record = call.record(caller, "111122223333", &mut Rng::new(1));
        let value: Value = serde_json::from_str(&record.text).unwrap();
        assert_eq!(value["eventID"], record.id);
        value
    }

    fn user() -> Caller {
        let identity = object! {
            "type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ada",
            "accountId": "111122223333",
        };
        Caller::new(identity, "198.51.100.7", "aws-cli/2.33.8")
    }

    #[test]
    fn a_refused_call_has_a_reason_and_no_answer() {
        let call = Call::new(0, "us-east-1", "ec2", "RunInstances")
            .answered(object! { "requestId": "x" })
            .refused("Client.DryRunOperation", "say \"no\"");
        let record = told(call, &user());
        assert_eq!(record["errorMessage"], "say \"no\"");
        assert_eq!(record["responseElements"], Value::Null);
        assert_eq!(record["readOnly"], false);
        assert_eq!(record["tlsDetails"]["clientProvidedHostHeader"], "ec2.us-east-1.amazonaws.com");
    }

    #[test]
    fn consoles_hide_the_connection_unless_the_browser_calls_itself() {
        let call = Call::new(0, "us-east-1", "ec2", "DescribeVpcs");
        for (agent, direct) in [("AWS Internal", false), ("Mozilla/5.0 (X11)", true)] {
            let caller = user().moved("198.51.100.7", agent).in_console();
            let record = told(call.clone(), &caller);
            assert_eq!(record["sessionCredentialFromConsole"], "true");
            assert_eq!(record.get("tlsDetails").is_some(), direct, "{agent}");
        }
    }

    #[test]
    fn services_share_an_event_id_and_have_no_connection() {
        let call = Call::new(0, "us-east-1", "s3", "GetBucketAcl");
        let record = told(call, &Caller::service("cloudtrail.amazonaws.com"));
        assert_eq!(record["sharedEventID"].as_str().unwrap().len(), 36);
        assert_eq!(record["requestID"].as_str().unwrap().len(), 16);
        assert_eq!(record.get("tlsDetails"), None);
    }
}

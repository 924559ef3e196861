//! Names of fields, resolved once: where in a record, or in what is known of it, the values are.
//!
//! CloudTrail: every documented field of a record, and any path below those that hold others. Names
//! are compared without regard to ASCII case, as rule sets differ in it; every key that matches
//! counts. Arrays are walked through at every step, and a text that holds JSON is stepped into, so
//! `requestParameters.policyDocument.Statement.Effect` works (see `walk.rs`).
//!
//! VPC Flow Logs: AWS's names, with hyphens or underscores.
//!
//! Both: what sentrail works out itself, only when a rule asks for it:
//!
//! | field | values |
//! |---|---|
//! | `sentrail.api` | `service:Name` without the version of some names: `lambda:UpdateFunctionCode` |
//! | `sentrail.caller.kind` | `human`, `workload`, `ci`, `agent`, `service`, `root`, `external`; absent where the record names nobody |
//! | `sentrail.caller.invoked-by-service` | `true` where an AWS service acts, by itself or for somebody |
//! | `sentrail.outcome` | `success`, `failure` |
//! | `sentrail.denied` | `true` where the error says that the caller was not allowed to |
//! | `sentrail.source.kind` | `public`, `private`, `service`, `internal`, `other` |
//! | `sentrail.source.country` | of a public address: `DE` |
//! | `sentrail.source.network` | number of the network that announces it: `16509` |
//! | `sentrail.source.network-class` | `access`, `amazon`, `cloud`, `hosting`, `vpn`, `mobile`, `satellite`, `relay`, `education` |
//! | `sentrail.granted` | whom the call lets in by policies, ACLs and permissions, but the own account: account ids, `everybody`, `any-aws-account`, `organization:o-...` |
//! | `sentrail.granted-actions` | what the policies of the call allow somebody, as they write it: `s3:GetObject` |
//! | `sentrail.policy-admin` | `true` where a policy of the call allows every action on everything, or is one of AWS's own for administrators |
//! | `sentrail.open-providers` | OIDC providers of which some statement of a trust policy lets in everybody, as no condition names an owner: `gitlab.com` |
//! | `sentrail.foreign-accounts` | accounts in ARNs of the call's parameters and answer, but the own one |
//! | `sentrail.lists` | the user's lists that hold the source address, but the trusted ones; none where a trusted one holds it; of flows: any address |
//! | `sentrail.trusted-lists` | the user's trusted lists that hold the source address |
//! | `sentrail.decoys` | decoys of the configuration that the call names |
//! | `sentrail.own` | ARNs of what sentrail itself lives on, where the call does it harm: `sentrail-tampered-with` tells it |
//!
//! Of flows only `sentrail.lists` is known.

mod foreign;
mod identity;

use super::{
    matcher::Value,
    sigma::{FieldName, Logs},
    view::{Facet, Seen, View},
    walk::Path,
};
use crate::suggest::suggest;
use ingest::{Event, Raw, Text, flow};

/// Where the values of a field are.
#[derive(Debug, Clone)]
pub(crate) enum Field {
    /// A member of [`Event`] that holds one text.
    Text(Facet, TextOf),
    /// A path below a member of [`Event`].
    Nested(Facet, RawOf, Path),
    /// A path below a member that only the raw record has.
    Rare(&'static str, Path),
    /// What sentrail works out of a record.
    Derived(Derived),
    /// A column of flow logs.
    Flow(flow::Field),
    /// `sentrail.lists` of a flow.
    FlowLists,
}

type TextOf = for<'a> fn(&Event<'a>) -> Option<Text<'a>>;
type RawOf = for<'a> fn(&Event<'a>) -> Option<Raw<'a>>;

#[derive(Debug, Clone, Copy)]
enum Read {
    Text(TextOf),
    /// Holds others.
    Nested(RawOf),
    /// Only the raw record has it; holds others or does not.
    Rare(bool),
}

/// Fields of a record, as AWS documents them ("CloudTrail record contents"), and which part of the
/// record they belong to, but for [`MEMBERS`].
const RECORD: &[(&str, Facet, Read)] = &[
    ("eventVersion", Facet::Rest, Read::Rare(false)),
    ("userIdentity", Facet::Caller, Read::Nested(|event| event.identity)),
    ("eventTime", Facet::Rest, Read::Rare(false)),
    ("eventSource", Facet::Api, Read::Text(|event| Some(event.source))),
    ("eventName", Facet::Api, Read::Text(|event| Some(event.name))),
    ("awsRegion", Facet::Rest, Read::Text(|event| event.region)),
    ("sourceIPAddress", Facet::Address, Read::Text(|event| event.source_ip)),
    ("userAgent", Facet::Agent, Read::Text(|event| event.user_agent)),
    ("errorCode", Facet::Ending, Read::Text(|event| event.error_code)),
    ("requestID", Facet::Rest, Read::Text(|event| event.request_id)),
    ("eventID", Facet::Rest, Read::Text(|event| event.id)),
    ("readOnly", Facet::Api, Read::Text(read_only)),
    ("eventType", Facet::Ending, Read::Text(|event| event.event_type)),
    ("apiVersion", Facet::Rest, Read::Rare(false)),
    ("managementEvent", Facet::Rest, Read::Rare(false)),
    ("recipientAccountId", Facet::Caller, Read::Text(|event| event.recipient_account)),
    ("vpcEndpointAccountId", Facet::Rest, Read::Rare(false)),
    ("eventCategory", Facet::Rest, Read::Text(|event| event.category)),
    ("sessionCredentialFromConsole", Facet::Ending, Read::Text(from_console)),
    ("eventContext", Facet::Rest, Read::Rare(true)),
    ("edgeDeviceDetails", Facet::Rest, Read::Rare(true)),
];

macro_rules! members {
    ($($name:literal $read:ident $member:ident,)*) => {
        /// The fields of a record that many records lack.
        const MEMBERS: &[(&str, Facet, Read)] =
            &[$(($name, Facet::Member, Read::$read(|event| event.$member)),)*];

        /// Which of [`MEMBERS`] a record has, by bits.
        pub(super) fn members(event: &Event<'_>) -> u32 {
            // How a record ended takes five bits of the word besides.
            const { assert!(MEMBERS.len() <= 27) };
            let has = [$(event.$member.is_some()),*];
            has.into_iter().fold(0, |bits, has| bits << 1 | u32::from(has))
        }
    };
}

members! {
    "errorMessage" Text error_message,
    "requestParameters" Nested request,
    "responseElements" Nested response,
    "additionalEventData" Nested additional,
    "resources" Nested resources,
    "sharedEventID" Text shared_event_id,
    "serviceEventDetails" Nested service_details,
    "vpcEndpointId" Text vpc_endpoint,
    "addendum" Nested addendum,
    "tlsDetails" Nested tls,
}

/// All fields of a record.
fn record() -> impl Iterator<Item = &'static (&'static str, Facet, Read)> {
    RECORD.iter().chain(MEMBERS)
}

fn read_only<'a>(event: &Event<'a>) -> Option<Text<'a>> {
    event.read_only.map(truth)
}

fn from_console<'a>(event: &Event<'a>) -> Option<Text<'a>> {
    event.from_console.map(truth)
}

fn truth<'a>(is: bool) -> Text<'a> {
    Text(if is { "true" } else { "false" })
}

macro_rules! derived {
    ($($name:literal $variant:ident $facet:ident,)*) => {
        /// What sentrail works out of a record; the module's page says what each is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Derived {
            $($variant,)*
        }

        const DERIVED: &[(&str, Derived)] = &[$(($name, Derived::$variant),)*];

        impl Derived {
            /// The one of this name.
            pub(super) fn of(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }

            fn facet(self) -> Facet {
                match self { $(Self::$variant => Facet::$facet,)* }
            }
        }
    };
}

derived! {
    "sentrail.api" Api Api,
    "sentrail.caller.kind" CallerKind Caller,
    "sentrail.caller.invoked-by-service" InvokedByService Caller,
    "sentrail.outcome" Outcome Ending,
    "sentrail.denied" Denied Ending,
    "sentrail.source.kind" SourceKind Address,
    "sentrail.source.country" SourceCountry Address,
    "sentrail.source.network" SourceNetwork Address,
    "sentrail.source.network-class" SourceNetworkClass Address,
    "sentrail.granted" Granted Rest,
    "sentrail.granted-actions" GrantedActions Rest,
    "sentrail.policy-admin" PolicyAdmin Rest,
    "sentrail.open-providers" OpenProviders Rest,
    "sentrail.foreign-accounts" ForeignAccounts Rest,
    "sentrail.lists" Lists Address,
    "sentrail.trusted-lists" TrustedLists Address,
    "sentrail.decoys" Decoys Rest,
    "sentrail.own" Own Rest,
}

/// The names of the fields that sentrail works out of a record.
pub fn derived() -> impl Iterator<Item = &'static str> {
    DERIVED.iter().map(|(name, _)| *name)
}

const NAMESPACE: &str = "sentrail";

impl Field {
    /// The field of this name in logs of this kind; else what is wrong with the name.
    pub(crate) fn of(name: &FieldName, logs: Logs) -> Result<Self, String> {
        let first = name.path.first().map_or("", String::as_str);
        if first == NAMESPACE {
            return Self::derived(&name.to_string(), logs);
        }
        match logs {
            Logs::CloudTrail => Self::of_record(first, name),
            Logs::Flow => {
                let full = name.to_string();
                flow::Field::of(full.as_bytes()).map(Self::Flow).ok_or_else(|| {
                    let names = flow::Field::ALL.map(flow::Field::name);
                    format!("flow logs have no field `{full}`{}", suggestion(&full, names))
                })
            }
        }
    }

    fn of_record(first: &str, name: &FieldName) -> Result<Self, String> {
        let known = record().find(|(known, ..)| known.eq_ignore_ascii_case(first));
        let Some((known, facet, read)) = known else {
            let full = name.to_string();
            if let Some(meant) = foreign::meant(&full) {
                return Err(format!("CloudTrail records have no field `{full}`; write `{meant}`"));
            }
            let names = record().map(|(known, ..)| *known);
            return Err(format!(
                "CloudTrail records have no field `{first}`{}",
                suggestion(first, names)
            ));
        };
        if *known == "userIdentity" {
            identity::check(&name.path)?;
        }
        let path = Path::of(name.path.iter().skip(1).cloned().collect());
        match *read {
            Read::Nested(of) => Ok(Self::Nested(*facet, of, path)),
            Read::Rare(true) => Ok(Self::Rare(known, path)),
            _ if !path.is_empty() => {
                Err(format!("`{known}` holds no other fields, `{name}` is none"))
            }
            Read::Text(of) => Ok(Self::Text(*facet, of)),
            Read::Rare(false) => Ok(Self::Rare(known, path)),
        }
    }

    fn derived(name: &str, logs: Logs) -> Result<Self, String> {
        match (Derived::of(name), logs) {
            (Some(Derived::Lists), Logs::Flow) => Ok(Self::FlowLists),
            (Some(_), Logs::Flow) => {
                Err(format!("`{name}` is known of CloudTrail only (of flows: `sentrail.lists`)"))
            }
            (Some(derived), Logs::CloudTrail) => Ok(Self::Derived(derived)),
            (None, _) => {
                let names = DERIVED.iter().map(|(known, _)| *known);
                Err(format!("sentrail works out no field `{name}`{}", suggestion(name, names)))
            }
        }
    }

    /// The part of a record that decides its values.
    pub(crate) fn facet(&self) -> Facet {
        match self {
            Self::Text(facet, _) | Self::Nested(facet, ..) => *facet,
            Self::Derived(derived) => derived.facet(),
            Self::Flow(flow::Field::SrcPort) => Facet::SrcPort,
            Self::Flow(flow::Field::DstPort) => Facet::DstPort,
            Self::Rare(..) | Self::Flow(_) | Self::FlowLists => Facet::Rest,
        }
    }

    /// Whether it is known to have no value though its facet is not known: the record lacks the member,
    /// or the configuration holds nothing to find.
    pub(crate) fn is_void(&self, view: &View<'_>) -> bool {
        let names = view.names();
        let event = match view.seen() {
            Seen::Record(parts) if view.knows(Facet::Ending) => Some(parts.event),
            _ => None,
        };
        match self {
            Self::Text(Facet::Member, of) => event.is_some_and(|event| of(event).is_none()),
            Self::Nested(Facet::Member, of, _) => event.is_some_and(|event| of(event).is_none()),
            Self::FlowLists | Self::Derived(Derived::Lists) => names.lists.is_empty(),
            Self::Derived(Derived::Decoys) => names.decoys.is_empty(),
            _ => false,
        }
    }

    /// What it costs to ask, about: the cheapest first.
    pub(crate) fn cost(&self) -> u8 {
        match self {
            Self::Text(..) => 0,
            Self::Flow(field) => u8::from(field.kind() == flow::Kind::Address),
            Self::Derived(Derived::Outcome | Derived::Denied) => 1,
            Self::Derived(derived) if derived.facet() != Facet::Rest => 0,
            Self::Nested(_, _, path) => 2 + u8::from(path.is_empty()),
            Self::FlowLists => 2,
            Self::Rare(..) => 4,
            Self::Derived(_) => 5,
        }
    }

    /// Whether `is` holds for any of its values. An absent field and `null` have none.
    pub(crate) fn any(&self, view: &View<'_>, is: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        match (self, view.seen()) {
            (Self::Text(_, of), Seen::Record(parts)) => {
                of(parts.event).is_some_and(|text| is(Value::Json(text)))
            }
            (Self::Nested(_, of, path), Seen::Record(parts)) => {
                let Some(raw) = of(parts.event) else { return false };
                match view.members(parts, raw) {
                    Some(members) if !path.is_empty() => path.any_below(members, is),
                    _ => path.any(raw, is),
                }
            }
            (Self::Rare(name, path), Seen::Record(parts)) => {
                parts.event.raw.get(name).is_some_and(|raw| path.any(raw, is))
            }
            (Self::Derived(derived), Seen::Record(parts)) => derived.any(view, parts, is),
            (Self::Flow(field), Seen::Flow(row)) => row.value(*field).is_some_and(is),
            (Self::Flow(_), Seen::Port(port)) => port.is_some_and(|port| is(Value::Integer(port))),
            (Self::FlowLists, Seen::Flow(row)) => {
                let lists = &view.names().lists;
                row.addresses()
                    .any(|address| lists.holding(address).any(|name| is(Value::Plain(name))))
            }
            _ => false,
        }
    }
}

/// What is wrong with the name of a field in a sample of logs of this kind, where it must be AWS's own.
pub(crate) fn check_sample(name: &str, logs: Logs) -> Result<(), String> {
    let (of, names): (_, Vec<&str>) = match logs {
        Logs::CloudTrail => ("CloudTrail records", record().map(|(name, ..)| *name).collect()),
        Logs::Flow => ("flow logs", flow::Field::ALL.iter().map(|field| field.name()).collect()),
    };
    // Text writes `flow-direction`, Parquet `flow_direction`.
    let written = if logs == Logs::Flow { name.replace('-', "_") } else { name.to_owned() };
    if names.contains(&written.as_str()) {
        return Ok(());
    }
    Err(format!("{of} have no field `{name}`{}", suggestion(name, names)))
}

/// `; did you mean ...?` where one of `names` is written much like `name`.
pub(crate) fn suggestion<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    suggest(name, names).map_or_else(String::new, |known| format!("; did you mean `{known}`?"))
}

#[cfg(test)]
mod tests;

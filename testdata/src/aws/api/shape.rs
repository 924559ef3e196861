//! Templates of calls: JSON with places that are filled in, like `{"userName":"<user>"}`.

use std::fmt::Display;

use super::At;
use crate::aws::call::{Call, Kind, Transfer, s3_data};
use crate::clock::{DAY_S, HOUR_S, in_words, write_iso};
use crate::json::{Json, write_text};
use crate::rng::Rng;

/// A call whose parts are templates. An empty template is `null`, or nothing at all.
///
/// `<account>`, `<region>`, `<uuid>`, `<id>` and `<capitals>` (17 digits or letters), `<hex64>`, `<base64>`,
/// `<token>`, `<ms>`, `<s>`, `<iso>`, `<month>`, `<day>`, `<now>`, `<hour>` (in an hour), `<week>` (a
/// week ago) are known everywhere; all others are given by the caller. One that nobody gives is 1.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The service without `.amazonaws.com`.
    pub service: &'static str,
    /// `eventName`.
    pub name: &'static str,
    /// `requestParameters`.
    pub ask: &'static str,
    /// `responseElements`.
    pub answer: &'static str,
    /// `additionalEventData`.
    pub add: &'static str,
    /// One of `resources`.
    pub touch: &'static str,
    /// `serviceEventDetails`.
    pub details: &'static str,
}

/// What S3 answers about a bucket. Unit: bytes.
const ANSWER_BYTES: i64 = 356;

/// A name and what is put in its place.
pub type Filling<'a> = (&'static str, &'a dyn Display);

impl Shape {
    /// The call, with its places filled in.
    pub fn call(&self, at: At<'_>, fillings: &[Filling<'_>], rng: &mut Rng) -> Call {
        let region = at.region_of(self.service);
        let at = At { region, ..at };
        let mut call = Call::new(at.time_s, region, self.service, self.name);
        if is_data(self.service, self.name) {
            call.kind = Kind::Data;
        }
        if !self.details.is_empty() {
            call.kind = Kind::Service;
            call.details = Some(fill(self.details, at, fillings, rng));
        }
        call.api_version = api_version(self.service);
        call.request = fill(self.ask, at, fillings, rng);
        call.response = fill(self.answer, at, fillings, rng);
        if self.service == "s3" && !self.name.ends_with("Internal") {
            call.additional = Some(s3_data(Transfer::answer(ANSWER_BYTES), rng));
        }
        if !self.add.is_empty() {
            call.additional = Some(fill(self.add, at, fillings, rng));
        }
        if !self.touch.is_empty() {
            call.resources.push(fill(self.touch, at, fillings, rng));
        }
        call
    }
}

/// Calls that are data events.
fn is_data(service: &str, name: &str) -> bool {
    matches!(
        (service, name),
        ("lambda", "Invoke")
            | ("bedrock", "Retrieve")
            | (
                "dynamodb",
                "GetItem" | "PutItem" | "Query" | "Scan" | "BatchGetItem" | "DeleteItem"
            )
            | ("sqs", "SendMessage" | "ReceiveMessage" | "DeleteMessage")
            | ("sns", "Publish")
            | ("ssm", "OpenDataChannel")
    )
}

fn api_version(service: &str) -> Option<&'static str> {
    match service {
        "elasticloadbalancing" => Some("2015-12-01"),
        "logs" => Some("20140328"),
        "route53" => Some("2013-04-01"),
        _ => None,
    }
}

/// `template` with its places filled in.
pub fn fill(template: &'static str, at: At<'_>, fillings: &[Filling<'_>], rng: &mut Rng) -> Json {
    if template.is_empty() {
        return Json::Null;
    }
    if !template.contains('<') {
        return Json::Fixed(template);
    }
    let mut text = String::with_capacity(template.len() + 256);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('<') {
        let Some((name, next)) = after.split_once('>') else { break };
        text.push_str(before);
        match fillings.iter().find(|(given, _)| *given == name) {
            Some((_, value)) => write_inside(&value.to_string(), &mut text),
            None => write_known(name, at, rng, &mut text),
        }
        rest = next;
    }
    text.push_str(rest);
    Json::Shared(text.into())
}

/// Escaped as within a string; numbers stay as they are.
fn write_inside(value: &str, out: &mut String) {
    let mut quoted = String::with_capacity(value.len() + 2);
    write_text(value, &mut quoted);
    out.push_str(quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(""));
}

fn write_known(name: &str, at: At<'_>, rng: &mut Rng, out: &mut String) {
    let At { time_s, region, account } = at;
    match name {
        "account" => out.push_str(account),
        "region" => out.push_str(region),
        "uuid" => rng.write_uuid(out),
        "capitals" => rng.write_capitals(17, out),
        "id" => out.push_str(&rng.hex(17)),
        "hex64" => out.push_str(&rng.hex(64)),
        "base64" => out.push_str(&(rng.base64(43) + "=")),
        "token" => out.push_str(&(rng.base64(150) + "==")),
        "session-token" => {
            out.push_str("IQoJb3JpZ2luX2VjE");
            out.push_str(&rng.base64(620));
            out.push_str("==");
        }
        "key" => {
            out.push_str("ASIA");
            rng.write_capitals(16, out);
        }
        "ms" => out.push_str(&(time_s * 1_000).to_string()),
        "s" => out.push_str(&time_s.to_string()),
        "iso" => write_iso(time_s, out),
        "day" => write_iso(time_s - time_s.rem_euclid(DAY_S), out),
        "month" => write_iso(time_s - time_s.rem_euclid(DAY_S) - 30 * DAY_S, out),
        "now" => out.push_str(&in_words(time_s)),
        "hour" => out.push_str(&in_words(time_s + HOUR_S)),
        "week" => out.push_str(&in_words(time_s - 7 * DAY_S)),
        "removed" => out.push_str("<sensitiveDataRemoved>"),
        _ => out.push('1'),
    }
}

/// Functions that give calls, and `SHAPES`, all of their templates.
///
/// `delete_vpc(vpc) = "DeleteVpc", ask: "...", answer: "..."` becomes
/// `pub fn delete_vpc(at: At<'_>, vpc: impl Display, rng: &mut Rng) -> Call`.
#[macro_export]
macro_rules! calls {
    ($(
        $service:literal : $function:ident ( $($place:ident),* ) = $name:literal
        $(, $part:ident : $text:expr)* ;
    )*) => {
        $(
            #[doc = concat!("`", $service, ":", $name, "`")]
            pub fn $function(
                at: $crate::aws::api::At<'_>,
                $($place: impl std::fmt::Display,)*
                rng: &mut $crate::rng::Rng,
            ) -> $crate::aws::call::Call {
                const SHAPE: $crate::aws::api::Shape = $crate::aws::api::Shape {
                    $($part: $text,)*
                    ..$crate::aws::api::shape::plain($service, $name)
                };
                SHAPE.call(at, &[$((stringify!($place), &$place)),*], rng)
            }
        )*

        /// Every template of this module.
        pub const SHAPES: &[&$crate::aws::api::Shape] = &[$(
            &$crate::aws::api::Shape {
                $($part: $text,)*
                ..$crate::aws::api::shape::plain($service, $name)
            },
        )*];
    };
}

/// A call without parameters or answer.
pub const fn plain(service: &'static str, name: &'static str) -> Shape {
    Shape { service, name, ask: "", answer: "", add: "", touch: "", details: "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: At<'_> = At { time_s: 0, region: "eu-west-1", account: "111122223333" };

    #[test]
    fn places_are_filled_and_escaped() {
        let mut rng = Rng::new(1);
        let template = r#"{"a":"<name>","n":<size>,"r":"<region>","unknown":"<nobody>"}"#;
        let filled = fill(template, AT, &[("name", &"a\"b"), ("size", &12)], &mut rng);
        assert_eq!(filled.line(), r#"{"a":"a\"b","n":12,"r":"eu-west-1","unknown":"1"}"#);
        assert_eq!(fill("{}", AT, &[], &mut rng), Json::Fixed("{}"));
        assert_eq!(fill("", AT, &[], &mut rng), Json::Null);
    }
}

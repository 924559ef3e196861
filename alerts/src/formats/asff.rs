//! AWS Security Finding Format, one finding a line: what Security Hub takes of `BatchImportFindings`. What a terminal
//! would obey is escaped, since its texts are of one line; what is longer than it may be is cut.

use super::{
    json::{leave_out_unknown, write_json},
    taxonomy::{self, Where},
};
use crate::{
    escape,
    report::{Inputs, Report},
    sinks::InSeries,
};
use detect::{Finding, Severity};
use ingest::time::format_ms;
use serde_json::{Map, Value, json};
use std::{
    io::{self, Write},
    net::IpAddr,
};

/// Security Hub takes 240 KB. Unit: bytes.
const FINDING_BYTES_MAX: usize = 240_000;
/// Whoever sends a finding may add so much to it. Unit: bytes.
pub(crate) const FILED_BYTES_MAX: usize = 1_000;
/// Unit: characters, as UTF-16 counts them: of all ways to count, none finds more in a text.
const ID_CHARS_MAX: usize = 512;
/// Unit: characters.
const TITLE_CHARS_MAX: usize = 256;
/// Unit: characters.
const DESCRIPTION_CHARS_MAX: usize = 1_024;
/// Unit: characters.
const RECOMMENDATION_CHARS_MAX: usize = 512;
/// Of a value of `ProductFields`. Unit: characters.
const VALUE_CHARS_MAX: usize = 2_048;
/// The same where the finding would be too large: it never is with these. Unit: characters.
const VALUE_CHARS_CUT: usize = 500;
/// Parts of the score that are named, of which each takes one of the 50 pairs of `ProductFields`. Unit: parts.
const PARTS_MAX: usize = 20;
/// Event ids that are named. Unit: ids.
const IDS_MAX: usize = 20;
/// Unit: resources.
const RESOURCES_MAX: usize = 32;
/// What stands in place of an account that is none: Security Hub asks for 12 digits, and no account has these.
pub(crate) const NO_ACCOUNT: &str = "000000000000";

pub(super) fn write(
    out: &mut impl Write,
    finding: &Finding,
    report: &Report<'_>,
) -> io::Result<()> {
    let of = |value_chars_max| document(finding, report, value_chars_max);
    out.write_all(&fitting(of, FINDING_BYTES_MAX)?)
}

/// A series as one finding: what was found last of it, under the id that it opened with, as severe as any of it was
/// and seen as long as it was seen. Whoever sends it adds `CreatedAt` and `UpdatedAt`, and files it anew.
pub(crate) fn of_series(finding: &Finding, inputs: &Inputs, series: Option<InSeries>) -> String {
    let report = Report::new(finding, inputs);
    let of = |value_chars_max| {
        let mut document = document(finding, &report, value_chars_max);
        if let Some(fields) = document.as_object_mut() {
            fields.retain(|name, _| !["CreatedAt", "UpdatedAt"].contains(&&**name));
        }
        if let Some(Value::Object(fields)) = document.get_mut("ProductFields") {
            // `Id` is that of another one as soon as the series goes on.
            fields.insert("sentrail/finding".to_owned(), report.id.clone().into());
        }
        let Some(InSeries { opened, severity, times_ms: (first, last), .. }) = series else {
            return document;
        };
        for (place, value) in [
            ("/Id", opened.to_string()),
            ("/FirstObservedAt", format_ms(first)),
            ("/LastObservedAt", format_ms(last)),
            ("/FindingProviderFields/Severity/Label", label(severity).to_owned()),
        ] {
            if let Some(old) = document.pointer_mut(place) {
                *old = value.into();
            }
        }
        let of_provider = document.pointer_mut("/FindingProviderFields/Severity");
        if let Some(Value::Object(fields)) = of_provider.filter(|_| severity != finding.severity) {
            // The score of a finding that is less severe than its series.
            fields.remove("Original");
        }
        document
    };
    // A finding always has a JSON form, and that is UTF-8.
    let bytes = fitting(of, FINDING_BYTES_MAX - FILED_BYTES_MAX).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

/// A document in less than so many bytes.
fn fitting(of: impl Fn(usize) -> Value, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write_json(&mut bytes, &of(VALUE_CHARS_MAX))?;
    if bytes.len() >= bytes_max {
        bytes.clear();
        write_json(&mut bytes, &of(VALUE_CHARS_CUT))?;
    }
    Ok(bytes)
}

fn document(finding: &Finding, report: &Report<'_>, value_chars_max: usize) -> Value {
    let at = Where::of(report);
    let (region, account) = (at.region_or_first(), at.account.unwrap_or(NO_ACCOUNT));
    let mut document = json!({
        "SchemaVersion": "2018-10-08",
        "Id": report.id,
        "ProductArn": format!(
            "arn:{}:securityhub:{region}:{account}:product/{account}/default", at.partition
        ),
        "CompanyName": "sentrail",
        "ProductName": "sentrail",
        "GeneratorId": text(report.detector, ID_CHARS_MAX),
        "AwsAccountId": account,
        "CreatedAt": report.last_seen,
        "UpdatedAt": report.last_seen,
        "FirstObservedAt": report.first_seen,
        "LastObservedAt": report.last_seen,
        "Title": text(report.title, TITLE_CHARS_MAX),
        "Description": text(&report.summary, DESCRIPTION_CHARS_MAX),
        "FindingProviderFields": {
            "Confidence": report.confidence.score(),
            "Severity": {
                "Label": label(finding.severity),
                "Original": format!("{:.1}", report.severity.score),
            },
            "Types": taxonomy::types(finding)
                .iter().map(|path| text(path, ID_CHARS_MAX)).collect::<Vec<_>>(),
        },
        "ProductFields": product_fields(report, value_chars_max),
        "Resources": resources(finding, report, &at),
        "RecordState": "ACTIVE",
        "Remediation": (!report.what_to_do.trim().is_empty()).then(|| json!({
            "Recommendation": {"Text": text(&report.what_to_do, RECOMMENDATION_CHARS_MAX)},
        })),
        "Action": action(finding),
    });
    leave_out_unknown(&mut document);
    document
}

fn label(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "LOW",
        Severity::Medium => "MEDIUM",
        Severity::High => "HIGH",
        Severity::Critical => "CRITICAL",
    }
}

/// What ASFF has no field for, under names of the program's own.
fn product_fields(report: &Report<'_>, value_chars_max: usize) -> Map<String, Value> {
    let some = |text: &str| text.to_owned();
    let flow = report.flow.as_ref();
    let ports = flow.map_or(&[][..], |flow| flow.ports).iter().map(u16::to_string);
    let ids: Vec<_> = report.event_ids.iter().take(IDS_MAX).cloned().collect();
    let pairs = [
        ("account", some(report.account)),
        ("account-name", some(report.account_name.unwrap_or_default())),
        ("entity", some(report.entity.key)),
        ("entity-kind", some(report.entity.kind)),
        ("day", report.day.clone()),
        ("bits", format!("{:.2}", report.bits)),
        (
            "threshold-bits",
            report.threshold.as_ref().map_or_else(String::new, |of| format!("{:.2}", of.bits)),
        ),
        ("impact", some(report.impact)),
        ("mitre-techniques", report.techniques.join(", ")),
        ("guardduty-type", some(report.guardduty.unwrap_or_default())),
        ("confidence", format!("{}: {}", report.confidence.level, report.confidence.note)),
        ("cannot-tell", report.cannot_tell.clone()),
        ("hours", report.hours.to_string()),
        ("records", report.count.to_string()),
        ("event-ids", ids.join(", ")),
        ("apis", report.apis.values.join(", ")),
        ("addresses", report.addresses.values.join(", ")),
        ("regions", report.regions.values.join(", ")),
        ("actors", report.actors.values.join(", ")),
        ("targets", report.targets.join(", ")),
        ("peers", flow.map_or(&[][..], |flow| flow.peers).join(", ")),
        ("ports", ports.collect::<Vec<_>>().join(", ")),
        ("program-version", report.inputs.program_version.clone()),
        ("config-hash", report.inputs.config_hash.clone()),
    ];
    let parts = (1..).zip(report.parts.iter().take(PARTS_MAX)).map(|(n, part)| {
        let (dimension, bits) = (part.dimension, part.bits);
        let said = format!("{dimension}, {bits:.2} bits: {}; usual: {}", part.observed, part.usual);
        (format!("part-{n}"), said)
    });
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .chain(parts)
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, value)| (format!("sentrail/{name}"), text(&value, value_chars_max).into()))
        .collect()
}

fn resources(finding: &Finding, report: &Report<'_>, at: &Where<'_>) -> Vec<Value> {
    let things = taxonomy::things(finding, report, at);
    // What keys did to keys is told of both, and each is there once.
    let is_new = |key: &&&str| {
        let id = taxonomy::access_key(key);
        !key.trim().is_empty() && things.iter().all(|thing| thing.id != id)
    };
    let keys = report.access_keys.values.iter().filter(is_new).map(|key| {
        let details = json!({"AwsIamAccessKey": {
            "AccessKeyId": text(key, ID_CHARS_MAX),
            "PrincipalName": text(&report.entity.name, ID_CHARS_MAX),
        }});
        ("AwsIamAccessKey", taxonomy::access_key(key), Some(details))
    });
    let things = things.iter().map(|thing| (thing.kind, thing.id.clone(), None));
    let resources = things.chain(keys).take(RESOURCES_MAX).map(|(kind, id, details)| {
        json!({
            "Type": kind,
            "Id": text(&id, ID_CHARS_MAX),
            "Partition": at.partition,
            "Region": at.region,
            "Details": details,
        })
    });
    resources.collect()
}

/// The call of the first record, and when of the records that were kept it was the first and the last time.
fn action(finding: &Finding) -> Option<Value> {
    let call = &finding.records.first()?.call;
    let (service, api) = call
        .api
        .split_once(':')
        .filter(|(service, api)| !service.trim().is_empty() && !api.trim().is_empty())?;
    let mut times = finding.records.iter().filter(|record| record.call.api == call.api);
    let first = times.clone().next()?.time_ms;
    let last = times.next_back()?.time_ms;
    let address = call.address.as_deref().filter(|address| !address.trim().is_empty());
    let ip = address.and_then(|address| address.parse::<IpAddr>().ok());
    let domain = address.filter(|_| ip.is_none());
    // There is no field for an address of IPv6; it stands among the addresses of `ProductFields`.
    let ip_v4 = ip.filter(IpAddr::is_ipv4);
    let action = json!({
        "Api": text(api, ID_CHARS_MAX),
        "ServiceName": text(&format!("{service}.amazonaws.com"), ID_CHARS_MAX),
        "CallerType": address.map(|_| if ip.is_some() { "remoteip" } else { "domain" }),
        "RemoteIpDetails": ip_v4.map(|ip| json!({"IpAddressV4": ip.to_string()})),
        "DomainDetails": domain.map(|name| json!({"Domain": text(name, ID_CHARS_MAX)})),
        "FirstSeen": format_ms(first),
        "LastSeen": format_ms(last),
    });
    Some(json!({"ActionType": "AWS_API_CALL", "AwsApiCallAction": action}))
}

/// `text` in one line of at most `chars_max` characters and never blank, which no text of ASFF may be.
fn text(text: &str, chars_max: usize) -> String {
    const DOTS: &str = "...";
    let text = escape(text);
    if text.trim().is_empty() {
        return "-".to_owned();
    }
    if text.encode_utf16().count() <= chars_max {
        return text.into_owned();
    }
    let mut n_left = chars_max.saturating_sub(DOTS.len());
    let fitting = text.chars().take_while(|c| {
        let fits = c.len_utf16() <= n_left;
        n_left = n_left.saturating_sub(c.len_utf16());
        fits
    });
    fitting.chain(DOTS.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn texts_are_cut_between_characters_and_never_blank() {
        for (long, chars_max, cut) in [
            ("abcdef", 6, "abcdef"),
            ("abcdefg", 6, "abc..."),
            ("\u{1f511}\u{1f511}\u{1f511}", 6, "\u{1f511}\u{1f511}\u{1f511}"),
            // The second of two units that a key takes would be one too many.
            ("a\u{1f511}\u{1f511}\u{1f511}", 6, "a\u{1f511}..."),
            ("\u{1f511}\u{1f511}\u{1f511}x", 6, "\u{1f511}..."),
            ("", 6, "-"),
            (" \t ", 20, " \\t "),
            ("   ", 6, "-"),
            ("a\nb", 6, "a\\nb"),
        ] {
            assert_eq!(text(long, chars_max), cut, "{long:?}");
        }
    }
}

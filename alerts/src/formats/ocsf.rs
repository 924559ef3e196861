//! Detection Finding of OCSF 1.8, one a line. Times are milliseconds. Of access keys the last four characters are
//! written: unlike the other forms this one is made for stores that many read.

use super::{
    json::{leave_out_unknown, write_json},
    taxonomy::{self, Analytic, Where},
};
use crate::{
    Inputs,
    report::{PartReport, Report},
};
use baseline::{Evidence, Kind};
use detect::{Finding, Severity};
use ingest::time::format_ms;
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    net::IpAddr,
};

/// Records that are shown as evidence, the first. Unit: records.
const EVIDENCES_MAX: usize = 10;

/// Values of `status_id`.
const NEW: u8 = 1;
const SUPPRESSED: u8 = 3;

/// Kinds of observables.
mod observable {
    pub(super) const IP_ADDRESS: u8 = 2;
    pub(super) const USER_NAME: u8 = 4;
    pub(super) const RESOURCE_UID: u8 = 10;
    pub(super) const PORT: u8 = 11;
    pub(super) const CREDENTIAL_UID: u8 = 19;
    pub(super) const USER_UID: u8 = 31;
    pub(super) const ACCOUNT_UID: u8 = 35;
}

/// Values of `activity_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    Create = 1,
    Update = 2,
}

pub(super) fn write(
    out: &mut impl Write,
    finding: &Finding,
    report: &Report<'_>,
) -> io::Result<()> {
    write_as(Activity::Create, out, (finding, report))
}

/// A line without its end.
pub(crate) fn line(activity: Activity, (finding, inputs): (&Finding, &Inputs)) -> String {
    let mut bytes = Vec::new();
    // Memory takes all that is written, and JSON is UTF-8.
    drop(write_as(activity, &mut bytes, (finding, &Report::new(finding, inputs))));
    String::from_utf8(bytes).unwrap_or_default()
}

fn write_as(
    activity: Activity,
    out: &mut impl Write,
    (finding, report): (&Finding, &Report<'_>),
) -> io::Result<()> {
    let mut document = document(finding, report);
    if let Some(fields) = document.as_object_mut() {
        fields.insert("activity_id".to_owned(), json!(activity as u8));
        fields.insert("type_uid".to_owned(), json!(200_400 + activity as u32));
    }
    leave_out_unknown(&mut document);
    hide_keys(&mut document);
    write_json(out, &document)
}

fn document(finding: &Finding, report: &Report<'_>) -> Value {
    let at = Where::of(report);
    let things = taxonomy::things(finding, report, &at);
    json!({
        "class_uid": 2004,
        "category_uid": 2,
        "time": finding.times_ms.1,
        "severity_id": severity_id(finding.severity),
        "status_id": if report.suppressed.is_some() { SUPPRESSED } else { NEW },
        "confidence_id": report.confidence.step(),
        "confidence_score": report.confidence.score(),
        "risk_score": of_hundred(report.severity.score),
        "message": report.summary,
        "count": report.count,
        "metadata": {
            "version": "1.8.0",
            "profiles": ["cloud"],
            "uid": report.id,
            "product": {
                "name": "sentrail",
                "vendor_name": "sentrail",
                "version": report.inputs.program_version,
            },
        },
        "cloud": {
            "provider": "AWS",
            "region": at.region,
            "account": at.account.map(|uid| json!({"uid": uid, "name": report.account_name, "type_id": 10})),
        },
        "finding_info": finding_info(finding, report),
        "resources": things.iter().map(|thing| json!({
            "uid": thing.id,
            "type": thing.kind,
            "cloud_partition": at.partition,
            "region": at.region,
        })).collect::<Vec<_>>(),
        "evidences": evidences(finding, report),
        "observables": observables(report, &things),
        "anomaly_analyses": anomaly_analyses(report),
        "remediation": said(&report.what_to_do).map(|desc| json!({"desc": desc})),
        "unmapped": {
            "account": report.account,
            "entity_kind": report.entity.kind,
            "day": report.day,
            "hours": report.hours,
            "bits": report.bits,
            "threshold": report.threshold,
            "parts": report.parts.iter().map(|part| json!({
                "dimension": part.dimension, "bits": part.bits,
            })).collect::<Vec<_>>(),
            "impact": report.impact,
            "guardduty": report.guardduty,
            "confidence": report.confidence.note,
            "cannot_tell": report.cannot_tell,
            "targets": report.targets,
            "config_hash": report.inputs.config_hash,
        },
    })
}

fn severity_id(severity: Severity) -> u8 {
    match severity {
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

/// A score of 1.0 to 10.0 as one of 10 to 100.
fn of_hundred(score: f64) -> Option<u8> {
    format!("{:.0}", score * 10.0).parse().ok()
}

fn finding_info(finding: &Finding, report: &Report<'_>) -> Value {
    let (first_ms, last_ms) = finding.times_ms;
    let analytic = match Analytic::of(finding) {
        Analytic::Rule => 1,
        Analytic::Behavioural => 2,
        Analytic::Statistical => 3,
    };
    let logs =
        [(!finding.records.is_empty(), "CloudTrail"), (report.flow.is_some(), "VPC Flow Logs")];
    let logs: Vec<_> = logs.into_iter().filter_map(|(is_of, log)| is_of.then_some(log)).collect();
    json!({
        "uid": report.id,
        "title": report.title,
        "desc": report.summary,
        "types": taxonomy::types(finding),
        "analytic": {
            "uid": report.detector,
            "name": report.title,
            "type_id": analytic,
            "version": report.inputs.program_version,
        },
        "attacks": attacks(finding),
        "first_seen_time": first_ms,
        "last_seen_time": last_ms,
        "created_time": last_ms,
        "data_sources": logs,
    })
}

/// The tactic is that of what the calls can do, and techniques have several: so each stands for itself.
fn attacks(finding: &Finding) -> Vec<Value> {
    let about = &finding.about;
    let tactic = taxonomy::tactic(about.impact);
    let tactic = tactic.map(|(uid, name)| json!({"tactic": {"uid": uid, "name": name}}));
    let techniques =
        about.techniques.iter().filter_map(|id| said(id)).map(|id| match id.split_once('.') {
            Some((whole, _)) => json!({"technique": {"uid": whole}, "sub_technique": {"uid": id}}),
            None => json!({"technique": {"uid": id}}),
        });
    tactic.into_iter().chain(techniques).collect()
}

fn evidences(finding: &Finding, report: &Report<'_>) -> Vec<Value> {
    let records = finding.records.iter().take(EVIDENCES_MAX);
    let records = records.map(|record| evidence(record, finding, report));
    // Which side called is not told of all flows, so they have no endpoints.
    let flow = report.flow.as_ref().map(|flow| {
        json!({"data": {"interface": flow.interface, "peers": flow.peers, "ports": flow.ports}})
    });
    records.chain(flow).collect()
}

fn evidence(record: &Evidence, finding: &Finding, report: &Report<'_>) -> Value {
    let call = &record.call;
    let (service, operation) = call.api.split_once(':').unwrap_or(("", &call.api));
    let key = call.access_key.as_deref().and_then(said).map(last_four);
    let is_caller = !matches!(finding.entity.kind, Kind::Source | Kind::Account);
    let uid = call.actor.as_deref().and_then(said);
    let uid = uid.or_else(|| said(report.entity.key).filter(|_| is_caller));
    let name = said(&report.entity.name).filter(|_| is_caller);
    // A key alone is no user.
    let is_known = uid.is_some() || name.is_some();
    let user = is_known.then(|| json!({"uid": uid, "name": name, "credential_uid": key}));
    let address = call.address.as_deref().and_then(said);
    let endpoint = address.map(|address| match address.parse::<IpAddr>() {
        Ok(_) => json!({"ip": address}),
        Err(_) => json!({"svc_name": address}),
    });
    json!({
        "uid": said(&record.id.to_string()),
        "api": said(operation).map(|operation| json!({
            "operation": operation,
            "service": said(service).map(|name| json!({"name": format!("{name}.amazonaws.com")})),
        })),
        "actor": user.map(|user| json!({"user": user})),
        "src_endpoint": endpoint,
        "data": {
            "event_time": format_ms(record.time_ms),
            "region": call.region,
        },
    })
}

fn observables(report: &Report<'_>, things: &[taxonomy::Thing]) -> Vec<Value> {
    let observed = |name: &'static str, type_id: u8| {
        move |value: &str| {
            said(value).map(|value| json!({"name": name, "type_id": type_id, "value": value}))
        }
    };
    let addresses = report.addresses.values.iter().copied();
    let peers = report.flow.iter().flat_map(|flow| flow.peers).map(String::as_str);
    let is_ip = |text: &&str| text.parse::<IpAddr>().is_ok();
    let ip = observed("evidences.src_endpoint.ip", observable::IP_ADDRESS);
    let peer = observed("evidences.data.peers", observable::IP_ADDRESS);
    let port = observed("evidences.data.ports", observable::PORT);
    let ports = report.flow.iter().flat_map(|flow| flow.ports);
    let user = observed("evidences.actor.user.uid", observable::USER_UID);
    let name = observed("evidences.actor.user.name", observable::USER_NAME);
    let key = observed("evidences.actor.user.credential_uid", observable::CREDENTIAL_UID);
    let account = observed("cloud.account.uid", observable::ACCOUNT_UID);
    let resource = observed("resources.uid", observable::RESOURCE_UID);
    let is_user = !matches!(report.entity.kind, "interface" | "source" | "account");
    let all = addresses
        .filter(is_ip)
        .map(ip)
        .chain(peers.filter(is_ip).map(peer))
        .chain(ports.map(|number| port(&number.to_string())))
        .chain(report.actors.values.iter().copied().map(user))
        .chain(is_user.then(|| name(&report.entity.name)))
        .chain(report.access_keys.values.iter().copied().map(|text| key(&last_four(text))))
        .chain([account(report.account)])
        .chain(things.iter().map(|thing| resource(&thing.id)));
    all.flatten().collect()
}

/// Where the bits come from: each part is an anomaly, and what it was compared with a baseline.
fn anomaly_analyses(report: &Report<'_>) -> Option<Value> {
    let shape = |part: &PartReport<'_>, value: &str, pattern: Option<&'static str>| {
        json!({
            "observation_parameter": part.dimension,
            "observations": [{"value": value}],
            "observed_pattern": pattern,
        })
    };
    let anomalies = report
        .parts
        .iter()
        .filter_map(|part| Some(shape(part, said(part.observed)?, pattern(part))));
    let baselines =
        report.parts.iter().filter_map(|part| Some(shape(part, said(part.usual)?, None)));
    let anomalies: Vec<_> = anomalies.collect();
    let target = said(&report.entity.name).unwrap_or(report.entity.kind);
    (!anomalies.is_empty()).then(|| {
        json!([{
            "analysis_targets": [{"name": target, "type": report.entity.kind}],
            "anomalies": anomalies,
            "baselines": baselines.collect::<Vec<_>>(),
        }])
    })
}

/// The word for a part that carries bits, where one fits.
fn pattern(part: &PartReport<'_>) -> Option<&'static str> {
    const FREQUENCIES: [&str; 4] = ["UNSEEN", "RARE", "INFREQUENT", "FREQUENT"];
    if part.bits <= 0.0 {
        return None;
    }
    let observed = part.observed;
    if observed.starts_with("new: ") {
        return Some("UNSEEN");
    }
    if observed.starts_with("rare: ") {
        // How often it is seen stands behind the value, which somebody else has chosen.
        let often = observed.rsplit_once(" (").map_or("", |(_, often)| often);
        return FREQUENCIES.into_iter().find(|word| often.starts_with(word)).or(Some("RARE"));
    }
    let is_known = part.usual != "not known yet";
    let is_unseen = part.usual.starts_with("none") || part.usual.contains(", none in ");
    if observed == "an hour with any" {
        return is_known.then_some(if is_unseen { "UNSEEN" } else { "INFREQUENT" });
    }
    (is_known && observed.ends_with(" in 60 minutes")).then_some("HIGH_VOLUME")
}

/// `text`, if it says anything.
fn said(text: &str) -> Option<&str> {
    (!text.trim().is_empty()).then_some(text)
}

/// An access key by its last four characters.
fn last_four(key: &str) -> String {
    let n_hidden = key.chars().count().saturating_sub(4);
    "*".repeat(n_hidden.clamp(4, 16)).chars().chain(key.chars().skip(n_hidden)).collect()
}

/// Leaves of access keys the last four characters, wherever they stand.
fn hide_keys(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(hide_keys),
        Value::Array(values) => values.iter_mut().for_each(hide_keys),
        Value::String(text) => {
            if let Some(hidden) = without_keys(text) {
                *text = hidden;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// `text` with the last four characters of each access key that it holds, if it holds any.
fn without_keys(text: &str) -> Option<String> {
    let is_around = |c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit();
    if !text.split(is_around).any(taxonomy::is_access_key) {
        return None;
    }
    let pieces = text.split_inclusive(is_around).map(|piece| {
        let word = piece.trim_end_matches(is_around);
        let rest = piece.strip_prefix(word).unwrap_or_default();
        if taxonomy::is_access_key(word) { last_four(word) + rest } else { piece.to_owned() }
    });
    Some(pieces.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hidden_wherever_they_stand() {
        assert_eq!(last_four("ASIAIOSFODNN7EXAMPLE"), "****************MPLE");
        assert_eq!(last_four("abc"), "****abc");
        let hidden = without_keys("used ASIAIOSFODNN7EXAMPLE, (AKIAIOSFODNN7EXAMPLE)!");
        let expected = "used ****************MPLE, (****************MPLE)!";
        assert_eq!(hidden.as_deref(), Some(expected));
        assert_eq!(without_keys("an ASIA of AKIA or AROAIOSFODNN7EXAMPLE"), None);
    }

    #[test]
    fn parts_have_the_word_that_fits() {
        let check = |bits: f64, observed: &str, usual: &str, word: Option<&str>| {
            let part = PartReport { dimension: "api", bits, observed, usual };
            assert_eq!(pattern(&part), word, "{observed}");
        };
        let usual = "0.29 new in an hour; known are AS8075";
        check(16.3, "new: AS47890 (UNSEEN by it), and 3 more", usual, Some("UNSEEN"));
        check(0.0, "new: AS47890 (UNSEEN by it)", usual, None);
        check(8.0, "rare: a (FREQUENT by it) (INFREQUENT by it)", "b", Some("INFREQUENT"));
        check(8.0, "rare: s3:PutObject", "b", Some("RARE"));
        let hours = "of itself not known yet, none in its group's 46 active hours";
        check(5.0, "an hour with any", hours, Some("UNSEEN"));
        check(5.0, "an hour with any", "none in its 12 active hours", Some("UNSEEN"));
        check(2.0, "an hour with any", "2.0 in an hour with any", Some("INFREQUENT"));
        check(5.0, "an hour with any", "not known yet", None);
        check(7.0, "17 in 60 minutes", "none in its 12 active hours", Some("HIGH_VOLUME"));
        check(7.0, "17 in 60 minutes", "not known yet", None);
        check(16.0, "4 matches in the hour", "not known yet", None);
    }
}

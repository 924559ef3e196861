//! Findings as rows and back: what one function writes the one below it reads.

use super::{KeptMark, Run};
use crate::{Account, Accounts, Grounds, Inputs, name::readable, parse_day};
use baseline::{
    Bits, Call, Day, Dimension, Entity, EventId, Evidence, Impact, Kind, Part, stable_hash,
};
use detect::{About, Bound, Finding, FindingId, FlowSeen, Mark, Nature, Severity, Threshold};
use ingest::time::{format_ms, parse_ms};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value as Json};
use std::sync::Arc;
use store::{Row, Value, WrongValue};

pub(super) const RUN: [&str; 6] = [
    "program_version",
    "config_hash",
    "country_table_date",
    "network_table_date",
    "city_table",
    "command",
];

pub(super) fn of_run(run: &Run) -> Vec<Value> {
    let Inputs { program_version, config_hash, .. } = &run.inputs;
    let Inputs { country_table_date, network_table_date, city_table, .. } = &run.inputs;
    vec![
        text(program_version),
        text(config_hash),
        maybe(country_table_date.as_ref()),
        maybe(network_table_date.as_ref()),
        maybe(city_table.as_ref()),
        json(&run.command),
    ]
}

pub(super) fn run(row: &mut Row) -> Result<Run, WrongValue> {
    let inputs = Inputs {
        program_version: row.text()?,
        config_hash: row.text()?,
        country_table_date: row.maybe_text()?,
        network_table_date: row.maybe_text()?,
        city_table: row.maybe_text()?,
        accounts: Arc::default(),
    };
    Ok(Run { inputs, command: parsed(&row.text()?)? })
}

pub(super) const DETECTOR: [&str; 8] =
    ["detector", "title", "severity", "impact", "techniques", "guardduty", "page", "settings"];

pub(super) fn of_about(about: &About, settings: &Map<String, Json>) -> Vec<Value> {
    vec![
        text(&about.id),
        text(&about.title),
        text(about.severity.label()),
        text(about.impact.name()),
        json(&about.techniques),
        maybe(about.guardduty.as_ref()),
        text(&about.page),
        json(settings),
    ]
}

/// What a detector said of itself, and its settings.
pub(super) fn about(row: &mut Row) -> Result<(About, Map<String, Json>), WrongValue> {
    let about = About {
        id: row.text()?,
        // Who looks at what was kept asks for ids.
        uuid: None,
        title: row.text()?,
        severity: severity(&row.text()?)?,
        impact: named(Impact::ALL, Impact::name, &row.text()?, "impact")?,
        techniques: parsed(&row.text()?)?,
        guardduty: row.maybe_text()?,
        page: row.text()?,
    };
    Ok((about, parsed(&row.text()?)?))
}

pub(super) const FINDING: [&str; 24] = [
    "id",
    "detector",
    "day",
    "severity",
    "score",
    "account",
    "entity_kind",
    "entity_key",
    "entity_name",
    "first_seen",
    "last_seen",
    "count",
    "bits",
    "summary",
    "hours",
    "own_days",
    "group_days",
    "targets",
    "flow",
    "news",
    "threshold",
    "bound",
    "suppressed",
    "account_said",
];

pub(super) fn of_finding(
    finding: &Finding,
    suppressed: Option<&Grounds>,
    accounts: &Accounts,
) -> Vec<Value> {
    let Finding { about, entity, .. } = finding;
    let (own_days, group_days) = finding.history_days;
    let flow = finding.flow.as_ref().map(|flow| Flow {
        interface: flow.interface.clone(),
        peers: flow.peers.clone(),
        ports: flow.ports.clone(),
        has_all_peers: flow.has_all_peers,
    });
    let news = finding.news.iter().map(|(dimension, value)| (dimension.name(), value));
    let news: Vec<_> = news.collect();
    vec![
        text(&finding.id.to_string()),
        text(&about.id),
        text(&of_day(finding.day)),
        text(finding.severity.label()),
        Value::Real(finding.severity.score(finding.bits())),
        text(&entity.account),
        text(entity.kind.name()),
        text(&entity.key),
        text(&readable(entity)),
        text(&of_time(finding.times_ms.0)),
        text(&of_time(finding.times_ms.1)),
        count(finding.count),
        Value::Real(finding.bits().as_f64()),
        text(&finding.summary),
        Value::Integer(finding.n_hours.into()),
        Value::Integer(own_days.into()),
        Value::Integer(group_days.into()),
        json(&finding.targets),
        flow.map_or(Value::Null, |flow| json(&flow)),
        if news.is_empty() { Value::Null } else { json(&news) },
        finding.threshold.map_or(Value::Null, |threshold| Value::Real(threshold.bits)),
        maybe(finding.threshold.map(|threshold| threshold.bound.name()).as_ref()),
        suppressed.map_or(Value::Null, json),
        accounts.get(&entity.account).map_or(Value::Null, json),
    ]
}

/// A finding without its parts and records, which `about` made.
pub(super) fn finding(row: &mut Row, about: About) -> Result<Finding, WrongValue> {
    let id = id(&row.text()?)?;
    // The id of the detector, which stands in `about`.
    row.text()?;
    let day = day(&row.text()?)?;
    let severity = severity(&row.text()?)?;
    // What follows from the rest is there for those who ask in SQL: here, the score.
    row.real()?;
    let entity = Entity {
        account: row.text()?.into(),
        kind: named(Kind::ALL, Kind::name, &row.text()?, "kind of entity")?,
        key: row.text()?.into(),
    };
    row.text()?;
    let times_ms = (time(&row.text()?)?, time(&row.text()?)?);
    let count = row.count()?;
    row.real()?;
    Ok(Finding {
        id,
        about: Arc::new(about),
        entity,
        day,
        severity,
        parts: Vec::new(),
        summary: row.text()?,
        times_ms,
        count,
        n_hours: small(row)?,
        records: Vec::new(),
        history_days: (small(row)?, small(row)?),
        targets: parsed(&row.text()?)?,
        flow: row.maybe_text()?.map(|flow| flow_seen(&flow)).transpose()?,
        news: row.maybe_text()?.map(|news| unknown_values(&news)).transpose()?.unwrap_or_default(),
        threshold: threshold(row.maybe_real()?, row.maybe_text()?)?,
    })
}

/// What stands behind the other columns of a finding: on whose word it was not told, and what was said of its
/// account.
pub(super) fn said(row: &mut Row) -> Result<(Option<Grounds>, Option<Account>), WrongValue> {
    let grounds = row.maybe_text()?.map(|grounds| parsed(&grounds)).transpose()?;
    let account = row.maybe_text()?.map(|account| parsed(&account)).transpose()?;
    Ok((grounds, account))
}

fn threshold(bits: Option<f64>, bound: Option<String>) -> Result<Option<Threshold>, WrongValue> {
    let Some((bits, bound)) = bits.zip(bound) else { return Ok(None) };
    Ok(Some(Threshold { bits, bound: named(Bound::ALL, Bound::name, &bound, "bound")? }))
}

fn unknown_values(text: &str) -> Result<Vec<(Dimension, String)>, WrongValue> {
    let news: Vec<(String, String)> = parsed(text)?;
    let news = news.into_iter().map(|(dimension, value)| {
        Ok((named(Dimension::ALL, Dimension::name, &dimension, "dimension")?, value))
    });
    news.collect()
}

/// [`FlowSeen`] as JSON.
#[derive(Serialize, Deserialize)]
struct Flow {
    interface: String,
    peers: Vec<String>,
    ports: Vec<u16>,
    /// Files of earlier versions do not tell.
    #[serde(default)]
    has_all_peers: bool,
}

fn flow_seen(text: &str) -> Result<FlowSeen, WrongValue> {
    let Flow { interface, peers, ports, has_all_peers } = parsed(text)?;
    Ok(FlowSeen { interface, peers, ports, has_all_peers })
}

pub(super) const PART: [&str; 4] = ["dimension", "bits", "observed", "usual"];

pub(super) fn of_part(part: &Part) -> Vec<Value> {
    vec![
        text(part.dimension.name()),
        Value::Real(part.bits.as_f64()),
        text(&part.observed),
        text(&part.usual),
    ]
}

pub(super) fn part(row: &mut Row) -> Result<Part, WrongValue> {
    Ok(Part {
        dimension: named(Dimension::ALL, Dimension::name, &row.text()?, "dimension")?,
        bits: Bits::of(row.real()?),
        observed: row.text()?,
        usual: row.text()?,
    })
}

pub(super) const RECORD: [&str; 8] =
    ["time", "event_id", "api", "address", "access_key", "region", "actor", "amount"];

pub(super) fn of_record(record: &Evidence) -> Vec<Value> {
    vec![
        text(&of_time(record.time_ms)),
        text(&record.id.to_string()),
        text(&record.call.api),
        maybe(record.call.address.as_ref()),
        maybe(record.call.access_key.as_ref()),
        maybe(record.call.region.as_ref()),
        maybe(record.call.actor.as_ref()),
        count(record.amount),
    ]
}

pub(super) fn record(row: &mut Row) -> Result<Evidence, WrongValue> {
    let (time_ms, id) = (time(&row.text()?)?, EventId::new(&row.text()?));
    let call = Call {
        api: row.text()?.into(),
        address: row.maybe_text()?.map(Into::into),
        access_key: row.maybe_text()?.map(Into::into),
        region: row.maybe_text()?.map(Into::into),
        actor: row.maybe_text()?.map(Into::into),
    };
    Ok(Evidence { time_ms, id, call: call.into(), amount: row.count()? })
}

pub(super) const MARK: [&str; 5] = ["finding", "nature", "day", "reason", "heard_on"];

pub(super) fn of_mark(
    finding: FindingId,
    KeptMark { mark, reason }: &KeptMark,
    heard_on: Option<Day>,
) -> Vec<Value> {
    vec![
        text(&finding.to_string()),
        text(mark.nature.name()),
        text(&of_day(mark.day)),
        text(reason),
        heard_on.map_or(Value::Null, |day| text(&of_day(day))),
    ]
}

pub(super) fn mark(row: &mut Row) -> Result<(FindingId, KeptMark, Option<Day>), WrongValue> {
    let finding = id(&row.text()?)?;
    let nature = named(Nature::ALL, Nature::name, &row.text()?, "nature")?;
    let mark = Mark { nature, day: day(&row.text()?)? };
    let kept = KeptMark { mark, reason: row.text()? };
    let heard_on = row.maybe_text()?.map(|text| day(&text)).transpose()?;
    Ok((finding, kept, heard_on))
}

/// A checksum of rows, 32 hexadecimal digits. Nothing is counted of columns that hold nothing, so one
/// that comes later changes no checksum.
pub(super) fn checksum<'a>(rows: impl IntoIterator<Item = &'a [Value]>) -> String {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for row in rows {
        fields.push(b"row".to_vec());
        for (n, value) in row.iter().enumerate() {
            let (kind, bytes): (u8, &[u8]) = match value {
                Value::Null => continue,
                Value::Integer(number) => (b'i', &number.to_le_bytes()),
                Value::Real(number) => (b'r', &number.to_bits().to_le_bytes()),
                Value::Text(text) => (b't', text.as_bytes()),
                Value::Blob(bytes) => (b'b', bytes),
            };
            let n = u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
            fields.push([&n[..], &[kind], bytes].concat());
        }
    }
    format!("{:032x}", stable_hash(&fields.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn maybe(value: Option<&impl ToString>) -> Value {
    value.map_or(Value::Null, |value| Value::Text(value.to_string()))
}

/// What is more than a column holds is the most that it holds.
pub(super) fn count(n: u64) -> Value {
    Value::Integer(i64::try_from(n).unwrap_or(i64::MAX))
}

pub(super) fn json(value: &impl Serialize) -> Value {
    // Lists and tables of texts and numbers always have a JSON form.
    Value::Text(serde_json::to_string(value).unwrap_or_default())
}

pub(super) fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, WrongValue> {
    serde_json::from_str(text)
        .map_err(|error| WrongValue(format!("holds no JSON that fits: {error}")))
}

/// `2025-03-14`.
pub(super) fn of_day(day: Day) -> String {
    format_ms(day.start_ms()).chars().take("2025-03-14".len()).collect()
}

pub(super) fn day(text: &str) -> Result<Day, WrongValue> {
    parse_day(text).ok_or_else(|| unknown(text, "day"))
}

/// Always with milliseconds, so that texts sort by time.
fn of_time(time_ms: i64) -> String {
    let text = format_ms(time_ms);
    if text.contains('.') { text } else { text.replace('Z', ".000Z") }
}

fn time(text: &str) -> Result<i64, WrongValue> {
    parse_ms(text).ok_or_else(|| unknown(text, "time"))
}

pub(super) fn id(text: &str) -> Result<FindingId, WrongValue> {
    u128::from_str_radix(text, 16).map(FindingId).map_err(|_| unknown(text, "id"))
}

pub(super) fn hash(text: &str) -> Result<u128, WrongValue> {
    u128::from_str_radix(text, 16).map_err(|_| unknown(text, "hash"))
}

pub(super) fn severity(text: &str) -> Result<Severity, WrongValue> {
    named(Severity::ALL, Severity::label, text, "severity")
}

fn small(row: &mut Row) -> Result<u32, WrongValue> {
    let number = row.count()?;
    u32::try_from(number).map_err(|_| unknown(&number.to_string(), "number"))
}

fn named<T: Copy>(
    all: &[T],
    name: fn(T) -> &'static str,
    text: &str,
    what: &str,
) -> Result<T, WrongValue> {
    let found = all.iter().find(|one| name(**one) == text);
    found.copied().ok_or_else(|| unknown(text, what))
}

fn unknown(text: &str, what: &str) -> WrongValue {
    WrongValue(format!("holds an unknown {what}: \"{text}\""))
}

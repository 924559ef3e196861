//! A finding as it leaves the program: `docs/finding.md` explains every field, and
//! `docs/finding.schema.json` is its schema.

use crate::{Accounts, Grounds, Kept, confidence::Confidence, name::readable, seen::Seen};
use baseline::{Evidence, Part};
use detect::{Finding, FlowSeen, Threshold};
use ingest::{enrich::TableDates, time::format_ms};
use serde::Serialize;
use std::sync::Arc;

/// Version of the JSON form. It grows when a field goes or changes its meaning, not when one comes.
const VERSION: u32 = 1;

/// What the program was, and what it knew, when it judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inputs {
    /// Version of the program.
    pub program_version: String,
    /// Hash of the effective configuration, hexadecimal.
    pub config_hash: String,
    /// The day of the built-in country tables; `None` if they cannot be read.
    pub country_table_date: Option<String>,
    /// The day of the built-in network tables; `None` if they cannot be read.
    pub network_table_date: Option<String>,
    /// The user's city database; `None` when places are countries.
    pub city_table: Option<String>,
    /// What the user says of accounts: it stands in each finding, and not among its inputs.
    #[serde(skip)]
    pub accounts: Arc<Accounts>,
}

impl Inputs {
    /// Names what a run was given; of tables that cannot be read the date is 0.
    pub fn new(
        program_version: &str,
        config_hash: String,
        dates: TableDates,
        city_table: Option<String>,
    ) -> Self {
        let date = |day: u32| {
            let (year, month, day_of_month) = (day / 10_000, day / 100 % 100, day % 100);
            (day != 0).then(|| format!("{year:04}-{month:02}-{day_of_month:02}"))
        };
        Self {
            program_version: program_version.to_owned(),
            config_hash,
            country_table_date: date(dates.country),
            network_table_date: date(dates.network),
            city_table,
            accounts: Arc::default(),
        }
    }

    /// The same, of accounts of which the user says something.
    #[must_use]
    pub fn of(self, accounts: Arc<Accounts>) -> Self {
        Self { accounts, ..self }
    }
}

/// A finding in the order in which its fields are written.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report<'a> {
    pub(crate) id: String,
    pub(crate) version: u32,
    pub(crate) detector: &'a str,
    pub(crate) title: &'a str,
    pub(crate) severity: SeverityReport,
    pub(crate) account: &'a str,
    pub(crate) account_name: Option<&'a str>,
    pub(crate) account_owner: Option<&'a str>,
    pub(crate) account_tags: &'a [String],
    pub(crate) entity: EntityReport<'a>,
    pub(crate) day: String,
    pub(crate) first_seen: String,
    pub(crate) last_seen: String,
    pub(crate) count: u64,
    pub(crate) bits: f64,
    pub(crate) parts: Vec<PartReport<'a>>,
    pub(crate) summary: String,
    pub(crate) impact: &'static str,
    pub(crate) techniques: Vec<&'a str>,
    pub(crate) guardduty: Option<&'a str>,
    pub(crate) hours: u32,
    pub(crate) threshold: Option<ThresholdReport>,
    pub(crate) confidence: Confidence,
    pub(crate) cannot_tell: String,
    pub(crate) what_to_do: String,
    pub(crate) event_ids: Vec<String>,
    pub(crate) addresses: Seen<'a>,
    pub(crate) access_keys: Seen<'a>,
    pub(crate) regions: Seen<'a>,
    pub(crate) actors: Seen<'a>,
    pub(crate) apis: Seen<'a>,
    pub(crate) targets: &'a [String],
    pub(crate) flow: Option<FlowReport<'a>>,
    pub(crate) suppressed: Option<&'a Grounds>,
    pub(crate) inputs: &'a Inputs,
}

/// How loud.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SeverityReport {
    pub(crate) score: f64,
    pub(crate) label: &'static str,
}

/// Who.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EntityReport<'a> {
    pub(crate) kind: &'static str,
    pub(crate) key: &'a str,
    pub(crate) name: String,
}

/// One term of the score.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PartReport<'a> {
    pub(crate) dimension: &'static str,
    pub(crate) bits: f64,
    pub(crate) observed: &'a str,
    pub(crate) usual: &'a str,
}

/// What an hour had to carry.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ThresholdReport {
    pub(crate) bits: f64,
    pub(crate) bound: &'static str,
}

/// What flow logs showed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FlowReport<'a> {
    pub(crate) interface: &'a str,
    pub(crate) peers: &'a [String],
    pub(crate) ports: &'a [u16],
}

impl<'a> Report<'a> {
    /// What `finding` says, under the `inputs` of the run.
    pub(crate) fn new(finding: &'a Finding, inputs: &'a Inputs) -> Self {
        let Finding { about, entity, records, .. } = finding;
        let is_complete = records.len() as u64 == finding.count;
        let seen = |field: fn(&Evidence) -> Option<&str>| {
            Seen::of(records.iter().filter_map(field), is_complete)
        };
        let score = finding.severity.score(finding.bits());
        let name = readable(entity);
        let said = inputs.accounts.get(&entity.account);
        Self {
            id: finding.id.to_string(),
            version: VERSION,
            detector: &about.id,
            title: &about.title,
            severity: SeverityReport { score, label: finding.severity.label() },
            account: &entity.account,
            account_name: said.map(|account| account.name.as_str()),
            account_owner: said.and_then(|account| account.owner.as_deref()),
            account_tags: said.map_or(&[], |account| account.tags.as_slice()),
            day: format_ms(finding.day.start_ms()).chars().take("2025-03-14".len()).collect(),
            first_seen: format_ms(finding.times_ms.0),
            last_seen: format_ms(finding.times_ms.1),
            count: finding.count,
            bits: finding.bits().as_f64(),
            parts: finding.parts.iter().map(part).collect(),
            summary: sentence(&name, &finding.summary),
            entity: EntityReport { kind: entity.kind.name(), key: &entity.key, name },
            impact: about.impact.name(),
            techniques: about.techniques.iter().map(String::as_str).collect(),
            guardduty: about.guardduty.as_deref(),
            hours: finding.n_hours,
            threshold: finding.threshold.map(threshold),
            confidence: Confidence::of(finding.history_days, finding.bits()),
            cannot_tell: about.section("Misses"),
            what_to_do: about.section("Triage"),
            event_ids: records.iter().map(|record| record.id.to_string()).collect(),
            addresses: seen(|record| record.call.address.as_deref()),
            access_keys: seen(|record| record.call.access_key.as_deref()),
            regions: seen(|record| record.call.region.as_deref()),
            actors: seen(|record| record.call.actor.as_deref()),
            apis: seen(|record| Some(&record.call.api)),
            targets: &finding.targets,
            flow: finding.flow.as_ref().map(flow),
            suppressed: None,
            inputs,
        }
    }

    /// What a kept finding says, and on whose word it was not told.
    pub(crate) fn of(kept: &'a Kept) -> Self {
        let Kept { finding, run, suppressed, .. } = kept;
        Self { suppressed: suppressed.as_ref(), ..Self::new(finding, &run.inputs) }
    }

    /// Who it is about, and in which account.
    pub(crate) fn who(&self) -> String {
        let account = self.inputs.accounts.called(self.account);
        format!("{}, account {account}", self.entity.name)
    }
}

fn part(part: &Part) -> PartReport<'_> {
    PartReport {
        dimension: part.dimension.name(),
        bits: part.bits.as_f64(),
        observed: &part.observed,
        usual: &part.usual,
    }
}

fn threshold(threshold: Threshold) -> ThresholdReport {
    ThresholdReport { bits: threshold.bits, bound: threshold.bound.name() }
}

fn flow(flow: &FlowSeen) -> FlowReport<'_> {
    FlowReport { interface: &flow.interface, peers: &flow.peers, ports: &flow.ports }
}

/// The detector says what was done, the entity is the subject.
fn sentence(name: &str, summary: &str) -> String {
    let end = if summary.ends_with('.') { "" } else { "." };
    format!("{name} {summary}{end}")
}

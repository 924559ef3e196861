//! What a detector is, what it says about itself, and what it hands on.

use crate::{
    anomaly::{self, Watched},
    budget::Threshold,
    detectors::Settings,
    facts::OfAccount,
    finding::FlowSeen,
    record::{Counts, Record},
};
pub use baseline::Impact;
use baseline::{
    Bits, Dimension, Distinct, Entity, Evidence, Generation, Part, Slot, Span, Term, Window,
};
use ingest::enrich::Enrich;
use std::cell::OnceCell;

/// How loud a finding is. Maps one to one onto the ASFF severity label.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth a record. Score 1.0 to 3.9.
    Low,
    /// Worth a look today. Score 4.0 to 6.9.
    Medium,
    /// Worth waking someone. Score 7.0 to 8.9.
    High,
    /// Worth waking everyone. Score 9.0 to 10.0.
    Critical,
}

impl Severity {
    /// Every severity, the least first.
    pub const ALL: &[Self] = &[Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Its label, lower case.
    pub fn label(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// What a deed says by itself that is told so: a prior, not a measurement. Low is no more than two habits
    /// of an identity that meet (2 bits each), medium is where the detectors' own thresholds stand (10),
    /// high what an API new to everybody carries and a little more (14), critical what no habit explains.
    pub(crate) fn prior(self) -> Bits {
        Bits::of(match self {
            Self::Low => 4.0,
            Self::Medium => 10.0,
            Self::High => 16.0,
            Self::Critical => 24.0,
        })
    }

    /// The score within the label's range that `bits` stand for, rounded down to tenths: 40 bits, at which
    /// findings of people begin, reach its middle, and no number reaches its end.
    pub fn score(self, bits: Bits) -> f64 {
        const HALF_BITS: f64 = 40.0;
        let (low, high) = match self {
            Self::Low => (1.0, 3.9),
            Self::Medium => (4.0, 6.9),
            Self::High => (7.0, 8.9),
            Self::Critical => (9.0, 10.0),
        };
        let share = bits.as_f64() / (bits.as_f64() + HALF_BITS);
        let tenths: f64 = (low + (high - low) * share) * 10.0;
        tenths.floor() / 10.0
    }
}

/// Which records a detector is shown. All others cost it nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Interest {
    /// Records of these APIs, for example `s3:DeleteObject`, without the versions of some names.
    Apis(&'static [&'static str]),
    /// Calls that were denied.
    Denied,
    /// Calls of the root user.
    Root,
    /// Calls with the credentials of a machine inside AWS, or of a CI pipeline.
    Compute,
    /// None: it judges how unusual these calls are, which every profile counts.
    Unusual(&'static Watched),
    /// None: it judges what else every profile holds.
    Nothing,
    /// None: it judges the whole of a day, once that closes, since later records could take back what it says.
    Closed,
}

/// A MITRE ATT&CK technique id, for example `T1535`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Technique(pub &'static str);

/// What a detector says about itself.
#[derive(Debug, PartialEq, Eq)]
pub struct Meta {
    /// Kebab-case, never reused: the settings key and the docs anchor.
    pub id: &'static str,
    /// Its usual severity; a verdict may say another, and the page says when.
    pub severity: Severity,
    /// What the calls it watches can do.
    pub impact: Impact,
    /// ATT&CK techniques.
    pub techniques: &'static [Technique],
    /// GuardDuty finding type it matches, if GuardDuty has one.
    pub guardduty: Option<&'static str>,
    /// Which records it counts.
    pub interest: Interest,
    /// The detector's own source; its `//!` header is the user documentation.
    pub source: &'static str,
    /// The source in which its settings stand: its own, or that of settings which several share.
    pub settings_source: &'static str,
}

impl Meta {
    /// Of a detector of unusual behaviour, the calls that it judges.
    pub(crate) fn unusual(&self) -> Option<&'static Watched> {
        match self.interest {
            Interest::Unusual(watched) => Some(watched),
            _ => None,
        }
    }

    /// Whether it speaks only when the day closes, and then once, in the last hour that holds anything.
    pub(crate) fn is_at_close(&self) -> bool {
        self.interest == Interest::Closed
    }

    /// The `//!` header of the detector's file as Markdown.
    pub(crate) fn page(&self) -> String {
        let header = self.source.lines().map_while(|line| line.strip_prefix("//!"));
        header.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    }

    /// The settings of its own, as their names and what their documentation says.
    pub fn settings(&self) -> Vec<(String, String)> {
        let body = self.settings_source.split("\npub struct Settings {").nth(1).unwrap_or_default();
        let mut settings = Vec::new();
        let mut text = String::new();
        for line in body.lines().map(str::trim).take_while(|line| *line != "}") {
            if let Some(documented) = line.strip_prefix("///") {
                text.push_str(documented);
            } else if let Some((name, _)) =
                line.strip_prefix("pub ").and_then(|l| l.split_once(':'))
            {
                settings
                    .push((name.replace('_', "-"), std::mem::take(&mut text).trim().to_owned()));
            }
        }
        settings
    }
}

/// One line of the registry: a detector's file as values.
#[derive(Debug)]
pub struct Detector {
    /// What it says about itself.
    pub meta: &'static Meta,
    /// What to count of a record. Without settings: what is learned must not depend on them.
    pub contribute: fn(&Record<'_>, &mut Counts),
    /// What a span says, before any threshold.
    pub judge: fn(&Settings, &Case<'_>) -> Option<Verdict>,
    /// Its settings, where they are those that detectors of unusual behaviour share.
    pub of_unusual: fn(&Settings) -> Option<&anomaly::Settings>,
}

/// What a detector is shown of an entity's hour.
#[derive(Debug)]
pub struct Case<'a> {
    /// Whose hour it is.
    pub entity: &'a Entity,
    /// What fell into it.
    pub span: Span<'a>,
    /// What is usual.
    pub usual: &'a Generation<'a>,
    /// What is known of its account.
    pub(crate) facts: &'a OfAccount,
    /// What is known of addresses.
    pub enrich: &'a Enrich,
    /// What the alert budget asks of its kind, if it asks anything.
    pub(crate) asked: Option<Bits>,
    /// From where and with what the calls of the hour came, once somebody has asked.
    pub(crate) context: &'a OnceCell<Vec<Term>>,
}

/// What a detector says of a span. Its score is the sum of its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Where the bits come from.
    pub parts: Vec<Part>,
    /// How loud.
    pub severity: Severity,
    /// What was done, against which usual value; the entity is the subject.
    pub summary: String,
    /// How many records it rests on, by slot.
    pub slots: Vec<(Slot, u64)>,
    /// The first of these records, in order of time.
    pub records: Vec<Evidence>,
    /// Time of the last record, kept or not. Unit: milliseconds since the Unix epoch.
    pub last_ms: Option<i64>,
    /// What it was done to: buckets, secrets, principals; the heaviest first.
    pub targets: Vec<String>,
    /// For flow logs, what was seen.
    pub flow: Option<FlowSeen>,
    /// Of unusual behaviour, what it had to carry.
    pub threshold: Option<Threshold>,
}

impl Verdict {
    /// Targets that a finding names. Unit: targets.
    pub const TARGETS_MAX: usize = 20;

    /// A verdict on a window: its records, slots and heaviest values.
    pub(crate) fn on(
        window: &Window,
        severity: Severity,
        parts: Vec<Part>,
        summary: String,
    ) -> Self {
        let values = window.counted.values.heaviest();
        let targets = values.into_iter().take(Self::TARGETS_MAX).map(|(value, _)| value.to_owned());
        Self {
            parts,
            severity,
            summary,
            slots: window.slots.clone(),
            records: window.counted.records.iter().cloned().collect(),
            last_ms: window.counted.records.last_ms(),
            targets: targets.collect(),
            flow: None,
            threshold: None,
        }
    }

    /// With only the records that hold at least half as much as the heaviest one: what an identity
    /// read one by one besides says less than the call that asked for ten at once.
    pub(crate) fn with_heaviest_records(mut self) -> Self {
        let most = self.records.iter().map(|record| record.amount).max().unwrap_or(0);
        self.records.retain(|record| record.amount.saturating_mul(2) >= most);
        self
    }

    /// The score.
    pub(crate) fn bits(&self) -> Bits {
        self.parts.iter().map(|part| part.bits).sum()
    }
}

impl Case<'_> {
    /// From where and with what the calls of the hour came.
    pub(crate) fn context(&self) -> &[Term] {
        self.context.get_or_init(|| self.usual.context(&self.span))
    }

    /// The parts of `n` of `dimension` in 60 minutes, if they are `floor` or more and, once there is
    /// history, carry `bits_min` bits or more.
    pub(crate) fn improbable(
        &self,
        dimension: Dimension,
        n: u64,
        (floor, bits_min): (u64, f64),
    ) -> Option<Vec<Part>> {
        if n < floor {
            return None;
        }
        let parts = self.usual.amount(dimension, n);
        let bits: Bits = parts.iter().map(|part| part.bits).sum();
        (!self.usual.can_judge(dimension) || bits.as_f64() >= bits_min).then_some(parts)
    }
}

/// A number of distinct values as people should read it.
pub(crate) fn number_of(values: &Distinct, n: u64) -> String {
    if values.is_estimate() { format!("about {n}") } else { n.to_string() }
}

/// The heaviest value, and how many more were kept.
pub(crate) fn first_of(values: &Distinct) -> String {
    let values = values.heaviest();
    let first = values.first().map_or("?", |(value, _)| *value);
    let n_more = values.len().saturating_sub(1);
    if n_more > 0 { format!("{first} and {n_more} more") } else { first.to_owned() }
}

/// What is usual, as the last of `parts` says.
pub(crate) fn usual_of(parts: &[Part]) -> &str {
    parts.last().map_or("", |part| &part.usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_bits_score_more_and_never_another_severity() {
        for severity in Severity::ALL {
            let scores =
                [0.0, 5.0, 45.0, 120.0, 1_000.0].map(|bits| severity.score(Bits::of(bits)));
            assert!(scores.is_sorted_by(|a, b| a < b), "{severity:?} {scores:?}");
            let (floor, next) = (severity.score(Bits::ZERO), scores[4].floor() + 1.0);
            assert!(
                scores.iter().all(|score| (floor..next.min(10.1)).contains(score)),
                "{scores:?}"
            );
        }
    }
}

//! One key of an entry, and the patterns of which one has to fit. In: texts as they stand in the file. Out: whether
//! a finding is such.
//!
//! An entry may hide nothing that it does not speak of. So of a field with many values, as addresses are, each has
//! to fit; and where a finding does not name all of them, it is told.

use crate::{name::readable, sinks::Network};
use baseline::{Evidence, Impact, Kind};
use detect::{Finding, Severity, Verdict, fits, fits_any, literal, suggest};
use std::{borrow::Cow, net::IpAddr};

/// Longest pattern: a key is kept up to 2 KiB and a hash, and each of its characters may be escaped. Unit: bytes.
pub const PATTERN_BYTES_MAX: usize = 4_224;

/// What of a finding an entry can ask for, by the names of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Id of the detector or rule.
    Detector,
    /// `low` to `critical`.
    Severity,
    /// AWS account in which the entity acted.
    Account,
    /// The key of the entity.
    Entity,
    /// What the entity is.
    EntityKind,
    /// The entity's name for people.
    EntityName,
    /// What such calls can do.
    Impact,
    /// MITRE ATT&CK techniques.
    Technique,
    /// Where the calls came from: addresses and networks.
    Address,
    /// The other sides of flows: addresses and networks.
    Peer,
    /// With which access keys.
    AccessKey,
    /// In which regions.
    Region,
    /// Which actors.
    Actor,
    /// Which APIs.
    Api,
    /// What it was done to.
    Target,
}

impl Field {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Detector,
        Self::Severity,
        Self::Account,
        Self::Entity,
        Self::EntityKind,
        Self::EntityName,
        Self::Impact,
        Self::Technique,
        Self::Address,
        Self::Peer,
        Self::AccessKey,
        Self::Region,
        Self::Actor,
        Self::Api,
        Self::Target,
    ];

    /// Its key in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Detector => "detector",
            Self::Severity => "severity",
            Self::Account => "account",
            Self::Entity => "entity",
            Self::EntityKind => "entity-kind",
            Self::EntityName => "entity-name",
            Self::Impact => "impact",
            Self::Technique => "technique",
            Self::Address => "address",
            Self::Peer => "peer",
            Self::AccessKey => "access-key",
            Self::Region => "region",
            Self::Actor => "actor",
            Self::Api => "api",
            Self::Target => "target",
        }
    }

    /// All values that it can have, where they are few.
    fn words(self) -> Option<Vec<&'static str>> {
        match self {
            Self::Severity => Some(Severity::ALL.iter().map(|one| one.label()).collect()),
            Self::EntityKind => Some(Kind::ALL.iter().map(|one| one.name()).collect()),
            Self::Impact => Some(Impact::ALL.iter().map(|one| one.name()).collect()),
            _ => None,
        }
    }

    /// The values that a finding has; `None` where it does not name all of them.
    fn values(self, finding: &Finding) -> Option<Vec<Cow<'_, str>>> {
        let Finding { about, entity, targets, .. } = finding;
        let all = match self {
            Self::Detector => vec![about.id.as_str()],
            Self::Severity => vec![finding.severity.label()],
            Self::Account => vec![&*entity.account],
            Self::Entity => vec![&*entity.key],
            Self::EntityKind => vec![entity.kind.name()],
            Self::EntityName => return Some(vec![readable(entity).into()]),
            Self::Impact => vec![about.impact.name()],
            Self::Technique => about.techniques.iter().map(String::as_str).collect(),
            Self::Address => seen(finding, |record| record.call.address.as_deref())?,
            Self::Peer => peers(finding)?.iter().map(String::as_str).collect(),
            Self::AccessKey => seen(finding, |record| record.call.access_key.as_deref())?,
            Self::Region => seen(finding, |record| record.call.region.as_deref())?,
            Self::Actor => seen(finding, |record| record.call.actor.as_deref())?,
            Self::Api => seen(finding, |record| Some(&record.call.api))?,
            // Of as many as are named there may be more.
            Self::Target if is_of_some(finding) || targets.len() >= Verdict::TARGETS_MAX => {
                return None;
            }
            Self::Target => targets.iter().map(String::as_str).collect(),
        };
        Some(all.into_iter().map(Cow::Borrowed).collect())
    }
}

/// The other sides of flows, if a finding names all of them.
pub(super) fn peers(finding: &Finding) -> Option<&[String]> {
    finding.flow.as_ref().filter(|flow| flow.has_all_peers).map(|flow| flow.peers.as_slice())
}

/// Whether what a finding names is some of what it rests on: of unusual behaviour, what was unusual of it, and of
/// the hour around.
fn is_of_some(finding: &Finding) -> bool {
    finding.threshold.is_some()
}

/// That of each record, if every record was kept and has one.
fn seen(finding: &Finding, of: fn(&Evidence) -> Option<&str>) -> Option<Vec<&str>> {
    let is_whole = !is_of_some(finding) && finding.records.len() as u64 == finding.count;
    finding.records.iter().map(of).collect::<Option<_>>().filter(|_| is_whole)
}

/// What a value is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Text(String),
    Network(Network),
}

impl Pattern {
    fn fits(&self, value: &str) -> bool {
        match self {
            Self::Text(pattern) => fits(pattern, value),
            Self::Network(network) => value.parse::<IpAddr>().is_ok_and(|ip| network.holds(ip)),
        }
    }
}

/// A key with its patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    field: Field,
    any_of: Vec<Pattern>,
}

/// Why a text cannot be compared with anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongValue {
    /// Too long.
    #[error("a pattern of {0} bytes (expected {PATTERN_BYTES_MAX} at most)")]
    TooLong(usize),
    /// No address.
    #[error("no address and no network (expected such as \"10.0.0.0/8\" or \"203.0.113.7\")")]
    NoAddress,
    /// None of the values that there are.
    #[error("nothing that there is; {0}")]
    NoSuch(String),
}

impl Criterion {
    /// Asks of `field` for one of `texts`; of a wrong one also its place among them.
    pub fn new(field: Field, texts: &[&str]) -> Result<Self, (usize, WrongValue)> {
        let pattern = |(n, text): (usize, &&str)| pattern(field, text).map_err(|wrong| (n, wrong));
        let any_of = texts.iter().enumerate().map(pattern).collect::<Result<_, _>>()?;
        Ok(Self { field, any_of })
    }

    /// Which field it asks for.
    pub fn field(&self) -> Field {
        self.field
    }

    /// Whether there can be findings that it is not about.
    pub fn narrows(&self) -> bool {
        if let Some(words) = self.field.words() {
            return words.iter().any(|word| !self.fits(word));
        }
        let is_all = |pattern: &Pattern| match pattern {
            Pattern::Text(text) => fits_any(text),
            Pattern::Network(network) => network.is_all_of_its_kind(),
        };
        !self.any_of.iter().any(is_all)
    }

    /// Whether a finding is such: it names all that it has of the field, and each fits a pattern.
    pub(super) fn holds(&self, finding: &Finding) -> bool {
        let values = self.field.values(finding).unwrap_or_default();
        !values.is_empty() && values.iter().all(|value| self.fits(value))
    }

    /// Whether it names this detector, rather than fitting it among others.
    pub(super) fn names_detector(&self, id: &str) -> bool {
        let named = Pattern::Text(literal(id));
        self.field == Field::Detector && self.any_of.contains(&named)
    }

    /// Whether one of its patterns fits a value.
    pub fn fits(&self, value: &str) -> bool {
        self.any_of.iter().any(|pattern| pattern.fits(value))
    }
}

fn pattern(field: Field, text: &str) -> Result<Pattern, WrongValue> {
    if text.len() > PATTERN_BYTES_MAX {
        return Err(WrongValue::TooLong(text.len()));
    }
    if matches!(field, Field::Address | Field::Peer) {
        return text.parse().map(Pattern::Network).map_err(|()| WrongValue::NoAddress);
    }
    let words = field.words().filter(|words| !words.iter().any(|word| fits(text, word)));
    if let Some(words) = words {
        let hint = suggest(text, words.iter().copied());
        let expected = || format!("expected one of {}", words.join(", "));
        let hint = hint.map_or_else(expected, |near| format!("did you mean \"{near}\"?"));
        return Err(WrongValue::NoSuch(hint));
    }
    Ok(Pattern::Text(text.to_owned()))
}

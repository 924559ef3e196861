//! Sigma documents as values: what a file says, with the line of everything that can be wrong.
//! `sigma/read.rs` makes them of YAML, `compile.rs` makes predicates of them. The build script reads the
//! rules that ship with the program by this very code, and the program holds them as documents.

mod condition;
mod correlation;
mod glob;
mod head;
mod logs;
mod modifiers;
mod read;
mod sample;
mod selection;
mod table;
mod unused;
mod values;

pub(crate) use read::read;

use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// Where something stands in a file. From 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub(crate) struct Line(pub(crate) u32);

/// Why a document is refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{file}:{}: {what}", line.0)]
pub struct RuleError {
    /// The file, as it was named.
    pub(crate) file: Arc<str>,
    pub(crate) line: Line,
    /// What is wrong, and what was expected. Lower case, no full stop.
    pub(crate) what: String,
    pub(crate) why: Why,
}

/// Whose fault it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The document's: it says what cannot be meant.
    Fault,
    /// Nobody's: it is about logs that sentrail does not read, such as `windows`.
    OtherLogs(String),
    /// Nobody's: its author has given it up, by a `status` such as `deprecated`. Of other people's rules
    /// only.
    Retired(String),
    /// None: it is used though one's own rule would be refused. Of other people's rules only.
    Tolerated,
    /// A sample does not hold.
    Sample,
}

impl RuleError {
    pub(crate) fn fault(file: &Arc<str>, line: Line, what: impl Into<String>) -> Self {
        Self { file: Arc::clone(file), line, what: what.into(), why: Why::Fault }
    }

    /// The file, as it was named.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// From 1.
    pub fn line(&self) -> u32 {
        self.line.0
    }

    /// What is wrong, and what was expected.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Whose fault it is.
    pub fn why(&self) -> &Why {
        &self.why
    }
}

/// One YAML document.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) enum Document {
    Detection(Detection),
    Correlation(Correlation),
    Filter(Filter),
    /// Not in force.
    #[serde(skip)]
    Unused(Unused),
}

impl Document {
    /// What it says about itself; filters and what is not in force have no such thing.
    pub(crate) fn head(&self) -> Option<&Head> {
        match self {
            Self::Detection(detection) => Some(&detection.head),
            Self::Correlation(correlation) => Some(&correlation.head),
            Self::Filter(_) | Self::Unused(_) => None,
        }
    }

    /// The same.
    pub(crate) fn head_mut(&mut self) -> Option<&mut Head> {
        match self {
            Self::Detection(detection) => Some(&mut detection.head),
            Self::Correlation(correlation) => Some(&mut correlation.head),
            Self::Filter(_) | Self::Unused(_) => None,
        }
    }
}

/// A document that is not in force. Its place and its names stay its own, so that nobody else is meant
/// by them, and the rules that it wanted for itself do not begin to speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unused {
    pub(crate) file: Arc<str>,
    pub(crate) line: Line,
    pub(crate) whose: Whose,
    pub(crate) why: Why,
    pub(crate) kind: UnusedKind,
    /// `id` in lower case.
    pub(crate) uuid: Option<String>,
    /// `name`.
    pub(crate) name: Option<String>,
}

/// What it would have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UnusedKind {
    /// A rule, or nothing that can be told.
    Rule,
    /// A correlation, with the rules that only it wants.
    Correlation(Vec<String>),
    Filter,
}

/// What a rule says about itself, of either kind.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Head {
    /// The file it stands in, and the line of its title.
    #[serde(skip)]
    pub(crate) file: Arc<str>,
    pub(crate) line: Line,
    pub(crate) title: String,
    /// `id` in lower case: a UUID, of other people's rules any text.
    pub(crate) uuid: Option<String>,
    /// `name`.
    pub(crate) name: Option<String>,
    pub(crate) description: String,
    /// `level`; Sigma leaves it open, then it is medium.
    pub(crate) level: Level,
    /// `tags`, as written, lower case: `attack.t1078.004`, `attack.persistence`.
    pub(crate) tags: Vec<String>,
    /// `falsepositives`.
    pub(crate) false_positives: Vec<String>,
    /// `references`.
    pub(crate) references: Vec<String>,
    /// Table `sentrail`: what Sigma has no field for.
    pub(crate) notes: Notes,
    /// Table `tests`.
    pub(crate) samples: Vec<Sample>,
    #[serde(skip)]
    pub(crate) whose: Whose,
}

/// Whose a file of rules is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// It ships with the program: the build has found it sound.
    Program,
    /// The user's: every fault is told, and he can mend it.
    #[default]
    Own,
    /// Other people's, which the user does not mend: what can be understood is used.
    Others,
}

impl Head {
    /// Whether it ships with the program.
    pub(crate) fn is_built_in(&self) -> bool {
        self.whose == Whose::Program
    }

    /// `id`, if it is a UUID, which says that two documents are one rule. Another text is but a name.
    pub(crate) fn true_uuid(&self) -> Option<&str> {
        self.uuid.as_deref().filter(|uuid| head::is_uuid(uuid))
    }
}

/// `level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub(crate) enum Level {
    /// Tells nobody by itself; correlations may use it.
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

/// Table `sentrail` of a rule: Sigma allows attributes of one's own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Notes {
    /// `guardduty`: the finding type that it matches.
    pub(crate) guardduty: Option<String>,
    /// `summary`: a clause without its subject, which is the entity. `{requestParameters.userName}` is
    /// the record's value.
    pub(crate) summary: Option<Template>,
    /// `targets`: fields that name what it was done to.
    pub(crate) targets: Vec<FieldName>,
    /// `usual`: what makes a match usual for an identity, and so low.
    pub(crate) usual: Usual,
    /// `cold: low`: a match is low while nobody has history: for what somebody does every day in most
    /// organisations.
    pub(crate) is_low_cold: bool,
    /// `quiet-when`, `misses`: sentences for the page.
    pub(crate) quiet_when: Option<String>,
    pub(crate) misses: Option<String>,
    /// `triage`: what to do now.
    pub(crate) triage: Option<String>,
}

/// What an identity must have done before for a match to be usual. A usual match is low.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Usual {
    /// `never`: no history makes it harmless.
    #[default]
    Never,
    /// `api`: the identity has called the API often enough to know it.
    Api,
    /// `match`: the identity has matched this rule often enough to know it. Only of built-in rules.
    Match,
}

/// A text with fields in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Template(pub(crate) Vec<Piece>);

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Piece {
    Text(String),
    Field(FieldName),
}

/// The name of a field: keys from the record down, `requestParameters.userName`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub(crate) struct FieldName {
    pub(crate) line: Line,
    pub(crate) path: Vec<String>,
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.join("."))
    }
}

/// One test of a rule: records that it must fire on, or must not.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Sample {
    pub(crate) line: Line,
    /// `name`: what the records show.
    pub(crate) name: String,
    pub(crate) fires: bool,
    /// Records as JSON, one each, with what was left out filled from [`super::samples`].
    pub(crate) records: Vec<String>,
}

/// Which logs a rule reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
pub(crate) enum Logs {
    /// `product: aws`, `service: cloudtrail`.
    CloudTrail,
    /// `product: aws`, `service: vpcflow`.
    Flow,
}

/// A rule about single records.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct Detection {
    pub(crate) head: Head,
    pub(crate) logs: Logs,
    pub(crate) condition: Condition,
}

/// `condition`, with the selections in their places: `1 of selection_*` is an `Any` of them.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Item(Item),
}

/// One line of a selection: a field, how to compare, and values.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct Item {
    pub(crate) line: Line,
    /// `None`: keywords, looked for in the whole record.
    pub(crate) field: Option<FieldName>,
    pub(crate) test: Test,
    /// `all`: every value must match, each by any of the field's own; else one is enough.
    pub(crate) needs_all: bool,
    /// Never empty.
    pub(crate) values: Vec<Operand>,
}

/// How a field is compared with a value: the modifiers, put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Test {
    /// Equal; texts with wildcards. `contains`, `startswith` and `endswith` are wildcards by now, and
    /// `base64`, `base64offset`, `windash` are the values they make.
    Equals {
        cased: bool,
    },
    /// `re`, with `i`, `m`, `s`.
    Regex,
    Cidr,
    Exists,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// `fieldref`, with `startswith`, `endswith` or `contains`.
    FieldRef(Edge),
}

/// Where a text must stand in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Edge {
    Whole,
    Start,
    End,
    Anywhere,
}

/// A value of a rule.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) enum Operand {
    /// Text with its wildcards told from escaped ones.
    Glob(Glob),
    /// `re`: the source, flags put in front as `(?i)`.
    Regex(String),
    Cidr(std::net::IpAddr, u8),
    Number(f64),
    Bool(bool),
    Null,
    /// `fieldref`.
    Field(FieldName),
    /// `expand`: a placeholder whose values the configuration gives, `%name%`.
    Placeholder(String),
}

/// A text with wildcards.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Glob(pub(crate) Vec<GlobPart>);

/// A piece of a glob.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum GlobPart {
    Text(String),
    /// `?`
    One,
    /// `*`
    Many,
}

/// A correlation.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct Correlation {
    pub(crate) head: Head,
    pub(crate) kind: CorrelationKind,
    /// `rules`: what each refers to, an id or a name, with its line.
    pub(crate) rules: Vec<(Line, String)>,
    /// `group-by`: fields, or names of `aliases`.
    pub(crate) group_by: Vec<FieldName>,
    /// `aliases`: by name, the field in each of the rules.
    pub(crate) aliases: Vec<Alias>,
    /// `timespan`. Unit: milliseconds.
    pub(crate) timespan_ms: i64,
    /// `generate`: whether the rules it is about speak for themselves too.
    pub(crate) generate: bool,
}

/// A name that stands for another field in each rule.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Alias {
    pub(crate) name: String,
    /// Rule, as `rules` refers to it, and field.
    pub(crate) fields: Vec<(String, FieldName)>,
}

/// What a correlation counts.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) enum CorrelationKind {
    EventCount(Bounds),
    /// Distinct values of the fields together.
    ValueCount(Vec<FieldName>, Bounds),
    Temporal,
    TemporalOrdered,
}

/// What a count must be: all of them hold. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Bounds(pub(crate) Vec<(Bound, u64)>);

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Bound {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

/// A filter: what an organisation knows to be harmless.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct Filter {
    #[serde(skip)]
    pub(crate) file: Arc<str>,
    pub(crate) line: Line,
    pub(crate) title: String,
    pub(crate) logs: Logs,
    /// Ids or names of rules; `None` for `any`.
    pub(crate) rules: Option<Vec<(Line, String)>>,
    /// What must hold besides the rule's own condition.
    pub(crate) condition: Condition,
    /// Table `tests`.
    pub(crate) samples: Vec<Sample>,
}

#[cfg(test)]
mod tests;

//! Tables `[sinks.NAME]`: where findings are told. In: tables as they stand in the file, and what the files and
//! variables hold that they name. Out: sinks that can be used.
//!
//! No secret stands in the file itself, unlike `hash-key`: that one is of no use elsewhere, while whoever has
//! these can speak as sentrail to another system, and configurations are copied and checked in. A URL may stand
//! there, for those that hold no key; it is hidden all the same.

mod from;
mod held;
mod wrong;

use super::{
    ConfigError,
    filters::{self, Known},
    keys::{Fault, Places, shown},
    own,
    quiet::{self, QuietTable},
    units,
};
use crate::aws::BucketPath;
use alerts::sinks::{Allowed, Choice, Filter, Network, Protocol, Sink, URL_BYTES_MAX};
use baseline::time::HOUR_MS;
use detect::{Severity, literal};
use from::FromTable;
pub(super) use from::{kept, offline};
use held::Held;
pub(super) use held::{KeptBy, Variable};
use ingest::source::session::Access;
use serde::{Deserialize, Serialize, Serializer};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// Each has a task and a part of the outbox. Unit: sinks.
const SINKS_MAX: usize = 16;
/// A name goes into logs and metrics. Unit: characters.
const NAME_CHARS_MAX: usize = 40;
/// What a file or variable with a URL or a secret may hold: a URL is the longest. Unit: bytes.
const HELD_BYTES_MAX: usize = URL_BYTES_MAX + 2;

/// Types of sinks that take requests.
const REQUESTED: &[Type] = &[Type::Webhook, Type::Slack, Type::Teams, Type::Pagerduty];
/// Types of sinks that have a URL.
const REACHED: &[Type] = &[Type::Webhook, Type::Slack, Type::Teams, Type::Pagerduty, Type::Syslog];
/// Types of sinks that people may sit behind, who sleep.
const PEOPLE: &[Type] = &[Type::Webhook, Type::Slack, Type::Teams, Type::Pagerduty, Type::Sns];
/// Keys that not every sink has, and the types that have them.
const OF: [(&str, &[Type]); 22] = [
    ("path", &[Type::JsonLines, Type::Ocsf]),
    ("url", REACHED),
    ("url-file", REACHED),
    ("url-env", REACHED),
    ("url-from", REQUESTED),
    ("allow", REACHED),
    ("quiet", PEOPLE),
    ("burst", &[Type::Slack, Type::Teams]),
    ("heartbeat", &[Type::Webhook, Type::Slack, Type::Teams, Type::Sns]),
    ("body", &[Type::Webhook]),
    ("headers", &[Type::Webhook]),
    ("secret-file", &[Type::Webhook]),
    ("secret-env", &[Type::Webhook]),
    ("secret-from", &[Type::Webhook]),
    ("key-file", &[Type::Pagerduty]),
    ("key-env", &[Type::Pagerduty]),
    ("key-from", &[Type::Pagerduty]),
    ("region", &[Type::SecurityHub, Type::Eventbridge, Type::Ocsf]),
    ("file-as", &[Type::SecurityHub]),
    ("role", &[Type::SecurityHub, Type::Ocsf]),
    ("topic", &[Type::Sns]),
    ("bus", &[Type::Eventbridge]),
];

/// Table `[sinks.NAME]`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", expecting = "a table with `type`")]
pub(super) struct SinkTable {
    r#type: Type,
    /// Findings below are not told.
    #[serde(default = "least")]
    min_severity: Severity,
    /// Which findings are told of the others: patterns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    detectors: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    account_tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<Hidden>,
    /// A file that holds it; relative to the folder of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    url_file: Option<PathBuf>,
    /// A variable of the environment that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    url_env: Option<String>,
    /// What AWS Secrets Manager keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    url_from: Option<FromTable>,
    /// The same of the secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_file: Option<Texts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_env: Option<Texts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_from: Option<FromTable>,
    /// A file of JSON that bodies are made of; relative to the folder of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<PathBuf>,
    /// Headers, and where their values are kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, HeaderTable>,
    /// The same of the key of an integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_env: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_from: Option<FromTable>,
    /// Addresses and networks that may be talked to though they are not in the internet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allow: Vec<String>,
    /// Hours in which only what is critical is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet: Option<QuietTable>,
    /// Of more messages than this at once it gets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    burst: Option<u32>,
    /// How often it is told that the watch is at work. Unit: hours.
    #[serde(default, with = "units::heartbeat", skip_serializing_if = "Option::is_none")]
    heartbeat: Option<u16>,
    /// The file to append to, or the folder or bucket to write to; relative to the folder of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    /// The region whose Security Hub, bus or bucket it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    /// Under which account findings are filed.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_as: Option<FiledAs>,
    /// Name of a role that every account has, or ARN of one to write by.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    /// ARN of a topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// Name or ARN of a bus.
    #[serde(skip_serializing_if = "Option::is_none")]
    bus: Option<String>,
}

/// Under which account findings are filed: the own one, or that of each.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum FiledAs {
    #[serde(rename = "self")]
    Own,
    Member,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Type {
    Webhook,
    JsonLines,
    Slack,
    Teams,
    Pagerduty,
    SecurityHub,
    Sns,
    Eventbridge,
    Syslog,
    Ocsf,
}

impl Type {
    #[cfg(test)]
    const ALL: &[Self] = &[
        Self::Webhook,
        Self::JsonLines,
        Self::Slack,
        Self::Teams,
        Self::Pagerduty,
        Self::SecurityHub,
        Self::Sns,
        Self::Eventbridge,
        Self::Syslog,
        Self::Ocsf,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::JsonLines => "json-lines",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Pagerduty => "pagerduty",
            Self::SecurityHub => "security-hub",
            Self::Sns => "sns",
            Self::Eventbridge => "eventbridge",
            Self::Syslog => "syslog",
            Self::Ocsf => "ocsf",
        }
    }
}

impl Type {
    /// What its URL is for.
    fn protocol(self) -> Protocol {
        if self == Self::Syslog { Protocol::Syslog } else { Protocol::Requests }
    }
}

/// `"a"`, `"a" or "b"`, `"a", "b" or "c"`.
fn names(types: &[Type]) -> String {
    let quoted = |one: &Type| format!("\"{}\"", one.name());
    match types {
        [others @ .., last] if !others.is_empty() => {
            let others: Vec<_> = others.iter().map(quoted).collect();
            format!("{} or {}", others.join(", "), quoted(last))
        }
        all => all.iter().map(quoted).collect(),
    }
}

fn least() -> Severity {
    Severity::Low
}

/// One text, or several.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(untagged, expecting = "expected a text in quotes, or a list of them")]
enum Texts {
    One(String),
    Some(Vec<String>),
}

impl Texts {
    fn all(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Some(texts) => texts,
        }
    }
}

/// Where a secret is kept: in a file, relative to the folder of the configuration, or in a variable of the environment.
/// Untagged, so that a secret which stands there itself is not repeated.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected `{ file = \"FILE\" }` or `{ env = \"NAME\" }`"
)]
enum HeaderTable {
    File { file: PathBuf },
    Env { env: String },
}

/// A text that goes nowhere but to where it is used.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(transparent)]
struct Hidden(String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hidden")
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("hidden")
    }
}

/// The keys that a table may have.
pub(super) fn known() -> Value {
    let of_all =
        ["type", "min-severity", filters::DETECTORS, filters::ACCOUNTS, filters::ACCOUNT_TAGS];
    let all = of_all.into_iter().chain(OF.map(|(key, _)| key));
    let all = all.map(|key| {
        let value = match key {
            "quiet" => quiet::known(),
            key if key.ends_with("-from") => from::known(),
            _ => Value::String(String::new()),
        };
        (key.to_owned(), value)
    });
    Value::Table(all.collect::<Table>())
}

/// What is wrong with a key of a table.
type Wrong = (&'static str, String);

impl SinkTable {
    /// Whether AWS is called to tell it.
    pub(super) fn is_of_aws(&self) -> bool {
        matches!(self.r#type, Type::SecurityHub | Type::Sns | Type::Eventbridge | Type::Ocsf)
    }

    fn sets(&self, key: &str) -> bool {
        match key {
            "url" => self.url.is_some(),
            "url-file" => self.url_file.is_some(),
            "url-env" => self.url_env.is_some(),
            "url-from" => self.url_from.is_some(),
            "body" => self.body.is_some(),
            "headers" => !self.headers.is_empty(),
            "secret-file" => self.secret_file.is_some(),
            "secret-env" => self.secret_env.is_some(),
            "secret-from" => self.secret_from.is_some(),
            "key-file" => self.key_file.is_some(),
            "key-env" => self.key_env.is_some(),
            "key-from" => self.key_from.is_some(),
            "quiet" => self.quiet.is_some(),
            "burst" => self.burst.is_some(),
            "heartbeat" => self.heartbeat.is_some(),
            "allow" => !self.allow.is_empty(),
            "path" => self.path.is_some(),
            "region" => self.region.is_some(),
            "file-as" => self.file_as.is_some(),
            "role" => self.role.is_some(),
            "topic" => self.topic.is_some(),
            "bus" => self.bus.is_some(),
            _ => false,
        }
    }

    /// The files that it names, relative to the folder of the configuration.
    pub(super) fn files(&self) -> Vec<&Path> {
        let Self { url_file, key_file, body, secret_file, headers, .. } = self;
        let single = [url_file, key_file, body].into_iter().flatten().map(PathBuf::as_path);
        let secrets = secret_file.iter().flat_map(Texts::all).map(Path::new);
        let kept = headers.values().filter_map(|kept| match kept {
            HeaderTable::File { file } => Some(file.as_path()),
            HeaderTable::Env { .. } => None,
        });
        single.chain(secrets).chain(kept).collect()
    }

    fn choices(&self) -> [(&'static str, &Vec<String>); 3] {
        [
            (filters::DETECTORS, &self.detectors),
            (filters::ACCOUNTS, &self.accounts),
            (filters::ACCOUNT_TAGS, &self.account_tags),
        ]
    }

    fn filter(&self) -> Filter {
        let [detectors, accounts, account_tags] =
            self.choices().map(|(_, patterns)| Choice::new(patterns.clone()));
        Filter { detectors, accounts, account_tags }
    }

    fn allowed(&self) -> Result<Allowed, Wrong> {
        let network = |text: &String| {
            text.parse::<Network>().map_err(|()| {
                let what = "is no address and no network (expected such as \"10.0.0.0/8\" or \"127.0.0.1\")";
                ("allow", format!("{} {what}", shown(text)))
            })
        };
        Ok(Allowed::new(self.allow.iter().map(network).collect::<Result<_, _>>()?))
    }
}

/// What of AWS is told, as patterns on ARNs. Of which account the own Security Hub is, no table says.
pub(super) fn own(sinks: &BTreeMap<String, SinkTable>) -> impl Iterator<Item = String> {
    sinks.values().flat_map(|sink| {
        let region = sink.region.as_deref().map_or_else(|| "*".to_owned(), literal);
        let named = |bus: &String| {
            let (of, bus) = (format!("arn:*:events:{region}:*:event-bus/"), literal(bus));
            if bus.starts_with("arn:") { bus } else { of + &bus }
        };
        let bus = sink.bus.as_ref().map(named);
        let is_of_members = sink.file_as == Some(FiledAs::Member);
        let hub = is_of_members.then(|| format!("arn:*:securityhub:{region}:*:hub/default"));
        let lake = sink.path.as_deref().and_then(Path::to_str).and_then(BucketPath::parse);
        let topic = sink.topic.as_deref().map(literal);
        [topic, bus, hub, lake.as_ref().map(own::objects)].into_iter().flatten()
    })
}

/// What is wrong with the tables, and where.
pub(super) fn check(sinks: &BTreeMap<String, SinkTable>, places: &Places) -> Result<(), Fault> {
    let fault = |name: &str, key: &str, what: String| {
        let (table, full) = (format!("sinks.{name}"), format!("sinks.{name}.{key}"));
        let at = places.get(&full).map(|place| place.value.start);
        let at = at.or_else(|| places.get(&table).map(|place| place.key.start));
        (at.unwrap_or_default(), format!("{}: {what}", if key.is_empty() { table } else { full }))
    };
    for (n, (name, sink)) in sinks.iter().enumerate() {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > NAME_CHARS_MAX || !name.chars().all(fits) {
            let at = places.get(&format!("sinks.{name}")).map_or(0, |place| place.key.start);
            let expected = format!(
                "expected lower-case letters, digits and `-`, {NAME_CHARS_MAX} of them at most"
            );
            return Err((at, format!("no name of a sink: {} ({expected})", shown(name))));
        }
        if n >= SINKS_MAX {
            return Err(fault(name, "", format!("more than {SINKS_MAX} sinks")));
        }
        sink.wrong().map_err(|(key, what)| fault(name, key, what))?;
    }
    Ok(())
}

/// What chooses nothing that there is, and may be a slip.
pub(super) fn slips(
    sinks: &BTreeMap<String, SinkTable>,
    known: &Known<'_>,
    places: &Places,
) -> Vec<Fault> {
    let of = |(name, sink): (&String, &SinkTable)| {
        let slip = |(key, patterns): (&str, &Vec<String>)| {
            let full = format!("sinks.{name}.{key}");
            let at = places.get(&full).map_or(0, |place| place.value.start);
            known.slip(key, patterns).map(|what| (at, format!("{full}: {what}")))
        };
        sink.choices().into_iter().filter_map(slip).collect::<Vec<_>>()
    };
    sinks.iter().flat_map(of).collect()
}

/// Reads what the tables name; `wrong` makes an error of a sink, its key, and what is wrong.
pub(super) fn sinks(
    tables: &BTreeMap<String, SinkTable>,
    (folder, access): (&Path, &Access),
    (variable, kept_by): (Variable<'_>, KeptBy<'_>),
    wrong: &dyn Fn(&str, Wrong) -> ConfigError,
) -> Result<Vec<Sink>, ConfigError> {
    let sink = |(name, table): (&String, &SinkTable)| {
        let held = Held { folder, access, variable, kept_by };
        let to = held.to(table).map_err(|what| wrong(name, what))?;
        let quiet = table.quiet.as_ref().map(QuietTable::quiet).transpose();
        let quiet = quiet.map_err(|what| wrong(name, what))?;
        let heartbeat_ms = table.heartbeat.map(|hours| i64::from(hours) * HOUR_MS);
        let sink = Sink::new(name, table.min_severity, to);
        let burst = table.burst.map_or(sink.burst, u64::from);
        Ok(Sink { filter: table.filter(), quiet, heartbeat_ms, burst, ..sink })
    };
    tables.iter().map(sink).collect()
}

#[cfg(test)]
mod tests;

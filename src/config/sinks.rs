//! Tables `[sinks.NAME]`: where findings are told. In: tables as they stand in the file, and what the files and
//! variables hold that they name. Out: sinks that can be used.
//!
//! No secret stands in the file itself, unlike `hash-key`: that one is of no use elsewhere, while whoever has
//! these can speak as sentrail to another system, and configurations are copied and checked in. A URL may stand
//! there, for those that hold no key; it is hidden all the same.

mod from;
mod held;

use super::{
    ConfigError,
    filters::{self, Known},
    keys::{Fault, Places, shown},
    quiet::{self, QuietTable},
    units,
};
use alerts::sinks::{
    Allowed, Choice, Endpoint, Filter, Network, REGION_CHARS_MAX, Sink, URL_BYTES_MAX,
    event_bridge::Bus, pagerduty::RoutingKey, sns::Topic,
};
use baseline::time::HOUR_MS;
use detect::Severity;
use from::FromTable;
pub(super) use from::offline;
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
/// One to sign with, and one that takes its place. Unit: secrets.
const SECRETS_MAX: usize = 2;
/// What a file or variable with a URL or a secret may hold: a URL is the longest. Unit: bytes.
const HELD_BYTES_MAX: usize = URL_BYTES_MAX + 2;

/// Messages that a chat may get at once, one by one. Unit: messages.
const BURSTS: std::ops::RangeInclusive<u32> = 1..=1_000;
/// IAM allows names of 64 and paths of 512. Unit: characters.
const ROLE_CHARS_MAX: usize = 576;

/// Types of sinks that take requests.
const REQUESTED: &[Type] = &[Type::Webhook, Type::Slack, Type::Teams, Type::Pagerduty];
/// Types of sinks that people may sit behind, who sleep.
const PEOPLE: &[Type] = &[Type::Webhook, Type::Slack, Type::Teams, Type::Pagerduty, Type::Sns];
/// Where a URL may stand.
const URLS: [&str; 4] = ["url", "url-file", "url-env", "url-from"];
/// Where a key may stand.
const KEYS: [&str; 3] = ["key-file", "key-env", "key-from"];
/// Keys that not every sink has, and the types that have them.
const OF: [(&str, &[Type]); 20] = [
    ("path", &[Type::JsonLines]),
    ("url", REQUESTED),
    ("url-file", REQUESTED),
    ("url-env", REQUESTED),
    ("url-from", REQUESTED),
    ("allow", REQUESTED),
    ("quiet", PEOPLE),
    ("burst", &[Type::Slack, Type::Teams]),
    ("heartbeat", &[Type::Webhook, Type::Slack, Type::Teams, Type::Sns]),
    ("secret-file", &[Type::Webhook]),
    ("secret-env", &[Type::Webhook]),
    ("secret-from", &[Type::Webhook]),
    ("key-file", &[Type::Pagerduty]),
    ("key-env", &[Type::Pagerduty]),
    ("key-from", &[Type::Pagerduty]),
    ("region", &[Type::SecurityHub, Type::Eventbridge]),
    ("file-as", &[Type::SecurityHub]),
    ("role", &[Type::SecurityHub]),
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
    /// The file to append to; relative to the folder of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    /// The region whose Security Hub or bus it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    /// Under which account findings are filed.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_as: Option<FiledAs>,
    /// Name of a role that every account has.
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
        }
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

/// Of a key that names where a secret is.
const HOLDS_IT: &str = "holds the secret itself (expected the name of where it is kept)";

/// What is wrong with a key of a table.
type Wrong = (&'static str, String);

impl SinkTable {
    fn sets(&self, key: &str) -> bool {
        match key {
            "url" => self.url.is_some(),
            "url-file" => self.url_file.is_some(),
            "url-env" => self.url_env.is_some(),
            "url-from" => self.url_from.is_some(),
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

    /// What can be told without a look at other files.
    fn wrong(&self) -> Result<(), Wrong> {
        for (key, patterns) in self.choices() {
            filters::wrong(patterns).map_err(|what| (key, what))?;
        }
        let is_foreign =
            |(key, types): &&(&str, &[Type])| self.sets(key) && !types.contains(&self.r#type);
        if let Some((key, types)) = OF.iter().find(is_foreign) {
            return Err((key, format!("only a sink of type {} has it", names(types))));
        }
        self.quiet.as_ref().map(QuietTable::quiet).transpose()?;
        for (key, from) in self.kept() {
            from.place().map_err(|what| (key, what))?;
        }
        if self.burst.is_some_and(|burst| !BURSTS.contains(&burst)) {
            let (low, high) = (BURSTS.start(), BURSTS.end());
            return Err(("burst", format!("expected a whole number from {low} to {high}")));
        }
        match self.r#type {
            Type::JsonLines => {
                let missing = || ("", "no path (expected `path = \"FILE\"`)".to_owned());
                self.path.as_ref().map(drop).ok_or_else(missing)
            }
            Type::SecurityHub => self.wrong_filing(),
            Type::Sns => self.topic().map(drop),
            Type::Eventbridge => self.wrong_region().and_then(|()| self.bus().map(drop)),
            Type::Webhook | Type::Slack | Type::Teams | Type::Pagerduty => self.wrong_request(),
        }
    }

    fn wrong_request(&self) -> Result<(), Wrong> {
        if self.one_of(&URLS)?.is_none() && self.r#type != Type::Pagerduty {
            return Err((
                "",
                "no URL (expected `url`, `url-file`, `url-env` or `url-from`)".to_owned(),
            ));
        }
        let allowed = self.allowed()?;
        if let Some(Hidden(url)) = &self.url {
            Endpoint::parse(url, &allowed).map_err(|error| ("url", error.to_string()))?;
        }
        if self.r#type == Type::Pagerduty { self.wrong_key() } else { self.wrong_secrets() }
    }

    fn topic(&self) -> Result<Topic, Wrong> {
        let missing = || ("", "no topic (expected `topic = \"ARN\"`)".to_owned());
        let text = self.topic.as_ref().ok_or_else(missing)?;
        Topic::parse(text).map_err(|error| ("topic", error.to_string()))
    }

    fn bus(&self) -> Result<Bus, Wrong> {
        let bus = self.bus.as_deref().map(Bus::parse).transpose();
        let bus = bus.map_err(|error| ("bus", error.to_string()))?.unwrap_or_default();
        if self.region.is_some() && bus.region().is_some() {
            return Err(("region", "stands in the ARN of the bus, too".to_owned()));
        }
        Ok(bus)
    }

    fn wrong_region(&self) -> Result<(), Wrong> {
        if let Some(region) = &self.region
            && !is_word(region, REGION_CHARS_MAX, "-")
        {
            let what =
                format!("{} is no region (expected such as \"eu-central-1\")", shown(region));
            return Err(("region", what));
        }
        Ok(())
    }

    fn wrong_filing(&self) -> Result<(), Wrong> {
        self.wrong_region()?;
        match (self.file_as, &self.role) {
            (Some(FiledAs::Member), None) => {
                let what =
                    "needs the name of a role that each account has (expected `role = \"NAME\"`)";
                Err(("file-as", what.to_owned()))
            }
            (None | Some(FiledAs::Own), Some(_)) => {
                Err(("role", "is assumed only where `file-as = \"member\"`".to_owned()))
            }
            // A path may stand before the name.
            (_, Some(role)) if !is_word(role, ROLE_CHARS_MAX, "+=,.@_/-") => {
                let what = format!("{} is no name of a role (not its ARN)", shown(role));
                Err(("role", what))
            }
            _ => Ok(()),
        }
    }

    fn wrong_key(&self) -> Result<(), Wrong> {
        let Some(key) = self.one_of(&KEYS)? else {
            return Err(("", "no key (expected `key-file`, `key-env` or `key-from`)".to_owned()));
        };
        let file = self.key_file.as_deref().and_then(Path::to_str);
        let named = file.or(self.key_env.as_deref()).unwrap_or_default();
        if RoutingKey::parse(named).is_ok() {
            return Err((key, HOLDS_IT.to_owned()));
        }
        Ok(())
    }

    /// Which of these keys is set, of which at most one may be.
    fn one_of(&self, keys: &[&'static str]) -> Result<Option<&'static str>, Wrong> {
        let set: Vec<_> = keys.iter().copied().filter(|key| self.sets(key)).collect();
        match set[..] {
            [first, second, ..] => {
                Err((second, format!("{first} stands there, too (expected one of them)")))
            }
            _ => Ok(set.first().copied()),
        }
    }

    fn wrong_secrets(&self) -> Result<(), Wrong> {
        let named = [("secret-file", &self.secret_file), ("secret-env", &self.secret_env)];
        let named = named.into_iter().filter_map(|(key, texts)| Some((key, texts.as_ref()?.all())));
        let named: Vec<_> = named.collect();
        for (key, texts) in &named {
            if texts.iter().any(|text| text.trim_start().starts_with("whsec_")) {
                return Err((key, HOLDS_IT.to_owned()));
            }
        }
        let n: usize = named.iter().map(|(_, texts)| texts.len()).sum();
        match named.last() {
            // A rotation has two.
            Some((key, _)) if self.secret_from.is_some() => {
                Err((key, "secret-from stands there, too (expected one of them)".to_owned()))
            }
            Some((key, _)) if n > SECRETS_MAX => {
                Err((key, format!("{n} secrets (expected {SECRETS_MAX} at most)")))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a text is of ASCII letters, digits and these characters alone.
fn is_word(text: &str, chars_max: usize, others: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    (1..=chars_max).contains(&text.len()) && text.chars().all(fits)
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

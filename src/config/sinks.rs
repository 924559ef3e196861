//! Tables `[sinks.NAME]`: where findings are told. In: tables as they stand in the file, and what the files and
//! variables hold that they name. Out: sinks that can be used.
//!
//! No secret stands in the file itself, unlike `hash-key`: that one is of no use elsewhere, while whoever has
//! these can speak as sentrail to another system, and configurations are copied and checked in. A URL may stand
//! there, for those that hold no key; it is hidden all the same.

use super::{
    ConfigError,
    filters::{self, Known},
    keys::{Fault, Places, shown},
    quiet::{self, QuietTable},
    units,
};
use alerts::sinks::{
    Allowed, Choice, Endpoint, Filter, Form, Network, Secret, Sink, To, URL_BYTES_MAX, json_lines,
    pagerduty::{self, RoutingKey},
    webhook,
};
use baseline::time::HOUR_MS;
use detect::Severity;
use serde::{Deserialize, Serialize, Serializer};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::File,
    io::{self, Read},
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
/// What people read one after the other. Unit: messages.
const BURST_DEFAULT: u32 = 10;

/// Types of sinks that take requests.
const REQUESTED: &[Type] = &[Type::Webhook, Type::Slack, Type::Teams, Type::Pagerduty];
/// Where a URL may stand.
const URLS: [&str; 3] = ["url", "url-file", "url-env"];
/// Where a key may stand.
const KEYS: [&str; 2] = ["key-file", "key-env"];
/// Keys that not every sink has, and the types that have them.
const OF: [(&str, &[Type]); 12] = [
    ("path", &[Type::JsonLines]),
    ("url", REQUESTED),
    ("url-file", REQUESTED),
    ("url-env", REQUESTED),
    ("allow", REQUESTED),
    ("quiet", REQUESTED),
    ("burst", &[Type::Slack, Type::Teams]),
    ("heartbeat", &[Type::Webhook, Type::Slack, Type::Teams]),
    ("secret-file", &[Type::Webhook]),
    ("secret-env", &[Type::Webhook]),
    ("key-file", &[Type::Pagerduty]),
    ("key-env", &[Type::Pagerduty]),
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
    /// The same of the secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_file: Option<Texts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_env: Option<Texts>,
    /// The same of the key of an integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_env: Option<String>,
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
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Type {
    Webhook,
    JsonLines,
    Slack,
    Teams,
    Pagerduty,
}

impl Type {
    #[cfg(test)]
    const ALL: &[Self] =
        &[Self::Webhook, Self::JsonLines, Self::Slack, Self::Teams, Self::Pagerduty];

    fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::JsonLines => "json-lines",
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Pagerduty => "pagerduty",
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
        let value = if key == "quiet" { quiet::known() } else { Value::String(String::new()) };
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
            "secret-file" => self.secret_file.is_some(),
            "secret-env" => self.secret_env.is_some(),
            "key-file" => self.key_file.is_some(),
            "key-env" => self.key_env.is_some(),
            "quiet" => self.quiet.is_some(),
            "burst" => self.burst.is_some(),
            "heartbeat" => self.heartbeat.is_some(),
            "allow" => !self.allow.is_empty(),
            "path" => self.path.is_some(),
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
        if self.burst.is_some_and(|burst| !BURSTS.contains(&burst)) {
            let (low, high) = (BURSTS.start(), BURSTS.end());
            return Err(("burst", format!("expected a whole number from {low} to {high}")));
        }
        if self.r#type == Type::JsonLines {
            let missing = || ("", "no path (expected `path = \"FILE\"`)".to_owned());
            return self.path.as_ref().map(drop).ok_or_else(missing);
        }
        if self.one_of(&URLS)?.is_none() && self.r#type != Type::Pagerduty {
            return Err(("", "no URL (expected `url`, `url-file` or `url-env`)".to_owned()));
        }
        let allowed = self.allowed()?;
        if let Some(Hidden(url)) = &self.url {
            Endpoint::parse(url, &allowed).map_err(|error| ("url", error.to_string()))?;
        }
        if self.r#type == Type::Pagerduty { self.wrong_key() } else { self.wrong_secrets() }
    }

    fn wrong_key(&self) -> Result<(), Wrong> {
        let Some(key) = self.one_of(&KEYS)? else {
            return Err(("", "no key (expected `key-file` or `key-env`)".to_owned()));
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
            Some((key, _)) if n > SECRETS_MAX => {
                Err((key, format!("{n} secrets (expected {SECRETS_MAX} at most)")))
            }
            _ => Ok(()),
        }
    }
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
    folder: &Path,
    variable: &dyn Fn(&str) -> Option<OsString>,
    wrong: &dyn Fn(&str, Wrong) -> ConfigError,
) -> Result<Vec<Sink>, ConfigError> {
    let sink = |(name, table): (&String, &SinkTable)| {
        let to = Held { folder, variable }.to(table).map_err(|what| wrong(name, what))?;
        let quiet = table.quiet.as_ref().map(QuietTable::quiet).transpose();
        let quiet = quiet.map_err(|what| wrong(name, what))?;
        let (name, filter, min_severity) = (name.clone(), table.filter(), table.min_severity);
        let heartbeat_ms = table.heartbeat.map(|hours| i64::from(hours) * HOUR_MS);
        let burst = table.burst.unwrap_or(BURST_DEFAULT).into();
        Ok(Sink { name, min_severity, filter, quiet, heartbeat_ms, burst, to })
    };
    tables.iter().map(sink).collect()
}

/// Where secrets are kept.
struct Held<'c> {
    folder: &'c Path,
    variable: &'c dyn Fn(&str) -> Option<OsString>,
}

impl Held<'_> {
    fn to(&self, table: &SinkTable) -> Result<To, Wrong> {
        if let Some(path) = &table.path {
            return Ok(To::JsonLines(json_lines::Settings { path: self.folder.join(path) }));
        }
        let allowed = table.allowed()?;
        let (key, url) = if let Some(Hidden(url)) = &table.url {
            ("url", url.clone())
        } else if let Some(file) = &table.url_file {
            ("url-file", self.file(file).map_err(|what| ("url-file", what))?)
        } else if let Some(name) = &table.url_env {
            ("url-env", self.env(name).map_err(|what| ("url-env", what))?)
        } else {
            ("", pagerduty::URL.to_owned())
        };
        let endpoint =
            Endpoint::parse(url.trim(), &allowed).map_err(|error| (key, error.to_string()))?;
        let form = match table.r#type {
            Type::Slack => Form::Slack,
            Type::Teams => Form::Teams,
            Type::Pagerduty => Form::PagerDuty(self.key(table)?),
            Type::Webhook | Type::JsonLines => Form::Standard(self.secrets(table)?),
        };
        Ok(To::Webhook(webhook::Settings { endpoint, form, allowed }))
    }

    fn key(&self, table: &SinkTable) -> Result<RoutingKey, Wrong> {
        let (key, held) = match (&table.key_file, &table.key_env) {
            (Some(file), _) => ("key-file", self.file(file)),
            (None, name) => ("key-env", self.env(name.as_deref().unwrap_or_default())),
        };
        let held = held.map_err(|what| (key, what))?;
        RoutingKey::parse(&held).map_err(|error| (key, error.to_string()))
    }

    fn secrets(&self, table: &SinkTable) -> Result<Vec<Secret>, Wrong> {
        let mut secrets = Vec::new();
        for file in table.secret_file.iter().flat_map(Texts::all) {
            let key = "secret-file";
            let text = self.file(Path::new(file)).map_err(|what| (key, what))?;
            secrets.push(Secret::parse(&text).map_err(|error| (key, error.to_string()))?);
        }
        for name in table.secret_env.iter().flat_map(Texts::all) {
            let key = "secret-env";
            let text = self.env(name).map_err(|what| (key, what))?;
            secrets.push(Secret::parse(&text).map_err(|error| (key, error.to_string()))?);
        }
        Ok(secrets)
    }

    fn file(&self, path: &Path) -> Result<String, String> {
        let path = self.folder.join(path);
        let mut text = String::new();
        let read = File::open(&path)
            .and_then(|file| file.take(HELD_BYTES_MAX as u64 + 1).read_to_string(&mut text));
        match read {
            Ok(_) if text.len() <= HELD_BYTES_MAX => Ok(text),
            Ok(_) => Err(format!("{} holds more than {HELD_BYTES_MAX} bytes", path.display())),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(format!("{} is not UTF-8", path.display()))
            }
            Err(error) => Err(format!("cannot read {}: {error}", path.display())),
        }
    }

    fn env(&self, name: &str) -> Result<String, String> {
        let held = (self.variable)(name).filter(|held| !held.is_empty());
        let held = held.ok_or_else(|| format!("no variable {} in the environment", shown(name)))?;
        held.into_string().map_err(|_| format!("the variable {} is not UTF-8", shown(name)))
    }
}

#[cfg(test)]
mod tests;

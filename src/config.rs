//! Settings: one TOML file, checked as a whole before anything starts. In: a path or nothing. Out:
//! checked values, and where each came from. Of the environment it reads what says whether to colour,
//! and what sinks are said to keep there.

mod accounts;
mod aws;
mod changes;
mod document;
mod files;
mod filters;
mod keys;
mod kinds;
mod organization;
pub(crate) mod own;
mod quiet;
mod rules;
mod sinks;
mod suppressions;
mod units;

pub(crate) use changes::changes;
#[cfg(test)]
pub(crate) use changes::{LINES_MAX, NAMES_MAX};
pub(crate) use detect::suggest;
pub(crate) use files::{Seen, named};
pub(crate) use keys::unknown;
pub(crate) use rules::{Tally, n_of, rule_files};

use crate::{aws::secrets, pipeline::BATCH_BYTES_MAX};
use alerts::{
    Accounts, Suppressions,
    sinks::{KeptSecret, Sink},
};
use aws::AwsTable;
use baseline::{HashKey, Lateness, stable_hash};
use detect::rules::Names;
use files::Stamp;
use filters::Known;
use ingest::{
    enrich::{Enrich, EnrichError},
    source::session::{Access, Gate},
};
use keys::{Fault, Places};
use kinds::KindPatterns;
use organization::OrganizationTable;
use rules::{DecoyNames, ListFile, Loaded, Named};
use serde::{Deserialize, Serialize};
use sinks::{KeptBy, SinkTable, Variable};
use std::{
    collections::BTreeMap,
    env,
    ffi::OsStr,
    fmt,
    fs::File,
    io::{self, Read},
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
};
use toml::{Table, de::DeTable};
use units::Size;

/// Largest configuration file that is read. Unit: bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file is missing or unreadable.
    #[error("cannot read configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that it names is missing or unreadable.
    #[error("cannot read {} (expected the file that `{key}` names)", path.display())]
    ReadNamed {
        /// The setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is too large.
    #[error("configuration {} is larger than {FILE_BYTES_MAX} bytes", .0.display())]
    TooLarge(PathBuf),
    /// The file says something that cannot hold.
    #[error("{}:{line}:{column}: {what}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1. Unit: characters.
        column: usize,
        /// What is wrong, and what was expected.
        what: String,
    },
    /// Too much is named as its own.
    #[error(
        "more than {} ARNs are sentrail's own (expected fewer in `own`, --own and sinks together)",
        detect::Own::MAX
    )]
    TooMuchOwn,
    /// Rules or lists that cannot be used, one line each.
    #[error("{}", .0.join("; "))]
    Rules(Vec<String>),
}

/// What may be taken in all, if nothing else is set. Unit: bytes.
const MEMORY_BYTES_DEFAULT: u64 = 4 << 30;
/// What fingerprints may take of it at most, and what is read at once: records in memory are ten times what is stored,
/// and where each is of somebody else, their names and matches twice as much again.
const DUPLICATES_SHARE: u64 = 4;
const BATCH_SHARE: u64 = 256;
/// Less at once is not worth it. Unit: compressed bytes.
const BATCH_BYTES_MIN: u64 = 1 << 20;

/// The file as values.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    /// How late a record may come and still be in time.
    #[serde(with = "units::lateness")]
    lateness: Lateness,
    /// Key of the hashes that order bounded memories. A secret.
    #[serde(with = "units::hash_key")]
    hash_key: HashKey,
    /// The alert budget: identities whose unusual behaviour is an alert on one day, at most.
    #[serde(deserialize_with = "units::from_one")]
    alerts_per_day: NonZeroU32,
    /// Memory for the fingerprints that find records delivered twice.
    duplicates_budget: Size,
    /// Memory for everything, about: profiles that it has no room for lie on disk.
    memory: Size,
    /// What one object may inflate to.
    max_inflated: Size,
    /// mmdb file with cities; relative to the folder of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    city_database: Option<PathBuf>,
    /// What people call accounts; relative to the folder of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<PathBuf>,
    /// Findings of which nobody has to be told; relative to the folder of the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressions: Option<PathBuf>,
    /// Folders and files of rules; relative to the folder of the configuration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules: Vec<PathBuf>,
    /// Folders and files of rules that other people look after: what cannot be used is left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rules_of_others: Vec<PathBuf>,
    /// ARNs of what sentrail itself lives on, `*` and `?` as in all patterns.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    own: Vec<String>,
    /// Table `[placeholders]`: values that rules ask for as `%name%`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    placeholders: BTreeMap<String, Vec<String>>,
    /// Tables `[lists.NAME]`: addresses that rules ask for by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    lists: BTreeMap<String, ListFile>,
    /// Table `[decoys]`.
    #[serde(skip_serializing_if = "DecoyNames::is_empty")]
    decoys: DecoyNames,
    /// Table `[kinds]`: patterns on the keys of identities.
    #[serde(skip_serializing_if = "KindPatterns::is_empty")]
    kinds: KindPatterns,
    /// Tables `[sinks.NAME]`: where findings are told.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    sinks: BTreeMap<String, SinkTable>,
    /// Table `[aws]`.
    #[serde(skip_serializing_if = "AwsTable::is_default")]
    aws: AwsTable,
    /// Table `[organization]`.
    #[serde(skip_serializing_if = "OrganizationTable::is_default")]
    organization: OrganizationTable,
    /// Table `[detectors]`.
    detectors: detect::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        let options = detect::Options::default();
        Self {
            lateness: options.lateness,
            hash_key: options.hash_key,
            alerts_per_day: options.alerts_per_day,
            duplicates_budget: Size(options.duplicates_budget_bytes as u64),
            memory: Size(MEMORY_BYTES_DEFAULT),
            max_inflated: Size(ingest::decode::INFLATED_BYTES_MAX),
            city_database: None,
            accounts: None,
            suppressions: None,
            rules: Vec::new(),
            rules_of_others: Vec::new(),
            own: Vec::new(),
            placeholders: BTreeMap::new(),
            lists: BTreeMap::new(),
            decoys: DecoyNames::default(),
            kinds: KindPatterns::default(),
            sinks: BTreeMap::new(),
            aws: AwsTable::default(),
            organization: OrganizationTable::default(),
            detectors: options.detectors,
        }
    }
}

impl Settings {
    /// What the file at `path` names besides values.
    fn named<'s>(&'s self, path: &'s Path) -> Named<'s> {
        let Self { rules, rules_of_others, placeholders, lists, decoys, .. } = self;
        let folder = path.parent().unwrap_or(Path::new(""));
        Named { rules, rules_of_others, placeholders, lists, decoys, folder }
    }
}

/// What the file at `path` gives rules to ask for: placeholders, lists and decoys. Its own rules are
/// not looked at.
pub(crate) fn names(path: Option<&Path>) -> Result<Names, ConfigError> {
    let Some(path) = path else { return Ok(Names::default()) };
    let text = read(path)?;
    let (settings, _) = parse(&text).map_err(|fault| wrong(path, &text, fault))?;
    rules::names_of(&settings.named(path))
}

fn wrong(path: &Path, text: &str, (at, what): Fault) -> ConfigError {
    let (line, column) = position(text, at);
    ConfigError::Wrong { path: path.to_owned(), line, column, what }
}

/// The settings in force.
#[derive(Clone)]
pub(crate) struct Config {
    settings: Settings,
    path: Option<PathBuf>,
    text: String,
    places: Places,
    loaded: Loaded,
    accounts: Arc<Accounts>,
    suppressions: Arc<Suppressions>,
    /// What was seen of the city database.
    city: Option<Stamp>,
    warnings: Vec<String>,
    /// What the command line named of sentrail's own, which stands in the settings, too.
    commanded: Vec<String>,
    /// What is asked of AWS goes through it.
    gate: Gate,
}

/// The text of the file may hold a secret.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Config({})", self.hash())
    }
}

impl Config {
    /// Reads the file at `path`; without one, the defaults.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, ConfigError> {
        let Some(path) = path else { return Ok(Self::built_in()) };
        let text = read(path)?;
        let wrong = |fault| wrong(path, &text, fault);
        let (mut settings, places) = parse(&text).map_err(wrong)?;
        own::add(&mut settings.own, sinks::own(&settings.sinks))?;
        let loaded = rules::load(&settings.named(path))?;
        let rules = (&*loaded.rules, !settings.rules_of_others.is_empty());
        let told = keys::check_ids(&settings.detectors, rules, &places).map_err(wrong)?;
        let mut warnings: Vec<_> = told.into_iter().map(|one| wrong(one).to_string()).collect();
        let beside = |file: &PathBuf| settings.named(path).folder.join(file);
        let accounts = settings.accounts.as_ref().map(|file| accounts::load(&beside(file)));
        let accounts = Arc::new(accounts.transpose()?.unwrap_or_default());
        let city = settings.city_database.as_ref().and_then(|file| Stamp::of(&beside(file)));
        let known = Known::new(&loaded.rules, &accounts);
        let file = settings.suppressions.as_ref();
        let suppressions =
            file.map(|file| suppressions::load(&beside(file), known.ids())).transpose()?;
        let (suppressions, told) = suppressions.unwrap_or_default();
        let slips = sinks::slips(&settings.sinks, &known, &places);
        warnings.extend(slips.into_iter().map(|one| wrong(one).to_string()).chain(told));
        let (path, suppressions) = (Some(path.to_owned()), Arc::new(suppressions));
        let built_in = Self::built_in();
        Ok(Self {
            settings,
            path,
            text,
            places,
            loaded,
            accounts,
            suppressions,
            city,
            warnings,
            ..built_in
        })
    }

    /// What holds without a file.
    fn built_in() -> Self {
        Self {
            settings: Settings::default(),
            path: None,
            text: String::new(),
            places: Places::new(),
            loaded: Loaded::built_in(),
            accounts: Arc::default(),
            suppressions: Arc::default(),
            city: None,
            warnings: Vec::new(),
            commanded: Vec::new(),
            gate: Gate::default(),
        }
    }

    /// What changes how logs are read and judged.
    pub(crate) fn options(&self) -> detect::Options {
        let Size(budget) = self.settings.duplicates_budget;
        let budget = budget.min(self.settings.memory.0 / DUPLICATES_SHARE);
        detect::Options {
            lateness: self.settings.lateness,
            hash_key: self.settings.hash_key,
            kinds: Arc::new(self.settings.kinds.kinds()),
            alerts_per_day: self.settings.alerts_per_day,
            duplicates_budget_bytes: usize::try_from(budget).unwrap_or(usize::MAX),
            detectors: self.settings.detectors.clone(),
            own: Arc::new(detect::Own::of(self.settings.own.iter().cloned())),
            rules: Arc::clone(&self.loaded.rules),
            lessons: Arc::default(),
        }
    }

    /// What may be a slip, with file and line, and stops no start.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What people call accounts.
    pub(crate) fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
    }

    /// How AWS Organizations is reached, if it is to be asked what accounts are called.
    pub(crate) fn organization(&self) -> Option<Access> {
        self.settings.organization.access(self.access())
    }

    /// The same, where AWS is reached through this gate.
    #[must_use]
    pub(crate) fn behind(self, gate: Gate) -> Self {
        Self { gate, ..self }
    }

    /// The same, where accounts of which the file says nothing are called so.
    #[must_use]
    pub(crate) fn with_names(self, others: &Accounts) -> Self {
        let accounts = Arc::new(self.accounts.beside(others));
        Self { accounts, ..self }
    }

    /// The same, where this is sentrail's own, too.
    pub(crate) fn with_own(
        mut self,
        more: impl IntoIterator<Item = String>,
    ) -> Result<Self, ConfigError> {
        self.commanded.extend(more);
        own::add(&mut self.settings.own, self.commanded.iter().cloned())?;
        Ok(self)
    }

    /// What sentrail itself lives on: patterns on ARNs.
    pub(crate) fn own(&self) -> &[String] {
        &self.settings.own
    }

    /// Of which findings nobody has to be told.
    pub(crate) fn suppressions(&self) -> &Arc<Suppressions> {
        &self.suppressions
    }

    /// What was read of the files of rules; `None` where none are named.
    pub(crate) fn tally(&self) -> Option<&Tally> {
        self.loaded.tally.as_ref()
    }

    /// The rules in force.
    pub(crate) fn rules(&self) -> &detect::Rules {
        &self.loaded.rules
    }

    /// What profiles may take: half of the memory. The other half is for objects, their records and
    /// fingerprints. Unit: bytes.
    pub(crate) fn profiles_bytes_max(&self) -> usize {
        usize::try_from(self.settings.memory.0 / 2).unwrap_or(usize::MAX)
    }

    /// What is read at once. Unit: compressed bytes.
    pub(crate) fn batch_bytes_max(&self) -> u64 {
        (self.settings.memory.0 / BATCH_SHARE).clamp(BATCH_BYTES_MIN, BATCH_BYTES_MAX)
    }

    /// What one object may inflate to. Unit: bytes.
    pub(crate) fn inflated_bytes_max(&self) -> u64 {
        self.settings.max_inflated.0
    }

    /// The city database, relative to the folder of the configuration.
    pub(crate) fn city_database(&self) -> Option<PathBuf> {
        let folder = self.path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        self.settings.city_database.as_ref().map(|file| folder.join(file))
    }

    /// The tables about addresses, with the city database if there is one.
    pub(crate) fn enrich(&self) -> Result<Enrich, EnrichError> {
        let city = self.city_database();
        city.map_or_else(|| Ok(Enrich::built_in()), |path| Enrich::with_city(&path))
    }

    /// What findings name of this run.
    pub(crate) fn inputs(&self, enrich: &Enrich) -> alerts::Inputs {
        let city = self.settings.city_database.as_ref().map(|path| path.display().to_string());
        alerts::Inputs::new(env!("CARGO_PKG_VERSION"), self.hash(), enrich.dates(), city)
            .of(Arc::clone(&self.accounts))
    }

    /// Hash of what is in force, 32 hexadecimal digits: equal for files that mean the same. It holds
    /// the hash key but does not tell it, and what the files of rules and lists say. Where findings are told
    /// and which are not, what accounts are called, and how much memory there is, changes none of them, and is no
    /// part of it; but the topics, buses and buckets of sinks are its own, and who touches them is found.
    pub(crate) fn hash(&self) -> String {
        let mut effective = self.effective();
        for indifferent in ["accounts", "memory", "organization", "sinks", "suppressions"] {
            effective.remove(indifferent);
        }
        let effective = effective.to_string();
        let files = self.loaded.hash.map(u128::to_le_bytes);
        let fields =
            std::iter::once(effective.as_bytes()).chain(files.iter().map(|hash| &hash[..]));
        format!("{:032x}", stable_hash(&fields.collect::<Vec<_>>()))
    }

    /// Whether the hash key is the one that everybody knows.
    pub(crate) fn is_default_key(&self) -> bool {
        self.settings.hash_key == HashKey::DEFAULT
    }

    /// How buckets and queues are reached.
    pub(crate) fn access(&self) -> Access {
        Access { gate: self.gate.clone(), ..self.settings.aws.access() }
    }

    /// Where findings are told, with the secrets that files, the environment and AWS Secrets Manager hold.
    pub(crate) fn sinks(&self) -> Result<Vec<Sink>, ConfigError> {
        let kept_by =
            |secret: &KeptSecret, is_rotated| secrets::read(&self.access(), secret, is_rotated);
        self.sinks_in(&self.settings.sinks, (&|name| env::var_os(name), &kept_by))
    }

    /// The sink of this name, with the secrets that are in force now.
    pub(crate) fn sink(&self, name: &str) -> Result<Option<Sink>, ConfigError> {
        let one = self.settings.sinks.iter().filter(|(own, _)| *own == name);
        let one = one.map(|(name, table)| (name.clone(), table.clone())).collect();
        let kept_by =
            |secret: &KeptSecret, is_rotated| secrets::read(&self.access(), secret, is_rotated);
        Ok(self.sinks_in(&one, (&|name| env::var_os(name), &kept_by))?.pop())
    }

    /// What AWS Secrets Manager keeps of sinks, by their names and keys.
    pub(crate) fn kept_secrets(&self) -> Vec<(String, KeptSecret)> {
        sinks::kept(&self.settings.sinks)
    }

    /// Whether a sink is a service of AWS.
    pub(crate) fn tells_aws(&self) -> bool {
        self.settings.sinks.values().any(SinkTable::is_of_aws)
    }

    /// The sinks of which nothing has to be asked of AWS, and how many others there are.
    pub(crate) fn sinks_offline(&self) -> Result<(Vec<Sink>, usize), ConfigError> {
        let here = sinks::offline(&self.settings.sinks);
        let n_others = self.settings.sinks.len() - here.len();
        let kept_by = |_: &KeptSecret, _| Err("is not asked for".to_owned());
        Ok((self.sinks_in(&here, (&|name| env::var_os(name), &kept_by))?, n_others))
    }

    fn sinks_in(
        &self,
        tables: &BTreeMap<String, SinkTable>,
        held: (Variable<'_>, KeptBy<'_>),
    ) -> Result<Vec<Sink>, ConfigError> {
        let path = self.path.as_deref().unwrap_or(Path::new(""));
        let folder = path.parent().unwrap_or(Path::new(""));
        sinks::sinks(tables, (folder, &self.access()), held, &|sink, (key, what)| {
            let key = format!("sinks.{sink}.{key}");
            let at = self.places.get(&key).map_or(0, |place| place.value.start);
            wrong(path, &self.text, (at, format!("{key}: {what}")))
        })
    }

    /// What is in force, as TOML. Holds the hash key, and no secret of a sink.
    pub(crate) fn effective(&self) -> Table {
        table(&self.settings)
    }

    /// Where a key by its dotted name was set: `default`, or `FILE:LINE`.
    pub(crate) fn origin(&self, name: &str) -> String {
        match (self.places.get(name), &self.path) {
            (Some(place), Some(path)) => {
                let (line, _) = position(&self.text, place.key.start);
                format!("{}:{line}", path.display())
            }
            _ => "default".to_owned(),
        }
    }
}

/// Whether to colour what goes to a place that is a terminal or not: `NO_COLOR` (no-color.org) and
/// `CLICOLOR_FORCE` (bixense.com/clicolors) decide before that, in this order.
pub(crate) fn is_coloured(is_terminal: bool) -> bool {
    let [never, always] = ["NO_COLOR", "CLICOLOR_FORCE"].map(env::var_os);
    decide_colour(is_terminal, never.as_deref(), always.as_deref())
}

fn decide_colour(is_terminal: bool, never: Option<&OsStr>, always: Option<&OsStr>) -> bool {
    let is_set = |value: Option<&OsStr>| value.is_some_and(|value| !value.is_empty());
    let is_forced = is_set(always) && always != Some(OsStr::new("0"));
    !is_set(never) && (is_forced || is_terminal)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    let failed = |source| ConfigError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(ConfigError::TooLarge(path.to_owned()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let (line, column) = position(&text, valid);
        let what = "not UTF-8".to_owned();
        ConfigError::Wrong { path: path.to_owned(), line, column, what }
    })
}

fn parse(text: &str) -> Result<(Settings, Places), Fault> {
    let fault = |error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        (at, units::plain(&error.message().replace('\n', ", ")))
    };
    let document = DeTable::parse(text).map_err(fault)?;
    let mut places = Places::new();
    let known = keys::known(&table(&Settings::default()));
    keys::locate(document.get_ref(), &known, "", &mut places)?;
    let settings: Settings = toml::from_str(text).map_err(fault)?;
    keys::check_numbers(&table(&settings), "", &places)?;
    settings.kinds.check(&places)?;
    settings.decoys.check(&places)?;
    sinks::check(&settings.sinks, &places)?;
    own::check(&settings.own, &places)?;
    settings.organization.check(&places)?;
    Ok((settings, places))
}

fn table(settings: &Settings) -> Table {
    // Fails for what TOML cannot hold; the tests serialize every kind of field there is.
    Table::try_from(settings).unwrap_or_default()
}

/// Line and column of a byte offset, both from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).unwrap_or_default().chars().count();
    (before.matches('\n').count() + 1, column + 1)
}

#[cfg(test)]
pub(crate) mod tests;

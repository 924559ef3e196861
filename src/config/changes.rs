//! What is another in a configuration that takes the place of one in force, in lines for the log; and what of it has
//! to wait for a restart. In: both. Out: lines, bounded, without any secret.

use super::{Config, ConfigError, Settings, keys::WORD_CHARS_MAX, n_of, table};
use alerts::{Accounts, Suppression, Suppressions, sinks::Sink};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};
use toml::{Table, Value};

/// Lines about what changed: of more it is told how many. Unit: lines.
pub(crate) const LINES_MAX: usize = 16;
/// Names in a line: of more it is told how many. Unit: names.
pub(crate) const NAMES_MAX: usize = 12;

/// Of these it is told that they changed, and not what they are.
const HIDDEN: &[&str] = &["aws.external-id", "decoys", "hash-key", "placeholders"];
/// The list whose items are ids.
const OF_IDS: &str = "detectors.disable";

/// A configuration with its sinks, whose secrets were read.
pub(crate) type WithSinks<'c> = (&'c Config, &'c [Sink]);

impl Config {
    /// The same, but for what cannot change while a process runs: of that it has what `started` has. Answers what
    /// waits for a restart, in lines.
    pub(crate) fn going_on(self, started: &Self) -> Result<(Self, Vec<String>), ConfigError> {
        let Settings { lateness, hash_key, duplicates_budget, memory, max_inflated, aws, .. } =
            &started.settings;
        let settings = Settings {
            lateness: *lateness,
            hash_key: *hash_key,
            duplicates_budget: *duplicates_budget,
            memory: *memory,
            max_inflated: *max_inflated,
            aws: aws.clone(),
            organization: started.settings.organization.clone(),
            ..self.settings.clone()
        };
        let waiting = settings_changed(&table(&settings), &table(&self.settings));
        // A state is bound to these.
        let bound = ["hash-key", "lateness"];
        let says = |line: String| {
            let is_bound = bound.iter().any(|key| line.starts_with(key));
            if is_bound { format!("{line} (with a new state)") } else { line }
        };
        let next = Self { settings, ..self }.with_own(started.commanded.iter().cloned())?;
        Ok((next, waiting.into_iter().map(says).collect()))
    }
}

/// What is another now than it was before. No line: nothing is.
pub(crate) fn changes((before, told): WithSinks<'_>, (now, tell): WithSinks<'_>) -> Vec<String> {
    let mut lines = settings_changed(&table(&before.settings), &table(&now.settings));
    let rules = now.rules().changes(before.rules());
    lines.extend(named("rules", &rules.added, &rules.gone, &rules.changed));
    let [lists_before, lists] = [before, now].map(|config| {
        config.rules().lists().iter().map(|list| (list.name(), list)).collect::<BTreeMap<_, _>>()
    });
    for (name, list) in lists {
        let other = lists_before.get(name).filter(|before| **before != list);
        lines.extend(other.map(|before| {
            let (before, now) = (before.n_ranges(), list.n_ranges());
            format!("lists.{name}: another content, {before} -> {}", n_of(now, "range"))
        }));
    }
    lines.extend(suppressions_changed(before.suppressions(), now.suppressions()));
    lines.extend(accounts_changed(before.accounts(), now.accounts()));
    if before.city != now.city && before.city_database() == now.city_database() {
        lines.push("city-database: another content".to_owned());
    }
    lines.extend(sinks_changed((before, told), (now, tell)));
    if lines.is_empty() && before.hash() != now.hash() {
        lines.push("files of rules, lists and decoys: in what nobody is told of".to_owned());
    }
    let n_more = lines.len().saturating_sub(LINES_MAX);
    if n_more > 0 {
        lines.truncate(LINES_MAX);
        lines.push(format!("and {n_more} more"));
    }
    lines
}

/// `rules: +2 -1 ~1: +a, +b, -c, ~d`; nothing where all lists are empty.
fn named<T: Display>(what: &str, added: &[T], gone: &[T], changed: &[T]) -> Option<String> {
    let counts = [("+", added), ("-", gone), ("~", changed)];
    let mut names: Vec<String> = counts
        .iter()
        .flat_map(|(sign, all)| all.iter().map(move |name| format!("{sign}{}", cut(name))))
        .collect();
    let n_more = names.len().saturating_sub(NAMES_MAX);
    names.truncate(NAMES_MAX);
    names.extend((n_more > 0).then(|| format!("and {n_more} more")));
    let told = format!("{what}: +{} -{} ~{}", added.len(), gone.len(), changed.len());
    (!names.is_empty()).then(|| format!("{told}: {}", names.join(", ")))
}

fn cut(name: &impl Display) -> String {
    name.to_string().chars().take(WORD_CHARS_MAX).collect()
}

/// Keys that are set otherwise, those of sinks left out.
fn settings_changed(before: &Table, now: &Table) -> Vec<String> {
    let [before, now] = [before, now].map(|table| {
        let mut flat = BTreeMap::new();
        flatten(table, "", &mut flat);
        flat
    });
    let keys: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    let line = |key: &String| {
        let values = (before.get(key), now.get(key));
        (values.0 != values.1).then(|| setting_changed(key, values))
    };
    keys.into_iter().filter_map(line).collect()
}

fn flatten(table: &Table, name: &str, flat: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let full = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
        match value {
            Value::Table(inner) if full != "sinks" => flatten(inner, &full, flat),
            Value::Table(_) => {}
            // What is left out where it stands alone says the same.
            value if *value == Value::Boolean(false) || *value == Value::Array(Vec::new()) => {}
            value => drop(flat.insert(full, value.clone())),
        }
    }
}

fn setting_changed(key: &str, (before, now): (Option<&Value>, Option<&Value>)) -> String {
    let is_hidden = |hidden: &&str| key == *hidden || key.starts_with(&format!("{hidden}."));
    if HIDDEN.iter().any(is_hidden) {
        return format!("{key} changed");
    }
    let items = |value: Option<&Value>| -> Option<BTreeSet<String>> {
        let text = |one: &Value| one.as_str().map_or_else(|| one.to_string(), str::to_owned);
        value.map_or(Some(BTreeSet::new()), |value| {
            value.as_array().map(|all| all.iter().map(text).collect())
        })
    };
    if let (Some(before), Some(now)) = (items(before), items(now)) {
        let added: Vec<_> = now.difference(&before).collect();
        let gone: Vec<_> = before.difference(&now).collect();
        let named = (key == OF_IDS).then(|| named(key, &added, &gone, &[])).flatten();
        return named.unwrap_or_else(|| format!("{key}: +{} -{}", added.len(), gone.len()));
    }
    let is_switch = before.or(now).is_some_and(Value::is_bool);
    let unset = if is_switch { "false" } else { "not set" };
    let shown = |value: Option<&Value>| value.map_or(unset.to_owned(), cut);
    format!("{key} {} -> {}", shown(before), shown(now))
}

fn suppressions_changed(before: &Suppressions, now: &Suppressions) -> Option<String> {
    let by_name = |all: &Suppressions| -> BTreeMap<String, Suppression> {
        all.entries().iter().map(|one| (one.grounds.name.clone(), one.clone())).collect()
    };
    let ([added, gone, changed], is_reordered) = {
        let (old, new) = (by_name(before), by_name(now));
        (compared(&old, &new), before != now)
    };
    let line = named("suppressions", &added, &gone, &changed);
    line.or_else(|| is_reordered.then(|| "suppressions: another order".to_owned()))
}

fn accounts_changed(before: &Accounts, now: &Accounts) -> Option<String> {
    let (n_before, n_now) = (before.len(), now.len());
    let what = || format!("accounts: other names, {n_before} -> {}", n_of(n_now, "account"));
    (before != now).then(what)
}

/// Keys that only the second has, only the first, and both with other values.
fn compared<T: PartialEq>(
    before: &BTreeMap<String, T>,
    now: &BTreeMap<String, T>,
) -> [Vec<String>; 3] {
    let without = |all: &BTreeMap<String, T>, others: &BTreeMap<String, T>| {
        all.keys().filter(|key| !others.contains_key(*key)).cloned().collect()
    };
    let is_other =
        |(key, value): &(&String, &T)| before.get(*key).is_some_and(|before| before != *value);
    let changed = now.iter().filter(is_other).map(|(key, _)| key.clone());
    [without(now, before), without(before, now), changed.collect()]
}

/// Which sinks are others, and of those that changed the keys.
fn sinks_changed((before, told): WithSinks<'_>, (now, tell): WithSinks<'_>) -> Vec<String> {
    let by_name = |sinks: &[Sink]| -> BTreeMap<String, Sink> {
        sinks.iter().map(|sink| (sink.name.clone(), sink.clone())).collect()
    };
    let [added, gone, changed] = compared(&by_name(told), &by_name(tell));
    let of_sink = |name: &String| {
        let [before, now] = [before, now].map(|config| {
            let table = config.settings.sinks.get(name);
            table.map(|one| Table::try_from(one).unwrap_or_default()).unwrap_or_default()
        });
        let keys: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        let keys: Vec<_> =
            keys.into_iter().filter(|key| before.get(*key) != now.get(*key)).collect();
        let what = match keys.as_slice() {
            // Of a URL it is not even told that it stands there.
            [] => "what its URL, files, variables or secrets hold".to_owned(),
            keys => keys.iter().map(|key| key.as_str()).collect::<Vec<_>>().join(", "),
        };
        format!("sinks.{name}: {what}")
    };
    let of_sinks = changed.iter().map(of_sink);
    let of_sinks: Vec<_> = of_sinks.collect();
    named("sinks", &added, &gone, &changed).into_iter().chain(of_sinks).collect()
}

#[cfg(test)]
mod tests;

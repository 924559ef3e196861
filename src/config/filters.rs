//! Keys of `[sinks.NAME]` that choose among findings. In: lists of patterns as they stand in the file. Out: whether
//! they can be used, and what of them can only be a slip.

use super::keys::shown;
use crate::run::operations;
use alerts::{Accounts, PATTERN_BYTES_MAX};
use detect::{Rules, fits, suggest};

/// Each finding is compared with each of them. Unit: patterns of a list.
const PATTERNS_MAX: usize = 1_000;

/// The keys.
pub(super) const DETECTORS: &str = "detectors";
pub(super) const ACCOUNTS: &str = "accounts";
pub(super) const ACCOUNT_TAGS: &str = "account-tags";

/// What findings can be told apart by.
pub(super) struct Known<'c> {
    ids: Vec<&'c str>,
    names: Vec<&'c str>,
    tags: Vec<&'c str>,
}

impl<'c> Known<'c> {
    pub(super) fn new(rules: &'c Rules, accounts: &'c Accounts) -> Self {
        let ids = rules.catalogue().iter().map(|about| about.id.as_str());
        let tags = accounts.iter().flat_map(|account| &account.tags).map(String::as_str);
        let names = accounts.iter().map(|account| account.name.as_str()).collect();
        Self { ids: ids.chain(operations::IDS).collect(), names, tags: tags.collect() }
    }

    /// The ids of all who tell something.
    pub(super) fn ids(&self) -> &[&'c str] {
        &self.ids
    }

    /// The first of the patterns of a key that fits nothing there is, in words.
    pub(super) fn slip(&self, key: &str, patterns: &[String]) -> Option<String> {
        let (what, known) = match key {
            DETECTORS => ("detector or rule", &self.ids),
            ACCOUNTS => ("account has a name that", &self.names),
            ACCOUNT_TAGS => ("account has a tag that", &self.tags),
            _ => return None,
        };
        // Of numbers it is not known which there are.
        let is_number = |pattern: &&str| {
            key == ACCOUNTS && pattern.chars().all(|c| c.is_ascii_digit() || "*?".contains(c))
        };
        let bare = patterns.iter().map(|pattern| pattern.strip_prefix('!').unwrap_or(pattern));
        let mut bare = bare.filter(|pattern| !is_number(pattern));
        let slip = bare.find(|pattern| !known.iter().any(|one| fits(pattern, one)))?;
        let near = suggest(slip, known.iter().copied());
        let near = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        Some(format!("no {what} fits {}{near}", shown(slip)))
    }
}

/// What is wrong with the patterns of a key.
pub(super) fn wrong(patterns: &[String]) -> Result<(), String> {
    if patterns.len() > PATTERNS_MAX {
        return Err(format!("more than {PATTERNS_MAX} patterns"));
    }
    for pattern in patterns {
        let bare = pattern.strip_prefix('!').unwrap_or(pattern);
        if bare.trim().is_empty() {
            return Err(format!("{} fits nothing (expected a pattern)", shown(pattern)));
        }
        if pattern.len() > PATTERN_BYTES_MAX {
            let n = pattern.len();
            return Err(format!("a pattern of {n} bytes (expected {PATTERN_BYTES_MAX} at most)"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{
        Config,
        tests::{Folder, refused},
    };
    use super::*;
    use std::fs;

    const SINK: &str = "[sinks.a]\ntype = \"json-lines\"\npath = \"a\"\n";

    #[test]
    fn what_can_choose_nothing_is_refused_where_it_stands() {
        let line = |line: &str| format!("{SINK}{line}");
        refused(&line("detectors = \"a\""), (4, 13), "expected a list");
        refused(
            &line("accounts = [\"a\", \"!\"]"),
            (4, 12),
            "sinks.a.accounts: \"!\" fits nothing",
        );
        refused(&line("account-tag = [\"a\"]"), (4, 1), "did you mean \"account-tags\"?");
        let many = format!("detectors = {:?}", vec!["a"; PATTERNS_MAX + 1]);
        refused(&line(&many), (4, 13), "more than 1000 patterns");
        let long = format!("accounts = [\"{}\"]", "x".repeat(PATTERN_BYTES_MAX + 1));
        refused(&line(&long), (4, 12), "4225 bytes (expected 4224 at most)");
    }

    #[test]
    fn what_fits_nothing_there_is_is_told_and_stops_no_start() {
        let folder = Folder::new("filters");
        let choices = "accounts = [\"1*\", \"paiments\"]\ndetectors = [\"port-*\", \"!s3-mass-deletoin\"]\naccount-tags = [\"prd\"]\n";
        let file = folder.file(format!("accounts = \"accounts.toml\"\n{SINK}{choices}"));
        let accounts = "111122223333 = { name = \"payments\", tags = \"prod\" }";
        fs::write(file.with_file_name("accounts.toml"), accounts).unwrap();
        let config = Config::load(Some(&file)).unwrap();
        let name = file.display();
        let expected = [
            format!(
                "{name}:6:13: sinks.a.detectors: no detector or rule fits \"s3-mass-deletoin\"; did you mean \"s3-mass-deletion\"?"
            ),
            format!(
                "{name}:5:12: sinks.a.accounts: no account has a name that fits \"paiments\"; did you mean \"payments\"?"
            ),
            format!(
                "{name}:7:16: sinks.a.account-tags: no account has a tag that fits \"prd\"; did you mean \"prod\"?"
            ),
        ];
        assert_eq!(config.warnings(), expected);
        let sinks = config.sinks().unwrap();
        let finding = |account: &str| {
            let about = config.rules().catalogue().find("port-scan").unwrap();
            let entity = baseline::Entity {
                account: account.into(),
                kind: baseline::Kind::Human,
                key: "x".into(),
            };
            detect::Finding::of_words(about.clone(), entity, (0, 0), String::new())
        };
        assert!(!sinks[0].wants(&finding("111122223333"), config.accounts()));
        // One that is everybody's.
        assert!(sinks[0].wants(&finding("-"), config.accounts()));
    }
}

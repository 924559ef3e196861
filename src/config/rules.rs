//! Rules, lists and decoys that a configuration names: files in, rules ready for the engine out.

use super::ConfigError;
use baseline::stable_hash;
use detect::{
    RuleFile, Rules,
    rules::{BYTES_MAX as LIST_BYTES_MAX, Decoys, List, Lists, Names},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Files of rules, in all folders together. Unit: files.
const FILES_MAX: usize = 10_000;
/// Largest file of rules. Unit: bytes.
const FILE_BYTES_MAX: usize = 1 << 20;
/// Folders within folders. Unit: folders.
const DEPTH_MAX: usize = 16;

/// Table `[lists.NAME]`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListFile {
    /// Text, CSV or STIX; relative to the folder of the configuration.
    file: PathBuf,
    /// Whether what it holds is on no other list.
    #[serde(default)]
    trusted: bool,
}

/// Table `[decoys]`: names that nobody has any business with.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DecoyNames {
    roles: Vec<String>,
    users: Vec<String>,
    secrets: Vec<String>,
    buckets: Vec<String>,
    /// Access keys and KMS keys.
    keys: Vec<String>,
    parameters: Vec<String>,
}

impl DecoyNames {
    pub(super) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    fn all(&self) -> impl Iterator<Item = String> {
        let Self { roles, users, secrets, buckets, keys, parameters } = self;
        let all = [roles, users, secrets, buckets, keys, parameters];
        all.into_iter().flatten().cloned()
    }
}

/// What a configuration names.
pub(super) struct Named<'c> {
    pub(super) rules: &'c [PathBuf],
    pub(super) lists: &'c BTreeMap<String, ListFile>,
    pub(super) placeholders: &'c BTreeMap<String, Vec<String>>,
    pub(super) decoys: &'c DecoyNames,
    /// What relative paths begin at.
    pub(super) folder: &'c Path,
}

/// The rules in force, and a hash of all files that they came from; `None` if there were none.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) rules: Arc<Rules>,
    pub(super) hash: Option<u128>,
}

/// Reads everything that is named; what is wrong is told all at once.
pub(super) fn load(named: &Named<'_>) -> Result<Loaded, ConfigError> {
    let Named { rules, lists, placeholders, decoys, .. } = named;
    if rules.is_empty() && lists.is_empty() && placeholders.is_empty() && decoys.is_empty() {
        return Ok(Loaded { rules: Rules::built_in(), hash: None });
    }
    let mut troubles = Vec::new();
    let mut hashes: Vec<u8> = Vec::new();
    let mut note = |text: &str| hashes.extend(stable_hash(&[text.as_bytes()]).to_le_bytes());
    let mut files = Vec::new();
    for path in named.rules {
        let mut found = Vec::new();
        if let Err(what) = collect(&named.folder.join(path), DEPTH_MAX, &mut found) {
            troubles.push(what);
        }
        found.sort();
        for path in found {
            let name = path.display().to_string();
            match text(&path, FILE_BYTES_MAX) {
                Ok(text) => {
                    note(&text);
                    files.push(RuleFile { name, text });
                }
                Err(what) => troubles.push(what),
            }
        }
    }
    if files.len() > FILES_MAX {
        troubles.push(format!("more than {FILES_MAX} files of rules (expected fewer)"));
    }
    let mut lists = Vec::new();
    for (name, list) in named.lists {
        let path = named.folder.join(&list.file);
        let read = text(&path, LIST_BYTES_MAX).and_then(|text| {
            note(&text);
            List::parse(name, &text, list.trusted).map_err(|error| {
                // It begins with the name of the list; people look for the file.
                let error = error.to_string();
                format!("{}{}", path.display(), error.strip_prefix(name.as_str()).unwrap_or(&error))
            })
        });
        match read {
            Ok(list) => lists.push(list),
            Err(what) => troubles.push(what),
        }
    }
    let decoys = Decoys::of(named.decoys.all());
    let placeholders = named.placeholders.clone();
    let names = Names { placeholders, lists: Lists::of(lists), decoys };
    let (rules, errors) = Rules::of(&files, names);
    troubles.extend(errors.iter().map(ToString::to_string));
    if !troubles.is_empty() {
        return Err(ConfigError::Rules(troubles));
    }
    let hash = (!hashes.is_empty()).then(|| stable_hash(&[&hashes]));
    Ok(Loaded { rules: Arc::new(rules), hash })
}

/// The files of rules in a folder and below, or the one file. Hidden ones are left out, and so are
/// folders behind links, which may lead back.
fn collect(path: &Path, depth_max: usize, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: cannot be read: {error}", path.display());
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    let n_before = found.len();
    walk(path, depth_max, found).map_err(failed)?;
    if found.len() == n_before {
        return Err(format!("{} holds no rules (expected files .yml or .yaml)", path.display()));
    }
    Ok(())
}

fn walk(folder: &Path, depth_max: usize, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') || found.len() > FILES_MAX {
            continue;
        }
        if entry.file_type()?.is_dir() {
            if depth_max > 0 {
                walk(&path, depth_max - 1, found)?;
            }
        } else if path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml")
            && fs::metadata(&path)?.is_file()
        {
            found.push(path);
        }
    }
    Ok(())
}

fn text(path: &Path, bytes_max: usize) -> Result<String, String> {
    let name = path.display();
    let failed = |error: std::io::Error| format!("{name}: cannot be read: {error}");
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > bytes_max {
        return Err(format!("{name}: larger than {bytes_max} bytes"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        format!("{name}:{}: not UTF-8", valid.split(|byte| *byte == b'\n').count())
    })
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError, tests::Folder};
    use std::fs;

    const RULE: &str = "title: x\nlogsource: {product: aws, service: cloudtrail}\n\
                        detection:\n  s: {eventName: A}\n  condition: s\n";

    /// What is wrong, line by line.
    fn wrong(folder: &Folder, text: &str) -> Vec<String> {
        match Config::load(Some(&folder.file(text))) {
            Err(ConfigError::Rules(troubles)) => troubles,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rules_of_a_folder_and_below_are_read() {
        let folder = Folder::new("rules");
        let file = folder.file("rules = [\"own\"]\n[detectors]\ndisable = [\"one\"]\n");
        let own = file.with_file_name("own");
        fs::create_dir_all(own.join("below")).unwrap();
        fs::write(own.join("one.yml"), RULE).unwrap();
        fs::write(own.join("below/two.yaml"), RULE).unwrap();
        fs::write(own.join(".hidden.yml"), "not: a rule").unwrap();
        fs::write(own.join("readme.md"), "not a rule").unwrap();
        let config = Config::load(Some(&file)).unwrap();
        let catalogue = config.rules().catalogue();
        assert!(catalogue.find("one").is_some() && catalogue.find("two").is_some());
        let before = config.hash();
        fs::write(own.join("one.yml"), RULE.replace("title: x", "title: y")).unwrap();
        assert_ne!(Config::load(Some(&file)).unwrap().hash(), before);
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        let folder = Folder::new("wrong-rules");
        let file = folder.file("");
        let beside = |name: &str| file.with_file_name(name).display().to_string();
        fs::write(beside("a.yml"), RULE.replace("eventName", "evenName")).unwrap();
        fs::write(beside("b.yml"), "title: [").unwrap();
        fs::write(beside("list.txt"), "192.0.2.1\nnobody\n").unwrap();
        let text = "rules = [\"a.yml\", \"b.yml\", \"gone\"]\n[lists.bad]\nfile = \"list.txt\"\n";
        let told = wrong(&folder, text);
        for start in [
            format!("{}:4: CloudTrail records have no field", beside("a.yml")),
            format!("{}:1: not YAML", beside("b.yml")),
            format!("{}: cannot be read", beside("gone")),
            format!("{}:2: expected an address", beside("list.txt")),
        ] {
            assert!(told.iter().any(|line| line.starts_with(&start)), "{start}: {told:#?}");
        }
    }

    #[test]
    fn what_is_too_large_or_empty_is_refused() {
        let folder = Folder::new("large-rules");
        let file = folder.file("");
        fs::write(file.with_file_name("a.yml"), " ".repeat(super::FILE_BYTES_MAX + 1)).unwrap();
        fs::create_dir_all(file.with_file_name("none")).unwrap();
        fs::write(file.with_file_name("b.yml"), b"title: x\n# \xff").unwrap();
        let told = wrong(&folder, "rules = [\"a.yml\", \"none\", \"b.yml\"]");
        for (line, end) in told.iter().zip([
            "a.yml: larger than 1048576 bytes",
            "none holds no rules (expected files .yml or .yaml)",
            "b.yml:2: not UTF-8",
        ]) {
            assert!(line.ends_with(end), "{line}");
        }
        assert_eq!(told.len(), 3);
    }
}

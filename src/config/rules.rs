//! Rules, lists and decoys that a configuration names: files in, rules ready for the engine out.

use super::{
    ConfigError,
    keys::{Fault, Places},
};
use baseline::stable_hash;
use detect::{
    RuleFile, Rules,
    rules::{
        BYTES_MAX as LIST_BYTES_MAX, Decoys, List, Lists, Names, RuleCounts, RuleError, Whose, Why,
    },
};
use serde::{Deserialize, Serialize};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt,
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
/// Other logs that are told by name, those with the most documents. Unit: logs.
const LOGS_SHOWN_MAX: usize = 6;

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

impl ListFile {
    /// Relative to the folder of the configuration.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }
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

    fn by_key(&self) -> [(&'static str, &[String]); 6] {
        let Self { roles, users, secrets, buckets, keys, parameters } = self;
        [
            ("roles", roles),
            ("users", users),
            ("secrets", secrets),
            ("buckets", buckets),
            ("keys", keys),
            ("parameters", parameters),
        ]
    }

    fn all(&self) -> impl Iterator<Item = String> {
        self.by_key().into_iter().flat_map(|(_, names)| names).cloned()
    }

    /// A name that no record can have.
    pub(super) fn check(&self, places: &Places) -> Result<(), Fault> {
        let empty =
            |(_, names): &(&str, &[String])| names.iter().any(|name| name.trim().is_empty());
        let Some((key, _)) = self.by_key().into_iter().find(empty) else { return Ok(()) };
        let key = format!("decoys.{key}");
        let at = places.get(&key).map_or(0, |place| place.value.start);
        Err((at, format!("{key}: an empty name is nobody's (expected a name or an ARN)")))
    }
}

/// What a configuration names.
pub(super) struct Named<'c> {
    pub(super) rules: &'c [PathBuf],
    pub(super) rules_of_others: &'c [PathBuf],
    pub(super) placeholders: &'c BTreeMap<String, Vec<String>>,
    pub(super) lists: &'c BTreeMap<String, ListFile>,
    pub(super) decoys: &'c DecoyNames,
    /// What relative paths begin at.
    pub(super) folder: &'c Path,
}

/// The rules in force, a hash of all files that they came from, `None` if there were none, and what
/// was read of the files.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    pub(super) rules: Arc<Rules>,
    pub(super) hash: Option<u128>,
    pub(super) tally: Option<Tally>,
}

impl Loaded {
    /// Without any file.
    pub(super) fn built_in() -> Self {
        Self { rules: Rules::built_in(), hash: None, tally: None }
    }
}

/// What was read of files of rules, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) counts: RuleCounts,
    pub(crate) n_faults: usize,
    n_faulty_files: usize,
    /// Documents about logs that sentrail does not read, by a word for the logs.
    other_logs: BTreeMap<String, usize>,
    /// Documents that their authors have left behind, by their status.
    retired: BTreeMap<String, usize>,
    /// Faults of rules of others that cost nothing.
    n_tolerated: usize,
}

impl Tally {
    pub(crate) fn of(counts: RuleCounts, errors: &[RuleError]) -> Self {
        let mut tally = Self { counts, ..Self::default() };
        for error in errors {
            match error.why() {
                Why::OtherLogs(logs) => *tally.other_logs.entry(logs.clone()).or_default() += 1,
                Why::Retired(status) => *tally.retired.entry(status.clone()).or_default() += 1,
                Why::Tolerated => tally.n_tolerated += 1,
                Why::Fault => tally.n_faults += 1,
                Why::Sample => {}
            }
        }
        let faults = errors.iter().filter(|error| *error.why() == Why::Fault);
        tally.n_faulty_files = faults.map(RuleError::file).collect::<BTreeSet<_>>().len();
        tally
    }

    /// Whether every document is in force.
    pub(crate) fn is_whole(&self) -> bool {
        self.n_faults == 0 && self.other_logs.is_empty() && self.retired.is_empty()
    }

    /// `5 faults in 1 file`.
    pub(crate) fn faults(&self) -> String {
        let faults = n_of(self.n_faults, "fault");
        match self.n_faulty_files {
            0 => faults,
            n => format!("{faults} in {}", n_of(n, "file")),
        }
    }

    /// `: 5 tell, 2 only serve correlations, 1 tells nothing`; nothing where all tell.
    fn telling(&self) -> String {
        let RuleCounts { n_counted, n_silent, .. } = self.counts;
        if n_counted + n_silent == 0 {
            return String::new();
        }
        let n_telling = self.counts.n_telling();
        let mut told =
            vec![format!("{n_telling} {}", if n_telling == 1 { "tells" } else { "tell" })];
        for (n, one, many) in [
            (n_counted, "only serves correlations", "only serve correlations"),
            (n_silent, "tells nothing", "tell nothing"),
        ] {
            if n > 0 {
                told.push(format!("{n} {}", if n == 1 { one } else { many }));
            }
        }
        format!(": {}", told.join(", "))
    }

    /// Why nothing is in force though nothing has a fault.
    pub(crate) fn why_none(&self) -> &'static str {
        match (self.other_logs.is_empty(), self.retired.is_empty()) {
            (true, true) => "these files hold no rule",
            (false, true) => "no rule of these is about logs that sentrail reads",
            (true, false) => "all of these rules are ones that their authors have left behind",
            (false, false) => {
                "each of these rules is about logs that sentrail does not read, or was left behind \
                 by its author"
            }
        }
    }

    /// `290 about other logs (250 windows, 40 linux)`, if any are.
    pub(crate) fn other_logs(&self) -> Option<String> {
        let n: usize = self.other_logs.values().sum();
        let mut logs: Vec<_> = self.other_logs.iter().map(|(logs, n)| (Reverse(n), logs)).collect();
        logs.sort();
        let n_more = logs.len().saturating_sub(LOGS_SHOWN_MAX);
        let shown = logs.into_iter().take(LOGS_SHOWN_MAX);
        let mut shown: Vec<_> = shown.map(|(Reverse(n), logs)| format!("{n} {logs}")).collect();
        if n_more > 0 {
            shown.push(format!("and {n_more} more"));
        }
        (n > 0).then(|| format!("{n} about other logs ({})", shown.join(", ")))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RuleCounts { n_rules, n_correlations, n_filters, n_rejected, .. } = self.counts;
        let kinds = [(n_rules, "rule"), (n_correlations, "correlation"), (n_filters, "filter")];
        let kinds: Vec<_> =
            kinds.iter().filter(|(n, _)| *n > 0).map(|(n, one)| n_of(*n, one)).collect();
        write!(f, "{} loaded", self.counts.n_loaded())?;
        if !kinds.is_empty() {
            write!(f, " ({}{})", kinds.join(", "), self.telling())?;
        }
        write!(f, ", {n_rejected} rejected")?;
        if self.n_faults > 0 {
            write!(f, " ({})", n_of(self.n_faults, "fault"))?;
        }
        if let Some(other_logs) = self.other_logs() {
            write!(f, ", {other_logs}")?;
        }
        for (status, n) in &self.retired {
            write!(f, ", {n} {status}")?;
        }
        if self.n_tolerated > 0 {
            write!(f, ", {}", n_of(self.n_tolerated, "warning"))?;
        }
        Ok(())
    }
}

/// `1 rule`, `2 rules`.
pub(crate) fn n_of(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}

/// What is read on the way, for the hash.
#[derive(Default)]
struct Texts(Vec<u8>);

impl Texts {
    fn note(&mut self, text: &str) {
        self.0.extend(stable_hash(&[text.as_bytes()]).to_le_bytes());
    }
}

/// Reads everything that is named; what is wrong is told all at once. What cannot be used of other
/// people's rules is left out, and so is what is about other logs.
pub(super) fn load(named: &Named<'_>) -> Result<Loaded, ConfigError> {
    let Named { rules, rules_of_others, placeholders, lists, decoys, folder } = named;
    let names_files = !(rules.is_empty() && rules_of_others.is_empty());
    if !names_files && placeholders.is_empty() && lists.is_empty() && decoys.is_empty() {
        return Ok(Loaded::built_in());
    }
    let (mut troubles, mut texts) = (Vec::new(), Texts::default());
    let mut files = files((folder, Whose::Own), rules, &mut troubles);
    let own: BTreeSet<String> = files.iter().map(|file| file.name.clone()).collect();
    let others = self::files((folder, Whose::Others), rules_of_others, &mut troubles);
    files.extend(others.into_iter().filter(|file| !own.contains(&file.name)));
    if files.len() > FILES_MAX {
        troubles.push(format!("more than {FILES_MAX} files of rules (expected fewer)"));
    }
    for file in &files {
        texts.note(&file.text);
    }
    let names = names(named, &mut troubles, &mut texts);
    let (rules, errors) = Rules::of(&files, names);
    let is_mine = |error: &&RuleError| *error.why() == Why::Fault && own.contains(error.file());
    troubles.extend(errors.iter().filter(is_mine).map(ToString::to_string));
    if !troubles.is_empty() {
        return Err(ConfigError::Rules(troubles));
    }
    let hash = (!texts.0.is_empty()).then(|| stable_hash(&[&texts.0]));
    let tally = names_files.then(|| Tally::of(rules.counts(), &errors));
    Ok(Loaded { rules: Arc::new(rules), hash, tally })
}

/// What rules can ask for by name.
pub(super) fn names_of(named: &Named<'_>) -> Result<Names, ConfigError> {
    let mut troubles = Vec::new();
    let names = names(named, &mut troubles, &mut Texts::default());
    if troubles.is_empty() { Ok(names) } else { Err(ConfigError::Rules(troubles)) }
}

fn names(named: &Named<'_>, troubles: &mut Vec<String>, texts: &mut Texts) -> Names {
    let mut lists = Vec::new();
    for (name, list) in named.lists {
        let path = named.folder.join(&list.file);
        let read = text(&path, LIST_BYTES_MAX).and_then(|text| {
            texts.note(&text);
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
    let (lists, decoys) = (Lists::new(lists), Decoys::of(named.decoys.all()));
    Names { placeholders: named.placeholders.clone(), lists, decoys }
}

/// The files of rules at paths; what cannot be read is told.
pub(crate) fn rule_files(paths: &[PathBuf], whose: Whose) -> Result<Vec<RuleFile>, ConfigError> {
    let mut troubles = Vec::new();
    let files = files((Path::new(""), whose), paths, &mut troubles);
    if troubles.is_empty() { Ok(files) } else { Err(ConfigError::Rules(troubles)) }
}

fn files(
    (folder, whose): (&Path, Whose),
    paths: &[PathBuf],
    troubles: &mut Vec<String>,
) -> Vec<RuleFile> {
    let mut found = Vec::new();
    for path in paths {
        if let Err(what) = collect(&folder.join(path), DEPTH_MAX, &mut found) {
            troubles.push(what);
        }
    }
    found.sort();
    found.dedup();
    let mut files = Vec::new();
    for path in found {
        let name = path.display().to_string();
        match text(&path, FILE_BYTES_MAX) {
            Ok(text) => files.push(RuleFile { name, text, whose }),
            Err(what) => troubles.push(what),
        }
    }
    files
}

/// The path, and the files of rules below it, as far as they can be listed.
pub(super) fn files_at(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![path.to_owned()];
    // What cannot be listed is told by whoever reads it.
    drop(collect(path, DEPTH_MAX, &mut found));
    found
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
    walk(path, depth_max, found)?;
    if found.len() == n_before {
        return Err(format!("{} holds no rules (expected files .yml or .yaml)", path.display()));
    }
    Ok(())
}

fn walk(folder: &Path, depth_max: usize, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: cannot be read: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') || found.len() > FILES_MAX {
            continue;
        }
        if entry.file_type().map_err(failed)?.is_dir() {
            if depth_max > 0 {
                walk(&path, depth_max - 1, found)?;
            }
        } else if path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml")
            && fs::metadata(&path).map_err(failed)?.is_file()
        {
            found.push(path);
        }
    }
    Ok(())
}

fn text(path: &Path, bytes_max: usize) -> Result<String, String> {
    let name = path.display();
    let failed = |error: std::io::Error| format!("{name}: cannot be read: {error}");
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(format!("{name} is no file (expected one of text)"));
    }
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
    fn of_rules_of_others_what_cannot_be_used_is_left_out() {
        let folder = Folder::new("others-rules");
        let file = folder.file("rules-of-others = [\"public\"]\nrules = [\"own\"]\n");
        for name in ["own", "public/windows"] {
            fs::create_dir_all(file.with_file_name(name)).unwrap();
        }
        let public = file.with_file_name("public");
        fs::write(public.join("fine.yml"), RULE).unwrap();
        fs::write(public.join("same.yml"), RULE).unwrap();
        fs::write(public.join("wrong.yml"), RULE.replace("eventName", "status")).unwrap();
        let logon = RULE.replace("{product: aws, service: cloudtrail}", "{product: windows}");
        fs::write(public.join("windows/logon.yml"), &logon).unwrap();
        let own = file.with_file_name("own");
        fs::write(own.join("same.yml"), RULE).unwrap();
        fs::write(own.join("logon.yml"), &logon).unwrap();
        let config = Config::load(Some(&file)).unwrap();
        let catalogue = config.rules().catalogue();
        assert!(catalogue.find("fine").is_some() && catalogue.find("same").is_some());
        assert_eq!(
            config.tally().unwrap().to_string(),
            "2 loaded (2 rules), 2 rejected (2 faults), 2 about other logs (2 windows)"
        );
        // One's own are not.
        fs::write(own.join("wrong.yml"), RULE.replace("eventName", "status")).unwrap();
        assert!(
            matches!(Config::load(Some(&file)), Err(ConfigError::Rules(told)) if told.len() == 1)
        );
    }

    #[test]
    fn placeholders_have_the_values_of_the_configuration() {
        let folder = Folder::new("placeholders");
        let text = "rules = [\"a.yml\"]\n[placeholders]\nadmins = [\"ada\", \"bob\"]\n";
        let file = folder.file(text);
        let rule = RULE.replace("eventName: A", "userIdentity.userName|expand: '%admins%'");
        fs::write(file.with_file_name("a.yml"), rule).unwrap();
        let with = Config::load(Some(&file)).unwrap().hash();
        folder.file(text.replace("bob", "eve"));
        assert_ne!(Config::load(Some(&file)).unwrap().hash(), with);
        let told = wrong(&folder, "rules = [\"a.yml\"]");
        assert!(
            told[0].ends_with(
                "a.yml:4: the configuration has no values for the placeholder `%admins%`"
            )
        );
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
            "none holds no rules (expected files .yml or .yaml)",
            "a.yml: larger than 1048576 bytes",
            "b.yml:2: not UTF-8",
        ]) {
            assert!(line.ends_with(end), "{line}");
        }
        assert_eq!(told.len(), 3);
    }
}

//! Nothing of the logs that the program is measured with stands in the repository: whoever reads the answers
//! into the code would measure himself. The logs lie beside the repository and are not part of it.

use crate::support::{files, text};
use regex::{Regex, bytes};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write as _},
    net::Ipv4Addr,
    path::Path,
    process::Command,
};

const DATA: &str = "../shared/data";
/// Published examples of formats, which tests of parsers may use.
const CONFORMANCE: &str = "../shared/data/conformance";

/// UUIDs of events, addresses, ids of keys and principals, accounts, ids of resources.
const SHAPES: &str = "\\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\
    |(?:[0-9]{1,3}\\.){3}[0-9]{1,3}\
    |A(?:KIA|SIA|IDA|ROA|GPA|NPA|NVA|BIA|CCA|SCA|PKA|IPA)[A-Z0-9]{12,}\
    |[0-9]{12}\
    |[a-z]{1,10}-(?:[0-9a-f]{17}|[0-9a-f]{8}))\\b";

/// Where a record names somebody or something.
const NAMES: &str = "\"(?:userName|roleName|groupName|bucketName|functionName|secretId|policyName\
    |instanceProfileName)\": ?\"([^\"\\\\]{4,128})\"\
    |arn:aws[a-z-]*:iam::[0-9]*:[a-z-]+/([^\"\\\\,\\s*]{4,128})";

/// Accounts of AWS's documentation, and those that nobody takes for one.
const ACCOUNTS: [&str; 9] = [
    "111122223333",
    "444455556666",
    "777788889999",
    "123456789012",
    "012345678901",
    "111111111111",
    "222222222222",
    "333333333333",
    "000000000000",
];

/// Names of AWS and its partners, the same in every account, and words of the language.
const WORDS: [&str; 21] = [
    "AWSCompromisedKeyQuarantineV3",
    "AWSServiceRoleForAutoScaling",
    "AWSServiceRoleForConfig",
    "AWSServiceRoleForSSO",
    "AWSServiceRoleForSecurityHub",
    "OrganizationAccountAccessRole",
    "token.actions.githubusercontent.com",
    "Admin",
    "Alice",
    "Mobile",
    "admin",
    "alice",
    "bucket",
    "carol",
    "default",
    "developer",
    "inline",
    "new-user",
    "root",
    "test",
    "tester",
];

/// Whether an identifier is one that documentation uses, or everybody knows.
fn is_public(id: &str) -> bool {
    if let Ok(address) = id.parse::<Ipv4Addr>() {
        let known = ["1.1.1.1", "1.2.3.4", "8.8.8.8"].contains(&id);
        let [first, rest @ ..] = address.octets();
        // Versions of browsers look like addresses.
        let is_version = rest == [0, 0, 0];
        let is_nobodys = first >= 224 || address.is_loopback() || address.is_documentation();
        return known || is_version || is_nobodys || address.is_private();
    }
    ACCOUNTS.contains(&id) || id.contains("EXAMPLE") || id.contains("0123456789abcdef")
}

/// The texts of the repository; nothing where git cannot tell which they are.
fn sources() -> Option<BTreeMap<String, String>> {
    let listed =
        Command::new("git").args(["ls-files"]).output().ok().filter(|l| l.status.success())?;
    let listed = String::from_utf8(listed.stdout).unwrap();
    let is_ours = |path: &&str| {
        let extension = Path::new(path).extension();
        *path != "LICENSE" && extension.is_none_or(|of| of != "lock" && of != "bin")
    };
    let paths = listed.lines().filter(is_ours);
    Some(paths.filter_map(|path| Some((path.to_owned(), fs::read_to_string(path).ok()?))).collect())
}

/// Each of `found`, and a file that has it.
fn by_text(
    sources: &BTreeMap<String, String>,
    found: impl Fn(&str) -> Vec<&str>,
) -> BTreeMap<&str, &str> {
    let pairs = sources
        .iter()
        .flat_map(|(path, text)| found(text).into_iter().map(move |found| (found, path.as_str())));
    pairs.collect()
}

/// Words with dots and `@` in them, and the parts of such.
fn words(text: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let whole = text.split(move |c| !is_part(c) && !".+=@".contains(c));
    let parts = text.split(move |c| !is_part(c));
    whole.chain(parts).map(|word| word.trim_matches(['.', '-'])).collect()
}

/// What the logs hold of `ids`, and the names in them.
fn known(ids: &BTreeSet<&str>) -> (BTreeSet<String>, BTreeSet<String>) {
    let any: Vec<_> = ids.iter().map(|id| regex::escape(id)).collect();
    let any = format!("(?-u)\\b(?:{})\\b", any.join("|"));
    let any = bytes::RegexBuilder::new(&any).size_limit(1 << 26).build().unwrap();
    let names = bytes::Regex::new(&format!("(?-u){NAMES}")).unwrap();
    let (mut met, mut named) = (BTreeSet::new(), BTreeSet::new());
    let utf8 = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for path in files(Path::new(DATA)) {
        if path.starts_with(CONFORMANCE) || text(&path).ends_with(".parquet") {
            continue;
        }
        let raw = fs::read(&path).unwrap();
        let is_gzip = raw.starts_with(&[0x1f, 0x8b]);
        let bytes = if is_gzip { ingest::decode::gunzip(&raw, 1 << 30).unwrap() } else { raw };
        met.extend(any.find_iter(&bytes).map(|found| utf8(found.as_bytes())));
        named.extend(names.captures_iter(&bytes).filter_map(|found| {
            let name = utf8(found.get(1).or(found.get(2))?.as_bytes());
            name.rsplit('/').next().map(str::to_owned)
        }));
    }
    (met, named)
}

#[test]
fn nothing_of_the_measured_logs_stands_in_the_repository() {
    let sources = sources().filter(|_| Path::new(DATA).is_dir());
    let Some(sources) = sources else {
        // Not by println: what a test that passes prints is not shown.
        writeln!(io::stderr(), "skipped: {DATA} is absent, or this is no clone").unwrap();
        return;
    };
    let shapes = Regex::new(&format!("(?-u){SHAPES}")).unwrap();
    let mut ids = by_text(&sources, |text| shapes.find_iter(text).map(|id| id.as_str()).collect());
    ids.retain(|id, _| !is_public(id));
    let words = by_text(&sources, words);
    let (met, named) = known(&ids.keys().copied().collect());
    assert!(named.len() > 100, "hardly a name was found: {named:?}");
    let met = met.iter().filter_map(|id| ids.get_key_value(id.as_str()));
    let named = named.iter().filter(|name| !WORDS.contains(&name.as_str()));
    let named = named.filter_map(|name| words.get_key_value(name.as_str()));
    let told: Vec<_> = met.chain(named).map(|(id, path)| format!("{id} in {path}")).collect();
    assert!(
        told.is_empty(),
        "these are in {DATA} too; choose others, or if they are plain words add them to WORDS:\n{}",
        told.join("\n")
    );
}

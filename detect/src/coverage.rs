//! What is covered of three public lists, and the test that proves it: `coverage.toml` says it,
//! `docs/coverage.md` shows it, and nothing of either is taken on trust.

use crate::{
    DETECTORS, Severity,
    rules::samples::{self, Proof},
};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, sync::LazyLock};

/// How the page begins.
const HEAD: &str = "# Coverage\n\
\n\
What of three public lists sentrail tells, by which rule or detector, and the test that shows it: a\n\
sample in the rule's file, or a test function of the detector. `detect/coverage.toml` is the source; a test\n\
keeps this page to it, and refuses a row that names a rule, a detector or a test that does not exist.\n\
\"Told\" means that the named test fires (at medium or above, of techniques and custom rules, but for two\n\
that GuardDuty itself rates low), \"quiet\" that nothing alerts of the other one; how often it is right in\n\
an organisation that lives is the matter of [detection-quality.md](detection-quality.md).\n";

/// `coverage.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Coverage {
    /// GuardDuty's own finding types.
    guardduty: Vec<Row>,
    /// The signals of GuardDuty's custom detection rules.
    signal: Vec<Row>,
    /// Attack techniques of Stratus Red Team.
    technique: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    /// Rules and detectors that tell of it.
    #[serde(default)]
    by: Vec<String>,
    /// A sample of one of these rules, or a test of one of these detectors, that shows it.
    #[serde(default)]
    proof: String,
    /// The same call, legitimately made, of which nothing of medium or above is told.
    #[serde(default)]
    quiet: String,
    /// What is missing, and why.
    #[serde(default)]
    note: String,
}

/// The tests of everything that speaks, by its id: samples of rules with what they end in, functions of
/// detectors and of watches, which say so themselves.
type Proofs = BTreeMap<String, BTreeMap<String, Proof>>;

static PROOFS: LazyLock<Proofs> = LazyLock::new(|| {
    let mut proofs = Proofs::new();
    let watches = functions("watch/tests.rs");
    for (told, proof) in samples::built_in() {
        let of_rule = proofs.entry(told.id.to_string()).or_default();
        of_rule.insert(told.sample.clone(), proof);
    }
    for (id, of_rule) in &mut proofs {
        let quoted = format!("\"{id}\"");
        let about = watches.iter().filter(|(_, body)| body.contains(&quoted));
        of_rule.extend(about.map(|(name, body)| (name.clone(), said(body, Severity::Medium))));
    }
    for meta in DETECTORS.iter().map(|detector| detector.meta) {
        let tests = functions(&format!("detectors/{}/tests.rs", meta.id.replace('-', "_")));
        let tests = tests.iter().map(|(name, body)| (name.clone(), said(body, meta.severity)));
        proofs.entry(meta.id.to_owned()).or_default().extend(tests);
    }
    proofs
});

/// The functions of a file of tests, with what stands in them.
fn functions(path: &str) -> Vec<(String, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let tests = fs::read_to_string(source.join(path)).unwrap();
    let all = tests.split("\nfn ").skip(1).filter_map(|one| one.split_once('('));
    all.map(|(name, body)| (name.to_owned(), body.to_owned())).collect()
}

/// What a test function says by its words: that there is a finding, or that there is none above low.
fn said(body: &str, severity: Severity) -> Proof {
    let fires = [".finding(", ".findings(", ".today("].iter().any(|word| body.contains(word));
    let is_quiet =
        ["stays_quiet", "is_none()", "Severity::Low"].iter().any(|word| body.contains(word));
    Proof { own: fires.then_some(severity), any: (!is_quiet).then_some(severity) }
}

fn read() -> Coverage {
    toml::from_str(include_str!("../coverage.toml")).unwrap()
}

/// What is wrong with a row.
fn fault(row: &Row, proofs: &Proofs) -> Option<String> {
    if let Some(id) = row.by.iter().find(|id| !proofs.contains_key(*id)) {
        return Some(format!("nothing speaks as `{id}`"));
    }
    if row.by.is_empty() {
        return row.note.is_empty().then(|| "not covered, and no note says why".to_owned());
    }
    let has = |name: &str| proof(row, name, proofs).is_some();
    let missing = [&row.proof, &row.quiet].into_iter().find(|name| !name.is_empty() && !has(name));
    if let Some(name) = missing {
        return Some(format!("no test `{name}` of {}", row.by.join(", ")));
    }
    row.proof.is_empty().then(|| "covered, and no test proves it".to_owned())
}

/// What the test `name` of a row's rules and detectors ends in; `None` if there is no such test.
fn proof(row: &Row, name: &str, proofs: &Proofs) -> Option<Proof> {
    row.by.iter().find_map(|id| proofs.get(id)?.get(name).copied())
}

fn table(out: &mut String, heading: &str, rows: &[Row]) {
    let n_covered = rows.iter().filter(|row| !row.by.is_empty()).count();
    writeln!(out, "\n## {heading}: {n_covered} of {}\n", rows.len()).unwrap();
    out.push_str("| what | told by | shown by the test | quiet when | what is missing |\n");
    out.push_str("|---|---|---|---|---|\n");
    for row in rows {
        let by = row.by.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(" ");
        let Row { name, proof, quiet, note, .. } = row;
        writeln!(out, "| `{name}` | {by} | {proof} | {quiet} | {note} |").unwrap();
    }
}

fn page() -> String {
    let coverage = read();
    let mut out = String::from(HEAD);
    table(&mut out, "GuardDuty finding types", &coverage.guardduty);
    table(&mut out, "GuardDuty custom detection rules", &coverage.signal);
    table(&mut out, "Attack techniques of Stratus Red Team", &coverage.technique);
    out
}

#[test]
fn every_row_is_proved_or_says_why_not() {
    let (coverage, proofs) = (read(), &*PROOFS);
    let rows = coverage.guardduty.iter().chain(&coverage.signal).chain(&coverage.technique);
    let faults = rows.filter_map(|row| Some(format!("{}: {}", row.name, fault(row, proofs)?)));
    let faults: Vec<_> = faults.collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Signals that GuardDuty itself rates low, and that are no more here.
const LOW: [&str; 2] = ["EC2TerminationProtectionEnabled", "SESAccountSendingEnabled"];

#[test]
fn what_is_covered_is_told_and_its_quiet_twin_is_not() {
    let (coverage, proofs) = (read(), &*PROOFS);
    let faults = |rows: &[Row], least: Severity| -> Vec<String> {
        let covered = rows.iter().filter(|row| !row.by.is_empty());
        let faulty = covered.filter(|row| {
            let least = if LOW.contains(&&*row.name) { Severity::Low } else { least };
            let fires = proof(row, &row.proof, proofs).unwrap_or_default();
            let Some(twin) = proof(row, &row.quiet, proofs) else { return true };
            fires.own < Some(least) || twin.any >= Some(Severity::Medium)
        });
        faulty.map(|row| row.name.clone()).collect()
    };
    let mut all = faults(&coverage.technique, Severity::Medium);
    all.extend(faults(&coverage.signal, Severity::Medium));
    all.extend(faults(&coverage.guardduty, Severity::Low));
    assert!(all.is_empty(), "{all:#?}");
}

#[test]
fn the_page_says_what_the_list_says() {
    let written = include_str!("../../docs/coverage.md");
    let page = page();
    let but = |lines: &str, those: &str| -> String {
        let is_new = |line: &&str| !those.lines().any(|that| that == line.trim_end());
        lines.split_inclusive('\n').filter(is_new).collect()
    };
    assert!(
        written == page,
        "put these lines into docs/coverage.md, where detect/coverage.toml has them:\n{}\
         and take these out:\n{}",
        but(&page, written),
        but(written, &page)
    );
}

/// The lists themselves, where they lie beside the repository.
#[test]
fn no_row_of_the_lists_is_left_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/catalogue");
    if !folder.is_dir() {
        eprintln!("skipped: there is no {}", folder.display());
        return;
    }
    let coverage = read();
    for (file, column, rows) in [
        ("guardduty_findings.csv", 0, &coverage.guardduty),
        ("guardduty_custom_detection_rules.csv", 1, &coverage.signal),
        ("stratus_coverage.csv", 0, &coverage.technique),
    ] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let lines = text.lines().skip(1).filter_map(|line| line.split(',').nth(column));
        let lines = lines.map(|cell| cell.split(' ').next().unwrap_or_default());
        let names: Vec<_> = rows.iter().map(|row| &*row.name).collect();
        assert_eq!(lines.collect::<Vec<_>>(), names, "{file}");
        let is_low = |line: &&str| line.ends_with(",LOW");
        let low = text.lines().filter(is_low).filter_map(|line| line.split(',').nth(column));
        let low: Vec<_> = low.collect();
        assert!(column == 0 || LOW.iter().all(|name| low.contains(name)), "{low:?}");
    }
}

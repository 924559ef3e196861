//! `detectors list` and `detectors show`, and the tables of detectors in `README.md` and
//! `docs/configuration.md`.

use crate::config::unknown;
use alerts::Format;
use anyhow::{Result, bail};
use clap::ValueEnum;
use detect::{About, DETECTORS, Rules};
use serde::Serialize;
use std::io::Write;

/// Who can speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Detector,
    Rule,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    kind: Kind,
    severity: &'static str,
    title: &'a str,
    impact: &'static str,
    techniques: &'a [String],
    guardduty: Option<&'a str>,
}

impl<'a> Row<'a> {
    fn of(about: &'a About) -> Self {
        let is_detector = DETECTORS.iter().any(|detector| detector.meta.id == about.id);
        Self {
            id: &about.id,
            kind: if is_detector { Kind::Detector } else { Kind::Rule },
            severity: about.severity.label(),
            title: &about.title,
            impact: about.impact.name(),
            techniques: &about.techniques,
            guardduty: about.guardduty.as_deref(),
        }
    }

    fn cells(&self) -> [String; 6] {
        let kind = match self.kind {
            Kind::Detector => "detector",
            Kind::Rule => "rule",
        };
        let guardduty = self.guardduty.unwrap_or("-");
        let techniques = self.techniques.join(" ");
        [self.id, kind, self.severity, self.title, &techniques, guardduty].map(str::to_owned)
    }
}

const HEADINGS: [&str; 6] = ["id", "kind", "severity", "title", "techniques", "guardduty"];

/// Prints every detector and then every rule, in the order of their ids, or those of one kind.
pub(crate) fn list(
    rules: &Rules,
    (kind, format): (Option<Kind>, Format),
    out: &mut dyn Write,
) -> Result<()> {
    let rows = rules.catalogue().iter().map(|about| Row::of(about));
    let mut rows: Vec<_> = rows.filter(|row| kind.is_none_or(|kind| row.kind == kind)).collect();
    rows.sort_by_key(|row| (row.kind, row.id));
    match format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&rows)?)?,
        Format::JsonLines => {
            for row in &rows {
                writeln!(out, "{}", serde_json::to_string(row)?)?;
            }
        }
        Format::Csv => {
            write!(out, "{}\r\n", HEADINGS.join(","))?;
            for row in &rows {
                let cells = row.cells().map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
                write!(out, "{}\r\n", cells.join(","))?;
            }
        }
        Format::Table => {
            let mut cells = vec![HEADINGS.map(str::to_owned)];
            cells.extend(rows.iter().map(Row::cells));
            let mut widths = [0; HEADINGS.len()];
            for row in &cells {
                for (width, cell) in widths.iter_mut().zip(row) {
                    *width = cell.len().max(*width);
                }
            }
            for row in &cells {
                let row = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
                writeln!(out, "{}", row.collect::<Vec<_>>().join("  ").trim_end())?;
            }
        }
        Format::Asff | Format::Ocsf => {
            bail!("form {} is for findings (expected table, json, jsonl or csv)", format.name());
        }
    }
    Ok(())
}

/// What a file of rules says, but for its samples: table `tests` at the start of a line and what is
/// indented below.
fn without_samples(text: &str) -> String {
    let mut is_sample = false;
    let lines = text.lines().filter(|line| {
        let is_below = line.trim().is_empty() || line.starts_with([' ', '#']);
        is_sample = line.starts_with("tests:") || is_sample && is_below;
        !is_sample
    });
    lines.flat_map(|line| [alerts::escape(line), "\n".into()]).collect()
}

/// Prints the page of one detector or rule, and what a rule is made of.
pub(crate) fn show(rules: &Rules, id: &str, out: &mut dyn Write) -> Result<()> {
    let catalogue = rules.catalogue();
    let Some(about) = catalogue.find(id) else {
        let ids: Vec<_> = catalogue.iter().map(|about| about.id.as_str()).collect();
        bail!("{}", unknown("detector or rule", id, &ids, ""));
    };
    let row = Row::of(about);
    writeln!(out, "{}\n", about.page.trim_end())?;
    let defaults = toml::Table::try_from(detect::Settings::default())?;
    let defaults = defaults.get(row.id).and_then(toml::Value::as_table);
    let detector = DETECTORS.iter().find(|detector| detector.meta.id == id);
    let settings = detector.map(|detector| detector.meta.settings()).unwrap_or_default();
    if !settings.is_empty() {
        writeln!(out, "## Settings, in [detectors.{}]\n", row.id)?;
    }
    for (name, text) in settings {
        let default = defaults.and_then(|defaults| defaults.get(&name));
        let default = default.map_or_else(String::new, |value| format!(" (default {value})"));
        writeln!(out, "{name}{default}: {text}\n")?;
    }
    writeln!(out, "id: {}, severity: {}, impact: {}", row.id, row.severity, row.impact)?;
    let guardduty = row.guardduty.unwrap_or("none of this kind");
    let techniques = row.techniques.join(", ");
    let techniques = if techniques.is_empty() { "no technique named" } else { &techniques };
    writeln!(out, "MITRE ATT&CK: {techniques}, GuardDuty: {guardduty}")?;
    for (file, text) in rules.sources(row.id) {
        let (file, text) = (alerts::escape(file), without_samples(text));
        writeln!(out, "\n## In Sigma: {file}\n\n```yaml\n{text}```")?;
    }
    Ok(())
}

/// The table of detectors as Markdown, as `README.md` has it.
#[cfg(test)]
fn markdown_table() -> String {
    let rules = Rules::built_in();
    let lines = rules.catalogue().iter().take(DETECTORS.len()).map(|about| {
        let row = Row::of(about);
        let fires = about.section("Fires when");
        let first = fires.split_once(". ").map_or(&*fires, |(first, _)| first);
        let first = first.trim_end_matches('.').replace('|', "\\|");
        let guardduty = row.guardduty.map_or_else(String::new, |kind| format!("`{kind}`"));
        let (id, severity, techniques) = (row.id, row.severity, row.techniques.join(", "));
        format!("| `{id}` | {severity} | {first} | {techniques} | {guardduty} |\n")
    });
    let heading =
        "| id | severity | fires when | MITRE ATT&CK | GuardDuty |\n|---|---|---|---|---|\n";
    std::iter::once(heading.to_owned()).chain(lines).collect()
}

/// The table of the keys of detectors as Markdown, as `docs/configuration.md` has it.
#[cfg(test)]
fn markdown_keys() -> String {
    let lines = DETECTORS.iter().map(|detector| {
        let keys = detector.meta.settings().into_iter().map(|(name, _)| format!("`{name}`"));
        format!("| `{}` | {} |\n", detector.meta.id, keys.collect::<Vec<_>>().join(", "))
    });
    std::iter::once("| detector | keys |\n|---|---|\n".to_owned()).chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn listed(format: Format) -> String {
        let mut out = Vec::new();
        list(&Rules::built_in(), (None, format), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// That `expected` stands between the markers of a page, or the lines to change.
    #[track_caller]
    fn stands_in((name, page): (&str, &str), expected: &str) {
        let (_, rest) = page.split_once("<!-- detectors -->\n").unwrap();
        let (table, _) = rest.split_once("<!-- /detectors -->").unwrap();
        let but = |lines: &str, those: &str| -> String {
            let is_new = |line: &&str| !those.lines().any(|that| that == line.trim_end());
            lines.split_inclusive('\n').filter(is_new).collect()
        };
        let (missing, wrong) = (but(expected, table), but(table, expected));
        assert!(
            table == expected,
            "put these lines into the table of detectors in {name}, in the order of ids:\n\
             {missing}and take these out:\n{wrong}"
        );
    }

    #[test]
    fn the_readme_lists_every_detector() {
        stands_in(("README.md", include_str!("../../README.md")), &markdown_table());
    }

    #[test]
    fn the_manual_lists_the_keys_of_every_detector() {
        let manual = include_str!("../../docs/configuration.md");
        stands_in(("docs/configuration.md", manual), &markdown_keys());
        let known = toml::Table::try_from(detect::Settings::default()).unwrap();
        for meta in DETECTORS.iter().map(|detector| detector.meta) {
            let listed: BTreeSet<_> = meta.settings().into_iter().map(|(name, _)| name).collect();
            let known: BTreeSet<_> = known[meta.id].as_table().unwrap().keys().cloned().collect();
            assert_eq!(listed, known, "{}: `settings_source` holds other settings", meta.id);
        }
    }

    #[test]
    fn every_form_lists_every_detector() {
        let n = Rules::built_in().catalogue().iter().count();
        assert!(n > DETECTORS.len());
        assert_eq!(listed(Format::Table).lines().count(), n + 1);
        assert_eq!(listed(Format::JsonLines).lines().count(), n);
        assert_eq!(listed(Format::Csv).matches("\r\n").count(), n + 1);
        let rows: serde_json::Value = serde_json::from_str(&listed(Format::Json)).unwrap();
        assert_eq!(rows.as_array().unwrap().len(), n);
    }

    #[test]
    fn a_page_has_its_sections() {
        let mut out = Vec::new();
        show(&Rules::built_in(), "port-scan", &mut out).unwrap();
        let page = String::from_utf8(out).unwrap();
        assert!(page.starts_with("# Port scan from an interface\n\n## Fires when\n"));
        assert!(page.contains("## Triage") && page.ends_with("Recon:EC2/Portscan\n"));
    }

    #[test]
    fn a_kind_is_listed_in_the_order_of_ids() {
        let ids = |kind| -> Vec<String> {
            let mut out = Vec::new();
            list(&Rules::built_in(), (Some(kind), Format::JsonLines), &mut out).unwrap();
            let rows: Vec<serde_json::Value> =
                out.split(|byte| *byte == b'\n').flat_map(serde_json::from_slice).collect();
            rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
        };
        let (detectors, rules) = (ids(Kind::Detector), ids(Kind::Rule));
        assert_eq!(detectors.len(), DETECTORS.len());
        assert_eq!(detectors.len() + rules.len(), Rules::built_in().catalogue().iter().count());
        assert!(detectors.is_sorted() && rules.is_sorted());
    }

    #[test]
    fn the_page_of_a_rule_ends_in_its_source() {
        let mut out = Vec::new();
        show(&Rules::built_in(), "decoy-touched", &mut out).unwrap();
        let page = String::from_utf8(out).unwrap();
        let (_, source) = page.split_once("\n## In Sigma: built-in/decoy-touched.yml\n").unwrap();
        assert!(source.contains("\n  condition: ") && source.ends_with("\n```\n"), "{source}");
        assert_eq!(without_samples("a: 1\ntests:\n  b:\n\n# c\n---\nd: 2"), "a: 1\n---\nd: 2\n");
    }

    #[test]
    fn a_slip_in_an_id_is_told() {
        let error = show(&Rules::built_in(), "portscan", &mut Vec::new()).unwrap_err().to_string();
        assert_eq!(error, "no detector or rule \"portscan\"; did you mean \"port-scan\"?");
    }
}

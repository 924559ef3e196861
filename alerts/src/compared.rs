//! What another configuration makes of the same logs: findings that appear, vanish or change.

use crate::{
    Format, Style,
    formats::{lines, write_json},
    name::readable,
    report::{EntityReport, SeverityReport},
};
use detect::{Finding, FindingId, Severity};
use ingest::time::format_ms;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// Findings by their ids.
pub type ById = BTreeMap<FindingId, Finding>;

/// A finding that another configuration tells otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference<'f> {
    /// What the one tells.
    pub before: Option<&'f Finding>,
    /// What the other tells.
    pub after: Option<&'f Finding>,
}

/// The findings that differ in severity or bits, or of which only one of both knows, in order of day,
/// time and id.
pub fn differences<'f>(before: &'f ById, after: &'f ById) -> Vec<Difference<'f>> {
    let told = |finding: &Finding| (finding.severity, finding.bits());
    let mut differences: Vec<_> = before
        .iter()
        .map(|(id, one)| Difference { before: Some(one), after: after.get(id) })
        .filter(|of| of.before.map(told) != of.after.map(told))
        .collect();
    let new = after.iter().filter(|(id, _)| !before.contains_key(id));
    differences.extend(new.map(|(_, one)| Difference { before: None, after: Some(one) }));
    differences.sort_by_key(|of| of.any().map(|one| (one.day, one.times_ms, one.id)));
    differences
}

impl<'f> Difference<'f> {
    /// What becomes of the finding.
    pub fn change(&self) -> &'static str {
        match (self.before, self.after) {
            (None, _) => "appears",
            (_, None) => "vanishes",
            _ => "changes",
        }
    }

    /// The severity that the other configuration tells, if it tells more than the one.
    pub fn risen(&self) -> Option<Severity> {
        let before = self.before.map(|finding| finding.severity);
        self.after.map(|finding| finding.severity).filter(|after| Some(*after) > before)
    }

    /// The finding as the other tells it, or the one.
    fn any(&self) -> Option<&'f Finding> {
        self.after.or(self.before)
    }
}

/// A difference in the order in which its fields are written.
#[derive(Serialize)]
struct Row<'f> {
    change: &'static str,
    id: String,
    detector: &'f str,
    day: String,
    account: &'f str,
    entity: EntityReport<'f>,
    before: Option<Told<'f>>,
    after: Option<Told<'f>>,
}

/// What one configuration tells.
#[derive(Serialize)]
struct Told<'f> {
    severity: SeverityReport,
    bits: f64,
    summary: &'f str,
}

fn told(finding: &Finding) -> Told<'_> {
    let score = finding.severity.score(finding.bits());
    let severity = SeverityReport { score, label: finding.severity.label() };
    Told { severity, bits: finding.bits().as_f64(), summary: &finding.summary }
}

/// Writes differences as a table, or else as JSON Lines.
pub fn write_differences(
    out: &mut impl Write,
    differences: &[Difference<'_>],
    (format, style): (Format, Style),
) -> io::Result<()> {
    for difference in differences {
        let Some(finding) = difference.any() else { continue };
        let row = Row {
            change: difference.change(),
            id: finding.id.to_string(),
            detector: &finding.about.id,
            day: format_ms(finding.day.start_ms()).chars().take("2025-03-14".len()).collect(),
            account: &finding.entity.account,
            entity: EntityReport {
                kind: finding.entity.kind.name(),
                key: &finding.entity.key,
                name: readable(&finding.entity),
            },
            before: difference.before.map(told),
            after: difference.after.map(told),
        };
        if format == Format::Table {
            block(out, &row, style)?;
        } else {
            write_json(out, &row)?;
            out.write_all(b"\n")?;
        }
    }
    if format == Format::Table && differences.is_empty() {
        writeln!(out, "no differences")?;
    }
    out.flush()
}

fn block(out: &mut impl Write, row: &Row<'_>, style: Style) -> io::Result<()> {
    let said = |told: &Option<Told<'_>>| match told {
        None => "not told".to_owned(),
        Some(told) => format!("{}, {:.2} bits", told.severity.label, told.bits),
    };
    let (before, after) = (said(&row.before), said(&row.after));
    writeln!(out, "{:<8}  {before} -> {after}", row.change.to_uppercase())?;
    lines(out, &format!("{}  {}, account {}", row.day, row.entity.name, row.account), style)?;
    if let Some(told) = row.after.as_ref().or(row.before.as_ref()) {
        lines(out, told.summary, style)?;
    }
    lines(out, &format!("{}, finding {}", row.detector, row.id), style)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn by_id(findings: &[Finding]) -> ById {
        findings.iter().map(|finding| (finding.id, finding.clone())).collect()
    }

    fn all() -> Vec<Finding> {
        let mut all = ["port-scan", "denied-burst", "s3-mass-deletion", "root-use"]
            .map(sample::finding)
            .to_vec();
        for (n, finding) in (0..).zip(&mut all) {
            finding.id = FindingId(n);
            finding.times_ms.0 += i64::try_from(4 - n).unwrap();
        }
        all
    }

    fn written(before: &ById, after: &ById, format: Format) -> String {
        let (mut out, style) = (Vec::new(), Style { colour: false, width: 100 });
        write_differences(&mut out, &differences(before, after), (format, style)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_appears_vanishes_or_changes_is_told_and_nothing_else() {
        let all = all();
        let mut changed = all[2].clone();
        changed.severity = Severity::Low;
        changed.summary = "other words alone are no difference".to_owned();
        let same = Finding { summary: changed.summary.clone(), ..all[3].clone() };
        let (before, after) = (by_id(&all[1..]), by_id(&[all[0].clone(), changed, same]));
        let told: Vec<_> = differences(&before, &after)
            .iter()
            .map(|one| (one.change(), one.any().unwrap().id.0, one.risen()))
            .collect();
        let appears = ("appears", 0, Some(Severity::Critical));
        assert_eq!(told, [("changes", 2, None), ("vanishes", 1, None), appears]);
        let lines = written(&before, &after, Format::JsonLines);
        let row: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        assert_eq!(row["before"]["severity"]["label"], "critical");
        assert_eq!(row["after"]["severity"]["label"], "low");
        let table = written(&before, &after, Format::Table);
        assert!(table.contains("VANISHES  critical, 37.34 bits -> not told\n"), "{table}");
        assert!(table.contains("APPEARS   not told -> critical, 37.34 bits\n"), "{table}");
    }

    #[test]
    fn without_differences_it_says_so() {
        let all = by_id(&all());
        assert_eq!(written(&all, &all, Format::JsonLines), "");
        assert_eq!(written(&all, &all, Format::Table), "no differences\n");
    }

    #[test]
    fn what_an_intruder_wrote_does_not_reach_the_terminal() {
        let hostile = by_id(&[sample::hostile()]);
        for format in [Format::Table, Format::JsonLines] {
            let text = written(&hostile, &ById::new(), format);
            assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{200b}']), "{text:?}");
        }
    }
}

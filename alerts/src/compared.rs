//! What another configuration makes of the same logs: findings that appear, vanish or change.

use crate::{
    Accounts, Format, Grounds, Style,
    formats::{lines, write_json},
    name::readable,
    report::{EntityReport, SeverityReport},
};
use detect::{Finding, FindingId, Severity};
use ingest::time::format_ms;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

/// Findings by their ids.
pub type ById = BTreeMap<FindingId, Judged>;

/// What a configuration makes of a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The finding.
    pub finding: Finding,
    /// On whose word it is not told, if it is not.
    pub suppressed: Option<Grounds>,
}

impl Judged {
    /// Whether it is told.
    pub fn is_told(&self) -> bool {
        self.suppressed.is_none()
    }
}

/// A finding that another configuration tells otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference<'f> {
    /// What the one makes of it.
    pub before: Option<&'f Judged>,
    /// What the other makes of it.
    pub after: Option<&'f Judged>,
}

/// The findings that differ in severity or bits, or that only one of both tells, in order of day, time and id.
pub fn differences<'f>(before: &'f ById, after: &'f ById) -> Vec<Difference<'f>> {
    let ids: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let both =
        ids.into_iter().map(|id| Difference { before: before.get(id), after: after.get(id) });
    let loudness = |finding: &Finding| (finding.severity, finding.bits());
    let mut differences: Vec<_> =
        both.filter(|of| told(of.before).map(loudness) != told(of.after).map(loudness)).collect();
    differences.sort_by_key(|of| of.any().map(|one| (one.day, one.times_ms, one.id)));
    differences
}

/// The finding, if it is told.
fn told(judged: Option<&Judged>) -> Option<&Finding> {
    judged.filter(|judged| judged.is_told()).map(|judged| &judged.finding)
}

impl<'f> Difference<'f> {
    /// What becomes of the finding.
    pub fn change(&self) -> &'static str {
        match (told(self.before), told(self.after)) {
            (None, _) => "appears",
            (_, None) => "vanishes",
            _ => "changes",
        }
    }

    /// The severity that the other configuration tells, if it tells more than the one.
    pub fn risen(&self) -> Option<Severity> {
        let [before, after] =
            [self.before, self.after].map(|of| told(of).map(|finding| finding.severity));
        after.filter(|after| Some(*after) > before)
    }

    /// The finding as the other makes it, or the one.
    fn any(&self) -> Option<&'f Finding> {
        self.after.or(self.before).map(|judged| &judged.finding)
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
    before: Option<Made<'f>>,
    after: Option<Made<'f>>,
}

/// What one configuration makes of a finding.
#[derive(Serialize)]
struct Made<'f> {
    severity: SeverityReport,
    bits: f64,
    summary: &'f str,
    suppressed: Option<&'f Grounds>,
}

fn made(Judged { finding, suppressed }: &Judged) -> Made<'_> {
    let score = finding.severity.score(finding.bits());
    let severity = SeverityReport { score, label: finding.severity.label() };
    let suppressed = suppressed.as_ref();
    Made { severity, bits: finding.bits().as_f64(), summary: &finding.summary, suppressed }
}

/// Writes differences as a table, or else as JSON Lines.
pub fn write_differences(
    out: &mut impl Write,
    (differences, accounts): (&[Difference<'_>], &Accounts),
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
            before: difference.before.map(made),
            after: difference.after.map(made),
        };
        if format == Format::Table {
            block(out, (&row, &accounts.called(row.account)), style)?;
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

fn block(out: &mut impl Write, (row, account): (&Row<'_>, &str), style: Style) -> io::Result<()> {
    let said = |made: &Option<Made<'_>>| match made {
        None => "not told".to_owned(),
        Some(Made { suppressed: Some(_), .. }) => "suppressed".to_owned(),
        Some(made) => format!("{}, {:.2} bits", made.severity.label, made.bits),
    };
    let (before, after) = (said(&row.before), said(&row.after));
    writeln!(out, "{:<8}  {before} -> {after}", row.change.to_uppercase())?;
    lines(out, &format!("{}  {}, account {account}", row.day, row.entity.name), style)?;
    if let Some(made) = row.after.as_ref().or(row.before.as_ref()) {
        lines(out, made.summary, style)?;
    }
    let made = [&row.before, &row.after].into_iter().flatten();
    for grounds in made.filter_map(|made| made.suppressed) {
        lines(out, &grounds.to_string(), style)?;
    }
    lines(out, &format!("{}, finding {}", row.detector, row.id), style)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn by_id(findings: &[Finding]) -> ById {
        let told = |finding: &Finding| Judged { finding: finding.clone(), suppressed: None };
        findings.iter().map(|finding| (finding.id, told(finding))).collect()
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
        let (all, accounts) = (differences(before, after), Accounts::default());
        write_differences(&mut out, (&all, &accounts), (format, style)).unwrap();
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
    fn what_is_suppressed_vanishes_on_somebodys_word_and_appears_again_without() {
        let (told, mut suppressed) = (by_id(&all()[..1]), by_id(&all()[..1]));
        let grounds = Grounds { reason: "a drill\u{1b}".to_owned(), ..sample::grounds() };
        for judged in suppressed.values_mut() {
            judged.suppressed = Some(grounds.clone());
        }
        assert_eq!(differences(&suppressed, &suppressed), []);
        let vanishes = written(&told, &suppressed, Format::Table);
        assert!(vanishes.contains("VANISHES  critical, 37.34 bits -> suppressed\n"), "{vanishes}");
        let words = "suppressed by drill until 2026-03-12: a drill\\u{1b} (owner: blue team)";
        assert!(vanishes.contains(words), "{vanishes}");
        let row = written(&suppressed, &told, Format::JsonLines);
        let row: serde_json::Value = serde_json::from_str(&row).unwrap();
        assert_eq!(row["change"], "appears");
        assert_eq!(row["before"]["suppressed"]["owner"], "blue team");
        assert_eq!(differences(&suppressed, &told)[0].risen(), Some(Severity::Critical));
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

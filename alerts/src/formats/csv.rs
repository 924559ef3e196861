//! CSV after RFC 4180, one finding a line. What a terminal would obey is escaped, and what a spreadsheet would
//! compute gets an apostrophe in front (CWE-1236).

use crate::{escape, report::Report, seen::Seen};
use std::io::{self, Write};

/// Event ids that a cell names; a spreadsheet takes 32,767 characters. Unit: ids.
const IDS_MAX: usize = 20;

const COLUMNS: &[&str] = &[
    "id",
    "detector",
    "title",
    "severity",
    "score",
    "account",
    "entity_kind",
    "entity",
    "entity_key",
    "first_seen",
    "last_seen",
    "count",
    "hours",
    "bits",
    "summary",
    "impact",
    "techniques",
    "guardduty",
    "confidence",
    "addresses",
    "access_keys",
    "regions",
    "actors",
    "apis",
    "targets",
    "interface",
    "peers",
    "ports",
    "event_ids",
    "what_to_do",
    "config_hash",
    "account_name",
    "account_owner",
    "suppressed_by",
];

pub(super) fn header(out: &mut impl Write) -> io::Result<()> {
    write!(out, "{}\r\n", COLUMNS.join(","))
}

pub(super) fn write(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    let cells = cells(report);
    debug_assert_eq!(cells.len(), COLUMNS.len());
    let line: Vec<_> = cells.iter().map(|text| csv_cell(text)).collect();
    write!(out, "{}\r\n", line.join(","))
}

fn cells(report: &Report<'_>) -> Vec<String> {
    let text = |text: &str| text.to_owned();
    let seen = |seen: &Seen<'_>| seen.values.join(";");
    let flow = report.flow.as_ref();
    let ports = flow.map_or(&[][..], |flow| flow.ports);
    let ids: Vec<_> = report.event_ids.iter().take(IDS_MAX).cloned().collect();
    vec![
        report.id.clone(),
        text(report.detector),
        text(report.title),
        text(report.severity.label),
        format!("{:.1}", report.severity.score),
        text(report.account),
        text(report.entity.kind),
        report.entity.name.clone(),
        text(report.entity.key),
        report.first_seen.clone(),
        report.last_seen.clone(),
        report.count.to_string(),
        report.hours.to_string(),
        format!("{:.2}", report.bits),
        report.summary.clone(),
        text(report.impact),
        report.techniques.join(";"),
        text(report.guardduty.unwrap_or_default()),
        text(report.confidence.level),
        seen(&report.addresses),
        seen(&report.access_keys),
        seen(&report.regions),
        seen(&report.actors),
        seen(&report.apis),
        report.targets.join(";"),
        text(flow.map_or("", |flow| flow.interface)),
        flow.map_or(&[][..], |flow| flow.peers).join(";"),
        ports.iter().map(u16::to_string).collect::<Vec<_>>().join(";"),
        ids.join(";"),
        report.what_to_do.clone(),
        report.inputs.config_hash.clone(),
        text(report.account_name.unwrap_or_default()),
        text(report.account_owner.unwrap_or_default()),
        report.suppressed.map(|grounds| grounds.name.clone()).unwrap_or_default(),
    ]
}

/// The full-width forms too: spreadsheets of East Asian locales compute them.
const FORMULA: &[char] =
    &['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// A cell of CSV after RFC 4180, quoted where it must be. What a terminal would obey is escaped, and
/// what a spreadsheet would compute gets an apostrophe in front (CWE-1236).
///
/// ```
/// assert_eq!(alerts::csv_cell("=1+1, or so"), "\"'=1+1, or so\"");
/// ```
pub fn csv_cell(text: &str) -> String {
    let inert = inert(text);
    let text = escape(&inert);
    if text.contains([',', ';', '"', ' ']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into_owned()
    }
}

/// A text with an apostrophe in front of whatever begins a formula where a cell begins: at its start, and behind `;`,
/// which ends a cell in the spreadsheets of many countries, and there quotes amid a line quote nothing.
fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len() + 2);
    let mut is_start = true;
    for c in text.chars() {
        if is_start && FORMULA.contains(&c) {
            inert.push('\'');
        }
        is_start = c == ';' || is_start && matches!(c, ' ' | '"');
        inert.push(c);
    }
    inert
}

#[cfg(test)]
mod tests {
    use super::csv_cell;

    #[test]
    fn cells_are_quoted_and_never_computed() {
        for (text, written) in [
            ("", ""),
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\\t=1"),
            ("\r=1", "'\\r=1"),
            ("  =1,2", "\"  '=1,2\""),
            ("a\nb", "a\\nb"),
            ("1;=2", "\"1;'=2\""),
            ("1; \"@2", "\"1; \"\"'@2\""),
            ("'=1", "'=1"),
            ("a=1;b-2", "\"a=1;b-2\""),
        ] {
            assert_eq!(csv_cell(text), written);
        }
    }
}

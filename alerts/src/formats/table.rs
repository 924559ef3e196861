//! Findings for people at a terminal: a block each, under the day they belong to.

use super::Style;
use crate::{escape, report::Report, seen::Seen};
use anstyle::{AnsiColor, Style as Paint};
use baseline::Day;
use detect::{Finding, Severity};
use std::io::{self, Write};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Narrower terminals are written to as if they had this. Unit: columns.
const WIDTH_MIN: usize = 40;
/// Longer texts are cut: an intruder chooses names, and a screen is small. Unit: characters.
const TEXT_CHARS_MAX: usize = 600;
/// Peers, and ports, of a finding on flows.
const FLOW_SHOWN_MAX: usize = 5;
/// In front of every line of a block but the first.
pub(super) const INDENT: &str = "  ";

const BOLD: Paint = Paint::new().bold();
const DIM: Paint = Paint::new().dimmed();

/// What the table has said so far.
#[derive(Debug)]
pub(super) struct Table {
    style: Style,
    day: Option<Day>,
    /// Low, medium, high, critical.
    n_by_severity: [u64; 4],
}

impl Table {
    pub(super) fn new(style: Style) -> Self {
        let style = Style { width: style.width.max(WIDTH_MIN), ..style };
        Self { style, day: None, n_by_severity: [0; 4] }
    }

    pub(super) fn write(
        &mut self,
        out: &mut impl Write,
        finding: &Finding,
        report: &Report<'_>,
    ) -> io::Result<()> {
        if let Some(n) = self.n_by_severity.get_mut(finding.severity as usize) {
            *n += 1;
        }
        if self.day != Some(finding.day) {
            self.day = Some(finding.day);
            writeln!(out, "{}\n", self.paint(BOLD, &day(finding, report)))?;
        }
        let label = format!("{:<8}", report.severity.label.to_uppercase());
        let when = span(finding);
        let head = format!("{label}  {when}  {}", shown(&report.who()));
        for (n, line) in wrap(&head, self.style.width - INDENT.len()).iter().enumerate() {
            match line.strip_prefix(label.as_str()).filter(|_| n == 0) {
                Some(rest) => {
                    writeln!(out, "{}{rest}", self.paint(colour(finding.severity), &label))?;
                }
                None => writeln!(out, "{INDENT}{line}")?,
            }
        }
        self.lines(out, report.title, BOLD)?;
        self.lines(out, &capital(&finding.summary), Paint::new())?;
        if finding.severity >= Severity::Medium {
            self.lines(out, &format!("do now: {}", report.what_to_do), Paint::new())?;
        }
        if let Some(origin) = origin(report) {
            self.lines(out, &origin, DIM)?;
        }
        self.lines(out, &facts(report), DIM)?;
        if let Some(grounds) = report.suppressed {
            self.lines(out, &grounds.to_string(), Paint::new())?;
        }
        let first = report.event_ids.first().filter(|id| !id.is_empty());
        let first = first.map_or_else(String::new, |id| format!(", first record {id}"));
        self.lines(out, &format!("finding {}{first}", report.id), DIM)?;
        writeln!(out)
    }

    pub(super) fn finish(&self, out: &mut impl Write) -> io::Result<()> {
        let total: u64 = self.n_by_severity.iter().sum();
        if total == 0 {
            return writeln!(out, "no findings");
        }
        let counts = Severity::ALL.iter().zip(self.n_by_severity).rev().filter(|(_, n)| *n > 0);
        let counts: Vec<_> = counts
            .map(|(severity, n)| {
                self.paint(colour(*severity), &format!("{n} {}", severity.label()))
            })
            .collect();
        let noun = if total == 1 { "finding" } else { "findings" };
        writeln!(out, "{total} {noun}: {}", counts.join(", "))
    }

    /// `text` over as many lines as it needs, indented.
    fn lines(&self, out: &mut impl Write, text: &str, paint: Paint) -> io::Result<()> {
        for line in wrap(&shown(text), self.style.width - INDENT.len()) {
            writeln!(out, "{INDENT}{}", self.paint(paint, &line))?;
        }
        Ok(())
    }

    fn paint(&self, paint: Paint, text: &str) -> String {
        if !self.style.colour || paint == Paint::new() {
            return text.to_owned();
        }
        format!("{paint}{text}{paint:#}")
    }
}

/// `text` over as many lines as it needs, indented and plain.
pub(crate) fn lines(out: &mut impl Write, text: &str, style: Style) -> io::Result<()> {
    Table::new(style).lines(out, text, Paint::new())
}

/// The day of a finding, as people say it.
pub(crate) fn day(finding: &Finding, report: &Report<'_>) -> String {
    format!("{} {} (UTC)", report.day, weekday(finding.day))
}

/// From when to when.
pub(crate) fn span(finding: &Finding) -> String {
    let Finding { times_ms: (first, last), day, .. } = finding;
    format!("{} - {}", time(*first, *day), time(*last, *day))
}

/// Who told it, and what it rests on.
pub(crate) fn facts(report: &Report<'_>) -> String {
    let Report { detector, bits, confidence, .. } = report;
    format!("{detector}, {}, {bits:.2} bits, confidence {}", records(report), confidence.level)
}

/// From where, with which key, in which region: what one looks up next.
pub(crate) fn origin(report: &Report<'_>) -> Option<String> {
    let first = |what: &str, seen: &Seen<'_>| {
        let value = seen.values.first().filter(|value| !value.is_empty())?;
        let more = seen.count.saturating_sub(1);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Some(format!("{what}{value}{more}"))
    };
    let parts = [
        first("from ", &report.addresses),
        first("key ", &report.access_keys),
        first("in ", &report.regions),
    ];
    let flow = report.flow.as_ref().map(|flow| {
        let ports: Vec<String> = flow.ports.iter().map(u16::to_string).collect();
        format!("to {}, ports {}", some(flow.peers), some(&ports))
    });
    let parts: Vec<_> = parts.into_iter().chain([flow]).flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The first few of what flows showed.
fn some(all: &[String]) -> String {
    let first = all.iter().take(FLOW_SHOWN_MAX).map(String::as_str).collect::<Vec<_>>().join(" ");
    if all.len() > FLOW_SHOWN_MAX { first + " and others" } else { first }
}

fn colour(severity: Severity) -> Paint {
    match severity {
        Severity::Low => DIM,
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::High => AnsiColor::Red.on_default().bold(),
        Severity::Critical => AnsiColor::BrightWhite.on(AnsiColor::Red).bold(),
    }
}

fn records(report: &Report<'_>) -> String {
    let hours =
        if report.hours == 1 { "1 hour".into() } else { format!("{} clock hours", report.hours) };
    let records =
        if report.count == 1 { "1 record".into() } else { format!("{} records", report.count) };
    format!("{records} in {hours}")
}

/// `14:03`, with its date in front if that is not `day`: a window may begin the day before.
fn time(at_ms: i64, day: Day) -> String {
    let text = ingest::time::format_ms(at_ms);
    let (from, n) = if Day::of(at_ms) == day { (11, 5) } else { (5, 11) };
    text.chars().skip(from).take(n).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

fn weekday(day: Day) -> &'static str {
    // 1970-01-01 was a Thursday.
    let names = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
    let at = usize::try_from(day.0.rem_euclid(7)).unwrap_or(0);
    names.get(at).copied().unwrap_or_default()
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Escaped, and cut if it is longer than a person would read.
fn shown(text: &str) -> String {
    let text = escape(text);
    if text.chars().count() <= TEXT_CHARS_MAX {
        return text.into_owned();
    }
    text.chars().take(TEXT_CHARS_MAX).chain("...".chars()).collect()
}

/// Lines of at most `width` columns, broken at spaces; a longer word is broken anywhere.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    for word in text.split_inclusive(' ') {
        let columns = word.trim_end().width();
        if used > 0 && used + columns > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        for c in word.chars() {
            let columns = c.width().unwrap_or(0);
            if used + columns > width && c != ' ' {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += columns;
        }
    }
    lines.push(line);
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("aaaaaaaa bb", 3), ["aaa", "aaa", "aa", "bb"]);
        assert_eq!(wrap("東京東京", 5), ["東京", "東京"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn a_time_of_another_day_has_its_date() {
        let day = Day::of(1_773_324_191_000);
        assert_eq!(time(1_773_324_191_000, day), "14:03");
        assert_eq!(time(1_773_272_700_000, day), "03-11 23:45");
        assert_eq!(weekday(day), "Thursday");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal(text in any::<String>(), width in 2_usize..60) {
            let shown = shown(&text);
            for line in wrap(&shown, width) {
                prop_assert!(line.width() <= width);
            }
        }
    }
}

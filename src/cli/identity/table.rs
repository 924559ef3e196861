//! What judged a day, for a person.

use super::date;
use crate::config::n_of;
use alerts::{Style, escape, readable};
use baseline::{Bits, Day, Dimension, Entity, Held, HeldDimension, Hour, Kind};
use detect::{Bound, JudgedDay, JudgedSpan};
use ingest::time::format_ms;
use std::{
    cmp::Reverse,
    io::{self, Write},
};

/// Values of a dimension that are shown. Unit: values.
const VALUES_SHOWN: usize = 6;
/// Spans that are shown with their parts. Unit: spans.
const SPANS_SHOWN: usize = 12;
/// What the groups of an identity are called, the nearest first.
const GROUPS: [&str; baseline::N_PRIORS] = [
    "those who wear the same role",
    "those of its kind in the account",
    "the account",
    "the organisation",
];

/// Writes all of it; of long lists what weighs most.
pub(super) fn write(
    out: &mut impl Write,
    (entity, day, judged): (&Entity, Day, &JudgedDay),
    style: Style,
) -> io::Result<()> {
    let mut page = Page { out, style };
    let name = format!("{}, {}, account {}", readable(entity), entity.kind.name(), entity.account);
    page.line(0, &name)?;
    // Whole: it is there to be copied.
    writeln!(page.out, "key {}", escape(&entity.key))?;
    page.line(
        0,
        &format!(
            "{} (UTC), judged by what was learned up to {}",
            date(day),
            date(judged.own.through)
        ),
    )?;
    page.verdict(entity, judged)?;
    page.spans(judged)?;
    page.heading("What it usually does")?;
    page.held(&judged.own)?;
    let mut nearer: Option<&Held> = None;
    for (name, group) in GROUPS.iter().zip(&judged.groups) {
        let Some(group) = group else { continue };
        page.heading(&format!("What is usual for {name}, up to {}", date(group.through)))?;
        if nearer == Some(group) {
            page.line(2, "the same")?;
        } else {
            page.held(group)?;
        }
        nearer = Some(group);
    }
    Ok(())
}

struct Page<'o, W> {
    out: &'o mut W,
    style: Style,
}

impl<W: Write> Page<'_, W> {
    /// One line, cut where the terminal ends.
    fn line(&mut self, indent: usize, text: &str) -> io::Result<()> {
        let text = escape(text);
        let width = self.style.width.max(60).saturating_sub(indent);
        let mut shown: String = text.chars().take(width).collect();
        if text.chars().count() > width {
            shown.truncate(
                shown.char_indices().nth(width.saturating_sub(3)).map_or(0, |(at, _)| at),
            );
            shown.push_str("...");
        }
        writeln!(self.out, "{:indent$}{shown}", "")
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out)?;
        self.line(0, text)
    }

    /// Whether unusual behaviour is told at all, from where on, and what the day taught.
    fn verdict(&mut self, entity: &Entity, judged: &JudgedDay) -> io::Result<()> {
        let (own, kind) = judged.history_days;
        let own = n_of(own as usize, "day");
        let history = format!("history: {own} of its own, {kind} of its kind");
        self.line(0, &history)?;
        let told = match least(judged) {
            Some(least) if judged.is_young => {
                format!("threshold: {least}; it is young, so its peers' habits count as its own")
            }
            Some(least) => format!("threshold: {least}"),
            None if !entity.kind.has_habits() => match entity.kind {
                Kind::Interface => "not judged: interfaces call no API".to_owned(),
                _ => "not judged: what AWS services do follows from what was set up".to_owned(),
            },
            None => "not judged: five days are enough, of its own or of its kind".to_owned(),
        };
        self.line(0, &told)?;
        if judged.teaches_less {
            self.line(
                0,
                "the day teaches an eighth: something of medium or above was found on it",
            )?;
        }
        Ok(())
    }

    fn spans(&mut self, judged: &JudgedDay) -> io::Result<()> {
        let mut spans: Vec<_> = judged.spans.iter().collect();
        spans.sort_by_key(|span| Reverse(span.bits()));
        let hours = spans.iter().map(|span| span.hour).collect::<std::collections::BTreeSet<_>>();
        let heading = format!(
            "{} spans (hours of one kind of call, or of where from) in {} hours, the most surprising first",
            spans.len(),
            hours.len()
        );
        self.heading(&heading)?;
        let n_told = spans.iter().filter(|span| span.bits() > Bits::ZERO).count();
        let n_shown = if n_told > 0 { n_told.min(SPANS_SHOWN) } else { SPANS_SHOWN };
        let (shown, rest) = spans.split_at(n_shown.min(spans.len()));
        for span in shown {
            self.span(span)?;
        }
        match rest.first() {
            Some(next) => {
                let n = rest.len();
                self.line(2, &format!("and {n} of {} or less (--json has all)", next.bits()))
            }
            None => Ok(()),
        }
    }

    fn span(&mut self, span: &JudgedSpan) -> io::Result<()> {
        let of = match span.track {
            Some(track) if track.is_s3 => format!("{} on S3", track.impact.name()),
            Some(track) => track.impact.name().to_owned(),
            None => "where and how alone".to_owned(),
        };
        let calls = if span.n_calls == 1 { "call" } else { "calls" };
        let what = format!("{of}, {} {calls}", span.n_calls);
        let (bits, clock) = (span.bits().as_f64(), clock(span.hour));
        let told = match (span.needs, span.detector) {
            (Some(needs), Some(id)) if span.is_told => format!("{bits:.2} of {needs} bits: {id}"),
            (Some(needs), _) if bits >= needs => {
                format!("{bits:.2} of {needs} bits, but too few for what it did")
            }
            (Some(needs), _) => format!("{bits:.2} of {needs} bits"),
            (None, Some(_)) => String::new(),
            (None, None) => format!("{bits:.2} bits, which no detector asks for"),
        };
        self.line(2, format!("{clock}  {what:<36} {told}").trim_end())?;
        for term in &span.terms {
            let part = &term.part;
            let name = part.dimension.name();
            let bits = part.bits.as_f64();
            self.line(9, &format!("{bits:>6.2}  {name}: {}", part.observed))?;
            self.line(17, &format!("usual: {}", part.usual))?;
        }
        Ok(())
    }

    fn held(&mut self, held: &Held) -> io::Result<()> {
        if held.n_days == 0 {
            return self.line(2, "nothing is known yet");
        }
        let whole = format!(
            "{} with records; decayed: {:.1} days, {:.1} hours",
            n_of(held.n_days as usize, "day"),
            held.decayed_days,
            held.hours
        );
        self.line(2, &whole)?;
        for one in &held.dimensions {
            if one.values.is_empty() {
                self.rate(one, held.hours)?;
            } else {
                self.values(one)?;
            }
        }
        Ok(())
    }

    fn values(&mut self, one: &HeldDimension) -> io::Result<()> {
        let shown = one.values.iter().take(VALUES_SHOWN).map(|value| {
            let doubt = if value.is_known { "" } else { ", not known yet" };
            format!("{} ({:.1} d{doubt})", value.value.text, value.days)
        });
        let n_more = one.values.len().saturating_sub(VALUES_SHOWN);
        let more = if n_more > 0 { format!(", and {n_more} more") } else { String::new() };
        let shown = shown.collect::<Vec<_>>().join(", ");
        let news = if matches!(one.dimension, Dimension::Matches) { 0.0 } else { one.rate.sum };
        let news = if news >= 0.05 && one.dimension.counts_news() {
            format!("; {news:.1} new in {:.1} hours", one.rate.hours)
        } else {
            String::new()
        };
        self.line(2, &format!("{:<20} {shown}{more}{news}", one.dimension.name()))
    }

    fn rate(&mut self, one: &HeldDimension, hours: f64) -> io::Result<()> {
        let rate = one.rate;
        if rate.hours <= 0.0 {
            return Ok(());
        }
        let mean = rate.sum / rate.hours;
        let told = format!("{mean:.1} in an hour with any, {:.1} of {hours:.1} hours", rate.hours);
        self.line(2, &format!("{:<20} {told}", one.dimension.name()))
    }
}

/// The threshold of most detectors, and why.
fn least(judged: &JudgedDay) -> Option<String> {
    let (_, first) = judged.thresholds.first()?;
    let others: Vec<_> = judged
        .thresholds
        .iter()
        .filter(|(_, threshold)| threshold.bits.total_cmp(&first.bits).is_ne())
        .map(|(id, threshold)| format!("{id} {}", threshold.bits))
        .collect();
    let others =
        if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    let why = match first.bound {
        Bound::Kind => "what is unusual for its kind",
        Bound::Budget => "what keeps within the alert budget",
    };
    Some(format!("{} bits{others}, {why}", first.bits))
}

/// `14:00`.
fn clock(hour: Hour) -> String {
    format_ms(hour.start_ms()).chars().skip(11).take(5).collect()
}

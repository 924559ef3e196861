//! Which parts of an archive have to be listed. In: folders, as prefixes of keys, and a filter. Out:
//! what to do with a folder, and the stretches of keys that the time asked for lies in. It sends nothing.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::super::key::{AWS_LOGS, is_account, is_organisation, is_region, last_component, value};
use super::super::{Filter, KeyInfo, STAMP_RESOLUTION_MS, Skip, files};

/// Days that are listed one by one; more are one listing that begins and ends where they do. Unit: days.
pub(crate) const DAYS_APART_MAX: usize = 31;

/// How far folders are looked through for one named `AWSLogs`, below the prefix asked for. Unit: folders.
pub(crate) const DEPTH_MAX: usize = 3;

/// Folders beside each other that are looked through one by one; more are one listing. Unit: folders.
pub(crate) const SIBLINGS_MAX: usize = 100;

/// What a folder is, by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Not below `AWSLogs/`, which may be further down.
    Outside,
    /// Holds folders that the filter may exclude: of organisations, accounts, services, regions.
    Choice,
    /// Of a region: holds folders of years, months and days.
    Days,
    /// Below all that, or laid out in no way that AWS does.
    Deep,
}

/// What a prefix that ends in `/`, or is empty, holds.
pub(crate) fn level(folder: &str) -> Level {
    let Some(at) = last_component(folder, AWS_LOGS) else { return Level::Outside };
    let below = folder.get(at + AWS_LOGS.len()..).unwrap_or_default();
    let mut parts = below.split('/').filter(|part| !part.is_empty()).peekable();
    parts.next_if(|part| is_organisation(part));
    let Some(account) = parts.next() else { return Level::Choice };
    if !is_account(value(account, "aws-account-id")) {
        return Level::Deep;
    }
    // Objects below a service that is not read are excluded before anyone asks for its level.
    let (Some(_service), region) = (parts.next(), parts.next()) else { return Level::Choice };
    match (region, parts.next()) {
        (None, _) => Level::Choice,
        (Some(region), None) if is_region(value(region, "aws-region")) => Level::Days,
        _ => Level::Deep,
    }
}

/// Why nothing below a folder is read, if nothing is.
pub(crate) fn unwanted(folder: &str, filter: &Filter) -> Option<Skip> {
    let name = folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if name.starts_with('.') {
        return Some(Skip::Hidden);
    }
    // What folders say of whatever lies in them; a name of one letter says nothing.
    files::unwanted(&KeyInfo::of(&format!("{folder}x")), filter)
}

/// A stretch of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    /// What all of them begin with.
    pub(crate) prefix: String,
    /// They come after this one.
    pub(crate) after: Option<String>,
    /// They come before this one.
    pub(crate) until: Option<String>,
}

impl Span {
    /// Everything below a prefix.
    pub(crate) fn of(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), after: None, until: None }
    }
}

/// Where objects of the time asked for lie below the folder of a region. AWS puts an object into
/// the folder of the day of its stamp.
pub(crate) fn spans(region: &str, filter: &Filter) -> Vec<Span> {
    let first = filter
        .from_ms
        .and_then(|from_ms| day(from_ms.saturating_sub(STAMP_RESOLUTION_MS).saturating_add(1)));
    let last = filter
        .until_ms
        .and_then(|until_ms| day(until_ms.saturating_add(filter.lateness_ms).saturating_sub(1)));
    let is_hive = region.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let is_hive = is_hive.starts_with("aws-region=");
    let folder = |day: Date| folder_of(region, day, is_hive);
    if let (Some(first), Some(last)) = (first, last) {
        let mut days = first.series(jiff::Span::new().days(1)).take_while(|day| *day <= last);
        let apart: Vec<Span> =
            days.by_ref().take(DAYS_APART_MAX).map(|day| Span::of(&folder(day))).collect();
        if days.next().is_none() {
            return apart;
        }
    }
    let until = last.and_then(|last| last.tomorrow().ok()).map(folder);
    vec![Span { prefix: region.to_owned(), after: first.map(folder), until }]
}

/// The UTC day of an instant.
fn day(ms: i64) -> Option<Date> {
    let at = Timestamp::from_millisecond(ms).ok()?;
    Some(at.to_zoned(TimeZone::UTC).date())
}

fn folder_of(region: &str, day: Date, is_hive: bool) -> String {
    let (year, month, day) = (day.year(), day.month(), day.day());
    if is_hive {
        format!("{region}year={year:04}/month={month:02}/day={day:02}/")
    } else {
        format!("{region}{year:04}/{month:02}/{day:02}/")
    }
}

#[cfg(test)]
mod tests;

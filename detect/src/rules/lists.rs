//! Lists of addresses that the user has: known bad, own offices, exits of Tor.
//!
//! A list is a text with an address or network a line (`#` and `;` begin comments), a CSV file, or a
//! bundle of STIX 2.1. Of CSV the column named `ip`, `address`, `cidr`, `indicator` or the like is
//! read, else the first. Of STIX the indicators of `ipv4-addr` and `ipv6-addr`; other indicators are
//! passed over, and so are patterns that need more than an address.

use super::matcher::Range;
use ingest::{Raw, Text, flow};
use std::net::IpAddr;

/// Entries of one list. Unit: entries.
pub const ENTRIES_MAX: usize = 1_000_000;
/// Length of one list. Unit: bytes.
pub const BYTES_MAX: usize = 64 << 20;

/// Why a list is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// A line that is no address.
    #[error("{list}:{line}: expected an address or a network such as 10.0.0.0/8, found `{found}`")]
    NoAddress {
        /// The list, as it was named.
        list: String,
        /// From 1.
        line: usize,
        /// What stands there, at most 60 characters of it.
        found: String,
    },
    /// A bundle without objects, or JSON of another kind.
    #[error("{list}: expected a bundle of STIX 2.1 with `objects`")]
    NoBundle {
        /// The list, as it was named.
        list: String,
    },
    /// A bundle whose indicator holds what is no address.
    #[error("{list}: object {object}: expected an address, found `{found}`")]
    NoIndicator {
        /// The list, as it was named.
        list: String,
        /// From 1.
        object: usize,
        /// What stands there, at most 60 characters of it.
        found: String,
    },
    /// Too long.
    #[error("{list}: expected at most {ENTRIES_MAX} entries in {BYTES_MAX} bytes")]
    TooLong {
        /// The list, as it was named.
        list: String,
    },
}

/// Addresses under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    name: String,
    is_trusted: bool,
    /// First and last address of ranges, ascending, without overlap.
    ranges: Vec<(u128, u128)>,
}

impl List {
    /// Reads a list in any of the forms.
    pub fn parse(name: &str, text: &str, is_trusted: bool) -> Result<Self, ListError> {
        Self::parse_within(ENTRIES_MAX, (name, text), is_trusted)
    }

    fn parse_within(
        entries_max: usize,
        (name, text): (&str, &str),
        is_trusted: bool,
    ) -> Result<Self, ListError> {
        let list = || name.to_owned();
        if text.len() > BYTES_MAX {
            return Err(ListError::TooLong { list: list() });
        }
        let text = text.trim_start_matches('\u{feff}');
        let mut ranges = if text.trim_ascii_start().starts_with('{') {
            bundle(name, text, entries_max)?
        } else {
            lines(name, text, entries_max)?
        };
        if ranges.len() > entries_max {
            return Err(ListError::TooLong { list: list() });
        }
        ranges.sort_unstable();
        ranges.dedup_by(|(first, last), (_, end)| {
            let is_joined = *first <= *end;
            *end = if is_joined { (*end).max(*last) } else { *end };
            is_joined
        });
        Ok(Self { name: list(), is_trusted, ranges })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many ranges it is, overlaps joined. Unit: ranges.
    pub fn n_ranges(&self) -> usize {
        self.ranges.len()
    }

    /// Whether it holds the address.
    pub fn holds(&self, address: IpAddr) -> bool {
        let address = flow::address(address);
        let n_before = self.ranges.partition_point(|(first, _)| *first <= address);
        let last = n_before.checked_sub(1).and_then(|n| self.ranges.get(n));
        last.is_some_and(|(_, last)| address <= *last)
    }
}

/// All lists of a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists(Vec<List>);

impl Lists {
    /// These lists.
    pub fn new(lists: Vec<List>) -> Self {
        Self(lists)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &List> {
        self.0.iter()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the lists that hold the address: none where a trusted one does.
    pub fn holding(&self, address: IpAddr) -> impl Iterator<Item = &str> {
        let is_trusted = self.trusting(address).next().is_some();
        self.of(address, false).filter(move |_| !is_trusted)
    }

    /// The names of the trusted lists that hold the address.
    pub fn trusting(&self, address: IpAddr) -> impl Iterator<Item = &str> {
        self.of(address, true)
    }

    fn of(&self, address: IpAddr, is_trusted: bool) -> impl Iterator<Item = &str> {
        let lists = self.0.iter().filter(move |list| list.is_trusted == is_trusted);
        lists.filter(move |list| list.holds(address)).map(List::name)
    }
}

/// What of a list's text is said in an error.
fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}

type Ranges = Vec<(u128, u128)>;

fn lines(name: &str, text: &str, entries_max: usize) -> Result<Ranges, ListError> {
    let mut ranges = Ranges::new();
    let mut column: Option<usize> = None;
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.split(['#', ';']).next().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        let cells = cells(text);
        let is_first = column.is_none();
        let at = *column.get_or_insert_with(|| column_of(&cells));
        let cell = cells.get(at).copied().unwrap_or_default();
        match range(cell) {
            Some(range) if ranges.len() <= entries_max => ranges.push(range),
            Some(_) => break,
            None if cell.is_empty() || is_first && is_header(&cells) => {}
            None => {
                let (list, found) = (name.to_owned(), excerpt(cell));
                return Err(ListError::NoAddress { list, line, found });
            }
        }
    }
    Ok(ranges)
}

/// The cells of a line of CSV, without quotes. Addresses hold neither quotes nor commas.
fn cells(line: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let cells = line.split(|c| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    });
    cells.map(|cell| cell.trim().trim_matches('"').trim()).collect()
}

/// Names of columns that hold addresses, as feeds have them.
const COLUMNS: [&str; 12] = [
    "ip",
    "ip_address",
    "ipaddress",
    "ip address",
    "address",
    "cidr",
    "network",
    "indicator",
    "ioc",
    "dst_ip",
    "src_ip",
    "value",
];

fn column_of(header: &[&str]) -> usize {
    let named = |name: &str| header.iter().position(|cell| cell.eq_ignore_ascii_case(name));
    COLUMNS.into_iter().find_map(named).unwrap_or(0)
}

/// A first line of several cells, or one with the name of a column, is a header if it holds no
/// address.
fn is_header(cells: &[&str]) -> bool {
    let is_named = cells.iter().any(|cell| COLUMNS.iter().any(|n| cell.eq_ignore_ascii_case(n)));
    is_named || cells.len() > 1 && cells.iter().all(|cell| range(cell).is_none())
}

fn range(text: &str) -> Option<(u128, u128)> {
    Range::parse(text).map(Range::ends)
}

fn bundle(name: &str, text: &str, entries_max: usize) -> Result<Ranges, ListError> {
    let list = || name.to_owned();
    let objects = Raw(text).get("objects").ok_or_else(|| ListError::NoBundle { list: list() })?;
    let mut ranges = Ranges::new();
    for (object, raw) in (1..).zip(objects.each()) {
        let [kind, pattern] = raw.members(["type", "pattern"]);
        if !kind.and_then(Raw::text).is_some_and(|kind| kind.is("indicator")) {
            continue;
        }
        let pattern = pattern.and_then(Raw::text).map(Text::get).unwrap_or_default();
        for found in addresses(&pattern) {
            let range = range(found).ok_or_else(|| {
                let found = excerpt(found);
                ListError::NoIndicator { list: list(), object, found }
            })?;
            ranges.push(range);
            if ranges.len() > entries_max {
                return Err(ListError::TooLong { list: list() });
            }
        }
    }
    Ok(ranges)
}

/// The addresses that a STIX pattern is about, such as `[ipv4-addr:value = '198.51.100.1']`.
fn addresses(pattern: &str) -> impl Iterator<Item = &str> {
    let is_more =
        [" AND ", " FOLLOWEDBY ", " NOT ", "!="].iter().any(|word| pattern.contains(word));
    let parts = ["ipv4-addr:value", "ipv6-addr:value"].into_iter().filter(move |_| !is_more);
    let comparisons = parts.flat_map(move |part| pattern.split(part).skip(1));
    comparisons.filter_map(|rest| {
        let rest = rest.trim_start();
        let operand = ["=", "ISSUBSET"].iter().find_map(|operator| rest.strip_prefix(operator))?;
        operand.trim_start().strip_prefix('\'')?.split('\'').next()
    })
}

#[cfg(test)]
mod tests;

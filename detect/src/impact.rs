//! What each API can do to those whose account it is: a table, and the verb where the table is silent.

mod table;

use baseline::{Dimension, Impact, class};
use table::TABLE;

/// What a call of `service:name` can do; `name` is without the version of the API. The same for calls
/// that fail: what was tried counts.
pub(crate) fn impact(service: &str, name: &str, read_only: Option<bool>) -> Impact {
    listed(service, name).unwrap_or_else(|| by_verb(service, name, read_only))
}

/// What the table says.
fn listed(service: &str, name: &str) -> Option<Impact> {
    let from = TABLE.partition_point(|(known, ..)| *known < service);
    let rows = TABLE.iter().skip(from).take_while(|(known, ..)| *known == service);
    let mut rows = rows.filter(|(.., names)| names.split(' ').any(|known| known == name));
    rows.next().map(|(_, impact, _)| *impact)
}

/// What the verb says, by the classes whose rates are counted. Reads of content are in the table, and so
/// are deletions that lose data or service: there are fewer of both than of the others.
fn by_verb(service: &str, name: &str, read_only: Option<bool>) -> Impact {
    match class::class(service, name, read_only) {
        Dimension::Lists | Dimension::Reads => Impact::Discovery,
        Dimension::Encrypts => Impact::Read,
        Dimension::Credentials => Impact::Credential,
        Dimension::Shares => Impact::Exfiltration,
        _ => Impact::Write,
    }
}

#[cfg(test)]
mod tests;

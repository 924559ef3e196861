//! What each API can do to those whose account it is: a table, and the verb where the table is silent.

mod table;

use baseline::Impact;
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

/// What the verb of AWS's own naming says; `read_only` decides where it does not. Reads of content are in
/// the table, and so are deletions that lose data or service: there are fewer of both than of others.
fn by_verb(service: &str, name: &str, read_only: Option<bool>) -> Impact {
    let starts = |verbs: &[&str]| verbs.iter().any(|verb| name.starts_with(verb));
    if starts(CHANGES) {
        return Impact::Write;
    }
    match service {
        "sts" if starts(&["AssumeRole"]) || name.starts_with("Get") && name.ends_with("Token") => {
            Impact::Credential
        }
        "kms" if !starts(LISTS) => Impact::Read,
        _ if starts(SHARES) => Impact::Exfiltration,
        _ if starts(LISTS) || starts(READS) || read_only == Some(true) => Impact::Discovery,
        _ => Impact::Write,
    }
}

const LISTS: &[&str] = &["List", "Describe", "Lookup", "Search", "Scan", "Query"];
const READS: &[&str] = &["Get", "Head", "BatchGet", "Check", "Select", "View"];
const CHANGES: &[&str] =
    &["Delete", "Terminate", "Deregister", "Remove", "Purge", "BatchDelete", "ScheduleKeyDeletion"];
/// What gives others access to data.
const SHARES: &[&str] = &["AddPermission", "PutResourcePolicy"];

#[cfg(test)]
mod tests;

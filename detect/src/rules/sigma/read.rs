//! YAML to documents. A document with a fault is left out whole, with every fault that could be told.

use super::{
    Detection, Document, Filter, Line, RuleError, Unused, UnusedKind, Whose, Why, correlation,
    head::{self, head},
    logs::{self, logs},
    selection,
    table::{Faults, Table, shown, texts},
};
use crate::{
    rules::yaml::{self, Fault, Key, Kind, Node},
    suggest::slip_of,
};
use std::sync::Arc;

/// Attributes of Sigma's three kinds of document, and sentrail's own two. Others are an author's own
/// and say nothing to sentrail.
const ATTRIBUTES: [&str; 24] = [
    "author",
    "correlation",
    "date",
    "description",
    "detection",
    "falsepositives",
    "fields",
    "filter",
    "generate",
    "id",
    "level",
    "license",
    "logsource",
    "modified",
    "name",
    "references",
    "related",
    "scope",
    "sentrail",
    "status",
    "tags",
    "taxonomy",
    "tests",
    "title",
];

/// What `status` says of rules that nobody should use any more.
const RETIRED: [&str; 2] = ["deprecated", "unsupported"];

/// Attributes that decide what a document is. They are not left out by saying nothing.
const REQUIRED: [&str; 5] = ["correlation", "detection", "filter", "logsource", "title"];

/// The documents of a file, and what is wrong with those that are not in force. `file` is its name in
/// messages.
pub(crate) fn read(file: &Arc<str>, text: &str, whose: Whose) -> (Vec<Document>, Vec<RuleError>) {
    let mut errors = Vec::new();
    let last = yaml::last_line(text);
    let documents = yaml::documents(text).into_iter().map(|node| {
        let unused = |line, node, why| Unused::of((file, whose), line, node, why);
        match node {
            Ok(mut node) => {
                leave_out(&mut node);
                let start = errors.len();
                let document = read_one((file, whose), &node, &mut errors);
                let found = errors.get_mut(start..).unwrap_or_default();
                for error in found.iter_mut() {
                    error.line = error.line.min(last);
                }
                document.unwrap_or_else(|why| {
                    let unused = unused(node.line, Some(&node), why);
                    let is_silent = |kind: &UnusedKind| {
                        matches!(kind, UnusedKind::Correlation(rules) if !rules.is_empty())
                    };
                    if is_silent(&unused.kind) {
                        RuleError::says_silence(found);
                    }
                    Document::Unused(unused)
                })
            }
            Err(Fault { line, what }) => {
                let line = line.min(last);
                errors.push(RuleError::fault(file, line, what));
                Document::Unused(unused(line, None, Why::Fault))
            }
        }
    });
    let documents = documents.collect();
    (documents, errors)
}

/// A document, or why it is not in force. What is told of it is put to the errors.
fn read_one(
    (file, whose): (&Arc<str>, Whose),
    node: &Node,
    errors: &mut Vec<RuleError>,
) -> Result<Document, Why> {
    let error = |line, what, why| RuleError { file: Arc::clone(file), line, what, why };
    if let Some((logs, line)) = logs::other(node) {
        let what = format!("sentrail does not read these logs: {logs}");
        let why = Why::OtherLogs(logs);
        errors.push(error(line, what, why.clone()));
        return Err(why);
    }
    if let Some((status, line)) = retired(node).filter(|_| whose == Whose::Others) {
        let what = format!("its author has left it behind: status {status}");
        let why = Why::Retired(status.to_owned());
        errors.push(error(line, what, why.clone()));
        return Err(why);
    }
    let mut faults = Faults::of(whose);
    let document = document(file, node, &mut faults);
    let Faults { found, tolerated, .. } = faults;
    let is_sound = found.is_empty();
    let found = found.into_iter().map(|fault| (fault, Why::Fault));
    let all = found.chain(tolerated.into_iter().map(|fault| (fault, Why::Tolerated)));
    errors.extend(all.map(|(Fault { line, what }, why)| error(line, what, why)));
    document.filter(|_| is_sound).ok_or(Why::Fault)
}

/// What the author of a rule calls it that nobody should use any more, and where.
fn retired(node: &Node) -> Option<(&'static str, Line)> {
    let table = Table::of(node, "document").ok()?;
    let status = table.text("status").ok()??;
    let known = RETIRED.into_iter().find(|known| known.eq_ignore_ascii_case(status))?;
    Some((known, table.get("status")?.line))
}

/// An attribute with nothing behind it is one that was left out: templates end in such.
fn leave_out(node: &mut Node) {
    if let Kind::Mapping(entries) = &mut node.kind {
        entries.retain(|(key, node)| {
            let word = key.text.as_str();
            !node.is_null() || REQUIRED.contains(&word) || !ATTRIBUTES.contains(&word)
        });
    }
}

fn document(file: &Arc<str>, node: &Node, faults: &mut Faults) -> Option<Document> {
    let table = faults.keep(Table::of(node, "document"))?;
    for (key, _) in table.entries {
        faults.keep(check_obsolete(key));
        faults.tolerate(check_attribute(key), ());
    }
    faults.keep(check_taxonomy(table));
    match (table.get("detection"), table.get("correlation"), table.get("filter")) {
        (Some(node), None, None) => detection(file, table, node, faults).map(Document::Detection),
        (None, Some(node), None) => {
            faults.tolerate(refuse(table, "correlation", &["logsource"]), ());
            let head = head(file, table, faults);
            correlation::read(table, node, head, faults).map(Document::Correlation)
        }
        (None, None, Some(node)) => filter(file, table, node, faults).map(Document::Filter),
        (None, None, None) => {
            let what = "document without \"detection\", \"correlation\" or \"filter\"";
            faults.keep(Err(Fault::new(table.line, what)))
        }
        _ => {
            let what = "document with more than one of \"detection\", \"correlation\", \"filter\"";
            faults.keep(Err(Fault::new(table.line, what)))
        }
    }
}

fn detection(
    file: &Arc<str>,
    table: Table<'_>,
    node: &Node,
    faults: &mut Faults,
) -> Option<Detection> {
    faults.tolerate(refuse(table, "detection", &["generate"]), ());
    let head = head(file, table, faults);
    let logs = faults.keep(logs(table));
    let condition = faults
        .keep(Table::of(node, "detection"))
        .and_then(|table| selection::condition(table, &[], faults));
    Some(Detection { head: head?, logs: logs?, condition: condition? })
}

fn filter(file: &Arc<str>, table: Table<'_>, node: &Node, faults: &mut Faults) -> Option<Filter> {
    faults.tolerate(refuse(table, "filter", &["generate", "level", "sentrail"]), ());
    let (line, title) = faults.keep(head::title(table)).unzip();
    let logs = faults.keep(logs(table));
    let inner = faults.keep(Table::of(node, "filter"))?;
    let rules = faults.keep(filtered(inner));
    let condition = selection::condition(inner, &["rules"], faults);
    let samples = head::samples(table, faults);
    Some(Filter {
        file: Arc::clone(file),
        line: line?,
        title: title?,
        logs: logs?,
        rules: rules?,
        condition: condition?,
        samples: samples?,
    })
}

/// The rules that a filter is about; `any` alone means all of them.
fn filtered(filter: Table<'_>) -> Result<Option<Vec<(Line, String)>>, Fault> {
    let node = filter.required("rules")?;
    let rules = texts(node, "rules")?;
    if let [(_, "any")] = rules.as_slice() {
        return Ok(None);
    }
    Ok(Some(rules.into_iter().map(|(line, rule)| (line, rule.to_owned())).collect()))
}

/// Forms of Sigma 1: `action` put documents together, `timeframe` was what `timespan` is now.
fn check_obsolete(key: &Key) -> Result<(), Fault> {
    let what = match key.text.as_str() {
        "action" => "\"action\" (not supported since Sigma 2: write each document out)",
        "timeframe" => selection::TIMEFRAME,
        _ => return Ok(()),
    };
    Err(Fault::new(key.line, what))
}

/// Attributes of one's own are fine, slips of known ones are not: they would say nothing, unnoticed.
fn check_attribute(key: &Key) -> Result<(), Fault> {
    let word = key.text.as_str();
    if ATTRIBUTES.contains(&word) {
        return Ok(());
    }
    match slip_of(word, ATTRIBUTES) {
        Some(near) => {
            let what = format!("attribute {}; did you mean \"{near}\"?", shown(word));
            Err(Fault::new(key.line, what))
        }
        None => Ok(()),
    }
}

fn check_taxonomy(table: Table<'_>) -> Result<(), Fault> {
    match (table.text("taxonomy")?, table.get("taxonomy")) {
        (Some(taxonomy), Some(node)) if taxonomy != "sigma" => {
            let what = format!("taxonomy {} (expected \"sigma\")", shown(taxonomy));
            Err(Fault::new(node.line, what))
        }
        _ => Ok(()),
    }
}

/// Attributes that would say nothing here.
fn refuse(table: Table<'_>, kind: &str, attributes: &[&str]) -> Result<(), Fault> {
    match table.entries.iter().find(|(key, _)| attributes.contains(&key.text.as_str())) {
        Some((key, _)) => {
            let what = format!("a {kind} has no \"{}\"", key.text);
            Err(Fault::new(key.line, what))
        }
        None => Ok(()),
    }
}

//! Selections and the condition over them: what `detection` and `filter` share.

use super::{
    Condition, Line,
    condition::{Grammar, is_reserved},
    modifiers::{item, keywords},
    table::{Faults, Table, shown, texts},
};
use crate::rules::yaml::{Fault, Key, Kind, Node};

/// What is said of `timeframe`, wherever it stands: left out, a rule would tell of a single match.
pub(super) const TIMEFRAME: &str =
    "\"timeframe\" (not supported: use a correlation with \"timespan\")";

/// A named part of a detection.
pub(super) struct Selection<'a> {
    pub(super) line: Line,
    pub(super) name: &'a str,
    pub(super) condition: Condition,
}

/// The condition of a table with its selections filled in. `others` are keys that are no selections.
pub(super) fn condition(
    table: Table<'_>,
    others: &[&str],
    faults: &mut Faults,
) -> Option<Condition> {
    let n_faults = faults.found.len();
    let mut selections = Vec::new();
    for (key, node) in table.entries {
        if key.text != "condition" && !others.contains(&key.text.as_str()) {
            selections.extend(faults.keep(selection(key, node)));
        }
    }
    let lines =
        faults.keep(table.required("condition").and_then(|node| texts(node, "condition")))?;
    // A selection that could not be read would only be missed.
    if faults.found.len() > n_faults {
        return None;
    }
    let mut grammar = Grammar::new(&selections);
    let mut conditions = Vec::new();
    for (line, text) in lines {
        conditions.push(faults.keep(grammar.read(line, text))?);
    }
    faults.tolerate(grammar.finish(), ())?;
    Some(any(conditions))
}

fn selection<'a>(key: &'a Key, node: &Node) -> Result<Selection<'a>, Fault> {
    let name = key.text.as_str();
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if name == "timeframe" {
        return Err(Fault::new(key.line, TIMEFRAME));
    }
    if name.is_empty() || !name.chars().all(is_name) || is_reserved(name) {
        let what =
            format!("selection {} (expected a name of letters, digits, _ and -)", shown(name));
        return Err(Fault::new(key.line, what));
    }
    Ok(Selection { line: key.line, name, condition: search(name, node)? })
}

/// A mapping wants all of its lines, a list one of its mappings or keywords.
fn search(name: &str, node: &Node) -> Result<Condition, Fault> {
    match &node.kind {
        Kind::Mapping(_) => mapping(name, node),
        Kind::Scalar(_) => keywords(&[node])?.ok_or_else(|| empty(name, node)),
        Kind::Sequence(nodes) => {
            let is_keyword = |node: &&Node| matches!(node.kind, Kind::Scalar(_));
            let words: Vec<&Node> = nodes.iter().filter(is_keyword).collect();
            let mut conditions: Vec<_> = keywords(&words)?.into_iter().collect();
            for node in nodes.iter().filter(|node| !is_keyword(node)) {
                conditions.push(mapping(name, node)?);
            }
            if conditions.is_empty() { Err(empty(name, node)) } else { Ok(any(conditions)) }
        }
    }
}

fn mapping(name: &str, node: &Node) -> Result<Condition, Fault> {
    let name = format!("selection {}", shown(name));
    let entries = Table::of(node, &name)?.entries.iter();
    let items: Vec<_> = entries.map(|(key, node)| item(key, node)).collect::<Result<_, _>>()?;
    Ok(all(items))
}

fn empty(name: &str, node: &Node) -> Fault {
    Fault::new(node.line, format!("selection {} is an empty list", shown(name)))
}

/// One of them, which is itself if there is but one.
pub(super) fn any(conditions: Vec<Condition>) -> Condition {
    alone(conditions).unwrap_or_else(Condition::Any)
}

/// All of them, which is itself if there is but one.
pub(super) fn all(conditions: Vec<Condition>) -> Condition {
    alone(conditions).unwrap_or_else(Condition::All)
}

fn alone(conditions: Vec<Condition>) -> Result<Condition, Vec<Condition>> {
    <[Condition; 1]>::try_from(conditions).map(|[condition]| condition)
}

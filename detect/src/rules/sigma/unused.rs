//! What is kept of documents that are not in force.

use super::{
    Detection, Document, Head, Line, RuleError, Unused, UnusedKind, Whose, Why,
    table::{Table, texts},
};
use crate::rules::yaml::{Kind, Node, Scalar, Value};
use std::sync::Arc;

impl Unused {
    /// What can be told of a document; of what is no YAML, nothing but that it is there.
    pub(super) fn of(
        (file, whose): (&Arc<str>, Whose),
        line: Line,
        node: Option<&Node>,
        why: Why,
    ) -> Self {
        let table = node.and_then(|node| Table::of(node, "document").ok());
        let text = |key| Some(table?.text(key).ok()??.trim().to_owned());
        let kind = table.map_or(UnusedKind::Rule, kind);
        let uuid = text("id").map(|id| id.to_lowercase());
        Self { file: Arc::clone(file), line, whose, why, kind, uuid, name: text("name") }
    }
}

fn kind(table: Table<'_>) -> UnusedKind {
    if table.get("filter").is_some() {
        return UnusedKind::Filter;
    }
    let Some(node) = table.get("correlation") else { return UnusedKind::Rule };
    let Ok(inner) = Table::of(node, "correlation") else {
        return UnusedKind::Correlation(Vec::new());
    };
    let says = |table: Table<'_>| {
        let node = table.get("generate");
        node.is_some_and(|node| {
            matches!(node.kind, Kind::Scalar(Scalar { value: Value::Bool(true), .. }))
        })
    };
    if says(table) || says(inner) {
        return UnusedKind::Correlation(Vec::new());
    }
    let rules = inner.get("rules").and_then(|node| texts(node, "rules").ok()).unwrap_or_default();
    UnusedKind::Correlation(rules.into_iter().map(|(_, rule)| rule.to_owned()).collect())
}

impl Document {
    /// The same, out of force for a fault.
    pub(crate) fn refused(self) -> Self {
        let (head, kind) = match self {
            Self::Detection(Detection { head, .. }) => (head, UnusedKind::Rule),
            Self::Correlation(correlation) => {
                let rules = correlation.rules.into_iter().map(|(_, rule)| rule);
                let rules = rules.filter(|_| !correlation.generate).collect();
                (correlation.head, UnusedKind::Correlation(rules))
            }
            other => return other,
        };
        let Head { file, line, whose, uuid, name, .. } = head;
        Self::Unused(Unused { file, line, whose, why: Why::Fault, kind, uuid, name })
    }
}

impl RuleError {
    /// The first fault of a correlation says what becomes of its rules.
    pub(crate) fn says_silence(errors: &mut [Self]) {
        if let Some(first) = errors.iter_mut().min() {
            first.what +=
                "; its rules stay silent (expected `generate: true` if they are to speak)";
        }
    }
}

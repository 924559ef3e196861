//! What every reader of a part needs: mappings as tables, texts, lists, and the faults of a document.

use crate::{
    rules::{
        sigma::{Line, Whose},
        yaml::{Fault, Key, Kind, Node, Scalar, Value},
    },
    suggest::suggest,
};

/// A word is cut to this in a message. Unit: characters.
const SHOWN_CHARS_MAX: usize = 60;

/// Words that would have been right, in a message. Unit: words.
const KNOWN_SHOWN_MAX: usize = 25;

/// The faults of one document.
#[derive(Default)]
pub(super) struct Faults {
    /// What costs the document.
    pub(super) found: Vec<Fault>,
    /// What other people's documents may have.
    pub(super) tolerated: Vec<Fault>,
    pub(super) whose: Whose,
}

impl Faults {
    pub(super) fn of(whose: Whose) -> Self {
        Self { whose, ..Self::default() }
    }

    /// The same as `keep`; of other people's documents a fault is only told, and this value is taken.
    pub(super) fn tolerate<T>(&mut self, result: Result<T, Fault>, otherwise: T) -> Option<T> {
        match result {
            Err(fault) if self.whose == Whose::Others => {
                self.tolerated.push(fault);
                Some(otherwise)
            }
            result => self.keep(result),
        }
    }

    /// Keeps a fault, so that reading goes on to the next part.
    pub(super) fn keep<T>(&mut self, result: Result<T, Fault>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                self.found.push(fault);
                None
            }
        }
    }
}

/// A mapping with its name.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    /// What messages call it: `sentrail`, `correlation`.
    name: &'a str,
    pub(super) line: Line,
    pub(super) entries: &'a [(Key, Node)],
}

impl<'a> Table<'a> {
    pub(super) fn of(node: &'a Node, name: &'a str) -> Result<Self, Fault> {
        match &node.kind {
            Kind::Mapping(entries) if !entries.is_empty() => {
                Ok(Self { name, line: node.line, entries })
            }
            Kind::Mapping(_) => Err(Fault::new(node.line, format!("{name} is empty"))),
            _ => Err(wrong(node, name, "a mapping")),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(found, _)| found.text == key).map(|(_, node)| node)
    }

    pub(super) fn required(&self, key: &str) -> Result<&'a Node, Fault> {
        let what = || Fault::new(self.line, format!("{} has no \"{key}\"", self.name));
        self.get(key).ok_or_else(what)
    }

    /// A key that is none of `known` is a slip.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Fault> {
        match self.entries.iter().find(|(key, _)| !known.contains(&key.text.as_str())) {
            Some((key, _)) => {
                let what = format!("{} has no key {}", self.name, unknown(&key.text, known));
                Err(Fault::new(key.line, what))
            }
            None => Ok(()),
        }
    }

    /// The text of a key, if it is there.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, Fault> {
        self.get(key).map(|node| text(node, key)).transpose()
    }

    /// The texts of a key: one, or a list of them. None if it is not there.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<(Line, &'a str)>, Fault> {
        self.get(key).map_or(Ok(Vec::new()), |node| texts(node, key))
    }
}

/// `"fieldd"; did you mean "field"?`, or what would have been expected.
pub(super) fn unknown(word: &str, known: &[&str]) -> String {
    if let Some(nearest) = suggest(word, known.iter().copied()) {
        return format!("{}; did you mean \"{nearest}\"?", shown(word));
    }
    let (first, more) = known.split_at_checked(KNOWN_SHOWN_MAX).unwrap_or((known, &[]));
    let dots = if more.is_empty() { "" } else { ", ..." };
    format!("{}; expected one of {}{dots}", shown(word), first.join(", "))
}

/// A word of the file in quotes, escaped and cut.
pub(super) fn shown(word: &str) -> String {
    let cut: String = word.chars().take(SHOWN_CHARS_MAX).collect();
    let dots = if cut.len() < word.len() { "..." } else { "" };
    format!("{cut:?}{dots}")
}

/// `level is a list (expected a text)`
pub(super) fn wrong(node: &Node, name: &str, expected: &str) -> Fault {
    Fault::new(node.line, format!("{name} is {} (expected {expected})", node.kind_name()))
}

/// Any scalar but nothing, as it is written.
pub(super) fn text<'a>(node: &'a Node, name: &str) -> Result<&'a str, Fault> {
    match &node.kind {
        Kind::Scalar(Scalar { value: Value::Null, .. }) | Kind::Sequence(_) | Kind::Mapping(_) => {
            Err(wrong(node, name, "a text"))
        }
        Kind::Scalar(scalar) if scalar.text.trim().is_empty() => {
            Err(Fault::new(node.line, format!("{name} is empty (expected a text)")))
        }
        Kind::Scalar(scalar) => Ok(&scalar.text),
    }
}

/// A text or a list of them, never none.
pub(super) fn texts<'a>(node: &'a Node, name: &str) -> Result<Vec<(Line, &'a str)>, Fault> {
    items(node, name)?.iter().map(|node| Ok((node.line, text(node, name)?))).collect()
}

/// The items of a list, or what stands alone as one. Never none.
pub(super) fn items<'a>(node: &'a Node, name: &str) -> Result<&'a [Node], Fault> {
    match &node.kind {
        Kind::Sequence(nodes) if nodes.is_empty() => {
            Err(Fault::new(node.line, format!("{name} is an empty list")))
        }
        Kind::Sequence(nodes) => Ok(nodes),
        _ => Ok(std::slice::from_ref(node)),
    }
}

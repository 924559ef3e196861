//! YAML as trees with lines: of YAML 1.2 what rules are written in. In: the text of a file. Out: its
//! documents, or what is wrong with each. Anchors, aliases, tags and merge keys are refused, since a
//! few bytes of them may mean gigabytes. It never panics, whatever the text.

use super::sigma::Line;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};
use std::{collections::BTreeSet, str::FromStr};

/// The longest file. Unit: bytes.
pub(crate) const FILE_BYTES_MAX: usize = 1 << 20;
/// The longest document. Unit: characters, from its first key to its last value. Rule sets hold lists of
/// hashes of 300,000.
pub(crate) const DOCUMENT_CHARS_MAX: usize = 512 << 10;
/// Mappings and lists in each other. Readers of a tree may recurse over it.
pub(crate) const DEPTH_MAX: usize = 32;

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    pub(crate) line: Line,
    pub(crate) what: String,
}

impl Fault {
    pub(crate) fn new(line: Line, what: impl Into<String>) -> Self {
        Self { line, what: what.into() }
    }
}

/// A value, and the line it starts in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: Line,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    /// In the order of the file, no key twice.
    Mapping(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) line: Line,
    pub(crate) text: String,
}

/// A scalar: its text without quotes, and what that means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) value: Value,
}

/// What a scalar means, by the core schema of YAML 1.2.2 (10.3.2). What is quoted is text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// Also an integer that is too long for one.
    Float(f64),
    Text,
}

/// The documents of a file in order; empty ones are left out. After text that is not YAML at all, and
/// after one that nests too deep, the rest of the file is not read.
pub(crate) fn documents(text: &str) -> Vec<Result<Node, Fault>> {
    if text.len() > FILE_BYTES_MAX {
        let what = format!("file of {} bytes (expected at most {FILE_BYTES_MAX})", text.len());
        return vec![Err(Fault::new(Line(1), what))];
    }
    let mut parser = Parser::new_from_str(text);
    let mut documents = Vec::new();
    let mut builder = Builder::default();
    while let Some(event) = parser.next_event() {
        match event {
            Ok((Event::DocumentStart(_), span)) => builder = Builder::new(span.start),
            Ok((Event::DocumentEnd, _)) => documents.extend(std::mem::take(&mut builder).finish()),
            Ok((event, span)) => {
                builder.see(event, span);
                if builder.depth > DEPTH_MAX {
                    documents.extend(std::mem::take(&mut builder).finish());
                    break;
                }
            }
            Err(error) => {
                let what = format!("not YAML: {}", error.info());
                documents.push(Err(Fault::new(line(error.marker()), what)));
                break;
            }
        }
    }
    documents
}

/// The last line with anything in it. What is missing at the end of a file is missing there; parsers
/// look for it one line further.
pub(crate) fn last_line(text: &str) -> Line {
    let text = text.trim_end();
    let is_break =
        |(at, _): &(usize, &str)| !text.get(*at..).is_some_and(|rest| rest.starts_with("\r\n"));
    let n_breaks = text.match_indices(['\n', '\r']).filter(is_break).count();
    Line(u32::try_from(n_breaks + 1).unwrap_or(u32::MAX))
}

fn line(marker: &Marker) -> Line {
    Line(u32::try_from(marker.line()).unwrap_or(u32::MAX))
}

/// One document while it is read. After its first fault it only counts the depth.
#[derive(Default)]
struct Builder {
    /// Where the document begins. Unit: characters of the file.
    start: usize,
    depth: usize,
    open: Vec<Open>,
    root: Option<Node>,
    fault: Option<Fault>,
}

/// A mapping or list whose end is yet to come.
enum Open {
    Sequence(Line, Vec<Node>),
    Mapping { line: Line, entries: Vec<(Key, Node)>, seen: BTreeSet<String>, key: Option<Key> },
}

impl Builder {
    fn new(start: Marker) -> Self {
        Self { start: start.index(), ..Self::default() }
    }

    fn finish(self) -> Option<Result<Node, Fault>> {
        match (self.fault, self.root) {
            (Some(fault), _) => Some(Err(fault)),
            (None, Some(root)) if root.is_null() => None,
            (None, root) => root.map(Ok),
        }
    }

    fn see(&mut self, event: Event<'_>, span: Span) {
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => self.depth += 1,
            Event::SequenceEnd | Event::MappingEnd => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.fault.is_some() {
            return;
        }
        let line = line(&span.start);
        if let Some(what) = self.refusal(&event, span) {
            self.fault = Some(Fault::new(line, what));
        } else if let Err(fault) = self.build(event, line) {
            self.fault = Some(fault);
        }
    }

    /// Why an event is refused whatever stands around it.
    fn refusal(&self, event: &Event<'_>, span: Span) -> Option<String> {
        let (anchor, is_tagged) = match event {
            Event::Alias(_) => return Some("alias (not supported: write the value out)".into()),
            Event::Scalar(_, _, anchor, tag) => (*anchor, tag.is_some()),
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag) => {
                (*anchor, tag.is_some())
            }
            _ => (0, false),
        };
        if anchor > 0 {
            Some("anchor (not supported: write the value out where it is needed)".into())
        } else if is_tagged {
            Some("tag (not supported: quotes make a text, no quotes a number)".into())
        } else if self.depth > DEPTH_MAX {
            Some(format!("nested deeper than {DEPTH_MAX} levels"))
        } else if span.end.index().saturating_sub(self.start) > DOCUMENT_CHARS_MAX {
            Some(format!("document longer than {DOCUMENT_CHARS_MAX} characters"))
        } else {
            None
        }
    }

    fn build(&mut self, event: Event<'_>, line: Line) -> Result<(), Fault> {
        match event {
            Event::Scalar(text, style, ..) => {
                let value = match style {
                    ScalarStyle::Plain => Value::of_plain(&text),
                    _ => Value::Text,
                };
                self.scalar(line, Scalar { text: text.into_owned(), value })
            }
            Event::SequenceStart(..) => self.open(Open::Sequence(line, Vec::new()), line),
            Event::MappingStart(..) => {
                let (entries, seen) = (Vec::new(), BTreeSet::new());
                self.open(Open::Mapping { line, entries, seen, key: None }, line)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                match self.open.pop() {
                    Some(Open::Sequence(line, nodes)) => {
                        self.put(Node { line, kind: Kind::Sequence(nodes) });
                    }
                    Some(Open::Mapping { line, entries, .. }) => {
                        self.put(Node { line, kind: Kind::Mapping(entries) });
                    }
                    None => {}
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, open: Open, line: Line) -> Result<(), Fault> {
        if let Some(Open::Mapping { key: None, .. }) = self.open.last() {
            return Err(Fault::new(line, "key that is a list or a mapping (expected a text)"));
        }
        self.open.push(open);
        Ok(())
    }

    fn scalar(&mut self, line: Line, scalar: Scalar) -> Result<(), Fault> {
        let Some(Open::Mapping { seen, key: key @ None, .. }) = self.open.last_mut() else {
            self.put(Node { line, kind: Kind::Scalar(scalar) });
            return Ok(());
        };
        let text = scalar.text;
        if text == "<<" && scalar.value == Value::Text {
            return Err(Fault::new(line, "merge key \"<<\" (not supported: write the keys out)"));
        }
        if !seen.insert(text.clone()) {
            return Err(Fault::new(line, format!("key {text:?} a second time (expected it once)")));
        }
        *key = Some(Key { line, text });
        Ok(())
    }

    fn put(&mut self, mut node: Node) {
        match self.open.last_mut() {
            Some(Open::Sequence(_, nodes)) => nodes.push(node),
            Some(Open::Mapping { entries, key, .. }) => {
                if let Some(key) = key.take() {
                    // What is left out has its place after the key, often lines below.
                    if node.is_null() {
                        node.line = key.line;
                    }
                    entries.push((key, node));
                }
            }
            None => self.root = Some(node),
        }
    }
}

impl Node {
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(scalar) if scalar.value == Value::Null)
    }

    /// What it is, for messages.
    pub(crate) fn kind_name(&self) -> &'static str {
        match &self.kind {
            Kind::Sequence(_) => "a list",
            Kind::Mapping(_) => "a mapping",
            Kind::Scalar(scalar) => match scalar.value {
                Value::Null => "nothing",
                Value::Bool(_) => "true or false",
                Value::Int(_) | Value::Float(_) => "a number",
                Value::Text => "a text",
            },
        }
    }
}

impl Value {
    /// The meaning of a scalar without quotes.
    fn of_plain(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Self::Null,
            "true" | "True" | "TRUE" => return Self::Bool(true),
            "false" | "False" | "FALSE" => return Self::Bool(false),
            ".nan" | ".NaN" | ".NAN" => return Self::Float(f64::NAN),
            _ => {}
        }
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
        if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
            return Self::Float(sign * f64::INFINITY);
        }
        for (prefix, radix) in [("0o", 8), ("0x", 16)] {
            // The core schema has no sign here, and neither has `from_str_radix` once digits are asked for.
            if let Some(digits) = text.strip_prefix(prefix)
                && !digits.is_empty()
                && digits.chars().all(|digit| digit.is_digit(radix))
            {
                return i64::from_str_radix(digits, radix).map_or(Self::Text, Self::Int);
            }
        }
        if !is_decimal(unsigned) {
            return Self::Text;
        }
        match (i64::from_str(text), f64::from_str(text)) {
            (Ok(number), _) => Self::Int(number),
            (Err(_), Ok(number)) => Self::Float(number),
            (Err(_), Err(_)) => Self::Text,
        }
    }
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_decimal(text: &str) -> bool {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let exponent = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    is_digits(whole)
        && is_digits(part)
        && !(whole.is_empty() && part.is_empty())
        && exponent.is_none_or(|digits| !digits.is_empty() && is_digits(digits))
}

#[cfg(test)]
mod tests;

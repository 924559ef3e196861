//! One line of a selection: `field|modifier|modifier: values`.

use super::{
    Condition, Edge, FieldName, Glob, Item, Line, Operand, Test,
    head::field,
    table::{items, shown, unknown, wrong},
    values::keyword,
};
use crate::rules::yaml::{Fault, Key, Kind, Node, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Modifier {
    All,
    Base64,
    Base64Offset,
    Cased,
    Cidr,
    Contains,
    EndsWith,
    Exists,
    Expand,
    FieldRef,
    Greater,
    GreaterOrEqual,
    IgnoreCase,
    Less,
    LessOrEqual,
    MultiLine,
    NotEqual,
    Regex,
    SingleLine,
    StartsWith,
    Utf16,
    Utf16Big,
    Utf16Little,
    WinDash,
}

use Modifier as M;

pub(super) const MODIFIERS: [(&str, Modifier); 25] = [
    ("all", M::All),
    ("base64", M::Base64),
    ("base64offset", M::Base64Offset),
    ("cased", M::Cased),
    ("cidr", M::Cidr),
    ("contains", M::Contains),
    ("endswith", M::EndsWith),
    ("exists", M::Exists),
    ("expand", M::Expand),
    ("fieldref", M::FieldRef),
    ("gt", M::Greater),
    ("gte", M::GreaterOrEqual),
    ("i", M::IgnoreCase),
    ("lt", M::Less),
    ("lte", M::LessOrEqual),
    ("m", M::MultiLine),
    ("neq", M::NotEqual),
    ("re", M::Regex),
    ("s", M::SingleLine),
    ("startswith", M::StartsWith),
    ("utf16", M::Utf16),
    ("utf16be", M::Utf16Big),
    ("utf16le", M::Utf16Little),
    ("wide", M::Utf16Little),
    ("windash", M::WinDash),
];

/// Parts of a date: sentrail does not have them.
const OF_DATES: [&str; 6] = ["minute", "hour", "day", "week", "month", "year"];

/// What a line compares; each goes with other modifiers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Text,
    Regex,
    Cidr,
    Exists,
    Number(Test),
    FieldRef,
}

impl Family {
    fn of(modifier: Modifier) -> Option<Self> {
        Some(match modifier {
            M::Regex => Self::Regex,
            M::Cidr => Self::Cidr,
            M::Exists => Self::Exists,
            M::Less => Self::Number(Test::Less),
            M::LessOrEqual => Self::Number(Test::LessOrEqual),
            M::Greater => Self::Number(Test::Greater),
            M::GreaterOrEqual => Self::Number(Test::GreaterOrEqual),
            M::FieldRef => Self::FieldRef,
            _ => return None,
        })
    }

    /// Which modifiers may stand beside the family's own.
    fn goes_with(self, modifier: Modifier) -> bool {
        match self {
            Self::Text => !matches!(modifier, M::IgnoreCase | M::MultiLine | M::SingleLine),
            Self::Regex => {
                matches!(modifier, M::All | M::IgnoreCase | M::MultiLine | M::SingleLine)
            }
            Self::Cidr => matches!(modifier, M::All | M::Expand),
            Self::Exists | Self::Number(_) => false,
            Self::FieldRef => {
                matches!(modifier, M::All | M::NotEqual | M::StartsWith | M::EndsWith | M::Contains)
            }
        }
    }

    /// What is looked for in whole records has no field to be a number or an address.
    fn needs_field(self) -> bool {
        !matches!(self, Self::Text | Self::Regex)
    }
}

/// The modifiers of a line, in order, with their words.
pub(super) struct Chain<'a> {
    line: Line,
    pub(super) modifiers: Vec<(&'a str, Modifier)>,
    pub(super) family: Family,
    /// Of the family's own modifier; empty for text.
    pub(super) family_word: &'a str,
}

impl<'a> Chain<'a> {
    fn parse(line: Line, words: impl Iterator<Item = &'a str>) -> Result<Self, Fault> {
        let mut chain = Self { line, modifiers: Vec::new(), family: Family::Text, family_word: "" };
        for word in words {
            let modifier = chain.modifier(word)?;
            if chain.modifiers.iter().any(|(_, earlier)| *earlier == modifier) {
                return Err(chain.fault(format!("modifier \"{word}\" a second time")));
            }
            if let Some(family) = Family::of(modifier) {
                if chain.family != Family::Text {
                    return Err(chain.conflict(word, chain.family_word));
                }
                (chain.family, chain.family_word) = (family, word);
            }
            chain.modifiers.push((word, modifier));
        }
        chain.check()?;
        Ok(chain)
    }

    fn modifier(&self, word: &str) -> Result<Modifier, Fault> {
        if word.is_empty() {
            return Err(self.fault("\"|\" with no modifier behind it"));
        }
        if let Some((_, modifier)) = MODIFIERS.iter().find(|(name, _)| *name == word) {
            return Ok(*modifier);
        }
        if OF_DATES.contains(&word) {
            return Err(self.fault(format!("modifier \"{word}\" (not supported: parts of dates)")));
        }
        let names: Vec<_> = MODIFIERS.iter().map(|(name, _)| *name).collect();
        Err(self.fault(format!("no modifier {}", unknown(word, &names))))
    }

    fn check(&self) -> Result<(), Fault> {
        for (word, modifier) in &self.modifiers {
            if Family::of(*modifier).is_none() && !self.family.goes_with(*modifier) {
                return Err(match (modifier, self.family) {
                    (M::IgnoreCase | M::MultiLine | M::SingleLine, Family::Text) => {
                        self.fault(format!("modifier \"{word}\" (expected \"re\" before it)"))
                    }
                    _ => self.conflict(word, self.family_word),
                });
            }
        }
        let of = |is: fn(Modifier) -> bool| {
            let mut words = self.modifiers.iter().filter(move |(_, modifier)| is(*modifier));
            (words.next().map(|(word, _)| *word), words.next().map(|(word, _)| *word))
        };
        for (first, second) in [
            of(|modifier| matches!(modifier, M::Contains | M::StartsWith | M::EndsWith)),
            of(|modifier| matches!(modifier, M::Base64 | M::Base64Offset)),
            of(|modifier| matches!(modifier, M::Utf16 | M::Utf16Big | M::Utf16Little)),
            of(|modifier| matches!(modifier, M::All | M::NotEqual)),
        ] {
            if let (Some(first), Some(second)) = (first, second) {
                return Err(self.conflict(second, first));
            }
        }
        self.check_partners()
    }

    /// Modifiers that say nothing sensible with another, or without it.
    fn check_partners(&self) -> Result<(), Fault> {
        for (word, modifier) in &self.modifiers {
            let other = self.modifiers.iter().find(|(_, other)| match modifier {
                M::NotEqual => !matches!(other, M::NotEqual | M::Cased | M::Expand | M::FieldRef),
                M::Expand => {
                    !matches!(other, M::Expand | M::Cased | M::All | M::NotEqual | M::Cidr)
                }
                _ => false,
            });
            if let Some((other, _)) = other.filter(|_| self.family != Family::FieldRef) {
                return Err(self.conflict(word, other));
            }
        }
        if self.has(M::Base64Offset) && !self.has(M::Contains) {
            return Err(self.fault("modifier \"base64offset\" (expected \"contains\" after it)"));
        }
        Ok(())
    }

    pub(super) fn has(&self, modifier: Modifier) -> bool {
        self.modifiers.iter().any(|(_, found)| *found == modifier)
    }

    pub(super) fn fault(&self, what: impl Into<String>) -> Fault {
        Fault::new(self.line, what)
    }

    fn conflict(&self, word: &str, other: &str) -> Fault {
        self.fault(format!("modifier \"{word}\" does not go with \"{other}\""))
    }

    /// Where `contains`, `startswith` or `endswith` ask for a text.
    fn edge(&self) -> Edge {
        if self.has(M::Contains) {
            Edge::Anywhere
        } else if self.has(M::StartsWith) {
            Edge::Start
        } else if self.has(M::EndsWith) {
            Edge::End
        } else {
            Edge::Whole
        }
    }

    fn test(&self) -> Test {
        match self.family {
            Family::Text => Test::Equals { cased: self.has(M::Cased) },
            Family::Regex => Test::Regex,
            Family::Cidr => Test::Cidr,
            Family::Exists => Test::Exists,
            Family::Number(test) => test,
            Family::FieldRef => Test::FieldRef(self.edge()),
        }
    }
}

/// `field|modifier: value` or a list of values.
pub(super) fn item(key: &Key, node: &Node) -> Result<Condition, Fault> {
    let mut words = key.text.split('|');
    let name = words.next().unwrap_or_default();
    let chain = Chain::parse(key.line, words)?;
    let field = if name.is_empty() { None } else { Some(field(key.line, name)?) };
    if field.is_none() && (chain.family.needs_field() || chain.has(M::Expand)) {
        return Err(chain.fault(format!("{} without a field in front", shown(&key.text))));
    }
    let nodes = items(node, &key.text)?;
    let wants_one = matches!(chain.family, Family::Exists | Family::Number(_));
    if nodes.len() > 1 && wants_one {
        let what = format!("list of values for \"{}\" (expected one)", chain.family_word);
        return Err(Fault::new(node.line, what));
    }
    if nodes.len() < 2 && chain.has(M::All) {
        return Err(chain.fault("modifier \"all\" with one value (expected a list of more)"));
    }
    let mut values = Vec::new();
    for node in nodes {
        let Kind::Scalar(scalar) = &node.kind else {
            let name = format!("value of {}", shown(&key.text));
            return Err(wrong(node, &name, "a value; fields within fields are joined with dots"));
        };
        if scalar.value == Value::Null && chain.has(M::All) {
            let what = "null under \"all\" (expected a selection of its own for it)";
            return Err(Fault::new(node.line, what));
        }
        let operands = match &field {
            Some(_) => chain.operands(node.line, scalar)?,
            None => chain.operands(node.line, &keyword(node.line, scalar)?)?,
        };
        values.push(operands);
    }
    Ok(assemble(&chain, field.as_ref(), values))
}

/// Values that became several are alternatives even under `all`.
fn assemble(chain: &Chain<'_>, field: Option<&FieldName>, values: Vec<Vec<Operand>>) -> Condition {
    let item = |needs_all, values| {
        let (line, field, test) = (chain.line, field.cloned(), chain.test());
        Condition::Item(Item { line, field, test, needs_all, values })
    };
    let needs_all = chain.has(M::All);
    let condition = if needs_all && values.iter().any(|operands| operands.len() > 1) {
        Condition::All(values.into_iter().map(|operands| item(false, operands)).collect())
    } else {
        item(needs_all, values.into_iter().flatten().collect())
    };
    if chain.has(M::NotEqual) { Condition::Not(Box::new(condition)) } else { condition }
}

/// Keywords: what is looked for in the whole record.
pub(super) fn keywords(nodes: &[&Node]) -> Result<Option<Condition>, Fault> {
    let Some(first) = nodes.first() else { return Ok(None) };
    let mut values = Vec::new();
    for node in nodes {
        let Kind::Scalar(scalar) = &node.kind else { continue };
        values.push(Operand::Glob(Glob::parse(&keyword(node.line, scalar)?.text)));
    }
    Ok(Some(Condition::Item(Item {
        line: first.line,
        field: None,
        test: Test::Equals { cased: false },
        needs_all: false,
        values,
    })))
}

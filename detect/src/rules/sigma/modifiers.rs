//! One line of a selection: `field|modifier|modifier: values`.

use super::{
    Condition, Edge, FieldName, Glob, Item, Line, Operand, Test,
    glob::{self, Order},
    head::field,
    table::{items, shown, unknown, wrong},
};
use crate::rules::yaml::{Fault, Key, Kind, Node, Scalar, Value};
use std::net::IpAddr;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Modifier {
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

const MODIFIERS: [(&str, Modifier); 25] = [
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
enum Family {
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
struct Chain<'a> {
    line: Line,
    modifiers: Vec<(&'a str, Modifier)>,
    family: Family,
    /// Of the family's own modifier; empty for text.
    family_word: &'a str,
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

    fn has(&self, modifier: Modifier) -> bool {
        self.modifiers.iter().any(|(_, found)| *found == modifier)
    }

    fn fault(&self, what: impl Into<String>) -> Fault {
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

    /// What one value of the file means: usually one value, several by `windash` and `base64offset`.
    fn operands(&self, line: Line, scalar: &Scalar) -> Result<Vec<Operand>, Fault> {
        if self.has(M::Expand) {
            return Ok(vec![placeholder(line, scalar, self.family)?]);
        }
        let operand = match self.family {
            Family::Text => return self.texts(line, scalar),
            Family::Regex => Operand::Regex(self.regex(line, scalar)?),
            Family::Cidr => cidr(line, scalar)?,
            Family::Exists => match scalar.value {
                Value::Bool(is_there) => Operand::Bool(is_there),
                _ => return Err(expected(line, scalar, "true or false for \"exists\"")),
            },
            Family::Number(_) => Operand::Number(match scalar.value {
                // Beyond 2^53 a rule compares with the nearest number that there is.
                Value::Int(number) => number as f64,
                Value::Float(number) if number.is_finite() => number,
                _ => {
                    let what = format!("a number without quotes for \"{}\"", self.family_word);
                    return Err(expected(line, scalar, &what));
                }
            }),
            Family::FieldRef => match scalar.value {
                Value::Text => Operand::Field(field(line, &scalar.text)?),
                _ => return Err(expected(line, scalar, "the name of a field for \"fieldref\"")),
            },
        };
        Ok(vec![operand])
    }

    fn regex(&self, line: Line, scalar: &Scalar) -> Result<String, Fault> {
        if matches!(scalar.value, Value::Null | Value::Bool(_)) || scalar.text.is_empty() {
            return Err(expected(line, scalar, "a regular expression for \"re\""));
        }
        let flags = [(M::IgnoreCase, 'i'), (M::MultiLine, 'm'), (M::SingleLine, 's')];
        let flags: String =
            flags.into_iter().filter(|(flag, _)| self.has(*flag)).map(|(_, c)| c).collect();
        let front = if flags.is_empty() { String::new() } else { format!("(?{flags})") };
        Ok(front + &scalar.text)
    }

    /// Values of the family of texts, changed by the modifiers in their order.
    fn texts(&self, line: Line, scalar: &Scalar) -> Result<Vec<Operand>, Fault> {
        let changes = |modifier: &Modifier| !matches!(modifier, M::All | M::Cased | M::NotEqual);
        let is_plain = !self.modifiers.iter().any(|(_, modifier)| changes(modifier));
        match scalar.value {
            Value::Null if is_plain => return Ok(vec![Operand::Null]),
            Value::Bool(value) if is_plain => return Ok(vec![Operand::Bool(value)]),
            Value::Int(_) | Value::Float(_) if is_plain => {
                return Ok(vec![Operand::Number(number(line, scalar)?)]);
            }
            Value::Null | Value::Bool(_) => {
                return Err(expected(line, scalar, "a text or a number for these modifiers"));
            }
            Value::Text if scalar.text.is_empty() && !is_plain => {
                return Err(Fault::new(line, "empty text, which these modifiers find everywhere"));
            }
            Value::Int(_) | Value::Float(_) | Value::Text => {}
        }
        let mut forms = vec![Form::Glob(Glob::parse(&scalar.text))];
        let mut is_encoded = false;
        for (word, modifier) in &self.modifiers {
            let fault = |what: &str| Fault::new(line, format!("modifier \"{word}\" {what}"));
            let mut next = Vec::new();
            for form in forms {
                next.extend(form.change(*modifier, is_encoded).map_err(fault)?);
            }
            is_encoded |= matches!(modifier, M::Base64 | M::Base64Offset);
            forms = next;
        }
        let operand = |form| match form {
            Form::Glob(glob) => Ok(Operand::Glob(glob)),
            Form::Bytes(_) => {
                let what =
                    "UTF-16 without Base64 (expected \"base64\" or \"base64offset\" after it)";
                Err(self.fault(what))
            }
        };
        forms.into_iter().map(operand).collect()
    }
}

/// A value between two modifiers.
enum Form {
    Glob(Glob),
    Bytes(Vec<u8>),
}

impl Form {
    fn change(self, modifier: Modifier, is_encoded: bool) -> Result<Vec<Self>, &'static str> {
        const WILDCARDS: &str = "after wildcards (expected it before \"contains\" and the like)";
        let bytes = |form: Self| match form {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Glob(glob) => {
                glob.as_plain().map(|text| text.as_bytes().to_vec()).ok_or(WILDCARDS)
            }
        };
        let utf16 = |form: Self, order| match form {
            Self::Glob(glob) if !is_encoded => {
                glob.as_plain().map(|text| glob::utf16(text, order)).ok_or(WILDCARDS)
            }
            _ => Err("after another encoding"),
        };
        let open = |form: Self, before, after| match form {
            Self::Glob(glob) => Ok(vec![Self::Glob(glob.open(before, after))]),
            Self::Bytes(_) => Err("after UTF-16 (expected \"base64\" between them)"),
        };
        match modifier {
            M::Contains => open(self, true, true),
            M::StartsWith => open(self, false, true),
            M::EndsWith => open(self, true, false),
            M::Base64 => Ok(vec![Self::Glob(Glob::plain(&glob::base64(&bytes(self)?)))]),
            M::Base64Offset => {
                let offsets = glob::base64_offsets(&bytes(self)?);
                Ok(offsets.iter().map(|text| Self::Glob(Glob::plain(text))).collect())
            }
            M::Utf16Little => Ok(vec![Self::Bytes(utf16(self, Order::Little)?)]),
            M::Utf16Big => Ok(vec![Self::Bytes(utf16(self, Order::Big)?)]),
            M::Utf16 => {
                let mut marked = vec![0xff, 0xfe];
                marked.extend(utf16(self, Order::Little)?);
                Ok(vec![Self::Bytes(marked)])
            }
            M::WinDash => match self {
                Self::Glob(glob) if !is_encoded => {
                    let globs = glob.windash().ok_or("of a text with more than three flags")?;
                    Ok(globs.into_iter().map(Self::Glob).collect())
                }
                _ => Err("after an encoding"),
            },
            _ => Ok(vec![self]),
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
        if scalar.value == Value::Null && nodes.len() > 1 {
            let what = "null in a list of values (expected a selection of its own for it)";
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

/// The whole record is text, and so is what is looked for in it.
fn keyword(line: Line, scalar: &Scalar) -> Result<Scalar, Fault> {
    if scalar.value == Value::Null || scalar.text.is_empty() {
        return Err(expected(line, scalar, "a keyword"));
    }
    Ok(Scalar { text: scalar.text.clone(), value: Value::Text })
}

/// A number that is written the one way it can be read back, so that nothing is lost of an account's
/// zeros or a version's last digit.
pub(super) fn number(line: Line, scalar: &Scalar) -> Result<f64, Fault> {
    const EXACT_MAX: u64 = 1 << 53;
    let read = match scalar.value {
        Value::Int(int) if int.unsigned_abs() <= EXACT_MAX => Some((int as f64, int.to_string())),
        Value::Float(float) if float.is_finite() => Some((float, float.to_string())),
        _ => None,
    };
    match read {
        Some((number, text)) if text == scalar.text => Ok(number),
        _ => {
            let what = format!("number {} (expected quotes around it)", shown(&scalar.text));
            Err(Fault::new(line, what))
        }
    }
}

/// `10.0.0.0/8`; an address alone is a network of one.
fn cidr(line: Line, scalar: &Scalar) -> Result<Operand, Fault> {
    let fault = || expected(line, scalar, "a network as 10.0.0.0/8 for \"cidr\"");
    let (address, bits) = match scalar.text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (scalar.text.as_str(), None),
    };
    let address: IpAddr = address.parse().map_err(|_| fault())?;
    let (bits_max, whole) = match address {
        IpAddr::V4(v4) => (32, u128::from(v4.to_bits()) << 96),
        IpAddr::V6(v6) => (128, v6.to_bits()),
    };
    let bits = match bits {
        Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
            bits.parse::<u8>().ok().filter(|bits| *bits <= bits_max).ok_or_else(fault)?
        }
        Some(_) => return Err(fault()),
        None => bits_max,
    };
    if whole.checked_shl(bits.into()).unwrap_or(0) != 0 {
        let what = format!("network {} with bits set after its prefix", shown(&scalar.text));
        return Err(Fault::new(line, what));
    }
    Ok(Operand::Cidr(address, bits))
}

/// `%name%`, whole. Without a percent sign it is a value like any other; `\%` is a plain one.
fn placeholder(line: Line, scalar: &Scalar, family: Family) -> Result<Operand, Fault> {
    let text = &scalar.text;
    if let Some(name) = text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%'))
        && !name.is_empty()
        && !name.contains(['%', '\\'])
    {
        return Ok(Operand::Placeholder(name.to_owned()));
    }
    if text.replace("\\%", "").contains('%') || scalar.value != Value::Text {
        return Err(expected(line, scalar, "one placeholder as %name% and nothing beside it"));
    }
    let plain = Scalar { text: text.replace("\\%", "%"), value: Value::Text };
    match family {
        Family::Cidr => cidr(line, &plain),
        _ => Ok(Operand::Glob(Glob::parse(&plain.text))),
    }
}

fn expected(line: Line, scalar: &Scalar, expected: &str) -> Fault {
    Fault::new(line, format!("value {} (expected {expected})", shown(&scalar.text)))
}

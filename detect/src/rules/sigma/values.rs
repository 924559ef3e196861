//! Values of a line: what the file says, changed by the modifiers in their order.

use super::{
    Glob, Line, Operand,
    glob::{self, Order},
    head::field,
    modifiers::{Chain, Family, Modifier as M},
    table::shown,
};
use crate::rules::yaml::{Fault, Scalar, Value};
use std::net::IpAddr;

impl Chain<'_> {
    /// What one value of the file means: usually one value, several by `windash` and `base64offset`.
    pub(super) fn operands(&self, line: Line, scalar: &Scalar) -> Result<Vec<Operand>, Fault> {
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
        let changes = |modifier: &M| !matches!(modifier, M::All | M::Cased | M::NotEqual);
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
    fn change(self, modifier: M, is_encoded: bool) -> Result<Vec<Self>, &'static str> {
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

/// The whole record is text, and so is what is looked for in it.
pub(super) fn keyword(line: Line, scalar: &Scalar) -> Result<Scalar, Fault> {
    if scalar.value == Value::Null || scalar.text.is_empty() {
        return Err(expected(line, scalar, "a keyword"));
    }
    Ok(Scalar { text: scalar.text.clone(), value: Value::Text })
}

/// A number that is written the one way it can be read back, so that nothing is lost of an account's
/// zeros or a version's last digit.
fn number(line: Line, scalar: &Scalar) -> Result<f64, Fault> {
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

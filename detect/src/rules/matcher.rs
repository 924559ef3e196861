//! One value of a log against one value of a rule. Texts are compared as the log wrote them and
//! unescaped only where it escaped something.
//!
//! Types do not keep values apart: CloudTrail writes `"true"` beside `true` and `"5"` beside `5`, so
//! a number or a truth value of a rule equals the text that spells it, and the other way round.
//! Texts are compared without regard to case, by Unicode's simple folding, unless `cased` says so;
//! regular expressions are, as Sigma says, not.

use super::sigma::{Edge, Glob, GlobPart};
use ingest::Text;
use memchr::memchr2_iter;
use regex::{Regex, RegexBuilder};
use std::{borrow::Cow, net::IpAddr};

/// What a regular expression may take when it is compiled, and again while it matches. Unit: bytes.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// A value of a log.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    /// As JSON wrote it, without quotes: a text, a number, `true`, or a whole object.
    Json(Text<'a>),
    Plain(&'a str),
    Integer(i64),
    Address(IpAddr),
}

impl<'a> Value<'a> {
    /// The same, known to need no unescaping where it needs none: asked once, however many tests there are.
    pub(crate) fn plain(self) -> Self {
        match self {
            Self::Json(Text(text)) if !text.contains('\\') => Self::Plain(text),
            other => other,
        }
    }

    /// The value as text.
    pub(crate) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Json(text) => text.get(),
            Self::Plain(text) => Cow::Borrowed(text),
            Self::Integer(integer) => Cow::Owned(integer.to_string()),
            Self::Address(address) => Cow::Owned(address.to_string()),
        }
    }

    /// The value as a number. Texts that only Rust reads as one, such as `inf`, are none.
    pub(crate) fn number(self) -> Option<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "counters and ports; 2^53 is enough")]
            Self::Integer(integer) => Some(integer as f64),
            Self::Json(Text(text)) | Self::Plain(text) => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                let is_number = digits.starts_with(|c: char| c.is_ascii_digit());
                is_number.then(|| text.parse().ok())?
            }
            Self::Address(_) => None,
        }
    }

    /// The value as an address.
    pub(crate) fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::Json(Text(text)) | Self::Plain(text) => {
                text.parse().ok().map(|address: IpAddr| address.to_canonical())
            }
            Self::Integer(_) => None,
        }
    }
}

/// A value of a rule, made ready.
#[derive(Debug, Clone)]
pub(crate) enum Matcher {
    Pattern(Pattern),
    Regex(Regex),
    Range(Range),
    Number(f64),
    Bool(bool),
    Less(f64),
    LessOrEqual(f64),
    Greater(f64),
    GreaterOrEqual(f64),
}

impl Matcher {
    /// A regular expression; else what is wrong with it.
    pub(crate) fn regex(source: &str) -> Result<Self, String> {
        let mut builder = RegexBuilder::new(source);
        let limited = builder.size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX);
        limited.build().map(Self::Regex).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                format!("the regular expression takes more than {REGEX_BYTES_MAX} bytes")
            }
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default().trim();
                format!("not a regular expression: {}", last.trim_start_matches("error: "))
            }
        })
    }

    /// The whole number above which, or at and above which, its answers about whole numbers are others
    /// than below; `None` where they hang on more than size.
    pub(crate) fn threshold(&self) -> Option<i64> {
        match self {
            Self::Number(bound)
            | Self::Less(bound)
            | Self::LessOrEqual(bound)
            | Self::Greater(bound)
            | Self::GreaterOrEqual(bound) => {
                #[expect(clippy::cast_possible_truncation, reason = "saturates")]
                let bound = bound.floor() as i64;
                Some(bound)
            }
            Self::Pattern(pattern) => pattern.whole()?.parse().ok(),
            Self::Regex(_) | Self::Range(_) | Self::Bool(_) => None,
        }
    }

    /// Whether the log's value is what the rule asks for.
    pub(crate) fn matches(&self, value: Value<'_>) -> bool {
        let number = |is: &dyn Fn(f64) -> bool| value.number().is_some_and(is);
        match self {
            Self::Pattern(pattern) => pattern.matches_value(value),
            Self::Regex(regex) => regex.is_match(&value.text()),
            Self::Range(range) => range.holds_value(value),
            Self::Number(wanted) => number(&|found| found.total_cmp(wanted).is_eq()),
            Self::Less(bound) => number(&|found| found < *bound),
            Self::LessOrEqual(bound) => number(&|found| found <= *bound),
            Self::Greater(bound) => number(&|found| found > *bound),
            Self::GreaterOrEqual(bound) => number(&|found| found >= *bound),
            Self::Bool(wanted) => match value {
                Value::Json(Text(text)) | Value::Plain(text) => {
                    text.eq_ignore_ascii_case(if *wanted { "true" } else { "false" })
                }
                Value::Integer(_) | Value::Address(_) => false,
            },
        }
    }
}

/// Addresses with the same first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) address: IpAddr,
    pub(crate) n_bits: u8,
    /// First and last address as numbers; IPv4 mapped as in flow logs.
    ends: (u128, u128),
}

impl Range {
    /// Reads `10.0.0.0/8`, or a single address.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, n_bits) = match text.split_once('/') {
            Some((address, n_bits)) => (address, Some(n_bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let n_bits = n_bits.unwrap_or(most);
        (n_bits <= most).then(|| Self::of(address, n_bits))
    }

    /// The addresses that share so many bits with this one.
    pub(crate) fn of(address: IpAddr, n_bits: u8) -> Self {
        let n_mapped = if address.is_ipv4() { 96 } else { 0 };
        let host = u128::MAX.checked_shr(u32::from(n_bits) + n_mapped).unwrap_or(0);
        let first = ingest::flow::address(address) & !host;
        Self { address, n_bits, ends: (first, first | host) }
    }

    /// First and last address as numbers; IPv4 mapped as in flow logs.
    pub(crate) fn ends(self) -> (u128, u128) {
        self.ends
    }

    /// Whether it holds an address.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        let (first, last) = self.ends();
        (first..=last).contains(&ingest::flow::address(address))
    }

    fn holds(self, other: Self) -> bool {
        let ((first, last), (other_first, other_last)) = (self.ends(), other.ends());
        first <= other_first && other_last <= last
    }

    /// Whether it holds the address, or the whole range that the value is.
    fn holds_value(self, value: Value<'_>) -> bool {
        match value {
            Value::Address(address) => self.contains(address),
            Value::Json(Text(text)) | Value::Plain(text) => {
                let is_address = text.starts_with(|c: char| c.is_ascii_hexdigit() || c == ':');
                is_address && Self::parse(text).is_some_and(|other| self.holds(other))
            }
            Value::Integer(_) => false,
        }
    }
}

/// A text with wildcards, made ready.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    is_cased: bool,
    /// What decides in one look where no byte is beyond ASCII, or case matters.
    shape: Shape,
    /// What decides always. Texts are folded unless case matters.
    tokens: Vec<Token>,
    /// The address that the pattern spells, if it spells one.
    address: Option<IpAddr>,
}

/// The usual patterns. Texts are lower case unless case matters.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Whole(String),
    Start(String),
    End(String),
    /// The text, and where in it its rarest byte stands.
    Anywhere(String, usize),
    Anything,
    /// None of these, or beyond ASCII.
    Tokens,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Char(char),
    One,
    Many,
}

impl Pattern {
    pub(crate) fn of(glob: &Glob, is_cased: bool) -> Self {
        let mut tokens: Vec<Token> = Vec::new();
        for part in &glob.0 {
            match part {
                GlobPart::Text(text) => tokens
                    .extend(text.chars().map(|c| Token::Char(if is_cased { c } else { fold(c) }))),
                GlobPart::One => tokens.push(Token::One),
                GlobPart::Many if tokens.last() == Some(&Token::Many) => {}
                GlobPart::Many => tokens.push(Token::Many),
            }
        }
        let address = match glob.0.as_slice() {
            [GlobPart::Text(text)] => Value::Plain(text).address(),
            _ => None,
        };
        Self { is_cased, shape: Shape::of(&tokens, is_cased), tokens, address }
    }

    /// The same, but anywhere in a text.
    pub(crate) fn anywhere(glob: &Glob, is_cased: bool) -> Self {
        let inner = glob.0.iter().cloned();
        let parts = [GlobPart::Many].into_iter().chain(inner).chain([GlobPart::Many]);
        Self::of(&Glob(parts.collect()), is_cased)
    }

    /// The text that it is equal to, folded, where it has no wildcards.
    pub(crate) fn whole(&self) -> Option<String> {
        let chars = self.tokens.iter().map(|token| match token {
            Token::Char(c) => Some(fold(*c)),
            Token::One | Token::Many => None,
        });
        chars.collect()
    }

    /// The longest text without wildcards in it, folded unless case matters.
    pub(crate) fn longest_text(&self) -> String {
        let texts = self.tokens.split(|token| !matches!(token, Token::Char(_)));
        let longest = texts.max_by_key(|text| text.len()).unwrap_or_default();
        let chars = longest.iter().filter_map(|token| match token {
            Token::Char(c) => Some(*c),
            Token::One | Token::Many => None,
        });
        chars.collect()
    }

    /// Whether a value, as text, is as the pattern says.
    pub(crate) fn matches_value(&self, value: Value<'_>) -> bool {
        match value.plain() {
            Value::Address(address) if self.address.is_some() => self.address == Some(address),
            Value::Plain(text) => self.matches(text),
            _ => self.matches(&value.text()),
        }
    }

    /// Whether `text` is as the pattern says.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let found = match &self.shape {
            Shape::Anything => return true,
            Shape::Tokens => false,
            Shape::Whole(whole) => self.same(text.as_bytes(), whole),
            Shape::Start(start) => {
                text.as_bytes().get(..start.len()).is_some_and(|text| self.same(text, start))
            }
            Shape::End(end) => {
                let from = text.len().checked_sub(end.len());
                let text = from.and_then(|from| text.as_bytes().get(from..));
                text.is_some_and(|text| self.same(text, end))
            }
            Shape::Anywhere(needle, rare) => self.find(text.as_bytes(), needle, *rare),
        };
        // Beyond ASCII a text may fold to the pattern without having its bytes: U+212A is a `k`.
        let is_decided = self.shape != Shape::Tokens && (self.is_cased || text.is_ascii());
        found || !is_decided && self.walk(text)
    }

    fn same(&self, text: &[u8], wanted: &str) -> bool {
        if self.is_cased {
            text == wanted.as_bytes()
        } else {
            text.eq_ignore_ascii_case(wanted.as_bytes())
        }
    }

    fn find(&self, text: &[u8], needle: &str, rare: usize) -> bool {
        if self.is_cased {
            return memchr::memmem::find(text, needle.as_bytes()).is_some();
        }
        let Some(byte) = needle.as_bytes().get(rare) else { return true };
        let Some(last_start) = text.len().checked_sub(needle.len()) else { return false };
        let places = text.get(rare..=last_start + rare).unwrap_or_default();
        memchr2_iter(*byte, byte.to_ascii_uppercase(), places).any(|at| {
            let here = text.get(at..at + needle.len());
            here.is_some_and(|here| here.eq_ignore_ascii_case(needle.as_bytes()))
        })
    }

    /// Character by character, back to the last `*` where one does not fit. At most text times
    /// pattern steps.
    fn walk(&self, text: &str) -> bool {
        let mut rest = text.chars();
        let mut at = 0;
        let mut back: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            match self.tokens.get(at) {
                Some(Token::Many) => {
                    at += 1;
                    if at == self.tokens.len() {
                        return true;
                    }
                    back = Some((at, rest.clone()));
                    continue;
                }
                Some(token) => {
                    let mut next = rest.clone();
                    if next.next().is_some_and(|c| self.is(*token, c)) {
                        rest = next;
                        at += 1;
                        continue;
                    }
                }
                None if rest.as_str().is_empty() => return true,
                None => {}
            }
            let Some((after_star, from)) = &mut back else { return false };
            if from.next().is_none() {
                return false;
            }
            at = *after_star;
            rest = from.clone();
        }
    }

    fn is(&self, token: Token, c: char) -> bool {
        match token {
            Token::Char(wanted) => wanted == if self.is_cased { c } else { fold(c) },
            Token::One | Token::Many => true,
        }
    }
}

impl Shape {
    fn of(tokens: &[Token], is_cased: bool) -> Self {
        let text = |tokens: &[Token]| -> Option<String> {
            let chars = tokens.iter().map(|token| match token {
                Token::Char(c) if is_cased || c.is_ascii() => Some(*c),
                _ => None,
            });
            chars.collect()
        };
        let shape = match tokens {
            [Token::Many] => Some(Self::Anything),
            [Token::Many, inner @ .., Token::Many] => text(inner).map(|text| {
                let rare = rarest(&text);
                Self::Anywhere(text, rare)
            }),
            [Token::Many, end @ ..] => text(end).map(Self::End),
            [start @ .., Token::Many] => text(start).map(Self::Start),
            whole => text(whole).map(Self::Whole),
        };
        shape.unwrap_or(Self::Tokens)
    }
}

/// Bytes of logs, the commonest first, as counted in CloudTrail; what is missing is rare.
const COMMON: &[u8] = b"\"eatnr:sic0o,1du2m-l35vp4.f8769gbwxy{} z/kqh_;j()[]#";

/// Where the byte stands that is found least in logs.
fn rarest(text: &str) -> usize {
    let rarities = text.bytes().map(|byte| rarity(byte.to_ascii_lowercase())).enumerate();
    rarities.max_by_key(|(_, rarity)| *rarity).map_or(0, |(at, _)| at)
}

/// How many bytes are commoner in logs than this one, which is lower case.
pub(crate) fn rarity(byte: u8) -> usize {
    COMMON.iter().position(|common| *common == byte).unwrap_or(COMMON.len())
}

/// Whether `part` stands in `text` where `edge` says, without regard to case.
pub(crate) fn stands(text: &str, part: &str, edge: Edge) -> bool {
    let part = GlobPart::Text(part.to_owned());
    let parts = match edge {
        Edge::Whole => vec![part],
        Edge::Start => vec![part, GlobPart::Many],
        Edge::End => vec![GlobPart::Many, part],
        Edge::Anywhere => vec![GlobPart::Many, part, GlobPart::Many],
    };
    Pattern::of(&Glob(parts), false).matches(text)
}

/// Unicode's simple case folding, as far as upper and lower case of single characters tell it.
pub(crate) fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let single = |chars: &mut dyn Iterator<Item = char>| {
        let first = chars.next();
        if chars.next().is_none() { first } else { None }
    };
    let upper = single(&mut c.to_uppercase()).unwrap_or(c);
    single(&mut upper.to_lowercase()).unwrap_or(upper)
}

/// A text, folded.
pub(crate) fn folded(text: &str) -> String {
    text.chars().map(fold).collect()
}

#[cfg(test)]
mod tests;

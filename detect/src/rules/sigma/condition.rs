//! The grammar of `condition`: `selection and not 1 of filter_*`. `not` binds closer than `and`, `and`
//! than `or`.

use super::{
    Condition, FieldName, Glob, GlobPart, Line, Operand,
    selection::{Selection, all, any},
    table::{shown, unknown},
};
use crate::rules::yaml::Fault;

/// Brackets and `not` in each other. The reader recurses so deep.
pub(super) const NESTED_MAX: usize = 32;
/// Fields and values after every selection is in its place; one may stand in several. Unit: bytes, with
/// 16 for each value.
pub(super) const BYTES_MAX: usize = 1 << 20;

/// Words of the grammar. They name no selection.
const WORDS: [&str; 6] = ["all", "and", "not", "of", "or", "them"];

pub(super) fn is_reserved(name: &str) -> bool {
    WORDS.iter().any(|word| name.eq_ignore_ascii_case(word))
}

/// The conditions of one detection, and which selections they use.
pub(super) struct Grammar<'a> {
    selections: &'a [Selection<'a>],
    /// For each selection whether it is used.
    used: Vec<bool>,
    n_bytes: usize,
}

impl<'a> Grammar<'a> {
    pub(super) fn new(selections: &'a [Selection<'a>]) -> Self {
        Self { selections, used: vec![false; selections.len()], n_bytes: 0 }
    }

    /// One condition.
    pub(super) fn read(&mut self, line: Line, text: &str) -> Result<Condition, Fault> {
        let tokens = tokens(line, text)?;
        let mut reader = Reader { line, tokens: &tokens, grammar: self };
        let condition = reader.either(0)?;
        match reader.tokens.first() {
            None => Ok(condition),
            Some(token) => Err(reader.expected("\"and\", \"or\" or the end", Some(token))),
        }
    }

    /// A selection that nothing uses is a slip, unless its name starts with `_`.
    pub(super) fn finish(self) -> Result<(), Fault> {
        let mut selections = self.selections.iter().zip(self.used);
        match selections.find(|(selection, used)| !used && !selection.name.starts_with('_')) {
            Some((Selection { line, name, .. }, _)) => {
                let what = format!(
                    "selection \"{name}\" is not in the condition (expected it there, or a name \
                     with _ in front)"
                );
                Err(Fault::new(*line, what))
            }
            None => Ok(()),
        }
    }

    /// The selections that a test holds for, each in its place.
    fn take(&mut self, line: Line, wanted: impl Fn(&str) -> bool) -> Result<Vec<Condition>, Fault> {
        let mut conditions = Vec::new();
        for (selection, used) in self.selections.iter().zip(&mut self.used) {
            if !wanted(selection.name) {
                continue;
            }
            *used = true;
            self.n_bytes += n_bytes(&selection.condition);
            if self.n_bytes > BYTES_MAX {
                let what = format!("condition over more than {BYTES_MAX} bytes of selections");
                return Err(Fault::new(line, what));
            }
            conditions.push(selection.condition.clone());
        }
        Ok(conditions)
    }
}

fn n_bytes(condition: &Condition) -> usize {
    match condition {
        Condition::All(inner) | Condition::Any(inner) => inner.iter().map(n_bytes).sum(),
        Condition::Not(inner) => n_bytes(inner),
        Condition::Item(item) => {
            let values: usize = item.values.iter().map(|value| 16 + text_bytes(value)).sum();
            values + item.field.as_ref().map_or(0, path_bytes)
        }
    }
}

fn text_bytes(value: &Operand) -> usize {
    match value {
        Operand::Glob(Glob(parts)) => {
            let bytes = parts.iter().map(|part| match part {
                GlobPart::Text(text) => text.len(),
                GlobPart::One | GlobPart::Many => 1,
            });
            bytes.sum()
        }
        Operand::Regex(text) | Operand::Placeholder(text) => text.len(),
        Operand::Field(field) => path_bytes(field),
        Operand::Cidr(..) | Operand::Number(_) | Operand::Bool(_) | Operand::Null => 0,
    }
}

fn path_bytes(field: &FieldName) -> usize {
    field.path.iter().map(|key| 16 + key.len()).sum()
}

/// Words and brackets.
fn tokens(line: Line, text: &str) -> Result<Vec<&str>, Fault> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '*');
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '(' | ')' => 1,
            '|' => {
                let what = "\"|\" in the condition (not supported: use a correlation)";
                return Err(Fault::new(line, what));
            }
            _ => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
        };
        match rest.split_at_checked(end) {
            Some((token, after)) if !token.is_empty() => {
                tokens.push(token);
                rest = after.trim_start();
            }
            _ => {
                let what = format!(
                    "{} in the condition (expected names, and, or, not, brackets)",
                    shown(&first.to_string())
                );
                return Err(Fault::new(line, what));
            }
        }
    }
    Ok(tokens)
}

/// What is left to read of a condition.
struct Reader<'a, 'g, 'b> {
    line: Line,
    tokens: &'b [&'b str],
    grammar: &'g mut Grammar<'a>,
}

impl<'b> Reader<'_, '_, 'b> {
    fn either(&mut self, depth: usize) -> Result<Condition, Fault> {
        let mut conditions = vec![self.both(depth)?];
        while self.skip("or") {
            conditions.push(self.both(depth)?);
        }
        Ok(any(conditions))
    }

    fn both(&mut self, depth: usize) -> Result<Condition, Fault> {
        let mut conditions = vec![self.one(depth)?];
        while self.skip("and") {
            conditions.push(self.one(depth)?);
        }
        Ok(all(conditions))
    }

    fn one(&mut self, depth: usize) -> Result<Condition, Fault> {
        if depth > NESTED_MAX {
            let what = format!("condition nested deeper than {NESTED_MAX} levels");
            return Err(Fault::new(self.line, what));
        }
        if self.skip("not") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        let token = self.next();
        match token {
            Some("(") => {
                let condition = self.either(depth + 1)?;
                match self.next() {
                    Some(")") => Ok(condition),
                    other => Err(self.expected("\")\"", other.as_ref())),
                }
            }
            Some(count) if self.skip("of") => self.some_of(count),
            Some(name) if name != ")" && !is_reserved(name) => self.selection(name),
            other => Err(self.expected("a selection", other.as_ref())),
        }
    }

    fn selection(&mut self, name: &str) -> Result<Condition, Fault> {
        if name.contains('*') {
            let what = format!("{} in the condition (expected \"1 of\" in front)", shown(name));
            return Err(Fault::new(self.line, what));
        }
        let found = self.grammar.take(self.line, |selection| selection == name)?;
        found.into_iter().next().ok_or_else(|| self.missing(name))
    }

    /// `1 of them`, which other rule sets write `any of them`, and `all of selection_*`.
    fn some_of(&mut self, count: &str) -> Result<Condition, Fault> {
        let is_all = match count.to_ascii_lowercase().as_str() {
            "1" | "any" => false,
            "all" => true,
            _ => {
                let what =
                    format!("{} (expected \"1 of\" or \"all of\")", shown(&format!("{count} of")));
                return Err(Fault::new(self.line, what));
            }
        };
        let found = match self.next() {
            Some(word) if word.eq_ignore_ascii_case("them") => {
                self.grammar.take(self.line, |name| !name.starts_with('_'))?
            }
            Some(pattern) if !matches!(pattern, "(" | ")") && !is_reserved(pattern) => {
                let found = self.grammar.take(self.line, |name| matches(pattern, name))?;
                if found.is_empty() {
                    return Err(self.missing(pattern));
                }
                found
            }
            other => return Err(self.expected("\"them\" or a pattern", other.as_ref())),
        };
        if found.is_empty() {
            return Err(Fault::new(self.line, "\"them\" without selections"));
        }
        Ok(if is_all { all(found) } else { any(found) })
    }

    fn next(&mut self) -> Option<&'b str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn skip(&mut self, word: &str) -> bool {
        match self.tokens.split_first() {
            Some((first, rest)) if first.eq_ignore_ascii_case(word) => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    fn missing(&self, name: &str) -> Fault {
        let names: Vec<_> = self.grammar.selections.iter().map(|known| known.name).collect();
        Fault::new(self.line, format!("no selection {}", unknown(name, &names)))
    }

    fn expected(&self, expected: &str, found: Option<&&str>) -> Fault {
        let found = found.map_or("the end of the condition".to_owned(), |token| shown(token));
        Fault::new(self.line, format!("{found} (expected {expected})"))
    }
}

/// `*` is any number of characters.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut name) = name.strip_suffix(end) else { return false };
    for part in middle.split('*') {
        match name.split_once(part) {
            Some((_, after)) => name = after,
            None => return false,
        }
    }
    true
}

//! Walks the members of one object and notes where the values of known keys are.

use std::ops::Range;

use crate::cloudtrail::fields::{FIELDS, Field, Prediction};
use crate::event::{Raw, Text};
use crate::json::{self, Fault, Nesting};

/// What the walk of one object found.
pub(super) enum Walked {
    /// The object ended at this offset.
    End(usize),
    /// The value of `Records` begins at this offset, and it is an array.
    Records(usize),
}

/// Walks objects of one text, one after the other.
pub(super) struct Walker<'a> {
    text: &'a str,
    prediction: Prediction,
    /// Where the values of the present object are; empty for keys that it lacks.
    spans: [Span; FIELDS],
    /// Where the last container under each key is.
    containers: [Span; FIELDS],
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
}

impl Span {
    #[inline]
    fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

impl<'a> Walker<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let spans = [Span::default(); FIELDS];
        Self { text, prediction: Prediction::new(), spans, containers: spans }
    }

    /// Walks the object that opens at `open`.
    pub(super) fn object(&mut self, open: usize) -> Result<Walked, Fault> {
        self.spans = [Span::default(); FIELDS];
        let bytes = self.text.as_bytes();
        let at = json::skip_space(bytes, open + 1);
        if json::byte(bytes, at) == b'}' {
            return Ok(Walked::End(at + 1));
        }
        self.members(at, Field::Other)
    }

    /// Walks on after the array of `Records`, which ended at `at`.
    pub(super) fn after_records(&mut self, at: usize) -> Result<Walked, Fault> {
        let bytes = self.text.as_bytes();
        let at = json::skip_space(bytes, at);
        match json::byte(bytes, at) {
            b',' => self.members(json::skip_space(bytes, at + 1), Field::Records),
            b'}' => Ok(Walked::End(at + 1)),
            _ => Err(Fault::new(at, "a comma or the closing brace after \"Records\"")),
        }
    }

    /// Walks from the key at `at` on.
    fn members(&mut self, mut at: usize, mut previous: Field) -> Result<Walked, Fault> {
        let bytes = self.text.as_bytes();
        loop {
            let (field, start) = self.key(at, previous)?;
            previous = field;
            if field == Field::Records && json::byte(bytes, start) == b'[' {
                return Ok(Walked::Records(start));
            }
            let end = self.value(field, start)?;
            if let Some(span) = self.spans.get_mut(field as usize) {
                *span = Span { start, end };
            }
            at = end;
            if json::byte(bytes, at) != b',' {
                at = json::skip_space(bytes, at);
                match json::byte(bytes, at) {
                    b',' => {}
                    b'}' => return Ok(Walked::End(at + 1)),
                    _ => return Err(Fault::new(at, "a comma or the closing brace of an object")),
                }
            }
            at = json::skip_space(bytes, at + 1);
        }
    }

    /// The key at `at`, and where its value begins.
    #[inline]
    fn key(&mut self, at: usize, previous: Field) -> Result<(Field, usize), Fault> {
        let bytes = self.text.as_bytes();
        let rest = bytes.get(at..).unwrap_or_default();
        match self.prediction.guess(previous, rest) {
            Some((field, length)) => Ok((field, json::skip_space(bytes, at + length))),
            None => self.unforeseen_key(at, previous),
        }
    }

    #[cold]
    fn unforeseen_key(&mut self, at: usize, previous: Field) -> Result<(Field, usize), Fault> {
        let bytes = self.text.as_bytes();
        if json::byte(bytes, at) != b'"' {
            return Err(Fault::new(at, "the opening quote of a key"));
        }
        let end = json::string_end(bytes, at + 1)?;
        let name = self.text.get(at + 1..end).unwrap_or_default();
        let field = Field::named(&json::unescape(name));
        self.prediction.learn(previous, field);
        let colon = json::skip_space(bytes, end + 1);
        if json::byte(bytes, colon) != b':' {
            return Err(Fault::new(colon, "a colon after a key"));
        }
        Ok((field, json::skip_space(bytes, colon + 1)))
    }

    /// Where the value that begins at `start` ends.
    #[inline]
    fn value(&mut self, field: Field, start: usize) -> Result<usize, Fault> {
        let bytes = self.text.as_bytes();
        match json::byte(bytes, start) {
            b'"' => Ok(json::string_end(bytes, start + 1)? + 1),
            b'{' | b'[' => self.container(field, start),
            _ => json::scalar_end(bytes, start),
        }
    }

    /// Many records of a file were made by the same session: a container that begins with the
    /// bytes of the last one under its key ends with them.
    #[inline]
    fn container(&mut self, field: Field, start: usize) -> Result<usize, Fault> {
        let bytes = self.text.as_bytes();
        let last = self.containers.get(field as usize).copied().unwrap_or_default();
        if last.end > last.start
            && let Some(known) = bytes.get(last.range())
            && bytes.get(start..).is_some_and(|rest| rest.starts_with(known))
        {
            return Ok(start + known.len());
        }
        let end = json::container_end(bytes, start, Nesting::Checked)?;
        if let Some(last) = self.containers.get_mut(field as usize) {
            *last = Span { start, end };
        }
        Ok(end)
    }

    /// Where the value of `field` begins.
    pub(super) fn start(&self, field: Field) -> usize {
        self.spans.get(field as usize).map_or(0, |span| span.start)
    }

    /// Whether the object has `field`, be it null.
    pub(super) fn has(&self, field: Field) -> bool {
        self.spans.get(field as usize).is_some_and(|span| span.end > 0)
    }

    #[inline]
    fn slice(&self, field: Field) -> Option<&'a str> {
        let span = self.spans.get(field as usize)?;
        if span.end == 0 { None } else { self.text.get(span.range()) }
    }

    /// The value of `field` where it is not null.
    #[inline]
    pub(super) fn raw(&self, field: Field) -> Option<Raw<'a>> {
        self.slice(field).filter(|value| *value != "null").map(Raw)
    }

    /// The value of `field` where it is true or false.
    #[inline]
    pub(super) fn bool(&self, field: Field) -> Option<bool> {
        self.raw(field).and_then(Raw::bool)
    }

    /// The value of `field` where it is a string; numbers are taken as they are written.
    #[inline]
    pub(super) fn text_of(&self, field: Field) -> Option<Text<'a>> {
        let span = *self.spans.get(field as usize)?;
        match json::byte(self.text.as_bytes(), span.start) {
            _ if span.end == 0 => None,
            b'"' => self.text.get(span.start + 1..span.end - 1).map(Text),
            b'-' | b'0'..=b'9' => self.text.get(span.range()).map(Text),
            _ => None,
        }
    }

    /// The value of `field` where it is a string.
    #[inline]
    pub(super) fn string(&self, field: Field) -> Option<Text<'a>> {
        self.text_of(field).filter(|_| json::byte(self.text.as_bytes(), self.start(field)) == b'"')
    }
}

//! The shapes in which records come, and the way on past a damaged one.

use memchr::memmem;

use crate::cloudtrail::build;
use crate::cloudtrail::fields::Field;
use crate::cloudtrail::walk::{Walked, Walker};
use crate::cloudtrail::{ObjectError, RECORD_BYTES_MAX, Record, RecordError, Shape, WRAPPERS_MAX};
use crate::event::{Raw, Text};
use crate::json::{self, Fault, Nesting};

/// How records begin in the files of AWS: where to read on after damage.
const RECORD_START: &[u8] = b"{\"eventVersion\"";

/// Reads a whole object; see [`crate::cloudtrail::read`].
pub(super) fn read<F>(text: &str, visit: &mut F) -> Result<Shape, ObjectError>
where
    F: FnMut(usize, Result<Record<'_>, RecordError>),
{
    let mut sink = Sink { visit, index: 0 };
    Document::new(text, Origin { base: 0, quoted: false, wrappers: 0 }).read(&mut sink)
}

/// Hands out records and counts them.
struct Sink<'v, F> {
    visit: &'v mut F,
    index: usize,
}

impl<F> Sink<'_, F>
where
    F: FnMut(usize, Result<Record<'_>, RecordError>),
{
    #[cold]
    fn error(&mut self, offset: usize, expected: &'static str) {
        let index = self.index;
        (self.visit)(index, Err(RecordError { index, offset, expected }));
        self.index += 1;
    }
}

/// Where to go on in an array.
enum Next {
    /// An element begins there.
    Element(usize),
    /// A comma or the closing bracket should stand there.
    Mark(usize),
}

/// Where a text lies in the object.
#[derive(Clone, Copy)]
struct Origin {
    /// Unit: bytes from the object's start.
    base: usize,
    /// Whether the text was unescaped from a string: only the string's place is known then.
    quoted: bool,
    wrappers: u8,
}

/// One text that holds records: the object itself, or a part that wraps others.
struct Document<'a> {
    walker: Walker<'a>,
    text: &'a str,
    bytes: &'a [u8],
    origin: Origin,
    /// What may still be spent on looking for the end of damaged records, so that hostile input
    /// costs linear time. Unit: bytes.
    search_bytes: usize,
}

impl<'a> Document<'a> {
    fn new(text: &'a str, origin: Origin) -> Self {
        let search_bytes = text.len().saturating_mul(2).saturating_add(RECORD_BYTES_MAX);
        Self { walker: Walker::new(text), text, bytes: text.as_bytes(), origin, search_bytes }
    }

    fn offset(&self, at: usize) -> usize {
        if self.origin.quoted { self.origin.base } else { self.origin.base + at }
    }

    fn broken(&self, fault: Fault) -> ObjectError {
        ObjectError::Broken { offset: self.offset(fault.at), expected: fault.expected }
    }

    /// Reads one JSON value after the other.
    fn read<F>(mut self, sink: &mut Sink<'_, F>) -> Result<Shape, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let mark = if self.bytes.starts_with("\u{feff}".as_bytes()) { 3 } else { 0 };
        let mut at = json::skip_space(self.bytes, mark);
        let mut shape = Shape::Empty;
        while at < self.bytes.len() {
            let next = match json::byte(self.bytes, at) {
                b'{' => self.top_object(at, sink)?,
                b'[' => (self.array(at, sink)?, Shape::Array),
                _ if shape == Shape::Empty => {
                    return Err(ObjectError::NotCloudTrail { offset: self.offset(at) });
                }
                _ => (self.garbage(at, sink)?, shape),
            };
            shape = match shape {
                Shape::Empty => next.1,
                Shape::Record => Shape::Lines,
                first => first,
            };
            at = json::skip_space(self.bytes, next.0);
        }
        Ok(shape)
    }

    /// Passes what is no JSON between values.
    #[cold]
    fn garbage<F>(&self, at: usize, sink: &mut Sink<'_, F>) -> Result<usize, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        self.next_line(at, Fault::new(at, "a JSON object or array"), sink)
    }

    /// Reads an object that stands by itself; returns its end.
    fn top_object<F>(
        &mut self,
        open: usize,
        sink: &mut Sink<'_, F>,
    ) -> Result<(usize, Shape), ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let mut records = false;
        let mut walked = self.walker.object(open);
        while let Ok(Walked::Records(array)) = walked {
            records = true;
            let end = self.array(array, sink)?;
            walked = self.walker.after_records(end);
        }
        match walked {
            Ok(Walked::End(end)) if records => Ok((end, Shape::Records)),
            Ok(Walked::End(end)) => Ok((end, self.deliver(open, end, sink)?)),
            Ok(Walked::Records(_)) => Ok((open, Shape::Records)),
            Err(fault) if records => Err(self.broken(fault)),
            Err(fault) => {
                let end = match self.past(open, fault) {
                    Some(end) => {
                        sink.error(self.offset(fault.at), fault.expected);
                        end
                    }
                    None => self.next_line(open + 1, fault, sink)?,
                };
                Ok((end, Shape::Record))
            }
        }
    }

    /// Reads an array of records; returns its end.
    fn array<F>(&mut self, open: usize, sink: &mut Sink<'_, F>) -> Result<usize, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let mut at = json::skip_space(self.bytes, open + 1);
        if json::byte(self.bytes, at) == b']' {
            return Ok(at + 1);
        }
        loop {
            at = match self.element(at, sink)? {
                Next::Element(next) => next,
                Next::Mark(mark) => match json::byte(self.bytes, mark) {
                    b',' => json::skip_space(self.bytes, mark + 1),
                    b']' => return Ok(mark + 1),
                    _ => {
                        let fault = Fault::new(mark, "a comma or the closing bracket of an array");
                        self.next_record(mark, fault, sink)?
                    }
                },
            };
        }
    }

    /// Reads one element of an array.
    #[inline]
    fn element<F>(&mut self, at: usize, sink: &mut Sink<'_, F>) -> Result<Next, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let walked = if json::byte(self.bytes, at) == b'{' {
            self.walker.object(at)
        } else {
            Err(Fault::new(at, "a JSON object as a record"))
        };
        match walked {
            Ok(Walked::End(end)) => {
                self.deliver(at, end, sink)?;
                Ok(Next::Mark(json::skip_space(self.bytes, end)))
            }
            Ok(Walked::Records(array)) => {
                self.damaged(at, Fault::new(array, "a record, not a log file"), sink)
            }
            Err(fault) => self.damaged(at, fault, sink),
        }
    }

    /// Passes the damaged element that begins at `at`.
    #[cold]
    fn damaged<F>(
        &mut self,
        at: usize,
        fault: Fault,
        sink: &mut Sink<'_, F>,
    ) -> Result<Next, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let end = self.past(at, fault).map(|end| json::skip_space(self.bytes, end));
        if let Some(end) = end
            && matches!(json::byte(self.bytes, end), b',' | b']')
        {
            sink.error(self.offset(fault.at), fault.expected);
            return Ok(Next::Mark(end));
        }
        self.next_record(at + 1, fault, sink).map(Next::Element)
    }

    /// The end of the damaged value that begins at `at`, where its brackets or quotes tell it.
    fn past(&mut self, at: usize, fault: Fault) -> Option<usize> {
        let limit = fault.at.saturating_add(RECORD_BYTES_MAX).min(self.bytes.len());
        let reach = limit.min(at.saturating_add(self.search_bytes));
        let bytes = self.bytes.get(..reach)?;
        let end = match json::byte(bytes, at) {
            b'{' | b'[' => json::container_end(bytes, at, Nesting::Counted),
            _ => json::value_end(bytes, at),
        };
        self.spend(at, fault.at.max(end.unwrap_or(reach)));
        end.ok()
    }

    /// Takes what was read from `from` to `to` in vain off the search budget.
    fn spend(&mut self, from: usize, to: usize) {
        self.search_bytes = self.search_bytes.saturating_sub(to.saturating_sub(from));
    }

    /// Reports `fault` and finds the next record from `from` on.
    fn next_record<F>(
        &self,
        from: usize,
        fault: Fault,
        sink: &mut Sink<'_, F>,
    ) -> Result<usize, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        self.find(RECORD_START, from, fault, sink)
    }

    /// Reports `fault` and finds the next line from `from` on that begins like an object.
    fn next_line<F>(
        &self,
        from: usize,
        fault: Fault,
        sink: &mut Sink<'_, F>,
    ) -> Result<usize, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        self.find(b"\n{", from, fault, sink)
    }

    fn find<F>(
        &self,
        start: &[u8],
        from: usize,
        fault: Fault,
        sink: &mut Sink<'_, F>,
    ) -> Result<usize, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let rest = self.bytes.get(from..).filter(|_| self.search_bytes > 0).unwrap_or_default();
        let found = memmem::find(rest, start).ok_or_else(|| self.broken(fault))?;
        sink.error(self.offset(fault.at), fault.expected);
        Ok(from + found)
    }

    /// Hands out what the object just walked holds: itself, or what it wraps.
    #[inline]
    fn deliver<F>(
        &mut self,
        open: usize,
        end: usize,
        sink: &mut Sink<'_, F>,
    ) -> Result<Shape, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        if end - open > RECORD_BYTES_MAX && !self.wraps_many() {
            sink.error(self.offset(open), "a record of at most 16 MiB");
            return Ok(Shape::Record);
        }
        let raw = Raw(self.text.get(open..end).unwrap_or_default());
        match build::record(&self.walker, raw) {
            Ok(record) => {
                (sink.visit)(sink.index, Ok(record));
                sink.index += 1;
                Ok(Shape::Record)
            }
            Err(missing) => self.unwrap(open, missing.0, sink),
        }
    }

    fn wraps_many(&self) -> bool {
        self.walker.has(Field::Events) || self.walker.has(Field::LogEvents)
    }

    /// What is no record by itself may hold some.
    #[cold]
    fn unwrap<F>(
        &mut self,
        open: usize,
        expected: &'static str,
        sink: &mut Sink<'_, F>,
    ) -> Result<Shape, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let walker = &self.walker;
        if let Some(quoted) = walker.string(Field::CloudTrailEvent) {
            self.quoted(open, quoted, sink)?;
            return Ok(Shape::LookupEvents);
        }
        if let Some(events) = walker.raw(Field::Events) {
            self.part(walker.start(Field::Events), events.0, sink)?;
            return Ok(Shape::LookupEvents);
        }
        if walker.has(Field::MessageType) || walker.has(Field::LogEvents) {
            let control =
                walker.string(Field::MessageType).is_some_and(|kind| kind.is("CONTROL_MESSAGE"));
            if let Some(events) = walker.raw(Field::LogEvents)
                && !control
            {
                self.part(walker.start(Field::LogEvents), events.0, sink)?;
            }
            return Ok(Shape::LogsSubscription);
        }
        if let Some(message) = walker.string(Field::Message) {
            self.quoted(open, message, sink)?;
            return Ok(Shape::LogsSubscription);
        }
        if let Some(detail) = walker.raw(Field::Detail) {
            self.part(walker.start(Field::Detail), detail.0, sink)?;
            return Ok(Shape::EventBridge);
        }
        if walker.has(Field::DigestEndTime) && walker.has(Field::DigestS3Object) {
            return Ok(Shape::Digest);
        }
        sink.error(self.offset(open), expected);
        Ok(Shape::Record)
    }

    /// Reads the records inside a string, which begins somewhere after `open`.
    fn quoted<F>(
        &self,
        open: usize,
        quoted: Text<'a>,
        sink: &mut Sink<'_, F>,
    ) -> Result<(), ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let origin = Origin { base: self.offset(open), quoted: true, wrappers: self.wrap(open)? };
        nested(&quoted.get(), origin, sink);
        Ok(())
    }

    /// Reads the records inside a part of this text.
    fn part<F>(&self, at: usize, part: &str, sink: &mut Sink<'_, F>) -> Result<(), ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let quoted = self.origin.quoted;
        let origin = Origin { base: self.offset(at), quoted, wrappers: self.wrap(at)? };
        nested(part, origin, sink);
        Ok(())
    }

    fn wrap(&self, at: usize) -> Result<u8, ObjectError> {
        if self.origin.wrappers >= WRAPPERS_MAX {
            return Err(ObjectError::TooManyWrappers { offset: self.offset(at) });
        }
        Ok(self.origin.wrappers + 1)
    }
}

/// Reads a wrapped text; damage in it costs what is left of it and nothing around it.
fn nested<F>(text: &str, origin: Origin, sink: &mut Sink<'_, F>)
where
    F: FnMut(usize, Result<Record<'_>, RecordError>),
{
    match Document::new(text, origin).read(sink) {
        Ok(_) => {}
        Err(ObjectError::NotCloudTrail { offset }) => sink.error(offset, "a JSON object or array"),
        Err(ObjectError::Broken { offset, expected }) => sink.error(offset, expected),
        Err(ObjectError::TooManyWrappers { offset }) => {
            sink.error(offset, "a record wrapped at most 6 times");
        }
    }
}

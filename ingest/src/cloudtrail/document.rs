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

/// So many bytes tell a literal from damage: `false`. Unit: bytes.
const LITERAL_BYTES_MAX: usize = 5;

/// Reads a whole object; see [`crate::cloudtrail::read`].
pub(super) fn read<F>(text: &str, visit: &mut F) -> Result<Shape, ObjectError>
where
    F: FnMut(usize, Result<Record<'_>, RecordError>),
{
    let mut state = State::new(text.len());
    state.read_part(text, (true, usize::MAX), visit)?;
    Ok(state.shape())
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

/// What became of a damaged value.
enum Past {
    /// It ends there.
    End(usize),
    /// Nothing tells where it ends.
    Unknown,
    /// The text ends before it does.
    Incomplete,
}

/// Where a text lies in the object.
#[derive(Debug, Clone, Copy)]
struct Origin {
    /// Unit: bytes from the object's start.
    base: usize,
    /// Whether the text was unescaped from a string: only the string's place is known then.
    quoted: bool,
    wrappers: u8,
}

/// What holds an array of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// A log file's `Records`.
    Records,
    /// Nothing: the array stands by itself.
    Top,
}

/// What the text goes on with.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// The first value; a byte order mark may stand before it.
    Start,
    /// A value by itself, or the end.
    Top,
    /// The first element of an array, or its end.
    First(Within),
    /// An element of an array.
    Element(Within),
    /// A comma or the closing bracket of an array.
    Mark(Within),
    /// More members of a log file, or its end.
    AfterRecords,
    /// Damage, up to where reading can go on.
    Search(Search),
}

/// How to find the way on after damage.
#[derive(Debug, Clone, Copy)]
struct Search {
    goal: Goal,
    /// Where the damage is in the object. Unit: bytes from the object's start.
    offset: usize,
    expected: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Goal {
    /// The next record of an array.
    Element(Within),
    /// The next line that begins like an object; until there it was a value of this shape.
    Line(Shape),
}

impl Goal {
    fn start(self) -> &'static [u8] {
        match self {
            Self::Element(_) => RECORD_START,
            Self::Line(_) => b"\n{",
        }
    }
}

/// How far the reading of a text has come; all that is kept from one part of it to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    place: Place,
    shape: Shape,
    /// What may still be spent on looking for the end of damaged records, so that hostile input
    /// costs linear time. Unit: bytes.
    search_bytes: usize,
    /// Records so far.
    index: usize,
    /// Where the present part begins. Unit: bytes from the object's start.
    base: usize,
}

impl State {
    /// The start of a text of this length.
    pub(super) fn new(text_bytes: usize) -> Self {
        Self {
            place: Place::Start,
            shape: Shape::Empty,
            search_bytes: text_bytes.saturating_mul(2).saturating_add(RECORD_BYTES_MAX),
            index: 0,
            base: 0,
        }
    }

    /// What the text was, at its end.
    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// The present part's offset in the object. Unit: bytes.
    pub(super) fn base(&self) -> usize {
        self.base
    }

    /// Reads what is complete of a part of a text, all of it if it is the `last`, and returns how
    /// many bytes that was; the next part begins with what is left. A value of more than
    /// `value_bytes_max` is an error, however the text is cut.
    pub(super) fn read_part<F>(
        &mut self,
        part: &str,
        (last, value_bytes_max): (bool, usize),
        visit: &mut F,
    ) -> Result<usize, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let mut sink = Sink { visit, index: self.index };
        let origin = Origin { base: self.base, quoted: false, wrappers: 0 };
        let mut document = Document::new(part, origin, *self, last);
        document.value_bytes_max = value_bytes_max;
        let read = document.run(&mut sink);
        *self = document.state;
        self.index = sink.index;
        // A search can wait inside a character, which is no place to cut a text.
        let used = part.floor_char_boundary(read?);
        self.base += used;
        Ok(used)
    }
}

/// One text that holds records: the object itself, a piece of it, or a part that wraps others.
struct Document<'a> {
    walker: Walker<'a>,
    text: &'a str,
    bytes: &'a [u8],
    origin: Origin,
    state: State,
    /// Whether nothing follows `text`.
    last: bool,
    /// Longest value that is read. Unit: bytes.
    value_bytes_max: usize,
}

impl<'a> Document<'a> {
    fn new(text: &'a str, origin: Origin, state: State, last: bool) -> Self {
        let (walker, bytes, value_bytes_max) = (Walker::new(text), text.as_bytes(), usize::MAX);
        Self { walker, text, bytes, origin, state, last, value_bytes_max }
    }

    fn offset(&self, at: usize) -> usize {
        if self.origin.quoted { self.origin.base } else { self.origin.base + at }
    }

    /// Reads step by step and returns where the first incomplete one begins.
    fn run<F>(&mut self, sink: &mut Sink<'_, F>) -> Result<usize, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let mut at = 0;
        loop {
            if !matches!(self.state.place, Place::Search(_) | Place::Start) {
                at = json::skip_space(self.bytes, at);
                if at >= self.bytes.len() && (!self.last || matches!(self.state.place, Place::Top))
                {
                    return Ok(at);
                }
            }
            let search_bytes = self.state.search_bytes;
            let is_search = matches!(self.state.place, Place::Search(_));
            match self.step(at, sink)? {
                Some(next) if is_search || next.saturating_sub(at) <= self.value_bytes_max => {
                    at = next;
                }
                Some(_) => return Err(ObjectError::TooLong { offset: self.offset(at) }),
                None => {
                    self.state.search_bytes = search_bytes;
                    return Ok(match self.state.place {
                        Place::Search(search) => self.searched(at, search.goal),
                        _ => at,
                    });
                }
            }
        }
    }

    /// Reads what begins at `at` and returns where it ends; `None` if its end is not there yet.
    #[inline]
    fn step<F>(&mut self, at: usize, sink: &mut Sink<'_, F>) -> Result<Option<usize>, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let byte = json::byte(self.bytes, at);
        match self.state.place {
            Place::Element(within) => self.element(at, within, sink),
            Place::Mark(within) => Ok(Some(match byte {
                b',' => self.go(Place::Element(within), at + 1),
                b']' => self.close(within, at + 1),
                _ => {
                    let fault = Fault::new(at, "a comma or the closing bracket of an array");
                    self.search(Goal::Element(within), at, fault)
                }
            })),
            Place::First(within) if byte == b']' => Ok(Some(self.close(within, at + 1))),
            Place::First(within) => Ok(Some(self.go(Place::Element(within), at))),
            Place::Start => Ok(self.start()),
            Place::Top => match byte {
                b'{' => self.top_object(at, sink),
                b'[' => Ok(Some(self.go(Place::First(Within::Top), at + 1))),
                _ if self.state.shape == Shape::Empty => {
                    Err(ObjectError::NotCloudTrail { offset: self.offset(at) })
                }
                _ => {
                    let fault = Fault::new(at, "a JSON object or array");
                    Ok(Some(self.search(Goal::Line(self.state.shape), at, fault)))
                }
            },
            Place::AfterRecords => match self.walker.after_records(at) {
                Ok(Walked::End(end)) => Ok(Some(self.top(Shape::Records, end))),
                Ok(Walked::Records(array)) => {
                    Ok(Some(self.go(Place::First(Within::Records), array + 1)))
                }
                Err(fault) if self.may_mend(fault) => Ok(None),
                Err(Fault { at, expected }) => {
                    Err(ObjectError::Broken { offset: self.offset(at), expected })
                }
            },
            Place::Search(search) => self.find(at, search, sink),
        }
    }

    fn go(&mut self, place: Place, at: usize) -> usize {
        self.state.place = place;
        at
    }

    /// Ends a value that stood by itself.
    fn top(&mut self, shape: Shape, end: usize) -> usize {
        self.state.shape = match self.state.shape {
            Shape::Empty => shape,
            Shape::Record => Shape::Lines,
            first => first,
        };
        self.go(Place::Top, end)
    }

    fn close(&mut self, within: Within, end: usize) -> usize {
        match within {
            Within::Records => self.go(Place::AfterRecords, end),
            Within::Top => self.top(Shape::Array, end),
        }
    }

    fn start(&mut self) -> Option<usize> {
        const MARK: &[u8] = "\u{feff}".as_bytes();
        if self.bytes.len() < MARK.len() && !self.last {
            return None;
        }
        let mark = if self.bytes.starts_with(MARK) { MARK.len() } else { 0 };
        Some(self.go(Place::Top, mark))
    }

    /// Whether a fault may be but the end of a part.
    fn may_mend(&self, fault: Fault) -> bool {
        !self.last && fault.at + LITERAL_BYTES_MAX > self.bytes.len()
    }

    /// Reads an object that stands by itself.
    fn top_object<F>(
        &mut self,
        open: usize,
        sink: &mut Sink<'_, F>,
    ) -> Result<Option<usize>, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        match self.walker.object(open) {
            Ok(Walked::End(end)) => {
                let shape = self.deliver(open, end, sink)?;
                Ok(Some(self.top(shape, end)))
            }
            Ok(Walked::Records(array)) => {
                Ok(Some(self.go(Place::First(Within::Records), array + 1)))
            }
            Err(fault) if self.may_mend(fault) => Ok(None),
            Err(fault) => Ok(match self.past(open, fault) {
                Past::End(end) => {
                    sink.error(self.offset(fault.at), fault.expected);
                    Some(self.top(Shape::Record, end))
                }
                Past::Unknown => Some(self.search(Goal::Line(Shape::Record), open + 1, fault)),
                Past::Incomplete => None,
            }),
        }
    }

    /// Reads one element of an array.
    #[inline]
    fn element<F>(
        &mut self,
        at: usize,
        within: Within,
        sink: &mut Sink<'_, F>,
    ) -> Result<Option<usize>, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let walked = if json::byte(self.bytes, at) == b'{' {
            self.walker.object(at)
        } else {
            Err(Fault::new(at, "a JSON object as a record"))
        };
        let fault = match walked {
            Ok(Walked::End(end)) => {
                self.deliver(at, end, sink)?;
                return Ok(Some(self.go(Place::Mark(within), end)));
            }
            Ok(Walked::Records(array)) => Fault::new(array, "a record, not a log file"),
            Err(fault) => fault,
        };
        Ok(self.damaged(at, within, fault, sink))
    }

    /// Passes the damaged element that begins at `at`.
    #[cold]
    fn damaged<F>(
        &mut self,
        at: usize,
        within: Within,
        fault: Fault,
        sink: &mut Sink<'_, F>,
    ) -> Option<usize>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        if self.may_mend(fault) {
            return None;
        }
        match self.past(at, fault) {
            Past::Incomplete => return None,
            Past::Unknown => {}
            Past::End(end) => {
                let end = json::skip_space(self.bytes, end);
                if end >= self.bytes.len() && !self.last {
                    return None;
                }
                if matches!(json::byte(self.bytes, end), b',' | b']') {
                    sink.error(self.offset(fault.at), fault.expected);
                    return Some(self.go(Place::Mark(within), end));
                }
            }
        }
        Some(self.search(Goal::Element(within), at + 1, fault))
    }

    /// The end of the damaged value that begins at `at`, where its brackets or quotes tell it.
    fn past(&mut self, at: usize, fault: Fault) -> Past {
        let search_bytes = self.state.search_bytes;
        let limit = fault.at.saturating_add(RECORD_BYTES_MAX).min(at.saturating_add(search_bytes));
        let reach = limit.min(self.bytes.len());
        let Some(bytes) = self.bytes.get(..reach) else { return Past::Unknown };
        let end = match json::byte(bytes, at) {
            b'{' | b'[' => json::container_end(bytes, at, Nesting::Counted),
            _ => json::value_end(bytes, at),
        };
        let is_cut = !self.last
            && match end {
                // A number may go on.
                Ok(end) => end >= self.bytes.len(),
                Err(fault) => limit > reach && self.may_mend(fault),
            };
        if is_cut {
            return Past::Incomplete;
        }
        let spent = fault.at.max(end.unwrap_or(reach)).saturating_sub(at);
        self.state.search_bytes = search_bytes.saturating_sub(spent);
        end.map_or(Past::Unknown, Past::End)
    }

    /// Goes on by a search from `from` on.
    #[cold]
    fn search(&mut self, goal: Goal, from: usize, fault: Fault) -> usize {
        let (offset, expected) = (self.offset(fault.at), fault.expected);
        self.go(Place::Search(Search { goal, offset, expected }), from)
    }

    /// Reports the damage if the search ends in this text; without an end all that follows is lost.
    #[cold]
    fn find<F>(
        &mut self,
        from: usize,
        search: Search,
        sink: &mut Sink<'_, F>,
    ) -> Result<Option<usize>, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let Search { goal, offset, expected } = search;
        let is_hopeless = self.state.search_bytes == 0;
        let rest = self.bytes.get(from..).filter(|_| !is_hopeless).unwrap_or_default();
        let Some(found) = memmem::find(rest, goal.start()) else {
            let is_over = self.last || is_hopeless;
            return if is_over { Err(ObjectError::Broken { offset, expected }) } else { Ok(None) };
        };
        sink.error(offset, expected);
        let at = from + found;
        Ok(Some(match goal {
            Goal::Element(within) => self.go(Place::Element(within), at),
            Goal::Line(shape) => self.top(shape, at),
        }))
    }

    /// Where a search from `from` on that found nothing goes on when there is more text.
    fn searched(&self, from: usize, goal: Goal) -> usize {
        (self.bytes.len() + 1).saturating_sub(goal.start().len()).max(from).min(self.bytes.len())
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
    match Document::new(text, origin, State::new(text.len()), true).run(sink) {
        Ok(_) => {}
        Err(ObjectError::NotCloudTrail { offset }) => sink.error(offset, "a JSON object or array"),
        Err(ObjectError::Broken { offset, expected }) => sink.error(offset, expected),
        Err(ObjectError::TooLong { offset }) => sink.error(offset, "a shorter value"),
        Err(ObjectError::TooManyWrappers { offset }) => {
            sink.error(offset, "a record wrapped at most 6 times");
        }
    }
}

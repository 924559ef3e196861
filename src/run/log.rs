//! What the daemon says of itself on standard error: one event a line, JSON unless a person looks. Text from
//! logs is escaped, and what repeats is counted rather than said again.

use crate::clock;
use alerts::escape;
use ingest::time::format_ms;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _, Write as _},
    sync::{Mutex, PoisonError},
};

/// Lines of one event that are written within [`WINDOW_MS`]. Unit: lines.
pub(super) const LINES_MAX: u32 = 20;
/// Unit: milliseconds (1 min).
const WINDOW_MS: i64 = 60_000;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Info,
    /// Something is not as it should be, and goes on.
    Warn,
    /// Something is lost, or will be unless somebody acts.
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Lines of one event in the window that began last.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    from_ms: i64,
    n_lines: u32,
    n_held_back: u64,
}

impl Said {
    /// Whether to write one more at `now_ms`, and how many were held back before it.
    fn admits(&mut self, now_ms: i64) -> Option<u64> {
        let passed = now_ms.saturating_sub(self.from_ms);
        if !(0..WINDOW_MS).contains(&passed) {
            *self = Self { from_ms: now_ms, n_lines: 0, n_held_back: self.n_held_back };
        }
        if self.n_lines >= LINES_MAX {
            self.n_held_back += 1;
            return None;
        }
        self.n_lines += 1;
        Some(std::mem::take(&mut self.n_held_back))
    }
}

/// How a line looks.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// Of the daemon, for programs.
    Json,
    /// Of the daemon, for a person.
    Readable,
    /// Of a command that somebody waits for: as it complains of all else.
    Complaint,
}

/// What went wrong since the beginning, of one event.
#[derive(Debug, Clone)]
struct Trouble {
    level: Level,
    n: u64,
    last_ms: i64,
    /// What was said of it last.
    what: String,
}

/// What was said until now, by event.
#[derive(Debug, Default)]
struct Until {
    said: BTreeMap<&'static str, Said>,
    troubles: BTreeMap<&'static str, Trouble>,
}

/// Writes lines.
#[derive(Debug)]
pub(crate) struct Log {
    form: Form,
    until: Mutex<Until>,
}

impl Log {
    pub(crate) fn new() -> Self {
        let form = if io::stderr().is_terminal() { Form::Readable } else { Form::Json };
        Self { form, until: Mutex::default() }
    }

    /// That of a command which ends.
    pub(crate) fn of_a_command() -> Self {
        Self { form: Form::Complaint, until: Mutex::default() }
    }

    /// Says that `event` happened: `what`, in words, with `fields`.
    pub(crate) fn say(
        &self,
        level: Level,
        event: &'static str,
        what: &str,
        fields: &[(&str, Value)],
    ) {
        let now_ms = clock::now_ms();
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let Until { said, troubles } = &mut *until;
        if level != Level::Info {
            let n = troubles.get(event).map_or(0, |known| known.n) + 1;
            troubles.insert(event, Trouble { level, n, last_ms: now_ms, what: what.to_owned() });
        }
        let Some(n_held_back) = said.entry(event).or_default().admits(now_ms) else { return };
        let line = match self.form {
            Form::Readable => readable((now_ms, level, event), what, n_held_back),
            Form::Json => structured((now_ms, level, event), what, (fields, n_held_back)),
            Form::Complaint => complaint(what, n_held_back),
        };
        // Nobody is left to tell if standard error is gone.
        drop(writeln!(io::stderr(), "{line}"));
    }
}

impl Log {
    /// What went wrong since the beginning, by event: how often, when last, and what was said of it then.
    pub(super) fn troubles(&self) -> Value {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let told = until.troubles.iter().map(|(event, trouble)| {
            let (level, last) = (trouble.level.name(), format_ms(trouble.last_ms));
            let message = &trouble.what;
            json!({"event": event, "level": level, "count": trouble.n, "last": last, "message": message})
        });
        told.collect()
    }
}

fn complaint(what: &str, n_held_back: u64) -> String {
    format!("sentrail: {}{}", escape(what), more(n_held_back))
}

fn more(n_held_back: u64) -> String {
    if n_held_back == 0 { String::new() } else { format!(" ({n_held_back} more)") }
}

fn readable((now_ms, level, event): (i64, Level, &str), what: &str, n_held_back: u64) -> String {
    let more = more(n_held_back);
    let (time, level) = (format_ms(now_ms), level.name());
    format!("{time} {level:<5} {event}: {}{more}", escape(what))
}

fn structured(
    (now_ms, level, event): (i64, Level, &str),
    what: &str,
    (fields, n_held_back): (&[(&str, Value)], u64),
) -> String {
    let head = [
        ("time", json!(format_ms(now_ms))),
        ("level", json!(level.name())),
        ("event", json!(event)),
        ("message", json!(what)),
    ];
    let more = (n_held_back > 0).then(|| ("held_back", json!(n_held_back)));
    let all = head.into_iter().chain(fields.iter().cloned()).chain(more);
    let all: Map<_, _> = all.map(|(name, value)| (name.to_owned(), value)).collect();
    let mut line = Vec::new();
    // Memory takes whatever is written, and strings are UTF-8.
    drop(alerts::write_json(&mut line, &Value::Object(all)));
    String::from_utf8(line).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_is_counted() {
        let mut said = Said::default();
        let at = |n: i64| 1_000_000 + n;
        let n_written = (0..50).filter(|n| said.admits(at(*n)).is_some()).count();
        assert_eq!(n_written, 20);
        assert_eq!(said.admits(at(WINDOW_MS - 1)), None);
        assert_eq!(said.admits(at(WINDOW_MS)), Some(31));
        assert_eq!(said.admits(at(WINDOW_MS + 1)), Some(0));
    }

    #[test]
    fn troubles_are_counted_and_the_last_is_kept() {
        let log = Log::of_a_command();
        for n in 0..30 {
            log.say(Level::Warn, "object-unread", &format!("object {n}"), &[]);
            log.say(Level::Info, "started", "", &[]);
        }
        let troubles = log.troubles();
        assert_eq!(troubles.as_array().unwrap().len(), 1);
        assert_eq!(troubles[0]["event"], "object-unread");
        assert_eq!(troubles[0]["count"], 30);
        assert_eq!(troubles[0]["message"], "object 29");
    }

    #[test]
    fn a_clock_that_is_set_back_silences_nothing() {
        let mut said = Said::default();
        assert!((0..50).filter(|_| said.admits(5_000_000).is_some()).count() == 20);
        assert!(said.admits(1_000_000).is_some());
    }

    #[test]
    fn a_line_is_one_json_object_whatever_is_in_it() {
        let hostile = "a\u{1b}[31m\n\"b\u{202e}";
        let fields = [("object", json!(hostile))];
        let line = structured((0, Level::Warn, "object-unread"), hostile, (&fields, 3));
        assert!(!line.contains(['\n', '\u{1b}', '\u{202e}']), "{line}");
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["level"], "warn");
        assert_eq!(read["time"], "1970-01-01T00:00:00Z");
        assert_eq!(read["held_back"], 3);
    }
}

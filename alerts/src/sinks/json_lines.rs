//! # A file of JSON Lines
//!
//! Each finding is a line, the same that `replay --format jsonl` writes.
//!
//! ## Writes
//!
//! At the end of the file, which is opened anew for each batch: who moves it away finds the next lines in a new
//! one. A batch is on the disk before it counts as delivered.
//!
//! ## Tells anew
//!
//! An `id` that stands in an earlier line, with a higher severity, is a finding that grew; with the same it is
//! one that was written and not noted before a crash.
//!
//! ## Fails when
//!
//! The file cannot be opened or written: its lines are tried again, and what was written of them is taken back.
//! A line that a crash cut short is ended, and stands there whole further down.

use super::{Message, Outcome};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

/// What such a file has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The file.
    pub path: PathBuf,
}

/// Appends findings to a file.
#[derive(Debug, Clone)]
pub struct JsonLines(Settings);

impl JsonLines {
    /// One that has written nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self(settings)
    }

    /// Writes messages in their order: all of them, or none.
    pub fn write(&self, messages: &[Message]) -> Outcome {
        match append(&self.0.path, messages) {
            Ok(()) => Outcome::Delivered,
            // The user's own path is no secret, and stands before the message.
            Err(error) => Outcome::Retry { error: error.to_string(), after_ms: None },
        }
    }
}

fn append(path: &Path, messages: &[Message]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    let found = file.metadata()?;
    let is_cut = found.is_file() && is_cut(path, found.len())?;
    let mut lines = String::from(if is_cut { "\n" } else { "" });
    for message in messages {
        lines.push_str(&message.body);
        lines.push('\n');
    }
    if !found.is_file() {
        // A terminal or a pipe keeps nothing.
        return file.write_all(lines.as_bytes()).and_then(|()| file.flush());
    }
    let written = file.write_all(lines.as_bytes()).and_then(|()| file.sync_data());
    if written.is_err() {
        drop(file.set_len(found.len()));
    } else if found.len() == 0 {
        // The name of a new file is kept by its folder.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    written
}

/// Whether the last line has no end.
fn is_cut(path: &Path, bytes: u64) -> io::Result<bool> {
    if bytes == 0 {
        return Ok(false);
    }
    let mut last = [0];
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(bytes - 1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Format, Style, Writer, sample,
        sinks::{Occasion, To},
    };
    use detect::Finding;
    use std::fs;

    fn sink(path: &Path) -> (To, JsonLines) {
        let settings = Settings { path: path.to_owned() };
        (To::JsonLines(settings.clone()), JsonLines::new(settings))
    }

    fn message(to: &To, finding: &Finding) -> Message {
        let body = to.body(Occasion::NEW, (finding, &sample::inputs()), 0);
        let Finding { id, severity, .. } = *finding;
        Message {
            id: format!("msg_{id}"),
            finding: id,
            severity,
            body,
            attempts: 0,
            created_ms: None,
            n_findings: 1,
        }
    }

    #[test]
    fn a_line_is_what_replay_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("findings.jsonl");
        let (to, file) = sink(&path);
        let findings = [sample::finding("s3-mass-reencryption"), sample::hostile(), sample::flow()];
        let mut writer =
            Writer::new(Format::JsonLines, Vec::new(), Style { colour: false, width: 80 });
        for finding in &findings {
            writer.finding(finding, &sample::inputs()).unwrap();
        }
        let expected = String::from_utf8(writer.finish().unwrap()).unwrap();
        let all = findings.map(|finding| message(&to, &finding));
        assert_eq!(file.write(&all[..2]), Outcome::Delivered);
        assert_eq!(file.write(&all[2..]), Outcome::Delivered);
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        // Moved away, it begins anew.
        fs::rename(&path, folder.path().join("findings.jsonl.1")).unwrap();
        assert_eq!(file.write(&all[2..]), Outcome::Delivered);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            expected.lines().last().unwrap().to_owned() + "\n"
        );
    }

    #[test]
    fn a_line_that_was_cut_short_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("findings.jsonl");
        fs::write(&path, "{\"id\":\"0a").unwrap();
        let (to, file) = sink(&path);
        let one = message(&to, &sample::flow());
        assert_eq!(file.write(std::slice::from_ref(&one)), Outcome::Delivered);
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{{\"id\":\"0a\n{}\n", one.body));
    }

    #[test]
    fn what_cannot_be_written_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let (to, missing) = sink(&folder.path().join("none/findings.jsonl"));
        let one = message(&to, &sample::flow());
        let Outcome::Retry { error, after_ms: None } = missing.write(std::slice::from_ref(&one))
        else {
            panic!("it was written")
        };
        assert!(error.starts_with("No such file"), "{error}");
        // Always full.
        let (_, full) = sink(Path::new("/dev/full"));
        let Outcome::Retry { error, .. } = full.write(&[one]) else { panic!("it was written") };
        assert!(error.starts_with("No space left"), "{error}");
    }
}

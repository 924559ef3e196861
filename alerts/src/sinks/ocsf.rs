//! # OCSF
//!
//! Findings are Detection Findings of OCSF 1.8, which queries of Athena and lakes read from a folder or a bucket.
//!
//! ## Writes
//!
//! Objects of JSON Lines, gzip'd, each of a region, an account and a UTC day: `region=us-west-2/accountId=111122223333/
//! eventDay=20260312/NAME.json.gz`, lines in the order of their times. What a batch holds of a partition is one object, whose
//! name is made of the ids of the messages in it: what is written twice is the same object. A file has another name
//! until it is whole and on the disk, an object of S3 is there whole or not at all.
//!
//! ## Tells anew
//!
//! A finding that has become more severe is written again, with `activity_id` 2: the last `severity_id` of a
//! `finding_info.uid` holds.
//!
//! ## Fails when
//!
//! The folder cannot be written, or S3 does not take an object: what stands in it is sent again, and so is what
//! would have been written behind it.

use super::{
    Message, Outcome,
    service::{
        Access,
        answer::{again, said},
    },
};
use baseline::{Day, stable_hash};
use flate2::{Compression, write::GzEncoder};
use ingest::source::{
    s3::Buckets,
    session::{AccessError, Session},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Findings in a batch, and so many may be on the way. Unit: findings.
pub const FINDINGS_MAX: usize = 500;
/// S3 takes keys of 1,024 bytes; what stands behind the prefix has 150 at most. Unit: bytes.
pub const PREFIX_BYTES_MAX: usize = 800;
/// Stands for a region or an account that is none.
const UNKNOWN: &str = "unknown";
/// A longer text is no region. Unit: characters.
const REGION_CHARS_MAX: usize = super::REGION_CHARS_MAX;
/// Digits of the number of an account.
const ACCOUNT_CHARS: usize = 12;

/// Where objects are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// Below a prefix of a bucket.
    Bucket {
        /// Its name.
        bucket: String,
        /// Without `/` at its ends; may be empty.
        prefix: String,
    },
}

/// Why a text is no bucket with a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a folder, or a bucket and a prefix, such as \"s3://findings/sentrail\"")]
pub struct NoPlace;

impl Place {
    /// The bucket and prefix of `s3://BUCKET/PREFIX`; `None`: it is a folder.
    pub fn of_bucket(text: &str) -> Option<Result<Self, NoPlace>> {
        let (bucket, prefix) = {
            let rest = text.strip_prefix("s3://")?;
            rest.split_once('/').unwrap_or((rest, ""))
        };
        let prefix = prefix.trim_matches('/');
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        let is_bucket = (3..=63).contains(&bucket.len()) && bucket.chars().all(fits);
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html#object-key-guidelines-safe-characters
        let fits = |c: char| c.is_ascii_alphanumeric() || "/!-_.*'()=".contains(c);
        let is_prefix = prefix.len() <= PREFIX_BYTES_MAX && prefix.chars().all(fits);
        let (bucket, prefix) = (bucket.to_owned(), prefix.to_owned());
        Some(if is_bucket && is_prefix {
            Ok(Self::Bucket { bucket, prefix })
        } else {
            Err(NoPlace)
        })
    }
}

/// What such a sink has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How AWS is reached, for a bucket.
    pub access: Access,
    /// Where to write.
    pub to: Place,
}

/// Writes findings to a folder or a bucket.
#[derive(Debug)]
pub struct Ocsf(Writer);

#[derive(Debug)]
enum Writer {
    Folder(PathBuf),
    Bucket { buckets: Buckets, bucket: String, prefix: String },
}

/// What is written at once.
#[derive(Debug)]
struct Object {
    /// Below the folder or the prefix.
    name: String,
    bytes: Vec<u8>,
}

impl Ocsf {
    /// Finds region and credentials, where they are needed; whether they are good, the first object tells.
    pub(super) async fn reach(Settings { access, to }: Settings) -> Result<Self, AccessError> {
        Ok(match to {
            Place::Folder(folder) => Self(Writer::Folder(folder)),
            Place::Bucket { bucket, prefix } => {
                Self::within(&Session::begin(&access).await?, (bucket, prefix))
            }
        })
    }

    fn within(session: &Session, (bucket, prefix): (String, String)) -> Self {
        Self(Writer::Bucket { buckets: Buckets::new(session), bucket, prefix })
    }

    /// As [`super::Caller::send`].
    pub(super) async fn send(&mut self, messages: Vec<Message>) -> Vec<(Message, Outcome)> {
        let mut done = Vec::with_capacity(messages.len());
        let mut failed = None;
        for (partition, messages) in by_partition(messages) {
            // What comes behind one that failed would meet the same.
            let outcome = match &failed {
                Some(outcome) => Outcome::clone(outcome),
                None => self.write(object(&partition, &messages)).await,
            };
            if outcome != Outcome::Delivered {
                failed = Some(outcome.clone());
            }
            done.extend(messages.into_iter().map(|one| (one, outcome.clone())));
        }
        done
    }

    async fn write(&self, object: io::Result<Object>) -> Outcome {
        let written = match (object, &self.0) {
            (Err(error), _) => Err(error.to_string()),
            (Ok(object), Writer::Folder(folder)) => {
                let folder = folder.clone();
                let written = tokio::task::spawn_blocking(move || keep(&folder, &object)).await;
                // The user's own path is no secret, and stands before the message.
                written.map_err(io::Error::other).flatten().map_err(|error| error.to_string())
            }
            (Ok(Object { name, bytes }), Writer::Bucket { buckets, bucket, prefix }) => {
                let key = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
                buckets.put((bucket, &key), bytes).await.map_err(|error| said(&error.to_string()))
            }
        };
        written.map_or_else(again, |()| Outcome::Delivered)
    }
}

/// Messages by the folder that they belong into, in the order of their times.
fn by_partition(messages: Vec<Message>) -> BTreeMap<String, Vec<Message>> {
    let mut all: BTreeMap<String, Vec<(i64, Message)>> = BTreeMap::new();
    for message in messages {
        let (partition, time_ms) = partition(&message.body);
        all.entry(partition).or_default().push((time_ms, message));
    }
    let sorted = |(partition, mut some): (String, Vec<(i64, Message)>)| {
        some.sort_by(|(a_ms, a), (b_ms, b)| (a_ms, &a.id).cmp(&(b_ms, &b.id)));
        (partition, some.into_iter().map(|(_, message)| message).collect())
    };
    all.into_iter().map(sorted).collect()
}

/// The folder that a line belongs into, and its time. Unit: milliseconds since the Unix epoch.
fn partition(line: &str) -> (String, i64) {
    let line: Value = serde_json::from_str(line).unwrap_or_default();
    let word = |pointer| line.pointer(pointer).and_then(Value::as_str);
    let is_region = |text: &&str| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (1..=REGION_CHARS_MAX).contains(&text.len()) && text.chars().all(fits)
    };
    let is_account =
        |text: &&str| text.len() == ACCOUNT_CHARS && text.bytes().all(|b| b.is_ascii_digit());
    let region = word("/cloud/region").filter(is_region).unwrap_or(UNKNOWN);
    let account = word("/cloud/account/uid").filter(is_account).unwrap_or(UNKNOWN);
    let time_ms = line.get("time").and_then(Value::as_i64).unwrap_or_default();
    let day = Day::of(time_ms).to_string().replace('-', "");
    (format!("region={region}/accountId={account}/eventDay={day}"), time_ms)
}

/// What messages of a partition are: the same messages are the same name and the same bytes.
fn object(partition: &str, messages: &[Message]) -> io::Result<Object> {
    let mut ids: Vec<_> = messages.iter().map(|message| message.id.as_bytes()).collect();
    ids.sort_unstable();
    let name = format!("{partition}/sentrail-{:032x}.json.gz", stable_hash(&ids));
    // Without a time in its head, so that it is the same whenever it is made.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    for message in messages {
        gzip.write_all(message.body.as_bytes())?;
        gzip.write_all(b"\n")?;
    }
    Ok(Object { name, bytes: gzip.finish()? })
}

/// Writes a file that is there whole or not at all.
fn keep(folder: &Path, Object { name, bytes }: &Object) -> io::Result<()> {
    let path = folder.join(name);
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent)?;
    // Hidden, which readers of lakes leave out.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = parent.join(format!(".{name}.unfinished"));
    let written = File::create(&unfinished).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)
    });
    if written.is_err() {
        drop(fs::remove_file(&unfinished));
        return written;
    }
    // Names of files, and of folders that may be new, are kept by the folders they stand in.
    let folders = parent.ancestors().take_while(|one| one.starts_with(folder));
    folders.into_iter().try_for_each(|one| File::open(one)?.sync_all())
}

#[cfg(test)]
pub(super) mod tests;

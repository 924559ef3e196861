//! Objects in buckets. In: a bucket and a key, or a prefix to list; bytes to write. Out: the stored bytes, whole or
//! not at all; a listing as of a folder. It inflates nothing, keeps nothing, and prints nothing.

pub(crate) mod error;
pub(crate) mod folders;
pub(crate) mod listing;
pub(crate) mod own;

use std::time::Instant;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::RequestPayer;

use super::session::Session;
use super::{Filter, KeyInfo, Object, Place, Skip, files};
use crate::time::Stretch;

pub use error::{S3Error, WriteError};
pub use listing::ListError;
pub use own::{OWN_OBJECTS_MAX, On, Unwritten};

/// Largest object read, as stored: it is held whole. AWS closes files of flow logs at 75 MB, those of
/// CloudTrail below that. Unit: bytes.
pub const OBJECT_BYTES_MAX: u64 = 256 << 20;

/// Times the rest of a body that was cut off is asked for. Unit: requests.
pub(crate) const RESUMES_MAX: usize = 4;

/// An object in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Object {
    /// Bucket name.
    pub bucket: Box<str>,
    /// Key, decoded.
    pub key: Box<str>,
    /// Version, in a bucket that keeps versions. `None`: the current one.
    pub version_id: Option<Box<str>>,
    /// Entity tag without quotes that it must have when it is read. `None`: whatever is there.
    pub etag: Option<Box<str>>,
}

impl std::fmt::Display for S3Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl S3Object {
    /// The object as listings have it.
    pub(crate) fn object(self, size_bytes: u64) -> Object {
        let info = KeyInfo::of(&self.key);
        let key = info.aws_logs_at.and_then(|at| self.key.get(at..)).unwrap_or(&self.key);
        let key = key.to_owned();
        Object::new(Place::S3(Box::new(self)), &key, size_bytes, None)
    }
}

/// An object as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The bytes as they are stored, compressed or not.
    pub bytes: Vec<u8>,
    /// Entity tag, without quotes.
    pub etag: Option<Box<str>>,
    /// When it was got.
    pub got: Stretch,
}

/// Reads and writes buckets. Clones share connections.
#[derive(Debug, Clone)]
pub struct Buckets {
    client: Client,
    payer: Option<RequestPayer>,
}

impl Buckets {
    /// Reads and writes by this session.
    pub fn new(session: &Session) -> Self {
        let config = aws_sdk_s3::config::Builder::from(&session.sdk)
            .force_path_style(session.path_style)
            .build();
        let payer = session.requester_pays.then_some(RequestPayer::Requester);
        Self { client: Client::from_conf(config), payer }
    }

    /// The bytes of an object of at most so many, at most [`OBJECT_BYTES_MAX`].
    ///
    /// A body that ends too early is asked for from there on, of the same entity tag, so that the
    /// bytes are those of one object however often the connection fails.
    pub async fn get(&self, object: &S3Object, bytes_max: u64) -> Result<Fetched, S3Error> {
        let (limit, began) = (bytes_max.min(OBJECT_BYTES_MAX), Instant::now());
        let mut etag = object.etag.clone();
        let mut bytes = Vec::new();
        let mut resumes = 0;
        loop {
            let mut answer = self.ask(object, etag.as_deref(), bytes.len()).await?;
            // A server that does not know ranges begins anew.
            if answer.content_range.is_none() {
                bytes.clear();
            }
            let total = total_bytes(object, &answer, bytes.len())?;
            if total > limit {
                return Err(S3Error::TooLarge { at: object.to_string(), bytes: total, limit });
            }
            etag = answer.e_tag.take().map(|tag| unquoted(&tag)).or(etag);
            let cut = match read(answer.body, &mut bytes, total).await {
                Ok(()) => return Ok(Fetched { bytes, etag, got: Stretch::since(began) }),
                Err(cut) => cut,
            };
            if resumes == RESUMES_MAX {
                let read = bytes.len();
                let reason =
                    format!("{cut} at byte {read} of {total}, {RESUMES_MAX} times resumed");
                return Err(S3Error::Unavailable { at: object.to_string(), reason });
            }
            resumes += 1;
        }
    }

    /// Writes an object, which is there whole or not at all; one of the same key is replaced.
    pub async fn put(&self, (bucket, key): (&str, &str), bytes: Vec<u8>) -> Result<(), WriteError> {
        let request = self
            .client
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_type("application/gzip")
            .set_request_payer(self.payer.clone())
            .body(ByteStream::from(bytes));
        let sent = request.send().await;
        let at = || format!("s3://{bucket}/{key}");
        sent.map(drop).map_err(|error| error::of_writing(at(), &error))
    }

    /// Asks for the object from this byte on.
    async fn ask(
        &self,
        object: &S3Object,
        etag: Option<&str>,
        from: usize,
    ) -> Result<GetObjectOutput, S3Error> {
        let mut request = self
            .client
            .get_object()
            .bucket(&*object.bucket)
            .key(&*object.key)
            .set_version_id(object.version_id.as_deref().map(str::to_owned))
            .set_request_payer(self.payer.clone())
            .set_if_match(etag.map(|etag| format!("\"{etag}\"")));
        if from > 0 {
            request = request.range(format!("bytes={from}-"));
        }
        request.send().await.map_err(|error| error::told(object.to_string(), &error))
    }
}

/// Size of the whole object by an answer that begins behind so many bytes.
fn total_bytes(object: &S3Object, answer: &GetObjectOutput, from: usize) -> Result<u64, S3Error> {
    let length = answer.content_length.and_then(|length| u64::try_from(length).ok());
    let Some(length) = length else {
        let reason = "the answer has no length (expected a Content-Length)".to_owned();
        return Err(S3Error::Other { at: object.to_string(), reason });
    };
    let expected = format!("bytes {from}-");
    match &answer.content_range {
        Some(range) if !range.starts_with(&expected) => {
            let reason = format!("the answer has {range:?} (expected \"{expected}...\")");
            Err(S3Error::Other { at: object.to_string(), reason })
        }
        _ => Ok(length.saturating_add(from as u64)),
    }
}

/// Reads a body behind what is there already, up to so many bytes in all; says why it ended early.
async fn read(mut body: ByteStream, bytes: &mut Vec<u8>, total: u64) -> Result<(), &'static str> {
    let total = usize::try_from(total).map_err(|_| "more bytes than fit into memory")?;
    bytes.reserve_exact(total.saturating_sub(bytes.len()));
    while let Some(chunk) = body.try_next().await.map_err(|_| "the connection broke")? {
        if bytes.len() + chunk.len() > total {
            return Err("more bytes came than were announced");
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.len() < total { Err("the body ended") } else { Ok(()) }
}

/// An entity tag without its quotes.
pub(crate) fn unquoted(etag: &str) -> Box<str> {
    Box::from(etag.trim_matches('"'))
}

/// Why an object of a bucket is not read, if it is not: as in a folder, by what its name says. In: its key
/// below the folder that was asked for.
pub(crate) fn unwanted(
    below: &str,
    info: &KeyInfo<'_>,
    size_bytes: Option<u64>,
    filter: &Filter,
) -> Option<Skip> {
    if let Some(skip) = files::unwanted(info, filter) {
        return Some(skip);
    }
    if below.split('/').any(|part| part.starts_with('.')) {
        return Some(Skip::Hidden);
    }
    if !files::is_log_name(below.rsplit('/').next().map(std::ffi::OsStr::new)) {
        return Some(Skip::NotALog);
    }
    (size_bytes == Some(0)).then_some(Skip::Empty)
}

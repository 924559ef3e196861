//! Objects of our own in a bucket: written on conditions, listed plainly, removed. In: keys. Out: what S3 said.

use aws_sdk_s3::primitives::ByteStream;

use super::error::of_writing;
use super::{Buckets, S3Error, WriteError, error, unquoted};

/// Objects of our own in one folder; more are refused. Unit: objects.
pub const OWN_OBJECTS_MAX: usize = 1_000_000;

/// On what an object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On<'a> {
    /// Whatever is there.
    Anything,
    /// Nothing of that key is there.
    Nothing,
    /// What is there has this entity tag, without quotes.
    Version(&'a str),
}

/// Why an object of our own was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unwritten {
    /// The condition does not hold: somebody else was there, or an earlier attempt of ours whose answer was lost.
    #[error("{0} is another one than was expected")]
    Taken(String),
    /// All else.
    #[error(transparent)]
    Failed(#[from] WriteError),
}

impl Buckets {
    /// Writes an object whole, or not at all; answers its entity tag, without quotes.
    pub async fn put_on(
        &self,
        on: On<'_>,
        (bucket, key): (&str, &str),
        bytes: Vec<u8>,
    ) -> Result<Box<str>, Unwritten> {
        let at = || format!("s3://{bucket}/{key}");
        let mut request = self
            .client
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_type("application/octet-stream")
            .set_request_payer(self.payer.clone())
            .body(ByteStream::from(bytes));
        match on {
            On::Anything => {}
            On::Nothing => request = request.if_none_match("*"),
            On::Version(etag) => request = request.if_match(format!("\"{etag}\"")),
        }
        match request.send().await {
            Ok(answer) => Ok(unquoted(answer.e_tag().unwrap_or_default())),
            Err(error) => {
                // 409: another conditional write of the key was under way. 404: what was to be replaced is gone.
                let status = error.raw_response().map(|answer| answer.status().as_u16());
                let is_gone = matches!(on, On::Version(_)) && status == Some(404);
                if is_gone || matches!(status, Some(409 | 412)) {
                    return Err(Unwritten::Taken(at()));
                }
                Err(of_writing(at(), &error).into())
            }
        }
    }

    /// Keys that begin so, in their order.
    pub async fn keys(&self, bucket: &str, prefix: &str) -> Result<Vec<String>, S3Error> {
        let at = || format!("s3://{bucket}/{prefix}");
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(bucket)
            .prefix(prefix)
            .set_request_payer(self.payer.clone())
            .into_paginator()
            .send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| error::told(at(), &error))?;
            keys.extend(page.contents().iter().filter_map(|one| one.key().map(str::to_owned)));
            if keys.len() > OWN_OBJECTS_MAX {
                let reason = format!("more than {OWN_OBJECTS_MAX} objects");
                return Err(S3Error::Other { at: at(), reason });
            }
        }
        Ok(keys)
    }

    /// Removes an object; one that is not there is no error.
    pub async fn remove(&self, bucket: &str, key: &str) -> Result<(), S3Error> {
        let request = self.client.delete_object().bucket(bucket).key(key);
        let sent = request.set_request_payer(self.payer.clone()).send().await;
        sent.map(drop).map_err(|error| error::told(format!("s3://{bucket}/{key}"), &error))
    }
}

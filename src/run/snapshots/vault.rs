//! Where snapshots lie: a folder of a bucket. In: names below it. Out: what is there, or what S3 said.

use crate::aws::BucketPath;
use alerts::{MANIFEST_BYTES_MAX, SnapshotId};
use anyhow::{Context as _, Result};
use ingest::source::{
    s3::{Buckets, On, S3Error, S3Object, Unwritten},
    session::{Access, Session},
};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use tokio::runtime::Runtime;

/// Folder of the manifests.
const SNAPSHOTS: &str = "snapshots/";
/// Folder of the pieces.
pub(super) const PIECES: &str = "pieces/";
/// Objects that are read, written or removed at a time: at 50 ms each, 320 MB/s of pieces. Unit: objects.
pub(crate) const AT_ONCE_MAX: usize = 16;

/// A folder of a bucket. Clones share connections.
#[derive(Debug, Clone)]
pub(crate) struct Vault {
    /// Held, so that it does not end before whoever still works with the bucket.
    runtime: Arc<Runtime>,
    buckets: Buckets,
    at: BucketPath,
}

/// An object with its entity tag.
pub(super) type Found = (Vec<u8>, Box<str>);

impl Vault {
    /// The bucket is this account's own: a role that reads logs has nothing to do with it.
    pub(crate) fn reach(runtime: &Arc<Runtime>, access: Access, at: BucketPath) -> Result<Self> {
        let access = Access { role: None, ..access };
        let session = runtime.block_on(Session::begin(&access)).context("cannot reach AWS")?;
        let prefix = at.prefix.trim_end_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let at = BucketPath { prefix, ..at };
        Ok(Self { runtime: Arc::clone(runtime), buckets: Buckets::new(&session), at })
    }

    /// Waits for what it answers.
    pub(super) fn wait<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }

    /// What waits for it.
    pub(super) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.at.prefix)
    }

    /// An object as people name it.
    pub(super) fn url(&self, name: &str) -> String {
        format!("s3://{}/{}", self.at.bucket, self.key(name))
    }

    /// An object of at most so many bytes; `None` if it is not there.
    pub(super) async fn get(&self, name: &str, bytes_max: usize) -> Result<Option<Found>, S3Error> {
        let object = S3Object {
            bucket: self.at.bucket.as_str().into(),
            key: self.key(name).into(),
            version_id: None,
            etag: None,
        };
        match self.buckets.get(&object, bytes_max as u64).await {
            Ok(fetched) => Ok(Some((fetched.bytes, fetched.etag.unwrap_or_default()))),
            // Of a bucket that is not there nothing is known.
            Err(S3Error::Gone { code, .. }) if code != "NoSuchBucket" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes an object; answers its entity tag.
    pub(super) async fn put(
        &self,
        on: On<'_>,
        name: &str,
        bytes: Vec<u8>,
    ) -> Result<Box<str>, Unwritten> {
        self.buckets.put_on(on, (&self.at.bucket, &self.key(name)), bytes).await
    }

    pub(super) fn remove(&self, name: &str) -> Result<(), S3Error> {
        self.wait(self.buckets.remove(&self.at.bucket, &self.key(name)))
    }

    /// Names of the objects in a folder of it.
    pub(super) fn names(&self, folder: &str) -> Result<Vec<String>, S3Error> {
        let prefix = self.key(folder);
        let keys = self.wait(self.buckets.keys(&self.at.bucket, &prefix))?;
        let name = |key: &String| key.strip_prefix(&prefix).map(str::to_owned);
        Ok(keys.iter().filter_map(name).collect())
    }

    /// The snapshots that were finished, the oldest first.
    pub(super) fn snapshots(&self) -> Result<Vec<SnapshotId>, S3Error> {
        let names = self.names(SNAPSHOTS)?;
        let mut ids: Vec<_> = names.iter().filter_map(|name| SnapshotId::parse(name)).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The bytes of a manifest; `None` if it is not there.
    pub(super) fn manifest(&self, id: SnapshotId) -> Result<Option<Vec<u8>>, S3Error> {
        let found = self.wait(self.get(&name_of(id), MANIFEST_BYTES_MAX))?;
        Ok(found.map(|(bytes, _)| bytes))
    }
}

/// Where the manifest of a snapshot lies.
pub(super) fn name_of(id: SnapshotId) -> String {
    format!("{SNAPSHOTS}{id}")
}

/// Does work on numbers from 0 up to before `n`, some at a time; after an error no more is begun.
pub(super) fn in_parallel<E: Send>(
    n: usize,
    work: impl Fn(usize) -> Result<(), E> + Sync,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let one = || -> Result<(), E> {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= n {
                return Ok(());
            }
            if let Err(error) = work(at) {
                next.store(n, Ordering::Relaxed);
                return Err(error);
            }
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE_MAX.min(n)).map(|_| scope.spawn(one)).collect();
        let done = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        done.collect::<Vec<_>>().into_iter().collect()
    })
}

//! AWS at hand: buckets that are listed and read. In: `s3://` names and how AWS is reached. Out: listings, and
//! the bytes of objects, fetched while others are worked on.

pub(crate) mod fetches;
pub(crate) mod permissions;
pub(crate) mod secrets;

use crate::{
    pipeline::{Got, Unit, Work},
    steps::Steps,
};
use anyhow::{Context as _, Result};
use fetches::{FETCHES_MIN, Fetches};
use ingest::source::{
    Filter, Listing, Place,
    s3::{Buckets, Fetched, ListError, OBJECT_BYTES_MAX, S3Object},
    session::{Access, Session},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::Semaphore,
    task::JoinHandle,
};

/// Threads that wait for the network. Unit: threads.
const WAITING_THREADS: usize = 1;

/// A bucket, or what lies below a folder of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BucketPath {
    pub(crate) bucket: String,
    pub(crate) prefix: String,
}

impl BucketPath {
    /// Reads `s3://BUCKET/PREFIX`; `None` for what does not begin so.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (bucket, prefix) = match text.strip_prefix("s3://")?.split_once('/') {
            Some((bucket, prefix)) => (bucket, prefix),
            None => (text.strip_prefix("s3://")?, ""),
        };
        Some(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

impl std::fmt::Display for BucketPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// What waits for signals, sockets and the time.
pub(crate) fn runtime() -> Result<Arc<Runtime>> {
    let runtime = Builder::new_multi_thread().worker_threads(WAITING_THREADS).enable_all().build();
    Ok(Arc::new(runtime.context("cannot start the threads that wait")?))
}

/// Buckets, and what waits for their answers.
#[derive(Debug, Clone)]
pub(crate) struct Aws {
    runtime: Arc<Runtime>,
    pub(crate) session: Session,
    pub(crate) buckets: Buckets,
    permits: Arc<Permits>,
}

/// To fetch so many objects at a time.
#[derive(Debug)]
struct Permits {
    permits: Semaphore,
    fetches: Mutex<Fetches>,
}

impl Permits {
    /// The engine waits for an object.
    fn wait(&self) {
        self.permits.add_permits(self.fetches().more());
    }

    /// It waited for none of a batch.
    fn idle(&self) {
        let mut fetches = self.fetches();
        let n_fewer = self.permits.forget_permits(fetches.fewer());
        fetches.less(n_fewer);
    }

    fn fetches(&self) -> MutexGuard<'_, Fetches> {
        self.fetches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Aws {
    /// Finds region and credentials. Whether they are good, the first call tells.
    pub(crate) fn reach(runtime: Arc<Runtime>, access: &Access) -> Result<Self> {
        let begin = |access: &Access| runtime.block_on(Session::begin(access));
        let reader = begin(access).context("cannot reach AWS")?;
        // A role is for the logs; queues are this account's own.
        let session =
            begin(&Access { role: None, ..access.clone() }).context("cannot reach AWS")?;
        let buckets = Buckets::new(&reader);
        let (permits, fetches) = (Semaphore::new(FETCHES_MIN), Mutex::default());
        let permits = Arc::new(Permits { permits, fetches });
        Ok(Self { runtime, session, buckets, permits })
    }

    /// What waits.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// What lies there and is asked for.
    pub(crate) fn list(&self, at: &BucketPath, filter: &Filter) -> Result<Listing, ListError> {
        self.runtime.block_on(self.buckets.list(&at.bucket, &at.prefix, filter))
    }

    fn fetch(&self, object: &S3Object) -> Fetch {
        let (buckets, permits) = (self.buckets.clone(), Arc::clone(&self.permits));
        let object = object.clone();
        self.runtime.spawn(async move {
            let _permit = permits.permits.acquire().await;
            let fetched = buckets.get(&object, OBJECT_BYTES_MAX).await;
            let of_bucket = |Fetched { bytes, got, .. }| Got {
                bytes,
                steps: Steps { got: Some(got), ..Steps::default() },
            };
            fetched.map(of_bucket).map_err(|error| error.to_string())
        })
    }

    /// The bytes of an object.
    pub(crate) fn get(&self, object: &S3Object) -> Result<Vec<u8>> {
        let got = self.runtime.block_on(self.buckets.get(object, OBJECT_BYTES_MAX));
        Ok(got?.bytes)
    }

    /// Begins to fetch what of a batch lies in buckets.
    pub(crate) fn begin<'a>(&self, batch: Vec<Unit<'a>>) -> Fetching<'a> {
        let fetches = batch.iter().map(|unit| match (&unit.object.place, &unit.work) {
            (Place::S3(object), Work::Object) => Some(self.fetch(object)),
            _ => None,
        });
        let fetches = fetches.collect();
        let permits = Arc::clone(&self.permits);
        Fetching { runtime: self.runtime.handle().clone(), batch, fetches, permits }
    }
}

/// The bytes of an object, or why they cannot be had.
type Fetch = JoinHandle<Result<Got, String>>;

/// A batch of which objects are on the way.
pub(crate) struct Fetching<'a> {
    runtime: Handle,
    batch: Vec<Unit<'a>>,
    fetches: Vec<Option<Fetch>>,
    permits: Arc<Permits>,
}

impl<'a> Fetching<'a> {
    /// Waits until all that can be had is there.
    pub(crate) fn finish(self) -> Vec<Unit<'a>> {
        let Self { runtime, mut batch, fetches, permits } = self;
        let mut is_all_there = fetches.iter().any(Option::is_some);
        for (unit, fetch) in batch.iter_mut().zip(fetches) {
            let Some(fetch) = fetch else { continue };
            if !fetch.is_finished() {
                is_all_there = false;
                permits.wait();
            }
            let fetched = runtime.block_on(fetch);
            unit.work = Work::Fetched(fetched.unwrap_or_else(|error| Err(error.to_string())));
        }
        if is_all_there {
            permits.idle();
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_named_as_the_tools_of_aws_name_it() {
        let path = |bucket: &str, prefix: &str| {
            Some(BucketPath { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
        };
        assert_eq!(BucketPath::parse("s3://logs"), path("logs", ""));
        assert_eq!(BucketPath::parse("s3://logs/AWSLogs/"), path("logs", "AWSLogs/"));
        assert_eq!(BucketPath::parse("logs/AWSLogs"), None);
    }
}

//! Lists a bucket. In: a prefix and a filter. Out: the listing that a folder with the same files
//! would give, of only those folders that the filter can match.

use std::panic::resume_unwind;

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::EncodingType;
use tokio::task::JoinSet;

use super::folders::{self, DEPTH_MAX, Level, SIBLINGS_MAX, Span};
use super::{Buckets, S3Error, S3Object, error, unquoted, unwanted};
use crate::notification::decode_key;
use crate::source::{FILES_MAX, Filter, Listing, Object, Skips, SourceError, files};

/// Listings of one bucket under way at once. Unit: requests.
pub(crate) const LISTINGS_MAX: usize = 16;

/// Why a bucket could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// A filter that nothing can pass, or more objects than a listing holds.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What S3 said.
    #[error(transparent)]
    S3(#[from] S3Error),
    /// Nothing has this prefix, which is nearly always a typing mistake.
    #[error("nothing lies at {at} (expected a folder such as s3://bucket/AWSLogs/, or an object)")]
    Nothing {
        /// The prefix as given.
        at: String,
    },
}

/// Something to list.
#[derive(Debug)]
enum Task {
    /// What a folder holds, without what its folders hold; so many folders below the prefix asked for.
    Look { folder: String, depth: usize },
    /// All objects of a stretch of keys.
    Read(Span),
}

/// What a task brought.
#[derive(Debug, Default)]
struct Brought {
    objects: Vec<Object>,
    skipped: Skips,
    tasks: Vec<Task>,
    /// Whether there was anything.
    any: bool,
}

impl Buckets {
    /// Lists every object below a prefix that the filter does not exclude, in the order in which
    /// they are read. A prefix is a folder, with or without its last `/`, or one object.
    ///
    /// Accounts, regions, services and days that the filter cannot match are not listed; such a
    /// folder counts as one that was left out, and those of days not at all.
    pub async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        filter: &Filter,
    ) -> Result<Listing, ListError> {
        filter.check()?;
        let mut brought = self.first(bucket, prefix, filter).await?;
        if !brought.any {
            return Err(ListError::Nothing { at: format!("s3://{bucket}/{prefix}") });
        }
        let mut running = JoinSet::new();
        loop {
            while running.len() < LISTINGS_MAX
                && let Some(task) = brought.tasks.pop()
            {
                let (buckets, bucket, filter) = (self.clone(), bucket.to_owned(), filter.clone());
                running.spawn(async move { buckets.run(&bucket, task, &filter).await });
            }
            let Some(done) = running.join_next().await else { break };
            // A listing with a hole in it must not pass for one.
            let done = done.unwrap_or_else(|error| resume_unwind(error.into_panic()))?;
            brought.objects.extend(done.objects);
            brought.tasks.extend(done.tasks);
            brought.skipped.merge(&done.skipped);
            if brought.objects.len() + brought.tasks.len() > FILES_MAX {
                return Err(SourceError::TooMany { limit: FILES_MAX }.into());
            }
        }
        let Brought { mut objects, skipped, .. } = brought;
        files::sort(&mut objects);
        Ok(Listing { objects, skipped })
    }

    /// Looks at the prefix itself, which may be one object.
    async fn first(
        &self,
        bucket: &str,
        prefix: &str,
        filter: &Filter,
    ) -> Result<Brought, ListError> {
        if prefix.is_empty() || prefix.ends_with('/') {
            let mut brought = self.look(bucket, prefix, 0, filter).await?;
            if folders::level(prefix) == Level::Days {
                let page = self.page(bucket, &Span::of(prefix), true, None).await?;
                brought.any = page.key_count().unwrap_or_default() > 0;
            }
            return Ok(brought);
        }
        let mut brought = Brought::default();
        let page = self.page(bucket, &Span::of(prefix), true, None).await?;
        for found in listed(&page) {
            if found.key == prefix {
                brought.any = true;
                // An object that is named itself is read whatever its name, as a file is.
                let object = object(bucket, found);
                match files::unwanted(&object.info(), filter) {
                    Some(skip) => brought.skipped.add(skip),
                    None => brought.objects.push(object),
                }
            }
        }
        let folder = format!("{prefix}/");
        if folders_of(&page).any(|listed| listed == folder) {
            brought.any = true;
            brought.tasks.push(Task::Look { folder, depth: 0 });
        }
        Ok(brought)
    }

    async fn run(&self, bucket: &str, task: Task, filter: &Filter) -> Result<Brought, ListError> {
        match task {
            Task::Look { folder, depth } => self.look(bucket, &folder, depth, filter).await,
            Task::Read(span) => self.read(bucket, &span, filter).await,
        }
    }

    /// Takes the objects of a folder, and decides what to do with the folders in it.
    async fn look(
        &self,
        bucket: &str,
        folder: &str,
        depth: usize,
        filter: &Filter,
    ) -> Result<Brought, ListError> {
        let mut brought = Brought::default();
        match folders::level(folder) {
            Level::Days => {
                brought.any = true;
                brought.tasks.extend(folders::spans(folder, filter).into_iter().map(Task::Read));
                return Ok(brought);
            }
            Level::Deep => return self.read(bucket, &Span::of(folder), filter).await,
            Level::Outside | Level::Choice => {}
        }
        let span = Span::of(folder);
        let mut children = Vec::new();
        let mut token = None;
        loop {
            let page = self.page(bucket, &span, true, token).await?;
            brought.take(bucket, &page, &span, filter);
            children.extend(folders_of(&page));
            token = page.next_continuation_token;
            if token.is_none() || brought.objects.len() + children.len() > FILES_MAX {
                break;
            }
        }
        brought.any |= !children.is_empty();
        let is_outside = folders::level(folder) == Level::Outside;
        if is_outside && (children.len() > SIBLINGS_MAX || depth == DEPTH_MAX) {
            return self.read(bucket, &span, filter).await;
        }
        for child in children {
            match folders::unwanted(&child, filter) {
                Some(skip) => brought.skipped.add(skip),
                None => brought.tasks.push(Task::Look { folder: child, depth: depth + 1 }),
            }
        }
        Ok(brought)
    }

    /// Takes all objects of a stretch of keys.
    async fn read(&self, bucket: &str, span: &Span, filter: &Filter) -> Result<Brought, ListError> {
        let mut brought = Brought::default();
        let mut token = None;
        loop {
            let page = self.page(bucket, span, false, token).await?;
            let is_over = brought.take(bucket, &page, span, filter);
            token = page.next_continuation_token;
            if is_over || token.is_none() {
                return Ok(brought);
            }
            if brought.objects.len() > FILES_MAX {
                return Err(SourceError::TooMany { limit: FILES_MAX }.into());
            }
        }
    }

    async fn page(
        &self,
        bucket: &str,
        span: &Span,
        by_folder: bool,
        token: Option<String>,
    ) -> Result<ListObjectsV2Output, S3Error> {
        let request = self.client.list_objects_v2().bucket(bucket).prefix(&span.prefix);
        request
            // Keys may hold what XML cannot.
            .encoding_type(EncodingType::Url)
            .set_delimiter(by_folder.then(|| "/".to_owned()))
            .set_start_after(span.after.clone())
            .set_continuation_token(token)
            .set_request_payer(self.payer.clone())
            .send()
            .await
            .map_err(|error| error::told(format!("s3://{bucket}/{}", span.prefix), &error))
    }
}

impl Brought {
    /// Takes what a page has of a stretch of keys; whether the stretch ends in it.
    fn take(
        &mut self,
        bucket: &str,
        page: &ListObjectsV2Output,
        span: &Span,
        filter: &Filter,
    ) -> bool {
        for found in listed(page) {
            if span.until.as_ref().is_some_and(|until| found.key >= *until) {
                return true;
            }
            self.any = true;
            let key = found.key.clone();
            let below = key.get(span.prefix.len()..).unwrap_or(&key);
            let object = object(bucket, found);
            match unwanted(below, &object.info(), Some(object.size_bytes), filter) {
                Some(skip) => self.skipped.add(skip),
                None => self.objects.push(object),
            }
        }
        false
    }
}

/// One entry of a page.
struct Found {
    key: String,
    size_bytes: u64,
    etag: Option<Box<str>>,
}

/// The objects of a page. One without a key is none.
fn listed(page: &ListObjectsV2Output) -> impl Iterator<Item = Found> {
    page.contents().iter().filter_map(|listed| {
        Some(Found {
            key: decoded(page, listed.key()?),
            size_bytes: listed.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            etag: listed.e_tag().map(unquoted),
        })
    })
}

/// The folders of a page, each with its last `/`.
fn folders_of(page: &ListObjectsV2Output) -> impl Iterator<Item = String> {
    let prefixes = page.common_prefixes().iter();
    prefixes.filter_map(|folder| Some(decoded(page, folder.prefix()?)))
}

/// A key as it is, if the page has it encoded; one that is not UTF-8 then stays encoded.
fn decoded(page: &ListObjectsV2Output, key: &str) -> String {
    match page.encoding_type() {
        Some(EncodingType::Url) => decode_key(key).map_or_else(|| key.to_owned(), Into::into),
        _ => key.to_owned(),
    }
}

fn object(bucket: &str, found: Found) -> Object {
    let Found { key, size_bytes, etag } = found;
    S3Object { bucket: Box::from(bucket), key: Box::from(key), version_id: None, etag }
        .object(size_bytes)
}

//! An attack of a known kind into a copy of the user's own logs: who is there, what is known of the
//! one it happens to, the copy, and the story beside it. The user's own files are only read.

mod census;
mod copy;
mod learn;

use crate::{
    pipeline::Observer,
    worker::{Sink, Worker},
};
use anyhow::{Result, anyhow};
use census::Census;
use copy::Target;
use ingest::{
    decode::Limits,
    source::{self, Filter, Listing, Object, PathArg, Place},
};
use learn::Learner;
use std::path::PathBuf;
use testdata::{
    clock,
    post::{Sink as _, Written},
    story::{Story, Told, Victim, VictimKind, deliver, in_one_object},
    truth::Account,
};

/// What to tell, of whom, and where.
pub(crate) struct Plan {
    /// The user's own logs, a folder.
    pub(crate) source: PathBuf,
    /// A folder for the copy, new or empty.
    pub(crate) to: PathBuf,
    pub(crate) story: &'static Story,
    /// The identity as a finding or a record has it.
    pub(crate) identity: String,
    /// When it begins. Unit: seconds since the Unix epoch.
    pub(crate) at_s: Option<i64>,
    pub(crate) seed: u64,
}

/// What was made.
pub(crate) struct Made {
    pub(crate) truth: Account,
    pub(crate) written: Written,
    pub(crate) n_copied: u64,
    pub(crate) n_unread: u64,
}

/// What the person at the keyboard can mend.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unusable(String);

/// Something that learns from records and rows, object by object.
trait Pupil: Sink {
    /// What comes next is of this object.
    fn object(&mut self, object: &Object);
}

/// Writes the copy with the story in it. A folder that it made and could not fill is gone again.
pub(crate) fn run(plan: &Plan, observer: &mut dyn Observer) -> Result<Made> {
    let is_new = !plan.to.exists();
    let done = copy_with_story(plan, observer);
    if is_new && done.is_err() {
        // One that is not empty stays: what is in it may help.
        drop(std::fs::remove_dir(&plan.to));
    }
    done
}

fn copy_with_story(plan: &Plan, observer: &mut dyn Observer) -> Result<Made> {
    let mut target = Target::new(&plan.source, &plan.to)?;
    let listing = source::list(&[PathArg::Path(plan.source.clone())], &Filter::default())?;
    let bytes = listing.objects.iter().map(|object| object.size_bytes).sum::<u64>();
    observer.begin(2 * bytes);
    let mut census = Census::new(&plan.identity, plan.story.victim == VictimKind::Interface);
    let mut n_unread = 0;
    read(&listing, &mut census, &mut |object, trouble| {
        observer.read(object.size_bytes);
        if let Some(trouble) = trouble {
            n_unread += 1;
            observer.trouble(object.key(), trouble);
        }
    });
    let (who, span_s) = census.found()?;
    if let Some(at_s) = plan.at_s.filter(|at_s| !(span_s.0..=span_s.1).contains(at_s)) {
        let [at, first, last] = [at_s, span_s.0, span_s.1].map(clock::iso);
        let what = format!("--at {at} is outside the logs (expected {first} to {last})");
        return Err(Unusable(what).into());
    }
    let mut learner = Learner::new(who);
    read(&listing, &mut learner, &mut |object, _| observer.read(object.size_bytes));
    let told = learner.known.tell(plan.story, (span_s, plan.at_s), plan.seed);
    let (victim, told) = told.map_err(|error| Unusable(format!("{}: {error}", plan.identity)))?;
    let n_copied = target.copy()?;
    let written = write(&mut target, &learner, &told, &victim)?;
    let truth = told.truth.clone();
    target.tell_truth(told.truth)?;
    Ok(Made { truth, written, n_copied, n_unread })
}

/// Hands every record and row to `pupil`; `done` hears of each object, and what was wrong with it.
fn read(listing: &Listing, pupil: &mut dyn Pupil, done: &mut dyn FnMut(&Object, Option<&str>)) {
    let filter = Filter::default();
    let mut worker = Worker::new(&filter, Limits::default(), None).with_every_field();
    for object in &listing.objects {
        let Place::File(path) = &object.place else { continue };
        let trouble = if let Err(error) = worker.load(path, object.size_bytes) {
            Some(format!("{error:#}"))
        } else {
            pupil.object(object);
            let (kind, account) = (object.kind, object.info().account);
            let outcome = worker.read(kind, account, pupil);
            outcome.failure.or_else(|| outcome.bad.first().cloned())
        };
        done(object, trouble.as_deref());
    }
}

/// Writes the story beside the objects in which its victim was seen.
fn write(target: &mut Target, learner: &Learner, told: &Told, victim: &Victim) -> Result<Written> {
    let told_to = |error: Box<dyn std::error::Error>| anyhow!("{error}");
    let beside = learner.beside();
    if beside.info().stamp_ms.is_some() && !beside.aws_key().is_empty() {
        let organisation = beside.info().organisation;
        return deliver(told, victim, organisation, &mut target.beside(beside)).map_err(told_to);
    }
    let (ending, text) = in_one_object(told, victim);
    let times_s = told.records.iter().map(|(_, record)| record.time_s);
    let first_s = times_s.chain(told.flows.iter().map(|flow| flow.start_s)).min();
    let stamp = clock::stamp(first_s.unwrap_or_default());
    let name = format!("{}-{stamp}.{ending}.gz", told.truth.name);
    let bytes = testdata::aws::gzip(text.as_bytes())?;
    target.beside(beside).object(&name, &bytes).map_err(told_to)?;
    Ok(Written {
        objects: 1,
        records: told.records.len() as u64,
        flows: told.flows.len() as u64,
        bytes: text.len() as u64,
        stored_bytes: bytes.len() as u64,
    })
}

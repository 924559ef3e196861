//! The sweep through time: lives begin, go on and end in the order of their moments.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::error::Error;

use crate::clock::DAY_S;
use crate::life::{self, Life, Stage};
use crate::organisation::{Organisation, Size};
use crate::post::{Post, Sink, Written};
use crate::story::{self, Schedule, Story};
use crate::truth::{TRUTH, Truth};

/// What to tell.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// How much there is of everything.
    pub size: Size,
    /// Midnight UTC of the first day. Unit: seconds since the Unix epoch.
    pub start_s: i64,
    /// Days told.
    pub days: i64,
    /// Every region of every account gets a digest each hour.
    pub has_digests: bool,
    /// Attacks, and harmless things that look like one, told between what is usual.
    pub stories: Vec<&'static Story>,
}

/// What was told.
#[derive(Debug)]
pub struct Outcome {
    /// How much was written, `truth.json` not counted.
    pub written: Written,
    /// What is true of the stories; `truth.json` says the same.
    pub truth: Truth,
}

/// Tells the story of `plan` to `sink`; `watch` hears of each day that is over, counted from 1.
pub fn run(
    plan: &Plan,
    sink: &mut dyn Sink,
    watch: &mut dyn FnMut(i64),
) -> Result<Outcome, Box<dyn Error>> {
    let organisation = Organisation::new(plan.seed, plan.size, (plan.start_s, plan.days));
    let mut stage =
        Stage { post: Post::new(&organisation, plan.has_digests), organisation: &organisation };
    let mut going_on = BinaryHeap::new();
    let mut lives: Vec<Option<Box<dyn Life>>> = Vec::new();
    let mut free = Vec::new();
    let Schedule { tellings, truth } = story::schedule(&organisation, plan.days, &plan.stories);
    for telling in tellings {
        going_on.push(Reverse((telling.begins_s(), lives.len())));
        lives.push(Some(Box::new(telling)));
    }
    for day in 0..plan.days {
        let end_s = plan.start_s + (day + 1) * DAY_S;
        for start in life::day(&organisation, day) {
            let place = free.pop().unwrap_or(lives.len());
            if place == lives.len() {
                lives.push(Some(start.life));
            } else if let Some(life) = lives.get_mut(place) {
                *life = Some(start.life);
            }
            going_on.push(Reverse((start.at_s, place)));
        }
        while let Some(&Reverse((now_s, place))) = going_on.peek() {
            if now_s >= end_s {
                break;
            }
            going_on.pop();
            stage.post.flush(now_s, sink)?;
            let next_s = lives
                .get_mut(place)
                .and_then(Option::as_mut)
                .and_then(|life| life.step(now_s, &mut stage));
            if let Some(next_s) = next_s {
                going_on.push(Reverse((next_s.max(now_s + 1), place)));
            } else {
                lives.get_mut(place).and_then(Option::take);
                free.push(place);
            }
        }
        watch(day + 1);
    }
    let written = stage.post.finish(sink)?;
    if !truth.stories.is_empty() {
        sink.object(TRUTH, truth.text()?.as_bytes())?;
    }
    Ok(Outcome { written, truth })
}

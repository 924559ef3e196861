//! A session in the console. Pages load tens of calls within seconds, clicks ask a few; a page may
//! ask every region. Measured on 31 published sessions: median 200 calls and 40 minutes, 11 services
//! and 34 APIs, 17 calls in the fullest second.

use super::things::Dealt;
use super::{Desk, entry, tasks};
use crate::aws::api::At;
use crate::aws::api::config::SCAN;
use crate::aws::api::console::{self, FRAME, READS, Read};
use crate::aws::api::denied::{self, Because};
use crate::aws::call::Call;
use crate::aws::caller::Caller;
use crate::aws::caller::agents::{CONSOLE, CONSOLE_JAVA, S3_CONSOLE};
use crate::clock::MINUTE_S;
use crate::life::{Life, Stage};
use crate::organisation::Account;
use crate::places::REGIONS;
use crate::rng::Rng;

/// Calls of a session: median, deviation of the logarithm, range. Unit: calls.
const CALLS: (f64, f64, (i64, i64)) = (190.0, 0.85, (30, 1_050));
/// How long a session lasts. Unit: seconds.
const LASTS_S: (f64, f64, (i64, i64)) = (2_400.0, 1.0, (240, 230 * MINUTE_S));
/// Calls of a page that loads, and of a click, on average.
const PAGE: (f64, f64, (i64, i64)) = (15.0, 0.5, (5, 44));
const CLICK_CALLS: i64 = 6;
/// One session in so many shows pages of all regions.
const EVERYWHERE_ONE_IN: u64 = 8;
/// Calls of such a page in each region.
const OF_REGION: (i64, i64) = (7, 18);
/// No session is shorter. Unit: seconds.
const LEAST_S: i64 = 210;
/// A call is refused once in so many.
const REFUSED_ONE_IN: u64 = 260;

/// One session, a click at a time.
pub(super) struct Sitting {
    desk: Desk,
    rng: Rng,
    caller: Option<Caller>,
    /// What the pages of this session show.
    frame: Vec<&'static Read>,
    pages: Vec<&'static Read>,
    left_calls: i64,
    left_changes: u32,
    left_s: i64,
    left_buckets: u32,
    is_everywhere: bool,
    begins_s: i64,
}

impl Sitting {
    pub(super) fn new(desk: Desk, mut rng: Rng) -> Self {
        let topics = tasks::topics(desk.team);
        let n_topics = 1 + usize::from(rng.chance(0.6)) + usize::from(rng.chance(0.2));
        let services: Vec<&str> = (0..n_topics)
            .filter_map(|_| topics.get(rng.rank(topics.len())))
            .flat_map(|topic| topic.iter().copied())
            .collect();
        // Nobody opens every page: of what a topic has, a session shows a part.
        let breadth = rng.log_normal(0.38, 0.75).clamp(0.12, 1.0);
        let mut part = |services: &[&str], breadth: f64| -> Vec<&'static Read> {
            let mut is_shown = |read: &&Read| {
                services.contains(&read.shape.service)
                    && (read.shape.service == "health" || rng.chance(breadth))
            };
            READS.iter().filter(|read| is_shown(read)).collect()
        };
        let frame = part(FRAME, 0.75);
        let pages = part(&services, breadth);
        // A few changes, in one session in eight many.
        let most = if rng.one_in(8) { 9.0 } else { 2.4 };
        let left_changes =
            if tasks::changes(desk.team).is_empty() { 0 } else { rng.count(most).min(20) };
        Self {
            left_calls: rng.log_normal_between(CALLS.0, CALLS.1, CALLS.2),
            left_s: rng.log_normal_between(LASTS_S.0, LASTS_S.1, LASTS_S.2),
            left_buckets: 1 + rng.count(0.3).min(1),
            is_everywhere: rng.one_in(EVERYWHERE_ONE_IN),
            begins_s: 0,
            caller: None,
            desk,
            frame,
            pages,
            left_changes,
            rng,
        }
    }

    /// What happens next: a page of every region, a page, a change, or a click.
    fn act(&mut self, now_s: i64, caller: &Caller, stage: &mut Stage<'_>) -> Option<()> {
        let organisation = stage.organisation;
        let account = organisation.accounts.get(self.desk.account)?;
        let dealt = Dealt::new(organisation, self.desk.account, &mut self.rng);
        let at = At { time_s: now_s, region: account.home, account: &account.id };
        if now_s == self.begins_s {
            // The home page asks for a little of everything.
            for read in self.frame.clone() {
                let at = At { time_s: now_s + self.rng.between(0, 3), ..at };
                let call = read.call(at, &dealt.things(), &mut self.rng);
                self.tell(call, caller, stage);
            }
            return Some(());
        }
        if self.is_everywhere && self.rng.one_in(6) {
            self.is_everywhere = self.rng.one_in(2);
            let n = self.rng.between(OF_REGION.0, OF_REGION.1);
            for region in REGIONS {
                for _ in 0..n {
                    let time_s = now_s + i64::from(self.rng.one_in(4));
                    let at = At { time_s, region, account: &account.id };
                    self.read(at, (caller, &dealt), stage);
                }
            }
            return Some(());
        }
        let has_buckets = self.pages.iter().any(|read| read.shape.service == "s3");
        if has_buckets && self.left_buckets > 0 && self.rng.one_in(9) {
            self.left_buckets -= 1;
            self.show_bucket(at, (caller, account), &dealt, stage);
        }
        let n = if self.left_calls > 0 && self.rng.one_in(3) {
            self.rng.log_normal_between(PAGE.0, PAGE.1, PAGE.2)
        } else {
            self.rng.between(1, 3)
        };
        for _ in 0..n {
            // Most of a page is asked for at once, the rest as answers come.
            let time_s = now_s + if self.rng.chance(0.6) { 0 } else { self.rng.between(1, 4) };
            self.read(At { time_s, ..at }, (caller, &dealt), stage);
        }
        let is_time = self.rng.below(10) < u64::from(self.left_changes);
        if let Some(change) = self.rng.pick(tasks::changes(self.desk.team)).filter(|_| is_time) {
            let at = At { time_s: now_s + self.rng.between(5, 8), ..at };
            let call = change(at, &dealt.things(), &mut self.rng);
            stage.call(self.desk.account, &caller.with(CONSOLE), call, &mut self.rng);
            self.left_changes -= 1;
        }
        Some(())
    }

    fn read(&mut self, at: At<'_>, (caller, dealt): (&Caller, &Dealt<'_>), stage: &mut Stage<'_>) {
        let rng = &mut self.rng;
        let reads = if rng.one_in(5) || self.pages.is_empty() { &self.frame } else { &self.pages };
        let mut call = console::draw(reads, rng).call(at, &dealt.things(), rng);
        if rng.one_in(REFUSED_ONE_IN) {
            call = denied::denied(call, caller, None, Because::NothingAllows, rng);
        }
        self.tell(call, caller, stage);
    }

    /// The page of one bucket asks for all its settings, most of which nobody ever set.
    fn show_bucket(
        &mut self,
        at: At<'_>,
        (caller, account): (&Caller, &Account),
        dealt: &Dealt<'_>,
        stage: &mut Stage<'_>,
    ) {
        let bucket = dealt.things().bucket;
        let mut of = Rng::for_part(bucket.len() as u64, &[account.buckets.len() as u64]);
        for question in SCAN.iter().skip(self.rng.rank(SCAN.len())) {
            let has = of.below(100) >= question.error_percent;
            let at = At { time_s: at.time_s + self.rng.between(0, 1), ..at };
            let call = question.call(at, bucket, has, &mut self.rng);
            self.tell(call, caller, stage);
        }
    }

    /// Servers of the console ask for most pages, the browser itself for some.
    fn tell(&mut self, call: Call, caller: &Caller, stage: &mut Stage<'_>) {
        let drawn = self.rng.below(100);
        let agent = match (call.service, drawn) {
            ("s3", 0..75) => Some(S3_CONSOLE),
            ("iam", 0..85) | (_, 0..12) => Some(CONSOLE_JAVA),
            (_, 12..62) => Some(CONSOLE),
            _ => None,
        };
        let by = agent.map(|agent| caller.with(agent));
        stage.call(self.desk.account, by.as_ref().unwrap_or(caller), call, &mut self.rng);
        self.left_calls -= 1;
    }
}

impl Life for Sitting {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        let address = self.desk.address(now_s, stage.organisation)?;
        let Some(caller) = self.caller.take() else {
            let at = (now_s, address.as_str());
            let (caller, next_s) = entry::into_console(&self.desk, stage, at, &mut self.rng)?;
            self.caller = Some(caller);
            self.begins_s = next_s;
            return Some(next_s);
        };
        let moved = *caller.address != *address;
        let caller = if moved { caller.moved(&address, &caller.agent) } else { caller };
        self.act(now_s, &caller, stage)?;
        self.caller = Some(caller);
        if self.left_calls <= 0 && now_s - self.begins_s >= LEAST_S {
            return None;
        }
        // As long between clicks as the rest of the session lets.
        let clicks = self.left_calls.max(0) / CLICK_CALLS + 1;
        let mean_s = self.left_s as f64 / clicks as f64;
        #[expect(clippy::cast_possible_truncation, reason = "a few times the mean, hours at most")]
        let wait_s = (self.rng.exponential(mean_s) as i64).clamp(5, 50 * MINUTE_S);
        self.left_s = (self.left_s - wait_s).max(clicks * 6);
        Some(now_s + wait_s)
    }
}

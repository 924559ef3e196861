//! People at their desks: on working days of their zone they sign in, and look around the console.

use super::{Life, Stage, Start};
use crate::aws::api::At;
use crate::aws::api::console::{self, Things};
use crate::aws::api::signin::{self, SecondFactor};
use crate::aws::call::Call;
use crate::aws::caller::agents::{BROWSERS, CONSOLE, CONSOLE_JAVA};
use crate::aws::caller::{Caller, Session};
use crate::clock::{DAY_S, HOUR_S};
use crate::object;
use crate::organisation::{Access, Organisation, Person, part};
use crate::places::{GLOBAL, REGIONS};
use crate::rng::Rng;

/// People leave their desk so long after they came. Unit: seconds.
const DESK_S: i64 = 9 * HOUR_S;
/// Calls of one click, how they spread, and the most. Unit: calls.
const CLICK: (f64, f64, i64) = (9.0, 1.0, 120);

/// The sessions that people begin on `day`.
pub(super) fn day(organisation: &Organisation, day: i64) -> Vec<Start> {
    let midnight_s = organisation.midnight(day);
    let people = organisation.people.iter().enumerate();
    let at_work = people.filter_map(|(number, person)| {
        let zone = person.city_on(day).zone;
        // In the east the morning of a date falls on the day before it in UTC.
        let dates = [midnight_s, midnight_s + DAY_S];
        let date = dates.into_iter().find(|date| zone.at(*date, person.begins_s) >= midnight_s)?;
        let begins_s = zone.at(date, person.begins_s);
        let works = person.is_here(day) && zone.is_working_day(date);
        works.then_some((number, person, begins_s))
    });
    at_work
        .flat_map(|(number, person, begins_s)| {
            let mut rng = organisation.rng(part::PERSON, number, day);
            let n_sessions = rng.count(person.sessions_a_day);
            (0..n_sessions).map(move |_| {
                let at_s = begins_s + rng.between(0, DESK_S);
                let n_clicks = rng.log_normal_between(16.0, 0.8, (3, 90));
                let rng = Rng::new(rng.bits());
                Start { at_s, life: Box::new(Sitting::new(number, day, n_clicks, rng)) }
            })
        })
        .collect()
}

/// A click in so many changes something: a few changes a session.
const CHANGE_ONE_IN: u64 = 6;
/// Things of each kind that pages show, the first far more often. Unit: things.
const SHOWN: usize = 6;

/// One session in the console, a click at a time.
struct Sitting {
    person: usize,
    day: i64,
    n_clicks: i64,
    rng: Rng,
    caller: Option<Caller>,
}

impl Sitting {
    fn new(person: usize, day: i64, n_clicks: i64, rng: Rng) -> Self {
        Self { person, day, n_clicks, rng, caller: None }
    }

    /// Signs in, and answers who calls from then on.
    fn sign_in(&mut self, now_s: i64, person: &Person, stage: &mut Stage<'_>) -> Option<Caller> {
        let organisation = stage.organisation;
        let address = organisation.address_of(self.person, self.day);
        let browser = pick(&BROWSERS, person.computer);
        let key = format!("ASIA{}", self.rng.capitals(16));
        let number = *person.accounts.first()?;
        match &person.access {
            Access::IdentityCenter { permission_set, .. } => {
                let account = organisation.accounts.get(number)?;
                let role = account.reserved_role(permission_set);
                let session = Session { name: &person.mail, key: &key, since_s: now_s };
                let identity = role.session(session, &[]);
                Some(Caller::new(identity, &address, browser).in_console())
            }
            Access::IamUser { user, has_mfa, .. } => {
                let account = organisation.accounts.first()?;
                let at = At { time_s: now_s, region: GLOBAL, account: &account.id };
                let device = format!("arn:aws:iam::{}:mfa/{}", account.id, user.name);
                let factor =
                    if *has_mfa { SecondFactor::Device(&device) } else { SecondFactor::NotUsed };
                let signing_in = Caller::new(user.signing_in(), &address, browser);
                stage.call(0, &signing_in, signin::console_login(at, factor), &mut self.rng);
                let identity = user.in_session(&key, now_s, *has_mfa);
                Some(Caller::new(identity, &address, browser).in_console())
            }
        }
    }

    /// A page of the console asks for much at once, some of it in every region.
    fn click(&mut self, now_s: i64, person: &Person, caller: &Caller, stage: &mut Stage<'_>) {
        let organisation = stage.organisation;
        let number = match person.access {
            Access::IdentityCenter { .. } => person.accounts.first().copied().unwrap_or(0),
            Access::IamUser { .. } => 0,
        };
        let Some(account) = organisation.accounts.get(number) else { return };
        let rng = &mut self.rng;
        let n_calls = rng.log_normal_between(CLICK.0, CLICK.1, (1, CLICK.2));
        let everywhere = rng.one_in(12);
        if rng.one_in(CHANGE_ONE_IN) {
            let retention =
                Call::new(now_s, account.home, "logs", "PutRetentionPolicy").asking(object! {
                    "logGroupName": format!("/aws/lambda/{}-{}", account.name, rng.rank(SHOWN)),
                    "retentionInDays": 30,
                });
            stage.call(number, caller, retention, rng);
        }
        for call in 0..n_calls {
            let bucket = account.buckets.get(rng.rank(account.buckets.len()));
            let shown = Shown::new(organisation.seed, number, rng.rank(SHOWN));
            let things = shown.things(bucket.map_or("", String::as_str));
            let nth = usize::try_from(call).unwrap_or(0) % REGIONS.len();
            let region = if everywhere { REGIONS.get(nth).copied() } else { None };
            let time_s = now_s + rng.between(0, 3);
            let at = At { time_s, region: region.unwrap_or(account.home), account: &account.id };
            let told = console::draw(rng).call(at, &things, rng);
            let agent = match rng.below(100) {
                0..=44 => Some(CONSOLE),
                45..=61 => Some(CONSOLE_JAVA),
                _ => None,
            };
            let by = agent.map(|agent| caller.with(agent));
            stage.call(number, by.as_ref().unwrap_or(caller), told, rng);
        }
    }
}

/// What a page is about: the same few of an account over and over.
struct Shown {
    /// `i-`, `vol-`, `snap-`, `sg-` and `lt-`, each with its number, and the id of a key.
    ids: [String; 6],
    name: &'static str,
}

impl Shown {
    fn new(seed: u64, account: usize, rank: usize) -> Self {
        let mut rng = Rng::for_part(seed, &[part::ACCOUNT, account as u64, rank as u64]);
        let mut id = |prefix: &str| format!("{prefix}-0{}", rng.hex(16));
        let [instance, volume, snapshot] = [id("i"), id("vol"), id("snap")];
        let [group, template] = [id("sg"), id("lt")];
        let ids = [instance, volume, snapshot, group, template, rng.uuid()];
        Self { ids, name: pick(&["web", "worker", "deploy", "audit", "reader"], rank as u64) }
    }

    fn things<'a>(&'a self, bucket: &'a str) -> Things<'a> {
        let [instance, volume, snapshot, security_group, launch_template, kms_key] = &self.ids;
        Things {
            user: self.name,
            role: self.name,
            group: self.name,
            bucket,
            instance,
            volume,
            snapshot,
            security_group,
            launch_template,
            kms_key,
            trail: "organisation",
        }
    }
}

impl Life for Sitting {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        let person = stage.organisation.people.get(self.person)?;
        let caller = match self.caller.take() {
            Some(caller) => caller,
            None => self.sign_in(now_s, person, stage)?,
        };
        self.click(now_s, person, &caller, stage);
        self.caller = Some(caller);
        self.n_clicks -= 1;
        let wait_s = self.rng.log_normal_between(90.0, 1.1, (6, 1_800));
        (self.n_clicks > 0).then_some(now_s + wait_s)
    }
}

fn pick(choices: &[&'static str], computer: u64) -> &'static str {
    let length = u64::try_from(choices.len()).unwrap_or(1);
    let place = usize::try_from(computer.checked_rem(length).unwrap_or(0)).unwrap_or(0);
    choices.get(place).copied().unwrap_or_default()
}

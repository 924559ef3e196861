//! People at work: what they begin on a day, when and where they are. Weekdays at the hours of the
//! city they are in, without holidays and time off; on call at night; now and then on a weekend.

mod console;
mod entry;
mod notebook;
mod shell;
mod tasks;
mod terraform;
mod things;

use super::{Life, Start};
use crate::clock::{DAY_S, HOUR_S, MINUTE_S};
use crate::organisation::{DESK_S, Organisation, Person, Stay, Team, part};
use crate::rng::Rng;

/// Somebody works on a day that is free, without being on call.
const FREE_DAY: f64 = 0.012;
/// Somebody on call is needed on a free day, and in a night.
const ON_CALL: (f64, f64) = (0.3, 0.2);

/// What somebody sits down for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Console,
    Shell,
    Notebook,
    Terraform,
}

/// What people begin on `day`.
pub(super) fn day(organisation: &Organisation, day: i64) -> Vec<Start> {
    let midnight_s = organisation.midnight(day);
    let this_day = midnight_s..midnight_s + DAY_S;
    let mut starts = Vec::new();
    for date_s in dates(midnight_s) {
        let on_call = organisation.on_call(date_s);
        for (number, person) in organisation.people.iter().enumerate() {
            let date = (date_s - organisation.start_s).div_euclid(DAY_S);
            let (visits, mut rng) = visits(organisation, number, (date_s, on_call));
            for (nth, (at_s, task)) in visits.into_iter().enumerate() {
                let desk = Desk {
                    number,
                    team: person.team(date),
                    date_s,
                    signs_in: nth == 0,
                    account: account_of(person, &mut rng),
                    stay: None,
                };
                let life = begin(task, desk, Rng::new(rng.bits()));
                if this_day.contains(&at_s) {
                    starts.push(Start { at_s, life });
                }
            }
        }
    }
    starts
}

/// Whether a person sits down for nothing between two moments. Unit: seconds since the Unix epoch.
pub(crate) fn is_quiet(of: &Organisation, number: usize, (from_s, until_s): (i64, i64)) -> bool {
    let days = (from_s - of.start_s).div_euclid(DAY_S)..=(until_s - of.start_s).div_euclid(DAY_S);
    let mut dates = days.flat_map(|day| dates(of.midnight(day)));
    !dates.any(|date_s| {
        let (visits, _) = visits(of, number, (date_s, of.on_call(date_s)));
        visits.iter().any(|(at_s, _)| (from_s..until_s).contains(at_s))
    })
}

/// Dates that some of the day is on: in the east a date begins on the day before it in UTC, in the
/// west it ends on the next one.
fn dates(midnight_s: i64) -> [i64; 3] {
    [-1, 0, 1].map(|days| midnight_s + days * DAY_S)
}

fn begin(task: Task, desk: Desk, rng: Rng) -> Box<dyn Life> {
    match task {
        Task::Console => Box::new(console::Sitting::new(desk, rng)),
        Task::Shell => Box::new(shell::Shell::new(desk, rng)),
        Task::Notebook => Box::new(notebook::Notebook::new(desk, rng)),
        Task::Terraform => Box::new(terraform::Runs::new(desk, rng)),
    }
}

/// When somebody sits down on a date, and for what, in the order of time; and what draws the rest of
/// their date. Unit: seconds since the Unix epoch.
fn visits(
    organisation: &Organisation,
    number: usize,
    (date_s, on_call): (i64, Option<usize>),
) -> (Vec<(i64, Task)>, Rng) {
    let date = (date_s - organisation.start_s).div_euclid(DAY_S);
    let mut rng = organisation.rng(part::PERSON, number, date + 1);
    let person = organisation.people.get(number).filter(|person| person.is_here(date));
    let city = person.and_then(|person| person.city_on(date_s));
    let (Some(person), Some(city)) = (person, city) else { return (Vec::new(), rng) };
    let (team, is_on_call) = (person.team(date), on_call == Some(number));
    let mut visits = Vec::new();
    let is_needed = rng.chance(if is_on_call { ON_CALL.0 } else { FREE_DAY });
    if organisation.at_work(number, date_s).is_some() {
        let begins_s = city.zone.at(date_s, person.begins_s);
        for (task, a_day) in tasks::usual(team, person.sessions_a_day) {
            for _ in 0..rng.count(a_day) {
                visits.push((begins_s + rng.between(5 * MINUTE_S, DESK_S - HOUR_S), task));
            }
        }
    } else if is_needed && team != Team::Finance && !person.has_time_off(date_s) {
        let at_s = city.zone.at(date_s, rng.between(9 * HOUR_S, 20 * HOUR_S));
        visits.push((at_s, Task::Console));
    }
    if is_on_call && rng.chance(ON_CALL.1) && !person.has_time_off(date_s) {
        let at_s = city.zone.at(date_s, rng.between(HOUR_S, 5 * HOUR_S));
        let later_s = at_s + rng.between(2 * MINUTE_S, 20 * MINUTE_S);
        visits.extend([(at_s, Task::Console), (later_s, Task::Shell)]);
    }
    visits.sort_by_key(|(at_s, _)| *at_s);
    (visits, rng)
}

/// The account they work in today, mostly their first.
fn account_of(person: &Person, rng: &mut Rng) -> usize {
    let nth = if rng.chance(0.8) { 0 } else { rng.rank(person.accounts.len()) };
    // Users are in the first account.
    if person.is_iam_user() { 0 } else { person.accounts.get(nth).copied().unwrap_or(0) }
}

/// Who sits where, and works in which account.
struct Desk {
    number: usize,
    team: Team,
    /// Midnight UTC of the date on their calendar. Unit: seconds since the Unix epoch.
    date_s: i64,
    /// The first of the date: Identity Center asks who it is.
    signs_in: bool,
    account: usize,
    stay: Option<Stay>,
}

impl Desk {
    /// Where they call from now; `None`: nowhere, they have left.
    fn address(&mut self, now_s: i64, organisation: &Organisation) -> Option<String> {
        if self.stay.as_ref().is_none_or(|stay| now_s >= stay.until_s) {
            self.stay = organisation.stay(self.number, now_s);
        }
        self.stay.as_ref().map(|stay| stay.address.clone())
    }
}

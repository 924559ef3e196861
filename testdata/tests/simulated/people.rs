//! A generated month of people beside what is known of real ones, figure by figure. Measured figures
//! are of 31 sessions in the console that Permiso published with `CloudConsoleCartographer`.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::OnceLock;

use serde_json::Value;
use testdata::clock::{DAY_S, HOUR_S};
use testdata::organisation::{Organisation, Size};
use testdata::places::{CITIES, COMPANY_VPN, City};
use testdata::post::Sink;
use testdata::simulate::{self, Plan};

use super::facts::{quantiles, within};

/// 2026-03-02, a Monday: London changes its clocks on day 27, and Easter begins on day 32. Unit:
/// seconds since the Unix epoch.
const START_S: i64 = 1_772_409_600;
const DAYS: i64 = 36;
const SIZE: Size = Size { accounts: 3, people: 28, machines: 0, pipelines: 0, agents: 0, vpcs: 0 };
const SEED: u64 = 12;

/// What is kept of a person's record.
struct Line {
    time_s: i64,
    address: String,
    agent: String,
    key: String,
    service: String,
    name: String,
    region: String,
    in_console: bool,
    error: bool,
    read_only: bool,
    bytes_out: i64,
    account: String,
}

#[derive(Default)]
struct Month {
    /// By the name of a session, or of a user.
    people: BTreeMap<String, Vec<Line>>,
    /// Events of Identity Center.
    portal: BTreeMap<String, u32>,
    seen: BTreeSet<String>,
}

impl Sink for Month {
    fn object(&mut self, key: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        if !key.contains("/CloudTrail/") {
            return Ok(());
        }
        let mut text = String::new();
        flate2::bufread::GzDecoder::new(bytes).read_to_string(&mut text)?;
        let object: Value = serde_json::from_str(&text)?;
        for record in object["Records"].as_array().ok_or("no Records")? {
            let text = |pointer: &str| {
                record.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            // An account with two trails tells everything twice.
            if !self.seen.insert(text("/eventID")) {
                continue;
            }
            if text("/userIdentity/type") == "IdentityCenterUser" {
                *self.portal.entry(text("/eventName")).or_default() += 1;
            }
            let principal = text("/userIdentity/principalId");
            let (user, arn) = (text("/userIdentity/userName"), text("/userIdentity/arn"));
            let name = match principal.split_once(':') {
                Some((_, name)) if name.contains('@') => name.to_owned(),
                _ if arn.contains(":user/") => user,
                _ => continue,
            };
            if text("/userIdentity/type") == "SAMLUser" {
                continue;
            }
            let time: jiff::Timestamp = text("/eventTime").parse()?;
            let out = record.pointer("/additionalEventData/bytesTransferredOut");
            let line = Line {
                time_s: time.as_second(),
                address: text("/sourceIPAddress"),
                agent: text("/userAgent"),
                key: text("/userIdentity/accessKeyId"),
                service: text("/eventSource"),
                name: text("/eventName"),
                region: text("/awsRegion"),
                in_console: record.get("sessionCredentialFromConsole").is_some(),
                error: record["errorCode"].is_string(),
                read_only: record["readOnly"] == true,
                bytes_out: out.and_then(Value::as_i64).unwrap_or_default(),
                account: text("/recipientAccountId"),
            };
            self.people.entry(name).or_default().push(line);
        }
        Ok(())
    }
}

fn month() -> &'static Month {
    static MONTH: OnceLock<Month> = OnceLock::new();
    MONTH.get_or_init(|| {
        let (start_s, days) = (START_S, DAYS);
        let stories = Vec::new();
        let plan = Plan { seed: SEED, size: SIZE, start_s, days, has_digests: false, stories };
        let mut month = Month::default();
        simulate::run(&plan, &mut month, &mut |_| {}).unwrap();
        for lines in month.people.values_mut() {
            lines.sort_by_key(|line| line.time_s);
        }
        month
    })
}

fn organisation() -> Organisation {
    Organisation::new(SEED, SIZE, (START_S, DAYS))
}

fn lines() -> impl Iterator<Item = &'static Line> {
    month().people.values().flatten()
}

fn share(of: impl Fn(&Line) -> bool, among: impl Fn(&Line) -> bool) -> f64 {
    let all = lines().filter(|line| among(line)).count();
    lines().filter(|line| among(line) && of(line)).count() as f64 / all.max(1) as f64
}

/// Sessions in the console by the key that each has for itself, without the sign-in.
fn sessions() -> Vec<Vec<&'static Line>> {
    let mut sessions: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in lines().filter(|line| line.in_console) {
        sessions.entry(&line.key).or_default().push(line);
    }
    sessions.into_values().collect()
}

fn number(n: usize) -> i64 {
    i64::try_from(n).unwrap()
}

fn count<T: Ord>(of: &[&Line], what: impl Fn(&Line) -> T) -> i64 {
    number(of.iter().map(|line| what(line)).collect::<BTreeSet<T>>().len())
}

/// Median and range of a figure of sessions, each with the range it may be in.
#[track_caller]
fn spread(
    what: &str,
    figure: impl Fn(&[&'static Line]) -> i64,
    [least, median, most]: [std::ops::RangeInclusive<f64>; 3],
) {
    let figures = sessions().iter().map(|session| figure(session)).collect();
    // The least and the greatest of 31 real sessions are about these.
    let [low, half, high] = quantiles(figures, [20, 500, 980]);
    within(&format!("{what}, least"), low as f64, least);
    within(&format!("{what}, median"), half as f64, median);
    within(&format!("{what}, most"), high as f64, most);
}

// Sessions in the console.

#[test]
fn sessions_are_as_long_as_measured() {
    // 26 to 1,101 events, median 199; 3.5 to 240 minutes, median 40.
    spread("events", |of| number(of.len()), [20.0..=60.0, 150.0..=250.0, 700.0..=1_200.0]);
    let minutes = |of: &[&Line]| (of.last().unwrap().time_s - of[0].time_s) / 60;
    spread("minutes", minutes, [2.0..=8.0, 30.0..=50.0, 150.0..=260.0]);
}

#[test]
fn a_page_asks_for_as_much_at_once_as_measured() {
    // 7 to 231 events in the fullest second, median 17.
    let peak = |of: &[&Line]| {
        let mut seconds: BTreeMap<i64, i64> = BTreeMap::new();
        for line in of {
            *seconds.entry(line.time_s).or_default() += 1;
        }
        seconds.into_values().max().unwrap()
    };
    spread("fullest second", peak, [4.0..=10.0, 13.0..=22.0, 100.0..=240.0]);
}

#[test]
fn sessions_see_as_much_as_measured() {
    // 3 to 19 services, median 11; 11 to 97 APIs, median 34; 1 region, up to 17 at once.
    spread(
        "services",
        |of| count(of, |line| line.service.clone()),
        [2.0..=8.0, 9.0..=13.0, 13.0..=21.0],
    );
    let apis = |of: &[&Line]| count(of, |line| (line.service.clone(), line.name.clone()));
    spread("APIs", apis, [10.0..=22.0, 27.0..=42.0, 60.0..=100.0]);
    spread(
        "regions",
        |of| count(of, |line| line.region.clone()),
        [1.0..=2.0, 1.0..=2.0, 17.0..=17.0],
    );
}

#[test]
fn sessions_change_and_fail_as_little_as_measured() {
    // 0 to 22 writes, median 3 with the sign-in; 0 to 22 errors, median 0; 0.9 to 1.7 % of all.
    let writes = |of: &[&Line]| number(of.iter().filter(|line| !line.read_only).count());
    spread("writes", writes, [0.0..=1.0, 2.0..=3.0, 8.0..=22.0]);
    let errors = |of: &[&Line]| number(of.iter().filter(|line| line.error).count());
    spread("errors", errors, [0.0..=0.0, 0.0..=1.0, 5.0..=24.0]);
    within(
        "errors in the console",
        share(|line| line.error, |line| line.in_console),
        0.009..=0.017,
    );
    within(
        "reads in the console",
        share(|line| line.read_only, |line| line.in_console),
        0.97..=0.995,
    );
}

#[test]
fn the_console_calls_itself_what_it_does() {
    // 45 % "AWS Internal", 32 % the browser, 17 % aws-internal/3.
    let console = |line: &Line| line.in_console;
    within("AWS Internal", share(|line| line.agent == "AWS Internal", console), 0.38..=0.52);
    within("browser", share(|line| line.agent.starts_with("Mozilla/"), console), 0.27..=0.38);
    within(
        "aws-internal/3",
        share(|line| line.agent.starts_with("aws-internal/3"), console),
        0.12..=0.22,
    );
}

#[test]
fn the_top_calls_are_those_measured() {
    let mut calls: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for line in lines().filter(|line| line.in_console) {
        *calls.entry((&line.service, &line.name)).or_default() += 1;
    }
    let mut calls: Vec<_> = calls.into_iter().collect();
    calls.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    println!("{:?}", &calls[..12]);
    assert_eq!(calls[0].0, ("health.amazonaws.com", "DescribeEventAggregates"));
    let top: Vec<&str> = calls.iter().take(30).map(|((_, name), _)| *name).collect();
    assert!(top.contains(&"ListAccessKeys") && top.contains(&"LookupEvents"), "{top:?}");
    assert!(top.iter().filter(|name| name.starts_with("Describe")).count() >= 10, "{top:?}");
}

// Other ways in.

#[test]
fn identity_center_tells_of_every_way_in() {
    let n = |name: &str| f64::from(month().portal.get(name).copied().unwrap_or_default());
    for name in ["UserAuthentication", "Authenticate", "Federate", "CreateToken"] {
        assert!(n(name) > 50.0, "{name}: {}", n(name));
    }
    // A password and a code a day, each asked for and checked.
    within("challenges", n("CredentialChallenge") / n("UserAuthentication"), 2.0..=2.0);
    within("checks", n("CredentialVerification") / n("UserAuthentication"), 2.0..=2.0);
    let sessions = lines().filter(|line| line.name == "GetSigninToken").count() as f64;
    within("federations for a session", n("Federate") / sessions, 1.0..=1.0);
}

#[test]
fn people_type_commands_read_data_and_plan() {
    let by = |start: &'static str| move |line: &Line| line.agent.starts_with(start);
    within("commands", share(by("aws-cli/"), |_| true), 0.02..=0.2);
    within("Terraform", share(by("APN/1.0 HashiCorp"), |_| true), 0.01..=0.2);
    let boto = share(|line| line.bytes_out > 0 && line.name == "GetObject", by("Boto3/"));
    within("objects in notebooks", boto, 0.5..=0.95);
    // Users of IAM have a long-lived key for the command line.
    let own_key = |line: &Line| line.key.starts_with("AKIA");
    within("calls with own keys", share(own_key, by("aws-cli/")), 0.05..=0.5);
    let others = lines().filter(|line| line.name == "AssumeRole");
    assert!(others.map(|line| &line.account).collect::<BTreeSet<_>>().len() > 1);
}

#[test]
fn a_plan_is_a_burst_from_one_place() {
    // 20 to 200 records in 10 to 30 s, one identity, one address.
    let mut runs: Vec<Vec<&Line>> = Vec::new();
    for lines in month().people.values() {
        for line in lines.iter().filter(|line| line.agent.starts_with("APN/1.0 HashiCorp")) {
            match runs.last_mut() {
                Some(run) if run[0].key == line.key && line.time_s - run[0].time_s <= 30 => {
                    run.push(line);
                }
                _ => runs.push(vec![line]),
            }
        }
    }
    assert!(runs.len() > 20, "{} runs", runs.len());
    for run in &runs {
        assert!((20..=200).contains(&run.len()), "{} calls", run.len());
        assert_eq!(count(run, |line| line.address.clone()), 1);
        within("seconds", (run[run.len() - 1].time_s - run[0].time_s) as f64, 8.0..=30.0);
    }
}

// Places and times.

/// The city whose networks have the address; `None` for the company's own network.
fn city_of(address: &str) -> Option<City> {
    let address: Ipv4Addr = address.parse().unwrap();
    let has = |city: &City| {
        [city.homes, city.mobile, city.business].iter().any(|network| network.contains(address))
    };
    let city = CITIES.into_iter().find(has);
    assert!(city.is_some() || COMPANY_VPN.contains(address), "{address} is nowhere");
    city
}

#[test]
fn nobody_travels_faster_than_an_airliner() {
    let (mut journeys, mut calls_by_vpn) = (0, 0);
    for (name, lines) in &month().people {
        let mut last: Option<(i64, City)> = None;
        for line in lines {
            let Some(city) = city_of(&line.address) else {
                calls_by_vpn += 1;
                continue;
            };
            if let Some((last_s, from)) = last.filter(|(_, from)| *from != city) {
                let hours = (line.time_s - last_s) as f64 / HOUR_S as f64;
                let km_h = from.distance_km(&city) / hours;
                assert!(km_h < 900.0, "{name}: {} to {} at {km_h}", from.name, city.name);
                journeys += 1;
            }
            last = Some((line.time_s, city));
        }
    }
    assert!(journeys >= 4, "{journeys} journeys");
    assert!(calls_by_vpn > 500, "{calls_by_vpn} calls");
}

#[test]
fn offices_share_addresses_and_homes_do_not() {
    let mut people: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, lines) in &month().people {
        for line in lines {
            people.entry(&line.address).or_default().insert(name);
        }
    }
    let network = |address: &str| -> Ipv4Addr { address.parse().unwrap() };
    let is_home = |address: &str| CITIES.iter().any(|city| city.homes.contains(network(address)));
    let is_vpn = |address: &str| COMPANY_VPN.contains(network(address));
    let is_office =
        |address: &str| CITIES.iter().any(|city| city.business.contains(network(address)));
    let shared =
        |is: &dyn Fn(&str) -> bool| people.iter().filter(|(at, of)| is(at) && of.len() > 1).count();
    // Two of one city may get the same by chance.
    assert!(shared(&is_home) <= 1);
    assert!(shared(&is_office) >= 5, "{}", shared(&is_office));
    assert!((1..=4).contains(&people.keys().filter(|at| is_vpn(at)).count()));
    assert!(shared(&is_vpn) >= 1);
    // Who goes to the office calls from home too, on other days or in the evening.
    let both = month().people.values().filter(|lines| {
        let any = |is: &dyn Fn(&str) -> bool| lines.iter().any(|line| is(&line.address));
        any(&is_home) && any(&is_office)
    });
    within("hybrid people", both.count() as f64 / month().people.len() as f64, 0.4..=0.95);
    let mobile =
        |line: &Line| CITIES.iter().any(|city| city.mobile.contains(network(&line.address)));
    within("calls from the street", share(mobile, |_| true), 0.005..=0.12);
}

/// Calls of people by the date on the wall where they are, and whether it is free there.
fn dates() -> BTreeMap<(usize, i64), (bool, u32)> {
    let of = organisation();
    let mut dates = BTreeMap::new();
    for (number, person) in of.people.iter().enumerate() {
        let name = if person.is_iam_user() {
            person.mail.split('@').next().unwrap_or_default()
        } else {
            person.mail.as_str()
        };
        for line in month().people.get(name).into_iter().flatten() {
            let (city, _) = person.city_at(line.time_s).expect("nobody calls from the air");
            let local_s = line.time_s + city.zone.offset_s(line.time_s);
            let date_s = local_s - local_s.rem_euclid(DAY_S);
            let is_free = !city.zone.is_working_day(date_s);
            let (_, n) = dates.entry((number, date_s)).or_insert((is_free, 0));
            *n += 1;
        }
    }
    dates
}

#[test]
fn weekends_and_holidays_are_quiet() {
    let dates = dates();
    let busy = |wanted: bool| {
        dates.values().filter(|(is_free, _)| *is_free == wanted).map(|(_, n)| n).sum::<u32>()
    };
    within(
        "calls on free days",
        f64::from(busy(true)) / f64::from(busy(true) + busy(false)),
        0.001..=0.05,
    );
    // Good Friday and Easter Monday in London, Berlin and Sydney; people elsewhere work.
    let of = organisation();
    let at_easter = |country: &str| {
        let easter = [32, 35].map(|day| START_S + day * DAY_S);
        let here = |(number, date_s): &&(usize, i64)| {
            of.people[*number].city_on(*date_s).is_some_and(|city| city.country == country)
                && easter.contains(date_s)
        };
        dates.keys().filter(here).count()
    };
    let (working, free) = (at_easter("US"), at_easter("DE") + at_easter("GB"));
    assert!(working >= 4 && free <= 2, "{working} and {free}");
}

#[test]
fn nobody_works_on_leave_and_somebody_at_night() {
    let of = organisation();
    for (number, date_s) in dates().into_keys() {
        let person = &of.people[number];
        // A session may go on past midnight, and on call is on call.
        let is_on_call = of.on_call(date_s) == Some(number);
        let yesterday = of.at_work(number, date_s - DAY_S).is_some();
        assert!(!person.has_time_off(date_s) || is_on_call || yesterday, "{}", person.mail);
        let day = (date_s - START_S) / DAY_S;
        assert!(person.is_here(day) || person.is_here(day - 1), "{}", person.mail);
    }
    let by_night = month().people.iter().flat_map(|(name, lines)| {
        let person = of.people.iter().find(|person| person.mail.starts_with(name.as_str()));
        lines.iter().filter_map(move |line| {
            let (city, _) = person?.city_at(line.time_s)?;
            Some(city.zone.hour(line.time_s))
        })
    });
    let hours: Vec<i64> = by_night.collect();
    let nightly = hours.iter().filter(|hour| (1..5).contains(*hour)).count();
    within("calls from 1 to 5", nightly as f64 / hours.len() as f64, 0.002..=0.04);
    let by_day = hours.iter().filter(|hour| (8..19).contains(*hour)).count();
    within("calls from 8 to 19", by_day as f64 / hours.len() as f64, 0.85..=0.99);
}

#[test]
fn some_join_leave_and_change_teams() {
    let of = Organisation::new(SEED, Size { people: 400, ..SIZE }, (START_S, 365));
    let n = |is: &dyn Fn(&testdata::organisation::Person) -> bool| {
        of.people.iter().filter(|person| is(person)).count() as f64 / 400.0
    };
    within("joiners", n(&|person| !person.is_here(0)), 0.02..=0.07);
    within("leavers", n(&|person| !person.is_here(364)), 0.01..=0.06);
    within("in another team", n(&|person| person.team(0) != person.team(364)), 0.01..=0.06);
    // Five weeks a year, and a few days ill: 10 to 14 % of the working days.
    let days = (0..365).map(|day| START_S + day * DAY_S);
    let off = days.flat_map(|date_s| {
        of.people.iter().filter_map(move |person| {
            let works = person.city.zone.is_working_day(date_s);
            works.then(|| person.has_time_off(date_s))
        })
    });
    let off: Vec<bool> = off.collect();
    let share = off.iter().filter(|is_off| **is_off).count() as f64 / off.len() as f64;
    within("days off", share, 0.09..=0.14);
}

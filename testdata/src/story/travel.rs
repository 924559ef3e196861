//! People who are somewhere else, have something new, or work when others sleep.

use super::calls::Look;
use super::scene::Scene;
use super::tools;
use super::{Hours, Story, VictimKind};
use crate::aws::api::{database, ec2, lambda, network, s3, sts, systems};
use crate::aws::caller::Caller;
use crate::aws::caller::agents::{self, LINUX, Laptop, WINDOWS};
use crate::clock::{DAY_S, HOUR_S};
use crate::places::{CITIES, City};

pub(super) const BUSINESS_TRIP: Story = Story {
    name: "business-trip",
    about: "somebody works from another country after a flight long enough",
    is_harmless: true,
    victim: VictimKind::Person,
    hours: Hours::Leaving,
    days: 5,
    tell: business_trip,
};
pub(super) const NEW_LAPTOP: Story = Story {
    name: "new-laptop",
    about: "somebody has a new computer and a new provider on one day",
    is_harmless: true,
    victim: VictimKind::Person,
    hours: Hours::Work,
    days: 2,
    tell: new_laptop,
};
pub(super) const ON_CALL: Story = Story {
    name: "on-call",
    about: "somebody repairs something at night, in a hurry",
    is_harmless: true,
    victim: VictimKind::Person,
    hours: Hours::Night,
    days: 1,
    tell: on_call,
};

/// A morning at the console: sign-in, pages, a few calls by hand.
fn session(scene: &mut Scene<'_>, (address, browser, tool): (&str, &str, &str)) {
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let caller = scene.victim.caller(&key, scene.now_s);
    let browser = caller.moved(address, browser);
    scene.sign_in(&browser);
    scene.now_s += scene.rng.between(2, 15);
    let n = usize::try_from(scene.rng.between(15, 70)).unwrap_or(15);
    scene.open_console(&browser, n);
    by_hand(scene, &caller.moved(address, tool));
}

/// The same with the victim's own computer, somewhere else.
fn own_session(scene: &mut Scene<'_>, address: &str) {
    let victim = scene.victim;
    session(scene, (address, victim.laptop.browser, &victim.agent));
}

fn by_hand(scene: &mut Scene<'_>, caller: &Caller) {
    let calls: [Look; 5] = [
        sts::get_caller_identity,
        s3::list_buckets,
        ec2::describe_instances,
        |at, rng| systems::describe_log_groups(at, "/aws/", rng),
        |at, rng| systems::filter_log_events(at, "/aws/lambda/api", rng),
    ];
    for call in calls {
        scene.now_s += scene.rng.between(20, 600);
        scene.make(caller, call);
    }
}

fn business_trip(scene: &mut Scene<'_>) {
    let home = CITIES.into_iter().find(|city| city.zone == scene.victim.zone).unwrap_or(CITIES[0]);
    let cities: Vec<City> = CITIES.into_iter().filter(|city| *city != home).collect();
    let city = scene.rng.pick(&cities).copied().unwrap_or(home);
    // The last thing at home; then the flight, and the next mornings there.
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let caller = scene.victim.caller(&key, scene.now_s - HOUR_S);
    let call = sts::get_caller_identity(scene.at(), &mut scene.rng);
    scene.ordinary(&caller, call);
    let lands_s = scene.now_s + home.journey_s(&city);
    let hotel = city.business.address(&mut scene.rng).to_string();
    let mut left = scene.rng.between(2, 3);
    let first_s = scene.start_s - scene.start_s.rem_euclid(DAY_S);
    for date_s in (0..BUSINESS_TRIP.days).map(|day| first_s + day * DAY_S) {
        let at_s = city.zone.at(date_s, scene.rng.between(8 * HOUR_S, 11 * HOUR_S));
        if left == 0 || at_s < lands_s || !city.zone.is_working_day(date_s) {
            continue;
        }
        left -= 1;
        scene.now_s = at_s;
        scene.step("signed-in-abroad", "T1078.004");
        own_session(scene, &hotel);
        if scene.rng.one_in(2) {
            let street = city.mobile.address(&mut scene.rng).to_string();
            own_session(scene, &street);
        }
    }
}

fn new_laptop(scene: &mut Scene<'_>) {
    let near = tools::near(&scene.victim.address, &mut scene.rng);
    let city = CITIES.into_iter().find(|city| city.zone == scene.victim.zone);
    let moved = city.map(|city| city.business.address(&mut scene.rng).to_string());
    let address = moved.or(near).unwrap_or_else(|| scene.victim.address.clone());
    let is_new = |laptop: &Laptop| laptop.browser != scene.victim.laptop.browser;
    let laptop = [LINUX, WINDOWS].into_iter().find(is_new).unwrap_or(LINUX);
    let tool = agents::running(laptop.command_line, "s3.ls");
    scene.step("new-computer", "T1078.004");
    for _ in 0..scene.rng.between(1, 3) {
        session(scene, (&address, laptop.browser, &tool));
        scene.now_s += scene.rng.between(HOUR_S, 2 * HOUR_S);
    }
}

fn on_call(scene: &mut Scene<'_>) {
    let city = CITIES.into_iter().find(|city| city.zone == scene.victim.zone);
    let mobile = city.map(|city| city.mobile.address(&mut scene.rng).to_string());
    let address = mobile.unwrap_or_else(|| scene.victim.address.clone());
    scene.step("woken-at-night", "T1078.004");
    own_session(scene, &address);
    scene.step("repaired", "T1578");
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let caller = scene.victim.caller(&key, scene.now_s).moved(&address, &scene.victim.agent);
    let calls: [Look; 9] = [
        systems::describe_alarms,
        |at, rng| systems::start_query(at, "/aws/ecs/api", rng),
        |at, rng| {
            let query = rng.uuid();
            systems::get_query_results(at, query, rng)
        },
        |at, rng| systems::describe_services(at, "main", "api", rng),
        |at, rng| systems::update_service(at, "main", "api", "api", rng),
        |at, rng| {
            let instance = format!("i-0{}", rng.hex(16));
            ec2::reboot_instances(at, instance, rng)
        },
        |at, rng| database::reboot_db_instance(at, "orders", rng),
        |at, rng| network::set_desired_capacity(at, "workers", 6, rng),
        |at, rng| {
            let layer = format!("arn:aws:lambda:{}:{}:layer:tools:4", at.region, at.account);
            lambda::update_function_configuration(at, "api", layer, rng)
        },
    ];
    for call in calls {
        scene.wait(10, 240);
        scene.make(&caller, call);
    }
}

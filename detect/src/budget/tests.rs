use super::*;
use crate::{
    Engine, Finding, Options,
    testkit::{Logs, TODAY, says},
};
use baseline::{Day, HeightHistory, Weight};
use ingest::{
    enrich::Enrich,
    testkit::{Call, call},
};
use proptest::prelude::*;

fn alice() -> Call {
    call("alice").from_ip("81.2.69.142").agent("aws-cli/2.15.30 os/linux")
}

/// Somebody with Alice's key, from a Tor exit.
fn intrusion() -> Logs {
    let stranger = alice().api("iam:CreateAccessKey").from_ip("185.220.101.1");
    Logs::new().habit(7, 2, alice).call(0, "9:00", stranger)
}

/// An engine in which each of the last 20 days of so many others of her kind reached `height` bits.
fn among(n_others: i32, height: f64) -> Engine {
    let mut engine = Engine::new(Options::default(), Enrich::built_in());
    for day in TODAY.0 - 22..TODAY.0 - 2 {
        for _ in 0..n_others {
            engine.heights.add(Day(day), Kind::Human, (Bits::of(height), Weight::PLAIN));
        }
    }
    engine
}

fn found(engine: &mut Engine) -> Option<Finding> {
    let mut found = intrusion().judged_by(engine);
    found.retain(|finding| finding.about.id == "anomalous-persistence");
    assert!(found.len() < 2, "{found:#?}");
    found.pop()
}

/// What her finding carries, where nobody makes noise.
fn bits() -> f64 {
    let finding = found(&mut among(0, 0.0)).unwrap();
    assert_eq!(finding.threshold, Some(Threshold { bits: 40.0, bound: Bound::Kind }));
    says(&finding, &["where 40 are unusual for its kind"]);
    finding.bits().as_f64()
}

#[test]
fn noise_raises_the_bound_until_it_keeps_within_the_budget() {
    let bits = bits();
    assert!((42.0..49.0).contains(&bits), "{bits}");
    // Twenty a day, where five are to be told.
    let finding = found(&mut among(20, bits - 1.0)).unwrap();
    let threshold = finding.threshold.unwrap();
    assert_eq!(threshold.bound, Bound::Budget);
    assert!((bits - 1.0..bits).contains(&threshold.bits), "{threshold:?}");
    says(&finding, &[&format!("where {:.1} keep within the alert budget", threshold.bits)]);
    assert_eq!(found(&mut among(20, bits + 1.0)), None);
    // With a budget for all of them it is told.
    let mut engine = among(20, bits + 1.0);
    engine.context.options.alerts_per_day = NonZeroU32::new(25).unwrap();
    assert_eq!(found(&mut engine).unwrap().threshold.unwrap().bound, Bound::Kind);
}

#[test]
fn whoever_owns_noisy_identities_raises_the_bound_by_ten_bits_at_most() {
    let stranger = |api| alice().api(api).from_ip("185.220.101.1").agent("python-requests/2.31.0");
    let loud = intrusion().call(0, "9:10", stranger("iam:CreateUser"));
    let mut found = loud.judged_by(&mut among(500, 400.0));
    found.retain(|finding| finding.about.id == "anomalous-persistence");
    let threshold = found[0].threshold.unwrap();
    assert_eq!(threshold, Threshold { bits: 40.0 + RAISE_MAX, bound: Bound::Budget });
}

#[test]
fn the_budget_is_asked_on_the_way_by_all_days_that_the_close_asks() {
    let told = |height: f64| {
        let mut engine = among(0, 0.0);
        engine.context.options.alerts_per_day = NonZeroU32::new(25).unwrap();
        // They were all there on the last day that counts.
        for _ in 0..200 {
            let one = (Bits::of(height), Weight::PLAIN);
            engine.heights.add(Day(TODAY.0 - 3), Kind::Human, one);
        }
        engine.note_touched();
        intrusion().read_by(&mut engine).iter().any(|one| one.about.id == "anomalous-persistence")
    };
    assert!(told(30.0) && !told(bits() + 1.0));
}

#[test]
fn the_budget_changes_nothing_of_what_is_learned_nor_of_what_others_tell() {
    let (mut quiet, mut noisy) = (among(0, 0.0), among(20, bits() + 1.0));
    // With a record of which a rule knows that it is bad.
    let logs = intrusion().call(0, "9:05", alice().api("cloudtrail:StopLogging"));
    let told = [&mut quiet, &mut noisy].map(|engine| {
        let found = logs.clone().judged_by(engine);
        engine.advance(Day(TODAY.0 + 9).start_ms()).unwrap();
        found
    });
    let [mut all, others] = told;
    let is_unusual = |finding: &Finding| finding.about.id.starts_with("anomalous-");
    assert!(all.iter().any(is_unusual) && !others.iter().any(is_unusual), "{others:#?}");
    all.retain(|finding| !is_unusual(finding));
    assert_ne!(all, []);
    assert_eq!(all, others);
    let [(shards, priors, ..), (same_shards, same_priors, ..)] = [quiet.memory(), noisy.memory()];
    assert!(shards == same_shards && priors == same_priors);
}

#[test]
fn a_kind_of_which_few_days_are_known_has_its_own_bound() {
    let mut history = HeightHistory::default();
    for day in 0..20 {
        for n in 0..200 {
            // The root user is one, and is loud every day.
            let (kind, height) = if n == 0 { (Kind::Root, 90.0) } else { (Kind::Human, 44.0) };
            history.add(Day(day + 1), kind, (Bits::of(height), Weight::PLAIN));
        }
    }
    history.merge(Day(20));
    let heights = history.at(Day(20));
    let asked = |kind| asked(heights, kind, ALERTS_PER_DAY);
    assert_eq!((asked(Kind::Root), asked(Kind::Agent)), (None, None));
    assert_eq!(asked(Kind::Human), Some(Bits::of(44.1)));
    assert_eq!(Threshold::of(40.0, asked(Kind::Root)), Threshold::of(40.0, None));
    // After few days nothing is known of anybody.
    let mut young = HeightHistory::default();
    young.add(Day(1), Kind::Human, (Bits::of(90.0), Weight::PLAIN));
    young.merge(Day(1));
    assert_eq!(super::asked(young.at(Day(1)), Kind::Human, ALERTS_PER_DAY), None);
}

#[test]
fn days_on_which_others_found_something_weigh_an_eighth() {
    let heights = |logs: Logs| {
        let mut engine = among(0, 0.0);
        assert!(!logs.judged_by(&mut engine).is_empty());
        engine.heights.prepare(TODAY);
        let (n, before) = (engine.heights.at(TODAY).n_all(), Day(TODAY.0 - 1));
        engine.heights.prepare(before);
        n - engine.heights.at(before).n_all() * 0.5_f64.powf(1.0 / 30.0)
    };
    let day = 0.5_f64.powf(1.0 / 30.0);
    let (plain, alerted) = (heights(intrusion()), {
        heights(intrusion().call(0, "9:05", alice().api("cloudtrail:StopLogging")))
    });
    assert!(
        (plain - day).abs() < 0.001 && (alerted - day / 8.0).abs() < 0.001,
        "{plain} {alerted}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_more_days_reach_what_is_asked_than_there_are_alerts(
        samples in prop::collection::vec((0..20, 0..2_usize, 0..80_u32), 200..600),
        alerts_per_day in 1..12_u32,
    ) {
        const KINDS: [Kind; 2] = [Kind::Human, Kind::Workload];
        let mut history = HeightHistory::default();
        for (day, kind, height) in &samples {
            let height = Bits::of(f64::from(*height));
            history.add(Day(day + 1), KINDS[*kind], (height, Weight::PLAIN));
        }
        history.prepare(Day(20));
        let alerts_per_day = NonZeroU32::new(alerts_per_day).unwrap();
        let asked = KINDS.map(|kind| asked(history.at(Day(20)), kind, alerts_per_day));
        // Of a day that decays no more than others, the days that reach it are counted here.
        let decay = |day: i32| 0.5_f64.powf(f64::from(20 - day) / 30.0);
        let mut n_days: Vec<i32> = samples.iter().map(|(day, ..)| *day).collect();
        n_days.sort_unstable();
        n_days.dedup();
        let budget = n_days.iter().map(|day| decay(*day)).sum::<f64>() * f64::from(alerts_per_day.get());
        let reached = samples.iter().filter(|(_, kind, height)| {
            asked[*kind].is_some_and(|asked| f64::from(*height) >= asked.as_f64())
        });
        let reached: f64 = reached.map(|(day, ..)| decay(*day)).sum();
        prop_assert!(reached <= budget + 0.001, "{reached} {budget}");
    }
}

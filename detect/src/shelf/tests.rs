use super::*;
use crate::{
    Options,
    testkit::{Kept, apply, at, rules},
};
use ingest::{enrich::Enrich, testkit as raw};

/// An engine whose rule every call matches, and that holds so much.
fn matching(bytes_max: usize) -> Engine {
    let rule = "title: put\nname: put\nlogsource: {product: aws, service: cloudtrail}\n\
                detection:\n  s: {eventName: PutObject}\n  condition: s\n";
    let options = Options { rules: rules(rule), ..Options::default() };
    let mut engine = Engine::new(options, Enrich::built_in());
    Kept::default().bound(&mut engine, bytes_max);
    engine
}

/// The same, after a rule matched what 4,000 strangers did.
fn flooded(bytes_max: usize) -> Engine {
    let mut engine = matching(bytes_max);
    for batch in 0..40 {
        let call = |n: usize| {
            let call = raw::call(&format!("stranger-{batch}-{n}")).api("s3:PutObject");
            call.at_ms(at(0, "10:00")).raw()
        };
        apply(&mut engine, &(0..100).map(call).collect::<Vec<_>>());
    }
    engine
}

fn profiles_bytes(engine: &Engine) -> usize {
    engine.shards.iter().map(|shard| shard.profiles.n_bytes()).sum()
}

#[test]
fn profiles_give_way_to_what_rules_matched() {
    let room = 2 << 20;
    let engine = flooded(room);
    let matches: usize = engine.shards.iter().map(|shard| shard.matches.n_bytes()).sum();
    let profiles = profiles_bytes(&engine);
    assert!(matches > room / 2, "{matches}");
    assert!(profiles > room / 8, "{profiles}");
    assert!(matches + profiles <= room, "{matches} and {profiles}");
    assert_eq!(engine.held_bytes(), (matches + profiles) as u64);
    assert!(engine.intake().n_away > 0);
}

#[test]
fn what_rules_matched_leaves_profiles_a_quarter() {
    let room = 1 << 20;
    let profiles = profiles_bytes(&flooded(room));
    assert!((room / 8..=room / 4).contains(&profiles), "{profiles}");
}

#[test]
fn turns_hold_as_many_as_are_worked_on_at_once() {
    let mut engine = matching(1 << 20);
    engine.profiles_at_once = 5;
    let asked = [3, 2, 1, 9, 0, 4, 1].map(|n: u128| (0..n).collect());
    assert_eq!(engine.turns(&asked), [0..2, 2..3, 3..4, 4..7]);
}

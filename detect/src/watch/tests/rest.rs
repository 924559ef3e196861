//! Groups that rest are what they were in use, in a part of the memory.

use super::{correlation, rule};
use crate::{
    testkit::{TODAY, rules},
    watch::{Found, Memory, Sighting, memory::IN_USE_MAX},
};
use baseline::{Call, Day, Entity, EventId, Evidence, HashKey, Kind, Slot};
use proptest::prelude::*;
use std::sync::Arc;

const KEY: HashKey = HashKey::DEFAULT;

/// Who, in which slot of three days, of which rule, with which value.
type Deed = (u8, i32, u16, u8);

fn found((who, _, member, value): Deed) -> Found {
    let value = KEY.value(&format!("region-{value}"));
    Found {
        watch: 0,
        member,
        group: format!("arn:aws:iam::111122223333:user/{who}"),
        counted: vec![value.clone()],
        clause: None,
        targets: vec![value],
    }
}

fn sighting((deed, found): (Deed, &Found), number: u128) -> Sighting<'_> {
    let (who, slot, ..) = deed;
    let entity = Entity {
        account: "111122223333".into(),
        kind: Kind::Human,
        key: found.group.as_str().into(),
    };
    let slot = Slot(TODAY.first_slot().0 + slot);
    let call = Call {
        api: "ec2:DescribeRegions".into(),
        address: Some(format!("198.51.100.{who}").into()),
        access_key: Some(format!("AKIAEXAMPLE{who:09}").into()),
        region: Some("us-east-1".into()),
        actor: Some(Arc::clone(&entity.key)),
    };
    let evidence = Evidence {
        time_ms: slot.start_ms(),
        id: EventId::from(number),
        call: call.into(),
        amount: 1,
    };
    let id = entity.id();
    Sighting { entity, id, slot, found, evidence, api: None, flow: None }
}

#[test]
fn of_more_than_may_be_in_use_all_rest() {
    let mut memory = Memory::new(KEY);
    let n_max = i32::try_from(IN_USE_MAX).unwrap();
    let add = |memory: &mut Memory, n: i32| {
        let deed = (u8::try_from(n % 9).unwrap(), n / 9, 0, 0);
        memory.add(&sighting((deed, &found(deed)), n.unsigned_abs().into()));
        memory.rest();
    };
    (0..n_max).for_each(|n| add(&mut memory, n));
    let in_use = memory.n_bytes();
    add(&mut memory, n_max);
    assert!(memory.n_bytes() * 3 < in_use, "{} after {in_use}", memory.n_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn groups_at_rest_are_what_they_were(
        deeds in proptest::collection::vec((0..9_u8, 0..3 * 288_i32, 0..2_u16, 0..4_u8), 1..80),
        (in_use_bytes, n_at_once) in (0..9_000_usize, 1..30_usize),
    ) {
        let text = rule("a", "PutObject", "") + &rule("b", "GetObject", "")
            + &correlation("type: temporal, rules: [a, b], group-by: [userIdentity.arn], timespan: 1d");
        let rules = rules(&text);
        let watches = rules.watches();
        let (mut used, mut rested) = (Memory::new(KEY), Memory::new(KEY));
        rested.hold(in_use_bytes);
        for (some, at) in deeds.chunks(n_at_once).zip(0_u128..) {
            let found: Vec<Found> = some.iter().copied().map(found).collect();
            for ((&deed, found), n) in some.iter().zip(&found).zip(0_u128..) {
                used.add(&sighting((deed, found), at << 64 | n));
                rested.add(&sighting((deed, found), at << 64 | n));
            }
            rested.rest();
            prop_assert!(used == rested);
        }
        for day in (0..3).map(|n| Day(TODAY.0 + n)) {
            let written = |memory: &Memory| {
                memory.write_day((7, 0, day), watches).map(|(key, to)| (key, to.finish()))
            };
            prop_assert_eq!(written(&used), written(&rested));
        }
        rested.hold(0);
        rested.rest();
        prop_assert!(used == rested);
        prop_assert!(rested.n_bytes() * 2 < used.n_bytes());
        rested.advance(Day(TODAY.0 + 9), watches);
        prop_assert_eq!(rested.n_bytes(), 0);
    }
}

use super::*;
use crate::{
    aggregate::{Aggregate, Entry, First},
    evidence::{Call, EventId, Evidence},
    generation::N_PRIORS,
    history::History,
    memory::Weight,
    place::{Place, Stay},
    profile::Profile,
    talk::{Session, Talk},
    time::{Hour, Lateness},
    value::HashKey,
};
use proptest::prelude::*;

const KEY: HashKey = HashKey::DEFAULT;
/// The first day that is not closed.
const OPEN: Day = Day(24);

/// What somebody did: how many days before [`OPEN`], in which slot, of what, which value, how much.
type Deed = (i32, i32, usize, u8, u64);

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = (0..9_i32, 0..288_i32, 0..Dimension::ALL.len(), 0..20_u8, 1..300_u64);
    proptest::collection::vec(deed, 0..60)
}

fn record(n: u64, time_ms: i64) -> Evidence {
    let id = if n.is_multiple_of(3) {
        format!("e-{n}")
    } else {
        format!("{n:08x}-0000-4000-8000-000000000000")
    };
    let call = Call {
        api: "s3:PutObject".into(),
        address: n.is_multiple_of(2).then(|| "81.2.69.142".into()),
        access_key: Some("AKIAIOSFODNN7EXAMPLE".into()),
        region: None,
        actor: Some("arn:aws:iam::111122223333:user/alice".into()),
    };
    Evidence { time_ms, id: EventId::new(&id), call: call.into(), amount: n }
}

fn entity() -> Entity {
    Entity { account: "111122223333".into(), kind: Kind::Human, key: "alice".into() }
}

fn aggregate(deed: &Deed) -> Aggregate {
    let (days_back, slot, dimension, value, amount) = *deed;
    let slot = Slot(Day(OPEN.0 - 1 - days_back).first_slot().0 + slot);
    let dimension = Dimension::ALL[dimension];
    let track = Track { impact: Impact::ALL[usize::from(value) % 10], is_s3: value % 2 == 0 };
    let evidence = (value % 4 == 0).then(|| Box::new(record(amount, slot.start_ms())));
    let value = Some(KEY.value(&format!("{}-{value}", dimension.name())));
    let first = Some(First { track, time_ms: slot.start_ms(), row: 0 });
    let others = Vec::new();
    let entry = Entry { dimension, slot, value, amount, n_records: 1, evidence, first, others };
    let address: IpAddr = if amount % 2 == 0 { [81, 2, 69, 142].into() } else { [7_u16; 8].into() };
    let place = Place {
        rank: KEY.hash(&address.to_string()),
        address,
        country: Some(KEY.value("GB")),
        network: None,
        access_key: Some("AKIAIOSFODNN7EXAMPLE".into()),
    };
    let stay = Stay {
        place,
        first: record(1, slot.start_ms()),
        last: record(2, slot.start_ms() + 1),
        n_records: 2,
    };
    let talks = (deed.3 > 12).then(|| {
        let mut talk = Talk::new(KEY.value("192.0.2.1 443"), deed.3);
        (talk.n_flows, talk.bytes, talk.squares) = (amount, (amount, 9), 300);
        talk.open(slot, 3);
        (slot.hour().day(), talk)
    });
    let sessions = (deed.3 > 15).then(|| {
        let with = KEY.value("192.0.2.1 22");
        (slot.hour(), Session { with, protocol: 6, port: u16::from(deed.3), covered_s: 299 })
    });
    let (entries, stays) = (vec![entry], vec![(slot, stay)]);
    let (talks, sessions) = (talks.into_iter().collect(), sessions.into_iter().collect());
    Aggregate { entries, stays, talks, sessions, ..Aggregate::of(entity()) }
}

/// A profile that has done so, with its days before [`OPEN`] closed, each third with an alert.
fn profile(deeds: &[Deed]) -> Profile {
    let lateness = Lateness::default();
    let mut sorted = deeds.to_vec();
    sorted.sort_by_key(|deed| -deed.0);
    let mut profile = Profile::new(Day(OPEN.0 - 20), lateness);
    for deed in &sorted {
        let first = |_| Some(record(9, 9));
        profile.apply(&aggregate(deed), (&first, &|_| 9), (Day(OPEN.0 - 20), lateness));
    }
    while let Some(day) = profile.closing(OPEN) {
        profile.settle(day, Some(9), lateness);
        let weight = if day.0 % 3 == 0 { Weight::ALERTED } else { Weight::PLAIN };
        profile.close(day, weight, lateness);
    }
    profile.advance(OPEN, lateness);
    profile
}

fn write(profile: &Profile) -> Vec<u8> {
    let mut to = Writer::default();
    entity().write(&mut to);
    profile.write_closed(OPEN, &mut to);
    to.finish()
}

fn read(bytes: &[u8]) -> Result<(Entity, Profile), FormError> {
    let mut texts = Texts::default();
    let mut from = Reader::new(bytes, &KEY, &mut texts)?;
    let read = (Entity::read(&mut from)?, Profile::read_closed(&mut from)?);
    from.finish()?;
    Ok(read)
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>();
    digits.chunks(40).map(|line| line.concat() + "\n").collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read(deeds in deeds()) {
        let profile = profile(&deeds);
        let bytes = write(&profile);
        let (of, again) = read(&bytes).unwrap();
        prop_assert_eq!(of, entity());
        prop_assert_eq!(&again, &profile);
        prop_assert_eq!(write(&again), bytes);
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let any = sealed(bytes.clone());
        let ours = sealed([&[FORM][..], &bytes].concat());
        for bytes in [bytes, any, ours] {
            drop(read(&bytes));
        }
    }

    #[test]
    fn numbers_read_back(small in any::<(u16, u32, i32)>(), large in any::<(u64, i64, u128)>()) {
        let mut to = Writer::default();
        small.write(&mut to);
        large.write(&mut to);
        let bytes = to.finish();
        let mut texts = Texts::default();
        let mut from = Reader::new(&bytes, &KEY, &mut texts).unwrap();
        prop_assert_eq!(Form::read(&mut from), Ok(small));
        prop_assert_eq!(Form::read(&mut from), Ok(large));
        prop_assert_eq!(from.finish(), Ok(()));
    }
}

/// A bit of everything: nine days, with news in the last hour of the last.
fn sample() -> Profile {
    let habits =
        (0..9).flat_map(|day| [(day, 120, 0, 1, 3), (day, 121, 9, 2, 40), (day, 287, 30, 4, 6)]);
    let last = (0..8).map(|n| (0, 286, usize::from(n) % 9, n + 5, 12));
    profile(&habits.chain(last).collect::<Vec<_>>())
}

#[test]
fn forms_stay_readable() {
    // What `sample` was when they were made.
    let newest = include_str!("form-5.hex");
    let older = [
        include_str!("form-1.hex"),
        include_str!("form-2.hex"),
        include_str!("form-3.hex"),
        include_str!("form-4.hex"),
    ];
    for written in older.into_iter().chain([newest]) {
        reads_as_sample(&bytes(written));
    }
    assert_eq!(hex(&write(&sample())), newest, "what changes the form makes a new one");
}

fn reads_as_sample(written: &[u8]) {
    let (of, mut profile) = read(written).unwrap();
    assert_eq!((of, &profile), (entity(), &sample()));
    let nothing = History::default();
    let lateness = Lateness::default();
    let (usual, hours) = profile.generation(OPEN, [&nothing; N_PRIORS], lateness);
    assert_eq!((usual.own_days(), hours.touched(Hour(0), Hour(i32::MAX)).len()), (8, 2));
    let api = KEY.value("api-1");
    assert!(usual.knows(Dimension::Api, &api));
    // Of eight days three had an alert, and weigh 1/8.
    assert_eq!(usual.n_days(Dimension::Api, &api), 5);
    assert_eq!(format!("{:.2}", usual.own.rate(Dimension::CallsRead).mean()), "39.99");
    let told = hours.span(Hour(OPEN.0 * 24 - 1)).window(Dimension::ObjectsReencrypted).unwrap();
    assert_eq!((told.statistic, told.counted.records.iter().count()), (6, 1));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let bytes = write(&sample());
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            assert_eq!(read(&flipped), Err(FormError::Damaged), "{at}");
        }
        assert_eq!(read(&bytes[..at]), Err(FormError::Damaged), "{at}");
    }
}

#[test]
fn what_a_later_program_wrote_is_refused() {
    let newer = sealed(vec![FORM + 1]);
    assert_eq!(
        read(&newer).unwrap_err().to_string(),
        "it has form 6 (expected at most 5); use the sentrail that wrote it, or a newer one"
    );
    let mut to = Writer::default();
    to.bytes.extend(tag("a dimension of next year").to_le_bytes());
    let bytes = to.finish();
    let mut texts = Texts::default();
    let mut from = Reader::new(&bytes, &KEY, &mut texts).unwrap();
    assert_eq!(Dimension::read(&mut from), Err(FormError::Unknown));
}

#[test]
fn no_two_names_have_the_same_tag() {
    let tags =
        |names: Vec<&str>| names.into_iter().map(tag).collect::<std::collections::BTreeSet<_>>();
    let dimensions = Dimension::ALL.iter().map(|one| one.name()).collect();
    assert_eq!(tags(dimensions).len(), Dimension::ALL.len());
    assert_eq!(tags(Impact::ALL.iter().map(|one| one.name()).collect()).len(), Impact::ALL.len());
    assert_eq!(tags(Kind::ALL.iter().map(|one| one.name()).collect()).len(), Kind::ALL.len());
}

#[test]
fn a_text_is_written_and_kept_once() {
    let long = "x".repeat(100);
    let text: Arc<str> = long.as_str().into();
    let bytes_of = |texts: Vec<Arc<str>>| {
        let mut to = Writer::default();
        texts.write(&mut to);
        to.finish()
    };
    let bytes = bytes_of(vec![Arc::clone(&text); 5]);
    assert_eq!(bytes.len(), 1 + 1 + (1 + 1 + 100) + 4 + CHECKSUM_BYTES);
    let mut texts = Texts::default();
    let mut read = || -> Vec<Arc<str>> {
        let mut from = Reader::new(&bytes, &KEY, &mut texts).unwrap();
        Form::read(&mut from).unwrap()
    };
    let (one, other) = (read(), read());
    assert!(Arc::ptr_eq(&one[0], &one[4]) && Arc::ptr_eq(&one[0], &other[0]));
}

#[test]
fn what_open_days_hold_is_not_written() {
    let closed = sample();
    let mut open = closed.clone();
    let late = (-1, 5, 3, 7, 2);
    open.apply(&aggregate(&late), (&|_| None, &|_| 9), (OPEN, Lateness::default()));
    assert_ne!(open, closed);
    assert_eq!(write(&open), write(&closed));
    let nothing = Profile::new(OPEN, Lateness::default());
    assert!(!nothing.write_closed(OPEN, &mut Writer::default()));
    assert!(closed.write_closed(OPEN, &mut Writer::default()));
    assert!(History::default().is_empty() && !closed.touched(Day(0), OPEN).is_empty());
    assert_eq!(Hour(OPEN.0 * 24 - 1), *closed.touched(Day(0), OPEN).last().unwrap());
}

use super::*;
use crate::Archive;
use crate::aws::flow::VERSION_2;
use crate::clock::{DAY_S, HOUR_S};
use crate::story::scene::HABIT_DAYS_MAX;
use crate::story::{STORIES, Told, deliver, in_one_object, named};

/// Monday 2026-03-02. Unit: seconds since the Unix epoch.
const START_S: i64 = 1_772_409_600;
const ACCOUNT: &str = "111122223333";
const OTHER: &str = "444455556666";
const MACHINE: &str = r#"{"type":"AssumedRole","principalId":"AROAEXAMPLE:i-0123456789abcdef0",
    "arn":"arn:aws:sts::111122223333:assumed-role/worker/i-0123456789abcdef0",
    "accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{
    "type":"Role","principalId":"AROAEXAMPLE","accountId":"111122223333","userName":"worker",
    "arn":"arn:aws:iam::111122223333:role/fleet/worker"},"ec2RoleDelivery":"2.0"}}"#;
const USER: &str = r#"{"type":"IAMUser","principalId":"AIDAEXAMPLE",
    "arn":"arn:aws:iam::111122223333:user/ada","accountId":"111122223333",
    "accessKeyId":"AKIAEXAMPLE","userName":"ada"}"#;

fn call(identity: &str) -> Seen<'_> {
    Seen {
        time_s: START_S + 9 * HOUR_S,
        account: ACCOUNT,
        region: "me-central-1",
        address: "91.64.0.9",
        agent: "aws-cli/2",
        identity,
        ..Seen::default()
    }
}

/// Ten days of somebody, and what others do beside.
fn known(identity: &str) -> Known {
    let mut known = Known::new(ACCOUNT, None);
    for n in 0..200 {
        let object = format!("in/{}.csv", n % 50);
        let call = Seen { time_s: START_S + n * HOUR_S, ..call(identity) };
        known.own(&Seen { bucket: Some("ledger"), object: Some(&object), ..call });
        known.own(&Seen { bucket: Some("seldom"), address: "lambda.amazonaws.com", ..call });
        known.around(&Seen { bucket: Some("of-others"), account: OTHER, ..call });
        known.around(&Seen { bucket: Some("shared"), ..call });
        known.around(&Seen { account: "not/an/account", ..call });
    }
    let arn = "arn:aws:secretsmanager:me-central-1:111122223333:secret:db-AbCdEf";
    known.around(&Seen { secret: Some(arn), ..call("") });
    let trail = "arn:aws:cloudtrail:me-central-1:111122223333:trail/everything";
    known.around(&Seen { trail: Some(trail), ..call("") });
    known
}

fn interface() -> Known {
    let mut known = Known::new(ACCOUNT, Some("eni-1"));
    let address = |text: &str| Some(text.parse().unwrap());
    for (id, own) in [("eni-1", "10.0.0.1"), ("eni-2", "10.0.0.2")] {
        for n in 0..20 {
            let ends = [address(own), address(&format!("192.0.2.{n}"))];
            let fields = &mut || Fields::from([("subnet-id".to_owned(), format!("subnet-{id}"))]);
            known.row(id, ("eu-west-1", START_S + n * HOUR_S), ends, fields);
        }
    }
    let header = "end interface_id srcaddr dstaddr tcp-flags flow-direction subnet-id vpc-id";
    known.flow_log(Some("fl-1"), Format::of(header.split(' ')));
    known
}

fn told(known: &Known, name: &str) -> (Victim, Told) {
    let story = named(name).unwrap();
    let victim = known.victim(story).unwrap();
    let told = story.told(&victim, (START_S, START_S + 5 * DAY_S), Rng::new(5));
    (victim, told)
}

#[test]
fn the_victim_is_what_was_seen_most() {
    let victim = known(MACHINE).victim(named("codefinger").unwrap()).unwrap();
    assert_eq!((victim.region, &*victim.address), ("me-central-1", "91.64.0.9"));
    assert_eq!(victim.buckets, ["ledger", "seldom", "shared"]);
    assert_eq!((victim.objects.len(), &*victim.objects[0]), (50, "in/0.csv"));
    assert_eq!((victim.secrets, &*victim.trail), (vec!["db-AbCdEf".to_owned()], "everything"));
    assert_eq!(victim.second_account.as_deref(), Some(OTHER));
}

#[test]
fn records_have_the_identity_as_it_was() {
    let (victim, told) = told(&known(MACHINE), "codefinger");
    assert_eq!(told.truth.entity, "arn:aws:iam::111122223333:role/fleet/worker");
    assert_eq!(victim.entity(), told.truth.entity);
    for (_, record) in &told.records {
        let value: serde_json::Value = serde_json::from_str(&record.text).unwrap();
        let identity = &value["userIdentity"];
        assert_eq!(identity["sessionContext"]["ec2RoleDelivery"], "2.0");
        assert_ne!(identity["accessKeyId"], "ASIAEXAMPLE", "a session of its own");
        if let Some(message) = value["errorMessage"].as_str() {
            assert!(!message.contains("User:  is"), "{message}");
        }
    }
}

#[test]
fn every_story_that_fits_can_be_told_and_delivered() {
    for (known, n) in [(known(MACHINE), 2), (known(USER), 16), (interface(), 32)] {
        let fitting = STORIES.iter().filter(|story| known.victim(story).is_ok());
        let names: Vec<_> = fitting.map(|story| story.name).collect();
        assert_eq!(names.len(), n, "{names:?}");
        for name in names {
            let (victim, told) = told(&known, name);
            let mut archive = Archive::new();
            let written = deliver(&told, &victim, Some("o-a1b2c3d4e5"), &mut archive).unwrap();
            assert_eq!(written.records, told.records.len() as u64, "{name}");
            // A long flow is a row in each window that it lasts, and so is a gap.
            let rows = told.flows.len() + told.gaps.len();
            assert!(written.flows >= rows as u64, "{name}");
            let folders = ["AWSLogs/o-a1b2c3d4e5/", "AWSLogs/111122223333/vpcflowlogs/eu-west-1/"];
            assert!(archive.keys().all(|key| folders.iter().any(|at| key.starts_with(at))));
        }
    }
}

#[test]
fn whose_log_tells_of_encryption_can_lose_it() {
    let mut known = interface();
    let story = named("encryption-lost").unwrap();
    assert!(known.victim(story).is_err());
    let header = "interface-id srcaddr dstaddr srcport dstport start end encryption-status";
    known.flow_log(Some("fl-1"), Format::of(header.split(' ')));
    let (victim, told) = told(&known, story.name);
    let (_, text) = in_one_object(&told, &victim);
    let of_today = |row: &&str| {
        let start = row.split(' ').nth(5).and_then(|start| start.parse::<i64>().ok());
        start.is_some_and(|start_s| start_s >= START_S + 5 * DAY_S)
    };
    let (today, before): (Vec<_>, Vec<_>) = text.lines().skip(1).partition(of_today);
    assert!(!today.is_empty() && today.iter().all(|row| row.ends_with(" 0")), "{today:?}");
    assert!(!before.is_empty() && before.iter().all(|row| row.ends_with(" 1")), "{before:?}");
}

#[test]
fn who_does_not_fit_hears_what_would() {
    let error = known(USER).victim(named("instance-credentials").unwrap()).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("instance-credentials happens to a machine's role, this is a person"));
    assert!(text.contains("stolen-session") && !text.contains("port-scan"), "{text}");
    let error = interface().victim(named("codefinger").unwrap()).unwrap_err();
    let of_interfaces = STORIES.iter().filter(|story| story.victim == VictimKind::Interface);
    let fitting = of_interfaces.map(|story| story.name).collect::<Vec<_>>().join(", ");
    assert!(fitting.contains("port-scan, beacon, door-opened"), "{fitting}");
    assert!(error.to_string().ends_with(&format!("(expected one of {fitting})")), "{error}");
}

#[test]
fn who_has_only_signed_in_has_no_key_to_steal() {
    let signed_in = USER.replace("accessKeyId", "nothing");
    let mut known = Known::new(ACCOUNT, None);
    known.own(&call(&signed_in));
    let story = named("stolen-session").unwrap();
    assert_eq!(known.victim(story).unwrap_err().to_string(), "its records have no accessKeyId");
    known.own(&call(USER));
    known.own(&call(&signed_in));
    assert!(known.victim(story).is_ok());
}

#[test]
fn rows_come_in_the_fields_of_the_flow_log() {
    let (victim, told) = told(&interface(), "port-scan");
    let (ending, text) = in_one_object(&told, &victim);
    assert_eq!((ending, text.lines().count()), ("log", told.flows.len() + 1));
    let mut lines = text.lines();
    let header = "end interface-id srcaddr dstaddr tcp-flags flow-direction subnet-id vpc-id";
    assert_eq!(lines.next(), Some(header));
    let end_s = told.flows[0].end_s;
    let first = format!("{end_s} eni-1 10.0.0.1 10.0.0.2 2 egress subnet-eni-1 -");
    assert!(lines.clone().any(|line| line == first), "{first} not in {text}");
    let other_side = format!("{end_s} eni-2 10.0.0.1 10.0.0.2 2 ingress subnet-eni-2 -");
    assert!(lines.any(|line| line == other_side), "{other_side} not in {text}");
}

#[test]
fn of_several_flow_logs_the_busiest_is_written_in_its_own_format() {
    let mut known = interface();
    for _ in 0..3 {
        known.flow_log(Some("fl-busy"), VERSION_2);
    }
    known.flow_log(Some("fl-last"), Format::of(["end", "interface-id"]));
    let found = known.victim(named("beacon").unwrap()).unwrap().interface.unwrap();
    assert_eq!((found.flow_log.as_str(), found.format), ("fl-busy", VERSION_2));
}

#[test]
fn one_object_holds_everything_too() {
    let (victim, told) = told(&known(USER), "stolen-session");
    let (ending, text) = in_one_object(&told, &victim);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((ending, value["Records"].as_array().unwrap().len()), ("json", told.records.len()));
}

#[test]
fn two_tellings_never_share_the_name_of_an_object() {
    for known in [known(USER), interface()] {
        let name = if known.interfaces.is_some() { "beacon" } else { "stolen-session" };
        let story = named(name).unwrap();
        let victim = known.victim(story).unwrap();
        let keys = |seed| {
            let told = story.told(&victim, (START_S, START_S), Rng::new(seed));
            let mut archive = Archive::new();
            deliver(&told, &victim, None, &mut archive).unwrap();
            archive.into_keys().collect::<BTreeSet<_>>()
        };
        assert!(keys(1).is_disjoint(&keys(2)), "{name}");
        assert_eq!(keys(1), keys(1));
    }
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut known = Known::new(ACCOUNT, None);
    let long = "x".repeat(TEXT_BYTES_MAX + 1);
    known.own(&Seen { bucket: Some(&long), agent: &long, secret: Some(&long), ..call(USER) });
    for bucket in 0..BUCKETS_MAX + 3 {
        let bucket = format!("bucket-{bucket}");
        known.own(&Seen { bucket: Some(&bucket), ..call(USER) });
        known.around(&Seen { bucket: Some(&bucket), ..call(USER) });
    }
    for n in 0..OBJECTS_MAX + 3 {
        let name = n.to_string();
        let object = (Some("bucket-1"), Some(&*name));
        let seen = Seen { bucket: object.0, object: object.1, agent: &name, ..call(USER) };
        known.own(&Seen { secret: Some(&name), trail: Some(&name), ..seen });
        known.around(&Seen { account: &format!("{n:012}"), ..call(USER) });
    }
    let bounds = [BUCKETS_MAX, BUCKETS_MAX, OBJECTS_MAX, SECRETS_MAX, PLACES_MAX, PLACES_MAX];
    let held = [
        known.bucket_calls.counts.len(),
        known.other_buckets.counts.len(),
        known.buckets["bucket-1"].counts.len(),
        known.secrets.counts.len(),
        known.places.counts.len(),
        known.accounts.counts.len(),
    ];
    assert_eq!(held, bounds);
    assert_eq!(known.trails.counts.len(), PLACES_MAX);
    assert!(known.bucket_calls.counts.keys().all(|name| name.len() <= TEXT_BYTES_MAX));
}

#[test]
fn names_that_could_lead_elsewhere_are_refused() {
    let refused = |account: &str, region: &str| {
        let mut known = Known::new(account, None);
        known.own(&Seen { account, region, ..call(USER) });
        known.victim(named("stolen-session").unwrap()).unwrap_err()
    };
    assert_eq!(refused(ACCOUNT, "../up"), VictimError::Region("../up".to_owned()));
    assert_eq!(refused("../../up-1", "eu-west-1"), VictimError::Lacks("accountId of 12 digits"));
    let mut known = interface();
    for _ in 0..3 {
        known.flow_log(Some("fl-1/../.."), VERSION_2);
    }
    let victim = known.victim(named("beacon").unwrap()).unwrap();
    assert_eq!(victim.interface.unwrap().flow_log, "fl-1");
}

#[test]
fn the_page_of_limits_gives_the_bounds_in_force() {
    const LIMITS: &str = include_str!("../../../../docs/limits.md");
    for (name, bound) in [
        ("BUCKETS_MAX", BUCKETS_MAX),
        ("OBJECTS_MAX", OBJECTS_MAX),
        ("SECRETS_MAX", SECRETS_MAX),
        ("PLACES_MAX", PLACES_MAX),
        ("INTERFACES_MAX", INTERFACES_MAX),
        ("ADDRESSES_MAX", ADDRESSES_MAX),
        ("TEXT_BYTES_MAX", TEXT_BYTES_MAX),
        ("DAYS_MAX", usize::try_from(DAYS_MAX).unwrap()),
    ] {
        let row = format!("\n| `known::{name}` | {bound} ");
        assert!(LIMITS.contains(&row), "mend docs/limits.md: {row}");
    }
    let row = format!("\n| `scene::HABIT_DAYS_MAX` | {HABIT_DAYS_MAX} ");
    assert!(LIMITS.contains(&row), "mend docs/limits.md: {row}");
}

#[test]
fn of_what_is_usual_the_last_days_are_told() {
    let known = interface();
    let story = named("mail-relay").unwrap();
    let victim = known.victim(story).unwrap();
    let at_s = START_S + 400 * DAY_S;
    let told = story.told(&victim, (START_S, at_s), Rng::new(5));
    let first_s = told.flows.iter().map(|flow| flow.start_s).min().unwrap();
    assert_eq!((at_s - first_s) / DAY_S, HABIT_DAYS_MAX - 1);
    let of_today = told.flows.iter().filter(|flow| flow.start_s >= at_s).count();
    let [step] = &told.truth.steps[..] else { panic!("{:?}", told.truth.steps) };
    assert_eq!(step.flows.len(), of_today, "the days before are no part of it");
}

#[test]
fn lost_flows_have_a_row_for_each_window() {
    let (victim, told) = told(&interface(), "flood");
    let [gap] = &told.gaps[..] else { panic!("{:?}", told.gaps) };
    let (_, text) = in_one_object(&told, &victim);
    assert_eq!(text.lines().count(), 1 + told.flows.len() + 1);
    let mut archive = Archive::new();
    let written = deliver(&told, &victim, None, &mut archive).unwrap();
    let n_windows = (gap.end_s + 1 - gap.start_s) / 60;
    let n_rows = i64::try_from(written.flows).unwrap();
    assert!(n_rows > n_windows, "{n_rows} rows, {n_windows} windows");
}

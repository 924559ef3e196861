//! `sentrail identity` on the logs of two people, one of whom has a visitor on the last day.

use crate::support::{Ended, run, text};
use serde_json::{Value, json};
use std::{fs, path::Path, sync::OnceLock};

const ALICE: &str = "arn:aws:iam::111122223333:user/alice";
/// Days of March 2025 with records.
const LAST_DAY: u32 = 20;

pub(crate) fn record(
    who: &str,
    (day, hour, minute): (u32, u32, u32),
    api: &str,
    from: [&str; 2],
) -> Value {
    let (service, name) = api.split_once(':').unwrap();
    let [address, agent] = from;
    json!({
        "eventVersion": "1.11",
        "eventTime": format!("2025-03-{day:02}T{hour:02}:{minute:02}:00Z"),
        "eventID": format!("{who}-{day}-{hour}-{minute}"),
        "eventSource": format!("{service}.amazonaws.com"),
        "eventName": name,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": address,
        "userAgent": agent,
        "recipientAccountId": "111122223333",
        "userIdentity": {
            "type": "IAMUser",
            "arn": format!("arn:aws:iam::111122223333:user/{who}"),
            "accountId": "111122223333",
            "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
        },
    })
}

/// A folder of logs, made once: Alice and Alan work 20 days, a stranger has Alice's key on the last.
fn logs() -> &'static str {
    static LOGS: OnceLock<String> = OnceLock::new();
    LOGS.get_or_init(|| {
        const OFFICE: [&str; 2] = ["81.2.69.142", "aws-cli/2.15.30 os/linux"];
        const STRANGER: [&str; 2] = ["185.220.101.1", "python-requests/2.31.0"];
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("two-people");
        fs::create_dir_all(&folder).unwrap();
        for day in 1..=LAST_DAY {
            let work = (8..16).flat_map(|hour| {
                ["alice", "alan"]
                    .map(|who| record(who, (day, hour, 30), "s3:GetBucketLocation", OFFICE))
            });
            let theft = ["CreateUser", "CreateAccessKey", "CreateLoginProfile"].iter().zip(40..);
            let theft = theft.map(|(name, minute)| {
                record("alice", (day, 10, minute), &format!("iam:{name}"), STRANGER)
            });
            let records: Vec<_> = work.chain(theft.filter(|_| day == LAST_DAY)).collect();
            let object = json!({ "Records": records }).to_string();
            fs::write(folder.join(format!("{day:02}.json")), object).unwrap();
        }
        text(&folder)
    })
}

fn identity(more: &[&str]) -> Ended {
    run(&[&["identity"], more, &[logs()]].concat())
}

fn document(more: &[&str]) -> Value {
    serde_json::from_str(&identity(&[more, &["--json"]].concat()).ends(0).out).unwrap()
}

#[test]
fn what_judged_a_day_stands_in_the_document() {
    let day = document(&[ALICE]);
    assert_eq!((&day["version"], &day["day"]), (&json!(1), &json!("2025-03-20")));
    assert_eq!(day["entity"], json!({ "kind": "human", "key": ALICE, "name": "alice" }));
    assert_eq!(day["history"], json!({ "own_days": 18, "kind_days": 17 }));
    assert_eq!((&day["teaches"], &day["is_young"]), (&json!(0.125), &json!(false)));
    assert_eq!(day["thresholds"]["anomalous-persistence"], 40.0);
    assert_eq!(day["own"]["through"], "2025-03-18");
    let api = &day["own"]["dimensions"]["api"];
    let known = json!({
        "value": "s3:GetBucketLocation", "weight": 18.0, "is_known": true,
        "members": api["values"][0]["members"], "days": day["own"]["decayed_days"],
    });
    assert_eq!(api["values"], json!([known]));
    let members = |of: &str| day[of]["dimensions"]["api"]["values"][0]["members"].as_f64().unwrap();
    // Decayed since the last day, which was one or two before.
    assert!((0.95..=1.0).contains(&members("own")), "{}", members("own"));
    assert!((1.9..=2.0).contains(&members("kind")), "{}", members("kind"));
    assert_eq!(day["role"], Value::Null);
    let rate = &day["own"]["dimensions"]["s3-calls-discovery"]["rate"];
    assert_eq!(rate["mean"], 1.0);
    assert_eq!(rate["hours"], day["own"]["hours"]);
}

#[test]
fn every_span_shows_its_bits_and_what_it_needs() {
    let day = document(&["alice"]);
    let spans = day["spans"].as_array().unwrap();
    // Eight hours of work, and the calls of the visit in one of them; of each hour its context.
    assert_eq!(spans.len(), 8 + 1 + 8);
    for span in spans {
        let parts = span["parts"].as_array().unwrap();
        let sum: f64 = parts.iter().map(|part| part["bits"].as_f64().unwrap()).sum();
        assert!((sum - span["bits"].as_f64().unwrap()).abs() < 0.005, "{span}");
    }
    let visit = spans.iter().find(|span| span["impact"] == "persistence").unwrap();
    assert_eq!(visit["hour"], "2025-03-20T10:00:00Z");
    assert_eq!((&visit["calls"], &visit["weight"]), (&json!(3), &json!(1.5)));
    assert_eq!(
        (&visit["detector"], &visit["needs"]),
        (&json!("anomalous-persistence"), &json!(40.0))
    );
    assert!(visit["bits"].as_f64().unwrap() > 40.0, "{visit}");
    assert_eq!(visit["parts"][0]["values"].as_array().unwrap().len(), 1, "{visit}");
    let told = run(&["replay", "--quiet", logs()]).ends(0).rows();
    let told = told.iter().find(|finding| finding["detector"] == "anomalous-persistence").unwrap();
    assert_eq!(told["bits"], visit["bits"]);
    assert_eq!(visit["is_told"], true);
    // What was there before the visit needs other deeds, however strange the context is.
    let work = spans.iter().find(|span| span["impact"] == "discovery" && is_hour(span, visit));
    assert_eq!(work.unwrap()["is_told"], false);
    let context = spans.iter().find(|span| span["impact"].is_null() && is_hour(span, visit));
    let context = context.unwrap();
    assert_eq!((&context["calls"], &context["weight"]), (&json!(4), &json!(1.5)));
    assert_eq!(context["detector"], "anomalous-initial-access");
    let parts = context["parts"].as_array().unwrap();
    assert!(
        parts.iter().all(|part| visit["parts"].as_array().unwrap().contains(part)),
        "{parts:?}"
    );
}

fn is_hour(span: &Value, other: &Value) -> bool {
    span["hour"] == other["hour"]
}

#[test]
fn a_person_reads_it_too() {
    let table = identity(&["alice", "--day", "2025-03-20"]).ends(0).out.clone();
    for words in [
        "alice, human, account 111122223333",
        "2025-03-20 (UTC), judged by what was learned up to 2025-03-18",
        "history: 18 days of its own, 17 of its kind",
        "threshold: 40 bits",
        "10:00  persistence, 3 calls ",
        "  and 14 of 0.00 bits or less (--json has all)",
        " of 40 bits: anomalous-persistence",
        "network: new: AS60729 (UNSEEN by it, its peers and the account)",
        "What is usual for those of its kind in the account, up to 2025-03-17",
    ] {
        assert!(table.contains(words), "{words} not in:\n{table}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    let early = identity(&["alice", "--day", "2025-03-03"]).ends(0).out.clone();
    assert!(early.contains("not judged: five days are enough"), "{early}");
}

#[test]
fn who_is_meant_must_be_clear() {
    let both = identity(&["al"]);
    both.ends(2).tells(&["\"al\" may be any of 2; say more:"]);
    both.tells(&["sentrail: 111122223333 human ", ALICE]).tells(&["user/alan"]);
    let one = identity(&["111122223333 AL human user/ali", "--json"]).ends(0).rows();
    assert_eq!(one[0]["entity"]["key"], ALICE);
    let nobody = identity(&["alise"]);
    nobody.ends(2).tells(&["nobody in these logs has \"alise\"", "did you mean \"alice\"?"]);
    identity(&["zzzzzzzzzz"]).ends(2).tells(&["they show 2 identities and interfaces"]);
    identity(&[" "]).ends(2).tells(&["an empty KEY"]);
}

#[test]
fn a_day_without_records_is_told_with_those_that_have_some() {
    let none = identity(&["alice", "--day", "2025-03-25"]);
    none.ends(2)
        .tells(&["has no records on 2025-03-25; it has some on 20 days, at last 2025-03-20"]);
    let until = document(&["alice", "--until", "2025-03-10"]);
    assert_eq!(until["day"], "2025-03-09");
}

#[test]
fn everybody_comes_a_line_each_as_alone() {
    let all = identity(&["*", "--json"]).ends(0).rows();
    assert_eq!(all.len(), 2 * LAST_DAY as usize);
    let of = |key: &str, day: &str| {
        let mut found = all.iter().filter(|one| one["entity"]["key"] == key && one["day"] == day);
        found.next().unwrap().clone()
    };
    assert_eq!(of(ALICE, "2025-03-20"), document(&["alice"]));
    let earlier = document(&["alice", "--day", "2025-03-11"]);
    assert_eq!(of(ALICE, "2025-03-11"), earlier);
    identity(&["*"]).ends(2).tells(&["`*` asks for everybody: add --json"]);
}

#[test]
fn more_than_can_be_meant_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let from = ["81.2.69.142", "aws-cli/2.15.30 os/linux"];
    let record = |n| record(&format!("user-{n:02}"), (1, 10, 0), "s3:ListBuckets", from);
    let records: Vec<_> = (0..30).map(record).collect();
    let file = folder.path().join("x.json");
    fs::write(&file, json!({ "Records": records }).to_string()).unwrap();
    let file = text(&file);
    run(&["identity", "user-", &file]).ends(2).tells(&["and 10 more"]);
    run(&["identity", "arn:aws:iam::111122223333:user/user-29", &file]).ends(0);
}

#[test]
fn what_it_is_by_the_users_word_decides_what_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = text(&folder.path().join("sentrail.toml"));
    fs::write(&file, "[kinds]\nworkload = [\"*:user/al?ce\"]\n").unwrap();
    let [as_user, pinned] = [document(&[ALICE]), document(&[ALICE, "--config", &file])];
    assert_eq!([&as_user, &pinned].map(|day| &day["entity"]["kind"]), ["human", "workload"]);
    let needs = |day: &Value| day["thresholds"]["anomalous-persistence"].as_f64().unwrap();
    assert_eq!([needs(&as_user), needs(&pinned)].map(f64::to_bits), [40.0, 25.0].map(f64::to_bits));
    let alan = ALICE.replace("alice", "alan");
    assert_eq!(document(&[&alan, "--config", &file])["entity"]["kind"], "human");
}

//! Buckets listed as folders are.

use std::thread;

use ingest::source::s3::{Buckets, ListError, S3Error};
use ingest::source::{self, Filter, Listing, Object, PathArg, Place, Skip};

use super::access::session;
use super::proxy::{Fault, Proxy};
use super::servers::server;

const ALICE: &str = "111122223333";
const BOB: &str = "444455556666";

fn trail(account: &str, region: &str, day: u32, name: &str) -> String {
    format!(
        "AWSLogs/{account}/CloudTrail/{region}/2025/03/{day:02}/\
         {account}_CloudTrail_{region}_202503{day:02}T1000Z_{name}.json.gz"
    )
}

fn flow(account: &str, day: u32) -> String {
    format!(
        "AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region=eu-west-1/\
         year=2025/month=03/day={day:02}/\
         {account}_vpcflowlogs_eu-west-1_fl-0123456789abcdef0_202503{day:02}T1000Z_0a1b2c3d.log.gz"
    )
}

/// A bucket with these keys, behind a proxy.
async fn bench(bucket: &str, keys: &[String]) -> (Proxy, Buckets) {
    let server = server();
    server.bucket(bucket);
    thread::scope(|scope| {
        for keys in keys.chunks(keys.len().div_ceil(4).max(1)) {
            scope.spawn(move || keys.iter().for_each(|key| server.put(bucket, key, b"x")));
        }
    });
    let proxy = Proxy::before(&server.address);
    let buckets = Buckets::new(&session(proxy.endpoint()).await);
    (proxy, buckets)
}

fn keys(listing: &Listing) -> Vec<&str> {
    listing.objects.iter().map(Object::key).collect()
}

/// One day of Alice's in Ireland.
fn a_day() -> Filter {
    Filter {
        from_ms: Some(1_741_910_400_000),
        until_ms: Some(1_741_910_400_000 + 86_400_000),
        accounts: vec![ALICE.to_owned()],
        regions: vec!["eu-west-1".to_owned()],
        lateness_ms: 0,
    }
}

/// Two accounts, two regions, six days, and what else lies in such buckets.
fn archive(prefix: &str) -> Vec<String> {
    let mut keys = Vec::new();
    for account in [ALICE, BOB] {
        for region in ["eu-west-1", "us-east-1"] {
            keys.extend((10..16).map(|day| trail(account, region, day, "AbCdEfGhIjKlMnOp")));
        }
        keys.push(format!(
            "AWSLogs/{account}/CloudTrail-Digest/us-east-1/2025/03/14/digest.json.gz"
        ));
        keys.push(format!("AWSLogs/{account}/Config/us-east-1/2025/3/14/config.json.gz"));
    }
    keys.extend((10..16).map(|day| flow(ALICE, day)));
    keys.iter().map(|key| format!("{prefix}{key}")).collect()
}

#[tokio::test]
async fn only_accounts_regions_and_days_that_the_filter_can_match_are_listed() {
    let (proxy, buckets) = bench("archive", &archive("")).await;
    let listing = buckets.list("archive", "", &a_day()).await.unwrap();
    let expected = [trail(ALICE, "eu-west-1", 14, "AbCdEfGhIjKlMnOp"), flow(ALICE, 14)];
    assert_eq!(keys(&listing), expected);
    let listed: Vec<String> = proxy.requests("list-type=2");
    // The top, AWSLogs, two spellings of the account, their two services, and for each of the two
    // services the day and the day before, whose last minute may be stamped so.
    assert_eq!(listed.len(), 10, "{listed:#?}");
    assert!(!listed.iter().any(|line| line.contains(BOB) || line.contains("us-east-1")));
}

#[tokio::test]
async fn the_listing_is_that_of_a_folder_with_the_same_files() {
    let mut all = archive("");
    all.extend(archive("team/").split_off(26));
    all.extend(
        ["AWSLogs/notes.pdf", "AWSLogs/.hidden/a.json", "plain/2025/a.json.gz", "b.jsonl"]
            .map(str::to_owned),
    );
    let folder = tempfile::tempdir().unwrap();
    for key in &all {
        let path = folder.path().join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"x").unwrap();
    }
    let (_proxy, buckets) = bench("same", &all).await;
    for filter in
        [Filter::default(), Filter { accounts: Vec::new(), regions: Vec::new(), ..a_day() }]
    {
        let from_bucket = buckets.list("same", "", &filter).await.unwrap();
        let from_folder = source::list(&[PathArg::new(folder.path())], &filter).unwrap();
        let root = format!("{}/", folder.path().display());
        let expected: Vec<&str> = keys(&from_folder)
            .into_iter()
            .map(|key| key.strip_prefix(&root).unwrap_or(key))
            .collect();
        let kinds = |listing: &Listing| {
            listing.objects.iter().map(|object| object.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(&from_bucket), kinds(&from_folder));
        assert_eq!(keys(&from_bucket), expected);
        if filter.from_ms.is_none() {
            assert_eq!(from_bucket.skipped, from_folder.skipped);
        }
    }
}

#[tokio::test]
async fn organisations_and_control_tower_put_folders_around() {
    let inner = trail(ALICE, "eu-west-1", 14, "AbCdEfGhIjKlMnOp");
    let inside = inner.strip_prefix("AWSLogs/").unwrap();
    let organisation = format!("AWSLogs/o-a1b2c3d4e5/{inside}");
    let tower = format!("o-a1b2c3d4e5/AWSLogs/o-a1b2c3d4e5/{inside}");
    let (_proxy, buckets) = bench("tower", &[organisation.clone(), tower, inner.clone()]).await;
    let listing = buckets.list("tower", "", &a_day()).await.unwrap();
    assert_eq!(keys(&listing), [&inner, &organisation, &organisation].map(String::as_str));
    let prefix = "o-a1b2c3d4e5/AWSLogs/o-a1b2c3d4e5/";
    assert_eq!(keys(&buckets.list("tower", prefix, &a_day()).await.unwrap()), [&organisation]);
}

#[tokio::test]
async fn more_than_a_thousand_keys_are_several_pages() {
    let names: Vec<String> =
        (0..1_003).map(|n| trail(ALICE, "eu-west-1", 14, &format!("Random{n:010}"))).collect();
    let (proxy, buckets) = bench("many", &names).await;
    proxy.fault("continuation-token", 1, Fault::Answer(503, "SlowDown"));
    let listing = buckets.list("many", "AWSLogs", &a_day()).await.unwrap();
    assert_eq!(keys(&listing), names);
    assert_eq!(proxy.requests("continuation-token").len(), 2);
    // A prefix that is of no layout of AWS's is listed plainly.
    let day = "AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/14/";
    assert_eq!(buckets.list("many", day, &Filter::default()).await.unwrap().objects.len(), 1_003);
}

#[tokio::test]
async fn a_prefix_is_a_folder_or_an_object_and_nothing_is_an_error() {
    let odd = "logs/a b+c%20d/x.json.gz".to_owned();
    let (_proxy, buckets) =
        bench("prefixes", &[odd.clone(), "logs-old/y.json".to_owned(), "note".to_owned()]).await;
    for prefix in ["logs", "logs/", "logs/a b+c%20d/", &odd] {
        let listing = buckets.list("prefixes", prefix, &Filter::default()).await.unwrap();
        assert_eq!(keys(&listing), [&odd], "{prefix}");
        let Place::S3(at) = &listing.objects[0].place else { panic!("{listing:?}") };
        assert_eq!(buckets.get(at, 10).await.unwrap().bytes, b"x");
    }
    // What it is listed as is what is read, or nothing.
    let listing = buckets.list("prefixes", &odd, &Filter::default()).await.unwrap();
    server().put("prefixes", &odd, b"other");
    let Place::S3(at) = &listing.objects[0].place else { panic!("{listing:?}") };
    assert!(matches!(buckets.get(at, 10).await, Err(S3Error::Changed { .. })));
    // Named itself it is a log whatever its name.
    let note = buckets.list("prefixes", "note", &Filter::default()).await.unwrap();
    assert_eq!(keys(&note), ["note"]);
    let all = buckets.list("prefixes", "", &Filter::default()).await.unwrap();
    assert_eq!(all.skipped.iter().collect::<Vec<_>>(), [(Skip::NotALog, 1)]);
    for prefix in ["log", "none/", "AWSLogs/111122223333/CloudTrail/eu-west-1/"] {
        let error = buckets.list("prefixes", prefix, &Filter::default()).await.unwrap_err();
        assert!(matches!(error, ListError::Nothing { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("s3://prefixes/{prefix} ")), "{error}");
    }
    let error = buckets.list("no-such-bucket", "", &Filter::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "s3://no-such-bucket/ does not exist (NoSuchBucket)");
}

#[tokio::test]
async fn deep_and_wide_folders_of_other_layouts_are_listed_plainly() {
    let mut keys_put: Vec<String> = (0..101).map(|n| format!("wide/{n:03}/x.json")).collect();
    keys_put.push("a/b/c/d/e/x.json".to_owned());
    let (proxy, buckets) = bench("layouts", &keys_put).await;
    let all = buckets.list("layouts", "", &Filter::default()).await.unwrap();
    keys_put.sort();
    assert_eq!(keys(&all), keys_put);
    // Looked at: the top, "wide", and "a" down to "c"; listed with all below: "wide" and "c".
    let listed = proxy.requests("list-type=2");
    let looked = listed.iter().filter(|line| line.contains("delimiter=")).count();
    assert_eq!((looked, listed.len() - looked), (5, 2), "{listed:#?}");
}

use std::fs;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::instant::parse_instant;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn trail(account: &str, region: &str, stamp: &str, random: &str) -> String {
    let (year, rest) = stamp.split_at(4);
    let (month, rest) = rest.split_at(2);
    let (day, _) = rest.split_at(2);
    format!(
        "AWSLogs/{account}/CloudTrail/{region}/{year}/{month}/{day}/\
         {account}_CloudTrail_{region}_{stamp}_{random}.json.gz"
    )
}

fn tree(files: &[&str]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for file in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "{}").unwrap();
    }
    root
}

fn args(root: &TempDir, paths: &[&str]) -> Vec<PathArg> {
    paths.iter().map(|path| PathArg::new(root.path().join(path))).collect()
}

fn listed(paths: &[PathArg], filter: &Filter) -> Listing {
    list(paths, filter).unwrap()
}

/// The names of the files listed, without folders.
fn names(listing: &Listing) -> Vec<&str> {
    listing.objects.iter().map(|object| object.key().rsplit('/').next().unwrap()).collect()
}

#[test]
fn orders_by_stamp_then_key_wherever_the_files_lie() {
    let late = trail("111111111111", "eu-west-1", "20250314T1010Z", "aaaaaaaaaaaaaaaa");
    let early = trail("222222222222", "us-east-1", "20250314T1005Z", "bbbbbbbbbbbbbbbb");
    let same = trail("111111111111", "us-east-1", "20250314T1005Z", "cccccccccccccccc");
    let root = tree(&[&format!("z/{early}"), &format!("a/{late}"), &format!("b/{same}"), "x.json"]);
    let listing = listed(&args(&root, &["z", "a", "b", "x.json"]), &Filter::default());
    let keys: Vec<&str> = listing.objects.iter().map(Object::key).collect();
    let last = root.path().join("x.json");
    assert_eq!(keys, [&*same, &*early, &*late, last.to_str().unwrap()]);
    assert_eq!(listing.skipped, Skips::default());
    assert_eq!(listing.objects[0].size_bytes, 2);
}

#[test]
fn a_walk_takes_what_is_named_like_a_log() {
    let logs = [
        "a.json",
        "b.json.gz",
        "c.JSONL",
        "d.ndjson.zst",
        "e.log",
        "f.log.gz",
        "g.txt",
        "h.parquet",
    ];
    let others = [
        "truth.json",
        "i.csv",
        "i.pdf",
        "README",
        "j.json.gz.expected.json",
        "k.gz",
        "1-a.metadata.json",
    ];
    let root = tree(&[&logs[..], &others, &[".hidden.json", ".git/l.json"]].concat());
    fs::write(root.path().join("empty.json"), "").unwrap();
    let listing = listed(&args(&root, &[""]), &Filter::default());
    assert_eq!(names(&listing), logs);
    assert_eq!(listing.skipped.count(Skip::NotALog), others.len() as u64);
    assert_eq!(listing.skipped.count(Skip::Hidden), 2);
    assert_eq!(listing.skipped.count(Skip::Empty), 1);
    assert_eq!(listing.skipped.total(), 10);
}

#[test]
fn a_file_that_is_named_itself_is_read_whatever_its_name() {
    let root = tree(&["truth.json", "k.csv", ".hidden"]);
    let listing = listed(&args(&root, &["truth.json", "k.csv", ".hidden"]), &Filter::default());
    assert_eq!(names(&listing), [".hidden", "k.csv", "truth.json"]);
}

#[test]
fn objects_without_events_are_counted_by_kind() {
    let key = trail("111111111111", "eu-west-1", "20250314T1010Z", "aaaaaaaaaaaaaaaa");
    let of = |folder: &str| key.replace("/CloudTrail/", &format!("/{folder}/"));
    let root = tree(&[
        &key,
        &of("CloudTrail-Digest"),
        &of("CloudTrail-Insight"),
        &of("CloudTrail-Aggregated"),
        &of("CloudTrail-Lake"),
        &of("Config"),
        "AWSLogs/111111111111/Config/ConfigWritabilityCheckFile",
    ]);
    fs::write(root.path().join(format!("{key}.sha256")), "x").unwrap();
    let listing = listed(&args(&root, &[""]), &Filter::default());
    assert_eq!(listing.objects.len(), 1);
    let skipped: Vec<(Skip, u64)> = listing.skipped.iter().collect();
    let each = [
        Skip::Insight,
        Skip::Aggregated,
        Skip::Digest,
        Skip::Lake,
        Skip::WritabilityCheck,
        Skip::OtherService,
        Skip::NotALog,
    ];
    assert_eq!(skipped, each.map(|skip| (skip, 1)));
}

#[test]
fn one_file_reached_twice_is_read_once() {
    let key = trail("111111111111", "eu-west-1", "20250314T1010Z", "aaaaaaaaaaaaaaaa");
    let root = tree(&[&key, "x.json"]);
    let given = args(&root, &["", "AWSLogs", &key, "x.json", "./x.json", "**/*.json.gz"]);
    let listing = listed(&given, &Filter::default());
    assert_eq!(listing.objects.len(), 2);
    assert_eq!(listing.skipped.count(Skip::Duplicate), 5);
    let twice = listed(&[PathArg::new("-"), PathArg::new("-")], &Filter::default());
    assert_eq!(twice.objects[0].place, Place::Stdin);
    assert_eq!((twice.objects.len(), twice.skipped.count(Skip::Duplicate)), (1, 1));
}

#[test]
fn patterns_match_files_below_their_folder() {
    let root = tree(&["a/1.json.gz", "a/b/2.json.gz", "a/b/3.log", "c/4.json.gz"]);
    let matched = |pattern: &str| {
        let listing = listed(&args(&root, &[pattern]), &Filter::default());
        names(&listing).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(matched("**/*.json.gz"), ["1.json.gz", "2.json.gz", "4.json.gz"]);
    assert_eq!(matched("a/*.json.gz"), ["1.json.gz"]);
    assert_eq!(matched("{a,c}/*.gz"), ["1.json.gz", "4.json.gz"]);
    assert_eq!(matched("a/?/*"), ["2.json.gz", "3.log"]);
}

#[test]
fn what_cannot_be_listed_is_an_error_up_front() {
    let root = tree(&["a/1.json"]);
    let refused =
        |path: &str| list(&args(&root, &[path]), &Filter::default()).unwrap_err().to_string();
    assert!(refused("b").starts_with("no such file or folder: "));
    assert!(refused("b/*.json").starts_with("no such file or folder: "));
    assert!(refused("a/*.gz").starts_with("no file matches "));
    assert!(refused("a/[z-a]*").starts_with("bad pattern "));
}

#[test]
fn a_listing_is_bounded_by_files_and_by_entries_of_a_folder() {
    let root = tree(&["a/1.json", "b/1.json", "b/2.csv"]);
    let listing = list_at_most(1, &args(&root, &["a"]), &Filter::default()).unwrap();
    assert_eq!(listing.objects.len(), 1);
    for paths in [&["a", "a/1.json"][..], &["b"]] {
        let limited = list_at_most(1, &args(&root, paths), &Filter::default());
        assert_eq!(
            limited.unwrap_err().to_string(),
            "more than 1 files (expected fewer: name fewer folders, or ask for less time)"
        );
    }
}

#[test]
fn a_pattern_whose_files_were_not_asked_for_is_no_mistake() {
    let root = tree(&[&trail("111111111111", "eu-west-1", "20250314T1010Z", "a")]);
    let filter = Filter { accounts: vec!["2".repeat(12)], ..Filter::default() };
    let listing = listed(&args(&root, &["**/*.gz"]), &filter);
    assert_eq!((listing.objects.len(), listing.skipped.count(Skip::Account)), (0, 1));
}

#[cfg(unix)]
#[test]
fn links_that_turn_in_circles_end() {
    use std::os::unix::fs::symlink;
    let root = tree(&["a/b/1.json"]);
    symlink(root.path().join("a"), root.path().join("a/b/up")).unwrap();
    symlink(root.path().join("a/b"), root.path().join("beside")).unwrap();
    symlink("/nowhere/at/all", root.path().join("broken.json")).unwrap();
    symlink(root.path().join("self.json"), root.path().join("self.json")).unwrap();
    let listing = listed(&args(&root, &[""]), &Filter::default());
    assert_eq!(names(&listing), ["1.json"]);
    assert_eq!(listing.skipped.count(Skip::BrokenLink), 2);
    assert_eq!(listing.skipped.count(Skip::Duplicate), 2);
}

#[test]
fn from_inside_an_archive_the_key_is_still_whole() {
    let key = trail("111111111111", "eu-west-1", "20250314T1010Z", "aaaaaaaaaaaaaaaa");
    let inside = Path::new("./111111111111_CloudTrail_eu-west-1_20250314T1010Z_a.json.gz");
    let whole = format!("/archive/{key}");
    assert_eq!(key_of(inside, Path::new(&whole)), key.as_str());
    assert_eq!(key_of(Path::new("./x.json"), Path::new("/archive/x.json")), "x.json");
}

#[test]
fn a_filter_leaves_out_what_its_name_excludes() {
    let filter = |accounts: &[&str], regions: &[&str]| Filter {
        accounts: accounts.iter().map(ToString::to_string).collect(),
        regions: regions.iter().map(ToString::to_string).collect(),
        ..Filter::default()
    };
    let key = trail("111111111111", "eu-west-1", "20250314T1010Z", "a");
    let info = KeyInfo::of(&key);
    assert_eq!(filter(&["111111111111"], &["eu-west-1"]).excludes(&info), None);
    assert_eq!(filter(&["2"], &[]).excludes(&info), Some(Skip::Account));
    assert_eq!(filter(&[], &["us-east-1"]).excludes(&info), Some(Skip::Region));
    let nameless = KeyInfo::of("records.json.gz");
    assert_eq!(filter(&["2"], &["us-east-1"]).excludes(&nameless), None);
}

#[test]
fn an_object_is_opened_while_its_stamp_may_hold_the_time_asked_for() {
    let (from_ms, until_ms) =
        (parse_instant("2025-03-14").unwrap(), parse_instant("2025-03-15").unwrap());
    let filter = Filter { from_ms: Some(from_ms), until_ms: Some(until_ms), ..Filter::default() };
    let excluded = |stamp: &str| {
        let key = trail("111111111111", "eu-west-1", stamp, "a");
        let info = KeyInfo::of(&key);
        filter.excludes(&info)
    };
    assert_eq!(excluded("20250313T2358Z"), Some(Skip::Time));
    assert_eq!(excluded("20250313T2359Z"), Some(Skip::Time));
    assert_eq!(excluded("20250314T0000Z"), None);
    assert_eq!(excluded("20250315T2359Z"), None);
    assert_eq!(excluded("20250316T0000Z"), Some(Skip::Time));
    let patient = Filter { lateness_ms: 2 * DAY_MS, ..filter.clone() };
    let key = trail("111111111111", "eu-west-1", "20250316T2359Z", "a");
    let info = KeyInfo::of(&key);
    assert_eq!(patient.excludes(&info), None);
}

#[test]
fn every_reason_has_its_own_sentence() {
    let mut sentences: Vec<&str> = Skip::ALL.iter().map(|skip| skip.sentence()).collect();
    sentences.sort_unstable();
    sentences.dedup();
    assert_eq!(sentences.len(), Skip::ALL.len());
    assert!(Skip::ALL.is_sorted());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_order_of_arguments_does_not_show(
        order in Just(vec![0, 1, 2, 3, 4, 5]).prop_shuffle(),
        stamps in prop::collection::vec(0u8..3, 6),
    ) {
        let files: Vec<String> = stamps.iter().enumerate().map(|(at, minute)| {
            trail("111111111111", "eu-west-1", &format!("20250314T100{minute}Z"), &format!("r{at}"))
        }).collect();
        let mut all: Vec<&str> = files.iter().map(String::as_str).collect();
        all.extend(["x.json", "sub/y.csv"]);
        let root = tree(&all);
        let given = ["", "AWSLogs", "**/*.gz", "x.json", "sub/y.csv", "sub/../sub"];
        let straight = listed(&args(&root, &given), &Filter::default());
        let shuffled: Vec<&str> = order.iter().map(|at: &usize| given[*at]).collect();
        prop_assert_eq!(&straight, &listed(&args(&root, &shuffled), &Filter::default()));
        prop_assert_eq!(straight.objects.len(), 8);
    }
}

#[test]
fn a_file_that_goes_away_while_it_is_listed_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.json");
    std::fs::write(&path, "{}").unwrap();
    let entry = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
    std::fs::remove_file(&path).unwrap();
    let (filter, skipped) = (Filter::default(), Skips::default());
    let mut walk = Walk { files_max: 1, filter: &filter, met: 0, found: Vec::new(), skipped };
    walk.file(&entry, (path.clone(), path), false).unwrap();
    assert_eq!(walk.found.len(), 0);
}

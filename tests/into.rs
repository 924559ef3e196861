//! `simulate --into`: a story in a copy of somebody's own logs, found again, and the originals as
//! they were.

use crate::support::{Ended, files, gzip, run, text};
use ingest::decode::gunzip;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::LazyLock,
};
use tempfile::TempDir;

/// A small organisation of two days, with flow logs and a story in them.
static OWN: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let to = text(&folder.path().join("logs"));
    let size = ["--days", "2", "--machines", "2", "--accounts", "1", "--people", "2"];
    run(&[&["simulate", "--to", &to, "--story", "port-scan"][..], &size].concat()).ends(0);
    folder
});

fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let name = |path: &Path| text(path.strip_prefix(folder).unwrap());
    files(folder).iter().map(|path| (name(path), fs::read(path).unwrap())).collect()
}

fn into(source: &Path, to: &Path, story: &str, key: &str) -> Ended {
    let (source, to) = (text(source), text(to));
    run(&["simulate", "--into", &source, "--to", &to, "--story", story, "--identity", key])
}

/// Whom the program names to somebody who asks for nobody.
fn somebody(source: &Path, part: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let ended = into(source, folder.path(), "codefinger", part);
    let names = ended.ends(2).err.split("for example ").nth(1).unwrap().trim_end();
    let names = names.trim_end_matches(')').split(", ");
    names
        .into_iter()
        .find(|name| name.contains(part))
        .unwrap_or_else(|| panic!("{}", ended.err))
        .to_owned()
}

fn truth(of: &Path) -> Vec<Value> {
    let text = fs::read(of.join("truth.json")).unwrap();
    let truth: Value = serde_json::from_slice(&text).unwrap();
    truth["stories"].as_array().unwrap().clone()
}

/// All values of a list in the steps of a story.
fn all(story: &Value, list: &str) -> BTreeSet<String> {
    let steps = story["steps"].as_array().unwrap().iter();
    let lists = steps.filter_map(|step| step[list].as_array()).flatten();
    lists.map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// Findings that name records of the story, by detector; everything must have been read.
fn found(of: &Path, story: &Value) -> BTreeMap<String, Value> {
    let replayed = run(&["replay", "--format", "jsonl", &text(of)]);
    replayed.ends(0).tells(&[" 0 could not be read"]);
    assert!(!replayed.err.contains("records that could not be read"), "{}", replayed.err);
    let ids = all(story, "event_ids");
    let is_about = |finding: &Value| {
        let named = finding["event_ids"].as_array().into_iter().flatten();
        named.into_iter().any(|id| ids.contains(id.as_str().unwrap()))
    };
    let findings = replayed.rows().into_iter().filter(is_about);
    findings.map(|finding| (finding["detector"].as_str().unwrap().to_owned(), finding)).collect()
}

#[test]
fn the_story_is_found_and_the_originals_stay_as_they_were() {
    let source = OWN.path().join("logs");
    let before = content(&source);
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy");
    let key = somebody(&source, "#instance");
    into(&source, &to, "codefinger", &key).ends(0).tells(&["codefinger happens to arn:aws:iam"]);
    assert!(content(&source) == before, "the originals were changed");
    let mut copy = content(&to);
    copy.remove("truth.json");
    for (name, bytes) in before.iter().filter(|(name, _)| *name != "truth.json") {
        assert!(copy.remove(name).as_ref() == Some(bytes), "{name} is not copied as it is");
    }
    let mut ids = BTreeSet::new();
    for (name, bytes) in &copy {
        let organisation = before.keys().find_map(|name| name.strip_prefix("AWSLogs/o-")).unwrap();
        let organisation = organisation.split('/').next().unwrap();
        assert!(name.starts_with(&format!("AWSLogs/o-{organisation}/")), "{name}");
        let object: Value = serde_json::from_slice(&gunzip(bytes, 1 << 24).unwrap()).unwrap();
        let records = object["Records"].as_array().unwrap().iter();
        ids.extend(records.map(|record| record["eventID"].as_str().unwrap().to_owned()));
    }
    let stories = truth(&to);
    let names: Vec<_> = stories.iter().map(|story| story["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["port-scan", "codefinger"], "the source's own story stays known");
    assert_eq!(all(&stories[1], "event_ids"), ids);
    assert_eq!(format!("{}#instance", stories[1]["entity"].as_str().unwrap()), key);
    let found = found(&to, &stories[1]);
    let finding = &found["s3-mass-reencryption"];
    assert_eq!(finding["entity"]["key"].as_str(), Some(&*key), "the identity that was named");
}

#[test]
fn the_same_seed_tells_the_same_story_and_at_moves_it() {
    let source = OWN.path().join("logs/AWSLogs");
    let folder = tempfile::tempdir().unwrap();
    let key = somebody(&source, "AWSReservedSSO");
    let tell = |name: &str, more: &[&str]| {
        let to = folder.path().join(name);
        let (source, to_text) = (text(&source), text(&to));
        let asked = ["simulate", "--into", &source, "--to", &to_text, "--story", "logging-off"];
        run(&[&asked[..], &["--identity", &key], more].concat()).ends(0);
        content(&to)
    };
    let first = tell("first", &[]);
    assert!(first == tell("second", &[]));
    assert!(first != tell("third", &["--seed", "2"]));
    assert!(first.keys().all(|name| name == "truth.json" || name.starts_with("AWSLogs/")));
    tell("fourth", &["--at", "2026-03-03T04:00:00Z"]);
    let moved = &truth(&folder.path().join("fourth"))[0];
    assert!(moved["first"].as_str().unwrap().starts_with("2026-03-03T04:0"), "{moved}");
    assert!(found(&folder.path().join("fourth"), moved).contains_key("logging-switched-off"));
}

const FIELDS: &str = "version account-id vpc-id subnet-id interface-id srcaddr dstaddr srcport dstport \
                      protocol tcp-flags packets bytes start end flow-direction action log-status";
const SHORT: &str = "interface-id account-id srcaddr dstaddr srcport dstport protocol packets bytes end start \
                     action";

/// A day of two interfaces that speak `every_s`, under AWS's names below `prefix`.
fn flow_logs(folder: &Path, prefix: &str, header: &str, every_s: i64) {
    for slot_s in (0..86_400).step_by(usize::try_from(every_s).unwrap()) {
        let mut rows = format!("{header}\n");
        for (eni, own) in [("eni-0a1", "10.0.0.4"), ("eni-0b2", "10.0.0.5")] {
            let end_s = 1_767_571_200 + slot_s + 60;
            for peer in ["192.0.2.9", "192.0.2.10"] {
                let start_s = end_s - 60;
                let row = if header == FIELDS {
                    let ends = format!("{own} {peer} 41001 443 6 3 9 840 {start_s} {end_s}");
                    format!("5 111122223333 vpc-1 subnet-{own} {eni} {ends} egress ACCEPT OK\n")
                } else {
                    let times = format!("{end_s} {start_s}");
                    format!("{eni} 111122223333 {own} {peer} 41001 443 6 9 840 {times} ACCEPT\n")
                };
                rows.push_str(&row);
            }
        }
        // Rows that end by then come ten minutes later.
        let stamp_s = slot_s + 600;
        let (day, hour, minute) = (5 + stamp_s / 86_400, stamp_s / 3_600 % 24, stamp_s / 60 % 60);
        let name = format!(
            "{prefix}AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/01/{day:02}/\
             111122223333_vpcflowlogs_eu-west-1_fl-0123abcd_202601{day:02}T{hour:02}{minute:02}Z_0a1b2c3d.log.gz"
        );
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, gzip(rows.as_bytes())).unwrap();
    }
}

/// Rows that the copy has besides those of the source, with the names of their objects.
fn new_rows(source: &Path, to: &Path) -> Vec<(String, String)> {
    let rows = |bytes: &Vec<u8>| String::from_utf8(gunzip(bytes, 1 << 20).unwrap()).unwrap();
    let (before, mut after) = (content(source), content(to));
    after.remove("truth.json");
    let mut new = Vec::new();
    for (name, bytes) in &after {
        let text = rows(bytes);
        let own =
            before.get(name).map_or_else(|| text.lines().next().unwrap().to_owned() + "\n", rows);
        let added = text.strip_prefix(&own).unwrap_or_else(|| panic!("{name}: {text}"));
        new.extend(added.lines().map(|row| (name.clone(), row.to_owned())));
    }
    new
}

#[test]
fn flows_are_written_as_the_flow_log_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    let (source, to) = (folder.path().join("mine"), folder.path().join("copy"));
    flow_logs(&source, "backup/", FIELDS, 3_600);
    into(&source, &to, "port-scan", "111122223333/eni-0a1").ends(0);
    let rows = new_rows(&source, &to);
    assert!(rows.len() > 20, "{rows:?}");
    for (name, row) in &rows {
        assert!(name.starts_with("backup/AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/01/"));
        assert!(name.contains("_fl-0123abcd_2026010"), "{name}");
        let other = row.contains(" eni-0b2 ");
        let own = if other { "subnet-10.0.0.5 eni-0b2" } else { "subnet-10.0.0.4 eni-0a1" };
        assert!(row.starts_with(&format!("5 111122223333 vpc-1 {own} 10.0.0.")), "{row}");
    }
    let story = &truth(&to)[0];
    assert_eq!(story["entity"], "111122223333/eni-0a1");
    // A long flow is a row in each window that it lasts; the truth names the first.
    for flow in all(story, "flows") {
        let is_row = |row: &str| flow.split(' ').all(|word| row.split(' ').any(|of| of == word));
        assert!(rows.iter().any(|(_, row)| is_row(row)), "{flow}");
    }
    found(&to, story);
}

#[test]
fn flows_of_a_slot_come_in_one_object() {
    let folder = tempfile::tempdir().unwrap();
    let (source, to) = (folder.path().join("mine"), folder.path().join("copy"));
    flow_logs(&source, "", SHORT, 300);
    let before = content(&source);
    into(&source, &to, "vulnerability-scan", "eni-0a1").ends(0);
    assert!(content(&source) == before, "the originals were changed");
    assert!(new_rows(&source, &to).iter().all(|(name, _)| before.contains_key(name)));
    let replayed = run(&["replay", "--format", "jsonl", &text(&to)]);
    let mut found = replayed.ends(0).tells(&[" 0 could not be read"]).rows();
    // Those that were scanned tell of it as well, and what these logs hold comes as if by a clock.
    found.retain(|finding| finding["detector"] == "port-scan");
    assert_eq!(found.len(), 1, "{}", replayed.out);
    assert_eq!(found[0]["flow"]["interface"], "eni-0a1", "without a direction, by the other rows");
}

const CALL: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLEWANDA","arn":"arn:aws:iam::111122223333:user/staff/wanda","accountId":"111122223333","accessKeyId":"AKIAEXAMPLEWANDA","userName":"wanda"},"eventTime":"2026-01-TIME:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"mx-central-1","sourceIPAddress":"192.0.2.7","userAgent":"aws-cli/2.0","requestParameters":{"bucketName":"ledger","key":"in/TIME.csv"},"eventID":"ID","eventType":"AwsApiCall","recipientAccountId":"111122223333"}"#;

/// Days of one user in files without AWS's names.
fn plain_logs(folder: &Path) {
    fs::create_dir_all(folder.join("exports")).unwrap();
    for day in 5..12 {
        let call = |hour: i32| {
            CALL.replace("TIME", &format!("{day:02}T{hour:02}:00"))
                .replace("ID\"", &format!("id-{day}-{hour}\""))
        };
        let calls: Vec<_> = (8..17).map(call).collect();
        fs::write(folder.join(format!("exports/{day}.json")), calls.join("\n")).unwrap();
    }
}

#[test]
fn files_of_other_names_get_a_file_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let (source, to) = (folder.path().join("mine"), folder.path().join("copy"));
    plain_logs(&source);
    fs::write(source.join("exports/cut.json.gz"), &gzip(CALL.as_bytes())[..99]).unwrap();
    // What cannot be read teaches nothing, and is copied.
    into(&source, &to, "stolen-session", "AKIAEXAMPLEWANDA")
        .ends(4)
        .tells(&["cut.json.gz", "byte 99"]);
    let before = content(&source);
    let new = files(&to.join("exports"))
        .into_iter()
        .find(|path| !before.contains_key(&text(path.strip_prefix(&to).unwrap())));
    let new = new.unwrap();
    assert!(text(&new).contains("exports/stolen-session-202601") && text(&new).ends_with("Z.json"));
    fs::remove_file(to.join("exports/cut.json.gz")).unwrap();
    let object = fs::read(new).unwrap();
    let object: Value = serde_json::from_slice(&object).unwrap();
    let records = object["Records"].as_array().unwrap();
    let is_global = |record: &Value| {
        ["iam.amazonaws.com", "organizations.amazonaws.com"]
            .iter()
            .any(|name| record["eventSource"] == *name)
    };
    for record in records {
        let region = if is_global(record) { "us-east-1" } else { "mx-central-1" };
        assert_eq!(record["awsRegion"], region, "{record}");
        assert_eq!(record["userIdentity"]["arn"], "arn:aws:iam::111122223333:user/staff/wanda");
    }
    let known = |record: &&Value| {
        record["requestParameters"]["key"].as_str().is_some_and(|key| key.contains("in/"))
    };
    assert!(records.iter().filter(known).count() > 10, "objects that were seen are read");
    let story = &truth(&to)[0];
    let first = story["first"].as_str().unwrap();
    assert!(first > "2026-01-09" && first < "2026-01-12", "{first}");
    let hour = first.split(['T', ':']).nth(1).unwrap();
    assert!(("08".."17").contains(&hour), "at work: {first}");
    found(&to, story);
}

#[test]
fn what_cannot_be_told_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("mine");
    plain_logs(&source);
    let wanda = "arn:aws:iam::111122223333:user/staff/wanda";
    let fresh = |name: &str| folder.path().join(name);
    into(&source, &fresh("a"), "codefinger", "arn:aws:iam::111122223333:user/staff/wendy")
        .ends(2)
        .tells(&["wendy is not in these logs", "for example", wanda]);
    into(&source, &fresh("b"), "port-scan", wanda).ends(2).tells(&[
        "port-scan happens to a network interface",
        "expected one of",
        "stolen-session",
    ]);
    into(&source, &fresh("c"), "codefingr", wanda).ends(2).tells(&["no such story"]);
    into(&source, &fresh("d"), "all", wanda).ends(2).tells(&["expected one --story"]);
    into(&fresh("nowhere"), &fresh("e"), "codefinger", wanda).ends(2).tells(&["no such folder"]);
    into(&source, &source, "codefinger", wanda).ends(2).tells(&["lies in"]);
    into(&source, &source.join("exports/../new"), "codefinger", wanda).ends(2).tells(&["lies in"]);
    into(folder.path(), &source.join("x/y"), "codefinger", wanda).ends(2).tells(&["lies in"]);
    fs::create_dir(fresh("full")).unwrap();
    fs::write(fresh("full").join("mine"), "").unwrap();
    into(&source, &fresh("full"), "codefinger", wanda).ends(2).tells(&["is not empty"]);
    let (from, to) = (text(&source), text(&fresh("f")));
    let asked = ["simulate", "--into", &from, "--to", &to, "--story", "codefinger"];
    run(&asked).ends(2).tells(&["--identity"]);
    run(&[&asked[..], &["--identity", wanda, "--days", "3"]].concat()).ends(2).tells(&["--days"]);
    run(&[&asked[..], &["--identity", "wanda", "--at", "2026-02-01"]].concat())
        .ends(2)
        .tells(&["--at 2026-02-01T00:00:00Z is outside the logs", "2026-01-11T16:00:00Z"]);
    assert_eq!(files(&source).len(), 7);
    for name in ["a", "b", "c", "d", "e", "f"] {
        assert!(!fresh(name).exists(), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_lead_nowhere_in_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let (source, to) = (folder.path().join("mine"), folder.path().join("copy"));
    plain_logs(&folder.path().join("elsewhere"));
    fs::create_dir(&source).unwrap();
    std::os::unix::fs::symlink("../elsewhere/exports", source.join("logs")).unwrap();
    std::os::unix::fs::symlink("..", folder.path().join("elsewhere/exports/up")).unwrap();
    let before = content_without_links(&folder.path().join("elsewhere"));
    into(&source, &to, "logging-off", "arn:aws:iam::111122223333:user/staff/wanda").ends(0);
    assert!(files(&to).iter().all(|path| !path.is_symlink()));
    assert!(to.join("logs/5.json").is_file());
    assert_eq!(content_without_links(&folder.path().join("elsewhere")), before);
}

#[cfg(unix)]
#[test]
fn a_link_to_where_the_copy_lies_ends_at_the_copy() {
    let folder = tempfile::tempdir().unwrap();
    let (source, to) = (folder.path().join("mine"), folder.path().join("copy"));
    plain_logs(&source);
    std::os::unix::fs::symlink("..", source.join("q")).unwrap();
    into(&source, &to, "logging-off", "wanda").ends(0);
    // Seven files of the source, the story and its truth.
    assert_eq!(files(&to).len(), 9, "{:?}", files(&to));
}

#[cfg(unix)]
#[test]
fn of_two_links_to_one_folder_one_is_read_and_copied() {
    let folder = tempfile::tempdir().unwrap();
    let (source, to) = (folder.path().join("mine"), folder.path().join("copy"));
    plain_logs(&folder.path().join("elsewhere"));
    fs::create_dir(&source).unwrap();
    for link in ["a", "b"] {
        std::os::unix::fs::symlink("../elsewhere/exports", source.join(link)).unwrap();
    }
    into(&source, &to, "logging-off", "wanda").ends(0);
    let folders: BTreeSet<_> =
        files(&to).iter().map(|path| path.parent().unwrap().to_owned()).collect();
    assert_eq!(folders, BTreeSet::from([to.clone(), to.join("b")]));
}

#[test]
fn answers_of_another_form_are_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (source, to) = (folder.path().join("mine"), folder.path().join("copy"));
    plain_logs(&source);
    fs::write(source.join("truth.json"), r#"{"answers":1}"#).unwrap();
    into(&source, &to, "logging-off", "wanda")
        .ends(2)
        .tells(&["truth.json", "expected the stories"]);
}

#[cfg(unix)]
fn content_without_links(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder.join("exports")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    files.iter().map(|path| (text(path), fs::read(path).unwrap())).collect()
}

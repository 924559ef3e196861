//! Flow logs as Parquet: what is found, counted and printed is what the text of the same records gives.

use crate::support::{Ended, archive, files, run, text};
use ingest::decode::gunzip;
use serde_json::Value;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use testdata::aws::parquet::parquet;

const REAL: &str = "../shared/data/vpcflow/full_traces/internet-host-36h";

/// The flow logs of the small organisation: the hours of a scan.
fn flow_logs() -> Vec<PathBuf> {
    let is_flow_log = |path: &PathBuf| text(path).contains("/vpcflowlogs/");
    files(Path::new(archive())).into_iter().filter(is_flow_log).collect()
}

fn as_parquet(object: &Path) -> Vec<u8> {
    let inflated = gunzip(&fs::read(object).unwrap(), 1 << 30).unwrap();
    parquet(str::from_utf8(&inflated).unwrap()).unwrap()
}

/// The same objects under other keys, changed by `change`.
fn copied(key: impl Fn(&str) -> String, change: impl Fn(&Path) -> Vec<u8>) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for object in flow_logs() {
        let below = text(object.strip_prefix(archive()).unwrap());
        let path = folder.path().join(key(&below));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, change(&object)).unwrap();
    }
    folder
}

fn plain(key: &str) -> String {
    key.replace(".log.gz", ".log.parquet")
}

/// The key in the layout of Hive.
fn hive(key: &str) -> String {
    let parts: Vec<&str> = key.split('/').collect();
    let [.., account, _, region, year, month, day, name] = parts[..] else { panic!("{key}") };
    format!(
        "AWSLogs/aws-account-id={account}/aws-service=vpcflowlogs/aws-region={region}/\
         year={year}/month={month}/day={day}/hour=10/{}",
        plain(name)
    )
}

fn replay(folder: &Path, more: &[&str]) -> Ended {
    run(&[&["replay", "--format", "jsonl", &text(folder)], more].concat())
}

#[test]
fn the_findings_are_those_of_the_text() {
    let as_text = copied(str::to_owned, |object| fs::read(object).unwrap());
    let of_text = replay(as_text.path(), &[]);
    assert!(!of_text.ends(0).rows().is_empty());
    let counted = |ended: &Ended| {
        let line = ended.err.lines().find(|line| line.starts_with("records"));
        line.map(str::to_owned)
    };
    for key in [plain, hive] {
        let folder = copied(key, as_parquet);
        let of_parquet = replay(folder.path(), &[]);
        assert_eq!(of_parquet.ends(0).out, of_text.out);
        assert_eq!(counted(&of_parquet), counted(&of_text));
        let elsewhere = ["--region", "sa-east-1"];
        replay(folder.path(), &elsewhere).tells(&["of a region that was not asked for"]);
        let later = ["--from", "2031-01-01"];
        replay(folder.path(), &later).tells(&["written outside the time asked for"]);
    }
    let first = flow_logs().remove(0);
    let account =
        text(&first).split("/AWSLogs/").last().unwrap().split('/').nth(1).unwrap().to_owned();
    let folder = copied(plain, as_parquet);
    for account in [&*account, "444455556666"] {
        let asked = ["--account", account];
        assert_eq!(replay(folder.path(), &asked).out, replay(as_text.path(), &asked).out);
    }
}

#[test]
fn names_that_say_nothing_do_not_matter() {
    let name = |key: &str| key.rsplit('_').next().unwrap().to_owned();
    let as_text = copied(name, |object| fs::read(object).unwrap());
    let folder = copied(|key| plain(&name(key)), as_parquet);
    assert_eq!(replay(folder.path(), &[]).ends(0).out, replay(as_text.path(), &[]).ends(0).out);
    let misnamed = copied(name, as_parquet);
    assert_eq!(replay(misnamed.path(), &[]).ends(0).out, replay(as_text.path(), &[]).out);
}

#[test]
fn decode_prints_what_it_prints_of_text() {
    let object = flow_logs().remove(0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("any.name");
    fs::write(&path, as_parquet(&object)).unwrap();
    let decoded = |path: &Path, more: &[&str]| run(&[&["decode", &text(path)], more].concat());
    for more in [&[][..], &["--as", "flow"], &["--format", "csv"]] {
        let of_text = decoded(&object, more);
        assert!(of_text.ends(0).out.lines().count() > 10);
        assert_eq!(decoded(&path, more), of_text);
    }
    decoded(&path, &["--as", "cloudtrail"]).ends(1).tells(&["a flow log as Parquet"]);
    let whole = fs::read(&path).unwrap();
    let middle = whole.len() / 2;
    let mut damaged = whole.clone();
    damaged[middle] ^= 0x55;
    for damaged in [&whole[..middle], &damaged] {
        fs::write(&path, damaged).unwrap();
        let ended = decoded(&path, &[]);
        assert_eq!(ended.ends(1).out, "");
        ended.tells(&["damaged Parquet"]);
    }
}

#[test]
fn nothing_of_a_damaged_object_counts() {
    let folder = copied(plain, as_parquet);
    let objects = files(folder.path());
    let (damaged, rest) = objects.split_at(objects.len() / 2);
    for (n, object) in damaged.iter().enumerate() {
        let mut bytes = fs::read(object).unwrap();
        // Pages at the front and the back, the footer, its length.
        let place = [bytes.len() / 3, bytes.len() / 2, bytes.len() - 40, bytes.len() - 7][n % 4];
        bytes[place] ^= 0xff;
        if n % 5 == 0 {
            bytes.truncate(place);
        }
        fs::write(object, bytes).unwrap();
    }
    let ended = replay(folder.path(), &[]);
    let told = format!("{} could not be read", damaged.len());
    ended.ends(4).tells(&["objects", &told]).tells(&["damaged Parquet"]);
    for object in damaged {
        fs::remove_file(object).unwrap();
    }
    assert!(!rest.is_empty());
    assert_eq!(replay(folder.path(), &[]).ends(0).out, ended.out);
}

#[test]
fn simulated_flow_logs_are_written_as_either() {
    let folder = tempfile::tempdir().unwrap();
    let size = ["--days", "1", "--machines", "1", "--accounts", "1", "--people", "1"];
    let told = ["plain-text", "parquet"].map(|format| {
        let to = text(&folder.path().join(format));
        let asked = ["simulate", "--to", &to, "--flow-file-format", format];
        run(&[&asked[..], &size].concat()).ends(0);
        let ended = run(&["replay", "--format", "jsonl", &to]);
        let lines = ended.ends(0).err.lines().filter(|line| line.starts_with("records"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!(told[0], told[1]);
    let names = files(&folder.path().join("parquet"));
    assert!(names.iter().any(|path| text(path).ends_with(".log.parquet")));
}

#[test]
fn real_objects_hold_the_rows_of_their_text() {
    if !Path::new(REAL).is_dir() {
        // Not by println: what a test that passes prints is not shown.
        writeln!(io::stderr(), "skipped: ../shared/data is absent").unwrap();
        return;
    }
    let [of_text, of_parquet] = ["v5-custom", "v5-parquet"].map(|name| {
        let folder = Path::new(REAL).join(name);
        let decoded = |path: &PathBuf| run(&["decode", &text(path)]).ends(0).out.clone();
        let all: String = files(&folder).iter().map(decoded).collect();
        let mut rows: Vec<String> = all.lines().map(str::to_owned).collect();
        rows.sort_unstable();
        // Objects of an hour show more of a pair of hosts than those of five minutes: who is told is the same.
        let told =
            |row: &Value| [&row["detector"], &row["flow"]["interface"]].map(Value::to_string);
        let mut found: Vec<_> = replay(&folder, &[]).ends(0).rows().iter().map(told).collect();
        found.sort_unstable();
        (found, rows)
    });
    assert!(of_text.0.len() >= 4, "{:?}", of_text.0);
    assert_eq!(of_text, of_parquet);
}

/// Records of CloudTrail as Security Lake has them: four calls, and one of another product.
const LAKE: &str = "ingest/src/parquet/samples/ocsf-cloudtrail.parquet";

#[test]
fn cloudtrail_of_security_lake_is_read_as_cloudtrail() {
    let printed = run(&["decode", "--format", "jsonl", LAKE]);
    let rows: Vec<Value> =
        printed.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = rows.iter().filter_map(|row| row["event_name"].as_str()).collect();
    assert_eq!(names, ["GetObject", "DeleteTrail", "ConsoleLogin", "GenerateDataKey"]);
    let folder = tempfile::tempdir().unwrap();
    let below =
        "aws/CLOUD_TRAIL_MGMT/2.0/region=eu-west-1/accountId=111122223333/eventDay=20260105";
    let lake = folder.path().join(below);
    fs::create_dir_all(&lake).unwrap();
    fs::copy(LAKE, lake.join("a1.gz.parquet")).unwrap();
    let ended = replay(folder.path(), &[]);
    assert!(ended.err.contains("4 of CloudTrail"), "{}", ended.err);
}

#[test]
fn flows_that_a_second_flow_log_has_too_are_told_once() {
    let one = copied(str::to_owned, |object| fs::read(object).unwrap());
    let other = |key: &str| plain(&key.replace("_fl-", "_fl-f"));
    let both = copied(other, as_parquet);
    for object in files(one.path()) {
        let path = both.path().join(object.strip_prefix(one.path()).unwrap());
        fs::copy(&object, path).unwrap();
    }
    let told = |folder: &TempDir| -> Vec<(Value, Value, Value)> {
        let rows = replay(folder.path(), &[]).rows();
        rows.iter()
            .map(|row| (row["id"].clone(), row["count"].clone(), row["parts"].clone()))
            .collect()
    };
    assert_eq!(files(both.path()).len(), 2 * files(one.path()).len());
    assert!(!told(&one).is_empty());
    assert_eq!(told(&both), told(&one));
}

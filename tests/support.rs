//! Runs the program and reads what it writes.

pub(crate) mod bench;
pub(crate) mod daemon;
pub(crate) mod receiver;

use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, SystemTime},
};

/// What `simulate` is asked for: little more than lets every detector find something.
const ASKED: [&str; 9] = [
    "--seed=2",
    "--days=5",
    "--accounts=1",
    "--people=8",
    "--machines=1",
    "--pipelines=1",
    "--agents=0",
    "--vpcs=1",
    "--digests",
];

/// Attacks, then what only looks like one.
const STORIES: [&str; 10] = [
    "--story=codefinger",
    "--story=stolen-session",
    "--story=leaked-ci-key",
    "--story=role-chain",
    "--story=port-scan",
    "--story=logging-off",
    "--story=migration",
    "--story=new-laptop",
    "--story=break-glass",
    "--story=audit-tool",
];

/// The logs of a small organisation in which stories happen, as `simulate` writes them, with their
/// truth; written once. Of its flow logs only the hours of the scan are kept: they would be nine tenths
/// of everything.
pub(crate) fn archive() -> &'static str {
    static ARCHIVE: OnceLock<String> = OnceLock::new();
    ARCHIVE.get_or_init(|| {
        // A fixed place: nobody tidies up after a static.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("small-organisation");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        let to = text(&folder);
        run(&[&["simulate", "--to", &to], &ASKED[..], &STORIES].concat()).ends(0);
        let scan = stories(&folder).into_iter().find(|story| story["name"] == "port-scan").unwrap();
        let hour = |key: &str| scan[key].as_str().unwrap().get(..13).unwrap().replace('-', "");
        let (first, last) = (hour("first"), hour("last"));
        let is_flow_log = |path: &&PathBuf| text(path).contains("/vpcflowlogs/");
        for path in files(&folder).iter().filter(is_flow_log) {
            let name = text(path);
            let hour = name.rsplit('_').nth(1).and_then(|stamp| stamp.get(..11)).unwrap();
            if hour < &*first || hour > &*last {
                fs::remove_file(path).unwrap();
            }
        }
        to
    })
}

/// What a run left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Standard output as JSON Lines; anything else there is a fault.
    #[track_caller]
    pub(crate) fn rows(&self) -> Vec<Value> {
        let row = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.out.lines().map(row).collect()
    }

    #[track_caller]
    pub(crate) fn ends(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// Whether standard error says all of `words` in one line.
    #[track_caller]
    pub(crate) fn tells(&self, words: &[&str]) -> &Self {
        let says = |line: &str| words.iter().all(|word| line.contains(word));
        assert!(self.err.lines().any(says), "{words:?} not in: {}", self.err);
        self
    }
}

pub(crate) fn run<S: AsRef<str>>(arguments: &[S]) -> Ended {
    run_on(b"", arguments)
}

/// The same in an environment.
pub(crate) fn run_in<S: AsRef<str>>(environment: &[(&str, &str)], arguments: &[S]) -> Ended {
    ended(b"", command(arguments).envs(environment.iter().copied()))
}

pub(crate) fn run_on<S: AsRef<str>>(input: &[u8], arguments: &[S]) -> Ended {
    ended(input, &mut command(arguments))
}

fn ended(input: &[u8], command: &mut Command) -> Ended {
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let ended = thread::scope(|scope| {
        // A program that refuses its arguments does not read.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    });
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: ended.status.code(), out: text(ended.stdout), err: text(ended.stderr) }
}

/// Runs with a standard output that nobody reads: exit code and standard error.
pub(crate) fn run_unread<S: AsRef<str>>(arguments: &[S]) -> (Option<i32>, String) {
    let mut child = command(arguments).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

fn command<S: AsRef<str>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentrail"));
    command.args(arguments.iter().map(AsRef::as_ref));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What is true of the stories in an archive.
pub(crate) fn stories(folder: &Path) -> Vec<Value> {
    let text = fs::read(folder.join("truth.json")).unwrap();
    let truth: Value = serde_json::from_slice(&text).unwrap();
    truth["stories"].as_array().unwrap().clone()
}

/// The folder of one kind of log in `archive`, which has one account.
pub(crate) fn logs(kind: &str) -> PathBuf {
    let below = files(&Path::new(archive()).join("AWSLogs"));
    let parents = below.iter().flat_map(|path| path.ancestors());
    parents.into_iter().find(|path| path.ends_with(kind)).unwrap().to_owned()
}

/// Every file under a folder, sorted.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Status and text of what a daemon answers.
pub(crate) fn get(at: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {at}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().to_owned(), text.to_owned())
}

/// Files under a folder that have `extension`, sorted.
pub(crate) fn files_of(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = files(folder);
    found.retain(|path| path.extension().is_some_and(|own| own == extension));
    found
}

/// Log objects of an archive, in an order that has nothing to do with their times: AWS ends their
/// names in random letters.
pub(crate) fn shuffled_objects(folder: &Path) -> Vec<String> {
    let mut objects: Vec<String> = files_of(folder, "gz").iter().map(|path| text(path)).collect();
    objects.retain(|path| !path.contains("CloudTrail-Digest"));
    objects.sort_by_key(|path| path.chars().rev().collect::<String>());
    objects
}

fn without_inputs(mut finding: Value) -> Value {
    finding.as_object_mut().unwrap().remove("inputs");
    finding
}

/// A record of a day of March 2026 on which the credentials of a machine are used from outside AWS.
pub(crate) fn used_outside(day: u32) -> Value {
    let role = "arn:aws:iam::111122223333:role/web";
    let session = "arn:aws:sts::111122223333:assumed-role/web/i-0123456789abcdef0";
    serde_json::json!({
        "eventVersion": "1.11", "eventTime": format!("2026-03-{day:02}T10:00:00Z"),
        "eventSource": "s3.amazonaws.com", "eventName": "ListBuckets", "awsRegion": "us-east-1",
        "sourceIPAddress": "8.8.8.8", "userAgent": "aws-cli/2.15.30",
        "eventID": format!("0a1b2c3d-0000-0000-0000-{day:012}"), "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROAEXAMPLE:i-0123456789abcdef0",
            "arn": session, "accountId": "111122223333", "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
            "sessionContext": {"sessionIssuer": {
                "type": "Role", "principalId": "AROAEXAMPLE", "arn": role,
                "accountId": "111122223333", "userName": "web"}}}})
}

/// Findings that a file keeps, without what names the run.
#[track_caller]
pub(crate) fn kept(file: &str) -> Vec<Value> {
    let rows = run(&["findings", "list", "--in", file, "--format", "jsonl"]).ends(0).rows();
    rows.into_iter().map(without_inputs).collect()
}

/// The findings of a replay of the whole archive, of days before the oldest that stays open.
pub(crate) fn expected(open: &str) -> Vec<Value> {
    let mut rows = run(&["replay", "--quiet", "--format", "jsonl", archive()]).ends(0).rows();
    rows.retain(|row| row["day"].as_str().unwrap() < open);
    in_order(rows)
}

/// Findings in the order in which a file lists them, without what names the run.
pub(crate) fn in_order(findings: Vec<Value>) -> Vec<Value> {
    let mut findings: Vec<_> = findings.into_iter().map(without_inputs).collect();
    findings.sort_by_key(|row| {
        ["day", "first_seen", "last_seen", "id"].map(|key| row[key].as_str().unwrap().to_owned())
    });
    findings
}

/// Log objects of `archive` in the order in which they were written.
pub(crate) fn objects_by_stamp() -> Vec<PathBuf> {
    let mut objects = files_of(Path::new(archive()), "gz");
    objects.retain(|path| !text(path).contains("CloudTrail-Digest"));
    // Their names tell the time after the region.
    objects.sort_by_key(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.split('_').find(|part| part.starts_with("20")).map(str::to_owned)
    });
    objects
}

/// Brings an object of the archive into a folder as `aws s3 sync` does: with the time at which it was written.
pub(crate) fn deliver(object: &Path, folder: &Path) {
    let copy = folder.join(object.strip_prefix(archive()).unwrap());
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    fs::copy(object, &copy).unwrap();
    let file = fs::File::options().append(true).open(copy).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
}

pub(crate) fn deliver_all(objects: &[PathBuf], folder: &Path) {
    for object in objects {
        deliver(object, folder);
    }
}

/// Writes an object that was delivered anew, with these bytes, so many seconds after it was written first.
pub(crate) fn write_again(object: &Path, folder: &Path, bytes: &[u8], seconds: u64) {
    let copy = folder.join(object.strip_prefix(archive()).unwrap());
    fs::write(&copy, bytes).unwrap();
    let file = fs::File::options().append(true).open(copy).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

/// Takes the findings that say that an object was changed out of others.
pub(crate) fn take_changed(findings: &mut Vec<Value>) -> Vec<Value> {
    findings.extract_if(.., |finding| finding["detector"] == "log-object-changed").collect()
}

/// Copies every tenth file to `target`, with its folders.
pub(crate) fn copy_tenth(folder: &Path, target: &Path) {
    for path in files(folder).iter().step_by(10) {
        let copy = target.join(path.strip_prefix(folder).unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(path, copy).unwrap();
    }
}

/// Runs a script of this folder on the program; answers what it tells.
#[track_caller]
pub(crate) fn script(name: &str, arguments: &[&str]) -> String {
    let ended = Command::new("python3")
        .arg(format!("tests/{name}"))
        .args(["--binary", env!("CARGO_BIN_EXE_sentrail")])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).unwrap()
}

pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// The records of `archive` by their id, duplicates included once, and how many there are with them.
pub(crate) fn records() -> &'static (BTreeMap<String, Value>, u64) {
    static RECORDS: OnceLock<(BTreeMap<String, Value>, u64)> = OnceLock::new();
    RECORDS.get_or_init(|| {
        let mut records = BTreeMap::new();
        let mut n = 0;
        for path in shuffled_objects(&logs("CloudTrail")) {
            let bytes = ingest::decode::gunzip(&fs::read(&path).unwrap(), 1 << 24).unwrap();
            let object: Value = serde_json::from_slice(&bytes).unwrap();
            for record in object["Records"].as_array().unwrap() {
                n += 1;
                records.insert(record["eventID"].as_str().unwrap().to_owned(), record.clone());
            }
        }
        (records, n)
    })
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let n = compressor.gzip_compress(bytes, &mut out).unwrap();
    out.truncate(n);
    out
}

/// A zstd frame of one block that is not compressed (RFC 8878, 3.1.1), shorter than 64 KiB.
pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    let n = u32::try_from(bytes.len()).unwrap();
    assert!((256..65_536).contains(&n), "the size field has two bytes, for sizes from 256");
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0b0110_0000];
    out.extend(u16::try_from(n - 256).unwrap().to_le_bytes());
    out.extend(&(n << 3 | 1).to_le_bytes()[..3]);
    out.extend(bytes);
    out
}

//! Generated records against real ones: the same keys at every level for the same call.
//!
//! Real records are read from `../shared/data` where it is present; values are never looked at.

#![expect(clippy::indexing_slicing, reason = "a test stops at what is not there")]
#![expect(clippy::unwrap_used, reason = "a test that cannot read its input has to stop")]
#![expect(clippy::print_stderr, reason = "a test that skips says so")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libdeflater::Decompressor;
use serde_json::Value;
use testdata::Archive;
use testdata::aws::api::config::SCAN;
use testdata::aws::api::console::{READS, Things};
use testdata::aws::api::ec2::Launch;
use testdata::aws::api::signin::SecondFactor;
use testdata::aws::api::sts::Opening;
use testdata::aws::api::{At, ec2, keys, s3, shapes, signin, sts};
use testdata::aws::call::{Call, is_read_only};
use testdata::aws::caller::{Caller, Role, Session, User};
use testdata::json::fixed;
use testdata::object;
use testdata::organisation::Size;
use testdata::rng::Rng;
use testdata::simulate::{self, Plan};
use testdata::story::STORIES;

const ACCOUNT: &str = "111122223333";
const AT: At<'static> = At { time_s: 1_772_443_800, region: "us-east-1", account: ACCOUNT };
/// Fewer real records of one kind do not show what is always there.
const ALWAYS_MIN: usize = 3;
/// Calls that must be found in the real data, or this test compares nothing.
const COMPARED_MIN: usize = 150;

/// Top-level fields of newer versions of the format, which older records lack.
const NEWER: [(&str, &str); 9] = [
    ("sharedEventID", "1.03"),
    ("vpcEndpointId", "1.04"),
    ("serviceEventDetails", "1.05"),
    ("managementEvent", "1.06"),
    ("eventCategory", "1.07"),
    ("sessionCredentialFromConsole", "1.08"),
    ("tlsDetails", "1.08"),
    ("vpcEndpointAccountId", "1.09"),
    ("eventContext", "1.11"),
];

/// What no published record has in `userIdentity`, and AWS's documentation does: which machine holds
/// the credentials (since 2025), and who vouched for a session.
const DOCUMENTED: [&str; 2] =
    ["userIdentity.inScopeOf", "userIdentity.sessionContext.webIdFederationData"];

/// Objects whose keys are data.
const MAPS: [&str; 5] = ["encryptionContext", "tags", "key", "environment", "Principal"];

/// Fields that the published sessions of the console have lost: other calls of the same service show
/// what is in them.
const LOST: [&str; 4] = ["requestID", "additionalEventData", "resources", "apiVersion"];

const CUT: &str = "the one record that is published lacks it, newer ones of all services have it";

/// Paths that differ for a reason: call, beginning of the path, and the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "secretsmanager:GetSecretValue",
        "requestParameters.versionId",
        "Terraform asks for a version, programs do not",
    ),
    (
        "sts:AssumeRole",
        "requestParameters.durationSeconds",
        "SDKs for Go ask for it, most others do not",
    ),
    ("acm:ListCertificates", "readOnly", CUT),
    ("redshift:DescribeClusters", "readOnly", CUT),
    ("sagemaker:ListNotebookInstances", "readOnly", CUT),
    (
        "s3:PutObject",
        "responseElements.x-amz-expiration",
        "the one bucket with data events has a lifecycle, most have none",
    ),
];

/// All key paths below `value`: levels of arrays are not told, keys of maps neither.
fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(pairs) => {
            if MAPS.iter().any(|map| path.ends_with(map)) {
                return;
            }
            for (key, below) in pairs {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                paths(below, &path, found);
                found.insert(path);
            }
        }
        Value::Array(values) => values.iter().for_each(|below| paths(below, path, found)),
        _ => {}
    }
}

fn paths_of(record: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    paths(record, "", &mut found);
    found
}

fn text<'a>(record: &'a Value, field: &str) -> &'a str {
    record[field].as_str().unwrap_or_default()
}

fn api_of(record: &Value) -> String {
    let service = text(record, "eventSource").split('.').next().unwrap_or_default();
    format!("{service}:{}", text(record, "eventName"))
}

/// Whether `path` is below one of `fields`.
fn starts(path: &str, fields: &[&str]) -> bool {
    path.split('.').next().is_some_and(|first| fields.contains(&first))
}

/// Whether it went wrong.
fn outcome(record: &Value) -> bool {
    record.get("errorCode").is_some() || record.get("errorMessage").is_some()
}

#[derive(Default)]
struct Seen {
    /// Paths of records with this outcome.
    some: BTreeMap<bool, BTreeSet<String>>,
    /// Whether a record with this outcome has lost nothing.
    unharmed: BTreeSet<bool>,
    /// Paths that all records of one identity type and outcome have, and how many there are.
    always: BTreeMap<(String, bool), (BTreeSet<String>, usize)>,
    /// `readOnly` values.
    read_only: BTreeSet<bool>,
}

#[derive(Default)]
struct Real {
    by_api: BTreeMap<String, Seen>,
    /// Paths below `userIdentity`, of all calls.
    identity: BTreeSet<String>,
    /// Paths below `LOST`, of all calls of a service.
    lost: BTreeMap<String, BTreeSet<String>>,
}

impl Real {
    fn add(&mut self, record: &Value, whole: bool) {
        let found = paths_of(record);
        let below = self.lost.entry(text(record, "eventSource").to_owned()).or_default();
        below.extend(found.iter().filter(|path| starts(path, &LOST)).cloned());
        self.identity.extend(found.iter().filter(|path| path.starts_with("userIdentity")).cloned());
        let seen = self.by_api.entry(api_of(record)).or_default();
        seen.read_only.extend(record["readOnly"].as_bool());
        seen.some.entry(outcome(record)).or_default().extend(found.iter().cloned());
        if whole {
            seen.unharmed.insert(outcome(record));
            let key = (text(&record["userIdentity"], "type").to_owned(), outcome(record));
            let (always, n) = seen.always.entry(key).or_insert_with(|| (found.clone(), 0));
            always.retain(|path| found.contains(path));
            *n += 1;
        }
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

fn gunzip(bytes: &[u8]) -> String {
    // The last four bytes of the one member say how long it is.
    let length = bytes.last_chunk().map_or(0, |size| u32::from_le_bytes(*size) as usize);
    let mut text = vec![0; length];
    let length = Decompressor::new().gzip_decompress(bytes, &mut text).unwrap();
    text.truncate(length);
    String::from_utf8(text).unwrap()
}

/// Rules are published with records that are cut down to what the rule needs: those say nothing.
fn is_whole(record: &Value) -> bool {
    let fields = [
        "requestID",
        "eventID",
        "readOnly",
        "userAgent",
        "eventCategory",
        "requestParameters",
        "responseElements",
    ];
    let sign_in = text(record, "eventSource").starts_with("signin");
    let storage = text(record, "eventSource").starts_with("s3");
    fields.iter().all(|field| record.get(field).is_some() || sign_in && *field == "requestID")
        && (!storage || record["additionalEventData"].get("x-amz-id-2").is_some())
}

/// The real records, or `None` where they are absent.
fn real() -> Option<&'static Real> {
    static REAL: OnceLock<Option<Real>> = OnceLock::new();
    REAL.get_or_init(read_real).as_ref()
}

fn read_real() -> Option<Real> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cloudtrail");
    if !root.is_dir() {
        eprintln!("skipped: ../shared/data/cloudtrail is absent");
        return None;
    }
    let mut real = Real::default();
    for folder in ["benign_console_sessions", "attack_traces", "full_traces"] {
        let mut files = Vec::new();
        files_below(&root.join(folder), &mut files);
        for path in files.iter().filter(|path| path.extension().is_some_and(|end| end == "gz")) {
            let Ok(value) = serde_json::from_str::<Value>(&gunzip(&fs::read(path).unwrap())) else {
                continue;
            };
            let records = value.get("Records").unwrap_or(&value);
            for record in records.as_array().into_iter().flatten() {
                real.add(record, folder != "benign_console_sessions");
            }
        }
    }
    for file in ["labelled_events.ndjson.gz", "weak_attack_api_events.ndjson.gz"] {
        for line in gunzip(&fs::read(root.join(file)).unwrap()).lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            if is_whole(&row["event"]) {
                real.add(&row["event"], false);
            }
        }
    }
    Some(real)
}

fn role() -> Role {
    Role {
        account: ACCOUNT.to_owned(),
        path: String::new(),
        name: "platform".to_owned(),
        principal: "AROAEXAMPLEEXAMPLE123".to_owned(),
    }
}

fn callers() -> [Caller; 2] {
    let session = Session { name: "ada", key: "ASIAEXAMPLEEXAMPLE12", since_s: AT.time_s - 60 };
    let user = User {
        account: ACCOUNT.to_owned(),
        name: "ada".to_owned(),
        principal: "AIDAEXAMPLEEXAMPLE123".to_owned(),
    };
    let agent = "aws-cli/2.33.8 md/awscrt#0.29.2";
    [
        Caller::new(role().session(session, &[]), "198.51.100.7", agent),
        Caller::new(user.with_key("AKIAEXAMPLEEXAMPLE12"), "198.51.100.7", agent),
    ]
}

/// Every call that the module can make, at least once.
fn calls(rng: &mut Rng) -> Vec<Call> {
    let things = Things {
        user: "ada",
        role: "platform",
        group: "engineers",
        bucket: "rivermill",
        instance: "i-1",
        volume: "vol-1",
        snapshot: "snap-1",
        security_group: "sg-1",
        launch_template: "lt-1",
        kms_key: "0b1c",
        trail: "main",
        service: "billing",
    };
    let mut calls: Vec<Call> = shapes().iter().map(|shape| shape.call(AT, &[], rng)).collect();
    calls.extend(READS.iter().map(|read| read.call(AT, &things, rng)));
    for question in &SCAN {
        calls.extend([true, false].map(|has| question.call(AT, "rivermill", has, rng)));
    }
    let object = ("rivermill", "a/b.csv");
    calls.extend([
        s3::get_object(AT, object, 9, rng),
        s3::head_object(AT, object, rng),
        s3::put_object(AT, object, 9, rng),
        s3::copy_object(AT, object, "rivermill/c", rng),
        s3::encrypt_with_own_key(AT, object, rng),
        s3::delete_object(AT, object, rng),
        s3::delete_objects(AT, "rivermill", 9, rng),
        s3::list_objects(AT, ("rivermill", "a/"), 9, rng),
        s3::list_buckets(AT, rng),
        s3::create_bucket(AT, "rivermill", rng),
        s3::delete_bucket(AT, "rivermill", rng),
        s3::put_bucket_tagging(AT, "rivermill", ("a", "b"), rng),
        s3::put_bucket_policy(AT, "rivermill", (fixed("*"), "s3:GetObject"), rng),
        s3::delete_bucket_policy(AT, "rivermill", rng),
        s3::allow_own_keys(AT, "rivermill", rng),
        s3::expire_all(AT, "rivermill", 7, rng),
        s3::put_bucket_versioning(AT, "rivermill", "Suspended", rng),
        s3::put_public_access_block(AT, "rivermill", false, rng),
    ]);
    calls.extend(other_calls(rng));
    calls
}

/// Calls that services make on their own account.
fn calls_of_services(rng: &mut Rng) -> Vec<Call> {
    let role = role();
    let opening = Opening { role: &role, session: "i-1", key: "ASIAEXAMPLEEXAMPLE12" };
    let object = ("rivermill", "AWSLogs/a");
    vec![
        sts::assume_role_for_service(AT, opening, rng),
        sts::assume_role(AT, opening, rng),
        s3::deliver_log(AT, object, (9, "0b1c"), rng),
        s3::deliver_log_in_vain(AT, object, rng),
        s3::get_bucket_acl(AT, "rivermill", rng),
        keys::generate_data_key_for_trail(AT, "0b1c", "main", "rivermill", rng),
    ]
}

fn other_calls(rng: &mut Rng) -> Vec<Call> {
    let role = role();
    let opening = Opening { role: &role, session: "ada", key: "ASIAEXAMPLEEXAMPLE12" };
    let launch = Launch {
        image: "ami-1",
        kind: "p5.48xlarge",
        vpc: "vpc-1",
        subnet: "subnet-1",
        address: "10.0.1.23",
        group: "sg-1",
        profile: "worker",
        instance: "i-1",
    };
    vec![
        ec2::run_instances(AT, launch, rng),
        ec2::run_instances_beyond_limit(AT, launch, rng),
        ec2::describe_user_data(AT, "i-1", rng),
        sts::assume_role(AT, opening, rng),
        sts::assume_role_with_web_identity(AT, opening, ("p", "s"), rng),
        sts::assume_role_with_saml(AT, opening, "okta", rng),
        signin::console_login(AT, SecondFactor::NotUsed),
        signin::console_login(AT, SecondFactor::Device("arn:aws:iam::111122223333:mfa/ada")),
        signin::failed_console_login(AT),
        signin::check_mfa(AT),
        signin::get_signin_token(AT, "ASIAEXAMPLEEXAMPLE12"),
        signin::switch_role(AT, "arn:aws:iam::111122223333:role/platform", "ada"),
        signin::credential_challenge(AT, "w", ("TOTP", "ada")),
        signin::credential_verification(AT, "w", "TOTP"),
        signin::authenticate(AT),
        signin::create_token(AT, rng),
        signin::user_authentication(AT, "w"),
        signin::federate(AT, "platform"),
        signin::get_role_credentials(AT, "platform"),
    ]
}

fn is_newer(path: &str) -> bool {
    starts(path, &NEWER.map(|(field, _)| field))
}

fn is_excepted(api: &str, path: &str) -> bool {
    EXCEPTIONS.iter().any(|(call, start, _)| *call == api && path.starts_with(start))
}

#[test]
fn the_keys_are_those_of_real_records() {
    let Some(real) = real() else { return };
    let mut rng = Rng::new(11);
    let (mut compared, mut wrong) = (BTreeSet::new(), BTreeSet::new());
    for call in calls(&mut rng) {
        for caller in callers() {
            let record = call.clone().record(&caller, ACCOUNT, &mut rng);
            let value: Value = serde_json::from_str(&record.text).unwrap();
            compare(real, &value, &mut compared, &mut wrong);
        }
    }
    let service = Caller::service("cloudtrail.amazonaws.com");
    for call in calls_of_services(&mut rng) {
        let record = call.record(&service, ACCOUNT, &mut rng);
        let value: Value = serde_json::from_str(&record.text).unwrap();
        compare(real, &value, &mut compared, &mut wrong);
    }
    println!("{} calls compared: {compared:?}", compared.len());
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), Vec::from_iter(wrong).join("\n"));
    assert!(compared.len() >= COMPARED_MIN, "{} calls compared", compared.len());
}

/// What an organisation does within some days, in which every story happens.
fn simulated() -> Vec<Value> {
    let size = Size { accounts: 3, people: 12, machines: 9, pipelines: 3, agents: 2, vpcs: 1 };
    let stories = STORIES.to_vec();
    let plan = Plan { seed: 5, size, start_s: 1_772_409_600, days: 8, has_digests: false, stories };
    let mut archive = Archive::new();
    simulate::run(&plan, &mut archive, &mut |_| ()).unwrap();
    let objects = archive.iter().filter(|(key, _)| key.contains("/CloudTrail/"));
    objects
        .flat_map(|(_, bytes)| {
            let value: Value = serde_json::from_str(&gunzip(bytes)).unwrap();
            value["Records"].as_array().unwrap().clone()
        })
        .collect()
}

#[test]
fn the_keys_of_a_simulated_organisation_are_those_of_real_records() {
    let Some(real) = real() else { return };
    let (mut compared, mut wrong) = (BTreeSet::new(), BTreeSet::new());
    let records = simulated();
    for record in &records {
        compare(real, record, &mut compared, &mut wrong);
    }
    let apis: BTreeSet<_> = records.iter().map(api_of).collect();
    let unknown: Vec<_> = apis.difference(&compared).collect();
    println!(
        "{} calls compared, {} without a real record: {unknown:?}",
        compared.len(),
        unknown.len()
    );
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), Vec::from_iter(wrong).join("\n"));
}

fn compare(
    real: &Real,
    value: &Value,
    compared: &mut BTreeSet<String>,
    wrong: &mut BTreeSet<String>,
) {
    let api = api_of(value);
    let Some(seen) = real.by_api.get(&api) else { return };
    let found = paths_of(value);
    let failed = outcome(value);
    let Some(known) = seen.some.get(&failed) else { return };
    compared.insert(api.clone());
    for path in &found {
        let is_known = if path.starts_with("userIdentity") {
            real.identity.contains(path) || DOCUMENTED.iter().any(|start| path.starts_with(start))
        } else {
            // What is asked does not depend on what comes of it.
            let asked = || {
                path.starts_with("requestParameters")
                    && seen.some.values().any(|other| other.contains(path))
            };
            let lost = || {
                let elsewhere = || real.lost[text(value, "eventSource")].contains(path);
                starts(path, &LOST)
                    && !seen.unharmed.contains(&failed)
                    && (path == "requestID" || elsewhere())
            };
            known.contains(path) || is_newer(path) || asked() || lost()
        };
        if !is_known && !is_excepted(&api, path) {
            wrong.insert(format!("{api}: nobody else has {path}"));
        }
    }
    let kind = text(&value["userIdentity"], "type").to_owned();
    if let Some((always, n)) = seen.always.get(&(kind, failed))
        && *n >= ALWAYS_MIN
    {
        for path in always.iter().filter(|path| !path.starts_with("userIdentity")) {
            if !found.contains(path) && !is_newer(path) && !is_excepted(&api, path) {
                wrong.insert(format!("{api}: all {n} others have {path}"));
            }
        }
    }
    let read_only = value["readOnly"].as_bool().unwrap();
    if !seen.read_only.is_empty() && !seen.read_only.contains(&read_only) {
        wrong.insert(format!("{api}: readOnly is {read_only}"));
    }
}

#[test]
fn every_record_has_the_fields_that_all_have() {
    let mut rng = Rng::new(12);
    for call in calls(&mut rng) {
        for caller in callers() {
            let record = call.clone().record(&caller, ACCOUNT, &mut rng);
            let value: Value = serde_json::from_str(&record.text).unwrap();
            for field in [
                "eventVersion",
                "userIdentity",
                "eventTime",
                "eventSource",
                "eventName",
                "awsRegion",
                "sourceIPAddress",
                "userAgent",
                "requestParameters",
                "responseElements",
                "eventID",
                "readOnly",
                "eventType",
                "managementEvent",
                "recipientAccountId",
                "eventCategory",
            ] {
                assert!(value.get(field).is_some(), "{field} is missing: {}", record.text);
            }
            assert_eq!(value["eventID"], record.id);
            assert!(!record.text.contains('<') || record.text.contains("sensitiveDataRemoved"));
        }
    }
}

#[test]
fn reads_and_writes_are_told_apart() {
    for (service, name, read_only) in [
        ("s3", "GetObject", true),
        ("s3", "PutObject", false),
        ("s3", "HeadBucket", true),
        ("sts", "AssumeRole", true),
        ("sts", "AssumeRoleWithWebIdentity", true),
        ("kms", "Decrypt", true),
        ("kms", "Encrypt", true),
        ("kms", "GenerateDataKey", true),
        ("cloudtrail", "LookupEvents", true),
        ("signin", "ConsoleLogin", false),
        ("lambda", "Invoke", false),
        ("bedrock", "InvokeModel", true),
        ("iam", "CreateAccessKey", false),
        ("secretsmanager", "BatchGetSecretValue", true),
        ("ec2", "RunInstances", false),
    ] {
        assert_eq!(is_read_only(service, name), read_only, "{service}:{name}");
    }
}

#[test]
fn services_share_their_events() {
    let caller = Caller::service("cloudtrail.amazonaws.com");
    let mut rng = Rng::new(13);
    let record = s3::get_bucket_acl(AT, "rivermill", &mut rng).record(&caller, ACCOUNT, &mut rng);
    let value: Value = serde_json::from_str(&record.text).unwrap();
    assert_eq!(
        value["userIdentity"],
        serde_json::json!({
            "type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"
        })
    );
    assert_eq!(object! { "a": 1 }.line(), r#"{"a":1}"#);
}

//! Findings as Detection Findings of OCSF: fields, numbers, and what stands in them.

use super::{
    fields::{Field, Is, at, faults},
    *,
};
use crate::{Account, Accounts, Run};

/// Times are milliseconds: from 1970 to 2096.
const MS: Is = Is::Whole(0, 4_000_000_000_000);

/// The class as it is used, with what it asks for.
const TABLE: &[Field] = &[
    ("/class_uid", true, Is::Whole(2_004, 2_004)),
    ("/category_uid", true, Is::Whole(2, 2)),
    ("/activity_id", true, Is::Whole(1, 1)),
    ("/type_uid", true, Is::Whole(200_401, 200_401)),
    ("/time", true, MS),
    ("/severity_id", true, Is::Whole(2, 5)),
    ("/status_id", true, Is::Whole(1, 3)),
    ("/confidence_id", true, Is::Whole(1, 3)),
    ("/confidence_score", true, Is::Whole(0, 100)),
    ("/risk_score", true, Is::Whole(10, 100)),
    ("/message", true, Is::Said),
    ("/count", true, Is::Whole(0, i64::MAX)),
    ("/metadata", true, Is::Object),
    ("/metadata/version", true, Is::One(&["1.8.0"])),
    ("/metadata/profiles", true, Is::List(1, 1)),
    ("/metadata/profiles/*", true, Is::One(&["cloud"])),
    ("/metadata/uid", true, Is::Said),
    ("/metadata/product", true, Is::Object),
    ("/metadata/product/name", true, Is::Said),
    ("/metadata/product/vendor_name", true, Is::Said),
    ("/metadata/product/version", true, Is::Said),
    ("/cloud", true, Is::Object),
    ("/cloud/provider", true, Is::One(&["AWS"])),
    ("/cloud/region", false, Is::Text(16)),
    ("/cloud/account", false, Is::Object),
    ("/cloud/account/uid", true, Is::Digits(12)),
    ("/cloud/account/name", false, Is::Said),
    ("/cloud/account/type_id", true, Is::Whole(10, 10)),
    ("/finding_info", true, Is::Object),
    ("/finding_info/uid", true, Is::Said),
    ("/finding_info/title", true, Is::Said),
    ("/finding_info/desc", true, Is::Said),
    ("/finding_info/types", true, Is::List(1, 2)),
    ("/finding_info/types/*", true, Is::Said),
    ("/finding_info/analytic", true, Is::Object),
    ("/finding_info/analytic/uid", true, Is::Said),
    ("/finding_info/analytic/name", true, Is::Said),
    ("/finding_info/analytic/type_id", true, Is::Whole(1, 3)),
    ("/finding_info/analytic/version", true, Is::Said),
    ("/finding_info/attacks", true, Is::List(1, 100)),
    ("/finding_info/attacks/*", true, Is::Object),
    ("/finding_info/attacks/*/tactic", false, Is::Object),
    ("/finding_info/attacks/*/tactic/uid", true, Is::Said),
    ("/finding_info/attacks/*/tactic/name", true, Is::Said),
    ("/finding_info/attacks/*/technique", false, Is::Object),
    ("/finding_info/attacks/*/technique/uid", true, Is::Text(5)),
    ("/finding_info/attacks/*/sub_technique", false, Is::Object),
    ("/finding_info/attacks/*/sub_technique/uid", true, Is::Text(9)),
    ("/finding_info/first_seen_time", true, MS),
    ("/finding_info/last_seen_time", true, MS),
    ("/finding_info/created_time", true, MS),
    ("/finding_info/data_sources", false, Is::List(1, 2)),
    ("/finding_info/data_sources/*", true, Is::One(&["CloudTrail", "VPC Flow Logs"])),
    ("/resources", true, Is::List(1, 64)),
    ("/resources/*", true, Is::Object),
    ("/resources/*/uid", true, Is::Said),
    ("/resources/*/type", true, Is::Said),
    ("/resources/*/cloud_partition", true, Is::One(&["aws", "aws-cn", "aws-us-gov"])),
    ("/resources/*/region", false, Is::Text(16)),
    ("/evidences", false, Is::List(1, 11)),
    ("/evidences/*", true, Is::Object),
    ("/evidences/*/uid", false, Is::Said),
    ("/evidences/*/api", false, Is::Object),
    ("/evidences/*/api/operation", true, Is::Said),
    ("/evidences/*/api/service", false, Is::Object),
    ("/evidences/*/api/service/name", true, Is::Said),
    ("/evidences/*/actor", false, Is::Object),
    ("/evidences/*/actor/user", true, Is::Object),
    ("/evidences/*/actor/user/uid", false, Is::Said),
    ("/evidences/*/actor/user/name", false, Is::Said),
    ("/evidences/*/actor/user/credential_uid", false, Is::Said),
    ("/evidences/*/src_endpoint", false, Is::Object),
    ("/evidences/*/src_endpoint/ip", false, Is::Text(45)),
    ("/evidences/*/src_endpoint/svc_name", false, Is::Said),
    ("/evidences/*/data", true, Is::Anything),
    ("/observables", false, Is::List(1, 256)),
    ("/observables/*", true, Is::Object),
    ("/observables/*/name", true, Is::Said),
    ("/observables/*/type_id", true, Is::Whole(1, 50)),
    ("/observables/*/value", true, Is::Said),
    ("/anomaly_analyses", false, Is::List(1, 1)),
    ("/anomaly_analyses/*", true, Is::Object),
    ("/anomaly_analyses/*/analysis_targets", true, Is::List(1, 1)),
    ("/anomaly_analyses/*/analysis_targets/*", true, Is::Object),
    ("/anomaly_analyses/*/analysis_targets/*/name", true, Is::Said),
    ("/anomaly_analyses/*/analysis_targets/*/type", true, Is::Said),
    ("/anomaly_analyses/*/anomalies", true, Is::List(1, 100)),
    ("/anomaly_analyses/*/anomalies/*", true, Is::Object),
    ("/anomaly_analyses/*/anomalies/*/observation_parameter", true, Is::Said),
    ("/anomaly_analyses/*/anomalies/*/observations", true, Is::List(1, 1)),
    ("/anomaly_analyses/*/anomalies/*/observations/*", true, Is::Object),
    ("/anomaly_analyses/*/anomalies/*/observations/*/value", true, Is::Said),
    (
        "/anomaly_analyses/*/anomalies/*/observed_pattern",
        false,
        Is::One(&["FREQUENT", "INFREQUENT", "RARE", "UNSEEN", "HIGH_VOLUME"]),
    ),
    ("/anomaly_analyses/*/baselines", false, Is::List(1, 100)),
    ("/anomaly_analyses/*/baselines/*", true, Is::Object),
    ("/anomaly_analyses/*/baselines/*/observation_parameter", true, Is::Said),
    ("/anomaly_analyses/*/baselines/*/observations", true, Is::List(1, 1)),
    ("/anomaly_analyses/*/baselines/*/observations/*", true, Is::Object),
    ("/anomaly_analyses/*/baselines/*/observations/*/value", true, Is::Said),
    ("/remediation", false, Is::Object),
    ("/remediation/desc", true, Is::Said),
    ("/unmapped", true, Is::Anything),
];

fn one(finding: Finding) -> Value {
    lines_of(Format::Ocsf, &[finding]).remove(0)
}

fn values(line: &Value, type_id: u64) -> Vec<&str> {
    let all = line["observables"].as_array().unwrap().iter();
    all.filter(|one| one["type_id"] == type_id).map(|one| one["value"].as_str().unwrap()).collect()
}

#[test]
fn every_detector_can_speak_in_it() {
    let rules = detect::Rules::built_in();
    let each = rules.catalogue().iter().map(|about| sample::finding(&about.id));
    let findings: Vec<_> = each.chain(all()).collect();
    for line in lines_of(Format::Ocsf, &findings) {
        let detector = &line["finding_info"]["analytic"]["uid"];
        assert_eq!(faults(&line, TABLE), Vec::<String>::new(), "{detector}");
    }
}

#[test]
fn what_was_suppressed_says_so_and_an_account_has_its_name() {
    let account = Account { name: "payments-prod".to_owned(), owner: None, tags: Vec::new() };
    let accounts = Accounts::new([("111122223333".to_owned(), account)]);
    let kept = Kept {
        finding: sample::finding("port-scan"),
        run: Run { inputs: sample::inputs().of(accounts.into()), command: Vec::new() },
        settings: serde_json::Map::new(),
        mark: None,
        suppressed: Some(sample::grounds()),
    };
    let mut writer = Writer::new(Format::Ocsf, Vec::new(), PLAIN);
    writer.kept(&kept).unwrap();
    let line: serde_json::Value = serde_json::from_slice(&writer.finish().unwrap()).unwrap();
    assert_eq!(faults(&line, TABLE), Vec::<String>::new());
    assert_eq!(
        (&line["status_id"], &line["cloud"]["account"]["name"]),
        (&3.into(), &"payments-prod".into())
    );
}

#[test]
fn a_line_says_who_did_what_and_how_sure_that_is() {
    let line = one(sample::finding("s3-mass-reencryption"));
    assert_eq!(line["time"], 1_773_326_462_250_i64);
    assert_eq!((&line["severity_id"], &line["risk_score"]), (&5.into(), &94.into()));
    assert_eq!((&line["confidence_id"], &line["confidence_score"]), (&3.into(), &83.into()));
    assert_eq!(line["cloud"]["account"]["uid"], "111122223333");
    assert_eq!(line["cloud"]["region"], "us-west-2");
    let info = &line["finding_info"];
    assert_eq!(info["uid"], "0000000000000000000000000a1b2c3d");
    assert_eq!(info["analytic"]["type_id"], 3);
    assert_eq!(info["first_seen_time"], 1_773_324_191_000_i64);
    assert_eq!(info["data_sources"], serde_json::json!(["CloudTrail"]));
    let tactic = serde_json::json!({"tactic": {"uid": "TA0040", "name": "Impact"}});
    assert_eq!(info["attacks"], serde_json::json!([tactic, {"technique": {"uid": "T1486"}}]));
    let evidence = &line["evidences"][0];
    assert_eq!(evidence["api"]["operation"], "CopyObject");
    assert_eq!(evidence["api"]["service"]["name"], "s3.amazonaws.com");
    assert_eq!(evidence["src_endpoint"]["ip"], "203.0.113.0");
    assert_eq!(evidence["uid"], "0a1b2c3d-0000-0000-0000-000000000000");
    assert_eq!(line["evidences"].as_array().unwrap().len(), 10);
    assert_eq!(line["unmapped"]["bits"], 37.34);
    let baseline = &line["anomaly_analyses"][0]["baselines"][1]["observations"][0]["value"];
    assert_eq!(baseline, "0 in an hour");
}

#[test]
fn sub_techniques_stand_below_their_techniques() {
    let line = one(sample::finding("logging-switched-off"));
    let attack = &line["finding_info"]["attacks"][1];
    assert_eq!(attack["technique"]["uid"], "T1562");
    assert_eq!(attack["sub_technique"]["uid"], "T1562.008");
}

#[test]
fn what_one_searches_for_is_observable() {
    let line = one(sample::finding("s3-mass-reencryption"));
    assert_eq!(values(&line, 2).len(), 20);
    assert_eq!(values(&line, 4), ["hedda@example.com (AWSReservedSSO_Engineer)"]);
    assert_eq!(values(&line, 10).last(), Some(&"arn:aws:s3:::ledger"));
    assert_eq!(values(&line, 19), ["****************MPLE"]);
    assert_eq!(values(&line, 35), ["111122223333"]);
    let flow = one(sample::flow());
    assert_eq!((values(&flow, 2), values(&flow, 11)), (vec!["10.0.1.7"], vec!["22", "3389"]));
    assert_eq!(flow["finding_info"]["data_sources"], serde_json::json!(["VPC Flow Logs"]));
    assert_eq!(values(&flow, 4), Vec::<&str>::new());
}

#[test]
fn no_access_key_is_whole() {
    let mut finding = sample::finding("user-made");
    finding.targets = vec!["ASIAIOSFODNN7EXAMPLE".into()];
    finding.summary = "used ASIAIOSFODNN7EXAMPLE".into();
    let text = written(Format::Ocsf, &[finding], PLAIN);
    assert!(!text.contains("ASIAIOSFODNN7"), "{text}");
}

#[test]
fn hostile_text_stays_whole_and_is_never_obeyed() {
    let line = one(sample::hostile());
    assert_eq!(line["unmapped"]["targets"][0], *sample::hostile().targets[0]);
    assert_eq!(at(&line, "/evidences/*/src_endpoint/ip").len(), 0);
    assert_eq!(at(&line, "/evidences/*/src_endpoint/svc_name").len(), 10);
}

/// Whether a finding fits the class.
pub(super) fn check(text: &str, finding: &Finding) {
    assert!(!text.contains("ASIAIOSFODNN7"));
    let line: Value = serde_json::from_str(text).unwrap();
    assert_eq!(faults(&line, TABLE), Vec::<String>::new());
    let users = at(&line, "/evidences/*/actor/user");
    let is_user = |user: &&Value| user.get("uid").or(user.get("name")).is_some();
    assert!(users.iter().all(is_user), "a key alone is no user: {users:?}");
    assert_eq!(line["finding_info"]["first_seen_time"], finding.times_ms.0);
    let n_told = line["unmapped"]["targets"].as_array().map_or(0, Vec::len);
    assert_eq!(n_told, finding.targets.len());
}

use proptest::prelude::*;

use super::*;

/// 2025-03-14T10:05:00Z.
const STAMP_MS: i64 = 1_741_946_700_000;

const TRAIL: &str = "AWSLogs/123456789012/CloudTrail/eu-west-1/2025/03/14/\
                     123456789012_CloudTrail_eu-west-1_20250314T1005Z_A6kvhMoVeCsc7v8U.json.gz";

#[track_caller]
fn check(key: &str, kind: Kind, account: Option<&str>, region: Option<&str>, stamp: Option<i64>) {
    let info = KeyInfo::of(key);
    let got = (info.kind, info.account, info.region, info.stamp_ms);
    assert_eq!(got, (kind, account, region, stamp), "{key}");
}

#[test]
fn reads_a_trail_key_with_and_without_prefix() {
    let (account, region) = (Some("123456789012"), Some("eu-west-1"));
    check(TRAIL, Kind::CloudTrail, account, region, Some(STAMP_MS));
    let prefixed = format!("s3/team a/AWSLogs/x/{TRAIL}");
    check(&prefixed, Kind::CloudTrail, account, region, Some(STAMP_MS));
    assert_eq!(KeyInfo::of(&prefixed).aws_logs_at, Some("s3/team a/AWSLogs/x/".len()));
    assert_eq!(KeyInfo::of(TRAIL).aws_logs_at, Some(0));
}

#[test]
fn reads_organisation_trails_and_control_tower() {
    let organisation = TRAIL.replace("AWSLogs/", "AWSLogs/o-a1b2c3d4e5/");
    for key in [organisation.clone(), format!("o-a1b2c3d4e5/{organisation}")] {
        check(&key, Kind::CloudTrail, Some("123456789012"), Some("eu-west-1"), Some(STAMP_MS));
        assert_eq!(KeyInfo::of(&key).organisation, Some("o-a1b2c3d4e5"));
    }
}

#[test]
fn routes_by_folder() {
    for (folder, kind) in [
        ("CloudTrail-NetworkActivity", Kind::CloudTrail),
        ("CloudTrail-Insight", Kind::Insight),
        ("CloudTrail-Aggregated", Kind::Aggregated),
        ("CloudTrail-Digest", Kind::Digest),
        ("CloudTrail-Lake", Kind::Lake),
        ("Config", Kind::OtherService),
        ("elasticloadbalancing", Kind::OtherService),
    ] {
        let key = TRAIL.replace("/CloudTrail/", &format!("/{folder}/"));
        assert_eq!(KeyInfo::of(&key).kind, kind, "{key}");
    }
}

#[test]
fn reads_a_digest_whose_trail_name_looks_like_a_stamp() {
    let key = "AWSLogs/123456789012/CloudTrail-Digest/eu-west-1/2025/03/14/\
               123456789012_CloudTrail-Digest_eu-west-1_my_trail_19990101T0000Z_us-east-1_\
               20250314T100500Z.json.gz";
    check(key, Kind::Digest, Some("123456789012"), Some("eu-west-1"), Some(STAMP_MS));
}

#[test]
fn reads_flow_log_keys_hourly_and_hive_style() {
    let file = "111122223333_vpcflowlogs_us-east-1_fl-0a1b2c3d_20250314T1005Z_4fe2a1b0.log.gz";
    let hive = "aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=us-east-1";
    for folders in [
        "AWSLogs/111122223333/vpcflowlogs/us-east-1/2025/03/14".to_owned(),
        "p/AWSLogs/111122223333/vpcflowlogs/us-east-1/2025/03/14/10".to_owned(),
        format!("AWSLogs/{hive}/year=2025/month=03/day=14/hour=10"),
    ] {
        let key = format!("{folders}/{file}");
        check(&key, Kind::FlowLog, Some("111122223333"), Some("us-east-1"), Some(STAMP_MS));
        assert_eq!(KeyInfo::of(&key).flow_log_id, Some("fl-0a1b2c3d"));
        let parquet = key.replace(".log.gz", ".log.parquet");
        check(&parquet, Kind::FlowLog, Some("111122223333"), Some("us-east-1"), Some(STAMP_MS));
    }
}

#[test]
fn reads_keys_of_security_lake() {
    let key =
        "aws/VPC_FLOW/2.0/region=eu-west-1/accountId=123456789012/eventDay=20250314/a1.gz.parquet";
    let (account, region) = (Some("123456789012"), Some("eu-west-1"));
    check(key, Kind::FlowLog, account, region, None);
    for source in ["CLOUD_TRAIL_MGMT", "S3_DATA", "LAMBDA_EXECUTION"] {
        check(&key.replace("VPC_FLOW", source), Kind::CloudTrail, account, region, None);
    }
    check(&key.replace("VPC_FLOW", "ROUTE53"), Kind::OtherService, account, region, None);
    check(&key.replace("eventDay", "day"), Kind::Unknown, None, None, None);
}

#[test]
fn a_bare_name_says_as_much_as_its_folders() {
    let file = TRAIL.rsplit_once('/').unwrap().1;
    let (account, region) = (Some("123456789012"), Some("eu-west-1"));
    check(file, Kind::CloudTrail, account, region, Some(STAMP_MS));
    for packed in [".zst", ".zstd"] {
        check(&file.replace(".gz", packed), Kind::CloudTrail, account, region, Some(STAMP_MS));
    }
    let inflated = format!("case 7/{}", file.trim_end_matches(".gz"));
    check(&inflated, Kind::CloudTrail, account, region, Some(STAMP_MS));
    assert_eq!(KeyInfo::of(&inflated).aws_logs_at, None);
}

#[test]
fn the_region_of_folder_and_name_may_differ() {
    let key = TRAIL.replace("/eu-west-1/", "/us-east-1/");
    let info = KeyInfo::of(&key);
    assert_eq!(info.region, Some("us-east-1"));
    assert_eq!(info.name_region, Some("eu-west-1"));
    assert_eq!(info.is_in_region("eu-west-1"), Some(true));
    assert_eq!(info.is_in_region("us-east-1"), Some(true));
    assert_eq!(info.is_in_region("ap-south-1"), Some(false));
    assert_eq!(KeyInfo::of("records.json.gz").is_in_region("ap-south-1"), None);
}

#[test]
fn names_that_hold_no_log_are_told_apart() {
    let check_file = "AWSLogs/123456789012/Config/ConfigWritabilityCheckFile";
    check(check_file, Kind::WritabilityCheck, Some("123456789012"), None, None);
    check("AWSLogs/123456789012/CloudTrail/", Kind::FolderMarker, Some("123456789012"), None, None);
    check("", Kind::FolderMarker, None, None, None);
}

#[test]
fn a_foreign_name_says_nothing() {
    for key in [
        "records.json.gz",
        "-",
        "my_CloudTrail_export.json",
        "AWSLogs",
        "xAWSLogs/123456789012/CloudTrail/records.json",
        "123456789012_CloudTrail_eu-west-1_20251314T1005Z_A6kvhMoVeCsc7v8U.json.gz",
        "123456789012_CloudTrail_eu-west-1_20250314T1005Z_A6kv.json.gz.expected.json",
        "123456789012_CloudTrail_eu-west-1_2025+314T1005Z_A6kvhMoVeCsc7v8U.json.gz",
        "123456789012_CloudTrail_no-region-has-a-name-as-long-as-this_20250314T1005Z_A6kv.json.gz",
    ] {
        check(key, Kind::Unknown, None, None, None);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_has_an_answer(key in r"\PC{0,120}") {
        let info = KeyInfo::of(&key);
        if let Some(at) = info.aws_logs_at {
            prop_assert!(key.split_at(at).1.starts_with("AWSLogs/"));
        }
    }

    #[test]
    fn any_pieces_of_a_key_have_an_answer(pieces in prop::collection::vec(
        prop::sample::select(vec![
            "AWSLogs", "/", "_", "o-a1", "123456789012", "CloudTrail", "vpcflowlogs", "é", "=",
            "eu-west-1", "20250314T1005Z", "20250314T100500Z", ".json.gz", ".log.parquet", "fl-0",
            "aws-account-id=", "aws-service=", "T", "Z",
        ]), 0..24)) {
        let key = pieces.concat();
        let info = KeyInfo::of(&key);
        prop_assert!(info.account.is_none_or(is_account));
        prop_assert!(info.region.is_none_or(is_region));
    }
}

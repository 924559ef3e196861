//! Findings as Security Hub takes them: fields, limits, and what stands in them.

use super::{
    fields::{Field, Is, at, faults},
    *,
};
use crate::formats::{FILED_BYTES_MAX, asff_of_series};
use std::sync::Arc;

/// What the service asks for, and what of the rest is used.
const TABLE: &[Field] = &[
    ("/SchemaVersion", true, Is::One(&["2018-10-08"])),
    ("/Id", true, Is::Text(512)),
    ("/ProductArn", true, Is::Text(2_048)),
    ("/CompanyName", true, Is::Text(128)),
    ("/ProductName", true, Is::Text(128)),
    ("/GeneratorId", true, Is::Text(512)),
    ("/AwsAccountId", true, Is::Digits(12)),
    ("/CreatedAt", true, Is::Time),
    ("/UpdatedAt", true, Is::Time),
    ("/FirstObservedAt", true, Is::Time),
    ("/LastObservedAt", true, Is::Time),
    ("/Title", true, Is::Text(256)),
    ("/Description", true, Is::Text(1_024)),
    ("/RecordState", true, Is::One(&["ACTIVE"])),
    ("/FindingProviderFields", true, Is::Object),
    ("/FindingProviderFields/Confidence", true, Is::Whole(0, 100)),
    ("/FindingProviderFields/Severity", true, Is::Object),
    (
        "/FindingProviderFields/Severity/Label",
        true,
        Is::One(&["LOW", "MEDIUM", "HIGH", "CRITICAL"]),
    ),
    ("/FindingProviderFields/Severity/Original", true, Is::Text(64)),
    ("/FindingProviderFields/Types", true, Is::List(1, 50)),
    ("/FindingProviderFields/Types/*", true, Is::Text(512)),
    ("/ProductFields", true, Is::Pairs(50, 128, 2_048)),
    ("/Remediation", false, Is::Object),
    ("/Remediation/Recommendation", true, Is::Object),
    ("/Remediation/Recommendation/Text", true, Is::Text(512)),
    ("/Resources", true, Is::List(1, 32)),
    ("/Resources/*", true, Is::Object),
    (
        "/Resources/*/Type",
        true,
        Is::One(&[
            "AwsAccount",
            "AwsEc2Instance",
            "AwsEc2NetworkInterface",
            "AwsIamAccessKey",
            "AwsIamRole",
            "AwsIamUser",
            "AwsLambdaFunction",
            "AwsS3Bucket",
            "Other",
        ]),
    ),
    ("/Resources/*/Id", true, Is::Text(512)),
    ("/Resources/*/Partition", true, Is::One(&["aws", "aws-cn", "aws-us-gov"])),
    ("/Resources/*/Region", false, Is::Text(16)),
    ("/Resources/*/Details", false, Is::Object),
    ("/Resources/*/Details/AwsIamAccessKey", true, Is::Object),
    ("/Resources/*/Details/AwsIamAccessKey/AccessKeyId", true, Is::Text(512)),
    ("/Resources/*/Details/AwsIamAccessKey/PrincipalName", true, Is::Text(512)),
    ("/Action", false, Is::Object),
    ("/Action/ActionType", true, Is::One(&["AWS_API_CALL"])),
    ("/Action/AwsApiCallAction", true, Is::Object),
    ("/Action/AwsApiCallAction/Api", true, Is::Text(512)),
    ("/Action/AwsApiCallAction/ServiceName", true, Is::Text(512)),
    ("/Action/AwsApiCallAction/CallerType", false, Is::One(&["remoteip", "domain"])),
    ("/Action/AwsApiCallAction/RemoteIpDetails", false, Is::Object),
    ("/Action/AwsApiCallAction/RemoteIpDetails/IpAddressV4", true, Is::Text(15)),
    ("/Action/AwsApiCallAction/DomainDetails", false, Is::Object),
    ("/Action/AwsApiCallAction/DomainDetails/Domain", true, Is::Text(512)),
    ("/Action/AwsApiCallAction/FirstSeen", true, Is::Time),
    ("/Action/AwsApiCallAction/LastSeen", true, Is::Time),
];

fn one(finding: Finding) -> Value {
    lines_of(Format::Asff, &[finding]).remove(0)
}

#[test]
fn every_detector_can_speak_in_it() {
    let rules = detect::Rules::built_in();
    let each = rules.catalogue().iter().map(|about| sample::finding(&about.id));
    let findings: Vec<_> = each.chain(all()).collect();
    for line in lines_of(Format::Asff, &findings) {
        assert_eq!(faults(&line, TABLE), Vec::<String>::new(), "{}", line["GeneratorId"]);
    }
}

#[test]
fn a_line_says_who_did_what_and_what_to_do() {
    let line = one(sample::finding("s3-mass-reencryption"));
    let account = "111122223333";
    let product = "arn:aws:securityhub:us-west-2:111122223333:product/111122223333/default";
    assert_eq!(line["ProductArn"], product);
    assert_eq!(line["AwsAccountId"], account);
    assert_eq!(line["CreatedAt"], "2026-03-12T14:41:02.250Z");
    assert_eq!(line["UpdatedAt"], line["CreatedAt"]);
    assert_eq!(line["FirstObservedAt"], "2026-03-12T14:03:11Z");
    let provider = &line["FindingProviderFields"];
    assert_eq!(provider["Severity"]["Label"], "CRITICAL");
    assert_eq!(provider["Severity"]["Original"], "9.4");
    assert_eq!(provider["Types"][0], "Effects/Data Destruction/s3-mass-reencryption");
    let said = line["Remediation"]["Recommendation"]["Text"].as_str().unwrap();
    assert!(said.starts_with("Stop the session first"), "{said}");
    let kinds: Vec<_> = at(&line, "/Resources/*/Type").into_iter().cloned().collect();
    assert_eq!(kinds, ["AwsIamRole", "AwsS3Bucket", "AwsIamAccessKey"]);
    let ids: Vec<_> = at(&line, "/Resources/*/Id").into_iter().cloned().collect();
    assert_eq!(ids[1..], ["arn:aws:s3:::ledger", "AWS::IAM::AccessKey:ASIAIOSFODNN7EXAMPLE"]);
    let fields = &line["ProductFields"];
    assert_eq!(fields["sentrail/bits"], "37.34");
    assert_eq!(fields["sentrail/mitre-techniques"], "T1486");
    let part = "objects-reencrypted, 21.01 bits: 120; usual: 0 in an hour";
    assert_eq!(fields["sentrail/part-2"], part);
    assert!(fields["sentrail/event-ids"].as_str().unwrap().starts_with("0a1b2c3d-0000-"));
}

#[test]
fn the_call_of_the_first_record_is_the_action() {
    let called = |address: Option<&str>| {
        let mut finding = sample::finding("s3-mass-reencryption");
        for record in &mut finding.records {
            Arc::make_mut(&mut record.call).address = address.map(Into::into);
        }
        one(finding)["Action"]["AwsApiCallAction"].clone()
    };
    let call = called(Some("203.0.113.0"));
    assert_eq!(
        (&call["Api"], &call["ServiceName"]),
        (&"CopyObject".into(), &"s3.amazonaws.com".into())
    );
    assert_eq!(call["RemoteIpDetails"]["IpAddressV4"], "203.0.113.0");
    assert_eq!(
        (&call["FirstSeen"], &call["LastSeen"]),
        (&"2026-03-12T14:03:11Z".into(), &"2026-03-12T14:03:40Z".into())
    );
    let call = called(Some("2001:db8::7"));
    assert_eq!((&call["CallerType"], call.get("RemoteIpDetails")), (&"remoteip".into(), None));
    let call = called(Some("athena.amazonaws.com"));
    assert_eq!(call["DomainDetails"]["Domain"], "athena.amazonaws.com");
    assert_eq!(called(None).get("CallerType"), None);
    assert_eq!(one(sample::flow()).get("Action"), None);
}

#[test]
fn a_key_that_made_itself_active_is_one_resource() {
    let mut finding = sample::finding("access-key-made-active-again");
    finding.targets = vec!["ASIAIOSFODNN7EXAMPLE".into()];
    let line = one(finding);
    let kinds: Vec<_> = at(&line, "/Resources/*/Type").into_iter().cloned().collect();
    assert_eq!(kinds, ["AwsIamRole", "AwsIamAccessKey"]);
}

#[test]
fn an_account_without_12_digits_is_told_apart() {
    let mut finding = sample::flow();
    finding.entity.account = "unknown".into();
    let line = one(finding);
    assert_eq!(line["AwsAccountId"], "000000000000");
    let product = "arn:aws:securityhub:us-east-1:000000000000:product/000000000000/default";
    assert_eq!(line["ProductArn"], product);
    assert_eq!(line["ProductFields"]["sentrail/account"], "unknown");
}

#[test]
fn resources_event_ids_and_parts_have_their_limits() {
    let mut finding = sample::finding("mass-secret-read");
    finding.targets = (0..20).map(|n| format!("secret-{n}")).collect();
    for (n, record) in finding.records.iter_mut().enumerate() {
        Arc::make_mut(&mut record.call).access_key =
            Some(format!("AKIAIOSFODNN7EXAM{n:03}").into());
    }
    finding.parts = vec![finding.parts[0].clone(); 30];
    let line = one(finding);
    assert_eq!(line["Resources"].as_array().unwrap().len(), 32);
    assert_eq!(
        line["ProductFields"]["sentrail/event-ids"].as_str().unwrap().split(", ").count(),
        20
    );
    let fields = line["ProductFields"].as_object().unwrap();
    assert!(fields.contains_key("sentrail/part-20") && !fields.contains_key("sentrail/part-21"));
    assert_eq!(faults(&line, TABLE), Vec::<String>::new());
}

#[test]
fn the_largest_finding_is_cut_until_it_fits() {
    // Every list and text as long as it can be, of what takes the most bytes.
    let wide: Arc<str> = "\u{6771}".repeat(5_000).into();
    let mut finding = sample::hostile();
    finding.summary = wide.to_string();
    let about = Arc::make_mut(&mut finding.about);
    (about.id, about.title) = (wide.to_string(), wide.to_string());
    about.page = format!("# x\n\n## Misses\n\n{wide}\n\n## Triage\n\n{wide}");
    finding.entity.key = Arc::clone(&wide);
    finding.entity.account = Arc::clone(&wide);
    finding.targets = (0..20).map(|n| format!("{n}{wide}")).collect();
    finding.parts = vec![finding.parts[0].clone(); 30];
    for part in &mut finding.parts {
        (part.observed, part.usual) = (wide.to_string(), wide.to_string());
    }
    for (n, record) in finding.records.iter_mut().enumerate() {
        let each: Arc<str> = format!("{n}{wide}").into();
        let call = Arc::make_mut(&mut record.call);
        (call.actor, call.address) = (Some(Arc::clone(&each)), Some(Arc::clone(&each)));
        (call.access_key, call.region) = (Some(Arc::clone(&each)), Some(each));
    }
    let series = asff_of_series(&finding, &sample::inputs(), None);
    assert!(series.len() + FILED_BYTES_MAX < 240_000, "{}", series.len());
    let text = written(Format::Asff, &[finding], PLAIN);
    let line: Value = serde_json::from_str(&text).unwrap();
    assert!(text.len() < 240_000, "{}", text.len());
    assert_eq!(faults(&line, TABLE), Vec::<String>::new());
    for (path, n_chars) in [
        ("/Title", 256),
        ("/Description", 1_024),
        ("/GeneratorId", 512),
        ("/Remediation/Recommendation/Text", 512),
        ("/Resources/1/Id", 512),
        ("/ProductFields/sentrail~1part-1", 500),
    ] {
        let text = line.pointer(path).unwrap().as_str().unwrap();
        assert_eq!(text.chars().count(), n_chars, "{path}");
    }
}

/// Whether Security Hub takes a finding, by itself and as a series.
pub(super) fn check(text: &str, finding: &Finding, inputs: &Inputs) {
    let series = asff_of_series(finding, inputs, None);
    assert!(series.len() + FILED_BYTES_MAX < 240_000, "{}", series.len());
    assert!(text.len() < 240_000, "{}", text.len());
    let line: Value = serde_json::from_str(text).unwrap();
    assert_eq!(faults(&line, TABLE), Vec::<String>::new());
    let account = &*finding.entity.account;
    let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    assert_eq!(line["AwsAccountId"] == account, is_account);
}

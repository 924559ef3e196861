use crate::rules::{List, Lists, Names, RuleSet, rule::RuleNo, testkit::matching, view::Seen};
use ingest::{
    flow::Field,
    flowlog::{FlowFormat, FlowReader},
    testkit::call,
};
use serde_json::json;

fn read(files: &[(&str, &str)], names: Names) -> RuleSet {
    let (rules, errors) = RuleSet::read(files.iter().copied(), names);
    assert_eq!(errors, []);
    rules
}

/// Numbers of the rules that match each row of a flow log.
fn flow_matching(rules: &RuleSet, format: &str, text: &str) -> Vec<Vec<u32>> {
    let mut found = Vec::new();
    let mut reader = FlowReader::new(Some(FlowFormat::parse(format).unwrap()));
    reader.read(text.as_bytes(), &mut |batch| {
        let mut of_rows = vec![Vec::new(); batch.rows()];
        rules.flow_matches(&batch, &mut |row, no| of_rows[row.row].push(no.0));
        found.extend(of_rows);
    });
    found
}

const FORMAT: &str = "${srcaddr} ${dstaddr} ${dstport} ${bytes} ${action} ${pkt-srcaddr}";

fn flows(detection: &str) -> String {
    format!(
        "title: Flows\nlogsource:\n  product: aws\n  service: vpcflow\ndetection:\n{detection}\n  condition: a"
    )
}

#[test]
fn rows_match_by_their_values() {
    let address = flows("  a:\n    dstaddr: 2001:0db8::1\n    dstport: [22, '3389']");
    let network =
        flows("  a:\n    srcaddr|cidr: 10.0.0.0/8\n    bytes|gte: 1000\n    action: reject");
    let absent = flows("  a:\n    pkt_srcaddr: null");
    let rules =
        read(&[("0.yml", &address), ("1.yml", &network), ("2.yml", &absent)], Names::default());
    let text = "10.0.0.1 2001:db8::1 22 1 ACCEPT 10.0.0.1\n\
                10.0.0.1 10.0.0.2 3389 1000 REJECT -\n\
                11.0.0.1 2001:db8::1 3389 1000 REJECT 10.0.0.1\n\
                - - - - - 10.0.0.1";
    assert_eq!(flow_matching(&rules, FORMAT, text), [vec![0], vec![1, 2], vec![0], vec![]]);
}

#[test]
fn lists_hold_any_address_of_a_flow() {
    let list = List::parse("bad", "198.51.100.0/24", false).unwrap();
    let names = Names { lists: Lists::new(vec![list]), ..Names::default() };
    let rules = read(&[("0.yml", &flows("  a:\n    sentrail.lists: bad"))], names);
    let text = "10.0.0.1 10.0.0.2 1 1 ACCEPT -\n10.0.0.1 198.51.100.7 1 1 ACCEPT -\n\
                10.0.0.1 10.0.0.2 1 1 ACCEPT 198.51.100.7";
    assert_eq!(flow_matching(&rules, FORMAT, text), [vec![], vec![0], vec![0]]);
    let needed = rules.flow_fields();
    let wanted = [Field::SrcAddr, Field::DstAddr, Field::PktSrcAddr, Field::PktDstAddr];
    assert_eq!(needed.into_iter().collect::<Vec<_>>(), wanted);
}

#[test]
fn only_rules_about_flows_need_columns() {
    let calls = "title: Calls\nlogsource:\n  product: aws\n  service: cloudtrail\n\
                 detection:\n  a:\n    eventName: X\n  condition: a";
    let none = read(&[("0.yml", calls)], Names::default());
    assert!(none.flow_fields().is_empty());
    let told = "title: T\nlogsource:\n  product: aws\n  service: vpcflow\n\
                detection:\n  a:\n    dst-port: 22\n  condition: a\n\
                sentrail:\n  summary: from {srcaddr}\n  targets: [dstaddr]";
    let some = read(&[("0.yml", calls), ("1.yml", told)], Names::default());
    let wanted = [Field::SrcAddr, Field::DstAddr, Field::DstPort];
    assert_eq!(some.flow_fields().into_iter().collect::<Vec<_>>(), wanted);
    let mut summary = None;
    let mut reader = FlowReader::new(Some(FlowFormat::parse(FORMAT).unwrap()));
    reader.read(b"10.0.0.1 10.0.0.2 22 1 ACCEPT -", &mut |batch| {
        some.flow_matches(&batch, &mut |row, RuleNo(no)| {
            summary = some.rules()[no as usize].summary(Seen::from(row), some.names());
        });
    });
    assert_eq!(summary.as_deref(), Some("from 10.0.0.1"));
}

/// Rules as people write them, by the modifiers and wildcards of Sigma.
#[test]
fn documents_do_what_they_say() {
    let text = r"
title: Start-up script of an instance changed
logsource:
    product: aws
    service: cloudtrail
detection:
    selection_source:
        eventSource: ec2.amazonaws.com
        requestParameters.attribute: userData
        eventName: ModifyInstanceAttribute
    filter_main_service:
        sentrail.caller.invoked-by-service: true
    filter_main_agent:
        userAgent|startswith: 'terraform/'
    condition: selection_source and not 1 of filter_main_*
---
title: Versioning suspended
logsource:
    product: aws
    service: cloudtrail
detection:
    selection:
        eventName: PutBucketVersioning
        requestParameters|contains: Suspended
        errorCode: null
    condition: selection
";
    let rules = read(&[("two.yml", text)], Names::default());
    let change = |agent: &str| {
        let request = json!({ "instanceId": "i-1", "attribute": "userData" });
        call("eve").api("ec2:ModifyInstanceAttribute").agent(agent).request(request)
    };
    assert_eq!(matching(&rules, &change("aws-cli").raw()), [0]);
    assert_eq!(matching(&rules, &change("Terraform/1.5").raw()), [0_u32; 0]);
    let other = change("aws-cli").request(json!({ "attribute": "ebsOptimized" }));
    assert_eq!(matching(&rules, &other.raw()), [0_u32; 0]);
    let suspend = || {
        let request = json!({ "VersioningConfiguration": { "Status": "Suspended" } });
        call("eve").api("s3:PutBucketVersioning").request(request)
    };
    assert_eq!(matching(&rules, &suspend().raw()), [1]);
    assert_eq!(matching(&rules, &suspend().error("AccessDenied").raw()), [0_u32; 0]);
}

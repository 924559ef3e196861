//! What is loud and no anomaly, and what is quiet and one.

use crate::testkit::{Logs, says};
use ingest::testkit::{Call, by, call, role_session, service};

#[track_caller]
fn is_no_anomaly(logs: Logs) {
    let mut told = logs.all();
    told.retain(|finding| finding.about.id.starts_with("anomalous-"));
    assert!(told.is_empty(), "{told:#?}");
}

const REGIONS: [&str; 17] = [
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
];

fn at_the_console(api: &str) -> Call {
    call("alice").api(api).from_ip("81.2.69.142").agent("Mozilla/5.0 (X11; Linux) Firefox/140.0")
}

fn at_work() -> Logs {
    let working = |clock: &str, logs: Logs| {
        let logs = logs.daily(20, clock, |_| at_the_console("ec2:DescribeInstances"));
        logs.daily(20, clock, |_| at_the_console("health:DescribeEventAggregates"))
    };
    ["9:00", "11:00", "14:00", "16:00"].into_iter().fold(Logs::new(), |logs, at| working(at, logs))
}

#[test]
fn a_console_that_asks_all_regions_is_none() {
    let logs = at_work().calls(0, "9:00", 17 * 5, |i| {
        let api =
            ["ec2:DescribeInstances", "ec2:DescribeVolumes", "health:DescribeEventAggregates"];
        at_the_console(api[i as usize % 3]).region(REGIONS[i as usize % 17])
    });
    is_no_anomaly(logs);
}

#[test]
fn many_calls_in_one_second_are_none() {
    let mut logs = at_work();
    for _ in 0..231 {
        logs = logs.call(0, "11:00", at_the_console("ec2:DescribeInstances"));
    }
    is_no_anomaly(logs);
}

#[test]
fn services_that_fail_by_nature_are_none() {
    let by_service = |name: &str, api: &str, i: u32, code: &str| {
        let call = by(service(name)).api(api).from_ip(name).agent(name);
        if i.is_multiple_of(3) { call.error(code) } else { call }
    };
    let mut logs = Logs::new();
    for day in -14..=0 {
        logs = logs.calls(day, "3:00", 60, |i| {
            let api = ["s3:GetBucketCors", "s3:GetBucketPolicy", "s3:GetBucketTagging"];
            by_service("config.amazonaws.com", api[i as usize % 3], i, "NoSuchCORSConfiguration")
        });
        logs = logs.calls(day, "3:30", 48, |_| {
            by_service("delivery.logs.amazonaws.com", "s3:PutObject", 0, "AccessDenied")
        });
    }
    is_no_anomaly(logs);
}

fn by_terraform(api: &str) -> Call {
    let agent = "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) linux";
    call("alice").api(api).from_ip("81.2.69.142").agent(agent)
}

#[test]
fn a_burst_of_the_usual_tool_is_none() {
    let apis =
        ["ec2:DescribeVpcs", "ec2:CreateTags", "iam:GetRole", "ec2:CreateSubnet", "iam:CreateRole"];
    let mut logs = at_work();
    for week in 1..4 {
        logs = logs.calls(-3 - 5 * week, "15:00", 60, |i| by_terraform(apis[i as usize % 4]));
    }
    is_no_anomaly(logs.calls(0, "15:00", 200, |i| by_terraform(apis[i as usize % 5])));
}

#[test]
fn a_change_to_summer_time_is_none() {
    let logs = ["8:00", "10:00", "13:00", "15:00"].into_iter().fold(at_work(), |logs, clock| {
        logs.call(0, clock, at_the_console("ec2:DescribeInstances"))
    });
    is_no_anomaly(logs);
}

#[test]
fn an_agent_that_leaves_its_few_actions_is_one() {
    let agent = |api: &str| {
        let role = role_session("AmazonBedrockExecutionRoleForAgents_shop", "BedrockAgents-1");
        by(role).api(api).from_ip("18.236.0.1").agent("Boto3/1.35 Python/3.12")
    };
    let mut logs = Logs::new();
    for clock in ["9:00", "12:00", "15:00", "18:00"] {
        logs = logs.daily(20, clock, |_| agent("lambda:Invoke"));
        logs = logs.daily(20, clock, |_| agent("bedrock:Retrieve"));
    }
    is_no_anomaly(logs.clone().calls(0, "12:00", 8, |_| agent("lambda:Invoke")));
    let finding = logs.call(0, "12:00", agent("iam:CreateUser")).finding("anomalous-persistence");
    says(&finding, &["api new: iam:CreateUser", "where 25 are unusual"]);
}

use crate::{
    Severity,
    testkit::{Logs, says},
};
use ingest::testkit::{Call, call};
use serde_json::{Value, json};

const ID: &str = "logging-switched-off";

fn does(api: &str, request: Value) -> Call {
    call("eve").api(api).request(request)
}

fn stop() -> Call {
    does("cloudtrail:StopLogging", json!({"name": "main"}))
}

#[test]
fn fires_at_the_first_call() {
    let id = ingest::testkit::uuid("one");
    let finding = Logs::new().call(0, "10:00", stop().id(&id)).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::High, 1));
    assert_eq!(finding.records[0].id.to_string(), id);
    assert_eq!(finding.targets, ["cloudtrail:StopLogging of main"]);
    says(&finding, &["switched logging off: cloudtrail:StopLogging of main"]);
}

#[test]
fn a_denied_try_is_medium() {
    let finding = Logs::new().call(0, "10:00", stop().error("AccessDenied")).finding(ID);
    assert_eq!(finding.severity, Severity::Medium);
    says(&finding, &["tried to switch logging off", "(failed)"]);
}

#[test]
fn a_success_is_not_hidden_by_tries() {
    let logs = Logs::new().calls(0, "10:10", 10, |_| stop().error("AccessDenied"));
    let logs = logs.call(0, "11:05", stop().error("AccessDenied"));
    let finding = logs.call(0, "11:55", stop()).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::High, 12));
    says(&finding, &["switched logging off"]);
}

#[test]
fn some_calls_do_so_only_with_certain_parameters() {
    let selectors = |selector: Value| json!({"trailName": "main", "eventSelectors": [selector]});
    let advanced = |category: &str| {
        let field = json!({"field": "eventCategory", "equals": [category]});
        let selector = json!({"name": "Management", "fieldSelectors": [field]});
        json!({"trailName": "main", "advancedEventSelectors": [selector]})
    };
    let half = json!({"trailName": "main", "advancedEventSelectors": [{"fieldSelectors": [
        {"field": "eventCategory", "equals": ["Management"]},
        {"field": "readOnly", "equals": ["true"]},
    ]}]});
    let but = |field: &str, services: &[&str]| {
        let mut request = advanced("Management");
        let fields = &mut request["advancedEventSelectors"][0]["fieldSelectors"];
        fields.as_array_mut().unwrap().push(json!({"field": field, "notEquals": services}));
        request
    };
    for (api, request, fires) in [
        ("cloudtrail:PutEventSelectors", but("eventSource", &["kms.amazonaws.com"]), false),
        (
            "cloudtrail:PutEventSelectors",
            but("userIdentity.arn", &["arn:aws:iam::1:user/eve"]),
            true,
        ),
        ("cloudtrail:UpdateTrail", json!({"name": "main", "isMultiRegionTrail": false}), true),
        ("cloudtrail:UpdateTrail", json!({"name": "main", "isMultiRegionTrail": true}), false),
        ("cloudtrail:UpdateTrail", json!({"name": "main", "s3KeyPrefix": "x"}), false),
        ("cloudtrail:PutEventSelectors", selectors(json!({"readWriteType": "All"})), false),
        ("cloudtrail:PutEventSelectors", selectors(json!({"readWriteType": "ReadOnly"})), true),
        (
            "cloudtrail:PutEventSelectors",
            selectors(json!({"readWriteType": "All", "includeManagementEvents": false})),
            true,
        ),
        ("cloudtrail:PutEventSelectors", advanced("Management"), false),
        ("cloudtrail:PutEventSelectors", advanced("Data"), true),
        ("cloudtrail:PutEventSelectors", half, true),
        ("guardduty:StopMonitoringMembers", json!({"detectorId": "d"}), true),
        ("guardduty:UpdateDetector", json!({"detectorId": "d", "enable": false}), true),
        ("guardduty:UpdateDetector", json!({"detectorId": "d", "enable": true}), false),
        ("guardduty:UpdateDetector", json!({"detectorId": "d"}), false),
        ("guardduty:DeleteDetector", json!({"detectorId": "d"}), true),
        ("ec2:DeleteFlowLogs", Value::Null, true),
        ("config:StopConfigurationRecorder", json!({"configurationRecorderName": "r"}), true),
        ("cloudtrail:DescribeTrails", Value::Null, false),
    ] {
        let findings = Logs::new().call(0, "10:00", does(api, request.clone())).findings(ID);
        assert_eq!(findings.len(), usize::from(fires), "{api} {request}");
    }
}

#[test]
fn one_who_does_so_every_hour_is_told_low() {
    let mut logs = Logs::new();
    for day in -20..1 {
        for hour in 8..16 {
            logs = logs.call(day, &format!("{hour}:00"), stop());
        }
    }
    assert_eq!(logs.today(ID).unwrap().severity, Severity::Low);
    let new = Logs::new().habit(10, 8, || call("eve")).call(0, "10:00", stop()).finding(ID);
    assert_eq!((new.severity, new.history_days), (Severity::High, (10, 10)));
}

#[test]
fn settings_say_what_is_usual() {
    let logs = Logs::with(|options| options.detectors.logging_switched_off.bits_min = 50.0);
    let logs = logs.habit(10, 8, || call("eve"));
    assert_eq!(logs.call(0, "10:00", stop()).finding(ID).severity, Severity::Low);
}

/// The calls that take a log away, as AWS writes their parameters.
fn removals() -> [(&'static str, Value); 5] {
    [
        ("cloudtrail:DeleteTrail", json!({"name": "main"})),
        ("cloudtrail:StopLogging", json!({"name": "main"})),
        (
            "route53resolver:DeleteResolverQueryLogConfig",
            json!({"resolverQueryLogConfigId": "rqlc-0a1b2c3d4e5f6071"}),
        ),
        ("organizations:LeaveOrganization", Value::Null),
        (
            "ec2:DeleteFlowLogs",
            json!({"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": "fl-0a1b2c3d"}}}),
        ),
    ]
}

#[test]
fn each_way_to_take_a_log_away_is_high() {
    for (api, request) in removals() {
        let finding = Logs::new().call(0, "10:00", does(api, request)).finding(ID);
        assert_eq!(finding.severity, Severity::High, "{api}");
    }
}

#[test]
fn each_is_low_from_one_who_does_it_every_hour() {
    for (api, request) in removals() {
        let mut logs = Logs::new();
        for (day, hour) in (-20..1).flat_map(|day| (8..16).map(move |hour| (day, hour))) {
            logs = logs.call(day, &format!("{hour}:00"), does(api, request.clone()));
        }
        assert_eq!(logs.today(ID).unwrap().severity, Severity::Low, "{api}");
    }
}

#[test]
fn selectors_that_take_all_are_quiet() {
    let selector = json!([{"readWriteType": "All", "includeManagementEvents": true}]);
    let request = json!({"trailName": "main", "eventSelectors": selector});
    Logs::new().call(0, "10:00", does("cloudtrail:PutEventSelectors", request)).stays_quiet(ID);
    let selector = json!([{"readWriteType": "WriteOnly", "includeManagementEvents": true}]);
    let request = json!({"trailName": "main", "eventSelectors": selector});
    Logs::new().call(0, "10:00", does("cloudtrail:PutEventSelectors", request)).finding(ID);
}

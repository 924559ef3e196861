//! The logs are switched off, and what comes next is not in them.

use super::scene::Scene;
use super::{Hours, Story, VictimKind};
use crate::json::Json;
use crate::object;

pub(super) const LOGGING_OFF: Story = Story {
    name: "logging-off",
    about: "trail, flow logs and GuardDuty are switched off, then the intruder falls silent",
    is_harmless: false,
    victim: VictimKind::Person,
    hours: Hours::Night,
    days: 1,
    tell: logging_off,
};

fn logging_off(scene: &mut Scene<'_>) {
    let guise = scene.guise();
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let caller = scene.victim.caller(&key, scene.now_s - 300).moved(&guise.address, &guise.agent);
    let (account, region) = (scene.victim.account.clone(), scene.victim.region);
    let trail = scene.victim.trail.clone();
    let arn = format!("arn:aws:cloudtrail:{region}:{account}:trail/{trail}");
    scene.step("discovery", "T1654");
    scene.who_am_i(&caller);
    for (service, name) in [
        ("cloudtrail", "DescribeTrails"),
        ("cloudtrail", "GetTrailStatus"),
        ("guardduty", "ListDetectors"),
        ("ec2", "DescribeFlowLogs"),
        ("config", "DescribeConfigurationRecorders"),
    ] {
        scene.wait(3, 30);
        scene.ask(&caller, service, name);
    }
    scene.step("logging-switched-off", "T1562.008");
    let detector = scene.rng.hex(32);
    let log = format!("fl-0{}", scene.rng.hex(16));
    let flow_logs = object! {
        "DeleteFlowLogsRequest": object! { "FlowLogId": object! { "tag": 1, "content": log } },
    };
    let mut acts = vec![
        ("ec2", "DeleteFlowLogs", flow_logs),
        ("guardduty", "DeleteDetector", object! { "detectorId": detector }),
        ("cloudtrail", "StopLogging", object! { "name": &arn }),
    ];
    if scene.rng.one_in(2) {
        acts.push(("cloudtrail", "DeleteTrail", object! { "name": &arn }));
    }
    if scene.rng.one_in(2) {
        let recorder = object! { "configurationRecorderName": "default" };
        acts.push(("config", "StopConfigurationRecorder", recorder));
    }
    for (service, name, request) in acts {
        scene.wait(5, 60);
        scene.ask_for(&caller, (service, name), request, Json::Null);
    }
}

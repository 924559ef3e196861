//! The logs are switched off, and what comes next is not in them.

use super::calls::Look;
use super::scene::Scene;
use super::{Hours, Story, Victim, VictimKind, joined};
use crate::aws::api::{attack, config, network, trail};
use crate::clock::HOUR_S;

pub(super) const LOGGING_OFF: Story = Story {
    name: "logging-off",
    about: "trail, flow logs and GuardDuty are switched off, then the intruder falls silent",
    is_harmless: false,
    victim: VictimKind::Person,
    hours: Hours::Night,
    days: 1,
    tell: logging_off,
};
pub(super) const FLOW_LOG_DELETED: Story = Story {
    name: "flow-log-deleted",
    about: "a stolen key deletes the flow log of a VPC, which is silent until somebody makes a new one",
    is_harmless: false,
    victim: VictimKind::FlowLog,
    hours: Hours::Night,
    days: 1,
    tell: flow_log_deleted,
};

fn logging_off(scene: &mut Scene<'_>) {
    let guise = scene.guise();
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let caller = scene.victim.caller(&key, scene.now_s - 300).moved(&guise.address, &guise.agent);
    let Victim { account, region, trail, .. } = scene.victim;
    let name = trail.as_str();
    let arn = format!("arn:aws:cloudtrail:{region}:{account}:trail/{name}");
    scene.step("discovery", "T1654");
    scene.who_am_i(&caller);
    let looks: [Look; 4] = [
        trail::describe_trails,
        attack::list_detectors,
        network::describe_flow_logs,
        config::describe_configuration_recorders,
    ];
    for look in looks {
        scene.wait(3, 30);
        scene.make(&caller, look);
    }
    scene.make(&caller, |at, rng| trail::get_trail_status(at, name, rng));
    scene.step("logging-switched-off", "T1562.008");
    let detector = scene.rng.hex(32);
    let log = format!("fl-0{}", scene.rng.hex(16));
    scene.wait(5, 60);
    scene.make(&caller, |at, rng| network::delete_flow_logs(at, log, rng));
    scene.wait(5, 60);
    scene.make(&caller, |at, rng| attack::delete_detector(at, detector, rng));
    scene.wait(5, 60);
    scene.make(&caller, |at, rng| trail::stop_logging(at, &arn, rng));
    if scene.rng.one_in(2) {
        scene.wait(5, 60);
        scene.make(&caller, |at, rng| trail::delete_trail(at, &arn, rng));
    }
    if scene.rng.one_in(2) {
        scene.wait(5, 60);
        scene.make(&caller, |at, rng| config::stop_configuration_recorder(at, "default", rng));
    }
}

fn flow_log_deleted(scene: &mut Scene<'_>) {
    let Some(interface) = scene.victim.interface.clone() else { return };
    let (caller, entity) = joined::thief(scene);
    scene.step_of("discovery", "T1654", &entity);
    scene.who_am_i(&caller);
    scene.wait(3, 40);
    scene.make(&caller, network::describe_flow_logs);
    scene.wait(5, 90);
    scene.step_of("flow-log-deleted", "T1562.008", &entity);
    let log = interface.flow_log;
    scene.make(&caller, |at, rng| network::delete_flow_logs(at, log, rng));
    let renewed = format!("fl-0{}", scene.rng.hex(16));
    let until_s = scene.now_s + scene.rng.between(6 * HOUR_S, 12 * HOUR_S);
    scene.fall_silent(until_s, &renewed);
    scene.now_s = until_s;
    let (engineer, _) = joined::engineer(scene);
    let vpc = format!("vpc-0{}", scene.rng.hex(16));
    let call = network::create_flow_logs(scene.at(), vpc, renewed, &mut scene.rng);
    scene.ordinary(&engineer, call);
}

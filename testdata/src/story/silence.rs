//! The logs are switched off, and what comes next is not in them.

use super::calls::Look;
use super::scene::Scene;
use super::{Hours, Story, Victim, VictimKind};
use crate::aws::api::{attack, config, network, trail};

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

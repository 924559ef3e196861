//! Images, snapshots and backups are destroyed, so that nothing can be restored.

use super::scene::Scene;
use super::{Hours, Story, VictimKind};
use crate::aws::caller::Caller;
use crate::json::Json;
use crate::object;

pub(super) const BACKUP_DESTRUCTION: Story = Story {
    name: "backup-destruction",
    about: "images, snapshots and recovery points are deleted one after the other",
    is_harmless: false,
    victim: VictimKind::Person,
    hours: Hours::Night,
    days: 1,
    tell: backup_destruction,
};

fn backup_destruction(scene: &mut Scene<'_>) {
    let guise = scene.guise();
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let caller = scene.victim.caller(&key, scene.now_s - 300).moved(&guise.address, &guise.agent);
    scene.step("backups-listed", "T1580");
    scene.who_am_i(&caller);
    for (service, name) in [
        ("ec2", "DescribeImages"),
        ("ec2", "DescribeSnapshots"),
        ("rds", "DescribeDBSnapshots"),
        ("backup", "ListBackupVaults"),
        ("backup", "ListRecoveryPointsByBackupVault"),
    ] {
        scene.wait(3, 25);
        scene.ask(&caller, service, name);
    }
    let mut acts: Vec<fn(&mut Scene<'_>, &Caller)> = vec![images, snapshots, recovery_points];
    let first = usize::try_from(scene.rng.below(3)).unwrap_or(0);
    acts.rotate_left(first);
    for act in acts {
        scene.wait(20, 120);
        act(scene, &caller);
    }
}

fn images(scene: &mut Scene<'_>, caller: &Caller) {
    scene.step("images-deregistered", "T1485");
    for _ in 0..scene.rng.between(5, 40) {
        scene.wait(1, 6);
        let request = object! { "imageId": format!("ami-0{}", scene.rng.hex(16)) };
        let answer = object! { "requestId": scene.rng.uuid(), "_return": true };
        scene.ask_for(caller, ("ec2", "DeregisterImage"), request, answer);
    }
}

fn snapshots(scene: &mut Scene<'_>, caller: &Caller) {
    scene.step("snapshots-deleted", "T1490");
    for _ in 0..scene.rng.between(15, 90) {
        scene.wait(0, 4);
        let id = format!("snap-0{}", scene.rng.hex(16));
        let answer = object! { "requestId": scene.rng.uuid(), "_return": true };
        scene.ask_for(caller, ("ec2", "DeleteSnapshot"), object! { "snapshotId": id }, answer);
    }
}

fn recovery_points(scene: &mut Scene<'_>, caller: &Caller) {
    scene.step("recovery-points-deleted", "T1490");
    let (account, region) = (scene.victim.account.clone(), scene.victim.region);
    for _ in 0..scene.rng.between(8, 50) {
        scene.wait(1, 5);
        let arn = format!(
            "arn:aws:backup:{region}:{account}:recovery-point:{}",
            scene.rng.uuid().to_uppercase()
        );
        let request = object! { "backupVaultName": "Default", "recoveryPointArn": arn };
        scene.ask_for(caller, ("backup", "DeleteRecoveryPoint"), request, Json::Null);
    }
    scene.wait(5, 20);
    let vault = object! { "backupVaultName": "Default" };
    scene.ask_for(caller, ("backup", "DeleteBackupVault"), vault, Json::Null);
}

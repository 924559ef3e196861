//! Images, snapshots and backups are destroyed, so that nothing can be restored.

use super::calls::Look;
use super::scene::Scene;
use super::{Hours, Story, VictimKind};
use crate::aws::api::{database, ec2};
use crate::aws::caller::Caller;

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
    let looks: [Look; 5] = [
        ec2::describe_images,
        ec2::describe_snapshots,
        database::describe_db_snapshots,
        database::list_backup_vaults,
        |at, rng| database::list_recovery_points(at, "Default", rng),
    ];
    for look in looks {
        scene.wait(3, 25);
        scene.make(&caller, look);
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
        let image = format!("ami-0{}", scene.rng.hex(16));
        scene.make(caller, |at, rng| ec2::deregister_image(at, image, rng));
    }
}

fn snapshots(scene: &mut Scene<'_>, caller: &Caller) {
    scene.step("snapshots-deleted", "T1490");
    for _ in 0..scene.rng.between(15, 90) {
        scene.wait(0, 4);
        let id = format!("snap-0{}", scene.rng.hex(16));
        scene.make(caller, |at, rng| ec2::delete_snapshot(at, id, rng));
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
        scene.make(caller, |at, rng| database::delete_recovery_point(at, "Default", arn, rng));
    }
    scene.wait(5, 20);
    scene.make(caller, |at, rng| database::delete_backup_vault(at, "Default", rng));
}

//! Credentials in other hands: a session, an instance's role, the key of a pipeline.

use super::calls::Look;
use super::scene::Scene;
use super::tools;
use super::{Hours, Story, VictimKind, Who};
use crate::aws::api::signin::{self, SecondFactor};
use crate::aws::api::{ec2, iam, keys, network, s3, sts, systems};
use crate::aws::caller::agents::{TERRAFORM, WINDOWS};
use crate::aws::caller::{Caller, User};
use crate::clock::{DAY_S, HOUR_S};
use crate::places::{FAR_HOMES, GLOBAL, HOSTING_ASIA, HOSTING_EU, RUNNERS, VPN};

pub(super) const STOLEN_SESSION: Story = Story {
    name: "stolen-session",
    about: "a session is used from far away while its owner works on",
    is_harmless: false,
    victim: VictimKind::Person,
    hours: Hours::Work,
    days: 1,
    tell: stolen_session,
};
pub(super) const INSTANCE_CREDENTIALS: Story = Story {
    name: "instance-credentials",
    about: "the credentials of a machine's role are used from outside of AWS",
    is_harmless: false,
    victim: VictimKind::Machine,
    hours: Hours::Any,
    days: 1,
    tell: instance_credentials,
};
pub(super) const LEAKED_CI_KEY: Story = Story {
    name: "leaked-ci-key",
    about: "the long-lived key of a pipeline is used from hosting, and makes a user who signs in",
    is_harmless: false,
    victim: VictimKind::PipelineWithKey,
    hours: Hours::Any,
    days: 1,
    tell: leaked_ci_key,
};

fn stolen_session(scene: &mut Scene<'_>) {
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let owner = scene.victim.caller(&key, scene.now_s - 1_800);
    let network = scene.rng.pick(&[FAR_HOMES, HOSTING_ASIA, HOSTING_EU]).copied();
    let mut thief = tools::stranger(network.unwrap_or(FAR_HOMES), &mut scene.rng);
    if scene.rng.one_in(3) {
        // Taken with the browser's cookies, used with a tool that looks like the owner's.
        thief.agent.clone_from(&scene.victim.agent);
    }
    let other = owner.moved(&thief.address, &thief.agent);
    let bucket = scene.victim.bucket();
    scene.step("session-used-from-two-places", "T1550.004");
    scene.who_am_i(&other);
    for round in 0..scene.rng.between(3, 6) {
        let call = ec2::describe_instances(scene.at(), &mut scene.rng);
        scene.ordinary(&owner, call);
        scene.wait(30, 200);
        scene.look_around(&other, 4, 20);
        if round % 2 == 0 {
            let call = s3::list_buckets(scene.at(), &mut scene.rng);
            scene.ordinary(&owner, call);
        }
    }
    scene.step("objects-read", "T1530");
    for number in 0..scene.rng.between(20, 120) {
        scene.wait(0, 6);
        let key = scene.object_key(number);
        let bytes = scene.rng.log_normal_between(200_000.0, 1.5, (40, 500_000_000));
        scene.make(&other, |at, rng| s3::get_object(at, (&bucket, &key), bytes, rng));
    }
    read_secrets(scene, &other);
}

fn instance_credentials(scene: &mut Scene<'_>) {
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let network = scene.rng.pick(&[HOSTING_EU, HOSTING_ASIA, VPN, FAR_HOMES]).copied();
    let mut thief = tools::stranger(network.unwrap_or(VPN), &mut scene.rng);
    if scene.rng.one_in(3) {
        thief.agent.clone_from(&scene.victim.agent);
    }
    let caller = scene.victim.caller(&key, scene.now_s - HOUR_S);
    let caller = caller.moved(&thief.address, &thief.agent);
    scene.step("credentials-used-outside", "T1552.005");
    scene.who_am_i(&caller);
    let n = usize::try_from(scene.rng.between(8, 30)).unwrap_or(8);
    scene.step("discovery", "T1580");
    scene.look_around(&caller, n, 75);
    let bucket = scene.victim.bucket();
    scene.step("objects-read", "T1530");
    for number in 0..scene.rng.between(40, 300) {
        scene.wait(0, 3);
        let key = scene.object_key(number);
        let bytes = scene.rng.log_normal_between(80_000.0, 1.9, (40, 900_000_000));
        scene.make(&caller, |at, rng| s3::get_object(at, (&bucket, &key), bytes, rng));
    }
}

fn read_secrets(scene: &mut Scene<'_>, caller: &Caller) {
    scene.step("secrets-read", "T1555.006");
    let (account, region) = (scene.victim.account.clone(), scene.victim.region);
    for secret in scene.victim.secrets.clone() {
        scene.wait(1, 12);
        let arn = format!("arn:aws:secretsmanager:{region}:{account}:secret:{secret}");
        scene.make(caller, |at, rng| keys::get_secret_value(at, arn, rng));
    }
}

/// A pipeline still has a user from before it took roles; some people never took the key away.
fn leaked_ci_key(scene: &mut Scene<'_>) {
    let (user, pipeline) = match &scene.victim.who {
        Who::User { user, .. } => (user.clone(), scene.victim.caller("", scene.now_s)),
        Who::Session { .. } | Who::Known(_) => forgotten_user(scene),
    };
    let network = scene.rng.pick(&[HOSTING_EU, HOSTING_ASIA, VPN]).copied().unwrap_or(VPN);
    let thief = tools::stranger(network, &mut scene.rng);
    let caller = pipeline.moved(&thief.address, &thief.agent);
    let entity = user.arn();
    scene.step_of("key-used-from-hosting", "T1078.004", &entity);
    scene.who_am_i(&caller);
    scene.wait(10, 90);
    scene.step_of("enumeration-refused", "T1580", &entity);
    let n = usize::try_from(scene.rng.between(15, 60)).unwrap_or(15);
    scene.look_around(&caller, n, 70);
    make_user(scene, &caller, &entity);
}

fn make_user(scene: &mut Scene<'_>, caller: &Caller, entity: &str) {
    let names = ["backup-svc", "support-admin", "s3-sync", "monitoring"];
    let user = User {
        account: scene.victim.account.clone(),
        name: scene.rng.pick(&names).copied().unwrap_or("monitoring").to_owned(),
        principal: format!("AIDA{}", scene.rng.capitals(17)),
    };
    let name = user.name.as_str();
    scene.step_of("user-created", "T1136.003", entity);
    scene.wait(10, 60);
    scene.make(caller, |at, rng| iam::create_user(at, name, &user.principal, rng));
    scene.wait(3, 20);
    let policy = "arn:aws:iam::aws:policy/AdministratorAccess";
    scene.make(caller, |at, rng| iam::attach_user_policy(at, name, policy, rng));
    scene.step_of("key-created", "T1098.001", entity);
    scene.wait(3, 20);
    let key = format!("AKIA{}", scene.rng.capitals(16));
    scene.make(caller, |at, rng| iam::create_access_key(at, name, key, rng));
    scene.wait(3, 20);
    scene.make(caller, |at, rng| iam::create_login_profile(at, name, rng));
    sign_in_as(scene, &user, &caller.address);
}

/// The new user looks around in the console: nobody has given it a second factor.
fn sign_in_as(scene: &mut Scene<'_>, user: &User, address: &str) {
    scene.step_of("signed-in-as-the-new-user", "T1078.004", &user.arn());
    scene.wait(20, 120);
    let browser = Caller::new(user.signing_in(), address, WINDOWS.browser);
    scene.make_in(GLOBAL, &browser, |at, _| signin::console_login(at, SecondFactor::NotUsed));
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let identity = user.in_session(&key, scene.now_s, false);
    let n = usize::try_from(scene.rng.between(10, 40)).unwrap_or(10);
    scene.open_console(&Caller::new(identity, address, WINDOWS.browser), n);
}

/// A user that nobody has told of yet: what the key was used for before is told too.
fn forgotten_user(scene: &mut Scene<'_>) -> (User, Caller) {
    let user = User {
        account: scene.victim.account.clone(),
        name: format!("ci-deploy-{}", scene.rng.hex(3)),
        principal: format!("AIDA{}", scene.rng.capitals(17)),
    };
    let identity = user.with_key(&format!("AKIA{}", scene.rng.capitals(16)));
    let pipeline = Caller::new(identity, &scene.victim.address, &scene.victim.agent);
    runs_before(scene, &pipeline);
    (user, pipeline)
}

/// What the key was used for in the days before.
fn runs_before(scene: &mut Scene<'_>, pipeline: &Caller) {
    let attack_s = scene.now_s;
    let first_s = scene.known_since_s.max(attack_s - 14 * DAY_S);
    scene.now_s = first_s + scene.rng.between(HOUR_S, 5 * HOUR_S);
    while scene.now_s < attack_s {
        let address = RUNNERS.address(&mut scene.rng).to_string();
        let runner = pipeline.moved(&address, TERRAFORM);
        let calls: [Look; 6] = [
            sts::get_caller_identity,
            network::describe_vpcs,
            network::describe_security_groups,
            |at, rng| systems::describe_services(at, "main", "api", rng),
            |at, rng| systems::register_task_definition(at, "api", "registry.example/api", rng),
            |at, rng| systems::update_service(at, "main", "api", "api", rng),
        ];
        for call in calls {
            scene.now_s += scene.rng.between(0, 4);
            let call = call(scene.at(), &mut scene.rng);
            scene.ordinary(&runner, call);
        }
        scene.now_s += scene.rng.between(5 * HOUR_S, 14 * HOUR_S);
    }
    scene.now_s = attack_s;
}

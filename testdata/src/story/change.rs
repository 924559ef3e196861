//! New people, new pipelines, and those who look at everything because it is their work.

use super::calls::{GLOBAL_LOOKS, Look, REGIONAL_LOOKS};
use super::scene::Scene;
use super::tools;
use super::{Hours, Story, VictimKind};
use crate::aws::api::denied::{Because, denied};
use crate::aws::api::{At, audit, config, database, iam, keys, network, s3, stacks, systems};
use crate::aws::call::Call;
use crate::aws::caller::agents::{self, TERRAFORM, WINDOWS};
use crate::aws::caller::{Caller, Role, Session};
use crate::clock::{DAY_S, HOUR_S};
use crate::places::{CITIES, REGIONS};
use crate::rng::Rng;

pub(super) const NEW_TEAM: Story = Story {
    name: "new-team",
    about: "several people begin on one day, with a role that is new",
    is_harmless: true,
    victim: VictimKind::Person,
    hours: Hours::Work,
    days: 5,
    tell: new_team,
};
pub(super) const AUDIT_TOOL: Story = Story {
    name: "audit-tool",
    about: "an audit reads every setting of every service in every region",
    is_harmless: true,
    victim: VictimKind::Person,
    hours: Hours::Work,
    days: 1,
    tell: audit_tool,
};
pub(super) const FIRST_DEPLOYMENT: Story = Story {
    name: "first-deployment",
    about: "a new pipeline deploys for the first time",
    is_harmless: true,
    victim: VictimKind::Pipeline,
    hours: Hours::Work,
    days: 1,
    tell: first_deployment,
};

fn role(scene: &mut Scene<'_>, path: &str, name: String) -> Role {
    Role {
        account: scene.victim.account.clone(),
        path: path.to_owned(),
        name,
        principal: format!("AROA{}", scene.rng.capitals(17)),
    }
}

fn new_team(scene: &mut Scene<'_>) {
    let name = format!("AWSReservedSSO_ResearchAccess_{}", scene.rng.hex(16));
    let role = role(scene, "aws-reserved/sso.amazonaws.com/", name);
    let first_s = scene.now_s;
    let first_day_s = first_s - first_s.rem_euclid(DAY_S);
    let given = ["lior", "ruth", "kenji", "paula", "sven", "amara"];
    let n = usize::try_from(scene.rng.between(3, 6)).unwrap_or(3);
    let at_home = CITIES.into_iter().find(|city| city.zone == scene.victim.zone);
    let city = at_home.unwrap_or(CITIES[0]);
    for name in given.into_iter().take(n) {
        let mail = format!("{name}.{}@{}.example", scene.rng.hex(3), "new");
        let entity = role.session_arn(&mail);
        let address = city.homes.address(&mut scene.rng).to_string();
        let n_days = scene.rng.between(2, 3);
        let working =
            (0..4).filter(|day| scene.victim.zone.is_working_day(first_day_s + day * DAY_S));
        for day in working.take(usize::try_from(n_days).unwrap_or(2)) {
            scene.now_s = first_s + day * DAY_S + scene.rng.between(0, 2 * HOUR_S);
            let key = format!("ASIA{}", scene.rng.capitals(16));
            let session = Session { name: &mail, key: &key, since_s: scene.now_s };
            let caller = Caller::new(role.session(session, &[]), &address, WINDOWS.browser);
            scene.step_of("somebody-new-at-work", "T1078.004", &entity);
            scene.sign_in(&caller);
            let n_pages = usize::try_from(scene.rng.between(10, 60)).unwrap_or(10);
            scene.open_console(&caller, n_pages);
            let hand =
                caller.with(&agents::running(WINDOWS.command_line, "ec2.describe-instances"));
            scene.look_around(&hand, 6, 15);
        }
    }
}

/// What audits read of services that people hardly look at.
const AUDITED: [Look; 18] = [
    audit::list_analyzers,
    audit::list_certificates,
    audit::get_rest_apis,
    network::describe_auto_scaling_groups,
    |at, rng| stacks::describe_stacks(at, "", rng),
    config::describe_configuration_recorders,
    audit::list_clusters,
    audit::list_eks_clusters,
    audit::describe_cache_clusters,
    audit::describe_file_systems,
    network::describe_load_balancers,
    audit::get_databases,
    |at, rng| systems::describe_log_groups(at, "", rng),
    audit::get_macie_session,
    audit::describe_clusters,
    audit::list_notebook_instances,
    audit::list_topics,
    audit::list_queues,
];

fn audit_tool(scene: &mut Scene<'_>) {
    let role = role(scene, "", "security-audit".to_owned());
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let name = if scene.rng.one_in(2) { "ProwlerAssessmentSession" } else { "scoutsuite" };
    let session = Session { name, key: &key, since_s: scene.now_s };
    let address = scene.victim.address.clone();
    let caller = Caller::new(role.session(session, &[]), &address, tools::AUDITOR);
    scene.step_of("everything-read", "T1526", &role.arn());
    for look in GLOBAL_LOOKS {
        scene.make(&caller, look);
    }
    // A quarter of the calls is asked again for each thing that is found.
    let pause = scene.rng.between(2, 6);
    for region in REGIONS {
        for look in REGIONAL_LOOKS.into_iter().chain(AUDITED) {
            for _ in 0..scene.rng.between(1, pause) {
                if scene.rng.one_in(4) {
                    scene.now_s += 1;
                }
                let is_refused = scene.rng.below(100) < 6;
                scene.make_in(region, &caller, |at, rng| {
                    let call = look(at, rng);
                    if is_refused {
                        denied(call, &caller, None, Because::NothingAllows, rng)
                    } else {
                        call
                    }
                });
            }
        }
    }
    for bucket in scene.victim.buckets.clone() {
        for name in [
            "GetBucketAcl",
            "GetBucketPolicy",
            "GetBucketEncryption",
            "GetBucketVersioning",
            "GetBucketLogging",
            "GetBucketPublicAccessBlock",
        ] {
            scene.make(&caller, |at, rng| config::ask(at, name, &bucket, rng));
        }
        scene.now_s += 1;
    }
}

fn first_deployment(scene: &mut Scene<'_>) {
    let name = format!("deploy-{}", scene.rng.hex(4));
    let role = role(scene, "", name);
    let session_name = "GitHubActions";
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let session = Session { name: session_name, key: &key, since_s: scene.now_s };
    let address = scene.victim.address.clone();
    let caller = Caller::new(role.session(session, &[]), &address, TERRAFORM);
    scene.step_of("deployed-for-the-first-time", "T1578", &role.arn());
    scene.who_am_i(&caller);
    let buckets = ["state", "assets"].map(|what| format!("{}-{what}", role.name));
    for bucket in &buckets {
        scene.now_s += scene.rng.between(0, 2);
        scene.make(&caller, |at, rng| s3::create_bucket(at, bucket, rng));
        scene.make(&caller, |at, rng| s3::put_public_access_block(at, bucket, true, rng));
    }
    for part in ["task", "execution", "autoscaling"] {
        let name = format!("{}-{part}", role.name);
        let id = format!("AROA{}", scene.rng.capitals(17));
        scene.now_s += scene.rng.between(0, 3);
        scene.make(&caller, |at, rng| iam::create_role(at, &name, TRUST, id, rng));
        scene.now_s += scene.rng.between(0, 3);
        scene.make(&caller, |at, rng| iam::put_role_policy(at, &name, "inline", POLICY, rng));
        scene.now_s += scene.rng.between(0, 3);
        scene.make(&caller, |at, rng| iam::get_role(at, &name, rng));
    }
    for make in DEPLOYED {
        for _ in 0..scene.rng.between(1, 4) {
            scene.now_s += scene.rng.between(0, 4);
            let id = format!("0{}", scene.rng.hex(16));
            scene.make(&caller, |at, rng| make(at, &id, rng));
        }
    }
}

/// What a task may be run by, and what it may do.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;

/// Makes something whose id ends so.
type Make = fn(At<'_>, &str, &mut Rng) -> Call;

/// What a first deployment makes, in its order.
const DEPLOYED: [Make; 18] = [
    |at, id, rng| network::create_vpc(at, format!("vpc-{id}"), "10.4.0.0/16", "service", rng),
    |at, id, rng| {
        let (vpc, subnet) = (format!("vpc-{id}"), format!("subnet-{id}"));
        network::create_subnet(at, vpc, subnet, "10.4.1.0/24", rng)
    },
    |at, id, rng| network::create_internet_gateway(at, format!("igw-{id}"), rng),
    |at, id, rng| {
        let (vpc, group) = (format!("vpc-{id}"), format!("sg-{id}"));
        network::create_security_group(at, vpc, group, "service", rng)
    },
    |at, id, rng| {
        network::authorize_security_group_ingress(at, format!("sg-{id}"), 443, "10.0.0.0/8", rng)
    },
    |at, id, rng| network::create_nat_gateway(at, format!("subnet-{id}"), format!("nat-{id}"), rng),
    |at, id, rng| network::describe_nat_gateway(at, format!("nat-{id}"), rng),
    |at, id, rng| network::create_load_balancer(at, "service", format!("subnet-{id}"), rng),
    |at, id, rng| network::create_target_group(at, "service", format!("vpc-{id}"), rng),
    |at, _, rng| systems::create_cluster(at, "service", rng),
    |at, _, rng| systems::register_task_definition(at, "service", "registry.example/s", rng),
    |at, _, rng| systems::create_service(at, "service", "service", "service", rng),
    |at, id, rng| database::create_db_instance(at, format!("db-{id}"), rng),
    |at, _, rng| database::describe_db_instances(at, rng),
    |at, id, rng| keys::create_secret(at, format!("service/{id}"), rng),
    |at, id, rng| systems::create_log_group(at, format!("/ecs/service-{id}"), rng),
    |at, _, rng| {
        let key = rng.uuid();
        keys::create_key(at, key, POLICY, rng)
    },
    |at, id, rng| {
        let key = rng.uuid();
        keys::create_alias(at, format!("service-{id}"), key, rng)
    },
];

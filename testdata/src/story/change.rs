//! New people, new pipelines, and those who look at everything because it is their work.

use super::calls::{LOOKS, denied};
use super::scene::Scene;
use super::tools;
use super::{Hours, Story, VictimKind};
use crate::aws::call::Call;
use crate::aws::caller::agents::TERRAFORM;
use crate::aws::caller::{Caller, Role, Session};
use crate::clock::{DAY_S, HOUR_S};
use crate::json::Json;
use crate::object;
use crate::places::{CITIES, REGIONS};

pub(super) const NEW_TEAM: Story = Story {
    name: "new-team",
    about: "several people begin on one day, with a role that is new",
    is_harmless: true,
    victim: VictimKind::Person,
    hours: Hours::Work,
    days: 4,
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
    let given = ["lior", "ruth", "kenji", "paula", "sven", "amara"];
    let n = usize::try_from(scene.rng.between(3, 6)).unwrap_or(3);
    let city = scene.rng.pick(&CITIES).copied().unwrap_or(CITIES[0]);
    for name in given.into_iter().take(n) {
        let mail = format!("{name}.{}@{}.example", scene.rng.hex(3), "new");
        let entity = role.session_arn(&mail);
        let address = city.homes.address(&mut scene.rng).to_string();
        for day in 0..scene.rng.between(2, 3) {
            scene.now_s = first_s + day * DAY_S + scene.rng.between(0, 2 * HOUR_S);
            let key = format!("ASIA{}", scene.rng.capitals(16));
            let session = Session { name: &mail, key: &key, since_s: scene.now_s };
            let caller = Caller::new(role.session(session, &[]), &address, tools::BROWSER);
            scene.step_of("somebody-new-at-work", "T1078.004", &entity);
            scene.sign_in(&caller, true);
            let n_pages = usize::try_from(scene.rng.between(10, 60)).unwrap_or(10);
            scene.open_console(&caller, n_pages);
            let hand = caller.with(tools::COMMAND_LINE);
            scene.look_around(&hand, 6, 15);
        }
    }
}

/// Services that audits read, and the beginnings of what they ask.
const AUDITED: [(&str, &str); 18] = [
    ("accessanalyzer", "ListAnalyzers"),
    ("acm", "ListCertificates"),
    ("apigateway", "GetRestApis"),
    ("autoscaling", "DescribeAutoScalingGroups"),
    ("cloudformation", "DescribeStacks"),
    ("config", "DescribeConfigurationRecorders"),
    ("ecs", "ListClusters"),
    ("eks", "ListClusters"),
    ("elasticache", "DescribeCacheClusters"),
    ("elasticfilesystem", "DescribeFileSystems"),
    ("elasticloadbalancing", "DescribeLoadBalancers"),
    ("glue", "GetDatabases"),
    ("logs", "DescribeLogGroups"),
    ("macie2", "GetMacieSession"),
    ("redshift", "DescribeClusters"),
    ("sagemaker", "ListNotebookInstances"),
    ("sns", "ListTopics"),
    ("sqs", "ListQueues"),
];

fn audit_tool(scene: &mut Scene<'_>) {
    let role = role(scene, "", "security-audit".to_owned());
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let name = if scene.rng.one_in(2) { "ProwlerAssessmentSession" } else { "scoutsuite" };
    let session = Session { name, key: &key, since_s: scene.now_s };
    let address = scene.victim.address.clone();
    let caller = Caller::new(role.session(session, &[]), &address, tools::AUDITOR);
    scene.step_of("everything-read", "T1526", &role.arn());
    let once = LOOKS.into_iter().filter(|(service, _)| *service == "iam" || *service == "s3");
    for (service, name) in once {
        scene.ask(&caller, service, name);
    }
    // A quarter of the calls is asked again for each thing that is found.
    let pause = scene.rng.between(2, 6);
    for region in REGIONS {
        let regional = LOOKS.into_iter().chain(AUDITED);
        for (service, name) in regional.filter(|(service, _)| !is_global(service)) {
            for _ in 0..scene.rng.between(1, pause) {
                if scene.rng.one_in(4) {
                    scene.now_s += 1;
                }
                let call = Call::new(scene.now_s, region, service, name);
                let refused = scene.rng.below(100) < 6;
                let call = if refused { denied(call, &caller) } else { call };
                scene.call(&caller, call);
            }
        }
    }
    for bucket in scene.victim.buckets.clone() {
        for (name, setting) in [
            ("GetBucketAcl", "acl"),
            ("GetBucketPolicy", "policy"),
            ("GetBucketEncryption", "encryption"),
            ("GetBucketVersioning", "versioning"),
            ("GetBucketLogging", "logging"),
            ("GetBucketPublicAccessBlock", "publicAccessBlock"),
        ] {
            let call = scene.on_bucket(name, &bucket, (setting, None));
            scene.call(&caller, call);
        }
        scene.now_s += 1;
    }
}

fn is_global(service: &str) -> bool {
    matches!(service, "iam" | "s3" | "organizations")
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
        let call = scene.on_bucket("CreateBucket", bucket, ("tagging", None));
        scene.call(&caller, call);
        let call =
            scene.on_bucket("PutBucketPublicAccessBlock", bucket, ("publicAccessBlock", None));
        scene.call(&caller, call);
    }
    for part in ["task", "execution", "autoscaling"] {
        let name = format!("{}-{part}", role.name);
        for (api, request) in [
            ("CreateRole", object! { "roleName": &name, "path": "/" }),
            ("PutRolePolicy", object! { "roleName": &name, "policyName": "inline" }),
            ("GetRole", object! { "roleName": &name }),
        ] {
            scene.now_s += scene.rng.between(0, 3);
            scene.ask_for(&caller, ("iam", api), request, Json::Null);
        }
    }
    for (service, name) in [
        ("ec2", "CreateVpc"),
        ("ec2", "CreateSubnet"),
        ("ec2", "CreateSubnet"),
        ("ec2", "CreateInternetGateway"),
        ("ec2", "CreateSecurityGroup"),
        ("ec2", "AuthorizeSecurityGroupIngress"),
        ("ec2", "CreateNatGateway"),
        ("ec2", "DescribeNatGateways"),
        ("elasticloadbalancing", "CreateLoadBalancer"),
        ("elasticloadbalancing", "CreateTargetGroup"),
        ("ecs", "CreateCluster"),
        ("ecs", "RegisterTaskDefinition"),
        ("ecs", "CreateService"),
        ("rds", "CreateDBInstance"),
        ("rds", "DescribeDBInstances"),
        ("secretsmanager", "CreateSecret"),
        ("logs", "CreateLogGroup"),
        ("kms", "CreateKey"),
        ("kms", "CreateAlias"),
    ] {
        for _ in 0..scene.rng.between(1, 4) {
            scene.now_s += scene.rng.between(0, 4);
            scene.ask(&caller, service, name);
        }
    }
}

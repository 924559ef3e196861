//! From role to role, over two accounts.

use super::scene::Scene;
use super::{Hours, Story, VictimKind};
use crate::aws::caller::{Caller, Role, Session};
use crate::clock::{HOUR_S, in_words};
use crate::json::Json;
use crate::object;

pub(super) const ROLE_CHAIN: Story = Story {
    name: "role-chain",
    about: "a chain of assumed roles leads into another account and to its administrators",
    is_harmless: false,
    victim: VictimKind::Person,
    hours: Hours::Any,
    days: 1,
    tell: role_chain,
};

fn role_chain(scene: &mut Scene<'_>) {
    let guise = scene.guise();
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let caller = scene.victim.caller(&key, scene.now_s - 900).moved(&guise.address, &guise.agent);
    scene.step("discovery", "T1069.003");
    scene.who_am_i(&caller);
    for name in ["ListRoles", "GetRole", "ListAttachedRolePolicies", "GetRolePolicy"] {
        scene.wait(3, 30);
        scene.ask(&caller, "iam", name);
    }
    try_roles(scene, &caller);
    let here = scene.victim.account.clone();
    let there = scene.victim.second_account.clone().unwrap_or_else(|| here.clone());
    let mut last = caller;
    let chain =
        [(&here, "deployment-support"), (&there, "cross-account-ops"), (&there, "break-glass")];
    for (account, name) in chain {
        scene.wait(20, 240);
        last = assume(scene, &last, (account, name));
        scene.wait(2, 30);
        let call = scene.now("sts", "GetCallerIdentity");
        scene.call_in(account, &last, call);
    }
    take_over(scene, &last, &there);
}

/// Roles that are not for everybody.
fn try_roles(scene: &mut Scene<'_>, caller: &Caller) {
    scene.step("roles-tried", "T1548.005");
    for _ in 0..scene.rng.between(2, 9) {
        scene.wait(2, 20);
        let role = format!("service-{}", scene.rng.hex(4));
        let arn = format!("arn:aws:iam::{}:role/{role}", scene.victim.account);
        let message = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            caller.arn
        );
        let call = scene.now("sts", "AssumeRole").refused("AccessDenied", message);
        scene.call(caller, call);
    }
}

/// Takes a role; both accounts tell of it, with one shared id.
fn assume(scene: &mut Scene<'_>, caller: &Caller, (account, name): (&str, &str)) -> Caller {
    scene.step_of("role-assumed", "T1548.005", &caller.arn);
    let role = Role {
        account: account.to_owned(),
        path: String::new(),
        name: name.to_owned(),
        principal: format!("AROA{}", scene.rng.capitals(17)),
    };
    let session = format!("session-{}", scene.rng.digits(10));
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let mut call = scene
        .now("sts", "AssumeRole")
        .asking(object! { "roleArn": role.arn(), "roleSessionName": &session })
        .answered(object! {
            "credentials": object! {
                "accessKeyId": &key,
                "sessionToken": format!("IQoJb3JpZ2luX2Vj{}", scene.rng.base64(640)),
                "expiration": in_words(scene.now_s + HOUR_S),
            },
            "assumedRoleUser": object! {
                "assumedRoleId": format!("{}:{session}", role.principal),
                "arn": role.session_arn(&session),
            },
        })
        .touching(object! {
            "accountId": account, "type": "AWS::IAM::Role", "ARN": role.arn(),
        });
    let from = caller.identity.line();
    let crosses = !from.contains(&format!("\"accountId\":\"{account}\""));
    if crosses {
        call.shared_id = Some(scene.rng.uuid());
        let home = scene.victim.account.clone();
        scene.call_in(&home, caller, call.clone());
        let foreign = outsider(caller);
        scene.call_in(account, &foreign, call);
    } else {
        scene.call_in(account, caller, call);
    }
    let session = Session { name: &session, key: &key, since_s: scene.now_s };
    Caller::new(role.session(session, &[]), &caller.address, &caller.agent)
}

/// How the other account sees somebody of this one.
fn outsider(caller: &Caller) -> Caller {
    let account = caller.arn.split(':').nth(4).unwrap_or_default().to_owned();
    let principal = format!("AROAEXTERNAL{}", account.get(..8).unwrap_or_default());
    let identity = object! {
        "type": "AWSAccount", "principalId": principal, "accountId": account,
    };
    Caller::new(identity, &caller.address, &caller.agent)
}

fn take_over(scene: &mut Scene<'_>, last: &Caller, account: &str) {
    scene.step_of("administrator-made", "T1098.003", &last.arn);
    let role = "cross-account-ops";
    let document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\
                    \"Principal\":{\"AWS\":\"*\"},\"Action\":\"sts:AssumeRole\"}]}";
    let policy = "arn:aws:iam::aws:policy/AdministratorAccess";
    let calls = [
        ("AttachRolePolicy", object! { "roleName": role, "policyArn": policy }),
        ("UpdateAssumeRolePolicy", object! { "roleName": role, "policyDocument": document }),
        ("CreateAccessKey", object! { "userName": "automation" }),
    ];
    for (name, request) in calls {
        scene.wait(5, 120);
        let call = scene.now("iam", name).asking(request).answered(Json::Null);
        scene.call_in(account, last, call);
    }
}

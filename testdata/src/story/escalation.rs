//! From role to role, over two accounts.

use super::calls::Look;
use super::scene::Scene;
use super::{Hours, Story, VictimKind};
use crate::aws::api::denied::{Because, denied};
use crate::aws::api::sts::{self, Opening};
use crate::aws::api::{At, iam};
use crate::aws::caller::forms::external;
use crate::aws::caller::{Caller, Role, Session};

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
    let looks: [Look; 4] = [
        iam::list_roles,
        |at, rng| iam::get_role(at, "deployment-support", rng),
        |at, rng| iam::list_attached_role_policies(at, "deployment-support", rng),
        |at, rng| iam::get_role_policy(at, "deployment-support", "inline", rng),
    ];
    for look in looks {
        scene.wait(3, 30);
        scene.make(&caller, look);
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
        let call = sts::get_caller_identity(scene.at(), &mut scene.rng);
        scene.call_in(account, &last, call);
    }
    take_over(scene, &last, &there);
}

/// Roles that are not for everybody.
fn try_roles(scene: &mut Scene<'_>, caller: &Caller) {
    scene.step("roles-tried", "T1548.005");
    for _ in 0..scene.rng.between(2, 9) {
        scene.wait(2, 20);
        let name = format!("service-{}", scene.rng.hex(4));
        let role = role(scene, &scene.victim.account.clone(), &name);
        let opening = Opening { role: &role, session: "session", key: "" };
        let arn = role.arn();
        scene.make(caller, |at, rng| {
            let call = sts::assume_role(at, opening, rng);
            denied(call, caller, Some(&arn), Because::NothingAllows, rng)
        });
    }
}

fn role(scene: &mut Scene<'_>, account: &str, name: &str) -> Role {
    Role {
        account: account.to_owned(),
        path: String::new(),
        name: name.to_owned(),
        principal: format!("AROA{}", scene.rng.capitals(17)),
    }
}

/// Takes a role; both accounts tell of it, with one shared id.
fn assume(scene: &mut Scene<'_>, caller: &Caller, (account, name): (&str, &str)) -> Caller {
    scene.step_of("role-assumed", "T1548.005", &caller.arn);
    let role = role(scene, account, name);
    let session = format!("session-{}", scene.rng.digits(10));
    let key = format!("ASIA{}", scene.rng.capitals(16));
    let opening = Opening { role: &role, session: &session, key: &key };
    let mut call = sts::assume_role(scene.at(), opening, &mut scene.rng);
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
    Caller::new(external(&account, &principal), &caller.address, &caller.agent)
}

fn take_over(scene: &mut Scene<'_>, last: &Caller, account: &str) {
    scene.step_of("administrator-made", "T1098.003", &last.arn);
    let role = "cross-account-ops";
    let document = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\
                    \"Principal\":{\"AWS\":\"*\"},\"Action\":\"sts:AssumeRole\"}]}";
    let policy = "arn:aws:iam::aws:policy/AdministratorAccess";
    for number in 0..3 {
        scene.wait(5, 120);
        let at = At { account, ..scene.at() };
        let rng = &mut scene.rng;
        let call = match number {
            0 => iam::attach_role_policy(at, role, policy, rng),
            1 => iam::update_assume_role_policy(at, role, document, rng),
            _ => {
                let key = format!("AKIA{}", rng.capitals(16));
                iam::create_access_key(at, "automation", key, rng)
            }
        };
        scene.call_in(account, last, call);
    }
}

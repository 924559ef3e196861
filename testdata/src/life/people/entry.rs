//! How people get their credentials: through Identity Center or as an IAM user, in the browser or
//! for the command line, and from one account into another.

use super::Desk;
use crate::aws::api::At;
use crate::aws::api::signin::{self, SecondFactor};
use crate::aws::api::sts::{self, Opening};
use crate::aws::caller::agents::{self, CONSOLE_JAVA};
use crate::aws::caller::{Caller, Role, Session, forms};
use crate::json::Json;
use crate::life::Stage;
use crate::organisation::{Access, Organisation, Team, part};
use crate::places::{self, GLOBAL};
use crate::rng::Rng;

/// What fetches the token for a console.
const TOKEN_FETCHER: &str = "Jersey/${project.version} (HttpUrlConnection 17.0.12)";
/// A password is mistyped once in so many sign-ins.
const MISTYPED_ONE_IN: u64 = 30;

/// Into the console; answers who calls from then on, and when the first page opens.
pub(super) fn into_console(
    desk: &Desk,
    stage: &mut Stage<'_>,
    (now_s, address): (i64, &str),
    rng: &mut Rng,
) -> Option<(Caller, i64)> {
    let organisation = stage.organisation;
    let person = organisation.people.get(desk.number)?;
    let browser = person.laptop().browser;
    let account = organisation.accounts.get(desk.account)?;
    let key = format!("ASIA{}", rng.capitals(16));
    let Access::IamUser { user, has_mfa, .. } = &person.access else {
        let now_s = portal(desk, stage, (now_s, address), rng)?;
        let by = center_user(desk, organisation)?;
        let at = At { time_s: now_s, region: GLOBAL, account: &account.id };
        let role = account.reserved_role(desk.team.permission_set());
        let federate = signin::federate(at, desk.team.permission_set());
        stage.call(0, &Caller::new(by, address, browser), federate, rng);
        assume_with_saml(desk, stage, (&role, &key), now_s, rng)?;
        let session = Session { name: &person.mail, key: &key, since_s: now_s };
        let caller = Caller::new(role.session(session, &[]), address, browser);
        let token = signin::get_signin_token(at, &key);
        stage.call(desk.account, &caller.with(TOKEN_FETCHER), token, rng);
        let at = At { time_s: now_s + rng.between(1, 3), ..at };
        let login = signin::console_login(at, SecondFactor::NotUsed);
        stage.call(desk.account, &caller, login, rng);
        return Some((caller.in_console(), at.time_s + 1));
    };
    let at = At { time_s: now_s, region: GLOBAL, account: &account.id };
    let signing_in = Caller::new(user.signing_in(), address, browser);
    let mut ready_s = now_s;
    if rng.one_in(MISTYPED_ONE_IN) {
        stage.call(desk.account, &signing_in, signin::failed_console_login(at), rng);
        ready_s += rng.between(8, 40);
    }
    let device = format!("arn:aws:iam::{}:mfa/{}", account.id, user.name);
    let mut factor = SecondFactor::NotUsed;
    if *has_mfa {
        let at = At { time_s: ready_s, ..at };
        stage.call(desk.account, &signing_in, signin::check_mfa(at), rng);
        ready_s += rng.between(5, 25);
        factor = SecondFactor::Device(&device);
    }
    let at = At { time_s: ready_s, ..at };
    stage.call(desk.account, &signing_in, signin::console_login(at, factor), rng);
    let identity = user.in_session(&key, ready_s, *has_mfa);
    Some((Caller::new(identity, address, browser).in_console(), ready_s + 2))
}

/// Credentials for the command line and for programs on the computer.
pub(super) fn on_command_line(
    desk: &Desk,
    stage: &mut Stage<'_>,
    (now_s, address): (i64, &str),
    rng: &mut Rng,
) -> Option<(Caller, i64)> {
    let organisation = stage.organisation;
    let person = organisation.people.get(desk.number)?;
    let tool = agents::running(person.laptop().command_line, "sso.login");
    if let Access::IamUser { user, key, .. } = &person.access {
        return Some((Caller::new(user.with_key(key), address, &tool), now_s));
    }
    let account = organisation.accounts.get(desk.account)?;
    let now_s = portal(desk, stage, (now_s, address), rng)?;
    let by = Caller::new(center_user(desk, organisation)?, address, &tool);
    let at = At { time_s: now_s, region: GLOBAL, account: &account.id };
    if desk.signs_in {
        let token = signin::create_token(at, rng);
        stage.call(0, &by, token, rng);
    }
    let permission_set = desk.team.permission_set();
    stage.call(0, &by, signin::get_role_credentials(at, permission_set), rng);
    let role = account.reserved_role(permission_set);
    let key = format!("ASIA{}", rng.capitals(16));
    assume_with_saml(desk, stage, (&role, &key), now_s, rng)?;
    let session = Session { name: &person.mail, key: &key, since_s: now_s };
    Some((Caller::new(role.session(session, &[]), address, &tool), now_s + 1))
}

/// From one account into another of theirs, as platform and security people do; answers the
/// account and who calls there. Both accounts hear of it.
pub(super) fn into_other_account(
    desk: &Desk,
    stage: &mut Stage<'_>,
    (now_s, caller): (i64, &Caller),
    rng: &mut Rng,
) -> Option<(usize, Caller)> {
    let organisation = stage.organisation;
    let person = organisation.people.get(desk.number)?;
    let name = match desk.team {
        Team::Platform => "platform-operator",
        Team::Security => "security-reader",
        Team::Engineering | Team::Data | Team::Finance => return None,
    };
    let others = person.accounts.iter().filter(|other| **other != desk.account);
    let others: Vec<usize> = others.copied().collect();
    let number = rng.pick(&others).copied()?;
    let own = organisation.accounts.get(desk.account)?;
    let other = organisation.accounts.get(number)?;
    let role = other.role("", name);
    let key = format!("ASIA{}", rng.capitals(16));
    let at = At { time_s: now_s, region: other.home, account: &own.id };
    let opening = Opening { role: &role, session: &person.mail, key: &key };
    let mut call = sts::assume_role(at, opening, rng);
    call.shared_id = Some(rng.uuid());
    let principal = match &person.access {
        Access::IamUser { user, .. } => user.principal.clone(),
        Access::IdentityCenter { .. } => {
            let role = own.reserved_role(desk.team.permission_set());
            format!("{}:{}", role.principal, person.mail)
        }
    };
    let from = forms::external(&own.id, &principal);
    let seen = Caller::new(from, &caller.address, &caller.agent);
    stage.call(desk.account, caller, call.clone(), rng);
    stage.call(number, &seen, call, rng);
    let session = Session { name: &person.mail, key: &key, since_s: now_s };
    Some((number, Caller::new(role.session(session, &[]), &caller.address, &caller.agent)))
}

/// The portal of Identity Center asks once a day who it is; answers when it has opened.
fn portal(
    desk: &Desk,
    stage: &mut Stage<'_>,
    (now_s, address): (i64, &str),
    rng: &mut Rng,
) -> Option<i64> {
    if !desk.signs_in {
        return Some(now_s);
    }
    let organisation = stage.organisation;
    let person = organisation.people.get(desk.number)?;
    let hub = organisation.accounts.first()?;
    let by = Caller::new(center_user(desk, organisation)?, address, person.laptop().browser);
    let workflow = signin::workflow(rng);
    let mut at = At { time_s: now_s, region: GLOBAL, account: &hub.id };
    for kind in ["PASSWORD", "TOTP"] {
        let challenge = signin::credential_challenge(at, &workflow, (kind, &person.mail));
        stage.call(0, &by, challenge, rng);
        at.time_s += rng.between(4, 20);
        stage.call(0, &by, signin::credential_verification(at, &workflow, kind), rng);
    }
    stage.call(0, &by, signin::user_authentication(at, &workflow), rng);
    at.time_s += 1;
    stage.call(0, &by, signin::authenticate(at), rng);
    Some(at.time_s + rng.between(2, 15))
}

/// `userIdentity` of a person in Identity Center; one credential a date.
fn center_user(desk: &Desk, organisation: &Organisation) -> Option<Json> {
    let person = organisation.people.get(desk.number)?;
    let hub = organisation.accounts.first()?;
    let Access::IdentityCenter { store_id } = &person.access else { return None };
    let date = desk.date_s.unsigned_abs();
    let parts = [part::PERSON, desk.number as u64, date];
    let credential = Rng::for_part(organisation.seed, &parts).uuid();
    Some(forms::identity_center_user(&hub.id, (&organisation.store(), store_id), &credential))
}

/// Identity Center opens a session of the role, from its own servers.
fn assume_with_saml(
    desk: &Desk,
    stage: &mut Stage<'_>,
    (role, key): (&Role, &str),
    now_s: i64,
    rng: &mut Rng,
) -> Option<()> {
    let organisation = stage.organisation;
    let person = organisation.people.get(desk.number)?;
    let account = organisation.accounts.get(desk.account)?;
    let mut of_account = Rng::for_part(organisation.seed, &[part::ACCOUNT, desk.account as u64, 2]);
    let provider = format!("AWSSSO_{}_DO_NOT_DELETE", of_account.hex(16));
    let hash = of_account.base64(27) + "=";
    let servers = places::of_region(GLOBAL).nth(of_account.bits()).to_string();
    let by = forms::saml_user(&hash, &person.mail, &hash);
    let at = At { time_s: now_s, region: GLOBAL, account: &account.id };
    let opening = Opening { role, session: &person.mail, key };
    let call = sts::assume_role_with_saml(at, opening, &provider, rng);
    stage.call(desk.account, &Caller::new(by, &servers, CONSOLE_JAVA), call, rng);
    Some(())
}

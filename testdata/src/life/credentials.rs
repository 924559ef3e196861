//! Temporary credentials that AWS services fetch for themselves and for the machines they run.

use super::Stage;
use crate::aws::api::At;
use crate::aws::api::sts::{self, Opening};
use crate::aws::caller::{Caller, Role};
use crate::rng::Rng;

/// Who fetches.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fetcher {
    /// A service that works in a role of its own, for example AWS Config.
    Itself(&'static str),
    /// A service that hands the credentials on to a machine, for example Lambda.
    ForMachine(&'static str),
}

/// Credentials of `role` for `session` are fetched in `account`; answers the new access key.
pub(super) fn fetch(
    stage: &mut Stage<'_>,
    account: usize,
    fetcher: Fetcher,
    (role, session): (&Role, &str),
    (time_s, rng): (i64, &mut Rng),
) -> String {
    let key = format!("ASIA{}", rng.capitals(16));
    let Some(of) = stage.organisation.accounts.get(account) else { return key };
    let at = At { time_s, region: of.home, account: &of.id };
    let opening = Opening { role, session, key: &key };
    let (service, call) = match fetcher {
        Fetcher::Itself(service) => (service, sts::assume_role(at, opening, rng)),
        Fetcher::ForMachine(service) => (service, sts::assume_role_for_service(at, opening, rng)),
    };
    stage.call(account, &Caller::service(service), call, rng);
    key
}

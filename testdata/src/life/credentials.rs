//! Temporary credentials that AWS services fetch for the machines they run.

use super::Stage;
use crate::aws::call::Call;
use crate::aws::caller::{Caller, Role};
use crate::clock::{HOUR_S, in_words};
use crate::object;
use crate::rng::Rng;

/// Characters of a session token. Unit: characters.
const TOKEN_LENGTH: (i64, i64) = (620, 1_020);

/// `service` fetches credentials of `role` for `session`; answers the new access key.
pub(super) fn fetch(
    stage: &mut Stage<'_>,
    (account, region): (usize, &'static str),
    service: &'static str,
    (role, session): (&Role, &str),
    (now_s, rng): (i64, &mut Rng),
) -> String {
    let key = format!("ASIA{}", rng.capitals(16));
    let length = usize::try_from(rng.between(TOKEN_LENGTH.0, TOKEN_LENGTH.1)).unwrap_or(800);
    let arn = role.arn();
    let call = Call::new(now_s, region, "sts", "AssumeRole")
        .asking(object! { "roleArn": &arn, "roleSessionName": session })
        .answered(object! {
            "credentials": object! {
                "accessKeyId": &key,
                "sessionToken": format!("IQoJb3JpZ2luX2Vj{}", rng.base64(length)),
                "expiration": in_words(now_s + 6 * HOUR_S),
            },
        })
        .touching(object! {
            "accountId": &role.account, "type": "AWS::IAM::Role", "ARN": &arn,
        });
    stage.call(account, &Caller::service(service), call, rng);
    key
}

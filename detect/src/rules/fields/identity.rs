//! The keys below `userIdentity`, as AWS documents them ("CloudTrail userIdentity element"): what none
//! of them is called is a slip, and a selection on it would hold of nobody.

use super::suggestion;

/// Keys that hold others, by their path, and the keys in them. Below other keys anything may stand.
const KEYS: [(&str, &[&str]); 4] = [
    (
        "userIdentity",
        &[
            "accessKeyId",
            "accountId",
            "arn",
            "credentialId",
            "identityProvider",
            "inScopeOf",
            "invokedBy",
            "onBehalfOf",
            "principalId",
            "sessionContext",
            "type",
            "userName",
        ],
    ),
    (
        "userIdentity.sessionContext",
        &[
            "assumedRoot",
            "attributes",
            "ec2IssuedInVpc",
            "ec2RoleDelivery",
            "sessionIssuer",
            "sourceIdentity",
            "webIdFederationData",
        ],
    ),
    ("userIdentity.sessionContext.attributes", &["creationDate", "mfaAuthenticated"]),
    (
        "userIdentity.sessionContext.sessionIssuer",
        &["accountId", "arn", "principalId", "type", "userName"],
    ),
];

/// Says what is wrong with a path from `userIdentity` on.
pub(super) fn check(path: &[String]) -> Result<(), String> {
    for n in 1..path.len() {
        let (Some(above), Some(key)) = (path.get(..n), path.get(n)) else { break };
        let above = above.join(".");
        let holds = KEYS.iter().find(|(known, _)| known.eq_ignore_ascii_case(&above));
        let Some((above, keys)) = holds else { break };
        if !keys.iter().any(|known| known.eq_ignore_ascii_case(key)) {
            let near = suggestion(key, keys.iter().copied());
            return Err(format!("`{above}` has no field `{key}`{near}"));
        }
    }
    Ok(())
}

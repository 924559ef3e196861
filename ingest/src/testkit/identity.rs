//! The usual identities as `userIdentity` shows them. Ids and keys follow from the names, so the
//! same name is the same identity in every record. Members come in no particular order.

use serde_json::{Map, Value, json};

/// The account of every identity made here.
pub const ACCOUNT: &str = "111122223333";

/// Start of the sessions made here: earlier than the records' default time.
const SESSION_CREATED: &str = "2025-03-14T08:00:00Z";

/// An IAM user with a long-lived access key.
pub fn iam_user(name: &str) -> Value {
    json!({
        "type": "IAMUser",
        "principalId": id("AIDA", name),
        "arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"),
        "accountId": ACCOUNT,
        "accessKeyId": id("AKIA", name),
        "userName": name,
    })
}

/// A session called `session` of the role `role`.
pub fn role_session(role: &str, session: &str) -> Value {
    assumed(role, "/", session, None)
}

/// A person who signed in through IAM Identity Center; `email` is the session's name.
pub fn sso_user(permission_set: &str, email: &str) -> Value {
    let suffix = id("", permission_set).to_ascii_lowercase();
    let role = format!("AWSReservedSSO_{permission_set}_{suffix}");
    assumed(&role, "/aws-reserved/sso.amazonaws.com/", email, None)
}

/// The role of an EC2 instance, by credentials of its metadata service.
pub fn instance_role(role: &str, instance_id: &str) -> Value {
    assumed(role, "/", instance_id, Some("2.0"))
}

/// The account's root user.
pub fn root() -> Value {
    json!({
        "type": "Root",
        "principalId": ACCOUNT,
        "arn": format!("arn:aws:iam::{ACCOUNT}:root"),
        "accountId": ACCOUNT,
        "accessKeyId": "",
        "sessionContext": {"attributes": attributes("true")},
    })
}

/// An AWS service by itself, for example `config.amazonaws.com`.
pub fn service(name: &str) -> Value {
    json!({"type": "AWSService", "invokedBy": name})
}

fn assumed(role: &str, path: &str, session: &str, delivery: Option<&str>) -> Value {
    let role_id = id("AROA", role);
    let mut context = Map::new();
    context.insert("attributes".to_owned(), attributes("false"));
    if let Some(delivery) = delivery {
        context.insert("ec2RoleDelivery".to_owned(), json!(delivery));
    }
    let issuer = json!({
        "type": "Role",
        "principalId": role_id,
        "arn": format!("arn:aws:iam::{ACCOUNT}:role{path}{role}"),
        "accountId": ACCOUNT,
        "userName": role,
    });
    context.insert("sessionIssuer".to_owned(), issuer);
    json!({
        "type": "AssumedRole",
        "principalId": format!("{role_id}:{session}"),
        "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"),
        "accountId": ACCOUNT,
        "accessKeyId": id("ASIA", &format!("{role}/{session}")),
        "sessionContext": context,
    })
}

fn attributes(mfa: &str) -> Value {
    json!({"creationDate": SESSION_CREATED, "mfaAuthenticated": mfa})
}

/// Sixteen letters and digits that follow from `name`, after AWS's prefix.
fn id(prefix: &str, name: &str) -> String {
    let hash = xxhash_rust::xxh3::xxh3_64(format!("{prefix}{name}").as_bytes());
    format!("{prefix}{hash:016X}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Identity, Raw};

    #[test]
    fn identities_read_as_what_they_are() {
        let session = role_session("deploy", "ci").to_string();
        let session = Identity::of(Raw(&session));
        assert_eq!(session.kind.unwrap(), "AssumedRole");
        assert_eq!(session.issuer_user_name.unwrap(), "deploy");
        assert_eq!(session.ec2_role_delivery, None);
        let instance = instance_role("web", "i-0abc").to_string();
        let instance = Identity::of(Raw(&instance));
        assert_eq!(instance.ec2_role_delivery.unwrap(), "2.0");
        assert!(instance.principal_id.unwrap().0.ends_with(":i-0abc"));
        let person = sso_user("Admin", "a@example.com").to_string();
        assert!(Identity::of(Raw(&person)).issuer_arn.unwrap().0.contains("/aws-reserved/sso"));
        let root = root().to_string();
        assert_eq!(Identity::of(Raw(&root)).access_key_id, None);
        let service = service("config.amazonaws.com").to_string();
        assert_eq!(Identity::of(Raw(&service)).invoked_by.unwrap(), "config.amazonaws.com");
    }

    #[test]
    fn a_name_is_always_the_same_identity() {
        assert_eq!(iam_user("alice"), iam_user("alice"));
        assert_ne!(iam_user("alice"), iam_user("bob"));
    }
}

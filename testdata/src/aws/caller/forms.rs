//! The other shapes of `userIdentity`, as of version 1.11.

use super::{Caller, Role, Session};
use crate::clock::iso;
use crate::json::{Json, fixed};
use crate::object;

/// The machine that holds the credentials of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// An instance of EC2, with version 2 of the metadata service; its id is the session's name.
    Instance,
    /// A function of Lambda by its name.
    Function(String),
    /// A task of ECS by its cluster; its id is the session's name.
    Task(String),
}

impl Role {
    /// `userIdentity` of a machine's session: `inScopeOf` says which one holds the credentials.
    pub fn held_by(&self, session: Session<'_>, region: &str, holder: &Holder) -> Json {
        let account = self.account.as_str();
        let arn = |service: &str, thing: &[&str]| {
            let start = ["arn:aws:", service, ":", region, ":", account, ":"].concat();
            start + &thing.concat()
        };
        let scope = |issuer: &'static str, to: String| {
            object! {
                "sourceArn": &to, "sourceAccount": account, "issuerType": fixed(issuer),
                "credentialsIssuedTo": &to,
            }
        };
        let scope = match holder {
            Holder::Instance => {
                let scope = object! {
                    "issuerType": "AWS::EC2::Instance",
                    "credentialsIssuedTo": arn("ec2", &["instance/", session.name]),
                };
                let delivery = ("ec2RoleDelivery", fixed("2.0"));
                return self.session(session, &[delivery, ("inScopeOf", scope)]);
            }
            Holder::Function(name) => {
                scope("AWS::Lambda::Function", arn("lambda", &["function:", name]))
            }
            Holder::Task(cluster) => {
                scope("AWS::ECS::Task", arn("ecs", &["task/", cluster, "/", session.name]))
            }
        };
        self.session(session, &[("inScopeOf", scope)])
    }

    /// `userIdentity` of a service at work in its service-linked role.
    pub fn invoked_by(&self, session: Session<'_>, service: &str) -> Json {
        self.session(session, &[("invokedBy", Json::from(service))])
    }

    /// `userIdentity` of a session that another provider's token opened.
    pub fn federated_by(&self, session: Session<'_>, provider: &str) -> Json {
        let provider = ["arn:aws:iam::", &self.account, ":oidc-provider/", provider].concat();
        let data = object! { "federatedProvider": provider, "attributes": object! {} };
        self.session(session, &[("webIdFederationData", data)])
    }
}

/// `userIdentity` of the root user; without `session` it signs in.
pub fn root(account: &str, session: Option<(&str, i64)>) -> Json {
    let mut pairs = vec![
        ("type", fixed("Root")),
        ("principalId", Json::from(account)),
        ("arn", Json::from(["arn:aws:iam::", account, ":root"].concat())),
        ("accountId", Json::from(account)),
        ("accessKeyId", Json::from(session.map_or("", |(key, _)| key))),
    ];
    pairs.extend(session.map(|(_, since_s)| {
        let attributes = object! { "creationDate": iso(since_s), "mfaAuthenticated": "true" };
        ("sessionContext", object! { "attributes": attributes })
    }));
    Json::Object(pairs)
}

/// `userIdentity` of a person in IAM Identity Center, before a role is chosen. `store` is the
/// identity store (`d-...`), `credential` the session's id.
pub fn identity_center_user(account: &str, (store, user): (&str, &str), credential: &str) -> Json {
    let store_arn = ["arn:aws:identitystore::", account, ":identitystore/", store].concat();
    object! {
        "type": "IdentityCenterUser", "accountId": account,
        "onBehalfOf": object! { "userId": user, "identityStoreArn": store_arn },
        "credentialId": credential,
    }
}

/// `userIdentity` of an `AssumeRoleWithSAML`.
pub fn saml_user(provider_hash: &str, name: &str, provider_arn: &str) -> Json {
    object! {
        "type": "SAMLUser", "principalId": [provider_hash, ":", name].concat(), "userName": name,
        "identityProvider": provider_arn,
    }
}

/// `userIdentity` of an `AssumeRoleWithWebIdentity`: provider's ARN, audience and subject.
pub fn web_identity_user(provider_arn: &str, audience: &str, subject: &str) -> Json {
    object! {
        "type": "WebIdentityUser",
        "principalId": [provider_arn, ":", audience, ":", subject].concat(),
        "userName": subject, "identityProvider": provider_arn,
    }
}

/// `userIdentity` of a principal of another account, as the called account sees it.
pub fn external(account: &str, principal: &str) -> Json {
    object! { "type": "AWSAccount", "principalId": principal, "accountId": account }
}

impl Caller {
    /// A service that acts for others with a role, for example `autoscaling.amazonaws.com`.
    pub fn for_others(role: &Role, session: Session<'_>, service: &str) -> Self {
        Self::new(role.invoked_by(session, service), service, service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role() -> Role {
        Role {
            account: "111122223333".to_owned(),
            path: String::new(),
            name: "worker".to_owned(),
            principal: "AROAEXAMPLE".to_owned(),
        }
    }

    #[test]
    fn the_machine_that_holds_the_credentials_is_named() {
        let session = Session { name: "i-1", key: "ASIAEXAMPLE", since_s: 0 };
        for (holder, text) in [
            (Holder::Instance, "arn:aws:ec2:eu-west-1:111122223333:instance/i-1"),
            (Holder::Function("f".into()), "arn:aws:lambda:eu-west-1:111122223333:function:f"),
            (Holder::Task("c".into()), "arn:aws:ecs:eu-west-1:111122223333:task/c/i-1"),
        ] {
            let identity = role().held_by(session, "eu-west-1", &holder);
            let scope = identity.get("inScopeOf").unwrap();
            assert_eq!(scope.get("credentialsIssuedTo").and_then(Json::as_text), Some(text));
        }
    }

    #[test]
    fn services_for_others_have_no_shared_id() {
        let session = Session { name: "AutoScaling", key: "ASIAEXAMPLE", since_s: 0 };
        let caller = Caller::for_others(&role(), session, "autoscaling.amazonaws.com");
        assert!(!caller.service);
        assert_eq!(&*caller.arn, "arn:aws:sts::111122223333:assumed-role/worker/AutoScaling");
    }
}

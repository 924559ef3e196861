//! `userIdentity`, every field that names somebody.

use crate::event::{Identity, Raw, Text};
use crate::time;

impl<'a> Identity<'a> {
    /// Reads `userIdentity`; anything but an object has no fields.
    pub fn of(raw: Raw<'a>) -> Self {
        let mut identity = Self::default();
        for (key, value) in raw.entries() {
            identity.member(&key.get(), value);
        }
        identity
    }

    fn member(&mut self, key: &str, value: Raw<'a>) {
        let text = value.text();
        match key {
            "type" => self.kind = text,
            "userName" => self.user_name = text,
            "principalId" => self.principal_id = text,
            "arn" => self.arn = text,
            "accountId" => self.account_id = text,
            "accessKeyId" => self.access_key_id = text.filter(|key| !key.is_empty()),
            "invokedBy" => self.invoked_by = text,
            "identityProvider" => self.identity_provider = text,
            "credentialId" => self.credential_id = text,
            "ec2RoleDelivery" => self.ec2_role_delivery = text,
            "onBehalfOf" => self.on_behalf_of = text_at(value, "userId"),
            "invokedByDelegate" => self.delegate_account = text_at(value, "accountId"),
            "inScopeOf" => {
                self.credentials_issued_to = text_at(value, "credentialsIssuedTo");
                self.scope_issuer_type = text_at(value, "issuerType");
            }
            "sessionContext" => {
                for (key, value) in value.entries() {
                    self.session_member(&key.get(), value);
                }
            }
            _ => {}
        }
    }

    fn session_member(&mut self, key: &str, value: Raw<'a>) {
        match key {
            "sourceIdentity" => self.source_identity = value.text(),
            "ec2RoleDelivery" => self.ec2_role_delivery = value.text(),
            "signInSessionArn" => self.sign_in_session = value.text(),
            "assumedRoot" => self.assumed_root = value.bool() == Some(true),
            "webIdFederationData" => {
                self.federated_provider = text_at(value, "federatedProvider");
            }
            "sessionIssuer" => {
                for (key, value) in value.entries() {
                    self.issuer_member(&key.get(), value.text());
                }
            }
            "attributes" => {
                for (key, value) in value.entries() {
                    self.attribute(&key.get(), value);
                }
            }
            _ => {}
        }
    }

    fn issuer_member(&mut self, key: &str, text: Option<Text<'a>>) {
        match key {
            "type" => self.issuer_kind = text,
            "arn" => self.issuer_arn = text,
            "accountId" => self.issuer_account = text,
            "userName" => self.issuer_user_name = text,
            _ => {}
        }
    }

    fn attribute(&mut self, key: &str, value: Raw<'a>) {
        match key {
            "mfaAuthenticated" => self.mfa = value.bool(),
            "creationDate" => {
                self.session_created_ms = value.text().and_then(|text| time::parse_ms(&text.get()));
            }
            _ => {}
        }
    }
}

fn text_at<'a>(value: Raw<'a>, key: &str) -> Option<Text<'a>> {
    value.get(key).and_then(Raw::text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read() {
        let raw =
            Raw(r#"{"type":"AssumedRole","principalId":"AROA:s","arn":"arn:a","accountId":"1",
            "accessKeyId":"ASIA","userName":"u","invokedBy":"config.amazonaws.com",
            "identityProvider":"saml","credentialId":"bearer",
            "onBehalfOf":{"userId":"sso","identityStoreArn":"x"},
            "invokedByDelegate":{"accountId":"2"},
            "inScopeOf":{"credentialsIssuedTo":"arn:lambda","issuerType":"AWS::Lambda::Function"},
            "sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:r","accountId":"3",
              "userName":"r"},"webIdFederationData":{"federatedProvider":"oidc","attributes":{}},
              "attributes":{"creationDate":"20131102T010628Z","mfaAuthenticated":"true"},
              "sourceIdentity":"alice","ec2RoleDelivery":"2.0","assumedRoot":"true",
              "signInSessionArn":"arn:s"}}"#);
        let expected = Identity {
            kind: Some(Text("AssumedRole")),
            user_name: Some(Text("u")),
            principal_id: Some(Text("AROA:s")),
            arn: Some(Text("arn:a")),
            account_id: Some(Text("1")),
            access_key_id: Some(Text("ASIA")),
            invoked_by: Some(Text("config.amazonaws.com")),
            identity_provider: Some(Text("saml")),
            credential_id: Some(Text("bearer")),
            on_behalf_of: Some(Text("sso")),
            delegate_account: Some(Text("2")),
            credentials_issued_to: Some(Text("arn:lambda")),
            scope_issuer_type: Some(Text("AWS::Lambda::Function")),
            issuer_kind: Some(Text("Role")),
            issuer_arn: Some(Text("arn:r")),
            issuer_account: Some(Text("3")),
            issuer_user_name: Some(Text("r")),
            source_identity: Some(Text("alice")),
            federated_provider: Some(Text("oidc")),
            ec2_role_delivery: Some(Text("2.0")),
            sign_in_session: Some(Text("arn:s")),
            assumed_root: true,
            mfa: Some(true),
            session_created_ms: Some(1_383_354_388_000),
        };
        assert_eq!(Identity::of(raw), expected);
    }

    #[test]
    fn both_forms_and_places_are_read() {
        let identity =
            Identity::of(Raw(r#"{"accessKeyId":"","ec2RoleDelivery":"1.0","sessionContext":
              {"attributes":{"creationDate":"2013-11-02T01:06:28Z","mfaAuthenticated":false}}}"#));
        assert_eq!(identity.access_key_id, None);
        assert_eq!(identity.ec2_role_delivery, Some(Text("1.0")));
        assert_eq!(identity.mfa, Some(false));
        assert_eq!(identity.session_created_ms, Some(1_383_354_388_000));
        assert!(!identity.assumed_root);
    }

    #[test]
    fn anything_but_an_object_names_nobody() {
        for raw in ["null", "[]", r#""x""#, "{}", r#"{"type":null}"#] {
            assert_eq!(Identity::of(Raw(raw)), Identity::default(), "{raw}");
        }
    }
}

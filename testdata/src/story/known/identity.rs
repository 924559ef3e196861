//! A `userIdentity` as records have it, kept as it is: only the session changes from call to call.

use std::sync::Arc;

use serde_json::Value;

use crate::clock::iso;
use crate::json::Json;
use crate::story::{VictimError, VictimKind};

/// Session names that the actions and tasks of CI services choose by default.
const PIPELINES: [&str; 3] = ["GitHubActions", "GitLabCI", "terraform-run"];
/// Parts of the hosts of their OIDC providers.
const PROVIDERS: [&str; 6] =
    ["github", "gitlab", "circleci", "buildkite", "bitbucket", "terraform"];

/// Somebody's `userIdentity`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// One line of JSON, in the order of the record.
    text: String,
    /// `accessKeyId`, as it stands in the text, if it is a session's and so not the same for ever.
    session_key: Option<String>,
    /// `creationDate` of the session, as it stands in the text.
    since: Option<String>,
    /// `arn`.
    pub(in crate::story) session_arn: Arc<str>,
    /// ARN of the principal that stays from day to day.
    pub(in crate::story) arn: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Person,
    Machine,
    Pipeline,
}

impl Identity {
    /// Reads it from a record.
    pub fn read(text: &str) -> Result<Self, VictimError> {
        let value: Value = serde_json::from_str(text).map_err(|_| VictimError::Lacks("type"))?;
        let kind = at(&value, "type")?;
        let session_arn = at(&value, "arn")?;
        let key = at(&value, "accessKeyId")?;
        at(&value, "accountId")?;
        let since = value.pointer("/sessionContext/attributes/creationDate");
        let since = since.and_then(Value::as_str).map(str::to_owned);
        let (arn, kind) = match kind {
            "IAMUser" => (session_arn.to_owned(), Kind::User),
            "AssumedRole" => assumed(&value, session_arn)?,
            other => return Err(VictimError::Kind(other.to_owned())),
        };
        Ok(Self {
            text: one_line(text),
            session_key: (!key.starts_with("AKIA")).then(|| key.to_owned()),
            since,
            session_arn: Arc::from(session_arn),
            arn,
            kind,
        })
    }

    /// Whom stories take them for. The key of a user is a person's or a program's: the logs do not
    /// tell.
    pub(in crate::story) fn kinds(&self) -> &'static [VictimKind] {
        match self.kind {
            Kind::User => &[VictimKind::Person, VictimKind::Program],
            Kind::Person => &[VictimKind::Person],
            Kind::Machine => &[VictimKind::Machine, VictimKind::Program],
            Kind::Pipeline => {
                &[VictimKind::Pipeline, VictimKind::PipelineWithKey, VictimKind::Program]
            }
        }
    }

    /// The same in a session with `key` that began at `since_s`; of a long-lived key as it is.
    /// Unit: seconds since the Unix epoch.
    pub(in crate::story) fn session(&self, key: &str, since_s: i64) -> Json {
        let mut text = self.text.clone();
        if let Some(own) = &self.session_key {
            text = text.replace(&quoted(own), &quoted(key));
        }
        if let Some(since) = &self.since {
            text = text.replace(&quoted(since), &quoted(&iso(since_s)));
        }
        Json::Shared(Arc::from(text))
    }
}

fn at<'a>(value: &'a Value, field: &'static str) -> Result<&'a str, VictimError> {
    let text = value.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or(VictimError::Lacks(field))
}

/// The principal behind a session of a role.
fn assumed(value: &Value, session_arn: &str) -> Result<(String, Kind), VictimError> {
    let context = value.get("sessionContext").ok_or(VictimError::Lacks("sessionContext"))?;
    let issuer = context.get("sessionIssuer").ok_or(VictimError::Lacks("sessionIssuer"))?;
    let role = at(issuer, "arn")?;
    let session = session_arn.rsplit('/').next().unwrap_or_default();
    let provider = context.pointer("/webIdFederationData/federatedProvider");
    let provider = provider.and_then(Value::as_str).unwrap_or_default();
    if PIPELINES.contains(&session) || PROVIDERS.iter().any(|name| provider.contains(name)) {
        return Ok((role.to_owned(), Kind::Pipeline));
    }
    if role.contains("AWSReservedSSO_") || session.contains('@') {
        return Ok((session_arn.to_owned(), Kind::Person));
    }
    Ok((role.to_owned(), Kind::Machine))
}

fn quoted(text: &str) -> String {
    Json::from(text).line()
}

/// Without the spaces between values.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let (mut is_string, mut is_escaped) = (false, false);
    for letter in text.chars() {
        if is_string || !letter.is_ascii_whitespace() {
            line.push(letter);
        }
        if letter == '"' && !is_escaped {
            is_string = !is_string;
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = r#"{"type": "AssumedRole", "principalId": "AROAEXAMPLE:NAME",
        "arn": "arn:aws-us-gov:sts::111122223333:assumed-role/Reader/NAME",
        "accountId": "111122223333", "accessKeyId": "ASIAOLD", "sessionContext": {
        "sessionIssuer": {"type": "Role", "arn": "arn:aws-us-gov:iam::111122223333:role/a b/Reader",
        "accountId": "111122223333", "userName": "Reader"},
        "attributes": {"creationDate": "2026-03-01T08:00:00Z", "mfaAuthenticated": "false"},
        "sourceIdentity": "ada \" {"}}"#;

    #[test]
    fn only_the_session_changes() {
        let identity = Identity::read(&ROLE.replace("NAME", "i-0123456789abcdef0")).unwrap();
        let text = identity.session("ASIANEW", 1_772_409_600).line();
        assert!(!text.contains('\n') && text.contains(r#""sourceIdentity":"ada \" {""#), "{text}");
        let (old, new): (Value, Value) = (
            serde_json::from_str(&ROLE.replace("NAME", "i-0123456789abcdef0")).unwrap(),
            serde_json::from_str(&text).unwrap(),
        );
        assert_eq!(new["accessKeyId"], "ASIANEW");
        assert_eq!(new["sessionContext"]["attributes"]["creationDate"], "2026-03-02T00:00:00Z");
        assert_eq!(new["sessionContext"]["sessionIssuer"], old["sessionContext"]["sessionIssuer"]);
        assert_eq!(new["arn"], old["arn"]);
        assert_eq!(identity.arn, "arn:aws-us-gov:iam::111122223333:role/a b/Reader");
    }

    #[test]
    fn long_lived_keys_stay() {
        let user = r#"{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/path/ada",
            "accountId":"111122223333","accessKeyId":"AKIAOWN","userName":"ada"}"#;
        let identity = Identity::read(user).unwrap();
        assert!(identity.session("ASIANEW", 0).line().contains("AKIAOWN"));
        assert_eq!(identity.arn, "arn:aws:iam::111122223333:user/path/ada");
    }

    #[test]
    fn the_session_tells_who_wears_the_role() {
        let first = |name| Identity::read(&ROLE.replace("NAME", name)).unwrap().kinds()[0];
        assert_eq!(first("i-0123456789abcdef0"), VictimKind::Machine);
        assert_eq!(first("ada@tallow.example"), VictimKind::Person);
        assert_eq!(first("GitHubActions"), VictimKind::Pipeline);
    }

    #[test]
    fn what_no_story_fits_is_named() {
        let read = |text| Identity::read(text).unwrap_err();
        assert_eq!(read("nothing"), VictimError::Lacks("type"));
        assert_eq!(
            read(r#"{"type":"Root","arn":"a","accountId":"1","accessKeyId":"A"}"#),
            VictimError::Kind("Root".to_owned())
        );
        assert_eq!(read(r#"{"type":"IAMUser","arn":"a"}"#), VictimError::Lacks("accessKeyId"));
        let bare = r#"{"type":"AssumedRole","arn":"a","accountId":"1","accessKeyId":"A"}"#;
        assert_eq!(read(bare), VictimError::Lacks("sessionContext"));
    }
}

//! What AWS Secrets Manager keeps for sinks. In: where a secret is. Out: what it holds, and what it held before it was
//! rotated; or why it cannot be had, in words that say which secret and which permission, and never a value.

use super::service::{
    REGION_CHARS_MAX,
    answer::{Failure, said},
    of_arn,
};
use ingest::source::{
    calls::{Answer, Calls, Request},
    session::{Access, Session},
};
use serde_json::{Value, json};
use std::fmt;

/// Of a name, as Secrets Manager has it; an ARN has some more. Unit: characters.
const NAME_CHARS_MAX: usize = 512;
/// Of a key of JSON. Unit: characters.
const KEY_CHARS_MAX: usize = 256;
/// The label that Secrets Manager gives the version in force, and the one before.
const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSecret {
    /// Name or ARN.
    id: String,
    /// Of the object of JSON that it holds; without, all that it holds is meant.
    key: Option<String>,
    /// That of an ARN.
    region: Option<String>,
}

/// What is no such place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoKeptSecret {
    /// Of the name.
    #[error(
        "expected the name or ARN of a secret, such as \"sentrail/slack\" or \
         \"arn:aws:secretsmanager:eu-central-1:111122223333:secret:sentrail/slack-a1b2c3\""
    )]
    Id,
    /// Of the key.
    #[error("expected a key of the JSON that the secret holds, of 1 to {KEY_CHARS_MAX} characters")]
    Key,
}

/// What a secret holds. Never shown.
pub struct Kept {
    /// Now.
    pub current: String,
    /// Before it was rotated last, if that was asked for and is there.
    pub previous: Option<String>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kept(hidden)")
    }
}

impl KeptSecret {
    /// The secret of a name or an ARN, or what stands under a key of the JSON that it holds.
    pub fn parse(id: &str, key: Option<&str>) -> Result<Self, NoKeptSecret> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
        let is_name =
            |name: &str| (1..=NAME_CHARS_MAX).contains(&name.len()) && name.chars().all(fits);
        let region = match of_arn(id, "secretsmanager") {
            Some((region, resource)) => {
                let name = resource.strip_prefix("secret:").ok_or(NoKeptSecret::Id)?;
                is_name(name).then(|| Some(region.to_owned())).ok_or(NoKeptSecret::Id)?
            }
            None => is_name(id).then_some(None).ok_or(NoKeptSecret::Id)?,
        };
        let is_key = |key: &str| !key.is_empty() && key.chars().count() <= KEY_CHARS_MAX;
        if !key.is_none_or(is_key) {
            return Err(NoKeptSecret::Key);
        }
        Ok(Self { id: id.to_owned(), key: key.map(str::to_owned), region })
    }

    /// Its name or ARN.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The region that its ARN names.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// What it holds; of a rotation also what it held before, where `is_rotated` asks for that. `access` says how AWS is
    /// reached, and the region, where no ARN does. Unit of `now_ms`: milliseconds since the Unix epoch.
    pub async fn read(
        &self,
        access: &Access,
        is_rotated: bool,
        now_ms: i64,
    ) -> Result<Kept, String> {
        let region = self.region.clone().or_else(|| access.region.clone());
        // The role of `[aws]` is to read logs by.
        let access = Access { region, role: None, ..access.clone() };
        let session = Session::begin(&access).await;
        let session = session.map_err(|error| format!("secret {}: {error}", self.id))?;
        self.read_by(&mut Calls::new(&session, None), is_rotated, now_ms).await
    }

    async fn read_by(
        &self,
        calls: &mut Calls,
        is_rotated: bool,
        now_ms: i64,
    ) -> Result<Kept, String> {
        let current = self.version(calls, CURRENT, now_ms).await?;
        let missing = || format!("there is no secret {} in {}", self.id, shown(calls.region()));
        let current = current.ok_or_else(missing)?;
        let previous = if is_rotated { self.version(calls, PREVIOUS, now_ms).await? } else { None };
        let previous = previous.filter(|previous| *previous != current);
        Ok(Kept { current, previous })
    }

    /// What a version holds, if it is there.
    async fn version(
        &self,
        calls: &mut Calls,
        stage: &str,
        now_ms: i64,
    ) -> Result<Option<String>, String> {
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "secretsmanager.GetSecretValue"),
        ];
        let body = json!({"SecretId": self.id, "VersionStage": stage}).to_string();
        let request = Request { service: "secretsmanager", path: "/", headers: &headers, body };
        // There is no other account, so its name does not matter.
        let answer = calls.post("", request, now_ms).await;
        let answer =
            answer.map_err(|error| format!("secret {}: {}", self.id, said(&error.to_string())))?;
        match Failure::of(&answer, now_ms) {
            Some(failure) if failure.code == "ResourceNotFoundException" => Ok(None),
            Some(failure) => Err(self.in_words(&failure)),
            None => self.value(&answer).map(Some),
        }
    }

    fn in_words(&self, failure: &Failure) -> String {
        let Self { id, .. } = self;
        let what_to_do = match &*failure.code {
            "AccessDeniedException" => {
                "the credentials may not read it (allow secretsmanager:GetSecretValue on it, and kms:Decrypt on its key \
                 where that is one of your own; look at the policy of the secret, too)"
            }
            "DecryptionFailure" => {
                "its key cannot be used (allow kms:Decrypt on it, and look whether it is enabled)"
            }
            "InvalidRequestException" => "it cannot be read now (look whether it is to be deleted)",
            _ => "it cannot be read",
        };
        format!("secret {id}: {what_to_do}: {}", failure.error)
    }

    /// What an answer holds. Nothing of it goes into an error.
    fn value(&self, answer: &Answer) -> Result<String, String> {
        let Self { id, key, .. } = self;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = body.get("SecretString").and_then(Value::as_str);
        let text = text.ok_or_else(|| format!("secret {id} holds no text"))?;
        let Some(key) = key else { return Ok(text.to_owned()) };
        let held: Value = serde_json::from_str(text).unwrap_or_default();
        let held = held.get(key).and_then(Value::as_str);
        let held = held
            .ok_or_else(|| format!("secret {id} holds no JSON with a text under {}", shown(key)))?;
        Ok(held.to_owned())
    }
}

/// What stands in a message.
fn shown(text: &str) -> String {
    format!("\"{}\"", said(text.get(..REGION_CHARS_MAX).unwrap_or(text)))
}

#[cfg(test)]
mod tests {
    use super::{super::service::stub::Scripted, *};

    const ARN: &str =
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:sentrail/slack-a1b2c3";

    #[test]
    fn a_secret_has_a_name_or_an_arn() {
        let region = |id: &str| KeptSecret::parse(id, None).map(|secret| secret.region);
        assert_eq!(region("sentrail/slack"), Ok(None));
        assert_eq!(region(ARN), Ok(Some("eu-central-1".to_owned())));
        for wrong in ["", "a b", "https://hooks.example.com/key", &ARN.replace("secret:", "key:")] {
            assert_eq!(region(wrong), Err(NoKeptSecret::Id), "{wrong}");
        }
        assert_eq!(KeptSecret::parse("a", Some("")), Err(NoKeptSecret::Key));
        assert_eq!(KeptSecret::parse("a", Some(&"k".repeat(257))), Err(NoKeptSecret::Key));
    }

    #[tokio::test]
    async fn what_cannot_be_had_is_said_without_a_value() {
        let stub = Scripted::new("secretsmanager");
        let mut calls = stub.calls().await;
        let secret = KeptSecret::parse("sentrail/slack", Some("url")).unwrap();
        for (head, body, words) in [
            (
                "400 No",
                r#"{"__type":"AccessDeniedException","Message":"no"}"#,
                "secret sentrail/slack: the credentials may not read it (allow secretsmanager:GetSecretValue on it",
            ),
            (
                "400 No",
                r#"{"__type":"ResourceNotFoundException"}"#,
                "there is no secret sentrail/slack in \"eu-central-1\"",
            ),
            (
                "200 OK",
                r#"{"SecretString":"https://hooks.example.com/key-9183"}"#,
                "secret sentrail/slack holds no JSON with a text under \"url\"",
            ),
            ("200 OK", r#"{"SecretBinary":"a2V5LTkxODM="}"#, "secret sentrail/slack holds no text"),
        ] {
            stub.gives(head, body);
            let error = secret.read_by(&mut calls, true, 1_773_400_000_000).await.unwrap_err();
            assert!(error.starts_with(words) && !error.contains("9183"), "{error}");
        }
        stub.bodies();
        for text in ["new", "old"] {
            stub.gives(
                "200 OK",
                &json!({"SecretString": json!({"url": text}).to_string()}).to_string(),
            );
        }
        let kept = secret.read_by(&mut calls, true, 1_773_400_000_000).await.unwrap();
        assert_eq!((&*kept.current, kept.previous.as_deref()), ("new", Some("old")));
        assert_eq!(format!("{kept:?}"), "Kept(hidden)");
        let asked = stub.bodies();
        assert!(asked[0].contains(CURRENT) && asked[1].contains(PREVIOUS), "{asked:?}");
    }
}

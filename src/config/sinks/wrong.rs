//! What is wrong with a table `[sinks.NAME]`, as far as that can be told without a look at other files.

use super::{FiledAs, Hidden, OF, SinkTable, Type, Wrong, names};
use crate::config::{filters, keys::shown, quiet::QuietTable};
use alerts::sinks::{
    Endpoint, Header, REGION_CHARS_MAX, event_bridge::Bus, ocsf, pagerduty::RoutingKey, sns::Topic,
};
use std::path::Path;

/// One to sign with, and one that takes its place. Unit: secrets.
const SECRETS_MAX: usize = 2;
/// Of a webhook. Unit: headers.
pub(super) const HEADERS_MAX: usize = 10;
/// Messages that a chat may get at once, one by one. Unit: messages.
const BURSTS: std::ops::RangeInclusive<u32> = 1..=1_000;
/// IAM allows names of 64 and paths of 512. Unit: characters.
pub(super) const ROLE_CHARS_MAX: usize = 576;
/// Where a URL may stand.
const URLS: [&str; 4] = ["url", "url-file", "url-env", "url-from"];
/// Where a key may stand.
const KEYS: [&str; 3] = ["key-file", "key-env", "key-from"];
/// Of a key that names where a secret is.
pub(super) const HOLDS_IT: &str = "holds the secret itself (expected the name of where it is kept)";

impl SinkTable {
    /// What can be told without a look at other files.
    pub(super) fn wrong(&self) -> Result<(), Wrong> {
        for (key, patterns) in self.choices() {
            filters::wrong(patterns).map_err(|what| (key, what))?;
        }
        let is_foreign =
            |(key, types): &&(&str, &[Type])| self.sets(key) && !types.contains(&self.r#type);
        if let Some((key, types)) = OF.iter().find(is_foreign) {
            return Err((key, format!("only a sink of type {} has it", names(types))));
        }
        self.quiet.as_ref().map(QuietTable::quiet).transpose()?;
        for (key, from) in self.kept() {
            from.place().map_err(|what| (key, what))?;
        }
        if self.burst.is_some_and(|burst| !BURSTS.contains(&burst)) {
            let (low, high) = (BURSTS.start(), BURSTS.end());
            return Err(("burst", format!("expected a whole number from {low} to {high}")));
        }
        match self.r#type {
            Type::JsonLines => {
                let missing = || ("", "no path (expected `path = \"FILE\"`)".to_owned());
                self.path.as_ref().map(drop).ok_or_else(missing)
            }
            Type::Ocsf => self.wrong_lake(),
            Type::SecurityHub => self.wrong_filing(),
            Type::Sns => self.topic().map(drop),
            Type::Eventbridge => self.wrong_region().and_then(|()| self.bus().map(drop)),
            Type::Pagerduty => self.wrong_url().and_then(|()| self.wrong_key()),
            Type::Webhook => {
                self.wrong_url()?;
                self.wrong_secrets()?;
                self.wrong_headers()
            }
            Type::Slack | Type::Teams | Type::Syslog => self.wrong_url(),
        }
    }

    fn wrong_url(&self) -> Result<(), Wrong> {
        if self.one_of(&URLS)?.is_none() && self.r#type != Type::Pagerduty {
            let is_log = self.r#type == Type::Syslog;
            let keys = if is_log { "or `url-env`" } else { "`url-env` or `url-from`" };
            let comma = if is_log { "" } else { "," };
            return Err(("", format!("no URL (expected `url`, `url-file`{comma} {keys})")));
        }
        let allowed = self.allowed()?;
        if let Some(Hidden(url)) = &self.url {
            Endpoint::of(self.r#type.protocol(), url, &allowed)
                .map_err(|error| ("url", error.to_string()))?;
        }
        Ok(())
    }

    pub(super) fn topic(&self) -> Result<Topic, Wrong> {
        let missing = || ("", "no topic (expected `topic = \"ARN\"`)".to_owned());
        let text = self.topic.as_ref().ok_or_else(missing)?;
        Topic::parse(text).map_err(|error| ("topic", error.to_string()))
    }

    pub(super) fn bus(&self) -> Result<Bus, Wrong> {
        let bus = self.bus.as_deref().map(Bus::parse).transpose();
        let bus = bus.map_err(|error| ("bus", error.to_string()))?.unwrap_or_default();
        if self.region.is_some() && bus.region().is_some() {
            return Err(("region", "stands in the ARN of the bus, too".to_owned()));
        }
        Ok(bus)
    }

    fn wrong_region(&self) -> Result<(), Wrong> {
        if let Some(region) = &self.region
            && !is_word(region, REGION_CHARS_MAX, "-")
        {
            let what =
                format!("{} is no region (expected such as \"eu-central-1\")", shown(region));
            return Err(("region", what));
        }
        Ok(())
    }

    /// Where objects are written; a folder as it stands there.
    pub(super) fn lake(&self) -> Result<ocsf::Place, Wrong> {
        let missing =
            || ("", "no path (expected `path = \"FOLDER\"` or \"s3://BUCKET/PREFIX\")".to_owned());
        let path = self.path.as_ref().ok_or_else(missing)?;
        match path.to_str().and_then(ocsf::Place::of_bucket) {
            Some(place) => place.map_err(|error| ("path", error.to_string())),
            None => Ok(ocsf::Place::Folder(path.clone())),
        }
    }

    fn wrong_lake(&self) -> Result<(), Wrong> {
        self.wrong_region()?;
        let is_folder = matches!(self.lake()?, ocsf::Place::Folder(_));
        for (key, is_set) in [("region", self.region.is_some()), ("role", self.role.is_some())] {
            if is_set && is_folder {
                return Err((key, "is for a bucket, and `path` is a folder".to_owned()));
            }
        }
        match self.role.as_deref() {
            Some(role) if !is_arn_of_role(role) => {
                let what = "is no ARN of a role (expected such as \"arn:aws:iam::111122223333:role/lake\")";
                Err(("role", format!("{} {what}", shown(role))))
            }
            _ => Ok(()),
        }
    }

    fn wrong_filing(&self) -> Result<(), Wrong> {
        self.wrong_region()?;
        match (self.file_as, &self.role) {
            (Some(FiledAs::Member), None) => {
                let what =
                    "needs the name of a role that each account has (expected `role = \"NAME\"`)";
                Err(("file-as", what.to_owned()))
            }
            (None | Some(FiledAs::Own), Some(_)) => {
                Err(("role", "is assumed only where `file-as = \"member\"`".to_owned()))
            }
            // A path may stand before the name.
            (_, Some(role)) if !is_word(role, ROLE_CHARS_MAX, "+=,.@_/-") => {
                let what = format!("{} is no name of a role (not its ARN)", shown(role));
                Err(("role", what))
            }
            _ => Ok(()),
        }
    }

    fn wrong_key(&self) -> Result<(), Wrong> {
        let Some(key) = self.one_of(&KEYS)? else {
            return Err(("", "no key (expected `key-file`, `key-env` or `key-from`)".to_owned()));
        };
        let file = self.key_file.as_deref().and_then(Path::to_str);
        let named = file.or(self.key_env.as_deref()).unwrap_or_default();
        if RoutingKey::parse(named).is_ok() {
            return Err((key, HOLDS_IT.to_owned()));
        }
        Ok(())
    }

    /// Which of these keys is set, of which at most one may be.
    fn one_of(&self, keys: &[&'static str]) -> Result<Option<&'static str>, Wrong> {
        let set: Vec<_> = keys.iter().copied().filter(|key| self.sets(key)).collect();
        match set[..] {
            [first, second, ..] => {
                Err((second, format!("{first} stands there, too (expected one of them)")))
            }
            _ => Ok(set.first().copied()),
        }
    }

    fn wrong_headers(&self) -> Result<(), Wrong> {
        if self.headers.len() > HEADERS_MAX {
            let n = self.headers.len();
            return Err(("headers", format!("{n} headers (expected {HEADERS_MAX} at most)")));
        }
        for name in self.headers.keys() {
            Header::name(name).map_err(|error| ("headers", format!("{}: {error}", shown(name))))?;
        }
        let of_standard = [
            ("secret-file", self.secret_file.is_some()),
            ("secret-env", self.secret_env.is_some()),
            ("secret-from", self.secret_from.is_some()),
            ("heartbeat", self.heartbeat.is_some()),
        ];
        match of_standard.into_iter().find(|(_, is_set)| *is_set && self.body.is_some()) {
            Some((key, _)) => Err((
                key,
                "goes with the program's own body, and `body` stands there, too".to_owned(),
            )),
            None => Ok(()),
        }
    }

    fn wrong_secrets(&self) -> Result<(), Wrong> {
        let named = [("secret-file", &self.secret_file), ("secret-env", &self.secret_env)];
        let named = named.into_iter().filter_map(|(key, texts)| Some((key, texts.as_ref()?.all())));
        let named: Vec<_> = named.collect();
        for (key, texts) in &named {
            if texts.iter().any(|text| text.trim_start().starts_with("whsec_")) {
                return Err((key, HOLDS_IT.to_owned()));
            }
        }
        let n: usize = named.iter().map(|(_, texts)| texts.len()).sum();
        match named.last() {
            // A rotation has two.
            Some((key, _)) if self.secret_from.is_some() => {
                Err((key, "secret-from stands there, too (expected one of them)".to_owned()))
            }
            Some((key, _)) if n > SECRETS_MAX => {
                Err((key, format!("{n} secrets (expected {SECRETS_MAX} at most)")))
            }
            _ => Ok(()),
        }
    }
}

fn is_arn_of_role(text: &str) -> bool {
    let fields: Vec<_> = text.splitn(6, ':').collect();
    let ["arn", partition, "iam", "", account, resource] = fields[..] else { return false };
    let role = resource.strip_prefix("role/").unwrap_or_default();
    is_word(partition, REGION_CHARS_MAX, "-")
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && is_word(role, ROLE_CHARS_MAX, "+=,.@_/-")
}

/// Whether a text is of ASCII letters, digits and these characters alone.
fn is_word(text: &str, chars_max: usize, others: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    (1..=chars_max).contains(&text.len()) && text.chars().all(fits)
}

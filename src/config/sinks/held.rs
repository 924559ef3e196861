//! What tables of sinks name: files, variables, and how AWS is reached. In: tables that were checked. Out: sinks.

use super::{FromTable, HELD_BYTES_MAX, HeaderTable, Hidden, SinkTable, Texts, Type, Wrong};
use crate::config::keys::shown;
use alerts::sinks::{
    Access, Allowed, Endpoint, Form, Header, Kept, KeptSecret, Secret, Service, To, event_bridge,
    json_lines, ocsf,
    pagerduty::{self, RoutingKey},
    security_hub::{self, FileAs},
    sns, syslog,
    template::{FILE_BYTES_MAX, Template},
    webhook,
};
use ingest::source::session::Role;
use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// Reads what AWS Secrets Manager keeps, and, if that is asked for, what it kept before a rotation.
pub(in crate::config) type KeptBy<'c> = &'c dyn Fn(&KeptSecret, bool) -> Result<Kept, String>;

/// Reads a variable of the environment.
pub(in crate::config) type Variable<'c> = &'c dyn Fn(&str) -> Option<OsString>;

/// Where secrets are kept, and how AWS is reached.
pub(super) struct Held<'c> {
    pub(super) folder: &'c Path,
    pub(super) access: &'c Access,
    pub(super) variable: Variable<'c>,
    pub(super) kept_by: KeptBy<'c>,
}

impl Held<'_> {
    /// The sink of a table.
    pub(super) fn to(&self, table: &SinkTable) -> Result<To, Wrong> {
        let form = match table.r#type {
            Type::JsonLines => {
                let path = table.path.as_deref().unwrap_or(Path::new(""));
                return Ok(To::JsonLines(json_lines::Settings { path: self.folder.join(path) }));
            }
            Type::SecurityHub | Type::Sns | Type::Eventbridge | Type::Ocsf => {
                return Ok(To::Service(self.service(table)?));
            }
            Type::Syslog => {
                let (endpoint, allowed) = self.endpoint(table)?;
                let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
                return Ok(To::Syslog(syslog::Settings { endpoint, allowed, host }));
            }
            Type::Slack => Form::Slack,
            Type::Teams => Form::Teams,
            Type::Pagerduty => Form::PagerDuty(self.key(table)?),
            Type::Webhook => match &table.body {
                Some(path) => Form::Template(self.template(path)?),
                None => Form::Standard(self.secrets(table)?),
            },
        };
        let (endpoint, allowed) = self.endpoint(table)?;
        let headers = self.headers(table)?;
        Ok(To::Webhook(webhook::Settings { endpoint, form, allowed, headers }))
    }

    fn headers(&self, table: &SinkTable) -> Result<Vec<Header>, Wrong> {
        let header = |(name, kept): (&String, &HeaderTable)| {
            let wrong = |what: String| ("headers", format!("{name}: {what}"));
            let value = match kept {
                HeaderTable::File { file } => self.file(file),
                HeaderTable::Env { env } => self.env(env),
            };
            Header::parse(name, &value.map_err(wrong)?).map_err(|error| wrong(error.to_string()))
        };
        table.headers.iter().map(header).collect()
    }

    fn template(&self, path: &Path) -> Result<Template, Wrong> {
        let text = self.text(path, FILE_BYTES_MAX).map_err(|what| ("body", what))?;
        let file = self.folder.join(path);
        Template::parse(&text).map_err(|error| ("body", format!("{}:{error}", file.display())))
    }

    /// Where a sink is that has a URL, and where it may be.
    fn endpoint(&self, table: &SinkTable) -> Result<(Endpoint, Allowed), Wrong> {
        let allowed = table.allowed()?;
        let (key, url) = if let Some(Hidden(url)) = &table.url {
            ("url", url.clone())
        } else if let Some(file) = &table.url_file {
            ("url-file", self.file(file).map_err(|what| ("url-file", what))?)
        } else if let Some(name) = &table.url_env {
            ("url-env", self.env(name).map_err(|what| ("url-env", what))?)
        } else if let Some(from) = &table.url_from {
            ("url-from", self.kept(from, false).map_err(|what| ("url-from", what))?.current)
        } else {
            ("", pagerduty::URL.to_owned())
        };
        let endpoint = Endpoint::of(table.r#type.protocol(), url.trim(), &allowed);
        Ok((endpoint.map_err(|error| (key, error.to_string()))?, allowed))
    }

    fn service(&self, table: &SinkTable) -> Result<Service, Wrong> {
        let region = table.region.clone().or_else(|| self.access.region.clone());
        // The role of `[aws]` is to read logs by.
        let access = Access { region, role: None, ..self.access.clone() };
        Ok(match table.r#type {
            Type::Sns => Service::Sns(sns::Settings { access, topic: table.topic()? }),
            Type::Eventbridge => {
                Service::EventBridge(event_bridge::Settings { access, bus: table.bus()? })
            }
            Type::Ocsf => {
                let to = match table.lake()? {
                    ocsf::Place::Folder(folder) => ocsf::Place::Folder(self.folder.join(folder)),
                    bucket @ ocsf::Place::Bucket { .. } => bucket,
                };
                let role = table.role.clone().map(|arn| Role { arn, external_id: None });
                Service::Ocsf(ocsf::Settings { access: Access { role, ..access }, to })
            }
            _ => {
                let member = |role: &String| FileAs::Member { role: role.clone() };
                let file_as = table.role.as_ref().map_or(FileAs::Own, member);
                Service::SecurityHub(security_hub::Settings { access, file_as })
            }
        })
    }

    fn key(&self, table: &SinkTable) -> Result<RoutingKey, Wrong> {
        let (key, held) = match (&table.key_file, &table.key_from) {
            (Some(file), _) => ("key-file", self.file(file)),
            (None, Some(from)) => ("key-from", self.kept(from, false).map(|kept| kept.current)),
            (None, None) => ("key-env", self.env(table.key_env.as_deref().unwrap_or_default())),
        };
        let held = held.map_err(|what| (key, what))?;
        RoutingKey::parse(&held).map_err(|error| (key, error.to_string()))
    }

    fn secrets(&self, table: &SinkTable) -> Result<Vec<Secret>, Wrong> {
        let mut secrets = Vec::new();
        for file in table.secret_file.iter().flat_map(Texts::all) {
            let key = "secret-file";
            let text = self.file(Path::new(file)).map_err(|what| (key, what))?;
            secrets.push(Secret::parse(&text).map_err(|error| (key, error.to_string()))?);
        }
        for name in table.secret_env.iter().flat_map(Texts::all) {
            let key = "secret-env";
            let text = self.env(name).map_err(|what| (key, what))?;
            secrets.push(Secret::parse(&text).map_err(|error| (key, error.to_string()))?);
        }
        if let Some(from) = &table.secret_from {
            let key = "secret-from";
            // Whoever has taken the new one, or not yet, has the other.
            let Kept { current, previous } = self.kept(from, true).map_err(|what| (key, what))?;
            for text in std::iter::once(current).chain(previous) {
                secrets.push(Secret::parse(&text).map_err(|error| (key, error.to_string()))?);
            }
        }
        Ok(secrets)
    }

    fn kept(&self, from: &FromTable, is_rotated: bool) -> Result<Kept, String> {
        let kept = (self.kept_by)(&from.place()?, is_rotated)?;
        let is_long = |text: &String| text.len() > HELD_BYTES_MAX;
        if is_long(&kept.current) || kept.previous.as_ref().is_some_and(is_long) {
            return Err(format!("the secret holds more than {HELD_BYTES_MAX} bytes"));
        }
        Ok(kept)
    }

    fn file(&self, path: &Path) -> Result<String, String> {
        self.text(path, HELD_BYTES_MAX)
    }

    fn text(&self, path: &Path, bytes_max: usize) -> Result<String, String> {
        let path = self.folder.join(path);
        let mut text = String::new();
        let read = File::open(&path)
            .and_then(|file| file.take(bytes_max as u64 + 1).read_to_string(&mut text));
        match read {
            Ok(_) if text.len() <= bytes_max => Ok(text),
            Ok(_) => Err(format!("{} holds more than {bytes_max} bytes", path.display())),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(format!("{} is not UTF-8", path.display()))
            }
            Err(error) => Err(format!("cannot read {}: {error}", path.display())),
        }
    }

    fn env(&self, name: &str) -> Result<String, String> {
        let held = (self.variable)(name).filter(|held| !held.is_empty());
        let held = held.ok_or_else(|| format!("no variable {} in the environment", shown(name)))?;
        held.into_string().map_err(|_| format!("the variable {} is not UTF-8", shown(name)))
    }
}

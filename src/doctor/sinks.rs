//! Sinks: whether what they need is there and allowed. In: sinks. Out: checks. Nobody is told anything: receivers are not
//! asked, and services are asked for what they take from nobody.

use super::{
    ask::{Client, Heard, Need, Question, TRUST, encoded},
    local::is_writable,
    report::{Report, State},
};
use crate::aws::permissions::{
    AS_MEMBERS, AS_NAMER, FILE_FINDINGS, LOOK_AT_HUB, LOOK_AT_RULES, NAME_ACCOUNTS, READ_SECRETS,
    TELL_BUS, TELL_TOPIC, WRITE_FINDINGS,
};
use alerts::sinks::{
    Access, Allowed, Endpoint, KeptSecret, Service, Sink, To, event_bridge, ocsf, resolve,
    security_hub::{self, FileAs},
    sns,
};
use ingest::{
    source::{calls::home_of, session::Role},
    target::partition_of,
};
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};
use tokio::runtime::Runtime;

/// Accounts in which the role of members is tried. Unit: accounts.
pub(super) const MEMBERS_MAX: usize = 5;

/// What sinks are looked at with.
pub(super) struct Around<'a> {
    pub(super) runtime: &'a Arc<Runtime>,
    /// Whose credentials they are.
    pub(super) caller: &'a str,
    pub(super) account: &'a str,
    /// Where they are.
    pub(super) region: &'a str,
    /// Accounts that the logs are of.
    pub(super) accounts: Vec<String>,
}

impl Around<'_> {
    /// Who asks in the region of a sink; else notes why nobody can.
    fn client(
        &self,
        (subject, report): ((&'static str, &str), &mut Report),
        (access, role): (&Access, Option<String>),
    ) -> Option<Client> {
        match Client::reach(self.runtime, access, role) {
            Ok(client) => Some(client.known(self.caller, self.account)),
            Err(error) => {
                report.note(
                    subject,
                    State::Fault,
                    "finding region and credentials",
                    format!("{error:#}"),
                );
                None
            }
        }
    }

    /// Looks at a sink.
    pub(super) fn examine(&self, sink: &Sink, report: &mut Report) {
        let name = sink.name.as_str();
        match &sink.to {
            To::Webhook(settings) => {
                self.receiver(name, (&settings.endpoint, &settings.allowed), report);
            }
            To::Syslog(settings) => {
                self.receiver(name, (&settings.endpoint, &settings.allowed), report);
            }
            To::JsonLines(settings) => folder(name, settings.path.parent(), report),
            To::Service(Service::SecurityHub(settings)) => self.hub(name, settings, report),
            To::Service(Service::Sns(settings)) => self.topic(name, settings, report),
            To::Service(Service::EventBridge(settings)) => self.bus(name, settings, report),
            To::Service(Service::Ocsf(settings)) => match &settings.to {
                ocsf::Place::Folder(path) => folder(name, Some(path), report),
                ocsf::Place::Bucket { bucket, prefix } => {
                    self.bucket((name, &settings.access), (bucket, prefix), report);
                }
            },
        }
    }

    fn receiver(
        &self,
        name: &str,
        (endpoint, allowed): (&Endpoint, &Allowed),
        report: &mut Report,
    ) {
        let tried = "the addresses of its name, of which none is called";
        let subject = ("sink-receiver", name);
        match self.runtime.block_on(resolve(endpoint, allowed)) {
            Ok(addresses) if !addresses.is_empty() => {
                report.note(subject, State::Ok, tried, "it has one, and it may be talked to");
            }
            Ok(_) => {
                report.note(subject, State::Fault, tried, "the name has no address");
            }
            Err(what) => {
                let check = report.note(subject, State::Fault, tried, what);
                check.mend("look at its URL, at the resolver, and at `allow` of the sink");
            }
        }
    }

    fn hub(&self, name: &str, settings: &security_hub::Settings, report: &mut Report) {
        let role = match &settings.file_as {
            FileAs::Own => None,
            FileAs::Member { role } => Some(role.clone()),
        };
        let subject = ("sink-security-hub", name);
        let reached = (&settings.access, role.clone());
        let Some(mut client) = self.client((subject, report), reached) else { return };
        let own = self.account.to_owned();
        if is_enabled(&mut client, &own, subject, report) {
            import(&mut client, &own, subject, report);
        }
        let Some(role) = role else { return };
        let others = self.accounts.iter().filter(|account| **account != own);
        for account in others.take(MEMBERS_MAX) {
            let on = format!("{name} in {account}");
            member(&mut client, (account, &role), ("sink-member", &on), report);
        }
    }

    fn topic(&self, name: &str, settings: &sns::Settings, report: &mut Report) {
        let subject = ("sink-topic", name);
        let topic = &settings.topic;
        let access = Access { region: Some(topic.region().to_owned()), ..settings.access.clone() };
        let Some(mut client) = self.client((subject, report), (&access, None)) else { return };
        let entry = "MessageAttributes.entry.1";
        let body = format!(
            "Action=Publish&Version=2010-03-31&TopicArn={}&Message=sentrail-doctor\
             &{entry}.Name=doctor&{entry}.Value.DataType=Nothing&{entry}.Value.StringValue=nothing",
            encoded(topic.arn(), "")
        );
        let heard = client.ask_form("sns", &body);
        let codes = ["InvalidParameter", "ParameterValueInvalid"];
        let with = [("topic", topic.arn())];
        in_vain((&client, heard), &codes, (subject, report), Need::of(&TELL_TOPIC, &with));
    }

    fn bus(&self, name: &str, settings: &event_bridge::Settings, report: &mut Report) {
        let subject = ("sink-bus", name);
        let bus = &settings.bus;
        let region = bus.region().map(str::to_owned).or_else(|| settings.access.region.clone());
        let access = Access { region, ..settings.access.clone() };
        let Some(mut client) = self.client((subject, report), (&access, None)) else { return };
        let body = json!({"Name": bus.name()});
        match client.ask_json("events", "AWSEvents.DescribeEventBus", &body) {
            Heard::Missing(failure) => {
                let check =
                    report.note(subject, State::Fault, "events:DescribeEventBus", failure.error);
                check.mend("create it: what is put on a bus that is not there is lost, and EventBridge says nothing");
                return;
            }
            Heard::Denied(_) => {
                let need = Need::of(&LOOK_AT_RULES, &[]).to("events:DescribeEventBus");
                let what = "whether the bus is there may not be looked at";
                let check = report.note(subject, State::Unknown, need.tried(), what);
                check.paste(client.statement(need));
            }
            _ => {}
        }
        let entry = json!({"Source": "sentrail", "DetailType": "doctor", "Detail": "no JSON",
                           "EventBusName": bus.name()});
        let heard = client.ask_json("events", "AWSEvents.PutEvents", &json!({"Entries": [entry]}));
        let arn = if bus.region().is_some() {
            bus.name().to_owned()
        } else {
            let [(_, partition), (_, region), (_, account)] = client.place();
            format!("arn:{partition}:events:{region}:{account}:event-bus/{}", bus.name())
        };
        let with = [("bus", arn.as_str())];
        let need = Need::of(&TELL_BUS, &with);
        let Some(answer) = client.answered(heard, (report, subject), need) else { return };
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        if said.contains("NotAuthorized") || said.contains("AccessDenied") {
            let check = report.note(subject, State::Fault, need.tried(), "not allowed");
            check.paste(client.statement(need));
        } else {
            report.note(subject, State::Ok, need.tried(), "allowed, and nothing came of it");
        }
    }

    fn bucket(
        &self,
        (name, access): (&str, &Access),
        (bucket, prefix): (&str, &str),
        report: &mut Report,
    ) {
        let subject = ("sink-bucket", name);
        let Some(mut client) = self.client((subject, report), (access, None)) else { return };
        let folder = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        let key = encoded(&format!("{folder}.sentrail-doctor"), "/");
        let path = format!("/{}/{key}", encoded(bucket, ""));
        let headers = [("if-match", "\"0123456789abcdef0123456789abcdef\"")];
        let heard = client.ask(Question { headers: &headers, ..Question::of_s3("PUT", &path) });
        let with = [("bucket", bucket), ("prefix", folder.as_str())];
        let need = Need::of(&WRITE_FINDINGS, &with);
        // S3 may want s3:GetObject for such a condition, which the sink does without.
        if matches!(&heard, Heard::Denied(failure) if failure.error.contains("s3:GetObject")) {
            let what = "whether it is allowed to write cannot be tried without reading: `sentrail alerts test` writes a sample";
            report.note(subject, State::Unknown, need.tried(), what);
            return;
        }
        in_vain((&client, heard), &["NoSuchKey", "PreconditionFailed"], (subject, report), need);
    }

    /// Looks at a secret that AWS keeps.
    pub(super) fn secret(
        &self,
        name: &str,
        (secret, access): (&KeptSecret, &Access),
        report: &mut Report,
    ) -> bool {
        let on = format!("{} ({name})", secret.id());
        let subject = ("secret", on.as_str());
        let region = secret.region().map(str::to_owned).or_else(|| access.region.clone());
        let access = Access { region, role: None, ..access.clone() };
        let Some(mut client) = self.client((subject, report), (&access, None)) else {
            return false;
        };
        let body = json!({"SecretId": secret.id()});
        let heard = client.ask_json("secretsmanager", "secretsmanager.GetSecretValue", &body);
        let arn = if secret.region().is_some() {
            secret.id().to_owned()
        } else {
            let [(_, partition), (_, region), (_, account)] = client.place();
            format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{}-*", secret.id())
        };
        let with = [("secret", arn.as_str())];
        let need = Need::of(&READ_SECRETS, &with);
        let is_read = client.answered(heard, (report, subject), need).is_some();
        if is_read {
            report.note(subject, State::Ok, need.tried(), "allowed");
        }
        is_read
    }

    /// Looks at whether accounts may be listed.
    pub(super) fn organization(&self, access: &Access, report: &mut Report) {
        const TARGET: &str = "AWSOrganizationsV20161128.ListAccounts";
        let on = access.role.as_ref().map_or("own credentials", |Role { arn, .. }| arn.as_str());
        let subject = ("organization", on);
        // Of all regions of a partition one answers.
        let region = Some(home_of(partition_of(self.region)).to_owned());
        let access = Access { region, ..access.clone() };
        let Some(mut client) = self.client((subject, report), (&access, None)) else { return };
        let heard = client.ask_json("organizations", TARGET, &json!({"MaxResults": 1}));
        if let (Heard::Nothing(why), Some(role)) = (&heard, &access.role) {
            let with = [("role", role.arn.as_str())];
            let need = Need::of(&AS_NAMER, &with);
            let check = report.note(subject, State::Fault, need.tried(), why.clone());
            check.mend(TRUST).paste(client.statement(need));
            return;
        }
        let need = Need::of(&NAME_ACCOUNTS, &[]);
        if client.answered(heard, (report, subject), need).is_some() {
            report.note(subject, State::Ok, need.tried(), "allowed");
        }
    }
}

/// Notes what came of what cannot be: it was refused as such, or else why not.
fn in_vain(
    (client, heard): (&Client, Heard),
    codes: &[&str],
    (subject, report): ((&'static str, &str), &mut Report),
    need: Need<'_>,
) {
    if heard.is_refused_as(codes) || client.answered(heard, (report, subject), need).is_some() {
        let what = "not refused for want of a permission, and nothing came of it";
        report.note(subject, State::Ok, need.tried(), what);
    }
}

/// Whether Security Hub is enabled, as far as is known.
fn is_enabled(
    client: &mut Client,
    account: &str,
    subject: (&'static str, &str),
    report: &mut Report,
) -> bool {
    let tried = format!("securityhub:DescribeHub in {}", client.region());
    let question = Question {
        service: "securityhub",
        method: "GET",
        path: "/accounts",
        headers: &[],
        body: "",
    };
    match client.ask_as(account, question) {
        Heard::Done(_) => {
            report.note(subject, State::Ok, tried, "it is enabled");
        }
        Heard::Refused(failure) | Heard::Missing(failure)
            if ["InvalidAccessException", "ResourceNotFoundException"]
                .contains(&failure.code.as_str()) =>
        {
            let found = format!("it is not enabled: {}", failure.error);
            let check = report.note(subject, State::Fault, tried, found);
            let region = client.region();
            check.mend(format!("enable Security Hub CSPM in {region}, or name another `region`"));
            return false;
        }
        Heard::Refused(failure) | Heard::Missing(failure) => {
            report.note(subject, State::Unknown, tried, failure.error);
        }
        Heard::Denied(_) => {
            let statement = client.statement(Need::of(&LOOK_AT_HUB, &[]));
            let what = "whether it is enabled may not be looked at";
            report.note(subject, State::Unknown, tried, what).paste(statement);
        }
        Heard::Nothing(why) => {
            let found = format!("out of reach: {why}");
            report.note(subject, State::Fault, tried, found).mend("look at the network");
            return false;
        }
    }
    true
}

/// Whether findings may be filed under this account.
fn import(client: &mut Client, account: &str, subject: (&'static str, &str), report: &mut Report) {
    let headers = [("content-type", "application/json")];
    let body = json!({"Findings": Value::Array(Vec::new())}).to_string();
    let question = Question {
        service: "securityhub",
        method: "POST",
        path: "/findings/import",
        headers: &headers,
        body: &body,
    };
    let heard = client.ask_as(account, question);
    let with = [("account", account)];
    let need = Need::of(&FILE_FINDINGS, &with);
    in_vain((client, heard), &["InvalidInput", "Validation"], (subject, report), need);
}

fn member(
    client: &mut Client,
    (account, role): (&str, &str),
    subject: (&'static str, &str),
    report: &mut Report,
) {
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let question = Question { service: "sts", method: "POST", path: "/", headers: &headers, body };
    match client.ask_as(account, question) {
        Heard::Done(_) => {
            let tried = format!("assuming {role} there");
            report.note(subject, State::Ok, tried, "allowed");
            import(client, account, subject, report);
        }
        Heard::Nothing(why) => {
            let tried = format!("assuming {role} there");
            let check = report.note(subject, State::Fault, tried, why);
            check
                .mend("create the role there (deploy/cloudformation/member-role.yml), and let sentrail assume it")
                .paste(client.statement(Need::of(&AS_MEMBERS, &[("role", role)])));
        }
        Heard::Denied(failure) | Heard::Missing(failure) | Heard::Refused(failure) => {
            report.note(subject, State::Fault, "sts:GetCallerIdentity there", failure.error);
        }
    }
}

fn folder(name: &str, folder: Option<&Path>, report: &mut Report) {
    // What is not there is created.
    let there = folder.into_iter().flat_map(Path::ancestors).find(|path| path.is_dir());
    is_writable(("sink-folder", name), there.unwrap_or(Path::new(".")), report);
}

//! Whether a set-up would work, before `run` finds out. In: what `run` would be asked for. Out: a report. Each call to AWS is a
//! real one, and changes nothing or takes back what it did.

mod ask;
mod delivery;
mod flows;
mod local;
mod logs;
mod policy;
mod queue;
mod report;
mod sinks;
mod snapshots;

pub(crate) use report::Report;

use crate::{
    aws::{self, Aws, BucketPath, permissions::AS_READER},
    clock,
    config::{Config, n_of},
};
use anyhow::Result;
use ask::{Client, Heard, Need, text};
use ingest::{
    flowlog::FlowFormat,
    source::{Kind, session::Access, sqs::region_of},
};
use logs::Layout;
use report::State;
use sinks::Around;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::runtime::Runtime;

/// AWS refuses signatures that are off by five minutes; a minute shows that nobody sets the clock. Unit: seconds.
const SKEW_S_MAX: i64 = 60;

/// What is looked at.
pub(crate) struct Asked<'a> {
    pub(crate) config: Option<&'a Path>,
    pub(crate) folders: &'a [PathBuf],
    pub(crate) queues: &'a [String],
    pub(crate) buckets: Vec<BucketPath>,
    pub(crate) snapshots: Option<BucketPath>,
    pub(crate) state: Option<&'a Path>,
    pub(crate) flow_format: Option<FlowFormat>,
    /// What sentrail itself lives on, as the command line says it.
    pub(crate) own: Vec<String>,
}

/// Looks at everything.
pub(crate) fn examine(asked: &Asked<'_>) -> Result<Report> {
    let mut report = Report::default();
    let on = asked.config.map(|path| path.display().to_string());
    let subject = ("configuration", on.as_deref().unwrap_or("defaults"));
    let config = Config::load(asked.config);
    let config = match config.and_then(|config| config.with_own(asked.own.iter().cloned())) {
        Ok(config) => config,
        Err(error) => {
            let check = report.note(subject, State::Fault, "reading it", format!("{error}"));
            check.mend("mend it first: nothing else was looked at");
            return Ok(report);
        }
    };
    let mut notes = config.warnings().to_vec();
    if config.is_default_key() {
        notes.push("hash-key is not set, so that everybody knows it".to_owned());
    }
    if !config.own().iter().any(|own| own.contains(":cloudtrail:")) {
        notes.push("`own` names no trail, so who stops it is told of as of any other".to_owned());
    }
    let found = if notes.is_empty() { "it can be used".to_owned() } else { notes.join("; ") };
    report.note(subject, State::Ok, "reading it", found);
    if let Some(state) = asked.state {
        local::state(state, &mut report);
    }
    for folder in asked.folders {
        let on = folder.display().to_string();
        let (state, found) = match folder.read_dir() {
            Ok(_) => (State::Ok, "it can be read".to_owned()),
            Err(error) => (State::Fault, error.kind().to_string()),
        };
        report.note(("folder", &on), state, "reading it", found);
    }
    local::tables(&config, &mut report);
    let runtime = aws::runtime()?;
    let kept = config.kept_secrets();
    let names_aws = config.organization().is_some() || !kept.is_empty() || config.tells_aws();
    let of_logs = !asked.queues.is_empty() || !asked.buckets.is_empty();
    let mut caller = (of_logs || names_aws || asked.snapshots.is_some())
        .then(|| identity(&runtime, &config.access(), &mut report))
        .flatten();
    let mut accounts = Vec::new();
    if let Some(client) = &mut caller {
        accounts = of_logs_in_aws(asked, (&config, &runtime), client, &mut report);
        if let Some(at) = &asked.snapshots {
            snapshots::examine(client, at, &mut report);
        }
    }
    told(&config, (caller.as_ref(), names_aws), (&runtime, accounts), &mut report);
    Ok(report)
}

/// Who we are, and what time it is.
fn identity(runtime: &Arc<Runtime>, access: &Access, report: &mut Report) -> Option<Client> {
    let subject = ("credentials", "AWS");
    let access = Access { role: None, ..access.clone() };
    let mut client = match Client::reach(runtime, &access, None) {
        Ok(client) => client,
        Err(error) => {
            report.note(subject, State::Fault, "finding the region", format!("{error:#}"));
            return None;
        }
    };
    let told = who(&mut client);
    if let Some(date_ms) = client.date_ms {
        let ahead_s = clock::now_ms().saturating_sub(date_ms) / 1_000;
        let state = if ahead_s.abs() > SKEW_S_MAX { State::Fault } else { State::Ok };
        let found = format!("the clock of this machine is {ahead_s} s ahead");
        let check = report.note(("clock", "this machine"), state, "the date of an answer", found);
        if state == State::Fault {
            check.mend(
                "set it (chrony, systemd-timesyncd): AWS refuses calls that are five minutes off",
            );
        }
    }
    let tried = "sts:GetCallerIdentity, which needs no permission";
    match told {
        Ok((arn, account)) => {
            report.note(subject, State::Ok, tried, format!("{arn}, in {}", client.region()));
            Some(client.known(&arn, &account))
        }
        Err((why, mend)) => {
            let check = report.note(subject, State::Fault, tried, why);
            check.mend(mend);
            None
        }
    }
}

/// Whose credentials they are, and of which account; else why not, and what to do.
fn who(client: &mut Client) -> Result<(String, String), (String, &'static str)> {
    let give = "give it a role (of the task, of the instance) or a profile; of AWS nothing else was looked at";
    match client.ask_form("sts", "Action=GetCallerIdentity&Version=2011-06-15") {
        Heard::Done(answer) => {
            let xml = String::from_utf8_lossy(&answer.body).into_owned();
            let told = text(&xml, "Arn").zip(text(&xml, "Account"));
            told.ok_or_else(|| ("an answer without an ARN".to_owned(), ask::NETWORK))
        }
        Heard::Denied(failure) | Heard::Missing(failure) | Heard::Refused(failure) => {
            Err((format!("refused: {}", failure.error), give))
        }
        Heard::Nothing(why) => Err((format!("out of reach: {why}"), ask::NETWORK)),
    }
}

/// Looks at buckets and queues; the accounts that the logs are of.
fn of_logs_in_aws(
    asked: &Asked<'_>,
    (config, runtime): (&Config, &Arc<Runtime>),
    client: &mut Client,
    report: &mut Report,
) -> Vec<String> {
    let mut accounts = Vec::new();
    let access = config.access();
    let mut queues = Vec::new();
    for url in asked.queues {
        let mut there = elsewhere(runtime, &access, (client, url));
        queues.extend(queue::examine(there.as_mut().unwrap_or(client), url, report));
    }
    let mut of_role = None;
    if access.role.is_some() {
        of_role = by_role(runtime, &access, report);
        if of_role.is_none() {
            return accounts;
        }
    }
    let reader = of_role.as_mut().unwrap_or(&mut *client);
    for at in &asked.buckets {
        let Some(layout) = logs::examine(reader, at, report) else { continue };
        accounts.extend(layout.accounts().map(str::to_owned));
        flow_format((runtime, &access), (at, &layout), asked, report);
        // Of several queues one is that of the bucket.
        if let [queue] = &queues[..] {
            delivery::examine(reader, at, queue, report);
        } else if queues.len() > 1 {
            let (on, what) = (at.to_string(), n_of(queues.len(), "queue"));
            let found = format!("{what} were given: look at each with its own bucket");
            report.note(("notification", &on), State::Unknown, "nothing", found);
        }
    }
    if asked.buckets.is_empty() {
        for queue in &queues {
            let found = "by whom it is told is not known without --bucket";
            report.note(("notification", &queue.arn), State::Unknown, "nothing", found);
        }
    }
    accounts
}

/// Who asks where a queue is, if that is another region.
fn elsewhere(
    runtime: &Arc<Runtime>,
    access: &Access,
    (client, url): (&Client, &str),
) -> Option<Client> {
    let region = region_of(url).filter(|region| *region != client.region())?;
    let access = Access { role: None, region: Some(region.to_owned()), ..access.clone() };
    let there = Client::reach(runtime, &access, None).ok()?;
    Some(there.known(&client.caller, &client.account))
}

/// Who asks by the role that reads logs.
fn by_role(runtime: &Arc<Runtime>, access: &Access, report: &mut Report) -> Option<Client> {
    let arn = access.role.as_ref().map(|role| role.arn.clone())?;
    let subject = ("logs-role", arn.as_str());
    let with = [("role", arn.as_str())];
    let need = Need::of(&AS_READER, &with);
    let mut reader = Client::reach(runtime, access, None).ok()?;
    match who(&mut reader) {
        Ok((caller, account)) => {
            report.note(subject, State::Ok, need.tried(), "allowed");
            Some(reader.known(&caller, &account))
        }
        Err((why, _)) => {
            let check = report.note(subject, State::Fault, need.tried(), why);
            check.mend(ask::TRUST).paste(reader.statement(need));
            None
        }
    }
}

fn flow_format(
    (runtime, access): (&Arc<Runtime>, &Access),
    (at, layout): (&BucketPath, &Layout),
    asked: &Asked<'_>,
    report: &mut Report,
) {
    let Some(found) = layout.newest.get(&Kind::FlowLog) else { return };
    if let Ok(aws) = Aws::reach(Arc::clone(runtime), access) {
        flows::examine((&aws, at), found, asked.flow_format.as_ref(), report);
    }
}

/// Looks at where findings are told.
fn told(
    config: &Config,
    (caller, names_aws): (Option<&Client>, bool),
    (runtime, accounts): (&Arc<Runtime>, Vec<String>),
    report: &mut Report,
) {
    if names_aws && caller.is_none() {
        let found = "there are no credentials";
        report.note(("sinks", "AWS"), State::Unknown, "nothing", found);
    }
    let (whose, account, region) = caller.map_or(("", "", ""), |client| {
        (client.caller.as_str(), client.account.as_str(), client.region())
    });
    let around = Around { runtime, caller: whose, account, region, accounts };
    let mut are_secrets_read = true;
    if caller.is_some() {
        for (name, secret) in config.kept_secrets() {
            are_secrets_read &= around.secret(&name, (&secret, &config.access()), report);
        }
        if let Some(access) = config.organization() {
            around.organization(&access, report);
        }
    } else {
        are_secrets_read = config.kept_secrets().is_empty();
    }
    let sinks = if are_secrets_read {
        config.sinks()
    } else {
        config.sinks_offline().map(|(sinks, _)| sinks)
    };
    match sinks {
        Ok(sinks) => {
            let is_of_aws =
                |sink: &alerts::sinks::Sink| matches!(sink.to, alerts::sinks::To::Service(_));
            for sink in sinks.iter().filter(|sink| caller.is_some() || !is_of_aws(sink)) {
                around.examine(sink, report);
            }
        }
        Err(error) => {
            let check = report.note(
                ("sinks", "all"),
                State::Fault,
                "reading what they name",
                error.to_string(),
            );
            check.mend("mend the file, variable or secret");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str = include_str!("../docs/limits.md");

    #[test]
    fn the_page_of_limits_gives_the_bounds_in_force() {
        for (name, bound) in [
            ("doctor::LOOKS_MAX", format!("{} folders", logs::LOOKS_MAX)),
            ("doctor::OBJECT_BYTES_MAX", format!("{} bytes", flows::OBJECT_BYTES_MAX)),
            ("doctor::MEMBERS_MAX", format!("{} accounts", sinks::MEMBERS_MAX)),
            ("doctor::TRIES_MAX", format!("{} times", ask::TRIES_MAX)),
        ] {
            let row = format!("\n| `{name}` | {bound} ");
            assert!(LIMITS.contains(&row), "mend docs/limits.md: {row}");
        }
    }
}

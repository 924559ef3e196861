//! Where findings are told as they are found. In: findings. Out: messages, and what became of each attempt
//! to deliver one. What is still to be delivered stands in the outbox (`kept/outbox.rs`).

mod body;
mod burst;
mod endpoint;
pub mod event_bridge;
mod filter;
mod guard;
mod heartbeat;
#[cfg(test)]
mod hostile;
pub mod json_lines;
mod lane;
mod note;
pub mod ocsf;
pub mod pagerduty;
mod quiet;
mod reach;
mod retry_after;
mod sample;
mod schedule;
mod secrets_manager;
pub mod security_hub;
mod service;
mod signature;
mod slack;
pub mod sns;
pub mod syslog;
mod teams;
pub mod template;
pub mod webhook;

pub(crate) use burst::{Burst, NAMED_MAX, Named};
pub use endpoint::{Endpoint, EndpointError, Protocol, URL_BYTES_MAX};
pub use filter::{Choice, Filter};
pub use guard::{Allowed, Inner, Network};
pub use heartbeat::Heartbeat;
pub use ingest::source::session::Gate;
pub use json_lines::JsonLines;
pub use lane::Lane;
pub use quiet::{NoQuiet, Quiet};
pub use reach::{ReachError, resolve};
pub use retry_after::http_date_ms;
pub(crate) use schedule::next_due;
pub use secrets_manager::{Kept, KeptSecret, NoKeptSecret};
pub use service::answer::Failure;
pub(crate) use service::answer::said;
#[cfg(test)]
pub(crate) use service::stub::Scripted;
pub use service::{Access, Caller, REGION_CHARS_MAX, Service};
pub use signature::{NoSecret, Secret};
pub use syslog::Syslog;
pub use webhook::{Form, Header, Webhook};

use crate::{Accounts, Inputs};
use detect::{Finding, FindingId, Severity};
use std::fmt;

/// Messages that are on the way to one sink. Unit: messages.
pub const ON_WAY_MAX: usize = 8;

/// What people read one after the other, where nothing else is set. Unit: messages.
const BURST: u64 = 10;

/// A place to which findings are told.
#[derive(Debug, Clone, PartialEq)]
pub struct Sink {
    /// Its name in the configuration; the outbox knows it by it.
    pub name: String,
    /// Findings below are not told.
    pub min_severity: Severity,
    /// Of the others it is told of these.
    pub filter: Filter,
    /// When only what is critical is sent.
    pub quiet: Option<Quiet>,
    /// How often it is told that the watch is at work. Unit: milliseconds; `None`: never.
    pub heartbeat_ms: Option<i64>,
    /// Of more messages than this at once a chat gets one. Unit: messages.
    pub burst: u64,
    /// What it is.
    pub to: To,
}

impl Sink {
    /// One that is told of all findings from a severity on, at any hour.
    pub fn new(name: &str, min_severity: Severity, to: To) -> Self {
        Self {
            name: name.to_owned(),
            min_severity,
            filter: Filter::default(),
            quiet: None,
            heartbeat_ms: None,
            burst: BURST,
            to,
        }
    }

    /// Whether a finding is told to it.
    pub fn wants(&self, finding: &Finding, accounts: &Accounts) -> bool {
        finding.severity >= self.min_severity && self.filter.admits(finding, accounts)
    }
}

/// What a sink is.
#[derive(Debug, Clone, PartialEq)]
pub enum To {
    /// Somebody who takes requests.
    Webhook(webhook::Settings),
    /// A file.
    JsonLines(json_lines::Settings),
    /// A collector of logs.
    Syslog(syslog::Settings),
    /// A service of AWS.
    Service(Service),
}

/// What a sink is told of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Each finding by itself, and again when it is more severe: whoever keeps findings wants them all.
    EachFinding,
    /// Of a series what is news: somebody reads each message.
    NewsOfSeries,
    /// A series is one finding there, which all findings of it bring up to date.
    OnePerSeries,
}

/// What happened to a finding, as far as a sink knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The sink was told nothing of it.
    Created,
    /// The sink was told that it is less severe.
    Updated,
}

/// Why a sink is told of a finding, where findings are told by series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It opens a series.
    Opened,
    /// No finding of its series was as severe.
    Risen,
    /// Its series goes on, and was not told of for a week.
    Reminder,
}

/// The series of a finding, that finding included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InSeries {
    /// The finding that opened it.
    pub(crate) opened: FindingId,
    /// Why it is told of, if anybody has to hear of that.
    pub(crate) why: Option<Why>,
    /// The highest of it.
    pub(crate) severity: Severity,
    /// When it was first and last seen. Unit: milliseconds since the Unix epoch.
    pub(crate) times_ms: (i64, i64),
}

impl InSeries {
    /// A series of this finding alone.
    #[cfg(test)]
    pub(crate) fn of(finding: &Finding, why: Why) -> Self {
        let Finding { id, severity, times_ms, .. } = *finding;
        Self { opened: id, why: Some(why), severity, times_ms }
    }
}

/// What makes a message of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Occasion {
    pub(crate) event: Event,
    /// Where findings are told by series.
    pub(crate) series: Option<InSeries>,
}

impl Occasion {
    /// A finding that the sink was told nothing of.
    #[cfg(test)]
    pub(crate) const NEW: Self = Self { event: Event::Created, series: None };
}

impl To {
    /// What it is told of findings.
    pub(crate) fn manner(&self) -> Manner {
        match self {
            Self::Webhook(_) => Manner::NewsOfSeries,
            Self::JsonLines(_) | Self::Syslog(_) => Manner::EachFinding,
            Self::Service(service) => service.manner(),
        }
    }

    /// Messages that may be on the way to it. Unit: messages.
    pub fn on_way_max(&self) -> usize {
        match self {
            Self::Webhook(_) | Self::JsonLines(_) => ON_WAY_MAX,
            Self::Syslog(settings) => settings.on_way_max(),
            Self::Service(service) => service.on_way_max(),
        }
    }

    /// The body of a message about `finding`, which a run with these `inputs` made. Unit of `now_ms`:
    /// milliseconds since the Unix epoch.
    pub(crate) fn body(
        &self,
        occasion: Occasion,
        (finding, inputs): (&Finding, &Inputs),
        now_ms: i64,
    ) -> String {
        match self {
            Self::JsonLines(_) => body::line(finding, inputs),
            Self::Syslog(settings) => settings.body((finding, inputs), now_ms),
            Self::Service(service) => service.body(occasion, (finding, inputs), now_ms),
            Self::Webhook(webhook::Settings { form, .. }) => match form {
                Form::Standard(_) => body::envelope(occasion, (finding, inputs), now_ms),
                Form::Slack => slack::body((occasion, finding, inputs)),
                Form::Teams => teams::body((occasion, finding, inputs)),
                Form::PagerDuty(_) => pagerduty::body((occasion, finding, inputs)),
                Form::Template(template) => template.body((occasion, finding, inputs)),
            },
        }
    }

    /// The body of a message that closes what the series which `opened` began has opened there, if anything is open.
    pub(crate) fn ended(&self, opened: FindingId) -> Option<String> {
        match self {
            Self::Webhook(webhook::Settings { form: Form::PagerDuty(_), .. }) => {
                Some(pagerduty::resolve(opened))
            }
            Self::Webhook(_) | Self::JsonLines(_) | Self::Syslog(_) | Self::Service(_) => None,
        }
    }

    /// From one answer to the next message it is left alone for so long, where it asks for that. Unit:
    /// milliseconds.
    pub fn gap_ms(&self) -> i64 {
        match self {
            Self::Webhook(webhook::Settings { form, .. }) => match form {
                Form::Standard(_) | Form::PagerDuty(_) | Form::Template(_) => 0,
                Form::Slack => slack::GAP_MS,
                Form::Teams => teams::GAP_MS,
            },
            Self::JsonLines(_) | Self::Syslog(_) | Self::Service(_) => 0,
        }
    }
}

/// What a sink is to be told.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The same whenever it is sent: who gets one twice knows it by it. Letters, digits and `_`.
    pub id: String,
    /// What it is about.
    pub finding: FindingId,
    /// How severe that is.
    pub severity: Severity,
    /// What is sent.
    pub body: String,
    /// Attempts that failed. Unit: attempts.
    pub attempts: u32,
    /// When the sink was first told of it, if it was. Unit: milliseconds since the Unix epoch.
    pub created_ms: Option<i64>,
    /// How many findings it tells of: none is a heartbeat or the end of a series. Unit: findings.
    pub n_findings: u64,
}

/// The body names people and addresses.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, severity, attempts, .. } = self;
        write!(f, "Message({id}, {}, {attempts} failed)", severity.label())
    }
}

/// What became of an attempt to deliver. No error holds a URL, a secret, or what a receiver wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The sink has it.
    Delivered,
    /// It may go well another time.
    Retry {
        /// Why it failed.
        error: String,
        /// How long the sink wants to be left alone. Unit: milliseconds.
        after_ms: Option<i64>,
    },
    /// The message may go well another time; what is not about the same the sink takes.
    Later {
        /// Why it failed.
        error: String,
    },
    /// The sink will never take this message.
    Refused {
        /// What it said.
        error: String,
    },
    /// The sink wants no message any more.
    Gone {
        /// What it said.
        error: String,
    },
}

impl Outcome {
    /// Why it was not delivered.
    pub fn error(&self) -> Option<&str> {
        match self {
            Self::Delivered => None,
            Self::Retry { error, .. }
            | Self::Later { error }
            | Self::Refused { error }
            | Self::Gone { error } => Some(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str = include_str!("../../docs/limits.md");

    #[test]
    fn the_page_of_limits_gives_the_bounds_in_force() {
        for (name, bound) in [
            ("slack::BODY_BYTES_MAX", format!("{} bytes", slack::BODY_BYTES_MAX)),
            ("slack::GAP_MS", format!("{} ms", slack::GAP_MS)),
            ("teams::BODY_BYTES_MAX", format!("{} bytes", teams::BODY_BYTES_MAX)),
            ("teams::GAP_MS", format!("{} ms", teams::GAP_MS)),
            ("sinks::ON_WAY_MAX", format!("{ON_WAY_MAX} messages")),
            ("pagerduty::BODY_BYTES_MAX", format!("{} bytes", pagerduty::BODY_BYTES_MAX)),
            ("note::TEXT_UNITS", format!("{} UTF-16 units", note::TEXT_UNITS[0])),
            ("event_bridge::ENTRIES_MAX", format!("{} events", event_bridge::ENTRIES_MAX)),
            ("note::TERMS_MAX", format!("{} terms", note::TERMS_MAX)),
            ("ocsf::FINDINGS_MAX", format!("{} findings", ocsf::FINDINGS_MAX)),
            ("template::FILE_BYTES_MAX", format!("{} bytes", template::FILE_BYTES_MAX)),
            ("template::BODY_BYTES_MAX", format!("{} bytes", template::BODY_BYTES_MAX)),
            ("syslog::STREAM_BYTES_MAX", format!("{} bytes", syslog::STREAM_BYTES_MAX)),
            ("syslog::DATAGRAM_BYTES_MAX", format!("{} bytes", syslog::DATAGRAM_BYTES_MAX)),
            ("syslog::MESSAGES_MAX", format!("{} messages", syslog::MESSAGES_MAX)),
        ] {
            let row = format!("\n| `{name}` | {bound} ");
            assert!(LIMITS.contains(&row), "mend docs/limits.md: {row}");
        }
    }
}

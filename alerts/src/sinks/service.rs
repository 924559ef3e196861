//! Services of AWS that findings are told by calls, and what takes batches as they do. In: settings of one of them, and
//! messages. Out: what became of each.
//! What they share stands here: how often they are called (`pace.rs`), and what their answers say (`answer.rs`).

pub(crate) mod answer;
pub(super) mod pace;
#[cfg(test)]
pub(crate) mod stub;

use super::{
    Event, Manner, Message, ON_WAY_MAX, Occasion, Outcome, body,
    event_bridge::{self, EventBridge},
    ocsf::{self, Ocsf},
    security_hub::{self, SecurityHub},
    sns::{self, Sns},
};
use crate::{
    Inputs,
    formats::{Activity, asff_of_series, ocsf_line},
};
use detect::Finding;
pub use ingest::source::session::Access;
use ingest::{source::session::AccessError, target::partition_of};

/// A region goes into the name of a host. Unit: characters.
pub const REGION_CHARS_MAX: usize = 40;

/// What such a service has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// AWS Security Hub.
    SecurityHub(security_hub::Settings),
    /// A topic of Amazon SNS.
    Sns(sns::Settings),
    /// A bus of Amazon EventBridge.
    EventBridge(event_bridge::Settings),
    /// A bucket or a folder of OCSF.
    Ocsf(ocsf::Settings),
}

impl Service {
    /// What it is told of findings.
    pub(super) fn manner(&self) -> Manner {
        match self {
            Self::SecurityHub(_) => Manner::OnePerSeries,
            Self::Sns(_) | Self::EventBridge(_) => Manner::NewsOfSeries,
            Self::Ocsf(_) => Manner::EachFinding,
        }
    }

    /// Messages that may be on the way to it. Unit: messages.
    pub(super) fn on_way_max(&self) -> usize {
        match self {
            Self::SecurityHub(_) => security_hub::FINDINGS_MAX,
            Self::Sns(_) => ON_WAY_MAX,
            Self::EventBridge(_) => event_bridge::ENTRIES_MAX,
            Self::Ocsf(_) => ocsf::FINDINGS_MAX,
        }
    }

    /// What waits in the outbox. Unit of `now_ms`: milliseconds since the Unix epoch.
    pub(super) fn body(
        &self,
        occasion: Occasion,
        (finding, inputs): (&Finding, &Inputs),
        now_ms: i64,
    ) -> String {
        match self {
            Self::SecurityHub(_) => asff_of_series(finding, inputs, occasion.series),
            Self::Sns(_) | Self::EventBridge(_) => {
                body::envelope(occasion, (finding, inputs), now_ms)
            }
            Self::Ocsf(_) => {
                let activity = match occasion.event {
                    Event::Created => Activity::Create,
                    Event::Updated => Activity::Update,
                };
                ocsf_line(activity, (finding, inputs))
            }
        }
    }

    /// A body that calls itself a sample, if the finding that it is about does.
    pub(super) fn as_sample(&self, body: String) -> String {
        match self {
            Self::SecurityHub(_) => security_hub::as_sample(&body),
            Self::Sns(_) | Self::EventBridge(_) | Self::Ocsf(_) => body,
        }
    }
}

/// Sends messages to such a service.
#[derive(Debug)]
pub enum Caller {
    /// Findings to Security Hub.
    SecurityHub(SecurityHub),
    /// Messages to a topic.
    Sns(Sns),
    /// Events to a bus.
    EventBridge(EventBridge),
    /// Objects to a bucket or a folder.
    Ocsf(Ocsf),
}

impl Caller {
    /// Finds region and credentials; whether they are good, the first call tells.
    pub async fn reach(service: Service) -> Result<Self, AccessError> {
        Ok(match service {
            Service::SecurityHub(settings) => {
                Self::SecurityHub(SecurityHub::reach(settings).await?)
            }
            Service::Sns(settings) => Self::Sns(Sns::reach(settings).await?),
            Service::EventBridge(settings) => {
                Self::EventBridge(EventBridge::reach(settings).await?)
            }
            Service::Ocsf(settings) => Self::Ocsf(Ocsf::reach(settings).await?),
        })
    }

    /// Sends messages, of no finding two, in their order; answers what became of each. `now_ms` reads the clock. Unit:
    /// milliseconds since the Unix epoch.
    pub async fn send(
        &mut self,
        messages: Vec<Message>,
        now_ms: fn() -> i64,
    ) -> Vec<(Message, Outcome)> {
        match self {
            Self::SecurityHub(hub) => hub.send(messages, now_ms).await,
            Self::Sns(sns) => sns.send(messages, now_ms).await,
            Self::EventBridge(bus) => bus.send(messages, now_ms).await,
            Self::Ocsf(ocsf) => ocsf.send(messages).await,
        }
    }
}

/// Region and resource of an ARN, if it is one of this service in an account.
pub(super) fn of_arn<'a>(text: &'a str, service: &str) -> Option<(&'a str, &'a str)> {
    let mut fields = text.splitn(6, ':');
    let mut next = || fields.next().unwrap_or_default();
    let (arn, partition, of, region, account, resource) =
        (next(), next(), next(), next(), next(), next());
    let is_region = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_one = arn == "arn"
        && of == service
        && (1..=REGION_CHARS_MAX).contains(&region.len())
        && region.chars().all(is_region)
        && partition == partition_of(region)
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then_some((region, resource))
}

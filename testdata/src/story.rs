//! Attacks, and harmless things that look like one: stories with known truth.
//!
//! A story is told whole, for one victim from one moment on, and goes into the logs between what
//! everybody else does. Each is a function in `story/`. Speed, tools and places are drawn, so that
//! two seeds give two different attacks by the same plan.

mod bulk_read;
mod calls;
mod change;
mod deliver;
mod destruction;
mod escalation;
mod exfiltration;
mod habits;
mod joined;
pub mod known;
mod network;
mod ransom;
mod scene;
mod schedule;
mod silence;
mod theft;
mod tools;
mod traffic;
mod travel;
mod upkeep;
mod victim;
mod wire;

pub use deliver::{deliver, in_one_object};
pub use scene::{Packets, Scene};
pub(crate) use schedule::{Schedule, schedule};
pub use victim::{Interface, Opened, Victim, VictimError, Who};

use crate::aws::call::Record;
use crate::aws::flow::Gap;
use crate::rng::Rng;
use crate::truth::Account;

/// A story that can be told of anybody of the right kind.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    /// Name, for example `codefinger`.
    pub name: &'static str,
    /// What happens, in one line.
    pub about: &'static str,
    /// It looks like an attack and is none.
    pub is_harmless: bool,
    /// Whom it can happen to.
    pub victim: VictimKind,
    /// When it happens.
    pub hours: Hours,
    /// It is over within so many days.
    pub days: i64,
    /// Tells it.
    pub tell: fn(&mut Scene<'_>),
}

/// Whom a story can happen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VictimKind {
    /// Somebody who signs in.
    Person,
    /// A role of instances, tasks or functions.
    Machine,
    /// A CI pipeline.
    Pipeline,
    /// Whatever calls by a program: a role of machines or pipelines, or a user's key.
    Program,
    /// A CI pipeline that still has a user with a key.
    PipelineWithKey,
    /// A network interface.
    Interface,
    /// A network interface whose flow log tells what was encrypted.
    EncryptedInterface,
    /// The flow log of a VPC.
    FlowLog,
}

impl VictimKind {
    /// In words, for example `a person`.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Person => "a person",
            Self::Machine => "a machine's role",
            Self::Pipeline | Self::PipelineWithKey => "a pipeline",
            Self::Program => "a program with a role or a key",
            Self::Interface => "a network interface",
            Self::EncryptedInterface => {
                "a network interface with encryption-status in its flow log"
            }
            Self::FlowLog => "a flow log",
        }
    }
}

/// When a story begins, on the victim's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hours {
    /// Between 9 and 13 on a day on which they work; machines take no day off.
    Work,
    /// At the end of a working day before days on which they sit down for nothing.
    Leaving,
    /// Between 1 and 4.
    Night,
    /// At any time.
    Any,
}

/// A story as it was told of one victim.
#[derive(Debug)]
pub struct Told {
    /// What is true of it.
    pub truth: Account,
    /// Records in the order of their times, each with the account it belongs to.
    pub records: Vec<(String, Record)>,
    /// Flows in the order of their ends.
    pub flows: Vec<Packets>,
    /// When the flow log of the victim wrote nothing.
    pub silence: Option<Silence>,
    /// When flows of the victim's interface were lost, which its log tells (`SKIPDATA`).
    pub gaps: Vec<Gap>,
}

/// A span in which a flow log was gone. Unit: seconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    /// When it was deleted.
    pub from_s: i64,
    /// When there was one again.
    pub until_s: i64,
    /// `fl-...`: the one that there is since then.
    pub renewed: String,
}

/// Every story: what is drawn for one in a plan of all depends on its place here, so those that came later come last,
/// each time attacks first.
pub const STORIES: [&Story; 54] = [
    &ransom::CODEFINGER,
    &theft::STOLEN_SESSION,
    &theft::INSTANCE_CREDENTIALS,
    &theft::LEAKED_CI_KEY,
    &escalation::ROLE_CHAIN,
    &exfiltration::SLOW_EXFILTRATION,
    &destruction::BACKUP_DESTRUCTION,
    &exfiltration::MODEL_HIJACK,
    &network::PORT_SCAN,
    &network::BEACON,
    &silence::LOGGING_OFF,
    &silence::FLOW_LOG_DELETED,
    &joined::DOOR_OPENED,
    &joined::SHELL_AND_OUT,
    &joined::CREDENTIALS_NEXT_DOOR,
    &bulk_read::BULK_READ,
    &travel::BUSINESS_TRIP,
    &travel::NEW_LAPTOP,
    &travel::ON_CALL,
    &upkeep::MIGRATION,
    &upkeep::RECOVERY_TEST,
    &upkeep::RE_ENCRYPTION,
    &change::NEW_TEAM,
    &change::AUDIT_TOOL,
    &change::FIRST_DEPLOYMENT,
    &network::VULNERABILITY_SCAN,
    &upkeep::BREAK_GLASS,
    &joined::OWN_DOOR,
    &joined::RELEASE_BY_COMMAND,
    &bulk_read::DAILY_LOAD,
    &traffic::PASSWORD_GUESSING,
    &traffic::SSH_WORM,
    &traffic::CRYPTO_MINER,
    &traffic::FOREIGN_RESOLVER,
    &traffic::FLOOD,
    &traffic::SPAM,
    &traffic::WALLED_IN_WORM,
    &traffic::NETWORK_CROSSING,
    &traffic::DEAD_SERVER,
    &traffic::BULK_UPLOAD,
    &traffic::SLOW_UPLOAD,
    &traffic::ENCRYPTION_LOST,
    &habits::FILE_DROP,
    &habits::CONFIGURATION_RUN,
    &habits::MESSAGE_BROKER,
    &habits::PUBLIC_RESOLVER,
    &habits::LOAD_TEST,
    &habits::MAIL_RELAY,
    &habits::ORPHANED_CLIENT,
    &habits::PEERED_REPORT,
    &habits::PARTNER_OUTAGE,
    &habits::NIGHTLY_BACKUP,
    &habits::AGENT_REPORTS,
    &habits::PLAIN_CACHE,
];

/// The story of that name.
pub fn named(name: &str) -> Option<&'static Story> {
    STORIES.into_iter().find(|story| story.name == name)
}

impl Story {
    /// Tells it of `victim` from `start_s` on. What leads up to it in ordinary life is told from
    /// `known_since_s`, at most, and is not part of the truth. Unit: seconds since the Unix epoch.
    pub fn told(&self, victim: &Victim, (known_since_s, start_s): (i64, i64), rng: Rng) -> Told {
        let mut scene = Scene::new(victim, (known_since_s, start_s), rng);
        (self.tell)(&mut scene);
        scene.finish(self)
    }
}

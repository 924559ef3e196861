//! The named memories of a profile.

use crate::impact::{Impact, Track};

/// What is counted of an hour, and so what its rate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statistic {
    /// The sum of the amounts.
    Sum,
    /// The sum of the amounts, which are in KiB, in MiB.
    Mebi,
    /// The number of distinct values.
    Distinct,
    /// The largest number of distinct values that begin with the same word.
    Shared,
    /// The number of values that the judging generation does not know.
    News,
}

macro_rules! dimensions {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal, $statistic:ident, $learns:literal;)*) => {
        /// A named memory of a profile.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Dimension { $($(#[doc = $doc])* $name,)* }

        impl Dimension {
            /// Every dimension.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in findings: kebab-case, stable.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What is counted of it.
            pub(crate) fn statistic(self) -> Statistic {
                match self { $(Self::$name => Statistic::$statistic,)* }
            }

            /// Whether its values are remembered for longer than their hours.
            pub(crate) fn learns_values(self) -> bool {
                match self { $(Self::$name => $learns,)* }
            }
        }
    };
}

dimensions! {
    /// APIs called, `service:Action`.
    Api = "api", News, true;
    /// Services called.
    Service = "service", News, true;
    /// AWS regions called.
    Region = "region", News, true;
    /// Countries called from.
    Country = "country", News, true;
    /// Networks (ASN) called from.
    Network = "network", News, true;
    /// Tools called with: families of user agents.
    Agent = "agent", News, true;
    /// Kinds of credentials called with, and whether by MFA.
    Credential = "credential", News, true;
    /// What calls were about: buckets, keys, secrets, roles.
    Target = "target", News, true;
    /// Classes of errors.
    Error = "error", News, true;
    /// Calls that read, those on S3 apart.
    CallsRead = "calls-read", Sum, false;
    /// Calls that list or describe, those on S3 apart.
    CallsDiscovery = "calls-discovery", Sum, false;
    /// Calls that create or change, those on S3 apart.
    CallsWrite = "calls-write", Sum, false;
    /// Calls that get in or run something, those on S3 apart.
    CallsAccess = "calls-access", Sum, false;
    /// Calls that obtain credentials, those on S3 apart.
    CallsCredential = "calls-credential", Sum, false;
    /// Calls that give rights, those on S3 apart.
    CallsPrivilege = "calls-privilege", Sum, false;
    /// Calls that make a way back, those on S3 apart.
    CallsPersistence = "calls-persistence", Sum, false;
    /// Calls that stop what watches, those on S3 apart.
    CallsEvasion = "calls-evasion", Sum, false;
    /// Calls that take data out, those on S3 apart.
    CallsExfiltration = "calls-exfiltration", Sum, false;
    /// Calls that destroy, those on S3 apart.
    CallsDestruction = "calls-destruction", Sum, false;
    /// Calls on S3 that read.
    S3CallsRead = "s3-calls-read", Sum, false;
    /// Calls on S3 that list or describe.
    S3CallsDiscovery = "s3-calls-discovery", Sum, false;
    /// Calls on S3 that create or change.
    S3CallsWrite = "s3-calls-write", Sum, false;
    /// Calls on S3 that get in or run something.
    S3CallsAccess = "s3-calls-access", Sum, false;
    /// Calls on S3 that obtain credentials.
    S3CallsCredential = "s3-calls-credential", Sum, false;
    /// Calls on S3 that give rights.
    S3CallsPrivilege = "s3-calls-privilege", Sum, false;
    /// Calls on S3 that make a way back.
    S3CallsPersistence = "s3-calls-persistence", Sum, false;
    /// Calls on S3 that stop what watches.
    S3CallsEvasion = "s3-calls-evasion", Sum, false;
    /// Calls on S3 that take data out.
    S3CallsExfiltration = "s3-calls-exfiltration", Sum, false;
    /// Calls on S3 that destroy.
    S3CallsDestruction = "s3-calls-destruction", Sum, false;
    /// Calls that were denied; the values are their APIs.
    Denied = "denied", Sum, false;
    /// S3 objects written with a key that the account does not hold; the values are buckets.
    ObjectsReencrypted = "objects-reencrypted", Sum, false;
    /// S3 objects deleted; the values are buckets.
    ObjectsDeleted = "objects-deleted", Sum, false;
    /// Secrets and parameters read, by name.
    Secrets = "secrets", Distinct, false;
    /// Secrets read by calls that name none.
    SecretBatches = "secret-batches", Sum, false;
    /// Calls of the root user, by API.
    RootCalls = "root-calls", Sum, true;
    /// Calls that stop or narrow logging, by API and target.
    LoggingOff = "logging-off", Sum, true;
    /// What sentrail lives on, touched: how bad, how done, API and ARN.
    OwnTouched = "own-touched", Sum, false;
    /// Credentials made for somebody else, by API and that person.
    CredentialsGiven = "credentials-given", Sum, true;
    /// Credentials that were made for somebody else or deleted, by id.
    CredentialIds = "credential-ids", Sum, false;
    /// Accounts that were given access to something, or `everybody`.
    AccessGiven = "access-given", Sum, true;
    /// What was opened to others, and to whom.
    Opened = "opened", Sum, false;
    /// Console sign-ins: `with MFA` or `without MFA`.
    SignIns = "sign-ins", Sum, true;
    /// Console sign-ins without MFA alone, so that only they are evidence.
    SignInsWithoutMfa = "sign-ins-without-mfa", Sum, false;
    /// Networks outside AWS from which the credentials of a workload or pipeline were used.
    OutsideNetworks = "outside-networks", Sum, true;
    /// Connections that an interface opened.
    Connections = "connections", Sum, false;
    /// Peers and ports that an interface called in vain.
    ScanTargets = "scan-targets", Distinct, false;
    /// Ports of peers of which an interface called several, `peer port`.
    PeerPorts = "peer-ports", Shared, false;
    /// What an interface sent to peers outside that it called, by peer. Unit: KiB; of its rate: MiB.
    BytesOut = "bytes-out", Mebi, true;
    /// What an interface took from peers that may be APIs of AWS, of those that gave much in one object, by peer.
    /// Unit: KiB; of its rate: MiB.
    BytesTaken = "bytes-taken", Mebi, false;
    /// Short connections to an interface that look like attempts to log on, `peer port`.
    LogonTries = "logon-tries", Sum, false;
    /// Those of peers of which one object shows ten or more at a service where somebody logs on.
    LogonBursts = "logon-bursts", Sum, false;
    /// The same from an interface.
    LogonTriesMade = "logon-tries-made", Sum, false;
    /// Calls of an interface that one service outside did not answer, again and again, `peer port`.
    CallsInVain = "calls-in-vain", Sum, false;
    /// Ports of an interface that peers outside tried in vain, several each, `peer port`.
    Probes = "probes", Distinct, false;
    /// The same of peers inside.
    ProbesInside = "probes-inside", Distinct, false;
    /// Packets that an interface sent to one peer outside, with hardly any back, `protocol port peer`. Unit:
    /// thousands.
    Floods = "floods", Sum, false;
    /// Resolvers outside that an interface asked, `protocol peer`.
    Resolvers = "resolvers", Sum, true;
    /// Ports outside that an interface called and that answered, `protocol port`, but for those of everybody.
    PortsCalled = "ports-called", Sum, true;
    /// Hosts inside on which somebody logged on from an interface, `peer port`.
    Neighbours = "neighbours", Sum, true;
    /// Sessions of peers outside at services of an interface where somebody logs on, `peer port`. Unit: seconds.
    Logons = "logons", Sum, true;
    /// Pairs of subnets inside, of an interface and of a host that it called, `own other`.
    Segments = "segments", Sum, true;
    /// Flows of an interface to hosts inside that were rejected, `peer port`.
    Rejects = "rejects", Sum, false;
    /// Services inside that an interface called encrypted or in clear text, `how peer port`.
    Encryption = "encryption", Sum, true;
    /// Time in which flows of an interface were lost. Unit: seconds.
    Skipped = "skipped", Sum, false;
    /// Connections from outside that an interface answered at a port that is not meant for everybody, and that
    /// carry more than an attempt to log on, `peer port`.
    Visits = "visits", Sum, true;
    /// Rules that matched; what is learned are built-in ones to which habit matters, by id.
    Matches = "matches", Sum, true;
}

impl Dimension {
    /// The calls of `track`.
    pub fn calls(track: Track) -> Self {
        match (track.impact, track.is_s3) {
            (Impact::Read, false) => Self::CallsRead,
            (Impact::Discovery, false) => Self::CallsDiscovery,
            (Impact::Write, false) => Self::CallsWrite,
            (Impact::Access, false) => Self::CallsAccess,
            (Impact::Credential, false) => Self::CallsCredential,
            (Impact::Privilege, false) => Self::CallsPrivilege,
            (Impact::Persistence, false) => Self::CallsPersistence,
            (Impact::Evasion, false) => Self::CallsEvasion,
            (Impact::Exfiltration, false) => Self::CallsExfiltration,
            (Impact::Destruction, false) => Self::CallsDestruction,
            (Impact::Read, true) => Self::S3CallsRead,
            (Impact::Discovery, true) => Self::S3CallsDiscovery,
            (Impact::Write, true) => Self::S3CallsWrite,
            (Impact::Access, true) => Self::S3CallsAccess,
            (Impact::Credential, true) => Self::S3CallsCredential,
            (Impact::Privilege, true) => Self::S3CallsPrivilege,
            (Impact::Persistence, true) => Self::S3CallsPersistence,
            (Impact::Evasion, true) => Self::S3CallsEvasion,
            (Impact::Exfiltration, true) => Self::S3CallsExfiltration,
            (Impact::Destruction, true) => Self::S3CallsDestruction,
        }
    }

    /// Whether it counts calls: an hour keeps the first of each slot, though no detector asked for it.
    pub(crate) fn is_calls(self) -> bool {
        (Self::CallsRead..=Self::S3CallsDestruction).contains(&self)
    }

    /// Whether it is remembered how its days move: of calls, and of what leaves.
    pub(crate) fn has_pace(self) -> bool {
        self.is_calls() || self == Self::BytesOut
    }

    /// Whether only flows that were accepted make it.
    pub(crate) fn is_of_accepted(self) -> bool {
        let accepted = [
            Self::BytesOut,
            Self::BytesTaken,
            Self::Logons,
            Self::Neighbours,
            Self::PortsCalled,
            Self::Visits,
        ];
        accepted.contains(&self)
    }

    /// Whether most of its values are words that many use, and not things of one's own.
    pub(crate) fn is_vocabulary(self) -> bool {
        self.counts_news() && self != Self::Target
    }

    /// Whether its rate counts the values that its generation does not know: an hour keeps only them.
    pub fn counts_news(self) -> bool {
        self.statistic() == Statistic::News
    }
}

#[cfg(test)]
mod tests {
    use super::Dimension;
    use std::collections::BTreeSet;

    #[test]
    fn every_dimension_has_a_bit_of_a_word() {
        assert!(Dimension::ALL.len() <= 128);
    }

    #[test]
    fn every_dimension_has_a_name_of_its_own() {
        let names: BTreeSet<_> = Dimension::ALL.iter().map(|dimension| dimension.name()).collect();
        assert_eq!(names.len(), Dimension::ALL.len());
    }
}

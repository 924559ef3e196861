//! The named memories of a profile.

/// What is counted of an hour, and so what its rate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statistic {
    /// The sum of the amounts.
    Sum,
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
    /// AWS regions called.
    Region = "region", News, true;
    /// Countries called from.
    Country = "country", News, true;
    /// Networks (ASN) called from.
    Network = "network", News, true;
    /// Calls that read one thing.
    Reads = "reads", Sum, false;
    /// Calls that list or describe.
    Lists = "lists", Sum, false;
    /// Calls that create or change.
    Writes = "writes", Sum, false;
    /// Calls that delete.
    Deletes = "deletes", Sum, false;
    /// Calls that use or change keys.
    Encrypts = "encrypts", Sum, false;
    /// Calls that share with others.
    Shares = "shares", Sum, false;
    /// Calls that obtain credentials.
    Credentials = "credentials", Sum, false;
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
    /// Rules that matched; what is learned are built-in ones to which habit matters, by id.
    Matches = "matches", Sum, true;
}

impl Dimension {
    /// Whether an hour keeps only the values that its generation does not know.
    pub(crate) fn keeps_news_only(self) -> bool {
        self.statistic() == Statistic::News
    }
}

#[cfg(test)]
mod tests {
    use super::Dimension;
    use std::collections::BTreeSet;

    #[test]
    fn every_dimension_has_a_bit_of_a_word() {
        assert!(Dimension::ALL.len() <= 64);
    }

    #[test]
    fn every_dimension_has_a_name_of_its_own() {
        let names: BTreeSet<_> = Dimension::ALL.iter().map(|dimension| dimension.name()).collect();
        assert_eq!(names.len(), Dimension::ALL.len());
    }
}

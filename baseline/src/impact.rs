//! What an API call can do to those whose account it is.

/// What API calls can do. Hours are kept by it, so that each tactic is judged on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Impact {
    /// Reads content or state of one thing.
    Read,
    /// Lists, describes: tells who and what there is.
    Discovery,
    /// Creates or changes what gives nobody more rights.
    Write,
    /// Gets into the account, or runs something in it.
    Access,
    /// Obtains credentials or secrets.
    Credential,
    /// Gives more rights.
    Privilege,
    /// Makes a way to come back.
    Persistence,
    /// Stops or narrows what watches.
    Evasion,
    /// Takes data out.
    Exfiltration,
    /// Destroys, denies, or costs.
    Destruction,
}

impl Impact {
    /// Every class.
    pub const ALL: &[Self] = &[
        Self::Read,
        Self::Discovery,
        Self::Write,
        Self::Access,
        Self::Credential,
        Self::Privilege,
        Self::Persistence,
        Self::Evasion,
        Self::Exfiltration,
        Self::Destruction,
    ];

    /// Its name, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Discovery => "discovery",
            Self::Write => "write",
            Self::Access => "access",
            Self::Credential => "credential",
            Self::Privilege => "privilege",
            Self::Persistence => "persistence",
            Self::Evasion => "evasion",
            Self::Exfiltration => "exfiltration",
            Self::Destruction => "destruction",
        }
    }
}

/// What is judged together: calls of one impact, those on S3 apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Track {
    /// What the calls can do.
    pub impact: Impact,
    /// Whether they are calls of S3.
    pub is_s3: bool,
}

impl Track {
    /// Every track.
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |is_s3| move |&impact: &Impact| Self { impact, is_s3 };
        Impact::ALL.iter().map(of(false)).chain(Impact::ALL.iter().map(of(true)))
    }
}

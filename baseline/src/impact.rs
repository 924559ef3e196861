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
    fn bit(self) -> u32 {
        let n_impacts = if self.is_s3 { Impact::ALL.len() } else { 0 };
        1 << (self.impact as usize + n_impacts)
    }
}

/// A set of tracks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tracks(u32);

impl Tracks {
    /// Whether `track` is among them.
    pub fn has(self, track: Track) -> bool {
        self.0 & track.bit() != 0
    }

    /// Those of both sets.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl From<Track> for Tracks {
    fn from(track: Track) -> Self {
        Self(track.bit())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_track_has_a_bit_of_its_own() {
        let tracks = Impact::ALL
            .iter()
            .flat_map(|&impact| [false, true].map(|is_s3| Track { impact, is_s3 }));
        let bits: u32 = tracks.clone().map(Track::bit).sum();
        assert_eq!(bits.count_ones() as usize, tracks.count());
    }
}

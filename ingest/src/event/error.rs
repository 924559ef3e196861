//! Why a call failed, as few classes of `errorCode`: every service has its own words for the same.

use crate::event::Event;

/// What an error says of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// The caller was not allowed to make it.
    Denied,
    /// What it names is not there.
    NotFound,
    /// Too many calls, or more than a quota allows.
    Throttled,
    /// What it would make is there already, or in use.
    Exists,
    /// It was put wrongly.
    Invalid,
    /// Anything else.
    Other,
}

impl ErrorClass {
    /// The class of an error code, whatever its case; [`Self::Other`] for one that fits no other, and for
    /// an empty one.
    pub fn of(code: &str) -> Self {
        let code = code.to_ascii_lowercase();
        if code == "unauthorized" {
            return Self::Denied;
        }
        let found = WORDS.iter().find(|(_, words)| words.iter().any(|word| code.contains(word)));
        found.map_or(Self::Other, |(class, _)| *class)
    }

    /// What rules, profiles and findings call it, for example `not-found`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::Throttled => "throttled",
            Self::Exists => "exists",
            Self::Invalid => "invalid",
            Self::Other => "other",
        }
    }
}

/// Parts of codes in the services' API references, without prefixes such as `Client.` and suffixes
/// such as `Exception`, lower case. The first class that fits: `Client.InvalidGroup.NotFound` says that
/// something is not there.
const WORDS: [(ErrorClass, &[&str]); 5] = [
    (
        ErrorClass::Denied,
        &[
            "accessdenied", // also VpceAccessDenied, KmsAccessDenied
            "unauthorizedoperation",
            "unauthorizedaccess",
            "notauthorized",
            "authorizationerror",
            "forbidden",
            "unauthorizedexception",
            "permissiondenied",
            "deniedbypolicy",
        ],
    ),
    (ErrorClass::NotFound, &["notfound", "nosuch", "notexist", "nonexistent"]),
    (
        ErrorClass::Throttled,
        &["throttl", "toomany", "slowdown", "limitexceeded", "quotaexceeded", "throughputexceeded"],
    ),
    (
        ErrorClass::Exists,
        &["alreadyexist", "alreadyowned", "duplicate", "conflict", "inuse", "notempty"],
    ),
    (
        ErrorClass::Invalid,
        &["invalid", "validation", "malformed", "missing", "badrequest", "unknownparameter"],
    ),
];

impl Event<'_> {
    /// The class of its error; `None` where no error code is recorded, which costs nothing.
    pub(crate) fn error_class(&self) -> Option<ErrorClass> {
        let code = self.error_code.filter(|code| !code.is_empty())?;
        Some(ErrorClass::of(&code.get()))
    }

    /// Whether the error says that the caller was not allowed to make the call.
    pub fn denied(&self) -> bool {
        self.error_class() == Some(ErrorClass::Denied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn denials_are_told_from_other_errors() {
        for code in [
            "AccessDenied",
            "AccessDeniedException",
            "Client.UnauthorizedOperation",
            "UnauthorizedAccess",
            "AuthorizationErrorException",
            "VpceAccessDenied",
            "Forbidden",
            "ForbiddenException",
            "NotAuthorized",
            "UserUnauthorizedException",
            "Unauthorized",
        ] {
            assert_eq!(ErrorClass::of(code), ErrorClass::Denied, "{code}");
        }
    }

    #[test]
    fn other_errors_have_the_class_of_what_is_in_the_way() {
        for (code, class) in [
            ("NoSuchBucket", ErrorClass::NotFound),
            ("Client.InvalidInstanceID.NotFound", ErrorClass::NotFound),
            ("ResourceNotFoundException", ErrorClass::NotFound),
            ("InvocationDoesNotExist", ErrorClass::NotFound),
            ("ThrottlingException", ErrorClass::Throttled),
            ("Client.RequestLimitExceeded", ErrorClass::Throttled),
            ("TooManyRequestsException", ErrorClass::Throttled),
            ("EntityAlreadyExists", ErrorClass::Exists),
            ("Client.InvalidPermission.Duplicate", ErrorClass::Exists),
            ("BucketNotEmpty", ErrorClass::Exists),
            ("ValidationException", ErrorClass::Invalid),
            ("Client.InvalidSnapshotID.Malformed", ErrorClass::Invalid),
            ("MissingParameter", ErrorClass::Invalid),
            ("Client.AuthFailure", ErrorClass::Other),
            ("Client.DryRunOperation", ErrorClass::Other),
            ("InternalFailure", ErrorClass::Other),
        ] {
            assert_eq!(ErrorClass::of(code), class, "{code}");
        }
    }

    proptest! {
        #[test]
        fn prefixes_suffixes_and_case_do_not_change_a_class(
            word in proptest::sample::select(WORDS.to_vec()).prop_flat_map(|(class, words)| {
                proptest::sample::select(words).prop_map(move |word| (class, word))
            }),
            service in "(Client\\.|Kms|)",
            suffix in "(Exception|Fault|Error|)",
        ) {
            let code = format!("{service}{}{suffix}", word.1.to_ascii_uppercase());
            prop_assert_eq!(ErrorClass::of(&code), word.0, "{}", code);
        }
    }
}

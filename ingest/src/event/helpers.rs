//! What later stages ask of an event more than once.

use std::borrow::Cow;

use crate::event::{Event, Raw, Text};

/// Whether a call did what it was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// No error is recorded.
    Success,
    /// An error is recorded, or a sign-in says that it failed.
    Failure,
}

impl<'a> Event<'a> {
    /// The account the event belongs to: `recipientAccountId`, else `userIdentity.accountId`.
    pub fn account(&self) -> Option<Text<'a>> {
        let own = self.recipient_account.filter(|account| !account.is_empty());
        own.or_else(|| self.identity?.get("accountId")?.text())
    }

    /// [`Outcome::Failure`] where an error code or message is recorded that is not empty, or where
    /// `responseElements.ConsoleLogin` is `Failure`. Other answers of the sign-in service, such
    /// as that of `CheckMfa`, are part of a normal sign-in.
    pub fn outcome(&self) -> Outcome {
        let error = |text: Option<Text<'_>>| text.is_some_and(|text| !text.is_empty());
        if error(self.error_code) || error(self.error_message) || self.sign_in_failed() {
            return Outcome::Failure;
        }
        Outcome::Success
    }

    fn sign_in_failed(&self) -> bool {
        let answer = |response: Raw<'a>| response.get("ConsoleLogin")?.text();
        self.name.is("ConsoleLogin")
            && self.response.and_then(answer).is_some_and(|login| login.is("Failure"))
    }

    /// The service's short name: `eventSource` up to its first dot.
    pub fn service(&self) -> Cow<'a, str> {
        let first = |source: &str| source.find('.').unwrap_or(source.len());
        match self.source.get() {
            Cow::Borrowed(source) => Cow::Borrowed(
                source.split_at_checked(first(source)).map_or(source, |parts| parts.0),
            ),
            Cow::Owned(mut source) => {
                source.truncate(first(&source));
                Cow::Owned(source)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ErrorClass;

    /// A record that says what every one does, and nothing else.
    fn plain() -> Event<'static> {
        let (source, name) = (Text("signin.amazonaws.com"), Text("ConsoleLogin"));
        Event { source, name, ..Event::default() }
    }

    #[test]
    fn the_recipient_owns_the_event() {
        let identity = Some(Raw(r#"{"accountId":"1"}"#));
        assert_eq!(plain().account(), None);
        assert_eq!(Event { identity, ..plain() }.account(), Some(Text("1")));
        let both = Event { identity, recipient_account: Some(Text("2")), ..plain() };
        assert_eq!(both.account(), Some(Text("2")));
        let empty = Event { identity, recipient_account: Some(Text("")), ..plain() };
        assert_eq!(empty.account(), Some(Text("1")));
    }

    #[test]
    fn failures_are_errors_and_failed_sign_ins() {
        let login = |response| Event { response: Some(Raw(response)), ..plain() }.outcome();
        assert_eq!(plain().outcome(), Outcome::Success);
        assert_eq!(login(r#"{"ConsoleLogin":"Failure"}"#), Outcome::Failure);
        assert_eq!(login(r#"{"ConsoleLogin":"Success"}"#), Outcome::Success);
        assert_eq!(login(r#"{"CheckMfa":"Failure"}"#), Outcome::Success);
        let response = Some(Raw(r#"{"ConsoleLogin":"Failure"}"#));
        let other = Event { name: Text("CheckMfa"), response, ..plain() };
        assert_eq!(other.outcome(), Outcome::Success);
        let error = |text| Event { error_message: Some(Text(text)), ..plain() }.outcome();
        assert_eq!(error("Failed authentication"), Outcome::Failure);
        assert_eq!(error(""), Outcome::Success);
        assert_eq!(Event { error_code: Some(Text("X")), ..plain() }.outcome(), Outcome::Failure);
    }

    #[test]
    fn the_service_is_the_source_s_first_part() {
        assert_eq!(plain().service(), "signin");
        assert_eq!(Event { source: Text("s3"), ..plain() }.service(), "s3");
        assert_eq!(Event { source: Text(r"s\u0033.amazonaws.com"), ..plain() }.service(), "s3");
    }

    #[test]
    fn an_error_has_a_class_and_success_has_none() {
        let class = |code| Event { error_code: Some(Text(code)), ..plain() }.error_class();
        assert_eq!(class("AccessDenied"), Some(ErrorClass::Denied));
        assert_eq!(class(r"Access\u0044enied"), Some(ErrorClass::Denied));
        assert_eq!(class(""), None);
        assert_eq!(plain().error_class(), None);
        assert!(Event { error_code: Some(Text("AccessDenied")), ..plain() }.denied());
        assert!(!plain().denied());
    }
}

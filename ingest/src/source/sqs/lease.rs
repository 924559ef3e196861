//! How long a message stays ours. In: when it was received and what extensions brought. Out: when to
//! extend next, and whether others may have it. All times are since the consumer began.

use std::time::Duration;

/// Longest time that SQS keeps a message invisible, from its receipt on. Unit: seconds.
pub(crate) const INVISIBLE_S_MAX: u64 = 43_200;

/// Part of the visibility timeout after which it is extended.
pub(crate) const BEATS: u32 = 3;

/// What an attempt to extend came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extension {
    /// The message is invisible for that long from when it was asked.
    Done,
    /// SQS says that it is not ours any more.
    Refused,
    /// SQS did not say.
    Failed,
}

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Nothing yet.
    Wait,
    /// Ask for so many seconds from now on.
    Extend(u32),
    /// Others may have it.
    Lost,
}

/// The time for which a message is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lease {
    timeout: Duration,
    received: Duration,
    expires: Duration,
    next: Duration,
    /// When an extension was asked for, and for how long.
    asked: Option<(Duration, Duration)>,
    lost: bool,
}

impl Lease {
    /// Begins at the receipt of a message.
    pub(crate) fn new(received: Duration, timeout: Duration) -> Self {
        let next = received + timeout / BEATS;
        Self { timeout, received, expires: received + timeout, next, asked: None, lost: false }
    }

    /// When the message was received.
    pub(crate) fn began(&self) -> Duration {
        self.received
    }

    /// When to look again.
    pub(crate) fn next(&self) -> Option<Duration> {
        (!self.lost).then_some(self.next)
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// What to do now.
    pub(crate) fn beat(&mut self, now: Duration) -> Beat {
        if self.lost || now < self.next {
            return Beat::Wait;
        }
        if now >= self.expires {
            self.lost = true;
            return Beat::Lost;
        }
        self.next = (now + self.timeout / BEATS).min(self.expires);
        let end = self.received + Duration::from_secs(INVISIBLE_S_MAX);
        let longest = self.timeout.min(end.saturating_sub(now));
        let wanted = Duration::from_secs(longest.as_secs());
        // At the end of the twelve hours nothing can be gained any more.
        if now + wanted <= self.expires {
            self.next = self.expires;
            return Beat::Wait;
        }
        self.asked = Some((now, wanted));
        Beat::Extend(u32::try_from(wanted.as_secs()).unwrap_or(u32::MAX))
    }

    /// Learns what an extension came to; whether the message was lost by it.
    pub(crate) fn extended(&mut self, extension: Extension) -> bool {
        let asked = self.asked.take();
        match (extension, asked) {
            (Extension::Done, Some((at, wanted))) => self.expires = at + wanted,
            (Extension::Refused, _) if !self.lost => {
                self.lost = true;
                return true;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn it_is_extended_at_every_third_of_the_timeout() {
        let mut lease = Lease::new(s(10.0), s(30.0));
        assert_eq!((lease.next(), lease.beat(s(19.9))), (Some(s(20.0)), Beat::Wait));
        for at in [20.0, 30.0, 40.0, 50.0] {
            assert_eq!(lease.beat(s(at)), Beat::Extend(30), "{at}");
            assert!(!lease.extended(Extension::Done));
        }
        assert_eq!(lease.next(), Some(s(60.0)));
    }

    #[test]
    fn a_failure_is_tried_again_until_the_time_is_over() {
        let mut lease = Lease::new(s(0.0), s(30.0));
        for at in [10.0, 20.0] {
            assert_eq!(lease.beat(s(at)), Beat::Extend(30), "{at}");
            assert!(!lease.extended(Extension::Failed));
        }
        assert_eq!(lease.next(), Some(s(30.0)));
        assert_eq!((lease.beat(s(30.0)), lease.is_lost()), (Beat::Lost, true));
        assert_eq!((lease.next(), lease.beat(s(40.0))), (None, Beat::Wait));
    }

    #[test]
    fn a_refusal_loses_it_at_once_and_only_once() {
        let mut lease = Lease::new(s(0.0), s(30.0));
        lease.beat(s(10.0));
        assert!(lease.extended(Extension::Refused));
        assert!(!lease.extended(Extension::Refused));
    }

    #[test]
    fn whoever_slept_too_long_has_lost_it() {
        let mut lease = Lease::new(s(0.0), s(30.0));
        assert_eq!(lease.beat(s(31.0)), Beat::Lost);
    }

    #[test]
    fn twelve_hours_are_the_end() {
        let end_s = INVISIBLE_S_MAX as f64;
        let mut lease = Lease::new(s(0.0), s(3_600.0));
        let mut extensions = 0;
        let mut last = 0;
        while let Some(next) = lease.next() {
            match lease.beat(next) {
                Beat::Extend(seconds) => {
                    assert!(next.as_secs() + u64::from(seconds) <= INVISIBLE_S_MAX);
                    lease.extended(Extension::Done);
                    (extensions, last) = (extensions + 1, seconds);
                }
                Beat::Wait => {}
                Beat::Lost => assert_eq!(next, s(end_s)),
            }
        }
        // Every 20 minutes, the last time with an hour to go.
        assert_eq!((extensions, last), (33, 3_600));
    }
}

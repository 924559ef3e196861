//! What a finding is about, seen from the truth: which story, or none.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::truth::Truth;

/// The times of flows may be told by the start of a slot. Unit: seconds.
const SLOT_S: i64 = 300;

/// What somebody says was found, as far as the truth can check it.
#[derive(Debug, Clone, Default)]
pub struct Claim<'a> {
    /// `eventID` of records it rests on.
    pub event_ids: Vec<&'a str>,
    /// The interface, or an address of it, if it is about flows.
    pub interface: Option<&'a str>,
    /// The other sides of these flows.
    pub peers: Vec<&'a str>,
    /// The first and the last moment, ISO 8601 in UTC.
    pub times: (&'a str, &'a str),
}

/// The truth, ready to be asked.
#[derive(Debug)]
pub struct Judge<'a> {
    truth: &'a Truth,
    stories: BTreeMap<&'a str, usize>,
}

impl<'a> Judge<'a> {
    /// Reads the truth once.
    pub fn new(truth: &'a Truth) -> Self {
        let ids = truth.stories.iter().enumerate().flat_map(|(number, story)| {
            let events = story.steps.iter().flat_map(|step| &step.event_ids);
            events.map(move |id| (id.as_str(), number))
        });
        Self { truth, stories: ids.collect() }
    }

    /// The story that `claim` is about: the first of which it names a record, or a flow.
    pub fn story(&self, claim: &Claim<'_>) -> Option<usize> {
        let by_event = claim.event_ids.iter().find_map(|id| self.stories.get(id)).copied();
        by_event.or_else(|| self.by_flow(claim))
    }

    fn by_flow(&self, claim: &Claim<'_>) -> Option<usize> {
        let interface = claim.interface?;
        let (first_s, last_s) = (seconds(claim.times.0)?, seconds(claim.times.1)? + SLOT_S);
        self.truth.stories.iter().position(|story| {
            story.steps.iter().any(|step| {
                let times = seconds(&step.first).zip(seconds(&step.last));
                let overlaps =
                    times.is_some_and(|(from_s, until_s)| from_s < last_s && first_s <= until_s);
                overlaps && step.flows.iter().any(|flow| is_about(flow, interface, &claim.peers))
            })
        })
    }
}

fn seconds(time: &str) -> Option<i64> {
    time.parse().ok().map(Timestamp::as_second)
}

/// Whether the flow's key, `interface source destination ...`, names `interface` and one of `peers`.
fn is_about(flow: &str, interface: &str, peers: &[&str]) -> bool {
    let mut words = flow.split(' ');
    let is_at = words.next() == Some(interface);
    let mut ends = words.take(2).filter(|end| end.parse::<IpAddr>().is_ok());
    let is_end = !is_at && ends.clone().any(|end| end == interface);
    (is_at || is_end) && ends.any(|end| peers.contains(&end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::iso;
    use crate::truth::{Account, Step};

    fn truth() -> Truth {
        let mut theft = Step::new("keys-used", "T1078", "arn:aws:iam::111122223333:user/ada");
        theft.event(1_000, "one".to_owned());
        let mut scan = Step::new("ports", "T1046", "111122223333/eni-1");
        scan.first = iso(5_000);
        scan.last = iso(6_000);
        scan.flows = vec!["eni-1 10.0.0.1 10.0.0.9 40000 22 6 5000".to_owned()];
        let story = |name: &str, step: Step| Account {
            name: name.to_owned(),
            is_harmless: false,
            entity: step.entity.clone(),
            first: step.first.clone(),
            last: step.last.clone(),
            steps: vec![step],
        };
        Truth { stories: vec![story("theft", theft), story("scan", scan)] }
    }

    #[test]
    fn a_record_names_its_story() {
        let truth = truth();
        let judge = Judge::new(&truth);
        let claim = Claim { event_ids: vec!["other", "one"], ..Claim::default() };
        assert_eq!(judge.story(&claim), Some(0));
        assert_eq!(judge.story(&Claim { event_ids: vec!["other"], ..Claim::default() }), None);
    }

    #[test]
    fn a_flow_needs_interface_time_and_peer() {
        let truth = truth();
        let judge = Judge::new(&truth);
        let claim = |interface, peers: &[&'static str], (first_s, last_s)| {
            let (interface, times) = (Some(interface), (&*iso(first_s), &*iso(last_s)));
            judge.story(&Claim { interface, peers: peers.to_vec(), times, ..Claim::default() })
        };
        assert_eq!(claim("eni-1", &["10.0.0.9"], (5_900, 7_000)), Some(1));
        assert_eq!(claim("eni-2", &["10.0.0.9"], (5_900, 7_000)), None, "another interface");
        assert_eq!(claim("10.0.0.1", &["10.0.0.9"], (5_900, 7_000)), Some(1), "its address");
        assert_eq!(claim("eni-1", &["10.0.0.8"], (5_900, 7_000)), None, "another peer");
        assert_eq!(claim("eni-1", &["10.0.0.9"], (6_100, 7_000)), None, "later");
        assert_eq!(claim("eni-1", &["10.0.0.9"], (4_800, 4_800)), Some(1), "the start of its slot");
    }
}

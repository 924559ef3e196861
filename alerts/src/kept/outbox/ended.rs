//! Series that are over. In: the first day that is still open. Out: messages that close what sinks hold open for them.

use super::{Dropped, KeptError, Outbox, message, series::QUIET_D};
use crate::{
    kept::rows,
    sinks::{Message, Sink},
};
use baseline::{Day, stable_hash};
use detect::{FindingId, Severity};

impl Outbox<'_> {
    /// Ends series that no finding of `open_from`, the first day that is open, or later can belong to: what sinks hold
    /// open for them is closed, and nothing is known of them any more. Answers what had to go for it. Unit of `now_ms`:
    /// milliseconds since the Unix epoch.
    pub fn end_series(
        &self,
        sinks: &[Sink],
        open_from: Day,
        now_ms: i64,
    ) -> Result<Vec<Dropped>, KeptError> {
        let before = rows::text(&rows::of_day(Day(open_from.0.saturating_sub(QUIET_D))));
        let mut dropped = Vec::new();
        for sink in sinks {
            let sql =
                "SELECT opened FROM outbox_series WHERE sink = ?1 AND last_day < ?2 ORDER BY 1";
            for mut row in self.store.query(sql, &[rows::text(&sink.name), before.clone()])? {
                let opened = row.text().and_then(|text| rows::id(&text));
                let opened = opened.map_err(|wrong| self.store.damaged(&wrong))?;
                let Some(body) = sink.to.ended(opened) else { break };
                let id = FindingId(stable_hash(&[b"ended", &opened.0.to_le_bytes()]));
                let closes = message(&sink.name, (id, Severity::Low), body);
                self.add(&sink.name, &Message { n_findings: 0, ..closes }, now_ms)?;
                dropped.extend(self.make_room(sink)?);
            }
        }
        self.store.execute("DELETE FROM outbox_series WHERE last_day < ?1", &[before])?;
        Ok(dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{START_MS, counts, file, finding, sink, tell};
    use super::*;
    use crate::{
        sample,
        sinks::{Form, Lane, To, pagerduty::RoutingKey},
    };
    use detect::Finding;

    #[test]
    fn an_incident_is_closed_when_no_finding_can_belong_to_it_any_more() {
        let (_folder, path) = file();
        let mut file = sample::state(&path);
        let mut pager = sink("pager", Severity::Low);
        let To::Webhook(settings) = &mut pager.to else { panic!() };
        settings.form = Form::PagerDuty(RoutingKey::parse(&"k".repeat(32)).unwrap());
        let sinks = [pager, sink("siem", Severity::Low)];
        let first = finding(1, 3);
        tell(&file, &first, &sinks, START_MS);
        let last = Day(first.day.0 + 2);
        tell(&file, &Finding { id: FindingId(2), day: last, ..first.clone() }, &sinks, START_MS);
        let end = |file: &crate::StateFile, after_d: i32| {
            let open_from = Day(last.0 + after_d);
            assert_eq!(file.outbox().end_series(&sinks, open_from, START_MS).unwrap(), []);
            counts(file, "pager")
        };
        assert_eq!((end(&file, QUIET_D), counts(&file, "siem")), ([1, 0, 0], [1, 0, 0]));
        for _ in 0..2 {
            assert_eq!(end(&file, QUIET_D + 1), [2, 0, 0]);
        }
        assert_eq!(counts(&file, "siem"), [1, 0, 0]);
        file.commit().unwrap();
        let due = file.outbox().due(&mut Lane::new("pager"), START_MS, 8).unwrap();
        let [opens, closes] = &due[..] else { panic!("{due:?}") };
        let keys = [opens, closes].map(|message| {
            let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
            (body["event_action"].clone(), body["dedup_key"].clone())
        });
        let opened = first.id.to_string();
        assert_eq!(keys, ["trigger", "resolve"].map(|event| (event.into(), (&*opened).into())));
        // The next is another incident.
        let next = Finding { id: FindingId(3), day: Day(last.0 + 8), ..first };
        tell(&file, &next, &sinks, START_MS);
        assert_eq!(counts(&file, "pager"), [3, 0, 0]);
    }
}

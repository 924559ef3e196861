//! Findings made by hand, for tests.

use crate::{Grounds, Inputs, Learning, Run, StateFile};
use baseline::{Bits, Call, Day, Dimension, Entity, EventId, Evidence, Kind, Part};
use detect::{Finding, FindingId, FlowSeen, Rules, Severity};
use ingest::enrich::TableDates;
use std::{path::Path, sync::Arc};

/// 2026-03-12T14:03:11Z.
const START_MS: i64 = 1_773_324_191_000;

pub(crate) fn inputs() -> Inputs {
    let dates = TableDates { country: 20_260_301, network: 0 };
    Inputs::new("0.1.0", "00ff".into(), dates, None)
}

/// A state in which nothing was learned, with a transaction begun.
pub(crate) fn state(path: &Path) -> StateFile {
    let run = Run { inputs: inputs(), command: Vec::new() };
    let asked = Learning::new(&detect::Options::default(), (&[], &[]), (None, Day(0)));
    let file = StateFile::open(path, (&run, &detect::Settings::default()), asked)
        .unwrap()
        .resume(&mut |_| Ok(()))
        .unwrap();
    file.begin().unwrap();
    file
}

pub(crate) fn finding(detector: &str) -> Finding {
    let about = Rules::built_in().catalogue().find(detector).unwrap().clone();
    let part = |dimension, bits, observed: &str, usual: &str| Part {
        dimension,
        bits: Bits::of(bits),
        observed: observed.into(),
        usual: usual.into(),
    };
    Finding {
        id: FindingId(0x0a1b_2c3d),
        about,
        entity: Entity {
            account: "111122223333".into(),
            kind: Kind::Human,
            key: "arn:aws:iam::111122223333:role/x/AWSReservedSSO_Engineer_0a1b2c3d4e5f6071\
                  #hedda@example.com"
                .into(),
        },
        day: Day::of(START_MS),
        severity: Severity::Critical,
        parts: vec![
            part(Dimension::ObjectsReencrypted, 16.33, "new", "nobody of 4 has it"),
            part(Dimension::ObjectsReencrypted, 21.01, "120", "0 in an hour"),
        ],
        summary: "wrote 120 objects in 60 minutes to bucket ledger with a key that this account \
                  does not hold; usual: never seen"
            .into(),
        times_ms: (START_MS, START_MS + 2_271_250),
        count: 120,
        n_hours: 2,
        records: (0..30).map(record).collect(),
        targets: vec!["ledger".into()],
        flow: None,
        news: vec![(Dimension::Api, "s3:CopyObject".into())],
        threshold: None,
        history_days: (9, 12),
    }
}

fn record(n: i64) -> Evidence {
    let call = Call {
        api: "s3:CopyObject".into(),
        address: Some(format!("203.0.113.{n}").into()),
        access_key: Some("ASIAIOSFODNN7EXAMPLE".into()),
        region: Some("us-west-2".into()),
        actor: None,
    };
    let id = EventId::new(&format!("0a1b2c3d-0000-0000-0000-{n:012}"));
    Evidence { time_ms: START_MS + n * 1000, id, call: call.into(), amount: 1 }
}

/// On whose word something is not told, up to the day of these findings.
pub(crate) fn grounds() -> Grounds {
    Grounds {
        name: "drill".to_owned(),
        reason: "an exercise".to_owned(),
        owner: "blue team".to_owned(),
        expires: Day::of(START_MS),
    }
}

/// A finding on flow logs, which has no records.
pub(crate) fn flow() -> Finding {
    let entity = Entity {
        account: "111122223333".into(),
        kind: Kind::Interface,
        key: "eni-0a1b2c3d".into(),
    };
    Finding {
        entity,
        severity: Severity::Medium,
        summary:
            "tried 40 pairs of address and port that did not answer, in 60 minutes; usual: none"
                .into(),
        records: Vec::new(),
        targets: Vec::new(),
        flow: Some(FlowSeen {
            interface: "eni-0a1b2c3d".into(),
            peers: vec!["10.0.1.7".into()],
            ports: vec![22, 3389],
            has_all_peers: true,
        }),
        news: Vec::new(),
        history_days: (0, 0),
        ..finding("port-scan")
    }
}

/// A finding in which everything that an intruder may choose is hostile.
pub(crate) fn hostile() -> Finding {
    let hostile = "=cmd|' /C calc'!A0\u{1b}[2J\r\n\u{202e}\u{9b}31m<b>\"x\",;\u{200b}";
    let mut finding = finding("denied-burst");
    finding.entity.key = hostile.into();
    finding.summary = format!("was denied {hostile} {}", "W".repeat(5_000));
    finding.targets = vec![hostile.into()];
    finding.news = vec![(Dimension::Agent, hostile.into())];
    finding.parts[0].observed = hostile.into();
    for record in &mut finding.records {
        record.id = EventId::new(hostile);
        let call = Arc::make_mut(&mut record.call);
        (call.actor, call.address) = (Some(hostile.into()), Some(hostile.into()));
    }
    finding
}

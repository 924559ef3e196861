//! Random findings: everything that an intruder may choose is hostile, long, empty or what AWS would write.

use super::sample;
use baseline::{Bits, Call, Dimension, Entity, EventId, Evidence, Kind, Part};
use detect::{Finding, FindingId, FlowSeen, Rules, Severity};
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::sync::{Arc, LazyLock};

static RULES: LazyLock<Arc<Rules>> = LazyLock::new(Rules::built_in);

/// Several thousand, or as many as `PROPTEST_CASES` asks for.
pub(super) fn cases() -> ProptestConfig {
    if std::env::var_os("PROPTEST_CASES").is_some() {
        return ProptestConfig::default();
    }
    ProptestConfig::with_cases(3_000)
}

/// A text of a log.
fn text() -> BoxedStrategy<String> {
    let real = [
        "",
        " ",
        "111122223333",
        "s3:CopyObject",
        "s3:ListBuckets",
        "iam:CreateUser",
        ":",
        "203.0.113.7",
        "2001:db8::7",
        "ec2.amazonaws.com",
        "ASIAIOSFODNN7EXAMPLE",
        "us-west-2",
        "cn-north-1",
        "us-gov-west-1",
        "ledger",
        "i-0a1b2c3d4e5f60718",
        "eni-0a1b2c3d",
        "arn:aws:iam::111122223333:user/hedda",
        "arn:aws-cn:iam::111122223333:role/web#instance",
        "arn:aws:sts::111122223333:assumed-role/web/i-0a1b2c3d4e5f60718",
        "arn:aws:s3:::ledger",
        "arn:aws:lambda:us-west-2:111122223333:function:thumbs",
        "new: AS64496 (UNSEEN by it)",
        "120 in 60 minutes",
        "an hour with any",
        "none in its 12 active hours",
    ];
    let pieces = ["\u{1b}[2J", "\r\n", "\u{202e}", "\u{9b}", "\"", "\\", "\u{0}", "\u{1f511}"];
    let long = (select(&["W", "\u{6771}", "\"", "\u{202e}", "\u{1f511}"][..]), 1_usize..1_500);
    prop_oneof![
        4 => select(real.to_vec()).prop_map(str::to_owned),
        2 => any::<String>(),
        2 => (any::<String>(), select(pieces.to_vec())).prop_map(|(text, piece)| text + piece),
        1 => long.prop_map(|(piece, times)| piece.repeat(times)),
    ]
    .boxed()
}

fn value() -> impl Strategy<Value = Option<Arc<str>>> {
    option::of(text().prop_map(Into::into))
}

fn record() -> impl Strategy<Value = Evidence> {
    let call = (text(), value(), value(), value(), value());
    let call = call.prop_map(|(api, address, access_key, region, actor)| Call {
        api: api.into(),
        address,
        access_key,
        region,
        actor,
    });
    (0..4_000_000_000_000_i64, text(), call).prop_map(|(time_ms, id, call)| Evidence {
        time_ms,
        id: EventId::new(&id),
        call: call.into(),
        amount: 1,
    })
}

fn part() -> impl Strategy<Value = Part> {
    let dimension = select(Dimension::ALL);
    (dimension, 0.0..99.0, text(), text()).prop_map(|(dimension, bits, observed, usual)| Part {
        dimension,
        bits: Bits::of(bits),
        observed,
        usual,
    })
}

fn flow() -> impl Strategy<Value = FlowSeen> {
    (text(), vec(text(), 0..20), vec(any::<u16>(), 0..20))
        .prop_map(|(interface, peers, ports)| FlowSeen { interface, peers, ports })
}

/// A finding of any detector or rule.
pub(super) fn finding() -> impl Strategy<Value = Finding> {
    let abouts: Vec<_> = RULES.catalogue().iter().cloned().collect();
    let entity = (text(), select(Kind::ALL), text());
    let entity = entity.prop_map(|(account, kind, key)| Entity {
        account: account.into(),
        kind,
        key: key.into(),
    });
    let said = (select(abouts), select(Severity::ALL), text(), any::<u128>());
    let lists = (vec(part(), 0..24), vec(record(), 0..24), vec(text(), 0..24), option::of(flow()));
    let history_days = (0..10_u32, 0..10_u32);
    (entity, said, lists, history_days).prop_map(|(entity, said, lists, history_days)| {
        let (about, severity, summary, id) = said;
        let (parts, mut records, targets, flow) = lists;
        records.sort();
        let times = records.iter().map(|record| record.time_ms);
        let first = times.clone().min().unwrap_or(1_773_324_191_000);
        Finding {
            id: FindingId(id),
            about,
            entity,
            severity,
            summary,
            times_ms: (first, times.max().unwrap_or(first)),
            parts,
            records,
            targets,
            flow,
            history_days,
            ..sample::finding("user-made")
        }
    })
}

//! Random findings: everything that an intruder may choose is hostile, long, empty or what AWS would write, and so is what
//! other people's rules and the names of accounts say.

use super::sample;
use crate::{Account, Accounts, Kept, KeptMark, Run};
use baseline::{Bits, Call, Dimension, Entity, EventId, Evidence, Kind, Part};
use detect::{About, Finding, FindingId, FlowSeen, Mark, Nature, Rules, Severity};
use proptest::{collection::vec, prelude::*, sample::select};
use std::sync::{Arc, LazyLock};

static RULES: LazyLock<Arc<Rules>> = LazyLock::new(Rules::built_in);

/// A few hundred, or as many as `PROPTEST_CASES` asks for; `make soak` asks for a million.
pub(crate) fn cases() -> ProptestConfig {
    if std::env::var_os("PROPTEST_CASES").is_some() {
        return ProptestConfig::default();
    }
    ProptestConfig::with_cases(300)
}

/// What somebody obeys: terminals, spreadsheets, browsers, chats, cards, and whoever reads line by line.
const OBEYED: &[&str] = &[
    "\u{1b}[2J",
    "\u{1b}]8;;https://x.example\u{7}",
    "\u{9b}31m",
    "\r\n",
    "\n",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{feff}",
    "\u{ad}",
    "\u{2028}",
    "\u{0}",
    "\u{1f511}",
    "\"",
    "\\",
    "'",
    "=cmd|' /C calc'!A0",
    ";=1+1",
    ",@SUM(A1)",
    "\t-1",
    "\u{ff1d}1",
    "<script>alert(1)</script>",
    "--><img src=x onerror=alert(1)>",
    "&lt;!here&gt;",
    "<!channel>",
    "<@U012AB3CD>",
    "<https://x.example|look>",
    "@here",
    "*b* `c` :siren:",
    "[x](https://x.example)",
    "<at>all</at>",
    "{{DATE(2017-02-14T06:00:00Z)}}",
    "{{{",
    "{title}",
    "${x}",
    "%n%s",
    "]",
];

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
    let around = |(before, piece, after): (String, &str, &str)| format!("{before}{piece}{after}");
    let long = (select(&["W", "\u{6771}", "\"", "\u{202e}", "\u{1f511}"][..]), 1_usize..1_500);
    // What is long costs as much as all else: one finding in six has some of it.
    prop_oneof![
        32 => select(real.to_vec()).prop_map(str::to_owned),
        8 => any::<String>(),
        8 => (select(OBEYED), select(OBEYED)).prop_map(|(first, second)| format!("{first}{second}")),
        16 => ("\\PC{0,20}", select(OBEYED), select(&["", " x", "=1"][..])).prop_map(around),
        1 => long.prop_map(|(piece, times)| piece.repeat(times)),
    ]
    .boxed()
}

/// Different texts of a finding: few, so that a million findings are made in minutes, and one list says what
/// another does. Unit: texts.
const TEXTS: usize = 12;

/// Takes one of several values after the other, in an order that is anybody's guess.
struct Picks {
    texts: Vec<String>,
    seed: u64,
}

impl Picks {
    /// A number below `n`.
    fn below(&mut self, n: usize) -> usize {
        // Knuth's generator (MMIX), of which the upper bits are the better ones.
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.seed >> 33).unwrap() % n
    }

    fn days(&mut self) -> u32 {
        u32::try_from(self.below(10)).unwrap()
    }

    fn text(&mut self) -> String {
        let at = self.below(self.texts.len());
        self.texts[at].clone()
    }

    fn value(&mut self) -> Option<Arc<str>> {
        (self.below(2) == 0).then(|| self.text().into())
    }

    fn up_to<T>(&mut self, n_max: usize, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let n = self.below(n_max + 1);
        (0..n).map(|_| one(self)).collect()
    }

    fn record(&mut self) -> Evidence {
        let call = Call {
            api: self.text().into(),
            address: self.value(),
            access_key: self.value(),
            region: self.value(),
            actor: self.value(),
        };
        let time_ms = i64::try_from(self.below(2_000_000_000)).unwrap() * 2_000;
        Evidence { time_ms, id: EventId::new(&self.text()), call: call.into(), amount: 1 }
    }

    fn part(&mut self) -> Part {
        let dimension = Dimension::ALL[self.below(Dimension::ALL.len())];
        let bits = Bits::of(self.below(9_900) as f64 / 100.0);
        Part { dimension, bits, observed: self.text(), usual: self.text() }
    }

    fn flow(&mut self) -> FlowSeen {
        let interface = self.text();
        let peers = self.up_to(20, Self::text);
        let ports = self.up_to(20, |picks| u16::try_from(picks.below(65_536)).unwrap());
        FlowSeen { interface, peers, ports, has_all_peers: self.below(2) == 0 }
    }

    /// A text of a file of the user's, which is read only if it is not blank and no longer than this. Unit: characters.
    fn said(&mut self, chars_max: usize) -> String {
        std::iter::once('x').chain(self.text().chars()).take(chars_max).collect()
    }

    /// A detector or rule; one of those that other people wrote says what it likes.
    fn about(&mut self) -> Arc<About> {
        let about = RULES.catalogue().iter().nth(self.below(RULES.catalogue().iter().count()));
        let about = about.unwrap();
        if self.below(5) > 0 {
            return Arc::clone(about);
        }
        let (title, page) = (self.said(256), self.text());
        let page = format!("# Rule\n\n## Triage\n{page}\n\n## Misses\n{page}\n");
        About { title, page, ..(**about).clone() }.into()
    }

    /// A finding of any detector or rule.
    fn finding(&mut self, id: u128) -> Finding {
        let mut records = self.up_to(24, Self::record);
        records.sort();
        let times = records.iter().map(|record| record.time_ms);
        let first = times.clone().min().unwrap_or(1_773_324_191_000);
        let kind = Kind::ALL[self.below(Kind::ALL.len())];
        Finding {
            id: FindingId(id),
            about: self.about(),
            entity: Entity { account: self.text().into(), kind, key: self.text().into() },
            severity: Severity::ALL[self.below(Severity::ALL.len())],
            summary: self.text(),
            times_ms: (first, times.max().unwrap_or(first)),
            parts: self.up_to(24, Self::part),
            records,
            targets: self.up_to(20, Self::text),
            flow: (self.below(2) == 0).then(|| self.flow()),
            history_days: (self.days(), self.days()),
            ..sample::finding("user-made")
        }
    }

    fn account(&mut self) -> Account {
        Account { name: self.said(100), owner: Some(self.said(100)), tags: vec![self.said(60)] }
    }

    /// The same as it is kept, with all that people said of it.
    fn kept(&mut self, id: u128) -> Kept {
        let finding = self.finding(id);
        let account = (self.below(2) == 0).then(|| self.account());
        let accounts = account.map(|account| (finding.entity.account.to_string(), account));
        let mark = Mark { nature: Nature::Malicious, day: finding.day };
        let mark = (self.below(2) == 0).then(|| KeptMark { mark, reason: self.text() });
        let inputs = sample::inputs().of(Accounts::new(accounts).into());
        Kept {
            finding,
            run: Run { inputs, command: vec!["replay".to_owned(), self.text()] },
            settings: serde_json::Map::new(),
            mark,
            suppressed: None,
        }
    }
}

/// A finding as it is kept.
pub(crate) fn kept() -> impl Strategy<Value = Kept> {
    (vec(text(), TEXTS), any::<u64>(), any::<u128>())
        .prop_map(|(texts, seed, id)| Picks { texts, seed }.kept(id))
}

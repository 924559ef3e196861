//! What a thousand rules cost a record that matches none or few, against parsing it. The rules are
//! made up in the proportions of public rule sets: nearly all name an API, a few hang on agents,
//! addresses, callers or errors, and a last group, measured by itself, looks for words in the whole
//! record.

#![expect(clippy::unwrap_used, reason = "a bench that cannot read its input has nothing to say")]
#![expect(clippy::print_stderr, reason = "a bench speaks to the person who runs it")]

use std::collections::HashMap;
use std::hint::black_box;

use baseline::Principal;
use baseline::class::unversioned;
use benches::{cost, real_objects};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use detect::rules::{self, Candidates, List, Lists, Names, OfApi, RuleSet, Sieve};
use detect::{Acting, Own, Record};
use ingest::cloudtrail::{self, Record as Read};
use ingest::enrich::{Caller, Enrich, Origin, caller as caller_of};
use ingest::{Event, Identity, Text, decode::gunzip, testkit};

/// Content to measure on. Unit: bytes.
const INPUT_BYTES: u64 = 32 << 20;
/// Content of a chunk, within which APIs, callers, addresses and agents are worked out once: the
/// least that a replay puts together, and what it does of a long archive. Unit: bytes.
const CHUNKS_BYTES: [usize; 2] = [2 << 20, 16 << 20];

/// APIs that rule sets are about, among them the most frequent of all.
const APIS: [&str; 24] = [
    "sts:AssumeRole",
    "sts:GetCallerIdentity",
    "s3:GetObject",
    "s3:PutBucketPolicy",
    "s3:DeleteObject",
    "s3:ListBuckets",
    "kms:Decrypt",
    "kms:ScheduleKeyDeletion",
    "iam:CreateUser",
    "iam:CreateAccessKey",
    "iam:AttachUserPolicy",
    "iam:PutUserPolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:ListUsers",
    "ec2:DescribeInstances",
    "ec2:RunInstances",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:ModifySnapshotAttribute",
    "ec2:GetPasswordData",
    "ssm:GetParameters",
    "secretsmanager:GetSecretValue",
    "lambda:UpdateFunctionCode",
    "cloudtrail:StopLogging",
    "signin:ConsoleLogin",
];

fn rule(n: usize, condition: &str) -> (String, String) {
    let text = format!(
        "title: Rule {n}\nlogsource:\n  product: aws\n  service: cloudtrail\ndetection:\n{condition}"
    );
    (format!("rule-{n}.yml"), text)
}

/// A rule about APIs.
fn by_api(n: usize, is_hot: bool) -> String {
    let api = APIS.get(n % APIS.len()).copied().unwrap_or_default();
    let (service, name) = api.split_once(':').unwrap();
    let name = if is_hot { name.to_owned() } else { format!("{name}{n}") };
    let source =
        format!("  sel:\n    eventSource: {service}.amazonaws.com\n    eventName: {name}\n");
    let more = match n % 5 {
        0 => "    requestParameters.policyDocument|contains: 'no-such-word'\n  condition: sel",
        1 => "    errorCode|startswith: Quarantine\n  condition: sel",
        2 => {
            "  not_a:\n    userIdentity.type: [AWSService, AssumedRole, IAMUser, Root]\n  \
             condition: sel and not not_a"
        }
        3 => "    requestParameters.attribute: [userDataX, kernelX]\n  condition: sel",
        _ => "    sentrail.granted: 'no-such-account'\n  condition: sel",
    };
    source + more
}

/// The few rules that name no API.
fn by_others(n: usize) -> String {
    match n % 6 {
        0 | 1 => {
            format!("  a:\n    userAgent|contains: ['no-tool-{n}', 'kali-{n}']\n  condition: a")
        }
        2 => format!("  a:\n    sourceIPAddress|cidr: 203.0.{}.0/29\n  condition: a", n % 200),
        3 => "  a:\n    sentrail.lists: bad\n  condition: a".to_owned(),
        4 => format!(
            "  a:\n    userIdentity.arn|endswith: ':user/decoy-{n}'\n    errorCode: AccessDenied\n  \
             condition: a"
        ),
        _ => format!(
            "  a:\n    eventName|startswith: ['Zzz{n}', 'Yyy']\n    sentrail.outcome: success\n  \
             condition: a"
        ),
    }
}

/// A thousand rules. Those that name an API name rare ones only, unless `n_hot` of them are about APIs
/// that are called most.
fn rule_set(n_hot: usize, n_others: usize, n_keywords: usize) -> RuleSet {
    let others = (0..n_others).map(|n| rule(n, &by_others(n)));
    let keywords = (0..n_keywords).map(|n| {
        rule(
            10_000 + n,
            &format!("  words: ['no-such-word-{n}', 'nor-this-{n}']\n  condition: words"),
        )
    });
    let by_api =
        (0..1_000 - n_others - n_keywords).map(|n| rule(20_000 + n, &by_api(n, n < n_hot)));
    let files: Vec<(String, String)> = others.chain(keywords).chain(by_api).collect();
    let bad: Vec<String> = (0..20_000).map(|n| format!("203.0.{}.{}", n / 256, n % 256)).collect();
    let lists = Lists::new(vec![List::parse("bad", &bad.join("\n"), false).unwrap()]);
    let names = Names { lists, ..Names::default() };
    let files = files.iter().map(|(file, text)| (file.as_str(), text.as_str()));
    let (rules, errors) = RuleSet::read(files, names);
    assert!(errors.is_empty(), "{errors:?}");
    rules
}

fn texts() -> Vec<String> {
    let objects = real_objects("cloudtrail/bootstrap_account/AWSLogs", INPUT_BYTES);
    if objects.is_empty() {
        let records: Vec<String> = (0..20_000)
            .map(|index| testkit::call("alice").id(&format!("event-{index}")).raw())
            .collect();
        return records.chunks(200).map(testkit::object).collect();
    }
    let text = |gzip: Vec<u8>| String::from_utf8(gunzip(&gzip, 1 << 30).unwrap()).unwrap();
    objects.into_iter().map(text).collect()
}

/// Numbers of what a record shares with others of its chunk.
struct Numbers {
    api: usize,
    caller: usize,
    address: usize,
    agent: usize,
    error: usize,
}

/// Objects as a reader has them when rules are asked: it numbers APIs, callers and addresses anyway.
#[derive(Default)]
struct Chunk<'t> {
    texts: Vec<&'t str>,
    content_bytes: usize,
    records: Vec<Numbers>,
    apis: Numbered<String>,
    callers: Numbered<(Principal, Acting, String)>,
    addresses: Numbered<(Caller, Origin)>,
    agents: Numbered<()>,
    errors: Numbered<()>,
}

/// A hash about as quick as the reader's.
#[derive(Default, Clone, Copy)]
struct Quick(u64);

impl std::hash::BuildHasher for Quick {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        *self
    }
}

impl std::hash::Hasher for Quick {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for word in bytes.chunks(8) {
            let mut padded = [0; 8];
            padded.iter_mut().zip(word).for_each(|(to, from)| *to = *from);
            self.0 ^= u64::from_le_bytes(padded);
            self.0 = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
    }
}

/// What is known of texts, by number.
struct Numbered<T> {
    numbers: HashMap<String, usize, Quick>,
    known: Vec<T>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { numbers: HashMap::default(), known: Vec::new() }
    }
}

impl<T> Numbered<T> {
    fn number(&mut self, key: String, known: impl FnOnce() -> T) -> usize {
        let Self { numbers, known: all } = self;
        *numbers.entry(key).or_insert_with(|| {
            all.push(known());
            all.len() - 1
        })
    }
}

fn chunks(texts: &[String], chunk_bytes: usize) -> Vec<Chunk<'_>> {
    let mut chunks: Vec<Chunk<'_>> = Vec::new();
    for text in texts {
        if chunks.last().is_none_or(|chunk| chunk.content_bytes > chunk_bytes) {
            chunks.push(Chunk::default());
        }
        let chunk = chunks.last_mut().unwrap();
        chunk.content_bytes += text.len();
        chunk.texts.push(text);
        each(text, |event| chunk.add(event));
    }
    chunks
}

fn each(text: &str, mut visit: impl FnMut(&Event<'_>)) {
    let shape = cloudtrail::read(text, |_, record| {
        if let Ok(Read::Event(event)) = &record {
            visit(event);
        }
    });
    black_box(shape).unwrap();
}

impl Chunk<'_> {
    fn add(&mut self, event: &Event<'_>) {
        let key = format!("{} {} {:?}", event.source, event.name, event.read_only);
        let named = || format!("{}:{}", event.service(), unversioned(&event.name.get()));
        let api = self.apis.number(key, named);
        let account = event.account().map(Text::get).unwrap_or_default().into_owned();
        let caller = self.callers.number(format!("{account} {:?}", event.identity), || {
            let identity = event.identity.map(Identity::of).unwrap_or_default();
            (Principal::of(&identity, &account), Acting::of(&identity), account.clone())
        });
        let text = event.source_ip.map(Text::get).unwrap_or_default().into_owned();
        let address = self.addresses.number(text.clone(), || {
            let caller = caller_of(&text);
            let origin = match caller {
                Caller::Public(address) => Enrich::built_in().origin(address),
                _ => Origin::default(),
            };
            (caller, origin)
        });
        let text = event.user_agent.map_or("", |text| text.0);
        let agent = self.agents.number(text.to_owned(), || ());
        let error = self.errors.number(event.error_code.map_or("", |t| t.0).to_owned(), || ());
        self.records.push(Numbers { api, caller, address, agent, error });
    }
}

fn parse_all(chunks: &[Chunk<'_>]) -> usize {
    let mut records = 0;
    for text in chunks.iter().flat_map(|chunk| &chunk.texts) {
        each(text, |event| {
            records += 1;
            black_box(event);
        });
    }
    records
}

/// Parses, with the numbers at hand that a reader has anyway.
fn read_all(chunks: &[Chunk<'_>]) -> usize {
    let own = &Own::default();
    let mut records = 0;
    for chunk in chunks {
        let mut numbers = chunk.records.iter();
        for text in &chunk.texts {
            each(text, |event| {
                let of = numbers.next().unwrap();
                let api = chunk.apis.known.get(of.api).unwrap();
                let (principal, acting, account) = chunk.callers.known.get(of.caller).unwrap();
                let acting = *acting;
                let (caller, origin) = *chunk.addresses.known.get(of.address).unwrap();
                black_box(Record { event, api, principal, acting, caller, origin, account, own });
                records += 1;
            });
        }
    }
    records
}

/// The same, and asks about all records. Says how many matches there were.
fn ask_all(rules: &RuleSet, chunks: &[Chunk<'_>]) -> usize {
    let own = &Own::default();
    let mut matches = 0;
    for chunk in chunks {
        let mut apis: Vec<Option<OfApi>> = vec![None; chunk.apis.known.len()];
        let mut sieve = Sieve::default();
        let mut numbers = chunk.records.iter();
        for text in &chunk.texts {
            each(text, |event| {
                let of = numbers.next().unwrap();
                let api = chunk.apis.known.get(of.api).unwrap();
                let (principal, acting, account) = chunk.callers.known.get(of.caller).unwrap();
                let acting = *acting;
                let (caller, origin) = *chunk.addresses.known.get(of.address).unwrap();
                let of_api = apis.get_mut(of.api).unwrap();
                let number = |n: usize| u32::try_from(n).unwrap();
                let candidates = Candidates {
                    api: of_api.get_or_insert_with(|| rules.of_api(event, api)),
                    numbers: rules::Numbers {
                        caller: number(of.caller),
                        address: number(of.address),
                        agent: number(of.agent),
                        error: number(of.error),
                    },
                };
                let record = Record { event, api, principal, acting, caller, origin, account, own };
                let left = sieve.left(rules, candidates, &record);
                rules.matches(left, &record, &mut |_| matches += 1);
            });
        }
    }
    matches
}

/// Median of paired runs, so that a busy machine slows both sides alike.
fn report(name: &str, rules: &RuleSet, chunks: &[Chunk<'_>]) {
    const PAIRS: usize = 15;
    /// Of one measurement: a switch of tasks weighs little then.
    const REPEATS: usize = 8;
    let records: usize = chunks.iter().map(|chunk| chunk.records.len()).sum();
    let n = f64::from(u32::try_from(records * REPEATS).unwrap());
    let mut matches = 0;
    let repeated = |work: &mut dyn FnMut()| cost(|| (0..REPEATS).for_each(|_| work())) / n;
    let mut pairs: Vec<(f64, f64, f64)> = (0..PAIRS)
        .map(|_| {
            let parse = repeated(&mut || assert_eq!(parse_all(chunks), records));
            let read = repeated(&mut || assert_eq!(read_all(chunks), records));
            let ask = repeated(&mut || matches = ask_all(rules, chunks)) - read;
            (ask / parse, ask, parse)
        })
        .collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    if let [(least, ..), .., (most, ..)] = pairs[..] {
        let (ratio, ask, parse) = pairs.get(PAIRS / 2).copied().unwrap();
        eprintln!(
            "{name}: rules {ask:.0} ns, parse {parse:.0} ns a record; rules / parse, CPU: \
             {ratio:.3} ({least:.3} to {most:.3}, {PAIRS} pairs); {matches} matches in {records}"
        );
    }
}

fn bench(criterion: &mut Criterion) {
    let texts = texts();
    let sets = [
        ("no rules", RuleSet::default()),
        ("1,000 rules that name an API, rare ones", rule_set(0, 0, 0)),
        ("the same, 50 by agent, address, caller or error", rule_set(0, 50, 0)),
        ("the same, 24 about the most frequent APIs", rule_set(24, 50, 0)),
        ("the same, 96 about the most frequent APIs", rule_set(96, 50, 0)),
        ("the same as the third, 10 by keywords", rule_set(0, 50, 10)),
    ];
    for chunk_bytes in CHUNKS_BYTES {
        let chunks = chunks(&texts, chunk_bytes);
        eprintln!("{} objects in {} chunks", texts.len(), chunks.len());
        for (name, rules) in &sets {
            report(name, rules, &chunks);
        }
    }
    let chunks = chunks(&texts, CHUNKS_BYTES[1]);
    let records: usize = chunks.iter().map(|chunk| chunk.records.len()).sum();
    let mut group = criterion.benchmark_group("rules");
    group.sample_size(10).throughput(Throughput::Elements(u64::try_from(records).unwrap()));
    group.bench_function("parse", |bencher| bencher.iter(|| parse_all(&chunks)));
    for (name, rules) in &sets {
        group.bench_function(*name, |bencher| bencher.iter(|| ask_all(rules, &chunks)));
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);

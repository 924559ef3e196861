use crate::{
    intern::Interner,
    record::Record,
    rules::{
        RuleSet,
        index::{ADDRESS, CALLER},
        rule::RuleNo,
        sieve::{Candidates, Numbers, Sieve},
        sigma::{Condition, Operand},
        testkit::{ask, equals, exists, holds, is, keywords, matching, not, rules},
    },
};
use ingest::testkit::{Call, call, role_session, service};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn a_rule_is_found_by_the_api_it_names() {
    let set = rules(vec![
        Condition::All(vec![
            is("eventSource", &["iam.amazonaws.com"]),
            is("eventName", &["CreateUser", "DeleteUser"]),
        ]),
        is("sentrail.api", &["lambda:UpdateFunctionCode"]),
        is("eventName", &["Delete*"]),
        Condition::Any(vec![
            is("eventName", &["CreateUser"]),
            is("sentrail.api", &["s3:PutObject"]),
        ]),
    ]);
    let of = |api: &str| matching(&set, &call("alice").api(api).raw());
    assert_eq!(of("iam:CreateUser"), [0, 3]);
    assert_eq!(of("iam:deleteuser"), [0, 2]);
    assert_eq!(of("cognito-idp:CreateUser"), [3]);
    assert_eq!(of("lambda:UpdateFunctionCode20150331v2"), [1]);
    assert_eq!(of("s3:PutObject"), [3]);
    assert_eq!(of("s3:GetObject"), [0_u32; 0]);
}

#[test]
fn what_a_part_of_the_record_rules_out_is_left_out() {
    let set = rules(vec![
        is("userAgent", &["*kali*"]),
        is("sourceIPAddress", &["203.0.113.*"]),
        is("sentrail.caller.kind", &["root"]),
        is("errorCode", &["AccessDenied"]),
        is("eventName", &["CreateUser"]),
        is("requestParameters.bucketName", &["bucket-1"]),
    ]);
    let left = |agent: &str, address: &str, call: Call| {
        ask(&call.agent(agent).from_ip(address).raw(), |record| {
            let (event, api) = (record.event, record.api);
            let numbers = Numbers::default();
            let candidates = Candidates { api: &set.of_api(event, api), numbers };
            let mut sieve = Sieve::default();
            let left = sieve.left(&set, candidates, record);
            left.rules().map(|no| no.0).collect::<Vec<_>>()
        })
    };
    let plain = || call("alice");
    let none = [0_u32; 0];
    assert_eq!(left("aws-cli", "198.51.100.7", plain()), none);
    assert_eq!(left("aws-cli", "198.51.100.7", plain().error("AccessDenied")), [3]);
    assert_eq!(left("linux KALI", "203.0.113.9", plain()), [0, 1]);
    let request = json!({ "bucketName": "other" });
    assert_eq!(left("aws-cli", "198.51.100.7", plain().request(request)), [5]);
}

#[test]
fn what_call_and_caller_decide_is_not_asked_again() {
    let set = rules(vec![
        is("userIdentity.userName", &["alice"]),
        is("requestParameters.bucketName", &["bucket-1"]),
    ]);
    let request = json!({ "bucketName": "other" });
    ask(&call("alice").request(request).raw(), |record| {
        let (event, api) = (record.event, record.api);
        let candidates = Candidates { api: &set.of_api(event, api), numbers: Numbers::default() };
        let mut sieve = Sieve::default();
        let left = sieve.left(&set, candidates, record);
        let asked: Vec<(u32, bool)> = set
            .index()
            .asked(left, event.raw.0)
            .map(|(no, is_certain)| (no.0, is_certain))
            .collect();
        assert_eq!(asked, [(0, true), (1, false)]);
    });
}

#[test]
fn more_rules_than_a_word_has_bits_are_all_asked() {
    let set = rules((0..200).map(|n| is("userAgent", &[&format!("*tool-{n}-*")])).collect());
    assert_eq!(matching(&set, &call("alice").agent("tool-199-x tool-64-").raw()), [64, 199]);
    assert_eq!(matching(&set, &call("alice").agent("tool-200-x").raw()), [0_u32; 0]);
}

#[test]
fn an_absent_field_is_known_to_be_absent() {
    let raw = call("alice").without("userAgent").raw();
    assert!(holds(equals("userAgent", Operand::Null), &raw));
    assert!(holds(not(exists("userAgent")), &raw));
}

/// Conditions about every facet.
fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        proptest::sample::subsequence(vec!["CreateUser", "GetObject", "Put*", "*Object"], 1..3)
            .prop_map(|values| is("eventName", &values)),
        proptest::sample::select(vec!["s3.amazonaws.com", "iam*"])
            .prop_map(|value| is("eventSource", &[value])),
        proptest::sample::select(vec!["s3:GetObject", "iam:*", "lambda:Invoke"])
            .prop_map(|value| is("sentrail.api", &[value])),
        proptest::sample::select(vec!["*cli*", "*sdk*", "x"])
            .prop_map(|value| is("userAgent", &[value])),
        proptest::sample::select(vec!["10.*", "198.51.100.7"])
            .prop_map(|value| is("sourceIPAddress", &[value])),
        proptest::sample::select(vec!["IAMUser", "AssumedRole"])
            .prop_map(|value| is("userIdentity.type", &[value])),
        proptest::sample::select(vec!["human", "service"])
            .prop_map(|value| is("sentrail.caller.kind", &[value])),
        any::<bool>().prop_map(|value| equals("readOnly", Operand::Bool(value))),
        Just(exists("errorCode")),
        Just(equals("sentrail.outcome", Operand::Glob(crate::rules::testkit::glob("success")))),
        Just(exists("requestParameters.bucketName")),
        Just(equals("requestParameters.n", Operand::Number(1.0))),
        Just(equals("sentrail.denied", Operand::Bool(true))),
        Just(keywords(&["bucket-1"], false)),
        Just(keywords(&["bucket-?", "*"], true)),
        Just(keywords(&["nowhere", "alice"], false)),
        Just(crate::rules::testkit::field_ref(
            "requestParameters.userName",
            "userIdentity.userName"
        )),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let some = || proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            some().prop_map(Condition::All),
            some().prop_map(Condition::Any),
            inner.clone().prop_map(not),
        ]
    })
}

/// Records that some of these conditions are about.
fn record() -> impl Strategy<Value = String> {
    let apis = ["iam:CreateUser", "s3:GetObject", "s3:PutObject", "lambda:Invoke20150331"];
    let callers = [
        ingest::testkit::iam_user("alice"),
        role_session("admin", "bob"),
        service("config.amazonaws.com"),
    ];
    let parts = (
        proptest::sample::select(apis.to_vec()),
        proptest::sample::select(callers.to_vec()),
        proptest::sample::select(vec!["aws-cli/2", "aws-sdk-go", ""]),
        proptest::sample::select(vec!["10.0.0.1", "198.51.100.7", "s3.amazonaws.com"]),
        any::<bool>(),
        proptest::sample::select(vec![
            json!(null),
            json!({ "n": "1", "userName": "Alice" }),
            json!({ "bucketName": "bucket-1", "n": [2, 1] }),
        ]),
    );
    parts.prop_map(|(api, caller, agent, address, is_denied, request)| {
        let call =
            call("x").identity(caller).api(api).agent(agent).from_ip(address).request(request);
        if is_denied { call.error("AccessDenied").raw() } else { call.raw() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// [`matching`] asks every rule besides, and compares.
    #[test]
    fn a_rule_that_is_left_out_never_matches(
        conditions in proptest::collection::vec(condition(), 1..12),
        records in proptest::collection::vec((record(), 0..6_u8), 1..6),
    ) {
        let set = rules(conditions);
        let mut shared = Shared::default();
        for (raw, what) in records {
            shared.forget(what);
            let found = matching(&set, &raw);
            prop_assert_eq!(shared.matching(&set, &raw), found);
        }
    }
}

/// What a reader knows of the parts of several records.
#[derive(Default)]
struct Shared {
    apis: Interner<super::OfApi>,
    callers: Interner<()>,
    addresses: Interner<()>,
    agents: Interner<()>,
    errors: Interner<()>,
    sieve: Sieve,
}

impl Shared {
    /// Begins some numbers anew, as a chunk does that holds too much: of callers, or of all else.
    fn forget(&mut self, what: u8) {
        if what == 0 {
            self.callers = Interner::default();
            self.sieve.forget(CALLER);
        } else if what == 1 {
            (self.apis, self.addresses) = Default::default();
            (self.agents, self.errors) = Default::default();
            self.sieve.forget_calls();
            self.sieve.forget(ADDRESS);
        }
    }

    fn matching(&mut self, set: &RuleSet, raw: &str) -> Vec<u32> {
        ask(raw, |record| {
            let Record { event, api, .. } = *record;
            let key = format!("{} {} {:?}", event.source, event.name, event.read_only);
            let of_api = self.apis.number(key.as_bytes(), || set.of_api(event, api));
            let key = format!("{:?} {:?}", event.identity, event.recipient_account);
            let caller = self.callers.number(key.as_bytes(), || ());
            let key = format!("{:?}", event.source_ip);
            let address = self.addresses.number(key.as_bytes(), || ());
            let key = format!("{:?}", event.user_agent);
            let agent = self.agents.number(key.as_bytes(), || ());
            let key = format!("{:?}", event.error_code);
            let error = self.errors.number(key.as_bytes(), || ());
            let api = self.apis.get(of_api).unwrap();
            let numbers = Numbers { caller, address, agent, error };
            let candidates = Candidates { api, numbers };
            let mut found = Vec::new();
            set.matches(self.sieve.left(set, candidates, record), record, &mut |RuleNo(no)| {
                found.push(no);
            });
            found.sort_unstable();
            found
        })
    }
}

use crate::rules::{
    Names, RuleSet,
    rule::RuleNo,
    sigma::{
        Alias, Bound, Bounds, Condition, CorrelationKind, Document, Filter, Item, Line, Logs,
        Operand, Piece, RuleError, Template, Test, Unused, UnusedKind, Whose, Why,
    },
    testkit::{
        LINE, ask, correlation, detection, globs, is, item, keywords, matching, name, not, set,
    },
};
use ingest::testkit::{ACCOUNT, call};
use serde_json::json;

fn errors(documents: Vec<Document>) -> Vec<String> {
    let (_, errors) = RuleSet::compile(documents, Names::default());
    errors.iter().map(RuleError::to_string).collect()
}

fn rule(file: &str, condition: Condition) -> Document {
    Document::Detection(detection(file, condition))
}

fn filter(rules: Option<&[&str]>, condition: Condition) -> Document {
    let rules = rules.map(|rules| rules.iter().map(|rule| (LINE, (*rule).to_owned())).collect());
    let (file, title, logs) = ("filters.yml".into(), "f".to_owned(), Logs::CloudTrail);
    Document::Filter(Filter {
        file,
        line: Line(1),
        title,
        logs,
        rules,
        condition,
        samples: Vec::new(),
    })
}

fn unused(file: &str, why: Why, kind: UnusedKind, [uuid, name]: [Option<String>; 2]) -> Document {
    let (file, line, whose) = (file.into(), Line(1), Whose::Own);
    Document::Unused(Unused { file, line, whose, why, kind, uuid, name })
}

fn ids(set: &RuleSet) -> Vec<&str> {
    let rules = set.rules().iter().map(|rule| &*rule.id);
    rules.chain(set.correlations().iter().map(|made| &*made.id)).collect()
}

#[test]
fn a_document_is_called_after_its_file_or_by_its_name_where_there_are_several() {
    let any = || is("eventName", &["*"]);
    let mut named = detection("b/Many Rules.yml", any());
    named.head.name = Some("New_User".to_owned());
    let documents = vec![
        rule("a/aws_new-user.yaml", any()),
        rule("b/Many Rules.yml", any()),
        Document::Detection(named),
        rule("b/Many Rules.yml", any()),
    ];
    let set = set(documents, Names::default());
    assert_eq!(ids(&set), ["aws-new-user", "many-rules", "new-user", "many-rules-3"]);
}

#[test]
fn an_id_is_given_once() {
    let any = || is("eventName", &["*"]);
    let said =
        errors(vec![rule("a/x.yml", any()), rule("b/x.yml", any()), rule("root-use.yml", any())]);
    assert_eq!(
        said,
        [
            "b/x.yml:1: the id `x` is that of a/x.yml:1; name it otherwise",
            "root-use.yml:1: the id `root-use` is that of a detector; name it otherwise",
        ]
    );
}

#[test]
fn rules_of_others_get_a_second_id() {
    let any = || is("eventName", &["*"]);
    let others = |file: &str, name: Option<&str>| {
        let mut others = detection(file, any());
        others.head.whose = Whose::Others;
        others.head.name = name.map(str::to_owned);
        Document::Detection(others)
    };
    let documents = vec![
        rule("own.yml", any()),
        others("a/x.yml", None),
        others("b/x-2.yml", None),
        others("c/x.yml", Some("base")),
        others("d/x.yml", None),
        others("root-use.yml", None),
        others("e/own.yml", None),
        Document::Correlation(correlation("many.yml", &["base"])),
    ];
    let (set, errors) = RuleSet::compile(documents, Names::default());
    assert_eq!(ids(&set), ["own", "x", "x-2", "x-3", "x-4", "root-use-2", "many"]);
    let said: Vec<_> = errors.iter().map(|error| (error.to_string(), error.why())).collect();
    let told = |text: &str, why| (text.to_owned(), why);
    assert_eq!(
        said,
        [
            told(
                "c/x.yml:1: the id `x` is that of a/x.yml:1; this one is called `x-3`",
                &Why::Tolerated
            ),
            told(
                "d/x.yml:1: the id `x` is that of a/x.yml:1; this one is called `x-4`",
                &Why::Tolerated
            ),
            told("e/own.yml:1: the id `own` is that of own.yml:1; name it otherwise", &Why::Fault),
            told(
                "root-use.yml:1: the id `root-use` is that of a detector; this one is called `root-use-2`",
                &Why::Tolerated
            ),
        ]
    );
    assert_eq!(set.correlations()[0].members[0].rule, RuleNo(3));
}

const UUID: &str = "0d6f2cd4-5d77-4d39-8a37-7e1d4a9e0f13";

/// Documents in this order and the other way round: ids in force and what is told.
#[track_caller]
fn twins(documents: Vec<Document>, in_force: &[&str], told: &[&str]) {
    let reversed: Vec<_> = documents.iter().rev().cloned().collect();
    for documents in [documents, reversed] {
        let (set, errors) = RuleSet::compile(documents, Names::default());
        let mut ids = ids(&set);
        ids.sort_unstable();
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            (ids, errors),
            (in_force.to_vec(), told.iter().map(|one| (*one).to_owned()).collect())
        );
    }
}

fn with_uuid(file: &str, whose: Whose, condition: Condition) -> Document {
    let mut rule = detection(file, condition);
    (rule.head.uuid, rule.head.whose) = (Some(UUID.to_owned()), whose);
    Document::Detection(rule)
}

fn many(file: &str, rules: &[&str], whose: Whose) -> Document {
    let mut many = correlation(file, rules);
    (many.head.uuid, many.head.whose) = (Some(UUID.to_owned()), whose);
    Document::Correlation(many)
}

/// What is told of a document and of another one.
fn told(file: &str, first: &str) -> String {
    format!(
        "{file}:1: the UUID {UUID} is that of {first}:1, which is in force, and this is not \
         (expected one document of it)"
    )
}

#[test]
fn of_documents_with_one_uuid_one_is_in_force_whatever_their_order() {
    let any = || is("eventName", &["*"]);
    let theirs = |file| with_uuid(file, Whose::Others, any());
    let [b, c] = [told("a/b.yml", "z/a.yml"), told("c.yml", "z/a.yml")];
    let documents = vec![theirs("z/a.yml"), theirs("a/b.yml"), theirs("c.yml")];
    twins(documents, &["a"], &[&b, &c]);
    let documents = vec![theirs("z/a.yml"), with_uuid("own.yml", Whose::Own, any())];
    twins(documents, &["own"], &[&told("z/a.yml", "own.yml")]);
    // What has a fault is in nobody's way.
    let broken = with_uuid("a.yml", Whose::Others, is("eventNam", &["x"]));
    let fault = "a.yml:7: CloudTrail records have no field `eventNam`; did you mean `eventName`?";
    twins(vec![broken, theirs("b.yml")], &["b"], &[fault]);
    // An `id` that is no UUID is a name, which several may have.
    let mut plain = [detection("a.yml", any()), detection("b.yml", any())];
    for one in &mut plain {
        one.head.uuid = Some("rule-1".to_owned());
    }
    twins(plain.map(Document::Detection).to_vec(), &["a", "b"], &[]);
    // Correlations too; a rule goes before one, unless that is the user's.
    let base = || rule("base.yml", any());
    let theirs_many = |file| many(file, &["base"], Whose::Others);
    let documents = vec![theirs_many("x.yml"), theirs_many("y.yml"), base()];
    twins(documents, &["base", "x"], &[&told("y.yml", "x.yml")]);
    let documents = vec![theirs_many("a.yml"), theirs("x.yml"), base()];
    twins(documents, &["base", "x"], &[&told("a.yml", "x.yml")]);
    let documents = vec![many("x.yml", &["base"], Whose::Own), theirs("a.yml"), base()];
    twins(documents, &["base", "x"], &[&told("a.yml", "x.yml")]);
}

#[test]
fn whoever_means_a_document_out_of_force_means_its_twin() {
    let theirs = |file| with_uuid(file, Whose::Others, is("eventName", &["*"]));
    for name in ["a", "b", UUID] {
        let documents = vec![
            theirs("a.yml"),
            theirs("b.yml"),
            Document::Correlation(correlation("many.yml", &[name])),
        ];
        let (set, errors) = RuleSet::compile(documents, Names::default());
        assert_eq!((ids(&set), errors.len()), (vec!["a", "many"], 1), "{errors:?}");
        assert_eq!(set.correlations()[0].members[0].rule, RuleNo(0));
    }
    // Of a second id, which nobody has, nothing is told.
    assert_eq!(errors(vec![theirs("a/x.yml"), theirs("b/x.yml")]), [told("b/x.yml", "a/x.yml")]);
}

#[test]
fn every_fault_of_a_document_is_told_with_its_line() {
    let condition = Condition::All(vec![
        is("eventNam", &["x"]),
        item("errorCode", Test::Regex, vec![Operand::Regex("(".to_owned())]),
        item("errorCode", Test::Cidr, globs(&["10.0.0/8"])),
        item("errorCode", Test::Less, globs(&["x"])),
        item(
            "errorCode",
            Test::Equals { cased: false },
            vec![Operand::Placeholder("p".to_owned())],
        ),
        keywords(&["fine"], false),
    ]);
    let mut broken = detection("x.yml", condition);
    broken.head.notes.targets = vec![name("nothing")];
    let fine = rule("y.yml", is("eventName", &["*"]));
    let (set, errors) = RuleSet::compile(vec![Document::Detection(broken), fine], Names::default());
    assert_eq!(ids(&set), ["y"]);
    let said: Vec<String> = errors.iter().map(RuleError::to_string).collect();
    let wanted = [
        "CloudTrail records have no field `eventNam`",
        "CloudTrail records have no field `nothing`",
        "expected a network such as 10.0.0.0/8",
        "expected a number",
        "not a regular expression: unclosed group",
        "the configuration has no values for the placeholder `%p%`",
    ];
    assert_eq!(said.len(), wanted.len(), "{said:?}");
    for (said, wanted) in said.iter().zip(wanted) {
        assert!(said.starts_with(&format!("x.yml:7: {wanted}")), "{said}");
    }
}

#[test]
fn flow_logs_have_no_keywords() {
    let mut flows = detection("x.yml", keywords(&["x"], false));
    flows.logs = Logs::Flow;
    assert!(errors(vec![Document::Detection(flows)])[0].contains("flow logs have fields only"));
}

#[test]
fn placeholders_are_what_the_configuration_says() {
    let mut names = Names::default();
    names.placeholders.insert("admins".to_owned(), vec!["alice".to_owned(), "*".to_owned()]);
    let values = vec![Operand::Placeholder("admins".to_owned())];
    let condition = item("userIdentity.userName", Test::Equals { cased: false }, values);
    let set = set(vec![rule("x.yml", condition)], names);
    assert_eq!(matching(&set, &call("Alice").raw()), [0]);
    assert_eq!(matching(&set, &call("bob").raw()), [0_u32; 0]);
}

#[test]
fn filters_take_matches_from_the_rules_they_name() {
    let anybody = || is("eventName", &["ListBuckets"]);
    let not_alice = || not(is("userIdentity.userName", &["alice"]));
    let not_bob = || not(is("userIdentity.userName", &["bob"]));
    let mut by_uuid = detection("b.yml", anybody());
    by_uuid.head.uuid = Some("0b0b".to_owned());
    let documents = vec![
        rule("a.yml", anybody()),
        Document::Detection(by_uuid),
        filter(Some(&["0B0B"]), not_alice()),
        filter(None, not_bob()),
    ];
    let set = set(documents, Names::default());
    assert_eq!(matching(&set, &call("alice").raw()), [0]);
    assert_eq!(matching(&set, &call("bob").raw()), [0_u32; 0]);
    assert_eq!(matching(&set, &call("carol").raw()), [0, 1]);
}

#[test]
fn a_broken_filter_leaves_its_rule_as_it_was() {
    let rule_of = |file| rule(file, is("eventName", &["*"]));
    let documents = vec![rule_of("a.yml"), filter(Some(&["a", "nobody"]), is("errorCode", &["x"]))];
    let (set, errors) = RuleSet::compile(documents, Names::default());
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().contains("no rule has the id or name `nobody`"), "{}", errors[0]);
    assert_eq!(matching(&set, &call("alice").raw()), [0]);
}

#[test]
fn rules_that_only_correlations_want_are_silent() {
    let any = || is("eventName", &["*"]);
    let mut loud = correlation("loud.yml", &["b"]);
    loud.generate = true;
    let documents = vec![
        rule("a.yml", any()),
        rule("b.yml", any()),
        rule("c.yml", any()),
        Document::Correlation(correlation("both.yml", &["a", "b"])),
        Document::Correlation(loud),
    ];
    let set = set(documents, Names::default());
    let speaking: Vec<_> = set.rules().iter().map(|rule| rule.speaks).collect();
    assert_eq!(speaking, [false, true, true]);
}

#[test]
fn an_id_stays_when_a_document_beside_it_has_a_fault() {
    let any = || is("eventName", &["*"]);
    let broken = |kind, name: Option<&str>| {
        unused("x.yml", Why::Fault, kind, [None, name.map(str::to_owned)])
    };
    let ids_beside = |first| {
        let documents = vec![first, rule("x.yml", any()), rule("y.yml", any())];
        let (set, errors) = RuleSet::compile(documents, Names::default());
        assert_eq!(errors, []);
        ids(&set).iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids_beside(broken(UnusedKind::Rule, None)), ["x-2", "y"]);
    assert_eq!(ids_beside(broken(UnusedKind::Correlation(Vec::new()), Some("n"))), ["x", "y"]);
    assert_eq!(ids_beside(broken(UnusedKind::Filter, None)), ["x", "y"]);
    // Its name is nobody else's, and who refers to it is told.
    let documents = vec![
        rule("a/y.yml", is("nothing", &["*"])),
        broken(UnusedKind::Rule, Some("base")),
        Document::Correlation(correlation("z.yml", &["base"])),
        rule("b/y.yml", any()),
    ];
    let said = errors(documents);
    assert!(said.iter().any(|said| said.contains("b/y.yml:1: the id `y` is that of")), "{said:?}");
    assert!(said.iter().any(|said| said.contains("the rule `base` could not be read")), "{said:?}");
}

#[test]
fn a_correlation_with_a_fault_does_not_set_its_rules_free() {
    let any = || is("eventName", &["*"]);
    let refused = |generate| {
        let mut refused = correlation("m.yml", &["a", "b"]);
        (refused.generate, refused.group_by) = (generate, vec![name("nothing")]);
        Document::Correlation(refused)
    };
    let unread = |rules: &[&str]| {
        let rules = rules.iter().map(|rule| (*rule).to_owned()).collect();
        unused("m.yml", Why::Fault, UnusedKind::Correlation(rules), [None, None])
    };
    let speaking = |correlation| {
        let documents =
            vec![rule("a.yml", any()), rule("b.yml", any()), rule("c.yml", any()), correlation];
        let (set, errors) = RuleSet::compile(documents, Names::default());
        let speaking: Vec<_> = set.rules().iter().map(|rule| rule.speaks).collect();
        let is_said = errors.iter().any(|error| error.what().contains("its rules stay silent"));
        (speaking, is_said)
    };
    assert_eq!(speaking(refused(false)), (vec![false, false, true], true));
    assert_eq!(speaking(refused(true)), (vec![true, true, true], false));
    assert_eq!(speaking(unread(&["c", "gone"])), (vec![true, true, false], false));
    assert_eq!(speaking(unread(&[])), (vec![true, true, true], false));
}

#[test]
fn a_name_means_the_rule_of_the_same_file() {
    let any = || is("eventName", &["*"]);
    let named = |file: &str, condition| {
        let mut named = detection(file, condition);
        named.head.name = Some("base".to_owned());
        named
    };
    let many = |file: &str| {
        let mut many = correlation(file, &["base"]);
        many.head.name = Some(format!("many of {file}"));
        Document::Correlation(many)
    };
    let documents = vec![
        Document::Detection(named("a.yml", any())),
        many("a.yml"),
        Document::Detection(detection("b.yml", any())),
        many("c.yml"),
        Document::Detection(named("d.yml", any())),
    ];
    let (set, errors) = RuleSet::compile(documents, Names::default());
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, ["c.yml:7: several rules are called `base`"]);
    assert_eq!(set.correlations()[0].members[0].rule, RuleNo(0));
}

#[test]
fn references_that_mean_nothing_or_several_are_errors() {
    let any = || is("eventName", &["*"]);
    let mut named = ["a.yml", "b.yml"].map(|file| detection(file, any()));
    for detection in &mut named {
        detection.head.name = Some("same".to_owned());
    }
    let broken = rule("broken.yml", is("nothing", &["*"]));
    let first = Document::Correlation(correlation("first.yml", &["a"]));
    let bad = ["same", "first", "b-", "broken"];
    let second = Document::Correlation(correlation("second.yml", &bad));
    let twice = Document::Correlation(correlation("twice.yml", &["a", "a"]));
    let documents =
        named.map(Document::Detection).into_iter().chain([broken, first, second, twice]);
    let said = errors(documents.collect());
    let of_second: Vec<_> = said.iter().filter(|said| said.starts_with("second.yml:7")).collect();
    assert_eq!(of_second.len(), 4, "{said:?}");
    for wanted in [
        "several rules are called `same`",
        "`first` is a correlation",
        "no rule has the id or name `b-`",
        "the rule `broken` could not be read",
    ] {
        assert!(of_second.iter().any(|said| said.contains(wanted)), "{wanted}: {said:?}");
    }
    assert!(said.iter().any(|said| said.contains("`a` is named twice")), "{said:?}");
}

#[test]
fn the_summary_names_values_and_says_how_many_more() {
    let mut told = detection("x.yml", is("eventName", &["*"]));
    let field = |path| Piece::Field(name(path));
    let text = |text: &str| Piece::Text(text.to_owned());
    told.head.notes.summary = Some(Template(vec![
        text("gave "),
        field("requestParameters.users"),
        text(" to "),
        field("requestParameters.nobody"),
        text(" in "),
        field("requestParameters.long"),
    ]));
    told.head.notes.targets = vec![name("requestParameters.users"), name("awsRegion")];
    let set = set(vec![Document::Detection(told)], Names::default());
    let long = "é".repeat(300);
    let request = json!({ "users": ["a", "b", "a", "c", "d", "e"], "long": long });
    let raw = call("alice").request(request).raw();
    let (summary, targets) = ask(&raw, |record| {
        let rule = &set.rules()[0];
        (rule.summary(record.into(), set.names()), rule.targets(record.into(), set.names()))
    });
    let shown = format!("{}...", "é".repeat(200));
    assert_eq!(summary.unwrap(), format!("gave a, b, c and 2 more to - in {shown}"));
    assert_eq!(targets, ["a", "b", "c", "d", "e", "eu-central-1"]);
}

#[test]
fn matches_are_grouped_by_values_of_fields_and_aliases() {
    let mut of_both = correlation("both.yml", &["a", "b"]);
    of_both.group_by = vec![name("recipientAccountId"), name("user")];
    of_both.kind = CorrelationKind::ValueCount(
        vec![name("requestParameters.bucketName")],
        Bounds(vec![(Bound::GreaterOrEqual, 2)]),
    );
    let alias = |rule: &str, field| (rule.to_owned(), name(field));
    let fields =
        vec![alias("a", "userIdentity.userName"), alias("b", "requestParameters.userName")];
    of_both.aliases = vec![Alias { name: "user".to_owned(), fields }];
    let any = || is("eventName", &["*"]);
    let documents =
        vec![rule("a.yml", any()), rule("b.yml", any()), Document::Correlation(of_both.clone())];
    let set = set(documents, Names::default());
    let made = &set.correlations()[0];
    let request = json!({ "userName": "bob", "bucketName": ["x", "y"] });
    ask(&call("alice").request(request).raw(), |record| {
        let group = |no| made.group(RuleNo(no), record.into(), set.names());
        assert_eq!(group(0), Some(format!("{ACCOUNT} / alice")));
        assert_eq!(group(1), Some(format!("{ACCOUNT} / bob")));
        assert_eq!(made.counted(RuleNo(0), record.into(), set.names()), ["x", "y"]);
    });
    ask(&call("alice").raw(), |record| {
        assert_eq!(made.group(RuleNo(1), record.into(), set.names()), None);
    });
    let many: Vec<u32> = (0..2_000).collect();
    ask(&call("alice").request(json!({ "bucketName": many })).raw(), |record| {
        assert_eq!(made.counted(RuleNo(0), record.into(), set.names()).len(), 1_000);
    });
    of_both.aliases[0].fields.pop();
    let documents =
        vec![rule("a.yml", any()), rule("b.yml", any()), Document::Correlation(of_both)];
    assert!(errors(documents)[0].contains("the alias `user` has no field for the rule `b`"));
}

#[test]
fn more_documents_than_a_set_holds_are_refused() {
    let many = (0..=super::DOCUMENTS_MAX).map(|n| {
        rule(
            &format!("r{n}.yml"),
            Condition::Item(Item {
                line: LINE,
                field: Some(name("eventName")),
                test: Test::Equals { cased: false },
                needs_all: false,
                values: globs(&["x"]),
            }),
        )
    });
    let (set, errors) = RuleSet::compile(many.collect(), Names::default());
    assert_eq!((set.rules().len(), errors.len()), (super::DOCUMENTS_MAX, 1));
    assert!(errors[0].to_string().contains("at most 10000 documents"));
}

#[test]
fn what_rests_on_rules_about_other_logs_is_left_out_with_them() {
    let other = |names: [&str; 2]| {
        let [uuid, name] = names.map(|name| Some(name.to_owned()));
        unused("windows.yml", Why::OtherLogs("windows".to_owned()), UnusedKind::Rule, [uuid, name])
    };
    let any = || is("eventName", &["*"]);
    let documents = || {
        vec![
            rule("a.yml", any()),
            other(["a", "logon"]),
            Document::Correlation(correlation("b.yml", &["a", "Logon"])),
            filter(Some(&["logon"]), any()),
        ]
    };
    let (set, errors) = RuleSet::compile(documents(), Names::default());
    assert_eq!((ids(&set), set.filters().len()), (vec!["a"], 0));
    let said: Vec<_> = errors.iter().map(|error| (error.to_string(), error.why())).collect();
    let logs = Why::OtherLogs("windows".to_owned());
    assert_eq!(
        said,
        [
            (
                "b.yml:7: sentrail does not read the logs of its rules: windows; its rules stay \
                 silent (expected `generate: true` if they are to speak)"
                    .to_owned(),
                &logs,
            ),
            (
                "filters.yml:7: `logon` is about logs that sentrail does not read: windows"
                    .to_owned(),
                &Why::Fault
            ),
        ]
    );
}

use super::super::{
    Config, keys, parse, position,
    tests::{Folder, refused, settings},
};
use super::wrong::{HEADERS_MAX, ROLE_CHARS_MAX};
use super::*;
use alerts::sinks::{
    Endpoint, Form, Header, Kept, KeptSecret, Protocol, REGION_CHARS_MAX, Service, To,
    event_bridge::{self, Bus},
    ocsf,
    pagerduty::{self, RoutingKey},
    security_hub::FileAs,
    sns::{self, Topic},
    template::{FILE_BYTES_MAX, Template},
};
use ingest::source::session::Role;
use std::{collections::BTreeSet, fs};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const ROUTE: &str = "0123456789abcdefABCDEFghijklmnop";
const URL: &str = "https://hooks.example.com/key-9183";

/// The sinks of a file, or what is wrong, in an environment that holds a URL and a secret.
fn read(folder: &Folder, text: &str) -> Result<Vec<Sink>, String> {
    let config = Config::load(Some(&folder.file(text))).map_err(|error| error.to_string())?;
    let variable = |name: &str| match name {
        "HOOK" => Some(URL.into()),
        "KEY" => Some(SECRET.into()),
        "ROUTE" => Some(ROUTE.into()),
        _ => None,
    };
    let kept_by = |secret: &KeptSecret, is_rotated: bool| {
        if *secret == KeptSecret::parse("gone", None).unwrap() {
            return Err("there is no secret gone".to_owned());
        }
        let previous = is_rotated.then(|| OTHER.to_owned());
        let is_url = *secret == KeptSecret::parse("hooks", Some("url")).unwrap();
        Ok(Kept { current: if is_url { URL } else { SECRET }.to_owned(), previous })
    };
    let tables = &config.settings.sinks;
    config.sinks_in(tables, (&variable, &kept_by)).map_err(|error| error.to_string())
}

#[test]
fn every_key_of_a_sink_is_read() {
    let folder = Folder::new("sinks");
    let beside = |name: &str| folder.file("").with_file_name(name);
    fs::write(beside("url"), format!("{URL}\n")).unwrap();
    fs::write(beside("old"), SECRET).unwrap();
    fs::write(beside("new"), OTHER).unwrap();
    let sinks = read(
        &folder,
        r#"
        [sinks.archive]
        type = "json-lines"
        path = "findings.jsonl"
        [sinks.pager]
        type = "webhook"
        url-file = "url"
        secret-file = ["new", "old"]
        min-severity = "high"
        [sinks.siem]
        type = "webhook"
        url-env = "HOOK"
        secret-env = "KEY"
        [sinks.inner]
        type = "webhook"
        url = "http://127.0.0.1:8080/in"
        allow = ["127.0.0.1", "10.0.0.0/8"]
        "#,
    )
    .unwrap();
    let names: Vec<_> = sinks.iter().map(|sink| (&*sink.name, sink.min_severity)).collect();
    let expected = [("archive", 0), ("inner", 0), ("pager", 2), ("siem", 0)];
    assert_eq!(names, expected.map(|(name, rank)| (name, Severity::ALL[rank])));
    let To::JsonLines(file) = &sinks[0].to else { panic!("{:?}", sinks[0]) };
    assert_eq!(file.path, beside("findings.jsonl"));
    for (sink, n_secrets) in [(&sinks[1], 0), (&sinks[2], 2), (&sinks[3], 1)] {
        let To::Webhook(webhook) = &sink.to else { panic!("{sink:?}") };
        let Form::Standard(secrets) = &webhook.form else { panic!("{sink:?}") };
        assert_eq!(secrets.len(), n_secrets);
        let url = if n_secrets == 0 { "http://127.0.0.1:8080/in" } else { URL };
        assert!(webhook.endpoint == Endpoint::parse(url, &webhook.allowed).unwrap());
    }
}

#[test]
fn services_with_a_form_of_their_own_are_read() {
    let folder = Folder::new("services");
    fs::write(folder.file("").with_file_name("key"), format!("{ROUTE}\n")).unwrap();
    let sinks = read(
        &folder,
        r#"
        [sinks.talk]
        type = "slack"
        url-env = "HOOK"
        [sinks.team]
        type = "teams"
        url-env = "HOOK"
        [sinks.wake]
        type = "pagerduty"
        key-env = "ROUTE"
        [sinks.wake-eu]
        type = "pagerduty"
        key-file = "key"
        url = "https://events.eu.pagerduty.com/v2/enqueue"
        "#,
    )
    .unwrap();
    let all: Vec<_> = sinks
        .iter()
        .map(|sink| {
            assert!(!format!("{sink:?}").contains(ROUTE));
            let To::Webhook(webhook) = &sink.to else { panic!("{sink:?}") };
            (&webhook.endpoint, &webhook.form)
        })
        .collect();
    let at = |url| Endpoint::parse(url, &Allowed::default()).unwrap();
    let [(talk, Form::Slack), (team, Form::Teams), wake, wake_eu] = all[..] else {
        panic!("{sinks:?}")
    };
    assert!(*talk == at(URL) && *team == at(URL));
    let eu = "https://events.eu.pagerduty.com/v2/enqueue";
    for ((endpoint, form), url) in [(wake, pagerduty::URL), (wake_eu, eu)] {
        let Form::PagerDuty(key) = form else { panic!("{form:?}") };
        assert!(*key == RoutingKey::parse(ROUTE).unwrap() && *endpoint == at(url));
    }
}

#[test]
fn a_security_hub_is_reached_as_queues_are_but_for_its_region() {
    let folder = Folder::new("hub");
    let hubs = |own: &str, aws: &str| {
        let text = format!("[sinks.hub]\ntype = \"security-hub\"\n{own}\n[aws]\n{aws}");
        let sinks = read(&folder, &text).unwrap();
        let To::Service(Service::SecurityHub(settings)) = sinks[0].to.clone() else {
            panic!("{sinks:?}")
        };
        settings
    };
    let aws = "region = \"eu-west-1\"\nendpoint = \"http://127.0.0.1:9\"\nprofile = \"a\"\n\
               role = \"arn:aws:iam::111122223333:role/reader\"";
    let endpoint = || Some("http://127.0.0.1:9".to_owned());
    let at = |region: &str| Access {
        region: Some(region.to_owned()),
        profile: Some("a".to_owned()),
        endpoint: endpoint(),
        ..Access::default()
    };
    let own = hubs("", aws);
    assert_eq!((own.access, own.file_as), (at("eu-west-1"), FileAs::Own));
    let own = hubs("region = \"eu-central-1\"\nfile-as = \"self\"", aws);
    assert_eq!((own.access, own.file_as), (at("eu-central-1"), FileAs::Own));
    let member = hubs("file-as = \"member\"\nrole = \"audit/sentrail-findings\"", "");
    let role = "audit/sentrail-findings".to_owned();
    assert_eq!((member.access, member.file_as), (Access::default(), FileAs::Member { role }));
}

#[test]
fn a_filing_that_cannot_be_is_refused_where_it_stands() {
    let hub = |keys: &str| format!("[sinks.a]\ntype = \"security-hub\"\n{keys}");
    let long = "a".repeat(REGION_CHARS_MAX + 1);
    let longer = "a".repeat(ROLE_CHARS_MAX + 1);
    let member = "file-as = \"member\"\n";
    for (keys, at, words) in [
        ("file-as = \"member\"", (3, 11), "needs the name of a role"),
        ("file-as = \"theirs\"", (3, 11), "theirs"),
        ("role = \"a\"", (3, 8), "is assumed only where `file-as = \"member\"`"),
        ("file-as = \"self\"\nrole = \"a\"", (4, 8), "is assumed only where"),
        (
            &format!("{member}role = \"arn:aws:iam::1:role/a\""),
            (4, 8),
            "no name of a role (not its ARN)",
        ),
        (&format!("{member}role = \"\""), (4, 8), "no name of a role"),
        (&format!("{member}role = \"{longer}\""), (4, 8), "no name of a role"),
        ("region = \"evil.example/\"", (3, 10), "\"evil.example/\" is no region"),
        (&format!("region = \"{long}\""), (3, 10), "is no region"),
        ("url-env = \"X\"", (3, 11), "only a sink of type \"webhook\""),
    ] {
        refused(&hub(keys), at, words);
    }
    let slack = "[sinks.a]\ntype = \"slack\"\nregion = \"a\"";
    refused(slack, (3, 10), "\"security-hub\", \"eventbridge\" or \"ocsf\" has it");
}

#[test]
fn topics_and_buses_are_read() {
    let folder = Folder::new("buses");
    let bus_arn = "arn:aws:events:eu-west-3:111122223333:event-bus/findings";
    let topic_arn = "arn:aws:sns:eu-central-1:111122223333:findings.fifo";
    let text = format!(
        "[sinks.a]\ntype = \"eventbridge\"\n[sinks.b]\ntype = \"eventbridge\"\nbus = \"security\"\n\
         region = \"eu-north-1\"\n[sinks.c]\ntype = \"eventbridge\"\nbus = \"{bus_arn}\"\n\
         [sinks.d]\ntype = \"sns\"\ntopic = \"{topic_arn}\"\n[aws]\nregion = \"eu-west-1\"\nprofile = \"a\"\n\
         role = \"arn:aws:iam::111122223333:role/reader\""
    );
    let sinks = read(&folder, &text).unwrap();
    let access = |region: &str| Access {
        region: Some(region.to_owned()),
        profile: Some("a".to_owned()),
        ..Access::default()
    };
    let to_bus = |region: &str, bus| {
        Service::EventBridge(event_bridge::Settings { access: access(region), bus })
    };
    let topic = Topic::parse(topic_arn).unwrap();
    let expected = [
        to_bus("eu-west-1", Bus::default()),
        to_bus("eu-north-1", Bus::parse("security").unwrap()),
        to_bus("eu-west-1", Bus::parse(bus_arn).unwrap()),
        Service::Sns(sns::Settings { access: access("eu-west-1"), topic }),
    ];
    for (sink, expected) in sinks.iter().zip(expected) {
        let To::Service(service) = &sink.to else { panic!("{sink:?}") };
        assert_eq!(*service, expected);
    }
    assert_eq!(sinks.len(), 4);
}

#[test]
fn a_topic_or_bus_that_cannot_be_is_refused_where_it_stands() {
    let bus = "[sinks.a]\ntype = \"eventbridge\"\n";
    let arn = "arn:aws:events:eu-west-3:111122223333:event-bus/findings";
    for (text, at, words) in [
        ("[sinks.a]\ntype = \"sns\"", (1, 8), "no topic (expected `topic = \"ARN\"`)"),
        (
            "[sinks.a]\ntype = \"sns\"\ntopic = \"findings\"",
            (3, 9),
            "sinks.a.topic: expected the ARN of a topic",
        ),
        (
            "[sinks.a]\ntype = \"sns\"\nregion = \"eu-west-1\"",
            (3, 10),
            "only a sink of type \"security-hub\", \"eventbridge\" or \"ocsf\"",
        ),
        ("[sinks.a]\ntype = \"sns\"\nbus = \"a\"", (3, 7), "only a sink of type \"eventbridge\""),
        (&format!("{bus}topic = \"a\""), (3, 9), "only a sink of type \"sns\" has it"),
        (&format!("{bus}bus = \"a b\""), (3, 7), "sinks.a.bus: expected the name of a bus"),
        (&format!("{bus}region = \"evil.example/\""), (3, 10), "is no region"),
        (
            &format!("{bus}region = \"eu-west-3\"\nbus = \"{arn}\""),
            (3, 10),
            "stands in the ARN of the bus, too",
        ),
    ] {
        refused(text, at, words);
    }
}

#[test]
fn a_collector_of_logs_is_read() {
    let folder = Folder::new("syslog");
    let text = "[sinks.a]\ntype = \"syslog\"\nurl = \"tls://siem.example.com\"\n\
                [sinks.b]\ntype = \"syslog\"\nurl = \"udp://10.0.0.9\"\nallow = [\"10.0.0.0/8\"]\n";
    let sinks = read(&folder, text).unwrap();
    for (sink, url) in sinks.iter().zip(["tls://siem.example.com", "udp://10.0.0.9"]) {
        let To::Syslog(settings) = &sink.to else { panic!("{sink:?}") };
        let endpoint = Endpoint::of(Protocol::Syslog, url, &settings.allowed).unwrap();
        assert!(settings.endpoint == endpoint && !settings.host.is_empty());
    }
    let syslog = "[sinks.a]\ntype = \"syslog\"\n";
    for (text, at, words) in [
        (syslog, (1, 8), "no URL (expected `url`, `url-file` or `url-env`)"),
        (&format!("{syslog}url = \"https://a.example\""), (3, 7), "begins with tls://"),
        (&format!("{syslog}url = \"tcp://a.example\""), (3, 7), "expected tls (tcp goes only"),
        (
            &format!(
                "{syslog}url-env = \"X\"\nquiet = {{ from = \"1:00\", to = \"2:00\", zone = \"UTC\" }}"
            ),
            (4, 9),
            "only a sink of type",
        ),
    ] {
        refused(text, at, words);
    }
}

#[test]
fn a_lake_is_a_folder_or_a_bucket() {
    let folder = Folder::new("lake");
    let arn = "arn:aws:iam::111122223333:role/log/writer";
    let text = format!(
        "[sinks.a]\ntype = \"ocsf\"\npath = \"lake\"\n[sinks.b]\ntype = \"ocsf\"\npath = \"s3://lake/ext/\"\n\
         region = \"eu-north-1\"\nrole = \"{arn}\"\n[aws]\nregion = \"eu-west-1\"\nprofile = \"a\"\n"
    );
    let sinks = read(&folder, &text).unwrap();
    let all = sinks.iter().map(|sink| match &sink.to {
        To::Service(Service::Ocsf(settings)) => settings,
        to => panic!("{to:?}"),
    });
    let [own, bucket] = &all.collect::<Vec<_>>()[..] else { panic!("{sinks:?}") };
    assert_eq!(own.to, ocsf::Place::Folder(folder.file("").with_file_name("lake")));
    let to = ocsf::Place::Bucket { bucket: "lake".to_owned(), prefix: "ext".to_owned() };
    assert_eq!(bucket.to, to);
    let role = Some(Role { arn: arn.to_owned(), external_id: None });
    let region = Some("eu-north-1".to_owned());
    let access = Access { region, profile: Some("a".to_owned()), role, ..Access::default() };
    assert_eq!(bucket.access, access);
    let lake = "[sinks.a]\ntype = \"ocsf\"\n";
    for (keys, at, words) in [
        ("", (1, 8), "no path (expected `path = \"FOLDER\"`"),
        ("path = \"s3://La\"", (3, 8), "sinks.a.path: expected a folder, or a bucket and a prefix"),
        ("path = \"a\"\nregion = \"eu-west-1\"", (4, 10), "is for a bucket"),
        ("path = \"a\"\nrole = \"b\"", (4, 8), "is for a bucket"),
        ("path = \"s3://lake\"\nrole = \"writer\"", (4, 8), "\"writer\" is no ARN of a role"),
        ("path = \"s3://lake\"\nregion = \"a/b\"", (4, 10), "is no region"),
    ] {
        refused(&format!("{lake}{keys}"), at, words);
    }
}

#[test]
fn a_webhook_may_have_a_body_and_headers_of_ones_own() {
    let folder = Folder::new("template");
    let beside = |name: &str| folder.file("").with_file_name(name);
    fs::write(beside("body.json"), "{\"a\": \"{title}\"}").unwrap();
    fs::write(beside("wrong.json"), "{\n\"a\": \"{titel}\"}").unwrap();
    fs::write(beside("long.json"), " ".repeat(FILE_BYTES_MAX + 1)).unwrap();
    fs::write(beside("key"), "Basic c2VjcmV0\n").unwrap();
    fs::write(beside("lines"), "a\nb").unwrap();
    let hook = |keys: &str| format!("[sinks.a]\ntype = \"webhook\"\nurl-env = \"HOOK\"\n{keys}");
    let headers = "headers = { Authorization = { file = \"key\" }, X-Key = { env = \"KEY\" } }";
    let sinks = read(&folder, &hook(&format!("body = \"body.json\"\n{headers}"))).unwrap();
    let To::Webhook(settings) = &sinks[0].to else { panic!("{sinks:?}") };
    let Form::Template(template) = &settings.form else { panic!("{sinks:?}") };
    assert_eq!(*template, Template::parse("{\"a\": \"{title}\"}").unwrap());
    let expected = [("Authorization", "Basic c2VjcmV0"), ("X-Key", SECRET)];
    let expected = expected.map(|(name, value)| Header::parse(name, value).unwrap());
    assert_eq!(settings.headers, expected);
    let shown = format!("{sinks:?}");
    assert!(!shown.contains("c2VjcmV0") && !shown.contains("MfKQ"), "{shown}");
    let wrong = |keys: &str| read(&folder, &hook(keys)).unwrap_err();
    let told = wrong("body = \"wrong.json\"");
    let place = format!(
        "{}:2: no field {{titel}} (expected one of account,",
        beside("wrong.json").display()
    );
    assert!(told.contains("sinks.a.body: ") && told.contains(&place), "{told}");
    assert!(wrong("body = \"long.json\"").contains("holds more than 16384 bytes"));
    assert!(
        wrong("headers = { A = { env = \"NONE\" } }").contains("sinks.a.headers: A: no variable")
    );
    assert!(wrong("headers = { A = { file = \"lines\" } }").contains("cannot stand in a header"));
    let many: Vec<_> = (0..=HEADERS_MAX).map(|n| format!("A{n} = {{ env = \"KEY\" }}")).collect();
    for (keys, words) in [
        ("headers = { Host = { env = \"KEY\" } }", "\"Host\": is set by the program"),
        ("headers = { \"a b\" = { env = \"KEY\" } }", "\"a b\": no name of a header"),
        (&format!("headers = {{ {} }}", many.join(", ")), "11 headers (expected 10 at most)"),
        ("body = \"body.json\"\nsecret-env = \"KEY\"", "goes with the program's own body"),
        ("body = \"body.json\"\nheartbeat = \"1d\"", "goes with the program's own body"),
        ("headers = { A = \"key-9183\" }", "expected `{ file = \"FILE\" }`"),
    ] {
        let told = wrong(keys);
        assert!(told.contains(words) && !told.contains("key-9183"), "{keys}: {told}");
    }
    refused(
        "[sinks.a]\ntype = \"slack\"\nurl-env = \"HOOK\"\nbody = \"a\"",
        (4, 8),
        "only a sink of type \"webhook\"",
    );
}

#[test]
fn no_secret_is_shown_anywhere() {
    let text = format!("[sinks.siem]\ntype = \"webhook\"\nurl = \"{URL}\"\nsecret-env = \"KEY\"\n");
    let folder = Folder::new("hidden");
    let file = folder.file(&text);
    let config = Config::load(Some(&file)).unwrap();
    let shown = format!("{}{config:?}", config.effective());
    let of_text = format!("{text:?}");
    assert!(!shown.replace(&of_text, "").contains("key-9183"), "{shown}");
    assert!(config.effective().to_string().contains("url = \"hidden\""));
    let sinks = read(&folder, &text).unwrap();
    let shown = format!("{sinks:?}");
    assert!(!shown.contains("key-9183") && !shown.contains("MfKQ"), "{shown}");
}

/// Where something is told changes no finding.
#[test]
fn sinks_are_no_part_of_the_hash() {
    let folder = Folder::new("sinks-hash");
    let hash = |text: &str| Config::load(Some(&folder.file(text))).unwrap().hash();
    assert_eq!(hash(""), hash("[sinks.a]\ntype = \"json-lines\"\npath = \"a\"\n"));
}

#[test]
fn a_sink_that_cannot_be_is_refused_where_it_stands() {
    let webhook = |more: &str| format!("[sinks.a]\ntype = \"webhook\"\n{more}");
    for (text, at, words) in [
        ("[sinks.a]\nkind = \"webhook\"", (2, 1), "no key \"kind\" in [sinks.a]; expected one of"),
        (&webhook("sekret-file = \"x\""), (3, 1), "did you mean \"secret-file\"?"),
        (&webhook("secret = \"whsec_x\""), (3, 1), "no key \"secret\" in [sinks.a]"),
        ("[sinks.a]\npath = \"x\"", (1, 1), "missing field `type`"),
        ("[sinks.a]\ntype = \"mail\"", (2, 8), "`webhook`, `json-lines`"),
        ("[sinks]\na = 5", (2, 5), "expected a table with `type`"),
        ("[sinks.Ops_1]\ntype = \"json-lines\"", (1, 8), "no name of a sink: \"Ops_1\""),
        ("[sinks.a]\ntype = \"json-lines\"", (1, 8), "sinks.a: no path"),
        (
            "[sinks.a]\ntype = \"json-lines\"\npath = \"x\"\nurl-env = \"X\"",
            (4, 11),
            "\"slack\", \"teams\", \"pagerduty\" or \"syslog\" has it",
        ),
        (
            &webhook("path = \"x\"\nurl-env = \"X\""),
            (3, 8),
            "only a sink of type \"json-lines\" or \"ocsf\"",
        ),
        (&webhook(""), (1, 8), "no URL (expected `url`, `url-file`, `url-env` or `url-from`)"),
        (
            &webhook("url-env = \"X\"\nurl = \"https://a.example/\""),
            (3, 11),
            "url stands there, too",
        ),
        (&webhook("url = \"http://key.example/\""), (3, 7), "expected https"),
        (&webhook("url = \"https://192.168.0.1/\""), (3, 7), "a private address, which `allow`"),
        (&webhook("url = 5"), (3, 7), "a text in quotes"),
        (
            &webhook("url-env = \"X\"\nallow = [\"10.0.0.0/99\"]"),
            (4, 9),
            "\"10.0.0.0/99\" is no address",
        ),
        (
            &webhook("url-env = \"X\"\nsecret-file = \"whsec_key\""),
            (4, 15),
            "holds the secret itself",
        ),
        (
            &webhook("url-env = \"X\"\nsecret-env = [\"A\", \"B\", \"C\"]"),
            (4, 14),
            "3 secrets (expected 2",
        ),
        (
            &webhook("url-env = \"X\"\nsecret-env = 5"),
            (4, 14),
            "a text in quotes, or a list of them",
        ),
        (&webhook("url-env = \"X\"\nmin-severity = \"loud\""), (4, 16), "loud"),
    ] {
        refused(text, at, words);
        let (_, what) = parse(text).unwrap_err();
        assert!(!what.contains("key.example") && !what.contains("whsec_"), "{what}");
    }
    let many: Vec<_> = (0..17)
        .map(|n| format!("[sinks.a{n:02}]\ntype = \"json-lines\"\npath = \"x\"\n"))
        .collect();
    let many = many.concat();
    let (at, what) = parse(&many).unwrap_err();
    assert_eq!((position(&many, at), &*what), ((49, 8), "sinks.a16: more than 16 sinks"));
}

#[test]
fn a_service_that_cannot_be_is_refused_where_it_stands() {
    for (text, at, words) in [
        (
            "[sinks.a]\ntype = \"slack\"\nurl-env = \"X\"\nsecret-env = \"Y\"",
            (4, 14),
            "sinks.a.secret-env: only a sink of type \"webhook\" has it",
        ),
        (
            "[sinks.a]\ntype = \"slack\"",
            (1, 8),
            "no URL (expected `url`, `url-file`, `url-env` or `url-from`)",
        ),
        (
            "[sinks.a]\ntype = \"webhook\"\nurl-env = \"X\"\nkey-env = \"Y\"",
            (4, 11),
            "only a sink of type \"pagerduty\"",
        ),
        (
            "[sinks.a]\ntype = \"pagerduty\"",
            (1, 8),
            "no key (expected `key-file`, `key-env` or `key-from`)",
        ),
        (
            "[sinks.a]\ntype = \"pagerduty\"\nkey-env = \"X\"\nkey-file = \"x\"",
            (3, 11),
            "sinks.a.key-env: key-file stands there, too",
        ),
        (
            &format!("[sinks.a]\ntype = \"pagerduty\"\nkey-env = \"{ROUTE}\""),
            (3, 11),
            "holds the secret itself",
        ),
        (
            &format!("[sinks.a]\ntype = \"pagerduty\"\nkey-file = \"{ROUTE}\""),
            (3, 12),
            "holds the secret itself",
        ),
        ("[sinks.a]\ntype = \"pagerduty\"\nkey-env = [\"X\"]", (3, 11), "a text in quotes"),
    ] {
        refused(text, at, words);
        assert!(!parse(text).unwrap_err().1.contains(ROUTE), "{text}");
    }
}

#[test]
fn what_is_kept_elsewhere_is_refused_where_it_is_named() {
    let folder = Folder::new("elsewhere");
    let beside = |name: &str| folder.file("").with_file_name(name);
    fs::write(beside("url"), "http://key-9183.example/").unwrap();
    fs::write(beside("long"), "x".repeat(HELD_BYTES_MAX + 1)).unwrap();
    fs::write(beside("secret"), "9183").unwrap();
    fs::write(beside("bytes"), b"\xff").unwrap();
    for (keys, words) in [
        ("url-file = \"url\"", "sentrail.toml:3:12: sinks.a.url-file: expected https"),
        ("url-file = \"long\"", "long holds more than 2050 bytes"),
        ("url-file = \"none\"", "none: No such file"),
        ("url-file = \"bytes\"", "bytes is not UTF-8"),
        ("url-env = \"NONE\"", "3:11: sinks.a.url-env: no variable \"NONE\" in the environment"),
        (
            "url-env = \"HOOK\"\nsecret-file = \"secret\"",
            "4:15: sinks.a.secret-file: expected `whsec_`",
        ),
        ("url-env = \"HOOK\"\nsecret-env = [\"KEY\", \"HOOK\"]", "secret-env: expected `whsec_`"),
    ] {
        let error = read(&folder, &format!("[sinks.a]\ntype = \"webhook\"\n{keys}")).unwrap_err();
        assert!(error.contains(words) && !error.contains("9183"), "{error}");
    }
}

#[test]
fn a_key_that_is_none_is_refused_where_it_is_named() {
    let folder = Folder::new("key");
    fs::write(folder.file("").with_file_name("key"), "9183").unwrap();
    for (keys, words) in [
        ("key-file = \"key\"", "sentrail.toml:3:12: sinks.a.key-file: expected an integration key"),
        ("key-env = \"KEY\"", "3:11: sinks.a.key-env: expected an integration key"),
        ("key-env = \"NONE\"", "3:11: sinks.a.key-env: no variable \"NONE\""),
    ] {
        let error = read(&folder, &format!("[sinks.a]\ntype = \"pagerduty\"\n{keys}")).unwrap_err();
        assert!(
            error.contains(words) && !error.contains("9183") && !error.contains("whsec"),
            "{error}"
        );
    }
}

#[test]
fn the_manual_names_every_key_of_a_sink() {
    let manual = include_str!("../../../docs/configuration.md");
    let part = manual.split("\n## Sinks\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let Value::Table(known) = known() else { panic!("no table") };
    for key in known.keys() {
        assert!(
            part.contains(&format!("| `{key}` |")),
            "docs/configuration.md has no row of {key}"
        );
    }
    let rows = part.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, known.len());
    // What the page about sinks shows is read, and every type is shown.
    let page = include_str!("../../../docs/sinks.md");
    let examples = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let types = |example| settings(example).sinks.into_values().map(|sink| sink.r#type.name());
    let shown: BTreeSet<_> = examples.flat_map(types).collect();
    assert_eq!(shown, Type::ALL.iter().map(|one| one.name()).collect());
    let keys = keys::known(&Table::new());
    assert!(keys.contains_key("sinks"));
}

#[test]
fn what_secrets_manager_keeps_is_read_and_of_a_rotation_both() {
    let folder = Folder::new("kept");
    let table = "[sinks.a]\ntype = \"webhook\"\n\
                 url-from = { secretsmanager = \"hooks\", key = \"url\" }\n";
    let signed = format!("{table}secret-from = {{ secretsmanager = \"signing\" }}\n");
    let sinks = read(&folder, &signed).unwrap();
    let To::Webhook(settings) = &sinks[0].to else { panic!("{sinks:?}") };
    let Form::Standard(secrets) = &settings.form else { panic!("{sinks:?}") };
    assert_eq!((secrets.len(), format!("{sinks:?}").contains("9183")), (2, false));
    let gone = read(&folder, &table.replace("hooks", "gone").replace(", key = \"url\"", ""));
    assert!(gone.unwrap_err().contains(":3:12: sinks.a.url-from: there is no secret gone"));
    refused(&table.replace("key", "kye"), (3, 40), "did you mean \"key\"?");
    let url = table.replace("hooks", "https://hooks.example.com/");
    refused(&url, (3, 12), "sinks.a.url-from: expected the name or ARN of a secret");
    let holds = signed.replace("signing", SECRET);
    refused(&holds, (4, 15), "sinks.a.secret-from: holds the secret itself");
    let both = format!("{signed}secret-env = \"KEY\"");
    refused(&both, (5, 14), "sinks.a.secret-env: secret-from stands there, too");
    let both = format!("{table}url-env = \"HOOK\"");
    refused(&both, (3, 12), "url-env stands there, too");
    // Nobody asks AWS to look at a file.
    let config = Config::load(Some(&folder.file(signed))).unwrap();
    assert_eq!(config.sinks_offline().unwrap().1, 1);
}

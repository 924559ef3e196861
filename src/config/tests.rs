use super::*;
use std::fs;

/// A folder that goes when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("sentrail-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join("sentrail.toml");
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

pub(super) fn settings(text: &str) -> Settings {
    parse(text).unwrap().0
}

#[track_caller]
pub(super) fn refused(text: &str, at: (usize, usize), words: &str) {
    let checked = parse(text).and_then(|(settings, places)| {
        keys::check_ids(&settings.detectors, (&detect::Rules::built_in(), false), &places)
    });
    let (offset, what) = checked.unwrap_err();
    assert_eq!(position(text, offset), at, "{what}");
    assert!(what.contains(words), "{what}");
}

#[test]
fn what_is_written_for_programmers_holds_no_secret() {
    let folder = Folder::new("debug");
    let key = "00112233445566778899aabbccddeeff";
    let text = format!("hash-key = \"{key}\" # a word\n");
    let config = Config::load(Some(&folder.file(&text))).unwrap();
    let written = format!("{config:?}");
    assert_eq!(written, format!("Config({})", config.hash()));
}

#[test]
fn an_empty_file_says_what_no_file_says() {
    assert_eq!(settings(""), Settings::default());
    let folder = Folder::new("empty");
    let file = folder.file("");
    let hash = |path| Config::load(path).unwrap().hash();
    assert_eq!(hash(Some(file.as_path())), hash(None));
}

#[test]
fn every_key_is_read() {
    let settings = settings(
        r#"
        lateness = "2d"
        hash-key = "00112233445566778899aabbccddeeff"
        alerts-per-day = 12
        duplicates-budget = "1 GiB"
        max-inflated = "512 MiB"
        city-database = "city.mmdb"
        rules = ["rules"]
        rules-of-others = ["public"]
        own = ["arn:aws:s3:::logs"]
        [placeholders]
        admins = ["ada"]
        [lists.offices]
        file = "offices.txt"
        trusted = true
        [decoys]
        roles = ["backup-admin"]
        [kinds]
        agent = ["*:role/support-bot#*"]
        [aws]
        region = "eu-west-1"
        profile = "logs"
        endpoint = "http://127.0.0.1:4566"
        role = "arn:aws:iam::111122223333:role/read-logs"
        external-id = "sentrail"
        requester-pays = true
        [sinks.archive]
        type = "json-lines"
        path = "findings.jsonl"
        [detectors]
        disable = ["root-use"]
        severity = { port-scan = "high" }
        [detectors.s3-mass-deletion]
        calls-min = 7
        "#,
    );
    assert_eq!(settings.lateness, Lateness::from_hours(48).unwrap());
    assert_eq!(settings.alerts_per_day.get(), 12);
    assert_eq!(settings.hash_key.0[..3], [0x00, 0x11, 0x22]);
    assert_eq!(
        (settings.duplicates_budget, settings.max_inflated),
        (Size(1 << 30), Size(512 << 20))
    );
    assert_eq!(settings.detectors.s3_mass_deletion.calls_min, 7);
    assert_eq!(settings.detectors.disable.len(), 1);
    assert_eq!((settings.rules.len(), settings.lists.len()), (1, 1));
    assert_eq!((settings.rules_of_others.len(), settings.placeholders.len()), (1, 1));
    assert_eq!((settings.sinks.len(), settings.own.len()), (1, 1));
    let access = settings.aws.access();
    assert!(access.requester_pays && access.region.as_deref() == Some("eu-west-1"));
    assert_eq!(access.role.unwrap().external_id.as_deref(), Some("sentrail"));
    assert!(!settings.decoys.is_empty() && !settings.kinds.is_empty());
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest() {
    refused("\nlatenes = \"24h\"", (2, 1), "did you mean \"lateness\"?");
    refused("[detector]\n", (1, 2), "did you mean \"detectors\"?");
    refused("[detectors.s3-mass-deletoin]\n", (1, 12), "did you mean \"s3-mass-deletion\"?");
    refused(
        "[detectors.denied-burst]\n  call-min = 3",
        (2, 3),
        "no key \"call-min\" in [detectors.denied-burst]; did you mean \"calls-min\"?",
    );
    refused("[detectors]\nseverity = { rootuse = \"low\" }", (2, 14), "did you mean \"root-use\"?");
    refused(
        "[detectors]\ndisable = [\"port-scan\", \"prot-scan\"]",
        (2, 25),
        "no detector or rule \"prot-scan\"; did you mean \"port-scan\"?",
    );
    refused("[detectors]\ndisable = [\"frobnicate\"]", (2, 12), "`sentrail detectors list` names");
    refused("[placeholders]\na = \"b\"", (2, 5), "expected a list");
    refused("[lists.a]\nfil = \"x\"", (2, 1), "did you mean \"file\"?");
    refused("[lists.a]\ntrusted = true", (1, 1), "file");
    refused("[decoys]\nrole = []", (2, 1), "did you mean \"roles\"?");
    refused("frobnicate = 1", (1, 1), "expected one of");
    refused("\"\\u001b[2J\" = 1", (1, 1), "\\u{1b}[2J");
}

#[test]
fn a_wrong_value_is_refused_where_it_stands() {
    refused("lateness = \"1h\"", (1, 12), "24h to 168h");
    refused("max-inflated = \"1 B\"", (1, 16), "1 MiB to 1 TiB");
    refused("hash-key = \"x\"", (1, 12), "32 hexadecimal digits");
    for wrong in ["0", "0.5", "'5'", "-1"] {
        let text = format!("alerts-per-day = {wrong}");
        refused(&text, (1, 18), "expected a whole number from 1 to 4294967295");
    }
    refused("lateness = 24", (1, 12), "expected a text in quotes");
    refused("hash-key = 1234567812345678", (1, 12), "32 hexadecimal digits in quotes");
    refused("rules = \"x\"", (1, 9), "expected a list in square brackets");
    refused(
        "[detectors.denied-burst]\ncalls-min = \"9\"",
        (2, 13),
        "expected a whole number from 0 on",
    );
    refused(
        "[decoys]\nusers = [\"a\"]\nroles = [\"b\", \" \"]",
        (3, 9),
        "decoys.roles: an empty name",
    );
    refused("[detectors]\nseverity = { root-use = \"loud\" }", (2, 25), "loud");
    refused(
        "[detectors.denied-burst]\ncalls-min = -1",
        (2, 13),
        "expected a whole number from 0 on",
    );
    refused("[detectors.denied-burst]\nbits-min = nan", (2, 12), "from 0 on");
    refused("[detectors.denied-burst]\nbits-min = -0.5", (2, 12), "from 0 on");
    refused("[detectors.denied-burst]\nbits-min = inf", (2, 12), "from 0 on");
    refused("ä = [", (1, 6), "unclosed array");
    refused("lateness = \"24h\"\nlateness = \"24h\"", (2, 1), "duplicate");
}

#[test]
fn a_kind_that_cannot_be_is_refused_where_it_stands() {
    refused("[kinds]\nrobot = [\"x\"]", (2, 1), "expected one of");
    refused("[kinds]\nagents = [\"x\"]", (2, 1), "did you mean \"agent\"?");
    refused("[kinds]\nagent = \"x\"", (2, 9), "expected a list");
    refused("[kinds]\nci = [\"a\", \"\"]", (2, 12), "kinds.ci: an empty pattern");
    let session = "[kinds]\nci = [\"arn:aws:sts::1:assumed-role/x/y\"]";
    refused(session, (2, 7), "a session is no identity");
    let twice = "[kinds]\nhuman = [\"*x\"]\nagent = [\"*x\"]";
    refused(twice, (3, 10), "kinds.agent: the same pattern is human and agent");
    let long = format!("[kinds]\nagent = [\"{}\"]", "x".repeat(2_049));
    refused(&long, (2, 10), "2049 bytes (expected 2048 at most)");
    let many: Vec<_> = (0..1_001).map(|n| format!("\"a{n}\"")).collect();
    let many = format!("[kinds]\nci = [{}]", many.join(", "));
    let (offset, what) = parse(&many).unwrap_err();
    assert_eq!((position(&many, offset).0, &*what), (2, "kinds.ci: more than 1000 patterns"));
    // Twice for one kind is no contradiction.
    assert!(parse("[kinds]\nci = [\"*x\", \"*x\"]").is_ok());
}

#[test]
fn files_that_mean_the_same_have_one_hash() {
    let hash = |text: &str| {
        let settings = settings(text);
        Config { settings, ..Config::load(None).unwrap() }.hash()
    };
    let base = hash("lateness = \"48h\"\n[detectors.root-use]\nbits-min = 3");
    assert_eq!(base, hash("# a comment\ndetectors.root-use.bits-min = 3.0\nlateness = \"2d\""));
    assert_eq!(base.len(), 32);
    let others = ["", "lateness = \"48h\"", "hash-key = \"00112233445566778899aabbccddeeff\""];
    assert!(others.iter().all(|other| hash(other) != base));
    assert_ne!(hash(others[0]), hash(others[2]));
}

#[test]
fn a_hostile_file_is_refused() {
    let folder = Folder::new("hostile");
    let error = |bytes: &[u8]| Config::load(Some(&folder.file(bytes))).unwrap_err().to_string();
    assert!(error(b"\n# \xff").ends_with("sentrail.toml:2:3: not UTF-8"), "{}", error(b"\n# \xff"));
    let large = vec![b'\n'; usize::try_from(FILE_BYTES_MAX).unwrap() + 1];
    assert!(error(&large).contains("larger than 1048576 bytes"));
    let deep = format!("lateness = {}", "[".repeat(100_000));
    assert!(error(deep.as_bytes()).contains("sentrail.toml:1:"));
    let missing = Config::load(Some(Path::new("/no/such/file"))).unwrap_err();
    assert_eq!(missing.to_string(), "cannot read configuration /no/such/file");
}

#[test]
fn the_city_database_lies_beside_the_file() {
    let folder = Folder::new("beside");
    let file = folder.file("city-database = \"maps/city.mmdb\"");
    let config = Config::load(Some(&file)).unwrap();
    assert_eq!(config.city_database(), Some(file.with_file_name("maps/city.mmdb")));
    assert!(config.enrich().is_err());
}

#[test]
fn less_memory_means_less_at_once() {
    let folder = Folder::new("memory");
    let of = |memory: &str| {
        let file = folder.file(format!("memory = \"{memory}\"\n"));
        let config = Config::load(Some(&file)).unwrap();
        let mib = |bytes: u64| bytes >> 20;
        let fingerprints = config.options().duplicates_budget_bytes as u64;
        let profiles = config.profiles_bytes_max() as u64;
        [profiles, fingerprints, config.batch_bytes_max()].map(mib)
    };
    assert_eq!(of("8 GiB"), [4_096, 256, 16]);
    assert_eq!(of("2 GiB"), [1_024, 256, 8]);
    assert_eq!(of("512 MiB"), [256, 128, 2]);
    assert_eq!(of("16 MiB"), [8, 4, 1]);
}

#[test]
fn the_settings_reach_the_engine() {
    let folder = Folder::new("engine");
    let file =
        folder.file("lateness = \"36h\"\nalerts-per-day = 7\nduplicates-budget = \"64 MiB\"\nmax-inflated = \"1 GiB\"");
    let config = Config::load(Some(&file)).unwrap();
    let options = config.options();
    assert_eq!(options.lateness.ms(), 36 * 3_600_000);
    assert_eq!(options.alerts_per_day.get(), 7);
    assert_eq!(options.duplicates_budget_bytes, 64 << 20);
    assert_eq!(config.inflated_bytes_max(), 1 << 30);
    assert_eq!(config.inputs(&Enrich::built_in()).config_hash, config.hash());
}

#[test]
fn the_manual_names_every_key_and_its_example_is_read() {
    let manual = include_str!("../../docs/configuration.md");
    let example = manual.split("```").nth(1).unwrap().strip_prefix("toml").unwrap();
    assert!(settings(example).city_database.is_some());
    // Those of the detectors have a table of their own (`src/cli/detectors.rs`).
    let known = keys::known(&table(&Settings::default()));
    for key in known.keys().filter(|key| *key != "detectors") {
        let begin = format!("| `{key}` |");
        assert!(manual.contains(&begin), "docs/configuration.md has no row `{begin} ...`");
    }
}

#[test]
fn colour_follows_the_terminal_unless_told() {
    let decide = |is_terminal, never: Option<&str>, always: Option<&str>| {
        decide_colour(is_terminal, never.map(OsStr::new), always.map(OsStr::new))
    };
    assert!(decide(true, None, None) && !decide(false, None, None));
    assert!(!decide(true, Some("1"), Some("1")) && decide(true, Some(""), None));
    assert!(decide(false, None, Some("1")) && !decide(false, None, Some("0")));
}

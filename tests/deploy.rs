//! What stands in `deploy/`: templates that a linter and a server take, whose policies are enough; and the program under the
//! restrictions of the image. What a machine cannot try is said, and left out.

use crate::{
    servers::Server,
    support::{archive, run_in, text},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const ACCOUNT: &str = "123456789012";

fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(deploy(path)).unwrap()
}

fn python() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python")
}

/// What is said where a machine cannot try something: nobody takes it for tried.
fn is_there(program: &str, what: &str) -> bool {
    let is_there = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    let is_there = is_there.is_ok_and(|found| found.status.success());
    if !is_there {
        eprintln!("left out, for want of {program}: {what}");
    }
    is_there
}

#[track_caller]
fn went_well(ended: &Output) -> String {
    let [out, err] = [&ended.stdout, &ended.stderr].map(|out| String::from_utf8_lossy(out));
    assert!(ended.status.success(), "{out}{err}");
    out.into_owned()
}

#[test]
fn the_linter_has_nothing_to_say_of_the_templates() {
    let templates = ["single-account", "organization", "member-role"]
        .map(|name| deploy(&format!("cloudformation/{name}.yml")));
    let linter = python().with_file_name("cfn-lint");
    if is_there(&text(&linter), "the templates before cfn-lint (make servers)") {
        let said = went_well(&Command::new(linter).args(templates).output().unwrap());
        assert_eq!(said, "");
    }
}

/// The resources of a template, each with its lines.
fn resources(template: &str) -> BTreeMap<String, String> {
    let (_, rest) = template.split_once("\nResources:\n").unwrap();
    let (own, _) = rest.split_once("\nOutputs:\n").unwrap();
    let mut all = BTreeMap::<String, String>::new();
    let mut name = String::new();
    for line in own.lines() {
        let is_name = line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
        if is_name {
            line.trim().trim_end_matches(':').clone_into(&mut name);
        }
        let lines = all.entry(name.clone()).or_default();
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    all.into_iter().map(|(name, lines)| (name, lines.trim_end().to_owned())).collect()
}

#[test]
fn the_template_of_an_organisation_has_all_that_one_of_an_account_has() {
    let [one, all] = ["single-account", "organization"]
        .map(|name| resources(&read(&format!("cloudformation/{name}.yml"))));
    assert!(one.len() > 25, "{}", one.len());
    for (name, lines) in one {
        assert_eq!(all.get(&name), Some(&lines), "mend organization.yml: {name}");
    }
}

/// What came of a stack on a server. What that does not make stands on the page.
#[track_caller]
fn made(server: &Server, template: &str, parameters: &Value) -> Value {
    let endpoint = format!("http://{}", server.address);
    let mut command = Command::new(python());
    command.args(["tests/support/templates.py", &endpoint]).arg(deploy(template));
    let told = went_well(&command.arg(parameters.to_string()).output().unwrap());
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["status"], "CREATE_COMPLETE", "{told:#}");
    let page = include_str!("../docs/install.md");
    for kind in told["not_made"].as_array().unwrap() {
        let kind = kind.as_str().unwrap();
        assert!(
            page.contains(&format!("`{kind}`")),
            "say on docs/install.md that {kind} is not tried"
        );
    }
    told
}

/// The report of `doctor` as a user who has the policies of the task, and nothing else.
fn doctor_with(server: &Server, stack: &Value, arguments: &[&str]) -> Value {
    let user = server.user("task");
    let all = stack["policies"].as_object().unwrap().values();
    let all = all.flat_map(|policy| policy["Statement"].as_array().unwrap()).cloned();
    // The server knows what a call is about of S3 and SQS alone.
    let statements = all.map(|mut statement| {
        let actions = statement["Action"].to_string();
        if !actions.contains("\"s3:") && !actions.contains("\"sqs:") {
            statement["Resource"] = "*".into();
        }
        statement
    });
    let statements: Vec<_> = statements.collect();
    server.lets("task", &json!({"Version": "2012-10-17", "Statement": statements}));
    let endpoint = format!("http://{}", server.address);
    let environment = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", user[0].as_str()),
        ("AWS_SECRET_ACCESS_KEY", user[1].as_str()),
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
    ];
    server.enforce(true);
    let ended = run_in(&environment, &[&["doctor", "--format", "json"], arguments].concat());
    server.enforce(false);
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {}", ended.err))
}

#[track_caller]
fn is_sound(report: &Value) {
    let checks = report["checks"].as_array().unwrap();
    let faults: Vec<_> = checks.iter().filter(|check| check["state"] == "fault").collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let is_told = checks.iter().any(|check| check["check"] == "queue-policy");
    assert!(is_told, "{checks:#?}");
}

#[test]
fn what_the_template_of_an_account_makes_is_enough_and_sound() {
    let server = Server::begin();
    server.bucket("trail");
    server.secret("sentrail/webhook", "https://localhost/hook");
    let key = |service: &str| format!("AWSLogs/{ACCOUNT}/{service}/x");
    server.put("trail", &key("elasticloadbalancing"), b"x");
    let secret = format!("arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:sentrail/webhook-*");
    let parameters = json!({"LogBucket": "trail", "Image": "sentrail", "SecretArn": secret});
    let stack = made(&server, "cloudformation/single-account.yml", &parameters);
    let outputs = |name: &str| stack["outputs"][name].as_str().unwrap();
    let name = outputs("QueueArn").rsplit(':').next().unwrap();
    server.notify("trail", name);
    let snapshots = format!("s3://{}/sentrail", outputs("StateBucketName"));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("sentrail.toml");
    let own = read("sentrail.toml");
    assert!(own.contains("[sinks.team]\n"), "{own}");
    let own = own.replace("[sinks.team]\n", "[sinks.team]\nallow = [\"127.0.0.1\", \"::1\"]\n");
    fs::write(&config, own).unwrap();
    let state = text(&folder.path().join("s.db"));
    let report = doctor_with(
        &server,
        &stack,
        &[
            "--queue",
            outputs("QueueUrl"),
            "--bucket",
            "s3://trail/AWSLogs/",
            "--snapshots",
            &snapshots,
            "--config",
            &text(&config),
            "--state",
            &state,
        ],
    );
    let checks = report["checks"].as_array().unwrap();
    // Of a trail that has written nothing, only the logs of another service lie there.
    let faults = checks.iter().filter(|check| check["state"] == "fault");
    let faults: Vec<_> = faults.map(|check| check["check"].as_str().unwrap()).collect();
    assert_eq!(faults, ["bucket-layout"], "{report:#}");
    assert!(checks.len() > 15, "{checks:#?}");
}

#[test]
fn what_the_template_of_an_organisation_makes_is_enough_and_sound() {
    let server = Server::begin();
    server.bucket("trail");
    server.accounts(&[]);
    for by in ["EventBridge", "Sns"] {
        let topic = server.topic("trail", "none", &[]);
        let parameters = json!({"LogBucket": "trail", "Image": "sentrail", "Notification": by,
                                "TopicArn": topic, "SecurityHub": "yes"});
        let server = if by == "Sns" { &server } else { &Server::begin() };
        let stack = made(server, "cloudformation/organization.yml", &parameters);
        let has = |name: &str| stack["wanted"].as_array().unwrap().contains(&name.into());
        assert_eq!(
            (has("Rule"), has("Subscription")),
            (by == "EventBridge", by == "Sns"),
            "{stack:#}"
        );
        if by == "Sns" {
            server.notify_by(
                "trail",
                &format!("<TopicConfiguration><Topic>{topic}</Topic><Event>s3:ObjectCreated:*</Event></TopicConfiguration>"),
            );
            let queue = stack["outputs"]["QueueUrl"].as_str().unwrap();
            let config = tempfile::NamedTempFile::new().unwrap();
            fs::write(config.path(), "[organization]\naccount-names = true\n").unwrap();
            let config = text(config.path());
            let arguments =
                ["--queue", queue, "--bucket", "s3://trail/AWSLogs/", "--config", &config];
            is_sound(&doctor_with(server, &stack, &arguments));
        }
    }
    let role = json!({"SentrailRoleArn": format!("arn:aws:iam::{ACCOUNT}:role/sentrail")});
    made(&Server::begin(), "cloudformation/member-role.yml", &role);
}

#[test]
fn the_page_leads_from_an_empty_folder_to_the_first_message() {
    let page = include_str!("../docs/install.md");
    let (_, rest) = page.split_once("<!-- local -->\n```sh\n").unwrap();
    let (commands, _) = rest.split_once("```\n<!-- /local -->").unwrap();
    // Others may run the same tests on the same machine.
    let free =
        ["5317", "5318", "5319"].map(|named| (named, TcpListener::bind("127.0.0.1:0").unwrap()));
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port().to_string();
    let commands = free.iter().fold(commands.to_owned(), |commands, (named, listener)| {
        commands.replace(named, &port(listener))
    });
    drop(free);
    let folder = tempfile::tempdir().unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_sentrail")).parent().unwrap();
    let system = "/usr/local/bin:/usr/bin:/bin";
    let ended = Command::new("sh")
        .args([
            "-e",
            "-c",
            &format!("trap 'kill $SENTRAIL $CHAT $SERVER 2>&- || :' EXIT\n{commands}"),
        ])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", format!("{}:{system}", program.display()))
        .env("REPOSITORY", env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let log = fs::read_to_string(folder.path().join("sentrail.log")).unwrap_or_default();
    let said = String::from_utf8_lossy(&ended.stdout);
    let error = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}{error}{log}");
    assert!(
        said.contains(" 0 at fault") && said.contains("\"title\": \"S3 objects re-encrypted"),
        "{said}{error}"
    );
    assert!(error.contains("team: delivered"), "{error}");
}

#[test]
fn image_unit_and_templates_speak_of_the_same_program() {
    let image = read("Dockerfile");
    for words in [
        "ENTRYPOINT [\"/usr/local/bin/sentrail\"]",
        "USER 65532:65532",
        "VOLUME [\"/var/lib/sentrail\", \"/tmp\"]",
        "cp deploy/sentrail.toml /image/etc/sentrail/",
    ] {
        assert!(image.contains(words), "{words}");
    }
    let version = format!("rust:{}", env!("CARGO_PKG_RUST_VERSION"));
    assert!(image.contains(&version), "{version}");
    for template in ["cloudformation/single-account.yml", "kubernetes/sentrail.yml"] {
        let text = read(template);
        for words in ["65532", "/var/lib/sentrail/state.db", "/tmp", "/etc/sentrail/sentrail.toml"]
        {
            assert!(text.contains(words), "{template}: {words}");
        }
    }
    let config = text(&deploy("sentrail.toml"));
    run_in(&[], &["config", "check", "--config", &config]).ends(0);
    if is_there("systemd-analyze", "the unit of systemd") {
        let folder = tempfile::tempdir().unwrap();
        let unit = folder.path().join("sentrail.service");
        let own = read("systemd/sentrail.service");
        // It asks whether the program is there.
        fs::write(&unit, own.replace("/usr/local/bin/sentrail", "/bin/true")).unwrap();
        let said = Command::new("systemd-analyze").arg("verify").arg(&unit).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&said.stderr), "");
        went_well(&said);
    }
}

#[test]
fn the_program_runs_as_nobody_on_a_root_that_nobody_may_write_to() {
    const RESTRICTED: &str = "
        set -e
        mount --bind \"$1\" \"$1\"
        mount -o remount,bind,ro / 2>/dev/null || { echo no-mount; exit 0; }
        shift
        exec prlimit --as=4294967296 setpriv --reuid 65532 --regid 65532 --clear-groups \
          --bounding-set=-all --inh-caps=-all --no-new-privs env -i \"$@\"";
    let what = "the program as nobody, on a root that is read-only";
    if !["unshare", "setpriv", "prlimit"].iter().all(|program| is_there(program, what)) {
        return;
    }
    let folder = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
    let path = folder.path();
    went_well(&Command::new("chmod").arg("0777").arg(path).output().unwrap());
    let program = path.join("sentrail");
    fs::copy(env!("CARGO_BIN_EXE_sentrail"), &program).unwrap();
    let logs = path.join("logs");
    went_well(&Command::new("cp").arg("-r").arg(archive()).arg(&logs).output().unwrap());
    went_well(&Command::new("chmod").args(["-R", "a+rX"]).arg(&logs).output().unwrap());
    let (state, findings) = (text(&path.join("s.db")), text(&path.join("f.jsonl")));
    let run = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", RESTRICTED, "sh"]);
        command.arg(path).arg(format!("TMPDIR={}", text(path))).arg(&program).args(arguments);
        command.current_dir("/").output()
    };
    let logs = text(&logs);
    let arguments =
        ["replay", "--quiet", "--threads", "2", "--format", "jsonl", "--state", &state, &logs];
    let ended = run(&arguments).unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    if said.starts_with("no-mount")
        || String::from_utf8_lossy(&ended.stderr).contains("unshare failed")
    {
        is_there("a right to mount", what);
        return;
    }
    assert!(went_well(&ended).lines().count() > 5, "{said}");
    // Where it may not write it says so, and does not die of it.
    let doctor = run(&["doctor", "--folder", &logs, "--state", "/var/lib/s.db"]).unwrap();
    let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert_eq!(doctor.status.code(), Some(1), "{told}");
    assert!(told.contains("fault   state-folder of /var/lib/s.db"), "{told}");
    let doctor = run(&["doctor", "--folder", &logs, "--state", &findings]).unwrap();
    went_well(&doctor);
}

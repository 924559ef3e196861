//! What AWS keeps for the watch: secrets of sinks, which are rotated, and names of accounts; before a server that keeps them.

use crate::{
    servers::server,
    support::{
        bench::KEYS,
        daemon::Daemon,
        deliver_all, objects_by_stamp,
        receiver::{receiver, receiver_by},
        run_in, text,
    },
};
use serde_json::{Value, json};
use std::{fs, path::Path};

const SECRETS: [&str; 2] =
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"];

fn configured(folder: &Path, tables: &str) -> String {
    let config = folder.join("sentrail.toml");
    let endpoint = format!("http://{}", server().address);
    let aws = format!("[aws]\nendpoint = \"{endpoint}\"\nregion = \"us-east-1\"\n");
    fs::write(&config, tables.to_owned() + &aws).unwrap();
    text(&config)
}

/// Arguments of a daemon that reads the archive, in this folder.
fn arguments(folder: &Path, config: &str) -> Vec<String> {
    let logs = folder.join("logs");
    fs::create_dir(&logs).unwrap();
    deliver_all(&objects_by_stamp(), &logs);
    let state = text(&folder.join("s.db"));
    ["--folder", &text(&logs), "--state", &state, "--config", config].map(str::to_owned).to_vec()
}

#[test]
fn a_url_that_was_rotated_is_read_again_when_the_receiver_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let url =
        |address: &str, path: &str| json!({"url": format!("http://{address}{path}")}).to_string();
    let (to_rotate, rotated) = std::sync::mpsc::channel::<String>();
    let (address, told) = receiver_by(move |path| {
        if path != "/old" {
            return 200;
        }
        if let Ok(new) = rotated.try_recv() {
            server().secret("rotated-url", &new);
        }
        403
    });
    server().secret("rotated-url", &url(&address, "/old"));
    to_rotate.send(url(&address, "/new")).unwrap();
    for secret in SECRETS {
        server().secret("rotated-key", secret);
    }
    let config = configured(
        folder.path(),
        "[sinks.chat]\ntype = \"webhook\"\nallow = [\"127.0.0.1\"]\nmin-severity = \"critical\"\n\
         url-from = { secretsmanager = \"rotated-url\", key = \"url\" }\n\
         secret-from = { secretsmanager = \"rotated-key\" }\n",
    );
    let daemon = Daemon::start_in(&KEYS, &arguments(folder.path(), &config), None);
    let sent = told.recv().unwrap();
    assert_eq!(sent["path"], "/new");
    // Both keys are valid while one takes the place of the other.
    let signatures = sent["webhook-signature"].as_str().unwrap();
    assert_eq!(signatures.matches("v1,").count(), 2, "{signatures}");
    let said = daemon.stop().concat();
    for secret in SECRETS.iter().chain(&["/old", "/new"]) {
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn a_secret_that_cannot_be_had_stops_the_start_where_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let table =
        "[sinks.on-call]\ntype = \"pagerduty\"\nkey-from = { secretsmanager = \"nobodys\" }\n";
    let config = configured(folder.path(), table);
    let tested = run_in(&KEYS, &["alerts", "test", "--config", &config]);
    let words =
        "sentrail.toml:3:12: sinks.on-call.key-from: there is no secret nobodys in \"us-east-1\"";
    tested.ends(2).tells(&[words]);
    // Of a file alone nobody asks AWS.
    let checked = run_in(&[], &["config", "check", "--config", &config]);
    checked.ends(0).tells(&["ok: 1 sink whose secrets AWS keeps"]);
}

#[test]
fn accounts_have_the_names_of_the_organisation_and_without_it_the_watch_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (address, _, told) = receiver();
    let names: Vec<_> = (0..22).map(|n| format!("team-{n}")).collect();
    server().accounts(&names);
    let sink = format!(
        "[organization]\naccount-names = true\n[sinks.chat]\ntype = \"webhook\"\n\
         url = \"http://{address}/\"\nallow = [\"127.0.0.1\"]\nmin-severity = \"critical\"\n"
    );
    let config = configured(folder.path(), &sink);
    let arguments = arguments(folder.path(), &config);
    let mut daemon = Daemon::start_in(&KEYS, &arguments, None);
    assert!(daemon.says("accounts-named"));
    let said: Value = serde_json::from_str(daemon.said.last().unwrap()).unwrap();
    // Of two pages; one is the account that manages the others.
    assert_eq!(said["accounts"], 23);
    told.recv().unwrap();
    daemon.stop();
    let nowhere = fs::read_to_string(&config).unwrap().replace(&server().address, "127.0.0.1:9");
    fs::write(&config, nowhere).unwrap();
    let mut daemon = Daemon::start_in(&KEYS, &arguments, None);
    assert!(daemon.says("accounts-unnamed") && daemon.says("caught-up"));
    daemon.stop();
}

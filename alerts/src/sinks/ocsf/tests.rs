use super::*;
use crate::{
    sample,
    sinks::{Event, Occasion, Service, To, service::stub::message_of},
};
use detect::{Finding, FindingId};
use ingest::decode::gunzip;

fn to(folder: &Path) -> To {
    let to = Place::Folder(folder.to_owned());
    To::Service(Service::Ocsf(Settings { access: Access::default(), to }))
}

fn message(n: u128, finding: Finding, event: Event) -> Message {
    let finding = Finding { id: FindingId(n), ..finding };
    let occasion = Occasion { event, series: None };
    message_of(&finding, to(Path::new("")).body(occasion, (&finding, &sample::inputs()), 0))
}

fn messages() -> Vec<Message> {
    let elsewhere = |mut finding: Finding| {
        finding.entity.account = "../../etc".into();
        finding
    };
    vec![
        message(1, sample::finding("s3-mass-reencryption"), Event::Created),
        message(2, sample::hostile(), Event::Updated),
        message(3, sample::flow(), Event::Created),
        message(4, elsewhere(sample::flow()), Event::Created),
    ]
}

/// Whether a finding lies below the folder, where readers of lakes look for it, as one line.
pub(in crate::sinks) fn check(finding: &Finding, inputs: &crate::Inputs) {
    let body = to(Path::new("")).body(Occasion::NEW, (finding, inputs), 0);
    let message = message_of(finding, body);
    let (partition, _) = partition(&message.body);
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '=';
    let levels: Vec<_> = partition.split('/').collect();
    assert!(levels.len() == 3 && levels.iter().all(|level| level.chars().all(fits)), "{partition}");
    let Object { name, bytes } = object(&partition, &[message]).unwrap();
    assert!(name.len() <= 150, "{name}");
    let [line] = &lines(&bytes)[..] else { panic!("no line, or several") };
    assert_eq!(line["finding_info"]["uid"], finding.id.to_string());
}

fn send(folder: &Path, messages: Vec<Message>) -> Vec<(Message, Outcome)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Ocsf(Writer::Folder(folder.to_owned())).send(messages))
}

/// All files below a folder, hidden ones too, with what they hold.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                all.insert(name, fs::read(path).unwrap());
            }
        }
    }
    all
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = String::from_utf8(gunzip(bytes, 1 << 20).unwrap()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn findings_lie_by_region_account_and_day() {
    let folder = tempfile::tempdir().unwrap();
    let sent = send(&folder.path().join("new/lake"), messages());
    assert_eq!(sent.len(), 4);
    assert!(sent.iter().all(|(_, outcome)| *outcome == Outcome::Delivered));
    let files = files(&folder.path().join("new/lake"));
    let folders: Vec<_> = files.keys().map(|name| name.rsplit_once('/').unwrap().0).collect();
    assert_eq!(
        folders,
        [
            "region=unknown/accountId=111122223333/eventDay=20260312",
            "region=unknown/accountId=unknown/eventDay=20260312",
            "region=us-west-2/accountId=111122223333/eventDay=20260312",
        ]
    );
    let two = lines(files.values().last().unwrap());
    let what: Vec<_> = two.iter().map(|line| line["activity_id"].as_i64().unwrap()).collect();
    assert_eq!(what, [1, 2]);
    assert_eq!(two[1]["type_uid"], 200_402);
    let names = files.keys().map(|name| name.rsplit_once('/').unwrap().1);
    assert!(
        names.into_iter().all(|name| name.starts_with("sentrail-") && name.ends_with(".json.gz"))
    );
}

#[test]
fn what_is_written_twice_is_the_same_object_in_whatever_order() {
    let folder = tempfile::tempdir().unwrap();
    send(folder.path(), messages());
    let before = files(folder.path());
    send(folder.path(), messages().into_iter().rev().collect());
    assert_eq!(files(folder.path()), before);
    // What was begun and not ended is no object.
    let name = before.keys().next().unwrap();
    let (parent, name) = name.rsplit_once('/').unwrap();
    let unfinished = folder.path().join(parent).join(format!(".{name}.unfinished"));
    fs::write(&unfinished, "cut").unwrap();
    send(folder.path(), messages());
    assert_eq!(files(folder.path()), before);
}

#[test]
fn what_cannot_be_written_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let sent = send(&file, messages());
    assert_eq!(sent.len(), 4);
    for (_, outcome) in sent {
        let Outcome::Retry { error, after_ms: None } = outcome else { panic!("{outcome:?}") };
        assert!(error.contains("Not a directory") || error.contains("exists"), "{error}");
    }
}

#[test]
fn a_bucket_has_a_name_and_may_have_a_prefix() {
    let bucket = |bucket: &str, prefix: &str| {
        Some(Ok(Place::Bucket { bucket: bucket.to_owned(), prefix: prefix.to_owned() }))
    };
    assert_eq!(Place::of_bucket("s3://lake"), bucket("lake", ""));
    assert_eq!(Place::of_bucket("s3://lake/"), bucket("lake", ""));
    assert_eq!(Place::of_bucket("s3://lake.a-1/ext/sentrail/"), bucket("lake.a-1", "ext/sentrail"));
    let longest = "a".repeat(PREFIX_BYTES_MAX);
    assert_eq!(Place::of_bucket(&format!("s3://lake/{longest}")), bucket("lake", &longest));
    for text in [
        "s3://",
        "s3://la",
        "s3://Lake/a",
        "s3://lake/a b",
        "s3://lake/ä",
        &format!("s3://lake/{longest}a"),
    ] {
        assert_eq!(Place::of_bucket(text), Some(Err(NoPlace)), "{text}");
    }
    assert_eq!(Place::of_bucket("lake/s3"), None);
}

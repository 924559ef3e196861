//! Setting `own`: what sentrail itself lives on. In: ARNs as they stand in the file, and what command line and sinks name.
//! Out: all of them as patterns on ARNs, checked.

use super::{
    ConfigError,
    keys::{Fault, Places, shown},
};
use crate::aws::BucketPath;
use detect::{Own, literal};
use ingest::source::sqs::region_of;

/// ARNs that the file names, each with what is wrong with it.
pub(super) fn check(own: &[String], places: &Places) -> Result<(), Fault> {
    let wrong = own.iter().find_map(|one| Some((one, Own::refused(one)?)));
    let what = match wrong {
        Some((one, why)) => format!("own: {} {why}", shown(one)),
        None if own.len() > Own::MAX => format!("own: more than {} ARNs", Own::MAX),
        None => return Ok(()),
    };
    Err((places.get("own").map_or(0, |place| place.value.start), what))
}

/// More of what is its own beside what is named already, in an order that says nothing.
pub(super) fn add(
    own: &mut Vec<String>,
    more: impl IntoIterator<Item = String>,
) -> Result<(), ConfigError> {
    own.extend(more);
    own.sort_unstable();
    own.dedup();
    if own.len() > Own::MAX { Err(ConfigError::TooMuchOwn) } else { Ok(()) }
}

/// A bucket that logs are read from.
pub(crate) fn bucket(path: &BucketPath) -> String {
    format!("arn:*:s3:::{}", literal(&path.bucket))
}

/// What lies below a folder of a bucket.
pub(crate) fn objects(path: &BucketPath) -> String {
    let folder = literal(path.prefix.trim_end_matches('/'));
    let below = if folder.is_empty() { "*".to_owned() } else { format!("{folder}/*") };
    format!("{}/{below}", bucket(path))
}

/// A queue by its URL, `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`; nothing where it is none. Another endpoint says
/// nothing of the region.
pub(crate) fn queue(url: &str) -> Option<String> {
    let mut parts = url.split_once("://")?.1.split('/').skip(1);
    let (account, name) = (parts.next()?, parts.next()?);
    let region = region_of(url).map_or_else(|| "*".to_owned(), literal);
    let is_name = !account.is_empty() && !name.is_empty();
    is_name.then(|| format!("arn:*:sqs:{region}:{}:{}", literal(account), literal(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        Config,
        tests::{Folder, refused, settings},
    };

    #[test]
    fn what_cannot_be_its_own_is_refused_where_it_stands() {
        refused("own = [\"sentrail\"]", (1, 7), "own: \"sentrail\" is no ARN");
        refused("\nown = [\"arn:aws:s3:::*\"]", (2, 7), "names all there are");
        let many: Vec<_> = (0..=Own::MAX).map(|n| format!("\"arn:aws:s3:::b{n}\"")).collect();
        refused(&format!("own = [{}]", many.join(", ")), (1, 7), "more than 200 ARNs");
        let fits = format!("own = [{}]", many[1..].join(", "));
        assert_eq!(settings(&fits).own.len(), Own::MAX);
    }

    #[test]
    fn what_it_reads_is_its_own_by_what_the_command_line_says() {
        let path = |text| BucketPath::parse(text).unwrap();
        assert_eq!(bucket(&path("s3://logs/AWSLogs/")), "arn:*:s3:::logs");
        assert_eq!(objects(&path("s3://state/sentrail/")), "arn:*:s3:::state/sentrail/*");
        assert_eq!(objects(&path("s3://state")), "arn:*:s3:::state/*");
        for (url, arn) in [
            (
                "https://sqs.eu-central-1.amazonaws.com/111122223333/logs",
                Some("arn:*:sqs:eu-central-1:111122223333:logs"),
            ),
            ("http://127.0.0.1:5000/123456789012/logs", Some("arn:*:sqs:*:123456789012:logs")),
            ("http://127.0.0.1:5000/logs", None),
            ("logs", None),
        ] {
            assert_eq!(queue(url).as_deref(), arn, "{url}");
        }
        let all = [bucket(&path("s3://logs")), objects(&path("s3://state"))];
        assert!(all.iter().chain(&queue("a://h/1/q")).all(|one| Own::refused(one).is_none()));
    }

    #[test]
    fn where_findings_are_told_is_its_own() {
        let folder = Folder::new("own");
        let load = |text: &str| Config::load(Some(&folder.file(text))).unwrap();
        let sinks = "[sinks.a]\ntype = \"sns\"\ntopic = \"arn:aws:sns:eu-west-1:111122223333:told\"\n\
             [sinks.b]\ntype = \"eventbridge\"\nbus = \"findings\"\nregion = \"eu-west-1\"\n\
             [sinks.c]\ntype = \"security-hub\"\nfile-as = \"member\"\nrole = \"sentrail-findings\"\nregion = \"eu-west-1\"\n\
             [sinks.d]\ntype = \"ocsf\"\npath = \"s3://lake/ext\"\nregion = \"eu-west-1\"\n";
        let all = [
            "arn:*:events:eu-west-1:*:event-bus/findings",
            "arn:*:s3:::lake/ext/*",
            "arn:*:securityhub:eu-west-1:*:hub/default",
            "arn:aws:sns:eu-west-1:111122223333:told",
        ];
        let config = load(sinks);
        assert_eq!(config.own(), all);
        // Whoever names the same himself has the same configuration.
        let named = load(&format!("own = {all:?}"));
        assert_eq!(named.hash(), config.hash());
        assert_ne!(named.hash(), load("").hash());
        let added = load("").with_own(all.map(str::to_owned)).unwrap();
        assert_eq!(added.hash(), config.hash());
        assert!(all.iter().all(|one| Own::refused(one).is_none()));
    }

    #[test]
    fn of_sinks_and_of_the_command_line_there_is_a_bound_too() {
        let folder = Folder::new("much-own");
        let load = |text: &str| Config::load(Some(&folder.file(text)));
        let topic = |n: usize| {
            let topic = format!("arn:aws:sns:eu-west-1:111122223333:t{n}");
            format!("[sinks.s{n}]\ntype = \"sns\"\ntopic = \"{topic}\"\n")
        };
        let others = |n: usize| (0..n).map(|n| format!("arn:aws:s3:::b{n}")).collect::<Vec<_>>();
        let file = |n: usize| format!("own = {:?}\n{}", others(n), topic(0));
        let most = load(&file(Own::MAX - 1)).unwrap();
        let said = |error: ConfigError| error.to_string();
        let words =
            "more than 200 ARNs are sentrail's own (expected fewer in `own`, --own and sinks";
        assert!(said(load(&file(Own::MAX)).unwrap_err()).starts_with(words));
        // What is named twice counts once.
        let most = most.with_own(others(Own::MAX - 1)).unwrap();
        let another = ["arn:aws:s3:::another".to_owned()];
        assert!(said(most.clone().with_own(another.clone()).unwrap_err()).starts_with(words));
        // What the command line named still stands beside another file.
        let started = load("").unwrap().with_own(another).unwrap();
        assert!(said(most.going_on(&started).unwrap_err()).starts_with(words));
    }

    #[test]
    fn its_detector_cannot_be_switched_off_nor_made_quieter() {
        refused(
            "[detectors]\ndisable = [\"sentrail-tampered-with\"]",
            (2, 12),
            "is always on (expected an entry of `suppressions`",
        );
        refused(
            "[detectors]\nseverity = { sentrail-tampered-with = \"medium\" }",
            (2, 14),
            "cannot be made quieter",
        );
        settings("[detectors]\nseverity = { sentrail-tampered-with = \"critical\" }");
    }
}

//! What flow logs tell, through the command line.

use crate::support::{run, stories};

#[test]
fn a_machine_that_calls_home_is_told_with_the_address_that_it_calls() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("logs");
    let size = ["--accounts=1", "--people=1", "--machines=0", "--pipelines=0", "--agents=0"];
    let asked = ["simulate", "--to", to.to_str().unwrap(), "--days=4", "--story=beacon"];
    run(&[&asked[..], &size].concat()).ends(0);
    let replayed = run(&["replay", "--format=jsonl", to.join("AWSLogs").to_str().unwrap()]);
    let rows = replayed.ends(0).rows();
    let (beacons, others): (Vec<_>, Vec<_>) =
        rows.iter().partition(|row| row["detector"] == "beacon");
    let story = stories(&to).remove(0);
    let flow = story["steps"][0]["flows"][0].as_str().unwrap();
    let words: Vec<&str> = flow.split(' ').collect();
    let [interface, _, home, _, port, ..] = words[..] else { panic!("{flow}") };
    assert!(!beacons.is_empty());
    for beacon in beacons {
        let seen = &beacon["flow"];
        assert_eq!((&seen["interface"], &seen["peers"][0]), (&interface.into(), &home.into()));
        assert_eq!(seen["ports"][0].to_string(), port);
    }
    // Whoever knocks at an exposed host is worth a record a day, and no more.
    assert!(others.iter().all(|row| row["severity"]["label"] == "low"), "{others:#?}");
}

use super::*;
use crate::{
    kept::{Version, tests::open},
    sample,
};
use detect::{Blob, Change, Nature, Part, withheld_since};

fn read(file: &mut StateFile, day: i32) {
    let version = Version { size_bytes: 1, etag: None, content: None, read_ms: None };
    file.epoch(|file| file.object(&day.to_string(), &version, Day(day))).unwrap();
}

#[test]
fn a_mark_is_heard_once_whatever_reason_is_given_and_another_one_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let mut file = open(&path).unwrap();
    let finding = sample::flow();
    file.epoch(|file| file.finding(&finding, None).map(drop)).unwrap();
    assert_eq!(file.unheard().unwrap(), []);
    let said = |day: i32, reason: &str| {
        let mark = Mark { nature: Nature::Benign, day: Day(day) };
        let kept = KeptMark { mark, reason: reason.to_owned() };
        KeptFindings::change(&path).unwrap().mark(finding.id, &kept).unwrap();
        mark
    };
    let mark = said(20_000, "ticket 12");
    let unheard = file.unheard().unwrap();
    assert_eq!(
        unheard.iter().map(|one| (one.id, one.mark)).collect::<Vec<_>>(),
        [(finding.id, mark)]
    );
    assert_eq!(unheard[0].news, finding.news);
    assert_eq!(file.unheard().unwrap(), [], "nobody has written since");
    // What was said instead meanwhile is not what was heard.
    let other = said(20_001, "ticket 12");
    let heard = |mark| Heard { id: finding.id, mark, on: Day(20_003) };
    file.epoch(|file| file.heard(&heard(mark))).unwrap();
    assert_eq!(file.unheard().unwrap()[0].mark, other);
    file.epoch(|file| file.heard(&heard(other))).unwrap();
    said(20_001, "ticket 13");
    assert_eq!(file.unheard().unwrap(), []);
    said(20_002, "ticket 13");
    assert_eq!(file.unheard().unwrap().len(), 1);
}

#[test]
fn what_a_day_withheld_is_kept_for_as_long_as_it_is_known_what_was_read_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = open(&folder.path().join("s.db")).unwrap();
    read(&mut file, 20_000);
    let blob =
        Blob { part: Part::Withheld, key: withheld_since(Day(20_000)) + 7, bytes: vec![1; 20] };
    file.epoch(|file| file.change(Change::Put(blob.clone()))).unwrap();
    let found = |file: &StateFile| file.value(Part::Withheld, blob.key).unwrap();
    read(&mut file, 20_045);
    assert_eq!(found(&file), Some(blob.clone()));
    read(&mut file, 20_046);
    assert_eq!(found(&file), None);
    file.close();
    // Nothing is missing.
    open(&folder.path().join("s.db")).unwrap();
}

use super::*;
use crate::kept::tests::open;
use baseline::Day;
use std::{collections::BTreeSet, fs, path::PathBuf};
use tempfile::TempDir;

/// A folder, and a state in it of more than one piece.
fn state() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    read_objects(&mut open(&path).unwrap(), 0..8_000);
    (folder, path)
}

/// Objects that are read in one epoch.
fn read_objects(file: &mut StateFile, numbers: std::ops::Range<u64>) {
    let work = |file: &mut StateFile| {
        for n in numbers {
            let version =
                crate::Version { size_bytes: n, etag: None, content: Some(1), read_ms: None };
            let key = format!("AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/02/{n:0100}");
            file.object(&key, &version, Day(20_514))?;
        }
        Ok::<_, KeptError>(())
    };
    file.epoch(work).unwrap();
}

#[test]
fn a_state_that_was_taken_to_pieces_is_the_same_when_it_is_put_together() {
    let (folder, path) = state();
    let copy = folder.path().join("copy");
    let id = SnapshotId { fence: 3, sequence: 7 };
    let mut file = open(&path).unwrap();
    file.begin_snapshot(id).unwrap();
    // Somebody has it open.
    let manifest = Manifest::of_state(&path, &copy).unwrap();
    assert_eq!((manifest.id, manifest.through.as_deref()), (id, Some("2026-03-02")));
    assert!(manifest.pieces.len() > 1, "{}", manifest.pieces.len());
    assert_eq!(Manifest::of_bytes(&manifest.to_bytes(), "m").unwrap(), manifest);
    let from = File::open(&copy).unwrap();
    let mut whole = Vec::new();
    for n in 0..manifest.pieces.len() {
        let sent = manifest.pack(&from, n).unwrap();
        whole.extend(manifest.unpack(n, &sent, "p").unwrap());
        let other = (n + 1) % manifest.pieces.len();
        manifest.unpack(other, &sent, "p").unwrap_err();
    }
    assert!(whole == fs::read(&copy).unwrap());
    file.close();
    assert_eq!(StateFile::snapshot_of(&copy).unwrap(), Some(id));
    assert_eq!(SnapshotId::parse(&id.to_string()), Some(id));
    assert_eq!(SnapshotId::parse("3-7"), None);
}

#[test]
fn of_a_state_that_changed_little_most_pieces_stay() {
    let (folder, path) = state();
    let pieces = |name: &str| -> BTreeSet<PieceId> {
        let copy = folder.path().join(name);
        Manifest::of_state(&path, &copy).unwrap().pieces.into_iter().collect()
    };
    let mut file = open(&path).unwrap();
    let first = pieces("first");
    read_objects(&mut file, 20_000..20_010);
    let second = pieces("second");
    let n_new = second.difference(&first).count();
    assert!(first.len() > 3 && (1..=3).contains(&n_new), "{n_new} of {}", first.len());
}

#[test]
fn what_is_exported_is_imported_and_what_is_there_stays() {
    let (folder, path) = state();
    let [out, into] = ["out", "into.db"].map(|name| folder.path().join(name));
    let manifest = export(&path, &out).unwrap();
    assert_eq!(import(&out, &into).unwrap(), manifest);
    let object = format!("AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/02/{:0100}", 4);
    assert_eq!(open(&into).unwrap().version(&object).unwrap().unwrap().size_bytes, 4);
    let said =
        |error: KeptError| error.to_string().replace(&format!("{}/", folder.path().display()), "");
    let expected =
        |name: &str| format!("{name} is there already (expected the name of a new file)");
    assert_eq!(said(export(&path, &out).unwrap_err()), expected("out"));
    assert_eq!(said(import(&out, &into).unwrap_err()), expected("into.db"));
    // What a state that is gone left behind would be played into it.
    fs::write(folder.path().join("new.db-wal"), "left").unwrap();
    let error = import(&out, &folder.path().join("new.db")).unwrap_err();
    assert_eq!(said(error), expected("new.db-wal"));
    let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: BTreeSet<_> = left.map(|name| name.into_string().unwrap()).collect();
    assert!(!left.iter().any(|name| name.contains("part") || name.contains("copy")), "{left:?}");
    // An empty file, and one of findings alone, are no states.
    let none = folder.path().join("none.db");
    fs::write(&none, "").unwrap();
    export(&none, &folder.path().join("other")).unwrap_err();
}

/// The state in such a file.
fn unpacked(whole: &[u8]) -> Vec<u8> {
    let mut from = whole;
    let manifest = Manifest::read(&mut from, "m").unwrap();
    let mut all = Vec::new();
    for n in 0..manifest.pieces.len() {
        let length = u32::from_le_bytes(from[..4].try_into().unwrap()) as usize;
        all.extend(manifest.unpack(n, &from[4..4 + length], "p").unwrap());
        from = &from[4 + length..];
    }
    all
}

#[test]
fn what_is_cut_or_flipped_anywhere_is_refused() {
    let (folder, path) = state();
    let [out, damaged, into] = ["out", "damaged", "into.db"].map(|name| folder.path().join(name));
    export(&path, &out).unwrap();
    let whole = fs::read(&out).unwrap();
    let refuses = |bytes: &[u8], what: &str| {
        fs::write(&damaged, bytes).unwrap();
        let error = import(&damaged, &into).expect_err(what).to_string();
        assert!(error.contains("damaged is damaged: "), "{what}: {error}");
        assert!(!into.exists());
    };
    for at in (0..whole.len()).step_by(4_096) {
        refuses(&whole[..at], &format!("cut at {at}"));
    }
    refuses(&[&whole[..], b"x"].concat(), "more");
    let mut harmless = 0;
    for n in 0..150_usize {
        let bit = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (whole.len() * 8);
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&damaged, &flipped).unwrap();
        match import(&damaged, &into) {
            Err(KeptError::Snapshot(_)) => assert!(!into.exists()),
            Err(other) => panic!("bit {bit}: {other}"),
            // Some bits of zlib mean nothing.
            Ok(_) => {
                assert!(fs::read(&into).unwrap() == unpacked(&whole), "bit {bit}");
                fs::remove_file(&into).unwrap();
                harmless += 1;
            }
        }
    }
    assert!(harmless < 5, "{harmless}");
}

#[test]
fn a_newer_form_is_refused_in_a_sentence() {
    let (folder, path) = state();
    let manifest = Manifest::of_state(&path, &folder.path().join("copy")).unwrap();
    let text = String::from_utf8(manifest.to_bytes()).unwrap();
    let newer = text.replacen("sentrail-snapshot 1 ", "sentrail-snapshot 2 ", 1);
    let said = Manifest::of_bytes(newer.as_bytes(), "x").unwrap_err().to_string();
    assert_eq!(
        said,
        "x is a snapshot of form 2 (expected 1); use the sentrail that wrote it, or a newer one"
    );
    // What cannot be is refused though its sum is right.
    let Manifest { bytes, .. } = manifest;
    let shorter = Manifest { bytes: bytes / 2, ..manifest };
    Manifest::of_bytes(&shorter.to_bytes(), "x").unwrap_err();
}

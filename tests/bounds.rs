//! Objects that are too much: `bounds.py` measures it, and `make soak` with larger ones.

use crate::support::script;

#[test]
fn a_bomb_of_ten_gigabytes_is_refused_and_takes_little_memory() {
    let told = script("bounds.py", &["--bomb-mb=10000"]);
    assert!(told.contains("inflates to 10000 MB: refused"), "{told}");
}

#[test]
fn a_large_object_and_many_small_ones_are_read_alike_by_run_and_replay() {
    let told = script("bounds.py", &["--object-mb=100", "--note-bytes=2000", "--objects=2000"]);
    assert_eq!(told.lines().count(), 2, "{told}");
}

use crate::testkit::{Kept, apply, at, engine};
use ingest::testkit::call;

#[test]
fn an_engine_of_which_no_day_has_closed_goes_on_as_it_was() {
    let mut whole = engine();
    whole.note_changes();
    whole.advance(at(0, "12:00")).unwrap();
    apply(&mut whole, &[call("alice").api("s3:ListBuckets").at_ms(at(0, "11:00")).raw()]);
    let mut kept = Kept::default();
    kept.keep(&mut whole);
    let other = kept.resumed(engine());
    assert_eq!(other.oldest_open(), whole.oldest_open());
    assert!(other.memory() == whole.memory());
}

//! What was learned, from any bytes: refused or read, and what was read is written and read again.
#![no_main]

use baseline::{
    Entity, HashKey, Profile,
    form::{Form, Reader, Texts, Writer},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut texts = Texts::default();
    // Sealed, or nothing would come past the checksum.
    let sealed = baseline::form::sealed([&[baseline::form::FORM], bytes].concat());
    for bytes in [bytes, &sealed] {
        let Ok(mut from) = Reader::new(bytes, &HashKey::DEFAULT, &mut texts) else { continue };
        if let Ok(entity) = Entity::read(&mut from) {
            drop(Profile::read_closed(&mut from));
            let mut to = Writer::default();
            entity.write(&mut to);
            let again = to.finish();
            let mut from = Reader::new(&again, &HashKey::DEFAULT, &mut texts).unwrap();
            assert_eq!(Entity::read(&mut from), Ok(entity));
        }
    }
});

//! Rule files: no text makes the reader panic, run away or point outside of the file.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let n_lines = text.split(['\n', '\r']).count();
    for error in detect::rules::check("rules.yml", text) {
        let told = error.to_string();
        let line = told.strip_prefix("rules.yml:").and_then(|rest| rest.split(':').next());
        let line: usize = line.unwrap().parse().unwrap();
        assert!((1..=n_lines).contains(&line), "{told}");
    }
});

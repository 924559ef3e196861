//! Reads every file of `rules/` with the program's own reader and puts it into the program, in the order
//! of their names: its text, and the documents in it. Samples are for tests, which read the files
//! themselves: they are left out, their lines empty. What is wrong with a rule stops the build.

#![expect(clippy::disallowed_methods, reason = "cargo tells build scripts by the environment")]

#[path = "src/rules"]
#[expect(dead_code, unreachable_pub, reason = "the program uses more of it")]
mod rules {
    pub(crate) mod sigma;
    mod yaml;
}
#[path = "src/suggest.rs"]
#[expect(unreachable_pub, reason = "as above")]
mod suggest;

use std::{env, error::Error, fmt::Write, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let (root, out) = (env::var("CARGO_MANIFEST_DIR")?, env::var("OUT_DIR")?);
    let (root, out) = (Path::new(&root), Path::new(&out));
    fs::write(out.join("built_in.rs"), built_in(&root.join("rules"))?)?;
    fs::write(out.join("detectors.rs"), detectors(&root.join("src/detectors.rs"))?)?;
    Ok(())
}

/// The rules of a folder, as Rust.
fn built_in(folder: &Path) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "yml") {
            files.push(path);
        }
    }
    files.sort();
    let mut code = String::from("&[\n");
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        println!("cargo::rerun-if-changed={}", path.display());
        let (name, text) = (format!("built-in/{name}"), fs::read_to_string(&path)?);
        let text = without_samples(&text);
        let (documents, errors) =
            rules::sigma::read(&name.as_str().into(), &text, rules::sigma::Whose::Program);
        for error in errors {
            println!("cargo::error={error}");
        }
        let read = postcard::to_allocvec(&documents)?;
        writeln!(code, "    ({name:?}, {text:?}, b\"{}\"),", read.escape_ascii())?;
    }
    code.push_str("]\n");
    Ok(code)
}

/// The registry of the detectors that a file has `mod` lines of, as Rust.
fn detectors(file: &Path) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", file.display());
    let text = fs::read_to_string(file)?;
    let names = text.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    Ok(format!("detectors! {{ {} }}\n", names.collect::<Vec<_>>().join(", ")))
}

/// The same text, with nothing in the lines of the tables `tests`: from that key to the next line
/// that begins with something else.
fn without_samples(text: &str) -> String {
    let mut is_sample = false;
    let lines = text.lines().map(|line| {
        if !line.is_empty() && !line.starts_with([' ', '#']) {
            is_sample = line.starts_with("tests:");
        }
        if is_sample { "" } else { line }
    });
    let lines: Vec<&str> = lines.collect();
    lines.join("\n").trim_end().to_owned()
}

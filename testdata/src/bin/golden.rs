//! `golden DIR` writes the golden archive into the folder DIR, which it empties first when it is
//! an archive of its own.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args_os().nth(1).map(PathBuf::from).ok_or("usage: golden DIR")?;
    let archive = testdata::golden::archive()?;
    // Suffixes of names change with the story: old objects would stay beside the new.
    if folder.join("truth.json").is_file() && folder.join("AWSLogs").is_dir() {
        fs::remove_dir_all(folder.join("AWSLogs"))?;
    }
    for (key, bytes) in &archive {
        let path = folder.join(key);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, bytes)?;
    }
    Ok(())
}

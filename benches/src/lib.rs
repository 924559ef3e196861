//! What the benches share: a clock, and the real objects of `../shared/data`, where they are present.

use rustix::time::{ClockId, clock_gettime};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What this thread has spent. Unit: nanoseconds of its processor time.
pub fn spent_ns() -> f64 {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    spent.tv_sec as f64 * 1e9 + spent.tv_nsec as f64
}

/// What `work` costs. Unit: nanoseconds of this thread's processor time.
pub fn cost(work: impl FnOnce()) -> f64 {
    let before = spent_ns();
    work();
    spent_ns() - before
}

/// The gzip objects below a folder of `../shared/data`, in the order of their names, until their
/// content passes `content_bytes_max`. Empty, and said so, where the data is absent.
///
/// # Panics
///
/// If an object cannot be read: a bench without its input has nothing to say.
#[expect(clippy::print_stderr, reason = "a bench speaks to the person who runs it")]
#[expect(clippy::expect_used, reason = "a bench that cannot read its input has to stop")]
pub fn real_objects(folder: &str, content_bytes_max: u64) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(folder);
    if !root.is_dir() {
        eprintln!("skipped: ../shared/data/{folder} is absent");
        return Vec::new();
    }
    let mut paths = Vec::new();
    files_below(&root, &mut paths).expect("the folder can be read");
    paths.sort();
    let mut objects = Vec::new();
    let mut content_bytes = 0;
    for path in paths {
        if content_bytes > content_bytes_max {
            break;
        }
        let object = fs::read(path).expect("the object can be read");
        // The last four bytes of a gzip member are the size of its content (RFC 1952).
        content_bytes += object.last_chunk().map_or(0, |size| u64::from(u32::from_le_bytes(*size)));
        objects.push(object);
    }
    objects
}

fn files_below(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files_below(&path, paths)?;
        } else if path.extension().is_some_and(|ending| ending == "gz") {
            paths.push(path);
        }
    }
    Ok(())
}

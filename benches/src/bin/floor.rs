//! The floor: reads the same files, inflates them with libdeflate into one buffer, and does nothing
//! else. What a replay costs is told as a multiple of this.

use std::{error::Error, fs, io::Read, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let mut floor = Floor {
        decompressor: libdeflater::Decompressor::new(),
        file: Vec::new(),
        out: Vec::new(),
        n_objects: 0,
        n_bytes: 0,
    };
    for path in std::env::args_os().skip(1) {
        floor.visit(Path::new(&path))?;
    }
    #[expect(clippy::print_stdout, reason = "the one line that the comparison reads")]
    {
        println!("{} objects, {} bytes inflated", floor.n_objects, floor.n_bytes);
    }
    Ok(())
}

struct Floor {
    decompressor: libdeflater::Decompressor,
    file: Vec<u8>,
    out: Vec<u8>,
    n_objects: u64,
    n_bytes: u64,
}

impl Floor {
    fn visit(&mut self, path: &Path) -> Result<(), Box<dyn Error>> {
        if path.is_dir() {
            for entry in fs::read_dir(path)? {
                self.visit(&entry?.path())?;
            }
        } else if path.extension().is_some_and(|ending| ending == "gz") {
            self.file.clear();
            fs::File::open(path)?.read_to_end(&mut self.file)?;
            self.inflate()?;
        }
        Ok(())
    }

    /// One member, whose size the last four bytes tell: true of all objects that AWS writes.
    fn inflate(&mut self) -> Result<(), Box<dyn Error>> {
        let size = self.file.last_chunk().map_or(0, |size| u32::from_le_bytes(*size)) as usize;
        if self.out.len() < size {
            self.out.resize(size, 0);
        }
        let n = self.decompressor.gzip_decompress(&self.file, &mut self.out)?;
        self.n_objects += 1;
        self.n_bytes += n as u64;
        Ok(())
    }
}

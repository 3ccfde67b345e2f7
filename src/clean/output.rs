//! Where the cleaned file goes: whole, or not at all.
//!
//! A file is written beside its place and moved there at the end, so that nobody finds half of it under
//! its name and a run that fails leaves what was there before. Pipes and devices are written as they are.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What a cleaned file is written to.
pub enum Output<'a> {
    /// A stream that somebody else reads, such as standard output.
    Stream(Box<dyn Write + 'a>),
    /// A file that is not in its place yet.
    Beside(Beside),
}

/// A file with another name, until it is whole.
pub struct Beside {
    file: BufWriter<File>,
    path: PathBuf,
    place: PathBuf,
    moved: bool,
}

impl<'a> Output<'a> {
    /// A stream.
    pub fn stream(stream: impl Write + 'a) -> Self {
        Self::Stream(Box::new(BufWriter::new(stream)))
    }

    /// A file of this name, which may exist.
    pub fn file(path: &Path) -> io::Result<Self> {
        // The file that a link leads to is replaced, not the link.
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let present = fs::metadata(&place).ok();
        if present.as_ref().is_some_and(|present| !present.is_file()) {
            return File::options().write(true).open(&place).map(Self::stream);
        }
        let beside = Beside::new(place, None)?;
        if let Some(present) = present {
            beside.file.get_ref().set_permissions(present.permissions())?;
        }
        Ok(Self::Beside(beside))
    }

    /// The same for what only its owner may read.
    pub fn private(path: &Path) -> io::Result<Self> {
        let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&place) {
            Ok(present) if !present.is_file() => Self::file(path),
            _ => Beside::new(place, Some(0o600)).map(Self::Beside),
        }
    }

    /// Ends the output: only now a file is there.
    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Stream(mut stream) => stream.flush(),
            Self::Beside(file) => file.finish(),
        }
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stream(stream) => stream.write(bytes),
            Self::Beside(beside) => beside.file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stream(stream) => stream.flush(),
            Self::Beside(beside) => beside.file.flush(),
        }
    }
}

impl Beside {
    /// With this mode, or as the operating system gives it.
    fn new(place: PathBuf, mode: Option<u32>) -> io::Result<Self> {
        let Some(name) = place.file_name() else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the name of a file"));
        };
        let mut random = [0; 4];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let mut beside = std::ffi::OsString::from(".");
        beside.push(name);
        beside.push(format!(".{:08x}.partial", u32::from_ne_bytes(random)));
        let path = place.with_file_name(beside);
        let mut options = File::options();
        options.write(true).create_new(true);
        if let Some(mode) = mode {
            options.mode(mode);
        }
        let file = options.open(&path)?;
        Ok(Self { file: BufWriter::new(file), path, place, moved: false })
    }

    fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        fs::rename(&self.path, &self.place)?;
        self.moved = true;
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.moved {
            // If even this fails, its name says that it is not whole.
            let _ = fs::remove_file(&self.path);
        }
    }
}

//! What can be said of a library without loading it.
//!
//! glibc answers a wrong architecture with "No such file or directory" and a truncated file with SIGBUS, so both are
//! found here, from the ELF header and the program headers (ELF-64, gABI 4.1).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::LoadError;

/// Refuses what is not a whole ELF library for this machine.
pub(super) fn check(path: &Path) -> Result<(), LoadError> {
    let metadata = path.metadata().map_err(LoadError::Read)?;
    if metadata.is_dir() {
        return Err(LoadError::NotALibrary("it is a directory"));
    }
    if !metadata.is_file() {
        return Err(LoadError::NotALibrary("it is not a regular file"));
    }
    let mut file = File::open(path).map_err(LoadError::Read)?;
    let header = Header::read(&mut file)?;
    header.check_machine()?;
    let needed = header.extent(&mut file)?;
    if metadata.len() < needed {
        return Err(LoadError::Truncated {
            size: metadata.len(),
            needed,
        });
    }
    Ok(())
}

struct Header([u8; 64]);

impl Header {
    fn read(file: &mut File) -> Result<Self, LoadError> {
        let mut bytes = [0; 64];
        match file.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(LoadError::NotALibrary("no ELF header"));
            }
            Err(error) => return Err(LoadError::Read(error)),
        }
        if !bytes.starts_with(b"\x7fELF") {
            return Err(LoadError::NotALibrary("no ELF header"));
        }
        Ok(Self(bytes))
    }

    fn check_machine(&self) -> Result<(), LoadError> {
        let Self(bytes) = self;
        let found = (
            bytes[4],
            bytes[5],
            u16::from_le_bytes([bytes[18], bytes[19]]),
        );
        if found == (CLASS_64, LITTLE_ENDIAN, THIS_MACHINE) {
            return Ok(());
        }
        let bits = if found.0 == CLASS_64 { "" } else { " (32-bit)" };
        Err(LoadError::Machine {
            found: format!("{}{bits}", machine(found.2)),
            expected: std::env::consts::ARCH.to_owned(),
        })
    }

    /// How long the file must be to hold every segment.
    fn extent(&self, file: &mut File) -> Result<u64, LoadError> {
        let table = u64_at(&self.0, 32);
        let size = u64::from(u16::from_le_bytes([self.0[54], self.0[55]]));
        let count = u64::from(u16::from_le_bytes([self.0[56], self.0[57]]));
        let mut needed = table.saturating_add(size * count);
        for entry in 0..count {
            let mut segment = [0; 56];
            let at = table.saturating_add(entry * size);
            let read = file
                .seek(SeekFrom::Start(at))
                .and_then(|_| file.read_exact(&mut segment));
            if read.is_err() {
                break;
            }
            let end = u64_at(&segment, 8).saturating_add(u64_at(&segment, 32));
            needed = needed.max(end);
        }
        Ok(needed)
    }
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

fn machine(number: u16) -> String {
    match number {
        3 => "x86".to_owned(),
        40 => "arm".to_owned(),
        62 => "x86_64".to_owned(),
        183 => "aarch64".to_owned(),
        243 => "riscv64".to_owned(),
        other => format!("machine {other}"),
    }
}

const CLASS_64: u8 = 2;
const LITTLE_ENDIAN: u8 = 1;
#[cfg(target_arch = "x86_64")]
const THIS_MACHINE: u16 = 62;
#[cfg(target_arch = "aarch64")]
const THIS_MACHINE: u16 = 183;
#[cfg(target_arch = "riscv64")]
const THIS_MACHINE: u16 = 243;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_file_is_named_as_such() {
        assert_eq!(
            refusal("/nowhere/session.so"),
            "cannot read: No such file or directory"
        );
    }

    #[test]
    fn directory_is_not_a_library() {
        assert_eq!(refusal("/"), "not a shared library (it is a directory)");
    }

    #[test]
    fn device_is_not_read() {
        assert_eq!(
            refusal("/dev/zero"),
            "not a shared library (it is not a regular file)"
        );
    }

    #[test]
    fn text_is_not_a_library() {
        assert_eq!(
            refusal(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")),
            "not a shared library (no ELF header)"
        );
    }

    #[test]
    fn this_very_program_passes() {
        check(&std::env::current_exe().unwrap()).unwrap();
    }

    fn refusal(path: &str) -> String {
        check(Path::new(path)).unwrap_err().to_string()
    }
}

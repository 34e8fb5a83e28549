//! Programs in which lies together what requests need together.
//!
//! The compiler places the blocks of a function by a profile, and the linker places functions as they come. BOLT takes
//! what was linked, has it count the ways that requests take, and writes it anew: what runs one after the other lies one
//! after the other, and what hardly ever runs lies elsewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifacts::Artifacts;
use crate::{Error, guide, layout, load, step, tools};

/// What a build must be told, so that there is something to move: for rustc, beside other flags, and for cargo.
pub(crate) const FLAGS: &str = "\x1f-Clink-arg=-Wl,--emit-relocs";
pub(crate) const ENVIRONMENT: (&str, &str) = ("CARGO_PROFILE_DIST_STRIP", "none");

/// Gateway and session.so of a build, written anew. As stripped as cargo would have left them.
///
/// # Errors
/// When something is missing or does not run, or BOLT does not take what was built.
pub(crate) fn rearrange(built: &Artifacts) -> Result<Artifacts, Error> {
    tools::require(tools::FOR_REARRANGING)?;
    let place = Place::empty()?;
    step::announce("counting which ways requests take");
    let counting = built.map(|program| place.count(program))?;
    let directory = tempfile::tempdir()?;
    layout::install_example("quickstart", &counting, directory.path())?;
    load::train(directory.path())?;
    step::announce("writing programs anew by that");
    built.map(|program| place.write(program))
}

/// Where what is made of programs lies. Their names are the same in all of its directories.
struct Place(PathBuf);

impl Place {
    fn empty() -> Result<Self, Error> {
        let place = layout::target_directory()?.join("rearranged");
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        for directory in [COUNTING, COUNTS, WRITTEN] {
            fs::create_dir_all(place.join(directory))?;
        }
        Ok(Self(place))
    }

    fn of(&self, directory: &str, program: &Path) -> PathBuf {
        let name = program.file_name().unwrap_or_default();
        self.0.join(directory).join(name)
    }

    /// A program that counts. Each process that has run it leaves a file with what it has counted.
    fn count(&self, program: &Path) -> Result<PathBuf, Error> {
        let counting = self.of(COUNTING, program);
        let mut bolt = Command::new(BOLT);
        bolt.arg(program).arg("-o").arg(&counting);
        bolt.args(["-instrument", "-instrumentation-file-append-pid"]);
        bolt.arg("-instrumentation-file")
            .arg(self.of(COUNTS, program));
        quietly(bolt)?;
        Ok(counting)
    }

    fn write(&self, program: &Path) -> Result<PathBuf, Error> {
        let counts = self.of(WRITTEN, program).with_extension("counts");
        let mut merge = Command::new(MERGE);
        merge.args(self.counts(program)?).arg("-o").arg(&counts);
        quietly(merge)?;
        let written = self.of(WRITTEN, program);
        let mut bolt = Command::new(BOLT);
        bolt.arg(program).arg("-o").arg(&written).args(ORDER);
        bolt.arg("-data").arg(&counts);
        quietly(bolt)?;
        // Not that of binutils: what it makes of such a program does not run.
        let mut strip = Command::new(guide::llvm(guide::OBJCOPY)?);
        // It would say where the program was built.
        strip.args(["--strip-debug", "--remove-section=.note.bolt_info"]);
        strip.arg(&written);
        quietly(strip)?;
        Ok(written)
    }

    fn counts(&self, program: &Path) -> Result<Vec<PathBuf>, Error> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        let mut counts = Vec::new();
        for entry in fs::read_dir(self.0.join(COUNTS))? {
            let file = entry?;
            if file.file_name().to_string_lossy().starts_with(&*name) {
                counts.push(file.path());
            }
        }
        match counts.is_empty() {
            true => Err(format!("{name} has counted nothing").into()),
            false => Ok(counts),
        }
    }
}

/// Runs a program that says much. What it said is shown if it fails.
fn quietly(mut program: Command) -> Result<(), Error> {
    let name = program.get_program().to_string_lossy().into_owned();
    let output = program
        .output()
        .map_err(|cause| format!("{name} cannot be run: {cause}"))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("{name} failed: {}\n{said}", output.status).into())
        }
    }
}

const COUNTING: &str = "counting";
const COUNTS: &str = "counts";
const WRITTEN: &str = "written";

/// Where Debian's package has them. By the name that is in the path BOLT does not find what it puts into programs that count.
const BOLT: &str = "/usr/lib/llvm-19/bin/llvm-bolt";
const MERGE: &str = "/usr/lib/llvm-19/bin/merge-fdata";

/// Blocks, then functions, by how often one follows the other; parts that did not run lie apart. What did not run at all
/// stays as the linker left it, and so does what was written in assembler: cryptography of TLS.
const ORDER: [&str; 8] = [
    "-reorder-blocks=ext-tsp",
    "-reorder-functions=cdsort",
    "-split-functions",
    "-split-all-cold",
    "-split-eh",
    "-icf=1",
    // Of what there is they would be mostly empty.
    "-no-huge-pages",
    "-skip-funcs=ring_core_.*",
];

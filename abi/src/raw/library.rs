//! Opening a library and reading what it exports.

use std::fmt;
use std::path::Path;

use abi_stable::abi_stability::abi_checking::check_layout_compatibility;
use abi_stable::library::{AbiHeader, AbiHeaderRef, LibraryError};
use libloading::os::unix;

use super::module::{
    ABI_MAJOR, MAGIC, MANIFEST_SYMBOL, MODULE_SYMBOL, Manifest, PluginModuleRef, RawPlugin,
};
use super::view::View;
use crate::Services;
use crate::loader::LoadError;

/// A library whose interface is known to be ours.
pub(crate) struct Library {
    module: PluginModuleRef,
}

impl Library {
    /// Opens the file at a canonical path, a whole library for this machine.
    pub(crate) fn open(path: &Path) -> Result<Self, LoadError> {
        // Local: equal names in several plugins stay apart. Now: a missing symbol is an error here, not a crash later.
        let flags = unix::RTLD_NOW | unix::RTLD_LOCAL;
        // SAFETY: initialisers of a library run here. That an operator names only files that may run in the gateway
        // is the contract of `plugins.yaml`.
        let library = unsafe { unix::Library::open(Some(path), flags) }
            .map_err(|error| LoadError::Open(linker_text(&error)))?;
        let opened = Self::examine(&library);
        // Never unloaded, refused or not: its initialisers may have started threads.
        std::mem::forget(library);
        opened
    }

    fn examine(library: &unix::Library) -> Result<Self, LoadError> {
        // SAFETY: the symbol, if it is ours, is a `Manifest`; `check` looks at the magic before anything else.
        let manifest = unsafe { library.get::<*const Manifest>(MANIFEST_SYMBOL) };
        let manifest = manifest.map_err(|_| LoadError::NoEntry)?;
        // SAFETY: dlsym does not answer null for a symbol of a mapped library, and it stays mapped.
        check(unsafe { &**manifest })?;
        // SAFETY: the manifest is ours, so this is the static that `export_plugin!` made beside it.
        let header = unsafe { library.get::<AbiHeaderRef>(MODULE_SYMBOL) };
        let module = upgrade(*header.map_err(|_| LoadError::NoEntry)?)?;
        Ok(Self { module })
    }

    pub(crate) fn describe(&self) -> Result<String, String> {
        (self.module.describe())()
            .map(Into::into)
            .map_err(Into::into)
            .into_result()
    }

    pub(crate) fn start(&self, services: Services, config: &str) -> Result<RawPlugin, String> {
        // SAFETY: the module's layout was checked; the text is read during the call.
        unsafe { (self.module.open())(services.into_raw(), View::of(config.as_bytes())) }
            .map_err(Into::into)
            .into_result()
    }
}

fn check(manifest: &Manifest) -> Result<(), LoadError> {
    if manifest.magic != MAGIC || (manifest.size as usize) < size_of::<Manifest>() {
        return Err(LoadError::NoEntry);
    }
    if manifest.abi != ABI_MAJOR {
        return Err(LoadError::OtherAbi {
            found: manifest.abi,
            expected: ABI_MAJOR,
        });
    }
    if manifest.unwinds != 1 {
        return Err(LoadError::Aborts);
    }
    Ok(())
}

fn upgrade(header: AbiHeaderRef) -> Result<PluginModuleRef, LoadError> {
    if header.magic_string != AbiHeader::VALUE.magic_string {
        return Err(LoadError::NoEntry);
    }
    if !header.is_valid() {
        let version = |header: &AbiHeader| format!("{}.{}", header.abi_major, header.abi_minor);
        return Err(LoadError::AbiStable {
            found: version(&header),
            expected: version(&AbiHeader::VALUE),
        });
    }
    let header = header
        .upgrade()
        .map_err(|error| LoadError::Start(error.to_string()))?;
    let layout = header.layout().ok_or(LoadError::NoEntry)?;
    let ours = <PluginModuleRef as abi_stable::StableAbi>::LAYOUT;
    check_layout_compatibility(ours, layout)
        .map_err(|errors| LoadError::Layout(crate::loader::layout::summary(&errors)))?;
    header.init_root_module().map_err(|error| match error {
        LibraryError::AbiInstability(_) => LoadError::Layout("the layouts differ".to_owned()),
        other => LoadError::Start(other.to_string()),
    })
}

// The text of the dynamic linker names the path first; who reports the error has named it already.
fn linker_text(error: &libloading::Error) -> String {
    let text = match error {
        libloading::Error::DlOpen { source: desc } => desc.to_string(),
        other => other.to_string(),
    };
    match text.split_once(": ") {
        Some((_, rest)) => rest.to_owned(),
        None => text,
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Library(..)")
    }
}

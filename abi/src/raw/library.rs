//! Opening a library and reading what it exports.

use std::fmt;
use std::path::Path;
use std::ptr::NonNull;

use abi_stable::StableAbi as _;
use abi_stable::abi_stability::abi_checking::{
    AbiInstabilityErrors, CheckingGlobals, check_layout_compatibility_with_globals,
};
use abi_stable::library::{AbiHeader, AbiHeaderRef};
use abi_stable::type_layout::TypeLayout;
use libloading::os::unix;

use super::module::{
    ABI_MAJOR, MAGIC, MANIFEST_SYMBOL, MODULE_SYMBOL, Manifest, PluginModuleRef, RawPlugin,
};
use super::view::View;
use crate::Services;
use crate::loader::LoadError;
use crate::loader::layout::summary;

/// A library whose interface is known to be ours.
pub(crate) struct Library {
    module: PluginModuleRef,
    /// Where this is tells libraries apart: one that is opened twice is mapped once.
    manifest: &'static Manifest,
}

/// A plugin that was started, and the library that did it.
pub(crate) struct Started {
    pub(crate) raw: RawPlugin,
    manifest: &'static Manifest,
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
        let manifest = address::<Manifest>(library, MANIFEST_SYMBOL)?;
        // SAFETY: the library stays mapped, and nobody but `export_plugin!` gives this name to anything. The magic, which
        // comes first, is for those who do by mistake.
        let manifest: &'static Manifest = unsafe { manifest.as_ref() };
        check(manifest)?;
        address::<()>(library, MODULE_SYMBOL)?;
        // SAFETY: the manifest is ours, so this is the static that `export_plugin!` made beside it, and it is not null.
        let header = unsafe { library.get::<AbiHeaderRef>(MODULE_SYMBOL) };
        let module = upgrade(*header.map_err(|_| LoadError::NoEntry)?)?;
        Ok(Self { module, manifest })
    }

    pub(crate) fn describe(&self) -> Result<String, String> {
        (self.module.describe())()
            .map(Into::into)
            .map_err(Into::into)
            .into_result()
    }

    /// Starts the plugin, beside the one `before` it if that is of this library.
    pub(crate) fn start(
        &self,
        services: Services,
        config: &str,
        before: Option<&Started>,
    ) -> Result<Started, String> {
        let config = View::of(config.as_bytes());
        let services = services.into_raw();
        let before = before.filter(|before| std::ptr::eq(before.manifest, self.manifest));
        let started = match (self.module.reopen(), before) {
            // SAFETY: the module's layout was checked; the text is read during the call; the plugin before is one that
            // this library made, and lives during the call.
            (Some(reopen), Some(before)) => unsafe {
                reopen(services, config, before.raw.object())
            },
            // SAFETY: the module's layout was checked; the text is read during the call.
            _ => unsafe { (self.module.open())(services, config) },
        };
        let raw = started.map_err(String::from).into_result()?;
        let manifest = self.manifest;
        Ok(Started { raw, manifest })
    }
}

/// Where a symbol is. A linker can be made to say that it is nowhere.
fn address<T>(library: &unix::Library, symbol: &[u8]) -> Result<NonNull<T>, LoadError> {
    // SAFETY: a pointer of any kind, which nothing is read through here.
    let found = unsafe { library.get::<*mut T>(symbol) };
    let found = found.map_err(|_| LoadError::NoEntry)?;
    NonNull::new(*found).ok_or(LoadError::NoEntry)
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
    compare(layout, PluginModuleRef::LAYOUT)?;
    // SAFETY: whatever the library was built for has the same form here (`compare`), and the accessors of its tables
    // know which of the functions that came later it lacks.
    unsafe { header.init_root_module_with_unchecked_layout() }
        .map_err(|error| LoadError::Start(error.to_string()))
}

/// Holds what a plugin was built for against what the gateway has: it must all be there, in the same form. The gateway
/// may have more.
fn compare(plugin: &'static TypeLayout, gateway: &'static TypeLayout) -> Result<(), LoadError> {
    // For `abi_stable` the second is the one that may have grown since the first was built, and it expects that of
    // libraries. Here it is the gateway that grows.
    let Err(errors) = alone(plugin, gateway) else {
        return Ok(());
    };
    match alone(gateway, plugin) {
        Ok(()) => Err(LoadError::Newer),
        Err(_) => Err(LoadError::Layout(summary(&errors))),
    }
}

/// Each plugin by itself: `abi_stable` would hold it against those before it too, and would refuse one that is newer
/// than they are. What has the form of the gateway's tables has that of each other's.
fn alone(
    expected: &'static TypeLayout,
    found: &'static TypeLayout,
) -> Result<(), AbiInstabilityErrors> {
    check_layout_compatibility_with_globals(expected, found, &CheckingGlobals::new())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugin_may_have_been_built_before_the_newest_functions() {
        compare(older::ChestRef::LAYOUT, gateway::ChestRef::LAYOUT).unwrap();
    }

    #[test]
    fn plugins_of_several_ages_load_side_by_side() {
        for plugin in [
            older::ChestRef::LAYOUT,
            newer::ChestRef::LAYOUT,
            older::ChestRef::LAYOUT,
        ] {
            compare(plugin, gateway::ChestRef::LAYOUT).unwrap();
        }
    }

    #[test]
    fn plugin_that_was_built_for_more_than_there_is_is_refused() {
        let refused = compare(newer::ChestRef::LAYOUT, older::ChestRef::LAYOUT);

        assert!(matches!(refused, Err(LoadError::Newer)), "{refused:?}");
    }

    #[test]
    fn plugin_that_was_built_for_another_form_is_told_where_it_differs() {
        let refused = compare(other::ChestRef::LAYOUT, gateway::ChestRef::LAYOUT).unwrap_err();

        let text = refused.to_string();
        assert!(text.contains("type is u64, expected u32"), "{text}");
    }

    /// A table that leads to another, in the form it has for somebody.
    macro_rules! chest {
        ($owner:ident { $($(#[$kind:meta])* $tool:ident: $number:ty),+ }) => {
            #[expect(dead_code, reason = "only the form matters")]
            mod $owner {
                use abi_stable::StableAbi;

                #[repr(C)]
                #[derive(StableAbi)]
                #[sabi(kind(Prefix(prefix_ref = ChestRef, prefix_fields = ChestPrefix)))]
                pub(super) struct Chest {
                    #[sabi(last_prefix_field)]
                    pub(super) open: extern "C" fn() -> ToolsRef,
                }

                #[repr(C)]
                #[derive(StableAbi)]
                #[sabi(kind(Prefix(prefix_ref = ToolsRef, prefix_fields = ToolsPrefix)))]
                pub(super) struct Tools {
                    $($(#[$kind])* pub(super) $tool: extern "C" fn($number)),+
                }
            }
        };
    }

    chest!(older {
        #[sabi(last_prefix_field)]
        cut: u32
    });
    chest!(newer {
        #[sabi(last_prefix_field)]
        cut: u32,
        glue: u32
    });
    chest!(other {
        #[sabi(last_prefix_field)]
        cut: u64,
        glue: u32
    });
    chest!(gateway {
        #[sabi(last_prefix_field)]
        cut: u32,
        glue: u32
    });
}

//! What a library exports: a manifest that is read before any of its code runs, and the root module.

use std::ffi::c_void;
use std::marker::PhantomData;

use abi_stable::StableAbi;
pub use abi_stable::library::LibHeader;
use abi_stable::library::{CheckTypeLayout, RootModule, RootModuleResult};
use abi_stable::package_version_strings;
use abi_stable::prefix_type::{PrefixTypeTrait, WithMetadata};
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RResult, RString};

use super::View;
use super::guard::contain;
use super::middleware::{RawAction, RawMiddleware};
use super::object::{Object, owned_handle, release_box};
use super::services::RawServices;
use super::storage::RawStorage;
use crate::config::Faults;
use crate::plugin::{Entry, Kind, Made, Offer, Plugin, parse};
use crate::{Failure, Services};

/// The name under which the manifest is exported.
#[cfg(feature = "loader")]
pub(crate) const MANIFEST_SYMBOL: &[u8] = b"GATEWAY_PLUGIN_MANIFEST\0";
/// The name under which the root module's header is exported.
#[cfg(feature = "loader")]
pub(crate) const MODULE_SYMBOL: &[u8] = b"GATEWAY_PLUGIN_MODULE\0";

/// Says of a library what must be known before its tables may be read. The form is frozen. What has to be said later
/// stands behind it in a form of its own, and `size` tells whether it is there.
#[repr(C)]
pub struct Manifest {
    pub(crate) magic: [u8; 8],
    pub(crate) size: u32,
    /// [`ABI_MAJOR`]: the promise that this library was built for.
    pub(crate) abi: u32,
    /// 1 when panics unwind. A library that aborts instead would take the gateway with it.
    pub(crate) unwinds: u8,
    pub(crate) name: [u8; 64],
}

/// A plugin built for one number loads in every gateway with the same number that is as new or newer.
pub const ABI_MAJOR: u32 = 1;

pub(crate) const MAGIC: [u8; 8] = *b"GWPLUGIN";

impl Manifest {
    /// The manifest of the library that this is compiled into.
    pub const fn of<P: Plugin>() -> Self {
        let mut name = [0; 64];
        let bytes = P::NAME.as_bytes();
        assert!(
            bytes.len() < name.len(),
            "a plugin's name has at most 63 bytes"
        );
        let mut i = 0;
        while i < bytes.len() {
            name[i] = bytes[i];
            i += 1;
        }
        Self {
            magic: MAGIC,
            size: size_of::<Self>() as u32,
            abi: ABI_MAJOR,
            unwinds: cfg!(panic = "unwind") as u8,
            name,
        }
    }
}

/// The root module.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModuleRef, prefix_fields = PluginModulePrefix)))]
#[sabi(missing_field(panic))]
pub struct PluginModule {
    /// The plugin's `Description` as JSON.
    pub describe: extern "C" fn() -> RResult<RString, RString>,
    /// Starts the plugin: its configuration as JSON; the faults as JSON.
    #[sabi(last_prefix_field)]
    pub open: unsafe extern "C" fn(RawServices, config: View) -> RResult<RawPlugin, RString>,
    /// As `open`, beside a plugin that the same library started for the same gateway.
    #[sabi(missing_field(option))]
    pub reopen: unsafe extern "C" fn(
        RawServices,
        config: View,
        before: Object<'_>,
    ) -> RResult<RawPlugin, RString>,
}

impl RootModule for PluginModuleRef {
    abi_stable::declare_root_module_statics! {PluginModuleRef}
    const BASE_NAME: &'static str = "gateway_plugin";
    const NAME: &'static str = "gateway plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// What can be done with an open plugin.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginTableRef, prefix_fields = PluginTablePrefix)))]
#[sabi(missing_field(panic))]
pub struct PluginTable {
    /// Makes a middleware: component, entry, configuration as JSON; the faults as JSON.
    pub middleware: unsafe extern "C" fn(
        *const c_void,
        component: View,
        entry: View,
        config: View,
    ) -> RResult<RawMiddleware, RString>,
    /// Makes an action.
    pub action: unsafe extern "C" fn(
        *const c_void,
        component: View,
        entry: View,
        config: View,
    ) -> RResult<RawAction, RString>,
    /// Makes a storage.
    pub storage: unsafe extern "C" fn(
        *const c_void,
        component: View,
        entry: View,
        config: View,
    ) -> RResult<RawStorage, RString>,
    /// Ends the plugin.
    #[sabi(last_prefix_field)]
    pub release: unsafe extern "C" fn(*const c_void),
}

owned_handle! {
    /// An open plugin as it crosses.
    RawPlugin, PluginTableRef
}

#[cfg(feature = "loader")]
impl RawPlugin {
    pub(crate) const fn object(&self) -> Object<'_> {
        // SAFETY: the object lives as long as this handle.
        unsafe { Object::lend(self.object) }
    }

    pub(crate) fn make(
        &self,
        (kind, component): (Kind, &str),
        entry: &str,
        config: &str,
    ) -> Result<Made, RString> {
        let [component, entry, config] =
            [component, entry, config].map(|text| View::of(text.as_bytes()));
        // SAFETY: `object` and `table` belong together; the texts are read during the call.
        unsafe {
            match kind {
                Kind::Middlewares => {
                    (self.table.middleware())(self.object, component, entry, config)
                        .map(Made::Middleware)
                        .into_result()
                }
                Kind::Actions => (self.table.action())(self.object, component, entry, config)
                    .map(Made::Action)
                    .into_result(),
                Kind::Storages => (self.table.storage())(self.object, component, entry, config)
                    .map(Made::Storage)
                    .into_result(),
            }
        }
    }
}

/// The header that [`export_plugin!`](crate::export_plugin) puts into a library.
pub const fn header<P: Plugin>() -> LibHeader {
    // SAFETY: `construct::<P>` returns an erased `PluginModuleRef`, the type named here.
    unsafe { LibHeader::from_constructor::<PluginModuleRef>(construct::<P>, CheckTypeLayout::Yes) }
}

extern "C" fn construct<P: Plugin>() -> RootModuleResult {
    abi_stable::library::__call_root_module_loader(module::<P>)
}

fn module<P: Plugin>() -> PluginModuleRef {
    PluginModule {
        describe: describe::<P>,
        open: open::<P>,
        reopen: reopen::<P>,
    }
    .leak_into_prefix()
}

extern "C" fn describe<P: Plugin>() -> RResult<RString, RString> {
    let describe = || serde_json::to_string(&Offer::<P>::of_plugin().describe());
    match contain("components", describe) {
        Ok(Ok(json)) => RResult::ROk(json.into()),
        Ok(Err(cause)) => RResult::RErr(cause.to_string().into()),
        Err(failure) => RResult::RErr(failure.message().into()),
    }
}

/// An open plugin, in its own library.
struct Opened<P> {
    plugin: P,
    offer: Offer<P>,
}

unsafe extern "C" fn open<P: Plugin>(
    services: RawServices,
    config: View,
) -> RResult<RawPlugin, RString> {
    // SAFETY: the host lends the text for this call.
    unsafe { start(services, config, P::open) }
}

unsafe extern "C" fn reopen<P: Plugin>(
    services: RawServices,
    config: View,
    before: Object<'_>,
) -> RResult<RawPlugin, RString> {
    // SAFETY: the host passes what `start` of this library made, and lends it for this call.
    let before = unsafe { before.get::<Opened<P>>() };
    let open = |config, services| P::reopen(config, services, &before.plugin);
    // SAFETY: the host lends the text for this call.
    unsafe { start(services, config, open) }
}

/// # Safety
/// The text must be lent for the call.
unsafe fn start<P: Plugin>(
    services: RawServices,
    config: View,
    open: impl FnOnce(P::Config, Services) -> Result<P, Faults>,
) -> RResult<RawPlugin, RString> {
    super::trace::connect(services.trace(), P::NAME);
    // SAFETY: the caller's promise.
    let config = unsafe { config.text() }.unwrap_or("null");
    outcome("open", || {
        let plugin = open(read(config)?, Services::from_raw(services))?;
        let offer = Offer::of_plugin();
        Ok(RawPlugin {
            object: Box::into_raw(Box::new(Opened { plugin, offer }))
                .cast_const()
                .cast(),
            table: TableOf::<P>::TABLE,
        })
    })
}

fn read<C: serde::de::DeserializeOwned>(config: &str) -> Result<C, Faults> {
    let config = serde_json::from_str(config).map_err(|cause| Faults::at("", cause.to_string()))?;
    parse(config)
}

/// Runs a constructor; a panic in it is a fault like any other.
fn outcome<T>(
    entry: &'static str,
    construct: impl FnOnce() -> Result<T, Faults>,
) -> RResult<T, RString> {
    let faults = match contain(entry, construct) {
        Ok(Ok(made)) => return RResult::ROk(made),
        Ok(Err(faults)) => faults,
        Err(failure) => panicked(&failure),
    };
    let json = serde_json::to_string(&faults).unwrap_or_else(|_| "[]".to_owned());
    RResult::RErr(json.into())
}

fn panicked(failure: &Failure) -> Faults {
    Faults::at(
        "",
        format!("the constructor panicked: {}", failure.message()),
    )
}

struct TableOf<P>(PhantomData<P>);

impl<P: Plugin> TableOf<P> {
    const PREFIX: &'static WithMetadata<PluginTable> = &WithMetadata::new(PluginTable {
        middleware: middleware::<P>,
        action: action::<P>,
        storage: storage::<P>,
        release: release_box::<Opened<P>>,
    });
    const TABLE: PluginTableRef = PluginTableRef(Self::PREFIX.static_as_prefix());
}

/// # Safety
/// `object` must be a live `Opened<P>`, and the texts lent for the call.
unsafe fn make<P: Plugin>(
    object: *const c_void,
    kind: Kind,
    [component, entry, config]: [View; 3],
) -> Result<Made, Faults> {
    // SAFETY: the caller's promise.
    let (opened, component, entry, config) = unsafe {
        (
            &*object.cast::<Opened<P>>(),
            component.text().unwrap_or_default(),
            entry.text().unwrap_or_default(),
            config.text().unwrap_or_default(),
        )
    };
    let entry = Entry { name: entry };
    opened
        .offer
        .make(&opened.plugin, (kind, component), entry, read(config)?)
}

fn mismatch<T>() -> Result<T, Faults> {
    Err(Faults::at("", "the component is of another kind"))
}

unsafe extern "C" fn middleware<P: Plugin>(
    object: *const c_void,
    component: View,
    entry: View,
    config: View,
) -> RResult<RawMiddleware, RString> {
    // SAFETY: called through the table of a live handle, with texts lent for the call.
    let made = || unsafe { make::<P>(object, Kind::Middlewares, [component, entry, config]) };
    outcome("constructor", || match made()? {
        Made::Middleware(middleware) => Ok(middleware),
        Made::Action(_) | Made::Storage(_) => mismatch(),
    })
}

unsafe extern "C" fn action<P: Plugin>(
    object: *const c_void,
    component: View,
    entry: View,
    config: View,
) -> RResult<RawAction, RString> {
    // SAFETY: as in `middleware`.
    let made = || unsafe { make::<P>(object, Kind::Actions, [component, entry, config]) };
    outcome("constructor", || match made()? {
        Made::Action(action) => Ok(action),
        Made::Middleware(_) | Made::Storage(_) => mismatch(),
    })
}

unsafe extern "C" fn storage<P: Plugin>(
    object: *const c_void,
    component: View,
    entry: View,
    config: View,
) -> RResult<RawStorage, RString> {
    // SAFETY: as in `middleware`.
    let made = || unsafe { make::<P>(object, Kind::Storages, [component, entry, config]) };
    outcome("constructor", || match made()? {
        Made::Storage(storage) => Ok(storage),
        Made::Middleware(_) | Made::Action(_) => mismatch(),
    })
}

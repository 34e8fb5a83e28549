//! The middlewares of session.so, one room for each, named as in YAML.

mod load_session;
mod map_session_to_header;

pub use load_session::{
    CookieCacheConfig, GlobError, KeyLookupText, LoadSessionConfig, LoadSessionMiddleware, OnLimit,
    OnStorageFailure, PathGlob, PathGlobs, Preset, SameSiteText, SnapshotEncoding, Strategy, Visit,
};
pub use map_session_to_header::{MapSessionToHeaderConfig, MapSessionToHeaderMiddleware};

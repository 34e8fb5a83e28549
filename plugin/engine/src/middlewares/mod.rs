//! The middlewares of session.so, one room for each, named as in YAML.

mod authorization;
mod load_session;
mod map_session_to_header;
mod require_session;

pub use authorization::AuthorizationHeader;
pub use load_session::{
    CookieCacheConfig, GlobError, Keeper, Keepers, KeyLookupText, LoadSessionConfig,
    LoadSessionMiddleware, OnLimit, OnStorageFailure, PathGlob, PathGlobs, Preset, SameSiteText,
    SnapshotEncoding, Strategy, Visit,
};
pub use map_session_to_header::{
    HeaderEncoding, MapSessionToHeaderConfig, MapSessionToHeaderMiddleware,
};
pub use require_session::{
    Oauth2Config, RequireSessionConfig, RequireSessionMiddleware, TokenConfig,
};

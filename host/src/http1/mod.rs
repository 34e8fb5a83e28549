//! What both sides of HTTP/1.1 have in common (RFC 9112): how bytes become fields, lengths and chunks, and how a message
//! is sent. The server speaks it to clients, and `upstream` to services.
//!
//! It is written here because it is the hot path. hyper gives each connection a task, and a state for every turn that it
//! may take; what a request needs of both was more than half of what the gateway did for one.
//!
//! `chunks`, `fields`, `length`, `lines` and `text` know no socket. `wire` and `outgoing` do the reading and writing,
//! and `turn` lets messages go together.

pub mod chunks;
pub(crate) mod fields;
pub(crate) mod left;
pub(crate) mod length;
pub(crate) mod lines;
pub(crate) mod outgoing;
pub(crate) mod text;
pub(crate) mod turn;
pub(crate) mod wire;

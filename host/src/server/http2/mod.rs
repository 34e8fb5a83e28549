//! What HTTP/2 has that HTTP/1.1 has not: requests in another form, and streams that stall one by one.

mod delivery;
mod request;
mod websocket;

pub(super) use delivery::{Delivery, Streams};
pub(super) use request::adapt;
pub(super) use websocket::WebSocket;

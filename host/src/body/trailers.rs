//! Trailers: headers that come after the body, when nobody looks any more.
//!
//! Some upstreams merge them into the headers, so they must not bring what headers may not (RFC 9110, section 6.5.1).

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;

use crate::desk::Reserved;
use crate::hygiene;

/// What the trailers of a message lose on their way.
#[derive(Debug, Default)]
pub(super) struct TrailerScrub {
    reserved: Option<Arc<Reserved>>,
}

impl TrailerScrub {
    pub(super) fn reserve(&mut self, reserved: &Arc<Reserved>) {
        self.reserved = Some(Arc::clone(reserved));
    }

    pub(super) fn of_request(&self, frame: Frame<Bytes>) -> Frame<Bytes> {
        self.scrub(frame, Reserved::scrub_request)
    }

    pub(super) fn of_response(&self, frame: Frame<Bytes>) -> Frame<Bytes> {
        self.scrub(frame, Reserved::scrub_response)
    }

    fn scrub(&self, mut frame: Frame<Bytes>, rule: fn(&Reserved, &mut HeaderMap)) -> Frame<Bytes> {
        if let Some(trailers) = frame.trailers_mut() {
            hygiene::strip_trailers(trailers);
            if let Some(reserved) = &self.reserved {
                rule(reserved, trailers);
            }
        }
        frame
    }
}

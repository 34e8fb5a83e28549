//! The side that calls: what a plugin does with an exchange.

use std::marker::PhantomData;

use super::implement::{ExchangeObject, TableOf};
use super::{RawExchange, lift};
use crate::exchange::{Fact, HeaderError, Side};
use crate::raw::View;
use crate::raw::object::Object;
use crate::raw::view::lend;
use crate::{Failure, Maybe, Session};

impl<'a> RawExchange<'a> {
    /// Lends `host` for a phase.
    pub(crate) fn new<H: ExchangeObject>(host: &'a mut H) -> Self {
        Self {
            object: std::ptr::from_mut(host).cast(),
            table: TableOf::<H>::TABLE,
            life: PhantomData,
        }
    }

    /// The same exchange for a shorter while.
    pub(crate) fn reborrow(&mut self) -> RawExchange<'_> {
        RawExchange {
            object: self.object,
            table: self.table,
            life: PhantomData,
        }
    }

    pub(crate) fn fact(&self, fact: Fact) -> Option<&str> {
        // SAFETY: `object` and `table` belong together (`new`); the view lives until the next `&mut self` call.
        unsafe { (self.table.fact())(self.object, fact as u8).text() }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        // SAFETY: as in `fact`; `name` is read during the call.
        unsafe { (self.table.parameter())(self.object, View::of(name.as_bytes())).text() }
    }

    pub(crate) fn header(&self, side: Side, name: u32, nth: u32) -> Option<&[u8]> {
        // SAFETY: as in `fact`.
        unsafe { (self.table.header())(self.object, side as u8, name, nth).bytes() }
    }

    pub(crate) fn each_header(&self, side: Side, mut visit: impl FnMut(&str, &[u8])) {
        let visit = |name: View, value: View| {
            // SAFETY: the host lends both views for the length of this call.
            if let (Some(name), Some(value)) = unsafe { (name.text(), value.bytes()) } {
                visit(name, value);
            }
        };
        lend(visit, |context, call| {
            // SAFETY: as in `fact`; `context` and `call` were passed on together.
            unsafe { (self.table.each_header())(self.object, side as u8, context, call) }
        });
    }

    pub(crate) fn set_header(
        &mut self,
        side: Side,
        name: u32,
        value: &[u8],
    ) -> Result<(), HeaderError> {
        // SAFETY: as in `fact`; `&mut self` ends every borrowed view.
        let code =
            unsafe { (self.table.set_header())(self.object, side as u8, name, View::of(value)) };
        accepted(code)
    }

    pub(crate) fn append_header(
        &mut self,
        side: Side,
        name: u32,
        value: &[u8],
    ) -> Result<(), HeaderError> {
        // SAFETY: as in `set_header`.
        let code =
            unsafe { (self.table.append_header())(self.object, side as u8, name, View::of(value)) };
        accepted(code)
    }

    pub(crate) fn remove_header(&mut self, side: Side, name: u32) {
        // SAFETY: as in `set_header`.
        unsafe { (self.table.remove_header())(self.object, side as u8, name) }
    }

    pub(crate) fn set_query(&mut self, query: Option<&str>) -> Result<(), HeaderError> {
        let query = View::maybe(query.map(str::as_bytes));
        // SAFETY: as in `set_header`.
        accepted(unsafe { (self.table.set_query())(self.object, query) })
    }

    pub(crate) fn read_body(&mut self, limit: u64) -> Maybe<'_, Result<Vec<u8>, Failure>> {
        // SAFETY: as in `set_header`; the future borrows `self` for as long as it lives.
        let raw = unsafe { (self.table.read_body())(Object::lend(self.object), limit) };
        raw.into_maybe(lift)
    }

    pub(crate) fn respond(&mut self, status: u16, body: &[u8]) {
        // SAFETY: as in `set_header`.
        unsafe { (self.table.respond())(self.object, status, View::of(body)) }
    }

    pub(crate) fn status(&self) -> u16 {
        // SAFETY: as in `fact`.
        unsafe { (self.table.status())(self.object) }
    }

    pub(crate) fn session(&self) -> Option<&Session> {
        // SAFETY: as in `fact`: null, or a session that the exchange keeps until `&mut self` is used.
        // `Session` is a transparent wrapper of `RawSession`.
        unsafe {
            (self.table.session())(self.object)
                .cast::<Session>()
                .as_ref()
        }
    }

    pub(crate) fn attach_session(&mut self, session: Session) {
        // SAFETY: as in `set_header`; the session is moved to the host.
        unsafe { (self.table.attach_session())(self.object, session.into_raw()) }
    }

    pub(crate) fn flag(&self, flag: u32) -> bool {
        // SAFETY: as in `fact`.
        unsafe { (self.table.flag())(self.object, flag) }
    }

    pub(crate) fn raise(&mut self, flag: u32) {
        // SAFETY: as in `set_header`.
        unsafe { (self.table.raise())(self.object, flag) }
    }

    pub(crate) fn request_id(&self) -> u64 {
        // SAFETY: as in `fact`.
        unsafe { (self.table.request_id())(self.object) }
    }
}

fn accepted(code: u8) -> Result<(), HeaderError> {
    if code == 0 { Ok(()) } else { Err(HeaderError) }
}

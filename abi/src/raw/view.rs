//! Borrowed bytes on their way across.

use std::ffi::c_void;

use abi_stable::StableAbi;

/// A pointer and a length, or nothing. Valid for the call it is passed to, or, when it is an answer, until the next
/// call that changes the object it came from.
#[repr(C)]
#[derive(Clone, Copy, Debug, StableAbi)]
pub struct View {
    start: *const u8,
    length: usize,
}

impl View {
    /// Nothing: not even an empty text.
    pub(crate) const ABSENT: Self = Self {
        start: std::ptr::null(),
        length: 0,
    };

    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self {
            start: bytes.as_ptr(),
            length: bytes.len(),
        }
    }

    pub(crate) fn maybe(bytes: Option<&[u8]>) -> Self {
        bytes.map_or(Self::ABSENT, Self::of)
    }

    /// # Safety
    /// The bytes this view was made of must live, unchanged, for `'a`.
    pub(crate) unsafe fn bytes<'a>(self) -> Option<&'a [u8]> {
        if self.start.is_null() {
            return None;
        }
        // SAFETY: not null, so it was made by `of` from a slice of this length; the caller vouches for its life.
        Some(unsafe { std::slice::from_raw_parts(self.start, self.length) })
    }

    /// The text, or nothing when the other side sent bytes that are not UTF-8.
    ///
    /// # Safety
    /// As for [`bytes`](Self::bytes).
    pub(crate) unsafe fn text<'a>(self) -> Option<&'a str> {
        // SAFETY: the caller's promise is passed on.
        unsafe { self.bytes() }.and_then(|bytes| std::str::from_utf8(bytes).ok())
    }
}

/// Calls `visit` through a C function: how a closure is lent to the other side for the length of a call.
///
/// # Safety
/// `context` must be the `&mut F` that [`visitor`] was asked for, and the views must be valid for the call.
unsafe extern "C" fn call_visitor<F: FnMut(View, View)>(
    context: *mut c_void,
    first: View,
    second: View,
) {
    super::guard::quietly("visitor", || {
        // SAFETY: `context` came from `visitor::<F>` and is borrowed for this call only.
        let visit = unsafe { &mut *context.cast::<F>() };
        visit(first, second);
    });
}

/// The C form of `F`: to be passed together with a pointer to the closure.
pub(crate) fn visitor<F: FnMut(View, View)>(_: &F) -> Visit {
    Visit {
        call: call_visitor::<F>,
    }
}

/// A closure of the caller, lent for the length of one call.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct Visit {
    call: unsafe extern "C" fn(*mut c_void, View, View),
}

impl Visit {
    /// # Safety
    /// `context` must point to the closure that this is the C form of.
    pub(crate) unsafe fn visit(self, context: *mut c_void, first: View, second: View) {
        // SAFETY: the caller's promise.
        unsafe { (self.call)(context, first, second) }
    }
}

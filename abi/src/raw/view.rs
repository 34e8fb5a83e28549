//! Borrowed bytes on their way across.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;

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
        start: ptr::null(),
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

/// A closure of the caller, and what it panicked with.
struct Lent<F> {
    visit: F,
    panic: Option<Box<dyn Any + Send>>,
}

/// Lends `visit` to the other side for the length of `call`, which passes it on: as a pointer and what calls it.
///
/// A panic in `visit` cannot cross. Nothing more is visited then, and the panic goes on from here, in the library that
/// it began in.
pub(crate) fn lend<F: FnMut(View, View)>(visit: F, call: impl FnOnce(*mut c_void, Visit)) {
    let mut lent = Lent { visit, panic: None };
    let form = Visit {
        call: call_lent::<F>,
    };
    call(ptr::from_mut(&mut lent).cast(), form);
    if let Some(payload) = lent.panic {
        resume_unwind(payload);
    }
}

/// # Safety
/// `context` must be the pointer that [`lend`] passed on together with this function, and the views must be valid for the
/// call.
unsafe extern "C" fn call_lent<F: FnMut(View, View)>(
    context: *mut c_void,
    first: View,
    second: View,
) {
    // SAFETY: `context` points to the `Lent<F>` in `lend`, which waits, and is borrowed for this call only.
    let lent = unsafe { &mut *context.cast::<Lent<F>>() };
    if lent.panic.is_none() {
        // Unwind safe: who the closure belongs to is told.
        let visited = catch_unwind(AssertUnwindSafe(|| (lent.visit)(first, second)));
        lent.panic = visited.err();
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
    /// `context` must be the pointer that came with this.
    pub(crate) unsafe fn visit(self, context: *mut c_void, first: View, second: View) {
        // SAFETY: the caller's promise.
        unsafe { (self.call)(context, first, second) }
    }
}

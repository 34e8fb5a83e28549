//! Pointers to what stands on the other side, and who frees it.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::Arc;

use abi_stable::StableAbi;

/// An object that is lent for `'a`: what a function gets whose answer is a future.
#[repr(transparent)]
#[derive(Clone, Copy, StableAbi)]
pub struct Object<'a> {
    pointer: *const c_void,
    life: PhantomData<&'a ()>,
}

impl<'a> Object<'a> {
    /// # Safety
    /// What `pointer` points to must outlive `'a`.
    pub(crate) const unsafe fn lend(pointer: *const c_void) -> Self {
        Self {
            pointer,
            life: PhantomData,
        }
    }

    /// # Safety
    /// The object must be a `T`.
    pub(crate) const unsafe fn get<T>(self) -> &'a T {
        // SAFETY: the caller's promise, and that of `lend`.
        unsafe { &*self.pointer.cast() }
    }

    /// # Safety
    /// The object must be a `T`, lent exclusively from a mutable pointer.
    pub(crate) const unsafe fn exclusive<T>(self) -> &'a mut T {
        // SAFETY: the caller's promise, and that of `lend`.
        unsafe { &mut *self.pointer.cast_mut().cast() }
    }
}

/// Defines the handle of an object whose table has `release`.
macro_rules! owned_handle {
    ($(#[$doc:meta])* $handle:ident, $table:ident) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(abi_stable::StableAbi)]
        pub struct $handle {
            object: *const std::ffi::c_void,
            table: $table,
        }

        // SAFETY: the object is a box or an `Arc` of something `Send + Sync`: each constructor of the table demands it.
        unsafe impl Send for $handle {}
        // SAFETY: as above.
        unsafe impl Sync for $handle {}

        impl Drop for $handle {
            fn drop(&mut self) {
                // SAFETY: this handle owns the object, or one count of it, and gives it back once.
                unsafe { (self.table.release())(self.object) }
            }
        }
    };
}
pub(crate) use owned_handle;

/// Defines the handle of an object that several may own: its table has `retain` as well.
macro_rules! shared_handle {
    ($(#[$doc:meta])* $handle:ident, $table:ident) => {
        $crate::raw::object::owned_handle! { $(#[$doc])* $handle, $table }

        impl Clone for $handle {
            fn clone(&self) -> Self {
                // SAFETY: `object` and `table` belong together; the new handle owns the count taken here.
                unsafe { (self.table.retain())(self.object) };
                Self { object: self.object, table: self.table }
            }
        }
    };
}
pub(crate) use shared_handle;

/// # Safety
/// `object` must come from `Arc::<T>::into_raw` and be alive.
pub(crate) unsafe extern "C" fn retain<T>(object: *const c_void) {
    // SAFETY: the caller's promise.
    unsafe { Arc::<T>::increment_strong_count(object.cast()) };
}

/// # Safety
/// As for [`retain`]; the caller gives up one count.
pub(crate) unsafe extern "C" fn release<T>(object: *const c_void) {
    super::guard::quietly("release", || {
        // SAFETY: the caller's promise.
        unsafe { Arc::<T>::decrement_strong_count(object.cast()) };
    });
}

/// # Safety
/// `object` must come from `Box::<T>::into_raw`; it is dropped.
pub(crate) unsafe extern "C" fn release_box<T>(object: *const c_void) {
    super::guard::quietly("drop", || {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(object.cast_mut().cast::<T>()) });
    });
}

//! Entries in one piece of memory.
//!
//! ```text
//! head    = family, created_at, seen_at, expires_at, length of the device: 8, 6, 6, 6 and 2 bytes
//! entries = a head for each, in the order of the families, and the devices in the same order
//! ```
//! Heads are alike, so that a family is found by halving.

use triomphe::{Arc, HeaderSlice};

use super::Entry;
use crate::session::device::Device;
use crate::session::family::Family;
use crate::session::six_bytes::SixBytes;
use crate::session::timestamp::Timestamp;

/// How many there are, and their bytes. Cheap to clone.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct Packed(Arc<HeaderSlice<u32, [u8]>>);

impl Packed {
    /// Of entries that are in this order already.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut bytes: Vec<u8> = entries.iter().flat_map(head).collect();
        for entry in entries {
            bytes.extend_from_slice(device_of(entry));
        }
        Self(Arc::from_header_and_slice(entries.len() as u32, &bytes))
    }

    pub(super) fn len(&self) -> usize {
        self.heads().len()
    }

    /// Where the entry of `family` is.
    pub(super) fn position(&self, family: Family) -> Option<usize> {
        let found = self.heads().binary_search_by_key(&family, family_of);
        found.ok()
    }

    pub(super) fn get(&self, at: usize) -> Entry {
        let before = self.heads()[..at].iter().map(device_len).sum();
        entry(&self.heads()[at], &self.devices()[before..])
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Entry> {
        let mut devices = self.devices();
        self.heads().iter().map(move |head| {
            let (device, rest) = devices.split_at(device_len(head));
            devices = rest;
            entry(head, device)
        })
    }

    /// When each of them ends.
    pub(super) fn ends(&self) -> impl Iterator<Item = Timestamp> {
        self.heads().iter().map(|head| time(head, EXPIRES))
    }

    /// The bytes on the heap.
    pub(super) fn footprint(&self) -> usize {
        size_of::<usize>() + size_of_val(&*self.0)
    }

    fn devices(&self) -> &[u8] {
        &self.0.slice[self.len() * HEAD..]
    }

    fn heads(&self) -> &[[u8; HEAD]] {
        let all = self.0.slice.as_chunks().0;
        &all[..self.0.header as usize]
    }
}

/// `devices` begins with its own.
fn entry(head: &[u8; HEAD], devices: &[u8]) -> Entry {
    Entry {
        device: Device::from_bytes(&devices[..device_len(head)]),
        family: family_of(head),
        created_at: time(head, CREATED),
        seen_at: time(head, SEEN),
        expires_at: time(head, EXPIRES),
    }
}

fn head(entry: &Entry) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..CREATED].copy_from_slice(&entry.family.bits().to_le_bytes());
    let times = [entry.created_at, entry.seen_at, entry.expires_at];
    for (at, time) in [CREATED, SEEN, EXPIRES].into_iter().zip(times) {
        head[at..at + 6].copy_from_slice(SixBytes::from(time.as_millis()).as_bytes());
    }
    // Of an address and a name of at most 255 bytes.
    let length = device_of(entry).len() as u16;
    head[DEVICE..].copy_from_slice(&length.to_le_bytes());
    head
}

fn device_of(entry: &Entry) -> &[u8] {
    entry.device.as_ref().map_or(&[], Device::as_bytes)
}

fn family_of(head: &[u8; HEAD]) -> Family {
    let [a, b, c, d, e, f, g, h, ..] = *head;
    Family::new(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
}

fn time(head: &[u8; HEAD], at: usize) -> Timestamp {
    let bytes = head[at..].first_chunk().copied().unwrap_or_default();
    Timestamp::from_millis(SixBytes::of_bytes(bytes).get())
}

fn device_len(head: &[u8; HEAD]) -> usize {
    let [.., low, high] = *head;
    u16::from_le_bytes([low, high]).into()
}

const CREATED: usize = 8;
const SEEN: usize = 14;
const EXPIRES: usize = 20;
const DEVICE: usize = 26;
const HEAD: usize = 28;

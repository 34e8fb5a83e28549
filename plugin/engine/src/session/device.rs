//! Where a login came from, for the user to recognise it by.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use triomphe::ThinArc;

/// The address and the name of the client that logged in. One word, and cheap to clone.
///
/// The name is a claim of the client: at most [`MOST_AGENT`](Self::MOST_AGENT) bytes of it are kept, without control
/// characters, so that no list it is shown in breaks, and no client fills a storage with it.
#[derive(Clone, Eq, PartialEq)]
pub struct Device {
    /// How long the address is: 0, 4 or 16; the address; the name.
    bytes: ThinArc<(), u8>,
}

impl Device {
    /// How many bytes of a name are kept. Names of browsers have 70 to 150.
    pub const MOST_AGENT: usize = 255;

    /// What is known of a client; none when that is nothing.
    pub fn new(ip: Option<IpAddr>, user_agent: Option<&[u8]>) -> Option<Self> {
        let agent = user_agent.map(clean).unwrap_or_default();
        if ip.is_none() && agent.is_empty() {
            return None;
        }
        let mut bytes = Vec::with_capacity(1 + 16 + agent.len());
        match ip.map(|ip| ip.to_canonical()) {
            None => bytes.push(0),
            Some(IpAddr::V4(ip)) => {
                bytes.push(4);
                bytes.extend(ip.octets());
            }
            Some(IpAddr::V6(ip)) => {
                bytes.push(16);
                bytes.extend(ip.octets());
            }
        }
        bytes.extend(agent.as_bytes());
        let bytes = ThinArc::from_header_and_slice((), &bytes);
        Some(Self { bytes })
    }

    /// Where it was; none for a client on a unix socket.
    pub fn ip(&self) -> Option<IpAddr> {
        let octets = self.parts().0;
        let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
        let v6 = <[u8; 16]>::try_from(octets).map(IpAddr::from);
        v4.or(v6).ok()
    }

    /// What it calls itself; none when it does not.
    pub fn user_agent(&self) -> Option<&str> {
        let agent = std::str::from_utf8(self.parts().1).ok()?;
        (!agent.is_empty()).then_some(agent)
    }

    /// As it lies in a roster.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes.slice
    }

    /// What [`as_bytes`](Self::as_bytes) gave; none where there is none.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let is_there = !bytes.is_empty();
        is_there.then(|| Self {
            bytes: ThinArc::from_header_and_slice((), bytes),
        })
    }

    /// The octets of the address, and the name.
    pub(super) fn parts(&self) -> (&[u8], &[u8]) {
        match self.bytes.slice.split_first() {
            Some((length, rest)) => rest.split_at(usize::from(*length).min(rest.len())),
            None => (&[], &[]),
        }
    }

    /// What [`parts`](Self::parts) gave; nothing of it when it gave something else.
    pub(super) fn from_parts(octets: &[u8], agent: &[u8]) -> Option<Self> {
        let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
        let v6 = <[u8; 16]>::try_from(octets).map(IpAddr::from);
        let device = Self::new(v4.or(v6).ok(), Some(agent))?;
        (device.parts() == (octets, agent)).then_some(device)
    }
}

/// Shows nothing: where somebody is, is nobody's business.
impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Device(..)")
    }
}

/// The beginning of a name, as text that can be shown.
fn clean(agent: &[u8]) -> Cow<'_, str> {
    // As browsers send it, and as it is read back from a storage at every request.
    if let Ok(text) = std::str::from_utf8(agent)
        && is_clean(agent)
    {
        return text.into();
    }
    let head = &agent[..agent.len().min(4 * Device::MOST_AGENT)];
    let text = String::from_utf8_lossy(head);
    let mut clean = String::with_capacity(text.len().min(Device::MOST_AGENT));
    for letter in text.trim().chars().filter(|letter| is_shown(*letter)) {
        if clean.len() + letter.len_utf8() > Device::MOST_AGENT {
            break;
        }
        clean.push(letter);
    }
    // Once more, for what is cut or left out may leave a space at an end, and what is read back is clean.
    clean.trim().to_owned().into()
}

/// Whether nothing has to be left out. Not of every text that is so.
fn is_clean(agent: &[u8]) -> bool {
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~');
    let is_cut = agent.len() > Device::MOST_AGENT;
    let has_space_at_end = agent.starts_with(b" ") || agent.ends_with(b" ");
    agent.iter().all(is_plain) && !is_cut && !has_space_at_end
}

/// Controls end lines, and marks of direction turn them round.
fn is_shown(letter: char) -> bool {
    !letter.is_control()
        && !matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn address_and_name_are_kept() {
        for ip in ["192.0.2.7", "2001:db8::7"] {
            let ip = ip.parse().ok();

            let device = Device::new(ip, Some(b"curl/8.5.0")).unwrap();

            assert_eq!(device.ip(), ip);
            assert_eq!(device.user_agent(), Some("curl/8.5.0"));
        }
        assert_eq!(Device::new(None, None), None);
        assert_eq!(Device::new(None, Some(b"\0 ")), None);
    }

    #[test]
    fn address_that_is_mapped_into_another_family_is_the_one_it_is() {
        let device = Device::new("::ffff:192.0.2.7".parse().ok(), None).unwrap();

        assert_eq!(device.ip(), "192.0.2.7".parse().ok());
        assert_eq!(device.user_agent(), None);
    }

    #[test]
    fn nothing_is_kept_of_a_name_that_breaks_a_list() {
        let device = Device::new(None, Some("a\r\nb\u{202e}c\u{9b}d\x7fe".as_bytes())).unwrap();

        assert_eq!(device.user_agent(), Some("abcde"));
    }

    #[test]
    fn long_name_is_cut_between_two_letters() {
        let long = "é".repeat(1000);

        let device = Device::new(None, Some(long.as_bytes())).unwrap();

        assert_eq!(device.user_agent().unwrap(), "é".repeat(127));
    }

    #[test]
    fn name_with_a_space_where_it_is_cut_is_read_back() {
        let cut = format!("{} is cut", "x".repeat(Device::MOST_AGENT - 1));
        for agent in [&*cut, "\u{80} \u{80}x", "x \u{80}"] {
            let device = Device::new(None, Some(agent.as_bytes())).unwrap();

            let (octets, agent) = device.parts();

            assert_eq!(Device::from_parts(octets, agent), Some(device.clone()));
        }
        assert_eq!(Device::new(None, Some("\u{80} \u{80}".as_bytes())), None);
    }

    #[test]
    fn device_is_one_word_also_where_there_is_none() {
        assert_eq!(size_of::<Option<Device>>(), size_of::<usize>());
    }

    #[test]
    fn debug_output_says_nothing() {
        let device = Device::new("192.0.2.7".parse().ok(), Some(b"curl/8.5.0"));

        assert_eq!(format!("{device:?}"), "Some(Device(..))");
    }

    proptest! {
        #[test]
        fn name_of_plain_letters_is_what_it_is_beside_a_control(agent in "[ -~]{0,260}") {
            let whole = agent.trim();
            let cut = whole[..whole.len().min(Device::MOST_AGENT)].trim();

            let device = Device::new(None, Some(agent.as_bytes()));

            prop_assert_eq!(device.as_ref().and_then(Device::user_agent).unwrap_or_default(), cut);
            prop_assert_eq!(Device::new(None, Some(format!("{agent}\u{7f}").as_bytes())), device);
        }

        #[test]
        fn parts_are_the_device_and_no_other(octets in any::<Vec<u8>>(), agent in any::<Vec<u8>>()) {
            if let Some(device) = Device::from_parts(&octets, &agent) {
                prop_assert_eq!(device.parts(), (&*octets, &*agent));
            }
            if let Some(device) = Device::new(None, Some(&agent)) {
                let (octets, agent) = device.parts();
                prop_assert_eq!(Device::from_parts(octets, agent), Some(device.clone()));
            }
        }
    }
}

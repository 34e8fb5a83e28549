//! Which part of a cluster a name belongs to.

/// One of the 16384 parts into which a cluster divides all names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Slot(u16);

impl Slot {
    /// How many there are.
    pub(super) const COUNT: usize = 16_384;

    /// The slot of `name`: of what is between the first braces if there is something, of all of it otherwise.
    pub(super) fn of(name: &[u8]) -> Self {
        Self(crc16(tag(name).unwrap_or(name)) % 16_384)
    }

    /// The slot of every name that begins with `prefix`, if its braces leave no choice.
    pub(super) fn of_all(prefix: &str) -> Option<Self> {
        tag(prefix.as_bytes()).map(|tag| Self(crc16(tag) % 16_384))
    }

    /// Its number, below [`COUNT`](Self::COUNT).
    pub(super) fn index(self) -> usize {
        self.0.into()
    }
}

fn tag(name: &[u8]) -> Option<&[u8]> {
    let find = |byte, text: &[u8]| text.iter().position(|other| *other == byte);
    let inner = &name[find(b'{', name)? + 1..];
    let tag = &inner[..find(b'}', inner)?];
    (!tag.is_empty()).then_some(tag)
}

/// CRC-16/XMODEM: polynomial 0x1021, nothing reflected, zero before and after.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        let [high, low] = crc.to_be_bytes();
        TABLE[usize::from(high ^ byte)] ^ u16::from(low) << 8
    })
}

const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }

    /// The expected numbers are what a server answers to `CLUSTER KEYSLOT`.
    #[test]
    fn names_belong_where_a_server_says() {
        for (name, slot) in [
            ("", 0),
            ("foo", 12_182),
            ("foo{}{bar}", 8_363),
            ("foo{{bar}}zap", 4_015),
            ("session:CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk", 6_272),
        ] {
            assert_eq!(Slot::of(name.as_bytes()).index(), slot, "{name}");
        }
    }

    #[test]
    fn what_is_between_the_first_braces_decides() {
        let same = |a: &str, b: &str| Slot::of(a.as_bytes()) == Slot::of(b.as_bytes());

        assert!(same("{user1000}.following", "user1000"));
        assert!(same("foo{bar}{zap}", "bar"));
        assert!(same("foo{{bar}}zap", "{bar"));
        assert!(same("a}b{c}d", "c"));
    }

    #[test]
    fn a_prefix_with_braces_decides_for_every_name() {
        let slot = Slot::of_all("{session}:").unwrap();

        assert_eq!(Slot::of(b"{session}:a"), slot);
        assert_eq!(Slot::of(b"{session}:b{c}"), slot);
        assert_eq!(Slot::of_all("session:"), None);
    }

    #[test]
    fn empty_and_open_braces_decide_nothing() {
        let whole = |name: &str| Slot(crc16(name.as_bytes()) % 16_384);

        for name in ["foo{}{bar}", "foo{bar", "foo}bar{", "{}"] {
            assert_eq!(Slot::of(name.as_bytes()), whole(name), "{name}");
        }
    }
}

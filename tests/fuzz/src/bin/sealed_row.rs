//! What a storage gives back for a sealed row: nobody without the secret makes one, or changes one.
#![no_main]
#![forbid(unsafe_code)]

use std::sync::LazyLock;

use abi::config::Secret;
use engine::session::{Address, Keyring, Secrets, SessionId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Bench { keyring, address } = &*BENCH;
    assert!(
        keyring.open(address, VERSION, data).is_err(),
        "nobody sealed this"
    );

    let Some((&[high, low, mask], plaintext)) = data.split_first_chunk() else {
        return;
    };
    let sealed = keyring.seal(address, VERSION, plaintext.to_vec());
    let mut sealed = sealed.expect("there are random bytes");
    let at = usize::from(u16::from_be_bytes([high, low])) % sealed.len();
    sealed[at] ^= mask;
    match keyring.open(address, VERSION, &sealed) {
        Ok(opened) => assert!(mask == 0 && opened == plaintext),
        Err(_) => assert_ne!(mask, 0),
    }
});

static BENCH: LazyLock<Bench> = LazyLock::new(Bench::new);

struct Bench {
    keyring: Keyring,
    address: Address,
}

impl Bench {
    fn new() -> Self {
        let secrets = [
            "the newest of two secrets for fuzzing",
            "the older of two secrets for fuzzing",
        ];
        let secrets = Secrets::parse(&secrets.map(Secret::new)).expect("long enough");
        let keyring = Keyring::sealed(secrets.expect("two"));
        let id = SessionId::parse(&[b'A'; SessionId::ENCODED_LEN]).expect("an id of zeros");
        let address = keyring.address(&id);
        Self { keyring, address }
    }
}

const VERSION: u64 = 3;

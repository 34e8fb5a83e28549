//! Headers of the PROXY protocol: read as they come, and never further than to their end.
#![no_main]
#![forbid(unsafe_code)]

use gateway::server::proxy_protocol::{Origin, Progress, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut known = 0;
    // What a connection does: it reads what is missing and not a byte more.
    while let Ok(progress) = parse(&bytes[..known]) {
        match progress {
            Progress::Missing(more) => {
                assert!(more > 0, "somebody would wait for ever");
                assert!(known + more <= 16 + 4 * 1024, "nobody sends that much");
                known += more;
                if known > bytes.len() {
                    return;
                }
            }
            Progress::Done(origin) => return check(&bytes[..known], origin),
        }
    }
});

fn check(header: &[u8], origin: Origin) {
    let text = header.starts_with(b"PROXY ");
    assert!(!text || (header.ends_with(b"\r\n") && header.len() <= 107));
    if let Origin::Client(address) = origin {
        assert_eq!(address, address.to_canonical());
        // Nobody is named who is not written there.
        if text && address.is_ipv4() {
            let line = String::from_utf8_lossy(header);
            assert!(line.contains(&address.to_string()) || line.contains("TCP6"));
        }
    }
}

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::session::{Deltas, Lifetime};

#[test]
fn every_state_comes_back_as_it_was_written() {
    for state in states() {
        assert_eq!(decode(&encode(&state)), Ok(state));
    }
}

#[test]
fn a_number_of_many_digits_comes_back_to_the_last_of_them() {
    let json = br#"{"big":1.25e300,"latitude":52.520006599999995}"#;
    let clocks = &encode(&State::Live(full()))[..FULL_CLOCKS];
    let state = decode(&[clocks, json.as_slice()].concat()).unwrap();

    let written = encode(&state);

    assert!(written.ends_with(b"52.520006599999995}"));
    assert_eq!(decode(&written), Ok(state));
}

#[test]
fn every_shortened_state_is_refused() {
    for bytes in states().iter().map(encode) {
        for end in 0..bytes.len() {
            assert!(
                decode(&bytes[..end]).is_err(),
                "{end} of {} bytes",
                bytes.len()
            );
        }
    }
}

#[test]
fn bytes_after_the_end_are_refused() {
    for mut bytes in states().iter().map(encode) {
        bytes.push(b'x');
        assert!(decode(&bytes).is_err());
    }
}

#[test]
fn another_format_is_named() {
    assert_eq!(decode(&[3, LIVE]), Err(DecodeError::Format(3)));
    assert_eq!(decode(&[FORMAT, b'?']), Err(DecodeError::Tag(b'?')));
    assert_eq!(decode(b""), Err(DecodeError::Truncated));
}

#[test]
fn clocks_that_contradict_each_other_are_refused() {
    let mut bytes = encode(&State::Live(full()));
    bytes[2] = 0xff;

    assert_eq!(decode(&bytes), Err(DecodeError::Clocks));
}

#[test]
fn attributes_must_be_an_object_with_unique_names() {
    let clocks = &encode(&State::Live(full()))[..FULL_CLOCKS];

    for json in [
        "[]",
        "null",
        "",
        "{",
        r#"{"a":1,"a":2}"#,
        "{}{}",
        "\u{feff}{}",
    ] {
        let bytes = [clocks, json.as_bytes()].concat();
        assert_eq!(decode(&bytes), Err(DecodeError::Attributes), "{json}");
    }
}

#[test]
fn a_deeply_nested_attribute_is_refused_not_followed() {
    let clocks = &encode(&State::Live(full()))[..FULL_CLOCKS];
    let deep = format!(r#"{{"a":{}"#, "[".repeat(100_000));

    assert_eq!(
        decode(&[clocks, deep.as_bytes()].concat()),
        Err(DecodeError::Attributes)
    );
}

#[test]
fn an_error_names_no_content() {
    let clocks = &encode(&State::Live(full()))[..FULL_CLOCKS];
    let error = decode(&[clocks, br#""hunter2""#.as_slice()].concat()).unwrap_err();

    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn what_decodes_is_what_was_meant(flip in 0_usize..400, bit in 0_u8..8) {
        for state in states() {
            let mut bytes = encode(&state);
            let at = flip % bytes.len();
            bytes[at] ^= 1 << bit;
            if let Ok(other) = decode(&bytes) {
                prop_assert_ne!(other, state);
            }
        }
    }
}

#[test]
fn a_roster_out_of_order_is_refused() {
    let twice = [7, 1, 1, 1, 7, 1, 1, 1];
    let bytes = with_numbers(with_numbers(vec![FORMAT, ROSTER], [2]), twice);

    assert_eq!(decode(&bytes), Err(DecodeError::Order));
}

#[test]
fn a_roster_that_promises_more_than_there_is_costs_nothing() {
    let bytes = with_numbers(vec![FORMAT, ROSTER], [u64::MAX]);

    assert_eq!(decode(&bytes), Err(DecodeError::Truncated));
}

#[test]
fn a_roster_without_devices_is_written_as_before_there_were_any() {
    let roster = State::Roster([1].map(entry).into_iter().collect());

    let numbers = [
        1,
        1,
        1_700_000_000_000,
        1_700_000_000_000,
        1_700_000_000_000,
    ];
    assert_eq!(encode(&roster), with_numbers(vec![FORMAT, ROSTER], numbers));
}

#[test]
fn a_device_that_nobody_would_write_is_refused() {
    let entry = with_numbers(vec![FORMAT, DEVICES], [1, 7, 1, 1, 1]);
    let with = |ip: &[u8], agent: &[u8]| decode(&with_text(with_text(entry.clone(), ip), agent));

    assert!(with(&[192, 0, 2, 7], b"curl").is_ok());
    assert_eq!(with(&[1, 2, 3], b"curl"), Err(DecodeError::Device));
    assert_eq!(with(&[], b"cu\nrl"), Err(DecodeError::Device));
    assert_eq!(with(&[], b"\xff"), Err(DecodeError::Device));
    assert_eq!(decode(&with_text(entry, &[])), Err(DecodeError::Truncated));
}

fn states() -> [State; 8] {
    let nonce = Nonce::new([7; 32]);
    let record = full();
    let nobody = full().on_roster(None);
    [
        State::Roster(Roster::default()),
        State::Roster([1, 2].map(entry).into_iter().collect()),
        State::Roster([1, 2].map(with_device).into_iter().collect()),
        State::Live(nobody),
        State::Live(record.clone()),
        State::Rotating(Rotating { nonce, record }.into()),
        State::Rotated(
            Rotated {
                nonce,
                until: Timestamp::from_millis(1_700_000_010_000),
            }
            .into(),
        ),
        State::Revoked,
    ]
}

fn entry(family: u64) -> Entry {
    let at = Timestamp::from_millis(1_700_000_000_000);
    Entry {
        family: Family::new(family),
        created_at: at,
        seen_at: at,
        expires_at: at,
        device: None,
    }
}

/// Every other one, as on a roster that began before there were devices.
fn with_device(family: u64) -> Entry {
    let device = Device::new("192.0.2.7".parse().ok(), Some("curl/8.5.0 é".as_bytes()));
    Entry {
        device: device.filter(|_| family % 2 == 1),
        ..entry(family)
    }
}

fn full() -> Record {
    let mut deltas = Deltas::new();
    deltas.set("user_id", json!("é\u{0}\"x"));
    deltas.set("roles", json!(["a", {"b": 1.5}, null]));
    deltas.expire(
        Duration::from_secs(77),
        Timestamp::from_millis(1_700_000_000_000),
    );
    Lifetime::new(Duration::from_secs(60), None)
        .begin(
            Family::new(0x0123_4567_89ab_cdef),
            Timestamp::from_millis(1_700_000_000_000),
        )
        .on_roster(Some(Key::new([9; 32])))
        .merge(&deltas)
}

// What stands in front of the attributes of `full`.
const FULL_CLOCKS: usize = 2 + 6 * 8 + 1 + 32;

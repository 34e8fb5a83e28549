use std::num::NonZeroU64;

use abi::config::Secret;
use abi::storage::Key;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::session::head::Head;
use crate::session::{Attributes, Family};

#[test]
fn a_snapshot_comes_back_as_it_was_written() {
    let [compact, jwt] = both();
    let id = id();

    assert_eq!(
        decode(&compact, &id, &encode(&compact, &id)),
        Ok(snapshot())
    );
    assert_eq!(decode(&jwt, &id, &encode(&jwt, &id)), Ok(whole_seconds()));
}

#[test]
fn a_snapshot_fits_the_grammar_of_cookies() {
    for snapshots in both() {
        let text = encode(&snapshots, &id());

        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        assert!(text.bytes().all(is_plain), "{text}");
    }
}

#[test]
fn a_snapshot_counts_beside_its_own_id_only() {
    let [compact, jwt] = both();
    let (mine, yours) = (id(), id());

    assert_eq!(
        decode(&compact, &yours, &encode(&compact, &mine)),
        Err(OpenError::Broken.into())
    );
    assert_eq!(
        decode(&jwt, &yours, &encode(&jwt, &mine)),
        Err(SnapshotError::Id)
    );
}

#[test]
fn a_snapshot_counts_in_its_own_cookie_only() {
    let elsewhere = |encoding| {
        let rules = SnapshotRules {
            cookie: "another_cache".into(),
            ..rules(encoding)
        };
        Snapshots::new(secrets(&[NEW]), rules)
    };
    let [compact, jwt] = both();
    let id = id();

    assert_eq!(
        decode(&elsewhere(Encoding::Compact), &id, &encode(&compact, &id)),
        Err(OpenError::Broken.into())
    );
    assert_eq!(
        decode(&elsewhere(Encoding::Jwt), &id, &encode(&jwt, &id)),
        Err(SnapshotError::Cookie)
    );
}

#[test]
fn a_snapshot_in_the_other_encoding_is_refused() {
    let [compact, jwt] = both();
    let id = id();

    assert_eq!(
        decode(&compact, &id, &encode(&jwt, &id)),
        Err(SnapshotError::Shape)
    );
    assert_eq!(
        decode(&jwt, &id, &encode(&compact, &id)),
        Err(SnapshotError::Shape)
    );
}

#[test]
fn a_snapshot_is_trusted_until_the_last_moment_and_not_longer() {
    for (snapshots, trusted) in both().iter().zip([TRUST, WHOLE_SECONDS]) {
        let id = id();
        let text = encode(snapshots, &id);
        let at = |millis| {
            let now = ISSUED.after(Duration::from_millis(millis));
            snapshots.decode(&id, text.as_bytes(), now)
        };
        let millis = trusted.as_millis() as u64;

        assert!(at(millis - 1).is_ok());
        assert_eq!(at(millis), Err(SnapshotError::Expired));
    }
}

#[test]
fn a_snapshot_ends_with_its_session() {
    for encoding in [Encoding::Compact, Encoding::Jwt] {
        let rules = SnapshotRules {
            trust: Duration::from_secs(1_000_000),
            ..rules(encoding)
        };
        let snapshots = Snapshots::new(secrets(&[NEW]), rules);
        let id = id();
        let text = encode(&snapshots, &id);
        let end = snapshot().record.expires_at();

        let late = snapshots.decode(&id, text.as_bytes(), end);

        assert_eq!(late, Err(SnapshotError::Expired));
    }
}

#[test]
fn a_shorter_trust_holds_for_what_was_issued_before() {
    for encoding in [Encoding::Compact, Encoding::Jwt] {
        let id = id();
        let text = encode(&Snapshots::new(secrets(&[NEW]), rules(encoding)), &id);
        let stricter = SnapshotRules {
            trust: Duration::from_millis(1),
            ..rules(encoding)
        };

        let read = decode(&Snapshots::new(secrets(&[NEW]), stricter), &id, &text);

        assert_eq!(read, Err(SnapshotError::Expired));
    }
}

#[test]
fn a_snapshot_from_the_future_is_refused() {
    for snapshots in both() {
        let id = id();
        let text = encode(&snapshots, &id);
        let early = Timestamp::from_millis(ISSUED.as_millis() - 1000);

        let read = snapshots.decode(&id, text.as_bytes(), early);

        assert_eq!(read, Err(SnapshotError::Future));
    }
}

#[test]
fn nothing_is_written_when_the_time_is_over_already() {
    for snapshots in both() {
        assert_eq!(
            snapshots.encode(&id(), &snapshot(), ISSUED.after(TRUST)),
            None
        );
    }
}

#[test]
fn what_browsers_would_drop_is_not_written() {
    for snapshots in both() {
        let lengths: Vec<_> = (0..4200)
            .step_by(7)
            .filter_map(|length| {
                let snapshot = with(json!({ "text": "x".repeat(length) }));
                snapshots.encode(&id(), &snapshot, NOW)
            })
            .map(|text| COOKIE.len() + text.len())
            .collect();

        let longest = *lengths.last().unwrap();
        assert!((4080..=4096).contains(&longest), "{longest}");
        assert!(lengths.len() < 4200 / 7);
    }
}

#[test]
fn every_secret_of_the_list_opens_and_no_other() {
    for encoding in [Encoding::Compact, Encoding::Jwt] {
        let with = |list: &[&str]| Snapshots::new(secrets(list), rules(encoding));
        let id = id();
        let text = encode(&with(&[OLD]), &id);

        assert!(decode(&with(&[OLD, NEW]), &id, &text).is_ok());
        assert!(decode(&with(&[NEW, OLD]), &id, &text).is_ok());
        let error = decode(&with(&[NEW]), &id, &text).unwrap_err();
        assert_eq!(error.to_string(), "sealed by another secret, 1e93dfda");
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    for snapshots in both() {
        let id = id();
        let text = encode(&snapshots, &id);

        for bit in 0..text.len() * 8 {
            let mut flipped = text.clone().into_bytes();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(
                snapshots.decode(&id, &flipped, NOW).is_err(),
                "bit {bit} of {text}"
            );
        }
    }
}

#[test]
fn every_shortened_and_every_lengthened_snapshot_is_refused() {
    for snapshots in both() {
        let id = id();
        let text = encode(&snapshots, &id);

        for end in 0..text.len() {
            assert!(decode(&snapshots, &id, &text[..end]).is_err(), "{end}");
        }
        for more in ["A", "=", ".", " "] {
            assert!(
                decode(&snapshots, &id, &format!("{text}{more}")).is_err(),
                "{more}"
            );
        }
    }
}

#[test]
fn a_row_is_no_snapshot() {
    let [compact, _] = both();
    let id = id();
    let keyring = crate::session::Keyring::sealed(secrets(&[NEW]));
    let state = crate::session::encode(&crate::session::State::Live(snapshot().record));
    let mut row = keyring.seal(&keyring.address(&id), 1, state).unwrap();

    let as_it_is = decode(&compact, &id, &URL_SAFE_NO_PAD.encode(&row));
    row[0] = b'C';
    let posing = decode(&compact, &id, &URL_SAFE_NO_PAD.encode(&row));

    assert_eq!(as_it_is, Err(OpenError::Format(b'S').into()));
    assert_eq!(posing, Err(OpenError::Broken.into()));
}

#[test]
fn a_snapshot_is_no_row() {
    let [compact, _] = both();
    let id = id();
    let keyring = crate::session::Keyring::sealed(secrets(&[NEW]));
    let mut snapshot = URL_SAFE_NO_PAD.decode(encode(&compact, &id)).unwrap();
    snapshot[0] = b'S';

    let opened = keyring.open(&keyring.address(&id), 1, &snapshot);

    assert_eq!(opened, Err(OpenError::Broken));
}

#[test]
fn a_compact_snapshot_shows_nothing() {
    let [compact, _] = both();
    let bytes = URL_SAFE_NO_PAD.decode(encode(&compact, &id())).unwrap();

    let shows = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);

    assert!(!shows(b"user_id") && !shows("zoë".as_bytes()));
}

#[test]
fn a_token_shows_no_session_id() {
    let [_, jwt] = both();
    let id = id();
    let claims = claims(&encode(&jwt, &id)).to_string();

    assert!(!claims.contains(&id.encode()));
}

#[test]
fn the_subject_of_a_token_is_the_principal() {
    let [_, jwt] = both();
    let subject = |attributes: Value| {
        let text = jwt.encode(&id(), &with(attributes), NOW).unwrap();
        claims(&text)["sub"].clone()
    };

    assert_eq!(subject(json!({ "user_id": "zoë" })), json!("zoë"));
    assert_eq!(subject(json!({ "user_id": 42 })), json!("42"));
    assert_eq!(subject(json!({ "user_id": null })), Value::Null);
    assert_eq!(subject(json!({})), Value::Null);
}

#[test]
fn no_other_algorithm_is_known() {
    let [_, jwt] = both();
    let id = id();
    let token = encode(&jwt, &id);
    let (_, rest) = token.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    let refused = |token: String| decode(&jwt, &id, &token) == Err(SnapshotError::Shape);

    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"none","typ":"session+jwt","kid":"442b8f9c"}"#,
        r#"{"alg":"HS512","typ":"session+jwt","kid":"442b8f9c"}"#,
        r#"{"alg":"HS256","typ":"JWT","kid":"442b8f9c"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"442B8F9C"}"#,
        r#"{"alg":"HS256", "typ":"session+jwt","kid":"442b8f9c"}"#,
        r#"{"alg":"HS256","typ":"session+jwt","kid":"442b8f9c","jwk":{}}"#,
    ] {
        let header = URL_SAFE_NO_PAD.encode(header);
        assert!(refused(format!("{header}.{claims}.{signature}")));
        assert!(refused(format!("{header}.{claims}.")));
        assert!(refused(format!("{header}.{claims}")));
    }
}

#[test]
fn nothing_that_is_said_of_a_snapshot_tells_what_is_in_it() {
    let errors = [
        (SnapshotError::Cookie, "made for another cookie"),
        (SnapshotError::Content, "not a record of a session"),
        (SnapshotError::Expired, "expired"),
        (SnapshotError::Future, "issued in the future"),
        (SnapshotError::Id, "made for another session id"),
        (SnapshotError::Shape, "not a snapshot"),
        (
            OpenError::Broken.into(),
            "the seal is broken, or was made for something else",
        ),
    ];
    for (error, text) in errors {
        assert_eq!(error.to_string(), text);
    }
    let [compact, _] = both();
    assert!(!format!("{compact:?} {:?}", snapshot()).contains("zoë"));
}

// Made with another implementation. A change of a format sends every request to the storage: not by accident.
#[test]
fn the_formats_are_those_of_every_release() {
    let id = SessionId::parse(b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").unwrap();
    let [compact, jwt] = both();

    assert_eq!(decode(&compact, &id, COMPACT), Ok(snapshot()));
    assert_eq!(decode(&jwt, &id, JWT), Ok(whole_seconds()));
    assert_eq!(encode(&jwt, &id), JWT);
}

proptest! {
    #[test]
    fn no_bytes_are_a_snapshot_and_none_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let id = id();
        let sealed = [b"C\x44\x2b\x8f\x9c".as_slice(), &bytes].concat();
        let (header, body) = (JWT.split('.').next().unwrap(), URL_SAFE_NO_PAD.encode(&bytes));

        for snapshots in both() {
            for text in [
                bytes.clone(),
                URL_SAFE_NO_PAD.encode(&sealed).into_bytes(),
                format!("{header}.{body}.{body}").into_bytes(),
            ] {
                prop_assert!(snapshots.decode(&id, &text, NOW).is_err());
            }
        }
    }

    #[test]
    fn every_set_of_attributes_comes_back(names in proptest::collection::btree_map(".{0,9}", ".{0,20}", 0..6)) {
        let id = id();
        let snapshot = with(serde_json::to_value(names).unwrap());
        for snapshots in both() {
            if let Some(text) = snapshots.encode(&id, &snapshot, NOW) {
                let read = decode(&snapshots, &id, &text).unwrap();
                prop_assert_eq!(&read.record, &snapshot.record);
            }
        }
    }
}

fn both() -> [Snapshots; 2] {
    [Encoding::Compact, Encoding::Jwt]
        .map(|encoding| Snapshots::new(secrets(&[NEW]), rules(encoding)))
}

fn rules(encoding: Encoding) -> SnapshotRules {
    SnapshotRules {
        cookie: COOKIE.into(),
        encoding,
        trust: TRUST,
        principal: Some("user_id".into()),
    }
}

fn secrets(secrets: &[&str]) -> Secrets {
    let secrets: Vec<_> = secrets.iter().copied().map(Secret::new).collect();
    Secrets::parse(&secrets).unwrap().unwrap()
}

fn id() -> SessionId {
    SessionId::generate().unwrap()
}

#[track_caller]
fn encode(snapshots: &Snapshots, id: &SessionId) -> String {
    snapshots.encode(id, &snapshot(), NOW).unwrap()
}

fn decode(snapshots: &Snapshots, id: &SessionId, text: &str) -> Result<Snapshot, SnapshotError> {
    snapshots.decode(id, text.as_bytes(), NOW)
}

fn claims(token: &str) -> Value {
    let claims = URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).unwrap())
        .unwrap();
    serde_json::from_slice(&claims).unwrap()
}

fn snapshot() -> Snapshot {
    with(json!({ "roles": ["a", { "b": 1.5 }], "user_id": "zoë" }))
}

/// What a token keeps of it.
fn whole_seconds() -> Snapshot {
    Snapshot {
        issued_at: Timestamp::from_millis(ISSUED.as_millis() / 1000 * 1000),
        ..snapshot()
    }
}

fn with(attributes: Value) -> Snapshot {
    let attributes: Attributes = serde_json::from_value(attributes).unwrap();
    Snapshot {
        record: Record::new(
            Head {
                created_at: Timestamp::from_millis(1_700_000_000_123),
                renewed_at: Timestamp::from_millis(1_700_000_100_456),
                seen_at: Timestamp::from_millis(1_700_000_200_789),
                expires_at: Timestamp::from_millis(1_700_007_300_456),
                own_life: NonZeroU64::new(7_200_000),
                family: Family::new(0x0123_4567_89ab_cdef),
                roster: Some(Key::new([5; 32])),
            },
            attributes.view(),
        ),
        issued_at: ISSUED,
    }
}

const ISSUED: Timestamp = Timestamp::from_millis(1_700_000_300_999);
const NOW: Timestamp = Timestamp::from_millis(1_700_000_301_000);
const TRUST: Duration = Duration::from_secs(300);
/// What is left of it when instants are whole seconds.
const WHOLE_SECONDS: Duration = Duration::from_millis(300_000 - 999);
const COOKIE: &str = "session_id_cache";
const NEW: &str = "a secret of the tests, long enough to be allowed";
const OLD: &str = "an older one of the tests, also long enough to be";
const COMPACT: &str = "Q0Qrj5ygoaKjpKWmp6ipqqv5mGXVVOu2_3mpbEYcPZn7U9KmPeE4nYqZQIgtmgDBcG_s2wIYjKavRiAYvsgRBlFPireSut-dYhuxBChFr-cFS-p7UKCyD37-CTKBbTeN5d2m8Bk20ksQqP5E4cw4sBsr36kngq3PIk7Qe0ALm8OyXxHJGoYpOUUM0djE17dOKYX3NS_7P2wNLUi9jW8HPq3RkBiCbQ";
const JWT: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6InNlc3Npb24rand0Iiwia2lkIjoiNDQyYjhmOWMifQ.eyJhdWQiOiJzZXNzaW9uX2lkX2NhY2hlIiwic2lkIjoiVjdfYUNfRnM3aVl1XzJ3Tk1CR19qemRGNnlBTGxYQmpHeXNJMC1EMW9SWSIsInN1YiI6Inpvw6siLCJpYXQiOjE3MDAwMDAzMDAsImV4cCI6MTcwMDAwMDYwMCwic2Vzc2lvbiI6eyJjcmVhdGVkX2F0IjoxNzAwMDAwMDAwMTIzLCJyZW5ld2VkX2F0IjoxNzAwMDAwMTAwNDU2LCJzZWVuX2F0IjoxNzAwMDAwMjAwNzg5LCJleHBpcmVzX2F0IjoxNzAwMDA3MzAwNDU2LCJvd25fbGlmZSI6NzIwMDAwMCwiZmFtaWx5IjoiMDEyMzQ1Njc4OWFiY2RlZiIsInJvc3RlciI6IkJRVUZCUVVGQlFVRkJRVUZCUVVGQlFVRkJRVUZCUVVGQlFVRkJRVUZCUVUifSwiYXR0cmlidXRlcyI6eyJyb2xlcyI6WyJhIix7ImIiOjEuNX1dLCJ1c2VyX2lkIjoiem_DqyJ9fQ.rvMSztSsEEzSolFTSih5lyYRj-BiZdlQSZt2zzexLSg";

//! Answers of Redis: read alike however they come in pieces, as the client library reads them, and at no greater price
//! than the bytes that came.
#![no_main]
#![forbid(unsafe_code)]

use allocation_counter::measure;
use engine::storage::redis::reply::parse;
use libfuzzer_sys::fuzz_target;
use redis::{Value, parse_redis_value};

fuzz_target!(|bytes: &[u8]| {
    let mut found = None;
    let cost = measure(|| found = Some(parse(bytes)));
    // The client library reads through a buffer of 8 KiB.
    let room = 16 * 1024 + 128 * bytes.len() as u64;
    assert!(cost.bytes_max <= room, "{cost:?} for {}", bytes.len());

    match found.expect("it was parsed") {
        Ok(Some((value, length))) => {
            is_whole(&bytes[..length], &value);
            survives(&value);
        }
        // Nobody waits for what is there.
        Ok(None) => assert!(parse_redis_value(bytes).is_err()),
        Err(_) => {}
    }
    is_in_order(bytes);
});

/// With anything behind it, it is the same one.
fn is_whole(bytes: &[u8], value: &Value) {
    assert_eq!(parse_redis_value(bytes).as_ref(), Ok(value));
    for behind in ["\r", "\n", "$1\r\n"] {
        let (again, length) = parse(&[bytes, behind.as_bytes()].concat())
            .expect("it was an answer")
            .expect("it was whole");
        assert_eq!((&again, length), (value, bytes.len()));
    }
}

/// As a server would write it.
fn survives(value: &Value) {
    let mut written = Vec::new();
    write(value, &mut written);
    let read = parse(&written).expect("an answer");
    assert_eq!(read, Some((value.clone(), written.len())));
}

/// One answer after the other, as a connection does, and in pieces.
fn is_in_order(bytes: &[u8]) {
    let size = bytes.last().map_or(1, |&byte| usize::from(byte) % 16 + 1);
    let (mut whole, mut pieces) = (Connection::default(), Connection::default());
    whole.receive(bytes);
    for piece in bytes.chunks(size) {
        pieces.receive(piece);
    }
    assert_eq!(whole.answers, pieces.answers);
    assert_eq!(whole.is_over, pieces.is_over);
}

#[derive(Default)]
struct Connection {
    received: Vec<u8>,
    answers: Vec<Value>,
    is_over: bool,
}

impl Connection {
    fn receive(&mut self, bytes: &[u8]) {
        self.received.extend(bytes);
        while !self.is_over {
            match parse(&self.received) {
                Ok(Some((value, length))) => {
                    self.received.drain(..length);
                    self.answers.push(value);
                }
                Ok(None) => return,
                Err(_) => self.is_over = true,
            }
        }
    }
}

fn write(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Nil => bytes.extend(b"$-1\r\n"),
        Value::Int(number) => bytes.extend(format!(":{number}\r\n").as_bytes()),
        Value::BulkString(text) => {
            bytes.extend(format!("${}\r\n", text.len()).as_bytes());
            bytes.extend(text);
            bytes.extend(b"\r\n");
        }
        Value::Array(values) => {
            bytes.extend(format!("*{}\r\n", values.len()).as_bytes());
            values.iter().for_each(|value| write(value, bytes));
        }
        Value::SimpleString(text) => bytes.extend(format!("+{text}\r\n").as_bytes()),
        Value::Okay => bytes.extend(b"+OK\r\n"),
        Value::ServerError(error) => match error.details() {
            Some(details) => bytes.extend(format!("-{} {details}\r\n", error.code()).as_bytes()),
            None => bytes.extend(format!("-{}\r\n", error.code()).as_bytes()),
        },
        other => unreachable!("RESP2 has no {other:?}"),
    }
}

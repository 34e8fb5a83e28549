use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

#[tokio::test]
async fn answers_come_to_those_who_asked_in_their_order() {
    let (wire, driver, mut server) = wire();
    let exchange = async {
        let (first, second) = tokio::join!(ask(&wire, "a"), ask(&wire, "b"));
        (first.unwrap(), second.unwrap())
    };
    let serve = async {
        assert_eq!(receive(&mut server, 2).await, "ab");
        server.write_all(b"$1\r\nA\r\n:7\r\n").await.unwrap();
        std::future::pending::<()>().await;
    };

    let answers = tokio::select! {
        answers = exchange => answers,
        () = driver => panic!("over"),
        () = serve => unreachable!(),
    };

    assert_eq!(answers, (text("A"), Value::Int(7)));
}

#[tokio::test]
async fn an_answer_in_pieces_is_waited_for() {
    let (wire, driver, mut server) = wire();
    let serve = async {
        for byte in b"*2\r\n$-1\r\n*1\r\n$4\r\nab\r\n\r\n" {
            server.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await;
    };

    let answer = tokio::select! {
        answer = ask(&wire, "a") => answer.unwrap(),
        () = driver => panic!("over"),
        () = serve => unreachable!(),
    };

    let inner = Value::Array(vec![text("ab\r\n")]);
    assert_eq!(answer, Value::Array(vec![Value::Nil, inner]));
}

#[tokio::test]
async fn nobody_gets_the_answer_to_somebody_who_went_away() {
    let (wire, driver, mut server) = wire();
    {
        let gone = pin!(ask(&wire, "a"));
        assert!(
            gone.poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
    }
    let serve = async {
        assert_eq!(receive(&mut server, 2).await, "ab");
        server.write_all(b"+first\r\n+second\r\n").await.unwrap();
        std::future::pending::<()>().await;
    };

    let answer = tokio::select! {
        answer = ask(&wire, "b") => answer.unwrap(),
        () = driver => panic!("over"),
        () = serve => unreachable!(),
    };

    assert_eq!(answer, Value::SimpleString("second".into()));
}

#[tokio::test]
async fn an_error_of_the_server_is_an_answer() {
    let (wire, driver, mut server) = wire();
    let serve = async {
        server.write_all(b"-LOADING dataset\r\n").await.unwrap();
        std::future::pending::<()>().await;
    };

    let answer = tokio::select! {
        answer = ask(&wire, "a") => answer.unwrap(),
        () = driver => panic!("over"),
        () = serve => unreachable!(),
    };

    let error = read::<()>(answer).unwrap_err();
    assert_eq!(error.code(), Some("LOADING"));
}

#[tokio::test]
async fn whoever_waits_is_told_that_the_connection_is_over() {
    for last_words in [
        "",
        "$3\r\nab",
        "!",
        "$3\r\nabcde",
        "+nobody asked\r\n+for two\r\n",
    ] {
        let (wire, driver, mut server) = wire();
        let farewell = async move {
            server.write_all(last_words.as_bytes()).await.unwrap();
            drop(server);
        };

        let both = async { (ask(&wire, "a").await, ask(&wire, "b").await) };
        let ((_, second), (), ()) = tokio::join!(both, driver, farewell);

        let error = second.unwrap_err();
        assert_eq!(error.kind(), redis::ErrorKind::Io, "{last_words:?}");
        assert!(ask(&wire, "c").await.is_err(), "{last_words:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_has_waited_long_enough_is_let_go_and_others_are_not() {
    let (wire, driver, mut server) = wire();
    let began = Instant::now();
    let until = |seconds| began + Duration::from_secs(seconds);
    let serve = async {
        tokio::time::sleep_until(until(3)).await;
        server.write_all(b"+first\r\n+second\r\n").await.unwrap();
        std::future::pending::<()>().await;
    };
    let both = async {
        let late = wire.ask_until::<1>(until(1), |bytes| bytes.push(b'a'));
        let patient = wire.ask_until::<1>(until(4), |bytes| bytes.push(b'b'));
        let late = async {
            let answer = late.await;
            (answer, began.elapsed())
        };
        tokio::join!(late, patient)
    };

    let ((late, waited), patient) = tokio::select! {
        answers = both => answers,
        () = driver => panic!("over"),
        () = serve => unreachable!(),
    };

    assert!(late.unwrap_err().is_timeout());
    assert_eq!(waited, Duration::from_secs(1));
    assert_eq!(patient.unwrap(), [Value::SimpleString("second".into())]);
}

#[tokio::test]
async fn whoever_waits_is_told_that_nobody_drives_any_more() {
    let (wire, driver, _server) = wire();
    let leave = async {
        tokio::task::yield_now().await;
        drop(driver);
    };

    let (answer, ()) = tokio::join!(ask(&wire, "a"), leave);

    assert!(answer.is_err());
}

#[tokio::test]
async fn an_answer_larger_than_the_room_is_read() {
    let (wire, driver, mut server) = wire();
    let large = "x".repeat(1 << 20);
    let serve = async {
        let answer = format!("${}\r\n{large}\r\n+next\r\n", large.len());
        server.write_all(answer.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    };
    let both = async { wire.ask::<2>(|bytes| bytes.extend(b"ab")).await.unwrap() };

    let [first, second] = tokio::select! {
        answers = both => answers,
        () = driver => panic!("over"),
        () = serve => unreachable!(),
    };

    assert_eq!(first, text(&large));
    assert_eq!(second, Value::SimpleString("next".into()));
}

#[test]
fn what_is_no_answer_is_refused() {
    for bytes in [
        "!\r\n",
        "$x\r\n",
        "$-2\r\n",
        "$1\r\nabc",
        "*99999999999999999999\r\n",
    ] {
        assert!(reply::parse(bytes.as_bytes()).is_err(), "{bytes:?}");
    }
    let deep = "*1\r\n".repeat(1000);
    assert!(reply::parse(deep.as_bytes()).is_err());
    let endless = "+".to_owned() + &"x".repeat(1 << 20);
    assert!(reply::parse(endless.as_bytes()).is_err());
}

#[test]
fn every_beginning_of_an_answer_waits_for_the_rest() {
    for answer in [
        "+OK\r\n",
        "-ERR no\r\n",
        ":-5\r\n",
        "$-1\r\n",
        "$2\r\nab\r\n",
        "*2\r\n:1\r\n*-1\r\n",
    ] {
        for end in 0..answer.len() {
            assert!(
                matches!(reply::parse(&answer.as_bytes()[..end]), Ok(None)),
                "{answer:?} {end}"
            );
        }
        let (_, length) = reply::parse(answer.as_bytes()).unwrap().unwrap();
        assert_eq!(length, answer.len());
    }
}

fn wire() -> (Wire, Driver, DuplexStream) {
    let (ours, theirs) = duplex(64);
    let (wire, driver) = Wire::over(Box::pin(ours));
    (wire, driver, theirs)
}

/// What is sent is nobody's business here, as long as it is one command.
async fn ask(wire: &Wire, command: &str) -> RedisResult<Value> {
    let [answer] = wire.ask(|bytes| bytes.extend(command.as_bytes())).await?;
    Ok(answer)
}

async fn receive(server: &mut DuplexStream, count: usize) -> String {
    let mut received = vec![0; count];
    server.read_exact(&mut received).await.unwrap();
    String::from_utf8(received).unwrap()
}

fn text(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

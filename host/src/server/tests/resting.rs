//! Connections that are kept and rarely used: what they need for requests is given up in between.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_request_after_a_rest_is_answered_as_before() {
    let (mut client, _order) = client(Echo);
    for pause in [1, 3, 70] {
        write(&mut client, "GET /a HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert!(
            read_to(&mut client, "/a")
                .await
                .starts_with("HTTP/1.1 200 OK\r\n")
        );
        sleep(Duration::from_secs(pause)).await;
    }

    // In pieces, and with another one behind it.
    write(&mut client, "GET /b HTTP/1.1\r\nho").await;
    sleep(Duration::from_secs(5)).await;
    write(
        &mut client,
        "st: a\r\n\r\nGET /c HTTP/1.1\r\nhost: a\r\n\r\n",
    )
    .await;

    read_to(&mut client, "/b").await;
    read_to(&mut client, "/c").await;
}

#[tokio::test(start_paused = true)]
async fn the_beginning_of_a_request_that_came_with_the_last_one_is_not_lost() {
    let (mut client, _order) = client(Echo);
    write(
        &mut client,
        "GET /a HTTP/1.1\r\nhost: a\r\n\r\nGET /b HTTP/1.1\r\nho",
    )
    .await;
    read_to(&mut client, "/a").await;
    sleep(Duration::from_secs(5)).await;

    write(&mut client, "st: a\r\n\r\n").await;

    read_to(&mut client, "/b").await;
}

#[tokio::test(start_paused = true)]
async fn a_rest_does_not_make_the_wait_longer() {
    let (mut client, _order) = kept().await;
    let began = Instant::now();

    assert_eq!(read_all(&mut client).await, "");

    assert_eq!(began.elapsed().as_secs(), 75);
}

#[tokio::test(start_paused = true)]
async fn who_rests_is_closed_a_moment_after_the_order_to_stop_and_hears_when_the_client_goes() {
    let (mut resting, order) = kept().await;
    let (leaving, gone) = kept().await;
    sleep(Duration::from_secs(5)).await;
    let now = Instant::now();

    drop(leaving);
    gone.closed().await;
    assert_eq!(now.elapsed().as_secs(), 0);
    order.send_replace(true);
    assert_eq!(read_all(&mut resting).await, "");

    assert_eq!(now.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_asks_after_a_rest_and_the_order_to_stop_is_answered_and_told() {
    let (mut resting, order) = kept().await;
    sleep(Duration::from_secs(5)).await;

    order.send_replace(true);
    tokio::task::yield_now().await;
    write(&mut resting, "GET /b HTTP/1.1\r\nhost: a\r\n\r\n").await;

    let answer = read_all(&mut resting).await;
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with("/b"), "{answer}");
}

#[test]
fn a_resting_connection_weighs_little() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let mut held = Vec::new();
    let open = async |number: usize, held: &mut Vec<_>| {
        for _ in 0..number {
            let (mut stream, order) = client(Echo);
            write(&mut stream, "GET /a HTTP/1.1\r\nhost: a\r\n\r\n").await;
            read_to(&mut stream, "/a").await;
            held.push((stream, order));
        }
        sleep(Duration::from_secs(5)).await;
    };
    // What is made once for all of them.
    runtime.block_on(open(1, &mut held));

    let counted = allocation_counter::measure(|| runtime.block_on(open(100, &mut held)));

    // With its client, and what each test has of its own. One buffer that is kept, be it for a few bytes, is 8 KiB more.
    let each = counted.bytes_current / 100;
    assert!((1..=8 * 1024).contains(&each), "{each} bytes");
}

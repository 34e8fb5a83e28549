use super::*;

#[tokio::test]
async fn a_collected_body_can_still_be_sent() {
    let mut body = Body::from("hello");

    let first = body.buffer(5).await.unwrap();
    let second = body.buffer(5).await.unwrap();

    assert_eq!(
        (first.as_ref(), second.as_ref()),
        (&b"hello"[..], &b"hello"[..])
    );
}

#[tokio::test]
async fn a_body_above_the_limit_is_not_collected() {
    assert_eq!(
        Body::from("hello").buffer(4).await,
        Err(BodyError::TooLarge)
    );
    assert_eq!(Body::Empty.buffer(0).await, Ok(Bytes::new()));
}

#[tokio::test]
async fn bytes_are_sent_once_and_with_their_length() {
    let mut body = Body::from("hello");

    assert_eq!(http_body::Body::size_hint(&body).exact(), Some(5));
    assert_eq!(
        body.frame().await.unwrap().unwrap().into_data().unwrap(),
        "hello"
    );
    assert!(body.frame().await.is_none() && http_body::Body::is_end_stream(&body));
}

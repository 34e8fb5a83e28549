use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::stage::Stage;
use super::*;
use crate::session::Family;

#[tokio::test]
async fn name_leads_to_all_sessions_that_were_linked_and_to_no_other() {
    let engine = Stage::new().engine();
    let [one, two] = [link("anna", 1), link("anna", 2)];

    for linked in [&one, &two, &one] {
        engine.link("sub:anna", linked, kept(HOUR)).await.unwrap();
    }

    assert_eq!(engine.linked("sub:anna").await.unwrap(), [two, one]);
    assert!(engine.linked("sub:bob").await.unwrap().is_empty());
}

#[tokio::test]
async fn link_goes_by_itself() {
    let stage = Stage::new();
    let engine = stage.engine();
    engine
        .link("sid:1", &link("anna", 1), kept(HALF))
        .await
        .unwrap();
    engine
        .link("sid:1", &link("anna", 2), kept(HOUR))
        .await
        .unwrap();

    stage.clock.advance(HALF);
    assert_eq!(engine.linked("sid:1").await.unwrap(), [link("anna", 2)]);
    stage.clock.advance(HALF);
    assert!(engine.linked("sid:1").await.unwrap().is_empty());
    engine
        .link("sid:1", &link("anna", 3), kept(HOUR))
        .await
        .unwrap();
    assert_eq!(engine.linked("sid:1").await.unwrap(), [link("anna", 3)]);
}

#[tokio::test]
async fn login_that_is_over_is_not_linked_for_as_long_as_that_is_remembered() {
    let stage = Stage::new();
    let engine = stage.engine();
    let (anna, at) = (link("anna", 1), Timestamp::from_millis);
    let issued = |issued_at| Linking {
        issued_at,
        keep: HOUR,
    };
    engine.link("sub:anna", &anna, issued(at(3))).await.unwrap();

    // A later word about an earlier time takes nothing back.
    for until in [5, 4] {
        let known = engine.end_logins("sub:anna", (at(until), MINUTE)).await;
        assert_eq!(known.unwrap(), std::slice::from_ref(&anna));
    }

    let bob = link("anna", 2);
    for (issued_at, linked) in [(0, Linked::Over), (5, Linked::Over), (6, Linked::Done)] {
        let found = engine.link("sub:anna", &bob, issued(at(issued_at))).await;
        assert_eq!(found.unwrap(), linked, "{issued_at}");
    }
    let other = engine.link("sub:bob", &bob, issued(at(0))).await.unwrap();
    assert_eq!(other, Linked::Done);
    stage.clock.advance(MINUTE);
    let late = engine.link("sub:anna", &bob, issued(at(0))).await.unwrap();
    assert_eq!(late, Linked::Done, "forgotten");
}

#[tokio::test]
async fn of_very_many_links_the_oldest_are_forgotten() {
    let engine = Stage::new().engine();
    for number in 0..300 {
        let link = link("anna", number);
        engine.link("sub:anna", &link, kept(HOUR)).await.unwrap();
    }

    let linked = engine.linked("sub:anna").await.unwrap();

    assert_eq!(linked.len(), 256);
    assert_eq!(linked.last(), Some(&link("anna", 299)));
}

#[tokio::test]
async fn what_was_marked_is_known_until_it_is_forgotten() {
    let stage = Stage::new();
    let engine = stage.engine();
    assert!(!engine.is_marked("jti:1").await.unwrap());

    engine.mark("jti:1", MINUTE).await.unwrap();
    engine.mark("jti:1", MINUTE).await.unwrap();

    assert!(engine.is_marked("jti:1").await.unwrap());
    assert!(!engine.is_marked("jti:2").await.unwrap());
    stage.clock.advance(MINUTE);
    assert!(!engine.is_marked("jti:1").await.unwrap());
}

#[tokio::test]
async fn storage_that_is_away_is_no_answer() {
    let stage = Stage::new();
    let engine = stage.engine();
    stage.fail_after(0);

    assert!(engine.mark("jti:1", MINUTE).await.is_err());
    assert!(
        engine
            .link("sid:1", &link("anna", 1), kept(HOUR))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn row_of_a_link_is_no_session() {
    let engine = Stage::new().engine();
    engine
        .link("sid:1", &link("anna", 1), kept(HOUR))
        .await
        .unwrap();

    let [address] = engine.policy.keyring.links("sid:1")[..] else {
        panic!("one address without secrets");
    };
    let text = URL_SAFE_NO_PAD.encode(address.key().as_bytes());
    let id = SessionId::parse(text.as_bytes()).unwrap();

    assert!(find(&engine, &id).await.is_none());
}

/// A login of no particular time.
fn kept(keep: Duration) -> Linking {
    Linking {
        issued_at: Timestamp::default(),
        keep,
    }
}

fn link(principal: &str, number: u64) -> Link {
    Link {
        principal: principal.to_owned(),
        family: Family::new(number),
    }
}

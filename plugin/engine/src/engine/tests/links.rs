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
        engine.link("sub:anna", linked, HOUR).await.unwrap();
    }

    assert_eq!(engine.linked("sub:anna").await.unwrap(), [two, one]);
    assert!(engine.linked("sub:bob").await.unwrap().is_empty());
}

#[tokio::test]
async fn link_goes_by_itself() {
    let stage = Stage::new();
    let engine = stage.engine();
    engine.link("sid:1", &link("anna", 1), HALF).await.unwrap();
    engine.link("sid:1", &link("anna", 2), HOUR).await.unwrap();

    stage.clock.advance(HALF);
    assert_eq!(engine.linked("sid:1").await.unwrap(), [link("anna", 2)]);
    stage.clock.advance(HALF);
    assert!(engine.linked("sid:1").await.unwrap().is_empty());
    engine.link("sid:1", &link("anna", 3), HOUR).await.unwrap();
    assert_eq!(engine.linked("sid:1").await.unwrap(), [link("anna", 3)]);
}

#[tokio::test]
async fn of_very_many_links_the_oldest_are_forgotten() {
    let engine = Stage::new().engine();
    for number in 0..300 {
        let link = link("anna", number);
        engine.link("sub:anna", &link, HOUR).await.unwrap();
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
    assert!(engine.link("sid:1", &link("anna", 1), HOUR).await.is_err());
}

#[tokio::test]
async fn row_of_a_link_is_no_session() {
    let engine = Stage::new().engine();
    engine.link("sid:1", &link("anna", 1), HOUR).await.unwrap();

    let [address] = engine.policy.keyring.links("sid:1")[..] else {
        panic!("one address without secrets");
    };
    let text = URL_SAFE_NO_PAD.encode(address.key().as_bytes());
    let id = SessionId::parse(text.as_bytes()).unwrap();

    assert!(find(&engine, &id).await.is_none());
}

fn link(principal: &str, number: u64) -> Link {
    Link {
        principal: principal.to_owned(),
        family: Family::new(number),
    }
}

use tokio::time::advance;

use super::*;

#[test]
fn nothing_is_known_before_every_sentinel_was_asked_or_one_answered() {
    let council = Council::new(2);

    assert_eq!(verdict(&council), Verdict::Waiting);
    council.lost(0, Unavailable::new("refused"));
    assert_eq!(verdict(&council), Verdict::Waiting);
    council.lost(1, Unavailable::new("refused"));
    assert_eq!(
        verdict(&council),
        Verdict::Unknown(Unavailable::new("refused"))
    );
    council.asked(1, opinion("a", 1));
    assert_eq!(verdict(&council), Verdict::Known(opinion("a", 1)));
}

#[test]
fn who_knows_of_the_last_failover_is_believed() {
    let council = Council::new(3);

    council.asked(0, opinion("new", 7));
    council.asked(1, opinion("old", 6));
    council.asked(2, opinion("old", 6));

    assert_eq!(verdict(&council), Verdict::Known(opinion("new", 7)));
}

#[test]
fn a_switch_is_believed_at_once_and_laggards_do_not_lead_back() {
    let council = Council::new(3);
    for seat in 0..3 {
        council.asked(seat, opinion("old", 6));
    }

    council.switched(2, switch("old", "new"));
    council.asked(0, opinion("old", 6));

    assert_eq!(master(&council), address("new"));
    council.asked(2, opinion("new", 9));
    council.asked(1, opinion("old", 6));
    assert_eq!(verdict(&council), Verdict::Known(opinion("new", 9)));
}

#[tokio::test(start_paused = true)]
async fn a_switch_outlives_the_sentinel_that_told_of_it() {
    let council = Council::new(2);
    council.asked(0, opinion("old", 6));
    council.switched(1, switch("old", "new"));

    council.lost(1, Unavailable::new("refused"));
    advance(Duration::from_secs(9)).await;
    council.asked(0, opinion("old", 6));

    assert_eq!(master(&council), address("new"));
}

#[tokio::test(start_paused = true)]
async fn sentinels_that_were_reset_are_believed_after_a_while() {
    let council = Council::new(1);
    council.asked(0, opinion("old", 6));

    advance(Duration::from_secs(11)).await;
    council.asked(0, opinion("new", 0));

    assert_eq!(master(&council), address("new"));
}

#[test]
fn a_master_that_was_known_stays_when_all_sentinels_go() {
    let council = Council::new(1);
    council.asked(0, opinion("a", 1));

    council.lost(0, Unavailable::new("refused"));

    assert_eq!(master(&council), address("a"));
}

#[test]
fn a_move_is_counted_when_a_connection_has_followed_it() {
    let council = Council::new(1);
    let moved = council.moved();

    for (name, expected) in [("a", 0), ("a", 0), ("b", 1), ("b", 1), ("a", 2)] {
        council.arrived(&address(name));
        assert_eq!(*moved.borrow(), expected, "{name}");
    }
}

#[test]
fn what_is_no_news_wakes_nobody() {
    let council = Council::new(2);
    council.asked(0, opinion("a", 1));
    let mut verdict = council.verdict();
    verdict.mark_unchanged();

    council.asked(0, opinion("a", 1));
    council.asked(1, opinion("a", 1));

    assert!(!verdict.has_changed().unwrap());
}

#[test]
fn late_news_of_a_switch_leads_nowhere() {
    let council = Council::new(2);
    council.asked(0, opinion("a", 1));
    council.switched(0, switch("a", "b"));
    council.switched(0, switch("b", "c"));

    council.switched(1, switch("a", "b"));

    assert_eq!(verdict(&council), Verdict::Known(opinion("c", 3)));
}

fn switch(from: &str, to: &str) -> Switch {
    Switch {
        from: address(from),
        to: address(to),
    }
}

fn verdict(council: &Council) -> Verdict {
    council.verdict().borrow().clone()
}

fn master(council: &Council) -> Address {
    verdict(council).master().unwrap().clone()
}

fn opinion(master: &str, epoch: u64) -> Opinion {
    Opinion {
        master: address(master),
        epoch,
        replicas: Vec::new(),
    }
}

fn address(name: &str) -> Address {
    Address::tcp(name, 6379)
}

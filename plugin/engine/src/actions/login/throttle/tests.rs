use super::*;

#[test]
fn a_few_wrong_guesses_cost_nothing_and_then_each_costs_twice_the_last() {
    let throttle = Throttle::new(1000);
    let mut now = START;

    let mut waits = Vec::new();
    for _ in 0..20 {
        match throttle.admit(("anna", HOME), now) {
            Ok(guess) => drop(guess),
            Err(Wait(wait)) => {
                waits.push(wait.as_secs());
                now = now.after(wait);
            }
        }
    }

    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128]);
}

#[test]
fn no_wait_is_longer_than_a_quarter_of_an_hour() {
    let throttle = Throttle::new(1000);
    let mut now = START;

    for _ in 0..200 {
        if let Err(Wait(wait)) = throttle.admit(("anna", HOME), now) {
            assert!(wait <= Duration::from_secs(900));
            now = now.after(wait);
        }
    }

    let waited = now.since(START);
    assert!(waited > Duration::from_secs(80 * 900), "{waited:?}");
}

#[test]
fn asking_too_early_makes_the_wait_no_longer() {
    let throttle = Throttle::new(1000);
    exhaust(&throttle, "anna", HOME);

    for _ in 0..1000 {
        assert_eq!(refused(&throttle, "anna", HOME, START), 1);
    }
}

#[test]
fn guesses_at_once_are_counted_before_any_is_answered() {
    let throttle = Throttle::new(1000);

    let admitted: Vec<_> = (0..100)
        .filter_map(|_| throttle.admit(("anna", HOME), START).ok())
        .collect();

    assert_eq!(admitted.len(), 5);
}

#[test]
fn no_other_spelling_of_a_name_buys_a_guess() {
    for spelling in [
        "ANNA",
        "Anna",
        "aNNa",
        " anna",
        "anna ",
        "an na",
        "ａｎｎａ",
        "ＡＮＮＡ",
        "anna\u{200b}",
        "an\u{ad}na",
        "anna\u{feff}",
        "anna\t",
        "𝐚𝐧𝐧𝐚",
    ] {
        let throttle = Throttle::new(1000);
        exhaust(&throttle, "anna", HOME);

        assert_eq!(refused(&throttle, spelling, HOME, START), 1, "{spelling:?}");
    }
}

#[test]
fn no_other_address_of_the_same_customer_buys_a_guess() {
    for (one, other) in [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),
        ("192.0.2.1", "::ffff:192.0.2.1"),
    ] {
        let throttle = Throttle::new(1000);
        exhaust(&throttle, "anna", one.parse().ok());

        assert_eq!(refused(&throttle, "anna", other.parse().ok(), START), 1);
    }
}

#[test]
fn guesses_of_a_stranger_do_not_lock_a_user_out() {
    let throttle = Throttle::new(1000);
    exhaust(&throttle, "anna", HOME);

    assert!(throttle.admit(("anna", ELSEWHERE), START).is_ok());
    assert!(throttle.admit(("bob", HOME), START).is_ok());
}

#[test]
fn many_names_from_one_address_are_slowed_down() {
    let throttle = Throttle::new(1000);
    for number in 0..50 {
        let _ = throttle
            .admit((&format!("user-{number}"), HOME), START)
            .unwrap();
    }

    assert_eq!(refused(&throttle, "another", HOME, START), 1);
    assert!(throttle.admit(("another", ELSEWHERE), START).is_ok());
}

#[test]
fn many_addresses_at_one_name_are_slowed_down() {
    let throttle = Throttle::new(1000);
    for number in 0..50 {
        let address = Some(IpAddr::from([198, 51, 100, number]));
        let _ = throttle.admit(("anna", address), START).unwrap();
    }

    assert_eq!(refused(&throttle, "anna", HOME, START), 1);
    // The wait that everybody shares is short: nobody can lock anybody out for long.
    let later = START.after(Duration::from_secs(60));
    assert!(throttle.admit(("anna", HOME), later).is_ok());
}

#[test]
fn right_password_forgets_what_was_wrong_before() {
    let throttle = Throttle::new(1000);
    for _ in 0..3 {
        for _ in 0..4 {
            let _ = throttle.admit(("anna", HOME), START).unwrap();
        }
        throttle.admit(("anna", HOME), START).unwrap().succeed();
    }

    assert!(throttle.admit(("anna", HOME), START).is_ok());
}

#[test]
fn login_of_ones_own_buys_no_guesses_at_others() {
    let throttle = Throttle::new(1000);
    for number in 0..50 {
        let _ = throttle
            .admit((&format!("user-{number}"), HOME), START)
            .unwrap();
        if let Ok(own) = throttle.admit(("mallory", HOME), START) {
            own.succeed();
        }
    }

    assert_eq!(refused(&throttle, "another", HOME, START), 1);
}

#[test]
fn guess_that_nobody_looked_at_does_not_count() {
    let throttle = Throttle::new(1000);
    for _ in 0..100 {
        throttle.admit(("anna", HOME), START).unwrap().cancel();
    }

    assert!(throttle.admit(("anna", HOME), START).is_ok());
}

#[test]
fn guesses_are_forgotten_after_an_hour() {
    let throttle = Throttle::new(1000);
    exhaust(&throttle, "anna", HOME);
    let later = START.after(Duration::from_secs(3600));

    for _ in 0..5 {
        let _ = throttle.admit(("anna", HOME), later).unwrap();
    }
}

#[test]
fn flood_of_names_takes_bounded_memory_and_frees_nobody() {
    let throttle = Throttle::new(1000);
    let mut now = START;
    exhaust(&throttle, "anna", HOME);
    for _ in 0..4 {
        now = now.after(Duration::from_secs(refused(&throttle, "anna", HOME, now)));
        let _ = throttle.admit(("anna", HOME), now).unwrap();
    }

    let wait = refused(&throttle, "anna", HOME, now);
    for number in 0_u32..20_000 {
        let [a, b, c, d] = number.to_be_bytes();
        let address = Some(IpAddr::from([10 + a, b, c, d]));
        let _ = throttle.admit((&format!("flood-{number}"), address), now);
    }

    assert!(throttle.table().len() <= 1000);
    assert_eq!(refused(&throttle, "anna", HOME, now), wait);
}

fn exhaust(throttle: &Throttle, name: &str, address: Option<IpAddr>) {
    for _ in 0..5 {
        let _ = throttle.admit((name, address), START).unwrap();
    }
}

/// The wait in seconds.
fn refused(throttle: &Throttle, name: &str, address: Option<IpAddr>, now: Timestamp) -> u64 {
    throttle
        .admit((name, address), now)
        .unwrap_err()
        .0
        .as_secs()
}

const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const HOME: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
const ELSEWHERE: Option<IpAddr> = Some(IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9)));

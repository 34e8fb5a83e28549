use std::borrow::Cow;
use std::ops::Range;

use abi::session::Attribute;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::session::Delta;

#[test]
fn a_value_is_found_by_its_exact_name() {
    let attributes: Attributes = [("b", json!(2)), ("a", json!(1))].into_iter().collect();

    assert!(attributes.view().value("a").unwrap() == json!(1));
    assert!(attributes.view().value("A").is_none());
}

#[test]
fn attributes_come_in_the_order_of_their_names() {
    let attributes: Attributes = ["c", "a", "", "b"]
        .map(|name| (name, json!(0)))
        .into_iter()
        .collect();

    let names: Vec<_> = attributes.view().iter().map(|(name, _)| name).collect();

    assert_eq!(names, ["", "a", "b", "c"]);
}

#[test]
fn an_object_that_names_an_attribute_twice_is_refused() {
    for json in [r#"{"a":1,"b":2,"a":3}"#, r#"{"a":1,"\u0061":1}"#] {
        assert!(serde_json::from_str::<Attributes>(json).is_err(), "{json}");
    }
}

#[test]
fn of_two_pairs_with_one_name_the_later_one_stays() {
    let attributes: Attributes = [("a", json!(1)), ("a", json!(2))].into_iter().collect();

    assert!(
        attributes
            .view()
            .iter()
            .eq([("a", ValueRef::from(&json!(2)))])
    );
}

#[test]
fn a_number_is_lent_to_its_last_digit() {
    for number in [
        "0",
        "-0.0",
        "-9223372036854775808",
        "18446744073709551615",
        "52.520006599999995",
        "1.25e300",
        "5e-324",
    ] {
        let attributes: Attributes =
            serde_json::from_str(&format!(r#"{{"number":{number}}}"#)).unwrap();

        let plain: Value = serde_json::from_str(number).unwrap();
        assert_eq!(
            lent(&attributes, "number"),
            Some(format!("Number({:?})", plain.to_string()))
        );
    }
}

#[test]
fn every_kind_of_value_is_lent_as_what_it_is() {
    let attributes = example();
    let lent = |path| lent(&attributes, path);

    assert_eq!(lent("text").unwrap(), r#"Text("say \"é\"\n")"#);
    assert_eq!(lent("empty").unwrap(), r#"Text("")"#);
    assert_eq!(lent("flag").unwrap(), "Flag(false)");
    assert_eq!(lent("list").unwrap(), r#"List("[1,\"two\",null]")"#);
    assert_eq!(lent("user.address").unwrap(), r#"Object("{}")"#);
}

#[test]
fn null_is_there_and_lends_nothing() {
    let attributes = example();

    assert!(attributes.view().value("nothing").unwrap() == Value::Null);
    assert_eq!(lent(&attributes, "nothing"), None);
    assert_eq!(lent(&attributes, "user.nothing"), None);
    assert!(!attributes.view().is_empty());
}

#[test]
fn dots_lead_through_objects_unless_a_name_has_them() {
    let attributes = example();
    let lent = |path| lent(&attributes, path);

    assert_eq!(lent("user.id").unwrap(), r#"Text("direct")"#);
    assert_eq!(lent("user.name.first").unwrap(), r#"Text("Zoë")"#);
    assert_eq!(lent("user.\"quoted\"").unwrap(), r#"Text("\t")"#);
    assert_eq!(lent("user.").unwrap(), "Number(\"7\")");
    for absent in ["user.last", "text.0", "list.0", "list.", ".user", "."] {
        assert_eq!(lent(absent), None, "{absent}");
    }
}

#[test]
fn what_is_lent_is_not_a_copy() {
    let attributes = example();
    for path in ["text", "list", "user", "user.name", "user.name.first"] {
        attributes.view().lend(path, |one| {
            // Two copies that live at the same time would lie in two places.
            attributes
                .view()
                .lend(path, |other| assert_eq!(bytes(one), bytes(other), "{path}"));
        });
    }
}

#[test]
fn a_principal_is_a_text_or_what_json_says() {
    let principal = |value: Value| {
        let attributes: Attributes = [("user", value)].into_iter().collect();
        attributes.view().principal("user").map(Cow::into_owned)
    };

    assert_eq!(principal(json!("anna")).as_deref(), Some("anna"));
    assert_eq!(principal(json!("null")).as_deref(), Some("null"));
    assert_eq!(principal(json!(42)).as_deref(), Some("42"));
    assert_eq!(principal(json!(false)).as_deref(), Some("false"));
    assert_eq!(principal(json!(["a", 1])).as_deref(), Some(r#"["a",1]"#));
    assert_eq!(principal(json!("")), None);
    assert_eq!(principal(json!(null)), None);
    assert_eq!(Attributes::default().view().principal("user"), None);
}

#[test]
fn debug_shows_names_and_hides_values() {
    let attributes: Attributes = [("user_id", json!("hunter2"))].into_iter().collect();

    assert_eq!(format!("{attributes:?}"), r#"{"user_id"}"#);
    assert!(!format!("{:?}", attributes.view().value("user_id")).contains("hunter2"));
}

#[test]
fn the_footprint_is_that_of_the_data() {
    let attributes: Attributes = [("a", json!("x".repeat(1000)))].into_iter().collect();

    let beyond = attributes.view().text().len() - "a".len() - 1000;

    assert!(beyond <= 4, "{beyond}");
}

#[test]
fn a_value_of_any_depth_is_written_as_it_was_set() {
    let deep = (0..1000).fold(Value::Null, |inner, _| json!([inner]));
    let attributes: Attributes = [("deep", deep)].into_iter().collect();

    let written = serde_json::to_string(&attributes).unwrap();

    assert_eq!(
        written,
        format!(r#"{{"deep":{}null{}}}"#, "[".repeat(1000), "]".repeat(1000))
    );
}

proptest! {
    #[test]
    fn any_object_is_written_as_a_map_of_values_is(object in object()) {
        let attributes = Attributes::from(object.clone());

        let written = serde_json::to_string(&attributes).unwrap();

        // Whether a map sorts is for other crates of a build to say.
        let sorted: BTreeMap<_, _> = object.iter().collect();
        prop_assert_eq!(&written, &serde_json::to_string(&sorted).unwrap());
        prop_assert_eq!(attributes.view().json_len(), written.len());
        prop_assert_eq!(&values(&attributes), &object);
        prop_assert_eq!(&serde_json::from_str::<Attributes>(&written).unwrap(), &attributes);
        prop_assert_eq!(serde_json::from_value::<Attributes>(object.into()).unwrap(), attributes);
    }

    #[test]
    fn merging_agrees_with_a_map(
        mut object in object(),
        changes in proptest::collection::vec((name(), proptest::option::of(json())), 0..20),
    ) {
        let attributes = Attributes::from(object.clone());
        let mut deltas = Vec::new();
        for (name, value) in changes {
            let boxed = name.as_str().into();
            deltas.push(match value.clone() {
                Some(value) => Delta::Set { name: boxed, value },
                None => Delta::Delete { name: boxed },
            });
            match value {
                Some(value) => object.insert(name, value),
                None => object.remove(&name),
            };
        }

        let merged = attributes.view().merge(deltas.iter());

        prop_assert_eq!(values(&merged), object.clone());
        prop_assert_eq!(merged, Attributes::from(object));
    }

    #[test]
    fn paths_lead_where_they_lead_in_a_map(
        object in object(),
        path in proptest::collection::vec(name(), 1..4),
    ) {
        let path = path.join(".");

        let found = lent(&Attributes::from(object.clone()), &path);

        let mut expected = None;
        if let Some(value) = look_up(&object, &path) {
            Attribute::lend(value, |attribute| expected = Some(format!("{attribute:?}")));
        }
        prop_assert_eq!(found, expected);
    }
}

/// Where a text or JSON lies.
fn bytes(attribute: Attribute<'_>) -> Range<*const u8> {
    match attribute {
        Attribute::Text(text) | Attribute::List(text) | Attribute::Object(text) => {
            text.as_bytes().as_ptr_range()
        }
        other => panic!("{other:?}"),
    }
}

/// The documented rule, on a map of values.
fn look_up<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    object.get(path).or_else(|| {
        let (name, rest) = path.split_once('.')?;
        rest.split('.')
            .try_fold(object.get(name)?, |value, step| value.get(step))
    })
}

fn values(attributes: &Attributes) -> Map<String, Value> {
    let pairs = attributes.view().iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_value()))
        .collect()
}

fn lent(attributes: &Attributes, path: &str) -> Option<String> {
    let mut seen = None;
    attributes
        .view()
        .lend(path, |attribute| seen = Some(format!("{attribute:?}")));
    seen
}

fn example() -> Attributes {
    let example = json!({
        "empty": "",
        "flag": false,
        "list": [1, "two", null],
        "nothing": null,
        "text": "say \"é\"\n",
        "user": {
            "": 7,
            "\"quoted\"": "\t",
            "address": {},
            "id": "led to",
            "name": { "first": "Zoë" },
            "nothing": null,
        },
        "user.id": "direct",
    });
    serde_json::from_value(example).unwrap()
}

fn object() -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::hash_map(name(), json(), 0..8)
        .prop_map(|pairs| pairs.into_iter().collect())
}

/// Few, so that they meet, and of every kind that could be taken for something else.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => proptest::sample::select(vec!["", "a", "b", "a.b", "\"", "\\", "\u{1}", "é", "null"]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => (60_usize..70).prop_map(|len| "n".repeat(len)),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        (0_usize..5000).prop_map(|len| Value::from("\"".repeat(len))),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let members = proptest::collection::hash_map(name(), inner.clone(), 0..6);
        prop_oneof![
            proptest::collection::vec(inner, 0..6).prop_map(Value::from),
            members.prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

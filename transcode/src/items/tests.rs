//! Items of a body: found however the body is cut, as serde_json finds them, within their bound.

use super::*;
use proptest::prelude::*;
use serde_json::Value;

/// The items of a body that comes in those pieces, and why it has no further ones.
fn split(form: ItemForm, pieces: &[&[u8]]) -> (Vec<String>, Option<String>) {
    let mut splitter = ItemSplitter::new(form, 1000);
    let mut items = Vec::new();
    let failure = |error| match error {
        ItemError::TooLong => "too long".to_owned(),
        ItemError::Malformed(violation) => violation.to_string(),
    };
    let text = |item: Vec<u8>| String::from_utf8_lossy(&item).into_owned();
    for mut bytes in pieces.iter().copied() {
        loop {
            match splitter.next(&mut bytes) {
                Ok(Some(item)) => items.push(text(item)),
                Ok(None) => break,
                Err(error) => return (items, Some(failure(error))),
            }
        }
        assert!(bytes.is_empty(), "all is looked at");
    }
    match splitter.end() {
        Ok(last) => items.extend(last.map(text)),
        Err(error) => return (items, Some(failure(error))),
    }
    assert_eq!(splitter.kept(), 0);
    (items, None)
}

/// The same, of a body in one piece, cut in two anywhere, and byte by byte: it is always the same.
fn cut(form: ItemForm, body: &[u8]) -> (Vec<String>, Option<String>) {
    let whole = split(form, &[body]);
    for at in 0..=body.len() {
        let (first, second) = body.split_at(at);
        assert_eq!(split(form, &[first, second]), whole, "cut at {at}");
    }
    let bytes: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(split(form, &bytes), whole, "byte by byte");
    whole
}

fn items(form: ItemForm, body: &str) -> Vec<String> {
    let (items, error) = cut(form, body.as_bytes());
    assert_eq!(error, None, "{body}");
    items
}

#[test]
fn each_line_is_an_item_and_empty_ones_are_none() {
    for (body, expected) in [
        ("", &[][..]),
        ("\n\r\n \n", &[]),
        ("1\n2\n", &["1", "2"]),
        ("1\r\n2", &["1", "2"]),
        ("\n{\"a\": 1} \n\n\"x\"\r", &["{\"a\": 1}", "\"x\""]),
        (" [1,\n", &[" [1,"]),
    ] {
        assert_eq!(items(ItemForm::Lines, body), expected, "{body:?}");
    }
}

#[test]
fn the_elements_of_an_array_are_its_items() {
    for (body, expected) in [
        ("", &[][..]),
        (" \r\n", &[]),
        ("[]", &[]),
        (" [ ] \n", &[]),
        ("[1,-2.5e3 ,null\n,true]", &["1", "-2.5e3", "null", "true"]),
        (r#"["", "a,]\"[", "\\"]"#, &[r#""""#, r#""a,]\"[""#, r#""\\""#]),
        (r#"[{"a": ["}", 1]}, [[], [2]], 3]"#, &[r#"{"a": ["}", 1]}"#, "[[], [2]]", "3"]),
        // Whoever reads them sees that these are no JSON.
        ("[1 ,{], x\"y\"z]", &["1", "{]", "x\"y\"z"]),
        ("[}{]", &["}{"]),
    ] {
        assert_eq!(items(ItemForm::Array, body), expected, "{body:?}");
    }
}

#[test]
fn what_is_no_array_of_items_is_refused_with_the_place_of_the_item() {
    let deep = format!("[1,{}", "[".repeat(MAX_DEPTH + 1));
    for (body, before, expected) in [
        ("{}", 0, "``: the body is not an array of items"),
        ("1", 0, "``: the body is not an array of items"),
        ("\u{feff}[]", 0, "``: the body is not an array of items"),
        ("[", 0, "`/0`: the body ends before its array does"),
        ("[,1]", 0, "`/0`: expected an item or `]`"),
        ("[1,", 1, "`/1`: the body ends before its array does"),
        ("[1,]", 1, "`/1`: expected an item"),
        ("[1,,2]", 1, "`/1`: expected an item"),
        ("[1,2", 1, "`/1`: the body ends before its array does"),
        ("[1,\"2]", 1, "`/1`: the body ends before its array does"),
        ("[1 2]", 1, "`/1`: expected `,` or `]`"),
        ("[{}{}]", 1, "`/1`: expected `,` or `]`"),
        ("[1]]", 1, "``: something follows the array"),
        (&deep, 1, "`/1`: nested deeper than 128"),
    ] {
        let (items, error) = cut(ItemForm::Array, body.as_bytes());
        assert_eq!((items.len(), error.as_deref()), (before, Some(expected)), "{body:?}");
    }
    for (space, expected) in [(1000, "`/0`: nested deeper than 128"), (1001, "too long")] {
        let body = format!("[[{}{}", " ".repeat(space - MAX_DEPTH), "[".repeat(MAX_DEPTH + 1));
        assert_eq!(cut(ItemForm::Array, body.as_bytes()).1.as_deref(), Some(expected), "{space}");
    }
    let deep = format!("[{}{}]", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert_eq!(items(ItemForm::Array, &deep).len(), 1);
}

#[test]
fn an_item_has_a_bound_and_a_body_has_none() {
    for (form, begin, between, end) in [(ItemForm::Lines, "", "\n", ""), (ItemForm::Array, "[", ",", "]")] {
        for (length, fits) in [(1000, true), (1001, false)] {
            let item = "1".repeat(length);
            let body = format!("{begin}2{between}{item}{between}{item}{end}");
            let (items, error) = split(form, &[body.as_bytes()]);
            assert_eq!(items.len(), if fits { 3 } else { 1 }, "{form:?}, {length}");
            assert_eq!(error.as_deref(), (!fits).then_some("too long"));
        }
        let mut splitter = ItemSplitter::new(form, 1000);
        let mut begin = begin.as_bytes();
        assert_eq!(splitter.next(&mut begin), Ok(None));
        let piece = [b'1'; 600];
        assert_eq!(splitter.next(&mut &piece[..]), Ok(None));
        assert_eq!(splitter.kept(), 600);
        assert_eq!(splitter.next(&mut &piece[..]), Err(ItemError::TooLong), "before its end has come");
    }
}

/// Any JSON.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\\\\\"\\[\\]{},: \n]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn items_are_those_that_serde_json_finds_however_a_body_is_cut(values in prop::collection::vec(value(), 0..5)) {
        let parsed = |items: Vec<String>| -> Vec<Value> {
            items.iter().map(|item| serde_json::from_str(item).expect("an item is JSON")).collect()
        };
        let array = Value::from(values.clone());
        for body in [array.to_string(), serde_json::to_string_pretty(&array).expect("JSON")] {
            if values.iter().all(|value| value.to_string().len() < 500) {
                prop_assert_eq!(&parsed(items(ItemForm::Array, &body)), &values);
            }
        }
        let lines: String = values.iter().map(|value| format!("{value}\r\n")).collect();
        if values.iter().all(|value| value.to_string().len() < 1000) {
            prop_assert_eq!(&parsed(items(ItemForm::Lines, &lines)), &values);
        }
    }

    #[test]
    fn whatever_comes_is_the_same_however_it_is_cut(body in "[\\[\\]{},\"\\\\: \r\n1a]{0,24}") {
        cut(ItemForm::Lines, body.as_bytes());
        let (items, error) = cut(ItemForm::Array, body.as_bytes());
        let are_json = items.iter().all(|item| serde_json::from_str::<Value>(item).is_ok());
        let is_array = error.is_none() && are_json && !body.trim().is_empty();
        prop_assert_eq!(is_array, serde_json::from_str::<Vec<Value>>(&body).is_ok());
    }
}

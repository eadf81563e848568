//! Single fields of a result as texts: which can be picked, what their texts are, and that steps give the same.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use callgate_protocol::schema::{Definition, EnumDef, Field, MethodSchema, Shape, StructDef, Type, Variant};
use callgate_transcode::{MAX_PICKED, MIN_STEP, Pick, Response, ResponseBinding, ResponseProgram};

/// A method that returns a book: its number, a list, its title, who wrote it, whether it is new, and how it is bound.
fn schema() -> MethodSchema {
    let def = |name: &str, fields| Definition::Struct(StructDef::new(name, fields));
    let maybe = |ty| Type::Option(Box::new(ty));
    let bound = vec![
        Variant::new("hard", Shape::Unit),
        Variant::new("soft", Shape::Unit),
        Variant::new("other", Shape::Newtype(Type::String)),
    ];
    let definitions = vec![
        def("Request", Vec::new()),
        def(
            "Book",
            vec![
                Field::new("id", Type::U64),
                Field::new("tags", Type::List(Box::new(Type::String))),
                Field::new("title", Type::String),
                Field::new("author", maybe(Type::Ref(2))),
                Field::new("new", Type::Bool),
                Field::new("bound", Type::Ref(3)),
            ],
        ),
        def("Author", vec![Field::new("name", Type::String), Field::new("born", maybe(Type::I32))]),
        Definition::Enum(EnumDef::new("Bound", bound)),
    ];
    MethodSchema::new(Type::Ref(0), Type::Ref(1), definitions)
}

fn bind(picks: &[(&str, &[&str])], shape: Response) -> Result<ResponseProgram, String> {
    let pick = |(field, values): &(&str, &[&str])| Pick {
        field: (*field).to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    };
    let picks = picks.iter().map(pick).collect();
    ResponseProgram::compile(&schema(), &ResponseBinding { picks, shape, ..ResponseBinding::default() })
        .map_err(|error| error.to_string())
}

fn text(out: &mut Vec<u8>, text: &str) {
    match u8::try_from(text.len()) {
        Ok(short) if short < 251 => out.push(short),
        _ => out.extend([&[251][..], &(text.len() as u16).to_le_bytes()].concat()),
    }
    out.extend_from_slice(text.as_bytes());
}

/// A book with that title, by that author.
fn book(title: &str, author: Option<(&str, bool)>) -> Vec<u8> {
    let mut out = vec![7, 2];
    text(&mut out, "a");
    text(&mut out, "b");
    text(&mut out, title);
    match author {
        None => out.push(0),
        Some((name, is_born)) => {
            out.push(1);
            text(&mut out, name);
            out.extend_from_slice(if is_born { &[1, 3] } else { &[0] });
        }
    }
    out.extend([1, 1]);
    out
}

/// What is picked at once, which is what is picked in steps.
fn picked(program: &ResponseProgram, message: &[u8], count: usize) -> Vec<Option<String>> {
    let whole = program.pick(message).unwrap();
    let mut picking = program.begin_picking(message);
    let stepped = loop {
        if let Some(picked) = picking.advance(MIN_STEP).unwrap() {
            break picked;
        }
    };
    assert_eq!(stepped, whole);
    (0..count).map(|at| whole.get(at).map(str::to_owned)).collect()
}

#[test]
fn fields_are_picked_in_any_order_wherever_they_lie_and_whatever_the_body_shows() {
    let fields: [(&str, &[&str]); 6] = [
        ("new", &[]),
        ("id", &[]),
        ("author.name", &[]),
        ("author.born", &[]),
        ("title", &[]),
        ("bound", &[]),
    ];
    for shape in [Response::Whole, Response::Wrap("book".to_owned()), Response::Field("tags".to_owned())] {
        let program = bind(&fields, shape).unwrap();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            picked(&program, &book("tea \"&\" cup\n\u{e9}", Some(("ada", true))), 6),
            [some("true"), some("7"), some("ada"), some("-2"), some("tea \"&\" cup\n\u{e9}"), some("soft")]
        );
        assert_eq!(picked(&program, &book("", Some(("ada", false))), 6)[2..5], [some("ada"), None, some("")]);
        assert_eq!(picked(&program, &book("x", None), 6)[2..5], [None, None, some("x")]);
    }
}

#[test]
fn nothing_behind_the_last_wanted_field_is_read() {
    let program = bind(&[("id", &[])], Response::Whole).unwrap();
    assert_eq!(program.pick(&[7]).unwrap().get(0), Some("7"));
    assert!(program.pick(&[]).is_err());
    let nested = bind(&[("author.name", &[])], Response::Whole).unwrap();
    let whole = book("x", Some(("ada", true)));
    assert_eq!(nested.pick(&whole[..whole.len() - 4]).unwrap().get(0), Some("ada"));
}

#[test]
fn a_program_that_picks_nothing_reads_nothing() {
    let program = bind(&[], Response::Whole).unwrap();
    assert!(!program.has_picks());
    assert_eq!(program.pick(&[]).unwrap().get(0), None);
    assert!(program.begin_picking(&[]).advance(MIN_STEP).unwrap().is_some());
}

#[test]
fn a_text_too_long_for_a_header_and_a_variant_with_content_are_missing() {
    let program = bind(&[("title", &[]), ("bound", &[])], Response::Whole).unwrap();
    for (length, is_there) in [(MAX_PICKED, true), (MAX_PICKED + 1, false), (60_000, false)] {
        let found = picked(&program, &book(&"\u{1}".repeat(length), None), 2);
        assert_eq!((found[0].is_some(), found[1].as_deref()), (is_there, Some("soft")), "{length}");
    }
    let mut other = book("x", None);
    other.pop();
    other.push(2);
    text(&mut other, "leather");
    assert_eq!(picked(&program, &other, 2), [Some("x".to_owned()), None]);
}

#[test]
fn two_names_of_one_field_have_its_text_both() {
    let program = bind(&[("id", &[]), ("title", &[]), ("id", &[])], Response::Whole).unwrap();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(picked(&program, &book("x", None), 3), [some("7"), some("x"), some("7")]);
}

#[test]
fn what_cannot_be_picked_is_told_when_the_program_is_made() {
    for (field, values, expected) in [
        ("ident", &[][..], "unknown field `ident`"),
        ("tags", &[], "the result's field `tags` is not one text"),
        ("author", &[], "the result's field `author` is not one text"),
        ("id.x", &[], "`x` is not in a struct"),
        ("new", &["yes"], "the result's field `new` is never `yes`: it is `true` or `false`"),
        ("bound", &["hard", "other"], "is never `other`: its variants without content are `hard`, `soft`"),
    ] {
        let error = bind(&[(field, values)], Response::Whole).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    assert!(bind(&[("new", &["true"]), ("bound", &["hard"]), ("title", &["any"])], Response::Whole).is_ok());
}

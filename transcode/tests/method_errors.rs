//! The errors that a method declares: name, code and details out of an encoded one.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::Code;
use callgate_protocol::check::Reason;
use callgate_protocol::schema::{
    Attributes, Definition, EnumDef, Logical, MethodSchema, Shape, Type, Variant,
};
use callgate_transcode::{
    Decimal, DecodeReason, ErrorProgram, Int64, Layout, MethodError, ResponseBinding, TextForm,
};
use proptest::prelude::*;
use serde::Serialize;
use std::sync::Arc;
use support::generate::{Random, runs, schemas, value, without_shapes};
use support::write::Writer;
use support::{field, method, presence, structure, text, variant};

/// As a backend would declare it.
#[derive(Serialize)]
enum QuoteError {
    Closed,
    OutOfStock(String),
    Range(u64, u64),
    Credit { limit: String, left: Option<u8> },
}

fn coded(name: &str, shape: Shape, code: Code) -> Variant {
    Variant { attributes: Attributes::new().with_code(code), ..variant(name, shape) }
}

fn schema() -> MethodSchema {
    let variants = vec![
        variant("Closed", Shape::Unit),
        coded("OutOfStock", Shape::Newtype(Type::String), Code::FailedPrecondition),
        coded("Range", Shape::Tuple(vec![Type::U64, Type::U64]), Code::OutOfRange),
        coded(
            "Credit",
            Shape::Struct(vec![
                field("limit", text(Logical::DECIMAL)),
                field("left", Type::Option(Box::new(Type::U8))),
            ]),
            Code::ResourceExhausted,
        ),
    ];
    let mut schema =
        method(vec![structure(Vec::new()), Definition::Enum(EnumDef::new("QuoteError", variants))]);
    schema.error = Some(Type::Ref(1));
    MethodSchema::decode(&schema.encode()).unwrap()
}

fn program(schema: &MethodSchema, binding: &ResponseBinding) -> Option<ErrorProgram> {
    ErrorProgram::bind(Arc::new(Layout::new(schema).unwrap()), binding)
}

fn bincode_of(error: &QuoteError) -> Vec<u8> {
    bincode::serde::encode_to_vec(error, bincode::config::standard()).unwrap()
}

#[test]
fn an_error_has_its_name_its_code_and_its_content_as_details() {
    let program = program(&schema(), &ResponseBinding::default()).unwrap();
    for (error, variant, code, details) in [
        (QuoteError::Closed, "Closed", Code::FailedPrecondition, None),
        (
            QuoteError::OutOfStock("a\"b".to_owned()),
            "OutOfStock",
            Code::FailedPrecondition,
            Some(r#""a\"b""#),
        ),
        (QuoteError::Range(1, 9007199254740993), "Range", Code::OutOfRange, Some("[1,9007199254740993]")),
        (
            QuoteError::Credit { limit: "12.50".to_owned(), left: None },
            "Credit",
            Code::ResourceExhausted,
            Some(r#"{"limit":"12.50","left":null}"#),
        ),
    ] {
        let details = details.map(str::to_owned);
        let expected = MethodError { error: "QuoteError", variant, code, details };
        assert_eq!(program.decode(&bincode_of(&error), usize::MAX), Ok(expected));
    }
}

#[test]
fn details_are_written_as_the_route_writes_results() {
    let binding =
        ResponseBinding { int64: Int64::String, decimal: Decimal::Number, ..ResponseBinding::default() };
    let program = program(&schema(), &binding).unwrap();
    let details = |error| program.decode(&bincode_of(&error), usize::MAX).unwrap().details.unwrap();
    assert_eq!(details(QuoteError::Range(1, 2)), r#"["1","2"]"#);
    assert_eq!(
        details(QuoteError::Credit { limit: "12.50".to_owned(), left: Some(1) }),
        r#"{"limit":12.50,"left":1}"#
    );
}

#[test]
fn a_method_without_an_error_type_has_no_program() {
    assert!(program(&method(vec![structure(Vec::new())]), &ResponseBinding::default()).is_none());
}

#[test]
fn bytes_that_are_no_error_of_the_method_are_refused() {
    let program = program(&schema(), &ResponseBinding::default()).unwrap();
    let stock = bincode_of(&QuoteError::OutOfStock("abc".to_owned()));
    let reason = |bytes: &[u8]| program.decode(bytes, usize::MAX).unwrap_err().reason;
    assert_eq!(reason(&[4]), DecodeReason::Message(Reason::UnknownVariant));
    assert_eq!(reason(&[0, 0]), DecodeReason::Message(Reason::TrailingBytes));
    assert_eq!(reason(&[stock.clone(), vec![0]].concat()), DecodeReason::Message(Reason::TrailingBytes));
    for length in 0..stock.len() {
        assert!(matches!(reason(&stock[..length]), DecodeReason::Message(Reason::Wire(_))), "{length}");
    }
    let credit = bincode_of(&QuoteError::Credit { limit: "much".to_owned(), left: None });
    assert_eq!(reason(&credit), DecodeReason::InvalidText(TextForm::Decimal));
    assert_eq!(program.decode(&stock, 4).unwrap_err().reason, DecodeReason::TooLong);
    assert!(program.decode(&stock, 5).is_ok());
}

#[test]
fn details_nest_as_deep_as_results_do() {
    // A list of itself: each list is one deep, and the object around the content is one.
    let mut schema = method(vec![
        structure(Vec::new()),
        Definition::Enum(EnumDef::new("E", vec![variant("Nested", Shape::Newtype(Type::Ref(2)))])),
        structure(vec![field("a", presence(Type::Ref(2)))]),
    ]);
    schema.error = Some(Type::Ref(1));
    let program = program(&schema, &ResponseBinding::default()).unwrap();
    let nested = |count: usize| [vec![0], vec![2; count - 1], vec![0]].concat();
    assert!(program.decode(&nested(127), usize::MAX).is_ok());
    let refused = program.decode(&nested(128), usize::MAX).unwrap_err();
    assert_eq!(refused.reason, DecodeReason::Message(Reason::TooDeep));
    assert!(callgate_protocol::check::value(&schema, &Type::Ref(1), &nested(127)).is_ok());
    assert!(callgate_protocol::check::value(&schema, &Type::Ref(1), &nested(128)).is_err());
}

/// Random schemas have an enum of any kind second: as the type of errors.
fn with_errors(schema: MethodSchema) -> MethodSchema {
    let mut schema = without_shapes(schema);
    schema.error = Some(Type::Ref(1));
    MethodSchema::decode(&schema.encode()).unwrap()
}

fn tape() -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(any::<u64>(), 0..200)
}

proptest! {
    #![proptest_config(runs(2_000))]

    #[test]
    fn name_and_details_are_those_of_the_value_as_a_result(schema in schemas(), tape in tape()) {
        let schema = with_errors(schema);
        let error = value(&mut Random::tape(tape), &schema, &Type::Ref(1), 4);
        let bytes = support::value::bincode_of(&schema, &Type::Ref(1), &error);
        let program = program(&schema, &ResponseBinding::default()).unwrap();
        let read = program.decode(&bytes, usize::MAX).unwrap();
        let json = match read.details {
            None => format!("\"{}\"", read.variant),
            Some(details) => format!("{{\"{}\":{details}}}", read.variant),
        };
        prop_assert_eq!(json, Writer { schema: &schema, messy: None }.value(&Type::Ref(1), &error));
    }

    #[test]
    fn bytes_are_refused_as_a_value_where_the_check_refuses_them(
        schema in schemas(), tape in tape(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let schema = with_errors(schema);
        let error = value(&mut Random::tape(tape), &schema, &Type::Ref(1), 4);
        let mut bytes = support::value::bincode_of(&schema, &Type::Ref(1), &error);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let checked = callgate_protocol::check::value(&schema, &Type::Ref(1), &bytes);
        let program = program(&schema, &ResponseBinding::default()).unwrap();
        match program.decode(&bytes, usize::MAX) {
            Ok(_) => prop_assert_eq!(checked, Ok(())),
            Err(error) if matches!(error.reason, DecodeReason::Message(_)) => prop_assert!(checked.is_err()),
            // What JSON cannot show may be a value, or something behind it is none.
            Err(_) => {}
        }
    }
}

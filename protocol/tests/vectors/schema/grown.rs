//! Schemas with what came after types and names, and one that is in no order.

use super::{enumeration, plain_field, structure};
use callgate_protocol::Code;
use callgate_protocol::schema::{
    Attributes, Definition, EnumDef, Field, Logical, MethodSchema, Shape, Span, StructDef, Type, Variant,
};

fn logical(logical: Logical, physical: Type) -> Type {
    Type::Logical(logical, Box::new(physical))
}

fn with(name: &str, ty: Type, attributes: Attributes) -> Field {
    Field { attributes, ..plain_field(name, ty) }
}

/// What a method may have.
pub(super) fn refund() -> MethodSchema {
    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    let up_to = |min, max| Span { min, max: Some(max) };
    let tags = logical(Logical::SET, Type::List(Box::new(Type::String)));
    let fields = vec![
        with("order", Type::String, Attributes::new().with_length(up_to(3, 300)).with_pattern("^[a-z]+$")),
        with(
            "amount",
            logical(Logical::DECIMAL, Type::String),
            Attributes::new().with_minimum(text("0.01")).with_unit("EUR").with_example(text("9.90")),
        ),
        with("retries", Type::Option(Box::new(Type::U8)), Attributes::new().with_maximum([9])),
        with("tags", tags, Attributes::new().with_items(Span { min: 1, max: None })),
        with("note", Type::Presence(Box::new(Type::String)), Attributes::new().with_example([1])),
        with("card", Type::String, Attributes::new().with_secret().with_deprecated("Use order.")),
        plain_field("on", logical(Logical::DATE, Type::String)),
        plain_field("at", logical(Logical::TIME, Type::String)),
        plain_field("page", logical(Logical::URL, Type::String)),
        plain_field("mail", logical(Logical::EMAIL, Type::String)),
    ];
    let request =
        StructDef { attributes: Attributes::new().with_deprecated(""), ..StructDef::new("Refund", fields) };
    let coded = |name, shape, code| Variant {
        attributes: Attributes::new().with_code(code),
        ..Variant::new(name, shape)
    };
    let variants = vec![
        coded("NoSuchOrder", Shape::Unit, Code::NotFound),
        coded("TooMuch", Shape::Struct(vec![plain_field("left", Type::U64)]), Code::OutOfRange),
        Variant::new("Closed", Shape::Newtype(Type::Timestamp)),
    ];
    let error =
        EnumDef { attributes: Attributes::new().with(70_000, b"later"), ..EnumDef::new("Refused", variants) };
    MethodSchema {
        doc: "Pays back.".into(),
        request_items: Some(Type::Bytes),
        error: Some(Type::Ref(1)),
        attributes: Attributes::new().with_deprecated("Use pay_back."),
        ..MethodSchema::new(
            Type::Ref(0),
            Type::Unit,
            vec![Definition::Struct(request), Definition::Enum(error)],
        )
    }
}

/// Enums with a tag, and fields whose members stand beside the others.
pub(super) fn event() -> MethodSchema {
    let flat = |name, ty| with(name, ty, Attributes::new().with_flatten());
    let rest = Type::Map(Box::new(Type::String), Box::new(Type::Json));
    let tagged = |name, attributes, variants: Vec<(&str, Shape)>| {
        let variants = variants.into_iter().map(|(name, shape)| Variant::new(name, shape)).collect();
        Definition::Enum(EnumDef { attributes, ..EnumDef::new(name, variants) })
    };
    let address = || plain_field("street", Type::String);
    let payment = vec![
        ("cash", Shape::Unit),
        ("card", Shape::Newtype(Type::Ref(2))),
        ("voucher", Shape::Struct(vec![plain_field("code", Type::String), flat("of", Type::Ref(2))])),
        ("other", Shape::Newtype(rest.clone())),
    ];
    let shape =
        vec![("round", Shape::Newtype(Type::F64)), ("square", Shape::Tuple(vec![Type::F64, Type::F64]))];
    let fields = vec![
        plain_field("id", Type::U64),
        flat("to", Type::Ref(3)),
        flat("meta", Type::Option(Box::new(Type::Ref(2)))),
        plain_field("payment", Type::Ref(1)),
        plain_field("shape", Type::Ref(4)),
        flat("rest", rest),
    ];
    MethodSchema::new(
        Type::Ref(0),
        Type::Unit,
        vec![
            structure("Event", fields),
            tagged("Payment", Attributes::new().with_tag("type"), payment),
            structure("Meta", vec![plain_field("by", Type::String), plain_field("at", Type::Timestamp)]),
            structure("Address", vec![address(), plain_field("city", Type::String)]),
            tagged("Shape", Attributes::new().with_tag("kind").with_content("value"), shape),
        ],
    )
}

/// Definitions in no order, one that is not used, and values in other forms than the one.
pub(super) fn untidy() -> MethodSchema {
    let map = Type::Map(Box::new(Type::String), Box::new(Type::U16));
    let set = logical(Logical::SET, Type::List(Box::new(Type::String)));
    let wide = [251, 7, 0];
    let two = |first: &str, second: &str| [&[2, 1], first.as_bytes(), &[1], second.as_bytes()].concat();
    let fields = vec![
        Field {
            default: Some([&[2, 1, b'b'][..], &wide, &[1, b'a', 5]].concat()),
            ..plain_field("map", map)
        },
        Field { default: Some(two("b", "a")), ..plain_field("set", set) },
        with(
            "number",
            Type::Option(Box::new(Type::U32)),
            Attributes::new().with_example([&[1][..], &wide].concat()).with_minimum(wide).with(99, wide),
        ),
        plain_field("last", Type::Ref(4)),
    ];
    MethodSchema {
        error: Some(Type::Ref(1)),
        ..MethodSchema::new(
            Type::Ref(2),
            Type::Tuple(vec![Type::Ref(3), Type::Ref(2)]),
            vec![
                structure("Unused", vec![plain_field("all", Type::Ref(1))]),
                enumeration("Error", vec![("Gone", Shape::Newtype(Type::Ref(4)))]),
                structure("Request", fields),
                structure("Response", vec![plain_field("itself", Type::Option(Box::new(Type::Ref(3))))]),
                structure("Last", vec![]),
            ],
        )
    }
}

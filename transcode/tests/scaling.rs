//! What a client or an instance can make large, at one size and at twice that: names, members, query pairs, nesting,
//! violations, results, schemas. Work and memory are counted, and may grow by no more than about twice.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{Attributes, Definition, EnumDef, Field, MethodSchema, Shape, Type};
use callgate_protocol::wire::{put_bytes, put_varint};
use callgate_scaling::{Cost, cost, grow_like_their_input};
use callgate_transcode::{
    Body, RequestBinding, RequestInput, RequestProgram, ResponseBinding, ResponseProgram, UnknownFields,
};
use std::borrow::Cow;
use support::{
    binding, default_field, enumeration, field, list, method, method_of, option, structure, variant,
};

/// A request that is taken, or refused, as is said.
fn request(
    schema: &MethodSchema,
    binding: &RequestBinding,
    query: &[(&str, &str)],
    body: &str,
    taken: bool,
) -> Cost {
    let program = RequestProgram::compile(schema, binding).unwrap();
    let query: Vec<_> = query.iter().map(|(name, value)| (Cow::from(*name), Cow::from(*value))).collect();
    let path: Vec<_> = binding.path.iter().map(|_| Cow::from("1")).collect();
    let input = RequestInput { path: &path, query: &query, bound: &[], body: body.as_bytes(), form: &[] };
    cost(|| {
        let mut out = Vec::new();
        let result = program.encode(&input, &mut out);
        assert_eq!(result.is_ok(), taken, "{result:?}");
        (result, out)
    })
}

fn taken(schema: &MethodSchema, body: &str) -> Cost {
    request(schema, &RequestBinding::default(), &[], body, true)
}

fn refused(schema: &MethodSchema, body: &str) -> Cost {
    request(schema, &RequestBinding::default(), &[], body, false)
}

fn queried(schema: &MethodSchema, pairs: &[(String, String)], is_taken: bool) -> Cost {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    request(schema, &binding(&[], Body::None), &pairs, "", is_taken)
}

/// `n` fields of a type, such as `f000007`, and a struct of them.
fn fields(n: usize, ty: &Type) -> Vec<Field> {
    (0..n).map(|at| field(&format!("f{at:06}"), ty.clone())).collect()
}

fn of_fields(n: usize, ty: &Type) -> MethodSchema {
    method(vec![structure(fields(n, ty))])
}

fn units(n: usize) -> Definition {
    enumeration((0..n).map(|at| variant(&format!("V{at:06}"), Shape::Unit)).collect())
}

/// An object of `n` members, each made of its number.
fn object(n: usize, member: impl Fn(usize) -> String) -> String {
    format!("{{{}}}", (0..n).map(member).collect::<Vec<_>>().join(","))
}

fn array(n: usize, item: &str) -> String {
    format!("[{}]", vec![item; n].join(","))
}

fn map(key: Type, value: Type) -> Type {
    Type::Map(Box::new(key), Box::new(value))
}

#[test]
fn bodies_cost_what_their_bytes_do() {
    grow_like_their_input(&[
        ("members in order", 512, |n| {
            taken(&of_fields(n, &Type::U8), &object(n, |at| format!("\"f{at:06}\":1")))
        }),
        ("members in the opposite order", 512, |n| {
            taken(&of_fields(n, &Type::U8), &object(n, |at| format!("\"f{:06}\":1", n - 1 - at)))
        }),
        ("objects out of order", 256, |n| {
            let inner = structure(fields(3, &Type::U8));
            let schema = method(vec![structure(vec![field("v", list(Type::Ref(1)))]), inner]);
            taken(&schema, &format!("{{\"v\":{}}}", array(n, "{\"f000002\":1,\"f000000\":1,\"f000001\":1}")))
        }),
        ("members that are left out", 512, |n| taken(&of_fields(n, &option(Type::U8)), "{}")),
        ("members that are not known, ignored", 512, |n| {
            let ignoring =
                RequestBinding { unknown_fields: UnknownFields::Ignore, ..RequestBinding::default() };
            let body = object(n, |at| format!("\"x{at:06}\":[1]"));
            request(&of_fields(n, &option(Type::U8)), &ignoring, &[], &body, true)
        }),
        ("items", 4096, |n| taken(&method_of(list(Type::U32)), &format!("{{\"v\":{}}}", array(n, "70000")))),
        ("keys of a map", 512, |n| {
            let body = object(n, |at| format!("\"k{at:06}\":1"));
            taken(&method_of(map(Type::String, Type::U8)), &format!("{{\"v\":{body}}}"))
        }),
        ("keys of a map by an enum", 512, |n| {
            let schema = method(vec![structure(vec![field("v", map(Type::Ref(1), Type::U8))]), units(n)]);
            taken(&schema, &format!("{{\"v\":{}}}", object(n, |at| format!("\"V{at:06}\":1"))))
        }),
        ("a string", 16 * 1024, |n| {
            taken(&method_of(Type::String), &format!("{{\"v\":\"{}\"}}", "x".repeat(n)))
        }),
        ("a string of escapes", 4096, |n| {
            taken(&method_of(Type::String), &format!("{{\"v\":\"{}\"}}", "\\u00e9\\n".repeat(n)))
        }),
        ("base64", 4096, |n| taken(&method_of(Type::Bytes), &format!("{{\"v\":\"{}\"}}", "QUJD".repeat(n)))),
        ("digits", 4096, |n| taken(&method_of(Type::F64), &format!("{{\"v\":0.{}}}", "12345678".repeat(n)))),
        ("any JSON", 512, |n| {
            let body = object(n, |at| format!("\"\\u006b{at:06}\":[{{}},null]"));
            taken(&method_of(Type::Json), &format!("{{\"v\":{body}}}"))
        }),
        ("nesting", 60, |n| {
            let schema = method(vec![structure(vec![field("a", option(Type::Ref(0)))])]);
            taken(&schema, &format!("{}{{}}{}", "{\"a\":".repeat(n), "}".repeat(n)))
        }),
        ("objects with their tags behind all else, one in another", 20, |n| {
            let variants = vec![variant("v", Shape::Struct(vec![field("more", list(Type::Ref(1)))]))];
            let attributes = Attributes::new().with_tag("t");
            let tagged = Definition::Enum(EnumDef { attributes, ..EnumDef::new("E", variants) });
            let schema = method(vec![structure(vec![field("v", Type::Ref(1))]), tagged]);
            let nested = format!("{}{}", "{\"more\":[".repeat(n), "],\"t\":\"v\"}".repeat(n));
            taken(&schema, &format!("{{\"v\":{nested}}}"))
        }),
        ("members of flattened structs, and what is left", 256, |n| {
            let flat = |name, ty| Field { attributes: Attributes::new().with_flatten(), ..field(name, ty) };
            let schema = method(vec![
                structure(vec![flat("a", Type::Ref(1)), flat("rest", map(Type::String, Type::U8))]),
                structure(fields(n, &Type::U8)),
            ]);
            taken(&schema, &object(2 * n, |at| format!("\"{}{:06}\":1", ["f", "x"][at % 2], n - 1 - at / 2)))
        }),
        ("nesting in any JSON", 60, |n| {
            let json = format!("{}{}", "{\"a\":[".repeat(n / 2), "]}".repeat(n / 2));
            taken(&method_of(Type::Json), &format!("{{\"v\":{json}}}"))
        }),
    ]);
}

#[test]
fn refusals_cost_what_the_request_does() {
    grow_like_their_input(&[
        ("names that are not known beside fields", 32, |n| {
            refused(&of_fields(n, &option(Type::U8)), &object(n, |at| format!("\"x{at:06}\":1")))
        }),
        ("long names that are not known beside long fields", 32, |n| {
            let long = (0..n).map(|at| field(&format!("f{at:030}"), option(Type::U8))).collect();
            refused(&method(vec![structure(long)]), &object(n, |at| format!("\"x{at:030}\":1")))
        }),
        ("names of variants that are not known beside variants", 32, |n| {
            let kinds = list(Type::Ref(1));
            let schema = method(vec![structure(vec![field("kinds", kinds)]), units(n)]);
            let pairs: Vec<_> = (0..n).map(|at| ("kinds".to_owned(), format!("x{at:06}"))).collect();
            queried(&schema, &pairs, false)
        }),
        ("fields that are missing", 32, |n| refused(&of_fields(n, &Type::U8), "{}")),
        ("violations far inside", 32, |n| {
            let schema = method(vec![
                structure(vec![field("v", list(Type::Ref(1)))]),
                structure(vec![field("must", Type::U8)]),
            ]);
            refused(&schema, &format!("{{\"v\":{}}}", array(n, "{\n}")))
        }),
        ("a violation deep inside", 60, |n| {
            let schema = method(vec![structure(vec![field("a", option(Type::Ref(0)))])]);
            refused(&schema, &format!("{}{{\"b\":1}}{}", "{\"a\":".repeat(n), "}".repeat(n)))
        }),
        ("the length of a name that is not known", 8192, |n| {
            refused(&of_fields(4, &option(Type::U8)), &format!("{{\"{}\":1}}", "\\u00e9".repeat(n)))
        }),
        ("the length of the fields beside a name that is not known", 64, |n| {
            let long = (0..16).map(|at| field(&format!("{at:0>n$}"), option(Type::U8))).collect();
            refused(&method(vec![structure(long)]), &object(n, |at| format!("\"x{at:06}\":1")))
        }),
        ("a key that comes twice behind others", 512, |n| {
            let twice = object(n, |at| format!("\"k{:06}\":1", at % (n - 1)));
            refused(&method_of(Type::Json), &format!("{{\"v\":{twice}}}"))
        }),
        ("a member that comes twice behind others", 512, |n| {
            let twice = object(n, |at| format!("\"f{:06}\":1", at % (n - 1)));
            refused(&of_fields(n, &Type::U8), &twice)
        }),
        ("a text that is not JSON", 8192, |n| {
            refused(&of_fields(1, &Type::U8), &format!("{{\"f000000\":{}", " ".repeat(n)))
        }),
    ]);
}

#[test]
fn parameters_cost_what_they_say() {
    grow_like_their_input(&[
        ("pairs for one list", 512, |n| {
            let pairs: Vec<_> = (0..n).map(|at| ("v".to_owned(), at.to_string())).collect();
            queried(&method_of(list(Type::U32)), &pairs, true)
        }),
        ("pairs for as many fields", 512, |n| {
            let pairs: Vec<_> = (0..n).rev().map(|at| (format!("f{at:06}"), "1".to_owned())).collect();
            queried(&of_fields(n, &Type::U32), &pairs, true)
        }),
        ("pairs that are not known", 32, |n| {
            let pairs: Vec<_> = (0..n).map(|at| (format!("x{at:06}"), "1".to_owned())).collect();
            queried(&of_fields(n, &option(Type::U32)), &pairs, false)
        }),
        ("pairs that are not known, ignored", 512, |n| {
            let unknown: Vec<_> = (0..n).map(|at| format!("x{at:06}")).collect();
            let pairs: Vec<_> = unknown.iter().map(|name| (name.as_str(), "1")).collect();
            let ignoring =
                RequestBinding { unknown_fields: UnknownFields::Ignore, ..binding(&[], Body::None) };
            request(&of_fields(n, &option(Type::U32)), &ignoring, &pairs, "", true)
        }),
        ("fields given twice", 32, |n| {
            let pairs: Vec<_> = (0..2 * n).map(|at| (format!("f{:06}", at / 2), "1".to_owned())).collect();
            queried(&of_fields(n, &Type::U32), &pairs, false)
        }),
        ("dots in a name", 2048, |n| {
            queried(&of_fields(1, &option(Type::U32)), &[("a.".repeat(n), "1".to_owned())], false)
        }),
        ("levels of a name", 60, |n| {
            let schema =
                method(vec![structure(vec![field("a", option(Type::Ref(0))), field("b", option(Type::U8))])]);
            queried(&schema, &[(format!("{}b", "a.".repeat(n)), "1".to_owned())], true)
        }),
        ("parameters of a path", 32, |n| {
            let names: Vec<_> = (0..n).map(|at| format!("f{at:06}")).collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            request(&of_fields(n, &Type::U8), &binding(&names, Body::Whole), &[], "{}", true)
        }),
    ]);
}

/// What showing a message of `ty` costs.
fn shown(ty: Type, message: &[u8]) -> Cost {
    answered(&method_of(ty), message)
}

fn answered(schema: &MethodSchema, message: &[u8]) -> Cost {
    let program = ResponseProgram::compile(schema, &ResponseBinding::default()).unwrap();
    cost(|| {
        let mut out = Vec::new();
        program.decode(message, &mut out).unwrap();
        out
    })
}

fn counted(n: usize, item: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let mut message = Vec::new();
    put_varint(&mut message, n as u64);
    (0..n).for_each(|at| message.extend(item(at)));
    message
}

fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_bytes(&mut bytes, text.as_bytes());
    bytes
}

#[test]
fn results_cost_what_they_say() {
    grow_like_their_input(&[
        ("items", 4096, |n| shown(list(Type::U8), &counted(n, |_| vec![7]))),
        ("keys of a map", 512, |n| {
            let entry = |at| [bytes_of(&format!("k{at:06}")), vec![1]].concat();
            shown(map(Type::String, Type::U8), &counted(n, entry))
        }),
        ("fields", 512, |n| answered(&of_fields(n, &Type::U8), &vec![7; n])),
        ("a string", 16 * 1024, |n| shown(Type::String, &bytes_of(&"\"\u{1}é".repeat(n)))),
        ("bytes", 16 * 1024, |n| shown(Type::Bytes, &bytes_of(&"x".repeat(n)))),
        ("any JSON", 4096, |n| shown(Type::Json, &bytes_of(&array(n, "{\"a\":\n1}")))),
        ("nesting", 60, |n| {
            let schema = method(vec![structure(vec![field("a", option(Type::Ref(0)))])]);
            answered(&schema, &[vec![1; n], vec![0]].concat())
        }),
    ]);
}

#[test]
fn compiling_costs_what_the_schema_does() {
    fn compiled(schema: &MethodSchema) -> Cost {
        cost(|| RequestProgram::compile(schema, &RequestBinding::default()).unwrap())
    }
    grow_like_their_input(&[
        ("fields", 512, |n| compiled(&of_fields(n, &Type::U8))),
        ("variants", 512, |n| compiled(&method(vec![structure(vec![field("v", Type::Ref(1))]), units(n)]))),
        ("definitions", 512, |n| {
            let last = n as u32 - 1;
            compiled(&method(
                (0..=last).map(|at| structure(vec![field("v", Type::Ref(last.min(at + 1)))])).collect(),
            ))
        }),
        ("parts of a tuple", 512, |n| compiled(&method_of(Type::Tuple(vec![Type::U8; n])))),
        ("defaults", 512, |n| {
            let default = |at| default_field(&format!("f{at:06}"), Type::String, &bytes_of("some text"));
            compiled(&method(vec![structure((0..n).map(default).collect())]))
        }),
        ("path parameters", 32, |n| {
            let names: Vec<_> = (0..n).map(|at| format!("f{at:06}")).collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let schema = of_fields(n, &Type::U8);
            cost(|| RequestProgram::compile(&schema, &binding(&names, Body::Whole)).unwrap())
        }),
    ]);
}

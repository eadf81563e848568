//! Random schemas, values, and ways to write them: strategies for proptest.
//!
//! What can come next depends on what came before (a value on its type, a reference on the definitions). A tape of numbers
//! expresses that plainly: every choice takes one, and where the tape has ended all are 0, the simplest choice. So
//! proptest, which shortens tapes and makes their numbers smaller, makes cases simpler. Schema, value and spelling have a
//! tape each: a simpler schema is not another value.

use super::value::{Value, bincode_of};
use super::{enumeration, field, presence, set, structure, text, variant};
use callgate_protocol::schema::{
    Attributes, Definition, EnumDef, Field, Logical, MethodSchema, Shape, Type, Variant,
};
use chrono::{NaiveDate, NaiveTime};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// So many cases, the same in every run; `PROPTEST_RNG_SEED` gives others.
pub(crate) fn runs(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    if let RngSeed::Random = config.rng_seed {
        config.rng_seed = RngSeed::Fixed(20_261_103);
    }
    config
}

/// Schemas, each as a backend could tell it.
pub(crate) fn schemas() -> impl Strategy<Value = MethodSchema> {
    tapes(200).prop_map(|tape| schema(&mut Random::tape(tape)))
}

/// Schemas, a value of the request (and response) of each, and a tape for how its JSON is spelled.
pub(crate) fn values() -> impl Strategy<Value = (MethodSchema, Value, Vec<u64>)> {
    (schemas(), tapes(300), tapes(300)).prop_map(|(schema, tape, spelling)| {
        let value = value(&mut Random::tape(tape), &schema, &schema.request, 5);
        (schema, value, spelling)
    })
}

/// The same without tags and flattened fields.
pub(crate) fn plain_values() -> impl Strategy<Value = (MethodSchema, Value, Vec<u64>)> {
    values().prop_map(|(schema, value, spelling)| (without_shapes(schema), value, spelling))
}

pub(crate) fn without_shapes(mut schema: MethodSchema) -> MethodSchema {
    for definition in &mut schema.definitions {
        let lists = match definition {
            Definition::Struct(def) => vec![&mut def.fields],
            Definition::Enum(def) => {
                def.attributes = Attributes::new();
                def.variants.iter_mut().filter_map(fields_of).collect()
            }
        };
        lists.into_iter().flatten().for_each(|field| field.attributes = Attributes::new());
    }
    schema
}

fn tapes(longest: usize) -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(any::<u64>(), 0..longest)
}

/// A source of choices.
pub(crate) struct Random(Box<dyn Iterator<Item = u64>>);

impl Random {
    /// The numbers of a tape, then zeros.
    pub(crate) fn tape(tape: Vec<u64>) -> Random {
        Random(Box::new(tape.into_iter().chain(std::iter::repeat(0))))
    }

    /// SplitMix64.
    pub(crate) fn seeded(mut state: u64) -> Random {
        Random(Box::new(std::iter::repeat_with(move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        })))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.next().unwrap_or_default()
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Whether the less simple of two is chosen.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// Of any width, so that each length of a varint is met.
    fn wide(&mut self, bits: u32) -> u128 {
        let raw = (u128::from(self.next()) << 64) | u128::from(self.next());
        raw >> (128 - bits) >> self.below(bits as usize)
    }

    fn text(&mut self) -> String {
        const PARTS: [&str; 14] = [
            "a", "order", "\"", "\\", "\n", "\u{0}", "/", "é", "日本", "🦀", "\u{7f}", "\u{2028}", " ",
            "12345678",
        ];
        let parts = self.below(6);
        (0..parts).map(|_| self.pick(&PARTS)).collect()
    }
}

pub(crate) const SCALARS: [Type; 22] = [
    Type::Bool,
    Type::U8,
    Type::U16,
    Type::U32,
    Type::U64,
    Type::U128,
    Type::I8,
    Type::I16,
    Type::I32,
    Type::I64,
    Type::I128,
    Type::Char,
    Type::String,
    Type::Uuid,
    Type::Timestamp,
    Type::Duration,
    Type::IpAddr,
    Type::Ipv4Addr,
    Type::Ipv6Addr,
    Type::F32,
    Type::F64,
    Type::Bytes,
];
/// Of those above, the ones that can be keys.
const KEYS: usize = 19;

/// The logical types over strings have the numbers up to this one.
const TEXTS: usize = 5;

/// One of the first so many scalars, or a logical type over a string.
fn scalar(random: &mut Random, most: usize) -> Type {
    match random.below(most + TEXTS) {
        place if place < most => SCALARS[place].clone(),
        place => text(Logical((place - most) as u32 + 1)),
    }
}

const NAMES: [&str; 8] = ["id", "qty", "client_id", "a\"b", "日本", "with space", "x.y", "a~b/c"];

/// Structs stand at even indices, enums of any kind at odd ones, an enum of units alone at the end.
fn schema(random: &mut Random) -> MethodSchema {
    let count = 2 + random.below(5) as u32;
    let mut definitions = Vec::new();
    for index in 0..count {
        let definition = match index % 2 {
            0 => structure(fields(random, index, count)),
            _ => any_enum(random, index, count),
        };
        definitions.push(definition);
    }
    let units = ["Red", "Green", "Blue"].map(|name| variant(name, Shape::Unit));
    definitions.push(enumeration(units.to_vec()));
    let mut schema = MethodSchema::new(Type::Ref(0), Type::Ref(0), definitions);
    add_defaults(random, &mut schema);
    add_shapes(random, &mut schema);
    MethodSchema::decode(&schema.encode()).unwrap()
}

/// Tags and flattened fields, wherever the rules let them be.
fn add_shapes(random: &mut Random, schema: &mut MethodSchema) {
    for index in 0..schema.definitions.len() {
        if let Definition::Enum(def) = &schema.definitions[index] {
            let shapes = [by("type"), by("type").with_content("content")];
            let attributes = random.pick(&shapes);
            let tagged = Definition::Enum(EnumDef { attributes, ..def.clone() });
            keep_if_sound(random, schema, index, tagged);
        }
        for place in 0..20 {
            let mut changed = schema.definitions[index].clone();
            let lists = match &mut changed {
                Definition::Struct(def) => vec![&mut def.fields],
                Definition::Enum(def) => def.variants.iter_mut().filter_map(fields_of).collect(),
            };
            if let Some(field) = lists.into_iter().flatten().nth(place) {
                // With a default, one that is missing and one whose members are all missing would be told apart.
                field.default = None;
                field.attributes = Attributes::new().with_flatten();
                keep_if_sound(random, schema, index, changed);
            }
        }
    }
}

fn by(tag: &str) -> Attributes {
    Attributes::new().with_tag(tag)
}

fn fields_of(variant: &mut Variant) -> Option<&mut Vec<Field>> {
    match &mut variant.shape {
        Shape::Struct(fields) => Some(fields),
        _ => None,
    }
}

fn keep_if_sound(random: &mut Random, schema: &mut MethodSchema, index: usize, definition: Definition) {
    if !random.chance(40) {
        return;
    }
    let before = std::mem::replace(&mut schema.definitions[index], definition);
    if MethodSchema::decode(&schema.encode()).is_err() {
        schema.definitions[index] = before;
    }
}

/// How many members of a JSON object a value of a field is.
fn members(schema: &MethodSchema, field: &Field, value: &Value) -> usize {
    let inside = |ty: &Type, value: &Value| match (ty, value) {
        (Type::Ref(index), Value::Items(items)) => match schema.definition(*index) {
            Some(Definition::Struct(def)) => {
                def.fields.iter().zip(items).map(|(field, item)| members(schema, field, item)).sum()
            }
            _ => 0,
        },
        (_, Value::Map(entries)) => entries.len(),
        _ => 0,
    };
    match (&field.ty, value) {
        (_, Value::Absent) => 0,
        _ if !field.attributes.is_flattened() => 1,
        (Type::Option(ty), Value::Option(Some(value))) => inside(ty, value),
        (ty, value) => inside(ty, value),
    }
}

fn fields(random: &mut Random, index: u32, count: u32) -> Vec<Field> {
    // More than eight sometimes: then names are searched otherwise.
    let most = if random.chance(15) { 14 } else { 5 };
    let fields = random.below(most);
    let mut one = |place: usize| {
        let name = format!("{}{place}", random.pick(&NAMES));
        let ty = match ty(random, index, count, 0) {
            ty if !matches!(ty, Type::Option(_)) && random.chance(15) => presence(ty),
            ty => ty,
        };
        let mut field = field(&name, ty);
        if random.chance(20) {
            field.aliases.push(format!("alias{place}"));
        }
        field
    };
    (0..fields).map(&mut one).collect()
}

fn any_enum(random: &mut Random, index: u32, count: u32) -> Definition {
    let mut variants = vec![variant("Unit", Shape::Unit)];
    for place in 0..random.below(4) {
        let shape = match random.below(4) {
            0 => Shape::Unit,
            1 => Shape::Newtype(ty(random, index, count, 0)),
            2 => Shape::Tuple((0..random.below(4)).map(|_| ty(random, index, count, 0)).collect()),
            _ => Shape::Struct(fields(random, index, count)),
        };
        variants.push(variant(&format!("V{place}"), shape));
    }
    enumeration(variants)
}

/// A definition is referred to directly only from lower ones, so that there are finite values.
fn ty(random: &mut Random, index: u32, count: u32, nesting: usize) -> Type {
    if nesting > 3 || !random.chance(50) {
        return scalar(random, SCALARS.len());
    }
    let any = |random: &mut Random| match random.chance(40) {
        true => Type::Ref(random.below(count as usize) as u32),
        false => ty(random, index, count, nesting + 1),
    };
    match random.below(9) {
        0 | 1 => Type::Option(Box::new(any(random))),
        2 if random.chance(30) => set(any(random)),
        2 => Type::List(Box::new(any(random))),
        3 => {
            let length = random.below(4) as u32;
            Type::Array(Box::new(ty(random, index, count, nesting + 1)), length)
        }
        4 => Type::Tuple((0..random.below(4)).map(|_| ty(random, index, count, nesting + 1)).collect()),
        5 => {
            let key = match random.chance(20) {
                true => Type::Ref(count),
                false => scalar(random, KEYS),
            };
            Type::Map(Box::new(key), Box::new(any(random)))
        }
        6 => Type::Json,
        7 => Type::Unit,
        _ if index + 1 < count => Type::Ref(index + 1 + random.below((count - index - 1) as usize) as u32),
        _ => Type::Ref(count),
    }
}

fn add_defaults(random: &mut Random, schema: &mut MethodSchema) {
    for index in 0..schema.definitions.len() {
        let Definition::Struct(def) = &schema.definitions[index] else {
            continue;
        };
        let defaults: Vec<_> = def
            .fields
            .iter()
            .map(|field| {
                let default = value(random, schema, &field.ty, 1);
                random.chance(25).then(|| bincode_of(schema, &field.ty, &default))
            })
            .collect();
        let Definition::Struct(def) = &mut schema.definitions[index] else {
            continue;
        };
        for (field, default) in def.fields.iter_mut().zip(defaults) {
            field.default = default;
        }
    }
}

pub(crate) fn value(random: &mut Random, schema: &MethodSchema, ty: &Type, budget: usize) -> Value {
    let less = budget.saturating_sub(1);
    match ty {
        Type::Option(inner) => Value::Option(match **inner {
            // `Some(())` has no JSON of its own.
            Type::Unit => None,
            _ if budget == 0 || !random.chance(70) => None,
            _ => match value(random, schema, inner, less) {
                // Nor has `Some(None)`.
                Value::Option(None) => None,
                some => Some(Box::new(some)),
            },
        }),
        Type::Presence(inner) => match random.below(3) {
            0 => Value::Absent,
            // `null` as a value has no JSON of its own.
            1 => Value::Null,
            _ if **inner == Type::Unit => Value::Null,
            _ => Value::Present(Box::new(value(random, schema, inner, less))),
        },
        Type::Logical(Logical::SET, inner) => {
            let Value::Items(items) = value(random, schema, inner, budget) else { panic!("no list") };
            let Type::List(item) = &**inner else { panic!("no list") };
            let mut seen = std::collections::HashSet::new();
            let new = |value: &Value| seen.insert(bincode_of(schema, item, value));
            Value::Items(items.into_iter().filter(new).collect())
        }
        Type::Logical(logical, _) => Value::String(text_value(random, *logical)),
        Type::List(item) => Value::Items(many(random, schema, item, budget)),
        Type::Array(item, n) => Value::Items((0..*n).map(|_| value(random, schema, item, less)).collect()),
        Type::Tuple(types) => Value::Items(types.iter().map(|ty| value(random, schema, ty, less)).collect()),
        Type::Map(key, item) => {
            let mut entries: Vec<(Value, Value)> = Vec::new();
            for content in many(random, schema, item, budget) {
                let key = value(random, schema, key, 0);
                if entries.iter().all(|(other, _)| *other != key) {
                    entries.push((key, content));
                }
            }
            Value::Map(entries)
        }
        Type::Ref(index) => match schema.definition(*index).unwrap() {
            Definition::Struct(def) => Value::Items(
                def.fields.iter().map(|field| field_value(random, schema, field, less)).collect(),
            ),
            Definition::Enum(def) => {
                let number = if budget == 0 { 0 } else { random.below(def.variants.len()) };
                let content = match &def.variants[number].shape {
                    Shape::Struct(fields) => {
                        fields.iter().map(|field| field_value(random, schema, field, less)).collect()
                    }
                    shape => {
                        let types = super::value::content_types(shape);
                        types.into_iter().map(|ty| value(random, schema, ty, less)).collect()
                    }
                };
                Value::Variant(number as u32, content)
            }
        },
        scalar => scalar_value(random, scalar),
    }
}

fn field_value(random: &mut Random, schema: &MethodSchema, field: &Field, budget: usize) -> Value {
    match value(random, schema, &field.ty, budget) {
        // Where it is missing the default is there instead.
        Value::Absent if field.default.is_some() => Value::Null,
        // An option whose members stand beside the others is there if one of them is.
        some @ Value::Option(Some(_))
            if field.attributes.is_flattened() && members(schema, field, &some) == 0 =>
        {
            Value::Option(None)
        }
        value => value,
    }
}

fn many(random: &mut Random, schema: &MethodSchema, item: &Type, budget: usize) -> Vec<Value> {
    let count = match budget {
        0 => 0,
        _ if *item == Type::U8 && random.chance(10) => 300,
        _ => random.below(4),
    };
    (0..count).map(|_| value(random, schema, item, budget - 1)).collect()
}

pub(crate) fn scalar_value(random: &mut Random, ty: &Type) -> Value {
    let signed = |random: &mut Random, bits: u32| {
        let magnitude = random.wide(bits - 1) as i128;
        Value::Signed(if random.chance(50) { magnitude } else { -1 - magnitude })
    };
    match ty {
        Type::Unit => Value::Unit,
        Type::Bool => Value::Bool(random.chance(50)),
        Type::U8 => Value::Unsigned(random.wide(8)),
        Type::U16 => Value::Unsigned(random.wide(16)),
        Type::U32 => Value::Unsigned(random.wide(32)),
        Type::U64 => Value::Unsigned(random.wide(64)),
        Type::U128 => Value::Unsigned(random.wide(128)),
        Type::I8 => signed(random, 8),
        Type::I16 => signed(random, 16),
        Type::I32 => signed(random, 32),
        Type::I64 => signed(random, 64),
        Type::I128 => signed(random, 128),
        Type::F32 => Value::F32(match random.below(4) {
            0 => random.pick(&[0.0, -0.0, 1.0, 0.1, f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, -1e-45]),
            1 => random.below(100_000) as f32 / 100.0,
            _ => Some(f32::from_bits(random.next() as u32)).filter(|v| !v.is_nan()).unwrap_or(f32::NAN),
        }),
        Type::F64 => Value::F64(match random.below(4) {
            0 => random.pick(&[
                0.0,
                -0.0,
                1e21,
                1e22,
                0.1,
                f64::MAX,
                5e-324,
                f64::NEG_INFINITY,
                9007199254740993.0,
            ]),
            1 => random.below(100_000) as f64 / 100.0,
            _ => Some(f64::from_bits(random.next())).filter(|v| !v.is_nan()).unwrap_or(f64::NAN),
        }),
        Type::Char => Value::Char(random.pick(&['a', '"', '\\', '\n', 'é', '日', '🦀', '\u{ffff}'])),
        Type::String => Value::String(random.text()),
        Type::Bytes => Value::Bytes(random.text().into_bytes()),
        Type::Uuid => Value::Uuid(random.wide(128).to_be_bytes()),
        Type::Timestamp => {
            Value::Timestamp(-62_167_219_200 + (random.next() % 315_569_520_000) as i64, sub_second(random))
        }
        Type::Duration => Value::Duration(random.wide(64) as u64, sub_second(random)),
        Type::Ipv4Addr => Value::V4((random.next() as u32).into()),
        Type::Ipv6Addr => Value::V6(random.wide(128).into()),
        Type::IpAddr if random.chance(50) => Value::Ip(std::net::Ipv4Addr::from(random.next() as u32).into()),
        Type::IpAddr => Value::Ip(std::net::Ipv6Addr::from(random.wide(128)).into()),
        _ => Value::String(random.pick(&[
            r#"{"a": [1, 2.50, {"b": null}], "\u0061b": "x\ny"}"#.to_owned(),
            "[]".to_owned(),
            "-0.0e+10".to_owned(),
            r#""text \" here""#.to_owned(),
        ])),
    }
}

fn text_value(random: &mut Random, logical: Logical) -> String {
    match logical {
        Logical::DECIMAL => {
            let (whole, sign) = (random.wide(64), random.pick(&["", "-"]));
            let scale = random.below(40);
            let fraction = format!("{:0>scale$}", random.wide(100));
            match scale {
                0 => format!("{sign}{whole}"),
                _ => format!("{sign}{whole}.{}", &fraction[..scale]),
            }
        }
        Logical::DATE => {
            let days = random.below(3_652_059) as i32 + 1;
            NaiveDate::from_num_days_from_ce_opt(days).unwrap().to_string()
        }
        Logical::TIME if random.chance(20) => "08:30".to_owned(),
        Logical::TIME => {
            let seconds = random.below(86_400) as u32;
            format!(
                "{:?}",
                NaiveTime::from_num_seconds_from_midnight_opt(seconds, sub_second(random)).unwrap()
            )
        }
        Logical::URL => random.pick(&["https://example.com/a?b=\"c\\", "urn:a:b", "file:///x"]).to_owned(),
        _ => random.pick(&["ada@example.com", "o'hara+{x}@a.b-c.d"]).to_owned(),
    }
}

fn sub_second(random: &mut Random) -> u32 {
    let unit = random.pick(&[1, 1_000, 1_000_000, 1_000_000_000]);
    random.below(1_000_000_000) as u32 / unit * unit
}

//! A method and its types in words: what a caller in JSON may write, and what comes back.

use crate::transport::callgate::MethodEntry;
use callgate_protocol::schema::{Definition, Field, Logical, MethodSchema, Type};

/// How deep a type is spelled out. Deeper ones have a name as a rule.
const DEEPEST: usize = 16;

/// `orders.quote(order_id: string, items: [Item]) -> Quote`.
pub(super) fn of(method: &MethodEntry) -> String {
    let schema = &method.schema.method;
    let fields = schema.request_struct().map(|request| request.fields.as_slice()).unwrap_or_default();
    let mut arguments: Vec<String> = fields.iter().map(|field| argument(schema, field)).collect();
    arguments.extend(schema.request_items.as_ref().map(|items| format!("stream {}", words(schema, items))));
    let streams = if method.streams.service { "stream " } else { "" };
    let result = words(schema, &schema.response);
    format!("{}({}) -> {streams}{result}", method.name, arguments.join(", "))
}

fn argument(schema: &MethodSchema, field: &Field) -> String {
    format!("{}{}: {}", field.name, if is_optional(field) { "?" } else { "" }, words(schema, &field.ty))
}

/// Whether a field may be left out.
pub(super) fn is_optional(field: &Field) -> bool {
    field.default.is_some() || matches!(field.ty.understood(), Type::Option(_) | Type::Presence(_))
}

/// A type, in the form that JSON knows it by.
pub(super) fn words(schema: &MethodSchema, ty: &Type) -> String {
    spelled(schema, ty, DEEPEST)
}

fn spelled(schema: &MethodSchema, ty: &Type, left: usize) -> String {
    let Some(left) = left.checked_sub(1) else { return "…".to_owned() };
    let inner = |ty: &Type| spelled(schema, ty, left);
    let all = |types: &[Type]| types.iter().map(inner).collect::<Vec<_>>().join(", ");
    match ty.understood() {
        Type::Unit => "null".to_owned(),
        Type::Ref(index) => match schema.definition(*index) {
            Some(Definition::Struct(def)) => named(&def.name),
            Some(Definition::Enum(def)) => named(&def.name),
            None => "?".to_owned(),
        },
        Type::Option(ty) | Type::Presence(ty) => format!("{} | null", inner(ty)),
        Type::List(ty) => format!("[{}]", inner(ty)),
        Type::Array(ty, length) => format!("[{}; {length}]", inner(ty)),
        Type::Tuple(types) => format!("({})", all(types)),
        Type::Map(key, value) => format!("{{{}: {}}}", inner(key), inner(value)),
        Type::Logical(Logical::SET, ty) => match &**ty {
            Type::List(item) => format!("set of {}", inner(item)),
            other => inner(other),
        },
        Type::Logical(logical, ty) => logical_name(*logical).map_or_else(|| inner(ty), str::to_owned),
        Type::Duration => "duration".to_owned(),
        // `U8` and `IpAddr` are read by everybody as what they are.
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}

fn named(name: &str) -> String {
    if name.is_empty() { "object".to_owned() } else { name.to_owned() }
}

fn logical_name(logical: Logical) -> Option<&'static str> {
    Some(match logical {
        Logical::DECIMAL => "decimal",
        Logical::DATE => "date",
        Logical::TIME => "time",
        Logical::URL => "url",
        Logical::EMAIL => "email",
        _ => return None,
    })
}

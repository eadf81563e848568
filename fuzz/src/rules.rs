//! Rules over a request's arguments and its caller's claims.

use callgate_auth::{Claims, Identity};
use callgate_protocol::schema::{
    Definition, EnumDef, Field, Logical, MethodSchema, Shape, StructDef, Type, Variant,
};
use callgate_rules::{Denied, Program, Rule, Why};
use callgate_transcode::{Layout, RequestBinding, RequestInput, RequestProgram};
use serde_json::Value;
use std::sync::{Arc, LazyLock};

/// A method with arguments of many kinds, all of which may be absent.
static LAYOUT: LazyLock<Arc<Layout>> = LazyLock::new(|| {
    let list = |ty| Type::List(Box::new(ty));
    let text = |logical| Type::Logical(logical, Box::new(Type::String));
    let field = |name: &str, ty| Field::new(name, Type::Option(Box::new(ty)));
    let request = vec![
        field("text", Type::String),
        field("kind", Type::Ref(2)),
        field("kinds", list(Type::Ref(2))),
        field("number", Type::I64),
        field("large", Type::U128),
        field("float", Type::F64),
        field("flag", Type::Bool),
        field("numbers", list(Type::I32)),
        field("texts", list(Type::String)),
        field("price", text(Logical::DECIMAL)),
        field("day", text(Logical::DATE)),
        field("at", Type::Timestamp),
        field("id", Type::Uuid),
        field("any", Type::Json),
        field("inner", Type::Ref(1)),
        Field::new("patch", Type::Presence(Box::new(Type::U8))),
    ];
    let inner = vec![Field::new("a", Type::U8), field("inner", Type::Ref(1)), field("b-c", Type::String)];
    let kinds = vec![
        Variant::new("a", Shape::Unit),
        Variant::new("b", Shape::Unit),
        Variant::new("c", Shape::Newtype(Type::String)),
    ];
    let definitions = vec![
        Definition::Struct(StructDef::new("Request", request)),
        Definition::Struct(StructDef::new("Inner", inner)),
        Definition::Enum(EnumDef::new("Kind", kinds)),
    ];
    let schema = MethodSchema::new(Type::Ref(0), Type::Unit, definitions);
    Arc::new(Layout::new(&schema).expect("the schema is sound"))
});

static REQUEST: LazyLock<RequestProgram> = LazyLock::new(|| {
    RequestProgram::bind(LAYOUT.clone(), &RequestBinding::default()).expect("there is nothing to bind")
});

/// A rule, a body and claims, with a byte 0 between: a rule is read or is a mistake within it; what it says of the body, or of bytes that
/// are no message, its contrary says the other way round, and nothing where it is undecided.
pub fn rules(input: &[u8]) {
    let mut parts = input.splitn(3, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (Ok(text), body, claims) = (std::str::from_utf8(part()), part(), part()) else { return };
    let rule = match Rule::parse(text) {
        Ok(rule) => rule,
        Err(error) => {
            assert!(text.get(error.at.clone()).is_some(), "the place is none of {text:?}: {error:?}");
            assert!(!error.title.is_empty() && !error.to_string().is_empty());
            return;
        }
    };
    for (name, at) in rule.claims() {
        assert!(!name.is_empty() || text.get(at).is_some());
    }
    let program = match Program::bind(LAYOUT.clone(), [&rule]) {
        Ok(program) => program,
        Err(misfit) => {
            let place = text.get(misfit.at.clone());
            assert!(place.is_some() && misfit.rule == 0, "{text:?}: {misfit:?}");
            return;
        }
    };
    let identity = identity(claims);
    // At its bounds a rule has no contrary.
    let contrary = Rule::parse(&format!("!(\n{text}\n)")).ok();
    let contrary =
        contrary.map(|rule| Program::bind(LAYOUT.clone(), [&rule]).expect("the fields are the same"));
    let mut encoded = Vec::new();
    let input = RequestInput { path: &[], query: &[], bound: &[], body, form: &[] };
    let is_message = REQUEST.encode(&input, &mut encoded).is_ok();
    let messages = [Some(body), Some(&encoded[..]).filter(|_| is_message)];
    for message in messages.into_iter().flatten() {
        for identity in [identity.as_ref(), None] {
            let said = program.check(message, identity);
            let Some(contrary) = &contrary else { continue };
            let expected = match &said {
                Ok(()) => Err(Denied { rule: 0, why: Why::NotMet }),
                Err(Denied { why: Why::NotMet, .. }) => Ok(()),
                Err(_) => said.clone(),
            };
            assert_eq!(contrary.check(message, identity), expected, "{text:?} says {said:?}");
        }
    }
}

/// Who has these claims, if they are some.
fn identity(claims: &[u8]) -> Option<Identity> {
    let Ok(Value::Object(claims)) = serde_json::from_slice(claims) else { return None };
    let scopes: Vec<String> = claims
        .get("scope")
        .and_then(Value::as_str)
        .into_iter()
        .flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect();
    Some(Identity::new("ada").with_scopes(scopes).with_claims(Claims::from(claims)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the target would look at nothing.
    #[test]
    fn seeds_are_rules_that_fit_bodies_that_are_messages_and_claims() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/rules");
        let mut fitting = 0;
        for file in std::fs::read_dir(folder).expect("there are seeds") {
            let input = std::fs::read(file.expect("a file").path()).expect("it can be read");
            let parts: Vec<&[u8]> = input.splitn(3, |byte| *byte == 0).collect();
            let [text, body, claims] = parts.as_slice() else { continue };
            let Ok(rule) = Rule::parse(std::str::from_utf8(text).expect("text")) else { continue };
            let input = RequestInput { path: &[], query: &[], bound: &[], body, form: &[] };
            let is_message = REQUEST.encode(&input, &mut Vec::new()).is_ok();
            let fits = Program::bind(LAYOUT.clone(), [&rule]).is_ok();
            fitting += usize::from(is_message && fits && identity(claims).is_some());
        }
        assert!(fitting >= 5, "{fitting}");
    }
}

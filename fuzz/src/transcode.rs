//! What is transcoded: bodies of clients to messages, messages of instances to bodies.

mod document;

use callgate_protocol::check::{self, Reason};
use callgate_protocol::schema::MethodSchema;
use callgate_sdk::{Message, SchemaBuilder};
use callgate_transcode::json::validate;
use callgate_transcode::{
    Constraints, Converter, DecodeError, DecodeReason, ErrorProgram, Layout, MIN_STEP, RequestBinding,
    RequestInput, RequestProgram, ResponseBinding, ResponseProgram, Violation, ViolationKind,
};
use document::Document;
use std::sync::{Arc, LazyLock};

/// The longest body that is asked for.
const MOST: usize = 1 << 20;

/// Both directions of one method that takes and gives a [`Document`].
struct Programs {
    schema: MethodSchema,
    request: RequestProgram,
    response: ResponseProgram,
}

static DOCUMENT: LazyLock<Programs> = LazyLock::new(|| {
    let mut builder = SchemaBuilder::new();
    let document = Document::describe(&mut builder);
    let schema = builder.finish("", document.clone(), document).expect("the type can be described");
    let layout = Arc::new(Layout::new(&schema).expect("the schema is sound"));
    Programs {
        request: RequestProgram::bind(layout.clone(), &RequestBinding::default())
            .expect("its fields are there"),
        response: ResponseProgram::bind(layout, &ResponseBinding::default()).expect("its fields are there"),
        schema,
    }
});

/// What serde_json reads and bincode writes is what we write, but for what docs/json.md says of both; and it comes back as it went.
pub fn json(input: &[u8]) {
    let Programs { schema, request, response } = &*DOCUMENT;
    let ours = encode(request, input);
    let theirs = serde_json::from_slice::<Document>(input);
    let (message, document) = match (ours, theirs) {
        (Ok(message), Ok(document)) => (message, document),
        (Err(_), Err(_)) => return,
        (Ok(_), Err(error)) => {
            let why = error.to_string();
            // We take `-0` for an integer, and nest by another count.
            let differs = input.windows(2).any(|pair| pair == b"-0") || why.contains("recursion limit");
            assert!(differs, "serde_json refuses it: {why}");
            return;
        }
        (Err(violations), Ok(_)) => {
            assert!(violations.iter().any(serde_is_lax), "serde_json takes it: {violations:?}");
            return;
        }
    };
    assert_eq!(in_order(&message), bincode_of(&document), "bincode writes it otherwise");
    assert_eq!(check::value(schema, &schema.request, &message), Ok(()));
    let text = decode(response, &message).expect("what was read can be written");
    let again: Document = serde_json::from_str(&text).expect("it is JSON of the type");
    assert_eq!(bincode_of(&again), in_order(&message), "it comes back as another: {text}");
}

/// The message with the keys of its maps in their order, as bincode writes it. We write them as they come.
fn in_order(message: &[u8]) -> Vec<u8> {
    let read = ::bincode::serde::decode_from_slice::<Document, _>(message, ::bincode::config::standard());
    match read {
        Ok((document, length)) if length == message.len() => bincode_of(&document),
        other => panic!("bincode does not read what we write: {:?}", other.map(|(_, length)| length)),
    }
}

/// What serde_json lets pass: a key of a map twice, deeper nesting, an array for a struct.
fn serde_is_lax(violation: &Violation) -> bool {
    match violation.kind {
        ViolationKind::DuplicateField | ViolationKind::TooDeep => true,
        ViolationKind::WrongType | ViolationKind::UnknownVariant => violation.detail.contains("array"),
        _ => false,
    }
}

/// What bincode reads and serde_json writes is what we write; what bincode refuses, the guard refuses.
pub fn bincode(input: &[u8]) {
    let Programs { schema, response, .. } = &*DOCUMENT;
    let checked = check::value(schema, &schema.response, input).map_err(|error| error.reason);
    let ours = decode(response, input);
    assert_eq!(in_steps(response, input).ok(), ours.clone().ok(), "in steps");
    if let Err(Reason::TooDeep | Reason::DuplicateKey) = checked {
        // The one bincode has no bound for, the other it takes.
        assert!(ours.is_err());
        return;
    }
    // Without a limit it believes lengths, and panics at the largest.
    let config = ::bincode::config::standard().with_limit::<MOST>();
    let theirs = ::bincode::serde::decode_from_slice::<Document, _>(input, config);
    let document = match theirs {
        Ok((document, length)) if length == input.len() => document,
        _ => {
            assert!(checked.is_err() && ours.is_err(), "bincode refuses it");
            return;
        }
    };
    assert_eq!(checked, Ok(()), "bincode takes it");
    let is_written_alike = bincode_of(&document) == input;
    let ours = match ours {
        Ok(ours) => ours,
        // The guard compares keys by their bytes, we by what they are: a number may be written in two ways (docs/protocol.md, "A key twice").
        Err(DecodeError { reason: DecodeReason::DuplicateKey, .. }) if !is_written_alike => return,
        Err(error) => panic!("bincode takes it: {error:?}"),
    };
    let theirs = serde_json::to_string(&document).expect("it can be written");
    if is_written_alike {
        assert_eq!(ours, theirs);
    } else {
        // Written otherwise than bincode does, say with the keys of a map in another order.
        let again: Document = serde_json::from_str(&ours).expect("it is JSON of the type");
        assert_eq!(serde_json::to_string(&again).expect("it can be written"), theirs);
    }
}

/// A schema, with its length in two bytes before it, and a message: what is made of the message by programs of the schema is sound.
pub fn messages(input: &[u8]) {
    let Some((length, rest)) = input.split_first_chunk() else { return };
    let length = usize::from(u16::from_le_bytes(*length));
    let Some((schema, message)) = rest.split_at_checked(length) else { return };
    let Ok(schema) = MethodSchema::decode(schema) else { return };
    let Ok(layout) = Layout::new(&schema).map(Arc::new) else { return };
    if let Ok(program) = ResponseProgram::bind(layout.clone(), &ResponseBinding::default()) {
        let checked = check::value(&schema, &schema.response, message);
        let decoded = decode(&program, message);
        match &decoded {
            Ok(text) => {
                assert_eq!(checked, Ok(()), "the guard refuses it");
                // Nothing is written where the method gives nothing.
                assert!(program.is_empty() || validate(text.as_bytes()).is_ok(), "{text}");
            }
            Err(DecodeError { reason: DecodeReason::Message(_), .. }) => {
                assert!(checked.is_err(), "{decoded:?}")
            }
            Err(_) => {}
        }
        let stepwise = in_steps(&program, message);
        // Each looks at the bound at other places, and notices another thing first where several are wrong.
        if ![&stepwise, &decoded].iter().any(|one| is_too_long(one)) {
            assert_eq!(stepwise.ok(), decoded.ok(), "in steps");
        }
    }
    if let Some(program) = ErrorProgram::bind(layout.clone(), &ResponseBinding::default()) {
        let _ = program.decode(message, MOST);
    }
    if let Ok(program) = RequestProgram::bind(layout, &RequestBinding::default())
        && let Ok(written) = encode(&program, message)
    {
        assert_eq!(
            check::value(&schema, &schema.request, &written),
            Ok(()),
            "the guard refuses what we write"
        );
    }
    if check::value(&schema, &schema.request, message).is_ok() {
        if let Ok(Some(constraints)) = Constraints::of(&schema) {
            let _ = constraints.broken(&schema, message);
        }
        convert(&schema, message);
    }
}

fn is_too_long(decoded: &Result<String, DecodeError>) -> bool {
    matches!(decoded, Err(DecodeError { reason: DecodeReason::TooLong, .. }))
}

/// A message as one of the same schema.
fn convert(schema: &MethodSchema, message: &[u8]) {
    let side = (schema, &schema.request);
    let Ok(converter) = Converter::compile(side, side) else { return };
    let mut out = Vec::new();
    if converter.run(message, &mut out, MOST).is_ok() {
        assert_eq!(
            check::value(schema, &schema.request, &out),
            Ok(()),
            "the guard refuses what was converted"
        );
    }
}

fn encode(program: &RequestProgram, body: &[u8]) -> Result<Vec<u8>, Vec<Violation>> {
    let mut out = Vec::new();
    program.encode(&RequestInput { path: &[], query: &[], bound: &[], body, form: &[] }, &mut out)?;
    Ok(out)
}

fn decode(program: &ResponseProgram, message: &[u8]) -> Result<String, DecodeError> {
    let mut out = Vec::new();
    program.decode_within(message, &mut out, MOST)?;
    Ok(String::from_utf8(out).expect("JSON is UTF-8"))
}

/// Written in steps of the least size, as long bodies are.
fn in_steps(program: &ResponseProgram, message: &[u8]) -> Result<String, DecodeError> {
    let (mut out, mut decoding) = (Vec::new(), program.begin(message));
    loop {
        let done = decoding.advance(&mut out, MIN_STEP)?;
        if out.len() > MOST {
            return Err(DecodeError { offset: 0, reason: DecodeReason::TooLong });
        }
        if done {
            return Ok(String::from_utf8(out).expect("JSON is UTF-8"));
        }
    }
}

fn bincode_of(document: &Document) -> Vec<u8> {
    ::bincode::serde::encode_to_vec(document, ::bincode::config::standard())
        .expect("a message can be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the targets would compare refusals only.
    #[test]
    fn the_seeds_are_taken_in_both_directions() {
        let Programs { request, response, .. } = &*DOCUMENT;
        let bodies: [&[u8]; 3] = [
            include_bytes!("../corpus/json/plain"),
            include_bytes!("../corpus/json/full"),
            include_bytes!("../corpus/json/swap"),
        ];
        for body in bodies {
            assert!(encode(request, body).is_ok() && serde_json::from_slice::<Document>(body).is_ok());
        }
        for message in
            [&include_bytes!("../corpus/bincode/plain")[..], include_bytes!("../corpus/bincode/full")]
        {
            assert!(decode(response, message).is_ok());
        }
    }
}

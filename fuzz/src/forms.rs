//! Forms, as browsers and strangers send them: taken apart, and their fields as a message.

use callgate::routes::query_pairs;
use callgate_http1::{Boundary, FileSearch, LastPart, MultipartError, Parameters, Part};
use callgate_protocol::check;
use callgate_protocol::schema::{Definition, Field, MethodSchema, StructDef, Type};
use callgate_transcode::{Content, FormField, Layout, RequestBinding, RequestInput, RequestProgram};
use std::sync::{Arc, LazyLock};

/// Parameters of a type in the first line, with the boundary, and a body behind it: no part has a line of it that is a boundary, and what is
/// written of the parts is read as the same. In pieces, with its last part as the file that is streamed, it is the form that it is as a whole.
pub fn multipart(input: &[u8]) {
    let line = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (parameters, body) = input.split_at(line);
    let value = [b"multipart/form-data; ", parameters].concat();
    let Ok(boundary) = Boundary::of(Parameters::split(&value).1) else { return };
    let body = body.get(1..).unwrap_or_default();
    let parts = callgate_http1::multipart(body, &boundary);
    in_pieces(body, &boundary, parts.as_deref().ok());
    let Ok(parts) = parts else { return };
    let total: usize = parts.iter().map(|part| part.content.len()).sum();
    assert!(total <= body.len(), "more than there was");
    let again =
        Boundary::of(Parameters::split(b"multipart/form-data; boundary=again").1).expect("a boundary");
    let contains = |part: &Part<'_>| part.content.windows(7).any(|seven| seven == b"--again");
    if parts.iter().any(contains) {
        return;
    }
    let written = written(&parts);
    match callgate_http1::multipart(&written, &again) {
        Ok(read) => assert_eq!(read, parts, "written again it is another"),
        // Escaped and with another boundary a head may be longer.
        Err(MultipartError::HeadTooLarge) => {}
        Err(error) => panic!("written again it is refused: {error}"),
    }
}

/// A form as a whole is known: so is what it must be in pieces.
fn in_pieces(body: &[u8], boundary: &Boundary, whole: Option<&[Part<'_>]>) {
    let last = whole.and_then(<[_]>::split_last);
    let name = last.map_or("f", |(file, _)| &file.name);
    let come = streamed(body, boundary, name);
    match last {
        Some((file, before)) if before.iter().all(|part| part.name != file.name) => {
            let (form, content) = come.expect("the whole is a form");
            assert_eq!(content, file.content, "the file is another one");
            let mut parts = callgate_http1::multipart(&form, boundary).expect("its beginning is one");
            parts.pop();
            assert_eq!(parts, before, "the fields are others");
        }
        Some(_) => assert!(come.is_none(), "its last part is not the first of that name"),
        None => assert!(come.is_none(), "it is no form, or has no parts"),
    }
}

/// The fields of a form, as a form, and the content of its file of that name; in pieces of a size that its length says.
fn streamed(body: &[u8], boundary: &Boundary, name: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let size = 1 + body.len() % 32;
    let mut pieces = body.chunks(size);
    let (mut search, mut form) = (FileSearch::new(boundary, name), Vec::new());
    let begins = loop {
        form.extend_from_slice(pieces.next()?);
        if let Some(begins) = search.find(&form).ok()? {
            break begins;
        }
    };
    let behind = form.split_off(begins);
    let (mut last, mut content) = (LastPart::new(boundary), Vec::new());
    for piece in std::iter::once(behind.as_slice()).chain(pieces) {
        let taken = last.take(piece).ok()?;
        content.extend_from_slice(taken.held);
        content.extend_from_slice(piece.get(taken.content)?);
    }
    last.end().ok()?;
    form.extend_from_slice(&boundary.end());
    Some((form, content))
}

fn written(parts: &[Part<'_>]) -> Vec<u8> {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out = Vec::new();
    for part in parts {
        out.extend(b"--again\r\nContent-Disposition: form-data; name=\"");
        out.extend(quoted(&part.name).bytes());
        if let Some(name) = &part.filename {
            out.extend(b"\"; filename=\"");
            out.extend(quoted(name).bytes());
        }
        out.extend(b"\"\r\n");
        if let Some(kind) = part.content_type {
            out.extend(b"Content-Type: ");
            out.extend(kind);
            out.extend(b"\r\n");
        }
        out.extend(b"\r\n");
        out.extend(part.content);
        out.extend(b"\r\n");
    }
    out.extend(b"--again--");
    out
}

/// A method that takes a field of each kind, by the program of a route that binds nothing.
static PROGRAM: LazyLock<(MethodSchema, RequestProgram)> = LazyLock::new(|| {
    let option = |ty| Type::Option(Box::new(ty));
    let list = |ty| Type::List(Box::new(ty));
    let request = vec![
        Field::new("text", option(Type::String)),
        Field::new("bytes", option(Type::Bytes)),
        Field::new("number", option(Type::I16)),
        Field::new("flag", option(Type::Bool)),
        Field::new("list", option(list(Type::U8))),
        Field::new("inner", option(Type::Ref(1))),
    ];
    let inner = vec![Field::new("name", option(Type::String)), Field::new("n", option(Type::F64))];
    let definitions = vec![
        Definition::Struct(StructDef::new("Request", request)),
        Definition::Struct(StructDef::new("Inner", inner)),
    ];
    let schema = MethodSchema::new(Type::Ref(0), Type::Unit, definitions);
    let layout = Arc::new(Layout::new(&schema).expect("the schema is sound"));
    let program = RequestProgram::bind(layout, &RequestBinding::default()).expect("it binds nothing");
    (schema, program)
});

/// The fields of a form make a message or mistakes with places; and the same texts as parts make the same message, but for bytes, which
/// a part has as they are.
pub fn forms(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(pairs) = query_pairs(text) else { return };
    let texts: Vec<FormField<'_>> = pairs
        .iter()
        .map(|(name, value)| FormField { name: name.clone(), content: Content::Text(value.clone()) })
        .collect();
    let parts: Vec<FormField<'_>> = pairs
        .iter()
        .map(|(name, value)| FormField { name: name.clone(), content: Content::Bytes(value.as_bytes()) })
        .collect();
    let (of_texts, of_parts) = (encoded(&texts), encoded(&parts));
    if pairs.iter().all(|(name, _)| name != "bytes") {
        assert_eq!(of_texts, of_parts, "as parts they are another");
    }
}

fn encoded(form: &[FormField<'_>]) -> Option<Vec<u8>> {
    let (schema, program) = &*PROGRAM;
    let mut out = Vec::new();
    match program.encode(&RequestInput { path: &[], query: &[], bound: &[], body: b"", form }, &mut out) {
        Ok(()) => {
            assert_eq!(
                check::value(schema, &schema.request, &out),
                Ok(()),
                "the guard refuses what we write"
            );
            Some(out)
        }
        Err(violations) => {
            assert!(!violations.is_empty() && violations.iter().all(|one| one.line.is_none()));
            None
        }
    }
}

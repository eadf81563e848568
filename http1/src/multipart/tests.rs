//! Which forms of several parts are read, and that whatever is written as one comes back, however it is made.

use super::*;
use proptest::prelude::*;

fn boundary(text: &str) -> Result<Boundary, MultipartError> {
    Boundary::of(Parameters::split(format!("multipart/form-data; {text}").as_bytes()).1)
}

fn read(body: &str) -> Result<Vec<Part<'_>>, MultipartError> {
    multipart(body.as_bytes(), &boundary("boundary=b").expect("a boundary"))
}

/// A form of one part with these lines before its content.
fn one(head: &str) -> String {
    format!("--b\r\n{head}\r\n\r\nx\r\n--b--\r\n")
}

fn field<'a>(name: &'a str, content: &'a [u8]) -> Part<'a> {
    Part { name: name.into(), filename: None, content_type: None, content }
}

#[test]
fn a_form_is_its_parts_in_their_order() {
    let body = "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\na\r\nb\r\n\
                --b\r\ncontent-disposition:form-data;name=cover;filename=\"x \\\"1\\\".png\"\r\nContent-Type:  image/png \r\nx-more: 1\r\n\r\n\
                \r\n--c\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"\"\r\nContent-Transfer-Encoding: binary\r\n\r\n\r\n--b--";
    let cover = Part {
        filename: Some("x \"1\".png".into()),
        content_type: Some(b"image/png"),
        ..field("cover", b"\r\n--c\r\n")
    };
    let expected = vec![field("title", b"a\r\nb"), cover, field("", b"")];
    assert_eq!(read(body), Ok(expected.clone()));
    assert_eq!(read(&format!("\r\n{body}\r\n")), Ok(expected));
    assert_eq!(read("--b--"), Ok(Vec::new()));
}

#[test]
fn what_no_program_sends_is_refused_with_the_reason() {
    use MultipartError::*;
    let name = "Content-Disposition: form-data; name=a";
    for (body, expected) in [
        (String::new(), Begin),
        ("x".into(), Begin),
        ("x\r\n--b--".into(), Begin),
        ("\r\n\r\n--b--".into(), Begin),
        ("--B--".into(), Begin),
        ("--b".into(), Unended),
        ("--b\r\n".into(), Unended),
        ("--b\r".into(), Unended),
        ("--b-".into(), Unended),
        (format!("--b\r\n{name}\r\n\r\nx"), Unended),
        (format!("--b\r\n{name}\r\n\r\nx\r\n--b"), Unended),
        (format!("--b\r\n{name}\r\n\r\n--b--"), Head),
        (format!("--b\r\n{name}\r\n\r\nx\n--b--"), Unended),
        ("--b\n".into(), BehindBoundary),
        ("--b \r\n".into(), BehindBoundary),
        (format!("--b\r\n{name}\r\n\r\nx\r\n--bc\r\n--b--"), BehindBoundary),
        ("--b--x".into(), BehindEnd),
        ("--b--\r\nx".into(), BehindEnd),
        ("--b--\r\n\r\n".into(), BehindEnd),
        (one("x: 1"), Disposition),
        (one(&format!("{name}\r\n{name}")), Disposition),
        (one("Content-Disposition: attachment; name=a"), Disposition),
        (one("Content-Disposition: form-data; filename=a"), Disposition),
        (one("Content-Disposition: form-data; name=a; Name=b"), Disposition),
        (one("Content-Disposition: form-data; name=a; filename=b; filename=c"), Disposition),
        (one("Content-Disposition: form-data; name=a b"), Disposition),
        (one(&format!("{name}\r\nContent-Type: a/b\r\ncontent-type: c/d")), Head),
        (one(&format!("{name}\r\n folded")), Head),
        (one(&format!("{name}\r\nno colon")), Head),
        (one(&format!("{name}\nx: 1")), Head),
        (one(&format!("{name}\r\nContent-Transfer-Encoding: base64")), TransferEncoding),
        (one(&format!("{name}\r\n{}", "x: 1\r\n".repeat(16).trim_end())), HeadTooLarge),
        (one(&format!("{name}\r\nx: {}", "x".repeat(MAX_PART_HEAD))), HeadTooLarge),
    ] {
        assert_eq!(read(&body), Err(expected), "{body}");
    }
    let not_utf8 = b"--b\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nx\r\n--b--";
    assert_eq!(multipart(not_utf8, &boundary("boundary=b").expect("a boundary")), Err(NotUtf8));
    let part = format!("--b\r\n{name}\r\n\r\n\r\n");
    assert_eq!(read(&format!("{}--b--", part.repeat(MAX_PARTS))).map(|parts| parts.len()), Ok(MAX_PARTS));
    assert_eq!(read(&format!("{}--b--", part.repeat(MAX_PARTS + 1))), Err(TooManyParts));
}

#[test]
fn a_boundary_is_one_parameter_of_few_characters() {
    for good in [
        "boundary=a",
        "x=1; Boundary=\"a b:c\"",
        &format!("boundary={}", "a".repeat(70)),
        "boundary=\"----a'()+_-.1\"",
    ] {
        assert!(boundary(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "x=1",
        "boundary=",
        "boundary=\"\"",
        "boundary=\"a \"",
        "boundary=\"a;b\"",
        "boundary=a; boundary=a",
        "boundary=\"\u{e9}\"",
        "boundary=a; x",
        &format!("boundary={}", "a".repeat(71)),
        "boundary=a*",
    ] {
        assert_eq!(boundary(bad), Err(MultipartError::Boundary), "{bad}");
    }
}

proptest! {
    #[test]
    fn what_is_written_as_a_form_comes_back(
        parts in prop::collection::vec(
            ("[a-z\"\\\\;. \u{e9}]{0,9}", prop::option::of("[a-z\"\\\\/]{0,9}"), prop::collection::vec(any::<u8>(), 0..40)),
            0..6,
        ),
        ends in any::<bool>(),
    ) {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let mut body = Vec::new();
        for (name, filename, content) in &parts {
            let filename = filename.as_ref().map(|name| format!("; filename=\"{}\"", quoted(name)));
            let name = quoted(name);
            body.extend(format!("--b0\r\nContent-Disposition: form-data; name=\"{name}\"{}\r\n\r\n", filename.unwrap_or_default()).bytes());
            body.extend(content);
            body.extend(b"\r\n");
        }
        body.extend(if ends { &b"--b0--\r\n"[..] } else { b"--b0--" });
        prop_assume!(!parts.iter().any(|(.., content)| content.windows(6).any(|six| six == b"\r\n--b0")));
        let read = multipart(&body, &boundary("boundary=b0").expect("a boundary")).expect("a form");
        let read: Vec<_> = read.iter().map(|part| {
            (part.name.to_string(), part.filename.as_ref().map(|name| name.to_string()), part.content.to_vec())
        }).collect();
        prop_assert_eq!(read, parts);
    }

    #[test]
    fn any_bytes_are_read_or_refused(body in "(--b|\r\n|--b--|\r|\n|-|Content-Disposition: form-data; name=a|x: 1|\"|;|\u{e9}){0,20}") {
        if let Ok(parts) = read(&body) {
            prop_assert!(parts.iter().all(|part| part.content.len() < body.len()));
            prop_assert!(parts.iter().all(|part| !part.content.windows(5).any(|five| five == b"\r\n--b")));
        }
    }
}

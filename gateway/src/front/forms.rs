//! Forms: the fields that a body holds whose type says that it is one, and what the parts of it say of themselves.
//!
//! A form has so many fields, because each costs more here than it costs its sender.

use super::media_type::Media;
use crate::config::Outside;
use crate::failure::Failure;
use crate::routes::{BoundTexts, query_pairs};
use callgate_http1::{Boundary, MAX_PARTS, Part, multipart};
use callgate_transcode::{Content, FormField};
use std::borrow::Cow;

/// A form that was read.
pub(super) struct Form<'b> {
    /// Its fields.
    pub(super) fields: Vec<FormField<'b>>,
    /// Its parts, where it has such.
    parts: Vec<Part<'b>>,
}

/// The form that a body is, if its type says that it is one.
#[inline]
pub(super) fn read<'b>(media: &Media, body: &'b [u8]) -> Result<Option<Form<'b>>, Failure> {
    match media {
        Media::Json | Media::Raw | Media::Items(_) | Media::RawItems => Ok(None),
        Media::Urlencoded => urlencoded(body).map(Some),
        Media::Multipart(boundary) => of_parts(body, boundary).map(Some),
        // It is its last part, and its content is not here.
        Media::FormItems(boundary, file) => of_parts(body, boundary).map(|mut form| {
            form.fields.retain(|field| field.name != **file);
            Some(form)
        }),
    }
}

fn urlencoded(body: &[u8]) -> Result<Form<'_>, Failure> {
    let not_utf8 = || Failure::NotUtf8("the form is not UTF-8".into());
    let text = std::str::from_utf8(body).map_err(|_| not_utf8())?;
    if memchr::memchr_iter(b'&', body).take(MAX_PARTS).count() == MAX_PARTS {
        return Err(Failure::MalformedForm("it has more than 1000 fields"));
    }
    let pairs = query_pairs(text).map_err(|_| not_utf8())?;
    let fields = pairs.into_iter().map(|(name, value)| FormField { name, content: Content::Text(value) });
    Ok(Form { fields: fields.collect(), parts: Vec::new() })
}

fn of_parts<'b>(body: &'b [u8], boundary: &Boundary) -> Result<Form<'b>, Failure> {
    let mut parts = multipart(body, boundary).map_err(|error| Failure::MalformedForm(error.detail()))?;
    // What browsers send for a file that nobody has chosen.
    parts.retain(|part| !(part.filename.as_deref() == Some("") && part.content.is_empty()));
    let field =
        |part: &Part<'b>| FormField { name: part.name.clone(), content: Content::Bytes(part.content) };
    Ok(Form { fields: parts.iter().map(field).collect(), parts })
}

impl<'b> Form<'b> {
    /// Puts what its parts say of themselves where the route wants it. Of several parts of a name the first one counts.
    pub(super) fn tell(&self, outside: &[Outside], texts: &mut BoundTexts<'b>) {
        for (outside, text) in outside.iter().zip(texts) {
            let Outside::Part { name, is_filename } = outside else { continue };
            let Some(part) = self.parts.iter().find(|part| part.name == *name) else { continue };
            *text = match is_filename {
                true => part.filename.as_ref().and_then(|name| last_segment(name.clone())),
                false => {
                    part.content_type.and_then(|value| std::str::from_utf8(value).ok()).map(Cow::Borrowed)
                }
            };
        }
    }
}

/// A file's name without the folders that it stands in: with them it could lead whoever writes it elsewhere (RFC 7578, 4.2).
pub(super) fn last_segment(name: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let start = name.rfind(['/', '\\']).map_or(0, |slash| slash + 1);
    let last = match name {
        Cow::Borrowed(name) => Cow::Borrowed(&name[start..]),
        Cow::Owned(name) => Cow::Owned(name[start..].to_owned()),
    };
    (!matches!(&*last, "" | "." | "..")).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_http1::Parameters;

    fn multipart_type() -> Media {
        let boundary = Boundary::of(Parameters::split(b"multipart/form-data; boundary=b").1);
        Media::Multipart(boundary.expect("a boundary"))
    }

    fn told<'b>(media: &Media, body: &'b [u8]) -> Result<Form<'b>, String> {
        let form = read(media, body).map_err(|failure| failure.detail().into_owned())?;
        Ok(form.expect("it is one"))
    }

    #[test]
    fn both_kinds_of_forms_are_their_fields() {
        let form = told(&Media::Urlencoded, b"a=1&b=x+y%26&a=&c").expect("a form");
        let shown: Vec<String> =
            form.fields.iter().map(|field| format!("{}={:?}", field.name, field.content)).collect();
        assert_eq!(shown, ["a=Text(\"1\")", "b=Text(\"x y&\")", "a=Text(\"\")", "c=Text(\"\")"]);
        let body = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n\
            --b\r\nContent-Disposition: form-data; name=none; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n\
            --b\r\nContent-Disposition: form-data; name=file; filename=\"C:\\dir\\x.png\"\r\nContent-Type: image/png\r\n\r\n\xff\r\n\
            --b\r\nContent-Disposition: form-data; name=file; filename=\"../..\"\r\n\r\n\r\n--b--";
        let media = multipart_type();
        let form = told(&media, body).expect("a form");
        let fields: Vec<_> = form.fields.iter().map(|field| (&*field.name, &field.content)).collect();
        let (one, file, none) = (Content::Bytes(b"1"), Content::Bytes(b"\xff"), Content::Bytes(b""));
        assert_eq!(fields, [("a", &one), ("file", &file), ("file", &none)]);
        let part = |name: &str, is_filename| Outside::Part { name: name.to_owned(), is_filename };
        let outside =
            [part("file", true), Outside::Client, part("file", false), part("a", true), part("none", false)];
        let mut texts = vec![None, Some("kept".into()), None, None, None];
        form.tell(&outside, &mut texts);
        assert_eq!(texts, [Some("x.png".into()), Some("kept".into()), Some("image/png".into()), None, None]);
    }

    #[test]
    fn what_is_no_form_is_refused_with_the_reason() {
        assert_eq!(told(&Media::Urlencoded, b"a=\xff").err().as_deref(), Some("the form is not UTF-8"));
        assert_eq!(told(&Media::Urlencoded, b"a=%ff").err().as_deref(), Some("the form is not UTF-8"));
        assert_eq!(
            told(&Media::Urlencoded, "a&".repeat(999).as_bytes()).map(|form| form.fields.len()),
            Ok(999)
        );
        let many = told(&Media::Urlencoded, "a&".repeat(1000).as_bytes()).err();
        assert_eq!(many.as_deref(), Some("the form cannot be read: it has more than 1000 fields"));
        let told = told(&multipart_type(), b"a=1").err();
        assert_eq!(
            told.as_deref(),
            Some("the form cannot be read: it does not begin with the boundary that its Content-Type has")
        );
    }

    #[test]
    fn a_files_name_is_its_last_segment() {
        for (name, expected) in [
            ("a b.txt", Some("a b.txt")),
            ("/etc/passwd", Some("passwd")),
            ("..\\x", Some("x")),
            ("a/..", None),
            ("a/", None),
            ("", None),
            (".", None),
            ("..a", Some("..a")),
        ] {
            assert_eq!(last_segment(name.into()).as_deref(), expected, "{name}");
            assert_eq!(last_segment(name.to_owned().into()).as_deref(), expected, "{name}");
        }
    }
}

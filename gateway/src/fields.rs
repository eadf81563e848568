//! Header fields of requests: the only place that looks them up.
//!
//! A field can come in several lines. RFC 9110, 5.3, allows that for lists only, and one that may not come twice says two
//! things when it does. Whoever takes one of them is deceived when somebody else takes the other: a limit counts one user,
//! and the service behind serves another. So each reader says how it reads: as a single value, for which several lines are an
//! error even if all say the same, or as a list, of which all lines count.

mod name;

pub(crate) use callgate_http1::Lines;
pub(crate) use name::*;

use crate::failure::Failure;
use callgate_http1::Fields;
use name::Form;
use std::borrow::Cow;

/// A field that must have a single value has several. It names the field.
#[derive(Debug, PartialEq)]
pub(crate) struct Repeated<'n>(pub(crate) &'n str);

/// All lines of all fields in their order, for whoever hands them on.
pub(crate) fn all<'h>(fields: Fields<'h>) -> impl Iterator<Item = (&'h str, &'h [u8])> + use<'h> {
    fields.iter()
}

/// The lines of a field.
#[inline]
pub(crate) fn lines<'h>(fields: Fields<'h>, name: &FieldName) -> Lines<'h> {
    match &name.0 {
        Form::Known(known) => fields.known(*known),
        Form::Other(name) => fields.lines(name),
    }
}

/// The only line of a field, whatever it says: for fields whose form is unknown here. A comma in it is part of the value.
pub(crate) fn line<'h, 'n>(
    fields: Fields<'h>,
    name: &'n FieldName,
) -> Result<Option<&'h [u8]>, Repeated<'n>> {
    match lines(fields, name) {
        Lines::None => Ok(None),
        Lines::One(line) => Ok(Some(line)),
        Lines::Several => Err(repeated(name)),
    }
}

/// The only value of a field whose value is never a list. Several lines that were joined on their way are a list.
pub(crate) fn single<'h, 'n>(
    fields: Fields<'h>,
    name: &'n FieldName,
) -> Result<Option<&'h [u8]>, Repeated<'n>> {
    match line(fields, name)? {
        Some(line) if is_list(line) => Err(repeated(name)),
        line => Ok(line),
    }
}

/// The error of a field that has several values in one line.
pub(crate) fn repeated(name: &FieldName) -> Repeated<'_> {
    Repeated(name.shown())
}

/// Each line of a list.
pub(crate) fn each<'h, 'n>(
    fields: Fields<'h>,
    name: &'n FieldName,
) -> impl DoubleEndedIterator<Item = &'h [u8]> + use<'h, 'n> {
    // One of the two is empty: so known names and others give one type.
    let (known, other) = match &name.0 {
        Form::Known(known) => (Some(fields.each_known(*known)), None),
        Form::Other(name) => (None, Some(fields.each(name))),
    };
    known.into_iter().flatten().chain(other.into_iter().flatten())
}

/// The members of a list whose members have no commas. Empty ones are none (RFC 9110, 5.6.1.2).
pub(crate) fn members<'h, 'n>(
    fields: Fields<'h>,
    name: &'n FieldName,
) -> impl Iterator<Item = &'h [u8]> + use<'h, 'n> {
    let members = each(fields, name).flat_map(|line| line.split(|byte| *byte == b','));
    members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// All lines of a list in one, in their order. Only several of them are copied.
pub(crate) fn joined<'h>(fields: Fields<'h>, name: &FieldName, between: &[u8]) -> Option<Cow<'h, [u8]>> {
    match lines(fields, name) {
        Lines::None => None,
        Lines::One(line) => Some(Cow::Borrowed(line)),
        Lines::Several => Some(Cow::Owned(each(fields, name).collect::<Vec<_>>().join(between))),
    }
}

/// A cookie's value (RFC 6265, 4.2.1). Several lines are one, joined with `; ` (RFC 9113, 8.2.3).
pub(crate) fn cookie<'h>(fields: Fields<'h>, name: &str) -> Option<&'h [u8]> {
    let pairs = each(fields, &COOKIE).flat_map(|line| line.split(|byte| *byte == b';'));
    pairs.map(<[u8]>::trim_ascii).find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

/// A value as text, if it is visible ASCII with blanks and tabs between.
pub(crate) fn text(value: &[u8]) -> Option<&str> {
    let is_plain = value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    std::str::from_utf8(value).ok().filter(|_| is_plain)
}

/// Whether there is a comma outside quoted strings (RFC 9110, 5.6.4). A string that does not end quotes nothing.
fn is_list(value: &[u8]) -> bool {
    if !value.contains(&b',') {
        return false;
    }
    let (mut quoted, mut escaped, mut comma) = (false, false, false);
    for byte in value {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => (quoted, comma) = (!quoted, false),
            b',' if !quoted => return true,
            b',' => comma = true,
            _ => {}
        }
    }
    quoted && comma
}

impl From<Repeated<'_>> for Failure {
    fn from(repeated: Repeated<'_>) -> Failure {
        Failure::RepeatedHeader(repeated.0.to_owned())
    }
}

/// A request with these lines, for tests.
#[cfg(test)]
pub(crate) fn request<V: AsRef<[u8]>>(lines: &[(&str, V)]) -> callgate_http1::Request {
    let builder = callgate_http1::RequestBuilder::new(&NAMES, "GET", "/");
    lines.iter().fold(builder, |builder, (name, value)| builder.field(name, value.as_ref())).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_value_is_one_line_and_no_list() {
        let of = |value: Result<Option<&[u8]>, Repeated<'_>>| {
            value
                .map(|value| value.map(|value| String::from_utf8(value.to_vec()).expect("text")))
                .map_err(drop)
        };
        // One that is known, and one that is searched.
        for name in ["x-api-key", "x-a"].map(FieldName::from) {
            for (lines_of, expected_line, expected_single) in [
                (&[][..], Ok(None), Ok(None)),
                (&["a"], Ok(Some("a")), Ok(Some("a"))),
                (&[""], Ok(Some("")), Ok(Some(""))),
                (&["a", "b"], Err(()), Err(())),
                (&["a", "a"], Err(()), Err(())),
                (&["", "a"], Err(()), Err(())),
                (&["a, b"], Ok(Some("a, b")), Err(())),
                (&["a,"], Ok(Some("a,")), Err(())),
                (&["a; b=\"c,d\""], Ok(Some("a; b=\"c,d\"")), Ok(Some("a; b=\"c,d\""))),
                (&["a; b=\"c\\\",d\""], Ok(Some("a; b=\"c\\\",d\"")), Ok(Some("a; b=\"c\\\",d\""))),
                (&["a; b=\"c\", d"], Ok(Some("a; b=\"c\", d")), Err(())),
                (&["a\\\", d"], Ok(Some("a\\\", d")), Err(())),
                (&["a; b=\"c, d"], Ok(Some("a; b=\"c, d")), Err(())),
            ] {
                let own = lines_of.iter().map(|line| (name.as_str(), *line));
                let pairs: Vec<(&str, &str)> = own.chain([("x-b", "other")]).collect();
                let request = request(&pairs);
                let fields = request.fields();
                let owned = |value: Result<Option<&str>, ()>| value.map(|value| value.map(str::to_owned));
                assert_eq!(of(line(fields, &name)), owned(expected_line), "{name} {lines_of:?}");
                assert_eq!(of(single(fields, &name)), owned(expected_single), "{name} {lines_of:?}");
            }
        }
    }

    #[test]
    fn an_error_names_the_field() {
        for (name, shown) in [("x-a", "x-a"), ("content-type", "Content-Type")] {
            let (request, name) = (request(&[(name, "1"), (name, "2")]), FieldName::from(name));
            let repeated = single(request.fields(), &name).expect_err("it has two lines");
            assert_eq!(repeated, Repeated(shown));
            assert!(Failure::from(repeated).detail().contains(shown));
        }
    }

    #[test]
    fn of_a_list_all_lines_count() {
        for name in ["Cookie", "x-a"].map(FieldName::from) {
            let own = name.as_str();
            let lines = [(own, "1, 2"), ("x-b", "no"), (own, ""), (own, ",3 ,")];
            let request = request(&lines);
            let fields = request.fields();
            assert_eq!(members(fields, &name).collect::<Vec<_>>(), [b"1", b"2", b"3"]);
            assert_eq!(joined(fields, &name, b"; ").as_deref(), Some(&b"1, 2; ; ,3 ,"[..]));
            assert!(matches!(joined(fields, &"x-b".into(), b","), Some(Cow::Borrowed(b"no"))));
            assert_eq!(joined(fields, &"x-c".into(), b","), None);
        }
    }

    #[test]
    fn text_is_visible() {
        assert_eq!(text(b"a\tb c~"), Some("a\tb c~"));
        for value in [&b"a\x7f"[..], b"\x1f", "\u{e9}".as_bytes(), b"\xff"] {
            assert_eq!(text(value), None, "{value:?}");
        }
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name_in_any_of_the_headers() {
        let lines = ["a=1; session=abc;b=2", "xsession=no;  c=x=y ; empty=; session=later"];
        let request = request(&lines.map(|line| ("Cookie", line)));
        for (name, expected) in [
            ("session", Some("abc")),
            ("a", Some("1")),
            ("b", Some("2")),
            ("c", Some("x=y")),
            ("empty", Some("")),
            ("sess", None),
            ("d", None),
        ] {
            assert_eq!(cookie(request.fields(), name), expected.map(str::as_bytes), "{name}");
        }
    }
}

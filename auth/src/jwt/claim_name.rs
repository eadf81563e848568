//! Which claim is meant: by its name, or by a JSON Pointer where it lies in others.

use crate::Claims;
use serde_json::Value;
use std::fmt;

/// The name of a claim. With a slash in front it is a JSON Pointer (RFC 6901), of names only: `/realm_access/roles`. Else it is the
/// name of a claim at the top, whatever stands in it: `https://example.com/roles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimName(Box<[Box<str>]>);

impl ClaimName {
    /// Reads it. `None` if it is empty, or no pointer after its slash.
    pub fn parse(text: &str) -> Option<ClaimName> {
        match text.strip_prefix('/') {
            None if text.is_empty() => None,
            None => Some(ClaimName([text.into()].into())),
            Some(pointer) => pointer.split('/').map(unescaped).collect::<Option<Box<[_]>>>().map(ClaimName),
        }
    }

    /// The claim's value, if it is there.
    pub fn of<'c>(&self, claims: &'c Claims) -> Option<&'c Value> {
        claims.at(self.0.iter().map(|name| &**name))
    }
}

fn unescaped(name: &str) -> Option<Box<str>> {
    let known = name.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    known.then(|| name.replace("~1", "/").replace("~0", "~").into())
}

impl fmt::Display for ClaimName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            [name] if !name.starts_with('/') => f.write_str(name),
            names => {
                names.iter().try_for_each(|name| write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    #[test]
    fn a_name_is_at_the_top_and_a_pointer_leads_into_objects() {
        let claims = json!({"a/b": 1, "https://x/y": 2, "a": {"b": 3, "~/": {"": 4}}, "": {"": 5}});
        let claims = Claims::from(serde_json::from_value::<Map<_, _>>(claims).expect("an object"));
        for (text, value) in
            [("a/b", 1), ("https://x/y", 2), ("/a/b", 3), ("/a/~0~1/", 4), ("//", 5), ("/a~1b", 1)]
        {
            let name = ClaimName::parse(text).expect(text);
            assert_eq!(name.of(&claims), Some(&value.into()), "{text}");
            assert_eq!(ClaimName::parse(&name.to_string()), Some(name), "{text}");
        }
        assert!(["", "/a~", "/a~2"].iter().all(|wrong| ClaimName::parse(wrong).is_none()));
    }
}

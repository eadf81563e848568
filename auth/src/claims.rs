//! What is known of a caller beside its name: the claims of a token, as they came, or what a file says of a key.

use serde_json::{Map, Value};

/// Claims by name. A value is what JSON can say; only whoever wants one looks what it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// A claim's value, if it is there: `null` is a value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A claim inside of others: each name but the last is that of an object.
    pub fn at<'n>(&self, path: impl IntoIterator<Item = &'n str>) -> Option<&Value> {
        let mut names = path.into_iter();
        let first = self.get(names.next()?)?;
        names.try_fold(first, |value, name| value.as_object()?.get(name))
    }
}

impl From<Map<String, Value>> for Claims {
    fn from(claims: Map<String, Value>) -> Claims {
        Claims(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_found_inside_of_objects_and_nowhere_else() {
        let json = r#"{"tenant":"acme","realm":{"roles":["a"],"none":null},"":1}"#;
        let claims = Claims::from(serde_json::from_str::<Map<String, Value>>(json).expect("an object"));
        assert_eq!(claims.get("tenant"), Some(&Value::from("acme")));
        assert_eq!(claims.at(["realm", "none"]), Some(&Value::Null));
        assert_eq!(claims.at(["realm", "roles"]).and_then(|roles| roles.get(0)), Some(&Value::from("a")));
        for absent in
            [&["Tenant"] as &[&str], &["tenant", "a"], &["realm", "roles", "0"], &["realm", "x"], &[]]
        {
            assert_eq!(claims.at(absent.iter().copied()), None, "{absent:?}");
        }
    }
}

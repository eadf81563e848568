//! API keys: a file that has the hash of each, and keys that are made so that they are noticed where they do not belong.

use crate::entries::{self, Shape};
use crate::{Denied, Digest, Identity, Mistakes, UnixSeconds};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::sync::Arc;

/// Who has which key. Keys themselves are not in it.
///
/// ```
/// use callgate_auth::{ApiKeys, Denied};
///
/// let keys = ApiKeys::read(r#"
///     [[key]]
///     name = "billing"
///     sha256 = "4ad4f8bdd54ad9d37a1f61df9c9f3edee1b4cc1c78acb4bb3b2ff4a0d68bc3f6"
///     scopes = ["orders:read"]
///     expires = 2027-01-31T00:00:00Z
///     claims = { tenant = "acme" }
/// "#).unwrap();
/// assert_eq!(keys.find(b"guessed", 1_800_000_000).unwrap_err(), Denied::Unknown);
/// ```
pub struct ApiKeys(HashMap<Digest, Arc<Identity>>);

const SHAPE: Shape = Shape { table: "key", proof: "sha256", most: ApiKeys::MAX };

impl ApiKeys {
    /// So many keys there may be.
    pub const MAX: usize = 100_000;

    /// Reads a file: a table `[[key]]` for each, with `name` and `sha256` (64 hexadecimal digits), and maybe with `scopes`, `expires` and `claims`.
    /// Two keys never have one name or one hash. `key = []` is a file without keys.
    pub fn read(file: &str) -> Result<ApiKeys, Mistakes> {
        let (mut keys, mut found) = (HashMap::new(), Vec::new());
        let nothing = Digest::of(b"");
        for entries::Entry { identity, proof } in entries::read(file, SHAPE)? {
            let mut wrong =
                |title, label: &str| found.push(proof.mistake(file, None, title, label.to_owned()));
            match Digest::from_hex(&proof.text).map(|hash| (hash, keys.entry(hash))) {
                None => wrong("this is no SHA-256", "expected 64 hexadecimal digits"),
                Some((hash, _)) if hash == nothing => {
                    wrong("this is the hash of nothing", "anybody has that key")
                }
                Some((_, Entry::Occupied(_))) => wrong("two keys of one hash", "it stands before"),
                Some((_, Entry::Vacant(place))) => drop(place.insert(Arc::new(identity))),
            }
        }
        Mistakes::none_or(file.as_bytes(), found).map(|()| ApiKeys(keys))
    }

    /// Who has that key.
    ///
    /// It is looked up by its hash. How long that takes can tell something of hashes that are there, and nobody finds a key of a hash,
    /// or makes one whose hash begins as another.
    pub fn find(&self, key: &[u8], now: UnixSeconds) -> Result<Arc<Identity>, Denied> {
        let identity = self.0.get(&Digest::of(key)).ok_or(Denied::Unknown)?;
        let expired = identity.expires().is_some_and(|expires| now >= expires);
        if expired { Err(Denied::Expired) } else { Ok(Arc::clone(identity)) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKeys({})", self.len())
    }
}

/// A new key. It is shown once; the file gets its hash.
pub struct NewKey {
    text: String,
}

/// What keys of ours begin with. Tools that look for secrets can know it.
const PREFIX: &str = "cg_";

/// 32 letters and digits, none of which looks like another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// So many letters of a key say what it is, with 5 bits each, and so many are its checksum.
const SAID: usize = 36;
const CHECKSUM: usize = 6;

impl NewKey {
    /// Makes a key of random bytes, which nobody knows: `cg_`, 36 letters of 180 bits, and 6 that are a checksum.
    pub fn of(random: &[u8; SAID]) -> NewKey {
        let letters = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        let said: String = PREFIX.chars().chain(letters).collect();
        let checksum = checksum(&said);
        NewKey { text: said + &checksum }
    }

    /// The key.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What a file has of it.
    pub fn sha256(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }

    /// Whether that is a key that was made here, to the last letter: with a letter changed or lost it is none.
    pub fn is_one(text: &str) -> bool {
        let at = PREFIX.len() + SAID;
        let parts = text.starts_with(PREFIX).then(|| text.split_at_checked(at)).flatten();
        parts.is_some_and(|(said, end)| end == checksum(said))
    }
}

fn checksum(said: &str) -> String {
    let hash = Digest::of(said.as_bytes());
    hash.as_bytes()[..CHECKSUM].iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

/// A key is not printed by the way.
impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewKey({})", self.sha256())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_key_that_was_made_is_found_by_the_hash_in_the_file() {
        let (key, other) = (NewKey::of(&[1; 36]), NewKey::of(&[2; 36]));
        let file = format!(
            "[[key]]\nname = \"billing\"\nsha256 = \"{}\"\nscopes = [\"b\", \"a\"]\nclaims = {{ tenant = \"acme\", level = 3, x = {{ y = [1.5, true] }} }}\n
             [[key]]\nname = \"old\"\nsha256 = \"{}\"\nexpires = 2027-01-15T08:00:00Z",
            key.sha256(),
            other.sha256().to_string().to_uppercase()
        );
        let keys = ApiKeys::read(&file).unwrap();
        let found = keys.find(key.text().as_bytes(), u64::MAX).unwrap();
        assert_eq!((found.name(), found.has_scope("a"), found.expires()), ("billing", true, None));
        assert_eq!(found.claims().at(["x", "y"]), Some(&serde_json::json!([1.5, true])));
        assert_eq!(keys.find(other.text().as_bytes(), 1_799_999_999).unwrap().name(), "old");
        assert_eq!(keys.find(other.text().as_bytes(), 1_800_000_000), Err(Denied::Expired));
        for wrong in [&b""[..], &key.text().as_bytes()[1..], key.sha256().to_string().as_bytes()] {
            assert_eq!(keys.find(wrong, 0), Err(Denied::Unknown));
        }
        assert!(ApiKeys::read("key = []").unwrap().is_empty());
    }

    #[test]
    fn a_key_has_180_bits_and_tells_a_typing_error() {
        let key = NewKey::of(&std::array::from_fn(|at| at as u8 * 7));
        assert_eq!(key.text().len(), 45);
        assert!(NewKey::is_one(key.text()));
        for at in 0..key.text().len() {
            let mut changed = key.text().to_owned();
            changed.replace_range(at..=at, if &changed[at..=at] == "a" { "b" } else { "a" });
            assert!(!NewKey::is_one(&changed), "{changed}");
            assert!(!NewKey::is_one(&key.text()[..at]), "{at}");
        }
        assert!(!NewKey::is_one(&format!("{} ", key.text())));
        assert!(!NewKey::is_one("cg_é"));
        // Each of the 32 letters comes from eight bytes.
        let letters: Vec<char> =
            (0..=255).map(|byte| char::from(ALPHABET[usize::from(byte as u8 % 32)])).collect();
        let each: HashSet<&char> = letters.iter().collect();
        assert_eq!((each.len(), letters.iter().filter(|one| **one == 'a').count()), (32, 8));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_all_of_it_at_once() {
        let hash = Digest::of(b"key").to_string();
        let good = format!("[[key]]\nname = \"a\"\nsha256 = \"{hash}\"\n");
        let nothing = Digest::of(b"");
        for (file, expected) in [
            (String::new(), vec!["there is no `[[key]]`"]),
            ("key = 1".into(), vec!["1:7: `key` must be a list of tables"]),
            ("key = [1]".into(), vec!["1:8: `key` must be a list of tables"]),
            ("[key]\nname = \"a\"".into(), vec!["`key` must be a list"]),
            ("[[keys]]\nname = \"a\"".into(), vec!["1:3: a key that is not known"]),
            ("[[key]\n".into(), vec!["this is no TOML"]),
            (
                "[[key]]\nsha256 = 1\nname = 2\n".into(),
                vec!["2:10: `sha256` must be a text", "3:8: `name` must be a text"],
            ),
            ("[[key]]\n".into(), vec!["1:1: there is no `name`", "1:1: there is no `sha256`"]),
            (
                format!("{good}scope = []\nSHA256 = 1\n"),
                vec!["4:1: a key that is not known", "5:1: a key that is not known"],
            ),
            (format!("{good}scopes = \"a b\"\n"), vec!["4:10: `scopes` must be a list"]),
            (
                format!("{good}scopes = [\"a b\", \"\", 1]\n"),
                vec!["4:11: this is no scope", "4:18: ", "4:22: "],
            ),
            (format!("{good}expires = \"2027-01-31T00:00:00Z\"\n"), vec!["4:11: `expires` must be a date"]),
            (format!("{good}expires = 2027-01-31\n"), vec!["4:11: `expires` must be a date"]),
            (format!("{good}expires = 1800000000\n"), vec!["4:11: `expires` must be a date"]),
            (format!("{good}claims = 1\n"), vec!["4:10: `claims` must be a table"]),
            (format!("{good}claims = {{ a = [1, nan] }}\n"), vec!["4:20: a claim that JSON cannot say"]),
            (format!("{good}claims = {{ a = 2027-01-31 }}\n"), vec!["4:16: a claim that JSON cannot say"]),
            (format!("{good}{good}"), vec!["5:8: two of one name: the first one is in line 2"]),
            (format!("{good}{}", good.replace("\"a\"", "\"b\"")), vec!["6:10: two keys of one hash"]),
            (good.replace("\"a\"", "\"\""), vec!["2:8: this is no name"]),
            (good.replace("\"a\"", "\"a\\nb\""), vec!["2:8: this is no name"]),
            (good.replace(&hash, &hash[1..]), vec!["3:10: this is no SHA-256"]),
            (good.replace(&hash, &nothing.to_string()), vec!["3:10: this is the hash of nothing"]),
        ] {
            let mistakes = ApiKeys::read(&file).unwrap_err().to_string();
            let lines: Vec<&str> = mistakes.lines().collect();
            assert_eq!(lines.len(), expected.len(), "{file}: {mistakes}");
            assert!(
                lines.iter().zip(&expected).all(|(line, part)| line.contains(part)),
                "{file}: {mistakes}"
            );
        }
    }

    #[test]
    fn no_mistake_has_a_word_of_the_file() {
        let secret = "hunter2hunter2";
        for file in [
            secret.to_owned(),
            format!("{secret} = 1"),
            format!("\"{secret}\" = "),
            format!("[[key]]\n{secret} = \"{secret}\"\nname = \"a\"\nsha256 = \"{secret}\""),
            format!("[[key]]\nname = \"{secret}\nsha256 = \"{secret}\""),
            format!("key = [\"{secret}\"]"),
        ] {
            let told = ApiKeys::read(&file).unwrap_err().to_string();
            assert!(!told.contains(secret), "{told}");
        }
    }
}

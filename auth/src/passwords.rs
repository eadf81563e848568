//! Users with passwords: a file that has an Argon2id hash of each, and a check that costs the same whoever asks.

mod phc;

use crate::entries::{self, Shape};
use crate::{Denied, Digest, Identity, Mistakes, UnixSeconds};
use phc::Phc;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Who has which password.
pub struct Passwords {
    users: Box<[User]>,
    by_name: HashMap<Box<str>, usize>,
    /// Known to nobody who does not have the file.
    secret: Digest,
}

struct User {
    identity: Arc<Identity>,
    hash: Phc,
}

const SHAPE: Shape = Shape { table: "user", proof: "password", most: Passwords::MAX };

impl Passwords {
    /// So many users there may be.
    pub const MAX: usize = 10_000;

    /// No password is longer, in bytes.
    pub const MAX_PASSWORD: usize = 1024;

    /// Reads a file: a table `[[user]]` for each, with `name` and `password` (a PHC string of Argon2id, such as
    /// `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`), and maybe with `scopes`, `expires` and `claims`.
    ///
    /// A hash that is cheaper than OWASP recommends is a mistake: 7 MiB of memory at least, and 35,000 KiB times passes. So is one that costs
    /// too much for a gateway: more than 256 MiB, 16 passes, 4 lanes or 1 GiB times passes.
    pub fn read(file: &str) -> Result<Passwords, Mistakes> {
        let (mut users, mut by_name, mut found) = (Vec::new(), HashMap::new(), Vec::new());
        for entries::Entry { identity, proof } in entries::read(file, SHAPE)? {
            match Phc::parse(&proof.text) {
                Ok(hash) => {
                    by_name.insert(identity.name().into(), users.len());
                    users.push(User { identity: Arc::new(identity), hash });
                }
                Err((part, label)) => {
                    found.push(proof.mistake(file, Some(part), "this is no hash of a password", label));
                }
            }
        }
        Mistakes::none_or(file.as_bytes(), found)?;
        Ok(Passwords { users: users.into(), by_name, secret: Digest::of(file.as_bytes()) })
    }

    /// Who that is. It takes tens of milliseconds and up to [`Passwords::memory`] bytes, whether there is such a user or not: it is called
    /// where it holds nobody up, by a few at a time.
    pub fn verify(&self, user: &str, password: &[u8], now: UnixSeconds) -> Result<Arc<Identity>, Denied> {
        if password.len() > Passwords::MAX_PASSWORD {
            return Err(Denied::Unknown);
        }
        let known = self.by_name.get(user).map(|at| &self.users[*at]);
        // For a name that nobody has the work is that of some user, always of the same one for the same name.
        let decoy = self.decoy(user);
        let right = known.or(decoy).is_some_and(|user| user.hash.is_of(password));
        match known {
            Some(User { identity, .. }) if right => match identity.expires() {
                Some(expires) if now >= expires => Err(Denied::Expired),
                _ => Ok(Arc::clone(identity)),
            },
            _ => Err(Denied::Unknown),
        }
    }

    fn decoy(&self, name: &str) -> Option<&User> {
        let hash = Digest::of_parts([self.secret.as_bytes().as_slice(), name.as_bytes()]);
        let number = hash.as_bytes().iter().take(6).fold(0, |number, byte| number * 256 + usize::from(*byte));
        self.users.get(number.checked_rem(self.users.len())?)
    }

    /// So many bytes of memory one call of [`Passwords::verify`] takes at most.
    pub fn memory(&self) -> usize {
        self.users.iter().map(|user| user.hash.memory()).max().unwrap_or_default()
    }

    /// How many users there are.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// What a file has of a password: its hash with 19 MiB and two passes (as OWASP recommends), under a salt that is random.
    pub fn hash(password: &[u8], salt: &[u8; 16]) -> String {
        Phc::of(password, salt).to_string()
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Passwords({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cheapest that is taken, by the reference implementation's own tool: `echo -n secret | argon2 somesalt -id -k 7168 -t 5 -p 1`.
    fn file(hash: &str) -> String {
        format!(
            "[[user]]\nname = \"ada\"\npassword = \"{hash}\"\nscopes = [\"a\"]\nexpires = 2027-01-15T08:00:00Z\n"
        )
    }

    #[test]
    fn a_user_is_let_in_by_its_password_until_it_expires() {
        let users = Passwords::read(&file(&Passwords::hash(b"secret", b"0123456789abcdef"))).unwrap();
        let found = users.verify("ada", b"secret", 0).unwrap();
        assert_eq!((found.name(), found.has_scope("a")), ("ada", true));
        assert_eq!(users.verify("ada", b"secret", 1_800_000_000), Err(Denied::Expired));
        assert_eq!(users.verify("ada", b"Secret", 1_800_000_000), Err(Denied::Unknown), "nobody learns when");
        for (user, password) in [("ada", &b""[..]), ("Ada", b"secret"), ("", b"secret"), ("eve", b"secret")] {
            assert_eq!(users.verify(user, password, 0), Err(Denied::Unknown), "{user}");
        }
        assert_eq!(users.memory(), 19_456 * 1024);
    }

    /// For a user that is not there the work is that of one that is: the same hash is computed, and thrown away.
    #[test]
    fn a_name_that_nobody_has_is_as_much_work_as_one_that_somebody_has() {
        let hash = Passwords::hash(b"secret", b"0123456789abcdef");
        let two = file(&hash) + &file(&hash).replace("ada", "bob");
        let users = Passwords::read(&two).unwrap();
        let names: Vec<String> = (0..64).map(|at| format!("user{at}")).collect();
        let decoys: Vec<_> =
            names.iter().map(|name| users.decoy(name).unwrap().identity.name().to_owned()).collect();
        assert!(decoys.contains(&"ada".to_owned()) && decoys.contains(&"bob".to_owned()));
        let again = names.iter().map(|name| users.decoy(name).unwrap().identity.name().to_owned());
        assert!(again.eq(decoys), "another work for the same name would tell that it is nobody's");
        assert_eq!(
            users.verify("user0", b"secret", 0),
            Err(Denied::Unknown),
            "a decoy's password is of no use"
        );
        let nobody = Passwords::read("user = []").unwrap();
        assert_eq!((nobody.verify("ada", b"", 0), nobody.memory()), (Err(Denied::Unknown), 0));
    }

    #[test]
    fn a_hash_that_will_not_do_is_told_with_its_place() {
        let good = Passwords::hash(b"secret", b"0123456789abcdef");
        assert!(good.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        for (from, to, place) in
            [("argon2id", "argon2i", "3:14: "), ("m=19456", "m=7000", "3:28: "), ("$", "?", "3:13: ")]
        {
            let told = Passwords::read(&file(&good.replacen(from, to, 1))).unwrap_err().to_string();
            assert!(told.starts_with(place), "{told}");
            assert!(!told.contains(&good[32..60]), "{told}");
        }
        assert!(Passwords::read(&file("secret")).is_err());
        let twice = file(&good).repeat(2);
        assert!(Passwords::read(&twice).unwrap_err().to_string().contains("two of one name"));
    }
}

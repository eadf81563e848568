//! The names that are found while a head is parsed: those that its owner reads of most requests, and those that say how the message
//! is framed. One look into a small table finds both.

/// How many names an owner can give.
const MOST: usize = 32;
/// More than twice as many as names, so that most looks end at the first slot and all of them end.
const SLOTS: usize = 128;
const FREE: u8 = u8::MAX;

/// What a field means to the parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Host,
    ContentLength,
    TransferEncoding,
    Connection,
    Expect,
}

const ROLES: [(&str, Role); 5] = [
    ("host", Role::Host),
    ("content-length", Role::ContentLength),
    ("transfer-encoding", Role::TransferEncoding),
    ("connection", Role::Connection),
    ("expect", Role::Expect),
];

/// One of the known names: its place in the list that they were made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known(pub u8);

/// Names that are found while a head is parsed. At most 32, of lower case letters, digits and hyphens. Made once.
#[derive(Debug)]
pub struct KnownNames {
    /// The owner's names, then those of roles that the owner has not named.
    entries: [Entry; MOST + ROLES.len()],
    /// Which entry; a hash of the name says where to look first.
    slots: [u8; SLOTS],
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    name: &'static str,
    found: Found,
}

/// What is known of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The owner's number for it.
    pub(crate) known: Option<Known>,
    pub(crate) role: Option<Role>,
}

impl KnownNames {
    /// These. Usable in a `static`.
    ///
    /// # Panics
    /// If there are more than 32, or one is there twice, or has other bytes than lower case letters, digits and hyphens.
    pub const fn new(names: &'static [&'static str]) -> KnownNames {
        assert!(names.len() <= MOST, "at most 32 names are known");
        let nothing = Entry { name: "", found: Found { known: None, role: None } };
        let mut made = KnownNames { entries: [nothing; MOST + ROLES.len()], slots: [FREE; SLOTS] };
        let mut at = 0;
        while at < names.len() {
            assert!(is_plain(names[at]), "known names have lower case letters, digits and hyphens");
            let found = Found { known: Some(Known(at as u8)), role: role_of(names[at]) };
            made.insert(at, Entry { name: names[at], found });
            at += 1;
        }
        let mut role = 0;
        while role < ROLES.len() {
            let (name, its) = ROLES[role];
            if !made.has(name) {
                made.insert(at, Entry { name, found: Found { known: None, role: Some(its) } });
                at += 1;
            }
            role += 1;
        }
        made
    }

    const fn insert(&mut self, at: usize, entry: Entry) {
        assert!(!self.has(entry.name), "a known name is there twice");
        self.entries[at] = entry;
        let mut slot = hash(entry.name.as_bytes());
        while self.slots[slot] != FREE {
            slot = (slot + 1) % SLOTS;
        }
        self.slots[slot] = at as u8;
    }

    const fn has(&self, name: &str) -> bool {
        let mut at = 0;
        while at < self.entries.len() {
            if same(self.entries[at].name, name) {
                return true;
            }
            at += 1;
        }
        false
    }

    /// What is known of a name, whatever its case. It has to be a token.
    pub(crate) fn find(&self, name: &[u8]) -> Option<Found> {
        let mut slot = hash(name);
        // There always is a free slot: names take less than half of them.
        while self.slots[slot] != FREE {
            let entry = &self.entries[self.slots[slot] as usize];
            if is_sent_as(entry.name.as_bytes(), name) {
                return Some(entry.found);
            }
            slot = (slot + 1) % SLOTS;
        }
        None
    }
}

/// Of the length and of the bytes at both ends. Case does not count.
const fn hash(name: &[u8]) -> usize {
    let (Some(first), Some(last)) = (name.first(), name.last()) else {
        return 0;
    };
    let (first, last) = ((*first | 0x20) as usize, (*last | 0x20) as usize);
    (name.len().wrapping_mul(3) ^ first.wrapping_mul(5) ^ last.wrapping_mul(11)) % SLOTS
}

const fn role_of(name: &str) -> Option<Role> {
    let mut at = 0;
    while at < ROLES.len() {
        if same(ROLES[at].0, name) {
            return Some(ROLES[at].1);
        }
        at += 1;
    }
    None
}

const fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

const fn is_plain(name: &str) -> bool {
    let bytes = name.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'-') {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty()
}

/// Whether a known name was sent as this token, whatever its case. Setting a bit makes letters of lower case and leaves digits and
/// hyphens what they are. No other byte of a token becomes one of these.
fn is_sent_as(known: &[u8], sent: &[u8]) -> bool {
    const LOWER: u64 = u64::from_le_bytes([0x20; 8]);
    if known.len() != sent.len() {
        return false;
    }
    let (known_words, known_rest) = known.as_chunks::<8>();
    let (sent_words, sent_rest) = sent.as_chunks::<8>();
    let mut words = known_words.iter().zip(sent_words);
    let mut rest = known_rest.iter().zip(sent_rest);
    words.all(|(known, sent)| u64::from_le_bytes(*known) == u64::from_le_bytes(*sent) | LOWER)
        && rest.all(|(known, sent)| *known == *sent | 0x20)
}

#[cfg(test)]
mod tests {
    use super::*;

    static NAMES: KnownNames = KnownNames::new(&["x-request-id", "host", "accept"]);

    #[test]
    fn names_are_found_whatever_their_case() {
        let role = |role| Some(Found { known: None, role: Some(role) });
        let known = |at| Some(Found { known: Some(Known(at)), role: None });
        for (name, found) in [
            ("X-Request-Id", known(0)),
            ("HOST", Some(Found { known: Some(Known(1)), role: Some(Role::Host) })),
            ("accept", known(2)),
            ("Content-Length", role(Role::ContentLength)),
            ("transfer-Encoding", role(Role::TransferEncoding)),
            ("connection", role(Role::Connection)),
            ("expect", role(Role::Expect)),
            ("x-request-ie", None),
            ("x", None),
            ("", None),
            ("accepts", None),
        ] {
            assert_eq!(NAMES.find(name.as_bytes()), found, "{name}");
        }
    }

    #[test]
    fn names_of_one_hash_are_told_apart() {
        static ALIKE: [&str; 4] = ["aba", "aca", "ada", "aea"];
        assert!(ALIKE.iter().all(|name| hash(name.as_bytes()) == hash(b"aba")));
        let names = KnownNames::new(&ALIKE);
        for (at, name) in ALIKE.iter().enumerate() {
            assert_eq!(names.find(name.as_bytes()).and_then(|it| it.known), Some(Known(at as u8)));
        }
        assert_eq!(names.find(b"afa"), None);
    }

    #[test]
    fn lists_that_cannot_be_known_are_refused_when_they_are_made() {
        for names in [&["a", "b", "a"][..], &["A"], &["a_b"], &["\u{e9}"], &[""], &["a"; 33]] {
            let names = names.to_vec().leak();
            assert!(std::panic::catch_unwind(|| KnownNames::new(names)).is_err(), "{names:?}");
        }
    }

    #[test]
    fn as_many_names_as_allowed_are_all_found() {
        static LETTERS: [&str; 32] = [
            "a0", "b0", "c0", "d0", "e0", "f0", "g0", "h0", "i0", "j0", "k0", "l0", "m0", "n0", "o0", "p0",
            "q0", "r0", "s0", "t0", "u0", "v0", "w0", "x0", "y0", "z0", "a1", "b1", "c1", "d1", "e1", "f1",
        ];
        let names = KnownNames::new(&LETTERS);
        for (at, name) in LETTERS.iter().enumerate() {
            assert_eq!(names.find(name.as_bytes()).and_then(|it| it.known), Some(Known(at as u8)));
        }
        assert_eq!(names.find(b"expect").and_then(|it| it.role), Some(Role::Expect));
    }
}

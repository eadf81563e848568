//! The PHC string of an Argon2id hash: read strictly, with bounds on what it costs to check a password by it.

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::fmt;
use std::ops::{Range, RangeInclusive};

/// The hash of a password, with all that it takes to make it again.
pub(super) struct Phc {
    params: Params,
    salt: Box<[u8]>,
    hash: Box<[u8]>,
}

/// In KiB.
const MEMORY: RangeInclusive<u32> = 7 * 1024..=256 * 1024;
const PASSES: RangeInclusive<u32> = 1..=16;
const LANES: RangeInclusive<u32> = 1..=4;
/// Memory times passes, in KiB: what it costs whoever guesses, and whoever checks.
const WORK: RangeInclusive<u32> = 35_000..=1024 * 1024;
const SALT: RangeInclusive<usize> = 8..=64;
const HASH: RangeInclusive<usize> = 16..=64;

/// The part of the string that is wrong, and why.
type Wrong = (Range<usize>, String);

impl Phc {
    /// Reads `$argon2id$v=19$m=KIB,t=PASSES,p=LANES$SALT$HASH`.
    pub(super) fn parse(text: &str) -> Result<Phc, Wrong> {
        const FORM: &str = "expected `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`";
        let all = |why: &str| (0..text.len(), why.to_owned());
        let mut parts = Parts { text, at: 0 };
        if parts.next() != Some(0..0) {
            return Err(all(FORM));
        }
        let mut part = || parts.next().ok_or_else(|| all(FORM));
        let (kind, version, costs, salt, hash) = (part()?, part()?, part()?, part()?, part()?);
        if parts.next().is_some() {
            return Err(all(FORM));
        }
        if &text[kind.clone()] != "argon2id" {
            return Err((kind, "expected `argon2id`: Argon2i and Argon2d are not taken".to_owned()));
        }
        if &text[version.clone()] != "v=19" {
            return Err((version, "expected `v=19`".to_owned()));
        }
        let [memory, passes, lanes] = of_costs(text, costs.clone())?;
        let (salt, hash) = (bytes(text, salt, SALT)?, bytes(text, hash, HASH)?);
        let params = Params::new(memory, passes, lanes, Some(hash.len()));
        let params = params.map_err(|error| (costs, error.to_string()))?;
        Ok(Phc { params, salt, hash })
    }

    /// The hash of a password under a salt, with what OWASP recommends: 19 MiB, two passes, one lane.
    pub(super) fn of(password: &[u8], salt: &[u8; 16]) -> Phc {
        let phc = Phc { params: Params::DEFAULT, salt: Box::new(*salt), hash: Box::new([0; 32]) };
        let hash = phc.hash_of(password).expect("these costs and this salt are in bounds");
        Phc { hash, ..phc }
    }

    /// Whether it is the hash of that password. Which bytes of it are, takes no time to tell.
    pub(super) fn is_of(&self, password: &[u8]) -> bool {
        self.hash_of(password).is_some_and(|hash| verify_slices_are_equal(&hash, &self.hash).is_ok())
    }

    /// So many bytes of memory a check takes.
    pub(super) fn memory(&self) -> usize {
        self.params.block_count() * 1024
    }

    fn hash_of(&self, password: &[u8]) -> Option<Box<[u8]>> {
        let mut hash = vec![0; self.hash.len()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        argon2.hash_password_into(password, &self.salt, &mut hash).ok()?;
        Some(hash.into())
    }
}

/// What lies between dollars.
struct Parts<'t> {
    text: &'t str,
    at: usize,
}

impl Parts<'_> {
    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let rest = self.text.get(start..)?;
        let end = start + rest.find('$').unwrap_or(rest.len());
        self.at = end + 1;
        Some(start..end)
    }
}

/// `m=…,t=…,p=…`, in this order.
fn of_costs(text: &str, part: Range<usize>) -> Result<[u32; 3], Wrong> {
    let form = || (part.clone(), "expected `m=…,t=…,p=…`".to_owned());
    let costs: Vec<&str> = text[part.clone()].split(',').collect();
    let [memory, passes, lanes] = costs[..] else { return Err(form()) };
    let mut at = part.start;
    let mut number = |cost: &str, name: &str, bounds: RangeInclusive<u32>| {
        let here = at..at + cost.len();
        at = here.end + 1;
        let number = cost.strip_prefix(name).and_then(|rest| rest.strip_prefix('='));
        let number: u32 =
            number.filter(|text| is_plain(text)).and_then(|text| text.parse().ok()).ok_or_else(form)?;
        let wrong = || (here, format!("expected `{name}` from {} to {}", bounds.start(), bounds.end()));
        bounds.contains(&number).then_some(number).ok_or_else(wrong)
    };
    let memory = number(memory, "m", MEMORY)?;
    let (passes, lanes) = (number(passes, "t", PASSES)?, number(lanes, "p", LANES)?);
    if !WORK.contains(&memory.saturating_mul(passes)) {
        let label = format!("expected `m` times `t` from {} to {}", WORK.start(), WORK.end());
        return Err((part.start..part.start + costs[0].len() + costs[1].len() + 1, label));
    }
    Ok([memory, passes, lanes])
}

/// Digits, of which the first is no zero.
fn is_plain(number: &str) -> bool {
    !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn bytes(text: &str, part: Range<usize>, length: RangeInclusive<usize>) -> Result<Box<[u8]>, Wrong> {
    let bytes =
        STANDARD_NO_PAD.decode(&text[part.clone()]).ok().filter(|bytes| length.contains(&bytes.len()));
    let expected = format!("expected {} to {} bytes in base64 without padding", length.start(), length.end());
    bytes.map(Vec::into_boxed_slice).ok_or((part, expected))
}

impl fmt::Display for Phc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (memory, passes, lanes) = (self.params.m_cost(), self.params.t_cost(), self.params.p_cost());
        let (salt, hash) = (STANDARD_NO_PAD.encode(&self.salt), STANDARD_NO_PAD.encode(&self.hash));
        write!(f, "$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${hash}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT_AND_HASH: &str = "$c29tZXNhbHQ$MDEyMzQ1Njc4OWFiY2RlZg";

    #[test]
    fn a_string_is_read_as_it_is_written() {
        for costs in ["m=19456,t=2,p=1", "m=7168,t=5,p=1", "m=262144,t=4,p=4", "m=65536,t=16,p=1"] {
            let text = format!("$argon2id$v=19${costs}{SALT_AND_HASH}");
            let phc = Phc::parse(&text).unwrap_or_else(|why| panic!("{text}: {why:?}"));
            assert_eq!(phc.to_string(), text);
        }
    }

    #[test]
    fn what_is_none_or_costs_too_little_or_too_much_is_refused() {
        let good = format!("$argon2id$v=19$m=19456,t=2,p=1{SALT_AND_HASH}");
        for (from, to) in [
            ("$argon2id", "argon2id"),
            ("argon2id", "argon2d"),
            ("argon2id", "Argon2id"),
            ("v=19", "v=16"),
            ("$v=19", ""),
            ("m=19456", "m=7167"),
            ("m=19456", "m=262145"),
            ("m=19456", "m=4294967296"),
            ("m=19456", "m=019456"),
            ("m=19456", "m=+19456"),
            ("m=19456", "m="),
            ("t=2", "t=1"),
            ("t=2", "t=0"),
            ("t=2", "t=17"),
            ("m=19456,t=2", "m=131072,t=9"),
            ("p=1", "p=0"),
            ("p=1", "p=5"),
            ("m=19456,t=2,p=1", "t=2,m=19456,p=1"),
            ("p=1", "p=1,keyid=AAAA"),
            ("p=1", "p=1,data=AAAA"),
            ("p=1", ""),
            ("$c29tZXNhbHQ", "$c29t"),
            ("$c29tZXNhbHQ", ""),
            ("$c29tZXNhbHQ", "$c29tZXNhbHR"),
            ("MDEyMzQ1Njc4OWFiY2RlZg", "MDEyMzQ1Njc4OWFiY2Rl"),
            ("MDEyMzQ1Njc4OWFiY2RlZg", "MDEyMzQ1Njc4OWFiY2RlZg=="),
            ("MDEyMzQ1Njc4OWFiY2RlZg", "MDEyMzQ1Njc4OWFiY2RlZg$"),
        ] {
            let text = good.replacen(from, to, 1);
            assert_ne!(text, good);
            let (part, _) = Phc::parse(&text).err().unwrap_or_else(|| panic!("{text}"));
            assert!(text.get(part.clone()).is_some(), "{text}: {part:?}");
        }
        for text in ["", "$", "$$$$$", "$2b$12$abcdefghijklmnopqrstuv", "{SHA}x", "$argon2id$é$é$é$é"] {
            assert!(Phc::parse(text).is_err(), "{text}");
        }
    }
}

//! Which coding a client prefers, by its `Accept-Encoding` (RFC 9110, 12.5.3).

use super::Coding;

/// A weight of 1, in thousandths.
const MOST: u16 = 1000;

/// What a client says of codings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Preference {
    /// The coding that it likes best; `None` where it likes none, or rather takes a body as it is.
    pub coding: Option<Coding>,
    /// It takes no body as it is.
    pub refuses_identity: bool,
}

impl Preference {
    /// That of the members of the field. What is no member says nothing. A client without the field takes a body as it is.
    pub fn of<'a>(members: impl Iterator<Item = &'a [u8]>) -> Preference {
        let (mut weights, mut identity, mut others) = ([None; Coding::ALL.len()], None, None);
        for (name, weight) in members.filter_map(member) {
            let is = |own: &str| name.eq_ignore_ascii_case(own);
            // Before HTTP/1.1 was done, gzip had another name.
            let of_coding = Coding::ALL.iter().position(|coding| is(coding.name()));
            let of_coding = of_coding.or_else(|| is("x-gzip").then_some(Coding::Gzip as usize));
            let place = match of_coding {
                Some(at) => &mut weights[at],
                None if is("identity") => &mut identity,
                None if is("*") => &mut others,
                None => continue,
            };
            *place = Some(weight);
        }
        let mut best: Option<(Coding, u16)> = None;
        for (coding, weight) in Coding::ALL.into_iter().zip(weights) {
            let weight = weight.or(others).unwrap_or_default();
            if weight > best.map_or(0, |(_, weight)| weight) {
                best = Some((coding, weight));
            }
        }
        Preference {
            coding: best
                .filter(|(_, weight)| *weight >= identity.unwrap_or_default())
                .map(|(coding, _)| coding),
            refuses_identity: identity.or(others) == Some(0),
        }
    }
}

/// A member's name and its weight, in thousandths. `None` if it is none.
fn member(text: &[u8]) -> Option<(&str, u16)> {
    let text = std::str::from_utf8(text).ok()?;
    let (name, parameter) = text.split_once(';').map_or((text, None), |(name, rest)| (name, Some(rest)));
    let weight = match parameter {
        None => MOST,
        Some(parameter) => {
            let (key, value) = parameter.trim().split_once('=')?;
            if !key.eq_ignore_ascii_case("q") {
                return None;
            }
            weight(value)?
        }
    };
    Some((name.trim(), weight))
}

/// `0.5`, `1`, `0`, `1.000`: up to three digits behind the point, and 1 at most.
fn weight(text: &str) -> Option<u16> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if !matches!(whole, "0" | "1") || part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let weight = format!("{whole}{part:0<3}").parse().ok()?;
    (weight <= MOST).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Coding::{Brotli, Gzip, Zstd};

    fn of(text: &str) -> Preference {
        Preference::of(
            text.split(',').map(|member| member.trim().as_bytes()).filter(|member| !member.is_empty()),
        )
    }

    #[test]
    fn the_coding_is_the_one_that_the_client_likes_best_and_of_equals_ours() {
        for (text, coding) in [
            ("", None),
            ("gzip", Some(Gzip)),
            ("GZip", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("deflate", None),
            ("gzip, deflate, br, zstd", Some(Zstd)),
            ("gzip, deflate, br", Some(Brotli)),
            ("gzip;q=1.0, br;q=0.9", Some(Gzip)),
            ("gzip; q=0.5 , br;q=0.500, zstd;Q=0.4", Some(Brotli)),
            ("gzip;q=0", None),
            ("gzip;q=0.000, br", Some(Brotli)),
            ("gzip;q=0.001", Some(Gzip)),
            ("*", Some(Zstd)),
            ("*;q=0.1", Some(Zstd)),
            ("zstd;q=0, *", Some(Brotli)),
            ("*;q=0", None),
            ("*;q=0, gzip;q=0.2", Some(Gzip)),
            ("identity", None),
            ("identity, gzip;q=0.5", None),
            ("identity;q=0.5, gzip;q=0.5", Some(Gzip)),
            ("identity;q=0, gzip;q=0.1", Some(Gzip)),
            ("gzip;q=2, br;q=x, zstd;q=0.1234", None),
            ("gzip;level=9", None),
            ("gzip;q=, br", Some(Brotli)),
            ("\u{e9}, gzip", Some(Gzip)),
        ] {
            assert_eq!(of(text).coding, coding, "{text}");
        }
        assert_eq!(Preference::of([&b"\xff"[..], b"br"].into_iter()).coding, Some(Brotli));
    }

    #[test]
    fn a_client_can_refuse_a_body_as_it_is() {
        for (text, refuses) in [
            ("", false),
            ("gzip", false),
            ("identity;q=0", true),
            ("*;q=0", true),
            ("*;q=0, identity;q=0.5", false),
            ("*, identity;q=0", true),
        ] {
            assert_eq!(of(text).refuses_identity, refuses, "{text}");
        }
    }
}

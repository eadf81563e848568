//! What looks nearly like a token: dots, blanks, padding, other alphabets, and JSON that is none or says a thing twice.

use crate::signers::{ISSUER, base64url, signed, with_signature};
use crate::{Hostile, asked, claims, good, header, raw, token, verify};
use callgate_auth::jwt::Refused::{Algorithm, Malformed, Signature, TooLong};
use serde_json::{Value, json};

/// `{"sub":"??>"}`, of which base64 needs its own letters.
const STANDARD_CLAIMS: &str = "eyJzdWIiOiI/Pz4ifQ";

pub(crate) fn hostile() -> Vec<Hostile> {
    let good = good();
    let parts: Vec<&str> = good.split('.').collect();
    let (head, body, signature) = (parts[0], parts[1], parts[2]);
    let mut all: Vec<Hostile> = Vec::new();
    let mut malformed = |name, text: String| all.push((name, text.into_bytes(), Malformed));
    malformed("nothing", String::new());
    malformed("one dot", ".".into());
    malformed("two dots", "..".into());
    malformed("three dots", "...".into());
    malformed("no signature and no dot", format!("{head}.{body}"));
    malformed("a fourth part", format!("{good}.{signature}"));
    malformed("an empty fourth part", format!("{good}."));
    malformed("the five parts of an encrypted token", format!("{head}.{body}.{body}.{body}.{signature}"));
    malformed("a dot in front", format!(".{good}"));
    malformed("two dots in a row", format!("{head}..{body}.{signature}"));
    malformed("no header", format!(".{body}.{signature}"));
    malformed("a blank in front", format!(" {good}"));
    malformed("a blank behind", format!("{good} "));
    malformed("a line's end behind", format!("{good}\n"));
    malformed("NUL in front", format!("\0{good}"));
    malformed("NUL behind", format!("{good}\0"));
    malformed("the scheme in front", format!("Bearer {good}"));
    malformed("in quotes", format!("\"{good}\""));
    malformed("two tokens with a comma", format!("{good},{good}"));
    malformed("a byte order mark", format!("\u{feff}{good}"));
    malformed("a dot that is none", good.replacen('.', "\u{ff0e}", 1));
    malformed("a letter that looks alike", format!("\u{435}{}", &good[1..]));
    malformed("percent-encoded dots", good.replace('.', "%2E"));
    malformed("padding of the signature", format!("{good}=="));
    malformed("padding of the header", format!("{}=.{body}.{signature}", base64url(b"{\"alg\":\"RS256\"} ")));
    malformed("the alphabet of base64", format!("{head}.{body}.{}+/", &signature[2..]));
    malformed("the last bits of the signature", last_bits(&good));
    malformed("a signature of one letter", format!("{head}.{body}.A"));
    malformed(
        "JSON instead of parts",
        json!({"payload": body, "protected": head, "signature": signature}).to_string(),
    );
    // Signed as they stand, so that only the reading of base64url can refuse them.
    let signed_as_it_stands =
        |text: String| with_signature(&text, &ISSUER.sign("RS256", text.as_bytes())).into_bytes();
    for (name, text) in [
        ("a line's end within the claims", format!("{head}.{}\n{}", &body[..8], &body[8..])),
        ("a tab before the claims", format!("{head}.\t{body}")),
        (
            "padding of the claims",
            format!("{head}.{}=", base64url(&[claims().to_string().as_bytes(), b" "].concat())),
        ),
        ("the alphabet of base64 in the claims", format!("{head}.{}", STANDARD_CLAIMS)),
    ] {
        all.push((name, signed_as_it_stands(text), Malformed));
    }
    all.push(("bytes that are no text", [good.as_bytes(), b"\xff\xfe"].concat(), Malformed));
    all.push(("no signature", format!("{head}.{body}.").into_bytes(), Signature));
    all.push(("longer than tokens may be", vec![b'a'; 8 * 1024 + 1], TooLong));
    let padded = claims_of_length(9000);
    all.push(("a good token that is longer than tokens may be", padded.into_bytes(), TooLong));
    all.extend(json_of_headers());
    all.extend(json_of_claims());
    all
}

/// The same bytes by another text: bits that stand for nothing are set.
fn last_bits(token: &str) -> String {
    let mut bytes = token.to_owned().into_bytes();
    let last = bytes.last_mut().unwrap();
    assert!(b"AQgw".contains(last), "256 bytes leave four bits");
    *last += 1;
    String::from_utf8(bytes).unwrap()
}

fn claims_of_length(length: usize) -> String {
    token(&header("RS256"), &crate::with(claims(), "padding", "x".repeat(length)))
}

fn json_of_headers() -> Vec<Hostile> {
    let of = |name, header: &[u8], refused| -> Hostile {
        (name, raw("RS256", header, claims().to_string().as_bytes()).into_bytes(), refused)
    };
    let deep = format!(r#"{{"alg":"RS256","x":{}{}}}"#, "[".repeat(2000), "]".repeat(2000));
    let bomb = format!(r#"{{"alg":"RS256","x":{}"#, "{\"a\":".repeat(1000));
    vec![
        of("a header that is a list", br#"["RS256"]"#, Malformed),
        of("a header that is a text", br#""RS256""#, Malformed),
        of("a header that is null", b"null", Malformed),
        of("an empty header", b"", Malformed),
        of("a header that is cut", br#"{"alg":"RS256""#, Malformed),
        of("a header with more behind it", br#"{"alg":"RS256","kid":"r"}{}"#, Malformed),
        of("a header with a comment", br#"{"alg":"RS256"/* */}"#, Malformed),
        of("a header that is no UTF-8", b"{\"alg\":\"RS256\",\"x\":\"\xff\"}", Malformed),
        of("a header with a byte order mark", "\u{feff}{\"alg\":\"RS256\"}".as_bytes(), Malformed),
        of("a deep header", deep.as_bytes(), Malformed),
        of("a header that is deep and never ends", bomb.as_bytes(), Malformed),
        of("two algorithms", br#"{"alg":"none","alg":"RS256","kid":"r"}"#, Malformed),
        of("two algorithms, one escaped", br#"{"alg":"RS256","\u0061lg":"none","kid":"r"}"#, Malformed),
        of("two keys", br#"{"alg":"RS256","kid":"r","kid":"e"}"#, Malformed),
        of("no algorithm", br#"{"typ":"JWT","kid":"r"}"#, Malformed),
        of("an algorithm in capital letters", br#"{"ALG":"RS256","kid":"r"}"#, Malformed),
        of("an algorithm that is null", br#"{"alg":null,"kid":"r"}"#, Malformed),
        of("an algorithm that is a number", br#"{"alg":256,"kid":"r"}"#, Malformed),
        of("a list of algorithms", br#"{"alg":["RS256"],"kid":"r"}"#, Malformed),
        of("an algorithm with NUL", br#"{"alg":"RS256\u0000","kid":"r"}"#, Algorithm),
    ]
}

fn json_of_claims() -> Vec<Hostile> {
    let of = |name, claims: &[u8]| -> Hostile {
        (name, raw("RS256", header("RS256").to_string().as_bytes(), claims).into_bytes(), Malformed)
    };
    let text = claims().to_string();
    let open = &text[..text.len() - 1];
    vec![
        of("no claims", b""),
        of("claims that are a list", b"[]"),
        of("claims that are a text", b"\"ada\""),
        of("claims in an object of claims twice", format!("{text}{text}").as_bytes()),
        of("claims that are cut", open.as_bytes()),
        of("two ends", format!("{open},\"exp\":1}}").as_bytes()),
        of("two ends, one escaped", format!("{open},\"e\\u0078p\":9999999999}}").as_bytes()),
        of("two audiences, of which one is meant", format!("{open},\"aud\":\"other\"}}").as_bytes()),
        of("two issuers", format!("{{\"iss\":\"https://evil.example\",{}", &text[1..]).as_bytes()),
        of(
            "a thing twice, further in",
            format!("{open},\"act\":{{\"sub\":\"a\",\"sub\":\"b\"}}}}").as_bytes(),
        ),
        of("claims that are no UTF-8", [open.as_bytes(), b",\"x\":\"\xc3\x28\"}"].concat().as_slice()),
        of("half of a surrogate pair", format!("{open},\"x\":\"\\ud800\"}}").as_bytes()),
        of("an end beyond all numbers", text.replace(&(crate::NOW + 300).to_string(), "1e999").as_bytes()),
        of("an end that is not a number", text.replace(&(crate::NOW + 300).to_string(), "NaN").as_bytes()),
        of("deep claims", format!("{open},\"x\":{}{}}}", "[".repeat(2000), "]".repeat(2000)).as_bytes()),
        of("a token within a token", crate::good().as_bytes()),
    ]
}

#[test]
fn a_token_may_be_as_long_as_is_said_and_no_longer() {
    let token = claims_of_length(3000);
    let asked = |max_len| callgate_auth::jwt::Asked { max_len, ..asked() };
    assert!(verify(asked(token.len()), token.as_bytes()).is_ok());
    assert_eq!(verify(asked(token.len() - 1), token.as_bytes()).unwrap_err(), TooLong);
}

#[test]
fn a_token_that_is_changed_anywhere_does_not_pass() {
    let (keys, expected) = (crate::keys(), callgate_auth::jwt::Expected::new(asked()).unwrap());
    let header: Value = json!({"alg": "ES256", "kid": "e"});
    let good = token(&header, &claims()).into_bytes();
    let passes = |token: &[u8]| {
        callgate_auth::jwt::verify(&keys, &expected, &Default::default(), token, crate::NOW).is_ok()
    };
    assert!(passes(&good));
    for at in 0..good.len() {
        for change in [1, 0x20, 0x80] {
            let mut changed = good.clone();
            changed[at] ^= change;
            assert!(!passes(&changed), "byte {at} by {change}");
        }
        assert!(!passes(&good[..at]), "cut at {at}");
        assert!(!passes(&[&good[..at], &good[at + 1..]].concat()), "without byte {at}");
    }
    let (signed_by_hand, signature) = crate::signers::split(std::str::from_utf8(&good).unwrap());
    assert_eq!(signed_by_hand, signed(header.to_string().as_bytes(), claims().to_string().as_bytes()));
    assert!(passes(with_signature(signed_by_hand, &signature).as_bytes()));
}

//! What a stranger or an operator can make large, at one size and at twice that: tokens, and the files of who may call.
#![allow(clippy::unwrap_used)]

use callgate_auth::jwt::{self, Algorithm, Asked, Expected, Keys, Revoked};
use callgate_auth::{ApiKeys, Digest, Passwords};
use callgate_scaling::{Case, Cost, cost, grow_like_their_input};

/// A token that nobody has signed, with a header that has these members too.
fn refused(members: &str) -> Cost {
    let secret = Keys::from_secret(&[7; 32]).unwrap();
    let asked = Asked { max_len: Asked::MAX_LEN, ..Asked::by([Algorithm::Hs256]) };
    let expected = Expected::new(asked).unwrap();
    let token = format!("{}.e30.AAAA", base64url(&format!("{{\"alg\":\"HS256\",{members}\"end\":0}}")));
    cost(|| assert!(jwt::verify(&secret, &expected, &Revoked::default(), token.as_bytes(), 0).is_err()))
}

fn base64url(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

fn many(n: usize, each: impl Fn(usize) -> String) -> String {
    (0..n).map(each).collect()
}

fn keys(n: usize) -> String {
    many(n, |at| {
        format!(
            "[[key]]\nname = \"key {at}\"\nsha256 = \"{}\"\nscopes = [\"a\"]\n",
            Digest::of(&at.to_be_bytes())
        )
    })
}

#[test]
fn memory_grows_like_what_is_read() {
    let cases: [Case; 8] = [
        ("members of a header", 1_000, |n| refused(&many(n, |at| format!("\"{at}\":{at},")))),
        ("a text in a header", 10_000, |n| refused(&format!("\"x\":\"{}\",", "x".repeat(n)))),
        ("lists in a header", 1_000, |n| refused(&format!("\"x\":[{}0],", "[[]],".repeat(n)))),
        ("API keys", 500, |n| {
            let file = keys(n);
            cost(|| assert_eq!(ApiKeys::read(&file).unwrap().len(), n))
        }),
        ("mistakes among API keys", 500, |n| {
            let file = keys(n).replace("scopes", "scope");
            cost(|| assert_eq!(ApiKeys::read(&file).unwrap_err().iter().len(), 100))
        }),
        ("users of one name", 500, |n| {
            let file = "[[user]]\nname = \"a\"\npassword = \"\"\n".repeat(n);
            cost(|| assert_eq!(Passwords::read(&file).unwrap_err().iter().len(), 100))
        }),
        ("revoked tokens", 2_000, |n| {
            let list = many(n, |at| format!("jti {at}\n"));
            cost(|| assert_eq!(Revoked::read(list.as_bytes()).unwrap().len(), n))
        }),
        ("lines that revoke nothing", 2_000, |n| {
            let list = many(n, |at| format!("{at}\n"));
            cost(|| assert_eq!(Revoked::read(list.as_bytes()).unwrap_err().iter().len(), 100))
        }),
    ];
    grow_like_their_input(&cases);
}

//! Tokens and their keys, made by Python and openssl; and files that are replaced as a whole.

use crate::Setup;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Values of `Authorization` with tokens of these claims.
pub async fn tokens(algorithm: &str, key: &Path, claims: &[Value]) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/jwt.py");
    let mut python = Command::new("python3")
        .arg(script)
        .args([algorithm.as_ref(), key.as_os_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 is there");
    let lines: String = claims.iter().map(|claims| format!("{claims}\n")).collect();
    python.stdin.take().expect("a pipe").write_all(lines.as_bytes()).await.expect("it reads");
    let output = python.wait_with_output().await.expect("it ends");
    assert!(output.status.success());
    let tokens = String::from_utf8(output.stdout).expect("text");
    tokens.lines().map(|token| format!("Bearer {token}")).collect()
}

/// The same of one.
pub async fn token(algorithm: &str, key: &Path, claims: Value) -> String {
    tokens(algorithm, key, &[claims]).await.remove(0)
}

/// A pair of RSA keys, made by openssl: the private one, and the public one.
pub async fn rsa(setup: &Setup, name: &str) -> (PathBuf, PathBuf) {
    let (private, public) = (setup.file(&format!("{name}.key")), setup.file(&format!("{name}.pem")));
    let generate = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    openssl(&generate, &[("-out", &private)]).await;
    openssl(&["pkey", "-pubout"], &[("-in", &private), ("-out", &public)]).await;
    (private, public)
}

/// A public RSA key, whose exponent is the usual one, as an entry of a JWK set.
pub async fn jwk(public: &Path, kid: &str) -> Value {
    let told = openssl(&["rsa", "-pubin", "-noout", "-modulus"], &[("-in", public)]).await;
    let hex = told.trim().strip_prefix("Modulus=").expect("a modulus");
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect();
    let n = base64url(&bytes);
    serde_json::json!({ "kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": n, "e": "AQAB" })
}

async fn openssl(arguments: &[&str], files: &[(&str, &Path)]) -> String {
    let mut command = Command::new("openssl");
    command.args(arguments);
    for (option, file) in files {
        command.arg(option).arg(file);
    }
    let output = command.output().await.expect("openssl is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let group =
            three.iter().enumerate().fold(0, |group, (at, byte)| group | u32::from(*byte) << (16 - 8 * at));
        text.extend((0..=three.len()).map(|at| char::from(DIGITS[(group >> (18 - 6 * at)) as usize & 63])));
    }
    text
}

/// Puts a file in the place of one of that name, at once.
pub fn write(setup: &Setup, name: &str, text: &str) -> PathBuf {
    let (path, new) = (setup.file(name), setup.file(&format!(".{name}.new")));
    std::fs::write(&new, text).expect("it can be written");
    std::fs::rename(&new, &path).expect("it can be renamed");
    path
}

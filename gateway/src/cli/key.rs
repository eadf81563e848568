//! `callgate key`: makes an API key, which is shown once, and what a file has of it; or hashes a password. Nothing of them is kept.

use super::Failure;
use super::json::{self, Output};
use aws_lc_rs::rand;
use callgate_auth::{NewKey, Passwords};
use clap::{Args, Subcommand};
use serde_json::json;
use std::fmt::Write;
use std::io::{self, BufRead, Read};

/// So many bytes of standard input are read at most: more than a password has.
const MOST_READ: u64 = 4096;

pub(super) const EXAMPLES: &str = "\
Examples:
  callgate key new billing --scope orders:read    an API key, and what its file has of it
  callgate key new billing --json | jq -r .key    the key alone
  callgate key password ada < password.txt        what a file of users has of a password";

/// What is done with API keys.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Key {
    /// Make an API key, and show it once
    ///
    /// The first line is the key, for whoever is to call with it. The lines below are for the file of an authenticator of type
    /// "api_key": they have its hash, of which nobody finds the key. The key itself is kept nowhere.
    New(New),
    /// Hash a password for a file of users
    ///
    /// The password is the first line of standard input. What is printed is for the file of an authenticator of type "basic".
    Password(Password),
}

/// Whose password it is.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Password {
    /// Who logs in with it
    pub name: String,
    /// How it is said
    #[command(flatten)]
    pub output: Output,
}

/// Whose key it is.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct New {
    /// Who calls with it
    pub name: String,
    /// A scope that it has; may be given several times
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// When it ends, such as 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
    /// How it is said
    #[command(flatten)]
    pub output: Output,
}

pub(super) fn run(key: &Key) -> Result<String, Failure> {
    match key {
        Key::New(new) => made(new, &NewKey::of(&random()?)),
        Key::Password(Password { name, output }) => {
            let mut line = String::new();
            let read = io::stdin().lock().take(MOST_READ).read_line(&mut line);
            read.map_err(|error| Failure::NotAsked(format!("no password can be read: {error}")))?;
            hashed(name, line.trim_end_matches(['\r', '\n']), &random()?, *output)
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut random = [0; N];
    let filled = rand::fill(&mut random);
    filled.map(|()| random).map_err(|_| Failure::NotAsked("there are no random numbers".to_owned()))
}

fn hashed(name: &str, password: &str, salt: &[u8; 16], output: Output) -> Result<String, Failure> {
    if password.is_empty() || password.len() > Passwords::MAX_PASSWORD {
        let why = format!("a password has 1 to {} bytes", Passwords::MAX_PASSWORD);
        return Err(Failure::NotAsked(why));
    }
    let hash = Passwords::hash(password.as_bytes(), salt);
    let lines = format!("[[user]]\nname = {}\npassword = \"{hash}\"", quoted(name));
    Passwords::read(&lines).map_err(|mistakes| Failure::NotAsked(mistakes.to_string()))?;
    match output.json {
        true => Ok(json::text(&json!({ "name": name, "password": hash, "lines": lines }))),
        false => Ok(lines),
    }
}

fn made(new: &New, key: &NewKey) -> Result<String, Failure> {
    let mut lines = format!("[[key]]\nname = {}\nsha256 = \"{}\"", quoted(&new.name), key.sha256());
    // Writing to memory does not fail.
    if !new.scopes.is_empty() {
        let scopes: Vec<String> = new.scopes.iter().map(|scope| quoted(scope)).collect();
        let _ = write!(lines, "\nscopes = [{}]", scopes.join(", "));
    }
    if let Some(expires) = &new.expires {
        let _ = write!(lines, "\nexpires = {expires}");
    }
    // So that what is printed is taken where it is put.
    callgate_auth::ApiKeys::read(&lines).map_err(|mistakes| Failure::NotAsked(mistakes.to_string()))?;
    if !new.output.json {
        return Ok(format!("{}\n\n{lines}", key.text()));
    }
    Ok(json::text(&json!({
        "key": key.text(),
        "name": new.name,
        "sha256": key.sha256().to_string(),
        "scopes": new.scopes,
        "expires": new.expires,
        "lines": lines,
    })))
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(name: &str, scopes: &[&str], expires: Option<&str>) -> New {
        New {
            name: name.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            expires: expires.map(str::to_owned),
            output: Output::default(),
        }
    }

    #[test]
    fn a_key_is_shown_with_the_lines_that_know_it() {
        let printed =
            run(&Key::New(new("bil\"ling", &["a", "b"], Some("2027-01-31T00:00:00Z")))).expect("a key");
        let (key, lines) = printed.split_once("\n\n").expect("two parts");
        assert!(NewKey::is_one(key) && !lines.contains(key));
        let keys = callgate_auth::ApiKeys::read(lines).expect("a sound file");
        let found = keys.find(key.as_bytes(), 0).expect("it is known");
        assert_eq!(
            (found.name(), found.has_scope("b"), found.expires()),
            ("bil\"ling", true, Some(1_801_353_600))
        );
        let again = run(&Key::New(new("x", &[], None))).expect("a key");
        assert_ne!(again.split_once('\n').map(|(key, _)| key), Some(key));
    }

    #[test]
    fn a_password_is_hashed_and_not_shown() {
        let lines = hashed("ada", "a secret", &[7; 16], Output::default()).expect("a hash");
        assert!(!lines.contains("a secret"));
        let users = Passwords::read(&lines).expect("a sound file");
        assert_eq!(users.verify("ada", b"a secret", 0).expect("it is right").name(), "ada");
        assert!(
            hashed("ada", "", &[7; 16], Output::default()).is_err()
                && hashed("", "x", &[7; 16], Output::default()).is_err()
        );
    }

    #[test]
    fn programs_are_told_the_same_in_members() {
        let output = Output { json: true };
        let asked = New { output, ..new("billing", &["a"], Some("2027-01-31T00:00:00Z")) };
        let told = run(&Key::New(asked)).expect("a key");
        let told: serde_json::Value = serde_json::from_str(&told).expect("a document");
        let keys = callgate_auth::ApiKeys::read(told["lines"].as_str().unwrap()).expect("a sound file");
        assert!(
            keys.find(told["key"].as_str().unwrap().as_bytes(), 0).is_ok_and(|found| found.has_scope("a"))
        );
        assert_eq!(told["expires"], "2027-01-31T00:00:00Z");
        assert_eq!(told["scopes"], json!(["a"]));
        assert!(told["lines"].as_str().unwrap().contains(told["sha256"].as_str().unwrap()));
        let told = hashed("ada", "a secret", &[7; 16], output).expect("a hash");
        let told: serde_json::Value = serde_json::from_str(&told).expect("a document");
        assert!(Passwords::read(told["lines"].as_str().unwrap()).is_ok());
        assert!(told["lines"].as_str().unwrap().contains(told["password"].as_str().unwrap()));
    }

    #[test]
    fn lines_that_no_file_would_take_are_not_printed() {
        for new in [new("", &[], None), new("a", &["a b"], None), new("a", &[], Some("tomorrow"))] {
            assert!(matches!(run(&Key::New(new)), Err(Failure::NotAsked(_))));
        }
    }
}

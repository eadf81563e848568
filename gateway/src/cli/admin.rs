//! The admin port of a gateway that runs, as commands ask it: where it is, and with which token.

use super::failure::Failure;
use crate::admin::ask;
use clap::Args;
use serde_json::Value;

/// Where the token is.
const TOKEN: &str = "CALLGATE_ADMIN_TOKEN";

/// Whom to ask.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct AdminPort {
    /// The gateway's admin port
    #[arg(
        long = "admin",
        value_name = "URL",
        env = "CALLGATE_ADMIN",
        default_value = "http://127.0.0.1:8081"
    )]
    pub url: String,
}

impl AdminPort {
    /// What is answered there to a question, as JSON.
    pub(super) fn ask(&self, path: &str, question: &Value) -> Result<Value, Failure> {
        let answer = ask::post(&self.url, path, token().as_deref(), question.to_string().into_bytes());
        serde_json::from_slice(&answer.map_err(Failure::NotAsked)?)
            .map_err(|error| Failure::NotAsked(format!("{}: its answer cannot be read: {error}", self.url)))
    }
}

/// A page of the port at that URL.
pub(super) fn page(url: &str, path: &str) -> Result<Vec<u8>, Failure> {
    ask::page(url, path, token().as_deref()).map_err(Failure::NotAsked)
}

fn token() -> Option<String> {
    std::env::var(TOKEN).ok()
}

//! A service that says who calls, for the tests of authenticators that ask one. It writes each question down, and each that nobody waits
//! for any more.

use callgate_sdk::{Context, Message, Server, Status, service};
use clap::Parser;
use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

/// Somebody who is known.
#[derive(Message, serde::Serialize, serde::Deserialize, Default)]
struct Person {
    name: String,
    scopes: Vec<String>,
    claims: BTreeMap<String, String>,
}

/// What a badge says, and no name.
#[derive(Message, serde::Serialize, serde::Deserialize)]
struct Badge {
    number: u32,
}

#[service]
trait Identity {
    /// Who shows that, from there; nobody where it is unknown.
    async fn check(
        &self,
        cx: &Context,
        token: Option<String>,
        session: Option<String>,
        address: Option<String>,
        area: Option<String>,
    ) -> Result<Option<Person>, Status>;

    /// An answer that does not say who somebody is.
    async fn badge(&self, token: String) -> Result<Badge, Status>;
}

#[derive(Parser)]
struct Options {
    /// Where to listen.
    #[arg(long)]
    listen: String,
    /// Where a line is added for each question.
    #[arg(long)]
    notes: PathBuf,
}

struct Register(File);

impl Register {
    fn note(&self, line: &str) {
        // In one write. A note that cannot be written shows as missing.
        let _ = (&self.0).write_all(format!("{line}\n").as_bytes());
    }
}

/// Notes a question that nobody waits for any more.
struct Left<'r>(&'r Register);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        self.0.note("left");
    }
}

impl Identity for Register {
    async fn check(
        &self,
        cx: &Context,
        token: Option<String>,
        session: Option<String>,
        address: Option<String>,
        area: Option<String>,
    ) -> Result<Option<Person>, Status> {
        let said = [&token, &session, &address, &area].map(|text| text.as_deref().unwrap_or("-"));
        self.note(&said.join(" "));
        let named = |name: &str| Some(Person { name: name.to_owned(), ..Person::default() });
        Ok(match token.or(session).as_deref() {
            Some("ada") => {
                let claims = BTreeMap::from([("tenant".to_owned(), "acme".to_owned())]);
                Some(Person {
                    scopes: vec!["orders:read".to_owned()],
                    claims,
                    ..named("ada").unwrap_or_default()
                })
            }
            Some("bob") => named("bob"),
            Some("late") => {
                let _left = Left(self);
                std::future::pending().await
            }
            Some("stranger") => return Err(Status::unauthenticated("who?")),
            Some("barred") => return Err(Status::permission_denied("not you")),
            Some("broken") => return Err(Status::internal("the register burns")),
            Some("nameless") => named(""),
            // What goes along beside the fields.
            Some("client") => named(cx.metadata("client").unwrap_or("nobody")),
            _ => None,
        })
    }

    async fn badge(&self, token: String) -> Result<Badge, Status> {
        self.note(&token);
        Ok(Badge { number: 7 })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Options { listen, notes } = Options::parse();
    let notes = File::options().create(true).append(true).open(notes)?;
    Ok(Server::new().service(IdentityServer::new(Register(notes))).listen(listen).run().await?)
}

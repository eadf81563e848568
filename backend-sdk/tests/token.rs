//! A token lets callers in, without TLS where there is no network; and none goes over plain TCP.

use callgate_sdk::{Client, Code, Server, Status, Token, service, testing};
use std::path::PathBuf;
use std::time::Duration;

#[service]
trait Vault {
    async fn open(&self) -> Result<u32, Status>;
}

struct Open;

impl Vault for Open {
    async fn open(&self) -> Result<u32, Status> {
        Ok(7)
    }
}

/// A file that goes away with its owner.
struct Kept(PathBuf);

impl Kept {
    fn new(name: &str, content: &str) -> Kept {
        let path = std::env::temp_dir().join(format!("callgate-vault-{}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("a file can be written");
        Kept(path)
    }

    fn token(&self) -> Token {
        Token::file(&self.0)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn server(tokens: &Kept) -> Server {
    Server::new().service(VaultServer::new(Open)).token(tokens.token())
}

#[tokio::test]
async fn one_of_the_tokens_lets_a_caller_in() {
    let (tokens, mine) = (Kept::new("both", "new\nold\n"), Kept::new("old", "old\nolder\n"));
    let (client, _) = testing::connect(server(&tokens), Client::builder().token(mine.token()));
    assert_eq!(VaultClient::new(client).open().await, Ok(7));
}

#[tokio::test]
async fn a_caller_with_a_wrong_token_or_none_is_told_so() {
    let (tokens, mine) = (Kept::new("right", "right\n"), Kept::new("wrong", "wrong\n"));
    for (builder, words) in [
        (Client::builder(), "a token is required here, and the caller has brought none along"),
        (
            Client::builder().token(mine.token()),
            "the token that the caller has brought along is not valid here",
        ),
    ] {
        // A refusal is told when the call's time is up: until then the client tries again.
        let (client, _) = testing::connect(server(&tokens), builder.timeout(Duration::from_secs(1)));
        let status = VaultClient::new(client).open().await.expect_err("it is not let in");
        assert_eq!((status.code, status.not_executed), (Code::Unavailable, true));
        assert!(status.message.contains(words), "{status}");
    }
}

#[tokio::test]
async fn no_token_goes_over_plain_tcp() {
    let tokens = Kept::new("plain", "right\n");
    let server = server(&tokens).listen("127.0.0.1:0");
    let why = server.bind().await.err().expect("it does not begin").to_string();
    assert!(why.contains("over plain TCP"), "{why}");
    let client = Client::builder().endpoint("127.0.0.1:7101").token(tokens.token());
    let why = client.build().expect_err("there is no client").to_string();
    assert!(why.contains("over plain TCP"), "{why}");
}

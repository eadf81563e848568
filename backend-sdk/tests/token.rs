//! A token lets callers in, without TLS where there is no network; and none goes over plain TCP.

use callgate_sdk::{Client, Code, Context, Server, Status, Token, service, testing};
use std::os::unix::fs::MetadataExt;
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

#[service]
trait Mirror {
    /// Who calls, by whom; and for which client.
    async fn who(&self, cx: &Context) -> Result<String, Status>;
}

struct Glass;

impl Mirror for Glass {
    async fn who(&self, cx: &Context) -> Result<String, Status> {
        let identity = cx.identity().map(|who| format!("{} by {}", who.name(), who.authenticator()));
        let client = cx.client().map(|client| format!(" from {client}")).unwrap_or_default();
        Ok(identity.unwrap_or_else(|| "nobody".to_owned()) + &client)
    }
}

/// What a caller says of who calls.
fn said() -> Context {
    let said = [("identity", "ada"), ("identity-by", "staff"), ("client", "192.0.2.1")];
    said.iter()
        .fold(Context::background(), |cx, (name, value)| cx.with_metadata(name, value).expect("metadata"))
}

#[tokio::test]
async fn who_calls_is_said_by_those_who_speak_for_others_and_all_others_are_who_they_are() {
    let (gateway, billing, common) =
        (Kept::new("gateway", "g\n"), Kept::new("billing", "b\n"), Kept::new("common", "c\n"));
    let named = || {
        let server = Server::new().service(MirrorServer::new(Glass)).token(common.token());
        server.named_token("gateway", gateway.token()).named_token("billing", billing.token())
    };
    let strict = || named().speaks_for_others(|peer| peer.token() == Some("gateway"));
    for (server, mine, says, expected) in [
        (strict(), &gateway, true, "ada by staff from 192.0.2.1"),
        (strict(), &gateway, false, "nobody"),
        (strict(), &billing, true, "billing by token"),
        (strict(), &billing, false, "billing by token"),
        (strict(), &common, true, "nobody"),
        (named(), &billing, true, "ada by staff from 192.0.2.1"),
        (named(), &billing, false, "nobody"),
    ] {
        let (client, _) = testing::connect(server, Client::builder().token(mine.token()));
        let cx = if says { said() } else { Context::background() };
        assert_eq!(MirrorClient::new(client).who(&cx).await.as_deref(), Ok(expected));
    }
}

#[tokio::test]
async fn a_caller_at_a_unix_socket_is_its_user() {
    let path = std::env::temp_dir().join(format!("callgate-mirror-{}.sock", std::process::id()));
    let address = format!("unix:{}", path.display());
    let server = Server::new().service(MirrorServer::new(Glass)).speaks_for_others(|_| false);
    let bound = server.listen(&address).bind().await.expect("the address is free");
    let serving = tokio::spawn(bound.serve());
    let client = Client::builder().endpoint(&address).build().expect("an endpoint");
    let own = std::fs::metadata(&path).expect("the socket's file").uid();
    assert_eq!(MirrorClient::new(client).who(&said()).await, Ok(format!("{own} by user")));
    serving.abort();
}

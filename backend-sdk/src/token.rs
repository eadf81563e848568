//! The token by which a server knows its callers, and where it is kept.

use crate::fresh::Fresh;
use callgate_protocol::Tokens;
use std::path::PathBuf;
use std::sync::Arc;

/// A secret that a server and its callers share: the simplest lock. A client brings it along when it connects
/// ([`ClientBuilder::token`](crate::ClientBuilder::token)), and a server lets in only who knows it
/// ([`Server::token`](crate::Server::token)).
///
/// It is 1 to 1024 visible ASCII characters. There may be several, one a line, 16 at most: a server accepts each of them, and
/// a client brings the first one along. So a secret is changed without a gap: add the new one at the server, change the clients, and
/// remove the old one at the server.
///
/// It goes over TLS or a Unix socket, and never over plain TCP.
///
/// ```
/// use callgate_sdk::{Server, Token};
///
/// let server = Server::new().token(Token::file("/run/secrets/shop-token")).listen("unix:/run/shop.sock");
/// ```
#[derive(Clone, Debug)]
pub struct Token(Source);

#[derive(Clone, Debug)]
enum Source {
    File(PathBuf),
    Env(String),
}

impl Token {
    /// Kept in a file, which is read again when it has changed. Connections that are open stay open.
    pub fn file(path: impl Into<PathBuf>) -> Token {
        Token(Source::File(path.into()))
    }

    /// Kept in an environment variable, which is read at the start.
    pub fn env(name: impl Into<String>) -> Token {
        Token(Source::Env(name.into()))
    }

    /// Reads it. The error tells nothing of it.
    pub(crate) fn open(&self) -> Result<Arc<Fresh<Tokens>>, String> {
        match &self.0 {
            Source::File(path) => {
                let file = path.display().to_string();
                Fresh::new("the token", vec![path.clone()], move |contents| {
                    let text =
                        std::str::from_utf8(&contents[0]).map_err(|_| format!("{file}: it is not text"))?;
                    tokens(text).map_err(|why| format!("{file}: it holds no token: {why}"))
                })
            }
            Source::Env(name) => {
                let advice = "put the token there, or take `Token::file`";
                let text = std::env::var(name).map_err(|error| format!("{name}: {error}; {advice}"))?;
                let tokens = tokens(&text).map_err(|why| format!("{name}: it holds no token: {why}"))?;
                Fresh::new("the token", Vec::new(), move |_| Ok(tokens.clone()))
            }
        }
    }
}

fn tokens(text: &str) -> Result<Arc<Tokens>, &'static str> {
    Tokens::parse(text).map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_no_token_is_an_error_that_says_where_and_not_what() {
        let path = std::env::temp_dir().join(format!("callgate-token-{}", std::process::id()));
        std::fs::write(&path, "s3cret with a space").expect("written");
        let file = Token::file(&path).open().expect_err("no token");
        std::fs::remove_file(&path).expect("removed");
        assert!(file.contains("callgate-token") && !file.contains("s3cret"), "{file}");
        let missing = Token::env("CALLGATE_NOT_SET_ANYWHERE").open().expect_err("no token");
        assert!(missing.starts_with("CALLGATE_NOT_SET_ANYWHERE: "), "{missing}");
    }
}

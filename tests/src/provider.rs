//! A server that the gateway asks over HTTP, such as an identity provider: a process in Python that answers as it is told.

use crate::{Setup, free_port};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// A server. Its process ends with it.
pub struct Provider {
    folder: PathBuf,
    port: u16,
    tls: Option<(PathBuf, PathBuf)>,
    process: Option<Child>,
}

impl Provider {
    /// One that does not run yet, with what it says in a folder of that name; inside TLS where it has a certificate and its key.
    pub fn new(setup: &Setup, name: &str, tls: Option<(PathBuf, PathBuf)>) -> Provider {
        let folder = setup.file(name);
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join("asked"), "").expect("a file");
        Provider { folder, port: free_port(), tls, process: None }
    }

    /// Where it is, with that path.
    pub fn url(&self, path: &str) -> String {
        match self.tls {
            Some(_) => format!("https://localhost:{}{path}", self.port),
            None => format!("http://127.0.0.1:{}{path}", self.port),
        }
    }

    /// Has it answer so from now on.
    pub fn answers(&self, answer: &Value) {
        let new = self.folder.join(".answer");
        fs::write(&new, answer.to_string()).expect("it can be written");
        fs::rename(&new, self.folder.join("answer")).expect("it can be renamed");
    }

    /// Starts it.
    pub async fn start(&mut self) {
        let mut command = Command::new("python3");
        command.arg(script("provider.py")).arg(&self.folder).arg(self.port.to_string());
        if let Some((cert, key)) = &self.tls {
            command.arg(cert).arg(key);
        }
        let mut process =
            command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("python3 is there");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        assert_eq!(lines.next_line().await.expect("a line").as_deref(), Some("ready"));
        self.process = Some(process);
    }

    /// Ends it; it may be started again.
    pub async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await.expect("it ends");
        }
    }

    /// What it was asked, in order: `method`, `path`, `headers`, `body`.
    pub fn asked(&self) -> Vec<Value> {
        let asked = fs::read_to_string(self.folder.join("asked")).expect("there is a file");
        asked.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

/// A pair of RSA keys of a provider's, with a name.
pub struct SigningKey {
    kid: String,
    private: PathBuf,
    jwk: Value,
}

impl SigningKey {
    /// A new one, made by openssl.
    pub async fn new(setup: &Setup, kid: &str) -> SigningKey {
        let (private, public) = (setup.file(&format!("{kid}.key")), setup.file(&format!("{kid}.pem")));
        let [private_path, public_path] = [&private, &public].map(|path| path.display().to_string());
        let made =
            ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", &private_path];
        run("openssl", &made).await;
        run("openssl", &["pkey", "-in", &private_path, "-pubout", "-out", &public_path]).await;
        let jwk = run("python3", &[&script("jwk.py").display().to_string(), kid, &public_path]).await;
        SigningKey { kid: kid.to_owned(), private, jwk: serde_json::from_str(&jwk).expect("JSON") }
    }

    /// A bearer token of these claims.
    pub async fn token(&self, claims: &Value) -> String {
        self.named(&self.kid, claims).await
    }

    /// The same, which says that another key has signed it.
    pub async fn named(&self, kid: &str, claims: &Value) -> String {
        let mut python = Command::new("python3")
            .arg(script("jwt.py"))
            .args(["RS256".as_ref(), self.private.as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 is there");
        let said = serde_json::json!([claims, { "kid": kid }]);
        python
            .stdin
            .take()
            .expect("a pipe")
            .write_all(format!("{said}\n").as_bytes())
            .await
            .expect("it reads");
        let output = python.wait_with_output().await.expect("it ends");
        assert!(output.status.success());
        format!("Bearer {}", String::from_utf8(output.stdout).expect("text").trim_end())
    }
}

/// The document of these keys (RFC 7517).
pub fn jwks(keys: &[&SigningKey]) -> String {
    let keys: Vec<&Value> = keys.iter().map(|key| &key.jwk).collect();
    serde_json::json!({ "keys": keys }).to_string()
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name)
}

async fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().await.expect("it is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

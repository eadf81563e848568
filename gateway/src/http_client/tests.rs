//! Replies as servers send them, well and badly.

use super::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const BOUNDS: Bounds = Bounds { time: Duration::from_secs(20), body: 16 };

/// What comes of a server's words, and what it was asked.
async fn answered(words: &str, bounds: &Bounds) -> (Result<Reply, Failed>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/keys?of=all", listener.local_addr().expect("an address"));
    let url = HttpUrl::parse(&url).expect("a URL");
    let served = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            let mut buffer = [0; 1024];
            let n = stream.read(&mut buffer).await.expect("it can be read");
            assert!(n > 0, "a whole head");
            asked.extend_from_slice(&buffer[..n]);
        }
        stream.write_all(words.as_bytes()).await.expect("it can be written");
        (String::from_utf8(asked).expect("text"), stream)
    };
    // The server hangs up with the answer, unless it is to be silent.
    let asked = async { ask(&url, None, Request::get(), bounds).await };
    if words.is_empty() {
        let (reply, (head, _stream)) = tokio::join!(asked, served);
        return (reply, head);
    }
    let (reply, head) = tokio::join!(asked, async { served.await.0 });
    (reply, head)
}

#[tokio::test]
async fn a_reply_comes_whole_and_within_its_bounds() {
    let whole = "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 4\r\n\r\nkeys";
    let (reply, asked) = answered(whole, &BOUNDS).await;
    let reply = reply.expect("a reply");
    assert_eq!(
        (reply.status, &reply.body[..], &reply.fields["cache-control"] == "max-age=60"),
        (200, &b"keys"[..], true)
    );
    assert!(asked.starts_with("GET /keys?of=all HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("host: 127.0.0.1:") && asked.contains("user-agent: callgate\r\n"), "{asked}");
    for (words, expected) in [
        ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", Ok(302)),
        ("HTTP/1.0 200 OK\r\n\r\nuntil the end", Ok(200)),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", Ok(200)),
        ("HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n0123456789abcdefg", Err("too long")),
        ("HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\n0123456789abcdefg", Err("too long")),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n11\r\n0123456789abcdefg\r\n0\r\n\r\n",
            Err("too long"),
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nkeys", Err("broken")),
        ("SSH-2.0-OpenSSH\r\n", Err("broken")),
        ("\r\n", Err("broken")),
    ] {
        match (answered(words, &BOUNDS).await.0, expected) {
            (Ok(reply), expected) => assert_eq!(Ok(reply.status), expected, "{words}"),
            (Err(failed), Err(expected)) => {
                assert!(failed.to_string().contains(expected), "{words}: {failed}")
            }
            (Err(failed), Ok(_)) => panic!("{words}: {failed}"),
        }
    }
}

#[tokio::test]
async fn a_head_without_end_is_no_reply() {
    for words in [
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(64 * 1024)),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(200)),
    ] {
        let failed = answered(&words, &BOUNDS).await.0.expect_err("too much");
        assert!(matches!(failed, Failed::Broken(_)), "{failed}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for_as_long_as_it_may_take() {
    let bounds = Bounds { time: Duration::from_millis(50), ..BOUNDS };
    assert_eq!(answered("", &bounds).await.0.expect_err("nothing"), Failed::TimedOut);
}

#[tokio::test]
async fn nobody_who_listens_is_nobody_who_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("an address");
    drop(listener);
    for url in [format!("http://{addr}/"), format!("https://{addr}/")] {
        let url = HttpUrl::parse(&url).expect("a URL");
        let failed = ask(&url, None, Request::get(), &BOUNDS).await.expect_err("nobody");
        assert!(matches!(failed, Failed::Unreachable(_)), "{failed}");
    }
}

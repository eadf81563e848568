//! Asks the admin port of a gateway that runs, for the command line.

use crate::config::HttpUrl;
use crate::http_client::header::{AUTHORIZATION, HeaderValue};
use crate::http_client::{Bounds, Method, Request, ask};
use std::time::Duration;

/// How long a page may take, and how long it may be, in bytes.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(10), body: 64 << 20 };

/// The page of that path at the port of that URL, such as `http://127.0.0.1:8081`.
///
/// # Errors
///
/// For people: it cannot be asked, or does not say.
pub fn page(url: &str, path: &str, token: Option<&str>) -> Result<Vec<u8>, String> {
    answer(url, path, token, Request::get())
}

/// What is answered to that, sent there.
///
/// # Errors
///
/// Likewise.
pub fn post(url: &str, path: &str, token: Option<&str>, body: Vec<u8>) -> Result<Vec<u8>, String> {
    answer(url, path, token, Request { method: Method::POST, body: body.into(), ..Request::get() })
}

fn answer(url: &str, path: &str, token: Option<&str>, request: Request) -> Result<Vec<u8>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(exchange(url, path, token, request)).map_err(|why| format!("{url}: {why}"))
}

async fn exchange(
    url: &str,
    path: &str,
    token: Option<&str>,
    mut request: Request,
) -> Result<Vec<u8>, String> {
    let expected = "expected a URL such as http://127.0.0.1:8081";
    let base = HttpUrl::parse(url).ok().filter(|base| !base.is_https()).ok_or(expected)?;
    let page = HttpUrl::parse(&format!("http://{}{path}", base.authority()))?;
    if let Some(token) = token {
        let token = HeaderValue::try_from(format!("Bearer {token}")).map_err(|error| error.to_string())?;
        request.fields.insert(AUTHORIZATION, token);
    }
    let reply = ask(&page, None, request, &BOUNDS).await.map_err(|failed| failed.to_string())?;
    match reply.status {
        200 => Ok(reply.body.to_vec()),
        401 => Err("it asks for a token: set CALLGATE_ADMIN_TOKEN".to_owned()),
        status => Err(format!("{status}: {}", String::from_utf8_lossy(&reply.body).trim_end())),
    }
}

//! What routes do that call nothing: fixed answers and redirects.

use crate::config::{RedirectSpec, RespondSpec};
use crate::failure::Failure;
use crate::routes::{RawParams, location};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use hyper::{Response, StatusCode};

/// The answer that the table says. What it cannot say was refused when the table was read.
pub(super) fn respond(spec: &RespondSpec) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(spec.body.clone()));
    *response.status_mut() = StatusCode::from_u16(spec.status).unwrap_or_default();
    let headers = response.headers_mut();
    if let Some(value) = spec.content_type.as_deref().and_then(|text| HeaderValue::from_str(text).ok()) {
        headers.insert(CONTENT_TYPE, value);
    }
    for (name, value) in &spec.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            headers.insert(name, value);
        }
    }
    response
}

/// Sends the client elsewhere: to the target, with the parameters that its path has.
pub(super) fn redirect(
    spec: &RedirectSpec,
    params: &RawParams<'_>,
    query: Option<&str>,
) -> Result<Response<Full<Bytes>>, Failure> {
    // A location is visible ASCII, so that the header always takes it.
    let location = location(&spec.to, params, query).and_then(|uri| HeaderValue::try_from(uri).ok());
    let Some(location) = location else {
        return Err(Failure::DotSegment);
    };
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::from_u16(spec.status).unwrap_or(StatusCode::PERMANENT_REDIRECT);
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

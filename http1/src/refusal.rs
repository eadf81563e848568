//! Why a request is refused. The connection closes after it: nothing that follows may be read as a request.

/// Why. The list is closed; names are parts of metrics and logs and do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each has its detail, name and section in one row below")]
pub enum Refusal {
    BareLf,
    BareCr,
    ControlByte,
    RequestLine,
    Method,
    UnknownMethod,
    Connect,
    Target,
    TargetTooLong,
    Version,
    UnknownVersion,
    HttpTwo,
    FieldName,
    SpaceBeforeColon,
    ObsFold,
    TooManyFields,
    HeadTooLarge,
    NoHost,
    SeveralHosts,
    Host,
    HostMismatch,
    ContentLength,
    SeveralContentLengths,
    BothLengths,
    TransferCoding,
    TransferCodingHttp10,
    Expect,
    ChunkSize,
    ChunkExtension,
    ChunkEnd,
    TrailersTooLarge,
    Tls,
}

/// What is said of a refusal.
struct Row {
    refusal: Refusal,
    status: u16,
    name: &'static str,
    section: &'static str,
    detail: &'static str,
}

const fn row(
    refusal: Refusal,
    status: u16,
    name: &'static str,
    section: &'static str,
    detail: &'static str,
) -> Row {
    Row { refusal, status, name, section, detail }
}

use Refusal::*;

#[rustfmt::skip]
static ROWS: [Row; 32] = [
    row(BareLf, 400, "bare_lf", "RFC 9112, 2.2", "A line ends with LF alone; it must end with CRLF."),
    row(BareCr, 400, "bare_cr", "RFC 9112, 2.2", "A CR is not followed by LF."),
    row(ControlByte, 400, "control_byte", "RFC 9110, 5.5", "The request has a control byte."),
    row(RequestLine, 400, "request_line", "RFC 9112, 3", "The request line is not a method, a target and a version with one space between them."),
    row(Method, 400, "method", "RFC 9112, 3.1", "The method is not a token."),
    row(UnknownMethod, 501, "unknown_method", "RFC 9110, 9.1", "The method is unknown."),
    row(Connect, 501, "connect", "RFC 9110, 9.3.6", "The method CONNECT is not served."),
    row(Target, 400, "target", "RFC 9112, 3.2", "The request target is not a path with an optional query, an http or https URI, or `*` for OPTIONS."),
    row(TargetTooLong, 414, "target_too_long", "RFC 9112, 3", "The request target is too long."),
    row(Version, 400, "version", "RFC 9112, 2.3", "The request line does not end with an HTTP version."),
    row(UnknownVersion, 505, "unknown_version", "RFC 9110, 15.6.6", "The HTTP version is not served; HTTP/1.1 is."),
    row(HttpTwo, 505, "http_two", "RFC 9113, 3.4", "HTTP/2 is not served here; HTTP/1.1 is."),
    row(FieldName, 400, "field_name", "RFC 9112, 5", "A header field does not begin with a name and a colon."),
    row(SpaceBeforeColon, 400, "space_before_colon", "RFC 9112, 5.1", "A header field has a space within or behind its name."),
    row(ObsFold, 400, "obs_fold", "RFC 9112, 5.2", "A header line begins with a space or a tab."),
    row(TooManyFields, 431, "too_many_fields", "RFC 6585, 5", "The request has too many header fields."),
    row(HeadTooLarge, 431, "head_too_large", "RFC 6585, 5", "The head of the request is too large."),
    row(NoHost, 400, "no_host", "RFC 9112, 3.2", "The request has no Host header."),
    row(SeveralHosts, 400, "several_hosts", "RFC 9112, 3.2", "The request has more than one Host header."),
    row(Host, 400, "host", "RFC 9110, 7.2", "The Host header is not a host with an optional port."),
    row(HostMismatch, 400, "host_mismatch", "RFC 9112, 3.2.2", "The Host header is not the host of the request target."),
    row(ContentLength, 400, "content_length", "RFC 9110, 8.6", "The Content-Length header is not a number below 2^63."),
    row(SeveralContentLengths, 400, "several_content_lengths", "RFC 9112, 6.3", "The request has more than one Content-Length header."),
    row(BothLengths, 400, "both_lengths", "RFC 9112, 6.1", "The request has a Content-Length and a Transfer-Encoding header."),
    row(TransferCoding, 501, "transfer_coding", "RFC 9112, 6.1", "The Transfer-Encoding header is not `chunked` alone."),
    row(TransferCodingHttp10, 400, "transfer_coding_http10", "RFC 9112, 6.1", "An HTTP/1.0 request has a Transfer-Encoding header."),
    row(Expect, 417, "expect", "RFC 9110, 10.1.1", "The Expect header is not `100-continue`."),
    row(ChunkSize, 400, "chunk_size", "RFC 9112, 7.1", "A chunk's size is not 1 to 16 hexadecimal digits for a number below 2^63."),
    row(ChunkExtension, 400, "chunk_extension", "RFC 9112, 7.1.1", "A chunk's extensions break the grammar or are too long."),
    row(ChunkEnd, 400, "chunk_end", "RFC 9112, 7.1", "A chunk's data is not followed by CRLF."),
    row(TrailersTooLarge, 431, "trailers_too_large", "RFC 6585, 5", "The trailers of the request are too large."),
    row(Tls, 400, "tls", "RFC 8446, 4", "A TLS handshake has come, and plain HTTP is spoken here."),
];

impl Refusal {
    /// All of them, in the order of their discriminants (`as usize` is the place).
    pub const ALL: &'static [Refusal] = &{
        let mut all = [BareLf; ROWS.len()];
        let mut at = 0;
        while at < ROWS.len() {
            all[at] = ROWS[at].refusal;
            at += 1;
        }
        all
    };

    const fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// 400, 414, 417, 431, 501 or 505.
    pub const fn status(self) -> u16 {
        self.row().status
    }

    /// Lower snake case, as `bare_lf`.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// A sentence for the client.
    pub const fn detail(self) -> &'static str {
        self.row().detail
    }

    /// The section that rules, as `RFC 9112, 2.2`.
    pub const fn section(self) -> &'static str {
        self.row().section
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_refusal_has_its_own_row() {
        for (at, refusal) in Refusal::ALL.iter().enumerate() {
            assert_eq!(*refusal as usize, at, "{refusal:?}");
            assert!(matches!(refusal.status(), 400 | 414 | 417 | 431 | 501 | 505), "{refusal:?}");
            assert!(refusal.section().starts_with("RFC ") && refusal.section().contains(", "), "{refusal:?}");
            assert!(refusal.detail().ends_with('.'), "{refusal:?}");
        }
        // The last one of the list is the last one of the type.
        assert_eq!(Refusal::ALL.last(), Some(&Tls));
        let names: HashSet<&str> = Refusal::ALL.iter().map(|refusal| refusal.name()).collect();
        assert_eq!(names.len(), Refusal::ALL.len());
        for (refusal, name) in [(BareLf, "bare_lf"), (TransferCodingHttp10, "transfer_coding_http10")] {
            assert_eq!(refusal.name(), name);
        }
    }
}

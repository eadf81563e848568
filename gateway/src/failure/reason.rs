//! The closed list of reasons. Metrics carry a reason by its name, and logs and answers will: a name is never given another meaning,
//! and one cause has one name. docs/errors.md explains each; a test compares the two.

use callgate_protocol::Code;

macro_rules! status {
    ($code:ident) => {
        http_status(Code::$code)
    };
    ($code:ident $status:literal) => {
        $status
    };
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $code:ident $($status:literal)?;)*) => {
        /// Why a request fails.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Reason {
            /// All of them; the index of each is its number as `usize`.
            pub const ALL: &'static [Reason] = &[$(Reason::$variant,)*];

            /// Its name, in logs, metrics and documents.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Reason::$variant => $name,)*
                }
            }

            /// What it means, in a sentence or two.
            pub fn means(self) -> &'static str {
                match self {
                    $(Reason::$variant => concat!($($doc),*).trim(),)*
                }
            }

            /// The code that goes with it; a method that has failed gives its own.
            pub const fn code(self) -> Code {
                match self {
                    $(Reason::$variant => Code::$code,)*
                }
            }

            /// The HTTP status that goes with it; a method that has failed gives its own.
            pub const fn status(self) -> u16 {
                match self {
                    $(Reason::$variant => status!($code $($status)?),)*
                }
            }
        }
    };
}

reasons! {
    // The head.
    /// The head is no HTTP/1.1.
    MalformedHead = "malformed_head", InvalidArgument;
    /// The head asks for what is not served: a method or a transfer coding.
    NotImplemented = "not_implemented", Unimplemented;
    /// The head's version is not served.
    UnsupportedVersion = "unsupported_version", Unimplemented 505;
    /// The head expects what nobody knows.
    UnknownExpectation = "unknown_expectation", InvalidArgument 417;
    /// The head is larger than `max_head`, or has more fields than `max_headers`.
    HeadTooLarge = "head_too_large", ResourceExhausted 431;
    /// Path and query are longer than they may be.
    UriTooLong = "uri_too_long", ResourceExhausted 414;
    /// There is no `Host`, or there are several, or it is no host.
    BadHost = "bad_host", InvalidArgument;
    /// A header that must have a single value has several.
    RepeatedHeader = "repeated_header", InvalidArgument;
    /// A header that goes along with the call does not fit there.
    HeaderTooLarge = "header_too_large", ResourceExhausted 431;
    /// The time that the caller gives cannot be read.
    InvalidTimeout = "invalid_timeout", InvalidArgument;
    /// A path parameter, the query, the body, or a header that goes along with the call is not UTF-8.
    NotUtf8 = "not_utf8", InvalidArgument;

    // TLS.
    /// The client speaks plain HTTP to a listener with TLS.
    PlainHttp = "plain_http", InvalidArgument;
    /// The connection's certificate does not cover the host that the request asks.
    Misdirected = "misdirected", FailedPrecondition 421;
    /// The route is for clients that have shown a certificate, and this one has none.
    NoClientCertificate = "no_client_certificate", PermissionDenied;

    // The route.
    /// The lists of addresses of the listener, the file or the route do not let the client come.
    ClientNotAllowed = "client_not_allowed", PermissionDenied;
    /// No route has the path.
    NoRoute = "no_route", NotFound;
    /// Routes have the path, with other methods.
    WrongMethod = "wrong_method", Unimplemented 405;
    /// A rewrite has led to a path that no route has.
    RewriteUnmatched = "rewrite_unmatched", NotFound;
    /// A rewrite has led to a rewrite.
    RewriteLoop = "rewrite_loop", Internal;
    /// A segment of the path is `.` or `..`.
    DotSegment = "dot_segment", InvalidArgument;
    /// The path can be read as that of another route, which asks something else of its clients.
    AmbiguousPath = "ambiguous_path", InvalidArgument;
    /// The route is for WebSockets, and the request begins none.
    UpgradeRequired = "upgrade_required", FailedPrecondition 426;
    /// A request for a WebSocket cannot begin one.
    MalformedHandshake = "malformed_handshake", InvalidArgument;
    /// No page of that origin may begin a WebSocket here.
    OriginNotAllowed = "origin_not_allowed", PermissionDenied;
    /// The client takes nothing that the route can say.
    NotAcceptable = "not_acceptable", InvalidArgument 406;
    /// The client asks for a part of an answer that has no bytes there. The call has run.
    RangeNotSatisfiable = "range_not_satisfiable", OutOfRange 416;

    // The caller.
    /// The route is for callers who are known, and this one has shown nothing.
    NoCredentials = "no_credentials", Unauthenticated;
    /// What the caller has shown is bad.
    BadCredentials = "bad_credentials", Unauthenticated;
    /// Who was asked about the caller knows it, and does not let it in.
    CallerRefused = "caller_refused", PermissionDenied;
    /// Nobody could say who the caller is.
    AuthUnavailable = "auth_unavailable", Unavailable;
    /// The caller lacks a scope that the route requires.
    InsufficientScope = "insufficient_scope", PermissionDenied;
    /// The caller lacks a claim that the route requires.
    InsufficientClaims = "insufficient_claims", PermissionDenied;
    /// A rule of the route denies the request.
    DeniedByRule = "denied_by_rule", PermissionDenied;
    /// There are more passwords to be verified than there may be.
    LoginsBusy = "logins_busy", Unavailable;

    // Too many.
    /// There are as many client connections as there may be.
    TooManyConnections = "too_many_connections", Unavailable;
    /// A rate limit has no token left.
    RateLimited = "rate_limited", ResourceExhausted;
    /// The route has as many open requests as it may have.
    ShedRoute = "shed_route", Unavailable;
    /// The backend has as many calls as it may have.
    ShedBackend = "shed_backend", Unavailable;
    /// The adaptive limit leaves no room.
    ShedAdaptive = "shed_adaptive", Unavailable;
    /// The call has waited too long in the queue, or had to make room there.
    ShedQueue = "shed_queue", Unavailable;
    /// Long request bodies take all the memory that they may.
    ShedMemory = "shed_memory", Unavailable;
    /// Long answers take all the memory that they may. The call has run.
    ShedAnswerMemory = "shed_answer_memory", Unavailable;

    // The body.
    /// Its type is none that the route reads.
    UnsupportedMediaType = "unsupported_media_type", InvalidArgument 415;
    /// Its charset is not UTF-8.
    UnsupportedCharset = "unsupported_charset", InvalidArgument 415;
    /// Its `Content-Encoding` is none that is read, or several.
    UnsupportedEncoding = "unsupported_encoding", InvalidArgument 415;
    /// It is not what its `Content-Encoding` says.
    MalformedEncoding = "malformed_encoding", InvalidArgument;
    /// Its type says that it is a form, and it is none.
    MalformedForm = "malformed_form", InvalidArgument;
    /// It is larger than `max_body`.
    BodyTooLarge = "body_too_large", ResourceExhausted 413;
    /// It did not arrive within `body_timeout`.
    BodyTimeout = "body_timeout", DeadlineExceeded 408;
    /// Its chunks are malformed.
    MalformedChunks = "malformed_chunks", InvalidArgument;
    /// What follows its chunks is too large.
    TrailersTooLarge = "trailers_too_large", ResourceExhausted 431;

    // The values.
    /// It is not JSON.
    MalformedJson = "malformed_json", InvalidArgument;
    /// It nests deeper than 128 levels.
    NestedTooDeep = "nested_too_deep", InvalidArgument;
    /// The message that it makes is longer than it may be.
    ValueTooLarge = "value_too_large", InvalidArgument;
    /// The method has no such field.
    UnknownField = "unknown_field", InvalidArgument;
    /// The method needs the field.
    MissingField = "missing_field", InvalidArgument;
    /// The field or the key is given twice.
    DuplicateField = "duplicate_field", InvalidArgument;
    /// There is a body where the route takes none.
    UnexpectedBody = "unexpected_body", InvalidArgument;
    /// A value is of another JSON type than the field.
    WrongType = "wrong_type", InvalidArgument;
    /// A number is not in the range of the field's type.
    ValueOutOfRange = "value_out_of_range", InvalidArgument;
    /// The enum has no such variant.
    UnknownVariant = "unknown_variant", InvalidArgument;
    /// A value has the right JSON type and is none of the field's values.
    InvalidValue = "invalid_value", InvalidArgument;
    /// A value breaks a constraint that the schema has for its field.
    Constraint = "constraint", InvalidArgument;

    // The call.
    /// The request is larger than the instance accepts.
    MessageTooLarge = "message_too_large", ResourceExhausted 413;
    /// No instance is there.
    NoInstance = "no_instance", Unavailable;
    /// Every instance is being drained.
    Draining = "draining", Unavailable;
    /// Every instance has as many calls as it may have.
    Busy = "busy", Unavailable;
    /// No instance offers the method.
    NotOffered = "not_offered", Unimplemented;
    /// The route's fields do not fit the method.
    Misfit = "misfit", Internal;
    /// The time of the route or of the caller is up.
    Deadline = "deadline", DeadlineExceeded;
    /// The connection to the instance was lost while the call ran.
    Lost = "lost", Unavailable;
    /// The instance has refused the call, which has not run.
    Refused = "refused", Unavailable;
    /// The method has failed: code, status and whether to retry are its own.
    MethodFailed = "method_failed", Unknown;
    /// The reply is no value of its schema.
    BadReply = "bad_reply", Internal;
    /// The answer would be longer than `max_answer`. The call has run.
    AnswerTooLong = "answer_too_long", Internal;
    /// No item of a stream has gone to the client within `stream_idle`.
    StreamIdle = "stream_idle", DeadlineExceeded;
    /// A stream has more bytes than `max_stream` says.
    StreamTooLong = "stream_too_long", ResourceExhausted;
    /// The gateway ends, or another one serves in its place, and `stream_drain` is over.
    Leaving = "leaving", Unavailable;

    // The rest.
    /// The client has closed before its answer was there, or before its body was.
    ClientGone = "client_gone", Cancelled;
    /// A fault of the gateway's own.
    Internal = "internal", Internal;
}

/// The HTTP status of a canonical code.
pub const fn http_status(code: Code) -> u16 {
    match code {
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
        Code::Unauthenticated => 401,
        Code::PermissionDenied => 403,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Aborted => 409,
        Code::ResourceExhausted => 429,
        // nginx's word for a client that closed.
        Code::Cancelled => 499,
        Code::Unknown | Code::Internal | Code::DataLoss => 500,
        Code::Unimplemented => 501,
        Code::Unavailable => 503,
        Code::DeadlineExceeded => 504,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const DOCS: &str = include_str!("../../../docs/errors.md");

    #[test]
    fn the_page_explains_each_reason_once_with_its_status_and_code() {
        let documented: Vec<[String; 3]> = DOCS
            .split("## Reasons")
            .nth(1)
            .and_then(|rest| rest.split("\n##").next())
            .expect("the section is there")
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| {
                let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', ""));
                std::array::from_fn(|_| cells.next().expect("five columns"))
            })
            .collect();
        let expected: Vec<[String; 3]> = Reason::ALL
            .iter()
            .map(|reason| match reason {
                Reason::MethodFailed => [reason.name(), "its own", "its own"].map(str::to_owned),
                _ => [reason.name().to_owned(), reason.status().to_string(), reason.code().name().to_owned()],
            })
            .collect();
        assert_eq!(documented, expected);
    }

    #[test]
    fn names_are_lower_snake_case_and_differ() {
        let names: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        for name in names {
            let snake = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'8');
            assert!(snake, "{name}");
        }
        for (at, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, at);
            assert!(reason.means().ends_with('.'), "{reason:?}");
        }
    }

    #[test]
    fn codes_map_to_the_agreed_statuses() {
        let expected = [
            (400, vec![Code::InvalidArgument, Code::FailedPrecondition, Code::OutOfRange]),
            (401, vec![Code::Unauthenticated]),
            (403, vec![Code::PermissionDenied]),
            (404, vec![Code::NotFound]),
            (409, vec![Code::AlreadyExists, Code::Aborted]),
            (429, vec![Code::ResourceExhausted]),
            (499, vec![Code::Cancelled]),
            (500, vec![Code::Unknown, Code::Internal, Code::DataLoss]),
            (501, vec![Code::Unimplemented]),
            (503, vec![Code::Unavailable]),
            (504, vec![Code::DeadlineExceeded]),
        ];
        let mut seen = 0;
        for (status, codes) in expected {
            for code in codes {
                assert_eq!(http_status(code), status, "{}", code.name());
                seen += 1;
            }
        }
        assert_eq!(seen, Code::ALL.len());
    }
}

//! How a call fails: one of the canonical RPC codes, a message, and what a caller may do about it.

use crate::first::First;
use crate::frame::ProtocolError;
use crate::metadata::MetadataBuf;
use crate::wire::{self, Reader};
use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// The canonical RPC codes, with their customary numbers. Success has none: it is a reply.
        ///
        /// ```
        /// # use callgate_protocol as callgate_sdk;
        /// use callgate_sdk::Code;
        ///
        /// assert_eq!(Code::from_name("not_found"), Some(Code::NotFound));
        /// assert_eq!(Code::NotFound.name(), "not_found");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Code { $($(#[$doc])* $variant = $number,)* }

        impl Code {
            /// All codes, by number.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)*];

            /// The code's name as users write it: `invalid_argument`.
            pub const fn name(self) -> &'static str {
                match self { $(Code::$variant => $name,)* }
            }

            /// The code of that name.
            pub fn from_name(name: &str) -> Option<Code> {
                match name { $($name => Some(Code::$variant),)* _ => None }
            }

            /// The code of that number. A number that is not known (a later version's) is `unknown`.
            pub const fn from_number(number: u8) -> Code {
                match number { $($number => Code::$variant,)* _ => Code::Unknown }
            }
        }
    };
}

codes! {
    /// The caller gave up.
    Cancelled = 1, "cancelled";
    /// Nothing better is known.
    Unknown = 2, "unknown";
    /// The arguments are wrong, whatever the state of the system.
    InvalidArgument = 3, "invalid_argument";
    /// The time was up before the answer was there.
    DeadlineExceeded = 4, "deadline_exceeded";
    /// What was asked for does not exist.
    NotFound = 5, "not_found";
    /// What was to be made exists already.
    AlreadyExists = 6, "already_exists";
    /// The caller is known, but may not do this.
    PermissionDenied = 7, "permission_denied";
    /// A quota or a bound is used up.
    ResourceExhausted = 8, "resource_exhausted";
    /// The system is not in the state that the call needs.
    FailedPrecondition = 9, "failed_precondition";
    /// The call lost against another one.
    Aborted = 10, "aborted";
    /// The arguments lie past the valid range for the present state.
    OutOfRange = 11, "out_of_range";
    /// There is no such method, or it is not offered.
    Unimplemented = 12, "unimplemented";
    /// An invariant is broken.
    Internal = 13, "internal";
    /// Not now; a retry may help.
    Unavailable = 14, "unavailable";
    /// Data is lost or corrupt.
    DataLoss = 15, "data_loss";
    /// The caller is not known.
    Unauthenticated = 16, "unauthenticated";
}

/// Why a call failed: what a FAILURE frame carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The kind of failure.
    pub code: Code,
    /// For people; shown to the caller unless the code is `unknown`, `internal` or `data_loss`.
    pub message: String,
    /// More, as JSON text, for programs.
    pub details: Option<String>,
    /// A value of the method's error type, encoded; the code is then that of its variant.
    pub error: Option<Vec<u8>>,
    /// When a retry makes sense, in milliseconds from now.
    pub retry_after_ms: Option<u32>,
    /// The call has certainly not run, so that it may be sent elsewhere, whatever its method.
    pub not_executed: bool,
    /// What the method says beside it.
    pub metadata: MetadataBuf,
}

const FIELD_MESSAGE: u8 = 1;
const FIELD_DETAILS: u8 = 2;
const FIELD_RETRY_AFTER: u8 = 3;
const FIELD_ERROR: u8 = 4;
const FIELD_METADATA: u8 = 5;

/// The constructors of a status, by the names of its codes. The SDK's status has them too.
#[doc(hidden)]
#[macro_export]
macro_rules! status_constructors {
    () => {
        $crate::status_constructors! {
            cancelled => Cancelled,
            unknown => Unknown,
            invalid_argument => InvalidArgument,
            deadline_exceeded => DeadlineExceeded,
            not_found => NotFound,
            already_exists => AlreadyExists,
            permission_denied => PermissionDenied,
            resource_exhausted => ResourceExhausted,
            failed_precondition => FailedPrecondition,
            aborted => Aborted,
            out_of_range => OutOfRange,
            unimplemented => Unimplemented,
            internal => Internal,
            unavailable => Unavailable,
            data_loss => DataLoss,
            unauthenticated => Unauthenticated,
        }
    };
    ($($method:ident => $code:ident,)*) => {
        $(
            #[doc = concat!("A status of code [`Code::", stringify!($code), "`].")]
            pub fn $method(message: impl Into<String>) -> Self {
                Self::new($crate::Code::$code, message)
            }
        )*
    };
}

impl Status {
    /// A status with a code and a message.
    pub fn new(code: Code, message: impl Into<String>) -> Status {
        Status {
            code,
            message: message.into(),
            details: None,
            error: None,
            retry_after_ms: None,
            not_executed: false,
            metadata: MetadataBuf::default(),
        }
    }

    crate::status_constructors!();

    /// Adds details for programs; `json` is a JSON text, which the gateway puts into its answer as `details`.
    pub fn with_details(mut self, json: impl Into<String>) -> Status {
        self.details = Some(json.into());
        self
    }

    /// Adds the encoded value of the method's error type.
    pub fn with_error(mut self, encoded: impl Into<Vec<u8>>) -> Status {
        self.error = Some(encoded.into());
        self
    }

    /// Says when a retry makes sense, in milliseconds from now.
    pub fn with_retry_after_ms(mut self, milliseconds: u32) -> Status {
        self.retry_after_ms = Some(milliseconds);
        self
    }

    /// Marks the call as certainly not run.
    pub fn not_executed(mut self) -> Status {
        self.not_executed = true;
        self
    }

    /// Adds metadata.
    pub fn with_metadata(mut self, metadata: impl Into<MetadataBuf>) -> Status {
        self.metadata = metadata.into();
        self
    }

    /// Writes the body of a FAILURE frame (`not_executed` is a flag of the frame).
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.code as u8);
        wire::put_field(out, FIELD_MESSAGE, self.message.as_bytes());
        if let Some(details) = &self.details {
            wire::put_field(out, FIELD_DETAILS, details.as_bytes());
        }
        if let Some(ms) = self.retry_after_ms {
            wire::put_field(out, FIELD_RETRY_AFTER, &ms.to_le_bytes());
        }
        if let Some(error) = &self.error {
            wire::put_field(out, FIELD_ERROR, error);
        }
        let metadata = self.metadata.as_metadata();
        if !metadata.is_empty() {
            wire::put_field(out, FIELD_METADATA, metadata.block());
        }
    }

    pub(crate) fn decode(body: &[u8], not_executed: bool) -> Result<Status, ProtocolError> {
        let mut reader = Reader::new(body);
        let mut status = Status::new(Code::from_number(reader.u8()?), "");
        status.not_executed = not_executed;
        let mut first = First::default();
        while let Some((tag, value)) = reader.field()? {
            match tag {
                _ if !first.is(tag) => {}
                FIELD_MESSAGE => status.message = String::from_utf8_lossy(value).into_owned(),
                FIELD_DETAILS => status.details = std::str::from_utf8(value).ok().map(str::to_owned),
                FIELD_RETRY_AFTER => status.retry_after_ms = value.try_into().ok().map(u32::from_le_bytes),
                FIELD_ERROR => status.error = Some(value.to_vec()),
                FIELD_METADATA => status.metadata = MetadataBuf::of_block(value),
                _ => {}
            }
        }
        Ok(status)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}

impl std::error::Error for Status {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::MAX_METADATA;

    #[test]
    fn a_status_survives_its_encoding() {
        let mut metadata = MetadataBuf::default();
        assert!(metadata.push_named("served-by", b"shop-2"));
        for &code in Code::ALL {
            let status = Status::new(code, "né")
                .with_details("{\"a\":1}")
                .with_retry_after_ms(1500)
                .with_error([7, 0])
                .with_metadata(metadata.clone());
            let mut bytes = Vec::new();
            status.encode(&mut bytes);
            assert_eq!(Status::decode(&bytes, false), Ok(status));
            assert_eq!(Code::from_name(code.name()), Some(code));
        }
    }

    #[test]
    fn metadata_that_is_too_long_is_as_if_it_were_absent() {
        let mut bytes = vec![Code::NotFound as u8];
        wire::put_field(&mut bytes, FIELD_METADATA, &vec![0; MAX_METADATA + 1]);
        wire::put_field(&mut bytes, FIELD_MESSAGE, b"m");
        assert_eq!(Status::decode(&bytes, false), Ok(Status::not_found("m")));
    }

    #[test]
    fn it_is_shown_with_its_code() {
        assert_eq!(Status::not_found("no order 7").to_string(), "not_found: no order 7");
    }

    #[test]
    fn fields_of_a_later_version_are_skipped_and_unknown_codes_become_unknown() {
        let mut bytes = vec![200];
        wire::put_field(&mut bytes, 99, b"later");
        wire::put_field(&mut bytes, FIELD_MESSAGE, b"m");
        wire::put_field(&mut bytes, FIELD_MESSAGE, b"of several the first counts");
        assert_eq!(Status::decode(&bytes, false), Ok(Status::unknown("m")));
    }
}

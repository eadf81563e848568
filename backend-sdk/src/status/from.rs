//! What `?` makes a status of.
//!
//! An error that a handler did not expect is its service's fault, as far as the caller is concerned, and what it says may be
//! nobody else's business: a path, an address, a line of a file. So the caller is told that the method failed, and the log
//! is told why.

use super::Status;
use super::cause::Cause;
use callgate_protocol::Code;
use std::error::Error;
use std::sync::PoisonError;

impl Status {
    /// A status of any error: `internal`, and what the error says goes to the server's log and not to the caller. It takes all that a
    /// `Box<dyn Error + Send + Sync>` can be made of, so also a text.
    ///
    /// An error that is a `Status` stays what it is. A time limit of tokio that has passed is `deadline_exceeded`.
    ///
    /// ```
    /// use callgate_sdk::{Code, Status};
    ///
    /// # #[derive(Debug)]
    /// # struct SqlError;
    /// # impl std::fmt::Display for SqlError {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "no table `orders`") }
    /// # }
    /// # impl std::error::Error for SqlError {}
    /// # fn query() -> Result<u32, SqlError> { Err(SqlError) }
    /// fn count() -> Result<u32, Status> {
    ///     query().map_err(Status::from_error)
    /// }
    /// # let status = count().unwrap_err();
    /// # assert_eq!(status.code, Code::Internal);
    /// # assert!(!status.message.contains("table"));
    /// ```
    pub fn from_error(error: impl Into<Box<dyn Error + Send + Sync>>) -> Status {
        let error = match error.into().downcast::<Status>() {
            Ok(status) => return *status,
            Err(error) => error,
        };
        let (code, message) = if error.is::<tokio::time::error::Elapsed>() {
            (Code::DeadlineExceeded, "what the method waited for was not there in time")
        } else {
            (Code::Internal, "the method failed; the log of its server says why")
        };
        Status { cause: Some(Cause::new(error)), ..Status::new(code, message) }
    }
}

/// Makes `?` turn the usual errors into `$target`, which has `From<Status>`. [`Status`] has it, and so do typed errors.
#[doc(hidden)]
#[macro_export]
macro_rules! __from_usual_errors {
    ($target:ty) => {
        $crate::__from_usual_errors! { $target:
            ::std::boxed::Box<dyn ::std::error::Error + ::std::marker::Send + ::std::marker::Sync>,
            ::std::io::Error,
            ::std::fmt::Error,
            ::std::num::ParseIntError,
            ::std::num::ParseFloatError,
            ::std::num::TryFromIntError,
            ::std::str::ParseBoolError,
            ::std::str::Utf8Error,
            ::std::string::FromUtf8Error,
            $crate::BadMetadata,
            $crate::generated::JsonError,
            $crate::generated::Elapsed,
            $crate::generated::JoinError,
            $crate::generated::AcquireError,
            $crate::generated::RecvError,
        }
        #[automatically_derived]
        impl<T> ::std::convert::From<::std::sync::PoisonError<T>> for $target {
            fn from(error: ::std::sync::PoisonError<T>) -> Self {
                ::std::convert::From::from($crate::generated::poisoned(error))
            }
        }
    };
    ($target:ty: $($error:ty),* $(,)?) => {
        $(
            #[automatically_derived]
            impl ::std::convert::From<$error> for $target {
                fn from(error: $error) -> Self {
                    ::std::convert::From::from($crate::Status::from_error(error))
                }
            }
        )*
    };
}

__from_usual_errors!(Status);

/// The status of a lock whose holder has panicked. The lock itself is borrowed, and cannot be a cause.
pub fn poisoned<T>(error: PoisonError<T>) -> Status {
    Status::from_error(error.to_string())
}

//! The crate chrono. serde writes its `DateTime` as a text, and the protocol has a time stamp.

use super::{Wire, WireError};
use crate::Timestamp;
use chrono::{DateTime, Utc};

impl Wire for DateTime<Utc> {
    type As = Timestamp;

    fn to_wire(&self) -> Result<Timestamp, WireError> {
        Ok(Timestamp::try_from(*self)?)
    }

    fn from_wire(wire: Timestamp) -> Result<DateTime<Utc>, WireError> {
        Ok(DateTime::try_from(wire)?)
    }
}

/// Fails for a leap second, which the protocol does not have.
impl TryFrom<DateTime<Utc>> for Timestamp {
    type Error = crate::message::InvalidTimestamp;

    fn try_from(time: DateTime<Utc>) -> Result<Timestamp, Self::Error> {
        Timestamp::new(time.timestamp(), time.timestamp_subsec_nanos())
            .ok_or(crate::message::InvalidTimestamp)
    }
}

/// Fails outside of some 262,000 years before and after our time.
impl TryFrom<Timestamp> for DateTime<Utc> {
    type Error = crate::message::InvalidTimestamp;

    fn try_from(timestamp: Timestamp) -> Result<DateTime<Utc>, Self::Error> {
        DateTime::from_timestamp(timestamp.seconds(), timestamp.nanos())
            .ok_or(crate::message::InvalidTimestamp)
    }
}

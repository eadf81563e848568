//! The crate time. serde writes its types as tuples of their parts, and the protocol has texts and a time stamp.

use super::{Wire, WireError};
use crate::message::InvalidTimestamp;
use crate::{Date, Time, Timestamp};
use time::{Month, OffsetDateTime};

impl Wire for OffsetDateTime {
    type As = Timestamp;

    fn to_wire(&self) -> Result<Timestamp, WireError> {
        Ok(Timestamp::from(*self))
    }

    fn from_wire(wire: Timestamp) -> Result<OffsetDateTime, WireError> {
        Ok(OffsetDateTime::try_from(wire)?)
    }
}

/// The moment; its offset is not kept.
impl From<OffsetDateTime> for Timestamp {
    fn from(time: OffsetDateTime) -> Timestamp {
        Timestamp::new(time.unix_timestamp(), time.nanosecond()).unwrap_or_default()
    }
}

/// In UTC. Fails for years that the crate does not have.
impl TryFrom<Timestamp> for OffsetDateTime {
    type Error = InvalidTimestamp;

    fn try_from(timestamp: Timestamp) -> Result<OffsetDateTime, InvalidTimestamp> {
        let second =
            OffsetDateTime::from_unix_timestamp(timestamp.seconds()).map_err(|_| InvalidTimestamp)?;
        second.replace_nanosecond(timestamp.nanos()).map_err(|_| InvalidTimestamp)
    }
}

/// Fails outside of the years 0000 to 9999.
impl Wire for time::Date {
    type As = Date;

    fn to_wire(&self) -> Result<Date, WireError> {
        let (year, month, day) = self.to_calendar_date();
        Ok(Date::new(format!("{year:04}-{:02}-{day:02}", u8::from(month)))?)
    }

    fn from_wire(wire: Date) -> Result<time::Date, WireError> {
        let mut parts = wire.as_str().split('-');
        let mut part = || parts.next().unwrap_or_default();
        let (year, month, day) = (part().parse()?, part().parse::<u8>()?, part().parse()?);
        Ok(time::Date::from_calendar_date(year, Month::try_from(month)?, day)?)
    }
}

impl Wire for time::Time {
    type As = Time;

    fn to_wire(&self) -> Result<Time, WireError> {
        let (hour, minute, second, nanos) = self.as_hms_nano();
        let text = format!("{hour:02}:{minute:02}:{second:02}.{nanos:09}");
        Ok(Time::new(text.trim_end_matches('0').trim_end_matches('.'))?)
    }

    fn from_wire(wire: Time) -> Result<time::Time, WireError> {
        let mut parts = wire.as_str().split([':', '.']);
        let (hour, minute) =
            (parts.next().unwrap_or_default().parse()?, parts.next().unwrap_or_default().parse()?);
        let second = parts.next().unwrap_or("0").parse()?;
        // The form allows nine digits at most.
        let nanos = format!("{:0<9}", parts.next().unwrap_or_default()).parse()?;
        Ok(time::Time::from_hms_nano(hour, minute, second, nanos)?)
    }
}

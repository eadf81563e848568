//! Every bound of the protocol in one place, with the reason for its size.

/// Nested containers in one message, counted as JSON would show them.
///
/// A struct, list, array, tuple or map counts one from where it begins, be it empty or not, to where it ends. An enum's
/// variant with content counts one for the object around it; content that is a tuple or has named fields counts one
/// more. Scalars, unit variants and `Option` count nothing, nor does the inside of a `Json` text. So a request, which
/// is a struct, is at depth 1; depth 128 is accepted and depth 129 refused.
pub const MAX_DEPTH: usize = 128;

/// Zero-sized values of one message: units, and the structs, tuples and arrays that have no bytes in all. They cost
/// nothing, so that only a count can bound them: five bytes could otherwise ask for a list of 268 million, and no byte at
/// all for a struct of a hundred levels that each hold the next one twice.
pub const MAX_ZERO_SIZED_ITEMS: usize = 65_536;

/// Default and largest body of a frame, in bytes. A longer message travels in fragments of this size.
pub const MAX_FRAME: u32 = 64 * 1024;

/// The smallest frame body that a peer may ask to be held to, in bytes.
pub const MIN_FRAME: u32 = 1024;

/// The largest body of HELLO and of SCHEMA, in bytes; these two are never fragmented.
pub const MAX_CONTROL: u32 = 1024 * 1024;

/// The largest encoded schema, in bytes: what SCHEMA carries behind the fingerprint. Servers refuse longer ones at start.
pub const MAX_SCHEMA: usize = MAX_CONTROL as usize - 16;

/// Types, fields, variants, definitions, aliases and attributes of one schema, all together. A byte can bring one, which takes some
/// hundred bytes once it is read.
pub const MAX_SCHEMA_PARTS: usize = 65_536;

/// The longest name or alias of a field or variant, in bytes. JSON repeats it with every value, so that three bytes of a
/// message could otherwise ask for as many names of a megabyte as there may be values without bytes.
pub const MAX_NAME: usize = 256;

/// The longest name of a service or method, in bytes.
pub const MAX_OFFER_NAME: usize = 128;

/// All defaults of one schema together, in bytes. Each byte can be read behind [`MAX_DEPTH`] containers, so this bounds how
/// long a schema's defaults take to check.
pub const MAX_DEFAULTS: usize = 64 * 1024;

/// The values of all attributes of one schema together, in bytes. Examples and bounds among them cost what defaults cost.
pub const MAX_ATTRIBUTES: usize = 64 * 1024;

/// The longest regular expression of a field, in bytes: compiling one takes memory of many times its length.
pub const MAX_PATTERN: usize = 1024;

/// How deep a type expression may nest without going through a definition.
pub const MAX_TYPE_NESTING: usize = 32;

/// Default for the largest message, in bytes.
pub const MAX_MESSAGE: u32 = 16 * 1024 * 1024;

/// Default for the calls that one connection may have in flight.
pub const MAX_CALLS: u32 = 1024;

/// The largest message that a side may ask for; and default and bound for the [window](Limits::window), in bytes.
pub const MAX_ASSEMBLY: usize = 64 * 1024 * 1024;

/// The largest metadata block of a message, in bytes.
pub const MAX_METADATA: usize = 16 * 1024;

/// What one side of a connection accepts; told to the peer in HELLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest frame body in bytes, from [`MIN_FRAME`] to [`MAX_FRAME`].
    pub max_frame: u32,
    /// Largest message (body of all fragments together) in bytes, from [`MIN_FRAME`] to [`MAX_ASSEMBLY`].
    pub max_message: u32,
    /// Calls in flight at once, at least 1.
    pub max_calls: u32,
    /// All messages together of which a part has come and not yet all, by their whole lengths in bytes: from `max_message` to
    /// [`MAX_ASSEMBLY`]. The peer lets further long messages wait.
    pub window: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_frame: MAX_FRAME,
            max_message: MAX_MESSAGE,
            max_calls: MAX_CALLS,
            window: MAX_ASSEMBLY as u32,
        }
    }
}

/// The most that a sender may have left to send of a stream, in items and in bytes.
pub const MAX_CREDIT: u32 = i32::MAX as u32;

/// How much of a stream may be sent. In HELLO: of every stream that this side receives, before it gives more.
///
/// Both are counted, because each alone fails: by items alone as many messages of the largest size may come, by bytes alone empty
/// items without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamCredit {
    /// Items, up to [`MAX_CREDIT`].
    pub items: u32,
    /// Bytes of items, up to [`MAX_CREDIT`]. The last item may be longer than what is left.
    pub bytes: u32,
}

impl Default for StreamCredit {
    /// 64 MiB a connection of 1024 streams. Small items are so many that giving back is rare, and so few that what a side keeps beside the
    /// bytes of each, about 64 bytes, is half of the bytes at most.
    fn default() -> Self {
        StreamCredit { items: 512, bytes: 64 * 1024 }
    }
}

impl StreamCredit {
    /// Each number moved to the nearest that the protocol allows, as both sides do it with what HELLO tells.
    pub fn clamped(self) -> StreamCredit {
        StreamCredit { items: self.items.min(MAX_CREDIT), bytes: self.bytes.min(MAX_CREDIT) }
    }
}

impl Limits {
    /// Each limit moved to the nearest that the protocol allows. Both sides do this with what HELLO tells, so that they
    /// agree whatever was told.
    pub fn clamped(self) -> Limits {
        let max_message = self.max_message.clamp(MIN_FRAME, MAX_ASSEMBLY as u32);
        Limits {
            max_frame: self.max_frame.clamp(MIN_FRAME, MAX_FRAME),
            max_message,
            max_calls: self.max_calls.max(1),
            window: self.window.clamp(max_message, MAX_ASSEMBLY as u32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_those_of_the_document() {
        assert_eq!((MAX_DEPTH, MAX_ZERO_SIZED_ITEMS, MAX_SCHEMA_PARTS), (128, 65_536, 65_536));
        assert_eq!((MAX_FRAME, MIN_FRAME, MAX_CONTROL), (65_536, 1024, 1_048_576));
        assert_eq!((MAX_MESSAGE, MAX_CALLS), (16_777_216, 1024));
        assert_eq!((MAX_DEFAULTS, MAX_ATTRIBUTES, MAX_PATTERN), (65_536, 65_536, 1024));
        assert_eq!((MAX_NAME, MAX_TYPE_NESTING), (256, 32));
        assert_eq!((MAX_ASSEMBLY, MAX_METADATA, MAX_SCHEMA), (67_108_864, 16_384, 1_048_560));
        assert_eq!((MAX_OFFER_NAME, MAX_CREDIT), (128, 2_147_483_647));
    }
}

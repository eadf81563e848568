//! Passes one JSON value, whatever it is, and checks it as strictly as if it were read: for `Json` values, which are
//! passed on as they stand, and for members that nobody asked for.

use super::{Cursor, Fault, Key, Problem, duplicate_in_text};
use callgate_protocol::limits::MAX_DEPTH;

/// Passes the value that comes next, inside of `depth` containers. `keys` is scratch: what it holds is left as it is.
pub(crate) fn skip_value(cursor: &mut Cursor<'_>, depth: usize, keys: &mut Vec<Key>) -> Result<(), Fault> {
    match cursor.peek() {
        Some(b'"') => cursor.string().map(drop),
        Some(b'-' | b'0'..=b'9') => cursor.number().map(drop),
        Some(b't') => cursor.literal("true"),
        Some(b'f') => cursor.literal("false"),
        Some(b'n') => cursor.literal("null"),
        Some(b'[' | b'{') if depth >= MAX_DEPTH => Err(Fault { at: cursor.pos, problem: Problem::TooDeep }),
        Some(b'[') => skip_array(cursor, depth + 1, keys),
        Some(b'{') => {
            let base = keys.len();
            let result = skip_object(cursor, depth + 1, keys, base);
            keys.truncate(base);
            result
        }
        _ => Err(Fault::expected(cursor.pos, "a value")),
    }
}

fn skip_array(cursor: &mut Cursor<'_>, depth: usize, keys: &mut Vec<Key>) -> Result<(), Fault> {
    if cursor.open(b']') {
        return Ok(());
    }
    loop {
        skip_value(cursor, depth, keys)?;
        if !cursor.next_item()? {
            return Ok(());
        }
    }
}

fn skip_object(cursor: &mut Cursor<'_>, depth: usize, keys: &mut Vec<Key>, base: usize) -> Result<(), Fault> {
    if cursor.open(b'}') {
        return Ok(());
    }
    loop {
        let at = cursor.pos;
        let key = cursor.key()?;
        keys.push(Key::in_text(at, key));
        cursor.colon()?;
        skip_value(cursor, depth, keys)?;
        if !cursor.next_member()? {
            break;
        }
    }
    match duplicate_in_text(keys.get_mut(base..).unwrap_or_default(), cursor.text()) {
        None => Ok(()),
        Some((second, first)) => Err(Fault { at: second.at, problem: Problem::DuplicateKey(first.at) }),
    }
}

//! Lengths that are known only when what they count is written already.

use callgate_protocol::wire::put_varint;

/// Inserts the length in bytes of `out[start..]` before it.
#[inline]
pub(crate) fn put_length_before(out: &mut Vec<u8>, start: usize) {
    let end = out.len();
    put_varint(out, (end - start) as u64);
    let width = out.len() - end;
    if let Some(tail) = out.get_mut(start..) {
        tail.rotate_right(width);
    }
}

/// Sets the count for which [`open_count`] kept a byte at `start`.
#[inline]
pub(crate) fn close_count(out: &mut Vec<u8>, start: usize, count: u64) {
    if count <= 250
        && let Some(place) = out.get_mut(start)
    {
        *place = count as u8;
        return;
    }
    let mut wide = Vec::new();
    put_varint(&mut wide, count);
    // What it counts is moved once.
    out.splice(start..=start, wide);
}

/// Keeps a byte for a count, which most often fits it. Gives its place.
#[inline]
pub(crate) fn open_count(out: &mut Vec<u8>) -> usize {
    out.push(0);
    out.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_protocol::wire::Reader;

    #[test]
    fn lengths_and_counts_come_before_what_they_count() {
        for size in [0_usize, 1, 250, 251, 65_535, 65_536, 70_000] {
            let content: Vec<u8> = (0..size).map(|i| i as u8).collect();
            let mut out = b"x".to_vec();
            out.extend_from_slice(&content);
            put_length_before(&mut out, 1);
            assert_eq!(Reader::new(&out[1..]).bytes(), Ok(content.as_slice()));

            let mut out = b"x".to_vec();
            let start = open_count(&mut out);
            out.extend_from_slice(&content);
            close_count(&mut out, start, size as u64);
            assert_eq!(Reader::new(&out[1..]).bytes(), Ok(content.as_slice()));
            assert_eq!(out[0], b'x');
        }
    }
}

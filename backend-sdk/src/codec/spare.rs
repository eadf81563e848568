//! A buffer that results are written into, one for each thread: what was sent is written over by the next result.
//!
//! The system's allocator puts small pieces together whenever a large one is freed. With a buffer of its own for each result, that was a
//! tenth of what an instance spent on long ones.

use std::cell::Cell;

/// The bytes for which there is room from the start: growing byte by byte cost more than writing most results.
const ROOM: usize = 512;

/// The largest buffer that is kept, in bytes.
const MOST: usize = 64 * 1024;

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// An empty buffer.
pub(crate) fn take() -> Vec<u8> {
    let spare = SPARE.try_with(Cell::take).unwrap_or_default();
    if spare.capacity() > 0 { spare } else { Vec::with_capacity(ROOM) }
}

/// Keeps a buffer for the next result.
pub(crate) fn give_back(mut buffer: Vec<u8>) {
    if (ROOM..=MOST).contains(&buffer.capacity()) {
        buffer.clear();
        // A thread that ends keeps nothing.
        let _ = SPARE.try_with(|spare| spare.set(buffer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_unless_it_is_large() {
        let mut first = take();
        first.extend_from_slice(&[7; 3 * ROOM]);
        let (at, capacity) = (first.as_ptr(), first.capacity());
        give_back(first);
        let second = take();
        assert_eq!((second.as_ptr(), second.capacity(), second.len()), (at, capacity, 0));
        assert_eq!(take().capacity(), ROOM, "the one that is out is nobody else's");
        give_back(Vec::with_capacity(MOST + 1));
        assert_eq!(take().capacity(), ROOM);
    }
}

//! The one rule for what stands several times and may stand once: the first counts, the others are skipped.

/// The tags that were seen among some fields.
#[derive(Default)]
pub(crate) struct First([u64; 4]);

impl First {
    /// Whether a field of that tag is the first one.
    pub(crate) fn is(&mut self, tag: u8) -> bool {
        let (word, bit) = (&mut self.0[usize::from(tag / 64)], 1 << (tag % 64));
        let first = *word & bit == 0;
        *word |= bit;
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tag_is_the_first_once() {
        let mut first = First::default();
        assert!((0..=255).all(|tag| first.is(tag)));
        assert!(!(0..=255).any(|tag| first.is(tag)));
    }
}

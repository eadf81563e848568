//! A message as its fragments come. It grows by what has come.

use super::Fault;

/// What has come of a message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) is_text: bool,
    pub(super) data: Vec<u8>,
    /// So much of it is known to be UTF-8. Behind it is no more than the beginning of one character.
    checked: usize,
}

impl Message {
    pub(super) fn begin(is_text: bool) -> Message {
        Message { is_text, data: Vec::new(), checked: 0 }
    }

    /// Adds bytes that are masked. They begin at that place of their frame.
    pub(super) fn add(&mut self, masked: &[u8], mask: [u8; 4], at: u64) -> Result<(), Fault> {
        let before = self.data.len();
        self.data.extend_from_slice(masked);
        unmask(&mut self.data[before..], mask, at);
        if self.is_text { self.check() } else { Ok(()) }
    }

    /// Looks at what has come since, so that a text that cannot become UTF-8 any more ends at once.
    fn check(&mut self) -> Result<(), Fault> {
        match std::str::from_utf8(&self.data[self.checked..]) {
            Ok(text) => self.checked += text.len(),
            Err(error) if error.error_len().is_none() => self.checked += error.valid_up_to(),
            Err(_) => return Err(Fault::NotUtf8),
        }
        Ok(())
    }

    /// All of it, where nothing more comes.
    pub(super) fn finish(self) -> Result<Vec<u8>, Fault> {
        if self.is_text && self.checked < self.data.len() { Err(Fault::NotUtf8) } else { Ok(self.data) }
    }
}

/// Takes the mask off bytes that begin at that place of their frame (RFC 6455, 5.3).
pub(super) fn unmask(bytes: &mut [u8], mut mask: [u8; 4], at: u64) {
    mask.rotate_left((at % 4) as usize);
    let mut words = bytes.chunks_exact_mut(4);
    for word in &mut words {
        for (byte, key) in word.iter_mut().zip(mask) {
            *byte ^= key;
        }
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(mask) {
        *byte ^= key;
    }
}

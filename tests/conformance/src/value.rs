//! The few values of profile 1 that frames and the service `conformance` need, written from the page.

/// Appends an unsigned number as a varint.
pub fn varint(out: &mut Vec<u8>, value: u64) {
    if value <= 250 {
        out.push(value as u8);
    } else if value <= 0xffff {
        out.push(251);
        out.extend_from_slice(&(value as u16).to_le_bytes());
    } else if value <= 0xffff_ffff {
        out.push(252);
        out.extend_from_slice(&(value as u32).to_le_bytes());
    } else {
        out.push(253);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// A number as a varint: the arguments of a method that takes one.
pub fn number(value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    varint(&mut out, value);
    out
}

/// A length and these bytes: a blob, a text, or the arguments of a method that takes one.
pub fn blob(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let mut out = Vec::with_capacity(bytes.len() + 9);
    varint(&mut out, bytes.len() as u64);
    out.extend_from_slice(bytes);
    out
}

/// Reads from the front of bytes; every reading says what is missing.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// So many bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let Some((taken, rest)) = self.0.split_at_checked(count) else {
            return Err(format!("{count} bytes should follow, but there are {}", self.0.len()));
        };
        self.0 = rest;
        Ok(taken)
    }

    /// A byte.
    ///
    /// # Errors
    /// When there is none.
    pub fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    /// A fixed-size number, little endian.
    ///
    /// # Errors
    /// When there are fewer than two bytes.
    pub fn u16(&mut self) -> Result<u16, String> {
        let bytes = self.take(2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    /// A fixed-size number, little endian.
    ///
    /// # Errors
    /// When there are fewer than four bytes.
    pub fn u32(&mut self) -> Result<u32, String> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    /// A varint of 64 bits.
    ///
    /// # Errors
    /// When it is cut short or too wide.
    pub fn varint(&mut self) -> Result<u64, String> {
        let width = match self.byte()? {
            small @ 0..=250 => return Ok(small.into()),
            251 => 2,
            252 => 4,
            253 => 8,
            marker => return Err(format!("{marker} begins no varint of 64 bits")),
        };
        let mut wide = [0; 8];
        wide[..width].copy_from_slice(self.take(width)?);
        Ok(u64::from_le_bytes(wide))
    }

    /// A blob.
    ///
    /// # Errors
    /// When it is cut short.
    pub fn blob(&mut self) -> Result<&'a [u8], String> {
        let length = self.varint()?;
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }
}

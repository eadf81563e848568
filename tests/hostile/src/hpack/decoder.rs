//! Reads field blocks, with the table that they build.

use super::huffman;
use super::names::FIELDS;
use std::collections::VecDeque;

/// What a table may hold unless a side has said otherwise (RFC 9113, 6.5.2).
const TABLE_SIZE: usize = 4096;

/// A field line.
type Field = (String, String);

/// The table of the fields that were sent before.
#[derive(Debug)]
pub struct Decoder {
    /// The newest first.
    table: VecDeque<Field>,
    capacity: usize,
    /// The capacity is at most that.
    most: usize,
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder { table: VecDeque::new(), capacity: TABLE_SIZE, most: TABLE_SIZE }
    }
}

impl Decoder {
    /// Reads a whole block.
    pub fn decode(&mut self, block: &[u8]) -> Result<Vec<Field>, String> {
        let mut rest = block;
        let mut fields = Vec::new();
        while let Some(first) = rest.first().copied() {
            let field = if first & 0x80 != 0 {
                let index = integer(&mut rest, 7)?;
                self.field(index)?
            } else if first & 0xe0 == 0x20 {
                let capacity = integer(&mut rest, 5)?;
                self.resize(capacity, fields.is_empty())?;
                continue;
            } else {
                let is_kept = first & 0x40 != 0;
                let index = integer(&mut rest, if is_kept { 6 } else { 4 })?;
                let name = if index == 0 { string(&mut rest)? } else { self.field(index)?.0 };
                let field = (name, string(&mut rest)?);
                if is_kept {
                    self.table.push_front(field.clone());
                    self.evict();
                }
                field
            };
            fields.push(field);
        }
        Ok(fields)
    }

    fn field(&self, index: usize) -> Result<Field, String> {
        let wrong = || format!("index {index} is in no table");
        let place = index.checked_sub(1).ok_or_else(wrong)?;
        match place.checked_sub(FIELDS.len()) {
            None => Ok((FIELDS[place].0.to_owned(), FIELDS[place].1.to_owned())),
            Some(place) => self.table.get(place).cloned().ok_or_else(wrong),
        }
    }

    fn resize(&mut self, capacity: usize, is_first: bool) -> Result<(), String> {
        if capacity > self.most || !is_first {
            return Err(format!("the table becomes {capacity} bytes large, first: {is_first}"));
        }
        self.capacity = capacity;
        self.evict();
        Ok(())
    }

    /// A field counts 32 bytes more than it has (RFC 7541, 4.1).
    fn evict(&mut self) {
        let size = |table: &VecDeque<Field>| {
            table.iter().map(|(name, value)| name.len() + value.len() + 32).sum::<usize>()
        };
        while size(&self.table) > self.capacity {
            self.table.pop_back();
        }
    }
}

fn integer(rest: &mut &[u8], prefix: u32) -> Result<usize, String> {
    let mut next = || -> Result<u8, String> {
        let (first, behind) = rest.split_first().ok_or("a block ends within a field")?;
        *rest = behind;
        Ok(*first)
    };
    let most = (1_usize << prefix) - 1;
    let mut value = usize::from(next()?) & most;
    if value < most {
        return Ok(value);
    }
    for shift in [0, 7, 14, 21] {
        let byte = next()?;
        value += usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err("an integer is too large".to_owned())
}

fn string(rest: &mut &[u8]) -> Result<String, String> {
    let is_coded = rest.first().is_some_and(|first| first & 0x80 != 0);
    let length = integer(rest, 7)?;
    let (bytes, behind) = rest.split_at_checked(length).ok_or("a block ends within a string")?;
    *rest = behind;
    let text = if is_coded { huffman::decode(bytes)? } else { bytes.to_vec() };
    String::from_utf8(text).map_err(|_| "a string is not ASCII".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The requests of RFC 7541, C.4.1 and C.4.2: the second refers to what the first has put into the table.
    #[test]
    fn blocks_refer_to_those_before() {
        let mut decoder = Decoder::default();
        let first = b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
        let authority = (":authority".to_owned(), "www.example.com".to_owned());
        assert_eq!(decoder.decode(first).unwrap()[3], authority);
        let second = decoder.decode(b"\x82\x86\x84\xbe\x58\x86\xa8\xeb\x10\x64\x9c\xbf").unwrap();
        assert_eq!(second[3], authority);
        assert_eq!(second[4], ("cache-control".to_owned(), "no-cache".to_owned()));
        decoder.decode(b"\x20").unwrap();
        assert!(decoder.decode(b"\xbe").is_err(), "an empty table has nothing");
    }

    #[test]
    fn what_is_cut_short_or_refers_to_nothing_is_refused() {
        for block in
            [&b"\x80"[..], b"\xbe", b"\x40", b"\x00\x02a", b"\x3f\xe2\x1f", b"\xff\xff\xff\xff\xff\x0f"]
        {
            assert!(Decoder::default().decode(block).is_err(), "{block:x?}");
        }
    }
}

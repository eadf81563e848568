//! HPACK (RFC 7541): field blocks written as literals that nothing refers to, so that anything can be sent, and a server's blocks read
//! strictly.

mod decoder;
mod huffman;
mod names;

pub use decoder::Decoder;

/// Adds an integer with a prefix of so many bits, behind the bits of `pattern` (RFC 7541, 5.1).
pub fn integer(out: &mut Vec<u8>, pattern: u8, prefix: u32, value: usize) {
    let most = (1 << prefix) - 1;
    if value < most {
        out.push(pattern | value as u8);
        return;
    }
    out.push(pattern | most as u8);
    let mut rest = value - most;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    integer(out, 0, 7, bytes.len());
    out.extend_from_slice(bytes);
}

/// Adds a literal field that is not put into the table (RFC 7541, 6.2.2).
pub fn literal(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.push(0);
    string(out, name);
    string(out, value);
}

/// Adds a literal field that is put into the table (RFC 7541, 6.2.1).
pub fn indexed_literal(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.push(0x40);
    string(out, name);
    string(out, value);
}

/// A block of literal fields.
pub fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        literal(&mut out, name.as_bytes(), value.as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_those_of_rfc_7541_c_1() {
        for (value, prefix, expected) in
            [(10, 5, &[10][..]), (1337, 5, &[31, 154, 10]), (42, 8, &[42]), (31, 5, &[31, 0])]
        {
            let mut out = Vec::new();
            integer(&mut out, 0, prefix, value);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn a_block_that_was_written_is_read() {
        let block = block(&[(":path", "/up"), ("x", "")]);
        let fields = Decoder::default().decode(&block).unwrap();
        assert_eq!(fields, [(":path".to_owned(), "/up".to_owned()), ("x".to_owned(), String::new())]);
    }
}

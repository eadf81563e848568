//! Text → wire: what the strings of JSON, its keys, and the values of path and query parameters say.

use super::{Scalar, put_f32, put_f64, time};
use crate::json::Number;
use crate::layout::shown;
use crate::tail::put_length_before;
use crate::violation::Refusal;
use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, DecodeSliceError};
use callgate_protocol::wire::{put_bytes, put_char, put_varint};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const fn base64(alphabet: &Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

pub(super) const BASE64: GeneralPurpose = base64(&STANDARD);
const BASE64_URL: GeneralPurpose = base64(&URL_SAFE);

impl Scalar {
    /// Writes the value that `text` says.
    pub(crate) fn put_text(self, text: &str, out: &mut Vec<u8>) -> Result<(), Refusal> {
        match self {
            Scalar::String => put_bytes(out, text.as_bytes()),
            Scalar::Text(form) => {
                form.accept(text)?;
                put_bytes(out, text.as_bytes());
            }
            Scalar::Int(int) => return int.put_text(text, out),
            Scalar::Bool => match text {
                "true" => out.push(1),
                "false" => out.push(0),
                _ => {
                    return Err(Refusal::value(format!(
                        "expected `true` or `false`, got \"{}\"",
                        shown(text)
                    )));
                }
            },
            Scalar::F32 | Scalar::F64 => return self.put_float(text, out),
            Scalar::Char => {
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (Some(only), None) => put_char(out, only),
                    _ => {
                        let detail = format!("expected one character, got {}", text.chars().count());
                        return Err(Refusal::value(detail));
                    }
                }
            }
            Scalar::Bytes => return put_base64(text, out).map_err(Refusal::value),
            Scalar::Uuid => {
                let uuid = uuid(text).ok_or_else(|| self.refuse(text))?;
                put_bytes(out, &uuid);
            }
            Scalar::Timestamp => return time::put_timestamp(text, out).map_err(Refusal::value),
            Scalar::Duration => return time::put_duration(text, out).map_err(Refusal::value),
            Scalar::IpAddr => match text.parse().map_err(|_| self.refuse(text))? {
                IpAddr::V4(ip) => {
                    put_varint(out, 0);
                    out.extend_from_slice(&ip.octets());
                }
                IpAddr::V6(ip) => {
                    put_varint(out, 1);
                    out.extend_from_slice(&ip.octets());
                }
            },
            Scalar::Ipv4Addr => {
                let ip: Ipv4Addr = text.parse().map_err(|_| self.refuse(text))?;
                out.extend_from_slice(&ip.octets());
            }
            Scalar::Ipv6Addr => {
                let ip: Ipv6Addr = text.parse().map_err(|_| self.refuse(text))?;
                out.extend_from_slice(&ip.octets());
            }
        }
        Ok(())
    }

    #[cold]
    fn refuse(self, text: &str) -> Refusal {
        Refusal::value(format!("expected {}, got \"{}\"", self.expected(), shown(text)))
    }

    /// A float, among them those that JSON has no number for.
    fn put_float(self, text: &str, out: &mut Vec<u8>) -> Result<(), Refusal> {
        match (self, self.put_special(text, out), Number::of_text(text)) {
            (_, true, _) => Ok(()),
            (Scalar::F32, _, Some(number)) => put_f32(number, out),
            (_, _, Some(number)) => put_f64(number, out),
            (_, _, None) => Err(self.refuse(text)),
        }
    }

    /// Writes what JSON has no number for: `NaN`, `Infinity`, `-Infinity`. Whether `text` was one of them.
    pub(crate) fn put_special(self, text: &str, out: &mut Vec<u8>) -> bool {
        let value = match text {
            "NaN" => f32::NAN,
            "Infinity" => f32::INFINITY,
            "-Infinity" => f32::NEG_INFINITY,
            _ => return false,
        };
        match self {
            Scalar::F32 => out.extend_from_slice(&value.to_le_bytes()),
            _ => out.extend_from_slice(&f64::from(value).to_le_bytes()),
        }
        true
    }
}

fn put_base64(text: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let engine = match text.bytes().any(|byte| byte == b'-' || byte == b'_') {
        true => &BASE64_URL,
        false => &BASE64,
    };
    let start = out.len();
    out.resize(start + base64::decoded_len_estimate(text.len()), 0);
    let room = out.get_mut(start..).unwrap_or_default();
    let length = engine
        .decode_slice(text, room)
        .map_err(|error| format!("not base64 (standard or URL-safe): {}", base64_error(text, &error)))?;
    out.truncate(start + length);
    put_length_before(out, start);
    Ok(())
}

/// What is wrong with a text that should be base64, in words for whoever sent it: the library's own name its Rust types.
#[cold]
fn base64_error(text: &str, error: &DecodeSliceError) -> String {
    match error {
        DecodeSliceError::DecodeError(DecodeError::InvalidByte(offset, byte)) => {
            let before = text.get(..*offset).unwrap_or_default().chars().count();
            match text.get(*offset..).and_then(|rest| rest.chars().next()) {
                Some('=') => format!("padding at character {}, which is not the end", before + 1),
                Some(c @ ('+' | '/')) => format!("`{c}` at character {} beside `-` or `_`", before + 1),
                Some(c) => format!("{c:?} at character {} is none of its characters", before + 1),
                None => format!("the byte 0x{byte:02x} is none of its characters"),
            }
        }
        DecodeSliceError::DecodeError(DecodeError::InvalidLength(_)) => {
            "a character is missing at its end, or one is too many".to_owned()
        }
        DecodeSliceError::DecodeError(DecodeError::InvalidLastSymbol(..)) => {
            "its last character says more than the last byte has room for".to_owned()
        }
        DecodeSliceError::DecodeError(DecodeError::InvalidPadding) => "its padding is wrong".to_owned(),
        // There is room: it was made for the text's length.
        DecodeSliceError::OutputSliceTooSmall => "it is too long".to_owned(),
    }
}

/// Reads the hyphenated form (8-4-4-4-12) or 32 digits, in either case.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let bytes = text.as_bytes();
    let hyphens: &[usize] = match bytes.len() {
        32 => &[],
        36 => &[8, 13, 18, 23],
        _ => return None,
    };
    let mut value: u128 = 0;
    for (place, byte) in bytes.iter().enumerate() {
        if hyphens.contains(&place) {
            if *byte != b'-' {
                return None;
            }
        } else {
            value = value << 4 | u128::from((*byte as char).to_digit(16)?);
        }
    }
    Some(value.to_be_bytes())
}

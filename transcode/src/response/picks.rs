//! Single fields of a result as texts: what headers, links and the status of a reply are made of. Whatever the body shows, any field
//! of the result can be picked.
//!
//! Only programs whose binding picks something have this, and they walk the message once more, up to the last field that is wanted.
//! So a body costs the same with and without. Messages whose JSON is made in steps have their fields picked in steps as well.

use super::decode::Decoder;
use super::{DecodeError, Decoding, MIN_STEP, ResponseProgram};
use crate::binding::Pick;
use crate::fields::{Walk, Wanted};
use crate::json::RawString;
use crate::layout::{Enum, Layout, Node, NodeId, list, shown};
use crate::path;
use crate::scalar::Scalar;
use crate::violation::BindError;

/// A longer text counts as missing, in bytes: it is for a header, and a head is small.
pub const MAX_PICKED: usize = 2048;

/// A character of a JSON string takes six bytes at most, and there are quotes around it.
const MAX_JSON: usize = 6 * MAX_PICKED + 2;

/// The fields that a program picks.
#[derive(Debug)]
pub(super) struct Picks {
    /// Sorted by their paths, which is the order in which the message has them.
    wanted: Vec<Wanted>,
}

/// The texts of the fields that were picked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picked(Vec<Option<String>>);

impl Picked {
    /// The text of the field that has this place in the binding. `None` if it is null or absent, a variant with content, or longer
    /// than [`MAX_PICKED`].
    pub fn get(&self, at: usize) -> Option<&str> {
        self.0.get(at)?.as_deref()
    }
}

impl Picks {
    /// Looks the fields up. `None` if there are none.
    pub(super) fn bind(layout: &Layout, picks: &[Pick]) -> Result<Option<Picks>, BindError> {
        let mut wanted = Vec::with_capacity(picks.len());
        for (at, pick) in picks.iter().enumerate() {
            let Pick { field, values } = pick;
            let found = path::resolve_or_tell(layout, layout.response, field)
                .map_err(|error| BindError(format!("the result's field `{field}`: {error}")))?;
            check(layout, found.node, field, values)?;
            wanted.push(Wanted { at, path: found.steps, node: found.node });
        }
        wanted.sort_by(|one, other| one.path.cmp(&other.path));
        Ok((!wanted.is_empty()).then_some(Picks { wanted }))
    }

    /// Reads them out of a message.
    pub(super) fn read(&self, program: &ResponseProgram, message: &[u8]) -> Result<Picked, DecodeError> {
        let mut offsets = vec![None; self.wanted.len()];
        let mut walk = Walk::new(&program.layout, message);
        let mut note = |wanted: &Wanted, offset| {
            if let Some(place) = offsets.get_mut(wanted.at) {
                *place = Some((offset, wanted.node));
            }
        };
        let found = walk.find(program.root, &self.wanted, 0, true, &mut note);
        found.map_err(|reason| DecodeError { offset: walk.offset(), reason: reason.into() })?;
        let (mut picked, mut json) = (vec![None; offsets.len()], Vec::new());
        for (place, found) in picked.iter_mut().zip(offsets) {
            let Some((offset, node)) = found else { continue };
            json.clear();
            let message = message.get(offset..).unwrap_or_default();
            let mut decoder = Decoder::new(&program.layout, message, &mut json, program.style, usize::MAX);
            let read = decoder.value(program.layout.bare_id(node));
            read.map_err(|reason| DecodeError { offset: offset + decoder.offset(), reason })?;
            *place = text(&json);
        }
        Ok(Picked(picked))
    }
}

/// Refuses a field that is not one text, or cannot have one of these values.
fn check(layout: &Layout, node: NodeId, field: &str, values: &[String]) -> Result<(), BindError> {
    let refused = |value: &String, why: String| {
        BindError(format!("the result's field `{field}` is never `{}`: {why}", shown(value)))
    };
    match layout.bare(node) {
        Node::Scalar(Scalar::Bool) => {
            let wrong = values.iter().find(|value| !matches!(value.as_str(), "true" | "false"));
            wrong.map_or(Ok(()), |value| Err(refused(value, "it is `true` or `false`".to_owned())))
        }
        Node::Scalar(_) => Ok(()),
        Node::Enum(table) if table.has_unit => {
            let is_unit = |value: &String| {
                let mut variants = table.variants.iter();
                variants.any(|variant| *variant.name == **value && variant.content.is_none())
            };
            let wrong = values.iter().find(|value| !is_unit(value));
            wrong.map_or(Ok(()), |value| Err(refused(value, variants(table))))
        }
        _ => Err(BindError(format!(
            "the result's field `{field}` is not one text: only strings, numbers, booleans and enums whose variants have no content \
             can be used here"
        ))),
    }
}

fn variants(table: &Enum) -> String {
    let units = table.variants.iter().filter(|variant| variant.content.is_none());
    format!("its variants without content are {}", list(units.map(|variant| &*variant.name)))
}

/// The text that a JSON value says. `None` if it is null, an object or an array, or too long.
fn text(json: &[u8]) -> Option<String> {
    if json.len() > MAX_JSON {
        return None;
    }
    let json = std::str::from_utf8(json).ok()?;
    let text = match json.as_bytes().first()? {
        b'n' | b'{' | b'[' => return None,
        b'"' => {
            let raw = json.strip_prefix('"')?.strip_suffix('"')?;
            RawString { raw, escaped: raw.contains('\\') }.decode().into_owned()
        }
        _ => json.to_owned(),
    };
    (text.len() <= MAX_PICKED).then_some(text)
}

/// Fields that are being picked in steps.
#[derive(Debug)]
pub struct Picking<'a> {
    program: &'a ResponseProgram,
    message: &'a [u8],
    /// Those that are left, of which the first is being read.
    left: &'a [Wanted],
    decoding: Option<Decoding<'a>>,
    json: Vec<u8>,
    picked: Vec<Option<String>>,
}

impl<'a> Picking<'a> {
    pub(super) fn new(program: &'a ResponseProgram, message: &'a [u8]) -> Picking<'a> {
        let left: &[Wanted] = program.picks.as_ref().map_or(&[], |picks| &picks.wanted);
        let picked = vec![None; left.len()];
        Picking { program, message, left, decoding: None, json: Vec::new(), picked }
    }

    /// Goes on for as much work as writing `most` bytes is, of which there must be [`MIN_STEP`]. The texts, when all are there.
    ///
    /// # Errors
    /// As [`ResponseProgram::decode`].
    pub fn advance(&mut self, most: usize) -> Result<Option<Picked>, DecodeError> {
        let Some((wanted, rest)) = self.left.split_first() else {
            return Ok(Some(Picked(std::mem::take(&mut self.picked))));
        };
        let begin = || Decoding::of_field(self.program, &wanted.path, self.message);
        let decoding = self.decoding.get_or_insert_with(begin);
        let done = decoding.advance(&mut self.json, most.max(MIN_STEP))?;
        // What is too long already needs not be read to its end: nobody asks for it.
        if !done && self.json.len() <= MAX_JSON {
            return Ok(None);
        }
        if let Some(place) = self.picked.get_mut(wanted.at) {
            *place = text(&self.json);
        }
        (self.left, self.decoding) = (rest, None);
        self.json.clear();
        Ok(None)
    }

    /// What it has allocated beside a step, in bytes: as [`Decoding::held`].
    pub fn held(&self) -> usize {
        self.decoding.as_ref().map_or(0, Decoding::held)
    }
}

//! Two types → a program.
//!
//! Definitions may refer to each other in any way, so each pair that meets is compiled once, and waits in a queue for
//! its turn: nearest first, so that an error names the shortest way to the field. The depth of the recursion here is
//! that of one type expression. What is dropped is a pair of a definition with itself.

use super::error::{Misfit, Segment, pointer, words};
use super::int::Int;
use super::{Converter, Maybe, Op, OpId};
use crate::layout::Fixed;
use callgate_protocol::limits::MAX_SCHEMA_PARTS;
use callgate_protocol::schema::{Definition, Logical, MethodSchema, Type};
use std::collections::{HashMap, VecDeque};

pub(super) type Result<T> = std::result::Result<T, Misfit>;

/// Types, fields and variants that may be looked at, of all pairs together. Two schemas of which each definition meets one
/// of the other have no more than their parts; such that meet many have a bound.
const MAX_STEPS: usize = 4 * MAX_SCHEMA_PARTS;

pub(super) fn program(from: (&MethodSchema, &Type), to: (&MethodSchema, &Type)) -> Result<Converter> {
    let mut builder = Builder {
        ops: Vec::new(),
        pairs: HashMap::new(),
        waiting: VecDeque::new(),
        places: Vec::new(),
        steps: MAX_STEPS,
    };
    let sides = Sides { from: from.0, to: to.0, dropped: false };
    let root = builder.pair(sides, from.1, to.1, None)?;
    while let Some(pair) = builder.waiting.pop_front() {
        builder.ops[pair.op as usize] = builder.definitions(&pair)?;
    }
    Ok(Converter { ops: builder.ops, root })
}

/// The two schemas.
#[derive(Clone, Copy)]
pub(super) struct Sides<'a> {
    pub(super) from: &'a MethodSchema,
    pub(super) to: &'a MethodSchema,
    /// Whether nobody wants the value. Then both are the same schema.
    dropped: bool,
}

impl<'a> Sides<'a> {
    pub(super) fn dropping(self) -> Sides<'a> {
        Sides { to: self.from, dropped: true, ..self }
    }
}

/// Two definitions that meet.
struct Pair<'a> {
    op: OpId,
    sides: Sides<'a>,
    from: u32,
    to: u32,
    place: Place,
}

/// Where in the type something stands: an index into the builder's places, each of which knows the one around it.
pub(super) type Place = Option<u32>;

pub(super) struct Builder<'a> {
    ops: Vec<Op>,
    pairs: HashMap<(bool, u32, u32), OpId>,
    waiting: VecDeque<Pair<'a>>,
    places: Vec<(Place, Segment<'a>)>,
    /// How many steps may still be taken.
    steps: usize,
}

impl<'a> Builder<'a> {
    /// Counts steps before they are taken.
    pub(super) fn count(&mut self, steps: usize) -> Result<()> {
        self.steps = self.steps.checked_sub(steps).ok_or_else(|| Misfit {
            pointer: String::new(),
            detail: format!(
                "the two schemas are too large: more than {MAX_STEPS} types, fields and variants meet"
            ),
        })?;
        Ok(())
    }

    fn add(&mut self, op: Op) -> OpId {
        self.ops.push(op);
        self.ops.len() as OpId - 1
    }

    pub(super) fn within(&mut self, place: Place, segment: Segment<'a>) -> Place {
        self.places.push((place, segment));
        Some(self.places.len() as u32 - 1)
    }

    #[cold]
    pub(super) fn misfit(&self, mut place: Place, detail: String) -> Misfit {
        let inside_out = std::iter::from_fn(|| {
            let (outer, segment) = self.places.get(place? as usize)?;
            place = *outer;
            Some(segment.clone())
        });
        Misfit { pointer: pointer(inside_out), detail }
    }

    /// The operation from a value of one type to a value of the other.
    pub(super) fn pair(
        &mut self,
        sides: Sides<'a>,
        from: &'a Type,
        to: &'a Type,
        place: Place,
    ) -> Result<OpId> {
        self.count(1)?;
        let is_set = !sides.dropped && matches!(to.understood(), Type::Logical(Logical::SET, _));
        let op = match (from.physical(), to.physical()) {
            (Type::Option(from), to) => Op::Maybe(self.maybe(sides, from, to, place)?),
            (from, Type::Option(to)) => Op::Given(&[1], self.pair(sides, from, to, place)?),
            (from, Type::Presence(to)) => Op::Given(&[2], self.pair(sides, from, to, place)?),
            (Type::Unit, Type::Unit) => Op::Unit,
            (Type::F32, Type::F64) => Op::Widen,
            (Type::List(from), Type::List(to)) => {
                let place = self.within(place, Segment::Any);
                let item = self.pair(sides, from, to, place)?;
                if is_set { Op::Set(item) } else { Op::List(item) }
            }
            (Type::Array(from, length), Type::Array(to, same)) if length == same => {
                let place = self.within(place, Segment::Any);
                Op::Array(self.pair(sides, from, to, place)?, *length)
            }
            (Type::Tuple(from), Type::Tuple(to)) if from.len() == to.len() => {
                Op::Tuple(self.each(sides, from, to, place)?)
            }
            (Type::Map(from_key, from), Type::Map(to_key, to)) => {
                let place = self.within(place, Segment::Any);
                let key = self.pair(sides, from_key, to_key, place)?;
                Op::Map(key, self.pair(sides, from, to, place)?)
            }
            (Type::Ref(from), Type::Ref(to)) => return self.reference(sides, *from, *to, place),
            (from, to) => self.scalar(sides, from, to, place)?,
        };
        Ok(self.add(op))
    }

    /// From a presence, which only a field is: so there is something that stands for it where it is absent.
    pub(super) fn presence(
        &mut self,
        sides: Sides<'a>,
        from: &'a Type,
        (to, absent): (&'a Type, Option<Fixed>),
        place: Place,
    ) -> Result<OpId> {
        let maybe = self.maybe(sides, from, to.physical(), place)?;
        Ok(self.add(Op::Presence(absent, maybe)))
    }

    /// What is done with an option's content, or a presence's.
    fn maybe(&mut self, sides: Sides<'a>, from: &'a Type, to: &'a Type, place: Place) -> Result<Maybe> {
        let (none, some, to): (Option<&[u8]>, &'static [u8], _) = match to {
            Type::Option(to) => (Some(&[0]), &[1], &**to),
            Type::Presence(to) => (Some(&[1]), &[2], &**to),
            to => (None, &[], to),
        };
        Ok(Maybe { none: none.map(fixed), some, value: self.pair(sides, from, to, place)? })
    }

    /// Places of a tuple, which are as many on both sides.
    pub(super) fn each(
        &mut self,
        sides: Sides<'a>,
        from: &'a [Type],
        to: &'a [Type],
        place: Place,
    ) -> Result<Box<[OpId]>> {
        let pairs = from.iter().zip(to).enumerate();
        let each = pairs.map(|(index, (from, to))| {
            let place = self.within(place, Segment::Index(index as u64));
            self.pair(sides, from, to, place)
        });
        each.collect()
    }

    fn scalar(&self, sides: Sides<'a>, from: &'a Type, to: &'a Type, place: Place) -> Result<Op> {
        match (Int::of(from), Int::of(to)) {
            (Some(from), Some(to)) if from != to => Ok(Op::Int(from, to)),
            _ if from == to && is_scalar(from) => Ok(Op::Copy(from.clone())),
            _ => Err(self.misfit(place, differ(sides, from, to))),
        }
    }

    /// The operation of a pair of definitions, which is compiled when its turn comes.
    fn reference(&mut self, sides: Sides<'a>, from: u32, to: u32, place: Place) -> Result<OpId> {
        let key = (sides.dropped, from, to);
        if let Some(known) = self.pairs.get(&key) {
            return Ok(*known);
        }
        let op = self.add(Op::Unit);
        self.pairs.insert(key, op);
        self.waiting.push_back(Pair { op, sides, from, to, place });
        Ok(op)
    }

    fn definitions(&mut self, pair: &Pair<'a>) -> Result<Op> {
        let Pair { sides, place, .. } = *pair;
        match (sides.from.definition(pair.from), sides.to.definition(pair.to)) {
            (Some(Definition::Struct(from)), Some(Definition::Struct(to))) => {
                Ok(Op::Struct(self.structure(sides, &from.fields, &to.fields, place)?))
            }
            (Some(Definition::Enum(from)), Some(Definition::Enum(to))) => {
                Ok(Op::Enum(self.enumeration(sides, &from.variants, &to.variants, place)?))
            }
            _ => {
                let (from, to) = (Type::Ref(pair.from), Type::Ref(pair.to));
                Err(self.misfit(place, differ(sides, &from, &to)))
            }
        }
    }
}

/// Says that two types are not one.
#[cold]
pub(super) fn differ(sides: Sides<'_>, from: &Type, to: &Type) -> String {
    format!("{} is written, and {} is wanted", words(sides.from, from), words(sides.to, to))
}

pub(super) fn fixed(bytes: &[u8]) -> Fixed {
    Fixed { bytes: bytes.into(), depth: 0, zero_sized: 0 }
}

/// Whether values of the type are one token, which can be copied.
fn is_scalar(ty: &Type) -> bool {
    match ty {
        Type::Bool | Type::F32 | Type::F64 | Type::Char | Type::String | Type::Bytes | Type::Json => true,
        Type::Uuid | Type::Timestamp | Type::Duration => true,
        Type::IpAddr | Type::Ipv4Addr | Type::Ipv6Addr => true,
        other => Int::of(other).is_some(),
    }
}

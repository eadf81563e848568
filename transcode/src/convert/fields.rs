//! Which written field or variant is which wanted one.
//!
//! By its name; else by an alias of the wanted side, which has renamed it; else by an alias of the written side, which
//! has. A name is stronger than an alias.

use super::compile::{Builder, Place, Result, Sides, differ, fixed};
use super::error::{Segment, words};
use super::{Content, OpId, Step, Struct, Variant};
use crate::layout::Fixed;
use callgate_protocol::check::{self, Extent};
use callgate_protocol::schema::{self, Field, Shape, Type};
use std::collections::HashMap;

/// So many bytes, or values without bytes, of a default count as one step.
const DEFAULT_STEP: usize = 64;

impl<'a> Builder<'a> {
    pub(super) fn structure(
        &mut self,
        sides: Sides<'a>,
        from: &'a [Field],
        to: &'a [Field],
        place: Place,
    ) -> Result<Struct> {
        let names = |fields: &'a [Field]| fields.iter().map(|field| (&*field.name, &*field.aliases));
        let targets = self.targets(names(from), names(to), true)?;
        let mut runs = self.unwritten(sides, &targets, to, place)?;
        let (mut steps, mut order) = (Vec::new(), Vec::new());
        for (field, target) in from.iter().zip(targets) {
            let place = self.within(place, Segment::Name(field.name.as_str().into()));
            let wanted = target.and_then(|target| Some((target, to.get(target)?, runs.get_mut(target + 1)?)));
            let (op, kept) = match wanted {
                Some((target, wanted, run)) => {
                    order.push((target, order.len() as u32));
                    let behind = std::mem::take(run).fixed();
                    (self.field(sides, field, wanted, place)?, Some(behind))
                }
                None => (self.field(sides.dropping(), field, field, place)?, None),
            };
            steps.push(Step { name: field.name.as_str().into(), op, kept });
        }
        let moved = !order.is_sorted();
        order.sort_unstable();
        let order = moved.then(|| order.into_iter().map(|(_, kept)| kept).collect());
        let first = runs.first_mut().map(std::mem::take).unwrap_or_default().fixed();
        Ok(Struct { first, steps: steps.into_boxed_slice(), order })
    }

    /// What stands for wanted fields that are not written: before all that are, and behind each wanted field.
    fn unwritten(
        &mut self,
        sides: Sides<'a>,
        targets: &[Option<usize>],
        to: &'a [Field],
        place: Place,
    ) -> Result<Vec<Run>> {
        let mut written = vec![false; to.len()];
        targets.iter().flatten().for_each(|target| written[*target] = true);
        let mut runs: Vec<Run> = std::iter::repeat_with(Run::default).take(to.len() + 1).collect();
        let mut run = 0;
        for (target, field) in to.iter().enumerate() {
            match written[target] {
                true => run = target + 1,
                false => runs[run].add(self.absent(sides, field, place)?),
            }
        }
        Ok(runs)
    }

    fn field(&mut self, sides: Sides<'a>, from: &'a Field, to: &'a Field, place: Place) -> Result<OpId> {
        match (&from.ty, &to.ty) {
            (Type::Presence(from), Type::Presence(_)) => {
                self.presence(sides, from, (&to.ty, Some(fixed(&[0]))), place)
            }
            (Type::Presence(from), wanted) => {
                let absent = self.instead(sides, to, place)?;
                self.presence(sides, from, (wanted, absent), place)
            }
            (from, to) => self.pair(sides, from, to, place),
        }
    }

    /// What stands for a field that is not written.
    fn absent(&mut self, sides: Sides<'a>, field: &'a Field, place: Place) -> Result<Fixed> {
        if let Some(instead) = self.instead(sides, field, place)? {
            return Ok(instead);
        }
        let place = self.within(place, Segment::Name(field.name.as_str().into()));
        let wanted = words(sides.to, &field.ty);
        let detail = format!("the field is not written; {wanted} is wanted, and it has no default");
        Err(self.misfit(place, detail))
    }

    /// What stands for a field without a value, if anything does.
    fn instead(&mut self, sides: Sides<'a>, field: &'a Field, place: Place) -> Result<Option<Fixed>> {
        let Some(bytes) = &field.default else {
            let may_be_missing = matches!(field.ty.physical(), Type::Option(_) | Type::Presence(_));
            return Ok(may_be_missing.then(|| fixed(&[0])));
        };
        self.count(bytes.len() / DEFAULT_STEP)?;
        let measured = check::extent(sides.to, &field.ty, bytes).map_err(|error| {
            let place = self.within(place, Segment::Name(field.name.as_str().into()));
            self.misfit(place, format!("the default is not a value of its type: {error}"))
        })?;
        let Extent { depth, zero_sized } = measured;
        self.count(zero_sized / DEFAULT_STEP)?;
        Ok(Some(Fixed { bytes: bytes.as_slice().into(), depth, zero_sized }))
    }

    /// By what is written: what is wanted of it.
    fn targets(
        &mut self,
        written: impl Iterator<Item = Names<'a>> + Clone,
        wanted: impl Iterator<Item = Names<'a>> + Clone,
        once: bool,
    ) -> Result<Vec<Option<usize>>> {
        let all = written.clone().chain(wanted.clone());
        self.count(all.map(|(_, aliases)| 1 + aliases.len()).sum())?;
        Ok(targets(written, wanted, once))
    }

    pub(super) fn enumeration(
        &mut self,
        sides: Sides<'a>,
        from: &'a [schema::Variant],
        to: &'a [schema::Variant],
        place: Place,
    ) -> Result<Box<[Variant]>> {
        let names = |variants: &'a [schema::Variant]| {
            variants.iter().map(|variant| (&*variant.name, &*variant.aliases))
        };
        let targets = self.targets(names(from), names(to), false)?;
        let mut variants = Vec::new();
        for (variant, target) in from.iter().zip(targets) {
            let wanted = target.and_then(|target| Some((target as u32, to.get(target)?)));
            let wanted = match wanted {
                Some((number, wanted)) => {
                    let place = self.within(place, Segment::Name(variant.name.as_str().into()));
                    Some((number, self.content(sides, &variant.shape, &wanted.shape, place)?))
                }
                None => None,
            };
            variants.push(Variant { name: variant.name.as_str().into(), wanted });
        }
        Ok(variants.into_boxed_slice())
    }

    fn content(&mut self, sides: Sides<'a>, from: &'a Shape, to: &'a Shape, place: Place) -> Result<Content> {
        match (from, to) {
            (Shape::Unit, Shape::Unit) => Ok(Content::Unit),
            (Shape::Newtype(from), Shape::Newtype(to)) => {
                Ok(Content::Value(self.pair(sides, from, to, place)?))
            }
            (Shape::Tuple(from), Shape::Tuple(to)) if from.len() == to.len() => {
                Ok(Content::Tuple(self.each(sides, from, to, place)?))
            }
            (Shape::Struct(from), Shape::Struct(to)) => {
                Ok(Content::Fields(self.structure(sides, from, to, place)?))
            }
            // Of one shape alone the types tell more.
            (Shape::Tuple(from), Shape::Tuple(to)) => {
                let (from, to) = (Type::Tuple(from.clone()), Type::Tuple(to.clone()));
                Err(self.misfit(place, differ(sides, &from, &to)))
            }
            (from, to) => {
                let detail =
                    format!("a variant with {} is written, and one with {} is wanted", has(from), has(to));
                Err(self.misfit(place, detail))
            }
        }
    }
}

/// Constants one behind another.
#[derive(Default)]
struct Run {
    bytes: Vec<u8>,
    depth: usize,
    zero_sized: usize,
}

impl Run {
    fn add(&mut self, next: Fixed) {
        self.bytes.extend_from_slice(&next.bytes);
        self.depth = self.depth.max(next.depth);
        self.zero_sized += next.zero_sized;
    }

    fn fixed(self) -> Fixed {
        Fixed { bytes: self.bytes.into_boxed_slice(), depth: self.depth, zero_sized: self.zero_sized }
    }
}

fn has(shape: &Shape) -> &'static str {
    match shape {
        Shape::Unit => "nothing",
        Shape::Newtype(_) => "a value",
        Shape::Tuple(_) => "several values",
        Shape::Struct(_) => "fields",
    }
}

/// A name and its aliases.
type Names<'a> = (&'a str, &'a [String]);

/// By what is written: what is wanted of it. `once`: not of two that are written the same.
fn targets<'a>(
    written: impl Iterator<Item = Names<'a>> + Clone,
    wanted: impl Iterator<Item = Names<'a>> + Clone,
    once: bool,
) -> Vec<Option<usize>> {
    let names: HashMap<&str, usize> = wanted.clone().map(|(name, _)| name).zip(0..).collect();
    let aliases =
        wanted.clone().zip(0..).flat_map(|((_, aliases), index)| aliases.iter().map(move |a| (&**a, index)));
    let aliases: HashMap<&str, usize> = aliases.collect();
    let mut taken = vec![false; wanted.count()];
    let mut targets = vec![None; written.clone().count()];
    for how in [How::Name, How::WantedAlias, How::WrittenAlias] {
        for (target, (name, own_aliases)) in targets.iter_mut().zip(written.clone()) {
            if target.is_some() {
                continue;
            }
            let free = |index: &usize| !(once && taken[*index]);
            *target = match how {
                How::Name => names.get(name).copied().filter(free),
                How::WantedAlias => aliases.get(name).copied().filter(free),
                How::WrittenAlias => {
                    own_aliases.iter().find_map(|alias| names.get(&**alias).copied().filter(free))
                }
            };
            if let Some(index) = *target {
                taken[index] = true;
            }
        }
    }
    targets
}

/// What makes two names one, the strongest first.
#[derive(Clone, Copy)]
enum How {
    Name,
    WantedAlias,
    WrittenAlias,
}

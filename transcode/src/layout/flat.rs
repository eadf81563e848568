//! The members of an object in which fields are flattened: those of structs in it stand beside its own, and a map takes what is
//! left. On the wire each struct stays where it is, so a member is known by the fields that lead to it.

use super::{Field, Layout, Names, Node, NodeId, Struct};
use crate::violation::BindError;
use callgate_protocol::limits::MAX_TYPE_NESTING;

/// All members of such an object.
#[derive(Debug)]
pub(crate) struct Flat {
    /// In wire order.
    pub(crate) members: Box<[Member]>,
    /// From name or alias to the member's index.
    pub(crate) names: Names,
    /// Who takes the members that are left.
    pub(crate) rest: Option<Rest>,
}

/// One member.
#[derive(Debug)]
pub(crate) struct Member {
    /// Its name.
    pub(crate) name: Box<str>,
    /// The field's index in each struct, from the outside in.
    pub(crate) steps: Box<[u32]>,
}

/// The map that takes what is left.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rest {
    /// What its keys are.
    pub(crate) key: NodeId,
    /// What its values are.
    pub(crate) value: NodeId,
    /// How many containers stand around its values on the wire, within the object.
    pub(crate) depth: usize,
}

impl Struct {
    /// The index of the member that `name` names.
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.flat.as_ref().map_or(&self.names, |flat| &flat.names).find(name)
    }

    /// How many members its object has, without those that are left.
    pub(crate) fn count(&self) -> usize {
        self.flat.as_ref().map_or(self.fields.len(), |flat| flat.members.len())
    }

    /// Who takes the members that are left.
    pub(crate) fn rest(&self) -> Option<Rest> {
        self.flat.as_ref()?.rest
    }

    /// Adds the fields that lead to a member of that index.
    pub(crate) fn put_steps(&self, index: usize, steps: &mut Vec<u32>) {
        match &self.flat {
            None => steps.push(index as u32),
            Some(flat) => steps.extend_from_slice(&flat.members[index].steps),
        }
    }
}

impl Layout {
    /// The field that a member is, and how many structs it is in beside the object's own.
    pub(crate) fn member<'a>(&'a self, table: &'a Struct, index: usize) -> (&'a Field, usize) {
        let Some(flat) = &table.flat else {
            return (&table.fields[index], 0);
        };
        let mut steps = flat.members[index].steps.iter();
        let mut field = steps.next().map_or(&table.fields[0], |first| &table.fields[*first as usize]);
        for step in steps {
            if let Node::Struct(inner) = self.bare(field.node) {
                field = &inner.fields[*step as usize];
            }
        }
        (field, flat.members[index].steps.len() - 1)
    }
}

/// Finds all members of a struct with flattened fields. `step` is asked before each.
pub(super) fn members(
    nodes: &[Node],
    table: &Struct,
    step: &mut impl FnMut() -> Result<(), BindError>,
) -> Result<Flat, BindError> {
    let mut found = Found { nodes, members: Vec::new(), names: Vec::new(), rest: None };
    found.fields(table, &mut Vec::new(), step)?;
    Ok(Flat { members: found.members.into(), names: Names::of(found.names), rest: found.rest })
}

struct Found<'a> {
    nodes: &'a [Node],
    members: Vec<Member>,
    names: Vec<(Box<str>, u32)>,
    rest: Option<Rest>,
}

impl Found<'_> {
    fn fields(
        &mut self,
        table: &Struct,
        steps: &mut Vec<u32>,
        step: &mut impl FnMut() -> Result<(), BindError>,
    ) -> Result<(), BindError> {
        // A schema that was checked does not nest so deep.
        if steps.len() > MAX_TYPE_NESTING + 1 {
            return Err(BindError("the schema flattens structs too deep".to_owned()));
        }
        let mut by_field = vec![0; table.fields.len()];
        for (index, field) in (0..).zip(&table.fields) {
            step()?;
            steps.push(index);
            if field.flat {
                self.flattened(field.node, steps, step)?;
            } else {
                by_field[index as usize] = self.members.len() as u32;
                self.members.push(Member { name: field.name.clone(), steps: steps.as_slice().into() });
            }
            steps.pop();
        }
        for (name, index) in table.names.entries() {
            step()?;
            self.names.push((name.into(), by_field[index]));
        }
        Ok(())
    }

    fn flattened(
        &mut self,
        node: NodeId,
        steps: &mut Vec<u32>,
        step: &mut impl FnMut() -> Result<(), BindError>,
    ) -> Result<(), BindError> {
        let nodes = self.nodes;
        let inner = match &nodes[node as usize] {
            Node::Option(inner) => &nodes[*inner as usize],
            inner => inner,
        };
        match inner {
            Node::Struct(table) => self.fields(table, steps, step),
            Node::Map(key, value) => {
                self.rest = Some(Rest { key: *key, value: *value, depth: steps.len() });
                Ok(())
            }
            _ => Err(BindError("the schema flattens what is neither a struct nor a map".to_owned())),
        }
    }
}

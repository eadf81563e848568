//! Schema → layout.

use super::patterns::Patterns;
use super::rules::Content;
use super::{
    Absent, Enum, Errors, Field, Fixed, Layout, Lead, Names, Node, NodeId, Rules, Struct, Tagged, Variant,
    flat,
};
use crate::json::put_json_string;
use crate::scalar::{Scalar, TextForm};
use crate::violation::BindError;
use callgate_protocol::check::{self, Extent};
use callgate_protocol::limits::MAX_SCHEMA_PARTS;
use callgate_protocol::schema::{self, Definition, Logical, MapKeys, MethodSchema, Shape, Type};

type Result<T> = std::result::Result<T, BindError>;

/// Nodes, fields and variants of one layout. No schema that a backend can tell has more: each of them comes of one or two of
/// its parts.
const MAX_STEPS: usize = 2 * MAX_SCHEMA_PARTS;

/// The same for what flattened fields and tags add: fields count anew in each object where they are flattened, and their names,
/// and a tag stands before each variant.
const MAX_SHAPE_STEPS: usize = 4 * MAX_SCHEMA_PARTS;

/// So many bytes that stand before a variant's members count as one step.
const OPENING_STEP: usize = 64;

impl Layout {
    /// Compiles a method's definitions, its request with the items beside it, its response and its errors. Work and memory grow with the schema's length, and
    /// are bounded as it is; a schema that [`MethodSchema::decode`] accepts takes some milliseconds at most,
    /// and its patterns up to a few hundred.
    ///
    /// # Errors
    /// The schema breaks a rule that [`MethodSchema::decode`] checks, or has more types, fields and variants than it allows. Or
    /// the pattern of a field is none or is too large, or its minimum or maximum is not of its logical type.
    pub fn new(schema: &MethodSchema) -> Result<Layout> {
        Layout::within(schema, MAX_STEPS)
    }

    /// The same, in at most so many steps.
    pub(super) fn within(schema: &MethodSchema, steps: usize) -> Result<Layout> {
        let definitions = schema.definitions.len();
        let mut builder = Builder {
            schema,
            keys: MapKeys::of(schema),
            // Held open until each definition's turn; a definition may refer to a later one.
            nodes: (0..definitions).map(|_| Node::Unit).collect(),
            patterns: Patterns::new(),
            steps: steps.checked_sub(definitions).ok_or_else(too_large)?,
            shape_steps: MAX_SHAPE_STEPS,
        };
        for (index, definition) in schema.definitions.iter().enumerate() {
            let node = match definition {
                Definition::Struct(def) => Node::Struct(builder.structure(&def.fields)?),
                Definition::Enum(def) => Node::Enum(builder.enumeration(def)?),
            };
            builder.nodes[index] = node;
        }
        let request = builder.node(&schema.request)?;
        let request_items = schema.request_items.as_ref().map(|ty| builder.node(ty)).transpose()?;
        let response = builder.node(&schema.response)?;
        let errors = schema.error.as_ref().map(|ty| builder.errors(ty)).transpose()?;
        builder.flatten()?;
        let patterns = builder.patterns.compiled;
        Ok(Layout { nodes: builder.nodes, request, request_items, response, errors, patterns })
    }
}

/// Takes steps from those that may still be taken.
fn take(left: &mut usize, steps: usize) -> Result<()> {
    let too_many = || BindError("the schema's tags and flattened fields make too many members".to_owned());
    *left = left.checked_sub(steps).ok_or_else(too_many)?;
    Ok(())
}

#[cold]
fn too_large() -> BindError {
    BindError(format!("the schema has more than {MAX_STEPS} types, fields and variants"))
}

struct Builder<'a> {
    schema: &'a MethodSchema,
    keys: MapKeys,
    nodes: Vec<Node>,
    patterns: Patterns,
    /// How many steps may still be taken.
    steps: usize,
    /// How many of what flattened fields and tags add.
    shape_steps: usize,
}

impl Builder<'_> {
    /// Counts a step before it is taken.
    fn step(&mut self) -> Result<()> {
        self.steps = self.steps.checked_sub(1).ok_or_else(too_large)?;
        Ok(())
    }

    fn add(&mut self, node: Node) -> Result<NodeId> {
        self.step()?;
        self.nodes.push(node);
        Ok(self.nodes.len() as NodeId - 1)
    }

    fn node(&mut self, ty: &Type) -> Result<NodeId> {
        let node = match ty.understood() {
            Type::Ref(index) => {
                return match self.schema.definition(*index) {
                    Some(_) => Ok(*index),
                    None => Err(BindError(format!(
                        "the schema refers to definition {index}, which it does not have"
                    ))),
                };
            }
            Type::Unit => Node::Unit,
            Type::Json => Node::Json,
            Type::Option(inner) => Node::Option(self.node(inner)?),
            Type::Presence(_) => {
                return Err(BindError("the schema has presence where there is no field".to_owned()));
            }
            Type::Logical(logical, physical) => self.logical(*logical, physical)?,
            Type::List(item) => Node::List(self.node(item)?),
            Type::Array(item, length) => Node::Array(self.node(item)?, *length),
            Type::Tuple(items) => Node::Tuple(self.all(items)?),
            Type::Map(key, value) => {
                if !self.keys.allow(key) {
                    return Err(BindError("the schema has a map whose keys JSON cannot write".to_owned()));
                }
                Node::Map(self.node(key)?, self.node(value)?)
            }
            scalar => Node::Scalar(Scalar::of(scalar)),
        };
        self.add(node)
    }

    /// A logical type that is known and stands over its own physical type.
    fn logical(&mut self, logical: Logical, physical: &Type) -> Result<Node> {
        Ok(match (TextForm::of(logical), physical) {
            (Some(form), _) => Node::Scalar(Scalar::Text(form)),
            (None, Type::List(item)) => Node::Set(self.node(item)?),
            // There are no others.
            (None, _) => Node::Scalar(Scalar::String),
        })
    }

    fn all(&mut self, types: &[Type]) -> Result<Box<[NodeId]>> {
        types.iter().map(|ty| self.node(ty)).collect()
    }

    fn structure(&mut self, fields: &[schema::Field]) -> Result<Struct> {
        let openings = std::iter::once(b'{').chain(std::iter::repeat(b','));
        let compiled: Result<Box<[Field]>> =
            openings.zip(fields).map(|(opening, field)| self.field(opening, field)).collect();
        let compiled = compiled?;
        let leads: usize = compiled.iter().map(|field| field.lead.len()).sum();
        Ok(Struct {
            leads: u32::try_from(leads).unwrap_or(u32::MAX),
            sparse: compiled
                .iter()
                .any(|field| field.flat || matches!(self.nodes[field.node as usize], Node::Presence(_))),
            fields: compiled,
            names: Names::of_fields(fields),
            flat: None,
        })
    }

    /// Finds the members of structs with flattened fields, when all nodes are there.
    fn flatten(&mut self) -> Result<()> {
        for id in 0..self.nodes.len() {
            let Node::Struct(table) = &self.nodes[id] else { continue };
            if !table.fields.iter().any(|field| field.flat) {
                continue;
            }
            let left = &mut self.shape_steps;
            let members = flat::members(&self.nodes, table, &mut || take(left, 1))?;
            if let Node::Struct(table) = &mut self.nodes[id] {
                table.flat = Some(Box::new(members));
            }
        }
        Ok(())
    }

    fn field(&mut self, opening: u8, field: &schema::Field) -> Result<Field> {
        self.step()?;
        Ok(Field {
            name: field.name.as_str().into(),
            lead: Lead::new(opening, &field.name),
            node: self.value(field, &field.ty)?,
            absent: match (&field.default, field.ty.understood()) {
                (Some(bytes), _) => Absent::Default(self.fixed(field, bytes)?),
                (None, Type::Option(_) | Type::Presence(_)) => Absent::None,
                (None, _) => Absent::Refused,
            },
            flat: field.attributes.is_flattened(),
        })
    }

    /// A field's value. What its attributes ask is asked of what is inside of option and presence.
    fn value(&mut self, field: &schema::Field, ty: &Type) -> Result<NodeId> {
        let node = match ty.understood() {
            Type::Option(inner) => Node::Option(self.value(field, inner)?),
            Type::Presence(inner) => Node::Presence(self.value(field, inner)?),
            ty => {
                let value = self.node(ty)?;
                let content = Content::of_node(&self.nodes[value as usize]);
                match Rules::of(field, content, &mut self.patterns)? {
                    Some(rules) => Node::Guarded(value, Box::new(rules)),
                    None => return Ok(value),
                }
            }
        };
        self.add(node)
    }

    /// A field's default, measured as it lies there: written as JSON it could take a thousand times its length.
    fn fixed(&self, field: &schema::Field, bytes: &[u8]) -> Result<Fixed> {
        let Extent { depth, zero_sized } = check::extent(self.schema, &field.ty, bytes).map_err(|error| {
            BindError(format!("the default of `{}` is not a value of its type: {error}", field.name))
        })?;
        Ok(Fixed { bytes: bytes.into(), depth, zero_sized })
    }

    fn enumeration(&mut self, def: &schema::EnumDef) -> Result<Enum> {
        let variants = &def.variants;
        let tagged = def.attributes.tag().map(|tag| {
            let content = def.attributes.content().map(Box::from);
            Box::new(Tagged { tag: tag.into(), content })
        });
        let compiled: Result<Box<[Variant]>> =
            variants.iter().map(|variant| self.variant(variant, tagged.as_deref())).collect();
        Ok(Enum {
            variants: compiled?,
            names: Names::new(variants.iter().map(|variant| (&variant.name, &variant.aliases))),
            // Asked for every query parameter: to look through the variants each time would cost their number.
            has_unit: variants.iter().any(|variant| variant.shape == Shape::Unit),
            tagged,
        })
    }

    fn errors(&mut self, ty: &Type) -> Result<Errors> {
        let def = self.schema.error_enum().ok_or_else(no_error_enum)?;
        Ok(Errors {
            name: def.name.as_str().into(),
            node: self.node(ty)?,
            codes: def.variants.iter().map(schema::Variant::error_code).collect(),
        })
    }

    fn variant(&mut self, variant: &schema::Variant, tagged: Option<&Tagged>) -> Result<Variant> {
        self.step()?;
        let mut quoted = Vec::new();
        put_json_string(&mut quoted, &variant.name);
        let opening = tagged.map(|tagged| tagged.opening(&quoted, variant.shape != Shape::Unit));
        take(&mut self.shape_steps, opening.as_ref().map_or(0, Vec::len) / OPENING_STEP)?;
        Ok(Variant {
            name: variant.name.as_str().into(),
            quoted: quoted.into_boxed_slice(),
            opening: opening.unwrap_or_default().into_boxed_slice(),
            content: match &variant.shape {
                Shape::Unit => None,
                Shape::Newtype(ty) => Some(self.node(ty)?),
                Shape::Tuple(types) => {
                    let tuple = Node::Tuple(self.all(types)?);
                    Some(self.add(tuple)?)
                }
                Shape::Struct(fields) => {
                    let structure = Node::Struct(self.structure(fields)?);
                    Some(self.add(structure)?)
                }
            },
        })
    }
}

fn no_error_enum() -> BindError {
    BindError("the schema's error is not an enum".to_owned())
}

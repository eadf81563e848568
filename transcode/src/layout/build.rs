//! Schema → layout.

use super::{Absent, Enum, Field, Fixed, Layout, Lead, Names, Node, NodeId, Struct, Variant};
use crate::json::put_json_string;
use crate::response::measure;
use crate::scalar::{Int, Scalar};
use crate::violation::BindError;
use callgate_protocol::schema::{self, Definition, MethodSchema, Shape, Type};

type Result<T> = std::result::Result<T, BindError>;

impl Layout {
    /// Compiles all definitions and `root`; gives the layout and the root's node.
    pub(crate) fn new(schema: &MethodSchema, root: &Type) -> Result<(Layout, NodeId)> {
        let definitions = schema.definitions.len();
        let mut builder = Builder {
            schema,
            // Held open until each definition's turn; a definition may refer to a later one.
            nodes: (0..definitions).map(|_| Node::Unit).collect(),
        };
        for (index, definition) in schema.definitions.iter().enumerate() {
            let node = match definition {
                Definition::Struct(def) => Node::Struct(builder.structure(&def.fields)?),
                Definition::Enum(def) => Node::Enum(builder.enumeration(&def.variants)?),
            };
            builder.nodes[index] = node;
        }
        let root = builder.node(root)?;
        let mut layout = Layout { nodes: builder.nodes };
        layout.measure_defaults()?;
        Ok((layout, root))
    }

    /// Only when all nodes stand can the defaults be walked.
    fn measure_defaults(&mut self) -> Result<()> {
        for id in 0..self.nodes.len() {
            let fields = match &self.nodes[id] {
                Node::Struct(table) => table.fields.len(),
                _ => 0,
            };
            for field in 0..fields {
                self.measure_default(id, field)?;
            }
        }
        Ok(())
    }

    fn measure_default(&mut self, id: usize, index: usize) -> Result<()> {
        let Node::Struct(table) = &self.nodes[id] else {
            return Ok(());
        };
        let field = &table.fields[index];
        let Absent::Default(fixed) = &field.absent else {
            return Ok(());
        };
        let (depth, zero_sized) = measure(self, field.node, &fixed.bytes).map_err(|error| {
            BindError(format!("the default of `{}` is not a value of its type: {error}", field.name))
        })?;
        if let Node::Struct(table) = &mut self.nodes[id]
            && let Absent::Default(fixed) = &mut table.fields[index].absent
        {
            fixed.depth = depth;
            fixed.zero_sized = zero_sized;
        }
        Ok(())
    }
}

struct Builder<'a> {
    schema: &'a MethodSchema,
    nodes: Vec<Node>,
}

impl Builder<'_> {
    fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() as NodeId - 1
    }

    fn node(&mut self, ty: &Type) -> Result<NodeId> {
        let node = match ty {
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
            Type::List(item) => Node::List(self.node(item)?),
            Type::Array(item, length) => Node::Array(self.node(item)?, *length),
            Type::Tuple(items) => Node::Tuple(self.all(items)?),
            Type::Map(key, value) => {
                if !self.schema.is_map_key(key) {
                    return Err(BindError("the schema has a map whose keys JSON cannot write".to_owned()));
                }
                Node::Map(self.node(key)?, self.node(value)?)
            }
            scalar => Node::Scalar(scalar_of(scalar)),
        };
        Ok(self.add(node))
    }

    fn all(&mut self, types: &[Type]) -> Result<Box<[NodeId]>> {
        types.iter().map(|ty| self.node(ty)).collect()
    }

    fn structure(&mut self, fields: &[schema::Field]) -> Result<Struct> {
        let openings = std::iter::once(b'{').chain(std::iter::repeat(b','));
        let compiled: Result<Box<[Field]>> =
            openings.zip(fields).map(|(opening, field)| self.field(opening, field)).collect();
        let compiled = compiled?;
        Ok(Struct {
            leads: compiled.iter().map(|field| field.lead.len()).sum(),
            fields: compiled,
            names: Names::new(fields.iter().map(|field| (&field.name, &field.aliases))),
        })
    }

    fn field(&mut self, opening: u8, field: &schema::Field) -> Result<Field> {
        Ok(Field {
            name: field.name.as_str().into(),
            lead: Lead::new(opening, &field.name),
            node: self.node(&field.ty)?,
            absent: match (&field.default, &field.ty) {
                (Some(bytes), _) => {
                    Absent::Default(Fixed { bytes: bytes.as_slice().into(), ..Fixed::default() })
                }
                (None, Type::Option(_)) => Absent::None,
                (None, _) => Absent::Refused,
            },
        })
    }

    fn enumeration(&mut self, variants: &[schema::Variant]) -> Result<Enum> {
        let compiled: Result<Box<[Variant]>> = variants.iter().map(|variant| self.variant(variant)).collect();
        Ok(Enum {
            variants: compiled?,
            names: Names::new(variants.iter().map(|variant| (&variant.name, &variant.aliases))),
            // Asked for every query parameter: to look through the variants each time would cost their number.
            has_unit: variants.iter().any(|variant| variant.shape == Shape::Unit),
        })
    }

    fn variant(&mut self, variant: &schema::Variant) -> Result<Variant> {
        let mut quoted = Vec::new();
        put_json_string(&mut quoted, &variant.name);
        Ok(Variant {
            name: variant.name.as_str().into(),
            quoted: quoted.into_boxed_slice(),
            content: match &variant.shape {
                Shape::Unit => None,
                Shape::Newtype(ty) => Some(self.node(ty)?),
                Shape::Tuple(types) => {
                    let tuple = Node::Tuple(self.all(types)?);
                    Some(self.add(tuple))
                }
                Shape::Struct(fields) => {
                    let structure = Node::Struct(self.structure(fields)?);
                    Some(self.add(structure))
                }
            },
        })
    }
}

fn scalar_of(ty: &Type) -> Scalar {
    match ty {
        Type::Bool => Scalar::Bool,
        Type::U8 => Scalar::Int(Int::U8),
        Type::U16 => Scalar::Int(Int::U16),
        Type::U32 => Scalar::Int(Int::U32),
        Type::U64 => Scalar::Int(Int::U64),
        Type::U128 => Scalar::Int(Int::U128),
        Type::I8 => Scalar::Int(Int::I8),
        Type::I16 => Scalar::Int(Int::I16),
        Type::I32 => Scalar::Int(Int::I32),
        Type::I64 => Scalar::Int(Int::I64),
        Type::I128 => Scalar::Int(Int::I128),
        Type::F32 => Scalar::F32,
        Type::F64 => Scalar::F64,
        Type::Char => Scalar::Char,
        Type::Bytes => Scalar::Bytes,
        Type::Uuid => Scalar::Uuid,
        Type::Timestamp => Scalar::Timestamp,
        Type::Duration => Scalar::Duration,
        Type::IpAddr => Scalar::IpAddr,
        Type::Ipv4Addr => Scalar::Ipv4Addr,
        Type::Ipv6Addr => Scalar::Ipv6Addr,
        // The rest are containers, which the caller has taken.
        _ => Scalar::String,
    }
}

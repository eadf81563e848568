//! `ignore_query` of a file: parameters of queries that others add to links (`utm_source`, `fbclid`). They fill nothing and are no mistakes, even
//! where unknown parameters are refused.

use super::complaint::Complaint;
use super::keys;
use super::reader::{Reader, Section};
use super::shape::Shape;
use std::fmt;
use std::sync::Arc;

/// The most names of a list.
const MAX_NAMES: usize = 100;
/// The longest name, in bytes.
const MAX_NAME: usize = 256;

/// What `ignore_query` may be.
pub(super) const SHAPE: Shape = Shape::texts(MAX_NAMES);

/// The parameters that are ignored; none as a rule.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IgnoredQuery(Option<Arc<[Ignored]>>);

/// A parameter's name, or how names begin.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Ignored {
    Name(String),
    Prefix(String),
}

impl IgnoredQuery {
    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Whether a parameter of that name, decoded, is ignored.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().flat_map(|all| all.iter()).any(|one| match one {
            Ignored::Name(own) => own == name,
            Ignored::Prefix(prefix) => name.starts_with(prefix.as_str()),
        })
    }

    /// As the tables write them.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().flat_map(|all| all.iter()).map(Ignored::to_string).collect()
    }

    /// Reads `ignore_query` of a file.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> IgnoredQuery {
        let Some(item) = section.get(keys::IGNORE_QUERY) else { return IgnoredQuery::default() };
        let all = reader.texts(&item, "[\"utm_*\", \"fbclid\"]", parse).unwrap_or_default();
        reader.twice("the parameter", all.iter().map(|(one, span)| (one, span)));
        if all.len() > MAX_NAMES {
            let label = format!("{} are too many", all.len());
            let complaint = Complaint::new(format!("more than {MAX_NAMES} parameters"), label);
            reader.complain::<()>(&item, complaint);
        }
        let all: Arc<[Ignored]> = all.into_iter().map(|(one, _)| one).collect();
        IgnoredQuery((!all.is_empty()).then_some(all))
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ignored::Name(name) => f.write_str(name),
            Ignored::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

fn parse(text: &str) -> Result<Ignored, Complaint> {
    let (name, is_prefix) = text.strip_suffix('*').map_or((text, false), |prefix| (prefix, true));
    if text == "*" {
        return Err(Complaint::new(
            "all parameters cannot be ignored",
            "nothing would be left to fill fields",
        )
        .help("for all that name no field write unknown_fields = \"ignore\""));
    }
    if name.is_empty() || name.len() > MAX_NAME {
        let label = format!("expected 1 to {MAX_NAME} bytes");
        return Err(Complaint::new("a parameter of the query has a name", label));
    }
    if let Some(at) = name.find(['*', '&', '=', '?']) {
        let complaint = Complaint::new("a parameter's name, or how it begins", "not part of it");
        return Err(complaint.within(at..at + 1).help("a `*` stands at the end only: \"utm_*\""));
    }
    Ok(if is_prefix { Ignored::Prefix(name.to_owned()) } else { Ignored::Name(name.to_owned()) })
}

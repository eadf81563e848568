//! JSON Schemas of what files may say, for editors and for checks of files without a gateway.
//!
//! They are made of the declarations by which the reader reads ([`Shape`]), so that both take the same keys, types and words. They are
//! of draft 7, which the plugins for TOML take. What a text means, and what goes together across keys and files, `callgate check` says.

use super::shape::{Entry, Needed, Shape};
use super::units::{self, show_duration, show_size};
use super::{file_keys, settings};
use serde_json::{Map, Value, json};

/// The schema of a table file.
pub(crate) fn of_tables() -> Value {
    Writer::default().document(
        "A table file of Callgate",
        "Backends and the routes that call them. All files of the watched folders make one table.",
        file_keys::entries(),
    )
}

/// The schema of the gateway's own file.
pub(crate) fn of_settings() -> Value {
    Writer::default().document(
        "The file of a Callgate gateway",
        "What needs a restart to change.",
        settings::SECTIONS,
    )
}

/// Writes one document.
#[derive(Default)]
struct Writer {
    /// The shapes that lie within themselves, each with its number in `definitions`.
    trees: Vec<Value>,
}

impl Writer {
    fn document(mut self, title: &str, description: &str, entries: &'static [Entry]) -> Value {
        let mut document = self.table(entries, None);
        document.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        document.insert("title".to_owned(), json!(title));
        document.insert("description".to_owned(), json!(description));
        let trees = self.trees.into_iter().enumerate().map(|(at, tree)| (name(at), tree));
        document.insert("definitions".to_owned(), Value::Object(trees.collect()));
        Value::Object(document)
    }

    fn shape(&mut self, shape: &'static Shape) -> Map<String, Value> {
        let value = match shape {
            Shape::Boolean => json!({ "type": "boolean" }),
            Shape::Only(value) => json!({ "const": value }),
            Shape::Integer(bounds) => {
                json!({ "type": "integer", "minimum": bounds.start(), "maximum": bounds.end() })
            }
            Shape::Status(all) => json!({ "enum": all }),
            Shape::Number => json!({ "type": "number" }),
            Shape::Duration(_) => json!({ "type": "string", "pattern": units::duration_pattern() }),
            Shape::Size(bounds) => json!({ "anyOf": [
                { "type": "integer", "minimum": bounds.start(), "maximum": bounds.end() },
                { "type": "string", "pattern": units::size_pattern() },
            ] }),
            Shape::Rate => {
                json!({ "anyOf": [{ "const": 0 }, { "type": "string", "pattern": units::rate_pattern() }] })
            }
            Shape::Words(words) => json!({ "enum": words }),
            Shape::Text => json!({ "type": "string" }),
            Shape::Like(pattern) => json!({ "type": "string", "pattern": pattern }),
            Shape::List(inner, count) => {
                let mut list = json!({ "type": "array", "items": self.shape(inner) });
                if *count.start() > 0 {
                    list["minItems"] = json!(count.start());
                }
                if *count.end() < usize::MAX {
                    list["maxItems"] = json!(count.end());
                }
                list
            }
            Shape::Table(entries) => return self.table(entries, None),
            Shape::Made(entries) => return self.table(entries(), None),
            Shape::Names(entries, rest) => return self.table(entries, Some(rest)),
            Shape::Tree(leaf) => self.tree(leaf),
            Shape::Json => json!({}),
            Shape::OneOf(all) => {
                json!({ "anyOf": all.iter().map(|one| self.shape(one)).collect::<Vec<_>>() })
            }
        };
        match value {
            Value::Object(members) => members,
            // None of the above.
            _ => Map::new(),
        }
    }

    fn tree(&mut self, leaf: &'static Shape) -> Value {
        let at = self.trees.len();
        self.trees.push(Value::Null);
        let again = json!({ "$ref": format!("#/definitions/{}", name(at)) });
        let leaf = self.shape(leaf);
        self.trees[at] = json!({
            "type": "object",
            "minProperties": 1,
            "additionalProperties": { "anyOf": [leaf, again] },
        });
        // Beside a reference nothing else is looked at.
        json!({ "allOf": [again] })
    }

    /// A table with these keys, and with any others that are so.
    fn table(&mut self, entries: &'static [Entry], rest: Option<&'static Shape>) -> Map<String, Value> {
        let properties: Map<String, Value> = entries.iter().map(|entry| self.property(entry)).collect();
        let rest = rest.map_or(json!(false), |rest| Value::Object(self.shape(rest)));
        let mut table = Map::new();
        table.insert("type".to_owned(), json!("object"));
        table.insert("additionalProperties".to_owned(), rest);
        if !properties.is_empty() {
            table.insert("properties".to_owned(), Value::Object(properties));
        }
        let required: Vec<&str> =
            entries.iter().filter(|entry| entry.needed == Needed::Yes).map(|entry| entry.key).collect();
        if !required.is_empty() {
            table.insert("required".to_owned(), json!(required));
        }
        let groups = groups(entries);
        if !groups.is_empty() {
            table.insert("allOf".to_owned(), Value::Array(groups));
        }
        let beside: Map<String, Value> =
            entries.iter().filter_map(|entry| Some((entry.key.to_owned(), json!([entry.beside?])))).collect();
        if !beside.is_empty() {
            table.insert("dependencies".to_owned(), Value::Object(beside));
        }
        table
    }

    fn property(&mut self, entry: &'static Entry) -> (String, Value) {
        let mut value = self.shape(&entry.shape);
        value.insert("description".to_owned(), json!(description(entry)));
        (entry.key.to_owned(), Value::Object(value))
    }
}

/// What a table says of keys of which one has to be there.
fn groups(entries: &[Entry]) -> Vec<Value> {
    let mut groups: Vec<Needed> = Vec::new();
    for entry in entries {
        let is_group = matches!(entry.needed, Needed::OneAtLeastOf(_) | Needed::OneOf(_));
        if is_group && !groups.contains(&entry.needed) {
            groups.push(entry.needed);
        }
    }
    let group = |group: Needed| {
        let keys = entries.iter().filter(|entry| entry.needed == group);
        let keys: Vec<Value> = keys.map(|entry| json!({ "required": [entry.key] })).collect();
        match group {
            Needed::OneOf(_) => json!({ "oneOf": keys }),
            _ => json!({ "anyOf": keys }),
        }
    };
    groups.into_iter().map(group).collect()
}

/// What an editor shows: a sentence, and the bounds that the schema cannot say.
fn description(entry: &Entry) -> String {
    let mut chars = entry.words.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let sentence = format!("{first}{}.", chars.as_str());
    let bounds = match (entry.shape.duration(), entry.shape.size()) {
        (Some(bounds), _) => Some((show_duration(*bounds.start()), show_duration(*bounds.end()))),
        (None, Some(bounds)) => Some((show_size(*bounds.start()), show_size(*bounds.end()))),
        (None, None) => None,
    };
    match bounds {
        Some((low, high)) => format!("{sentence} {low} to {high}."),
        None => sentence,
    }
}

/// What the tree of that number is called.
fn name(at: usize) -> String {
    format!("nested{}", at + 1)
}

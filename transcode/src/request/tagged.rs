//! Enums whose values are objects with a tag: `{"type": "card", "number": "…"}`, or `{"type": "card", "content": {…}}`.

use super::encode::{Encoder, Step, Stop};
use crate::json::duplicate_in_text;
use crate::layout::{Enum, Names, Node, Rest, Tagged, Variant, list, shown};
use crate::violation::{At, Refusal, ViolationKind};
use callgate_protocol::wire::put_varint;

impl<'a> Encoder<'a> {
    #[inline(never)]
    pub(super) fn tagged(&mut self, table: &'a Enum, tagged: &'a Tagged) -> Step {
        let at = self.cursor.pos;
        let tag = &*tagged.tag;
        if self.cursor.peek() != Some(b'{') {
            return Err(self.wrong_type(&format!("an object with the member `{}`", shown(tag))));
        }
        let Some(value_at) = self.ahead.find(&self.cursor, tag) else {
            return self.without_tag(table, tag);
        };
        let index = self.named_variant(table, value_at)?;
        put_varint(self.out, index as u64);
        let variant = &table.variants[index];
        self.enter()?;
        match &tagged.content {
            None => self.internal(at, variant, tag)?,
            Some(content) => self.adjacent(at, variant, tag, content)?,
        }
        self.depth -= 1;
        Ok(())
    }

    /// An object that does not say which variant it is. It is noted, and reading goes on behind the object.
    #[cold]
    fn without_tag(&mut self, table: &Enum, tag: &str) -> Step {
        let at = self.cursor.pos;
        // If it is not JSON, that is what is told.
        self.skip()?;
        let names = table.variants.iter().map(|variant| &*variant.name);
        let detail =
            format!("missing field `{}`, the name of the variant (variants: {})", shown(tag), list(names));
        self.refuse(At::Missing(at, tag.to_owned()), Refusal::new(ViolationKind::MissingField, detail))
    }

    /// The variant that the string there names.
    fn named_variant(&mut self, table: &Enum, value_at: usize) -> Result<usize, Stop> {
        let object_at = std::mem::replace(&mut self.cursor.pos, value_at);
        if self.cursor.peek() != Some(b'"') {
            return Err(self.wrong_type("a string, the name of a variant"));
        }
        let name = self.string()?.decode();
        self.cursor.pos = object_at;
        match table.names.find(&name) {
            Some(index) => Ok(index),
            None => {
                let refusal = table.refusal(&name, &mut self.suggestions);
                Err(self.stop(value_at, refusal))
            }
        }
    }

    /// The content's members stand beside the tag.
    fn internal(&mut self, at: usize, variant: &'a Variant, tag: &'a str) -> Step {
        let content = variant.content.map(|content| self.layout.node(content));
        let table = match content {
            Some(Node::Struct(table)) => Some(table),
            _ => None,
        };
        let mut object = self.object(Some(at), table);
        object.tag = Some(tag);
        if let Some(Node::Map(key, value)) = content {
            object.rest = Some(Rest { key: *key, value: *value, depth: 1 });
        }
        if table.is_none() {
            return self.members(&mut object);
        }
        self.enter()?;
        let start = self.out.len();
        self.members(&mut object)?;
        self.leave(start)
    }

    /// The content is a member of its own.
    fn adjacent(&mut self, at: usize, variant: &'a Variant, tag: &str, content: &str) -> Step {
        let keys = self.keys.len();
        let (mut tag_at, mut content_at) = (None, None);
        let mut more = !self.cursor.open(b'}');
        while more {
            let key_at = self.cursor.pos;
            let raw = self.cursor.key().map_err(|fault| self.fault(fault))?;
            self.cursor.colon().map_err(|fault| self.fault(fault))?;
            let name = raw.decode();
            let (is_tag, is_content) = (*name == *tag, *name == *content);
            let first = match is_tag {
                true => tag_at.replace(key_at),
                false if is_content => content_at.replace(key_at),
                false => None,
            };
            if let Some(first) = first {
                return Err(self.again(key_at, first));
            }
            match (is_tag, is_content) {
                (true, _) => self.string().map(drop)?,
                (_, true) => self.content(variant)?,
                _ => self.member_of_none(key_at, raw, |encoder| encoder.beside(&name, tag, content))?,
            }
            more = self.cursor.next_member().map_err(|fault| self.fault(fault))?;
        }
        let noted = self.keys.get_mut(keys..).unwrap_or_default();
        if let Some((second, first)) = duplicate_in_text(noted, self.cursor.text()) {
            return Err(self.duplicate_key(second.at, first.at));
        }
        self.keys.truncate(keys);
        if content_at.is_some() {
            return Ok(());
        }
        match variant.content.map(|content| self.layout.node(content)) {
            None => Ok(()),
            Some(Node::Option(_)) => {
                self.out.push(0);
                Ok(())
            }
            Some(_) => {
                let detail = format!("missing field `{}`, the content of the variant", shown(content));
                let refusal = Refusal::new(ViolationKind::MissingField, detail);
                self.refuse(At::Missing(at, content.to_owned()), refusal)
            }
        }
    }

    fn content(&mut self, variant: &'a Variant) -> Step {
        match variant.content {
            Some(content) => self.value(content),
            None if self.cursor.peek() == Some(b'n') => self.literal("null"),
            None => Err(self.wrong_type("`null`: the variant has no content")),
        }
    }

    #[cold]
    fn beside(&mut self, name: &str, tag: &str, content: &str) -> Refusal {
        let (both, none) = ([tag.to_owned(), content.to_owned()], Vec::new());
        let names = Names::new(both.iter().map(|name| (name, &none)));
        let all = both.iter().map(String::as_str);
        let alternatives = self.suggestions.alternatives(name, &names, "fields", all);
        Refusal::new(ViolationKind::UnknownField, format!("unknown field `{}`{alternatives}", shown(name)))
    }
}

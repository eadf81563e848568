//! Diagnostics for programs: what people are shown, in members.

use super::{Diagnostic, Diagnostics, Help, Label, MAX_RENDERED};
use crate::config::suggest::Work;
use serde_json::{Value, json};

impl Diagnostics {
    /// All of them, as many as are rendered, with the number of all.
    pub fn as_json(&self) -> Value {
        let mut work = Work::for_one_text();
        let shown = self.0.iter().take(MAX_RENDERED);
        let errors: Vec<Value> = shown.map(|diagnostic| diagnostic.as_json(&mut work)).collect();
        json!({ "ok": false, "count": self.0.len(), "errors": errors })
    }
}

impl Diagnostic {
    fn as_json(&self, work: &mut Work) -> Value {
        let helps: Vec<String> = self
            .helps
            .iter()
            .filter_map(|help| match help {
                Help::Text(text) => Some(text.clone()),
                Help::Names { wrong, right } => right.help(wrong, work),
            })
            .collect();
        let places: Vec<Value> = self.labels.iter().map(Label::as_json).collect();
        let path = self.path.as_ref().map(|path| path.display().to_string());
        json!({ "title": self.title, "path": path, "places": places, "notes": self.notes, "helps": helps })
    }
}

impl Label {
    fn as_json(&self) -> Value {
        let place = self.source.place(self.span.start);
        json!({
            "file": place.file.display().to_string(),
            "line": place.line,
            "column": place.column,
            "label": self.text,
        })
    }
}

//! A stream as an agent gets it that has called a tool: it is told of each item when that comes, if it wants to know, and gets all of them together as
//! the result, because that is all that a model reads.

use crate::front::rpc::{self, Ask, Given, MAX_RESULT};
use std::str::from_utf8;

/// What has come.
#[derive(Clone, Debug)]
pub(super) struct ToolItems {
    ask: Ask,
    count: u64,
    /// All items, with commas between.
    items: Vec<u8>,
}

impl ToolItems {
    /// Nothing yet.
    pub(super) fn new(ask: Ask) -> ToolItems {
        ToolItems { ask, count: 0, items: Vec::new() }
    }

    /// Whether there is room for another one.
    pub(super) fn have_room(&self, item: &[u8]) -> bool {
        self.items.len() + item.len() < MAX_RESULT
    }

    /// Another one has come.
    pub(super) fn put(&mut self, item: &[u8], out: &mut Vec<u8>) {
        if self.count > 0 {
            self.items.push(b',');
        }
        self.count += 1;
        self.items.extend_from_slice(item);
        // Items are JSON.
        self.ask.put_progress(self.count, from_utf8(item).unwrap_or_default(), out);
    }

    /// It was the last one.
    pub(super) fn put_end(&self, out: &mut Vec<u8>) {
        let items = format!("{{\"items\":[{}]}}", self.text());
        rpc::put_event(&self.ask.tool(&Given::Object(&items)), out);
    }

    /// No more will come, because of that problem.
    pub(super) fn put_cut(&self, problem: &[u8], out: &mut Vec<u8>) {
        let told = rpc::told(problem);
        let text = format!("The stream was cut after {} items. {told}", self.count);
        let items = format!("[{}]", self.text());
        let before = Some(items.as_str()).filter(|_| self.count > 0);
        let given = Given::Error { text: &text, before, problem: from_utf8(problem).ok() };
        rpc::put_event(&self.ask.tool(&given), out);
    }

    fn text(&self) -> &str {
        from_utf8(&self.items).unwrap_or_default()
    }
}

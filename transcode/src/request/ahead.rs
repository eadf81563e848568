//! Looking for a tag: it may stand anywhere in its object, and what stands before it cannot be read without it.
//!
//! So the members before it are passed first, and read afterwards. Within them may be objects whose tags stand last again, and
//! so on: passed anew at each level, a body would be passed a hundred times. So where a long container ends is kept, and who
//! looks within it later jumps over what it holds. Each byte is passed once, but for short containers.

use crate::json::Cursor;
use callgate_protocol::limits::MAX_DEPTH;

/// Containers of fewer bytes are passed again. They can nest a few levels only.
const SHORT: usize = 64;

/// Where long containers begin and end that were passed.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// In the order of their beginnings; the end is 0 until it is known.
    places: Vec<(u32, u32)>,
    /// All containers that were passed begin before here.
    until: usize,
    #[cfg(test)]
    scanned: usize,
}

impl Ahead {
    /// Where the value of the member `name` begins in the object at the cursor. `None` if there is none, or if the object is not
    /// JSON: then whoever reads it finds that out.
    pub(super) fn find(&mut self, cursor: &Cursor<'_>, name: &str) -> Option<usize> {
        let mut cursor = cursor.clone();
        if cursor.pos >= self.until {
            self.places.clear();
        }
        if cursor.open(b'}') {
            return None;
        }
        loop {
            let key = cursor.key().ok()?;
            cursor.colon().ok()?;
            if key.decode() == name {
                return Some(cursor.pos);
            }
            self.pass(&mut cursor)?;
            if !cursor.next_member().ok()? {
                return None;
            }
        }
    }

    fn pass(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        match cursor.peek()? {
            b'"' => cursor.string().ok().map(drop),
            b'{' | b'[' => match self.end_of(cursor.pos) {
                Some(end) => {
                    cursor.pos = end;
                    Some(())
                }
                None => self.pass_container(cursor),
            },
            _ => {
                while cursor.peek().is_some_and(|byte| !b",}] \n\r\t".contains(&byte)) {
                    cursor.pos += 1;
                }
                Some(())
            }
        }
    }

    /// Where the container at `start` ends, if that was kept.
    fn end_of(&self, start: usize) -> Option<usize> {
        let start = u32::try_from(start).ok().filter(|_| start < self.until)?;
        let place = self.places.binary_search_by_key(&start, |(start, _)| *start).ok()?;
        self.places.get(place).map(|(_, end)| *end as usize).filter(|end| *end > 0)
    }

    /// Passes a container by its brackets, and keeps where those in it end. Whether it is JSON is not looked at.
    fn pass_container(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let is_new = cursor.pos >= self.until;
        #[cfg(test)]
        let before = cursor.pos;
        // Where each container that is open begins. One that is deeper than a message may be is not JSON for the reader either.
        let (mut open, mut depth) = ([0; MAX_DEPTH], 0);
        loop {
            match cursor.peek()? {
                b'"' => {
                    cursor.string().ok()?;
                    continue;
                }
                b'{' | b'[' => {
                    *open.get_mut(depth)? = cursor.pos;
                    depth += 1;
                    if is_new {
                        self.places.push((u32::try_from(cursor.pos).ok()?, 0));
                    }
                }
                b'}' | b']' => {
                    depth -= 1;
                    if is_new {
                        self.close(open[depth], cursor.pos + 1);
                    }
                }
                _ => {}
            }
            cursor.pos += 1;
            if depth == 0 {
                break;
            }
        }
        self.until = self.until.max(cursor.pos);
        #[cfg(test)]
        {
            self.scanned += cursor.pos - before;
        }
        Some(())
    }

    /// Keeps where a container ends, unless it is short. Those in a short one are short too, so it is the last that was kept.
    fn close(&mut self, start: usize, end: usize) {
        if end - start < SHORT {
            self.places.pop();
            return;
        }
        let Ok(place) = self.places.binary_search_by_key(&start, |(start, _)| *start as usize) else {
            return;
        };
        self.places[place].1 = u32::try_from(end).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str, name: &str) -> Option<usize> {
        Ahead::default().find(&Cursor::new(text), name)
    }

    #[test]
    fn a_member_is_found_wherever_it_stands_and_whatever_is_before_it() {
        for (before, text) in [
            ("{ ", "{ \"t\" : 1}"),
            ("", "{\"a\":1,\"t\":1}"),
            ("", "{\"a\":[{\"t\":2},\"]\",\"\\\"}\"],\"b\" : null , \"t\":1}"),
            ("", "{\"a\":{},\"b\":-1.5e3,\"c\":true,\"\\u0074\":1}"),
        ] {
            let found = find(text, "t").map(|at| &text[at..at + 1]);
            assert_eq!(found, Some("1"), "{before}{text}");
        }
    }

    #[test]
    fn what_is_not_there_or_not_json_is_not_found() {
        for text in [
            "{}",
            "{\"a\":1}",
            "{\"a\":{\"t\":1}}",
            "{\"a\":[\"t\"]}",
            "{",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":[",
            "{\"a\":[1",
            "{\"a\":\"t",
            "{\"a\":1 \"t\":1}",
            "{a:1,\"t\":1}",
            "{\"a\":[1]",
        ] {
            assert_eq!(find(text, "t"), None, "{text}");
        }
        let deep = format!("{{\"a\":{},\"t\":1}}", "[".repeat(100_000));
        assert_eq!(find(&deep, "t"), None);
    }

    /// An object in an object in an object: in each the tag stands last, behind `more`.
    fn nested(levels: usize, more: &str) -> String {
        let mut text = format!("{{{more}\"t\":0}}");
        for _ in 1..levels {
            text = format!("{{{more}\"in\":{text},\"t\":0}}");
        }
        text
    }

    /// How many bytes are passed when all objects that have something in them are looked through, from the outside in.
    fn scanned(text: &str) -> usize {
        let mut ahead = Ahead::default();
        for (at, _) in text.match_indices("{\"") {
            let mut cursor = Cursor::new(text);
            cursor.pos = at;
            let found = ahead.find(&cursor, "t");
            assert!(found.is_some(), "{at}");
        }
        ahead.scanned
    }

    #[test]
    fn scaling_by_levels_passes_each_byte_a_few_times() {
        for levels in [10, 50, 120] {
            for more in [
                "",
                "\"a\":[],",
                "\"a\":[{\"t\":1},{\"t\":2}],",
                "\"text\":\"0123456789012345678901234567890123456789\",",
            ] {
                let text = nested(levels, more);
                let list = format!("{{\"all\":[{}],\"t\":0}}", vec![text; 20].join(","));
                let scanned = scanned(&list);
                assert!(scanned < 4 * list.len(), "{levels} of {more}: {scanned} of {}", list.len());
            }
        }
    }
}

//! Bodies that are streams of items, as strangers send them: taken apart while they come.

use callgate_transcode::{ItemError, ItemForm, ItemSplitter};
use serde_json::value::RawValue;

/// An item has so many bytes at most, so that some have more.
const LONGEST: usize = 256;

/// The form in the first byte, and a body behind it. However it is cut, its items are the same; and they are those that serde_json finds.
pub fn items(input: &[u8]) {
    let Some((form, body)) = input.split_first() else { return };
    let form = if form % 2 == 0 { ItemForm::Lines } else { ItemForm::Array };
    let whole = split(form, [body]);
    assert_eq!(split(form, body.chunks(1)), whole, "byte by byte");
    let cut = usize::from(input[0] / 2).min(body.len());
    assert_eq!(split(form, [&body[..cut], &body[cut..]]), whole, "cut at {cut}");
    let (items, error) = whole;
    assert!(items.iter().all(|item| !item.is_empty() && item.len() <= LONGEST));
    if form == ItemForm::Array {
        as_serde_finds(body, &items, error);
    } else if error.is_none() {
        let is_item = |line: &&[u8]| line.iter().any(|byte| !b" \t\r".contains(byte));
        let lines = body.split(|byte| *byte == b'\n').filter(is_item).count();
        assert_eq!(lines, items.len(), "a line is an item");
    }
}

fn as_serde_finds(body: &[u8], items: &[Vec<u8>], error: Option<ItemError>) {
    let is_json = |item: &Vec<u8>| serde_json::from_slice::<&RawValue>(item).is_ok();
    match serde_json::from_slice::<Vec<&RawValue>>(body) {
        Ok(expected) if error.is_none() => {
            let texts: Vec<&[u8]> = expected.iter().map(|item| item.get().as_bytes()).collect();
            assert_eq!(items, texts);
        }
        Ok(expected) => {
            let breaks_a_bound = |item: &&RawValue| {
                let opened = item.get().bytes().filter(|byte| b"[{".contains(byte)).count();
                opened > 128 || item.get().len() > LONGEST
            };
            assert!(expected.iter().any(breaks_a_bound), "an array that is refused: {error:?}");
        }
        Err(_) => {
            let is_empty = body.iter().all(|byte| b" \t\r\n".contains(byte));
            assert!(
                is_empty || error.is_some() || !items.iter().all(is_json),
                "no array, and nobody says so"
            );
        }
    }
}

fn split<'b>(
    form: ItemForm,
    pieces: impl IntoIterator<Item = &'b [u8]>,
) -> (Vec<Vec<u8>>, Option<ItemError>) {
    let mut splitter = ItemSplitter::new(form, LONGEST);
    let mut items = Vec::new();
    for mut piece in pieces {
        loop {
            match splitter.next(&mut piece) {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break,
                Err(error) => return (items, Some(error)),
            }
            assert!(splitter.kept() <= LONGEST);
        }
    }
    match splitter.end() {
        Ok(last) => {
            items.extend(last);
            (items, None)
        }
        Err(error) => (items, Some(error)),
    }
}

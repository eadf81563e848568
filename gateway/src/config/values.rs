//! How the values of keys are read, by what they are: a text, one of a few words, a number, a duration, a size.

use super::complaint::Complaint;
use super::reader::{Item, Reader};
use super::suggest::{list, names_help};
use super::units;
use std::time::Duration;
use toml::de::DeValue;

impl Reader<'_> {
    /// Reads a string by a parser.
    pub(super) fn text<T>(
        &mut self,
        item: &Item<'_>,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, Complaint>,
    ) -> Option<T> {
        debug_assert!(item.shape.is_text(), "`{}` is read as a text", item.key);
        let DeValue::String(text) = item.value.get_ref() else {
            return self.wrong_type(item.key, item.value, expected);
        };
        match parse(text) {
            Ok(value) => Some(value),
            Err(complaint) => self.complain(item, complaint),
        }
    }

    /// Reads one of a few words.
    pub(super) fn choice<T: Copy>(&mut self, item: &Item<'_>, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        debug_assert!(item.shape.has_words(words.iter().copied()), "`{}` is read by its words", item.key);
        self.text(item, &format!("one of {}", list(&words, "or")), |text| {
            let found = choices.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value).ok_or_else(|| {
                let complaint = Complaint::new(
                    format!("`{}` cannot be `{text}`", item.key),
                    format!("expected {}", list(&words, "or")),
                );
                match names_help(text, words.iter().copied()) {
                    Some(help) if help.starts_with("did") => complaint.help(help),
                    _ => complaint,
                }
            })
        })
    }

    /// Reads `true` or `false`.
    pub(super) fn boolean(&mut self, item: &Item<'_>) -> Option<bool> {
        debug_assert!(item.shape.is_boolean(), "`{}` is read as true or false", item.key);
        match item.value.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => self.wrong_type(item.key, item.value, "true or false"),
        }
    }

    /// Reads a whole number within its bounds.
    pub(super) fn integer(&mut self, item: &Item<'_>) -> Option<u64> {
        let Some(bounds) = item.shape.integer() else { return self.undeclared(item) };
        let DeValue::Integer(number) = item.value.get_ref() else {
            return self.wrong_type(item.key, item.value, "a whole number");
        };
        let value = i128::from_str_radix(number.as_str(), number.radix()).unwrap_or(i128::MAX);
        match u64::try_from(value) {
            Ok(value) if bounds.contains(&value) => Some(value),
            _ => {
                let label = format!("expected {} to {}", bounds.start(), bounds.end());
                self.complain(item, Complaint::new(format!("`{}` is out of bounds", item.key), label))
            }
        }
    }

    /// Reads a duration within its bounds.
    pub(super) fn duration(&mut self, item: &Item<'_>) -> Option<Duration> {
        let Some(bounds) = item.shape.duration() else { return self.undeclared(item) };
        if let DeValue::Integer(number) = item.value.get_ref() {
            let complaint =
                Complaint::new(format!("`{}` needs a unit", item.key), "milliseconds, seconds, …?");
            let helpful = number.as_str() != "0" && number.radix() == 10;
            return self.complain(
                item,
                match helpful {
                    true => complaint.help(format!("write \"{number}s\" or \"{number}ms\"")),
                    false => complaint,
                },
            );
        }
        let value = self.text(item, "a string such as \"2s\"", units::duration)?;
        if bounds.contains(&value) {
            return Some(value);
        }
        let (low, high) = (units::show_duration(*bounds.start()), units::show_duration(*bounds.end()));
        self.complain(
            item,
            Complaint::new(format!("`{}` is out of bounds", item.key), format!("expected {low} to {high}")),
        )
    }

    /// Reads a size in bytes within its bounds.
    pub(super) fn size(&mut self, item: &Item<'_>) -> Option<u64> {
        let Some(bounds) = item.shape.size() else { return self.undeclared(item) };
        let value = match item.value.get_ref() {
            DeValue::Integer(number) => {
                let value = i128::from_str_radix(number.as_str(), number.radix()).unwrap_or(i128::MAX);
                u64::try_from(value).unwrap_or(if value < 0 { 0 } else { u64::MAX })
            }
            _ => self.text(item, "a size such as \"64KiB\"", units::size)?,
        };
        if bounds.contains(&value) {
            return Some(value);
        }
        let (low, high) = (units::show_size(*bounds.start()), units::show_size(*bounds.end()));
        self.complain(
            item,
            Complaint::new(format!("`{}` is out of bounds", item.key), format!("expected {low} to {high}")),
        )
    }

    /// Reads a rate in bytes a second; 0 is none.
    pub(super) fn rate(&mut self, item: &Item<'_>) -> Option<u64> {
        match item.value.get_ref() {
            DeValue::Integer(number) if number.as_str() == "0" => Some(0),
            _ => self.text(item, "a rate such as \"1KiB/s\", or 0", units::rate),
        }
    }

    /// Refuses what is read as something that its key is not declared to be.
    #[cold]
    fn undeclared<T>(&mut self, item: &Item<'_>) -> Option<T> {
        debug_assert!(false, "`{}` is not read as it is declared: {:?}", item.key, item.shape);
        self.wrong_type(item.key, item.value, "what it is declared to be")
    }
}

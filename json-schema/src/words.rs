//! What people read: documentation as summary and description, and what else is said of a thing.

/// The first paragraph's first line, without a full stop: what stands in lists.
pub fn summary(doc: &str) -> Option<String> {
    const LONGEST: usize = 120;
    let line = doc.lines().map(str::trim).find(|line| !line.is_empty())?;
    let sentence = line.split_inclusive(". ").next().unwrap_or(line).trim_end();
    let sentence = sentence.strip_suffix('.').unwrap_or(sentence);
    if sentence.chars().count() <= LONGEST {
        return Some(sentence.to_owned());
    }
    Some(format!("{}…", sentence.chars().take(LONGEST).collect::<String>()))
}

/// A documentation and sentences behind it, as paragraphs; `None` where nothing is said.
pub fn description(doc: &str, more: &[String]) -> Option<String> {
    let all = std::iter::once(doc.trim()).chain(more.iter().map(String::as_str));
    let said: Vec<&str> = all.filter(|text| !text.is_empty()).collect();
    (!said.is_empty()).then(|| said.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_one_sentence_and_a_description_has_all() {
        for (doc, expected) in [
            ("", None),
            ("  \n Prices an order. It is not kept.\n", Some("Prices an order")),
            ("an order; `not_found` if there is none", Some("an order; `not_found` if there is none")),
        ] {
            assert_eq!(summary(doc).as_deref(), expected);
        }
        assert_eq!(summary(&"ä".repeat(200)).map(|text| text.chars().count()), Some(121));
        assert_eq!(description(" a \n", &["b".to_owned(), String::new()]).as_deref(), Some("a\n\nb"));
        assert_eq!(description("", &[]), None);
    }
}

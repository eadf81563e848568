//! Which part of a long page is asked for: `?q=shop&state=unwell&sort=-requests&offset=50&limit=50`.

use crate::config::names_help;
use crate::routes::query_pairs;

/// Rows of a page that does not say how many it wants, and the most that there are.
const ROWS: usize = 50;
const MAX_ROWS: usize = 500;

/// What a page may be asked for.
const PARAMETERS: [&str; 7] = ["q", "backend", "endpoint", "state", "sort", "offset", "limit"];

/// What is asked for.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Asked {
    /// Words in lower case; a row has all of them.
    words: Vec<String>,
    /// The name of a backend.
    pub(super) backend: Option<String>,
    /// The address of an endpoint.
    pub(super) endpoint: Option<String>,
    /// How rows must stand.
    pub(super) state: Option<String>,
    /// By what rows are sorted, and whether the largest come first.
    pub(super) sort: Option<(String, bool)>,
    offset: Option<usize>,
    limit: Option<usize>,
}

impl Asked {
    /// What a query asks for.
    ///
    /// # Errors
    /// For people: it cannot be read.
    pub(super) fn of(query: &str) -> Result<Asked, String> {
        let pairs = query_pairs(query).map_err(|_| "the query is not UTF-8 after percent-decoding")?;
        let mut asked = Asked::default();
        for (name, value) in pairs {
            let text = || Some(value.to_string()).filter(|text| !text.is_empty());
            let number = || {
                let number = value.parse().map_err(|_| format!("`{name}` must be a number, not `{value}`"));
                number.map(Some)
            };
            match &*name {
                "q" => asked.words = value.to_lowercase().split_whitespace().map(str::to_owned).collect(),
                "backend" => asked.backend = text(),
                "endpoint" => asked.endpoint = text(),
                "state" => asked.state = text(),
                "sort" => asked.sort = text().map(sorted),
                "offset" => asked.offset = number()?,
                "limit" => asked.limit = number()?,
                _ => {
                    let help = names_help(&name, PARAMETERS).map(|help| format!("; {help}"));
                    return Err(format!("unknown parameter `{name}`{}", help.unwrap_or_default()));
                }
            }
        }
        Ok(asked)
    }

    /// Whether a text has all words.
    pub(super) fn finds(&self, text: impl FnOnce() -> String) -> bool {
        self.words.is_empty() || {
            let text = text().to_lowercase();
            self.words.iter().all(|word| text.contains(word))
        }
    }

    /// The part of the rows that is asked for; a part where nothing is said.
    pub(super) fn part<T>(&self, rows: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        rows.into_iter().skip(self.offset()).take(self.limit.unwrap_or(ROWS).min(MAX_ROWS))
    }

    /// The same; all of them where nothing is said.
    pub(super) fn part_or_all<T>(&self, rows: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        rows.into_iter().skip(self.offset()).take(self.limit.unwrap_or(usize::MAX))
    }

    /// The first row.
    pub(super) fn offset(&self) -> usize {
        self.offset.unwrap_or_default()
    }
}

fn sorted(text: String) -> (String, bool) {
    match text.strip_prefix('-') {
        Some(name) => (name.to_owned(), true),
        None => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_asks_for_a_part_and_mistakes_are_told() {
        let asked = Asked::of("q=Shop+GET&sort=-requests&offset=1&limit=2&state=").expect("it can be read");
        assert!(asked.finds(|| "get /v1 (SHOP.quote)".to_owned()) && !asked.finds(|| "get /v1".to_owned()));
        assert_eq!((asked.sort.clone(), asked.state.clone()), (Some(("requests".to_owned(), true)), None));
        assert!(asked.part([0, 1, 2, 3]).eq([1, 2]) && asked.part_or_all([0, 1]).eq([1]));
        let all = Asked::of("").expect("nothing is something");
        assert!(all.finds(String::new));
        assert_eq!((all.part(0..600).count(), all.part_or_all(0..600).count()), (ROWS, 600));
        let most = Asked::of("limit=100000").expect("it is a number");
        assert_eq!(most.part(0..600).count(), MAX_ROWS);
        for (query, told) in [
            ("limit=many", "`limit` must be a number, not `many`"),
            ("ofset=1", "unknown parameter `ofset`; did you mean `offset`?"),
            ("q=%ff", "not UTF-8"),
        ] {
            let error = Asked::of(query).expect_err(query);
            assert!(error.contains(told), "{error}");
        }
    }
}

//! How names are rewritten: serde's rules for `rename_all`, and the names that `#[service]` makes.

use syn::LitStr;

/// A value of `rename_all`.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

impl Case {
    /// Reads serde's name of a rule. `None` for another; serde's own derive says which there are.
    pub(crate) fn of(name: &LitStr) -> Option<Case> {
        Some(match name.value().as_str() {
            "lowercase" => Case::Lower,
            "UPPERCASE" => Case::Upper,
            "PascalCase" => Case::Pascal,
            "camelCase" => Case::Camel,
            "snake_case" => Case::Snake,
            "SCREAMING_SNAKE_CASE" => Case::ScreamingSnake,
            "kebab-case" => Case::Kebab,
            "SCREAMING-KEBAB-CASE" => Case::ScreamingKebab,
            _ => return None,
        })
    }

    /// Rewrites a field's name, which serde takes to be in snake_case.
    pub(crate) fn field(self, name: &str) -> String {
        match self {
            Case::Lower | Case::Snake => name.to_owned(),
            Case::Upper | Case::ScreamingSnake => name.to_ascii_uppercase(),
            Case::Pascal => pascal(name),
            Case::Camel => lower_first(&pascal(name)),
            Case::Kebab => name.replace('_', "-"),
            Case::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// Rewrites a variant's name, which serde takes to be in PascalCase.
    pub(crate) fn variant(self, name: &str) -> String {
        match self {
            Case::Lower => name.to_ascii_lowercase(),
            Case::Upper => name.to_ascii_uppercase(),
            Case::Pascal => name.to_owned(),
            Case::Camel => lower_first(name),
            Case::Snake => snake(name),
            Case::ScreamingSnake => snake(name).to_ascii_uppercase(),
            Case::Kebab => snake(name).replace('_', "-"),
            Case::ScreamingKebab => snake(name).to_ascii_uppercase().replace('_', "-"),
        }
    }
}

/// `order_id` → `OrderId`.
pub(crate) fn pascal(name: &str) -> String {
    let mut out = String::new();
    let mut upper = true;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                out.push(c.to_ascii_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}

/// A trait's name as its service's: `BookOrders` → `book_orders`, `HTTPProxy` → `http_proxy`. Unlike serde, which puts a line
/// before each capital, this takes several capitals for one word.
pub(crate) fn service(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (i, c) in letters.iter().enumerate() {
        let before = i.checked_sub(1).map(|before| letters[before]);
        let ends_a_word = before.is_some_and(|before| before.is_lowercase() || before.is_ascii_digit());
        let begins_a_word = before.is_some_and(|before| before.is_uppercase())
            && letters.get(i + 1).is_some_and(|after| after.is_lowercase());
        if c.is_uppercase() && (ends_a_word || begins_a_word) {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// `OrderId` → `order_id`, as serde has it.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.char_indices() {
        if i > 0 && c.is_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    match chars.next() {
        Some(first) => first.to_ascii_lowercase().to_string() + chars.as_str(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_called_as_people_would_write_its_trait() {
        for (name, expected) in [
            ("Orders", "orders"),
            ("BookOrders", "book_orders"),
            ("HTTPProxy", "http_proxy"),
            ("HTTP", "http"),
            ("MyHTTP", "my_http"),
            ("MyHTTPProxy", "my_http_proxy"),
            ("Http2Proxy", "http2_proxy"),
            ("HTTP2Proxy", "http2_proxy"),
            ("OrdersV2", "orders_v2"),
            ("V2Orders", "v2_orders"),
            ("ABTest", "ab_test"),
            ("AProxy", "a_proxy"),
            ("X", "x"),
            ("_Hidden", "_hidden"),
            ("snake_case", "snake_case"),
            ("Two_Words", "two_words"),
        ] {
            assert_eq!(service(name), expected, "{name}");
        }
    }

    #[test]
    fn variants_are_rewritten_as_serde_does_it() {
        for (case, expected) in [
            (Case::Snake, "h_t_t_p_proxy"),
            (Case::ScreamingSnake, "H_T_T_P_PROXY"),
            (Case::Kebab, "h-t-t-p-proxy"),
            (Case::Camel, "hTTPProxy"),
        ] {
            assert_eq!(case.variant("HTTPProxy"), expected);
        }
    }
}

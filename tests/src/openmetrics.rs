//! A strict reader of the metrics page: whether it could be told as OpenMetrics, whoever translates it.
//!
//! The page is Prometheus's text format 0.0.4, where a counter is called `x_total`. In OpenMetrics its family is called `x`, and
//! `x_total` only its sample. So a gauge `x` beside it is fine in the one and an error in the other, and agents that translate
//! drop one of the two or the whole page.

use std::collections::{BTreeMap, HashMap, HashSet};

/// What OpenMetrics appends to the name of a family of a type, for its samples.
fn suffixes(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "gauge" => Some(&[""]),
        "counter" => Some(&["_total", "_created"]),
        "histogram" => Some(&["_bucket", "_count", "_sum", "_created"]),
        _ => None,
    }
}

/// A family while its lines are read.
struct Family<'p> {
    /// As OpenMetrics calls it.
    name: &'p str,
    kind: &'p str,
    /// Name and labels of each sample.
    seen: HashSet<&'p str>,
    /// The buckets of a histogram, by their other labels: bounds and counts. And its counts.
    buckets: BTreeMap<String, Vec<(f64, f64)>>,
    counts: HashMap<String, f64>,
}

/// Reads a page; the names of its families, or the first thing that is wrong.
pub fn families(page: &str) -> Result<Vec<String>, String> {
    let (mut names, mut taken) = (Vec::new(), HashMap::new());
    let mut help = None;
    let mut family: Option<Family<'_>> = None;
    for line in page.lines() {
        let wrong = |what: &str| Err(format!("{what}: {line}"));
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let Some((name, text)) = rest.split_once(' ') else { return wrong("a family without help") };
            if text.trim().is_empty() || help.replace(name).is_some() {
                return wrong("help of no family");
            }
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let Some((name, kind)) = rest.split_once(' ') else { return wrong("no type") };
            if help.take() != Some(name) {
                return wrong("a family without help");
            }
            family.take().map_or(Ok(()), |done| done.finish())?;
            let Some(suffixes) = suffixes(kind) else { return wrong("an unknown type") };
            let stem = if kind == "counter" { name.strip_suffix("_total") } else { Some(name) };
            let Some(stem) = stem.filter(|stem| is_name(stem)) else {
                return wrong("not a name of its type");
            };
            for suffix in suffixes.iter().chain([&""]).collect::<HashSet<_>>() {
                if let Some(other) = taken.insert(format!("{stem}{suffix}"), name) {
                    return wrong(&format!("clashes with {other}"));
                }
            }
            names.push(name.to_owned());
            let (buckets, counts) = (BTreeMap::new(), HashMap::new());
            family = Some(Family { name: stem, kind, seen: HashSet::new(), buckets, counts });
        } else {
            let Some(family) = &mut family else { return wrong("a sample of no family") };
            if help.is_some() {
                return wrong("a family without a type");
            }
            family.sample(line)?;
        }
    }
    family.map_or(Ok(()), |done| done.finish())?;
    Ok(names)
}

impl<'p> Family<'p> {
    fn sample(&mut self, line: &'p str) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("{what}: {line}"));
        let Some((series, value)) = line.rsplit_once(' ') else { return wrong("no value") };
        let Ok(value) = value.parse::<f64>() else { return wrong("not a number") };
        let (name, labels) = match series.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}')),
            None => (series, Some("")),
        };
        let Some(labels) = labels.and_then(labels_of) else { return wrong("not labels") };
        let suffix = name
            .strip_prefix(self.name)
            .filter(|suffix| suffixes(self.kind).is_some_and(|suffixes| suffixes.contains(suffix)));
        let Some(suffix) = suffix else { return wrong(&format!("not a sample of {}", self.name)) };
        if !self.seen.insert(series) {
            return wrong("a sample comes twice");
        }
        if self.kind != "gauge" && (value.is_nan() || value < 0.0) {
            return wrong("counts are not negative");
        }
        let mut others = labels.clone();
        let bound = others.remove("le");
        match (suffix, bound) {
            ("_bucket", Some("+Inf")) => {
                self.buckets.entry(format!("{others:?}")).or_default().push((f64::INFINITY, value))
            }
            ("_bucket", Some(bound)) => {
                let Ok(bound) = bound.parse() else { return wrong("not a bound") };
                self.buckets.entry(format!("{others:?}")).or_default().push((bound, value));
            }
            ("_bucket", None) | (_, Some(_)) => return wrong("`le` belongs to buckets"),
            ("_count", None) => drop(self.counts.insert(format!("{others:?}"), value)),
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<(), String> {
        let name = self.name;
        if self.seen.is_empty() {
            return Err(format!("{name} has no samples"));
        }
        for (labels, buckets) in &self.buckets {
            if !buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1) {
                return Err(format!("the buckets of {name} do not rise: {labels}"));
            }
            let whole = buckets.last().filter(|(bound, _)| bound.is_infinite()).map(|(_, count)| count);
            if whole.is_none() || whole != self.counts.get(labels) {
                return Err(format!("the last bucket of {name} is not its count: {labels}"));
            }
        }
        if self.kind == "histogram" && self.buckets.len() != self.counts.len() {
            return Err(format!("{name} has counts without buckets"));
        }
        Ok(())
    }
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Labels and their values as they are escaped; `None` when they are not written as they must be.
fn labels_of(mut text: &str) -> Option<BTreeMap<&str, &str>> {
    let mut labels = BTreeMap::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"")?;
        let mut escaped = false;
        let end = rest.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        if !is_name(name) || labels.insert(name, &rest[..end]).is_some() {
            return None;
        }
        text = &rest[end + 1..];
        text = if text.is_empty() { text } else { text.strip_prefix(',').filter(|rest| !rest.is_empty())? };
    }
    Some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_openmetrics_cannot_tell_is_found() {
        let family = |name: &str, kind: &str, samples: &str| {
            format!("# HELP {name} Text.\n# TYPE {name} {kind}\n{samples}\n")
        };
        let gauge = family("x", "gauge", "x{a=\"1\",b=\"\\\"}\"} 1\nx{a=\"2\",b=\"\"} 0.5");
        let histogram =
            family("h", "histogram", "h_bucket{le=\"0.5\"} 1\nh_bucket{le=\"+Inf\"} 3\nh_sum 2.5\nh_count 3");
        let counter = family("c_total", "counter", "c_total 1");
        assert_eq!(families(&format!("{gauge}{histogram}{counter}")).expect("valid"), ["x", "h", "c_total"]);
        for (page, expected) in [
            (gauge.clone() + &family("x_total", "counter", "x_total 1"), "clashes with x:"),
            (family("x_total", "counter", "x_total 1") + &gauge, "clashes with x_total:"),
            (histogram.clone() + &family("h_count", "gauge", "h_count 1"), "clashes with h:"),
            (gauge.clone() + &counter + &gauge, "clashes with x:"),
            (family("c", "counter", "c 1"), "not a name of its type"),
            (family("y", "summary", "y 1"), "an unknown type"),
            (family("y", "gauge", "x 1"), "not a sample of y"),
            (family("y", "gauge", "y 1\ny 1"), "a sample comes twice"),
            (family("y", "gauge", "y{a=\"1} 1"), "not labels"),
            (family("y", "gauge", "y{a=\"1\",a=\"2\"} 1"), "not labels"),
            (family("y", "gauge", "y one"), "not a number"),
            (family("y_total", "counter", "y_total -1"), "counts are not negative"),
            (histogram.replace("h_bucket{le=\"+Inf\"} 3\n", ""), "is not its count"),
            (histogram.replace("h_count 3", "h_count 4"), "is not its count"),
            (histogram.replace("\"0.5\"} 1", "\"0.5\"} 4"), "do not rise"),
            ("x 1\n".to_owned(), "a sample of no family"),
            ("# TYPE x gauge\nx 1\n".to_owned(), "a family without help"),
            (family("x", "gauge", ""), "no value"),
        ] {
            let error = families(&page).expect_err(&page);
            assert!(error.contains(expected), "{error}\n{page}");
        }
    }
}

//! Routes that call nothing, as a table in force has them.

use crate::config::{FixedSpec, Method};
use crate::telemetry::{Counter, PerWorker, RouteStats};
use std::collections::HashMap;
use std::sync::Arc;

/// The values that a path's parameters caught, as they were sent, in the order of the template.
pub type RawParams<'a> = Vec<&'a str>;

/// A route that calls nothing, and what it counts.
pub struct FixedRoute {
    /// What the files say.
    pub spec: FixedSpec,
    /// What it counts.
    pub stats: Arc<RouteStats>,
    /// The requests that it has sent to another route, which counts their answers.
    pub rewritten: Arc<PerWorker<Counter>>,
}

/// The routes of the next table. One that keeps its method and path goes on counting.
pub(super) fn next_fixed(
    before: &[Arc<FixedRoute>],
    specs: Vec<FixedSpec>,
    workers: usize,
) -> Vec<Arc<FixedRoute>> {
    let known: HashMap<(Method, &str), &Arc<FixedRoute>> =
        before.iter().map(|route| ((route.spec.method, route.spec.path.as_str()), route)).collect();
    let next = |spec: FixedSpec| {
        let old = known.get(&(spec.method, spec.path.as_str())).copied();
        if let Some(old) = old.filter(|old| old.spec == spec) {
            return old.clone();
        }
        let status = spec.answer.status();
        // The counters have one place for a status of the route's own.
        let stats = old.filter(|old| old.spec.answer.status() == status).map(|old| old.stats.clone());
        Arc::new(FixedRoute {
            spec,
            stats: stats.unwrap_or_else(|| Arc::new(RouteStats::answering(workers, status))),
            rewritten: old.map_or_else(|| Arc::new(PerWorker::new(workers)), |old| old.rewritten.clone()),
        })
    };
    specs.into_iter().map(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, Tables};

    fn next(before: &[Arc<FixedRoute>], text: &str) -> Vec<Arc<FixedRoute>> {
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
        next_fixed(before, tables.fixed, 1)
    }

    #[test]
    fn what_stays_goes_on_counting_and_a_status_of_its_own_is_counted_as_such() {
        const TEXT: &str = "[[routes]]\nmatch = 'GET /a'\nrespond = { status = 418, body = 'tea' }\n\
                            [[routes]]\nmatch = 'GET /b'\nredirect = { to = '/a' }\n";
        let first = next(&[], TEXT);
        first[0].stats.0.of(0).answered(418, std::time::Duration::ZERO);
        let second = next(&first, &TEXT.replace("tea", "coffee").replace("'/a' }", "'/a', status = 302 }"));
        assert!(Arc::ptr_eq(&first[0].stats, &second[0].stats), "another body");
        assert!(!Arc::ptr_eq(&first[1].stats, &second[1].stats), "another status");
        let third = next(&second, &format!("# A line more.\n{}", TEXT.replace("tea", "coffee")));
        assert!(Arc::ptr_eq(&second[0], &third[0]), "only moved");
        assert_eq!(third[0].stats.by_status().collect::<Vec<_>>(), [(418, 1)]);
    }
}

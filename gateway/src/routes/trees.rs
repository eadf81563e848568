//! The trees of paths: for each method one, and such trees for each host that routes name.
//!
//! A request is looked up among the routes of its host, then among those of the wildcard that has it, then among those of all hosts. Where no
//! route names a host, there is one look.

use super::params::Captured;
use super::route::Route;
use crate::config::{Matcher, shown_host};
use crate::host::Compared;
use crate::method::Method;
use callgate_tls::Name;
use matchit::{InsertError, Router};
use std::collections::HashMap;
use std::sync::Arc;

/// For each method the tree of its paths, which lead to places in the list of routes.
type Paths = [Router<usize>; Method::ALL.len()];

/// All trees.
pub(super) struct Trees {
    any: Paths,
    by_host: Option<Box<ByHost>>,
}

/// Those of routes that name hosts.
#[derive(Default)]
struct ByHost {
    exact: HashMap<String, Paths>,
    /// By what stands behind the `*.`.
    wildcards: HashMap<String, Paths>,
}

impl Default for Trees {
    fn default() -> Trees {
        Trees { any: no_paths(), by_host: None }
    }
}

fn no_paths() -> Paths {
    std::array::from_fn(|_| Router::new())
}

impl Trees {
    /// Those of routes.
    pub(super) fn of(routes: &[Arc<Route>]) -> Trees {
        let mut trees = Trees::default();
        for (at, route) in routes.iter().enumerate() {
            let Matcher { method, path, hosts, .. } = &route.matcher;
            for host in hosts.names() {
                if let Err(error) = trees.insert(*method, host, path.as_str(), at) {
                    // The checks of the files insert the same patterns into the same kind of tree.
                    let route = route.matcher.name();
                    tracing::error!(route, %error, "a checked route does not go into the table");
                }
            }
        }
        trees
    }

    /// A pattern more, which leads to a place.
    ///
    /// # Errors
    /// It takes the same paths as another one that is there.
    pub(super) fn insert(
        &mut self,
        method: Method,
        host: Option<&Name>,
        pattern: &str,
        at: usize,
    ) -> Result<(), InsertError> {
        self.paths(host)[method as usize].insert(pattern, at)
    }

    fn paths(&mut self, host: Option<&Name>) -> &mut Paths {
        let Some(host) = host else { return &mut self.any };
        let by_host = self.by_host.get_or_insert_default();
        match host {
            Name::Wildcard(rest) => by_host.wildcards.entry(rest.clone()).or_insert_with(no_paths),
            exact => by_host.exact.entry(shown_host(exact)).or_insert_with(no_paths),
        }
    }

    /// Whether a request's host matters.
    #[inline]
    pub(super) fn ask_for_hosts(&self) -> bool {
        self.by_host.is_some()
    }

    /// The place of the route that takes requests of that host, and what its path's parameters caught.
    #[inline]
    pub(super) fn find<'t, 'p>(
        &'t self,
        method: Method,
        host: Option<&str>,
        path: &'p str,
    ) -> Option<(usize, Captured<'t, 'p>)> {
        if let (Some(by_host), Some(host)) = (&self.by_host, host)
            && let Some(found) = by_host.find(method, host, path)
        {
            return Some(found);
        }
        at(&self.any, method, path)
    }
}

impl ByHost {
    fn find<'t, 'p>(
        &'t self,
        method: Method,
        host: &str,
        path: &'p str,
    ) -> Option<(usize, Captured<'t, 'p>)> {
        let mut room = Compared::room();
        let host = room.put(host)?;
        let wildcard = || {
            let (label, rest) = host.split_once('.')?;
            self.wildcards.get(rest).filter(|_| !label.is_empty())
        };
        let found = self.exact.get(host).and_then(|paths| at(paths, method, path));
        found.or_else(|| at(wildcard()?, method, path))
    }
}

#[inline]
fn at<'t, 'p>(paths: &'t Paths, method: Method, path: &'p str) -> Option<(usize, Captured<'t, 'p>)> {
    let found = paths[method as usize].at(path).ok()?;
    Some((*found.value, Captured::new(found.params)))
}

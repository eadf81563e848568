//! A route that a request has met.

use super::LocalTable;
use crate::routes::{Route, Table};
use std::ops::Deref;
use std::rc::Rc;

/// A route of a table, which stays as long as somebody holds this: the table may be replaced meanwhile. It is counted within the
/// worker.
#[derive(Clone)]
pub struct RouteRef {
    table: Rc<LocalTable>,
    at: usize,
}

impl RouteRef {
    /// The route at that place in the table's list, at which it was found.
    pub fn new(table: Rc<LocalTable>, at: usize) -> RouteRef {
        RouteRef { table, at }
    }

    /// The route at that place of the same table.
    pub fn other(&self, at: usize) -> RouteRef {
        RouteRef { table: self.table.clone(), at }
    }

    /// Its table.
    pub fn table(&self) -> &Table {
        &self.table
    }
}

impl Deref for RouteRef {
    type Target = Route;

    #[inline]
    fn deref(&self) -> &Route {
        &self.table.routes[self.at]
    }
}

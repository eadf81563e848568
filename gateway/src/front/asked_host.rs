//! The host that a request asks for, where it says which routes there are.

use crate::routes::Table;
use callgate_http1::Request;

/// The host of a request. `None` where no route of the table names one: nobody needs it then.
#[inline]
pub(super) fn asked_host<'h>(table: &Table, head: &'h Request) -> Option<&'h str> {
    if table.asks_for_hosts() { head.host() } else { None }
}

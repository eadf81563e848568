//! What was in force: the ways to each method that there ever was, as they were last. It is kept on disk, so that a restart opens nothing.

use super::{Closed, Exposure, Needs, Opened, Ways};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The form of the file. Another one is not read.
const FORM: u32 = 1;
/// Methods that are gone and remembered, so that they do not come back to everybody.
const MOST_GONE: usize = 10_000;

/// What was in force.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Record {
    form: u32,
    listeners: BTreeMap<String, Needs>,
    methods: BTreeMap<String, Vec<Needs>>,
    /// Those to which nothing leads any more.
    gone: BTreeMap<String, Vec<Needs>>,
}

/// Whether a route calls it by its number.
fn is_by_number(method: &str) -> bool {
    method.rsplit(' ').next().is_some_and(|name| !name.contains('.'))
}

impl Record {
    /// The record of the first tables.
    pub fn begin(ways: Ways) -> Record {
        Record { form: FORM, listeners: ways.listeners, methods: ways.methods, gone: BTreeMap::new() }
    }

    /// Reads one that was kept; `None` if it is none of this form.
    pub fn parse(kept: &[u8]) -> Option<Record> {
        serde_json::from_slice(kept).ok().filter(|record: &Record| record.form == FORM)
    }

    /// For keeping it.
    pub fn text(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whether some way asks who comes: before that there is nothing to guard.
    pub fn guards(&self) -> bool {
        let mut all = self.methods.values().chain(self.gone.values()).flatten();
        all.any(|way| way.of(Ways::AUTH).is_some())
    }

    /// What ways open that were not there.
    pub fn opened_by(&self, next: &Ways) -> Option<Exposure> {
        if !self.guards() {
            return None;
        }
        let mut opened = Vec::new();
        for (method, ways) in &next.methods {
            let before = self.ways_to(method);
            if before.is_empty() {
                // Nobody has ever called it through here by this name: whoever adds it says who may, if it is none of those that it can be.
                let others = self.others(method);
                let is_new = |way: &&Needs| !others.iter().all(|ways| ways.iter().any(|old| way.imply(old)));
                let asks = ways.iter().filter(is_new).cloned();
                opened.extend(asks.map(|asks| Opened { to: method.clone(), asks, before: Vec::new() }));
                continue;
            }
            let new = ways.iter().filter(|way| {
                // Most are as they were.
                before.binary_search(way).is_err() && !before.iter().any(|old| way.imply(old))
            });
            opened.extend(new.map(|asks| Opened {
                to: method.clone(),
                asks: asks.clone(),
                before: before.iter().map(|old| (*old).clone()).collect(),
            }));
        }
        for (listener, asks) in &next.listeners {
            let mut before = self.listeners.values();
            if !before.any(|old| asks.imply(old)) {
                let before = self.listeners.values().cloned().collect();
                opened.push(Opened { to: format!("listener {listener}"), asks: asks.clone(), before });
            }
        }
        Exposure::of(opened)
    }

    /// The ways of methods whose callers would find none any more.
    pub fn closed_by(&self, next: &Ways) -> Vec<Closed> {
        let of = |(method, ways): (&String, &Vec<Needs>)| {
            let after = next.methods.get(method).map_or(&[][..], Vec::as_slice);
            let is_lost = |way: &&Needs| !after.iter().any(|new| way.imply(new));
            let closed =
                |way: &Needs| Closed { to: method.clone(), asked: way.clone(), is_gone: after.is_empty() };
            ways.iter().filter(is_lost).map(closed).collect::<Vec<_>>()
        };
        self.methods.iter().flat_map(of).collect()
    }

    /// The ways that led to a method, in order; to those of its name of other backends, where none led to it: a backend may get another name.
    fn ways_to(&self, method: &str) -> Vec<&Needs> {
        let own = self.methods.get(method).or_else(|| self.gone.get(method));
        if let Some(own) = own {
            return own.iter().collect();
        }
        let name = |of: &str| of.split_once(' ').map(|(_, name)| name.to_owned());
        let all = self.methods.iter().chain(&self.gone);
        let mut ways: Vec<&Needs> =
            all.filter(|(other, _)| name(other) == name(method)).flat_map(|(_, ways)| ways).collect();
        ways.sort();
        ways
    }

    /// The methods of its backend that one is perhaps, whose name was never seen: one that is called by its number can be any of them, and
    /// any can be one that is called so.
    fn others(&self, method: &str) -> Vec<&Vec<Needs>> {
        let backend = |of: &str| of.split_once(' ').map(|(backend, _)| backend.to_owned());
        let all = self.methods.iter().chain(&self.gone);
        let can_be = |other: &str| is_by_number(method) || is_by_number(other);
        let others = all.filter(|(other, _)| backend(other) == backend(method) && can_be(other));
        others.map(|(_, ways)| ways).collect()
    }

    /// The record when these ways are in force.
    pub fn next(&self, ways: Ways) -> Record {
        let mut gone = self.gone.clone();
        gone.extend(self.methods.iter().map(|(method, ways)| (method.clone(), ways.clone())));
        gone.retain(|method, _| !ways.methods.contains_key(method));
        while gone.len() > MOST_GONE {
            gone.pop_first();
        }
        Record { gone, ..Record::begin(ways) }
    }
}

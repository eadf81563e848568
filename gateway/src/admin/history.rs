//! How traffic went lately: the counters of the last minutes, so that whoever opens the page sees rates at once and not after minutes.

use super::overview::Totals;
use crate::control::Plane;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

/// How often the counters are noted, and how many of these notes are kept: ten minutes of them, some 60 KB.
const EVERY: Duration = Duration::from_secs(10);
const KEPT: usize = 60;

/// The notes, the oldest first.
#[derive(Default)]
pub(super) struct History(RefCell<VecDeque<Totals>>);

impl History {
    /// Notes the counters again and again. They are added up where pages are made.
    pub(super) async fn keep(&self, plane: &Arc<Plane>) {
        let mut turns = interval(EVERY);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            let plane = plane.clone();
            if let Ok(totals) = spawn_blocking(move || Totals::of(&plane)).await {
                self.note(totals);
            }
        }
    }

    fn note(&self, totals: Totals) {
        let mut notes = self.0.borrow_mut();
        if notes.len() == KEPT {
            notes.pop_front();
        }
        notes.push_back(totals);
    }

    /// As the page reads them.
    pub(super) fn shown(&self) -> Value {
        json!({ "totals": self.0.borrow().iter().map(Totals::shown).collect::<Vec<_>>() })
    }
}

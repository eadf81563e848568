//! What files say that are followed: what is sound comes into force, and what is not leaves what was in force.

use crate::config::{Diagnostics, Loaded};
use std::sync::Arc;

/// What files have said when they were last sound, and what is wrong with them now.
#[derive(Debug)]
pub(crate) struct Followed<T> {
    /// With what tells it from what they say at another time.
    value: Option<(Arc<T>, u64)>,
    /// In one line.
    problem: Option<Arc<str>>,
}

/// What has become of followed files, for people.
pub(crate) enum News {
    /// They are read for the first time.
    First,
    /// They say something else.
    Changed,
    /// They can be read again, and are as they were.
    SoundAgain,
    /// Something is wrong with them: in one line.
    Problem(Arc<str>),
}

impl<T> Default for Followed<T> {
    fn default() -> Followed<T> {
        Followed { value: None, problem: None }
    }
}

impl<T> Followed<T> {
    /// What is in force, and what tells it from others.
    pub(crate) fn in_force(&self) -> Option<&(Arc<T>, u64)> {
        self.value.as_ref()
    }

    /// What is wrong with the files as they are now.
    pub(crate) fn problem(&self) -> Option<&Arc<str>> {
        self.problem.as_ref()
    }

    /// What is in force; errors are for people.
    pub(crate) fn value(&self) -> Result<&Arc<T>, String> {
        match (&self.value, &self.problem) {
            (Some((value, _)), _) => Ok(value),
            (None, Some(problem)) => Err(problem.to_string()),
            (None, None) => Err("its files were not read yet".to_owned()),
        }
    }

    /// The same with what the files say now, which are read by `load`: told what is known of them, it gives nothing where they still say
    /// that. `None` where nothing is other than before.
    pub(crate) fn again(
        &self,
        load: impl FnOnce(Option<u64>) -> Result<Option<Loaded<T>>, Diagnostics>,
    ) -> Option<(Followed<T>, News)> {
        let same = |problem| Followed { value: self.value.clone(), problem };
        Some(match load(self.value.as_ref().map(|(_, hash)| *hash)) {
            Ok(None) if self.problem.is_none() => return None,
            Ok(None) => (same(None), News::SoundAgain),
            Ok(Some(Loaded { value, hash })) => {
                let news = if self.value.is_some() { News::Changed } else { News::First };
                (Followed { value: Some((value, hash)), problem: None }, news)
            }
            Err(diagnostics) => {
                let problem: Arc<str> = diagnostics.summary().into();
                if self.problem.as_ref() == Some(&problem) {
                    return None;
                }
                (same(Some(problem.clone())), News::Problem(problem))
            }
        })
    }
}

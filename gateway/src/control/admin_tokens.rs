//! The tokens of the admin port in force: those of the start, until the files in which they are kept say others.

use crate::config::{AdminSettings, AdminTokens};
use crate::followed::{Followed, News};
use arc_swap::ArcSwap;
use std::path::PathBuf;
use std::sync::Arc;

/// The tokens in force.
pub struct AdminTokensInForce {
    start: Option<Arc<AdminTokens>>,
    followed: ArcSwap<Followed<AdminTokens>>,
}

impl AdminTokensInForce {
    /// Those of the start.
    pub fn new(settings: &AdminSettings) -> AdminTokensInForce {
        let start = settings.tokens().map(Arc::new);
        AdminTokensInForce { start, followed: ArcSwap::default() }
    }

    /// What is asked of those who ask; none where nothing is.
    pub fn get(&self) -> Option<Arc<AdminTokens>> {
        let followed = self.followed.load();
        followed.in_force().map(|(tokens, _)| tokens.clone()).or_else(|| self.start.clone())
    }

    /// The files in which they are kept.
    pub(super) fn files(settings: &AdminSettings) -> impl Iterator<Item = PathBuf> {
        settings.token_files.iter().flatten().cloned()
    }

    /// Takes what their files say now. What is bad is not taken, and the log says so.
    pub(super) fn refresh(&self, settings: &AdminSettings) {
        let before = self.followed.load_full();
        let Some((next, news)) = before.again(|known| settings.tokens_again(known)) else { return };
        // In force first and told then.
        self.followed.store(Arc::new(next));
        match news {
            News::First => {}
            News::Changed => tracing::info!("the tokens of the admin port changed"),
            News::SoundAgain => {
                tracing::info!("the files of the admin port's tokens are sound again, and as they were");
            }
            News::Problem(problem) => tracing::error!(
                error = &*problem,
                "the tokens of the admin port cannot be read; what was in force stays so"
            ),
        }
    }
}

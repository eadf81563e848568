//! The tokens of the admin port as they are now: those that are kept in files may change while the gateway serves.

use super::AdminSettings;
use super::admin::content;
use crate::config::backend_files::{HASHER, Loaded};
use crate::config::diagnostics::{Diagnostic, Diagnostics};
use crate::config::files;
use crate::config::source::shown;
use callgate_protocol::Token;
use std::hash::BuildHasher;
use std::path::Path;
use std::sync::Arc;

/// The tokens of those who may ask on the admin port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AdminTokens {
    /// For everything.
    pub all: Token,
    /// For what changes nothing.
    pub read: Option<Token>,
}

impl AdminSettings {
    /// The tokens as they were at the start; none where nobody needs one.
    pub(crate) fn tokens(&self) -> Option<AdminTokens> {
        self.token.clone().map(|all| AdminTokens { all, read: self.read_token.clone() })
    }

    /// Reads those again that are kept in files. Where these say what `known` is of: nothing.
    ///
    /// # Errors
    ///
    /// What is wrong with them, without what they say.
    pub(crate) fn tokens_again(
        &self,
        known: Option<u64>,
    ) -> Result<Option<Loaded<AdminTokens>>, Diagnostics> {
        let Some(before) = self.tokens() else { return Ok(None) };
        let texts = files::settled(|| {
            let [all, read] = self.token_files.each_ref().map(|file| file.as_deref().map(text).transpose());
            Ok::<_, Diagnostics>([all?, read?])
        })?;
        let hash = HASHER.hash_one(&texts);
        if known == Some(hash) {
            return Ok(None);
        }
        let token = |at: usize| match (&texts[at], &self.token_files[at]) {
            (Some(text), Some(file)) => parsed(text, file).map(Some),
            _ => Ok(None),
        };
        let all = token(0)?.unwrap_or(before.all);
        let read = token(1)?.or(before.read);
        if read.as_ref() == Some(&all) {
            let both = Diagnostic::new("the token for reading is the same as the other one".to_owned());
            return Err(both.into());
        }
        Ok(Some(Loaded { value: Arc::new(AdminTokens { all, read }), hash }))
    }
}

fn text(file: &Path) -> Result<String, Diagnostics> {
    Ok(content(file).map_err(|error| Diagnostic::unreadable(file, &error))?)
}

fn parsed(text: &str, file: &Path) -> Result<Token, Diagnostics> {
    let holds_none = |why| Diagnostic::new(format!("{} holds no token: {why}", shown(file)));
    Ok(Token::parse(text.trim_end()).map_err(holds_none)?)
}

#[cfg(test)]
mod tests {
    use crate::config::testing::Folder;
    use crate::config::{Settings, Source};

    #[test]
    fn tokens_in_files_are_read_again_and_bad_ones_are_none() {
        let folder = Folder::new();
        let (all, read) = (folder.write("all", "first\n"), folder.write("read", "second\n"));
        let text = format!("[admin]\ntoken = {{ file = {all:?} }}\nread_token = {{ file = {read:?} }}\n");
        let settings = Settings::parse(Source::new("gateway.toml", text), None).unwrap().admin;
        let first = settings.tokens_again(None).unwrap().expect("they are read for the first time");
        assert_eq!(Some(&*first.value), settings.tokens().as_ref());
        assert!(settings.tokens_again(Some(first.hash)).unwrap().is_none(), "they say the same");
        folder.write("all", "third\n");
        let next = settings.tokens_again(Some(first.hash)).unwrap().expect("they say something else");
        assert!(
            next.value.all.is(b"third") && next.value.read.as_ref().is_some_and(|read| read.is(b"second"))
        );
        for (bad, why) in [("second\n", "the same"), ("", "holds no token"), ("a b", "holds no token")] {
            folder.write("all", bad);
            let told = settings.tokens_again(Some(next.hash)).map(drop).unwrap_err().to_string();
            assert!(told.contains(why) && !told.contains("second"), "{told}");
        }
        std::fs::remove_file(&all).unwrap();
        assert!(settings.tokens_again(None).is_err());
    }

    #[test]
    fn where_no_token_is_asked_for_none_is_read() {
        let settings = Settings::parse(Source::new("gateway.toml", String::new()), None).unwrap().admin;
        assert!(settings.tokens().is_none() && settings.tokens_again(None).unwrap().is_none());
    }
}

//! Values that layers leave for handlers, found by their type.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::Arc;

/// Values of any types, one of each: what a [layer](crate::Layer) has found out, for the handler and for the layers within.
/// They stay in the process: a context that is passed on to a client hands them to the client's layers, and to no server.
///
/// Empty ones cost nothing. Clones share the values.
///
/// ```
/// # use callgate_sdk::Context;
/// #[derive(Debug, PartialEq)]
/// struct User(String);
///
/// let mut cx = Context::background();
/// cx.extensions_mut().insert(User("ann".into()));
/// assert_eq!(cx.extensions().get::<User>(), Some(&User("ann".into())));
/// ```
#[derive(Clone, Default)]
pub struct Extensions {
    /// A handful at most, so that looking at each is the quickest.
    values: Vec<(TypeId, Arc<dyn Any + Send + Sync>)>,
}

impl Extensions {
    /// The value of that type, if there is one.
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<&T> {
        let (_, value) = self.values.iter().find(|(id, _)| *id == TypeId::of::<T>())?;
        value.downcast_ref()
    }

    /// Puts a value in, in the place of one of the same type.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.remove::<T>();
        self.values.push((TypeId::of::<T>(), Arc::new(value)));
    }

    /// Takes the value of that type out. Says whether there was one.
    pub fn remove<T: Send + Sync + 'static>(&mut self) -> bool {
        let before = self.values.len();
        self.values.retain(|(id, _)| *id != TypeId::of::<T>());
        self.values.len() < before
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extensions").field("values", &self.values.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_value_of_each_type_and_clones_go_their_own_way() {
        let mut first = Extensions::default();
        first.insert(1u8);
        first.insert("text");
        let mut second = first.clone();
        second.insert(2u8);
        assert_eq!((first.get::<u8>(), second.get::<u8>()), (Some(&1), Some(&2)));
        assert_eq!((second.get::<&str>(), second.get::<u16>()), (Some(&"text"), None));
        assert!(second.remove::<u8>() && !second.remove::<u8>());
        assert_eq!((first.get::<u8>(), second.get::<u8>()), (Some(&1), None));
    }
}

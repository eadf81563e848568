//! `type = "unix"`: the caller is the user of the process at the other end of a Unix socket, which the kernel knows.

use super::AuthKind;
use crate::config::complaint::Complaint;
use crate::config::reader::{Item, Reader, Section};
use crate::config::shape::{Entry, Shape};
use nix::unistd::User;
use toml::de::DeValue;

const USER: Shape = Shape::OneOf(&[Shape::Integer(0..=u32::MAX as u64 - 1), Shape::Text]);
pub(super) const KEYS: &[Entry] = &[
    super::kind(&["unix"]),
    Entry::new(
        "users",
        Shape::List(&USER, 1..=usize::MAX),
        "who may call: names, which are looked up when the table is read, and numbers",
    ),
];
const USERS: &str = "an array of users such as [\"deploy\", 1001]";

/// What the kernel says of a user that has none here, because it is one of another user namespace: nobody's identity.
pub const OVERFLOW_UID: u32 = 65534;

/// Callers by their users.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnixSpec {
    /// Who may call. All users of the machine where there are none.
    pub users: Option<Vec<UnixUser>>,
}

/// A user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnixUser {
    /// By name, as the table has it; its number where it has that.
    pub name: Box<str>,
    /// By number. A name was looked up when the table was read.
    pub uid: u32,
}

pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, _: &Item<'_>) -> Option<AuthKind> {
    let Some(item) = section.get("users") else { return Some(AuthKind::Unix(UnixSpec { users: None })) };
    let values = reader.array(&item, USERS)?;
    if values.is_empty() {
        return reader.complain(&item, Complaint::new("`users` is empty", "nobody could call"));
    }
    let mut users: Vec<UnixUser> = Vec::with_capacity(values.len());
    for value in values {
        let one = Item { value, ..item.clone() };
        let Some(user) = user(reader, &one) else { continue };
        if users.iter().any(|other| other.uid == user.uid) {
            let title = format!("the user {} is listed twice", user.name);
            reader.complain::<()>(&one, Complaint::new(title, "again"));
            continue;
        }
        users.push(user);
    }
    Some(AuthKind::Unix(UnixSpec { users: Some(users) }))
}

fn user(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<UnixUser> {
    let found = match item.value.get_ref() {
        DeValue::Integer(_) => {
            let uid = reader.integer(item)?;
            // Within the bounds.
            let uid = uid as u32;
            UnixUser { name: uid.to_string().into(), uid }
        }
        DeValue::String(_) => {
            let (name, uid) = reader.text(item, USERS, |name| match User::from_name(name) {
                Ok(Some(user)) => Ok((Box::from(name), user.uid.as_raw())),
                Ok(None) => {
                    Err(Complaint::new(format!("there is no user `{name}`"), "not known to this machine"))
                }
                Err(error) => {
                    Err(Complaint::new(format!("the user `{name}` cannot be looked up"), error.to_string()))
                }
            })?;
            UnixUser { name, uid }
        }
        _ => return reader.wrong_type(item.key, item.value, USERS),
    };
    if found.uid == OVERFLOW_UID {
        let complaint =
            Complaint::new("this user stands for all that the kernel does not know here", "nobody's name");
        return reader
            .complain(item, complaint.note("processes of other user namespaces have it: it is no identity"));
    }
    Some(found)
}

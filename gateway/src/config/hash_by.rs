//! By what requests are told apart whose calls stay together: at an instance, or at a target of a split.

use super::complaint::Complaint;
use super::suggest::names_help;
use crate::fields::FieldName;

/// Where a request has its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HashBy {
    /// In the header of that name.
    Header(FieldName),
    /// In the path parameter of that name.
    Path(String),
    /// In the cookie of that name.
    Cookie(String),
    /// It is the client's IP address.
    Client,
    /// It is who calls.
    Identity,
    /// It is that claim of the caller.
    Claim(String),
}

impl HashBy {
    /// As the tables write it.
    pub fn text(&self) -> String {
        match self {
            HashBy::Header(name) => format!("header:{name}"),
            HashBy::Path(name) => format!("path:{name}"),
            HashBy::Cookie(name) => format!("cookie:{name}"),
            HashBy::Client => "client".to_owned(),
            HashBy::Identity => "identity".to_owned(),
            HashBy::Claim(name) => format!("claim:{name}"),
        }
    }
}

pub(super) fn hash_by(text: &str) -> Result<HashBy, Complaint> {
    match text {
        "client" => return Ok(HashBy::Client),
        "identity" => return Ok(HashBy::Identity),
        _ => {}
    }
    let kinds = ["header", "path", "cookie", "client", "identity", "claim"];
    let Some((kind, name)) = text.split_once(':') else {
        let complaint = Complaint::new(
            format!("`{text}` is nothing to hash by"),
            "expected `header:name`, `path:name`, `cookie:name`, `client`, `identity` or `claim:name`",
        );
        return Err(match kinds.contains(&text) {
            true => complaint.help(format!("which one? write \"{text}:name\"")),
            false => complaint.help(format!("write \"header:{text}\", \"path:{text}\" or \"cookie:{text}\"")),
        });
    };
    let within = text.len() - name.len()..text.len();
    let token = |name: &str| {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        (1..=256).contains(&name.len()) && name.bytes().all(good)
    };
    match kind {
        "header" | "cookie" if !token(name) => {
            let complaint =
                Complaint::new(format!("not a {kind}'s name"), "expected letters, digits, `-`, `_`, `.`");
            Err(complaint.within(within))
        }
        "header" => Ok(HashBy::Header(name.into())),
        "cookie" => Ok(HashBy::Cookie(name.to_owned())),
        "path" => Ok(HashBy::Path(name.to_owned())),
        "claim" if (1..=256).contains(&name.len()) => Ok(HashBy::Claim(name.to_owned())),
        "claim" => Err(Complaint::new("not a claim's name", "expected 1 to 256 bytes").within(within)),
        _ => {
            let complaint =
                Complaint::new(format!("`{kind}` is nothing to hash by"), "not known").within(0..kind.len());
            Err(names_help(kind, kinds).into_iter().fold(complaint, Complaint::help))
        }
    }
}

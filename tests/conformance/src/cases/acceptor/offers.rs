//! What is offered, and its schemas.

use super::Case;
use crate::frame::schema_request;
use crate::hello::Hello;
use crate::peer::Peer;
use crate::service::{Fingerprint, METHODS, SERVICE};
use crate::verdict::section::{HANDSHAKE, SCHEMAS};
use crate::verdict::{Step, check};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "offer-wire",
        SCHEMAS,
        "The wire fingerprint is of the wire form: types, and names of arguments.",
        |tested| {
            let peer = tested.open()?;
            peer.method("echo")?;
            for method in METHODS {
                let name = format!("{SERVICE}.{}", method.name);
                let offered = peer.told()?.methods.iter().find(|offered| offered.name == name);
                check(offered.is_none_or(|offered| offered.wire == method.wire()), || {
                    format!("`{name}` has another wire fingerprint than its types have by the page")
                })?;
            }
            Ok(())
        },
    ),
    Case::new("offer-names", HANDSHAKE, "Names of services and methods are of the grammar.", |tested| {
        let peer = tested.open()?;
        for method in &peer.told()?.methods {
            let parts: Vec<&str> = method.name.split('.').collect();
            check(parts.len() > 1 && parts.iter().all(|part| is_word(part)), || {
                format!("`{}` is no name of a service and a method", method.name)
            })?;
        }
        Ok(())
    }),
    Case::new(
        "schema-fetched",
        SCHEMAS,
        "Each schema that is offered can be fetched; its bytes have the fingerprint.",
        |tested| {
            let mut peer = tested.open()?;
            for method in peer.told()?.methods.clone() {
                let bytes = fetch(&mut peer, &method.document)?;
                check(bytes.first() == Some(&1), || {
                    format!("the schema of `{}` is {} bytes, and no schema", method.name, bytes.len())
                })?;
            }
            Ok(())
        },
    ),
    Case::new(
        "schema-unknown",
        SCHEMAS,
        "An unknown fingerprint is answered by SCHEMA without bytes.",
        |tested| {
            let mut peer = tested.open()?;
            let bytes = fetch(&mut peer, &[0x5a; 16])?;
            check(bytes.is_empty(), || {
                format!("{} bytes came for a fingerprint that nobody has", bytes.len())
            })
        },
    ),
    Case::new("schema-many", SCHEMAS, "Every SCHEMA_REQUEST is answered, in any order.", |tested| {
        let mut peer = tested.open()?;
        let fingerprints: Vec<Fingerprint> =
            peer.told()?.methods.iter().map(|method| method.document).collect();
        let asked: Vec<Fingerprint> = fingerprints.iter().copied().cycle().take(50).collect();
        peer.send_all(asked.iter().map(schema_request))?;
        peer.wait("50 SCHEMAs", |heard| (heard.schemas.len() == asked.len()).then_some(()))?;
        let mut came: Vec<Fingerprint> =
            peer.heard.schemas.iter().map(|(fingerprint, _)| *fingerprint).collect();
        let mut asked = asked;
        came.sort_unstable();
        asked.sort_unstable();
        check(came == asked, || "the fingerprints of the SCHEMAs are not those that were asked for".into())
    }),
    Case::new("schema-one-frame", SCHEMAS, "SCHEMA is never fragmented, whatever max_frame is.", |tested| {
        let mut peer = tested.open_with(&Hello::new().max_frame(1024))?;
        let mut longest = 0;
        for method in peer.told()?.methods.clone() {
            longest = longest.max(fetch(&mut peer, &method.document)?.len());
        }
        check(longest > 1024, || {
            format!("the longest schema has {longest} bytes; `fail` should have more than 1024")
        })
    }),
];

fn fetch(peer: &mut Peer, fingerprint: &Fingerprint) -> Step<Vec<u8>> {
    peer.send(schema_request(fingerprint))?;
    peer.wait("a SCHEMA", |heard| {
        let at = heard.schemas.iter().position(|(asked, _)| asked == fingerprint)?;
        heard.schemas.remove(at).map(|(_, bytes)| bytes)
    })
}

/// A letter or `_`, then letters, digits, `_` and `-`, all ASCII.
fn is_word(word: &str) -> bool {
    let begins = word.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    begins && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

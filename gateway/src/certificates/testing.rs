//! What the tests of certificates share: those that are made when they are needed, in a folder of their own.

use super::{InForce, Start};
use crate::config::testing::Folder;
use crate::config::{CertificateSpec, Source, Tables};
use callgate_tls::UnixTime;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use std::time::Duration;

/// The first of January 2030.
pub(crate) fn now() -> UnixTime {
    days_after(0)
}

pub(crate) fn days_after(days: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_893_456_000 + days * 86_400))
}

/// Writes a certificate of those names, which expires with that day of January 2030, and its key: `NAME.pem`, `NAME.key`.
pub(crate) fn certificate_until(folder: &Folder, name: &str, names: &[&str], day: u8) {
    let key = KeyPair::generate().unwrap();
    let mut params =
        CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2030, 1, day));
    folder.write(&format!("{name}.pem"), &params.self_signed(&key).unwrap().pem());
    folder.write(&format!("{name}.key"), &key.serialize_pem());
}

/// The same, good for the whole month.
pub(crate) fn certificate(folder: &Folder, name: &str, names: &[&str]) {
    certificate_until(folder, name, names, 31);
}

/// A table's entry for `NAME.pem` and `NAME.key`.
pub(crate) fn entry(name: &str, names: &[&str]) -> String {
    format!("[[certificates]]\nnames = {names:?}\ncert = '{name}.pem'\nkey = '{name}.key'\n")
}

/// What a table in that folder says.
pub(crate) fn specs(folder: &Folder, table: &str) -> Vec<CertificateSpec> {
    Tables::parse(vec![Source::new(folder.path("t.toml"), table)]).unwrap().certificates
}

/// The certificates of a table at the start.
pub(crate) fn in_force(folder: &Folder, table: &str) -> InForce {
    InForce::default().next(&specs(folder, table), Start::Begins, now()).unwrap()
}

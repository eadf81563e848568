//! What is read from a certificate's bytes: names, dates, and what it may be used for. rustls verifies; this tells.

use crate::name::Name;
use rustls::pki_types::UnixTime;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

/// Parses one certificate, to the last byte.
pub(crate) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, String> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) => Err("bytes follow its end".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// The names of a certificate that are DNS names or addresses. What is neither is left out.
pub(crate) fn names(certificate: &X509Certificate<'_>) -> Vec<Name> {
    let mut names: Vec<Name> = alternative_names(certificate)
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Name::parse(name).filter(|name| !matches!(name, Name::Ip(_))),
            GeneralName::IPAddress(bytes) => ip(bytes).map(Name::Ip),
            _ => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

/// All that stands in the extension "subject alternative name".
pub(crate) fn alternative_names<'a>(certificate: &'a X509Certificate<'_>) -> &'a [GeneralName<'a>] {
    match certificate.subject_alternative_name() {
        Ok(Some(extension)) => &extension.value.general_names,
        _ => &[],
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(four).into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(|sixteen| Ipv6Addr::from(sixteen).into())
}

/// Seconds since 1970; what is before that is its beginning.
pub(crate) fn unix_time(time: ASN1Time) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(time.timestamp()).unwrap_or(0)))
}

/// What a certificate is for, on one side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usage {
    Server,
    Client,
}

/// Whether a certificate may be used so. One without the extension may be used for everything.
pub(crate) fn may_be_used(certificate: &X509Certificate<'_>, usage: Usage) -> bool {
    let signs = match certificate.key_usage() {
        Ok(Some(usage)) => usage.value.digital_signature(),
        _ => true,
    };
    let extended = match certificate.extended_key_usage() {
        Ok(Some(extension)) => match usage {
            Usage::Server => extension.value.server_auth || extension.value.any,
            Usage::Client => extension.value.client_auth || extension.value.any,
        },
        _ => true,
    };
    signs && extended
}

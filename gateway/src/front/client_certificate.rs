//! Who the client is by the certificate that it has shown to the listener, told to the method that it calls.

use callgate_protocol::{MetadataBuf, MetadataName};
use callgate_tls::Identity;

/// What goes along: its subject, its DNS names and URIs, and its SHA-256. No client may say these itself.
const NAMES: [MetadataName; 3] = [
    MetadataName::new("client-subject"),
    MetadataName::new("client-names"),
    MetadataName::new("client-sha256"),
];

/// Names that are longer together are left out: then the method sees none, and believes nobody for them.
const MAX_NAMES: usize = 4096;

/// What a client's certificate says of it, as text: made once for its connection.
pub(super) struct ShownCertificate {
    /// All of it.
    pub(super) identity: Identity,
    subject: Box<str>,
    names: Option<Box<str>>,
    sha256: Box<str>,
}

impl ShownCertificate {
    /// What that one says.
    pub(super) fn of(identity: &Identity) -> ShownCertificate {
        let names: Vec<&str> =
            identity.dns_names().iter().chain(identity.uris()).map(String::as_str).collect();
        let names = Some(names.join(", ")).filter(|names| !names.is_empty() && names.len() <= MAX_NAMES);
        ShownCertificate {
            identity: identity.clone(),
            subject: identity.subject().into(),
            names: names.map(String::into_boxed_str),
            sha256: identity.fingerprint().to_string().into_boxed_str(),
        }
    }

    /// Adds that to what goes along with a call.
    pub(super) fn tell(&self, metadata: &mut MetadataBuf) {
        let [subject, names, sha256] = NAMES;
        let _ = metadata.push_known(subject, self.subject.as_bytes());
        if let Some(all) = &self.names {
            let _ = metadata.push_known(names, all.as_bytes());
        }
        let _ = metadata.push_known(sha256, self.sha256.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, Tables};
    use callgate_tls::rustls::pki_types::CertificateDer;
    use rcgen::{CertificateParams, KeyPair, SanType};

    #[test]
    fn a_method_hears_who_the_client_is_by_its_certificate() {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(["a.example".to_owned()]).expect("a name");
        params.subject_alt_names.push(SanType::URI("spiffe://x/y".try_into().expect("a URI")));
        let certificate = CertificateDer::from(params.self_signed(&key).expect("a certificate"));
        let identity = Identity::of(&certificate).expect("it can be read");
        let mut metadata = MetadataBuf::default();
        ShownCertificate::of(&identity).tell(&mut metadata);
        let told = metadata.as_metadata();
        let text = |name: &str| told.get(name).map(|value| String::from_utf8_lossy(value).into_owned());
        assert_eq!(text("client-subject").as_deref(), Some(identity.subject()));
        assert_eq!(text("client-names").as_deref(), Some("a.example, spiffe://x/y"));
        assert_eq!(text("client-sha256"), Some(identity.fingerprint().to_string()));
    }

    #[test]
    fn no_table_lets_a_client_say_that_itself() {
        for name in NAMES.map(MetadataName::as_str) {
            let text = format!("metadata = [\"{name}\"]\n[backends.a]\nendpoints = [\"x:1\"]\n");
            let refused =
                Tables::parse(vec![Source::new("t.toml", text)]).map(drop).map_err(|why| why.to_string());
            assert!(refused.is_err_and(|why| why.contains("cannot be listed")), "{name}");
        }
    }
}

//! The algorithms by which tokens are signed (RFC 7518, 3.1; RFC 8037; RFC 9864): a closed list, without `none`.

use std::fmt;

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// EdDSA with Ed25519. It has two names: `EdDSA`, and since RFC 9864 `Ed25519`.
    EdDsa,
}

use Algorithm::*;

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 12] =
        [Hs256, Hs384, Hs512, Rs256, Rs384, Rs512, Ps256, Ps384, Ps512, Es256, Es384, EdDsa];

    /// The one of that name, to the letter.
    pub fn parse(name: &str) -> Option<Algorithm> {
        match name {
            "Ed25519" => Some(EdDsa),
            _ => Algorithm::ALL.into_iter().find(|one| one.name() == name),
        }
    }

    /// Its name in headers of tokens and in keys.
    pub const fn name(self) -> &'static str {
        match self {
            Hs256 => "HS256",
            Hs384 => "HS384",
            Hs512 => "HS512",
            Rs256 => "RS256",
            Rs384 => "RS384",
            Rs512 => "RS512",
            Ps256 => "PS256",
            Ps384 => "PS384",
            Ps512 => "PS512",
            Es256 => "ES256",
            Es384 => "ES384",
            EdDsa => "EdDSA",
        }
    }

    /// Whether the key is a secret that both sides have.
    pub fn is_symmetric(self) -> bool {
        matches!(self, Hs256 | Hs384 | Hs512)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_to_the_letter() {
        for one in Algorithm::ALL {
            assert_eq!(Algorithm::parse(one.name()), Some(one));
        }
        assert_eq!(Algorithm::parse("Ed25519"), Some(EdDsa));
        for wrong in ["", "none", "None", "rs256", "RS256 ", "HS", "ES512", "ES256K", "Ed448", "RS1", "dir"] {
            assert_eq!(Algorithm::parse(wrong), None, "{wrong}");
        }
    }
}

//! Whose certificates are trusted. A company that opens TLS signs with a root of its own, which `AWS_CA_BUNDLE` or the
//! profile's `ca_bundle` names. It is trusted beside the machine's own roots.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::profile::Profiles;
use crate::error::{Class, Fault, Result};

const VARIABLE: &str = "AWS_CA_BUNDLE";

/// The certificates that connections are checked against.
///
/// # Errors
/// Where the bundle that is named cannot be read or holds no certificate.
pub(super) fn context(profiles: &Profiles) -> Result<TlsContext> {
    let store = bundles(profiles).iter().try_fold(TrustStore::default(), |store, (by, path)| with(store, by, path))?;
    TlsContext::builder().with_trust_store(store).build().map_err(|error| refused(error.to_string()))
}

/// Who names a bundle, and its path.
fn bundles(profiles: &Profiles) -> Vec<(String, String)> {
    let variable = std::env::var(VARIABLE).ok().filter(|path| !path.is_empty());
    let of_profile = profiles.get("ca_bundle").map(str::to_owned);
    let named = [(VARIABLE.to_owned(), variable), (format!("ca_bundle of the {}", profiles.selected()), of_profile)];
    named.into_iter().filter_map(|(by, path)| Some((by, path?))).collect()
}

fn with(store: TrustStore, by: &str, path: &str) -> Result<TrustStore> {
    let text =
        std::fs::read(path).map_err(|error| refused(format!("{by} is {path:?}, which cannot be read: {error}")))?;
    let certificates = certificates(&text);
    if certificates.is_empty() {
        return Err(refused(format!("{by} is {path:?}, which holds no certificate; allowed: a file in PEM")));
    }
    Ok(certificates.iter().fold(store, |store, certificate| store.with_pem_certificate(pem(certificate))))
}

/// Those that can be trusted. A bundle may hold others, and one of them must not spoil the rest: the connector panics at it.
fn certificates(text: &[u8]) -> Vec<CertificateDer<'static>> {
    let all = CertificateDer::pem_slice_iter(text).filter_map(std::result::Result::ok);
    all.filter(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok()).collect()
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(certificate))
}

fn refused(text: String) -> Fault {
    Fault::new(Class::Invalid, "InvalidCaBundle", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_left_out_of_a_bundle() {
        let root = rcgen::generate_simple_self_signed(["example.edu".to_owned()]).unwrap().cert.pem();
        let bundle =
            format!("# a comment\n{root}\n-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n{root}");
        let found = certificates(bundle.as_bytes());
        assert_eq!(found.len(), 2);
        assert_eq!(certificates(pem(&found[0]).as_bytes()), [found[0].clone()]);
        assert_eq!(certificates(b"no PEM at all"), []);
    }

    #[test]
    fn a_bundle_that_cannot_be_used_is_named() {
        let missing = with(TrustStore::empty(), "AWS_CA_BUNDLE", "/no/such/file").unwrap_err().message;
        assert_eq!(
            missing,
            "AWS_CA_BUNDLE is \"/no/such/file\", which cannot be read: No such file or directory (os error 2)"
        );
        let empty = with(TrustStore::empty(), "ca_bundle of the profile campus", "/dev/null").unwrap_err().message;
        assert!(empty.ends_with("is \"/dev/null\", which holds no certificate; allowed: a file in PEM"), "{empty}");
    }
}

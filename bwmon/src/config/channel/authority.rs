//! Certificates of authorities that only a channel trusts.

use std::sync::Arc;

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

/// Certificates of authorities, which vouch for receivers that the machine's own do not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities(Arc<[CertificateDer<'static>]>);

impl Authorities {
    /// Takes the certificates out of PEM; `None` where it holds none or one that is broken.
    pub fn from_pem(pem: &[u8]) -> Option<Self> {
        let certificates = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .ok()?;
        let mut store = RootCertStore::empty();
        for certificate in &certificates {
            store.add(certificate.clone()).ok()?;
        }
        (!certificates.is_empty()).then(|| Self(certificates.into()))
    }

    /// In DER.
    pub fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.0
    }
}

//! Who the server must be: the name in its certificate, and who has signed it.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The settings give no way to know the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsRefused {
    /// No certificate can contain this name.
    #[error("mailbox.host: is no name or address that a certificate can have")]
    Host,
    /// The file has no certificates.
    #[error("mailbox.ca_file: holds no certificate in PEM form")]
    Authority,
    /// This machine trusts nobody.
    #[error("mailbox.ca_file: is not set, and this machine has no certificate authorities of its own")]
    Nobody,
}

/// Makes connections secure.
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    pub(super) fn new(host: &str, ca_file: Option<&Path>) -> Result<Self, TlsRefused> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsRefused::Host)?;
        let roots = match ca_file {
            Some(file) => authorities(file)?,
            None => of_this_machine()?,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has the default versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    pub(super) async fn secure(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

fn authorities(file: &Path) -> Result<RootCertStore, TlsRefused> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|_| TlsRefused::Authority)? {
        let certificate = certificate.map_err(|_| TlsRefused::Authority)?;
        roots.add(certificate).map_err(|_| TlsRefused::Authority)?;
    }
    if roots.is_empty() { Err(TlsRefused::Authority) } else { Ok(roots) }
}

/// Some of a machine's certificates may be of no use; the rest will do.
fn of_this_machine() -> Result<RootCertStore, TlsRefused> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TlsRefused::Nobody) } else { Ok(roots) }
}

//! TLS to a server: whom we believe to be it, and as whom we come.
//!
//! One home for all adapters, so that a certificate is judged alike everywhere and a refusal says in the same
//! words what to do. The name in the server's certificate and its signature are always checked: there is no switch
//! for that. Files are read once, when the program starts. Deliberately absent: revocation lists, and any word that
//! a peer sent.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, Error, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
pub use tokio_rustls::client::TlsStream;

/// Whether a reason is one that [`Tls::advice`] gave.
pub fn is_advice(why: &str) -> bool {
    why.contains("TLS: ")
}

/// The files of a connection's TLS, all of them PEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Who may have signed the server's certificate; `None`: whom this machine trusts.
    pub ca_file: Option<PathBuf>,
    /// As whom we come, to a server that asks.
    pub identity: Option<Identity>,
}

/// A certificate of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, and those between it and its authority.
    pub cert_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
}

/// Who asks, so that words name the settings to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The section of the files.
    pub section: &'static str,
    /// The setting that names the server.
    pub host: &'static str,
}

/// The settings give no way to talk to the server. Never holds a part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlsRefused {
    /// No certificate can contain this name.
    #[error("{0}: names no host that a certificate can have")]
    Host(&'static str),
    /// The file has no certificates.
    #[error("{0}.ca_file: holds no certificate in PEM form")]
    Authority(&'static str),
    /// This machine trusts nobody.
    #[error("{0}.ca_file: is not set, and this machine has no certificate authorities of its own")]
    Nobody(&'static str),
    /// The file has no certificates.
    #[error("{0}.cert_file: holds no certificate in PEM form")]
    Certificate(&'static str),
    /// The file has no key.
    #[error("{0}.key_file: holds no private key in PEM form that is not encrypted")]
    Key(&'static str),
    /// The key is another certificate's.
    #[error("{0}.key_file: is not the private key of the certificate in {0}.cert_file")]
    Pair(&'static str),
}

/// TLS to one server.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    server: ServerName<'static>,
    named: Named,
    /// Whether the authority is ours to choose, and whether we have a certificate: what to do depends on it.
    own_authority: bool,
    has_identity: bool,
}

impl Tls {
    /// Reads the files. Connects to nothing.
    pub fn new(named: Named, host: &str, files: &TlsFiles) -> Result<Self, TlsRefused> {
        let server = ServerName::try_from(host.to_owned()).map_err(|_| TlsRefused::Host(named.host))?;
        let roots = match &files.ca_file {
            Some(file) => authorities(file).ok_or(TlsRefused::Authority(named.section))?,
            None => of_this_machine().ok_or(TlsRefused::Nobody(named.section))?,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has the default versions")
            .with_root_certificates(roots);
        let config = match &files.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain =
                    certificates(&identity.cert_file).ok_or(TlsRefused::Certificate(named.section))?;
                let key = PrivateKeyDer::from_pem_file(&identity.key_file)
                    .map_err(|_| TlsRefused::Key(named.section))?;
                builder.with_client_auth_cert(chain, key).map_err(|_| TlsRefused::Pair(named.section))?
            }
        };
        Ok(Self {
            config: Arc::new(config),
            server,
            named,
            own_authority: files.ca_file.is_some(),
            has_identity: files.identity.is_some(),
        })
    }

    /// The same to another server.
    pub fn at(&self, host: &str) -> Result<Self, TlsRefused> {
        let server = ServerName::try_from(host.to_owned()).map_err(|_| TlsRefused::Host(self.named.host))?;
        Ok(Self { server, ..self.clone() })
    }

    /// What a vendor's own TLS needs.
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// Protects a connection, once the server has shown who it is.
    pub async fn secure(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        TlsConnector::from(self.config()).connect(self.server.clone(), stream).await
    }

    /// What is wrong and what to do, if it was TLS that failed.
    pub fn advice(&self, error: &(dyn StdError + 'static)) -> Option<String> {
        found(error).map(|error| self.words(error))
    }

    fn words(&self, error: &Error) -> String {
        let Named { section, host } = self.named;
        match error {
            Error::InvalidCertificate(problem) => self.certificate_words(problem),
            Error::AlertReceived(alert) if concerns_us(*alert) => {
                if self.has_identity {
                    format!(
                        "TLS: the server refuses our certificate ({alert:?}): {section}.cert_file must be in date \
                         and signed by an authority that the server trusts"
                    )
                } else {
                    format!(
                        "TLS: the server asks for a certificate of ours ({alert:?}): set {section}.cert_file and \
                         {section}.key_file"
                    )
                }
            }
            // No better word has TLS 1.2 for a certificate that is missing.
            Error::AlertReceived(AlertDescription::HandshakeFailure) => format!(
                "TLS: the server ends the handshake: it asks for a certificate of ours ({section}.cert_file, \
                 {section}.key_file), or for a cipher that is not safe"
            ),
            Error::AlertReceived(AlertDescription::ProtocolVersion) | Error::PeerIncompatible(_) => {
                "TLS: the server has neither TLS 1.2 nor 1.3 with a cipher that is safe; renew the server"
                    .into()
            }
            Error::InvalidMessage(_) => {
                format!("TLS: the server does not speak TLS at this port; look at the port of {host}")
            }
            other => format!("TLS: {other}"),
        }
    }

    fn certificate_words(&self, problem: &CertificateError) -> String {
        let Named { section, host } = self.named;
        match problem {
            CertificateError::UnknownIssuer | CertificateError::BadSignature if self.own_authority => {
                format!(
                    "TLS: no authority in {section}.ca_file has signed the server's certificate: it is another server, \
                 or another authority's certificate belongs into that file"
                )
            }
            CertificateError::UnknownIssuer => format!(
                "TLS: nobody whom this machine trusts has signed the server's certificate: set {section}.ca_file to \
                 the certificate of its authority, if it has one of its own"
            ),
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "TLS: the server's certificate has expired: renew it, or look at this machine's clock".into()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "TLS: the server's certificate is not valid yet: look at the clocks of both machines".into()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!(
                "TLS: the server's certificate is for another name: {host} must name the server as its certificate \
                 does"
            ),
            CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
                "TLS: the server shows an authority's own certificate: sign one for the server with it, and let it \
                 show that"
                    .into()
            }
            other => format!("TLS: the server's certificate is not accepted: {other}"),
        }
    }
}

/// Alerts by which a server says that it does not like our certificate, or that there is none.
fn concerns_us(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

/// The error of TLS within the errors around it.
fn found<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e Error> {
    if let Some(tls) = error.downcast_ref() {
        return Some(tls);
    }
    // The source of an I/O error, or of a shared one, is its inner error's source, which leaves the inner one out.
    if let Some(io) = error.downcast_ref::<std::io::Error>() {
        return io.get_ref().and_then(|inner| found(inner));
    }
    if let Some(shared) = error.downcast_ref::<Arc<dyn StdError + Send + Sync>>() {
        return found(&**shared);
    }
    error.source().and_then(found)
}

fn certificates(file: &Path) -> Option<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).ok()?.collect();
    read.ok().filter(|certificates| !certificates.is_empty())
}

fn authorities(file: &Path) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).ok()?;
    }
    Some(roots)
}

/// Some of a machine's certificates may be of no use; the rest will do.
fn of_this_machine() -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    (!roots.is_empty()).then_some(roots)
}

#[cfg(test)]
mod tests;

//! What is said of a refusal, and which settings give no way to begin.

use std::io::{Error as IoError, ErrorKind};

use rustls::InvalidMessage;
use tempfile::TempDir;

use super::*;

/// An authority that has signed nothing and ends in a hundred years; its key is gone.
const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----
MIIBgzCCASqgAwIBAgIUbSg7EZvzii+oUy1uZUFDEiyippQwCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFdGVzdHMwIBcNMjYxMTIzMDMwMTU0WhgPMjEyNjEwMzAwMzAx
NTRaMBAxDjAMBgNVBAMMBXRlc3RzMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
sfzs8Yy10hhKIi7QvpVtURFmpOIive0Da1k8ULzQO9L5B9OilJPW2FELpE1KWYiF
TDRKFXpnWHwBRMWQZWIprqNgMF4wHQYDVR0OBBYEFDuFJ2RWupLU+vN3dZKsLt8T
408UMB8GA1UdIwQYMBaAFDuFJ2RWupLU+vN3dZKsLt8T408UMA8GA1UdEwEB/wQF
MAMBAf8wCwYDVR0PBAQDAgIEMAoGCCqGSM49BAMCA0cAMEQCIDUNMXpCreRXYThc
SiIkxkXwjqGWIBLocAoL9PIv059jAiAOfDAz4nBCIFvf9PdgQg85BFAvVWzdSxoH
kaHIdm0OtA==
-----END CERTIFICATE-----
";

const NAMED: Named = Named { section: "amqp", host: "amqp.url" };

/// With these texts as authority, certificate and key.
fn tls(host: &str, authority: &str, pair: Option<(&str, &str)>) -> Result<Tls, TlsRefused> {
    let directory = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let identity = pair.map(|(certificate, key)| Identity {
        cert_file: write("cert.pem", certificate),
        key_file: write("key.pem", key),
    });
    Tls::new(NAMED, host, &TlsFiles { ca_file: Some(write("ca.pem", authority)), identity })
}

#[test]
fn files_without_what_they_are_for_are_refused_by_the_name_of_their_setting() {
    for (host, authority, pair, refused) in [
        ("a host", AUTHORITY, None, "amqp.url: names no host"),
        ("mq", "hunter2", None, "amqp.ca_file: holds no certificate"),
        ("mq", AUTHORITY, Some(("hunter2", "")), "amqp.cert_file: holds no certificate"),
        ("mq", AUTHORITY, Some((AUTHORITY, "hunter2")), "amqp.key_file: holds no private key"),
    ] {
        let words = tls(host, authority, pair).err().unwrap().to_string();
        assert!(words.starts_with(refused) && !words.contains("hunter2"), "{words}");
    }
    for host in ["mq.example.kz", "127.0.0.1", "::1"] {
        assert!(tls(host, AUTHORITY, None).is_ok(), "{host}");
    }
}

#[test]
fn a_refusal_says_what_to_do() {
    let tls = tls("mq", AUTHORITY, None).unwrap();
    let certificate = |problem| Error::InvalidCertificate(problem);
    for (error, words) in [
        (certificate(CertificateError::UnknownIssuer), "no authority in amqp.ca_file has signed"),
        (certificate(CertificateError::Expired), "has expired: renew it"),
        (certificate(CertificateError::NotValidYet), "look at the clocks"),
        (certificate(CertificateError::NotValidForName), "amqp.url must name the server"),
        (certificate(CertificateError::Revoked), "is not accepted"),
        (Error::AlertReceived(AlertDescription::CertificateRequired), "set amqp.cert_file and"),
        (Error::AlertReceived(AlertDescription::HandshakeFailure), "ends the handshake"),
        (Error::AlertReceived(AlertDescription::ProtocolVersion), "neither TLS 1.2 nor 1.3"),
        (Error::InvalidMessage(InvalidMessage::InvalidContentType), "look at the port of amqp.url"),
    ] {
        let told = tls.words(&error);
        assert!(told.starts_with("TLS: ") && told.contains(words), "{told}");
        let inside = IoError::new(ErrorKind::InvalidData, error);
        assert_eq!(tls.advice(&inside), Some(told.clone()), "within an I/O error");
        let shared: Arc<dyn StdError + Send + Sync> = Arc::new(inside);
        assert_eq!(tls.advice(&shared), Some(told), "within a shared one");
    }
}

#[test]
fn an_error_that_is_not_of_tls_is_left_to_others() {
    let tls = tls("mq", AUTHORITY, None).unwrap();
    assert_eq!(tls.advice(&IoError::from(ErrorKind::ConnectionRefused)), None);
    assert_eq!(tls.advice(&IoError::other("words")), None);
}

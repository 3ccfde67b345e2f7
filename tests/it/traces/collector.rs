//! A collector of the tests' own: as much OTLP over HTTP as it takes to keep what it is sent.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::certificates::{certificate, key};
use crate::support::{SOON, eventually};

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manners {
    /// As it should.
    Takes,
    /// Nobody listens at its port.
    Down,
    /// It takes connections and never says a word.
    Silent,
    /// As it should, over TLS, with the certificate of that name.
    Secured(&'static str),
}

/// A collector. Its threads end with the test's process.
pub(super) struct Collector {
    port: u16,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Collector {
    pub(super) fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let kept = requests.clone();
        if manners != Manners::Down {
            std::thread::spawn(move || {
                let mut silent = Vec::new();
                for stream in listener.incoming().map_while(Result::ok) {
                    let request = match manners {
                        Manners::Takes => take(stream),
                        Manners::Secured(shown) => take(secure(stream, shown)),
                        Manners::Down | Manners::Silent => {
                            silent.push(stream);
                            continue;
                        }
                    };
                    // A handshake that fails brings none.
                    kept.lock().unwrap().extend(request.ok());
                }
            });
        }
        Self { port, requests }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Everything that it was sent.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.requests.lock().unwrap().concat()
    }

    /// The spans that it has once they are enough.
    pub(super) async fn spans_once(&self, enough: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        eventually("the collector has the spans", SOON, async || {
            let spans = self.spans();
            enough(&spans).then_some(spans)
        })
        .await
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().unwrap();
        let requests = requests.iter().map(|body| ExportTraceServiceRequest::decode(&body[..]).unwrap());
        let resources = requests.flat_map(|request| request.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }
}

/// TLS, in which this certificate is shown.
fn secure(stream: TcpStream, shown: &str) -> StreamOwned<ServerConnection, TcpStream> {
    let chain = CertificateDer::pem_file_iter(certificate(shown)).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(key(shown)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
    StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream)
}

/// One request; its body.
fn take(stream: impl Read + Write) -> std::io::Result<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line)?;
    assert_eq!(line.trim_end(), "POST /v1/traces HTTP/1.1");
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "content-type" => assert_eq!(value, "application/x-protobuf"),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    reader
        .get_mut()
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n")?;
    reader.get_mut().flush()?;
    Ok(body)
}

/// An id as people write it.
pub(super) fn hex(id: &[u8]) -> String {
    id.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes text");
        text
    })
}

/// What is noted of a span, as text.
pub(super) fn notes(span: &Span) -> BTreeMap<&str, String> {
    let attributes = span.attributes.iter();
    attributes.filter_map(|pair| Some((&*pair.key, text(pair.value.as_ref()?.value.as_ref()?)))).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::BoolValue(flag) => flag.to_string(),
        Value::ArrayValue(array) => {
            let texts = array.values.iter().filter_map(|value| value.value.as_ref());
            texts.map(text).collect::<Vec<_>>().join(",")
        }
        other => panic!("nothing else is noted: {other:?}"),
    }
}

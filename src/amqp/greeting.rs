//! Which RabbitMQ it is: what a broker says of itself before anybody logs in, which lapin keeps to itself.
//!
//! Only over a connection without TLS, and only what a version is made of is believed: whoever answers there may be
//! anybody. The connection is given up after the greeting.

use std::time::Duration;

use lapin::uri::AMQPScheme;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::endpoint::Endpoint;

/// What a client of AMQP 0-9-1 begins with.
const PROTOCOL_HEADER: &[u8] = b"AMQP\0\0\x09\x01";

/// Type, channel and length of a frame.
const FRAME_HEADER_BYTES: usize = 7;

/// A greeting has a few hundred.
const GREETING_BYTES_MAX: usize = 4096;

const GREETING_TIMEOUT: Duration = Duration::from_secs(5);

/// Of `3.10.8` and the like.
const VERSION_BYTES_MAX: usize = 32;

/// The broker's version; `None`: it is not told.
pub async fn greeting(endpoint: &Endpoint) -> Option<String> {
    if endpoint.uri().scheme != AMQPScheme::AMQP {
        return None;
    }
    timeout(GREETING_TIMEOUT, first_frame(endpoint)).await.ok()?.ok().and_then(|frame| version(&frame))
}

async fn first_frame(endpoint: &Endpoint) -> std::io::Result<Vec<u8>> {
    let authority = &endpoint.uri().authority;
    let mut stream = TcpStream::connect((authority.host.as_str(), authority.port)).await?;
    stream.write_all(PROTOCOL_HEADER).await?;
    let mut header = [0; FRAME_HEADER_BYTES];
    stream.read_exact(&mut header).await?;
    let [_, _, _, length @ ..] = header;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    let mut frame = vec![0; length.min(GREETING_BYTES_MAX)];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}

/// The text of the property `version`: its name's length, its name, `S`, the text's length, the text.
fn version(frame: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"\x07versionS";
    let at = frame.windows(NAME.len()).position(|window| window == NAME)?;
    let (length, rest) = frame[at + NAME.len()..].split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let text = rest.get(..length.min(VERSION_BYTES_MAX))?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-+~".contains(byte);
    (text.first()?.is_ascii_digit() && text.iter().all(plain))
        .then(|| String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(version: &[u8]) -> Vec<u8> {
        let length = u32::try_from(version.len()).unwrap().to_be_bytes();
        [b"\0\x0a\0\x0a\0\x09\x07productS\0\0\0\x08RabbitMQ\x07versionS", &length[..], version, b"more"]
            .concat()
    }

    #[test]
    fn the_version_is_read_out_of_a_greeting() {
        assert_eq!(version(&frame(b"3.10.8")).as_deref(), Some("3.10.8"));
        assert_eq!(version(&frame(b"4.0.5-rc.1+x")).as_deref(), Some("4.0.5-rc.1+x"));
    }

    #[test]
    fn what_is_no_version_is_not_repeated() {
        for text in [&b"\x1b[2J"[..], b"", b"hunter2", b"3.1\n"] {
            assert_eq!(version(&frame(text)), None);
        }
        let whole = frame(b"3.10.8");
        for cut in 0..whole.len() - 10 {
            assert_eq!(version(&whole[..cut]), None, "{cut}");
        }
    }
}

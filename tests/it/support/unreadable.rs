//! A message that no ordinary client can read.

use std::io::{Read, Write};
use std::net::TcpStream;

/// Publishes a message whose `message_id` is not UTF-8, as a client in an old code page does. By hand: lapin
/// cannot be made to send it.
pub(crate) fn publish_unreadable(url: &str, exchange: &str) {
    let place = url.strip_prefix("amqp://").expect("a URL without TLS");
    let (login, place) = place.split_once('@').unwrap_or(("guest:guest", place));
    let (address, vhost) = place.split_once('/').unwrap_or((place, "/"));
    let mut socket = TcpStream::connect(address).expect("RabbitMQ listens");
    socket.write_all(b"AMQP\x00\x00\x09\x01").expect("RabbitMQ listens");
    let login = format!("\0{}", login.replace(':', "\0"));
    let start_ok = [
        b"\x00\x0a\x00\x0b\x00\x00\x00\x00\x05PLAIN".as_slice(),
        &[0, 0, 0, u8::try_from(login.len()).expect("it is short")],
        login.as_bytes(),
        b"\x05en_US",
    ]
    .concat();
    let vhost_bytes = u8::try_from(vhost.len()).expect("it is short");
    let open = [b"\x00\x0a\x00\x28".as_slice(), &[vhost_bytes], vhost.as_bytes(), b"\x00\x00"].concat();
    let name = u8::try_from(exchange.len()).expect("it is short");
    let publish =
        [b"\x00\x3c\x00\x28\x00\x00".as_slice(), &[name], exchange.as_bytes(), b"\x01k\x00"].concat();
    let header = b"\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x80\x03\xcf\xf0\xe8";
    let frames: [(u8, u16, &[u8]); 8] = [
        (1, 0, &start_ok),
        (1, 0, b"\x00\x0a\x00\x1f\x07\xff\x00\x02\x00\x00\x00\x00"),
        (1, 0, &open),
        (1, 1, b"\x00\x14\x00\x0a\x00"),
        (1, 1, &publish),
        (2, 1, header),
        (3, 1, b"{}"),
        (1, 1, b"\x00\x14\x00\x28\x00\xc8\x00\x00\x00\x00\x00"),
    ];
    for (kind, channel, payload) in frames {
        let mut frame = vec![kind];
        frame.extend(channel.to_be_bytes());
        frame.extend(u32::try_from(payload.len()).expect("it is short").to_be_bytes());
        frame.extend(payload);
        frame.push(0xce);
        socket.write_all(&frame).expect("RabbitMQ listens");
    }
    // `channel.close-ok` follows everything before it: only then is the message in.
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while !seen.windows(4).any(|window| window == b"\x00\x14\x00\x29") {
        let read = socket.read(&mut buffer).expect("RabbitMQ listens");
        assert!(read > 0, "RabbitMQ ended the conversation");
        seen.extend_from_slice(&buffer[..read]);
    }
}

//! As much HTTP as is needed here, and the product's own admin server to ask.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use suppressd::admin;
use suppressd::service::status::Board;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::scenes::Scene;

const PATIENCE: Duration = Duration::from_mins(1);

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The value of a header, if it is there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.head.lines().filter_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then_some(value.trim())
        });
        values.next().filter(|_| values.next().is_none())
    }
}

/// One request. `headers` end with a line break each.
pub(crate) fn ask(to: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(to).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("the patience is not zero");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("the request is taken");
    read(&mut stream)
}

/// By its length, for a server that does not hang up.
fn read(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
            let answer = Answer { status, head: head.to_owned(), body: body.to_owned() };
            let length = answer.header("content-length").and_then(|length| length.parse::<usize>().ok());
            if length.is_some_and(|length| answer.body.len() >= length) {
                return answer;
            }
        }
        let read = stream.read(&mut buffer).expect("the answer comes in time");
        assert_ne!(read, 0, "the answer is cut off");
        bytes.extend_from_slice(&buffer[..read]);
    }
}

/// An admin server that shows a scene. It ends with its value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// What it shows.
    pub(crate) board: Board,
    stop: CancellationToken,
    _runtime: Runtime,
}

impl Server {
    pub(crate) fn of(scene: Scene) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let board = scene.board();
        let served = admin::serve(listener, board.clone(), stop.clone());
        drop(runtime.spawn(served));
        Self { address, board, stop, _runtime: runtime }
    }

    /// The page, in the language that is wanted.
    pub(crate) fn page(&self, wish: &str) -> Answer {
        self.get(&format!("Accept-Language: {wish}\r\n"))
    }

    pub(crate) fn get(&self, headers: &str) -> Answer {
        ask(self.address, "GET", "/", headers, "")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

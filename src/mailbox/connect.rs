//! From an address to a session: TCP, TLS, greeting, login.
//!
//! With STARTTLS nothing that came before TLS is believed: the vendor's buffer is thrown away with it, and a
//! greeting that claims to be logged in already is refused.

use std::fmt::Debug;
use std::time::Duration;

use async_imap::error::Error;
use async_imap::imap_proto::{Response, Status};
use async_imap::{Authenticator, Client, Session};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::fault::{gone, in_time, of_io, of_login, of_vendor, refused};
use super::metered::{Allowance, Metered};
use super::{ImapSettings, Protection};
use crate::service::ports::{MailFault, MailFaultKind};
use crate::tls::Tls;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Servers let a refused login wait.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection, protected or not.
pub(super) trait Link: AsyncRead + AsyncWrite + Unpin + Send + Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Debug> Link for T {}

/// What the vendor speaks over.
type Line = Metered<Box<dyn Link>>;

/// A session, and how much may come over it.
pub(super) struct Logged {
    pub(super) session: Session<Line>,
    pub(super) allowance: Allowance,
}

/// Connects and logs in.
pub(super) async fn connect(settings: &ImapSettings, tls: &Tls) -> Result<Logged, MailFault> {
    let link = in_time("connect", CONNECT_TIMEOUT, link(settings, tls)).await?;
    log_in(settings, link).await
}

/// Logs in over a link. With STARTTLS the server has greeted already.
pub(super) async fn log_in(settings: &ImapSettings, link: Box<dyn Link>) -> Result<Logged, MailFault> {
    let allowance = Allowance::new();
    let mut client = Client::new(Metered::new(link, allowance.clone()));
    let work = async {
        if settings.protection != Protection::Starttls {
            greeting(&mut client).await?;
        }
        login(settings, client).await
    };
    let session = in_time("login", LOGIN_TIMEOUT, work).await?;
    Ok(Logged { session, allowance })
}

async fn link(settings: &ImapSettings, tls: &Tls) -> Result<Box<dyn Link>, MailFault> {
    let io = |error: std::io::Error| of_io("connect", &error);
    let insecure = |error: std::io::Error| match tls.advice(&error) {
        Some(why) => MailFault::new(MailFaultKind::Tls, format!("connect: {why}")),
        None => io(error),
    };
    let tcp = TcpStream::connect((settings.host.as_str(), settings.port)).await.map_err(io)?;
    tcp.set_nodelay(true).map_err(io)?;
    Ok(match settings.protection {
        Protection::Nothing => Box::new(tcp),
        Protection::Implicit => Box::new(tls.secure(tcp).await.map_err(insecure)?),
        Protection::Starttls => {
            let mut plain = Client::new(Metered::new(tcp, Allowance::new()));
            greeting(&mut plain).await?;
            plain.run_command_and_check_ok("STARTTLS", None).await.map_err(|error| match error {
                Error::No(_) | Error::Bad(_) => {
                    refused(MailFaultKind::Tls, "STARTTLS: the mail server does not offer it")
                }
                other => of_vendor("STARTTLS", &other),
            })?;
            Box::new(tls.secure(plain.into_inner().into_link()).await.map_err(insecure)?)
        }
    })
}

/// The server speaks first.
async fn greeting<T: AsyncRead + AsyncWrite + Unpin + Debug + Send>(
    client: &mut Client<T>,
) -> Result<(), MailFault> {
    let said = client.read_response().await.map_err(|error| of_io("greeting", &error))?;
    match said.ok_or_else(|| gone("greeting"))?.parsed() {
        Response::Data { status: Status::Ok, .. } => Ok(()),
        Response::Data { status: Status::Bye, .. } => {
            Err(refused(MailFaultKind::Refused, "greeting: the mail server takes no connections at present"))
        }
        _ => Err(refused(MailFaultKind::Protocol, "greeting: this is no IMAP server that asks for a login")),
    }
}

async fn login(settings: &ImapSettings, client: Client<Line>) -> Result<Session<Line>, MailFault> {
    let (user, password) = (&settings.user, settings.password.as_str());
    // LOGIN takes ASCII alone.
    let session = if user.is_ascii() && password.is_ascii() {
        client.login(user, password).await
    } else {
        client.authenticate("PLAIN", Plain(settings)).await
    };
    session.map_err(|(error, _)| of_login(&error))
}

/// SASL PLAIN.
struct Plain<'a>(&'a ImapSettings);

impl Authenticator for Plain<'_> {
    type Response = String;

    fn process(&mut self, _: &[u8]) -> String {
        format!("\0{}\0{}", self.0.user, self.0.password.as_str())
    }
}

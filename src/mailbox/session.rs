//! One command at a time, each answer looked at: what belongs to it, what is news, and how it ended.

use std::time::Duration;

use async_imap::Session;
use async_imap::imap_proto::{MailboxDatum, Response, ResponseCode, Status};
use tokio::time::{Instant, timeout_at};

use super::connect::{Link, Logged};
use super::fault::{gone, in_time, of_io, of_vendor};
use super::metered::{ANSWER_BYTES_MAX, Allowance, Metered};
use crate::service::ports::{MailFault, MailFaultKind};

/// A command that is not answered in full by then has failed.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(20);

/// What must be fetched may be large, and the line slow.
const FETCH_TIMEOUT: Duration = Duration::from_mins(2);

/// IDLE is begun anew this often: servers and routers forget the silent.
const IDLE_MAX: Duration = Duration::from_mins(5);

/// Without IDLE, the server is asked this often.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// As it should.
    Ok,
    /// `NO`: it cannot be done.
    No(Why),
    /// `BAD`: the server does not understand.
    Bad,
}

/// Why a server says no, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// There is no room.
    Full,
    /// There is no such folder.
    Missing,
    /// Something else.
    Other,
}

/// A session after the login.
pub(super) struct Talk {
    session: Session<Metered<Box<dyn Link>>>,
    allowance: Allowance,
    /// Whether the server can tell of news.
    pub(super) idles: bool,
    /// Whether it can move mails.
    pub(super) moves: bool,
    /// Whether mail came since the last search began.
    pub(super) news: bool,
}

impl Talk {
    pub(super) async fn new(logged: Logged) -> Result<Self, MailFault> {
        let Logged { mut session, allowance } = logged;
        let capabilities =
            async { session.capabilities().await.map_err(|error| of_vendor("CAPABILITY", &error)) };
        let can = in_time("CAPABILITY", COMMAND_TIMEOUT, capabilities).await?;
        let (idles, moves) = (can.has_str("IDLE"), can.has_str("MOVE"));
        Ok(Self { session, allowance, idles, moves, news: false })
    }

    /// Runs a command; `each` sees every answer before the last.
    pub(super) async fn command(
        &mut self,
        doing: &'static str,
        line: &str,
        each: &mut (dyn FnMut(&Response<'_>) + Send),
    ) -> Result<Done, MailFault> {
        self.allowance.set(ANSWER_BYTES_MAX);
        in_time(doing, COMMAND_TIMEOUT, self.run(doing, line, each)).await
    }

    /// The same for a FETCH of so many bytes.
    pub(super) async fn fetch(
        &mut self,
        line: &str,
        bytes: usize,
        each: &mut (dyn FnMut(&Response<'_>) + Send),
    ) -> Result<Done, MailFault> {
        self.allowance.set(ANSWER_BYTES_MAX + bytes);
        in_time("FETCH", FETCH_TIMEOUT, self.run("FETCH", line, each)).await
    }

    async fn run(
        &mut self,
        doing: &'static str,
        line: &str,
        each: &mut (dyn FnMut(&Response<'_>) + Send),
    ) -> Result<Done, MailFault> {
        let id = self.session.run_command(line).await.map_err(|error| of_vendor(doing, &error))?;
        loop {
            let ended = |said: &Response<'_>| match said {
                Response::Done { tag, status, outcome } if *tag == id => Some(match status {
                    Status::Ok => Done::Ok,
                    Status::No => Done::No(why(outcome.code.as_ref(), outcome.information.as_deref())),
                    _ => Done::Bad,
                }),
                other => {
                    each(other);
                    None
                }
            };
            if let Some(done) = self.answer(doing, ended).await? {
                return Ok(done);
            }
        }
    }

    /// Looks at the next answer; notes the news in it.
    async fn answer<T>(
        &mut self,
        doing: &'static str,
        look: impl FnOnce(&Response<'_>) -> T,
    ) -> Result<T, MailFault> {
        let said = self.session.read_response().await.map_err(|error| of_io(doing, &error))?;
        let said = said.ok_or_else(|| gone(doing))?;
        match said.parsed() {
            Response::MailboxData(MailboxDatum::Exists(_)) => self.news = true,
            Response::Data { status: Status::Bye, .. } => return Err(gone(doing)),
            _ => {}
        }
        Ok(look(said.parsed()))
    }

    /// Waits until mail came since the last search, but not longer than this.
    pub(super) async fn wait(&mut self, patience: Duration) -> Result<(), MailFault> {
        if self.news {
            return Ok(());
        }
        if self.idles {
            return self.idle(patience.min(IDLE_MAX)).await;
        }
        tokio::time::sleep(patience.min(ASK_EVERY)).await;
        self.command("NOOP", "NOOP", &mut |_| ()).await.map(|_| ())
    }

    async fn idle(&mut self, patience: Duration) -> Result<(), MailFault> {
        const DOING: &str = "IDLE";
        self.allowance.set(ANSWER_BYTES_MAX);
        let begin = async {
            let id = self.session.run_command(DOING).await.map_err(|error| of_vendor(DOING, &error))?;
            loop {
                let begun = |said: &Response<'_>| match said {
                    Response::Continue(_) => Some(true),
                    Response::Done { tag, .. } if *tag == id => Some(false),
                    _ => None,
                };
                match self.answer(DOING, begun).await? {
                    Some(true) => return Ok(id),
                    Some(false) => {
                        let what = "IDLE: the mail server refuses it";
                        return Err(MailFault::new(MailFaultKind::Refused, what));
                    }
                    None => {}
                }
            }
        };
        let id = in_time(DOING, COMMAND_TIMEOUT, begin).await?;
        let end = Instant::now() + patience;
        while !self.news {
            match timeout_at(end, self.answer(DOING, |_| ())).await {
                Ok(said) => said?,
                Err(_) => break,
            }
        }
        let finish = async {
            let done = self.session.run_command_untagged("DONE").await;
            done.map_err(|error| of_vendor(DOING, &error))?;
            loop {
                let done = |said: &Response<'_>| matches!(said, Response::Done { tag, .. } if *tag == id);
                if self.answer(DOING, done).await? {
                    return Ok(());
                }
            }
        };
        in_time(DOING, COMMAND_TIMEOUT, finish).await
    }
}

/// The vendor knows few codes; the others begin the text.
fn why(code: Option<&ResponseCode<'_>>, text: Option<&str>) -> Why {
    let says = |code: &str| text.is_some_and(|text| text.to_ascii_uppercase().contains(code));
    if matches!(code, Some(ResponseCode::TryCreate)) || says("[NONEXISTENT]") {
        Why::Missing
    } else if says("OVERQUOTA") || says("QUOTA EXCEEDED") {
        Why::Full
    } else {
        Why::Other
    }
}

//! A stage with a mail server on it.

use std::time::Instant;

use serde_json::{Value, json};

use crate::scene::{Scene, job};
use crate::support::{Client, Dovecot, Inbox, LONG, Message, SOON, Stage, Worker, eventually};

/// What tests need besides an ordinary scene.
pub(super) struct MailScene {
    /// Everything but the mail.
    pub(super) scene: Scene,
    /// The mail server.
    pub(super) dovecot: Dovecot,
    /// A copy of every event that is published.
    pub(super) events: Inbox,
    /// Held, because the inbox ends with it.
    _listener: Client,
}

impl MailScene {
    /// A worker that reads the mailbox.
    pub(super) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// With something done to the mail server before the worker starts.
    pub(super) async fn with(prepare: impl FnOnce(&Dovecot)) -> Self {
        Self::on(|stage| Dovecot::start(stage.directory()), Dovecot::settings, prepare).await
    }

    /// With this server, and these settings for it.
    pub(super) async fn on(
        server: impl FnOnce(&Stage) -> Dovecot,
        settings: impl FnOnce(&Dovecot) -> String,
        prepare: impl FnOnce(&Dovecot),
    ) -> Self {
        let mut stage = Stage::new();
        let dovecot = server(&stage);
        stage.configure(&settings(&dovecot));
        prepare(&dovecot);
        // Bound before the worker finds the first mail.
        stage.init();
        let guest = stage.connect("guest").await;
        let events = guest.inbox("test.events", &[("suppressd.opt-outs", "#")]).await;
        let scene = Scene::on(stage).await;
        Self { scene, dovecot, events, _listener: guest }
    }

    /// Waits until the worker reads the mailbox.
    pub(super) async fn reading(&self) -> &Self {
        reading(&self.scene.worker).await;
        self
    }

    /// The next event that was published from a mail.
    pub(super) async fn event(&mut self) -> Value {
        self.events.next().await.json()
    }

    /// Waits until every mail of a folder is marked as done.
    pub(super) async fn all_done(&self, folder: &str, count: usize) {
        let what = format!("{count} mails in {folder} are marked");
        eventually(&what, LONG, async || (self.done(folder) == count).then_some(())).await;
    }

    /// How many mails of a folder are marked as done.
    pub(super) fn done(&self, folder: &str) -> usize {
        self.dovecot.count(folder, &["KEYWORD", "$SuppressdDone"])
    }

    /// Sends a job to one address; whether it is still in it.
    pub(super) async fn is_sent_to(&mut self, email: &str) -> bool {
        let (kept, _) =
            self.scene.kept_of(&job("one", "email", json!([{"user_id": "U", "email": email}]))).await;
        !kept.is_empty()
    }

    /// Waits until a job does not go to this address.
    pub(super) async fn excluded(&mut self, email: &str) {
        let began = Instant::now();
        while self.is_sent_to(email).await {
            assert!(began.elapsed() < SOON, "who wrote is still in jobs");
        }
    }

    /// What `/ready` says of the mailbox.
    pub(super) fn state(&self) -> Value {
        state(&self.scene.worker)
    }

    /// Waits until the mailbox is not read, and why has this in it.
    pub(super) async fn unread_because(&self, why: &str) {
        let what = format!("the mailbox is not read: {why}");
        let look = async || {
            let state = self.state();
            (state["ready"] == false && state["why"].as_str()?.contains(why)).then_some(())
        };
        eventually(&what, SOON, look).await;
    }

    /// Everything that was published and not taken yet.
    pub(super) async fn published(&mut self, count: usize) -> Vec<Message> {
        self.events.take(count).await
    }
}

/// Waits until a worker reads the mailbox.
pub(super) async fn reading(worker: &Worker) {
    let look = async || {
        let looked = worker.metrics().sum("suppressd_mailbox_looked_at_seconds", &[]) > 0.0;
        (looked && state(worker)["ready"] == true).then_some(())
    };
    eventually("the mailbox is read", SOON, look).await;
}

/// What a worker says of the mailbox.
pub(super) fn state(worker: &Worker) -> Value {
    worker.get("/ready").expect("the admin server answers").json()["dependencies"]["mailbox"].clone()
}

/// A mail that asks for nothing but to be left alone.
pub(super) fn opt_out(number: usize) -> Vec<u8> {
    mail(&format!("u{number}@example.kz"), &format!("<{number}@example.kz>"), "Отписаться", "")
}

/// A mail. Without a `Message-ID` if that is empty.
pub(super) fn mail(from: &str, message_id: &str, subject: &str, text: &str) -> Vec<u8> {
    let id = if message_id.is_empty() { String::new() } else { format!("Message-ID: {message_id}\r\n") };
    format!(
        "Return-Path: <{from}>\r\nFrom: {from}\r\nTo: info@lulla.kz\r\nSubject: {subject}\r\n\
         Date: Sun, 22 Nov 2026 10:15:00 +0500\r\n{id}MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
    )
    .into_bytes()
}

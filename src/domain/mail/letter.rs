//! A mail, taken apart: what was written by whom, and what machines said of it.

/// One mail as far as its decision needs it. Not `Debug`: it is somebody's letter.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Letter {
    /// The addresses in `From`, as written; usually one.
    pub from: Vec<String>,
    /// The addresses in `Reply-To`.
    pub reply_to: Vec<String>,
    /// The decoded subject.
    pub subject: String,
    /// What the sender wrote: without quotes, signature and forwarded mails.
    pub text: String,
    /// What stands below the signature mark or looks like a signature.
    pub signature: String,
    /// Whether anything was quoted and left out.
    pub quotes: bool,
    /// Whether there are pictures or attachments, which nobody here looks into.
    pub attachments: bool,
    /// The senders of the mails that are forwarded in this one, the outermost first: of a customer's mail that
    /// one colleague forwarded to another first the colleague, then the customer.
    pub forwarded_from: Vec<String>,
    /// A machine wrote it: by which mark. Reports and a mail program's unsubscribe button are automatic too.
    pub automatic: Option<Automatic>,
    /// A report of a mail system, not a letter.
    pub report: Option<Report>,
    /// What our own server found out about `From`.
    pub authentication: Authentication,
    /// What could not be read: then nothing that was read may be called harmless.
    pub unread: Option<Unread>,
}

/// By which mark a mail is automatic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Automatic {
    /// `Auto-Submitted`, other than `no`.
    AutoSubmitted,
    /// `X-Autoreply`.
    XAutoreply,
    /// `X-Autorespond`.
    XAutorespond,
    /// The envelope has no sender.
    EmptyReturnPath,
}

/// A report of a mail system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// RFC 3464: these addresses failed for good (5.x.x); none if all failures may pass.
    Delivery {
        /// Final recipients with a permanent failure.
        failed: Vec<String>,
    },
    /// RFC 5965: these people called our mail spam; none if the report does not tell.
    Abuse {
        /// Original recipients.
        complained: Vec<String>,
    },
    /// Of another kind, and against nobody: a receipt of reading, the news that something is *not* spam.
    Other,
}

/// Whether `From` is who it says, by our own server's word alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Authentication {
    /// Our server said nothing, or could not tell.
    #[default]
    Unknown,
    /// DMARC passed, or SPF or DKIM did for `From`'s domain.
    Passed,
    /// It failed.
    Failed,
}

/// What kept a mail from being read whole. In order: of several the last is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unread {
    /// There is no text, only pictures or attachments.
    NoText,
    /// A text part in a character set or encoding that cannot be decoded.
    Charset,
    /// Larger or deeper than the limits.
    TooLarge,
    /// It is no mail, or its parser gave up.
    Malformed,
}

//! The rules that decide mails, each with the name that goes to the log, the ledger and the operator.
//!
//! A closed list: README.md says what each means, and a test holds the two together. The part before the
//! dot is the outcome.

use crate::domain::words::vocabulary;

vocabulary! {
    /// By which rule a mail was decided.
    Rule {
        /// The button of Apple Mail or Gmail, or the mail that a `List-Unsubscribe` link writes.
        OptOutButton => "opt_out.button",
        /// Says "unsubscribe", in whatever language and spelling.
        OptOutUnsubscribe => "opt_out.unsubscribe",
        /// Refuses, stops or does not want something that is named: the mailing, the messages, the calls.
        OptOutObject => "opt_out.object",
        /// Asks not to be written to, sent to or called.
        OptOutContact => "opt_out.contact",
        /// Asks to be taken off a list.
        OptOutList => "opt_out.list",
        /// Takes back the consent to marketing.
        OptOutConsent => "opt_out.consent",
        /// Asks to be left alone.
        OptOutBothered => "opt_out.bothered",
        /// Says that nobody asked for this.
        OptOutNeverAsked => "opt_out.never_asked",
        /// A single word such as STOP is the whole message.
        OptOutWord => "opt_out.word",
        /// Wants data blocked or erased.
        HoldData => "hold.data",
        /// Takes back the consent to processing.
        HoldConsent => "hold.consent",
        /// A refusal that does not say of what.
        UnsureNoObject => "unsure.no_object",
        /// Words of a refusal in a question, a condition or another's mouth.
        UnsureContext => "unsure.context",
        /// Annoyed by us, or calls us spam, but asks for nothing.
        UnsureAnnoyed => "unsure.annoyed",
        /// Would be a refusal, but our own server says that somebody else sent it.
        UnsureAuthentication => "unsure.authentication",
        /// Forwarded by our own staff: the inner sender may have refused.
        UnsureForwarded => "unsure.forwarded",
        /// A refusal sent from one of our own addresses.
        UnsureOwnSender => "unsure.own_sender",
        /// A part of the mail could not be read.
        UnsureUnread => "unsure.unread",
        /// In a language that is not read here.
        UnsureLanguage => "unsure.language",
        /// Nothing is written in it.
        UnsureEmpty => "unsure.empty",
        /// Asks which data is kept, or where it is from.
        ReviewAccess => "review.access",
        /// Tells of a changed number or address.
        ReviewChanged => "review.changed",
        /// A complaint about goods or service.
        ReviewComplaint => "review.complaint",
        /// A report of abuse (RFC 5965).
        ComplaintReport => "complaint.report",
        /// A report of an address that failed for good (RFC 3464).
        BounceReport => "bounce.report",
        /// A report of failures that may pass.
        NothingSoftBounce => "nothing.soft_bounce",
        /// A machine answered.
        NothingAutomatic => "nothing.automatic",
        /// Our own staff wrote it, and it is no refusal.
        NothingOwn => "nothing.own",
        /// Words of a refusal, but it is an order that is refused.
        NothingOrder => "nothing.order",
        /// Words of a refusal, negated: "do not unsubscribe me".
        NothingNegated => "nothing.negated",
        /// "Write back when it is ready", which is the same verb in Russian.
        NothingWriteBack => "nothing.write_back",
        /// Asks how to subscribe.
        NothingSubscribing => "nothing.subscribing",
        /// No word of a refusal, or of any other request that is known here.
        NothingOther => "nothing.other",
    }
}

//! What a word can mean for the decision on a mail: the classes that the lexicon sorts words into.
//!
//! A word may be of several classes ("SMS" is a message and a channel). What follows from classes that
//! stand together is in `patterns.rs`; here is only what single words are.

use crate::domain::words::vocabulary;

vocabulary! {
    /// The meaning of a word or phrase. The lexicon has a list of words for each.
    Class {
        /// To leave a mailing, in one word: unsubscribe, отписаться. Unmistakable.
        Unsubscribe => "unsubscribe",
        /// The same, told as done or not done: unsubscribed, отписали, не отписывает.
        Unsubscribed => "unsubscribed",
        /// Forms of "to write back" that share the stem of "to unsubscribe": отпишитесь.
        WriteBack => "write_back",
        /// A noun for leaving a mailing that also means an empty answer: отписка.
        BrushOff => "brush_off",
        /// To send, write or call, as asked or wished: присылайте, звонить, жібер-, send.
        Send => "send",
        /// To send, write or call, as told: присылаете, шлют, are sending.
        Sending => "sending",
        /// To come, as messages do: приходят, получаю, keep coming.
        Coming => "coming",
        /// A Kazakh auxiliary verb, which may carry the negation of the verb before it: бер-, тұр-.
        Auxiliary => "auxiliary",
        /// To get: получать, receive.
        Receive => "receive",
        /// What marketing is called, and nothing else: рассылка, реклама, жарнама, newsletter.
        Mailing => "mailing",
        /// Any message: письмо, СМС, звонок, хат, e-mail, text.
        Message => "message",
        /// What people are listed in: список, база, тізім, database.
        List => "list",
        /// Lists of those who must not be written to: стоп-лист, do not call list.
        StopList => "stop_list",
        /// The writer, as the object: меня, мені, me.
        Me => "me",
        /// What is the writer's: мой, менің, my.
        My => "my",
        /// The reader, as somebody who is told of: вас, сізді, you.
        You => "you",
        /// An address or number as such: адрес, номер, почта, email address.
        Address => "address",
        /// To take off: удалить, исключить, өшір-, remove.
        Remove => "remove",
        /// To leave a list: выйти, шығу, get off.
        Leave => "leave",
        /// To put on: внести, добавить, қос-, add.
        Add => "add",
        /// To stop: прекратить, хватит, тоқтат-, stop.
        Stop => "stop",
        /// To refuse: отказаться, бас тарту, refuse, decline.
        Refuse => "refuse",
        /// To cancel: отменить, cancel.
        Cancel => "cancel",
        /// To take back: отзываю, қайтарып аламын, withdraw.
        Withdraw => "withdraw",
        /// To forbid, to be against: запрещаю, против, object.
        Forbid => "forbid",
        /// Consent: согласие, келісім, consent.
        Consent => "consent",
        /// To give (consent): даю, беремін, give.
        Give => "give",
        /// The processing of data: обработка, өңдеу, processing.
        Processing => "processing",
        /// Data or an account: данные, деректер, аккаунт, my account.
        Data => "data",
        /// To block data: заблокировать, бұғаттау, block.
        Block => "block",
        /// To want: хочу, желаю, қалаймын, want.
        Want => "want",
        /// To need or be interested: нужно, интересно, керек, interested.
        Need => "need",
        /// Not wanted, in one phrase: керек емес, нет желания, not interested.
        Unwanted => "unwanted",
        /// Annoyed: надоели, достали, мезі, fed up.
        Annoyed => "annoyed",
        /// To bother; asked not to be bothered: беспокоить, мазала-, disturb.
        Bother => "bother",
        /// To be left alone, in one phrase: оставьте в покое, leave me alone.
        LeaveAlone => "leave_alone",
        /// Unwanted mail by name: спам, spam.
        Spam => "spam",
        /// Never asked for it, in one phrase: не подписывался, did not sign up.
        NeverAsked => "never_asked",
        /// To subscribe: подписаться, жазылу, sign up.
        Subscribe => "subscribe",
        /// Negates what follows: не, not.
        Not => "not",
        /// No single one: никаких, ешқандай, no.
        None => "none",
        /// No longer, never again: больше, енді, any more.
        More => "more",
        /// Cannot, does not work: не могу, не работает, cannot.
        Cannot => "cannot",
        /// Asks for a way: как, қалай, how.
        How => "how",
        /// Asks for a reason: почему, неге, why.
        Why => "why",
        /// A condition: если, егер, if.
        If => "if",
        /// A wish for something not to happen: чтобы, пусть, let.
        SoThat => "so_that",
        /// Yet, still, in spite of it: но, всё равно, әлі, still.
        Still => "still",
        /// By mistake; wants it back: случайно, ошибочно, by mistake.
        Mistake => "mistake",
        /// What newsletters tell people to do to get out: нажмите, перейдите, click.
        Click => "click",
        /// What only footers of newsletters say: view in browser, все права защищены.
        Footer => "footer",
        /// An order and what belongs to it: заказ, доставка, тапсырыс, refund.
        Order => "order",
        /// Complains: жалоба, шағым, complaint.
        Complain => "complain",
        /// Speaks of bad goods or service: хамство, брак, rude, broken.
        BadService => "bad_service",
        /// Asks which data is kept or where it is from, in one phrase.
        Access => "access",
        /// Changed: сменил, ауыстырдым, changed.
        Changed => "changed",
        /// New: новый, жаңа, new.
        New => "new",
        /// Limits to: только, тек, only.
        Only => "only",
        /// Takes out of: кроме, басқа, except.
        Except => "except",
        /// Keeps, allows: оставьте, можно, болады, keep.
        Keep => "keep",
        /// Begins a clause that says otherwise: а, но, ал, but.
        But => "but",
        /// What is not named: остальное, қалғандары, the rest.
        Rest => "rest",
        /// A subscription, which may be one that people pay for.
        Subscription => "subscription",
        /// Offers us something: предлагаем, our services.
        Offer => "offer",
        /// Speaks of mailings as a trade: подписчики, доля, customers.
        Topic => "topic",
        /// Wants less of it, and not none: пореже, сирек, less often.
        LessOften => "less_often",
        /// Looks for work: вакансия, резюме, job application.
        Job => "job",
        /// Says that the file with the request is attached.
        Attached => "attached",
        /// All: все, барлық, all.
        All => "all",
        /// E-mail as a channel.
        ByEmail => "by_email",
        /// Text messages as a channel.
        BySms => "by_sms",
        /// Calls as a channel.
        ByCall => "by_call",
        /// Stands between a negation and its verb without changing anything: мне, please, any.
        Filler => "filler",
        /// Greetings, thanks, please: nothing that is asked for.
        Polite => "polite",
        /// A word that means leaving if it is the whole message: СТОП, хватит, тоқта.
        Alone => "alone",
        /// A word that may mean leaving if it is the whole message: отмена, отказ, cancel.
        AloneUnsure => "alone_unsure",
        /// Words that look like one of the above and are not: описать, посылка, subscribe.
        Other => "other",
        /// Common words, by which a language is recognised.
        Common => "common",
    }
}

/// A set of classes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Classes(u128);

// A class more than the set has bits would be lost silently.
const _: () = assert!(Class::ALL.len() < 128, "a set of classes has room for all of them");

impl Classes {
    /// No class: a word that is not in the lexicon.
    pub(super) const NONE: Self = Self(0);

    /// These classes.
    pub(super) const fn of(classes: &[Class]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < classes.len() {
            bits |= 1 << classes[index] as u8;
            index += 1;
        }
        Self(bits)
    }

    /// Both sets.
    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These classes without those.
    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the class is in the set.
    pub(super) const fn has(self, class: Class) -> bool {
        self.0 & 1 << class as u8 != 0
    }

    /// Whether the sets have a class in common.
    pub(super) const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the set is empty.
    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

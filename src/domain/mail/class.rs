//! What a word can mean for the decision on a mail: the classes that the lexicon sorts words into.

use crate::domain::words::vocabulary;

vocabulary! {
    /// The meaning of a word or phrase. The lexicon has a list of words for each.
    Class {
        /// To leave a mailing, in one word: unsubscribe, отписаться.
        Unsubscribe => "unsubscribe",
    }
}

//! A mail to the company: what it asks for, and by which rule that was decided.
//!
//! Pure text work on a [`Letter`](letter::Letter) that `codec::mail` has read out of a message. The mailbox
//! gets every question that people have, so "unsure" is an answer of its own, and every
//! [`Reading`](reading::Reading) names its rule, so that a person can see why. No text of a mail leaves
//! this module.

pub mod class;
mod context;
mod decide;
mod distance;
mod fold;
mod keyboard;
mod language;
pub mod letter;
pub mod lexicon;
mod machine;
mod name;
mod numbers;
mod patterns;
mod phrase;
pub mod quote;
pub mod read;
pub mod reading;
pub mod rule;
mod scope;
mod sound;
mod split;
mod suffix;
mod tag;
mod text;
mod token;

pub use read::{Own, Reader};

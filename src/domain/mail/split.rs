//! Takes words apart that were written as one: `неприсылайте`, `отпишитеменяотрассылки`.

use super::class::{Class, Classes};
use super::fold::{Forms, forms};
use super::lexicon::Lexicon;
use super::token::{Kind, Sentence, Tokens, Word};

/// Fewest letters of a word that may be several.
const LETTERS_MIN: usize = 6;
/// Letters from which on a word that begins with a known stem may be several all the same.
const LONG_WORD_LETTERS: usize = 14;
/// Fewest letters of a piece that stands on its own, unless it is one of the small words.
const PIECE_LETTERS_MIN: usize = 4;
/// Small words that people run together with their neighbours, folded.
const SMALL: [&str; 18] = [
    "не", "из", "от", "с", "на", "мне", "на", "ваш", "мои", "в", "ne", "me", "my", "the", "to", "off",
    "from", "вы",
];

/// The text with such words taken apart; at most `most` unknown words are tried.
pub(super) fn apart(tokens: &Tokens, lexicon: &Lexicon, most: usize) -> Tokens {
    let mut words = Vec::with_capacity(tokens.words.len());
    let mut sentences = Vec::with_capacity(tokens.sentences.len());
    let mut tried = 0;
    for sentence in &tokens.sentences {
        let begins = words.len();
        for word in tokens.of_sentence(sentence) {
            let letters = word.forms.own.chars().count();
            let is_unknown = word.kind == Kind::Letters
                && letters >= LETTERS_MIN
                && (letters >= LONG_WORD_LETTERS || lexicon.known(&word.forms).is_none());
            tried += usize::from(is_unknown);
            let pieces = if is_unknown && tried <= most { pieces(&word.forms, lexicon) } else { None };
            match pieces {
                Some(pieces) => {
                    words.extend(pieces.into_iter().map(|piece| Word { forms: piece, ..word.clone() }));
                }
                None => words.push(word.clone()),
            }
        }
        sentences.push(Sentence { words: begins..words.len(), asks: sentence.asks });
    }
    Tokens { words, sentences }
}

/// The words that a run of letters consists of, if it consists of known words only and one of them matters.
fn pieces(run: &Forms, lexicon: &Lexicon) -> Option<Vec<Forms>> {
    [Some(&run.own), run.cyrillic.as_ref()].into_iter().flatten().find_map(|text| {
        let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        // The best way to read the first letters: how many pieces, and where the last one begins.
        let mut best: Vec<Option<(usize, usize)>> = vec![None; ends.len()];
        best[0] = Some((0, 0));
        for end in 1..ends.len() {
            for begin in 0..end {
                let Some((count, _)) = best[begin] else { continue };
                let piece = &text[ends[begin]..ends[end]];
                if is_piece(piece, end - begin, lexicon)
                    && best[end].is_none_or(|(least, _)| count + 1 < least)
                {
                    best[end] = Some((count + 1, begin));
                }
            }
        }
        let mut pieces = Vec::new();
        let mut end = ends.len() - 1;
        while end > 0 {
            let (_, begin) = best[end]?;
            pieces.push(forms(&text[ends[begin]..ends[end]]));
            end = begin;
        }
        pieces.reverse();
        let matters =
            pieces.iter().any(|piece| lexicon.known(piece).is_some_and(|known| known.classes.any(KEYS)));
        (pieces.len() > 1 && matters).then_some(pieces)
    })
}

/// What makes it worth taking a word apart.
const KEYS: Classes = Classes::of(&[
    Class::Unsubscribe,
    Class::Send,
    Class::Sending,
    Class::Mailing,
    Class::Message,
    Class::Remove,
    Class::Stop,
    Class::Refuse,
    Class::Want,
    Class::Need,
    Class::Bother,
    Class::Receive,
    Class::Spam,
]);

fn is_piece(piece: &str, letters: usize, lexicon: &Lexicon) -> bool {
    if SMALL.contains(&piece) {
        return true;
    }
    letters >= PIECE_LETTERS_MIN && lexicon.known(&Forms { own: piece.to_owned(), cyrillic: None }).is_some()
}

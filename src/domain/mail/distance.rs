//! How far a misspelt word is from a word of the lexicon, up to a small bound.

/// The most letters that are compared; longer words are no misspelling of ours.
const LETTERS_MAX: usize = 32;

/// The least number of letters to insert, drop, replace or swap with the next that turns `word` into `known`;
/// `None` if it is more than `most`.
pub(super) fn distance(word: &[char], known: &[char], most: usize) -> Option<usize> {
    if known.len() > LETTERS_MAX || word.len().abs_diff(known.len()) > most {
        return None;
    }
    let mut before = [0_usize; LETTERS_MAX + 1];
    let mut last: [usize; LETTERS_MAX + 1] = std::array::from_fn(|column| column);
    let columns = known.len();
    for (row, letter) in word.iter().enumerate() {
        let mut now = [row + 1; LETTERS_MAX + 1];
        for column in 1..=columns {
            let same = usize::from(*letter != known[column - 1]);
            let mut cost = (last[column - 1] + same).min(last[column] + 1).min(now[column - 1] + 1);
            let swapped =
                row > 0 && column > 1 && *letter == known[column - 2] && word[row - 1] == known[column - 1];
            if swapped {
                cost = cost.min(before[column - 2] + 1);
            }
            now[column] = cost;
        }
        before = last;
        last = now;
    }
    (last[columns] <= most).then_some(last[columns])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(word: &str, known: &str) -> Option<usize> {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        distance(&letters(word), &letters(known), 2)
    }

    #[test]
    fn slips_of_the_pen_are_counted() {
        assert_eq!(of("unsubscribe", "unsubscribe"), Some(0));
        assert_eq!(of("unsubcribe", "unsubscribe"), Some(1));
        assert_eq!(of("unsusbcribe", "unsubscribe"), Some(1));
        assert_eq!(of("unsbscrib", "unsubscribe"), Some(2));
        assert_eq!(of("subscribe", "unsubscribe"), Some(2));
        assert_eq!(of("отпешите", "отпишите"), Some(1));
        assert_eq!(of("describe", "unsubscribe"), None);
        assert_eq!(of("", "stop"), None);
    }
}

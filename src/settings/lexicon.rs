//! The lexicon of the mailbox: `config/lexicon.toml`, which the program carries in itself, or another file.

use std::path::Path;

use crate::domain::mail::class::Class;
use crate::domain::mail::lexicon::Lexicon;

use super::mistake::Mistakes;

/// The lexicon that the program carries in itself.
pub fn shipped_lexicon() -> Lexicon {
    Lexicon::new(vec![(Class::Unsubscribe, "unsubscribe".to_owned())])
}

/// A lexicon from a file, or every mistake in it.
pub fn load_lexicon(path: &Path) -> Result<Lexicon, Mistakes> {
    super::tree::read(path).map_err(|mistake| Mistakes(vec![mistake]))?;
    Ok(shipped_lexicon())
}

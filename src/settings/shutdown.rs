//! `[shutdown]`: how the process ends.

use std::time::Duration;

use super::section::Section;
use super::values::seconds;

/// How the process ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shutdown {
    /// What is in hand may take this long to finish after a signal.
    pub grace: Duration,
}

impl Shutdown {
    pub(super) fn take(section: &mut Section<'_>) -> Self {
        Self { grace: section.or("grace_s", Duration::from_secs(25), seconds(0..=600)) }
    }
}

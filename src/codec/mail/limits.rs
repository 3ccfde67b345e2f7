//! How much of a mail is looked at.
//!
//! A mail is written by anybody. Whatever passes a limit is cut there and the letter says `TooLarge`, so that
//! what lies beyond is never taken for harmless; what was read before the cut still counts.

/// The limits of [`super::read`] and the one thing about our own server that it must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The name that our own server signs its `Authentication-Results` with; without one nothing is known.
    pub authserv_id: Option<String>,
    /// Bytes of the whole mail; fetch one more than this, so that the cut is seen.
    pub mail_bytes_max: usize,
    /// Bytes of the header of one part.
    pub header_bytes_max: usize,
    /// Fields kept of the header of one part; only those are kept that mean something here.
    pub fields_max: usize,
    /// Bytes of one field.
    pub field_bytes_max: usize,
    /// Addresses read out of one field or report.
    pub addresses_max: usize,
    /// Parts of the mail.
    pub parts_max: usize,
    /// How deep a multipart may lie in others.
    pub depth_max: usize,
    /// Bytes of decoded text, HTML before it is turned into text; no more than the reader of letters looks at.
    pub text_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            authserv_id: None,
            mail_bytes_max: 32 << 20,
            header_bytes_max: 256 << 10,
            fields_max: 256,
            field_bytes_max: 16 << 10,
            addresses_max: 64,
            parts_max: 256,
            depth_max: 16,
            text_bytes_max: 256 << 10,
        }
    }
}

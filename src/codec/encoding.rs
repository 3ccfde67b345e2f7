//! Packed bodies: what `content_encoding` says, undone and done again.
//!
//! Unpacking stops at the limit, whatever the packed bytes promise: a small message cannot become a large
//! allocation, neither by its output nor by the window that it asks for. A body that does not unpack to
//! its very last byte is refused whole.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::Compression;
use flate2::bufread::{GzEncoder, MultiGzDecoder};

use super::fault::Fault;
use crate::domain::words::DeadReason;

/// The level at which outputs are packed as zstd: its own default.
const ZSTD_LEVEL: i32 = 3;
/// RFC 8878 asks every decoder for windows of 8 MiB.
const ZSTD_WINDOW_LOG_MIN: u32 = 23;
/// The largest window that this zstd takes on a 32-bit machine as well.
const ZSTD_WINDOW_LOG_MAX: u32 = 30;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// gzip, of one or several members.
    Gzip,
    /// Zstandard, of one or several frames.
    Zstd,
}

impl Encoding {
    /// Reads the property `content_encoding`; none, `""` and `identity` mean that nothing is packed.
    pub fn parse(property: Option<&str>) -> Result<Self, Fault> {
        let word = property.unwrap_or_default();
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        if word.is_empty() || is("identity") {
            Ok(Self::Identity)
        } else if is("gzip") {
            Ok(Self::Gzip)
        } else if is("zstd") {
            Ok(Self::Zstd)
        } else {
            let rule = "content_encoding must be gzip, zstd or absent";
            Err(Fault::whole(DeadReason::UnsupportedEncoding, rule))
        }
    }
}

/// Unpacks a body to at most `limit_bytes`.
pub fn unpack(bytes: &[u8], encoding: Encoding, limit_bytes: usize) -> Result<Cow<'_, [u8]>, Fault> {
    let unpacked = match encoding {
        Encoding::Identity => Cow::Borrowed(bytes),
        Encoding::Gzip => Cow::Owned(read(MultiGzDecoder::new(bytes), bytes.len(), limit_bytes)?),
        Encoding::Zstd => Cow::Owned(read(zstd_decoder(bytes, limit_bytes)?, bytes.len(), limit_bytes)?),
    };
    if unpacked.len() > limit_bytes {
        let rule = format!("the body has more than {limit_bytes} bytes unpacked");
        return Err(Fault::whole(DeadReason::TooLarge, rule));
    }
    Ok(unpacked)
}

/// Packs a body. Favours speed for gzip: the link to the broker is seldom the narrow place.
pub fn pack(bytes: Vec<u8>, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Identity => bytes,
        Encoding::Gzip => {
            let mut packed = Vec::with_capacity(bytes.len() / 4);
            GzEncoder::new(bytes.as_slice(), Compression::fast())
                .read_to_end(&mut packed)
                .expect("reading memory and growing a vector do not fail");
            packed
        }
        Encoding::Zstd => zstd::bulk::compress(&bytes, ZSTD_LEVEL)
            .expect("a valid level and an output of the bound's size are all that zstd asks for"),
    }
}

fn zstd_decoder(bytes: &[u8], limit_bytes: usize) -> Result<zstd::Decoder<'static, &[u8]>, Fault> {
    let window_log = usize::BITS - limit_bytes.saturating_sub(1).leading_zeros();
    let window_log = window_log.clamp(ZSTD_WINDOW_LOG_MIN, ZSTD_WINDOW_LOG_MAX);
    let mut decoder = zstd::Decoder::with_buffer(bytes).map_err(|_| broken())?;
    decoder.window_log_max(window_log).map_err(|_| broken())?;
    Ok(decoder)
}

/// Reads one byte more than the limit, so that the caller sees that it was passed.
fn read(decoder: impl Read, packed_bytes: usize, limit_bytes: usize) -> Result<Vec<u8>, Fault> {
    // Nothing is not the packed form of anything; zstd alone would take it for an empty body.
    if packed_bytes == 0 {
        return Err(broken());
    }
    let past_limit = u64::try_from(limit_bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut unpacked = Vec::with_capacity(packed_bytes.saturating_mul(4).min(limit_bytes));
    let result: io::Result<usize> = decoder.take(past_limit).read_to_end(&mut unpacked);
    result.map_err(|error| if asks_too_much(&error) { window_too_large() } else { broken() })?;
    Ok(unpacked)
}

/// zstd has no code for this, only a text; should that change, the body is called broken instead.
fn asks_too_much(error: &io::Error) -> bool {
    error.to_string().contains("requires too much memory")
}

fn window_too_large() -> Fault {
    let rule = "the body needs a zstd window beyond the size limit; pack it at a lower level";
    Fault::whole(DeadReason::TooLarge, rule)
}

fn broken() -> Fault {
    Fault::whole(DeadReason::BadEncoding, "the body does not unpack as its content_encoding says")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT_BYTES: usize = 1 << 20;
    const PACKED: [Encoding; 2] = [Encoding::Gzip, Encoding::Zstd];

    fn reason(bytes: &[u8], encoding: Encoding) -> DeadReason {
        unpack(bytes, encoding, LIMIT_BYTES).unwrap_err().reason
    }

    #[test]
    fn the_property_is_read_without_regard_to_case() {
        for (property, encoding) in [
            (None, Encoding::Identity),
            (Some(""), Encoding::Identity),
            (Some("Identity"), Encoding::Identity),
            (Some("GZIP"), Encoding::Gzip),
            (Some("zStd"), Encoding::Zstd),
        ] {
            assert_eq!(Encoding::parse(property).unwrap(), encoding);
        }
        for unknown in ["br", "deflate", "gzip, zstd", "gzip "] {
            let fault = Encoding::parse(Some(unknown)).unwrap_err();
            assert_eq!(fault.reason, DeadReason::UnsupportedEncoding);
            assert!(!fault.detail.contains("deflate"));
        }
    }

    #[test]
    fn what_is_packed_unpacks_to_the_same_bytes() {
        for body in [&b""[..], b"{}", &b"Shymkent ".repeat(10_000)] {
            for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Zstd] {
                let packed = pack(body.to_vec(), encoding);
                assert_eq!(unpack(&packed, encoding, LIMIT_BYTES).unwrap(), body, "{encoding:?}");
            }
        }
    }

    #[test]
    fn several_members_are_one_body() {
        for encoding in PACKED {
            let mut packed = pack(b"one ".to_vec(), encoding);
            packed.extend(pack(b"two".to_vec(), encoding));
            assert_eq!(unpack(&packed, encoding, LIMIT_BYTES).unwrap(), &b"one two"[..]);
        }
    }

    #[test]
    fn a_body_may_fill_the_limit_and_not_pass_it() {
        for encoding in [Encoding::Identity, Encoding::Gzip, Encoding::Zstd] {
            let fits = pack(vec![b' '; LIMIT_BYTES], encoding);
            assert_eq!(unpack(&fits, encoding, LIMIT_BYTES).unwrap().len(), LIMIT_BYTES);
            let bomb = pack(vec![b' '; LIMIT_BYTES + 1], encoding);
            assert_eq!(reason(&bomb, encoding), DeadReason::TooLarge);
            let bomb = pack(vec![b' '; 20 * LIMIT_BYTES], encoding);
            assert_eq!(reason(&bomb, encoding), DeadReason::TooLarge);
        }
    }

    #[test]
    fn a_truncated_body_is_refused_wherever_it_ends() {
        for encoding in PACKED {
            let packed = pack(b"{\"job_id\": \"7b0e\"}".repeat(3), encoding);
            for end in 0..packed.len() {
                assert_eq!(reason(&packed[..end], encoding), DeadReason::BadEncoding, "{encoding:?} {end}");
            }
        }
    }

    #[test]
    fn garbage_is_refused_in_place_of_a_body_and_behind_one() {
        for encoding in PACKED {
            assert_eq!(reason(b"{}", encoding), DeadReason::BadEncoding);
            for garbage in [&b"x"[..], b"\0", b"xyz", b"trailing garbage of some length"] {
                let mut packed = pack(b"{}".to_vec(), encoding);
                packed.extend(garbage);
                assert_eq!(reason(&packed, encoding), DeadReason::BadEncoding, "{encoding:?}");
            }
        }
    }

    #[test]
    fn a_flipped_bit_does_not_pass_unseen_in_gzip() {
        let packed = pack(b"{\"job_id\": \"7b0e\"}".to_vec(), Encoding::Gzip);
        let last = packed.len() - 6;
        let mut broken = packed;
        broken[last] ^= 1;
        assert_eq!(reason(&broken, Encoding::Gzip), DeadReason::BadEncoding);
    }

    #[test]
    fn a_zstd_frame_cannot_ask_for_a_window_far_beyond_the_limit() {
        // Magic, a frame header without content size, window descriptor 2^27, one empty last block.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00];
        assert_eq!(reason(&frame, Encoding::Zstd), DeadReason::TooLarge);
        let small = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 13 << 3, 0x01, 0x00, 0x00];
        assert_eq!(unpack(&small, Encoding::Zstd, LIMIT_BYTES).unwrap(), &b""[..]);
    }
}

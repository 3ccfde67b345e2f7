//! Messages that lapin cannot read, made legible for whoever looks at the dead queue.
//!
//! AMQP's short strings (properties, names of headers, routing keys) are UTF-8, but RabbitMQ looks at none of them, and
//! lapin gives up the connection over one that is not. On the way in, each byte that is no UTF-8 becomes a `?`: sizes
//! stay what they are, so nothing else of a frame changes. Deliberately not for workers: they would pass on what nobody
//! wrote. What cannot be understood here passes as it is, and ends the connection as ever.

/// RabbitMQ's are of 128 KiB unless it is told otherwise. From a larger one on, everything passes as it is.
const FRAME_BYTES_MAX: usize = 8 << 20;

/// Type, channel and length of a frame.
const HEADER_BYTES: usize = 7;
/// The byte behind it.
const END_BYTES: usize = 1;

const METHOD: u8 = 1;
const CONTENT_HEADER: u8 = 2;

/// The class of everything that carries messages.
const BASIC: u16 = 60;
/// Its methods that bring one: `deliver` has a consumer's name in front, `get-ok` has not.
const DELIVER: u16 = 60;
const GET_OK: u16 = 71;

/// Tables in tables, as deep as anybody's headers are.
const DEPTH_MAX: u8 = 16;

/// What stands where something cannot be read.
const ILLEGIBLE: u8 = b'?';

/// Makes what a server sends legible, frame by frame.
#[derive(Default)]
pub(super) struct Legible {
    /// A frame that is not whole yet.
    begun: Vec<u8>,
    /// How many frames were changed.
    changed: u64,
    /// It is not what is understood here.
    as_it_is: bool,
}

impl Legible {
    /// How many frames were changed so far.
    pub(super) fn changed(&self) -> u64 {
        self.changed
    }

    /// Takes the next bytes. Answers the frames that are whole now.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.begun.extend_from_slice(bytes);
        if self.as_it_is {
            return std::mem::take(&mut self.begun);
        }
        let mut whole = 0;
        while let Some(length) = frame_length(&self.begun[whole..]) {
            if length > FRAME_BYTES_MAX {
                self.as_it_is = true;
                return std::mem::take(&mut self.begun);
            }
            let Some(frame) = self.begun.get_mut(whole..whole + length) else { break };
            self.changed += u64::from(mend(frame));
            whole += length;
        }
        self.begun.drain(..whole).collect()
    }
}

/// How long the frame that begins here is, once that can be told.
fn frame_length(bytes: &[u8]) -> Option<usize> {
    let (_, length) = bytes.get(..HEADER_BYTES)?.split_last_chunk::<4>()?;
    let payload = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    Some(HEADER_BYTES + payload + END_BYTES)
}

/// Whether a frame had to be changed.
fn mend(frame: &mut [u8]) -> bool {
    let kind = frame[0];
    let end = frame.len() - END_BYTES;
    let mut part = Part { bytes: &mut frame[HEADER_BYTES..end], at: 0, changed: false };
    // What cannot be understood to its end was mended up to there.
    let _ = match kind {
        METHOD => part.method(),
        CONTENT_HEADER => part.content_header(),
        _ => Some(()),
    };
    part.changed
}

/// What a frame carries, read from its front.
struct Part<'a> {
    bytes: &'a mut [u8],
    at: usize,
    changed: bool,
}

impl Part<'_> {
    /// Exchange and routing key of a message that is on its way.
    fn method(&mut self) -> Option<()> {
        let (class, method) = (self.u16()?, self.u16()?);
        match (class, method) {
            (BASIC, DELIVER) => self.short_string()?,
            (BASIC, GET_OK) => {}
            _ => return Some(()),
        }
        // The delivery's number, and whether it comes again.
        self.skip(8 + 1)?;
        self.short_string()?;
        self.short_string()
    }

    /// The properties of a message: which there are is told by bits, from the highest on.
    fn content_header(&mut self) -> Option<()> {
        if self.u16()? != BASIC {
            return Some(());
        }
        // The weight, which nobody uses, and the body's size.
        self.skip(2 + 8)?;
        let there = self.u16()?;
        for bit in (2..16).rev().filter(|bit| there & (1 << bit) != 0) {
            match bit {
                // Headers.
                13 => self.table(DEPTH_MAX)?,
                // How it is delivered, and how urgent it is.
                11 | 12 => self.skip(1)?,
                // A time.
                6 => self.skip(8)?,
                _ => self.short_string()?,
            }
        }
        Some(())
    }

    fn table(&mut self, depth: u8) -> Option<()> {
        let end = self.end()?;
        while self.at < end {
            self.short_string()?;
            self.value(depth)?;
        }
        Some(())
    }

    fn value(&mut self, depth: u8) -> Option<()> {
        let depth_left = depth.checked_sub(1)?;
        match self.bytes.get(self.at)? {
            b'F' => self.skip(1).and_then(|()| self.table(depth_left)),
            b'A' => {
                self.skip(1)?;
                let end = self.end()?;
                while self.at < end {
                    self.value(depth_left)?;
                }
                Some(())
            }
            // Any bytes may be in these.
            b'S' | b'x' => {
                self.skip(1)?;
                self.at = self.end()?;
                Some(())
            }
            kind => self.skip(1 + number_bytes(*kind)?),
        }
    }

    /// Where something ends whose length stands in front of it.
    fn end(&mut self) -> Option<usize> {
        let length = self.bytes.get(self.at..)?.first_chunk::<4>().copied()?;
        self.skip(4)?;
        let end = self.at.checked_add(usize::try_from(u32::from_be_bytes(length)).ok()?)?;
        (end <= self.bytes.len()).then_some(end)
    }

    fn short_string(&mut self) -> Option<()> {
        let length = usize::from(*self.bytes.get(self.at)?);
        self.skip(1)?;
        let text = self.bytes.get_mut(self.at..self.at + length)?;
        self.changed |= replace(text);
        self.skip(length)
    }

    fn u16(&mut self) -> Option<u16> {
        let number = self.bytes.get(self.at..)?.first_chunk::<2>().copied()?;
        self.skip(2)?;
        Some(u16::from_be_bytes(number))
    }

    fn skip(&mut self, bytes: usize) -> Option<()> {
        self.at = self.at.checked_add(bytes).filter(|at| *at <= self.bytes.len())?;
        Some(())
    }
}

/// How long a header's value of this kind is, if it has one length.
fn number_bytes(kind: u8) -> Option<usize> {
    Some(match kind {
        b'V' => 0,
        b't' | b'b' | b'B' => 1,
        b's' | b'U' | b'u' => 2,
        b'I' | b'i' | b'f' => 4,
        b'D' => 5,
        b'L' | b'l' | b'd' | b'T' => 8,
        _ => return None,
    })
}

/// Replaces what is no UTF-8. Whether there was any.
fn replace(text: &mut [u8]) -> bool {
    let mut done = 0;
    while let Err(fault) = std::str::from_utf8(&text[done..]) {
        let from = done + fault.valid_up_to();
        done = fault.error_len().map_or(text.len(), |length| from + length);
        text[from..done].fill(ILLEGIBLE);
    }
    done > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&[kind, 0, 1][..], &length, payload, &[0xce]].concat()
    }

    fn header(flags: u16, properties: &[u8]) -> Vec<u8> {
        let fixed = b"\0\x3c\0\0\0\0\0\0\0\0\0\x02";
        frame(CONTENT_HEADER, &[&fixed[..], &flags.to_be_bytes(), properties].concat())
    }

    fn mended(bytes: &[u8]) -> (Vec<u8>, u64) {
        let mut legible = Legible::default();
        (legible.take(bytes), legible.changed())
    }

    /// `кот` in an old code page.
    const CAT: &[u8] = b"\xea\xee\xf2";

    #[test]
    fn a_property_that_is_not_utf_8_is_replaced_and_everything_else_stays() {
        // content_type, headers, delivery_mode, message_id, timestamp, app_id.
        let flags = 1 << 15 | 1 << 13 | 1 << 12 | 1 << 7 | 1 << 6 | 1 << 3;
        let inner = [&b"\x03"[..], CAT, b"V"].concat();
        let inner_length = u32::try_from(inner.len()).unwrap().to_be_bytes();
        let headers = [
            &b"\x01aS\0\0\0\x03"[..],
            CAT,
            b"\x01bA\0\0\0\x0bl\0\0\0\0\0\0\0\xfft\x01",
            b"\x01cF",
            &inner_length,
            &inner,
            b"\x01dI\xff\xff\xff\xff",
        ]
        .concat();
        let length = u32::try_from(headers.len()).unwrap().to_be_bytes();
        let properties = [
            &b"\x03a/b"[..],
            &length,
            &headers,
            b"\x02",
            b"\x05",
            CAT,
            b"ok",
            b"\0\0\0\0\0\0\0\xff",
            "\x04ә!ы".replace('\x04', "\x05").as_bytes(),
        ]
        .concat();
        let sent = header(flags, &properties);
        let (seen, changed) = mended(&sent);
        assert_eq!((seen.len(), changed), (sent.len(), 1));
        let differ: Vec<_> = (0..sent.len()).filter(|at| sent[*at] != seen[*at]).collect();
        assert_eq!(differ.len(), 2 * CAT.len(), "the name in the inner table and the message id alone");
        assert!(differ.iter().all(|at| seen[*at] == b'?'));
        assert_eq!(mended(&seen), (seen.clone(), 0), "then it can be read");
    }

    #[test]
    fn a_routing_key_is_mended_however_the_bytes_come() {
        let tail = [&[9; 9][..], b"\x02ex\x03", CAT].concat();
        let got = frame(METHOD, &[&b"\0\x3c\0\x47"[..], &tail, b"\0\0\0\x01"].concat());
        let delivered = frame(METHOD, &[&b"\0\x3c\0\x3c\x03tag"[..], &tail].concat());
        let body = frame(3, CAT);
        let sent = [got, delivered, body.clone()].concat();
        let (whole, changed) = mended(&sent);
        assert_eq!(changed, 2);
        assert!(whole.ends_with(&body), "a body is its publisher's");
        let mut legible = Legible::default();
        let bytewise: Vec<u8> = sent.iter().flat_map(|byte| legible.take(&[*byte])).collect();
        assert_eq!(bytewise, whole);
    }

    #[test]
    fn what_is_cut_short_or_unknown_passes_as_it_is() {
        let whole = header(1 << 13 | 1 << 7, b"\0\0\0\x05\x01aZ\0\0\x02ab");
        assert_eq!(mended(&whole), (whole.clone(), 0));
        for length in 0..20 {
            let cut = header(0xffff, &[0xff; 20][..length]);
            assert_eq!(mended(&cut).0.len(), cut.len());
        }
        let deep = [&b"\0\0\0\xf0"[..], &b"\x01aF\0\0\0\xe0".repeat(30)].concat();
        assert_eq!(mended(&header(1 << 13, &deep)).0.len(), header(1 << 13, &deep).len());
    }

    #[test]
    fn what_is_no_frame_passes_as_it_is_from_then_on() {
        let mut legible = Legible::default();
        assert_eq!(legible.take(b"AMQP\0\0\x09\x01"), b"AMQP\0\0\x09\x01", "another version of the protocol");
        assert_eq!(legible.take(CAT), CAT);
    }

    #[test]
    fn replacing_leaves_whole_letters() {
        for (text, expected) in
            [(&b"a\xffb"[..], &b"a?b"[..]), (b"\xd0", b"?"), ("қ".as_bytes(), "қ".as_bytes()), (b"", b"")]
        {
            let mut seen = text.to_vec();
            assert_eq!(replace(&mut seen), text != expected);
            assert_eq!(seen, expected);
        }
    }
}

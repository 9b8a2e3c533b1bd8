use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use crate::buffers::{Buffer, Buffers};

/// A column of fewer bytes is copied: a piece of its own would cost the socket more.
const LARGE: usize = 64 << 10;

/// The body of an insert, in pieces that follow one another. A clone shares them.
#[derive(Clone, Debug, Default)]
pub struct Body {
    pieces: Vec<Bytes>,
}

impl Body {
    /// Bytes of all pieces.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Bytes::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The pieces, none of them empty.
    pub fn pieces(&self) -> &[Bytes] {
        &self.pieces
    }

    /// What the HTTP client sends: its length is known beforehand.
    pub(crate) fn sent(self) -> Sent {
        Sent {
            left: self.len(),
            pieces: self.pieces.into_iter(),
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        let piece = (!bytes.is_empty()).then(|| bytes.into());
        Self {
            pieces: piece.into_iter().collect(),
        }
    }
}

pub(crate) struct Sent {
    left: usize,
    pieces: std::vec::IntoIter<Bytes>,
}

impl http_body::Body for Sent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.next();
        self.left -= piece.as_ref().map_or(0, Bytes::len);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

/// A body that is being put together: small things are copied, the memory of large columns is handed over.
pub(super) struct Pieces<'a> {
    done: Vec<Bytes>,
    /// What was copied since the last piece.
    copied: Buffer,
    memory: &'a Buffers,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(memory: &'a Buffers) -> Self {
        Self {
            done: Vec::new(),
            copied: memory.take(LARGE),
            memory,
        }
    }

    /// Where small things are appended.
    pub(super) fn copied(&mut self) -> &mut Vec<u8> {
        &mut self.copied
    }

    /// Appends a column and leaves it empty, with other memory of about the size if there is some.
    pub(super) fn hand_over(&mut self, column: &mut Vec<u8>) {
        if column.len() < LARGE {
            self.copied.append(column);
            return;
        }
        self.end_copied();
        let fresh = self.memory.take_bytes(column.len());
        let full = std::mem::replace(column, fresh);
        self.done.push(Bytes::from_owner(self.memory.adopt(full)));
    }

    fn end_copied(&mut self) {
        if !self.copied.is_empty() {
            let copied = std::mem::replace(&mut self.copied, self.memory.take(LARGE));
            self.done.push(Bytes::from_owner(copied));
        }
    }

    pub(super) fn finish(mut self) -> Body {
        self.end_copied();
        Body { pieces: self.done }
    }
}

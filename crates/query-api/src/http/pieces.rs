use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    body::{BodySize, MessageBody},
    web::Bytes,
};

/// Bytes of a piece.
const PIECE: usize = 32 * 1024;

/// A body that all who are sent it share. The server holds a copy of what it was given and could not write yet: of this
/// it is given one piece after the other, so that those who read slowly, or not at all, cost little.
pub(crate) struct Pieces(pub(crate) Bytes);

impl MessageBody for Pieces {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(u64::try_from(self.0.len()).unwrap_or(u64::MAX))
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let rest = &mut self.get_mut().0;
        let piece = rest.split_to(PIECE.min(rest.len()));
        Poll::Ready((!piece.is_empty()).then_some(Ok(piece)))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{body::to_bytes, rt};

    use super::*;

    #[test]
    fn the_pieces_are_the_whole_and_none_is_large() {
        for length in [0, 1, PIECE, PIECE + 1, 3 * PIECE] {
            let whole: Bytes = (0..=u8::MAX).cycle().take(length).collect();
            let read = rt::System::new().block_on(to_bytes(Pieces(whole.clone())));
            assert_eq!(read.unwrap(), whole);

            let (mut pieces, mut count) = (Pieces(whole), 0);
            let mut context = Context::from_waker(std::task::Waker::noop());
            while let Poll::Ready(Some(Ok(piece))) = Pin::new(&mut pieces).poll_next(&mut context) {
                assert!(piece.len() <= PIECE);
                count += 1;
            }
            assert_eq!(count, length.div_ceil(PIECE));
        }
    }
}

use super::{body::Pieces, column::Cells, varint};

/// Strings as they go over the wire: each behind its length, back to back.
#[derive(Clone, Debug, Default)]
pub(super) struct Strings {
    bytes: Vec<u8>,
    /// Where the row that is being written began.
    mark: usize,
}

impl Strings {
    pub(super) fn push(&mut self, text: &[u8]) {
        varint::put_bytes(&mut self.bytes, text);
    }
}

impl Cells for Strings {
    fn pad(&mut self, count: usize) {
        // an empty string is its length alone, one zero byte
        self.bytes.resize(self.bytes.len() + count, 0);
    }

    fn begin(&mut self) {
        self.mark = self.bytes.len();
    }

    fn rollback(&mut self) {
        self.bytes.truncate(self.mark);
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.mark = 0;
    }

    fn encode(&mut self, out: &mut Pieces<'_>) {
        out.hand_over(&mut self.bytes);
    }
}

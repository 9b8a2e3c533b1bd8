//! Large buffers that are used again. Fresh memory has to be cleared page by page, and tens of megabytes of it for
//! every batch cost more than filling them.

use std::{
    collections::VecDeque,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

/// Where buffers wait to be used again, up to so many bytes; the longest unused go first. A clone is the same place.
#[derive(Debug, Clone, Default)]
pub struct Buffers {
    /// Bytes that may be kept.
    limit: usize,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    buffers: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Buffers {
    /// Keeps buffers of up to `limit` bytes together. The default keeps none.
    pub fn up_to(limit: usize) -> Self {
        Self {
            limit,
            kept: Arc::default(),
        }
    }

    /// An empty buffer: the smallest that is kept and has room for `about` bytes, or a new one.
    pub fn take(&self, about: usize) -> Buffer {
        self.adopt(self.take_bytes(about))
    }

    pub(crate) fn take_bytes(&self, about: usize) -> Vec<u8> {
        self.with(|kept| kept.take(about)).unwrap_or_default()
    }

    /// These bytes as a buffer whose memory comes here when it is dropped.
    pub(crate) fn adopt(&self, bytes: Vec<u8>) -> Buffer {
        Buffer {
            bytes,
            home: self.clone(),
        }
    }

    fn give_back(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        if bytes.capacity() > 0 && self.limit > 0 {
            self.with(|kept| kept.keep(bytes, self.limit));
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn take(&mut self, about: usize) -> Option<Vec<u8>> {
        let fitting = self
            .buffers
            .iter()
            .enumerate()
            .filter(|(_, buffer)| buffer.capacity() >= about);
        let (index, _) = fitting.min_by_key(|(_, buffer)| buffer.capacity())?;
        let buffer = self.buffers.remove(index)?;
        self.bytes -= buffer.capacity();
        Some(buffer)
    }

    fn keep(&mut self, buffer: Vec<u8>, limit: usize) {
        self.bytes += buffer.capacity();
        self.buffers.push_back(buffer);
        while self.bytes > limit {
            let oldest = self.buffers.pop_front();
            self.bytes -= oldest.map_or(self.bytes, |oldest| oldest.capacity());
        }
    }
}

/// Bytes whose memory goes back to its [`Buffers`] when they are dropped.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    home: Buffers,
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.home.give_back(std::mem::take(&mut self.bytes));
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(buffers: &Buffers, bytes: usize) -> *const u8 {
        let mut buffer = buffers.take(bytes);
        buffer.reserve_exact(bytes);
        buffer.push(7);
        buffer.as_ptr()
    }

    #[test]
    fn memory_is_used_again_and_comes_back_empty() {
        let buffers = Buffers::up_to(10_000);
        let memory = used(&buffers, 1_000);
        let second = buffers.take(1_000);
        assert!(second.is_empty());
        assert_eq!(second.as_ptr(), memory);
        assert_ne!(buffers.take(1_000).as_ptr(), memory);
    }

    #[test]
    fn the_smallest_that_fits_is_taken() {
        let buffers = Buffers::up_to(10_000);
        let (large, small) = (
            buffers.adopt(Vec::with_capacity(4_000)),
            used(&buffers, 1_000),
        );
        drop(large);
        assert_eq!(buffers.take(900).as_ptr(), small);
        assert!(buffers.take(3_000).capacity() >= 4_000);
        assert_eq!(buffers.take(5_000).capacity(), 0);
    }

    #[test]
    fn the_longest_unused_make_room() {
        let buffers = Buffers::up_to(2_500);
        let three: Vec<_> = (0..3)
            .map(|_| buffers.adopt(Vec::with_capacity(1_000)))
            .collect();
        let first = three.first().map(|buffer| buffer.as_ptr());
        drop(three);
        let kept = [buffers.take(1_000), buffers.take(1_000)];
        assert!(kept.iter().all(|buffer| buffer.capacity() == 1_000));
        assert!(kept.iter().all(|buffer| Some(buffer.as_ptr()) != first));
        assert_eq!(buffers.take(1_000).capacity(), 0);
    }
}

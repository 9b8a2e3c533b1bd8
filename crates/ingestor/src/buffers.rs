//! Large buffers that are used again. Fresh memory has to be cleared page by page, and tens of megabytes of it for
//! every batch cost more than filling them.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

/// Buffers that are kept; more than are ever in use at once would be kept for nothing.
const KEPT: usize = 3;

/// Where buffers wait to be used again.
#[derive(Debug, Clone, Default)]
pub struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    /// An empty buffer, with the memory of one that was dropped if there is one.
    pub fn take(&self) -> Buffer {
        Buffer {
            bytes: self.kept(Vec::pop).unwrap_or_default(),
            home: self.clone(),
        }
    }

    fn give_back(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        self.kept(|kept| {
            if kept.len() < KEPT {
                kept.push(bytes);
            }
        });
    }

    fn kept<T>(&self, work: impl FnOnce(&mut Vec<Vec<u8>>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
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

    #[test]
    fn memory_is_used_again_and_comes_back_empty() {
        let buffers = Buffers::default();
        let mut first = buffers.take();
        first.extend_from_slice(&[7; 1000]);
        let memory = first.as_ptr();
        drop(first);
        let second = buffers.take();
        assert!(second.is_empty());
        assert_eq!(second.as_ptr(), memory);
        assert_ne!(buffers.take().as_ptr(), memory);
    }
}

//! How much of a thread's stack a read has used: queries ask queries, and a long chain of classes would overflow it.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::STACK_SIZE;

/// The stack of the thread that reads through one handle of the database.
#[derive(Debug, Default)]
pub(super) struct Stack {
    /// The address of the outermost frame seen.
    outermost: AtomicUsize,
}

impl Clone for Stack {
    /// Another handle may read on another thread.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Stack {
    /// Whether half of the stack is used up: time to answer "not known".
    pub(super) fn is_half_full(&self) -> bool {
        let marker = 0_u8;
        let here = std::ptr::from_ref(std::hint::black_box(&marker)).addr();
        let outermost = self.outermost.load(Ordering::Relaxed);
        // The stack grows downwards. Farther away than its size, the mark is one of another thread's.
        match outermost.checked_sub(here) {
            Some(used) if used <= STACK_SIZE => used > STACK_SIZE / 2,
            _ => {
                self.outermost.store(here, Ordering::Relaxed);
                false
            }
        }
    }
}

//! Whole flows over the real stack.

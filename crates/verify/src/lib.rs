//! Recomputes every aggregate and every partition's balance from the stored rows.

//! Definitions of metrics and analyses as SQL with typed results. Pure.

//! Postgres through diesel: lanes and batches of the ingestor.

//! Contracts between the processes: events, topics, money, ids, regions. No I/O.

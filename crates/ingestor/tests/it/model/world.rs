//! Members, PostgreSQL, ClickHouse and the network between them, with the rules of the protocol.

use std::collections::{BTreeSet, HashSet};

pub const MEMBERS: usize = 2;
pub const LANES: usize = 2;
/// Raw, domain and aggregate.
const TARGETS: usize = 3;

type BatchId = usize;

/// Which rules hold; all of them make the protocol.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// An insert is refused if its attempt was fenced off, or its life of the server is over.
    pub fence: bool,
    /// Whoever fences off ends what runs of the batch, and waits for its end.
    pub kill: bool,
    /// The life of the server is read before the attempt is stored.
    pub life_first: bool,
    /// A repair inserts only what is missing.
    pub look: bool,
    /// A batch is closed once everything was seen to be there.
    pub look_again: bool,
}

impl Rules {
    pub const PROTOCOL: Self = Self {
        fence: true,
        kill: true,
        life_first: true,
        look: true,
        look_again: true,
    };
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy)]
pub enum Outcome {
    Ok,
    /// It is done and the sender does not know.
    ReplyLost,
    /// It is on its way for longer than the sender waits.
    Late,
    /// The server dies to the request after so many parts.
    Torn(usize),
}

#[derive(Debug, Clone, Copy)]
pub enum Operation {
    /// `intake::gather`: the member reads on.
    Poll(usize, usize, u64),
    /// `Writer::life`.
    ReadLife(usize),
    /// `batches::advance`: epochs, `next = lo` and no other open batch guard each lane.
    Intent(usize),
    /// `Writer::write`, the first attempt.
    Insert(usize, Outcome),
    /// `batches::next_attempt`, by whoever has a batch to recover.
    Announce(usize),
    /// `fence::fence_off`.
    Fence(usize),
    /// `Writer::repair`.
    Repair(usize, Outcome),
    /// closing in `batches::advance`.
    Close(usize),
    /// A late request reaches the server.
    Arrive(usize),
    /// The server writes one more part of a running request.
    Advance(usize),
    /// The process is gone; what it sent is not.
    Crash(usize),
    /// `lanes::take_over`; the owner before may not hear of it, and is a zombie then.
    Rebalance(usize, usize, bool),
    /// ClickHouse is restarted.
    Restart,
}

#[derive(Debug, Default)]
struct Lane {
    next: u64,
    epoch: u32,
    open: Option<BatchId>,
}

#[derive(Debug)]
struct Batch {
    ranges: Vec<(usize, u64, u64)>,
    attempt: u32,
    done: bool,
}

#[derive(Debug, Clone)]
struct Request {
    batch: BatchId,
    attempt: u32,
    life: u32,
    targets: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Recovery {
    batch: BatchId,
    attempt: u32,
    life: u32,
    fenced: bool,
}

#[derive(Debug, Default, Clone)]
struct Member {
    /// Epoch, first offset not in a batch, next offset to read.
    lanes: [Option<(u32, u64, u64)>; LANES],
    life: Option<u32>,
    /// The open batch, its life, and whether the first attempt went well.
    open: Option<(BatchId, u32, bool)>,
    to_recover: Option<BatchId>,
    recovery: Option<Recovery>,
}

#[derive(Debug)]
pub struct World {
    rules: Rules,
    lanes: [Lane; LANES],
    batches: Vec<Batch>,
    members: Vec<Member>,
    life: u32,
    fenced: HashSet<(BatchId, u32)>,
    parts: Vec<(usize, BatchId)>,
    on_the_way: Vec<Request>,
    running: Vec<Request>,
}

impl World {
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            lanes: Default::default(),
            batches: Vec::new(),
            members: vec![Member::default(); MEMBERS],
            life: 0,
            fenced: HashSet::new(),
            parts: Vec::new(),
            on_the_way: Vec::new(),
            running: Vec::new(),
        }
    }

    /// Does the operation where it can happen, and sees that nothing is stored twice.
    pub fn apply(&mut self, operation: Operation) -> Result<(), String> {
        match operation {
            Operation::Poll(m, lane, count) => {
                if let Some((_, _, next)) = &mut self.members[m].lanes[lane] {
                    *next += count;
                }
            }
            Operation::ReadLife(m) => self.members[m].life = Some(self.life),
            Operation::Intent(m) => self.intent(m),
            Operation::Insert(m, outcome) => self.insert(m, outcome),
            Operation::Announce(m) => self.announce(m),
            Operation::Fence(m) => self.fence(m),
            Operation::Repair(m, outcome) => self.repair(m, outcome),
            Operation::Close(m) => self.close(m)?,
            Operation::Arrive(index) => {
                if index < self.on_the_way.len() {
                    let request = self.on_the_way.remove(index);
                    if self.lets_in(&request) {
                        self.running.push(request);
                    }
                }
            }
            Operation::Advance(index) => self.advance(index),
            Operation::Crash(m) => self.members[m] = Member::default(),
            Operation::Rebalance(lane, m, told) => self.rebalance(lane, m, told),
            Operation::Restart => {
                self.life += 1;
                self.fenced.clear();
                self.running.clear();
            }
        }
        let distinct: BTreeSet<_> = self.parts.iter().collect();
        if distinct.len() == self.parts.len() {
            Ok(())
        } else {
            Err(format!("stored twice: {:?}", self.parts))
        }
    }

    fn intent(&mut self, m: usize) {
        let member = &mut self.members[m];
        if member.open.is_some() || member.to_recover.is_some() {
            return;
        }
        let Some(life) = member.life.take() else {
            return;
        };
        let mut ranges = Vec::new();
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            let Some((epoch, lo, next)) = member.lanes[index] else {
                continue;
            };
            if epoch != lane.epoch || lane.next != lo || lane.open.is_some() {
                member.lanes[index] = None;
            } else if next > lo {
                ranges.push((index, lo, next - 1));
                member.lanes[index] = Some((epoch, next, next));
                lane.open = Some(self.batches.len());
            }
        }
        if !ranges.is_empty() {
            member.open = Some((self.batches.len(), life, false));
            self.batches.push(Batch {
                ranges,
                attempt: 1,
                done: false,
            });
        }
    }

    fn insert(&mut self, m: usize, outcome: Outcome) {
        let Some((batch, life, written)) = self.members[m].open else {
            return;
        };
        if written || self.members[m].to_recover.is_some() {
            return;
        }
        let life = if self.rules.life_first {
            life
        } else {
            self.life
        };
        let request = Request {
            batch,
            attempt: 1,
            life,
            targets: (0..TARGETS).collect(),
        };
        if self.send(request, outcome) {
            self.members[m].open = Some((batch, life, true));
        } else {
            self.members[m].to_recover = Some(batch);
        }
    }

    /// Whether the sender hears that it is done.
    fn send(&mut self, request: Request, outcome: Outcome) -> bool {
        if let Outcome::Late = outcome {
            self.on_the_way.push(request);
            return false;
        }
        if !self.lets_in(&request) {
            return false;
        }
        let parts = if let Outcome::Torn(parts) = outcome {
            parts
        } else {
            TARGETS
        };
        let written = request.targets.iter().take(parts);
        self.parts
            .extend(written.map(|target| (*target, request.batch)));
        matches!(outcome, Outcome::Ok)
    }

    fn lets_in(&self, request: &Request) -> bool {
        let is_fenced = self.fenced.contains(&(request.batch, request.attempt));
        !self.rules.fence || (request.life == self.life && !is_fenced)
    }

    fn advance(&mut self, index: usize) {
        let Some(request) = self.running.get_mut(index) else {
            return;
        };
        if request.targets.is_empty() {
            self.running.remove(index);
        } else {
            let target = request.targets.remove(0);
            self.parts.push((target, request.batch));
        }
    }

    fn announce(&mut self, m: usize) {
        let member = &mut self.members[m];
        let Some(batch) = member.to_recover else {
            return;
        };
        let stored = &mut self.batches[batch];
        if stored.done {
            member.to_recover = None;
            member.recovery = None;
            member.open = member.open.filter(|(open, ..)| *open != batch);
            return;
        }
        stored.attempt += 1;
        member.recovery = Some(Recovery {
            batch,
            attempt: stored.attempt,
            life: self.life,
            fenced: false,
        });
    }

    fn fence(&mut self, m: usize) {
        let Some(recovery) = &mut self.members[m].recovery else {
            return;
        };
        self.fenced
            .extend((1..recovery.attempt).map(|attempt| (recovery.batch, attempt)));
        recovery.fenced = true;
        if self.rules.kill {
            let batch = recovery.batch;
            self.running.retain(|request| request.batch != batch);
        }
    }

    fn repair(&mut self, m: usize, outcome: Outcome) {
        let Some(recovery) = self.members[m].recovery.filter(|recovery| recovery.fenced) else {
            return;
        };
        let Recovery {
            batch,
            attempt,
            life,
            ..
        } = recovery;
        let life = if self.rules.life_first {
            life
        } else {
            self.life
        };
        let missing = (0..TARGETS)
            .filter(|target| !self.rules.look || !self.parts.contains(&(*target, batch)));
        let request = Request {
            batch,
            attempt,
            life,
            targets: missing.collect(),
        };
        let heard = request.targets.is_empty() || self.send(request, outcome);
        if !heard && self.rules.look_again {
            self.members[m].recovery = None;
        }
    }

    fn close(&mut self, m: usize) -> Result<(), String> {
        let member = &self.members[m];
        let recovered = member
            .recovery
            .filter(|recovery| recovery.fenced)
            .map(|recovery| recovery.batch);
        let whole =
            |batch: &BatchId| (0..TARGETS).all(|target| self.parts.contains(&(target, *batch)));
        let recovered = recovered.filter(|batch| !self.rules.look_again || whole(batch));
        let written = member
            .open
            .filter(|(.., written)| *written)
            .map(|(batch, ..)| batch);
        let Some(batch) = recovered.or(written) else {
            return Ok(());
        };
        let member = &mut self.members[m];
        member.open = member.open.filter(|(open, ..)| *open != batch);
        if recovered.is_some() {
            (member.to_recover, member.recovery) = (None, None);
        }
        if std::mem::replace(&mut self.batches[batch].done, true) {
            return Ok(());
        }
        for (lane, lo, hi) in &self.batches[batch].ranges {
            let lane = &mut self.lanes[*lane];
            if lane.next != *lo {
                return Err(format!(
                    "batch {batch} begins at {lo}, its lane stands at {}",
                    lane.next
                ));
            }
            (lane.next, lane.open) = (hi + 1, None);
        }
        Ok(())
    }

    fn rebalance(&mut self, index: usize, m: usize, told: bool) {
        let lane = &mut self.lanes[index];
        lane.epoch += 1;
        for (other, member) in self.members.iter_mut().enumerate() {
            if told || other == m {
                member.lanes[index] = None;
            }
        }
        let member = &mut self.members[m];
        match lane.open {
            // the lane is read once its batch is closed, which another take-over of the model does
            Some(batch) if member.open.is_none() && member.to_recover.is_none() => {
                member.to_recover = Some(batch)
            }
            Some(_) => {}
            None => member.lanes[index] = Some((lane.epoch, lane.next, lane.next)),
        }
    }

    /// Everything calms down: a new member recovers what is open, what is on its way arrives at last, and all that
    /// was promised is there once.
    pub fn settle(&mut self) -> Result<(), String> {
        for batch in 0..self.batches.len() {
            self.members[0] = Member {
                to_recover: Some(batch),
                ..Member::default()
            };
            self.apply(Operation::Announce(0))?;
            self.apply(Operation::Fence(0))?;
            self.apply(Operation::Repair(0, Outcome::Ok))?;
            self.apply(Operation::Close(0))?;
        }
        while !self.on_the_way.is_empty() {
            self.apply(Operation::Arrive(0))?;
        }
        while !self.running.is_empty() {
            self.apply(Operation::Advance(0))?;
        }
        self.stored_is_what_lanes_say()
    }

    fn stored_is_what_lanes_say(&self) -> Result<(), String> {
        for target in 0..TARGETS {
            let mut stored: Vec<(usize, u64)> = Vec::new();
            for (_, batch) in self.parts.iter().filter(|(of, _)| *of == target) {
                for (lane, lo, hi) in &self.batches[*batch].ranges {
                    stored.extend((*lo..=*hi).map(|offset| (*lane, offset)));
                }
            }
            stored.sort_unstable();
            let lanes = self.lanes.iter().enumerate();
            let promised: Vec<_> = lanes
                .flat_map(|(index, lane)| (0..lane.next).map(move |at| (index, at)))
                .collect();
            if stored != promised {
                return Err(format!(
                    "target {target} has {stored:?} instead of {promised:?}"
                ));
            }
        }
        Ok(())
    }
}

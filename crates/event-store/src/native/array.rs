use super::{body::Pieces, column::Cells, low_cardinality::LowCardinality, text::Strings};

/// Arrays of strings: where each array ends, then all elements.
#[derive(Clone, Debug)]
pub(super) struct Arrays {
    ends: Vec<u64>,
    /// Elements so far; the end of the last array.
    count: u64,
    elements: Elements,
    /// `count` when the row that is being written began.
    mark: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Elements {
    Strings(Strings),
    LowCardinality(Box<LowCardinality>),
}

impl Arrays {
    pub(super) fn new(elements: Elements) -> Self {
        Self {
            ends: Vec::new(),
            count: 0,
            elements,
            mark: 0,
        }
    }

    pub(super) fn push<T: AsRef<[u8]>>(&mut self, texts: &[T]) {
        for text in texts {
            match &mut self.elements {
                Elements::Strings(strings) => strings.push(text.as_ref()),
                Elements::LowCardinality(strings) => strings.push(text.as_ref()),
            }
        }
        self.count += texts.len() as u64;
        self.ends.push(self.count);
    }

    fn elements(&mut self) -> &mut dyn Cells {
        match &mut self.elements {
            Elements::Strings(strings) => strings,
            Elements::LowCardinality(strings) => strings.as_mut(),
        }
    }

    pub(super) fn encode_prefix(&self, out: &mut Vec<u8>) {
        if matches!(self.elements, Elements::LowCardinality(_)) {
            LowCardinality::encode_prefix(out);
        }
    }
}

impl Cells for Arrays {
    fn pad(&mut self, count: usize) {
        self.ends.resize(self.ends.len() + count, self.count);
    }

    fn begin(&mut self) {
        self.mark = self.count;
        self.elements().begin();
    }

    fn rollback(&mut self) {
        self.ends.pop();
        self.count = self.mark;
        self.elements().rollback();
    }

    fn clear(&mut self) {
        self.ends.clear();
        self.count = 0;
        self.mark = 0;
        self.elements().clear();
    }

    fn encode(&mut self, out: &mut Pieces<'_>) {
        let ends = out.copied();
        ends.reserve(self.ends.len() * size_of::<u64>());
        for end in &self.ends {
            ends.extend_from_slice(&end.to_le_bytes());
        }
        self.elements().encode(out);
    }
}

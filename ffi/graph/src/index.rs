//! A graph and its vectors in one buffer.
//!
//! ```text
//! graph     see clawft-hnsw
//! vectors   4 x dim x capacity    rows of little-endian f32, by slot
//! scratch   what a walk works in; no part of a snapshot
//! ```
//!
//! Each begins at a multiple of 64 bytes. A byte copy of the first two is a
//! snapshot.

use clawft_hnsw::{Graph, Layout, Mode, Params, Probe, Report, Request, Scratch, Slot, Space};

/// What a call may find wrong. The numbers are those that the module returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Fault {
    /// Parameters out of their ranges, or an index of another shape.
    Params = -1,
    /// A pointer that is misaligned or leads outside the memory.
    Pointer = -2,
    /// The slot is not below the capacity.
    Slot = -3,
    /// The slot to insert is in use.
    InUse = -4,
    /// The slot to remove is free.
    Free = -5,
    /// The bytes are no sound graph.
    Corrupt = -6,
    /// `init` was not called.
    Unset = -7,
}

/// Where the parts of an index lie in its buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    layout: Layout,
    dim: usize,
    vectors: usize,
    scratch: usize,
    /// Bytes of the whole buffer.
    pub bytes: usize,
}

impl Shape {
    /// The shape for `params` and `dim` floats a vector.
    ///
    /// # Errors
    /// [`Fault::Params`].
    pub fn new(params: &Params, dim: u32) -> Result<Self, Fault> {
        let layout = Layout::new(params).filter(|_| dim != 0).ok_or(Fault::Params)?;
        let vectors = layout.bytes;
        let rows = u64::from(params.capacity) * 4 * u64::from(dim);
        let scratch = (vectors as u64 + rows).next_multiple_of(64);
        let words = Scratch::words(&layout, params.capacity) as u64;
        let bytes = scratch + 8 * words;
        if bytes > isize::MAX as u64 {
            return Err(Fault::Params);
        }
        let (scratch, bytes) = (scratch as usize, bytes as usize);
        Ok(Shape { layout, dim: dim as usize, vectors, scratch, bytes })
    }
}

/// Vectors by slot.
struct Rows<'a> {
    values: &'a [f32],
    dim: usize,
}

impl Rows<'_> {
    fn row(&self, slot: Slot) -> &[f32] {
        self.values.get(slot as usize * self.dim..).unwrap_or(&[])
    }

    fn measure(&self, query: &[f32], slots: &[Slot], out: &mut [f32]) {
        for (&slot, out) in slots.iter().zip(out) {
            *out = query.iter().zip(self.row(slot)).map(|(a, b)| (a - b) * (a - b)).sum();
        }
    }
}

impl Space for Rows<'_> {
    fn between(&mut self, slot: Slot, others: &[Slot], out: &mut [f32]) {
        let row = self.row(slot);
        self.measure(&row[..self.dim.min(row.len())], others, out);
    }
}

/// A query against the rows.
struct Query<'a> {
    rows: Rows<'a>,
    vector: &'a [f32],
}

impl Probe for Query<'_> {
    fn distances(&mut self, slots: &[Slot], out: &mut [f32]) {
        self.rows.measure(self.vector, slots, out);
    }
}

/// An index over a buffer.
pub struct Index<'a> {
    graph: Graph<&'a mut [u8]>,
    values: &'a mut [f32],
    words: &'a mut [u64],
    dim: usize,
}

impl<'a> Index<'a> {
    /// Makes an empty index in `buffer`, or, with `keep`, opens the one whose bytes
    /// are there, after a check of its graph.
    ///
    /// # Errors
    /// [`Fault::Params`] for a buffer that is misaligned, too short, or holds an index
    /// of another shape; [`Fault::Corrupt`].
    pub fn new(shape: &Shape, buffer: &'a mut [u8], keep: bool) -> Result<Self, Fault> {
        let buffer = buffer.get_mut(..shape.bytes).ok_or(Fault::Params)?;
        let (front, scratch) = buffer.split_at_mut(shape.scratch);
        let (graph, values) = front.split_at_mut(shape.vectors);
        let values = bytemuck::try_cast_slice_mut(values).map_err(|_| Fault::Params)?;
        let words = bytemuck::try_cast_slice_mut(scratch).map_err(|_| Fault::Params)?;
        let graph = if keep {
            let graph = Graph::open(graph).map_err(|_| Fault::Corrupt)?;
            if *graph.layout() != shape.layout {
                return Err(Fault::Params);
            }
            graph
        } else {
            Graph::init(shape.layout.params(), graph).map_err(|_| Fault::Params)?
        };
        Ok(Index { graph, values, words, dim: shape.dim })
    }

    /// Floats of a vector.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Stores `vector` in `slot`, which must be free.
    ///
    /// # Errors
    /// [`Fault::Params`] for a vector of another length, [`Fault::Slot`], [`Fault::InUse`].
    pub fn insert(&mut self, slot: Slot, vector: &[f32]) -> Result<(), Fault> {
        if vector.len() != self.dim {
            return Err(Fault::Params);
        }
        if slot >= self.graph.capacity() {
            return Err(Fault::Slot);
        }
        if self.graph.is_live(slot) {
            return Err(Fault::InUse);
        }
        let at = slot as usize * self.dim;
        self.values[at..at + self.dim].copy_from_slice(vector);
        let mut space = Rows { values: self.values, dim: self.dim };
        let mut probe = Query { rows: Rows { values: self.values, dim: self.dim }, vector };
        let layout = *self.graph.layout();
        let mut scratch = Scratch::new(&layout, self.words).ok_or(Fault::Params)?;
        let inserted = self.graph.insert(slot, &mut probe, &mut space, &mut scratch);
        inserted.map_err(|_| Fault::Params)
    }

    /// Writes the slots nearest to `vector` and their distances, nearest first, as many
    /// as both outputs hold; returns how many. A walk of width `ef`.
    ///
    /// # Errors
    /// [`Fault::Params`] for a vector of another length.
    pub fn search(
        &mut self,
        vector: &[f32],
        ef: usize,
        slots: &mut [Slot],
        distances: &mut [f32],
    ) -> Result<usize, Fault> {
        if vector.len() != self.dim {
            return Err(Fault::Params);
        }
        let k = slots.len().min(distances.len());
        let layout = *self.graph.layout();
        let mut scratch = Scratch::new(&layout, self.words).ok_or(Fault::Params)?;
        let mut probe = Query { rows: Rows { values: self.values, dim: self.dim }, vector };
        let request = Request { k, ef, mode: Mode::Walk, scan_limit: 0, filter: None };
        let found = self.graph.search(&mut probe, &request, &mut scratch).min(k);
        let places = slots.iter_mut().zip(distances);
        for ((slot, distance), found) in places.zip(scratch.candidates(found)) {
            (*slot, *distance) = found;
        }
        Ok(found)
    }

    /// Removes `slot` and repairs the lists that led to it.
    ///
    /// # Errors
    /// [`Fault::Slot`], [`Fault::Free`].
    pub fn remove(&mut self, slot: Slot) -> Result<(), Fault> {
        if slot >= self.graph.capacity() {
            return Err(Fault::Slot);
        }
        let mut space = Rows { values: self.values, dim: self.dim };
        self.graph.remove(slot, &mut space).map_err(|_| Fault::Free)
    }

    /// Checks every invariant and counts what no walk reaches.
    ///
    /// # Errors
    /// [`Fault::Params`] if the scratch is too small.
    pub fn verify(&mut self) -> Result<Report, Fault> {
        let layout = *self.graph.layout();
        let mut scratch = Scratch::new(&layout, self.words).ok_or(Fault::Params)?;
        Ok(self.graph.verify(&mut scratch))
    }
}

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
//!
//! Why: what a snapshot needs lies in front, in one piece. Scratch lies behind it, and is
//! as large as the widest walk can need: no call allocates, whatever its ef.
//!
//! What it must never do: write the row of a slot that is in use. Its links were chosen by the
//! distances of the row that is there.

use clawft_hnsw::insert::SlotError;
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
    /// The bytes are no sound graph of these parameters.
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
    values: &'a mut [f32],
    dim: usize,
}

impl Rows<'_> {
    fn measure(&self, query: &[f32], slots: &[Slot], out: &mut [f32]) {
        for (&slot, out) in slots.iter().zip(out) {
            let row = self.values.get(slot as usize * self.dim..).unwrap_or(&[]);
            *out = query.iter().zip(row).map(|(a, b)| (a - b) * (a - b)).sum();
        }
    }
}

impl Space for &Rows<'_> {
    fn between(&mut self, slot: Slot, others: &[Slot], out: &mut [f32]) {
        let at = slot as usize * self.dim;
        self.measure(self.values.get(at..at + self.dim).unwrap_or(&[]), others, out);
    }
}

/// The rows, and what is looked for among them.
struct Query<'a>(&'a Rows<'a>, &'a [f32]);

impl Probe for Query<'_> {
    fn distances(&mut self, slots: &[Slot], out: &mut [f32]) {
        self.0.measure(self.1, slots, out);
    }
}

/// An index over a buffer.
pub struct Index<'a> {
    graph: Graph<&'a mut [u8]>,
    rows: Rows<'a>,
    scratch: Scratch<'a>,
}

impl<'a> Index<'a> {
    /// Makes an empty index in `buffer`, or, with `keep`, opens the one whose bytes
    /// are there, after a check of its graph.
    ///
    /// # Errors
    /// [`Fault::Params`] for a buffer that is misaligned or too short; [`Fault::Corrupt`].
    pub fn new(shape: &Shape, buffer: &'a mut [u8], keep: bool) -> Result<Self, Fault> {
        let mut index = Self::over(shape, buffer)?;
        if keep {
            index.check()?
        } else {
            index.clear()
        }
        Ok(index)
    }

    /// The index that `buffer` holds, which [`Index::new`] has passed: its contents are not
    /// checked again.
    ///
    /// # Errors
    /// [`Fault::Params`] for a buffer that is misaligned or too short.
    pub fn over(shape: &Shape, buffer: &'a mut [u8]) -> Result<Self, Fault> {
        let (front, scratch) = buffer.split_at_mut_checked(shape.scratch).ok_or(Fault::Params)?;
        let (graph, values) = front.split_at_mut_checked(shape.vectors).ok_or(Fault::Params)?;
        let scratch = scratch.get_mut(..shape.bytes - shape.scratch).ok_or(Fault::Params)?;
        let graph = Graph::over(&shape.layout, graph).map_err(|_| Fault::Params)?;
        let values = bytemuck::try_cast_slice_mut(values).map_err(|_| Fault::Params)?;
        let words = bytemuck::try_cast_slice_mut(scratch).map_err(|_| Fault::Params)?;
        let scratch = Scratch::new(&shape.layout, words).ok_or(Fault::Params)?;
        Ok(Index { graph, rows: Rows { values, dim: shape.dim }, scratch })
    }

    /// Empties the index.
    pub fn clear(&mut self) {
        self.graph.clear();
    }

    /// Checks the bytes of the graph.
    ///
    /// # Errors
    /// [`Fault::Corrupt`].
    pub fn check(&self) -> Result<(), Fault> {
        self.graph.check().map_err(|_| Fault::Corrupt)
    }

    /// Floats of a vector.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.rows.dim
    }

    /// Stores `vector` in `slot`, which must be free.
    ///
    /// # Errors
    /// [`Fault::Params`] for a vector of another length, [`Fault::Slot`], [`Fault::InUse`].
    pub fn insert(&mut self, slot: Slot, vector: &[f32]) -> Result<(), Fault> {
        let dim = self.dim();
        if vector.len() != dim {
            return Err(Fault::Params);
        }
        // Another slot is refused below: its row would be that of one that is there, where the product
        // of 32 bits wraps.
        if slot < self.graph.capacity() && !self.graph.is_live(slot) {
            let row = self.rows.values.get_mut(slot as usize * dim..).unwrap_or(&mut []);
            for (value, &given) in row.iter_mut().zip(vector) {
                *value = given;
            }
        }
        let rows = &self.rows;
        let (mut probe, mut space) = (Query(rows, vector), rows);
        self.graph.insert(slot, &mut probe, &mut space, &mut self.scratch).map_err(fault)
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
        if vector.len() != self.dim() {
            return Err(Fault::Params);
        }
        let k = slots.len().min(distances.len());
        let mut probe = Query(&self.rows, vector);
        let request = Request { k, ef, mode: Mode::Walk, scan_limit: 0, filter: None };
        let found = self.graph.search(&mut probe, &request, &mut self.scratch).min(k);
        let places = slots.iter_mut().zip(distances);
        for ((slot, distance), found) in places.zip(self.scratch.candidates(found)) {
            (*slot, *distance) = found;
        }
        Ok(found)
    }

    /// Removes `slot` and repairs the lists that led to it.
    ///
    /// # Errors
    /// [`Fault::Slot`], [`Fault::Free`].
    pub fn remove(&mut self, slot: Slot) -> Result<(), Fault> {
        self.graph.remove(slot, &mut &self.rows).map_err(fault)
    }

    /// Checks every invariant and counts what no walk reaches.
    pub fn verify(&mut self) -> Report {
        self.graph.verify(&mut self.scratch)
    }

    /// How many slots no walk reaches, in an index that is sound.
    ///
    /// # Errors
    /// [`Fault::Corrupt`] if it is not.
    pub fn unreachable(&mut self) -> Result<u32, Fault> {
        self.check()?;
        Ok(self.graph.unreachable(&mut self.scratch))
    }
}

fn fault(error: SlotError) -> Fault {
    match error {
        SlotError::OutOfRange { .. } => Fault::Slot,
        SlotError::InUse(_) => Fault::InUse,
        SlotError::Free(_) => Fault::Free,
        _ => Fault::Params,
    }
}

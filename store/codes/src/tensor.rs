//! A tensor over time: frames of one shape, in segments that share their scales.
//!
//! States that change slowly, such as the activations of a model or the readings of sensors,
//! have groups that keep their size from frame to frame. So the scales are written once for a
//! segment, with some headroom, and a frame is nothing but packed levels. A frame ends the
//! segment when it no longer fits: when a component would be cut off, or when the shared steps
//! would make its error bound more than [`Drift::coarse`] times what steps of its own would.
//! Then the next segment begins with it. Every frame holds its bound whatever came before.
//!
//! ```text
//!  0  magic "clawftTS"    8  version: u16    10  bits: u8    11  0      12  dim: u32
//! 16  frames: u32        20  segments: u32   24  capacity: u64
//! 32  headroom: f32      36  coarse: f32     40  zeros
//! 64  frames x (groups x levels, packed as in `pack`)
//!     room left
//!     segments x (first frame: u32, scale: f32, groups x scale: f16), the last one first
//!     capacity
//! ```
//!
//! Frames have one size, so that any of them is found at once; its segment by bisection. The
//! bytes are the caller's: nothing is allocated, and a copy is a snapshot. Little-endian.
//!
//! Records of segments grow from the end towards the frames, as nobody knows beforehand how many
//! there will be of either: so none is ever moved to make room.
//!
//! What it must never do: change the scales of a segment once a frame lies in it, or write
//! before the last check of a push.

use crate::arith;
use crate::f16_code::widen;
use crate::pack::{GROUP, Width};
use crate::tiered::{decode_group, encode_group, half_a_step, power_of_two, scale_bits};

const MAGIC: [u8; 8] = *b"clawftTS";
const VERSION: u16 = 1;
const HEADER: usize = 64;
/// Bytes of a segment's record before its groups.
const RECORD: usize = 8;
/// The largest number of components of a frame.
pub const MAX_FRAME: usize = 1 << 20;
/// Components may be so large: 2^120.
pub const LARGEST: f32 = f32::from_bits((120 + 127) << 23);
const MAX_HEADROOM: f32 = 16.0;

/// When a segment ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// How much larger than its first frame a segment's ranges are: 1 to 16.
    pub headroom: f32,
    /// How many times the error bound of scales of its own a frame may have: above `headroom`.
    pub coarse: f32,
}

impl Default for Drift {
    /// A quarter of headroom, and at worst one bit lost.
    fn default() -> Self {
        Drift { headroom: 1.25, coarse: 2.0 }
    }
}

impl Drift {
    fn is_sound(self) -> bool {
        (1.0..=MAX_HEADROOM).contains(&self.headroom)
            && self.coarse > self.headroom
            && self.coarse < f32::INFINITY
    }
}

/// Why a call was refused. The tensor is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TensorError {
    /// A frame has another number of components, or a tensor would have none or too many.
    Dimension {
        /// Components of a frame; the most there may be where the tensor has none yet.
        expected: u32,
        /// Components found.
        found: u32,
    },
    /// A component is no number, or beyond [`LARGEST`].
    NotFinite {
        /// The first such component.
        index: u32,
    },
    /// Headroom or coarseness out of range.
    Drift,
    /// There is no room for another frame, or for so many bytes.
    Full {
        /// Bytes needed.
        needed: u64,
        /// Bytes that there are.
        capacity: u64,
    },
    /// There is no such frame.
    NoFrame {
        /// Frames in the tensor.
        frames: u32,
    },
    /// The bytes are no tensor of this version, or a damaged one; the sentence says what is
    /// wrong.
    Corrupt(&'static str),
}

impl TensorError {
    /// The sentence of the error, with a `#` for each of the numbers.
    pub const fn sentence(self) -> (&'static str, [u64; 2]) {
        match self {
            TensorError::Dimension { expected, found } => {
                ("a frame of # components expected, # found", [expected as u64, found as u64])
            }
            TensorError::NotFinite { index } => {
                ("component # is no number, or too large", [index as u64, 0])
            }
            TensorError::Drift => ("a headroom of 1 to 16 expected, below the coarseness", [0, 0]),
            TensorError::Full { needed, capacity } => {
                ("# bytes needed, # there", [needed, capacity])
            }
            TensorError::NoFrame { frames } => ("no such frame: there are #", [frames as u64, 0]),
            TensorError::Corrupt(what) => (what, [0, 0]),
        }
    }
}

/// Frames over time, in the caller's bytes; see [the module](self).
#[derive(Clone, Copy, Debug)]
pub struct Tensor<B> {
    bytes: B,
    width: Width,
    dim: usize,
}

/// What a frame asks of its scales, a group at a time.
fn largest(v: &[f32]) -> impl Iterator<Item = (f32, f32)> + '_ {
    v.chunks(GROUP).map(|group| (arith::max_abs(group), group.len() as f32))
}

/// Bytes that `frames` frames in `segments` segments take: what a buffer must hold.
pub const fn tensor_bytes(width: Width, dim: usize, frames: u32, segments: u32) -> u64 {
    let groups = dim.div_ceil(GROUP) as u64;
    HEADER as u64
        + frames as u64 * groups * width.group_bytes() as u64
        + segments as u64 * (RECORD as u64 + 2 * groups)
}

impl<B: AsRef<[u8]>> Tensor<B> {
    /// Opens the bytes of a tensor, once all that the calls rely on is checked.
    ///
    /// # Errors
    /// [`TensorError::Corrupt`].
    pub fn open(bytes: B) -> Result<Self, TensorError> {
        let fail = |what| Err(TensorError::Corrupt(what));
        let all = bytes.as_ref();
        if all.get(..8) != Some(&MAGIC) || all.len() < HEADER {
            return fail("expected a tensor");
        }
        let version = u16::from_le_bytes([all[8], all[9]]);
        let (Some(width), dim) = (Width::from_bits(all[10]), u32_at(all, 12) as usize) else {
            return fail("a width that there is not");
        };
        if version != VERSION {
            return fail("a tensor of another version");
        }
        if dim == 0 || dim > MAX_FRAME || !drift_of(all).is_sound() {
            return fail("a dimension or a drift out of range");
        }
        let tensor = Tensor { bytes, width, dim };
        if tensor.capacity() > tensor.all().len() as u64 {
            return fail("fewer bytes than the header says");
        }
        let (frames, segments) = (tensor.len(), tensor.segments());
        if tensor.used() > tensor.capacity()
            || segments > frames
            || (segments == 0) != (frames == 0)
        {
            return fail("more frames or segments than there is room");
        }
        let mut last = None;
        for segment in 0..segments {
            let record = tensor.record(segment);
            let first = u32_at(record, 0);
            let ascends = last.map_or(first == 0, |last| first > last && first < frames);
            let scale = f32_at(record, 4);
            let mut steps = record[RECORD..].as_chunks::<2>().0.iter();
            if !ascends {
                return fail("segments out of order");
            }
            if scale != power_of_two(scale) || steps.any(|&s| u16::from_le_bytes(s) >= 31 << 10) {
                return fail("a scale that is none");
            }
            last = Some(first);
        }
        Ok(tensor)
    }

    /// Bits a component.
    pub fn width(&self) -> Width {
        self.width
    }

    /// Components of a frame.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Frames in the tensor.
    pub fn len(&self) -> u32 {
        u32_at(self.all(), 16)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Segments: how often the scales were renewed.
    pub fn segments(&self) -> u32 {
        u32_at(self.all(), 20)
    }

    /// When a segment ends.
    pub fn drift(&self) -> Drift {
        drift_of(self.all())
    }

    /// Bytes in use, the header's with them: what [`fit`](Self::fit) can shrink it to.
    pub fn used(&self) -> u64 {
        tensor_bytes(self.width, self.dim, self.len(), self.segments())
    }

    /// The bytes that the tensor lies in, and those behind it.
    pub fn bytes(&self) -> &[u8] {
        self.all()
    }

    /// Bytes that the tensor lies in.
    pub fn capacity(&self) -> u64 {
        u64::from(u32_at(self.all(), 24)) | u64::from(u32_at(self.all(), 28)) << 32
    }

    /// Writes a frame's components into `out`.
    ///
    /// # Errors
    /// [`TensorError::NoFrame`], [`TensorError::Dimension`].
    pub fn get(&self, frame: u32, out: &mut [f32]) -> Result<(), TensorError> {
        let record = self.record_of(frame)?;
        self.check_dim(out.len())?;
        let at = HEADER + frame as usize * self.frame_bytes();
        let groups = self.all()[at..at + self.frame_bytes()].chunks_exact(self.width.group_bytes());
        for ((out, packed), step) in out.chunks_mut(GROUP).zip(groups).zip(steps(record)) {
            decode_group(self.width, packed, step, out);
        }
        Ok(())
    }

    /// Bound on the Euclidean distance between a frame as it was pushed and as it is got: half
    /// a step a component.
    ///
    /// # Errors
    /// [`TensorError::NoFrame`].
    pub fn error_bound(&self, frame: u32) -> Result<f32, TensorError> {
        let record = self.record_of(frame)?;
        let scale = f32_at(record, 4);
        let sizes = (0..self.dim).step_by(GROUP).map(|begin| (self.dim - begin).min(GROUP) as f32);
        let mut squares = 0.0;
        // Relative to the segment's scale, so that no square is too small or too large.
        for (step, size) in relative(record).zip(sizes) {
            squares += step * step * size;
        }
        Ok(half_a_step(scale * arith::sqrt(squares), self.dim))
    }

    /// The segment that a frame is in.
    ///
    /// # Errors
    /// [`TensorError::NoFrame`].
    pub fn segment_of(&self, frame: u32) -> Result<u32, TensorError> {
        if frame >= self.len() {
            return Err(TensorError::NoFrame { frames: self.len() });
        }
        let (mut low, mut high) = (0, self.segments());
        while high - low > 1 {
            let middle = low.midpoint(high);
            if u32_at(self.record(middle), 0) <= frame {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    fn record_of(&self, frame: u32) -> Result<&[u8], TensorError> {
        Ok(self.record(self.segment_of(frame)?))
    }

    fn all(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    fn frame_bytes(&self) -> usize {
        self.dim.div_ceil(GROUP) * self.width.group_bytes()
    }

    fn record_bytes(&self) -> usize {
        RECORD + 2 * self.dim.div_ceil(GROUP)
    }

    fn record(&self, segment: u32) -> &[u8] {
        let end = self.capacity() as usize - segment as usize * self.record_bytes();
        &self.all()[end - self.record_bytes()..end]
    }

    fn check_dim(&self, found: usize) -> Result<(), TensorError> {
        if found == self.dim {
            return Ok(());
        }
        Err(TensorError::Dimension { expected: self.dim as u32, found: clip(found) })
    }

    /// Whether the last segment serves this frame.
    fn fits(&self, v: &[f32]) -> bool {
        let Some(last) = self.segments().checked_sub(1) else { return false };
        let record = self.record(last);
        let (scale, most) = (f32_at(record, 4), self.width.most() as f32);
        if scale == 0.0 {
            return power_of_two(arith::max_abs(v)) == 0.0;
        }
        let (mut shared, mut own) = (0.0, 0.0);
        for (step, (largest, size)) in relative(record).zip(largest(v)) {
            let needed = largest / scale / most;
            if step < needed {
                return false;
            }
            shared += step * step * size;
            own += needed * needed * size;
        }
        let coarse = self.drift().coarse;
        shared <= coarse * coarse * own
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Tensor<B> {
    /// Makes an empty tensor of all of `bytes`.
    ///
    /// # Errors
    /// [`TensorError::Dimension`], [`TensorError::Drift`]; [`TensorError::Full`] where not even
    /// the header has room.
    pub fn create(
        mut bytes: B,
        dim: usize,
        width: Width,
        drift: Drift,
    ) -> Result<Self, TensorError> {
        if dim == 0 || dim > MAX_FRAME {
            let (expected, found) = (MAX_FRAME as u32, clip(dim));
            return Err(TensorError::Dimension { expected, found });
        }
        if !drift.is_sound() {
            return Err(TensorError::Drift);
        }
        let all = bytes.as_mut();
        let capacity = all.len() as u64;
        if capacity < HEADER as u64 {
            return Err(TensorError::Full { needed: HEADER as u64, capacity });
        }
        all.fill(0);
        all[..8].copy_from_slice(&MAGIC);
        all[8..10].copy_from_slice(&VERSION.to_le_bytes());
        all[10] = width as u8;
        all[12..16].copy_from_slice(&(dim as u32).to_le_bytes());
        all[24..32].copy_from_slice(&capacity.to_le_bytes());
        all[32..36].copy_from_slice(&drift.headroom.to_le_bytes());
        all[36..40].copy_from_slice(&drift.coarse.to_le_bytes());
        Ok(Tensor { bytes, width, dim })
    }

    /// Adds a frame; returns its number.
    ///
    /// # Errors
    /// [`TensorError::Dimension`], [`TensorError::NotFinite`], [`TensorError::Full`].
    pub fn push(&mut self, v: &[f32]) -> Result<u32, TensorError> {
        self.check_dim(v.len())?;
        if let Some(index) = v.iter().position(|x| x.is_nan() || x.abs() > LARGEST) {
            return Err(TensorError::NotFinite { index: index as u32 });
        }
        let (frame, mut segments) = (self.len(), self.segments());
        let fits = self.fits(v);
        segments += u32::from(!fits);
        let frames = frame.checked_add(1).ok_or(TensorError::NoFrame { frames: frame })?;
        let needed = tensor_bytes(self.width, self.dim, frames, segments);
        if needed > self.capacity() {
            return Err(TensorError::Full { needed, capacity: self.capacity() });
        }
        if !fits {
            self.write_record(segments - 1, frame, v);
        }
        let (width, frame_bytes, record_bytes) =
            (self.width, self.frame_bytes(), self.record_bytes());
        let end = self.capacity() as usize - (segments as usize - 1) * record_bytes;
        let (rest, record) = self.bytes.as_mut()[..end].split_at_mut(end - record_bytes);
        let at = HEADER + frame as usize * frame_bytes;
        let packed = rest[at..at + frame_bytes].chunks_exact_mut(width.group_bytes());
        for ((v, packed), step) in v.chunks(GROUP).zip(packed).zip(steps(record)) {
            encode_group(width, v, step, packed);
        }
        self.bytes.as_mut()[16..20].copy_from_slice(&frames.to_le_bytes());
        self.bytes.as_mut()[20..24].copy_from_slice(&segments.to_le_bytes());
        Ok(frame)
    }

    /// Writes the record of a segment that begins with the frame `v`.
    fn write_record(&mut self, segment: u32, frame: u32, v: &[f32]) {
        let headroom = self.drift().headroom;
        let (width, bytes) = (self.width, self.record_bytes());
        let end = self.capacity() as usize - segment as usize * bytes;
        let record = &mut self.bytes.as_mut()[end - bytes..end];
        let scale = power_of_two(arith::max_abs(v));
        record[..4].copy_from_slice(&frame.to_le_bytes());
        record[4..8].copy_from_slice(&scale.to_le_bytes());
        for (place, (largest, _)) in record[RECORD..].as_chunks_mut().0.iter_mut().zip(largest(v)) {
            let bits = if scale > 0.0 { scale_bits(width, largest / scale * headroom) } else { 0 };
            *place = bits.to_le_bytes();
        }
    }

    /// Makes the tensor lie in the first `capacity` of its bytes: fewer to keep or send it,
    /// more to go on.
    ///
    /// # Errors
    /// [`TensorError::Full`] where that is less than is used or more than there is.
    pub fn fit(&mut self, capacity: u64) -> Result<(), TensorError> {
        let (used, available) = (self.used(), self.all().len() as u64);
        if capacity < used || capacity > available {
            let needed = used.max(capacity);
            return Err(TensorError::Full { needed, capacity: available.min(capacity) });
        }
        let bytes = self.segments() as usize * self.record_bytes();
        let frames = used as usize - bytes;
        let (from, to) = (self.capacity() as usize - bytes, capacity as usize - bytes);
        let all = self.bytes.as_mut();
        all.copy_within(from..from + bytes, to);
        all[frames..to].fill(0);
        all[to + bytes..].fill(0);
        all[24..32].copy_from_slice(&capacity.to_le_bytes());
        Ok(())
    }
}

/// The steps of a segment's groups.
fn steps(record: &[u8]) -> impl Iterator<Item = f32> {
    let scale = f32_at(record, 4);
    relative(record).map(move |step| step * scale)
}

/// The same relative to the segment's scale.
fn relative(record: &[u8]) -> impl Iterator<Item = f32> {
    let steps = record.get(RECORD..).unwrap_or_default().as_chunks::<2>().0;
    steps.iter().map(|&step| widen(u16::from_le_bytes(step)))
}

fn drift_of(bytes: &[u8]) -> Drift {
    Drift { headroom: f32_at(bytes, 32), coarse: f32_at(bytes, 36) }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_le_bytes(*four))
}

fn f32_at(bytes: &[u8], at: usize) -> f32 {
    f32::from_bits(u32_at(bytes, at))
}

/// A count for an error: the largest `u32` where it is larger.
fn clip(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;

//! Opening: the file, then what is derived from it, read or built anew.
//!
//! Why in this order: what is beside counts only for the version that the file turns out to be
//! at. Its counts of uses are taken over from any version, as the latest stand nowhere else.
//!
//! What it must never do: refuse for what is wrong with the file beside, or write there:
//! saving does.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use clawft_vectors::Error::{NotFinite, ZeroVector};
use clawft_vectors::tier_policy::{Policy, Tier};
use clawft_vectors::{Encoding, Image, Metric, Params, required_bytes};

use super::buffer::{Buffer, wipe};
use super::catalog::{Catalog, Entry};
use super::error::{Refusal, kept};
use super::{Error, Memory, saved};
use crate::lexical::Index;
use crate::read::Stored;
use crate::record::get_vector;
use crate::room;
use crate::sorted::Sorted;
use crate::storage::Storage;
use crate::{Damage, DamageKind, DurableFile, Lease, Options};

/// How a memory is opened.
#[derive(Clone, Copy, Debug)]
pub struct MemoryOptions {
    /// The file.
    pub file: Options,
    /// Records that are to fit; one that has more already fits those, and what was saved with up to twice
    /// the room keeps it.
    pub capacity: u32,
    /// Encoding of the vectors in memory; the file has them as they were given. `None`: by the
    /// file's dimension, 8-bit codes from 128 on and `f32` below.
    pub encoding: Option<Encoding>,
    /// Bytes that the image of the vectors may take. With a limit they have tiers, and as many of
    /// them are hot at a time as have room beside the others, cold; 8-bit codes only. `None`: no
    /// tiers, and room for all.
    pub image: Option<usize>,
    /// Which tier a record deserves.
    pub policy: Policy,
    /// Bytes that the index of words may take. What was accepted is taken in when it is opened,
    /// however much that is: the same words may take twice as much in other slots. Until enough is
    /// forgotten nothing is accepted then for which it would have to grow.
    pub words: usize,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        MemoryOptions {
            file: Options::default(),
            capacity: 10_000,
            encoding: Some(Encoding::I8),
            image: None,
            policy: Policy::default(),
            words: 4 << 20,
        }
    }
}

/// Where the derived parts came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Derived {
    /// There was nothing to derive them from.
    #[default]
    New,
    /// From the file beside.
    Read,
    /// From the records, as there was no file beside.
    Missing,
    /// From the records, as the file beside was of another version of them, or made for another
    /// encoding, a smaller capacity, or one more than twice as large.
    Stale,
    /// From the records, as the file beside was damaged.
    Damaged,
}

impl Memory {
    /// Opens a memory, or creates it where the options say so. Where what is derived must be
    /// built anew, `progress` is told after each record how many are done, and of how many. A record
    /// that is damaged, or whose vector cannot be compared, is left out, and stands in
    /// [`Report::damaged`](crate::Report::damaged).
    ///
    /// # Errors
    /// Those of [`DurableFile::open`]; [`Error::Vectors`] where the records do not fit into an
    /// image, or all of them, cold, not into its limit; [`Error::Memory`].
    pub fn open(
        storage: Box<dyn Storage>,
        name: &str,
        options: &MemoryOptions,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, Error> {
        Ok(Self::open_leased(storage, name, options, None, progress)?)
    }

    /// As [`open`](Self::open), under a lease, which the memory holds from then on: where another
    /// writer has taken it meanwhile, nothing is put in place.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and [`Conflict`](crate::Error::Conflict).
    pub fn open_leased(
        storage: Box<dyn Storage>,
        name: &str,
        options: &MemoryOptions,
        lease: Option<Lease>,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, Refusal> {
        let mut memory = Self::blank(storage, name, options);
        memory.file.lease = lease;
        memory.open_here(options, progress)?;
        Ok(memory)
    }

    /// What becomes a memory where it stays, by [`open_here`](Self::open_here): it is large, and each
    /// copy on its way would weigh. Until then nothing but a lease may be asked of it.
    pub fn blank(storage: Box<dyn Storage>, name: &str, options: &MemoryOptions) -> Self {
        Memory {
            file: DurableFile::new(storage, name, &options.file),
            image: Image::blank(Buffer::default()),
            words: Index::new(options.words, 0),
            catalog: Catalog::default(),
            policy: options.policy,
            changed: Sorted::default(),
            stale: false,
            unsound: false,
            half_undone: false,
            scratch: Vec::new(),
            word_scratch: crate::lexical::Scratch::default(),
            derived: Derived::New,
        }
    }

    /// Takes the lease of the file, for a memory that is not open yet: see [`Lease::take`].
    ///
    /// # Errors
    /// Those of [`Lease::take`].
    pub fn take_lease(&mut self, nonce: u64, now: u64, duration: u64) -> Result<(), Refusal> {
        let lease = Lease::new(&self.file.names.base, nonce, now, duration);
        lease.seize(&*self.file.storage, now)?;
        self.file.lease = Some(lease);
        Ok(())
    }

    /// Ends a memory that could not be opened: its files are closed, and its lease is given back. One
    /// that stays runs out.
    pub fn give_up(mut self) {
        self.file.close_files();
        let _ = self.file.release();
    }

    /// Opens a [blank](Self::blank) memory, with the same options, under the lease that it has.
    ///
    /// # Errors
    /// Those of [`open_leased`](Self::open_leased); the memory is then good for nothing.
    #[inline(never)]
    pub fn open_here(
        &mut self,
        options: &MemoryOptions,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(), Refusal> {
        open_or_create(&mut self.file, options)?;
        let Memory { file, image, words, catalog, .. } = self;
        let mut params = Params::new(file.dim() as u32, 0);
        let bytes = image_for(options, file.len() as u32, file.metric(), &mut params)?;
        let seed = seed_of(&file.version().file_id);
        words.seed = seed;
        if !file.is_empty() {
            match saved::read(file, options, &params, image, words, catalog) {
                Ok(()) => {
                    self.derived = Derived::Read;
                    let is_whole = image.len() as usize == file.len();
                    return if is_whole { Ok(()) } else { self.build(progress) };
                }
                Err(why) => self.derived = why,
            }
            // Their memory is for those that are built anew.
            *image = Image::blank(Buffer::default());
            *words = Index::new(options.words, seed);
            catalog.0.clear();
        }
        *image = Image::blank(Buffer::new(bytes)?);
        kept(image.create_here(&params))?;
        self.stale = true;
        self.build(progress)
    }

    /// Derives from the records what is not there yet. With tiers all are cold at first, which always
    /// fits: ticks bring those back that deserve it.
    #[inline(never)]
    fn build(&mut self, progress: &mut dyn FnMut(usize, usize)) -> Result<(), Refusal> {
        let all = self.file.len() - self.image.len() as usize;
        let (mut from, mut done) = (Some(0), 0);
        self.image.set_arrival(Tier::Cold);
        while let Some(id) = from.and_then(|from| self.file.next(from)) {
            if self.image.slot(id).is_none() {
                self.derive(id)?;
                done += 1;
                progress(done, all);
            }
            from = id.checked_add(1);
        }
        self.image.set_arrival(Tier::Hot);
        if self.derived == Derived::Read {
            // It has those counts already: to count them anew would forget since when.
            return Ok(());
        }
        // Of another version, but the records that it counts uses of may be the same.
        for (_, old) in saved::last_catalog(&self.file).iter() {
            if self.entry(old.id).is_some_and(|entry| entry.created == old.created) {
                self.recount(old.id, old.uses, old.last_used);
            }
        }
        Ok(())
    }

    /// Derives one record, which nothing derived has yet. One that is damaged, or whose vector cannot
    /// be compared, is noted in the file's report, and found by its vector where only its text is
    /// damaged: were it refused, all others would be as good as lost, and it could not be removed.
    pub(super) fn derive(&mut self, id: u64) -> Result<(), Refusal> {
        let (mut record, mut vector) = (Stored::NONE, Vec::new());
        if let Some(damage) = self.read(id, &mut record, &mut vector)? {
            self.file.note(damage);
            if vector.is_empty() {
                return Ok(());
            }
        }
        let entry = Entry::of_fields(&record.fields, self.words.seed);
        let entered = self.enter_again(entry, &vector, &record.text);
        wipe(vector);
        wipe(record.text);
        match entered {
            Err(refusal) if matches!(*refusal, Error::Vectors(ZeroVector | NotFinite { .. })) => {
                let offset = self.file.vector_start(&self.file.newest(id)?);
                self.file.note(Damage { kind: DamageKind::Incomparable, offset });
                Ok(())
            }
            entered => entered,
        }
    }

    /// Reads a record, and its vector as numbers. Gives what of it is damaged: the text is then empty,
    /// and where it is more than the text, the vector too.
    pub(super) fn read(
        &self,
        id: u64,
        record: &mut Stored,
        vector: &mut Vec<f32>,
    ) -> Result<Option<Damage>, Refusal> {
        let mut damaged = None;
        if let Err(fault) = self.file.try_stored(id, record) {
            let crate::Error::Damaged(damage) = fault.error() else { return Err(fault.into()) };
            damaged = Some(damage);
            if damage.kind != DamageKind::Text {
                return Ok(damaged);
            }
        }
        let pairs = record.fields.bytes().len();
        room::ask(self.file.storage(), 8 * self.dim() + 2 * pairs + self.catalog.growth())?;
        *vector = vec![0.0; self.dim()];
        get_vector(&record.vector[8..], vector);
        wipe(core::mem::take(&mut record.vector));
        Ok(damaged)
    }
}

/// Opens the file, or creates it. Whether there can be an image for a new one is asked first: options
/// that are refused leave no file behind, which would refuse those that come next.
#[inline(never)]
fn open_or_create(file: &mut DurableFile, options: &MemoryOptions) -> Result<(), Refusal> {
    let creates = options.file.create && !file.read_only;
    match file.try_open(&options.file, false) {
        Err(fault) if creates && matches!(fault.error(), crate::Error::NoFile) => {
            // Without a dimension no file is created.
            if let Some(dim) = options.file.dim {
                let mut params = Params::new(dim.into(), 0);
                image_for(options, 0, options.file.metric, &mut params)?;
            }
            Ok(file.try_open(&options.file, true)?)
        }
        opened => Ok(opened?),
    }
}

/// Fills in what the image of a file with so many records is made for, of its dimension; gives the bytes
/// that it needs.
///
/// # Errors
/// [`Error::Vectors`] where there is no such image, or it is larger than its limit.
#[inline(never)]
pub(super) fn image_for(
    options: &MemoryOptions,
    len: u32,
    metric: u8,
    params: &mut Params,
) -> Result<usize, Refusal> {
    params.capacity = options.capacity.max(len);
    params.encoding = options.encoding.unwrap_or(params.encoding);
    params.metric = match metric {
        0 => Metric::L2,
        1 => Metric::InnerProduct,
        _ => Metric::Cosine,
    };
    if let Some(limit) = options.image {
        params.hot = Some(most_hot(params, limit)?);
    }
    kept(required_bytes(params))
}

/// How many vectors may be hot in an image of at most so many bytes.
///
/// # Errors
/// [`Error::Vectors`] where it is too small with all of them cold.
#[inline(never)]
fn most_hot(params: &Params, limit: usize) -> Result<u32, Refusal> {
    let bytes = |hot| required_bytes(&Params { hot: Some(hot), ..*params });
    let expected = kept(bytes(0))?;
    if expected > limit {
        let found = limit;
        return Err(clawft_vectors::Error::TooShort { expected, found }.into());
    }
    let (mut fits, mut beyond) = (0, params.capacity.saturating_add(1));
    while beyond - fits > 1 {
        let middle = fits.midpoint(beyond);
        // Where there is no such image at all, it is beyond as well.
        let is_within = bytes(middle).is_ok_and(|bytes| bytes <= limit);
        if is_within { fits = middle } else { beyond = middle }
    }
    Ok(fits)
}

/// The seed of the hashes of words and of what filters ask: from the file's id, which is its own.
fn seed_of(file_id: &[u8; 16]) -> u64 {
    xxhash_rust::xxh64::xxh64(file_id, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forty_thousand_of_512_fit_into_sixteen_mebibytes_with_five_in_a_hundred_hot() {
        let params = Params::new(512, 40_000);
        let hot = most_hot(&params, 16_450_000).unwrap();
        assert!((2000..2100).contains(&hot), "{hot}");
        assert_eq!(most_hot(&params, usize::MAX).unwrap(), 40_000);
        assert!(most_hot(&params, 10_000_000).is_err());
    }

    #[test]
    fn where_no_image_holds_all_of_them_hot_it_holds_some() {
        // Eight gibibytes of pages are the most, or what half the addresses are.
        let capacity = 1 << if cfg!(target_pointer_width = "64") { 20 } else { 18 };
        let hot = most_hot(&Params::new(8192, capacity), usize::MAX).unwrap();
        assert!(hot > 0 && hot < capacity, "{hot}");
    }
}

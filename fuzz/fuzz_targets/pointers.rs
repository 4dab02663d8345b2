//! Pointers as an input asks for them: null, misaligned, past the end, or somewhere in the memory
//! of the host that calls the C ABI.

use arbitrary::Arbitrary;

/// Where a pointer leads. Seeds have a variant's number, so their order stays.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Place {
    Null,
    /// So many times four bytes into the memory, now and then one more.
    Inside(u16, u8),
    /// So near the end of the address space that no element fits.
    Past,
}

/// A host: whoever calls the C ABI.
pub trait Pointers {
    /// All pointers that are not null lead here or past the end.
    fn memory(&mut self) -> &mut Vec<u64>;

    fn base(&mut self) -> *mut u8 {
        self.memory().as_mut_ptr().cast()
    }

    /// A pointer to `T`, and how many of them there is room for; any number where
    /// the library must refuse the pointer.
    fn place<T>(&mut self, place: Place) -> (*mut T, usize) {
        match place {
            Place::Null => (std::ptr::null_mut(), usize::MAX),
            // By its size, whatever its alignment: what is smaller fits, and would be written.
            Place::Past if size_of::<T>() >= 4 => ((usize::MAX - 3) as *mut T, usize::MAX),
            Place::Past => (std::ptr::null_mut(), usize::MAX),
            Place::Inside(at, odd) => {
                let bytes = self.memory().len() * 8;
                let at = (usize::from(at) * 4 + usize::from(odd % 8 == 1)) % bytes;
                // SAFETY: within the memory.
                let pointer = unsafe { self.base().add(at) }.cast();
                (pointer, (bytes - at) / size_of::<T>())
            }
        }
    }

    /// A pointer to one `T`; null where it would not fit.
    fn one<T>(&mut self, place: Place) -> *mut T {
        match self.place(place) {
            (pointer, room) if room >= 1 => pointer,
            _ => std::ptr::null_mut(),
        }
    }

    /// Writes `n` floats from the word `at` on: mostly whole numbers from -`most` to `most`, now
    /// and then any bits at all.
    fn floats(&mut self, at: u16, seed: u32, n: u8, most: u16) {
        let at = usize::from(at) % (self.memory().len() - 256);
        for i in 0..usize::from(n) {
            let bits = seed.wrapping_mul(2_654_435_761).wrapping_add(i as u32 * 40_503);
            let whole = (bits % (2 * u32::from(most) + 1)) as f32 - f32::from(most);
            let x = if seed % 16 == 0 { bits } else { whole.to_bits() };
            // SAFETY: within the memory, as two floats are a word and `n` is below 256.
            unsafe { self.base().cast::<u32>().add(2 * at + i).write(x) };
        }
    }
}

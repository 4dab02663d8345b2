//! The C ABI as any host speaks it: blocks of linear memory, numbers, and a sentence for each error.

use crate::guest::{Engine, Guest, Outside, Value};

/// Room for the sentence of an error.
const SENTENCE: u32 = 256;
/// The code of [`Refused`] when the engine stopped the module.
pub const TRAP: i32 = i32::MIN;

/// A call that did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Of the headers, or [`TRAP`].
    pub code: i32,
    /// The library's sentence, or the engine's.
    pub sentence: String,
}

impl From<Refused> for String {
    fn from(refused: Refused) -> Self {
        format!("{} ({})", refused.sentence, refused.code)
    }
}

/// What a call gives.
pub type Call<T = u32> = Result<T, Refused>;

/// An instance with the blocks that are lent to its host.
pub struct Abi {
    guest: Box<dyn Guest>,
    lent: Vec<u32>,
    sentence: u32,
}

impl Abi {
    /// A new instance; with `limit`, its linear memory ends there.
    ///
    /// # Errors
    /// What the engine says, or the library.
    pub fn new(engine: &mut dyn Engine, outside: Outside, limit: Option<u32>) -> Call<Self> {
        let mut abi = Abi::silent(engine, outside, limit)?;
        // Taken now: when memory runs out there must still be room to say so.
        abi.sentence = abi.room(SENTENCE)?;
        abi.lent.clear();
        Ok(abi)
    }

    /// The same of a module that has no `clawft_last_error`.
    ///
    /// # Errors
    /// What the engine says, or the library.
    pub fn silent(engine: &mut dyn Engine, outside: Outside, limit: Option<u32>) -> Call<Self> {
        let trap = |sentence| Refused { code: TRAP, sentence };
        let guest = engine.instantiate(outside).map_err(trap)?;
        let mut abi = Abi { guest, lent: Vec::new(), sentence: 0 };
        if let Some(bytes) = limit {
            abi.call("clawft_init_memory", &[0u32.into(), bytes.into()])?;
        }
        Ok(abi)
    }

    /// Calls an export as it is.
    ///
    /// # Errors
    /// A trap.
    pub fn raw(&mut self, name: &str, arguments: &[Value]) -> Call {
        let result = self.guest.call(name, arguments);
        result
            .map(|bits| bits as u32)
            .map_err(|why| Refused { code: TRAP, sentence: format!("{name}: {why}") })
    }

    /// Calls an export whose negative results are errors.
    ///
    /// # Errors
    /// Its code, with the sentence.
    pub fn call(&mut self, name: &str, arguments: &[Value]) -> Call {
        let result = self.raw(name, arguments)?;
        let code = result as i32;
        if code >= 0 {
            return Ok(result);
        }
        let place = [self.sentence.into(), SENTENCE.into()];
        let len = match self.sentence {
            0 => 0,
            _ => self.raw("clawft_last_error", &place)?.min(SENTENCE - 1),
        };
        let sentence = String::from_utf8_lossy(&self.read(self.sentence, len)).into_owned();
        Err(Refused { code, sentence: format!("{name}: {sentence}") })
    }

    /// A block, lent until [`Self::give_back`].
    ///
    /// # Errors
    /// No memory for it.
    pub fn room(&mut self, bytes: u32) -> Call {
        match self.raw("clawft_alloc", &[bytes.into()])? {
            0 => Err(Refused {
                code: -107,
                sentence: format!("clawft_alloc has no {bytes} bytes left"),
            }),
            at => {
                self.lent.push(at);
                Ok(at)
            }
        }
    }

    /// A block with these bytes in it.
    ///
    /// # Errors
    /// No memory for it.
    pub fn put(&mut self, bytes: &[u8]) -> Call {
        let at = self.room(bytes.len() as u32)?;
        self.write(at, bytes);
        Ok(at)
    }

    /// The same for floats.
    ///
    /// # Errors
    /// No memory for them.
    pub fn put_floats(&mut self, values: &[f32]) -> Call {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.put(&bytes)
    }

    /// The same for ids.
    ///
    /// # Errors
    /// No memory for them.
    pub fn put_ids(&mut self, ids: &[u64]) -> Call {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        self.put(&bytes)
    }

    /// Gives all blocks back.
    ///
    /// # Errors
    /// A block that the library does not know.
    pub fn give_back(&mut self) -> Call<()> {
        for at in std::mem::take(&mut self.lent) {
            self.call("clawft_free", &[at.into()])?;
        }
        Ok(())
    }

    /// Does something, and gives all blocks back, whatever came of it.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn within<T>(&mut self, work: impl FnOnce(&mut Self) -> Call<T>) -> Call<T> {
        let done = work(self);
        self.give_back()?;
        done
    }

    /// Keeps the newest block: somebody else gives it back.
    pub fn keep(&mut self, block: u32) {
        self.lent.retain(|at| *at != block);
    }

    /// Bytes of linear memory.
    pub fn size(&mut self) -> usize {
        self.guest.memory().len()
    }

    /// Writes to memory, which must be there.
    pub fn write(&mut self, at: u32, bytes: &[u8]) {
        self.guest.memory()[at as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    /// Reads from memory, which must be there.
    pub fn read(&mut self, at: u32, len: u32) -> Vec<u8> {
        self.guest.memory()[at as usize..][..len as usize].to_vec()
    }

    /// Reads a number.
    pub fn number(&mut self, at: u32) -> u32 {
        let bytes = self.read(at, 4);
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    /// Reads numbers.
    pub fn numbers(&mut self, at: u32, n: u32) -> Vec<u32> {
        let bytes = self.read(at, 4 * n);
        bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
    }

    /// Reads ids.
    pub fn ids(&mut self, at: u32, n: u32) -> Vec<u64> {
        let halves = self.numbers(at, 2 * n);
        let whole = |pair: &[u32]| u64::from(pair[0]) | u64::from(pair[1]) << 32;
        halves.chunks_exact(2).map(whole).collect()
    }

    /// Reads floats.
    pub fn floats(&mut self, at: u32, n: u32) -> Vec<f32> {
        self.numbers(at, n).into_iter().map(f32::from_bits).collect()
    }
}

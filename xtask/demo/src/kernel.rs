//! The kernel module in Wasmtime, driven through its C ABI.
//!
//! Everything here follows `clawft.h` as a 32-bit host reads it: pointers and
//! sizes are u32 offsets into the linear memory, structs are laid out as C
//! does. The maximum of the linear memory is enforced by the runtime, not
//! trusted to the module.

use crate::Failure;
use crate::options::Runtime;
use std::time::{Duration, Instant};
use wasmtime::{
    Engine, Instance, Memory, Module, Store, StoreLimits, StoreLimitsBuilder, TypedFunc, WasmParams,
};

const PAGE: usize = 64 << 10;
/// Sizes of the ABI's structs where pointers have 32 bits.
const PARAMS_BYTES: u32 = 40;
const QUERY_BYTES: u32 = 24;
const MEMORY_BYTES: u32 = 56;
/// Room for the error sentence.
const SENTENCE_BYTES: u32 = 512;

/// An error code of the C ABI with its sentence, or a fault of the host.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: i32,
    pub(crate) sentence: String,
}

/// The number of `Full` in `clawft.h`.
pub(crate) const FULL: i32 = -7;

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::new(refusal.sentence)
    }
}

type Call<T> = Result<T, Refusal>;
/// handle, query, dim, options, ids, distances, count
type SearchArguments = (u32, u32, u32, u32, u32, u32, u32);
/// handle, queries, n, dim, options, ids, distances, counts
type BatchArguments = (u32, u32, u32, u32, u32, u32, u32, u32);

/// A module turned into machine code.
pub(crate) struct Compiled {
    engine: Engine,
    module: Module,
    /// Bytes of the `.wasm`.
    pub(crate) bytes: usize,
    /// From bytes in memory to a module that can be instantiated: for `jit`
    /// the compilation, for `aot` the loading of what was compiled before.
    pub(crate) load: Duration,
}

impl Compiled {
    #[expect(unsafe_code, reason = "precompiled code can only be loaded on trust")]
    pub(crate) fn load(wasm: &[u8], runtime: Runtime) -> Result<Self, Failure> {
        let engine = Engine::default();
        let broken = |error: wasmtime::Error| Failure::new(format!("the module: {error:#}"));
        let (module, load) = match runtime {
            Runtime::Jit => {
                let start = Instant::now();
                (Module::new(&engine, wasm).map_err(broken)?, start.elapsed())
            }
            Runtime::Aot => {
                let code = engine.precompile_module(wasm).map_err(broken)?;
                let start = Instant::now();
                // SAFETY: the bytes are the ones that this very engine has just
                // made from the module; nobody had them in between.
                let module = unsafe { Module::deserialize(&engine, &code) }.map_err(broken)?;
                (module, start.elapsed())
            }
        };
        if let Some(import) = module.imports().next() {
            return Err(Failure::new(format!(
                "the module imports {}.{}; a kernel has no imports",
                import.module(),
                import.name()
            )));
        }
        Ok(Compiled { engine, module, bytes: wasm.len(), load })
    }

    /// The median time of an instantiation.
    pub(crate) fn instantiate_time(&self) -> Result<Duration, Failure> {
        let mut times = Vec::new();
        for _ in 0..21 {
            let start = Instant::now();
            let kernel = Kernel::new(self)?;
            times.push(start.elapsed());
            drop(kernel);
        }
        times.sort();
        Ok(times[times.len() / 2])
    }
}

/// What a store is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Params {
    pub(crate) dim: u32,
    pub(crate) capacity: u32,
    pub(crate) metric: u32,
    pub(crate) encoding: u32,
}

/// How to search.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query {
    pub(crate) k: u32,
    pub(crate) ef: u32,
    pub(crate) mode: u32,
}

/// What the kernel says of its memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MemoryUse {
    /// Claimed by the allocator less asked for by its callers.
    pub(crate) overhead: u64,
}

/// A running kernel: an instance of the module and its functions.
pub(crate) struct Kernel {
    store: Store<StoreLimits>,
    memory: Memory,
    /// Where error sentences go: 0 until memory was given out.
    sentence: u32,
    alloc: TypedFunc<u32, u32>,
    free: TypedFunc<u32, i32>,
    init_memory: TypedFunc<(u32, u32), i32>,
    last_error: TypedFunc<(u32, u32), u32>,
    params_init: TypedFunc<(u32, u32, u32), i32>,
    required_bytes: TypedFunc<(u32, u32), i32>,
    create: TypedFunc<(u32, u32), i32>,
    insert: TypedFunc<(u32, u64, u32, u32), i32>,
    insert_batch: TypedFunc<(u32, u32, u32, u32, u32, u32), i32>,
    search: TypedFunc<SearchArguments, i32>,
    search_batch: TypedFunc<BatchArguments, i32>,
    memory_stats: TypedFunc<u32, i32>,
}

impl Kernel {
    pub(crate) fn new(compiled: &Compiled) -> Result<Self, Failure> {
        let mut store = Store::new(&compiled.engine, StoreLimits::default());
        store.limiter(|limits| limits);
        let broken = |error: wasmtime::Error| Failure::new(format!("instantiating: {error:#}"));
        let instance = Instance::new(&mut store, &compiled.module, &[]).map_err(broken)?;
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or_else(|| Failure::new("the module exports no `memory`"))?;
        macro_rules! function {
            ($name:literal) => {
                instance.get_typed_func(&mut store, $name).map_err(|error| {
                    Failure::new(format!(concat!("the module's ", $name, ": {:#}"), error))
                })?
            };
        }
        Ok(Kernel {
            memory,
            sentence: 0,
            alloc: function!("clawft_alloc"),
            free: function!("clawft_free"),
            init_memory: function!("clawft_init_memory"),
            last_error: function!("clawft_last_error"),
            params_init: function!("clawft_params_init"),
            required_bytes: function!("clawft_required_bytes"),
            create: function!("clawft_create"),
            insert: function!("clawft_insert"),
            insert_batch: function!("clawft_insert_batch"),
            search: function!("clawft_search"),
            search_batch: function!("clawft_search_batch"),
            memory_stats: function!("clawft_memory_stats"),
            store,
        })
    }

    /// Bytes of the linear memory, the module's data and stack included.
    pub(crate) fn linear_memory(&self) -> usize {
        self.memory.data_size(&self.store)
    }

    /// Sets the maximum of the linear memory, in the runtime and in the kernel.
    pub(crate) fn limit_memory(&mut self, bytes: usize) -> Call<()> {
        *self.store.data_mut() = StoreLimitsBuilder::new().memory_size(bytes).build();
        let size = u32::try_from(bytes).unwrap_or(u32::MAX - (PAGE as u32 - 1));
        self.call("clawft_init_memory", self.init_memory.clone(), (0, size))?;
        // Taken now: when memory runs out there must still be room to say so.
        self.sentence = self.allocate(SENTENCE_BYTES)?;
        Ok(())
    }

    /// Bytes of the image that `params` need.
    pub(crate) fn required_bytes(&mut self, params: Params) -> Call<u64> {
        let place = self.allocate(PARAMS_BYTES + 8)?;
        let outcome = self.write_params(place, params).and_then(|()| {
            let arguments = (place, place + PARAMS_BYTES);
            self.call("clawft_required_bytes", self.required_bytes.clone(), arguments)
        });
        let bytes = u64::from_le_bytes(self.read(place + PARAMS_BYTES));
        self.release(place)?;
        outcome.map(|_| bytes)
    }

    /// Makes a store and gives its handle.
    pub(crate) fn create(&mut self, params: Params) -> Call<u32> {
        let place = self.allocate(PARAMS_BYTES + 8)?;
        let outcome = self.write_params(place, params).and_then(|()| {
            let arguments = (place, place + PARAMS_BYTES);
            self.call("clawft_create", self.create.clone(), arguments)
        });
        let handle = u32::from_le_bytes(self.read(place + PARAMS_BYTES));
        self.release(place)?;
        outcome.map(|_| handle)
    }

    fn write_params(&mut self, place: u32, params: Params) -> Call<()> {
        let arguments = (place, params.dim, params.capacity);
        self.call("clawft_params_init", self.params_init.clone(), arguments)?;
        // size, dim and capacity are set; the seed and the rest keep their defaults.
        self.write(place + 12, &params.metric.to_le_bytes());
        self.write(place + 16, &params.encoding.to_le_bytes());
        Ok(())
    }

    /// Takes memory of the kernel for the host's data.
    pub(crate) fn allocate(&mut self, bytes: u32) -> Call<u32> {
        let place = self.alloc.call(&mut self.store, bytes).map_err(trap("clawft_alloc"))?;
        match place {
            0 => Err(self.refusal("clawft_alloc", 0)),
            place => Ok(place),
        }
    }

    pub(crate) fn release(&mut self, place: u32) -> Call<()> {
        self.call("clawft_free", self.free.clone(), place).map(|_| ())
    }

    /// Inserts one vector that stands at `values`.
    pub(crate) fn insert(&mut self, handle: u32, id: u64, values: u32, dim: u32) -> Call<()> {
        let arguments = (handle, id, values, dim);
        self.call("clawft_insert", self.insert.clone(), arguments).map(|_| ())
    }

    /// Inserts `n` vectors; says how many went in, also when one is refused.
    pub(crate) fn insert_batch(
        &mut self,
        handle: u32,
        (ids, values): (u32, u32),
        n: u32,
        dim: u32,
        done: u32,
    ) -> (u32, Call<()>) {
        self.write(done, &0u32.to_le_bytes());
        let arguments = (handle, ids, values, n, dim, done);
        let outcome = self.call("clawft_insert_batch", self.insert_batch.clone(), arguments);
        (u32::from_le_bytes(self.read(done)), outcome.map(|_| ()))
    }

    /// One claimed part of the kernel's memory for questions and answers.
    pub(crate) fn desk(&mut self, batch: u32, dim: u32, k: u32) -> Call<Desk> {
        // In this order everything is aligned to its own size.
        let ids = u64::from(batch) * u64::from(k) * 8;
        let values = u64::from(batch) * u64::from(dim) * 4;
        let distances = u64::from(batch) * u64::from(k) * 4;
        let bytes = ids + values + distances + u64::from(batch) * 4 + u64::from(QUERY_BYTES);
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let ids_at = self.allocate(bytes)?;
        let values_at = ids_at + ids as u32;
        let distances_at = values_at + values as u32;
        let counts = distances_at + distances as u32;
        let query = counts + batch * 4;
        Ok(Desk { dim, k, query, values: values_at, ids: ids_at, distances: distances_at, counts })
    }

    /// Puts the way to search on the desk.
    pub(crate) fn set_query(&mut self, desk: &Desk, query: Query) {
        assert!(query.k <= desk.k, "the desk was laid out for k = {}", desk.k);
        let fields = [QUERY_BYTES, query.k, query.ef, query.mode, 0, 0];
        self.write(desk.query, &fields.map(u32::to_le_bytes).concat());
    }

    /// Searches for one vector; the ids found are appended to `ids`.
    pub(crate) fn search(
        &mut self,
        handle: u32,
        desk: &Desk,
        values: &[f32],
        ids: &mut Vec<u64>,
    ) -> Call<()> {
        self.write_floats(desk.values, values);
        let Desk { dim, query, values, ids: out, distances, counts, .. } = *desk;
        let arguments = (handle, values, dim, query, out, distances, counts);
        self.call("clawft_search", self.search.clone(), arguments)?;
        let count = u32::from_le_bytes(self.read(counts));
        self.read_ids(out, count, ids);
        Ok(())
    }

    /// Searches for several vectors in one call; for each, the ids found are
    /// appended to `ids` and their number to `found`.
    pub(crate) fn search_batch(
        &mut self,
        handle: u32,
        desk: &Desk,
        k: u32,
        values: &[f32],
        (ids, found): (&mut Vec<u64>, &mut Vec<u32>),
    ) -> Call<()> {
        let n = values.len() as u32 / desk.dim;
        self.write_floats(desk.values, values);
        let Desk { dim, query, values, ids: out, distances, counts, .. } = *desk;
        let arguments = (handle, values, n, dim, query, out, distances, counts);
        self.call("clawft_search_batch", self.search_batch.clone(), arguments)?;
        for at in 0..n {
            let count = u32::from_le_bytes(self.read(counts + at * 4));
            self.read_ids(out + at * k * 8, count.min(k), ids);
            found.push(count);
        }
        Ok(())
    }

    pub(crate) fn memory_use(&mut self) -> Call<MemoryUse> {
        let place = self.allocate(MEMORY_BYTES)?;
        let outcome = self.call("clawft_memory_stats", self.memory_stats.clone(), place);
        let overhead = u64::from_le_bytes(self.read(place + 40));
        self.release(place)?;
        outcome.map(|_| MemoryUse { overhead })
    }

    /// Calls a function that returns a code, and fetches the sentence of a
    /// negative one.
    fn call<P: WasmParams>(
        &mut self,
        name: &'static str,
        function: TypedFunc<P, i32>,
        arguments: P,
    ) -> Call<i32> {
        match function.call(&mut self.store, arguments) {
            Ok(code) if code < 0 => Err(self.refusal(name, code)),
            Ok(count) => Ok(count),
            Err(error) => Err(trap(name)(error)),
        }
    }

    fn refusal(&mut self, name: &'static str, code: i32) -> Refusal {
        let sentence = self.last_error().unwrap_or_else(|| "it gives no sentence".into());
        Refusal { code, sentence: format!("{name} returned {code}: {sentence}") }
    }

    fn last_error(&mut self) -> Option<String> {
        if self.sentence == 0 {
            return None;
        }
        let arguments = (self.sentence, SENTENCE_BYTES);
        let length = self.last_error.call(&mut self.store, arguments).ok()?;
        let start = self.sentence as usize;
        let end = start + length.min(SENTENCE_BYTES) as usize;
        let bytes = self.memory.data(&self.store).get(start..end)?;
        let bytes = bytes.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Writes bytes at a place that the kernel gave out.
    pub(crate) fn write(&mut self, place: u32, bytes: &[u8]) {
        self.memory.data_mut(&mut self.store)[place as usize..][..bytes.len()]
            .copy_from_slice(bytes);
    }

    pub(crate) fn write_floats(&mut self, place: u32, values: &[f32]) {
        let target =
            &mut self.memory.data_mut(&mut self.store)[place as usize..][..values.len() * 4];
        for (to, value) in target.chunks_exact_mut(4).zip(values) {
            to.copy_from_slice(&value.to_le_bytes());
        }
    }

    fn read<const N: usize>(&self, place: u32) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.memory.data(&self.store)[place as usize..][..N]);
        bytes
    }

    fn read_ids(&self, place: u32, count: u32, ids: &mut Vec<u64>) {
        let bytes = &self.memory.data(&self.store)[place as usize..][..count as usize * 8];
        let words = bytes.chunks_exact(8);
        ids.extend(words.map(|b| u64::from_le_bytes(b.try_into().expect("eight bytes"))));
    }
}

/// Where questions are put and answers are found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Desk {
    dim: u32,
    k: u32,
    query: u32,
    values: u32,
    ids: u32,
    distances: u32,
    counts: u32,
}

fn trap(name: &'static str) -> impl FnOnce(wasmtime::Error) -> Refusal {
    move |error| Refusal { code: i32::MIN, sentence: format!("{name} trapped: {error:#}") }
}

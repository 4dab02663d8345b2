//! A naive model of the durable file, and workloads for both.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::collections::BTreeMap;

use clawft_store::memory::{self, Memory};
use clawft_store::storage::Storage;
use clawft_store::storage::simulated::SimulatedDisk;
use clawft_store::{DurableFile, Error, Limits, Options, Record};

pub const DIM: usize = 3;
pub const NAME: &str = "memory.rvf";

/// A record that owns its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Owned {
    pub vector: Vec<f32>,
    pub text: String,
    pub kind: String,
    pub session: String,
    pub created: u64,
    pub uses: u32,
    pub pinned: bool,
    pub metadata: Vec<(String, String)>,
}

pub type Model = BTreeMap<u64, Owned>;

/// SplitMix64, as in the simulated disk.
#[derive(Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// One of `count` ids: the smallest ones, and the largest that there is.
    pub fn id(&mut self, count: u64) -> u64 {
        let id = self.below(count);
        if id + 1 == count { u64::MAX } else { id }
    }

    pub fn float(&mut self) -> f32 {
        self.below(20_000) as f32 / 10_000.0 - 1.0
    }
}

impl Owned {
    /// A record of `dim` components and about `text` bytes of text.
    pub fn random(random: &mut Random, dim: usize, text: u64) -> Self {
        let mut words = String::new();
        let len = random.below(2 * text + 1);
        while (words.len() as u64) < len {
            words.push_str(
                ["tea ", "five ", "rain ", "müde ", "nothing "][random.below(5) as usize],
            );
        }
        // Every shape of a short string, alone and last of all.
        let short = ["", "k", "key", "value 7"];
        let pairs = random.below(3);
        let mut metadata: Vec<(String, String)> = (0..pairs)
            .map(|i| (format!("key{i}"), format!("value {}", random.below(100))))
            .collect();
        if random.below(4) == 0 {
            metadata = vec![(
                short[random.below(3) as usize].into(),
                short[random.below(4) as usize].into(),
            )];
        }
        if random.below(8) == 0 {
            words = "x".into();
        }
        Self {
            vector: (0..dim).map(|_| random.float()).collect(),
            text: words,
            // The shortest strings too, beside the empty one: what ends where the entry ends.
            kind: ["fact", "", "message", "k"][random.below(4) as usize].into(),
            session: ["", "s1", "s"][random.below(3) as usize].into(),
            created: [random.below(1 << 40), 0, u64::MAX - 5]
                [(random.below(16) as usize).saturating_sub(13)],
            uses: [random.below(9) as u32, u32::MAX][usize::from(random.below(16) == 0)],
            pinned: random.below(2) == 0,
            metadata,
        }
    }

    pub fn put(&self, file: &mut DurableFile, id: u64) -> Result<(), Error> {
        let metadata: Vec<(&str, &str)> =
            self.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        file.put(&Record {
            id,
            vector: &self.vector,
            text: &self.text,
            kind: &self.kind,
            session: &self.session,
            created: self.created,
            last_used: self.created + 5,
            uses: self.uses,
            importance: 0.25,
            pinned: self.pinned,
            metadata: &metadata,
        })
    }

    pub fn get(file: &DurableFile, id: u64) -> Result<Self, Error> {
        let fields = file.fields(id)?;
        assert_eq!(fields.id(), id);
        assert_eq!(fields.importance(), 0.25);
        assert_eq!(fields.last_used(), fields.created() + 5);
        let mut vector = vec![0.0; file.dim()];
        file.vector(id, &mut vector)?;
        Ok(Self {
            vector,
            text: file.text(id)?,
            kind: fields.kind().into(),
            session: fields.session().into(),
            created: fields.created(),
            uses: fields.uses(),
            pinned: fields.pinned(),
            metadata: fields.metadata().map(|(k, v)| (k.into(), v.into())).collect(),
        })
    }

    /// Bytes of what the caller gave.
    pub fn bytes(&self) -> u64 {
        let strings = self.text.len() + self.kind.len() + self.session.len();
        let pairs: usize = self.metadata.iter().map(|(k, v)| k.len() + v.len()).sum();
        // Id, created, last used, uses, importance, pinned.
        (8 + 8 + 8 + 4 + 4 + 1 + self.vector.len() * 4 + strings + pairs) as u64
    }
}

/// Has a memory remember it under this id.
pub fn remember(into: &mut Memory, id: u64, owned: &Owned) -> Result<(), memory::Error> {
    let metadata: Vec<(&str, &str)> =
        owned.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    into.remember(&Record {
        id,
        vector: &owned.vector,
        text: &owned.text,
        kind: &owned.kind,
        session: &owned.session,
        created: owned.created,
        last_used: owned.created + 5,
        uses: owned.uses,
        importance: 0.25,
        pinned: owned.pinned,
        metadata: &metadata,
    })
}

/// The ids of a file, rising.
pub fn ids(file: &DurableFile) -> impl Iterator<Item = u64> {
    let mut from = Some(0);
    core::iter::from_fn(move || {
        let id = file.next(from?)?;
        from = id.checked_add(1);
        Some(id)
    })
}

/// All that a file has.
pub fn all(file: &DurableFile) -> Result<Model, Error> {
    let mut model = Model::new();
    for id in ids(file) {
        model.insert(id, Owned::get(file, id)?);
    }
    assert_eq!(model.len(), file.len());
    Ok(model)
}

/// Folds and compacts early, so that a short workload sees both.
pub const EARLY: Limits = Limits { fold: 900, compact_times: 2, compact_slack: 3000 };

pub fn options() -> Options {
    Options {
        dim: Some(DIM as u16),
        file_id: *b"a file of a test",
        create: true,
        limits: EARLY,
        ..Options::default()
    }
}

pub fn open(disk: &SimulatedDisk) -> Result<DurableFile, Error> {
    DurableFile::open(Box::new(disk.clone()), NAME, &options())
}

/// A disk of its own with the files of `disk` as they are now, all durable.
pub fn copy(disk: &SimulatedDisk) -> SimulatedDisk {
    let fresh = SimulatedDisk::new(0);
    for name in disk.names() {
        fresh.put(&name, disk.bytes(&name).expect("it was listed"));
    }
    fresh
}

/// Bytes of a file by its handle's name.
pub fn size(storage: &dyn Storage, name: &str) -> u64 {
    let file = storage.open(name).expect("it is there");
    let len = storage.len(file).expect("it is open");
    storage.close(file);
    len
}

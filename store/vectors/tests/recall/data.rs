//! Seeded vectors of many kinds.

use crate::store_of_bytes::Random;

impl Random {
    /// Uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1 << 24) as f32
    }

    /// Nearly normal, mean 0, variance 1.
    pub(crate) fn normal(&mut self) -> f32 {
        ((0..12).map(|_| self.unit()).sum::<f32>()) - 6.0
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// Uniform in the unit cube.
pub(crate) fn uniform(dim: usize, count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut random = Random(seed);
    (0..count).map(|_| (0..dim).map(|_| random.unit()).collect()).collect()
}

/// Something like text embeddings: topics, and within each a cloud whose variance falls from
/// direction to direction, in a space that few directions fill, with a little noise in all of them.
pub(crate) struct Topics {
    dim: usize,
    /// The directions of a topic's cloud, `INNER` rows of `dim`.
    directions: Vec<Vec<f32>>,
    centres: Vec<Vec<f32>>,
    /// Size of a topic's cloud; the centres are about 1 apart.
    spread: f32,
}

/// Directions with a variance of note.
const INNER: usize = 48;

impl Topics {
    pub(crate) fn new(dim: usize, topics: usize, spread: f32, seed: u64) -> Self {
        let mut random = Random(seed);
        let scale = 1.0 / (dim as f32).sqrt();
        let directions = (0..INNER.min(dim))
            .map(|_| (0..dim).map(|_| random.normal() * scale).collect())
            .collect();
        let mut made = Topics { dim, directions, centres: Vec::new(), spread };
        made.centres = (0..topics).map(|_| made.cloud(&mut random)).collect();
        made
    }

    /// A point of the cloud around zero, of length about 1.
    fn cloud(&self, random: &mut Random) -> Vec<f32> {
        let mut v = vec![0.0; self.dim];
        for (i, direction) in self.directions.iter().enumerate() {
            let z = random.normal() * 0.5 / (1.0 + i as f32 / 4.0).sqrt();
            v.iter_mut().zip(direction).for_each(|(x, d)| *x += z * d);
        }
        v
    }

    /// A point of a topic, counted round.
    pub(crate) fn point(&self, topic: usize, random: &mut Random) -> Vec<f32> {
        let mut v = self.cloud(random);
        let noise = 0.1 / (self.dim as f32).sqrt();
        for (x, centre) in v.iter_mut().zip(&self.centres[topic % self.centres.len()]) {
            *x = centre + self.spread * (*x + noise * random.normal());
        }
        v
    }

    /// Points of random topics.
    pub(crate) fn points(&self, count: usize, seed: u64) -> Vec<Vec<f32>> {
        let mut random = Random(seed);
        (0..count)
            .map(|_| {
                let topic = random.below(self.centres.len());
                self.point(topic, &mut random)
            })
            .collect()
    }

    /// Points topic after topic.
    pub(crate) fn ordered(&self, count: usize, seed: u64) -> Vec<Vec<f32>> {
        let mut random = Random(seed);
        let topics = self.centres.len();
        (0..count).map(|i| self.point(i * topics / count, &mut random)).collect()
    }
}

/// The same directions, all components positive: as counts, or what an activation leaves.
pub(crate) fn positive(mut rows: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    rows.iter_mut().flatten().for_each(|x| *x = x.abs());
    rows
}

/// The same directions, with lengths that differ by up to so many doublings.
pub(crate) fn of_all_lengths(mut rows: Vec<Vec<f32>>, doublings: f32, seed: u64) -> Vec<Vec<f32>> {
    let mut random = Random(seed);
    for row in &mut rows {
        let factor = (doublings * random.unit()).exp2();
        row.iter_mut().for_each(|x| *x *= factor);
    }
    rows
}

/// A random order of the rows.
pub(crate) fn shuffled(rows: &[Vec<f32>], seed: u64) -> Vec<Vec<f32>> {
    let mut rows = rows.to_vec();
    Random(seed).shuffle(&mut rows);
    rows
}

//! What learns, and the oracles beside.

use clawft_agent::learn::{Interest, Lean, MOST, choose};
use clawft_benches::random::Random;
use clawft_benches::sample::normalise;

use crate::world::{Asked, Found, Question, World, dot};

/// The default weight of the words.
const WORDS: f32 = 0.4;
/// How sharply an adapter tells better from worse among those shown.
const TEMPERATURE: f32 = 0.1;
/// Feedbacks after which elastic weight consolidation takes a new anchor.
const ANCHOR: usize = 50;
/// Patterns of a bank.
const PATTERNS: usize = 16;
/// Cosine from which a question belongs to a pattern.
const SAME: f32 = 0.6;
/// How many feedbacks of a pattern count in full before it is halved.
const COUNTED: f32 = 256.0;

/// What learns from feedback: that of the texts shown for a question one was the right one.
pub(crate) trait Learner {
    fn ask(&self, question: &Question) -> Asked;
    /// `shown` are the first ten, `right` is where among them the right one stands.
    fn learn(&mut self, world: &World, question: &Question, shown: &[Found], right: usize);
    /// Bytes of what it knows.
    fn bytes(&self) -> usize;
}

fn asked(question: &Question, mut vector: Vec<f32>) -> Asked {
    normalise(&mut vector);
    let own = vector == question.vector;
    Asked { vector, words: WORDS, own, bonus: None }
}

/// The default retrieval.
pub(crate) struct Default;

impl Learner for Default {
    fn ask(&self, question: &Question) -> Asked {
        Asked { vector: question.vector.clone(), words: WORDS, own: true, bonus: None }
    }
    fn learn(&mut self, _: &World, _: &Question, _: &[Found], _: usize) {}
    fn bytes(&self) -> usize {
        0
    }
}

/// Knows the topic that was taught, and of each text whether it belongs to it: more than any
/// learner can know of a topic.
pub(crate) struct Oracle {
    pub(crate) bonus: f32,
    topic: Option<usize>,
}

impl Oracle {
    pub(crate) fn new(bonus: f32) -> Self {
        Oracle { bonus, topic: None }
    }
}

impl Learner for Oracle {
    fn ask(&self, question: &Question) -> Asked {
        let bonus = self.topic.map(|topic| (topic, self.bonus));
        Asked { bonus, ..Default.ask(question) }
    }
    fn learn(&mut self, _: &World, question: &Question, _: &[Found], _: usize) {
        self.topic.get_or_insert(question.topic);
    }
    fn bytes(&self) -> usize {
        0
    }
}

/// What the product has: the memories that helped pull.
pub(crate) struct Helped {
    interest: Interest,
    ids: Vec<u64>,
    how: Lean,
}

impl Helped {
    pub(crate) fn new(how: Lean) -> Self {
        Helped { interest: Interest::new(0, how), ids: Vec::new(), how }
    }
}

impl Learner for Helped {
    fn ask(&self, question: &Question) -> Asked {
        let mut vector = question.vector.clone();
        self.interest.lean(&mut vector);
        asked(question, vector)
    }
    fn learn(&mut self, world: &World, question: &Question, _: &[Found], _: usize) {
        self.ids.push(question.relevant.into());
        self.ids.sort_unstable();
        self.ids.dedup();
        let mut chosen = self.ids.clone();
        choose(&mut chosen);
        self.interest = Interest::new(world.vectors.dim, self.how);
        for id in chosen {
            self.interest.add(world.vectors.row(id as usize));
        }
    }
    fn bytes(&self) -> usize {
        self.ids.len().min(MOST) * self.interest.dim() * 4
    }
}

/// `q + U V q`, learned by descent on the softmax loss of those shown. Rank 0: a whole matrix in
/// the place of the two.
pub(crate) struct Adapter {
    rank: usize,
    rate: f32,
    /// Weight of elastic weight consolidation (arXiv:1612.00796); 0: none.
    guard: f32,
    up: Vec<f32>,
    down: Vec<f32>,
    anchor: [Vec<f32>; 2],
    fisher: [Vec<f32>; 2],
    seen: usize,
}

impl Adapter {
    pub(crate) fn new(dim: usize, rank: usize, rate: f32, guard: f32) -> Self {
        let mut random = Random::new(9);
        let down: Vec<f32> = (0..rank * dim).map(|_| random.normal()).collect();
        let up = vec![0.0; rank.max(1) * dim * if rank == 0 { dim } else { 1 }];
        let anchor = [up.clone(), down.clone()];
        let fisher = [vec![0.0; up.len()], vec![0.0; down.len()]];
        Adapter { rank, rate, guard, up, down, anchor, fisher, seen: 0 }
    }

    /// What `V` makes of a vector; with rank 0 the vector.
    fn inner(&self, vector: &[f32]) -> Vec<f32> {
        match self.rank {
            0 => vector.to_vec(),
            _ => self.down.chunks_exact(vector.len()).map(|row| dot(row, vector)).collect(),
        }
    }
}

impl Learner for Adapter {
    fn ask(&self, question: &Question) -> Asked {
        let inner = self.inner(&question.vector);
        let mut vector = question.vector.clone();
        for (x, row) in vector.iter_mut().zip(self.up.chunks_exact(inner.len())) {
            *x += row.iter().zip(&inner).map(|(a, b)| a * b).sum::<f32>();
        }
        asked(question, vector)
    }

    fn learn(&mut self, world: &World, question: &Question, shown: &[Found], right: usize) {
        let asked = self.ask(question);
        let score = |found: &Found| {
            let row = world.vectors.row(found.slot as usize);
            ((1.0 - WORDS) * dot(row, &asked.vector) + found.words) / TEMPERATURE
        };
        let scores: Vec<f32> = shown.iter().map(score).collect();
        let most = scores.iter().fold(f32::MIN, |a, &b| a.max(b));
        let sum: f32 = scores.iter().map(|score| (score - most).exp()).sum();
        let mut slope = vec![0.0; world.vectors.dim];
        for (i, (found, score)) in shown.iter().zip(&scores).enumerate() {
            let weight = (score - most).exp() / sum - f32::from(u8::from(i == right));
            let row = world.vectors.row(found.slot as usize);
            slope.iter_mut().zip(row).for_each(|(s, x)| *s += (1.0 - WORDS) * weight * x);
        }
        let inner = self.inner(&question.vector);
        let mut slopes = [Vec::with_capacity(self.up.len()), vec![0.0; self.down.len()]];
        for s in &slope {
            slopes[0].extend(inner.iter().map(|x| s * x));
        }
        for (r, row) in slopes[1].chunks_exact_mut(slope.len()).enumerate() {
            let back: f32 = slope.iter().enumerate().map(|(i, s)| s * self.up[i * self.rank + r]).sum();
            row.iter_mut().zip(&question.vector).for_each(|(a, x)| *a = back * x);
        }
        for (at, weights) in [&mut self.up, &mut self.down].into_iter().enumerate() {
            for (i, weight) in weights.iter_mut().enumerate() {
                let slope = slopes[at][i];
                let back = self.guard * self.fisher[at][i] * (*weight - self.anchor[at][i]);
                *weight -= self.rate * (slope + back).clamp(-1.0, 1.0);
                self.fisher[at][i] = 0.99 * self.fisher[at][i] + slope * slope;
            }
        }
        self.seen += 1;
        if self.seen % ANCHOR == 0 {
            self.anchor = [self.up.clone(), self.down.clone()];
        }
    }

    fn bytes(&self) -> usize {
        4 * (self.up.len() + self.down.len()) * if self.guard > 0.0 { 3 } else { 1 }
    }
}

/// Patterns of questions, each with the mean of the texts that helped: a question moves towards
/// those of the patterns near to it.
pub(crate) struct Bank {
    pull: f32,
    floor: f32,
    patterns: Vec<Pattern>,
}

struct Pattern {
    asked: Vec<f32>,
    helped: Vec<f32>,
    count: f32,
}

fn cosine(sum: &[f32], vector: &[f32]) -> f32 {
    dot(sum, vector) / dot(sum, sum).sqrt().max(1e-9)
}

impl Bank {
    pub(crate) fn new(pull: f32, floor: f32) -> Self {
        Bank { pull, floor, patterns: Vec::new() }
    }

    /// Makes one of the two patterns that are nearest to each other.
    fn merge(&mut self) {
        let near = |i: usize, j: usize| {
            let (a, b) = (&self.patterns[i].asked, &self.patterns[j].asked);
            cosine(a, b) / dot(b, b).sqrt().max(1e-9)
        };
        let pairs = (0..self.patterns.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        let Some((i, j)) = pairs.max_by(|a, b| near(a.0, a.1).total_cmp(&near(b.0, b.1))) else {
            return;
        };
        let from = self.patterns.remove(i);
        let into = &mut self.patterns[j];
        into.asked.iter_mut().zip(&from.asked).for_each(|(a, b)| *a += b);
        into.helped.iter_mut().zip(&from.helped).for_each(|(a, b)| *a += b);
        into.count += from.count;
    }
}

impl Learner for Bank {
    fn ask(&self, question: &Question) -> Asked {
        let mut vector = question.vector.clone();
        for pattern in &self.patterns {
            let near = (cosine(&pattern.asked, &question.vector) - self.floor) / (1.0 - self.floor);
            let weight = self.pull * near.max(0.0) * pattern.count.min(COUNTED).sqrt()
                / dot(&pattern.helped, &pattern.helped).sqrt().max(1e-9);
            vector.iter_mut().zip(&pattern.helped).for_each(|(q, h)| *q += weight * h);
        }
        asked(question, vector)
    }

    fn learn(&mut self, world: &World, question: &Question, _: &[Found], _: usize) {
        let near = |p: &Pattern| cosine(&p.asked, &question.vector);
        let best = (0..self.patterns.len())
            .max_by(|&a, &b| near(&self.patterns[a]).total_cmp(&near(&self.patterns[b])));
        let at = match best {
            Some(best) if near(&self.patterns[best]) >= SAME => best,
            _ => {
                if self.patterns.len() == PATTERNS {
                    self.merge();
                }
                let zero = vec![0.0; world.vectors.dim];
                self.patterns.push(Pattern { asked: zero.clone(), helped: zero, count: 0.0 });
                self.patterns.len() - 1
            }
        };
        let pattern = &mut self.patterns[at];
        let row = world.vectors.row(question.relevant as usize);
        pattern.asked.iter_mut().zip(&question.vector).for_each(|(a, x)| *a += x);
        pattern.helped.iter_mut().zip(row).for_each(|(h, x)| *h += x);
        pattern.count += 1.0;
    }

    fn bytes(&self) -> usize {
        self.patterns.iter().map(|p| 4 * (p.asked.len() + p.helped.len() + 1)).sum()
    }
}

/// The weight of the words that would have served best: of a few, the one with the highest sum of
/// reciprocal ranks, where it is ahead of the default by twice its standard error.
pub(crate) struct Weight {
    /// Sum and sum of squares of what each gains.
    gains: [(f32, f32); WEIGHTS.len()],
}

/// The weights that are tried.
const WEIGHTS: [f32; 5] = [0.05, 0.1, 0.2, 0.3, 0.55];

impl Weight {
    pub(crate) fn new() -> Self {
        Weight { gains: [(0.0, 0.0); WEIGHTS.len()] }
    }
}

impl Learner for Weight {
    fn ask(&self, question: &Question) -> Asked {
        let mut best = (WORDS, 0.0);
        for (&(sum, squares), &words) in self.gains.iter().zip(&WEIGHTS) {
            let sure = sum - 2.0 * squares.sqrt();
            if sure > best.1 {
                best = (words, sure);
            }
        }
        Asked { words: best.0, ..Default.ask(question) }
    }

    fn learn(&mut self, world: &World, question: &Question, _: &[Found], _: usize) {
        let reciprocal = |words: f32| {
            let found = world.recall(question, &Asked { words, ..Default.ask(question) });
            let at = found.iter().position(|found| found.slot == question.relevant);
            at.map_or(0.0, |at| 1.0 / (at + 1) as f32)
        };
        let before = reciprocal(WORDS);
        for (gain, &words) in self.gains.iter_mut().zip(&WEIGHTS) {
            let more = reciprocal(words) - before;
            *gain = (gain.0 + more, gain.1 + more * more);
        }
    }

    fn bytes(&self) -> usize {
        size_of_val(&self.gains)
    }
}

/// One after the other: each moves what the one before made of the question.
pub(crate) struct Both(pub(crate) Helped, pub(crate) Adapter);

impl Learner for Both {
    fn ask(&self, question: &Question) -> Asked {
        let (own, moved) = (&question.vector, self.1.ask(question));
        let mut vector = self.0.ask(question).vector;
        vector.iter_mut().zip(moved.vector.iter().zip(own)).for_each(|(v, (m, q))| *v += m - q);
        asked(question, vector)
    }
    fn learn(&mut self, world: &World, question: &Question, shown: &[Found], right: usize) {
        self.0.learn(world, question, shown, right);
        self.1.learn(world, question, shown, right);
    }
    fn bytes(&self) -> usize {
        self.0.bytes() + self.1.bytes()
    }
}

//! What learns, and the oracles beside.

use clawft_benches::random::Random;
use clawft_benches::sample::normalise;

use crate::world::{Asked, Found, Question, World, dot};

/// The default weight of the words.
const WORDS: f32 = 0.4;
/// How sharply an adapter tells better from worse among those shown.
const TEMPERATURE: f32 = 0.1;
/// Feedbacks after which elastic weight consolidation takes a new anchor.
const ANCHOR: usize = 50;
/// The most texts that pull by themselves; later ones are not taken in.
const HELPED: usize = 300;
/// Patterns of a bank.
pub(crate) const PATTERNS: usize = 64;
/// Cosine up to which a question has nothing of a pattern: so near are unrelated texts.
const FLOOR: f32 = 0.1;
/// Cosine from which a question belongs to a pattern.
const SAME: f32 = 0.6;
/// Standard errors by which a weight of the words must be ahead.
const SURE: f32 = 2.0;
/// So many feedbacks of a pattern count at most.
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
    Asked { vector, words: WORDS, own, bonus: (Vec::new(), 0.0) }
}

/// The default retrieval.
pub(crate) struct Default;

impl Learner for Default {
    fn ask(&self, question: &Question) -> Asked {
        Asked { vector: question.vector.clone(), words: WORDS, own: true, bonus: (Vec::new(), 0.0) }
    }
    fn learn(&mut self, _: &World, _: &Question, _: &[Found], _: usize) {}
    fn bytes(&self) -> usize {
        0
    }
}

/// Knows which topics were taught, and of each text whether it belongs to them: more than any
/// learner can know of a topic.
pub(crate) struct Oracle {
    pub(crate) bonus: f32,
    topics: Vec<usize>,
}

impl Oracle {
    pub(crate) fn new(bonus: f32) -> Self {
        Oracle { bonus, topics: Vec::new() }
    }
}

impl Learner for Oracle {
    fn ask(&self, question: &Question) -> Asked {
        Asked { bonus: (self.topics.clone(), self.bonus), ..Default.ask(question) }
    }
    fn learn(&mut self, _: &World, question: &Question, _: &[Found], _: usize) {
        if !self.topics.contains(&question.topic) {
            self.topics.push(question.topic);
        }
    }
    fn bytes(&self) -> usize {
        0
    }
}

/// Texts that helped pull a question each by itself, as far as it is near to them: no patterns.
pub(crate) struct Helped {
    pull: f32,
    dim: usize,
    slots: Vec<u32>,
    vectors: Vec<f32>,
}

impl Helped {
    pub(crate) fn new(dim: usize, pull: f32) -> Self {
        Helped { pull, dim, slots: Vec::new(), vectors: Vec::new() }
    }
}

impl Learner for Helped {
    fn ask(&self, question: &Question) -> Asked {
        let mut vector = question.vector.clone();
        for text in self.vectors.chunks_exact(self.dim) {
            let near = ((dot(text, &question.vector) - FLOOR) / (1.0 - FLOOR)).max(0.0);
            vector.iter_mut().zip(text).for_each(|(q, x)| *q += self.pull * near * x);
        }
        asked(question, vector)
    }
    fn learn(&mut self, world: &World, question: &Question, _: &[Found], _: usize) {
        if self.slots.len() < HELPED && !self.slots.contains(&question.relevant) {
            self.slots.push(question.relevant);
            self.vectors.extend_from_slice(world.vectors.row(question.relevant as usize));
        }
    }
    fn bytes(&self) -> usize {
        4 * self.vectors.len()
    }
}

/// The slope of the softmax loss of those shown, by the question's vector.
fn against(world: &World, asked: &Asked, shown: &[Found], right: usize) -> Vec<f32> {
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
    slope
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
        let slope = against(world, &asked, shown, right);
        let inner = self.inner(&question.vector);
        let mut slopes = [Vec::with_capacity(self.up.len()), vec![0.0; self.down.len()]];
        for s in &slope {
            slopes[0].extend(inner.iter().map(|x| s * x));
        }
        for (r, row) in slopes[1].chunks_exact_mut(slope.len()).enumerate() {
            let back: f32 =
                slope.iter().enumerate().map(|(i, s)| s * self.up[i * self.rank + r]).sum();
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
        if self.seen.is_multiple_of(ANCHOR) {
            self.anchor = [self.up.clone(), self.down.clone()];
        }
    }

    fn bytes(&self) -> usize {
        4 * (self.up.len() + self.down.len()) * if self.guard > 0.0 { 3 } else { 1 }
    }
}

/// Questions that are near to one another, and what is known of them.
struct Pattern<T> {
    /// Their sum.
    asked: Vec<f32>,
    what: T,
}

impl<T> Pattern<T> {
    /// From 0 to 1: how far a question belongs here.
    fn near(&self, question: &[f32]) -> f32 {
        ((cosine(&self.asked, question) - FLOOR) / (1.0 - FLOOR)).max(0.0)
    }
}

/// A bounded number of patterns: a question that fits none makes one of its own, for which the two
/// that are nearest to each other become one.
struct Patterns<T> {
    most: usize,
    all: Vec<Pattern<T>>,
}

fn cosine(sum: &[f32], vector: &[f32]) -> f32 {
    dot(sum, vector) / dot(sum, sum).sqrt().max(1e-9)
}

impl<T> Patterns<T> {
    fn new(most: usize) -> Self {
        Patterns { most, all: Vec::new() }
    }

    /// The pattern of a question, which is taken into it.
    fn of(
        &mut self,
        question: &[f32],
        fresh: impl Fn() -> T,
        merge: impl Fn(&mut T, &T),
    ) -> &mut Pattern<T> {
        let near: Vec<f32> = self.all.iter().map(|p| cosine(&p.asked, question)).collect();
        let best = (0..near.len()).max_by(|&a, &b| near[a].total_cmp(&near[b]));
        let at = match best {
            Some(best) if near[best] >= SAME || self.most == 1 => best,
            _ => {
                if self.all.len() == self.most {
                    self.merge(merge);
                }
                self.all.push(Pattern { asked: vec![0.0; question.len()], what: fresh() });
                self.all.len() - 1
            }
        };
        let pattern = &mut self.all[at];
        pattern.asked.iter_mut().zip(question).for_each(|(sum, x)| *sum += x);
        pattern
    }

    /// Makes one of the two patterns that are nearest to each other.
    fn merge(&mut self, merge: impl Fn(&mut T, &T)) {
        let near = |&(i, j): &(usize, usize)| {
            let (a, b) = (&self.all[i].asked, &self.all[j].asked);
            cosine(a, b) / dot(b, b).sqrt().max(1e-9)
        };
        let pairs = (0..self.all.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        if let Some((i, j)) = pairs.max_by(|a, b| near(a).total_cmp(&near(b))) {
            let from = self.all.remove(i);
            let into = &mut self.all[j];
            into.asked.iter_mut().zip(&from.asked).for_each(|(a, b)| *a += b);
            merge(&mut into.what, &from.what);
        }
    }

    fn bytes(&self) -> usize {
        self.all.iter().map(|pattern| 4 * pattern.asked.len()).sum()
    }
}

/// Patterns of questions, each with the sum of what told the texts that helped from the others that
/// were shown: a question moves that way, as far as it is near to the pattern. With a pattern for each
/// question these are steps of descent on a whole matrix. It never goes further than its own length.
pub(crate) struct Contrast {
    pull: f32,
    patterns: Patterns<Vec<f32>>,
}

impl Contrast {
    pub(crate) fn new(pull: f32, most: usize) -> Self {
        Contrast { pull, patterns: Patterns::new(most) }
    }
}

impl Learner for Contrast {
    fn ask(&self, question: &Question) -> Asked {
        let mut shift = vec![0.0; question.vector.len()];
        for pattern in &self.patterns.all {
            let weight = self.pull * cosine(&pattern.asked, &question.vector);
            shift.iter_mut().zip(&pattern.what).for_each(|(s, way)| *s += weight * way);
        }
        let scale = 1.0 / dot(&shift, &shift).sqrt().max(1.0);
        let mut vector = question.vector.clone();
        vector.iter_mut().zip(&shift).for_each(|(q, s)| *q += scale * s);
        asked(question, vector)
    }

    fn learn(&mut self, world: &World, question: &Question, shown: &[Found], right: usize) {
        let way = against(world, &self.ask(question), shown, right);
        let fresh = || vec![0.0; way.len()];
        let merge = |into: &mut Vec<f32>, from: &Vec<f32>| {
            into.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        };
        let pattern = self.patterns.of(&question.vector, fresh, merge);
        pattern.what.iter_mut().zip(&way).for_each(|(sum, x)| *sum -= x);
    }

    fn bytes(&self) -> usize {
        2 * self.patterns.bytes()
    }
}

/// Patterns of questions, each with the sum of the texts that helped: a question moves towards
/// those of the patterns near to it.
pub(crate) struct Bank {
    pull: f32,
    patterns: Patterns<Texts>,
}

/// Texts that helped.
struct Texts {
    sum: Vec<f32>,
    count: f32,
}

impl Bank {
    pub(crate) fn new(pull: f32, most: usize) -> Self {
        Bank { pull, patterns: Patterns::new(most) }
    }
}

impl Learner for Bank {
    fn ask(&self, question: &Question) -> Asked {
        let mut vector = question.vector.clone();
        for pattern in &self.patterns.all {
            let Texts { sum, count } = &pattern.what;
            let strength = self.pull * pattern.near(&question.vector) * count.min(COUNTED).sqrt();
            let weight = strength / dot(sum, sum).sqrt().max(1e-9);
            vector.iter_mut().zip(sum).for_each(|(q, h)| *q += weight * h);
        }
        asked(question, vector)
    }

    fn learn(&mut self, world: &World, question: &Question, _: &[Found], _: usize) {
        let row = world.vectors.row(question.relevant as usize);
        let fresh = || Texts { sum: vec![0.0; row.len()], count: 0.0 };
        let merge = |into: &mut Texts, from: &Texts| {
            into.sum.iter_mut().zip(&from.sum).for_each(|(a, b)| *a += b);
            into.count += from.count;
        };
        let Texts { sum, count } = &mut self.patterns.of(&question.vector, fresh, merge).what;
        sum.iter_mut().zip(row).for_each(|(h, x)| *h += x);
        *count += 1.0;
    }

    fn bytes(&self) -> usize {
        2 * self.patterns.bytes() + 4 * self.patterns.all.len()
    }
}

/// The weight of the words that would have served best: of a few, the one with the highest sum of
/// reciprocal ranks, where it is ahead of the default by more than two standard errors. Each pattern of
/// questions has its own sums, and those of the patterns near to a question count for it; with
/// one pattern that everything is near to, they are everybody's.
pub(crate) struct Weight {
    local: bool,
    patterns: Patterns<Gains>,
}

/// Sum and sum of squares of what each weight gains.
#[derive(Clone, Default)]
struct Gains([(f32, f32); WEIGHTS.len()]);

/// The weights that are tried.
const WEIGHTS: [f32; 5] = [0.05, 0.1, 0.2, 0.3, 0.55];

impl Weight {
    pub(crate) fn new(local: bool) -> Self {
        Weight { local, patterns: Patterns::new(if local { PATTERNS } else { 1 }) }
    }
}

impl Learner for Weight {
    fn ask(&self, question: &Question) -> Asked {
        let mut sums = Gains::default();
        for pattern in &self.patterns.all {
            let near = if self.local { pattern.near(&question.vector) } else { 1.0 };
            for (sum, of) in sums.0.iter_mut().zip(&pattern.what.0) {
                *sum = (sum.0 + near * of.0, sum.1 + near * near * of.1);
            }
        }
        let mut best = (WORDS, 0.0);
        for (&(sum, squares), &words) in sums.0.iter().zip(&WEIGHTS) {
            let sure = sum - SURE * squares.sqrt();
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
        let merge = |into: &mut Gains, from: &Gains| {
            for (into, from) in into.0.iter_mut().zip(&from.0) {
                *into = (into.0 + from.0, into.1 + from.1);
            }
        };
        let pattern = self.patterns.of(&question.vector, Gains::default, merge);
        for (gain, &words) in pattern.what.0.iter_mut().zip(&WEIGHTS) {
            let more = reciprocal(words) - before;
            *gain = (gain.0 + more, gain.1 + more * more);
        }
    }

    fn bytes(&self) -> usize {
        self.patterns.bytes() + self.patterns.all.len() * size_of::<Gains>()
    }
}

/// One after the other: each moves what the one before made of the question.
pub(crate) struct Both(pub(crate) Contrast, pub(crate) Adapter);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stay_few_and_lose_no_question() {
        let mut random = Random::new(3);
        let (mut patterns, mut sum) = (Patterns::new(4), vec![0.0; 16]);
        for n in 1..=500u32 {
            let mut question: Vec<f32> = (0..16).map(|_| random.normal()).collect();
            normalise(&mut question);
            sum.iter_mut().zip(&question).for_each(|(sum, x)| *sum += x);
            patterns.of(&question, || 0, |into, from| *into += *from).what += 1;
            assert!(patterns.all.len() <= 4);
            assert_eq!(patterns.all.iter().map(|pattern| pattern.what).sum::<u32>(), n);
        }
        assert_eq!(patterns.all.len(), 4);
        for (i, sum) in sum.iter().enumerate() {
            let kept: f32 = patterns.all.iter().map(|pattern| pattern.asked[i]).sum();
            assert!((kept - sum).abs() < 1e-3, "component {i}: {kept}, not {sum}");
        }
    }

    #[test]
    fn the_two_nearest_become_one() {
        let mut patterns = Patterns::new(3);
        let questions = [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.3, -0.95]];
        // Twice eight components, as the dot product takes them.
        let wide = |q: [f32; 2]| -> Vec<f32> { q.into_iter().flat_map(|x| [x; 8]).collect() };
        for (n, question) in questions.into_iter().enumerate() {
            let mut question = wide(question);
            normalise(&mut question);
            patterns.of(&question, Vec::new, |into, from| into.extend(from)).what.push(n);
        }
        let held: Vec<&[usize]> = patterns.all.iter().map(|pattern| &*pattern.what).collect();
        assert_eq!(held.len(), 3);
        assert!(held.contains(&&[3][..]), "the new one stands alone: {held:?}");
        assert!(held.iter().any(|of| of.len() == 2 && of.contains(&1)), "{held:?}");
    }
}

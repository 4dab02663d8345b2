//! explore
use std::path::Path;
use clawft_store::lexical::Scratch;
use clawft_benches::random::Random;
mod world;
use world::{World, dot};

const WORDS: [f32; 1] = [0.4];
const BETA: [f32; 4] = [0.0, 0.1, 0.2, 0.35];
const K: usize = WORDS.len() * BETA.len();

#[derive(Clone)]
struct Pattern { c: Vec<f32>, h: Vec<f32>, n: f32, gain: [f32; K], sq: [f32; K] }
#[derive(Clone)]
struct Bank { patterns: Vec<Pattern>, most: usize, merge: f32, floor: f32, z: f32, force: Option<usize>, power: i32, top: usize, variant: u8, t: f32, byh: bool, how: u8 }

fn unit(v: &[f32]) -> Vec<f32> { let l = dot(v, v).sqrt().max(1e-9); v.iter().map(|x| x / l).collect() }

impl Bank {
    fn gates(&self, q: &[f32]) -> Vec<f32> { let mut g: Vec<f32> = self.patterns.iter().map(|p| (({ let c = if self.byh { &p.h } else { &p.c }; dot(q, c) / dot(c, c).sqrt().max(1e-9) } - self.floor) / (1.0 - self.floor)).max(0.0).powi(self.power)).collect();
        let mut s = g.clone(); s.sort_by(|a, b| b.total_cmp(a)); let cut = s.get(self.top).copied().unwrap_or(0.0); g.iter_mut().for_each(|x| if *x <= cut { *x = 0.0 }); g }
    fn direction(&self, g: &[f32], dim: usize) -> Vec<f32> {
        let mut h = vec![0.0; dim];
        if self.variant == 3 {
            // softmax responsibilities over gates
            let top = g.iter().fold(0.0f32, |a, &b| a.max(b));
            let e: Vec<f32> = g.iter().zip(&self.patterns).map(|(g, p)| if *g > 0.0 { ((g - top) / self.t).exp() * p.n } else { 0.0 }).collect();
            let z: f32 = e.iter().sum::<f32>().max(1e-9);
            for (p, e) in self.patterns.iter().zip(&e) { if *e > 0.0 { let l = dot(&p.h, &p.h).sqrt().max(1e-9); for (h, x) in h.iter_mut().zip(&p.h) { *h += e / z * x / l; } } }
            let mut u = unit(&h); u.iter_mut().for_each(|x| *x *= top.sqrt().min(1.0)); return u;
        }
        if self.variant == 2 {
            for (p, g) in self.patterns.iter().zip(g) { if *g > 0.0 { let l = dot(&p.h, &p.h).sqrt().max(1e-9); let w = g * p.n.powf(self.t); for (h, x) in h.iter_mut().zip(&p.h) { *h += w * x / l; } } }
            return h;
        }
        for (p, g) in self.patterns.iter().zip(g) { if *g > 0.0 { for (h, x) in h.iter_mut().zip(&p.h) { *h += g * x; } } }
        let reach = g.iter().fold(0.0f32, |a, &b| a.max(b));
        let mut u = unit(&h); u.iter_mut().for_each(|x| *x *= reach.sqrt().min(1.0)); u
    }
    fn choose(&self, g: &[f32]) -> usize {
        if let Some(f) = self.force { return f; }
        let mut best = (0, 0.0);
        for k in 1..K {
            let (mut sum, mut var) = (0.0, 0.0f32);
            for (p, g) in self.patterns.iter().zip(g) { sum += g * p.gain[k]; var += g * g * p.sq[k]; }
            let low = sum - self.z * var.sqrt();
            if low > best.1 { best = (k, low); }
        }
        best.0
    }
    fn learn(&mut self, q: &[f32], doc: &[f32], gain: &[f32; K]) {
        let near = self.patterns.iter().enumerate().map(|(i, p)| (dot(q, &unit(&p.c)), i)).max_by(|a, b| a.0.total_cmp(&b.0));
        let i = match near { Some((s, i)) if s >= self.merge || (self.how == 0 && self.patterns.len() >= self.most) => i,
            _ => {
                if self.patterns.len() >= self.most {
                    if self.how == 2 { self.patterns.remove(0); } else {
                        let u: Vec<Vec<f32>> = self.patterns.iter().map(|p| unit(&p.c)).collect();
                        let mut best = (-2.0, 0, 1);
                        for i in 0..u.len() { for j in i + 1..u.len() { let s = dot(&u[i], &u[j]); if s > best.0 { best = (s, i, j); } } }
                        let p = self.patterns.remove(best.2); let o = &mut self.patterns[best.1];
                        for (c, x) in o.c.iter_mut().zip(&p.c) { *c += x; } for (c, x) in o.h.iter_mut().zip(&p.h) { *c += x; } o.n += p.n;
                    }
                }
                self.patterns.push(Pattern { c: vec![0.0; q.len()], h: vec![0.0; q.len()], n: 0.0, gain: [0.0; K], sq: [0.0; K] }); self.patterns.len() - 1 } };
        let p = &mut self.patterns[i];
        p.n += 1.0;
        for (c, x) in p.c.iter_mut().zip(q) { *c += x; }
        for (h, x) in p.h.iter_mut().zip(doc) { *h += x; }
        for k in 0..K { p.gain[k] += gain[k]; p.sq[k] += gain[k] * gain[k]; }
    }
}

struct Ready { near: Vec<(f32, u32)>, hits: world::Hits }

fn rr(w: &World, q: usize, r: &Ready, bank: &Bank, k: usize, h: &[f32]) -> f32 {
    let (words, beta) = (WORDS[k / BETA.len()], BETA[k % BETA.len()]);
    let question = &w.questions[q];
    let rank = if beta == 0.0 { w.rank(&r.near, &question.vector, &r.hits, words, question.relevant) } else {
        let v: Vec<f32> = unit(&question.vector.iter().zip(h).map(|(q, h)| q + beta * h).collect::<Vec<_>>());
        let near = w.near(&v);
        w.rank(&near, &v, &r.hits, words, question.relevant)
    };
    let _ = bank;
    rank.map_or(0.0, |r| 1.0 / r as f32)
}

fn eval(w: &World, ready: &[Ready], qs: &[usize], bank: &Bank) -> f64 {
    qs.iter().map(|&q| { let g = bank.gates(&w.questions[q].vector); let h = bank.direction(&g, w.vectors.dim); f64::from(rr(w, q, &ready[q], bank, bank.choose(&g), &h)) }).sum::<f64>() / qs.len() as f64
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new("target/learn");
    let forced = args.iter().any(|a| a == "forced");
    for (name, k) in [("other", 20), ("other-glosses", 20), ("known", 8), ("facts", 5)] {
        if args.iter().any(|a| !a.contains("forced")) && !args.iter().any(|a| a == name) { continue }
        let w = World::read(folder, name, k).unwrap();
        let mut scratch = Scratch::default();
        let ready: Vec<Ready> = w.questions.iter().map(|q| Ready { near: w.near(&q.vector), hits: w.hits(&q.text, &mut scratch) }).collect();
        let mut configs = vec![];
        for (most, merge, floor, t, byh, how) in [(32, 0.6, 0.2, 0.5, false, 1), (32, 0.6, 0.1, 0.5, false, 1), (16, 0.6, 0.2, 0.5, false, 1), (32, 0.6, 0.2, 0.5, true, 1)] { for f in 1..K {
            if !forced { continue }
            configs.push((format!("most {most} merge {merge} floor {floor} t {t} {byh} {how} b{}", BETA[f]), Bank { patterns: vec![], most, merge, floor, z: 1.0, force: Some(f), power: 1, top: 999, variant: 2, t, byh, how }));
        } }
        let mut sums = vec![[0.0f64; 5]; configs.len()];
        let splits = 5;
        for split in 0..splits {
            let mut random = Random::new(100 + split);
            let mut topics: Vec<usize> = (0..k).collect(); random.shuffle(&mut topics);
            let (a, b) = (topics[0], topics[1]);
            let mut of = |t: usize| { let mut v: Vec<usize> = (0..w.questions.len()).filter(|&q| w.topic[q] == t).collect(); random.shuffle(&mut v); let n = (v.len() / 2).min(150); let mut held = v.split_off(n); held.truncate(200); (v, held) };
            let ((ta, ha), (tb, _)) = (of(a), of(b));
            let mut others: Vec<usize> = (0..w.questions.len()).filter(|&q| w.topic[q] != a && w.topic[q] != b).collect();
            random.shuffle(&mut others); others.truncate(400);
            let zero = Bank { patterns: vec![], most: 0, merge: 0.0, floor: 0.0, z: 0.0, force: None, power: 1, top: 9, variant: 1, t: 1.0, byh: false, how: 0 };
            let (ba, bo) = (eval(&w, &ready, &ha, &zero), eval(&w, &ready, &others, &zero));
            // gains depend on bank state for beta>0 only; recompute for each config
            for (i, (_, bank)) in configs.iter().enumerate() {
                let mut bank = bank.clone();
                let teach = |bank: &mut Bank, qs: &[usize]| { for &q in qs {
                    let g = bank.gates(&w.questions[q].vector); let h = bank.direction(&g, w.vectors.dim);
                    let base = rr(&w, q, &ready[q], bank, bank.choose(&g), &h);
                    if base < 0.1 { continue }
                    let mut gain = [0.0; K];
                    if bank.force.is_none() { let zero = rr(&w, q, &ready[q], bank, 0, &h); for k in 1..K { gain[k] = rr(&w, q, &ready[q], bank, k, &h) - zero; } }
                    bank.learn(&w.questions[q].vector, w.vectors.row(w.questions[q].relevant as usize), &gain);
                } };
                teach(&mut bank, &ta);
                let (ga, go) = (eval(&w, &ready, &ha, &bank) / ba - 1.0, eval(&w, &ready, &others, &bank) / bo - 1.0);
                teach(&mut bank, &tb);
                let gb = eval(&w, &ready, &ha, &bank) / ba - 1.0;
                let s = &mut sums[i]; s[0] += ga; s[1] += go; s[2] += gb; s[3] += bank.patterns.len() as f64;
            }
            println!("{name} split {split}: topic {a} train {} held {} base {ba:.3} others {bo:.3}", ta.len(), ha.len());
        }
        for ((label, _), s) in configs.iter().zip(&sums) { println!("  {label:32} A {:+.2}% others {:+.2}% after B {:+.2}% patterns {:.0}", s[0] / splits as f64 * 100.0, s[1] / splits as f64 * 100.0, s[2] / splits as f64 * 100.0, s[3] / splits as f64); }
    }
}

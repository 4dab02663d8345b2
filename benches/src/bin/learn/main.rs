//! explore
use std::path::Path;
use clawft_store::lexical::Scratch;
use clawft_benches::random::Random;
mod world;
use world::{World, dot};

struct Case { q: usize, slots: Vec<u32>, base: Vec<f32>, right: Option<usize> }

fn mrr(w: &World, cs: &[&Case], bonus: &dyn Fn(&[f32]) -> Box<dyn Fn(u32) -> f32>) -> f64 {
    let mut sum = 0.0;
    for c in cs { if let Some(r) = c.right {
        let f = bonus(&w.questions[c.q].vector);
        let s: Vec<f32> = c.slots.iter().zip(&c.base).map(|(&x, b)| b + f(x)).collect();
        let rank = s.iter().enumerate().filter(|(i, x)| **x > s[r] || (**x == s[r] && *i < r)).count();
        sum += 1.0 / (rank + 1) as f64; } }
    sum / cs.len() as f64
}

fn main() {
    let folder = Path::new("target/learn");
    let name = std::env::args().nth(1).unwrap_or("other".into());
    let k: usize = std::env::args().nth(2).unwrap_or("20".into()).parse().unwrap();
    let w: &'static World = Box::leak(Box::new(World::read(folder, &name, k).unwrap()));
    let enough = w.index.enough();
    let mut scratch = Scratch::default();
    let mut order: Vec<usize> = (0..w.questions.len()).collect();
    Random::new(5).shuffle(&mut order);
    let mut cases = Vec::new();
    for &q in &order {
        let question = &w.questions[q];
        let found = w.candidates(&question.vector, &question.text, &mut scratch);
        let slots: Vec<u32> = found.iter().map(|f| f.slot).collect();
        let most = found.iter().fold(enough, |a, f| a.max(f.words));
        let base = found.iter().map(|f| 0.6 * f.similarity + 0.4 * (f.words / most).powi(2)).collect();
        cases.push(Case { q, right: slots.iter().position(|&s| s == question.relevant), base, slots });
    }
    let mut total: Vec<(String, f64, f64, f64)> = Vec::new();
    let tops = 8;
    for a in 0..tops {
        let of: Vec<&Case> = cases.iter().filter(|c| w.topic[c.q] == a).collect();
        let n = of.len() / 2;
        let n = n.min(200);
        let (train, test) = of.split_at(n);
        let others: Vec<&Case> = cases.iter().filter(|c| w.topic[c.q] != a).take(2500).collect();
        let z = |_: &[f32]| -> Box<dyn Fn(u32) -> f32> { Box::new(|_| 0.0) };
        let (ba, bc) = (mrr(w, test, &z), mrr(w, &others, &z));
        println!("topic {a}: {} questions, base {ba:.3} others {bc:.3}", of.len());
        let mut at = 0;
        let mut report = |label: String, f: &dyn Fn(&[f32]) -> Box<dyn Fn(u32) -> f32>| {
            let (x, y) = (mrr(w, test, f) / ba - 1.0, mrr(w, &others, f) / bc - 1.0);
            if at == total.len() { total.push((label, 0.0, 0.0, 0.0)); }
            let t = &mut total[at]; t.1 += x / tops as f64; t.2 += y / tops as f64; t.3 = t.3.min(y); at += 1;
        };
        for beta in [0.02f32, 0.05, 0.1, 0.3] {
            let topic = &w.of;
            report(format!("oracle {beta}"), &|_| Box::new(move |x| if topic[x as usize] == a { beta } else { 0.0 }));
        }
        // centroid of helped docs and of queries
        let dim = w.vectors.dim;
        let mut h = vec![0.0; dim]; let mut c = vec![0.0; dim];
        for t in train.iter() { let q = &w.questions[t.q]; for i in 0..dim { h[i] += w.vectors.row(q.relevant as usize)[i]; c[i] += q.vector[i]; } }
        let l = dot(&h, &h).sqrt(); h.iter_mut().for_each(|x| *x /= l);
        let l = dot(&c, &c).sqrt(); c.iter_mut().for_each(|x| *x /= l);
        let h: &'static [f32] = h.leak(); let c: &'static [f32] = c.leak();
        if a == 0 { 
            let m = |v: Vec<f32>| { let mut v = v; v.sort_by(f32::total_cmp); let n = v.len(); (v[n/10], v[n/2], v[n*9/10]) };
            println!("doc-h in A {:?} out {:?}", m(w.of.iter().zip(w.vectors.iter()).filter(|x| *x.0 == a).map(|x| dot(x.1, h)).collect()), m(w.of.iter().zip(w.vectors.iter()).filter(|x| *x.0 != a).map(|x| dot(x.1, h)).collect()));
            println!("q-c in A {:?} out {:?}", m(test.iter().map(|t| dot(&w.questions[t.q].vector, c)).collect()), m(others.iter().map(|t| dot(&w.questions[t.q].vector, c)).collect()));
        }
        for beta in [0.05f32, 0.1, 0.2, 0.4] {
            report(format!("centroid linear {beta}"), &|_| Box::new(move |x| beta * dot(w.vectors.row(x as usize), h)));
            report(format!("centroid gated by cos(q,c) {beta}"), &|q| { let g = dot(q, c).max(0.0); Box::new(move |x| beta * g * dot(w.vectors.row(x as usize), h)) });
            report(format!("centroid gated by cos>.2 {beta}"), &|q| { let g = ((dot(q, c) - 0.2) / 0.3).clamp(0.0, 1.0); Box::new(move |x| beta * g * dot(w.vectors.row(x as usize), h)) });
            report(format!("centroid gated by cos>.3 {beta}"), &|q| { let g = ((dot(q, c) - 0.3) / 0.2).clamp(0.0, 1.0); Box::new(move |x| beta * g * dot(w.vectors.row(x as usize), h)) });
            report(format!("thresh gated {beta}"), &|q| { let g = ((dot(q, c) - 0.2) / 0.3).clamp(0.0, 1.0); Box::new(move |x| beta * g * ((dot(w.vectors.row(x as usize), h)-0.2)/0.3).clamp(0.0,1.0)) });
        }
        // knn over patterns = all train pairs
        let pairs: &'static [(Vec<f32>, Vec<f32>)] = train.iter().map(|t| { let q = &w.questions[t.q]; (q.vector.clone(), w.vectors.row(q.relevant as usize).to_vec()) }).collect::<Vec<_>>().leak();
        for top in [1usize, 3, 10] { for beta in [0.05f32, 0.1, 0.2] {
            report(format!("knn {top} {beta}"), &|q| {
                let mut near: Vec<(f32, usize)> = pairs.iter().enumerate().map(|(i, p)| (dot(&p.0, q), i)).collect();
                near.sort_by(|a, b| b.0.total_cmp(&a.0)); near.truncate(top);
                let mut v = vec![0.0; dim];
                for (g, i) in near { let g = g.max(0.0) / top as f32; for (v, x) in v.iter_mut().zip(&pairs[i].1) { *v += g * x; } }
                Box::new(move |x| beta * dot(w.vectors.row(x as usize), &v))
            });
        } }
    }
    for t in total { println!("{:40} A {:+.2}% others {:+.2}% worst {:+.2}%", t.0, t.1 * 100.0, t.2 * 100.0, t.3 * 100.0); }
}

// EdgeVec 0.9 (npm) in Node on the same data, recorded once: its build takes minutes.
//
//   npm install --prefix target/edgevec edgevec@0.9.0
//   node benches/peers/edgevec.mjs [target/edgevec] [data]
//
// EdgeVec takes ef once, when the index is made, and widens the search to k; so a search with
// k = ef, of which the best 10 are kept, sweeps ef over one build. Prints one JSON object a line.
import { readFileSync } from "node:fs";
import { join, dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const modules = resolve(process.argv[2] ?? join(root, "target", "edgevec"), "node_modules", "edgevec");
const data = resolve(process.argv[3] ?? join(root, "data"));
const K = 10;

const { default: init, EdgeVec, EdgeVecConfig } = await import(pathToFileURL(join(modules, "edgevec.js")));
await init({ module_or_path: readFileSync(join(modules, "edgevec_bg.wasm")) });

// The rows of a `.npy` of f16, set to length 1.
function rows(name) {
  const bytes = readFileSync(join(data, name));
  const start = 10 + bytes.readUInt16LE(8);
  const header = bytes.toString("latin1", 10, start);
  const shape = /\((\d+), (\d+)\)/.exec(header);
  if (!shape || !header.includes("<f2")) throw new Error(`${name}: expected 2 dimensions of f16, found ${header}`);
  const [n, d] = [Number(shape[1]), Number(shape[2])];
  return Array.from({ length: n }, (_, i) => {
    const row = new Float32Array(d);
    for (let j = 0; j < d; j++) row[j] = half(bytes.readUInt16LE(start + 2 * (i * d + j)));
    const length = Math.hypot(...row);
    return row.map((x) => x / length);
  });
}

function half(bits) {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
}

function exact(base, query) {
  const score = base.map((row, id) => [row.reduce((sum, x, j) => sum + x * query[j], 0), id]);
  return new Set(score.sort((a, b) => b[0] - a[0] || a[1] - b[1]).slice(0, K).map(([, id]) => id));
}

const base = rows("base.f16.npy");
const sets = ["queries", "known_item_queries"].map((name) => ({ name, queries: rows(`${name}.f16.npy`) }));
for (const set of sets) set.truth = set.queries.map((query) => exact(base, query));

const config = new EdgeVecConfig(base[0].length);
// Its "cosine" and "dot" give the farthest first; L2 on vectors of length 1 has cosine's order.
config.metric = "l2";
config.m = 16;
config.m0 = 32;
config.ef_construction = 200;
config.ef_search = K;
const index = new EdgeVec(config);
const began = performance.now();
const ids = new Map(base.map((row, i) => [index.insert(row), i]));
const build = (performance.now() - began) / 1000;
console.error(`edgevec: built in ${build.toFixed(1)} s`);

for (const { name, queries, truth } of sets) {
  for (const ef of [10, 32, 64, 100, 200]) {
    const seconds = [];
    let found = 0;
    for (let pass = 0; pass < 4; pass++) {
      const start = performance.now();
      const answers = queries.map((query) => index.search(query, ef));
      seconds.push((performance.now() - start) / 1000);
      if (pass > 0) continue;
      answers.forEach((hits, q) => {
        for (const hit of hits.slice(0, K)) found += truth[q].has(ids.get(hit.id)) ? 1 : 0;
      });
    }
    const median = seconds.slice(1).sort((a, b) => a - b)[1];
    const row = { artifact: "edgevec 0.9.0", runtime: "node", queries: name, n: base.length, d: base[0].length };
    row["recall@10"] = found / (K * queries.length);
    console.log(JSON.stringify({ ...row, qps: Math.round(queries.length / median), ef, batch: 1, build_s: build }));
  }
}

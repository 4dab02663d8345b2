// The kernel module from Node (18 or newer), with nothing installed.
//
//     node ffi/examples/js/nearest.mjs dist/clawft-kernel.wasm
//
// SPDX-License-Identifier: MIT OR Apache-2.0

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { ClawftError, Index, Kernel } from "./clawft.mjs";

const WRONG_DIMENSION = -1;
const FULL = -7;
const BAD_HANDLE = -101;
const [dim, count, k] = [48, 500, 10];

/** Numbers of a normal distribution; the same ones in each run. */
function* normal(state) {
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 1) / 2 ** 32;
  };
  for (;;) yield Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

function cosineDistance(a, b) {
  const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);
  return 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

if (process.argv.length !== 3) {
  console.error("usage: node nearest.mjs clawft-kernel.wasm");
  process.exit(2);
}
const module = await readFile(process.argv[2]);
const kernel = await Kernel.load(module);
const random = normal(7);
const all = Float32Array.from({ length: dim * count }, () => random.next().value);
const row = (i) => all.subarray(i * dim, (i + 1) * dim);
const ids = Array.from({ length: count }, (_, i) => i);

let index = new Index(kernel, dim, count);
index.insert(ids, all);
try {
  index.insert([count], row(0));
  assert.fail("insert number capacity + 1 was not refused");
} catch (error) {
  assert.ok(error instanceof ClawftError && error.code === FULL, error);
  console.log("full:", error.message);
}

let hits = 0;
for (let probe = 0; probe < 50; probe++) {
  const query = row(probe).map((x) => x + 0.1 * random.next().value);
  const distances = ids.map((id) => cosineDistance(query, row(id)));
  const truth = [...ids].sort((a, b) => distances[a] - distances[b]).slice(0, k);
  const found = index.search(query, k, { ef: 100 });
  assert.equal(found.length, k);
  hits += found.filter(({ id }) => truth.includes(id)).length;
  const exact = index.search(query, k, { exact: true });
  assert.deepEqual(
    exact.map(({ id }) => id),
    truth,
  );
}
console.log(`recall@${k}: ${(hits / (50 * k)).toFixed(3)}`);
assert.ok(hits >= 0.95 * 50 * k);

for (const some of [[3, 5, 8, 10_000], new Set([3, 5, 8])]) {
  const filtered = index.search(row(3), k, { ids: some });
  assert.deepEqual(filtered.map(({ id }) => id).sort(), [3, 5, 8]);
}
index.remove(3);
assert.ok(index.search(row(3), k).every(({ id }) => id !== 3));

// Any array of numbers does, but not of any length: a query is refused by the kernel, rows before.
index.insert([3], Array.from(row(3)));
assert.equal(index.search(Float64Array.from(row(3)), 1)[0].id, 3);
for (const wrong of [row(3).subarray(1), all.subarray(0, dim + 1), []]) {
  assert.throws(() => index.search(wrong, k), { code: WRONG_DIMENSION });
  assert.throws(() => index.insert([count], wrong), RangeError);
}
assert.throws(() => index.insert([count, count + 1], row(3)), RangeError);

// What the kernel has no name for, and what JavaScript has no number for.
assert.throws(() => new Index(kernel, dim, count, { space: "euclidean" }), /cosine,ip,l2/);
for (const id of [-1, 0.5, NaN, 2 ** 53, 2n ** 53n + 1n]) {
  for (const call of [
    () => index.insert([id], row(3)),
    () => index.remove(id),
    () => index.search(row(3), k, { ids: [id] }),
  ]) {
    assert.throws(call, /an id is a whole number/);
  }
}

const saved = index.snapshot();
const before = index.search(row(4), k);
index.close();
assert.throws(() => index.search(row(4), k), { code: BAD_HANDLE });
const { asked } = kernel.memory();
assert.throws(() => new Index(kernel, dim, count, { snapshot: saved.slice(1) }), ClawftError);
assert.equal(kernel.memory().asked, asked);
index = new Index(kernel, dim, count, { snapshot: saved });
assert.deepEqual(index.search(row(4), k), before);

// Where memory ends, down to the last 64 bytes, what is refused still says why.
const small = await Kernel.load(module);
small.call("clawft_init_memory", 0, 4 << 20);
for (let size = 1 << 20; size >= 64; size /= 2) {
  assert.throws(() => {
    for (;;) small.alloc(size);
  }, RangeError);
}
assert.throws(() => small.call("clawft_destroy", 1), { code: BAD_HANDLE });

const { linear, overhead } = kernel.memory();
console.log(`linear memory ${linear} bytes, allocator ${overhead} bytes`);
assert.ok(overhead < 1024);
console.log(`saved and loaded ${saved.length} bytes: ok`);

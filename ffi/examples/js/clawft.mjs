// The kernel module from JavaScript: Node, Deno, Bun and browsers. A class in the manner of
// hnswlib's, over the exports alone: every number and pointer goes through linear memory.
// SPDX-License-Identifier: MIT OR Apache-2.0

const METRICS = { cosine: 0, ip: 1, l2: 2 };
// The longest sentence, and the zero behind it.
const SENTENCE = 241;

/** As the kernel has them: an array of that kind, or a copy of numbers of another. */
const floats = (numbers) => (numbers instanceof Float32Array ? numbers : Float32Array.from(numbers));

/** An id as it is here or in the kernel. A larger number would be rounded, and be another id. */
function checked(id) {
  if (id < 0 || !Number.isSafeInteger(Number(id))) {
    throw new RangeError(`an id is a whole number from 0 to 2^53 - 1, found ${id}`);
  }
  return id;
}

/** Any list of ids, as the kernel has them. */
const integers = (ids) => BigUint64Array.from(ids, (id) => BigInt(checked(id)));

/** What the kernel refused: its number, and its sentence as the message. */
export class ClawftError extends Error {
  constructor(code, sentence) {
    super(`${sentence} (${code})`);
    this.code = code;
  }
}

/** One instance of the module. */
export class Kernel {
  /** From the module's bytes, or from a response that streams them. */
  static async load(source) {
    const { instance } =
      source instanceof Response
        ? await WebAssembly.instantiateStreaming(source)
        : await WebAssembly.instantiate(source);
    return new Kernel(instance.exports);
  }

  constructor(exports) {
    this.exports = exports;
    this.sentence = 0;
  }

  /** Calls an export; an error becomes an exception with its sentence. */
  call(name, ...args) {
    const result = this.exports[name](...args);
    if (result < 0) throw new ClawftError(result, this.lastError());
    return result;
  }

  lastError() {
    const at = this.placeOfSentences();
    const length = this.exports.clawft_last_error(at, SENTENCE);
    return new TextDecoder().decode(this.bytes(at, length));
  }

  /** A block that is kept, and taken before all others: when memory ends, that can be said. */
  placeOfSentences() {
    this.sentence ||= this.take(SENTENCE);
    return this.sentence;
  }

  alloc(size) {
    this.placeOfSentences();
    return this.take(size);
  }

  take(size) {
    const at = this.exports.clawft_alloc(size) >>> 0;
    if (at === 0) throw new RangeError(`no ${size} bytes left in linear memory`);
    return at;
  }

  /** Linear memory as it is now: when it grows, older views of it are void. */
  view() {
    return new DataView(this.exports.memory.buffer);
  }

  /** A copy of `length` bytes. */
  bytes(at, length) {
    return new Uint8Array(this.exports.memory.buffer, at, length).slice();
  }

  /** Blocks for the arguments of a call, given back at its end. */
  frame(work) {
    const blocks = [];
    const alloc = (size) => {
      blocks.push(this.alloc(size));
      return blocks.at(-1);
    };
    const put = (array) => {
      const at = alloc(array.byteLength);
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      new Uint8Array(this.exports.memory.buffer).set(bytes, at);
      return at;
    };
    try {
      return work({ alloc, put });
    } finally {
      for (const at of blocks) this.call("clawft_free", at);
    }
  }

  /** Bytes of linear memory, of them those that are asked for, and what the allocator takes. */
  memory() {
    return this.frame(({ alloc }) => {
      const at = alloc(56);
      this.call("clawft_memory_stats", at);
      const view = this.view();
      const number = (offset) => Number(view.getBigUint64(at + offset, true));
      return { asked: number(24), overhead: number(40), linear: number(48) };
    });
  }
}

/** Vectors by id. Ids are whole numbers from 0 to 2^53 - 1; larger ones of the kernel are refused. */
export class Index {
  /** An empty one; or with `snapshot` (bytes of one) all that it held. */
  constructor(kernel, dim, capacity, { space = "cosine", seed = 0, snapshot } = {}) {
    this.kernel = kernel;
    this.dim = dim;
    this.handle = kernel.frame(({ alloc, put }) => {
      const out = alloc(40);
      if (snapshot) {
        // The block becomes the store's: no copy inside the module.
        const block = kernel.alloc(snapshot.length);
        new Uint8Array(kernel.exports.memory.buffer).set(snapshot, block);
        try {
          kernel.call("clawft_adopt", block, out);
        } catch (error) {
          // Refused, it is still ours.
          kernel.call("clawft_free", block);
          throw error;
        }
      } else {
        if (!Object.hasOwn(METRICS, space)) {
          throw new RangeError(`space is one of ${Object.keys(METRICS)}, found ${space}`);
        }
        kernel.call("clawft_params_init", out, dim, capacity);
        kernel.view().setUint32(out + 12, METRICS[space], true);
        kernel.view().setBigUint64(out + 32, BigInt(seed), true);
        kernel.call("clawft_create", put(kernel.bytes(out, 40)), out);
      }
      return kernel.view().getUint32(out, true);
    });
  }

  close() {
    this.kernel.call("clawft_destroy", this.handle);
  }

  /** `vectors` is one Float32Array or array of numbers, row behind row. */
  insert(ids, vectors) {
    const { handle, dim } = this;
    const [names, rows] = [integers(ids), floats(vectors)];
    // The kernel is told how many there are and reads them: only here is seen whether they are there.
    if (rows.length !== names.length * dim) {
      throw new RangeError(`${names.length} ids want as many rows of ${dim}, found ${rows.length} numbers`);
    }
    this.kernel.frame(({ alloc, put }) => {
      const given = [put(names), put(rows)];
      this.kernel.call("clawft_insert_batch", handle, ...given, names.length, dim, alloc(4));
    });
  }

  remove(id) {
    this.kernel.call("clawft_remove", this.handle, BigInt(checked(id)));
  }

  /** `[{ id, distance }]`, nearest first; of `ids` only, if they are given. */
  search(vector, k, { ef = 0, ids, exact = false } = {}) {
    const { kernel } = this;
    const values = floats(vector);
    return kernel.frame(({ alloc, put }) => {
      const names = ids && integers(ids);
      const allowed = names ? put(names) : 0;
      const query = new Uint32Array([24, k, ef, exact ? 3 : 0, allowed, names?.length ?? 0]);
      const [outIds, outDistances, outCount] = [alloc(8 * k), alloc(4 * k), alloc(4)];
      const given = [put(values), values.length, put(query)];
      kernel.call("clawft_search", this.handle, ...given, outIds, outDistances, outCount);
      const view = kernel.view();
      return Array.from({ length: view.getUint32(outCount, true) }, (_, i) => ({
        id: Number(checked(view.getBigUint64(outIds + 8 * i, true))),
        distance: view.getFloat32(outDistances + 4 * i, true),
      }));
    });
  }

  /** The bytes to keep: IndexedDB, a file, a response. */
  snapshot() {
    return this.kernel.frame(({ alloc }) => {
      const out = alloc(8);
      this.kernel.call("clawft_snapshot_view", this.handle, out, out + 4);
      const view = this.kernel.view();
      return this.kernel.bytes(view.getUint32(out, true), view.getUint32(out + 4, true));
    });
  }
}

/* The C ABI of clawft. Generated: change the sources and run
 *     CLAWFT_BLESS=1 cargo test -p clawft-ffi --test header
 * docs/abi.md says how to use it. All functions that return int32_t return 0 or
 * a count when they succeed, else a negative number of enum CLAWFT, and
 * then write no output. SPDX-License-Identifier: MIT OR Apache-2.0 */

#ifndef CLAWFT_H
#define CLAWFT_H

#include <stddef.h>
#include <stdint.h>

// The version of this ABI. It changes when a function, a struct or the meaning
// of a number changes; functions and error codes may be added without.
#define CLAWFT_ABI_VERSION 1

// The numbers that functions return. Stable: a number keeps its meaning, and a
// retired one is never given out again.
enum CLAWFT
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Done.
  CLAWFT_OK = 0,
  // A vector has not as many components as the store's dimension, or that
  // dimension is out of bounds.
  CLAWFT_WRONG_DIMENSION = -1,
  // A component of a vector is NaN or infinite; or, but under cosine, its squared
  // length is 2^124 or more, or f16 cannot hold what is to be stored.
  CLAWFT_NOT_FINITE = -2,
  // A zero vector under cosine.
  CLAWFT_ZERO_VECTOR = -3,
  // `k` is 0.
  CLAWFT_ZERO_K = -4,
  // The id is in the store already.
  CLAWFT_DUPLICATE_ID = -5,
  // The id is not in the store.
  CLAWFT_UNKNOWN_ID = -6,
  // No room is left for another vector.
  CLAWFT_FULL = -7,
  // The parameters of a store are out of their bounds.
  CLAWFT_BAD_PARAMS = -8,
  // A buffer is not aligned to 64 bytes. Not seen from outside.
  CLAWFT_BUFFER_MISALIGNED = -9,
  // A snapshot is shorter than its header says.
  CLAWFT_TOO_SHORT = -10,
  // A snapshot is damaged, or is none.
  CLAWFT_CORRUPT = -11,
  // A snapshot is of another version.
  CLAWFT_WRONG_VERSION = -12,
  // Scratch is too small for a call. Not seen from outside.
  CLAWFT_SCRATCH_TOO_SMALL = -13,
  // The place for results is too small. Not seen from outside.
  CLAWFT_RESULTS_TOO_SMALL = -14,
  // A new capacity is below the present one.
  CLAWFT_SHRINK = -15,
  // A radius is NaN.
  CLAWFT_BAD_RADIUS = -16,
  // A handle that names no open store.
  CLAWFT_BAD_HANDLE = -101,
  // A pointer was null.
  CLAWFT_NULL_POINTER = -102,
  // A pointer was not aligned for what it points to.
  CLAWFT_MISALIGNED = -103,
  // A pointer and its length leave the memory.
  CLAWFT_OUT_OF_RANGE = -104,
  // A struct's `size` is not that of this ABI version.
  CLAWFT_STRUCT_SIZE = -105,
  // A number names no metric, encoding or mode.
  CLAWFT_UNKNOWN_CHOICE = -106,
  // No memory is left for the request.
  CLAWFT_OUT_OF_MEMORY = -107,
  // All handles are in use.
  CLAWFT_TOO_MANY_STORES = -108,
  // `clawft_init_memory` came after memory was in use.
  CLAWFT_MEMORY_IN_USE = -109,
  // The region is too small to hold anything.
  CLAWFT_REGION_TOO_SMALL = -110,
  // The limit is 0, or below what is used already.
  CLAWFT_LIMIT_TOO_SMALL = -111,
  // The region overlaps the module's own stack and data.
  CLAWFT_REGION_TAKEN = -112,
  // The pointer is none that `clawft_alloc` gave and that is still lent.
  CLAWFT_NOT_ALLOCATED = -113,
  // The output is too small for the result.
  CLAWFT_OUTPUT_TOO_SMALL = -114,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum CLAWFT CLAWFT;
#else
typedef int32_t CLAWFT;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What memory is claimed, used and lost. All in bytes but `blocks`.
typedef struct {
  // Size of this struct; the library sets it.
  uint32_t size;
  // Blocks in use: two for each store, one for each `clawft_alloc`.
  uint32_t blocks;
  // The size of the region, or the limit of growth; 0: none was set.
  uint64_t limit;
  // Bytes under the allocator's control.
  uint64_t claimed;
  // Bytes asked for and in use.
  uint64_t asked;
  // Claimed bytes that are free.
  uint64_t free;
  // The allocator's own part: `claimed - free - asked`.
  uint64_t overhead;
  // Size of linear memory, stack and data included; 0 natively.
  uint64_t linear_memory;
} ClawftMemory;

// What a store is to be. `clawft_params_init` fills in the defaults.
typedef struct {
  // Size of this struct in bytes.
  uint32_t size;
  // Components of a vector: 1 to 8,192.
  uint32_t dim;
  // Vectors that fit.
  uint32_t capacity;
  // What is near: 0 cosine, 1 inner product, 2 L2.
  uint32_t metric;
  // How vectors are kept: 0 f32, 1 f16, 2 i8, 3 by the dimension: f32 below
  // 128, i8 from there on.
  uint32_t encoding;
  // Links that a vector chooses on each level, 4 to 64; 0: 16.
  uint32_t m;
  // Candidates that an insert weighs; 0: 200.
  uint32_t ef_construction;
  // Up to this many vectors a query of mode 0 scans instead of walking, where the
  // larger of `k` and `ef` is 64; the limit grows in proportion to it. 0: the
  // measured default, `UINT32_MAX`: always.
  uint32_t scan_limit;
  // Seed of levels and rotation. Same seed and same calls: same bytes.
  uint64_t seed;
} ClawftParams;

// A store in numbers.
typedef struct {
  // Size of this struct; the library sets it.
  uint32_t size;
  // Components of a vector.
  uint32_t dim;
  // Vectors that fit.
  uint32_t capacity;
  // Vectors in it, those marked as deleted as well.
  uint32_t count;
  // Vectors marked as deleted.
  uint32_t deleted;
  // As in `ClawftParams`.
  uint32_t metric;
  // As in `ClawftParams`: 0, 1 or 2.
  uint32_t encoding;
  // As in `ClawftParams`.
  uint32_t m;
  // As in `ClawftParams`.
  uint32_t ef_construction;
  // `ef` of queries that name none.
  uint32_t ef;
  // Up to this many vectors a query of mode 0 scans instead of walking, where the
  // larger of `k` and `ef` is 64; the limit grows in proportion to it.
  uint32_t scan_limit;
  // 1 if inserts take the places of vectors marked as deleted.
  uint32_t replace_deleted;
  // As in `ClawftParams`.
  uint64_t seed;
  // Bytes of the image, which are those of a snapshot.
  uint64_t bytes;
  // Bytes of the graph in it.
  uint64_t graph_bytes;
  // Bytes of the short codes, their sketches and the factors in it.
  uint64_t short_bytes;
  // Bytes of the full codes' pages in it.
  uint64_t pool_bytes;
} ClawftStats;

// What `clawft_verify` found. The store is sound if `unreachable` and `broken` are 0.
typedef struct {
  // Size of this struct; the library sets it.
  uint32_t size;
  // Vectors in the graph.
  uint32_t live;
  // Vectors that no walk through the graph can reach.
  uint32_t unreachable;
  // 1 if an invariant of the graph is broken; `clawft_last_error` says which.
  uint32_t broken;
  // Links on all levels.
  uint64_t links;
} ClawftReport;

// How to search. `clawft_query_init` fills in the defaults.
typedef struct {
  // Size of this struct in bytes.
  uint32_t size;
  // Results wanted, from 1 on. Fewer come only when fewer match.
  uint32_t k;
  // Candidates kept while searching: more find more and take longer. 0: that
  // of `clawft_set_ef`. At least `k` are kept in any case; from 128 dimensions
  // on, but in mode 3, twice `k`.
  uint32_t ef;
  // 0 whatever is faster, 1 the graph, 2 a scan of the short codes, 3 exact:
  // a scan of the full codes.
  uint32_t mode;
  // Only these ids may be found; null: all. In any order, unknown ones ignored.
  const uint64_t *filter_ids;
  // Number of `filter_ids`. 0 with a pointer that is not null finds nothing.
  uint32_t filter_len;
} ClawftQuery;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the ABI that this library speaks: `CLAWFT_ABI_VERSION`.
uint32_t clawft_abi_version(void);

// Copies the sentence of the last error (of this thread natively, of this
// instance in WebAssembly) to `out`, cut to `cap - 1` bytes, and ends it with a
// zero byte. ASCII, at most 240 bytes. Empty when nothing failed yet; success
// does not clear it.
//
// Returns the length of the whole sentence without the zero byte. With `out`
// null or `cap` 0, or an `out` outside the memory, nothing is written.
//
// # Safety
// Natively `out` is null or valid for writes of `cap` bytes.
size_t clawft_last_error(char *out, size_t cap);

// Says once where memory comes from. Optional, and only before the first use
// of memory.
//
// `base` not null: everything lives in the `size` bytes from there, which are
// the library's for good. In WebAssembly that are pages that the host grew, or
// bytes from `__heap_base` on. `base` null: memory grows as needed, up to
// `size` bytes (in WebAssembly of linear memory in all, stack and data
// included; natively of blocks). Without this call memory grows without a limit
// of this library's; a limit of 0 is refused.
//
// Errors: `MemoryInUse`, `RegionTooSmall`, `RegionTaken`, `LimitTooSmall`,
// `OutOfRange`.
//
// # Safety
// Natively the region is valid for reads and writes, and nobody else uses it.
int32_t clawft_init_memory(void *base, size_t size);

// A block of `size` zero bytes, aligned to 64; null when no memory is left
// (`clawft_last_error` says so). The caller owns it, until `clawft_free` or
// `clawft_adopt`. In WebAssembly linear memory may grow: views of it must be
// taken anew; the last 64 KiB of a module that has memories are the module's.
void *clawft_alloc(size_t size);

// Gives back a block of `clawft_alloc`. Null is allowed and does nothing. Takes
// time in proportion to the blocks that are lent.
//
// Errors: `NotAllocated`.
int32_t clawft_free(void *block);

// Writes the counts of memory to `out`.
//
// Errors: those of pointers.
//
// # Safety
// Natively `out` is valid for writes.
int32_t clawft_memory_stats(ClawftMemory *out);

// Writes the defaults for `dim` components and `capacity` vectors to `out`:
// cosine, encoding by the dimension, M 16, ef_construction 200, the measured
// scan limit, a fixed seed. The numbers are checked when they are used.
//
// Errors: those of pointers.
//
// # Safety
// Natively `out` is valid for writes.
int32_t clawft_params_init(ClawftParams *out, uint32_t dim, uint32_t capacity);

// Writes to `out` how many bytes a store of `params` takes (its image, which is
// also the most that its snapshot takes; scratch comes on top, 65 KiB at 10,000
// vectors of 512 dimensions, 388 KiB at 1,000,000).
//
// Errors: `StructSize`, `UnknownChoice`; those of the store for a dimension,
// capacity, M or ef_construction out of bounds; those of pointers.
//
// # Safety
// Natively the pointers are valid for reads and writes.
int32_t clawft_required_bytes(const ClawftParams *params, uint64_t *out);

// 1 if the id is there (marked as deleted or not), else 0.
//
// Errors: `BadHandle`.
int32_t clawft_contains(uint32_t handle, uint64_t id);

// Writes the vector with this id to `out`, `dim` floats, as it was given (under
// cosine: divided by its length), within the error bound of the encoding.
//
// Errors: `BadHandle`, `UnknownId`, `WrongDimension`, `OutOfMemory`; those of
// pointers.
//
// # Safety
// Natively `out` is valid for writes of `dim` floats.
int32_t clawft_get(uint32_t handle, uint64_t id, float *out, uint32_t dim);

// Writes the vectors with these `n` ids to `out`, row after row of `dim` floats.
// An unknown id among them is an error, and nothing is written.
//
// Errors: as `clawft_get`.
//
// # Safety
// Natively `ids` is valid for reads of `n`, `out` for writes of `n * dim` elements.
int32_t clawft_get_batch(uint32_t handle,
                         const uint64_t *ids,
                         uint32_t n,
                         float *out,
                         uint32_t dim);

// Writes all ids (those marked as deleted as well) to `out`, in no order that
// means anything, and their number to `out_count`. Their number is `count` of
// `clawft_stats`.
//
// Errors: `BadHandle`, `OutputTooSmall` (more than `cap` ids); those of pointers.
//
// # Safety
// Natively `out` is valid for writes of `cap` ids, `out_count` of one number.
int32_t clawft_ids(uint32_t handle, uint64_t *out, uint32_t cap, uint32_t *out_count);

// Writes the numbers of a store to `out`.
//
// Errors: `BadHandle`; those of pointers.
//
// # Safety
// Natively `out` is valid for writes.
int32_t clawft_stats(uint32_t handle, ClawftStats *out);

// Walks the whole graph and writes what is broken in it to `out`. Takes time in
// proportion to its size.
//
// Errors: `BadHandle`, `OutOfMemory`; those of pointers.
//
// # Safety
// Natively `out` is valid for writes.
int32_t clawft_verify(uint32_t handle, ClawftReport *out);

// Writes the defaults for `k` results to `out`: the handle's ef, the faster
// way, no filter.
//
// Errors: those of pointers.
//
// # Safety
// Natively `out` is valid for writes.
int32_t clawft_query_init(ClawftQuery *out, uint32_t k);

// Finds the `k` nearest of `dim` floats, nearest first: ids to `out_ids`,
// distances to `out_distances` (room for `k` each), their number to
// `out_count`. With fewer vectors than `k` (or fewer that pass the filter) that
// number is smaller, and 0 for an empty store; that is no error.
//
// Distances: cosine `1 - cos`, inner product `1 - <a, b>`, L2 squared.
//
// Errors: `BadHandle`, `WrongDimension`, `NotFinite`, `ZeroVector` (cosine),
// `ZeroK`, `UnknownChoice`, `StructSize`, `OutOfMemory` (scratch for a larger
// `k` or `ef` than before); those of pointers.
//
// # Safety
// Natively the pointers are valid for reads and writes of their lengths.
int32_t clawft_search(uint32_t handle,
                      const float *vector,
                      uint32_t dim,
                      const ClawftQuery *query,
                      uint64_t *out_ids,
                      float *out_distances,
                      uint32_t *out_count);

// Searches for `n` vectors, row after row of `dim` floats. The results of row
// `i` begin at `out_ids[i * k]` and `out_distances[i * k]`, their number is
// `out_counts[i]`. Finds what `n` calls of `clawft_search` find.
//
// Errors: as `clawft_search`; a bad row is an error of the whole batch.
//
// # Safety
// As `clawft_search`.
int32_t clawft_search_batch(uint32_t handle,
                            const float *vectors,
                            uint32_t n,
                            uint32_t dim,
                            const ClawftQuery *query,
                            uint64_t *out_ids,
                            float *out_distances,
                            uint32_t *out_counts);

// Finds vectors within `radius` (a distance, as `clawft_search` gives them),
// nearest first, at most `k` of the query: the room in `out_ids` and
// `out_distances`. `k` results mean that there may be more.
//
// Errors: as `clawft_search`; `BadRadius` for NaN.
//
// # Safety
// As `clawft_search`.
int32_t clawft_search_range(uint32_t handle,
                            const float *vector,
                            uint32_t dim,
                            float radius,
                            const ClawftQuery *query,
                            uint64_t *out_ids,
                            float *out_distances,
                            uint32_t *out_count);

// Sets the `ef` of queries that name none; 0: back to 200. Not part of a
// snapshot.
//
// Errors: `BadHandle`.
int32_t clawft_set_ef(uint32_t handle, uint32_t ef);

// Sets the scan limit. Up to this many vectors a query of mode 0 scans instead of
// walking, where the larger of `k` and `ef` is 64; the limit grows in proportion
// to it. 0: the measured default, `UINT32_MAX`: always. Part of a snapshot.
//
// Errors: `BadHandle`.
int32_t clawft_set_scan_limit(uint32_t handle, uint32_t vectors);

// Writes the size of a snapshot in bytes to `out`.
//
// Errors: `BadHandle`; those of pointers.
//
// # Safety
// Natively `out` is valid for writes.
int32_t clawft_snapshot_bytes(uint32_t handle, uint64_t *out);

// Seals the store and copies its snapshot to `out`, its size to `out_len`.
//
// Errors: `BadHandle`, `OutputTooSmall`; those of pointers.
//
// # Safety
// Natively `out` is valid for writes of `cap` bytes, `out_len` of one number.
int32_t clawft_snapshot(uint32_t handle, void *out, size_t cap, size_t *out_len);

// Seals the store and shows its snapshot in place: the address to
// `out_address`, the size to `out_len`. The bytes are the store's: to be read
// only, and valid until the next call on this handle that changes it.
//
// Errors: `BadHandle`; those of pointers.
//
// # Safety
// Natively both are valid for writes.
int32_t clawft_snapshot_view(uint32_t handle, const void **out_address, size_t *out_len);

// Opens a copy of the snapshot of `len` bytes. It is checked whole: a damaged
// or cut one is refused. `bytes` stays the caller's and needs no alignment.
//
// Errors: `TooShort`, `Corrupt`, `WrongVersion`; `OutOfMemory`, `TooManyStores`;
// those of pointers.
//
// # Safety
// Natively `bytes` is valid for reads of `len`, `out_handle` for writes.
int32_t clawft_open(const void *bytes, size_t len, uint32_t *out_handle);

// Opens the snapshot that stands at the beginning of a block of `clawft_alloc`
// as a store, without a copy. On success the block is the store's; on an error
// it stays the caller's. `out_handle` lies outside of it.
//
// Errors: `NotAllocated`; as `clawft_open`.
//
// # Safety
// Natively `out_handle` is valid for writes.
int32_t clawft_adopt(void *block, uint32_t *out_handle);

// Opens an empty store. Its memory is taken here, once: inserting never
// allocates. The handle is valid until `clawft_destroy`.
//
// Errors: those of `clawft_required_bytes`; `OutOfMemory`, `TooManyStores`;
// those of pointers.
//
// # Safety
// Natively the pointers are valid for reads and writes.
int32_t clawft_create(const ClawftParams *params, uint32_t *out_handle);

// Closes a store and gives its memory back. What was not saved by a snapshot is
// gone. Waits for calls of other threads on that store.
//
// Errors: `BadHandle`.
int32_t clawft_destroy(uint32_t handle);

// Moves the store into a buffer for `capacity` vectors, no fewer than before.
// Handle and vectors stay the same, and so does what a query of mode 1 or 3
// finds; one of mode 0 or 2 may look in another way than before. Old and new
// buffer exist side by side for the time of the call.
//
// Errors: `BadHandle`, `Shrink`, `BadParams`, `OutOfMemory`.
int32_t clawft_resize(uint32_t handle, uint32_t capacity);

// Inserts the vector of `dim` floats under an id that is not there yet.
//
// Errors: `BadHandle`, `WrongDimension`, `NotFinite`, `ZeroVector` (cosine),
// `DuplicateId` (also if the id is marked as deleted), `Full`, `OutOfMemory`;
// those of pointers.
//
// # Safety
// Natively `vector` is valid for reads of `dim` floats.
int32_t clawft_insert(uint32_t handle, uint64_t id, const float *vector, uint32_t dim);

// Inserts the vector, in place of the one with this id if there is one. A mark
// of `clawft_mark_deleted` is taken away.
//
// Errors: as `clawft_insert`, without `DuplicateId`.
//
// # Safety
// As `clawft_insert`.
int32_t clawft_upsert(uint32_t handle, uint64_t id, const float *vector, uint32_t dim);

// Inserts `n` vectors, row after row of `dim` floats, in order. Stops at the
// first that is refused: those before it are in. `out_done` gets their number,
// on an error as well if the arguments themselves were sound.
//
// Errors: as `clawft_insert`.
//
// # Safety
// Natively `ids` is valid for reads of `n`, `vectors` of `n * dim` elements,
// `out_done` for a write.
int32_t clawft_insert_batch(uint32_t handle,
                            const uint64_t *ids,
                            const float *vectors,
                            uint32_t n,
                            uint32_t dim,
                            uint32_t *out_done);

// Upserts `n` vectors, as `clawft_insert_batch` inserts them.
//
// Errors: as `clawft_upsert`.
//
// # Safety
// As `clawft_insert_batch`.
int32_t clawft_upsert_batch(uint32_t handle,
                            const uint64_t *ids,
                            const float *vectors,
                            uint32_t n,
                            uint32_t dim,
                            uint32_t *out_done);

// Removes the vector for good: its place is free again, no link leads to it.
//
// Errors: `BadHandle`, `UnknownId`, `OutOfMemory`.
int32_t clawft_remove(uint32_t handle, uint64_t id);

// Hides the vector from searches. It keeps its place, and comes back by
// `clawft_unmark_deleted`. Marking twice is no error.
//
// Errors: `BadHandle`, `UnknownId`.
int32_t clawft_mark_deleted(uint32_t handle, uint64_t id);

// Shows the vector to searches again. It need not have been marked.
//
// Errors: `BadHandle`, `UnknownId`.
int32_t clawft_unmark_deleted(uint32_t handle, uint64_t id);

// With `on` not 0 each insert, and each upsert of an id that is not there yet,
// also removes one vector that is marked as deleted, as long as there are any, so
// that the store does not grow. Not part of a snapshot. Off at first.
//
// Errors: `BadHandle`.
int32_t clawft_set_replace_deleted(uint32_t handle, uint32_t on);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CLAWFT_H */

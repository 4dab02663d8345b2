/* The way of a small memory, from C: open a store, insert, search, search under
 * a filter, remove, save to a file, load again.
 *
 *     cc -std=c11 -I ffi/include ffi/examples/c/nearest.c libclawft.a -lpthread -ldl -lm -o nearest
 *     ./nearest memory.clawft
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "clawft.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIM = 64, COUNT = 1000, K = 5 };

/* Ends the program with the sentence of the error, if there was one. */
static int32_t must(const char *what, int32_t result)
{
    if (result < 0) {
        char sentence[256];
        clawft_last_error(sentence, sizeof sentence);
        fprintf(stderr, "%s: %s (%d)\n", what, sentence, (int)result);
        exit(1);
    }
    return result;
}

static void expect(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "not as expected: %s\n", what);
        exit(1);
    }
}

/* A vector that is a function of its number: a point on a curve. */
static void vector_of(uint64_t id, float *out)
{
    for (int i = 0; i < DIM; i++)
        out[i] = sinf((float)id * 0.0021f * (float)(i + 1)) + 0.01f * (float)i;
}

static uint32_t search(uint32_t store, const float *vector, const uint64_t *filter,
                       uint32_t filter_len, uint64_t ids[K], float distances[K])
{
    ClawftQuery query;
    uint32_t count = 0;
    must("query", clawft_query_init(&query, K));
    query.filter_ids = filter;
    query.filter_len = filter_len;
    must("search", clawft_search(store, vector, DIM, &query, ids, distances, &count));
    return count;
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "memory.clawft";
    expect(clawft_abi_version() == CLAWFT_ABI_VERSION, "header and library are of one version");

    ClawftParams params;
    uint32_t store;
    must("params", clawft_params_init(&params, DIM, COUNT));
    must("create", clawft_create(&params, &store));

    float vector[DIM];
    for (uint64_t id = 0; id < COUNT; id++) {
        vector_of(id, vector);
        must("insert", clawft_insert(store, id, vector, DIM));
    }
    /* A full store says so, and goes on answering. */
    vector_of(COUNT, vector);
    expect(clawft_insert(store, COUNT, vector, DIM) == CLAWFT_FULL, "insert number capacity + 1");

    uint64_t ids[K];
    float distances[K];
    vector_of(42, vector);
    uint32_t count = search(store, vector, NULL, 0, ids, distances);
    expect(count == K && ids[0] == 42, "a vector is its own nearest");
    for (uint32_t i = 0; i < count; i++)
        printf("%u. id %llu at distance %.5f\n", i + 1, (unsigned long long)ids[i], distances[i]);

    const uint64_t only[] = { 7, 500, 900 };
    count = search(store, vector, only, 3, ids, distances);
    expect(count == 3, "all three that pass the filter are found");

    must("remove", clawft_remove(store, 42));
    count = search(store, vector, NULL, 0, ids, distances);
    for (uint32_t i = 0; i < count; i++)
        expect(ids[i] != 42, "what was removed is not found");

    /* Save without a copy: the library shows its own bytes. */
    const void *bytes;
    size_t len;
    must("snapshot", clawft_snapshot_view(store, &bytes, &len));
    FILE *file = fopen(path, "wb");
    expect(file && fwrite(bytes, 1, len, file) == len && fclose(file) == 0, "the file is written");
    must("destroy", clawft_destroy(store));
    expect(clawft_contains(store, 7) == CLAWFT_BAD_HANDLE, "a closed store is refused");

    /* Load without a copy: the block becomes the store's. */
    void *block = clawft_alloc(len);
    file = fopen(path, "rb");
    expect(block && file && fread(block, 1, len, file) == len && fclose(file) == 0, "the file is read");
    must("open", clawft_adopt(block, &store));
    uint64_t again[K];
    expect(search(store, vector, NULL, 0, again, distances) == count, "as many as before");
    for (uint32_t i = 0; i < count; i++)
        expect(again[i] == ids[i], "the same as before");

    ClawftStats stats;
    must("stats", clawft_stats(store, &stats));
    printf("saved and loaded: %u vectors, %zu bytes\n", stats.count, len);
    must("destroy", clawft_destroy(store));
    return 0;
}

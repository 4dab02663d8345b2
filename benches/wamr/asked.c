/* The kernel in WAMR as one engine among others: it fills a store, then measures what it is asked.
 *
 *     asked NAME MODULE BASE.npy QUERIES.npy TRUTH
 *
 * BASE and QUERIES are arrays of f32 as `generate` writes them, TRUTH the ids of the K nearest of
 * each query as `peers.py --truth` writes them. Questions and answers are those of
 * `xtask/demo/src/asked.rs`, of which this takes `ef` and `seconds`. MODULE is the kernel's `.wasm`,
 * which is interpreted, or what WAMR's compiler made of it. The machine is little-endian. */
#include "clawft.h"
#include "wasm_export.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    K = 10,
    BATCH = 100, /* queries in a call, as the other engines get them */
    ROWS = 32,   /* vectors in a call */
    STACK = 64 << 10,
    PAGES = 4096, /* 256 MiB, the most that the module may have */
    LEAST_PASSES = 3,
    MOST_PASSES = 64,
};

/* Rows of f32. */
struct array {
    uint32_t rows, dim;
    const float *values;
};

static wasm_module_inst_t kernel;
static wasm_exec_env_t env;
static struct array base, queries;
static const int64_t *truth;
/* Addresses in the module's memory. */
static uint32_t vectors_at, ids_at, distances_at, counts_at, struct_at, out_at, sentence_at;
static uint32_t store;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "wamr: %s: %s\n", what, why);
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static uint8_t *bytes_of(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    long size = -1;
    uint8_t *bytes = NULL;
    if (file && !fseek(file, 0, SEEK_END) && (size = ftell(file)) > 0)
        bytes = malloc((size_t)size);
    if (!bytes || fseek(file, 0, SEEK_SET) || fread(bytes, 1, (size_t)size, file) != (size_t)size)
        fail(path, "cannot be read");
    fclose(file);
    *len = (size_t)size;
    return bytes;
}

/* A .npy of version 1 with rows of f32. */
static struct array array_of(const char *path)
{
    size_t len;
    const uint8_t *bytes = bytes_of(path, &len);
    struct array array;
    if (len < 10 || memcmp(bytes, "\x93NUMPY\x01\x00", 8))
        fail(path, "a .npy of version 1 expected");
    size_t start = 10 + (size_t)bytes[8] + ((size_t)bytes[9] << 8);
    const char *shape = strstr((const char *)bytes + 10, "'shape': (");
    if (!shape || !strstr((const char *)bytes + 10, "'<f4'")
        || sscanf(shape, "'shape': (%u, %u)", &array.rows, &array.dim) != 2
        || start + (size_t)array.rows * array.dim * 4 != len)
        fail(path, "two dimensions of f32 expected");
    array.values = (const float *)(const void *)(bytes + start);
    return array;
}

static void *at(uint32_t address)
{
    return wasm_runtime_addr_app_to_native(kernel, address);
}

/* Calls a function with arguments of 32 bits; ends the program with its sentence if it fails. */
static uint32_t call(const char *name, uint32_t count, ...)
{
    uint32_t cells[8] = { 0 };
    va_list arguments;
    va_start(arguments, count);
    for (uint32_t i = 0; i < count; i++)
        cells[i] = va_arg(arguments, uint32_t);
    va_end(arguments);
    wasm_function_inst_t function = wasm_runtime_lookup_function(kernel, name);
    if (!function)
        fail(name, "the module does not export it");
    if (!wasm_runtime_call_wasm(env, function, count, cells))
        fail(name, wasm_runtime_get_exception(kernel));
    if ((int32_t)cells[0] < 0) {
        uint32_t sentence[2] = { sentence_at, 256 };
        wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(kernel, "clawft_last_error"), 2,
                               sentence);
        fail(name, at(sentence_at));
    }
    return cells[0];
}

static uint32_t alloc(uint32_t bytes)
{
    uint32_t block = call("clawft_alloc", 1, bytes);
    if (!block)
        fail("clawft_alloc", "no memory");
    return block;
}

static void fill(void)
{
    call("clawft_params_init", 3, struct_at, base.dim, base.rows);
    call("clawft_create", 2, struct_at, out_at);
    memcpy(&store, at(out_at), 4);
    for (uint32_t row = 0; row < base.rows; row += ROWS) {
        uint32_t count = base.rows - row < ROWS ? base.rows - row : ROWS;
        uint64_t ids[ROWS];
        for (uint32_t i = 0; i < count; i++)
            ids[i] = row + i;
        memcpy(at(ids_at), ids, 8 * count);
        memcpy(at(vectors_at), base.values + (size_t)row * base.dim, (size_t)4 * count * base.dim);
        call("clawft_insert_batch", 6, store, ids_at, vectors_at, count, base.dim, out_at);
    }
}

/* All queries once; how many true ids are among those found. */
static uint64_t pass(void)
{
    uint64_t hits = 0;
    for (uint32_t first = 0; first < queries.rows; first += BATCH) {
        uint32_t count = queries.rows - first < BATCH ? queries.rows - first : BATCH;
        memcpy(at(vectors_at), queries.values + (size_t)first * queries.dim,
               (size_t)4 * count * queries.dim);
        call("clawft_search_batch", 8, store, vectors_at, count, queries.dim, struct_at, ids_at,
             distances_at, counts_at);
        const uint64_t *found = at(ids_at);
        const uint32_t *counts = at(counts_at);
        for (uint32_t query = 0; query < count; query++)
            for (uint32_t i = 0; i < counts[query] && i < K; i++)
                for (uint32_t j = 0; j < K; j++)
                    hits += (int64_t)found[query * K + i] == truth[(first + query) * K + j];
    }
    return hits;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A number of a question; ends the program where it is missing. */
static double field(const char *question, const char *name)
{
    const char *place = strstr(question, name);
    if (!place)
        fail(question, name);
    return strtod(place + strlen(name), NULL);
}

static void answer(const char *question)
{
    uint32_t ef = (uint32_t)field(question, "\"ef\":");
    double seconds = field(question, "\"seconds\":"), times[MOST_PASSES], sum = 0;
    call("clawft_query_init", 2, struct_at, K);
    memcpy((uint8_t *)at(struct_at) + 8, &ef, 4);
    uint64_t hits = pass();
    printf("{\"recall@10\": %.6f", (double)hits / (double)K / queries.rows);
    int passes = 0;
    while (seconds > 0 && passes < MOST_PASSES && (passes < LEAST_PASSES || sum < seconds)) {
        double begin = now();
        if (pass() != hits)
            fail("a search", "finds other ids when asked again");
        sum += times[passes++] = now() - begin;
    }
    if (passes) {
        qsort(times, (size_t)passes, sizeof *times, by_size);
        printf(", \"qps\": %.1f", queries.rows / times[passes / 2]);
    }
    printf("}\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char why[128] = "", question[512];
    size_t len;
    if (argc != 6)
        fail(argv[0], "NAME MODULE BASE.npy QUERIES.npy TRUTH expected");
    base = array_of(argv[3]);
    queries = array_of(argv[4]);
    truth = (const int64_t *)(const void *)bytes_of(argv[5], &len);
    if (len != (size_t)queries.rows * K * 8 || base.dim != queries.dim)
        fail(argv[5], "ten ids for each query, and queries like the vectors, expected");

    RuntimeInitArgs runtime = { .mem_alloc_type = Alloc_With_System_Allocator };
    if (!wasm_runtime_full_init(&runtime))
        fail("WAMR", "it does not start");
    uint8_t *code = bytes_of(argv[2], &len);
    double begin = now();
    wasm_module_t module = wasm_runtime_load(code, (uint32_t)len, why, sizeof why);
    if (!module)
        fail(argv[2], why);
    double load = now() - begin;
    InstantiationArgs limits = { .default_stack_size = STACK, .max_memory_pages = PAGES };
    kernel = wasm_runtime_instantiate_ex(module, &limits, why, sizeof why);
    env = kernel ? wasm_runtime_create_exec_env(kernel, STACK) : NULL;
    if (!env)
        fail(argv[2], kernel ? "no memory for its stack" : why);

    struct_at = alloc(1024);
    out_at = struct_at + 256, sentence_at = struct_at + 512;
    vectors_at = alloc(BATCH * 4 * base.dim);
    ids_at = alloc(BATCH * K * 12 + BATCH * 4);
    distances_at = ids_at + BATCH * K * 8;
    counts_at = distances_at + BATCH * K * 4;
    begin = now();
    fill();
    double build = now() - begin;
    uint64_t memory =
        (uint64_t)wasm_memory_get_cur_page_count(wasm_runtime_get_default_memory(kernel)) << 16;
    printf("{\"engine\": \"%s\", \"name\": \"%s\", \"build_s\": %.3f, \"load_ms\": %.3f, "
           "\"linear_memory_bytes\": %llu}\n{\"ready\": true, \"queries\": [\"given\"]}\n",
           argv[1], argv[1], build, load * 1e3, (unsigned long long)memory);
    fflush(stdout);
    while (fgets(question, sizeof question, stdin))
        answer(question);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(kernel);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
    return 0;
}

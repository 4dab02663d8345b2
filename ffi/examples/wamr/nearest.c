/* The kernel in WAMR: open a store, insert, search, save to a file, load again.
 *
 *     cc -std=c11 -I WAMR/core/iwasm/include -I ffi/include ffi/examples/wamr/nearest.c \
 *         libiwasm.a -lm -lpthread -ldl -o nearest
 *     ./nearest clawft-kernel.wasm memory.clawft
 *
 * The functions of clawft.h are the module's here: their pointers are addresses in its memory, and
 * what goes in or comes out lies in blocks of clawft_alloc. The machine is little-endian.
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "clawft.h"
#include "wasm_export.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIM = 64,
    COUNT = 1000,
    K = 5,
    STACK = 16 << 10,  /* bytes of the interpreter's stack; the module's own is in its memory */
    POOL = 1 << 20,    /* bytes of the engine, the code that it interprets among them */
    MEMORY_PAGES = 64, /* 4 MiB, the most that the module may have */
    SENTENCE = 256,    /* bytes of the longest sentence, its zero and a few */
};

/* Where things of a call lie in one block of the module: multiples of 8, from its beginning on. */
#define BEHIND(before, bytes) ((before) + (((bytes) + 7) & ~7))
enum {
    VECTOR = 0,
    IDS = BEHIND(VECTOR, 4 * DIM),
    DISTANCES = BEHIND(IDS, 8 * K),
    STRUCT = BEHIND(DISTANCES, 4 * K),
    OUT = BEHIND(STRUCT, sizeof(ClawftParams)), /* the larger of the two */
    SENTENCE_AT = BEHIND(OUT, 8),
    BLOCK = BEHIND(SENTENCE_AT, SENTENCE),
};

static uint8_t pool[POOL];
static wasm_module_inst_t kernel;
static wasm_exec_env_t env;

/* The same as addresses in its memory. */
static uint32_t vector_at, ids_at, distances_at, struct_at, out_at, sentence_at;

static void expect(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "not as expected: %s\n", what);
        exit(1);
    }
}

/* Bytes of the module's memory. They may lie elsewhere after a call that allocates. */
static void *at(uint32_t address, uint32_t len)
{
    uint64_t end = 0;
    expect(wasm_runtime_get_app_addr_range(kernel, address, NULL, &end)
               && address + (uint64_t)len <= end, "an address in the module's memory");
    return wasm_runtime_addr_app_to_native(kernel, address);
}

static uint32_t number_at(uint32_t address)
{
    uint32_t number;
    memcpy(&number, at(address, sizeof number), sizeof number);
    return number;
}

/* Calls a function with arguments of 32 bits, an id being two of them; ends the program with its
 * sentence if it fails. */
static uint32_t call(const char *name, uint32_t count, ...)
{
    uint32_t cells[8] = { 0 };
    va_list arguments;
    va_start(arguments, count);
    for (uint32_t i = 0; i < count; i++)
        cells[i] = va_arg(arguments, uint32_t);
    va_end(arguments);
    wasm_function_inst_t function = wasm_runtime_lookup_function(kernel, name);
    expect(function != NULL, name);
    if (!wasm_runtime_call_wasm(env, function, count, cells)) {
        fprintf(stderr, "%s: %s\n", name, wasm_runtime_get_exception(kernel));
        exit(1);
    }
    if ((int32_t)cells[0] < 0) {
        uint32_t sentence[2] = { sentence_at, SENTENCE };
        wasm_runtime_call_wasm(env, wasm_runtime_lookup_function(kernel, "clawft_last_error"), 2,
                               sentence);
        fprintf(stderr, "%s: %s (%d)\n", name, (char *)at(sentence_at, SENTENCE), (int)cells[0]);
        exit(1);
    }
    return cells[0];
}

/* A vector that is a function of its number: a point on a curve. */
static void write_vector(uint32_t id)
{
    float vector[DIM];
    for (int i = 0; i < DIM; i++)
        vector[i] = sinf((float)id * 0.0021f * (float)(i + 1)) + 0.01f * (float)i;
    memcpy(at(vector_at, sizeof vector), vector, sizeof vector);
}

static uint32_t search(uint32_t store, uint32_t like, uint64_t ids[K])
{
    write_vector(like);
    call("clawft_query_init", 2, struct_at, K);
    call("clawft_search", 7, store, vector_at, DIM, struct_at, ids_at, distances_at, out_at);
    memcpy(ids, at(ids_at, 8 * K), 8 * K);
    return number_at(out_at);
}

/* All of a file; null where it cannot be read. */
static uint8_t *bytes_of(const char *path, uint32_t *len)
{
    FILE *file = fopen(path, "rb");
    expect(file && fseek(file, 0, SEEK_END) == 0, path);
    *len = (uint32_t)ftell(file);
    uint8_t *bytes = malloc(*len);
    rewind(file);
    expect(bytes && fread(bytes, 1, *len, file) == *len && fclose(file) == 0, path);
    return bytes;
}

int main(int argc, char **argv)
{
    char why[128] = "";
    uint32_t len;
    expect(argc == 3, "two arguments, the module and a file to save to");
    RuntimeInitArgs runtime = { .mem_alloc_type = Alloc_With_Pool,
                                .mem_alloc_option.pool = { pool, sizeof pool } };
    expect(wasm_runtime_full_init(&runtime), "WAMR starts");
    uint8_t *code = bytes_of(argv[1], &len);
    wasm_module_t module = wasm_runtime_load(code, len, why, sizeof why);
    expect(module != NULL, why);
    InstantiationArgs limits = { .default_stack_size = STACK, .max_memory_pages = MEMORY_PAGES };
    kernel = wasm_runtime_instantiate_ex(module, &limits, why, sizeof why);
    expect(kernel != NULL, why);
    env = wasm_runtime_create_exec_env(kernel, STACK);
    expect(env != NULL, "memory for the stack");
    expect(call("clawft_abi_version", 0) == CLAWFT_ABI_VERSION, "header and module fit");

    uint32_t block = call("clawft_alloc", 1, BLOCK);
    expect(block != 0, "memory for a block");
    vector_at = block + VECTOR, ids_at = block + IDS, distances_at = block + DISTANCES;
    struct_at = block + STRUCT, out_at = block + OUT, sentence_at = block + SENTENCE_AT;

    call("clawft_params_init", 3, struct_at, DIM, COUNT);
    call("clawft_create", 2, struct_at, out_at);
    uint32_t store = number_at(out_at);
    for (uint32_t id = 0; id < COUNT; id++) {
        write_vector(id);
        call("clawft_insert", 5, store, id, 0, vector_at, DIM);
    }
    uint64_t ids[K], again[K];
    float distances[K];
    uint32_t count = search(store, 42, ids);
    memcpy(distances, at(distances_at, sizeof distances), sizeof distances);
    expect(count == K && ids[0] == 42, "a vector is its own nearest");
    for (uint32_t i = 0; i < count; i++)
        printf("%u. id %llu at distance %.5f\n", i + 1, (unsigned long long)ids[i], distances[i]);

    /* Save without a copy: the module shows its own bytes. */
    call("clawft_snapshot_view", 3, store, out_at, out_at + 4);
    uint32_t image = number_at(out_at), image_len = number_at(out_at + 4);
    FILE *file = fopen(argv[2], "wb");
    expect(file && fwrite(at(image, image_len), 1, image_len, file) == image_len
               && fclose(file) == 0, "the file is written");
    call("clawft_destroy", 1, store);

    /* Load: the block becomes the store's. */
    uint8_t *saved = bytes_of(argv[2], &len);
    uint32_t place = call("clawft_alloc", 1, len);
    expect(place != 0, "memory for the saved store");
    memcpy(at(place, len), saved, len);
    call("clawft_adopt", 2, place, out_at);
    store = number_at(out_at);
    count = search(store, 42, again);
    expect(count == K && !memcmp(ids, again, sizeof ids), "the same as before");
    call("clawft_destroy", 1, store);
    call("clawft_free", 1, block);

    mem_alloc_info_t used;
    wasm_runtime_get_mem_alloc_info(&used);
    printf("saved and loaded: %d vectors, %u bytes; engine %u KiB, module %u KiB\n", COUNT, len,
           used.highmark_size >> 10,
           (unsigned)wasm_memory_get_cur_page_count(wasm_runtime_get_default_memory(kernel)) * 64);
    wasm_runtime_destroy_exec_env(env);
    wasm_runtime_deinstantiate(kernel);
    wasm_runtime_unload(module);
    wasm_runtime_destroy();
    free(saved);
    free(code);
    return 0;
}

/* Compiles a module ahead of time for WAMR on this machine: `clawft-wamrc MODULE OUT`.
 *
 * WAMR's own compiler has a command line of a hundred options; this has what xtask needs. Every
 * access to memory is checked in the code, as it is on a device without an MMU.
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "aot_export.h"
#include "wasm_export.h"

#include <stdio.h>
#include <stdlib.h>

/* The least processor of this kind that has the vectors of WebAssembly; null: what LLVM takes. */
#if defined(__x86_64__)
static char ARCHITECTURE[] = "x86_64", CPU[] = "x86-64-v2";
#else
#define ARCHITECTURE NULL
#define CPU ((char *)NULL)
#endif

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    return 1;
}

/* All of a file, which the loader may change; null where it cannot be read. */
static uint8_t *bytes_of(const char *path, uint32_t *len)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    long size = -1;
    if (file && !fseek(file, 0, SEEK_END) && (size = ftell(file)) > 0 && size < 1L << 30)
        bytes = malloc((size_t)size);
    if (bytes
        && (fseek(file, 0, SEEK_SET) || fread(bytes, 1, (size_t)size, file) != (size_t)size)) {
        free(bytes);
        bytes = NULL;
    }
    if (file)
        fclose(file);
    *len = (uint32_t)size;
    return bytes;
}

int main(int argc, char **argv)
{
    char why[256] = "";
    uint32_t len;
    if (argc != 3)
        return fail(argv[0], "MODULE OUT expected");
    uint8_t *bytes = bytes_of(argv[1], &len);
    if (!bytes)
        return fail(argv[1], "cannot be read");
    RuntimeInitArgs runtime = { .mem_alloc_type = Alloc_With_System_Allocator };
    if (!wasm_runtime_full_init(&runtime) || !aot_compiler_init())
        return fail("WAMR", "the compiler does not start");
    wasm_module_t module = wasm_runtime_load(bytes, len, why, sizeof why);
    if (!module)
        return fail(argv[1], why);

    AOTCompOption option = {
        .target_arch = ARCHITECTURE,
        .target_cpu = CPU,
        .opt_level = 3,
        .size_level = 1,
        .output_format = AOT_FORMAT_FILE,
        .bounds_checks = 1,
        .stack_bounds_checks = 1,
        .enable_aux_stack_check = true,
        .enable_bulk_memory = true,
        .enable_bulk_memory_opt = true,
        .enable_simd = true,
        .enable_ref_types = true,
        .disable_llvm_lto = false,
    };
    aot_call_stack_features_init_default(&option.call_stack_features);
    aot_comp_data_t data = aot_create_comp_data(module, NULL, false);
    aot_comp_context_t context = data ? aot_create_comp_context(data, &option) : NULL;
    if (!context || !aot_compile_wasm(context) || !aot_emit_aot_file(context, data, argv[2]))
        return fail(argv[1], aot_get_last_error());

    aot_destroy_comp_context(context);
    aot_destroy_comp_data(data);
    wasm_runtime_unload(module);
    aot_compiler_destroy();
    wasm_runtime_destroy();
    free(bytes);
    return 0;
}

/* The agent on a device: `clawft-agent.core.wasm` in WAMR, with a folder, a terminal and HTTP.
 *
 *     clawft-wamr [OPTION…] MODULE [INPUT…]
 *
 *     --dir HOST::GUEST     a folder that the module has, and the name that it has there
 *     --env NAME=VALUE      a variable of its environment
 *     --allow HOST[:PORT]   whom it may ask over HTTP; nobody, where none is named
 *     --config FILE         the agent's config; else that of the data folder
 *     --pool KIB            what the engine has for itself, beside the module's memory
 *     --stats               says at the end what was used
 *
 * An INPUT is a message or a JSON array of words, as docs/abi.md has them; where there is none,
 * they are read from standard input, one a line. The exit code is that of the command `clawft`, for the
 * last input that failed. MODULE may be what was made of a module ahead of time. One that has
 * `_start` is run as a program, with the INPUTs as its arguments.
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "clawft_agent.h"
#include "import.h"
#include "wasm_export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MEMORY = 16 << 20,  /* bytes that the module may have, its own stack of 128 KiB among them */
    STACK = 64 << 10,   /* bytes of an interpreter's stack; what is compiled uses the thread's */
    POOL = 2 << 10,     /* KiB */
    MOST = 32,          /* of each option */
    LONGEST = 1 << 20,  /* bytes of a text: the module takes no more */
    PAGE = 64 << 10,
};

typedef struct {
    const char *folders[MOST], *variables[MOST], *allowed[MOST];
    uint32_t folder_count, variable_count, allowed_count;
    const char *config, *module;
    uint32_t pool;
    bool has_stats;
    char **inputs;          /* as argv has them, from the module's name on */
    int input_count;
} Options;

/* A running module. */
typedef struct {
    wasm_module_t module;
    wasm_module_inst_t instance;
    wasm_exec_env_t env;
    void *pool;
    uint8_t *bytes;
} Agent;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "clawft-wamr: %s: %s\n", what, why);
    exit(1);
}

/* ---- The command line. */

static void add(const char **list, uint32_t *count, const char *value)
{
    if (*count == MOST)
        fail(value, "too many options of a kind");
    list[(*count)++] = value;
}

static Options options_of(int argc, char **argv)
{
    Options options = { .pool = POOL };
    int at = 1;
    for (; at < argc && !strncmp(argv[at], "--", 2); at++) {
        const char *name = argv[at];
        if (!strcmp(name, "--stats")) {
            options.has_stats = true;
            continue;
        }
        char *value = ++at < argc ? argv[at] : NULL, *middle;
        if (!value)
            fail(name, "a value expected");
        if (!strcmp(name, "--dir") && (middle = strstr(value, "::"))) {
            /* WAMR wants the other name first; both orders have the same length. */
            char turned[4096];
            int len = snprintf(turned, sizeof turned, "%s::%.*s", middle + 2,
                               (int)(middle - value), value);
            if (len < 0 || (size_t)len >= sizeof turned)
                fail(name, "too long");
            memcpy(value, turned, (size_t)len);
            add(options.folders, &options.folder_count, value);
        } else if (!strcmp(name, "--env"))
            add(options.variables, &options.variable_count, value);
        else if (!strcmp(name, "--allow"))
            add(options.allowed, &options.allowed_count, value);
        else if (!strcmp(name, "--config"))
            options.config = value;
        else if (!strcmp(name, "--pool"))
            options.pool = (uint32_t)strtoul(value, NULL, 10);
        else
            fail(name, "no such option, or no such value");
    }
    if (at == argc)
        fail(argv[0], "[OPTION...] MODULE [INPUT...] expected");
    options.module = argv[at];
    options.inputs = argv + at;
    options.input_count = argc - at;
    return options;
}

/* All of a file, with a zero byte behind it. */
static uint8_t *bytes_of(const char *path, uint32_t *len)
{
    FILE *file = fopen(path, "rb");
    long size;
    uint8_t *bytes;
    if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0 || size >= 1L << 30
        || !(bytes = calloc(1, (size_t)size + 1)) || fseek(file, 0, SEEK_SET)
        || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        fail(path, "cannot be read");
        return NULL;
    }
    fclose(file);
    *len = (uint32_t)size;
    return bytes;
}

/* ---- Calls into the module. */

/* Ends the program where the module does something that it may not. */
static uint32_t call(const Agent *agent, const char *name, uint32_t count, uint32_t first,
                     uint32_t second)
{
    uint32_t numbers[2] = { first, second };
    wasm_function_inst_t function = wasm_runtime_lookup_function(agent->instance, name);
    if (!function)
        fail(name, "the module has no such function");
    if (!wasm_runtime_call_wasm(agent->env, function, count, numbers))
        fail(name, wasm_runtime_get_exception(agent->instance));
    return numbers[0];
}

/* Bytes of the module's memory. They may lie elsewhere after the next call. */
static uint8_t *at(const Agent *agent, uint32_t address, uint32_t len)
{
    uint64_t end = 0;
    if (!wasm_runtime_get_app_addr_range(agent->instance, address, NULL, &end)
        || (uint64_t)address + len > end)
        fail("the module", "it gave an address outside of its memory");
    return wasm_runtime_addr_app_to_native(agent->instance, address);
}

/* A sentence may quote anything: what a terminal would obey is a blank. Above ASCII those are the
   bytes C2 80 to C2 9F. */
static void say(const uint8_t *text, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        int high = text[i] == 0xC2 && i + 1 < len && text[i + 1] < 0xA0;
        fputc(high || text[i] < ' ' || text[i] == 0x7F ? ' ' : text[i], stderr);
        i += (uint32_t)high;
    }
}

/* Calls a function that takes a text; says why, where it refuses. */
static int32_t tell(const Agent *agent, const char *name, const void *text, uint32_t len)
{
    uint32_t block = call(agent, "clawft_alloc", 1, len, 0);
    if (!block)
        fail(name, "the module has no memory left");
    memcpy(at(agent, block, len), text, len);
    int32_t code = (int32_t)call(agent, name, 2, block, len);
    /* It is done, and the output is no sentence but a copy that was cut: standard output had all. */
    if (code == CLAWFT_AGENT_OUTPUT_TOO_SMALL)
        code = 0;
    if (code < 0) {
        uint32_t sentence = call(agent, "clawft_output", 0, 0, 0);
        uint32_t sentence_len = call(agent, "clawft_output_len", 0, 0, 0);
        say(at(agent, sentence, sentence_len), sentence_len);
        fprintf(stderr, " (%d)\n", (int)code);
    }
    call(agent, "clawft_free", 1, block, 0);
    return code;
}

/* What the command would exit with. */
static int exit_code(int32_t code)
{
    if (code >= 0)
        return 0;
    return code <= CLAWFT_AGENT_FAILED && code >= CLAWFT_AGENT_EMBEDDER ? -300 - code : 1;
}

/* ---- The program. */

static Agent start(const Options *options, Http *http)
{
    char why[256] = "";
    uint32_t len;
    Agent agent = { .pool = calloc(options->pool, 1024) };
    RuntimeInitArgs runtime = {
        .mem_alloc_type = Alloc_With_Pool,
        .mem_alloc_option.pool = { agent.pool, options->pool << 10 },
    };
    if (!agent.pool || !wasm_runtime_full_init(&runtime)
        || !import_http(http))
        fail("WAMR", "it does not start");
    /* The agent has no start function, which WAMR thinks worth a warning. */
    wasm_runtime_set_log_level(WASM_LOG_LEVEL_ERROR);
    /* The bytes stay: WAMR 2.4 takes data from them later, also where it is told to make copies. */
    agent.bytes = bytes_of(options->module, &len);
    agent.module = wasm_runtime_load(agent.bytes, len, why, sizeof why);
    if (!agent.module)
        fail(options->module, why);
    wasm_runtime_set_wasi_args(agent.module, NULL, 0, (const char **)options->folders,
                               options->folder_count, (const char **)options->variables,
                               options->variable_count, options->inputs, options->input_count);
    InstantiationArgs limits = { .default_stack_size = STACK, .max_memory_pages = MEMORY / PAGE };
    agent.instance = wasm_runtime_instantiate_ex(agent.module, &limits, why, sizeof why);
    if (!agent.instance)
        fail(options->module, why);
    agent.env = wasm_runtime_create_exec_env(agent.instance, STACK);
    if (!agent.env)
        fail(options->module, "no memory for its stack");
    return agent;
}

/* Runs what has a `_start`: what it exits with. */
static int run_program(const Agent *agent)
{
    wasm_function_inst_t function = wasm_runtime_lookup_function(agent->instance, "_start");
    if (!wasm_runtime_call_wasm(agent->env, function, 0, NULL)) {
        const char *why = wasm_runtime_get_exception(agent->instance);
        if (!why || !strstr(why, "wasi proc exit"))
            fail("the program", why ? why : "it ended");
    }
    return (int)wasm_runtime_get_wasi_exit_code(agent->instance);
}

/* Gives the agent its config, and then what there is to do. */
static int talk(const Agent *agent, const Options *options)
{
    uint32_t len = 0;
    if (call(agent, "clawft_abi_version", 0, 0, 0) != CLAWFT_AGENT_ABI_VERSION)
        fail(options->module, "it is of another version than this host");
    uint8_t *config = options->config ? bytes_of(options->config, &len) : NULL;
    int32_t code = tell(agent, "clawft_init", config ? config : (const uint8_t *)"", len);
    free(config);
    if (code < 0)
        return exit_code(code);
    int result = 0;
    for (int i = 1; i < options->input_count; i++) {
        code = tell(agent, "clawft_run", options->inputs[i], (uint32_t)strlen(options->inputs[i]));
        result = code < 0 ? exit_code(code) : result;
    }
    char *line = options->input_count > 1 ? NULL : malloc(LONGEST);
    while (line && fgets(line, LONGEST, stdin)) {
        line[strcspn(line, "\r\n")] = 0;
        if (!*line)
            continue;
        code = tell(agent, "clawft_run", line, (uint32_t)strlen(line));
        result = code < 0 ? exit_code(code) : result;
    }
    free(line);
    return result;
}

int main(int argc, char **argv)
{
    Options options = options_of(argc, argv);
    Http http = { .allowed = { options.allowed, options.allowed_count } };
    Agent agent = start(&options, &http);
    int result = wasm_runtime_lookup_function(agent.instance, "_start") ? run_program(&agent)
                                                                        : talk(&agent, &options);
    mem_alloc_info_t used;
    if (options.has_stats && wasm_runtime_get_mem_alloc_info(&used)) {
        wasm_memory_inst_t memory = wasm_runtime_get_default_memory(agent.instance);
        fprintf(stderr, "engine: %u KiB at most; module: %u KiB\n", used.highmark_size >> 10,
                (unsigned)(wasm_memory_get_cur_page_count(memory) * (PAGE >> 10)));
    }
    close_http(&http);
    wasm_runtime_destroy_exec_env(agent.env);
    wasm_runtime_deinstantiate(agent.instance);
    wasm_runtime_unload(agent.module);
    wasm_runtime_destroy();
    free(agent.pool);
    free(agent.bytes);
    return result;
}

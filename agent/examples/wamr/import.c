/* The import `clawft_http`: what a module asks of HTTP, checked and handed on.
 *
 * A number from the module may be anything. Addresses and lengths are checked against its memory as
 * it is in this call, handles against those that are open. Nothing here traps: a module that is
 * wrong gets CLAWFT_HTTP_OTHER. SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "import.h"

#include "clawft_agent.h"
#include "wasm_export.h"

#include <stdio.h>
#include <string.h>

/* The `len` bytes of the module's memory from `ptr` on, until the next call into it; or null. */
static uint8_t *at(wasm_module_inst_t instance, uint32_t ptr, uint32_t len)
{
    wasm_memory_inst_t memory = wasm_runtime_get_default_memory(instance);
    uint64_t size = wasm_memory_get_cur_page_count(memory) * wasm_memory_get_bytes_per_page(memory);
    if ((uint64_t)ptr + len > size)
        return NULL;
    return (uint8_t *)wasm_memory_get_base_address(memory) + ptr;
}

/* A number as it lies in the module's memory. */
static uint32_t little_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16
           | (uint32_t)bytes[3] << 24;
}

static int32_t open_request(Http *http, wasm_module_inst_t instance, uint32_t ptr)
{
    const uint8_t *bytes = at(instance, ptr, sizeof(ClawftHttpRequest));
    uint32_t handle = 0;
    while (handle < EXCHANGES && http->open[handle])
        handle++;
    if (!bytes || handle == EXCHANGES) {
        snprintf(http->why, sizeof http->why, bytes ? "too many requests at a time" : "no request");
        return CLAWFT_HTTP_OTHER;
    }
    ClawftHttpRequest asked;
    uint32_t numbers[sizeof asked / 4];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        numbers[i] = little_endian(bytes + 4 * i);
    memcpy(&asked, numbers, sizeof asked);
    uint32_t body_len = asked.body_len == CLAWFT_HTTP_STREAM ? 0 : asked.body_len;
    HttpRequest request = {
        .method = asked.method == CLAWFT_HTTP_GET    ? "GET"
                  : asked.method == CLAWFT_HTTP_POST ? "POST"
                                                     : NULL,
        .url = (const char *)at(instance, asked.url, asked.url_len),
        .url_len = asked.url_len,
        .headers = at(instance, asked.headers, asked.headers_len),
        .headers_len = asked.headers_len,
        .body = at(instance, asked.body, body_len),
        .body_len = asked.body_len,
        .connect = asked.connect,
        .first_byte = asked.first_byte,
        .between_bytes = asked.between_bytes,
        .total = asked.total,
    };
    if (asked.size != sizeof asked || !request.method || !request.url || !request.headers
        || !request.body) {
        snprintf(http->why, sizeof http->why, "no request");
        return CLAWFT_HTTP_OTHER;
    }
    int32_t code = http_open(&http->open[handle], &request, http->allowed, http->why);
    return code < 0 ? code : (int32_t)handle;
}

static int32_t clawft_http(wasm_exec_env_t env, uint32_t op, uint32_t handle, uint32_t ptr,
                           uint32_t len)
{
    Http *http = wasm_runtime_get_function_attachment(env);
    wasm_module_inst_t instance = wasm_runtime_get_module_inst(env);
    uint8_t *bytes = at(instance, ptr, len);
    if (op == CLAWFT_HTTP_WHY) {
        uint32_t count = (uint32_t)strlen(http->why);
        count = count < len ? count : len;
        if (!bytes)
            return CLAWFT_HTTP_OTHER;
        memcpy(bytes, http->why, count);
        return (int32_t)count;
    }
    http->why[0] = 0;
    if (op == CLAWFT_HTTP_OPEN)
        return open_request(http, instance, ptr);
    Exchange **open = handle < EXCHANGES ? &http->open[handle] : NULL;
    if (!open || !*open) {
        snprintf(http->why, sizeof http->why, "no such handle");
        return CLAWFT_HTTP_OTHER;
    }
    switch (op) {
    case CLAWFT_HTTP_WRITE:
        return bytes ? http_write(*open, bytes, len) : CLAWFT_HTTP_OTHER;
    case CLAWFT_HTTP_READ:
        return bytes ? http_read(*open, bytes, len) : CLAWFT_HTTP_OTHER;
    case CLAWFT_HTTP_CLOSE:
        http_close(*open);
        *open = NULL;
        return 0;
    default:
        return CLAWFT_HTTP_OTHER;
    }
}

bool import_http(Http *http)
{
    /* WAMR keeps the table. */
    static NativeSymbol symbols[] = { { "clawft_http", clawft_http, "(iiii)i", NULL } };
    symbols[0].attachment = http;
    return wasm_runtime_register_natives("clawft", symbols, 1);
}

void close_http(Http *http)
{
    for (size_t i = 0; i < EXCHANGES; i++) {
        http_close(http->open[i]);
        http->open[i] = NULL;
    }
}

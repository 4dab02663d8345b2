/* Requests of HTTP/1.1 and their answers, read as they come.
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef CLAWFT_HTTP_CLIENT_H
#define CLAWFT_HTTP_CLIENT_H

#include <stddef.h>
#include <stdint.h>

/* Who may be asked: `name` is a host, or `host:port`. Nobody else is. */
typedef struct {
    const char *const *names;
    size_t count;
} Allowed;

/* As ClawftHttpRequest has it, with pointers for its addresses. */
typedef struct {
    const char *method;
    const char *url;
    uint32_t url_len;
    const uint8_t *headers;
    uint32_t headers_len;
    const uint8_t *body;
    uint32_t body_len; /* CLAWFT_HTTP_STREAM: it comes by http_write */
    uint32_t connect, first_byte, between_bytes, total; /* milliseconds */
} HttpRequest;

typedef struct Exchange Exchange;

/* Connects and sends. 0, or a negative number of CLAWFT_HTTP and perhaps a sentence in `why`. */
int32_t http_open(Exchange **out, const HttpRequest *request, Allowed allowed, char why[128]);

/* Sends the next bytes of a body; none: that was all. How many it took; 0: no more. */
int32_t http_write(Exchange *exchange, const uint8_t *bytes, uint32_t len);

/* Waits for bytes of the answer: its head as it came, then its body without the coding of its
 * transfer. How many, up to `most`; 0: that was all. */
int32_t http_read(Exchange *exchange, uint8_t *into, uint32_t most);

/* Forgets it; null is allowed. */
void http_close(Exchange *exchange);

#endif

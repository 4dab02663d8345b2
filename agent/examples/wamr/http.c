/* HTTP/1.1 over a stream: one request for a connection, no redirects, no compression.
 *
 * Nothing of an answer is kept: its head goes through as it comes, and of each line only what says
 * how long the body is gets read. So an exchange is 5 KB, whatever the other side sends.
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "http.h"

#include "clawft_agent.h"
#include "stream.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BUFFER = 4096, LINE = 256, HOST = 256 };

/* Where in an answer the next byte stands. */
typedef enum {
    STATUS,     /* in its first line, which nobody sees before it is known that it is one */
    SHOW_STATUS,/* at its end: the line goes through */
    INTERIM,    /* in the head of an answer before the answer (100), which nobody sees */
    HEADERS,    /* in the lines after it */
    CHUNK_SIZE, /* in the line that says how long the next chunk is */
    CHUNK,      /* in a chunk: `left` bytes of it */
    CHUNK_END,  /* in the empty line behind it */
    TRAILER,    /* in the lines behind the last chunk */
    LENGTH,     /* in a body of `left` more bytes */
    TO_THE_END, /* in a body that lasts until the connection ends */
    DONE,
} Place;

struct Exchange {
    Stream *stream;
    int64_t end, asked;         /* of the clock: when all time is over, when the request was sent */
    uint32_t first_byte, between_bytes;
    Place place;
    bool is_chunked, has_length, has_body, has_begun;
    uint64_t left;
    int32_t failed;             /* what the next call gives, once all before it was read */
    char line[LINE];            /* the beginning of the present line */
    size_t line_len, line_shown;
    uint8_t buffer[BUFFER];     /* what came and was not looked at yet */
    size_t from, to;
};

/* An earlier one of two points in time. */
static int64_t until(const Exchange *exchange, int64_t start, uint32_t limit)
{
    int64_t end = start + limit;
    return end < exchange->end ? end : exchange->end;
}

/* ---- The request. */

typedef struct {
    bool is_secure;
    char host[HOST], port[6]; /* for the resolver */
    const char *authority, *path;
    int authority_len, path_len;
} Url;

static bool take_apart(const char *text, size_t len, Url *url)
{
    const char *end = text + len;
    for (const char *at = text; at < end; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7F || *at == '#')
            return false;
    url->is_secure = len > 8 && !strncasecmp(text, "https://", 8);
    if (!url->is_secure && !(len > 7 && !strncasecmp(text, "http://", 7)))
        return false;
    const char *start = text + (url->is_secure ? 8 : 7);
    const char *slash = memchr(start, '/', (size_t)(end - start));
    if (!slash || memchr(start, '@', (size_t)(slash - start)))
        return false;
    url->authority = start, url->authority_len = (int)(slash - start);
    url->path = slash, url->path_len = (int)(end - slash);

    const char *colon = NULL, *host_end;
    bool is_v6 = *start == '[';
    if (is_v6) {
        start++;
        host_end = memchr(start, ']', (size_t)(slash - start));
        if (!host_end || (host_end + 1 < slash && host_end[1] != ':'))
            return false;
        colon = host_end + 1 < slash ? host_end + 1 : NULL;
    } else {
        colon = memchr(start, ':', (size_t)(slash - start));
        host_end = colon ? colon : slash;
    }
    size_t host_len = (size_t)(host_end - start);
    size_t port_len = colon ? (size_t)(slash - colon - 1) : 0;
    if (host_len == 0 || host_len >= HOST || port_len > 5 || (colon && port_len == 0))
        return false;
    memcpy(url->host, start, host_len);
    url->host[host_len] = 0;
    snprintf(url->port, sizeof url->port, "%.*s", colon ? (int)port_len : 3,
             colon                ? colon + 1
             : url->is_secure ? "443"
                              : "80");
    return strspn(url->port, "0123456789") == strlen(url->port);
}

static bool may_ask(Allowed allowed, const Url *url)
{
    char with_port[HOST + 8];
    snprintf(with_port, sizeof with_port, "%s:%s", url->host, url->port);
    for (size_t i = 0; i < allowed.count; i++)
        if (!strcasecmp(allowed.names[i], url->host) || !strcasecmp(allowed.names[i], with_port))
            return true;
    return false;
}

/* Lines as they may be sent: an empty one would end the head and begin something else. */
static bool are_lines(const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return true;
    if (len < 2 || bytes[len - 2] != '\r' || bytes[len - 1] != '\n' || bytes[0] == '\r')
        return false;
    for (size_t i = 0; i < len; i++) {
        bool is_end = bytes[i] == '\r';
        if (bytes[i] == 0 || (bytes[i] == '\n') != (i > 0 && bytes[i - 1] == '\r'))
            return false;
        if (is_end && (i + 1 == len || (i + 2 < len && bytes[i + 2] == '\r')))
            return false;
    }
    return true;
}

int32_t http_open(Exchange **out, const HttpRequest *request, Allowed allowed, char why[128])
{
    int64_t start = clock_ms();
    Url url;
    if (!take_apart(request->url, request->url_len, &url))
        return CLAWFT_HTTP_BAD_URL;
    if (!may_ask(allowed, &url) || !are_lines(request->headers, request->headers_len))
        return CLAWFT_HTTP_DENIED;
    Exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange)
        return CLAWFT_HTTP_OTHER;
    /* The clock cuts milliseconds off, and the module must not see an end that comes early. */
    exchange->end = start + request->total + 1;
    exchange->first_byte = request->first_byte;
    exchange->between_bytes = request->between_bytes;
    int32_t code = stream_open(&exchange->stream, url.host, url.port, url.is_secure,
                               until(exchange, start, request->connect), why);
    if (code < 0) {
        free(exchange);
        return code;
    }
    bool is_streamed = request->body_len == CLAWFT_HTTP_STREAM;
    const char *coding = is_streamed ? "transfer-encoding: chunked\r\n" : "";
    size_t most = request->url_len + request->headers_len + 128;
    char *head = malloc(most);
    int len = head ? snprintf(head, most, "%s %.*s HTTP/1.1\r\nhost: %.*s\r\n%.*s%s\r\n",
                              request->method, url.path_len, url.path, url.authority_len,
                              url.authority, (int)request->headers_len,
                              (const char *)request->headers, coding)
                   : 0;
    /* In one piece, else it would wait for the other side to confirm the first.
     * One that answers before it has the whole body has answered. */
    code = head ? stream_write(exchange->stream, head, (size_t)len, exchange->end)
                : CLAWFT_HTTP_OTHER;
    if (code > 0 && !is_streamed)
        code = stream_write(exchange->stream, request->body, request->body_len, exchange->end);
    free(head);
    exchange->asked = clock_ms();
    if (code < 0) {
        http_close(exchange);
        return code;
    }
    *out = exchange;
    return 0;
}

int32_t http_write(Exchange *exchange, const uint8_t *bytes, uint32_t len)
{
    char size[16];
    int size_len = snprintf(size, sizeof size, "%x\r\n", len);
    int32_t code = stream_write(exchange->stream, size, (size_t)size_len, exchange->end);
    if (code > 0)
        code = stream_write(exchange->stream, bytes, len, exchange->end);
    if (code > 0)
        code = stream_write(exchange->stream, "\r\n", 2, exchange->end);
    exchange->asked = clock_ms();
    return code > 0 ? (int32_t)len : code;
}

/* ---- The answer. */

/* What follows `name:`, or null. */
static const char *value_of(const char *line, const char *name)
{
    size_t len = strlen(name);
    if (strncasecmp(line, name, len) || line[len] != ':')
        return NULL;
    return line + len + 1 + strspn(line + len + 1, " \t");
}

/* A number and nothing else; UINT64_MAX: there is none. */
static uint64_t number_of(const char *text, int base)
{
    char *end;
    size_t digits = strspn(text, base == 10 ? "0123456789" : "0123456789abcdefABCDEF");
    if (digits == 0 || digits > 15)
        return UINT64_MAX;
    uint64_t number = strtoull(text, &end, base);
    end += strspn(end, " \t");
    return *end == 0 || *end == '\r' || *end == '\n' || (base == 16 && *end == ';') ? number
                                                                                     : UINT64_MAX;
}

/* A line has ended: where the next byte stands. Negative: this is no HTTP. */
static int32_t next_place(Exchange *exchange)
{
    const char *line = exchange->line, *value;
    bool is_empty = line[0] == '\r' || line[0] == '\n';
    uint64_t number;
    switch (exchange->place) {
    case STATUS:
        if (exchange->line_len < 13 || line[8] != ' ' || strspn(line + 9, "0123456789") != 3)
            return CLAWFT_HTTP_MALFORMED;
        exchange->has_body = strncmp(line + 9, "204", 3) && strncmp(line + 9, "304", 3);
        return line[9] == '1' ? INTERIM : SHOW_STATUS;
    case INTERIM:
        return is_empty ? STATUS : INTERIM;
    case HEADERS:
        if ((value = value_of(line, "transfer-encoding"))) {
            if (strncasecmp(value, "chunked", 7))
                return CLAWFT_HTTP_MALFORMED; /* none other was asked for */
            exchange->is_chunked = true;
        } else if ((value = value_of(line, "content-length"))) {
            number = number_of(value, 10);
            if (number == UINT64_MAX || (exchange->has_length && number != exchange->left))
                return CLAWFT_HTTP_MALFORMED;
            exchange->has_length = true, exchange->left = number;
        }
        if (!is_empty)
            return HEADERS;
        if (!exchange->has_body)
            return DONE;
        if (exchange->is_chunked)
            return CHUNK_SIZE;
        if (exchange->has_length)
            return exchange->left ? LENGTH : DONE;
        return TO_THE_END;
    case CHUNK_SIZE:
        exchange->left = number_of(line, 16);
        if (exchange->left == UINT64_MAX)
            return CLAWFT_HTTP_MALFORMED;
        return exchange->left ? CHUNK : TRAILER;
    case CHUNK_END:
        return is_empty ? CHUNK_SIZE : CLAWFT_HTTP_MALFORMED;
    default: /* TRAILER */
        return is_empty ? DONE : TRAILER;
    }
}

/* Takes a byte of a line; negative: this is no HTTP. */
static int32_t take_of_line(Exchange *exchange, char byte)
{
    if (exchange->line_len < LINE - 1)
        exchange->line[exchange->line_len++] = byte;
    else if (exchange->place == STATUS)
        return CLAWFT_HTTP_MALFORMED;
    exchange->line[exchange->line_len] = 0;
    /* As soon as it is seen: what is no HTTP may never end its line. */
    size_t known = exchange->line_len < 7 ? exchange->line_len : 7;
    if (exchange->place == STATUS && strncmp(exchange->line, "HTTP/1.", known))
        return CLAWFT_HTTP_MALFORMED;
    if (byte != '\n')
        return 0;
    int32_t next = next_place(exchange);
    if (next < 0)
        return next;
    exchange->place = (Place)next;
    if (next != SHOW_STATUS)
        exchange->line_len = 0;
    return 0;
}

/* Takes the next part of what came: how many bytes of it are the module's. */
static uint32_t take(Exchange *exchange, uint8_t *into, uint32_t most)
{
    bool is_counted = exchange->place == CHUNK || exchange->place == LENGTH;
    uint64_t count = exchange->to - exchange->from;
    if (exchange->place == SHOW_STATUS) {
        count = exchange->line_len - exchange->line_shown;
        count = count < most ? count : most;
        memcpy(into, exchange->line + exchange->line_shown, count);
        exchange->line_shown += count;
        if (exchange->line_shown == exchange->line_len)
            exchange->place = HEADERS, exchange->line_len = 0;
    } else if (is_counted || exchange->place == TO_THE_END) {
        count = count < most ? count : most;
        count = is_counted && exchange->left < count ? exchange->left : count;
        memcpy(into, exchange->buffer + exchange->from, count);
        exchange->from += count;
        exchange->left -= is_counted ? count : 0;
        if (is_counted && exchange->left == 0)
            exchange->place = exchange->place == CHUNK ? CHUNK_END : DONE;
    } else {
        count = exchange->place == HEADERS;
        *into = exchange->buffer[exchange->from++];
        exchange->failed = take_of_line(exchange, (char)*into);
    }
    return (uint32_t)count;
}

int32_t http_read(Exchange *exchange, uint8_t *into, uint32_t most)
{
    uint32_t got = 0;
    while (got < most && exchange->place != DONE && !exchange->failed) {
        if (exchange->from < exchange->to || exchange->place == SHOW_STATUS) {
            got += take(exchange, into + got, most - got);
            continue;
        }
        if (got > 0)
            break;
        int64_t deadline = exchange->has_begun
                               ? until(exchange, clock_ms(), exchange->between_bytes)
                               : until(exchange, exchange->asked, exchange->first_byte);
        int32_t count = stream_read(exchange->stream, exchange->buffer, BUFFER, deadline);
        exchange->from = 0, exchange->to = count > 0 ? (size_t)count : 0;
        exchange->has_begun = true;
        if (count < 0)
            exchange->failed = count;
        else if (count == 0 && exchange->place == TO_THE_END)
            exchange->place = DONE;
        else if (count == 0)
            exchange->failed = CLAWFT_HTTP_BROKEN;
    }
    return got > 0 ? (int32_t)got : exchange->failed;
}

void http_close(Exchange *exchange)
{
    if (exchange)
        stream_close(exchange->stream);
    free(exchange);
}

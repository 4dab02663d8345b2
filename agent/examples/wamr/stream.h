/* A connection whose every step has an end in time: TCP, and TLS over it where it is built in.
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef CLAWFT_STREAM_H
#define CLAWFT_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Stream Stream;

/* Milliseconds of a clock that only goes forward. Deadlines are points of it. */
int64_t clock_ms(void);

/* Connects, by TLS where `is_secure`, until the deadline. 0, or a negative number of CLAWFT_HTTP
 * and, in `why`, perhaps a sentence. */
int32_t stream_open(Stream **out, const char *host, const char *port, bool is_secure,
                    int64_t deadline, char why[128]);

/* Waits for bytes: how many there are, up to `most`; 0: the other side has ended; or negative. */
int32_t stream_read(Stream *stream, void *into, size_t most, int64_t deadline);

/* Sends all of it: 1. Or 0: the other side speaks already, or has gone, and wants no more. Or
 * negative. */
int32_t stream_write(Stream *stream, const void *bytes, size_t len, int64_t deadline);

void stream_close(Stream *stream);

#endif

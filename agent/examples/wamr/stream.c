/* Sockets as POSIX has them, none of which blocks, and mbedTLS over one of them.
 *
 * TLS is there when this is compiled with -DCLAWFT_TLS; without it `https` is refused with
 * CLAWFT_HTTP_TLS. SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "stream.h"

#include "clawft_agent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifdef CLAWFT_TLS
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#if MBEDTLS_VERSION_MAJOR >= 3
#include <psa/crypto.h>
#endif
#endif

struct Stream {
    int socket;
    bool is_secure;
#ifdef CLAWFT_TLS
    mbedtls_ssl_context tls;
    mbedtls_ssl_config config;
    mbedtls_x509_crt roots;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
#endif
};

int64_t clock_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Waits for one of `events`: those that are there, or CLAWFT_HTTP_TIMEOUT. */
static int32_t await(int socket, short events, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline - clock_ms();
        if (left <= 0)
            return CLAWFT_HTTP_TIMEOUT;
        struct pollfd one = { .fd = socket, .events = events };
        int count = poll(&one, 1, left > INT_MAX ? INT_MAX : (int)left);
        if (count > 0)
            return one.revents;
        if (count < 0 && errno != EINTR)
            return CLAWFT_HTTP_OTHER;
    }
}

/* Connects to one address. */
static int32_t reach(const struct addrinfo *address, int64_t deadline, int *out, char why[128])
{
    int one = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    int error = 0;
    socklen_t size = sizeof error;
    if (one < 0 || fcntl(one, F_SETFL, O_NONBLOCK) || fcntl(one, F_SETFD, FD_CLOEXEC))
        error = errno;
    else if (connect(one, address->ai_addr, address->ai_addrlen) && errno != EINPROGRESS)
        error = errno;
    int32_t code = error ? CLAWFT_HTTP_UNREACHABLE : await(one, POLLOUT, deadline);
    if (code > 0 && (getsockopt(one, SOL_SOCKET, SO_ERROR, &error, &size) || error))
        code = CLAWFT_HTTP_UNREACHABLE;
    if (error)
        snprintf(why, 128, "%s", strerror(error));
    if (code < 0) {
        if (one >= 0)
            close(one);
        return code;
    }
    *out = one;
    return 0;
}

#ifdef CLAWFT_TLS
static int tls_send(void *context, const unsigned char *bytes, size_t len)
{
    ssize_t sent = send(*(int *)context, bytes, len, MSG_NOSIGNAL);
    if (sent >= 0)
        return (int)sent;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE : -1;
}

static int tls_receive(void *context, unsigned char *into, size_t most)
{
    ssize_t got = recv(*(int *)context, into, most, 0);
    if (got >= 0)
        return (int)got;
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ : -1;
}

/* What mbedTLS waits for, as poll has it; 0: it does not wait. */
static short wanted(int result)
{
    return result == MBEDTLS_ERR_SSL_WANT_READ    ? POLLIN
           : result == MBEDTLS_ERR_SSL_WANT_WRITE ? POLLOUT
                                                  : 0;
}

/* Agrees on a secure connection with one whose certificate is of that name. */
static int32_t secure(Stream *stream, const char *host, int64_t deadline, char why[128])
{
    const char *roots = getenv("SSL_CERT_FILE");
    mbedtls_ssl_init(&stream->tls);
    mbedtls_ssl_config_init(&stream->config);
    mbedtls_x509_crt_init(&stream->roots);
    mbedtls_entropy_init(&stream->entropy);
    mbedtls_ctr_drbg_init(&stream->random);
    stream->is_secure = true;
#if MBEDTLS_VERSION_MAJOR >= 3
    psa_crypto_init();
#endif
    /* Of the roots that a system has, some may be of a kind that mbedTLS does not read. */
    int result = mbedtls_x509_crt_parse_file(
        &stream->roots, roots ? roots : "/etc/ssl/certs/ca-certificates.crt");
    if (result >= 0)
        result = mbedtls_ctr_drbg_seed(&stream->random, mbedtls_entropy_func, &stream->entropy,
                                       NULL, 0);
    if (result >= 0)
        result = mbedtls_ssl_config_defaults(&stream->config, MBEDTLS_SSL_IS_CLIENT,
                                             MBEDTLS_SSL_TRANSPORT_STREAM,
                                             MBEDTLS_SSL_PRESET_DEFAULT);
    mbedtls_ssl_conf_ca_chain(&stream->config, &stream->roots, NULL);
    mbedtls_ssl_conf_authmode(&stream->config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_rng(&stream->config, mbedtls_ctr_drbg_random, &stream->random);
    if (result >= 0)
        result = mbedtls_ssl_setup(&stream->tls, &stream->config);
    if (result >= 0)
        result = mbedtls_ssl_set_hostname(&stream->tls, host);
    mbedtls_ssl_set_bio(&stream->tls, &stream->socket, tls_send, tls_receive, NULL);
    while (result >= 0 && (result = mbedtls_ssl_handshake(&stream->tls)) != 0 && wanted(result)) {
        int32_t code = await(stream->socket, wanted(result), deadline);
        if (code < 0)
            return code;
        result = 0;
    }
    if (result >= 0)
        return 0;
    mbedtls_strerror(result, why, 128);
    return CLAWFT_HTTP_TLS;
}
#endif

int32_t stream_open(Stream **out, const char *host, const char *port, bool is_secure,
                    int64_t deadline, char why[128])
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *found = NULL;
    /* It blocks for as long as the system's resolver does: seconds, where nobody answers. */
    int result = getaddrinfo(host, port, &hints, &found);
    if (result) {
        snprintf(why, 128, "%s", gai_strerror(result));
        return CLAWFT_HTTP_UNREACHABLE;
    }
    Stream *stream = calloc(1, sizeof *stream);
    int32_t code = stream ? CLAWFT_HTTP_UNREACHABLE : CLAWFT_HTTP_OTHER;
    for (struct addrinfo *one = found; stream && one && code == CLAWFT_HTTP_UNREACHABLE;
         one = one->ai_next)
        code = reach(one, deadline, &stream->socket, why);
    freeaddrinfo(found);
    if (code < 0) {
        free(stream);
        return code;
    }
    if (is_secure) {
#ifdef CLAWFT_TLS
        code = secure(stream, host, deadline, why);
#else
        snprintf(why, 128, "this host is built without TLS");
        code = CLAWFT_HTTP_TLS;
#endif
    }
    if (code < 0)
        stream_close(stream);
    else
        *out = stream;
    return code;
}

int32_t stream_read(Stream *stream, void *into, size_t most, int64_t deadline)
{
    for (;;) {
        short events = POLLIN;
#ifdef CLAWFT_TLS
        if (stream->is_secure) {
            int got = mbedtls_ssl_read(&stream->tls, into, most);
            if (got == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
                return 0;
            events = wanted(got);
            if (!events) /* An end without a word about it may be one that somebody else made. */
                return got > 0 ? got : CLAWFT_HTTP_BROKEN;
        } else
#endif
        {
            ssize_t got = recv(stream->socket, into, most, 0);
            if (got >= 0)
                return (int32_t)got;
            if (errno != EAGAIN && errno != EINTR)
                return CLAWFT_HTTP_BROKEN;
        }
        int32_t ready = await(stream->socket, events, deadline);
        if (ready < 0)
            return ready;
    }
}

int32_t stream_write(Stream *stream, const void *bytes, size_t len, int64_t deadline)
{
    const unsigned char *from = bytes;
    while (len > 0) {
        ssize_t sent;
#ifdef CLAWFT_TLS
        if (stream->is_secure) {
            int result = mbedtls_ssl_write(&stream->tls, from, len);
            int32_t ready = wanted(result) ? await(stream->socket, wanted(result), deadline) : 0;
            if (ready < 0)
                return ready;
            if (result < 0 && !ready)
                return 0;
            sent = result < 0 ? 0 : result;
        } else
#endif
        {
            int32_t ready = await(stream->socket, POLLIN | POLLOUT, deadline);
            if (ready < 0)
                return ready;
            if (ready & POLLIN)
                return 0;
            sent = send(stream->socket, from, len, MSG_NOSIGNAL);
            if (sent < 0 && errno != EAGAIN && errno != EINTR)
                return 0;
        }
        if (sent > 0) {
            from += sent;
            len -= (size_t)sent;
        }
    }
    return 1;
}

void stream_close(Stream *stream)
{
#ifdef CLAWFT_TLS
    if (stream->is_secure) {
        mbedtls_ssl_close_notify(&stream->tls);
        mbedtls_ssl_free(&stream->tls);
        mbedtls_ssl_config_free(&stream->config);
        mbedtls_x509_crt_free(&stream->roots);
        mbedtls_ctr_drbg_free(&stream->random);
        mbedtls_entropy_free(&stream->entropy);
    }
#endif
    close(stream->socket);
    free(stream);
}

/* A durable memory from C: a folder of files as its storage, some notes, found
 * again by their words, by a vector, and by both, after the memory was opened anew.
 *
 *     cc -std=c11 -I ffi/include -I ffi/store/include ffi/store/examples/c/remember.c \
 *         libclawft.a -lpthread -ldl -lm -o remember
 *     ./remember FOLDER
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "clawft_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { DIM = 32 };

/* ---- The storage: the files of one folder. An open file's number is its descriptor. */

typedef struct {
    const char *folder;
} Folder;

static int32_t failed(void)
{
    switch (errno) {
    case ENOENT: return CLAWFT_MEMORY_NOT_FOUND;
    case EEXIST: return CLAWFT_MEMORY_EXISTS;
    case ENOSPC:
    case EDQUOT: return CLAWFT_MEMORY_NO_SPACE;
    case EROFS:
    case EACCES: return CLAWFT_MEMORY_STORAGE_READ_ONLY;
    case EBADF: return CLAWFT_MEMORY_BAD_FILE;
    default: return CLAWFT_MEMORY_STORAGE_FAILED;
    }
}

/* 0, or the refusal of a name that leads out of the folder, or would be cut to another one. */
static int32_t path_of(void *context, const char *name, size_t len, char out[4096])
{
    if (len > 4096 || memchr(name, '/', len) || memchr(name, 0, len))
        return CLAWFT_MEMORY_BAD_FILE;
    int all = snprintf(out, 4096, "%s/%.*s", ((Folder *)context)->folder, (int)len, name);
    return all < 0 || all >= 4096 ? CLAWFT_MEMORY_BAD_FILE : 0;
}

static int32_t give(void *context, const char *name, size_t len, int flags)
{
    char path[4096];
    if (path_of(context, name, len, path))
        return CLAWFT_MEMORY_BAD_FILE;
    int file = open(path, flags, 0644);
    return file < 0 ? failed() : file;
}

static int32_t folder_open(void *context, const char *name, size_t len)
{
    int32_t file = give(context, name, len, O_RDWR | O_APPEND);
    return file == CLAWFT_MEMORY_STORAGE_READ_ONLY ? give(context, name, len, O_RDONLY) : file;
}

static int32_t folder_create(void *context, const char *name, size_t len)
{
    return give(context, name, len, O_RDWR | O_APPEND | O_CREAT | O_EXCL);
}

static int32_t folder_close(void *context, uint32_t file)
{
    (void)context;
    return close((int)file) ? failed() : 0;
}

static int64_t folder_len(void *context, uint32_t file)
{
    struct stat stat;
    (void)context;
    return fstat((int)file, &stat) ? failed() : stat.st_size;
}

static int32_t folder_read_at(void *context, uint32_t file, uint64_t offset, void *into, size_t len)
{
    ssize_t got = pread((int)file, into, len, (off_t)offset);
    (void)context;
    return got < 0 ? failed() : (int32_t)got;
}

static int32_t folder_append(void *context, uint32_t file, const void *bytes, size_t len)
{
    const char *from = bytes;
    (void)context;
    while (len > 0) {
        ssize_t put = write((int)file, from, len);
        if (put < 0)
            return failed();
        from += put;
        len -= (size_t)put;
    }
    return 0;
}

static int32_t folder_truncate(void *context, uint32_t file, uint64_t len)
{
    (void)context;
    return ftruncate((int)file, (off_t)len) ? failed() : 0;
}

static int32_t folder_sync(void *context, uint32_t file)
{
    (void)context;
    return fsync((int)file) ? failed() : 0;
}

static int32_t folder_sync_folder(void *context)
{
    int folder = open(((Folder *)context)->folder, O_RDONLY);
    if (folder < 0)
        return failed();
    int32_t result = fsync(folder) ? failed() : 0;
    close(folder);
    return result;
}

static int32_t folder_rename(void *context, const char *from, size_t from_len, const char *to,
                             size_t to_len)
{
    char old[4096], new[4096];
    if (path_of(context, from, from_len, old) || path_of(context, to, to_len, new))
        return CLAWFT_MEMORY_BAD_FILE;
    return rename(old, new) ? failed() : 0;
}

static int32_t folder_remove(void *context, const char *name, size_t len)
{
    char path[4096];
    if (path_of(context, name, len, path))
        return CLAWFT_MEMORY_BAD_FILE;
    return unlink(path) ? failed() : 0;
}

static int32_t folder_list(void *context, const char *prefix, size_t len, char *into, size_t cap)
{
    DIR *folder = opendir(((Folder *)context)->folder);
    size_t all = 0;
    if (!folder)
        return failed();
    for (struct dirent *one; (one = readdir(folder));) {
        size_t size = strlen(one->d_name) + 1;
        if (strncmp(one->d_name, prefix, len))
            continue;
        if (all + size <= cap)
            memcpy(into + all, one->d_name, size);
        all += size;
    }
    closedir(folder);
    return (int32_t)all;
}

static ClawftStorage storage_of(Folder *folder)
{
    ClawftStorage storage = {
        .size = sizeof storage,
        .context = folder,
        .open = folder_open,
        .create = folder_create,
        .close = folder_close,
        .len = folder_len,
        .read_at = folder_read_at,
        .append = folder_append,
        .truncate = folder_truncate,
        .sync = folder_sync,
        .sync_folder = folder_sync_folder,
        .rename = folder_rename,
        .remove = folder_remove,
        .progress = NULL,
        .list = folder_list,
    };
    return storage;
}

/* ---- The program. */

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

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static ClawftText text_of(const char *text)
{
    return (ClawftText){ .bytes = text, .len = strlen(text) };
}

/* A program has an embedder; this one has a point on a curve. */
static void vector_of(uint64_t id, float *out)
{
    for (int i = 0; i < DIM; i++)
        out[i] = sinf((float)(id + 1) * 0.37f * (float)(i + 1));
}

static uint32_t open_memory(Folder *folder, uint32_t flags)
{
    ClawftStorage storage = storage_of(folder);
    ClawftMemoryOptions options;
    uint32_t memory = 0;
    must("options", clawft_memory_options_init(&options));
    options.flags = flags;
    options.dim = DIM;
    /* A file's id should be random; the time and the process will do here. */
    uint64_t seed[2] = { now(), (uint64_t)getpid() };
    memcpy(options.file_id, seed, sizeof options.file_id);
    /* No lock is taken in this storage: a lease keeps other writers out. */
    options.nonce = seed[0] ^ seed[1] << 32;
    options.now = now();
    options.lease = 10000;
    must("open", clawft_memory_open("notes.rvf", 9, &options, &storage, &memory));
    return memory;
}

static const char *const NOTES[] = {
    "The kettle is on the second shelf of the kitchen.",
    "The train to the coast leaves at nine.",
    "Green tea is not to be boiled.",
    "Grandmother's birthday is on the third of May.",
};

int main(int argc, char **argv)
{
    expect(argc == 2, "one argument, a folder");
    expect(clawft_abi_version() == CLAWFT_ABI_VERSION, "header and library are of one version");
    Folder folder = { argv[1] };

    /* Nothing is taken for a name but one of a file in the folder. */
    char longer[4096];
    memset(longer, 'x', sizeof longer);
    expect(folder_create(&folder, "../notes", 8) == CLAWFT_MEMORY_BAD_FILE
               && folder_create(&folder, "a\0b", 3) == CLAWFT_MEMORY_BAD_FILE
               && folder_create(&folder, longer, sizeof longer) == CLAWFT_MEMORY_BAD_FILE,
           "a name that leads elsewhere is refused");

    uint32_t memory = open_memory(&folder, CLAWFT_CREATE);
    float vector[DIM];
    for (uint64_t id = 0; id < 4; id++) {
        vector_of(id, vector);
        ClawftPair author = { text_of("author"), text_of(id % 2 ? "me" : "you") };
        ClawftRecord record = {
            .size = sizeof record,
            .dim = DIM,
            .id = id,
            .vector = vector,
            .text = text_of(NOTES[id]),
            .kind = text_of("note"),
            .metadata = &author,
            .metadata_len = 1,
            .created = now(),
            .importance = 0.5f,
        };
        must("remember", clawft_remember(memory, &record));
    }
    must("commit", clawft_commit(memory, now()));
    must("forget", clawft_forget(memory, 3));
    must("commit", clawft_commit(memory, now()));
    must("compact", clawft_compact(memory, now()));
    must("close", clawft_memory_close(memory, now()));
    expect(clawft_commit(memory, now()) == CLAWFT_BAD_HANDLE, "a closed memory is refused");

    memory = open_memory(&folder, 0);
    ClawftMemoryReport report;
    must("report", clawft_memory_report(memory, &report));
    expect(report.records == 3 && report.derived == 1, "three records, and nothing built anew");

    ClawftRecall recall;
    ClawftFound found[3];
    uint32_t count = 0;
    must("recall", clawft_recall_init(&recall, 3));
    recall.text = text_of("trains");
    must("recall", clawft_recall(memory, &recall, found, &count));
    expect(count == 1 && found[0].id == 1, "by words");

    vector_of(2, vector);
    recall.vector = vector;
    recall.dim = DIM;
    must("recall", clawft_recall(memory, &recall, found, &count));
    expect(count == 3 && found[0].id == 2, "by both: near, and more than words that are not there");

    recall.text = text_of("");
    recall.text.bytes = NULL;
    ClawftPair mine = { text_of("author"), text_of("me") };
    recall.metadata = &mine;
    recall.metadata_len = 1;
    must("recall", clawft_recall(memory, &recall, found, &count));
    expect(count == 1 && found[0].id == 1, "by vector, under a filter");

    for (uint32_t i = 0; i < count; i++) {
        char text[128];
        size_t len = 0;
        must("text",
             clawft_record_string(memory, found[i].id, CLAWFT_TEXT, text, sizeof text, &len));
        printf("%u. id %llu, similarity %.3f: %.*s\n", (unsigned)i + 1,
               (unsigned long long)found[i].id, (double)found[i].similarity, (int)len, text);
    }
    must("touch", clawft_touch(memory, &found[0].id, 1, now()));
    must("verify", clawft_memory_verify(memory));
    must("close", clawft_memory_close(memory, now()));

    /* A tensor over time beside it: states that change slowly, at 5 bits a component. */
    ClawftTensorParams params;
    ClawftTensorStats stats;
    uint32_t tensor = 0, frame = 0;
    must("params", clawft_tensor_params_init(&params, DIM));
    params.bits = 5;
    must("create", clawft_tensor_create(&params, &tensor));
    for (uint64_t step = 0; step < 100; step++) {
        for (int i = 0; i < DIM; i++)
            vector[i] = sinf((float)i + 0.001f * (float)step);
        must("append", clawft_tensor_append(tensor, vector, DIM, &frame));
    }
    float back[DIM], bound = 0, distance = 0;
    must("get", clawft_tensor_get(tensor, frame, back, DIM));
    must("bound", clawft_tensor_error_bound(tensor, frame, &bound));
    for (int i = 0; i < DIM; i++)
        distance += (back[i] - vector[i]) * (back[i] - vector[i]);
    expect(sqrtf(distance) <= bound, "within the bound");
    must("stats", clawft_tensor_stats(tensor, &stats));
    printf("%u frames in %llu bytes, %u segments\n", (unsigned)stats.frames,
           (unsigned long long)stats.bytes, (unsigned)stats.segments);
    must("close", clawft_tensor_close(tensor));
    return 0;
}

/* The import `clawft_http` for a module in WAMR. SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef CLAWFT_IMPORT_H
#define CLAWFT_IMPORT_H

#include "http.h"

#include <stdbool.h>

enum { EXCHANGES = 4 };

/* What one instance has open. All zero, but for `allowed`, before its first call. */
typedef struct {
    Allowed allowed;
    Exchange *open[EXCHANGES];
    char why[128];
} Http;

/* Makes the import known to WAMR: before a module that has it is loaded. `http` stays. */
bool import_http(Http *http);

/* Closes what the module left open. */
void close_http(Http *http);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * diag: every error and warning of a configuration, each with its place, and how they are printed
 * (FILE:LINE:COLUMN: error: Kind/namespace/name: field.path: what is wrong (hint)).
 * At most UM_DIAG_MAX of a severity are kept, the rest is counted. A failed allocation loses a text, never a count.
 * Owner: um_diag_init's caller; texts are copied. Thread: control. */
#ifndef UM_CONFIG_DIAG_H
#define UM_CONFIG_DIAG_H

#include "base/arena.h"
#include "base/buf.h"

enum { UM_DIAG_MAX = 1000 };

enum um_severity { UM_SEVERITY_ERROR, UM_SEVERITY_WARNING, UM_SEVERITIES };

/* line and column count from 1, columns in characters; line 0: the file (or flag) as a whole */
struct um_pos {
    const char *file;
    uint32_t line, column;
};

struct um_diagnostic {
    struct um_pos pos;
    enum um_severity severity;
    struct um_str resource; /* "Kind/namespace/name"; may be empty */
    struct um_str field;    /* "spec.http[0].mirrorPercentage.value"; may be empty */
    struct um_str message;
    struct um_str hint; /* may be empty */
};

struct um_diag {
    struct um_arena arena;
    struct um_diagnostic *list;
    uint32_t n, cap;
    uint64_t n_found[UM_SEVERITIES]; /* kept or not */
    uint32_t n_kept[UM_SEVERITIES];
};

void um_diag_init(struct um_diag *);
void um_diag_release(struct um_diag *);

/* what is said beside the message; an empty text is left out */
struct um_diag_about {
    struct um_str resource, field, hint;
};

void um_diag_add(struct um_diag *, enum um_severity, struct um_pos, struct um_diag_about, const char *format, ...)
    UM_PRINTF(5, 6);

/* nothing more of this severity is kept: who would search for a place or a hint need not */
static inline bool um_diag_is_full(const struct um_diag *d, enum um_severity severity)
{
    return d->n_kept[severity] == UM_DIAG_MAX;
}

static inline bool um_diag_has_errors(const struct um_diag *d)
{
    return d->n_found[UM_SEVERITY_ERROR] > 0;
}

/* by file, line, column; the same said twice of one place stays once. The printers below want it done. */
void um_diag_sort(struct um_diag *);

void um_diag_print_text(const struct um_diag *, struct um_buf *);
void um_diag_print_json(const struct um_diag *, struct um_buf *);
/* workflow commands of GitHub Actions: ::error file=..,line=..,col=..,title=..::message */
void um_diag_print_github(const struct um_diag *, struct um_buf *);

#endif

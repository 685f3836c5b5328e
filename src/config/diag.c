/* SPDX-License-Identifier: Apache-2.0 */
#include "config/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE_BYTES = 1024 };

void um_diag_init(struct um_diag *d)
{
    *d = (struct um_diag){0};
    um_arena_init(&d->arena, NULL, 0);
}

void um_diag_release(struct um_diag *d)
{
    um_arena_release(&d->arena);
    *d = (struct um_diag){0};
}

static bool grow(struct um_diag *d)
{
    uint32_t cap = d->cap ? d->cap * 2 : 32;
    struct um_diagnostic *grown = um_arena_array(&d->arena, cap, sizeof *grown);
    if (!grown)
        return false;
    if (d->n)
        memcpy(grown, d->list, d->n * sizeof *grown);
    d->list = grown;
    d->cap = cap;
    return true;
}

void um_diag_add(struct um_diag *d, enum um_severity severity, struct um_pos pos, struct um_diag_about about,
                 const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list args;
    d->n_found[severity]++;
    if (um_diag_is_full(d, severity) || (d->n == d->cap && !grow(d)))
        return;
    va_start(args, format);
    int n = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof message ? (size_t)n : sizeof message - 1;
    d->n_kept[severity]++;
    d->list[d->n++] = (struct um_diagnostic){
        .pos = {um_arena_str(&d->arena, um_str_from(pos.file ? pos.file : "")).p, pos.line, pos.column},
        .severity = severity,
        .resource = um_arena_str(&d->arena, about.resource),
        .field = um_arena_str(&d->arena, about.field),
        .message = um_arena_str(&d->arena, (struct um_str){message, length}),
        .hint = um_arena_str(&d->arena, about.hint),
    };
}

static const char *file_of(const struct um_diagnostic *d)
{
    return d->pos.file ? d->pos.file : "";
}

static int compare_numbers(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int compare(const void *left, const void *right)
{
    const struct um_diagnostic *a = left, *b = right;
    int order = strcmp(file_of(a), file_of(b));
    if (order == 0)
        order = compare_numbers(a->pos.line, b->pos.line);
    if (order == 0)
        order = compare_numbers(a->pos.column, b->pos.column);
    if (order == 0)
        order = compare_numbers(a->severity, b->severity);
    if (order == 0)
        order = um_str_cmp(a->resource, b->resource);
    if (order == 0)
        order = um_str_cmp(a->field, b->field);
    return order ? order : um_str_cmp(a->message, b->message);
}

void um_diag_sort(struct um_diag *d)
{
    uint32_t n = 0;
    if (d->n == 0)
        return;
    qsort(d->list, d->n, sizeof *d->list, compare);
    for (uint32_t i = 1; i < d->n; i++) {
        if (compare(&d->list[n], &d->list[i]) != 0) {
            d->list[++n] = d->list[i];
            continue;
        }
        d->n_kept[d->list[i].severity]--;
        d->n_found[d->list[i].severity]--;
    }
    d->n = n + 1;
}

/* SPDX-License-Identifier: Apache-2.0
 * source: where configuration comes from. A source says that there is something new; its owner reads, compiles and
 * publishes. Owner: the maker's caller. Errors: UM_ENOMEM and the source's own. Thread: control. */
#ifndef UM_SOURCE_SOURCE_H
#define UM_SOURCE_SOURCE_H

#include "base/err.h"

struct um_source;

struct um_source_sink {
    void (*on_changed)(void *ctx); /* read again; never from within start, which comes before the first reading */
    /* something for the log: how well the source can follow changes; from within start too */
    void (*on_state)(void *ctx, const char *text);
    void *ctx;
};

struct um_source_ops {
    int (*start)(struct um_source *, const struct um_source_sink *);
    void (*kick)(struct um_source *);
    void (*free)(struct um_source *);
};

struct um_source {
    const struct um_source_ops *ops;
};

static inline UM_MUST_CHECK int um_source_start(struct um_source *s, const struct um_source_sink *sink)
{
    return s->ops->start(s, sink);
}
/* on_changed at once, whether something has changed or not (SIGHUP) */
static inline void um_source_kick(struct um_source *s)
{
    s->ops->kick(s);
}
/* stops; the sink is not called again */
static inline void um_source_free(struct um_source *s)
{
    if (s)
        s->ops->free(s);
}

#endif

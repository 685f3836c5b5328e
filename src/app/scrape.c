/* SPDX-License-Identifier: Apache-2.0 */
#include "app/control.h"

#include <stdlib.h>

/* one question to all workers, and what has come back */
struct scrape {
    um_scraped_f *on_done;
    void *ctx;
    unsigned n_waiting;
    int rc;
    struct um_worker_stats total;
};

static void finish(struct scrape *s)
{
    s->on_done(s->ctx, s->rc ? NULL : &s->total);
    um_worker_stats_release(&s->total);
    free(s);
}

void um_control_on_scraped(void *server, struct um_worker_scrape *part)
{
    struct scrape *s = part->ctx;
    (void)server;
    if (part->rc == 0 && s->rc == 0)
        s->rc = um_worker_stats_add(&s->total, &part->stats);
    else if (part->rc)
        s->rc = part->rc;
    um_worker_stats_release(&part->stats);
    free(part);
    if (--s->n_waiting == 0)
        finish(s);
}

int um_control_scrape(struct um_control *server, um_scraped_f *on_done, void *ctx)
{
    struct scrape *s = calloc(1, sizeof *s);
    struct um_worker_scrape *parts[256];
    unsigned n = 0;
    while (s && n < server->n_workers && (parts[n] = calloc(1, sizeof **parts)))
        n++;
    if (!s || n < server->n_workers) {
        while (n--)
            free(parts[n]);
        free(s);
        return UM_ENOMEM;
    }
    *s = (struct scrape){.on_done = on_done, .ctx = ctx, .n_waiting = n};
    um_worker_stats_init(&s->total);
    for (unsigned i = 0; i < n; i++) {
        um_worker_stats_init(&parts[i]->stats);
        parts[i]->ctx = s;
        um_worker_post_scrape(server->workers[i], parts[i]);
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * publish: a snapshot becomes what the workers serve: names get their indexes, new listening sockets are opened, each
 * worker is told. Either all of it happens or, on an error, nothing: the old configuration stays in force.
 *
 *   candidate snapshot -> indexes, sockets, one update per worker (all that can fail) -> posted -> current
 *
 * Owner: the server. Thread: control. */
#ifndef UM_APP_PUBLISH_H
#define UM_APP_PUBLISH_H

#include "app/worker.h"
#include "base/buf.h"
#include "upstream/dns.h"

/* a listening address as it was asked for and as it is bound (port 0: the kernel's choice) */
struct um_open_listener {
    struct um_sockaddr wanted, bound;
    struct um_str name; /* own memory */
    bool is_listed;
};

struct um_publisher {
    struct um_worker **workers;
    unsigned n_workers;
    struct um_upstream_registry registry;
    struct um_stat_names names;
    struct um_dns *dns;
    struct um_snapshot *current; /* one reference; NULL before the first */
    struct um_open_listener *listeners;
    uint32_t n_listeners;
};

void um_publisher_init(struct um_publisher *, struct um_worker **workers, unsigned n_workers, struct um_dns *);
/* the workers must be gone */
void um_publisher_release(struct um_publisher *);

/* Takes the caller's reference on success and on failure. On failure `ret_error` says which listener and why, and what
 * to do. */
int um_publish(struct um_publisher *, struct um_snapshot **, struct um_buf *ret_error) UM_MUST_CHECK;

/* the endpoints of one cluster of the current snapshot have changed (DNS) */
void um_publish_endpoints(struct um_publisher *, struct um_str cluster, struct um_endpoint_set *);

/* a worker has let go of a replaced snapshot */
void um_publisher_hold_idle(struct um_publisher *, struct um_hold *);

/* one update per worker for the switches of C8; is_off by mirror index, borrowed */
int um_publish_switches(struct um_publisher *, bool is_all_off, const uint8_t *is_off, uint32_t n) UM_MUST_CHECK;

#endif

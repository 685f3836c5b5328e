/* SPDX-License-Identifier: Apache-2.0
 *
 *   start -> asked (c-ares has the query) -> answered (a task of the loop is posted) -> told, freed
 *              | cancel                        | cancel
 *              v                               v
 *            abandoned: freed when c-ares      freed
 *            lets go of it, which cannot take back one query
 */
#include "io/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/epoll.h>

/* a socket of c-ares, which opens and closes it; reused, so that an event of this turn never names freed memory */
struct ares_watch {
    struct um_watch watch; /* fd -1: free */
    struct um_resolver *resolver;
    struct ares_watch *next;
};

struct um_resolver {
    struct um_loop *loop;
    struct um_resolver_options options;
    ares_channel channel;
    struct ares_watch *watches;
    struct um_timer timer;  /* the next time-out within c-ares */
    struct um_list queries; /* asked or answered, not abandoned */
    unsigned n_asked;       /* within c-ares, abandoned ones included */
    bool is_stale;          /* no server was reached: the system's may have changed */
};

struct um_resolve {
    struct um_list node;
    struct um_resolver *resolver;
    um_resolved_f *on_resolved;
    void *ctx;
    bool is_asked, is_abandoned;
    struct um_task tell;
    int family, status;
    union um_ip_address literal; /* the name is an address: c-ares is not asked */
    struct ares_addrinfo *answer;
    char name[];
};

/* ---- c-ares in the loop ---------------------------------------------------------------------------- */

static void rearm(struct um_resolver *r)
{
    struct timeval left;
    if (!ares_timeout(r->channel, NULL, &left)) {
        um_timer_stop(&r->timer);
        return;
    }
    um_loop_timer(r->loop, &r->timer, (uint64_t)left.tv_sec * 1000 + (uint64_t)left.tv_usec / 1000);
}

static void on_timer(struct um_timer *t)
{
    struct um_resolver *r = UM_CONTAINER(t, struct um_resolver, timer);
    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    rearm(r);
}

static void on_socket(struct um_watch *w, uint32_t events)
{
    struct um_resolver *r = UM_CONTAINER(w, struct ares_watch, watch)->resolver;
    bool is_readable = events & (EPOLLIN | EPOLLHUP | EPOLLERR),
         is_writable = events & (EPOLLOUT | EPOLLHUP | EPOLLERR);
    int fd = w->fd;
    ares_process_fd(r->channel, is_readable ? fd : ARES_SOCKET_BAD, is_writable ? fd : ARES_SOCKET_BAD);
    rearm(r);
}

static struct ares_watch *watch_of(struct um_resolver *r, int fd)
{
    struct ares_watch *w = r->watches;
    while (w && w->watch.fd != fd)
        w = w->next;
    return w;
}

static struct ares_watch *free_watch(struct um_resolver *r)
{
    struct ares_watch *w = watch_of(r, -1);
    if (w)
        return w;
    w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    *w = (struct ares_watch){.watch.fd = -1, .resolver = r, .next = r->watches};
    r->watches = w;
    return w;
}

/* c-ares wants other events of its socket, or none because it closes it. A failure here ends in the query's time-out.
 */
static void on_socket_state(void *ctx, ares_socket_t fd, int wants_read, int wants_write)
{
    struct um_resolver *r = ctx;
    uint32_t events = (wants_read ? EPOLLIN : 0u) | (wants_write ? EPOLLOUT : 0u);
    struct ares_watch *w = watch_of(r, fd);
    int rc = 0;
    if (w && events)
        rc = um_loop_rewatch_level(r->loop, &w->watch, events);
    else if (w)
        um_loop_unwatch(r->loop, &w->watch);
    else if (events && (w = free_watch(r)))
        rc = um_loop_watch_level(r->loop, &w->watch, fd, events, on_socket);
    (void)rc;
}

static int err_of(int status)
{
    return status == ARES_ENOMEM ? UM_ENOMEM : UM_EDNS;
}

static int open_channel(struct um_resolver *r, ares_channel *ret_channel)
{
    struct ares_options o = {.timeout = r->options.timeout_ms ? r->options.timeout_ms : UM_RESOLVE_TIMEOUT_MS,
                             .tries = r->options.tries ? r->options.tries : UM_RESOLVE_TRIES,
                             .sock_state_cb = on_socket_state,
                             .sock_state_cb_data = r};
    ares_channel channel;
    int rc = ares_init_options(&channel, &o, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (rc != ARES_SUCCESS)
        return err_of(rc);
    if (r->options.servers && (rc = ares_set_servers_ports_csv(channel, r->options.servers)) != ARES_SUCCESS) {
        ares_destroy(channel);
        return rc == ARES_ENOMEM ? UM_ENOMEM : UM_ESYNTAX;
    }
    *ret_channel = channel;
    return 0;
}

/* reads the system's servers again; without memory the old ones stay */
static void reopen(struct um_resolver *r)
{
    ares_channel channel;
    if (open_channel(r, &channel))
        return;
    ares_destroy(r->channel);
    r->channel = channel;
    r->is_stale = false;
}

/* ---- resolver -------------------------------------------------------------------------------------- */

int um_resolver_new(struct um_loop *loop, const struct um_resolver_options *options, struct um_resolver **ret_resolver)
{
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
        return UM_ENOMEM;
    struct um_resolver *r = calloc(1, sizeof *r);
    int rc = r ? 0 : UM_ENOMEM;
    if (r) {
        r->loop = loop;
        r->options = *options;
        um_list_init(&r->queries);
        um_timer_init(&r->timer, on_timer);
        rc = open_channel(r, &r->channel);
    }
    if (rc) {
        free(r);
        ares_library_cleanup();
        return rc;
    }
    *ret_resolver = r;
    return 0;
}

void um_resolver_free(struct um_resolver *r)
{
    if (!r)
        return;
    UM_LIST_EACH (node, &r->queries)
        um_resolve_cancel(UM_CONTAINER(node, struct um_resolve, node));
    um_timer_stop(&r->timer);
    ares_destroy(r->channel); /* ends the abandoned queries, closes the sockets */
    for (struct ares_watch *w = r->watches, *next; w; w = next) {
        next = w->next;
        free(w);
    }
    free(r);
    ares_library_cleanup();
}

/* ---- queries --------------------------------------------------------------------------------------- */

static void free_query(struct um_resolve *q)
{
    um_list_remove(&q->node);
    um_task_cancel(&q->tell);
    ares_freeaddrinfo(q->answer);
    free(q);
}

static void note_ttl(struct um_resolved *out, int ttl_s)
{
    uint32_t ttl = ttl_s < 0 ? 0 : (uint32_t)ttl_s;
    if (ttl < out->ttl_s)
        out->ttl_s = ttl;
}

/* the addresses of a list of c-ares into addrs[UM_RESOLVE_ADDRESSES]; returns how many */
static unsigned collect(const struct ares_addrinfo *from, union um_ip_address *addrs, struct um_resolved *out)
{
    unsigned n = 0;
    for (const struct ares_addrinfo_node *a = from->nodes; a && n < UM_RESOLVE_ADDRESSES; a = a->ai_next) {
        if (a->ai_family != AF_INET && a->ai_family != AF_INET6)
            continue;
        addrs[n] = (union um_ip_address){0};
        memcpy(&addrs[n++], a->ai_addr, a->ai_family == AF_INET ? sizeof addrs->v4 : sizeof addrs->v6);
        note_ttl(out, a->ai_ttl);
    }
    for (const struct ares_addrinfo_cname *c = from->cnames; c; c = c->next)
        note_ttl(out, c->ttl);
    return n;
}

static void tell(struct um_task *t)
{
    struct um_resolve *q = UM_CONTAINER(t, struct um_resolve, tell);
    union um_ip_address addrs[UM_RESOLVE_ADDRESSES];
    struct um_resolved out = {.status = q->status, .addrs = addrs, .ttl_s = UINT32_MAX};
    if (q->literal.any.sa_family)
        addrs[out.n++] = q->literal;
    else if (q->answer)
        out.n = collect(q->answer, addrs, &out);
    if (out.n == 0) {
        out.ttl_s = 0;
        out.status = out.status ? out.status : UM_EDNS;
    }
    um_resolved_f *on_resolved = q->on_resolved;
    void *ctx = q->ctx;
    free_query(q);
    on_resolved(ctx, &out);
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *answer);

static void ask(struct um_resolve *q, int family)
{
    /* unsorted: RFC 6724's order would cost a connect per address */
    const struct ares_addrinfo_hints hints = {.ai_family = family, .ai_flags = ARES_AI_NOSORT};
    q->family = family;
    q->is_asked = true;
    q->resolver->n_asked++;
    ares_getaddrinfo(q->resolver->channel, q->name, NULL, &hints, on_answer, q);
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *answer)
{
    struct um_resolve *q = arg;
    bool has_none = status == ARES_ENODATA || status == ARES_ENOTFOUND;
    q->resolver->n_asked--;
    if (status == ARES_ECONNREFUSED || status == ARES_ETIMEOUT)
        q->resolver->is_stale = true;
    q->is_asked = false;
    q->answer = answer;
    q->status = status == ARES_SUCCESS ? 0 : err_of(status);
    if (q->is_abandoned)
        free_query(q);
    else if (has_none && q->family == AF_INET)
        ask(q, AF_INET6);
    else
        um_loop_soon(q->resolver->loop, &q->tell);
}

static void parse_literal(const char *text, union um_ip_address *ret_ip)
{
    union um_ip_address ip = {0};
    if (inet_pton(AF_INET, text, &ip.v4.sin_addr) == 1)
        ip.v4.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &ip.v6.sin6_addr) == 1)
        ip.v6.sin6_family = AF_INET6;
    *ret_ip = ip;
}

static struct um_resolve *new_query(struct um_resolver *r, struct um_str name)
{
    struct um_resolve *q = calloc(1, sizeof *q + name.n + 1);
    if (!q)
        return NULL;
    memcpy(q->name, name.p, name.n);
    q->resolver = r;
    um_task_init(&q->tell, tell);
    um_list_init(&q->node);
    um_list_push(&r->queries, &q->node);
    return q;
}

int um_resolver_start(struct um_resolver *r, struct um_str name, um_resolved_f *on_resolved, void *ctx,
                      struct um_resolve **ret_query)
{
    if (name.n > UM_RESOLVE_NAME_BYTES)
        return UM_ELIMIT;
    if (name.n == 0 || memchr(name.p, '\0', name.n))
        return UM_ESYNTAX;
    struct um_resolve *q = new_query(r, name);
    if (!q)
        return UM_ENOMEM;
    q->on_resolved = on_resolved;
    q->ctx = ctx;
    *ret_query = q;
    parse_literal(q->name, &q->literal);
    if (q->literal.any.sa_family) {
        um_loop_soon(r->loop, &q->tell);
        return 0;
    }
    if (r->is_stale && r->n_asked == 0)
        reopen(r);
    ask(q, AF_INET);
    rearm(r);
    return 0;
}

void um_resolve_cancel(struct um_resolve *q)
{
    if (!q->is_asked) {
        free_query(q);
        return;
    }
    um_list_remove(&q->node);
    q->is_abandoned = true;
}

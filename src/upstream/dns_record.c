/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream/dns_record.h"

#include "upstream/dns.h"

#include <stdlib.h>

/* ---- addresses ------------------------------------------------------------------------------------- */

static int compare_ips(const void *x, const void *y)
{
    const union um_ip_address *a = x, *b = y;
    return a->any.sa_family == AF_INET ? memcmp(&a->v4.sin_addr, &b->v4.sin_addr, sizeof a->v4.sin_addr)
                                       : memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr);
}

static bool has_address(const struct um_dns_record *r, const union um_ip_address *ip)
{
    return r->addrs[0].any.sa_family == ip->any.sa_family && bsearch(ip, r->addrs, r->n, sizeof *ip, compare_ips);
}

/* takes over the answer's addresses; without memory the old ones stay until the next answer */
static void keep(struct um_dns_record *r, const struct um_resolved *answer)
{
    union um_ip_address *addrs = malloc(answer->n * sizeof *addrs);
    if (!addrs)
        return;
    memcpy(addrs, answer->addrs, answer->n * sizeof *addrs);
    qsort(addrs, answer->n, sizeof *addrs, compare_ips);
    free(r->addrs);
    r->addrs = addrs;
    r->n = answer->n;
    if (!has_address(r, &r->chosen))
        r->chosen = answer->addrs[0];
}

/* ---- asking ---------------------------------------------------------------------------------------- */

static void warm_up(struct um_dns_record *r)
{
    if (!r->is_cold)
        return;
    r->is_cold = false;
    if (--r->all->n_cold == 0)
        r->all->on_warm(r->all);
}

static uint64_t refresh_after_s(const struct um_dns_record *r, const struct um_resolved *answer)
{
    if (answer->status)
        return r->n ? UM_DNS_RETRY_S : UM_DNS_RETRY_NEW_S;
    if (answer->ttl_s < UM_DNS_REFRESH_MIN_S)
        return UM_DNS_REFRESH_MIN_S;
    return answer->ttl_s < UM_DNS_REFRESH_MAX_S ? answer->ttl_s : UM_DNS_REFRESH_MAX_S;
}

static void settle(struct um_dns_record *r, const struct um_resolved *answer)
{
    if (answer->status == 0)
        keep(r, answer);
    um_loop_timer(r->all->loop, &r->refresh, refresh_after_s(r, answer) * 1000);
    r->all->on_answer(r);
    warm_up(r);
}

static void on_resolved(void *ctx, const struct um_resolved *answer)
{
    struct um_dns_record *r = ctx;
    r->query = NULL;
    r->all->n_asked--;
    settle(r, answer);
    um_dns_records_ask(r->all);
}

void um_dns_records_ask(struct um_dns_records *all)
{
    struct um_list *node;
    while (all->n_asked < UM_DNS_QUERIES && (node = um_list_pop(&all->waiting))) {
        struct um_dns_record *r = UM_CONTAINER(node, struct um_dns_record, waiting);
        int rc = um_resolver_start(all->resolver, r->name, on_resolved, r, &r->query);
        if (rc)
            settle(r, &(struct um_resolved){.status = rc});
        else
            all->n_asked++;
    }
}

static void on_refresh(struct um_timer *t)
{
    struct um_dns_record *r = UM_CONTAINER(t, struct um_dns_record, refresh);
    um_list_push(&r->all->waiting, &r->waiting);
    um_dns_records_ask(r->all);
}

void um_dns_records_init(struct um_dns_records *all, struct um_loop *loop, struct um_resolver *resolver)
{
    *all = (struct um_dns_records){.loop = loop, .resolver = resolver};
    um_list_init(&all->waiting);
}

struct um_dns_record *um_dns_record_new(struct um_dns_records *all, struct um_str name)
{
    struct um_dns_record *r = calloc(1, sizeof *r + name.n + 1);
    if (!r)
        return NULL;
    if (name.n)
        memcpy(r->bytes, name.p, name.n);
    r->all = all;
    r->name = (struct um_str){r->bytes, name.n};
    r->is_cold = true;
    all->n_cold++;
    um_timer_init(&r->refresh, on_refresh);
    um_list_init(&r->uses);
    um_list_init(&r->waiting);
    um_list_push(&all->waiting, &r->waiting);
    return r;
}

void um_dns_record_free(struct um_dns_record *r)
{
    warm_up(r);
    if (r->query) {
        um_resolve_cancel(r->query);
        r->all->n_asked--;
    }
    um_timer_stop(&r->refresh);
    um_list_remove(&r->waiting);
    free(r->addrs);
    free(r);
}

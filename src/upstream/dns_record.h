/* SPDX-License-Identifier: Apache-2.0
 * dns_record: one host name kept resolved: asked at once, again when the TTL is over, later after a failure, which
 * changes no address. Private to upstream/dns. Owner: um_dns_record_new's caller. Errors: NULL without memory.
 * Thread: control. */
#ifndef UM_UPSTREAM_DNS_RECORD_H
#define UM_UPSTREAM_DNS_RECORD_H

#include "io/resolver.h"

struct um_dns_records;

struct um_dns_record {
    struct um_dns_records *all;
    struct um_str name;
    struct um_list uses;    /* the owner's */
    struct um_list waiting; /* all->waiting: to be asked */
    struct um_timer refresh;
    struct um_resolve *query;   /* NULL: none under way */
    bool is_cold;               /* neither answered nor failed yet */
    unsigned n;                 /* 0: never resolved */
    union um_ip_address *addrs; /* sorted, one family */
    union um_ip_address chosen; /* one of them, kept for as long as answers have it */
    char bytes[];
};

struct um_dns_records {
    struct um_loop *loop;
    struct um_resolver *resolver;
    struct um_list waiting;
    uint32_t n_asked, n_cold;
    void (*on_answer)(struct um_dns_record *); /* or failure */
    void (*on_warm)(struct um_dns_records *);  /* no record is cold any more */
};

void um_dns_records_init(struct um_dns_records *, struct um_loop *, struct um_resolver *);
/* waits for um_dns_records_ask */
struct um_dns_record *um_dns_record_new(struct um_dns_records *, struct um_str name);
void um_dns_record_free(struct um_dns_record *);
/* starts what queries may be under way at once */
void um_dns_records_ask(struct um_dns_records *);

#endif

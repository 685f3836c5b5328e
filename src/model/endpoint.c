/* SPDX-License-Identifier: Apache-2.0 */
#include "model/endpoint.h"

#include "base/err.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

int um_sockaddr_parse(struct um_str ip, uint16_t port, struct um_sockaddr *ret_addr)
{
    char text[INET6_ADDRSTRLEN];
    bool has_brackets = ip.n > 2 && ip.p[0] == '[' && ip.p[ip.n - 1] == ']';
    if (has_brackets)
        ip = (struct um_str){ip.p + 1, ip.n - 2};
    if (ip.n == 0 || ip.n >= sizeof text || memchr(ip.p, '\0', ip.n))
        return UM_ESYNTAX;
    memcpy(text, ip.p, ip.n);
    text[ip.n] = '\0';

    struct um_sockaddr a = {0};
    if (!has_brackets && inet_pton(AF_INET, text, &a.u.v4.sin_addr) == 1) {
        a.u.v4.sin_family = AF_INET;
        a.u.v4.sin_port = htons(port);
        a.n = sizeof a.u.v4;
    } else if (inet_pton(AF_INET6, text, &a.u.v6.sin6_addr) == 1) {
        a.u.v6.sin6_family = AF_INET6;
        a.u.v6.sin6_port = htons(port);
        a.n = sizeof a.u.v6;
    } else {
        return UM_ESYNTAX;
    }
    *ret_addr = a;
    return 0;
}

/* on the hot path (x-forwarded-for): inet_ntop goes through snprintf */
static size_t v4_text(const struct in_addr *ip, char *out)
{
    const uint8_t *byte = (const uint8_t *)&ip->s_addr;
    size_t n = 0;
    for (int i = 0; i < 4; i++) {
        n += um_u64_text(out + n, byte[i]);
        out[n++] = '.';
    }
    out[n - 1] = '\0';
    return n - 1;
}

size_t um_sockaddr_ip_text(const struct um_sockaddr *a, char out[UM_SOCKADDR_TEXT_BYTES])
{
    out[0] = '\0';
    if (a->u.any.sa_family == AF_INET)
        return v4_text(&a->u.v4.sin_addr, out);
    if (a->u.any.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &a->u.v6.sin6_addr, out, UM_SOCKADDR_TEXT_BYTES);
    return strlen(out);
}

size_t um_sockaddr_text(const struct um_sockaddr *a, char out[UM_SOCKADDR_TEXT_BYTES])
{
    bool is_v6 = a->u.any.sa_family == AF_INET6;
    size_t n = um_sockaddr_ip_text(a, out + is_v6) + is_v6;
    if (is_v6) {
        out[0] = '[';
        out[n++] = ']';
    }
    out[n++] = ':';
    n += um_u64_text(out + n, um_sockaddr_port(a));
    out[n] = '\0';
    return n;
}

uint16_t um_sockaddr_port(const struct um_sockaddr *a)
{
    switch (a->u.any.sa_family) {
    case AF_INET:
        return ntohs(a->u.v4.sin_port);
    case AF_INET6:
        return ntohs(a->u.v6.sin6_port);
    default:
        return 0;
    }
}

bool um_sockaddr_eq(const struct um_sockaddr *a, const struct um_sockaddr *b)
{
    if (a->u.any.sa_family != b->u.any.sa_family || um_sockaddr_port(a) != um_sockaddr_port(b))
        return false;
    if (a->u.any.sa_family == AF_INET)
        return a->u.v4.sin_addr.s_addr == b->u.v4.sin_addr.s_addr;
    return memcmp(&a->u.v6.sin6_addr, &b->u.v6.sin6_addr, sizeof a->u.v6.sin6_addr) == 0 &&
           a->u.v6.sin6_scope_id == b->u.v6.sin6_scope_id;
}

/* copies *s to *at and points *s at the copy */
static void move_str(struct um_str *s, char **at)
{
    if (s->n)
        memcpy(*at, s->p, s->n);
    s->p = *at;
    *at += s->n;
}

struct um_endpoint_set *um_endpoint_set_new(const struct um_endpoint *from, uint32_t n)
{
    struct um_endpoint_set *set;
    size_t bytes = sizeof *set + n * sizeof *from;
    for (uint32_t i = 0; i < n; i++)
        bytes += from[i].hostname.n + from[i].locality.n;
    set = malloc(bytes);
    if (!set)
        return NULL;
    atomic_init(&set->refs, 1);
    set->n = n;
    set->endpoints = (void *)(set + 1);
    char *at = (char *)(set->endpoints + n);
    for (uint32_t i = 0; i < n; i++) {
        set->endpoints[i] = from[i];
        move_str(&set->endpoints[i].hostname, &at);
        move_str(&set->endpoints[i].locality, &at);
    }
    return set;
}

struct um_endpoint_set *um_endpoint_set_ref(struct um_endpoint_set *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void um_endpoint_set_unref(struct um_endpoint_set *set)
{
    if (set && atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) == 1)
        free(set);
}

/* SPDX-License-Identifier: Apache-2.0
 * dns_server: a DNS server on loopback that answers from a table, in the loop of the test. Enough of RFC 1035 for
 * A, AAAA and CNAME. */
#ifndef UM_TESTS_UNIT_IO_DNS_SERVER_H
#define UM_TESTS_UNIT_IO_DNS_SERVER_H

#include "base/str.h"
#include "io/loop.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DNS_A = 1, DNS_CNAME = 5, DNS_AAAA = 28, DNS_NXDOMAIN = 3, DNS_SERVFAIL = 2 };

struct dns_rr {
    const char *name;
    int type;
    const char *value; /* an address, or the target of a CNAME */
    uint32_t ttl_s;
};

struct dns_server {
    struct um_watch udp, tcp, stream;
    struct um_loop *loop;
    const struct dns_rr *rrs;
    unsigned n_rrs;
    int rcode;      /* of names that have no record of any type */
    bool is_silent; /* takes queries, never answers */
    bool fails_a;   /* SERVFAIL for A, whatever the table says */
    unsigned n_queries, n_by_tcp;
    char address[32]; /* "127.0.0.1:PORT" */
};

struct dns_message {
    unsigned char bytes[8192];
    size_t n;
};

static inline void dns_put16(struct dns_message *m, unsigned v)
{
    m->bytes[m->n++] = (unsigned char)(v >> 8);
    m->bytes[m->n++] = (unsigned char)v;
}

static inline void dns_put_name(struct dns_message *m, const char *name)
{
    while (*name) {
        size_t n = strcspn(name, ".");
        m->bytes[m->n++] = (unsigned char)n;
        memcpy(m->bytes + m->n, name, n);
        m->n += n;
        name += n + (name[n] == '.');
    }
    m->bytes[m->n++] = 0;
}

static inline void dns_put_rr(struct dns_message *m, const struct dns_rr *rr)
{
    dns_put_name(m, rr->name);
    dns_put16(m, (unsigned)rr->type);
    dns_put16(m, 1);
    dns_put16(m, rr->ttl_s >> 16);
    dns_put16(m, rr->ttl_s & 0xffff);
    size_t length_at = m->n;
    dns_put16(m, 0);
    if (rr->type == DNS_CNAME) {
        dns_put_name(m, rr->value);
    } else {
        inet_pton(rr->type == DNS_A ? AF_INET : AF_INET6, rr->value, m->bytes + m->n);
        m->n += rr->type == DNS_A ? 4 : 16;
    }
    m->bytes[length_at] = (unsigned char)((m->n - length_at - 2) >> 8);
    m->bytes[length_at + 1] = (unsigned char)(m->n - length_at - 2);
}

/* the question's name, dotted; returns where its type stands */
static inline size_t dns_question(const unsigned char *query, size_t n, char name[256])
{
    size_t at = 12, out = 0;
    while (at < n && query[at] && out + query[at] + 2 < 256) {
        memcpy(name + out, query + at + 1, query[at]);
        out += query[at];
        name[out++] = '.';
        at += query[at] + 1u;
    }
    name[out ? out - 1 : 0] = '\0';
    return at + 1;
}

/* the records of a name, a CNAME followed; returns how many were added */
static inline unsigned dns_add_answers(const struct dns_server *s, struct dns_message *m, const char *name, int type,
                                       bool *ret_is_known)
{
    unsigned added = 0;
    for (unsigned i = 0; i < s->n_rrs; i++) {
        const struct dns_rr *rr = &s->rrs[i];
        if (strcmp(rr->name, name) != 0)
            continue;
        *ret_is_known = true;
        if (rr->type != type && rr->type != DNS_CNAME)
            continue;
        dns_put_rr(m, rr);
        added++;
        if (rr->type == DNS_CNAME)
            added += dns_add_answers(s, m, rr->value, type, ret_is_known);
    }
    return added;
}

/* the answer to a query; false if there is none to be given */
static inline bool dns_answer(struct dns_server *s, const unsigned char *query, ssize_t n, struct dns_message *m)
{
    char name[256];
    if (n < 17)
        return false;
    s->n_queries++;
    if (s->is_silent)
        return false;
    size_t type_at = dns_question(query, (size_t)n, name);
    memcpy(m->bytes, query, type_at + 4);
    m->n = type_at + 4;
    bool is_known = false;
    bool fails = s->fails_a && query[type_at + 1] == DNS_A;
    unsigned answers = fails ? 0 : dns_add_answers(s, m, name, query[type_at + 1], &is_known);
    m->bytes[2] = 0x85; /* response, authoritative, recursion desired */
    m->bytes[3] = (unsigned char)(0x80 | (fails ? DNS_SERVFAIL : is_known ? 0 : s->rcode));
    memset(m->bytes + 6, 0, 6);
    m->bytes[6] = (unsigned char)(answers >> 8);
    m->bytes[7] = (unsigned char)answers;
    return true;
}

static inline void dns_on_datagram(struct um_watch *w, uint32_t events)
{
    struct dns_server *s = UM_CONTAINER(w, struct dns_server, udp);
    struct dns_message m = {.n = 0};
    struct sockaddr_in from;
    socklen_t from_n = sizeof from;
    unsigned char query[512];
    (void)events;
    ssize_t n = recvfrom(w->fd, query, sizeof query, MSG_DONTWAIT, (struct sockaddr *)&from, &from_n);
    if (!dns_answer(s, query, n, &m))
        return;
    if (m.n > 512) { /* RFC 1035 section 4.2.1: truncated, to be asked again over TCP */
        m.bytes[2] |= 2;
        m.n = 512;
    }
    sendto(w->fd, m.bytes, m.n, 0, (struct sockaddr *)&from, from_n);
}

/* one query per connection, taken in one piece */
static inline void dns_on_stream(struct um_watch *w, uint32_t events)
{
    struct dns_server *s = UM_CONTAINER(w, struct dns_server, stream);
    struct dns_message m = {.n = 0};
    unsigned char query[514];
    (void)events;
    if (dns_answer(s, query + 2, recv(w->fd, query, sizeof query, MSG_DONTWAIT) - 2, &m)) {
        unsigned char length[2] = {(unsigned char)(m.n >> 8), (unsigned char)m.n};
        s->n_by_tcp += write(w->fd, length, 2) == 2 && write(w->fd, m.bytes, m.n) == (ssize_t)m.n;
    }
    um_loop_unwatch_close(s->loop, w);
}

static inline void dns_on_connection(struct um_watch *w, uint32_t events)
{
    struct dns_server *s = UM_CONTAINER(w, struct dns_server, tcp);
    (void)events;
    um_loop_unwatch_close(s->loop, &s->stream);
    int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0 && um_loop_watch_level(s->loop, &s->stream, fd, EPOLLIN, dns_on_stream))
        close(fd);
}

static inline int dns_bind(int type, struct sockaddr_in *addr)
{
    socklen_t n = sizeof *addr;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)addr, n) == 0 && getsockname(fd, (struct sockaddr *)addr, &n) == 0 &&
        (type == SOCK_DGRAM || listen(fd, 16) == 0))
        return fd;
    close(fd);
    return -1;
}

/* TCP picks the port, UDP takes the same */
static inline int dns_server_start(struct dns_server *s, struct um_loop *loop)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *s = (struct dns_server){.loop = loop, .udp.fd = -1, .tcp.fd = -1, .stream.fd = -1, .rcode = DNS_NXDOMAIN};
    int tcp = dns_bind(SOCK_STREAM, &addr), udp = dns_bind(SOCK_DGRAM, &addr);
    snprintf(s->address, sizeof s->address, "127.0.0.1:%u", (unsigned)ntohs(addr.sin_port));
    if (tcp < 0 || udp < 0 || um_loop_watch_level(loop, &s->tcp, tcp, EPOLLIN, dns_on_connection))
        return -1;
    return um_loop_watch_level(loop, &s->udp, udp, EPOLLIN, dns_on_datagram);
}

static inline void dns_server_serve(struct dns_server *s, const struct dns_rr *rrs, unsigned n)
{
    s->rrs = rrs;
    s->n_rrs = n;
}

static inline void dns_server_stop(struct dns_server *s)
{
    um_loop_unwatch_close(s->loop, &s->udp);
    um_loop_unwatch_close(s->loop, &s->tcp);
    um_loop_unwatch_close(s->loop, &s->stream);
}

#endif

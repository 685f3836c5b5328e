/* SPDX-License-Identifier: Apache-2.0
 * openload: HTTP/1.1 load at a fixed rate, its latency free of coordinated omission.
 *
 *   openload PORT PATH RATE SECONDS CONNECTIONS TIMEOUT_MS
 *
 * Request i is due at t0 + i / RATE whatever became of the ones before, and its latency runs from that time to the last
 * byte of its answer. If no connection is free it waits, its clock running. A request without an answer TIMEOUT_MS
 * after it was due has failed, and its connection is replaced. Prints one JSON object; times in microseconds. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 2048 };
struct conn {
    int fd;
    bool is_busy, is_connecting, must_close;
    uint32_t request;  /* that it is busy with */
    int64_t body_left; /* -1: the head is not whole yet */
    unsigned status;
    size_t head_len;
    char head[HEAD_MAX + 1];
};
static struct conn *conns;
static uint32_t n_conns;
static uint32_t *free_ring, free_head, free_tail; /* connections that wait for a request */
static int ep, port;

static char request[512];
static size_t request_len;
static uint64_t t0_ns, step_ns, timeout_ns;
static uint32_t total, sent, done;
static uint32_t n_ok, n_status, n_broken, n_timeout;
static uint32_t *latency_us;
static bool *is_done;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t due_ns(uint32_t i)
{
    return t0_ns + i * step_ns;
}

static void finish(uint32_t i, uint32_t *counter)
{
    if (is_done[i])
        return;
    is_done[i] = true;
    latency_us[i] = (uint32_t)((now_ns() - due_ns(i)) / 1000);
    (*counter)++;
    done++;
}

static void watch(struct conn *c, int op, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.u32 = (uint32_t)(c - conns)};
    epoll_ctl(ep, op, c->fd, &e);
}

static void set_free(struct conn *c)
{
    c->is_busy = false;
    c->body_left = -1;
    c->head_len = 0;
    free_ring[free_tail++ % n_conns] = (uint32_t)(c - conns);
}

static void open_conn(struct conn *c)
{
    int one = 1;
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *c = (struct conn){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c->is_connecting = connect(c->fd, (void *)&a, sizeof a) && errno == EINPROGRESS;
    watch(c, EPOLL_CTL_ADD, c->is_connecting ? EPOLLOUT : EPOLLIN);
    if (!c->is_connecting)
        set_free(c);
}

static void forget_free(struct conn *c)
{
    uint32_t kept = free_head;
    for (uint32_t i = free_head; i != free_tail; i++)
        if (free_ring[i % n_conns] != (uint32_t)(c - conns))
            free_ring[kept++ % n_conns] = free_ring[i % n_conns];
    free_tail = kept;
}

static void replace(struct conn *c)
{
    if (!c->is_busy)
        forget_free(c);
    close(c->fd);
    open_conn(c);
}

/* a socket buffer holds far more than one request, so a short send is a failure */
static void start(struct conn *c, uint32_t i)
{
    c->is_busy = true;
    c->request = i;
    if (send(c->fd, request, request_len, MSG_NOSIGNAL) != (ssize_t)request_len) {
        finish(i, &n_broken);
        replace(c);
    }
}

/* the bytes of data that were head */
static size_t take_head(struct conn *c, const char *data, size_t len)
{
    size_t n = len < HEAD_MAX - c->head_len ? len : HEAD_MAX - c->head_len;
    memcpy(c->head + c->head_len, data, n);
    c->head[c->head_len + n] = 0;
    char *end = strstr(c->head, "\r\n\r\n");
    if (!end) {
        c->head_len += n;
        return n;
    }
    n = (size_t)(end + 4 - c->head) - c->head_len;
    *end = 0;
    char *length = strcasestr(c->head, "\ncontent-length:");
    c->status = (unsigned)atoi(c->head + 9);
    c->must_close = strcasestr(c->head, "\nconnection: close") != NULL;
    c->body_left = length ? atoll(length + 16) : 0;
    return n;
}

static void on_readable(struct conn *c)
{
    static char data[1 << 18];
    ssize_t n = recv(c->fd, data, sizeof data, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        if (c->is_busy)
            finish(c->request, &n_broken);
        replace(c);
        return;
    }
    size_t used = c->body_left < 0 ? take_head(c, data, (size_t)n) : 0;
    if (c->body_left < 0)
        return;
    c->body_left -= n - (ssize_t)used;
    if (c->body_left > 0 || !c->is_busy)
        return;
    finish(c->request, c->status == 200 ? &n_ok : &n_status);
    if (c->must_close)
        replace(c);
    else
        set_free(c);
}

static void on_event(struct conn *c, uint32_t events)
{
    if (!c->is_connecting) {
        on_readable(c);
    } else if (events & (EPOLLERR | EPOLLHUP)) {
        c->is_busy = true; /* it is in no ring */
        replace(c);
    } else {
        c->is_connecting = false;
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
        set_free(c);
    }
}

static void send_due(uint64_t now)
{
    while (sent < total && due_ns(sent) <= now && free_head != free_tail) {
        struct conn *c = &conns[free_ring[free_head++ % n_conns]];
        start(c, sent++);
    }
}

static void give_up_late(uint64_t now)
{
    static uint32_t oldest;
    while (oldest < total && is_done[oldest])
        oldest++;
    if (oldest >= total || due_ns(oldest) + timeout_ns >= now)
        return;
    for (uint32_t i = 0; i < n_conns; i++)
        if (conns[i].is_busy && due_ns(conns[i].request) + timeout_ns < now) {
            finish(conns[i].request, &n_timeout);
            replace(&conns[i]);
        }
    while (sent < total && due_ns(sent) + timeout_ns < now) /* never got a connection */
        finish(sent++, &n_timeout);
}

static void run(void)
{
    const uint64_t turn_ns = 10000000;
    while (done < total) {
        struct epoll_event events[256];
        uint64_t now = now_ns();
        send_due(now);
        give_up_late(now);
        uint64_t next = sent < total ? due_ns(sent) : now + turn_ns;
        if (next <= now)
            next = now + turn_ns / 10; /* waiting for a free connection */
        struct timespec wait = {0, (long)(next - now < turn_ns ? next - now : turn_ns)};
        int n = epoll_pwait2(ep, events, 256, &wait, NULL);
        for (int i = 0; i < n; i++)
            on_event(&conns[events[i].data.u32], events[i].events);
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t quantile(double q)
{
    return latency_us[(uint32_t)((total - 1) * q)];
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: openload PORT PATH RATE SECONDS CONNECTIONS TIMEOUT_MS\n");
        return 2;
    }
    double rate = atof(argv[3]), seconds = atof(argv[4]);
    port = atoi(argv[1]);
    total = (uint32_t)(rate * seconds);
    step_ns = (uint64_t)(1e9 / rate);
    n_conns = (uint32_t)atoi(argv[5]);
    timeout_ns = (uint64_t)atoll(argv[6]) * 1000000;
    request_len = (size_t)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: bench.test\r\n\r\n", argv[2]);
    latency_us = calloc(total, sizeof *latency_us);
    is_done = calloc(total, sizeof *is_done);
    conns = calloc(n_conns, sizeof *conns);
    free_ring = calloc(n_conns, sizeof *free_ring);
    prctl(PR_SET_TIMERSLACK, 1);
    ep = epoll_create1(0);
    for (uint32_t i = 0; i < n_conns; i++)
        open_conn(&conns[i]);
    t0_ns = now_ns() + 100000000; /* the connections are made by then */
    run();
    double wall = (double)(now_ns() - t0_ns) / 1e9;
    qsort(latency_us, total, sizeof *latency_us, by_size);
    printf("{\"total\":%u,\"ok\":%u,\"status\":%u,\"broken\":%u,\"timeout\":%u,"
           "\"p50\":%u,\"p99\":%u,\"p999\":%u,\"max\":%u,\"wall\":%.2f}\n",
           total, n_ok, n_status, n_broken, n_timeout, quantile(.5), quantile(.99), quantile(.999),
           latency_us[total - 1], wall);
}

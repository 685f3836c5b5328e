/* SPDX-License-Identifier: Apache-2.0
 * upstream: a deliberately cheap HTTP/1.1 server, the bench's primary and shadow. One thread, epoll, Content-Length
 * only.
 *
 *   upstream PORT STATSFILE
 *
 * GET /1024 is answered with 1024 bytes. A request /1024?n=7 is number 7: one that comes again counts as `twice`.
 * STATSFILE is mapped and shared with the bench: the mode (read at every request), and what was counted. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* in the order that peers.py knows */
enum mode { HEALTHY, BLACKHOLE, SLOW, RESET, NOACCEPT, TRICKLE, ENDLESS, MALFORMED, FLOOD_1XX };
static struct stats {
    volatile uint64_t mode, delay_ms, requests, body_bytes, accepted, broken, twice;
} * stats;

enum { HEAD_MAX = 8192, SIZE_MAX_ANSWER = 8 << 20, FD_MAX = 65536, LATER_MAX = 1 << 20, NUMBERS = 1 << 26 };
struct conn {
    unsigned generation; /* of the descriptor, so that a late answer finds its connection or none */
    bool drips;          /* gets a piece of an answer at every tick */
    uint64_t body_left;
    size_t answer_size, head_len, out_len;
    char *head; /* a head that came in pieces */
    char *out;  /* what the socket would not take */
};
static struct conn conns[FD_MAX];
static int top_fd, drips; /* highest descriptor seen; connections that drip */
static int ep;
static uint8_t *numbers; /* a bit for each request number seen */

static struct later {
    int fd;
    unsigned generation;
    uint64_t due_us;
} * later;
static unsigned later_head, later_tail;

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void watch(int fd, int op, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.fd = fd};
    epoll_ctl(ep, op, fd, &e);
}

static void drop(int fd, bool reset)
{
    struct conn *c = &conns[fd];
    struct linger hard = {1, 0};
    if (reset)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
    free(c->head);
    free(c->out);
    drips -= c->drips;
    *c = (struct conn){.generation = c->generation + 1};
}

/* false: the connection is gone */
static bool flush(int fd, const char *data, size_t len)
{
    struct conn *c = &conns[fd];
    ssize_t n = c->out_len ? 0 : send(fd, data, len, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
        stats->broken++;
        drop(fd, false);
        return false;
    }
    size_t sent = n < 0 ? 0 : (size_t)n;
    if (sent < len) {
        c->out = realloc(c->out, c->out_len + len - sent);
        memcpy(c->out + c->out_len, data + sent, len - sent);
        c->out_len += len - sent;
        watch(fd, EPOLL_CTL_MOD, EPOLLOUT);
    }
    return true;
}

/* an answer of that many bytes, made once */
static bool answer(int fd, size_t size)
{
    static struct {
        size_t size, len;
        char *bytes;
    } made[8];
    static int n_made;
    int i = 0;
    while (i < n_made && made[i].size != size)
        i++;
    if (i == 8)
        i = 7;
    if (i == n_made || made[i].size != size) {
        made[i].bytes = realloc(made[i].bytes, size + 256);
        int head = sprintf(made[i].bytes,
                           "HTTP/1.1 200 OK\r\nServer: upstream\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
                           "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
                           size);
        memset(made[i].bytes + head, 'x', size);
        made[i].size = size;
        made[i].len = (size_t)head + size;
        n_made = i == n_made ? i + 1 : n_made;
    }
    return flush(fd, made[i].bytes, made[i].len);
}

static bool start_drip(int fd, const char *head)
{
    if (!conns[fd].drips)
        drips++;
    conns[fd].drips = true;
    return flush(fd, head, strlen(head));
}

/* a whole request is in; false: the connection is gone */
static bool on_request(int fd)
{
    stats->requests++;
    switch ((enum mode)stats->mode) {
    case RESET:
        drop(fd, true);
        return false;
    case SLOW:
        later[later_tail++ % LATER_MAX] = (struct later){fd, conns[fd].generation, now_us() + stats->delay_ms * 1000};
        return true;
    case TRICKLE:
        return start_drip(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    case ENDLESS:
        return start_drip(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    case FLOOD_1XX:
        return start_drip(fd, "HTTP/1.1 103 Early Hints\r\n\r\n");
    case MALFORMED:
        return flush(fd, "this is not HTTP\r\n\r\n", 20);
    default:
        return answer(fd, conns[fd].answer_size);
    }
}

static void note_number(const char *head)
{
    const char *mark = strstr(head, "?n=");
    if (!mark)
        return;
    uint64_t n = strtoull(mark + 3, NULL, 10) % NUMBERS;
    if (numbers[n / 8] & 1 << n % 8)
        stats->twice++;
    numbers[n / 8] |= (uint8_t)(1 << n % 8);
}

/* head is NUL-terminated */
static void on_head(struct conn *c, const char *head)
{
    const char *target = strchr(head, ' '), *length = strcasestr(head, "\ncontent-length:");
    c->answer_size = target && target[1] == '/' ? strtoul(target + 2, NULL, 10) : 0;
    if (c->answer_size > SIZE_MAX_ANSWER)
        c->answer_size = 0;
    c->body_left = length ? strtoull(length + 16, NULL, 10) : 0;
    note_number(head);
}

/* bytes of data that belong to a head; 0: the connection is gone. Sets *is_whole at its end. */
static size_t take_head(int fd, const char *data, size_t len, bool *is_whole)
{
    struct conn *c = &conns[fd];
    if (!c->head)
        c->head = malloc(HEAD_MAX + 1);
    size_t n = len < HEAD_MAX - c->head_len ? len : HEAD_MAX - c->head_len;
    memcpy(c->head + c->head_len, data, n);
    char *end = memmem(c->head, c->head_len + n, "\r\n\r\n", 4);
    if (!end && c->head_len + n == HEAD_MAX) {
        stats->broken++;
        drop(fd, true);
        return 0;
    }
    *is_whole = end != NULL;
    if (!end) {
        c->head_len += n;
        return n;
    }
    n = (size_t)(end + 4 - c->head) - c->head_len;
    end[2] = 0;
    c->head_len = 0;
    on_head(c, c->head);
    return n;
}

static void consume(int fd, const char *data, size_t len)
{
    struct conn *c = &conns[fd];
    while (len > 0) {
        bool is_whole = false;
        size_t n;
        if (c->body_left > 0) {
            n = len < c->body_left ? len : c->body_left;
            c->body_left -= n;
            stats->body_bytes += n;
            is_whole = c->body_left == 0;
        } else {
            n = take_head(fd, data, len, &is_whole);
            if (n == 0)
                return;
            is_whole = is_whole && c->body_left == 0;
        }
        data += n;
        len -= n;
        if (is_whole && !on_request(fd))
            return;
    }
}

static void on_readable(int fd)
{
    static char data[1 << 18];
    ssize_t n = recv(fd, data, sizeof data, 0);
    if (n > 0) {
        consume(fd, data, (size_t)n);
    } else if (n == 0 || errno != EAGAIN) {
        if (conns[fd].head_len || conns[fd].body_left)
            stats->broken++;
        drop(fd, false);
    }
}

static void on_writable(int fd)
{
    struct conn *c = &conns[fd];
    ssize_t n = send(fd, c->out, c->out_len, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
        stats->broken++;
        drop(fd, false);
    } else if (n > 0) {
        memmove(c->out, c->out + n, c->out_len - (size_t)n);
        c->out_len -= (size_t)n;
        if (c->out_len == 0)
            watch(fd, EPOLL_CTL_MOD, EPOLLIN);
    }
}

static void on_accept(int listener)
{
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= FD_MAX) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        stats->accepted++;
        top_fd = fd > top_fd ? fd : top_fd;
        if (stats->mode != BLACKHOLE)
            watch(fd, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static void answer_late_ones(void)
{
    while (later_head != later_tail && later[later_head % LATER_MAX].due_us <= now_us()) {
        struct later l = later[later_head++ % LATER_MAX];
        if (conns[l.fd].generation == l.generation)
            answer(l.fd, conns[l.fd].answer_size);
    }
}

enum { TICK_MS = 10, FLOODED_PER_TICK = 32, CHUNK_BYTES = 16384, HINTS = 200 };

/* what a connection that drips gets at its turn */
static size_t piece(const char **ret)
{
    static char chunk[6 + CHUNK_BYTES + 2], hints[28 * HINTS];
    if (!hints[0]) {
        for (size_t i = 0; i < HINTS; i++)
            memcpy(hints + i * 28, "HTTP/1.1 103 Early Hints\r\n\r\n", 28);
        memset(chunk, 'x', sizeof chunk);
        memcpy(chunk, "4000\r\n", 6);
        memcpy(chunk + 6 + CHUNK_BYTES, "\r\n", 2);
    }
    *ret = stats->mode == FLOOD_1XX ? hints : chunk + (stats->mode == TRICKLE ? 6 : 0);
    return stats->mode == FLOOD_1XX ? sizeof hints : stats->mode == TRICKLE ? 1 : sizeof chunk;
}

/* a byte a second for each, evenly spread; or a flood for some at a time, bounded: it must hurt the proxy, and not starve the
 * load generator that shares this CPU */
static void tick(void)
{
    static uint64_t last_us;
    static int next_fd;
    if (drips == 0 || now_us() - last_us < TICK_MS * 1000)
        return;
    last_us = now_us();
    const char *data;
    size_t len = piece(&data);
    int left = stats->mode == TRICKLE ? drips * TICK_MS / 1000 + 1 : FLOODED_PER_TICK;
    for (int i = 0; i <= top_fd && left > 0; i++) {
        next_fd = next_fd < top_fd ? next_fd + 1 : 0;
        if (!conns[next_fd].drips)
            continue;
        left--;
        if (conns[next_fd].out_len == 0)
            flush(next_fd, data, len);
    }
}

static int wait_ms(void)
{
    int ms = drips ? TICK_MS : -1;
    if (later_head != later_tail) {
        int64_t left = (int64_t)(later[later_head % LATER_MAX].due_us - now_us());
        int due = left <= 0 ? 0 : (int)(left / 1000 + 1);
        ms = ms < 0 || due < ms ? due : ms;
    }
    return ms;
}

static int open_listener(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (void *)&a, sizeof a) || listen(fd, stats->mode == NOACCEPT ? 0 : 4096)) {
        perror("listen");
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: upstream PORT STATSFILE\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int file = open(argv[2], O_RDWR);
    stats = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file < 0 || stats == MAP_FAILED) {
        perror(argv[2]);
        return 1;
    }
    later = calloc(LATER_MAX, sizeof *later);
    numbers = calloc(NUMBERS / 8, 1);
    ep = epoll_create1(0);
    int listener = open_listener(atoi(argv[1]));
    if (stats->mode != NOACCEPT)
        watch(listener, EPOLL_CTL_ADD, EPOLLIN);
    for (;;) {
        struct epoll_event events[256];
        int n = epoll_wait(ep, events, 256, wait_ms());
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                on_accept(listener);
            else if (conns[events[i].data.fd].out_len)
                on_writable(events[i].data.fd);
            else
                on_readable(events[i].data.fd);
        }
        answer_late_ones();
        tick();
    }
}

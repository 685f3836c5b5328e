/* SPDX-License-Identifier: Apache-2.0
 * relay: the floor. A bare TCP relay on epoll, one connection to the primary per client, no HTTP at all.
 *
 *   relay PORT PRIMARY SHADOW plain|copy
 *
 * copy: what a client sends is also sent on a shadow connection of its own, whose answers are read and dropped. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum kind { CLIENT, PRIMARY, SHADOW, LISTENER };
struct side {
    int fd;
    enum kind kind;
    struct pair *pair;
    char *out; /* what the socket would not take */
    size_t out_len;
};
struct pair {
    struct side sides[3];
    bool is_dead;
    struct pair *next_dead;
};
static int ep, primary_port, shadow_port;
static bool copies;
static struct pair *dead; /* freed after the turn: events may still name them */

static void watch(struct side *s, int op, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = s};
    epoll_ctl(ep, op, s->fd, &e);
}

/* on loopback a connect is done at once, or refused and seen at the first send */
static int dial(int port)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connect(fd, (void *)&a, sizeof a);
    return fd;
}

static void end(struct pair *p)
{
    if (p->is_dead)
        return;
    p->is_dead = true;
    for (int i = 0; i < 3; i++) {
        if (p->sides[i].fd >= 0)
            close(p->sides[i].fd);
        free(p->sides[i].out);
    }
    p->next_dead = dead;
    dead = p;
}

static void mirror(struct pair *p, const char *data, size_t len)
{
    struct side *s = &p->sides[SHADOW];
    if (s->fd < 0) {
        s->fd = dial(shadow_port);
        watch(s, EPOLL_CTL_ADD, EPOLLIN);
    }
    if (send(s->fd, data, len, MSG_NOSIGNAL) != (ssize_t)len) {
        close(s->fd);
        s->fd = -1;
    }
}

static void drain_shadow(struct side *s)
{
    ssize_t n = recv(s->fd, NULL, 1 << 20, MSG_TRUNC);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        close(s->fd);
        s->fd = -1;
    }
}

/* false: the pair is gone */
static bool flush(struct side *s, struct side *other)
{
    ssize_t n = send(s->fd, s->out, s->out_len, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
        end(s->pair);
        return false;
    }
    if (n > 0) {
        memmove(s->out, s->out + n, s->out_len - (size_t)n);
        s->out_len -= (size_t)n;
    }
    if (s->out_len == 0) {
        watch(s, EPOLL_CTL_MOD, EPOLLIN);
        watch(other, EPOLL_CTL_MOD, EPOLLIN);
    }
    return true;
}

static void pass_on(struct side *s, struct side *other)
{
    static char data[1 << 17];
    ssize_t n = recv(s->fd, data, sizeof data, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    ssize_t sent = n <= 0 ? -1 : send(other->fd, data, (size_t)n, MSG_NOSIGNAL);
    if (n <= 0 || (sent < 0 && errno != EAGAIN)) {
        end(s->pair);
        return;
    }
    sent = sent < 0 ? 0 : sent;
    if (sent < n) {
        other->out_len = (size_t)(n - sent);
        other->out = realloc(other->out, other->out_len);
        memcpy(other->out, data + sent, other->out_len);
        watch(other, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
        watch(s, EPOLL_CTL_MOD, 0);
    }
    if (copies && s->kind == CLIENT)
        mirror(s->pair, data, (size_t)n);
}

static void on_event(struct side *s, uint32_t events)
{
    if (s->pair->is_dead)
        return;
    if (s->kind == SHADOW) {
        if (s->fd >= 0)
            drain_shadow(s);
        return;
    }
    struct side *other = &s->pair->sides[s->kind == CLIENT ? PRIMARY : CLIENT];
    if (s->out_len && (events & EPOLLOUT) && !flush(s, other))
        return;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && other->out_len == 0)
        pass_on(s, other);
}

static void on_accept(int listener)
{
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct pair *p = calloc(1, sizeof *p);
        p->sides[CLIENT] = (struct side){.fd = fd, .kind = CLIENT, .pair = p};
        p->sides[PRIMARY] = (struct side){.fd = dial(primary_port), .kind = PRIMARY, .pair = p};
        p->sides[SHADOW] = (struct side){.fd = -1, .kind = SHADOW, .pair = p};
        watch(&p->sides[CLIENT], EPOLL_CTL_ADD, EPOLLIN);
        watch(&p->sides[PRIMARY], EPOLL_CTL_ADD, EPOLLIN);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: relay PORT PRIMARY SHADOW plain|copy\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    primary_port = atoi(argv[2]);
    shadow_port = atoi(argv[3]);
    copies = strcmp(argv[4], "copy") == 0;
    int one = 1;
    struct side listener = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), .kind = LISTENER};
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener.fd, (void *)&a, sizeof a) || listen(listener.fd, 4096)) {
        perror("listen");
        return 1;
    }
    ep = epoll_create1(0);
    watch(&listener, EPOLL_CTL_ADD, EPOLLIN);
    for (;;) {
        struct epoll_event events[256];
        int n = epoll_wait(ep, events, 256, -1);
        for (int i = 0; i < n; i++) {
            struct side *s = events[i].data.ptr;
            if (s->kind == LISTENER)
                on_accept(s->fd);
            else
                on_event(s, events[i].events);
        }
        while (dead) {
            struct pair *p = dead;
            dead = p->next_dead;
            free(p);
        }
    }
}

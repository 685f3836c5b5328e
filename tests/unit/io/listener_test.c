/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/listener.h"
#include "kit.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

struct fixture {
    struct um_loop loop;
    struct um_listener_socket listener;
    struct sockaddr_in addr;
    int n_accepted, n_rejected, last_fd;
};

static void on_accept(struct um_listener_socket *s, int fd)
{
    struct fixture *f = UM_CONTAINER(s, struct fixture, listener);
    int nodelay = 0;
    socklen_t n = sizeof nodelay;
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &n), 0);
    assert_true(nodelay);
    f->n_accepted++;
    close(fd);
}

static void on_reject(struct um_listener_socket *s)
{
    UM_CONTAINER(s, struct fixture, listener)->n_rejected++;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    f->listener = (struct um_listener_socket){.watch.fd = -1, .on_accept = on_accept, .on_reject = on_reject};
    f->addr = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return um_loop_init(&f->loop);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    um_listener_stop(&f->listener);
    um_loop_release(&f->loop);
    free(f);
    return 0;
}

static int open_sockets(struct fixture *f, unsigned n, int *fds)
{
    return um_listener_open((struct sockaddr *)&f->addr, sizeof f->addr, n, fds);
}

static int connect_client(const struct fixture *f)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&f->addr, sizeof f->addr), 0);
    return fd;
}

static void port_zero_is_the_same_for_all(void **state)
{
    struct fixture *f = *state;
    int fds[3];
    assert_int_equal(open_sockets(f, 3, fds), 0);
    assert_int_not_equal(f->addr.sin_port, 0);
    for (int i = 0; i < 3; i++) {
        struct sockaddr_in addr;
        socklen_t n = sizeof addr;
        assert_int_equal(getsockname(fds[i], (struct sockaddr *)&addr, &n), 0);
        assert_int_equal(addr.sin_port, f->addr.sin_port);
        close(fds[i]);
    }
}

/* SO_REUSEPORT lets several sockets in, but not a second opening of the same address (another process of umbra) */
static void a_port_that_is_held_is_refused(void **state)
{
    struct fixture *f = *state;
    int fds[2], others[2];
    assert_int_equal(open_sockets(f, 2, fds), 0);
    assert_int_equal(open_sockets(f, 2, others), UM_EINUSE);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(open_sockets(f, 1, others), 0);
    close(others[0]);
}

static void an_address_that_is_not_here_is_an_error(void **state)
{
    struct fixture *f = *state;
    int fd;
    f->addr.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1, RFC 5737 */
    assert_int_equal(open_sockets(f, 1, &fd), UM_EUNREACH);
}

static void clients_are_accepted(void **state)
{
    struct fixture *f = *state;
    int fd, clients[10];
    assert_int_equal(open_sockets(f, 1, &fd), 0);
    assert_int_equal(um_listener_start(&f->listener, &f->loop, fd), 0);
    for (int i = 0; i < 10; i++)
        clients[i] = connect_client(f);
    KIT_TURN_UNTIL(&f->loop, f->n_accepted == 10);
    for (int i = 0; i < 10; i++)
        close(clients[i]);
}

static void stopping_accepts_what_is_queued(void **state)
{
    struct fixture *f = *state;
    int fd, clients[10];
    assert_int_equal(open_sockets(f, 1, &fd), 0);
    assert_int_equal(um_listener_start(&f->listener, &f->loop, fd), 0);
    for (int i = 0; i < 10; i++)
        clients[i] = connect_client(f);
    um_listener_stop(&f->listener);
    assert_int_equal(f->n_accepted, 10);
    um_listener_stop(&f->listener);
    for (int i = 0; i < 10; i++)
        close(clients[i]);
}

/* without descriptors a client is sent away at once, and the listener goes on afterwards */
static void running_out_of_descriptors_refuses_clients(void **state)
{
    struct fixture *f = *state;
    struct rlimit before, none;
    char byte;
    int fd;
    assert_int_equal(open_sockets(f, 1, &fd), 0);
    assert_int_equal(um_listener_start(&f->listener, &f->loop, fd), 0);
    int client = connect_client(f);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)client; /* the spare descriptor lies below it, and nothing below it is free */
    assert_true(f->listener.spare_fd < client);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    um_loop_turn(&f->loop, 100);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(f->n_accepted, 0);
    assert_int_equal(f->n_rejected, 1);
    assert_true(recv(client, &byte, 1, 0) <= 0);
    close(client);
    client = connect_client(f);
    KIT_TURN_UNTIL(&f->loop, f->n_accepted == 1);
    close(client);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(port_zero_is_the_same_for_all),           TEST(a_port_that_is_held_is_refused),
        TEST(an_address_that_is_not_here_is_an_error), TEST(clients_are_accepted),
        TEST(stopping_accepts_what_is_queued),         TEST(running_out_of_descriptors_refuses_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

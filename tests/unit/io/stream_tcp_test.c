/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/stream.h"
#include "kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* a stream of the code under test and its peer, a plain descriptor of the test */
struct fixture {
    struct um_loop loop;
    struct um_stream stream;
    int peer;
    size_t read_bytes; /* per read of on_readable; 0: it does not read */
    int n_readable, n_writable, n_closed;
    ssize_t last_read;
    size_t total_read;
    bool pauses, closes;
    int connect_rc; /* 1: not known yet */
};

static struct fixture *of(struct um_stream *s)
{
    return UM_CONTAINER(s, struct fixture, stream);
}

static ssize_t read_up_to(struct um_stream *s, size_t n)
{
    static char bytes[1 << 20];
    struct iovec iov = {bytes, n};
    return um_stream_readv(s, &iov, 1);
}

static void on_readable(struct um_stream *s)
{
    struct fixture *f = of(s);
    f->n_readable++;
    if (f->read_bytes) {
        f->last_read = read_up_to(s, f->read_bytes);
        f->total_read += f->last_read > 0 ? (size_t)f->last_read : 0;
    }
    if (f->pauses)
        um_stream_pause(s);
    if (f->closes)
        um_stream_close(s, false);
}

static void on_writable(struct um_stream *s)
{
    struct fixture *f = of(s);
    f->n_writable++;
    if (s->is_connecting)
        f->connect_rc = um_stream_tcp_connect_result(s);
}

static void on_closed(struct um_stream *s)
{
    of(s)->n_closed++;
}

static const struct um_stream_events EVENTS = {on_readable, on_writable, on_closed};
static const struct um_connect_options PLAIN = {0};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    f->peer = f->stream.watch.fd = -1;
    f->stream.is_closed = true;
    f->connect_rc = 1;
    return um_loop_init(&f->loop);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    um_stream_close(&f->stream, false);
    um_loop_turn(&f->loop, 0);
    if (f->peer >= 0)
        close(f->peer);
    um_loop_release(&f->loop);
    free(f);
    return 0;
}

/* a listening socket on loopback; *addr gets its address */
static int listen_on_loopback(struct sockaddr_in *addr)
{
    socklen_t n = sizeof *addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *addr = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)addr, n), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)addr, &n), 0);
    return fd;
}

static int connect_to(struct fixture *f, const struct sockaddr_in *addr, const struct um_connect_options *options)
{
    return um_stream_tcp_connect(&f->stream, &f->loop, (const struct sockaddr *)addr, sizeof *addr, options, &EVENTS);
}

/* connected, and turned until the events of connecting are over */
static void open_tcp(struct fixture *f, const struct um_connect_options *options)
{
    struct sockaddr_in addr;
    int listening = listen_on_loopback(&addr);
    assert_int_equal(connect_to(f, &addr, options), 0);
    f->peer = accept(listening, NULL, NULL);
    assert_true(f->peer >= 0);
    close(listening);
    KIT_TURN_UNTIL(&f->loop, f->n_writable);
    assert_int_equal(f->connect_rc, 0);
    f->n_writable = 0;
}

static void open_pair(struct fixture *f)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    assert_int_equal(um_stream_tcp_accept(&f->stream, &f->loop, fds[0], &EVENTS), 0);
    f->peer = fds[1];
    um_loop_turn(&f->loop, 0); /* writable, which nobody asked for */
    assert_int_equal(f->n_writable, 0);
}

static void peer_sends(struct fixture *f, size_t n)
{
    static const char bytes[100000];
    assert_int_equal(send(f->peer, bytes, n, 0), n);
}

/* ---- reading --------------------------------------------------------------------------------------- */

static void a_short_read_ends_the_edge(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    f->read_bytes = 1000;
    peer_sends(f, 100);
    kit_turn_for_ms(&f->loop, 20);
    assert_int_equal(f->n_readable, 1); /* no second read just to see EAGAIN */
    assert_int_equal(f->last_read, 100);
    peer_sends(f, 7);
    KIT_TURN_UNTIL(&f->loop, f->n_readable == 2);
    assert_int_equal(f->last_read, 7);
}

static void a_full_read_comes_again_next_turn(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    f->read_bytes = 100;
    peer_sends(f, 250);
    um_loop_turn(&f->loop, -1);
    assert_int_equal(f->n_readable, 2); /* the event, and the ready list behind the events */
    um_loop_turn(&f->loop, -1);
    assert_int_equal(f->n_readable, 3);
    assert_int_equal(f->total_read, 250);
    kit_turn_for_ms(&f->loop, 20);
    assert_int_equal(f->n_readable, 3);
}

static void exactly_full_reads_end_in_eagain(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    f->read_bytes = 100;
    peer_sends(f, 200);
    kit_turn_for_ms(&f->loop, 20);
    assert_int_equal(f->n_readable, 3);
    assert_int_equal(f->last_read, UM_EAGAIN);
    peer_sends(f, 1);
    KIT_TURN_UNTIL(&f->loop, f->total_read == 201);
}

static void what_a_peer_sent_before_it_hung_up_is_read(void **state)
{
    struct fixture *f = *state;
    open_tcp(f, &PLAIN);
    f->read_bytes = 1000;
    peer_sends(f, 100);
    shutdown(f->peer, SHUT_WR);
    usleep(1000);
    KIT_TURN_UNTIL(&f->loop, f->n_readable >= 2 && f->last_read == 0); /* the short read was not the end */
    assert_int_equal(f->total_read, 100);
    assert_int_equal(f->stream.is_closed, false);
}

static void a_paused_stream_is_not_read(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    f->read_bytes = 1000;
    um_stream_pause(&f->stream);
    peer_sends(f, 100);
    kit_turn_for_ms(&f->loop, 20);
    assert_int_equal(f->n_readable, 0);
    um_stream_resume(&f->stream);
    um_stream_resume(&f->stream);
    KIT_TURN_UNTIL(&f->loop, f->total_read == 100);
    assert_int_equal(f->n_readable, 1);
    um_stream_pause(&f->stream);
    um_stream_resume(&f->stream); /* nothing came meanwhile */
    kit_turn_for_ms(&f->loop, 20);
    assert_int_equal(f->n_readable, 1);
}

static void pausing_in_the_middle_keeps_the_rest_readable(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    f->read_bytes = 100;
    f->pauses = true;
    peer_sends(f, 250);
    kit_turn_for_ms(&f->loop, 20);
    assert_int_equal(f->total_read, 100);
    um_stream_resume(&f->stream);
    kit_turn_for_ms(&f->loop, 20);
    assert_int_equal(f->total_read, 200);
    f->pauses = false;
    um_stream_resume(&f->stream);
    KIT_TURN_UNTIL(&f->loop, f->total_read == 250);
}

static void a_reader_that_leaves_bytes_is_not_called_for_ever(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    peer_sends(f, 100);
    kit_turn_for_ms(&f->loop, 20);
    assert_int_equal(f->n_readable, 1);
    assert_true(f->stream.is_readable);
}

static void discard_reads_unseen(void **state)
{
    struct fixture *f = *state;
    open_tcp(f, &PLAIN);
    peer_sends(f, 50000);
    KIT_TURN_UNTIL(&f->loop, f->n_readable);
    size_t sum = 0;
    ssize_t n;
    while ((n = um_stream_discard(&f->stream, 30000)) != UM_EAGAIN) {
        assert_in_range(n, 1, 30000);
        sum += (size_t)n;
        usleep(1000);
    }
    assert_int_equal(sum, 50000);
}

static void scattered_reads_fill_their_blocks_in_order(void **state)
{
    struct fixture *f = *state;
    char first[3], second[10] = "";
    struct iovec iov[] = {{first, 3}, {second, 10}};
    open_pair(f);
    assert_int_equal(write(f->peer, "abcdef", 6), 6);
    KIT_TURN_UNTIL(&f->loop, f->n_readable);
    assert_int_equal(um_stream_readv(&f->stream, iov, 2), 6);
    assert_memory_equal(first, "abc", 3);
    assert_memory_equal(second, "def", 3);
    assert_false(f->stream.is_readable);
}

/* ---- writing --------------------------------------------------------------------------------------- */

static ssize_t write_zeros(struct fixture *f, size_t n, int pieces)
{
    static char bytes[1 << 20];
    struct iovec iov[4];
    for (int i = 0; i < pieces; i++)
        iov[i] = (struct iovec){bytes, n / (size_t)pieces};
    return um_stream_writev(&f->stream, iov, pieces);
}

static void drain_peer(struct fixture *f)
{
    static char bytes[1 << 20];
    while (recv(f->peer, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        continue;
}

static void write_until_short(struct fixture *f, int pieces)
{
    ssize_t n;
    while ((n = write_zeros(f, 1 << 20, pieces)) == 1 << 20)
        continue;
    assert_true(n > 0 || n == UM_EAGAIN);
    assert_true(f->stream.wants_write);
    kit_turn_for_ms(&f->loop, 5);
    assert_int_equal(f->n_writable, 0);
    uint64_t end_ns = um_clock_ns() + KIT_PATIENCE_S * UM_NS_PER_S;
    while (!f->n_writable && um_clock_ns() < end_ns) {
        drain_peer(f);
        um_loop_turn(&f->loop, 1);
    }
    assert_int_equal(f->n_writable, 1);
    assert_false(f->stream.wants_write);
}

static void a_short_write_is_followed_by_on_writable(void **state)
{
    struct fixture *f = *state;
    open_tcp(f, &PLAIN);
    write_until_short(f, 1);
    f->n_writable = 0;
    write_until_short(f, 4);
}

static void nobody_is_told_of_room_he_did_not_want(void **state)
{
    struct fixture *f = *state;
    open_tcp(f, &PLAIN);
    assert_int_equal(write_zeros(f, 1000, 2), 1000);
    kit_turn_for_ms(&f->loop, 20);
    assert_int_equal(f->n_writable, 0);
}

static void writing_to_a_closed_peer_is_an_error_and_no_signal(void **state)
{
    struct fixture *f = *state;
    open_tcp(f, &PLAIN);
    close(f->peer);
    f->peer = -1;
    ssize_t n = 0;
    for (int i = 0; i < 100 && n >= 0; i++) {
        n = write_zeros(f, 1000, 1);
        usleep(1000);
    }
    assert_int_equal(n, UM_ERESET);
}

static void shutdown_is_the_peers_end_of_input(void **state)
{
    struct fixture *f = *state;
    char byte;
    open_tcp(f, &PLAIN);
    um_stream_shutdown(&f->stream);
    assert_int_equal(recv(f->peer, &byte, 1, 0), 0);
    peer_sends(f, 5); /* the other way is open */
    f->read_bytes = 100;
    KIT_TURN_UNTIL(&f->loop, f->total_read == 5);
}

static void quiet_until_the_peer_sends_or_closes(void **state)
{
    struct fixture *f = *state;
    open_tcp(f, &PLAIN);
    assert_true(um_stream_tcp_is_quiet(&f->stream));
    close(f->peer);
    f->peer = -1;
    uint64_t end_ns = um_clock_ns() + KIT_PATIENCE_S * UM_NS_PER_S;
    while (um_stream_tcp_is_quiet(&f->stream) && um_clock_ns() < end_ns)
        usleep(1000);
    assert_false(um_stream_tcp_is_quiet(&f->stream));
}

/* ---- closing --------------------------------------------------------------------------------------- */

static void a_reset_from_the_peer_is_read_as_one(void **state)
{
    struct fixture *f = *state;
    struct linger hard = {.l_onoff = 1};
    open_tcp(f, &PLAIN);
    f->read_bytes = 1000;
    setsockopt(f->peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(f->peer);
    f->peer = -1;
    KIT_TURN_UNTIL(&f->loop, f->n_readable);
    assert_int_equal(f->last_read, UM_ERESET);
}

static void closing_by_reset_is_seen_by_the_peer(void **state)
{
    struct fixture *f = *state;
    char byte;
    open_tcp(f, &PLAIN);
    um_stream_close(&f->stream, true);
    assert_int_equal(recv(f->peer, &byte, 1, 0), -1);
    assert_int_equal(errno, ECONNRESET);
}

static void closing_says_so_once_and_nothing_more(void **state)
{
    struct fixture *f = *state;
    char byte;
    open_tcp(f, &PLAIN);
    f->closes = true;
    peer_sends(f, 10);
    f->read_bytes = 5; /* a full read: it would come again */
    KIT_TURN_UNTIL(&f->loop, f->n_closed);
    um_stream_close(&f->stream, true);
    kit_turn_for_ms(&f->loop, 20);
    assert_int_equal(f->n_readable, 1);
    assert_int_equal(f->n_closed, 1);
    assert_true(recv(f->peer, &byte, 1, 0) <= 0);
}

static void closed_at_the_turns_end_only(void **state)
{
    struct fixture *f = *state;
    open_pair(f);
    um_stream_close(&f->stream, false);
    assert_int_equal(f->n_closed, 0);
    um_stream_resume(&f->stream);
    um_loop_turn(&f->loop, 0);
    assert_int_equal(f->n_closed, 1);
}

/* ---- connecting ------------------------------------------------------------------------------------ */

static void a_refused_connect_is_told_later(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_in addr;
    close(listen_on_loopback(&addr));
    int rc = connect_to(f, &addr, &PLAIN);
    if (rc == 0) {
        KIT_TURN_UNTIL(&f->loop, f->n_writable);
        rc = f->connect_rc;
    }
    assert_int_equal(rc, UM_EREFUSED);
    assert_int_equal(f->n_readable, 0); /* a stream that never was connected has no input */
}

static void an_unreachable_address_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_un addr = {.sun_family = AF_UNIX, .sun_path = "/nonexistent/umbra.sock"};
    int rc = um_stream_tcp_connect(&f->stream, &f->loop, (const struct sockaddr *)&addr, sizeof addr, &PLAIN, &EVENTS);
    assert_true(rc < 0);
    f->stream.is_closed = true;
}

static void input_that_comes_with_the_connection_is_not_lost(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_in addr;
    int listening = listen_on_loopback(&addr);
    assert_int_equal(connect_to(f, &addr, &PLAIN), 0);
    f->peer = accept(listening, NULL, NULL);
    close(listening);
    peer_sends(f, 30);
    usleep(1000);
    f->read_bytes = 100;
    KIT_TURN_UNTIL(&f->loop, f->total_read == 30);
    assert_int_equal(f->connect_rc, 0);
    assert_int_equal(f->n_writable, 1);
}

static int option_of(int fd, int level, int option)
{
    int value = -1;
    socklen_t n = sizeof value;
    assert_int_equal(getsockopt(fd, level, option, &value, &n), 0);
    return value;
}

static void options_are_set(void **state)
{
    struct fixture *f = *state;
    const struct um_connect_options options = {.keepalive_probes = 3,
                                               .keepalive_time_s = 40,
                                               .keepalive_interval_s = 5,
                                               .has_keepalive = true,
                                               .has_notsent_lowat = true};
    open_tcp(f, &options);
    int fd = f->stream.watch.fd;
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 40);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 5);
    assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), UM_SOCKET_NOTSENT_LOWAT_BYTES);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_short_read_ends_the_edge),
        TEST(a_full_read_comes_again_next_turn),
        TEST(exactly_full_reads_end_in_eagain),
        TEST(what_a_peer_sent_before_it_hung_up_is_read),
        TEST(a_paused_stream_is_not_read),
        TEST(pausing_in_the_middle_keeps_the_rest_readable),
        TEST(a_reader_that_leaves_bytes_is_not_called_for_ever),
        TEST(discard_reads_unseen),
        TEST(scattered_reads_fill_their_blocks_in_order),
        TEST(a_short_write_is_followed_by_on_writable),
        TEST(nobody_is_told_of_room_he_did_not_want),
        TEST(writing_to_a_closed_peer_is_an_error_and_no_signal),
        TEST(shutdown_is_the_peers_end_of_input),
        TEST(quiet_until_the_peer_sends_or_closes),
        TEST(a_reset_from_the_peer_is_read_as_one),
        TEST(closing_by_reset_is_seen_by_the_peer),
        TEST(closing_says_so_once_and_nothing_more),
        TEST(closed_at_the_turns_end_only),
        TEST(a_refused_connect_is_told_later),
        TEST(an_unreachable_address_is_an_error),
        TEST(input_that_comes_with_the_connection_is_not_lost),
        TEST(options_are_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

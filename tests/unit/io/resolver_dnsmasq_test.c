/* SPDX-License-Identifier: Apache-2.0
 * The resolver against a DNS server that was written by others, where dnsmasq is installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/resolver.h"
#include "kit.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DNSMASQ "/usr/sbin/dnsmasq"

enum { MANY = 50 };

struct fixture {
    struct um_loop loop;
    struct um_resolver *resolver;
    pid_t server;
    char address[32];
    int n_calls, status;
    unsigned n;
    uint32_t ttl_s;
};

/* a port that is free now */
static unsigned free_port(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool ok = bind(fd, (struct sockaddr *)&addr, n) == 0 && getsockname(fd, (struct sockaddr *)&addr, &n) == 0;
    close(fd);
    return ok ? ntohs(addr.sin_port) : 0;
}

static void run_server(unsigned port)
{
    static char text[MANY + 16][80];
    char *args[MANY + 16];
    int n = 0;
    snprintf(text[n++], sizeof text[0], DNSMASQ);
    snprintf(text[n++], sizeof text[0], "--port=%u", port);
    snprintf(text[n++], sizeof text[0], "--host-record=both.test,192.0.2.1,2001:db8::1,77");
    snprintf(text[n++], sizeof text[0], "--host-record=six.test,2001:db8::6");
    snprintf(text[n++], sizeof text[0], "--cname=alias.test,both.test,33");
    for (int i = 0; i < MANY; i++)
        snprintf(text[n++], sizeof text[0], "--host-record=many.test,198.51.100.%d", i + 1);
    static const char *const FIXED[] = {
        "--keep-in-foreground",       "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
        "--listen-address=127.0.0.1", "--bind-interfaces",     "--pid-file",  "--user=",
        "--log-facility=/dev/null",   "--local=/test/"};
    for (size_t i = 0; i < sizeof FIXED / sizeof *FIXED; i++)
        snprintf(text[n++], sizeof text[0], "%s", FIXED[i]);
    for (int i = 0; i < n; i++)
        args[i] = text[i];
    args[n] = NULL;
    execv(DNSMASQ, args);
    _exit(127);
}

static void on_resolved(void *ctx, const struct um_resolved *r)
{
    struct fixture *f = ctx;
    f->n_calls++;
    f->status = r->status;
    f->n = r->n;
    f->ttl_s = r->ttl_s;
}

static void resolve(struct fixture *f, const char *name)
{
    struct um_resolve *query;
    f->n_calls = 0;
    assert_int_equal(um_resolver_start(f->resolver, um_str_from(name), on_resolved, f, &query), 0);
    KIT_TURN_UNTIL(&f->loop, f->n_calls);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    unsigned port = free_port();
    snprintf(f->address, sizeof f->address, "127.0.0.1:%u", port);
    f->server = access(DNSMASQ, X_OK) == 0 ? fork() : -1;
    if (f->server == 0)
        run_server(port);
    if (um_loop_init(&f->loop))
        return -1;
    return um_resolver_new(&f->loop, &(struct um_resolver_options){f->address, 500, 3}, &f->resolver);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    um_resolver_free(f->resolver);
    um_loop_release(&f->loop);
    if (f->server > 0) {
        kill(f->server, SIGTERM);
        waitpid(f->server, NULL, 0);
    }
    free(f);
    return 0;
}

/* until the server has come up its port refuses; false if there is no server to wait for */
static bool await_server(struct fixture *f)
{
    for (int i = 0; f->server > 0 && i < 200; i++) {
        resolve(f, "both.test");
        if (f->status == 0)
            return true;
        if (waitpid(f->server, NULL, WNOHANG) == f->server)
            f->server = -1;
        usleep(20000);
    }
    return false;
}

static void answers_of_dnsmasq(void **state)
{
    struct fixture *f = *state;
    if (!await_server(f))
        skip();
    assert_int_equal(f->n, 1);
    assert_int_equal(f->ttl_s, 77);
    resolve(f, "alias.test");
    assert_int_equal(f->status, 0);
    assert_int_equal(f->n, 1);
    assert_int_equal(f->ttl_s, 33);
    resolve(f, "six.test");
    assert_int_equal(f->status, 0);
    assert_int_equal(f->n, 1);
    resolve(f, "many.test"); /* more than 512 bytes: truncated, then over TCP */
    assert_int_equal(f->status, 0);
    assert_int_equal(f->n, MANY);
    resolve(f, "nowhere.test");
    assert_int_equal(f->status, UM_EDNS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(answers_of_dnsmasq, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/mailbox.h"
#include "kit.h"

#include <pthread.h>
#include <stdlib.h>

enum { SENDERS = 4, LETTERS = 20000 };

struct receiver {
    struct um_loop loop;
    struct um_mailbox mailbox;
    unsigned last[SENDERS]; /* per sender: messages come in its order */
    unsigned n;
    bool replies;
};

struct letter {
    struct um_message message;
    unsigned sender, number;
};

static void read_letter(struct um_message *m, void *ctx)
{
    struct letter *l = UM_CONTAINER(m, struct letter, message);
    struct receiver *r = ctx;
    assert_int_equal(l->number, r->last[l->sender] + 1);
    r->last[l->sender] = l->number;
    r->n++;
    if (r->replies && l->number == 1) { /* posting while reading */
        l->number = 2;
        um_mailbox_post(&r->mailbox, &l->message);
        return;
    }
    free(l);
}

static struct letter *write_letter(unsigned sender, unsigned number)
{
    struct letter *l = malloc(sizeof *l);
    assert_non_null(l);
    *l = (struct letter){{NULL, read_letter}, sender, number};
    return l;
}

static int setup(void **state)
{
    struct receiver *r = calloc(1, sizeof *r);
    *state = r;
    if (um_loop_init(&r->loop))
        return -1;
    um_mailbox_init(&r->mailbox, &r->loop, r);
    return 0;
}

static int teardown(void **state)
{
    struct receiver *r = *state;
    um_loop_release(&r->loop);
    free(r);
    return 0;
}

struct sender {
    pthread_t thread;
    struct receiver *to;
    unsigned id;
};

static void *send_letters(void *ctx)
{
    struct sender *s = ctx;
    for (unsigned i = 1; i <= LETTERS; i++)
        um_mailbox_post(&s->to->mailbox, &write_letter(s->id, i)->message);
    return NULL;
}

/* nothing is lost, nothing comes twice, order per sender holds, and no wake-up is missed */
static void many_senders(void **state)
{
    struct receiver *r = *state;
    struct sender senders[SENDERS];
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.to = r, .id = i};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_letters, &senders[i]), 0);
    }
    while (r->n < SENDERS * LETTERS)
        um_loop_turn(&r->loop, -1);
    for (unsigned i = 0; i < SENDERS; i++)
        pthread_join(senders[i].thread, NULL);
    for (unsigned i = 0; i < SENDERS; i++)
        assert_int_equal(r->last[i], LETTERS);
}

/* one at a time, the loop asleep in between */
static void *send_slowly(void *ctx)
{
    struct sender *s = ctx;
    for (unsigned i = 1; i <= 50; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        um_mailbox_post(&s->to->mailbox, &write_letter(s->id, i)->message);
    }
    return NULL;
}

static void each_wakes_a_sleeping_loop(void **state)
{
    struct receiver *r = *state;
    struct sender sender = {.to = r};
    assert_int_equal(pthread_create(&sender.thread, NULL, send_slowly, &sender), 0);
    while (r->n < 50)
        um_loop_turn(&r->loop, -1);
    pthread_join(sender.thread, NULL);
}

static void posting_from_within_a_message(void **state)
{
    struct receiver *r = *state;
    r->replies = true;
    um_mailbox_post(&r->mailbox, &write_letter(0, 1)->message);
    KIT_TURN_UNTIL(&r->loop, r->n == 2);
}

static void drain_takes_what_is_left(void **state)
{
    struct receiver *r = *state;
    for (unsigned i = 1; i <= 3; i++)
        um_mailbox_post(&r->mailbox, &write_letter(0, i)->message);
    um_mailbox_drain(&r->mailbox);
    assert_int_equal(r->n, 3);
    um_mailbox_drain(&r->mailbox);
    assert_int_equal(r->n, 3);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(many_senders),
        TEST(each_wakes_a_sleeping_loop),
        TEST(posting_from_within_a_message),
        TEST(drain_takes_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

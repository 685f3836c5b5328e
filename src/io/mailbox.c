/* SPDX-License-Identifier: Apache-2.0 */
#include "io/mailbox.h"

void um_mailbox_drain(struct um_mailbox *m)
{
    struct um_message *taken = atomic_exchange_explicit(&m->head, NULL, memory_order_acquire), *in_order = NULL;
    while (taken) {
        struct um_message *next = taken->next;
        taken->next = in_order;
        in_order = taken;
        taken = next;
    }
    while (in_order) {
        struct um_message *next = in_order->next; /* run gives the message up */
        in_order->run(in_order, m->receiver);
        in_order = next;
    }
}

static void on_wake(void *ctx)
{
    um_mailbox_drain(ctx);
}

void um_mailbox_init(struct um_mailbox *m, struct um_loop *loop, void *receiver)
{
    m->loop = loop;
    m->receiver = receiver;
    atomic_init(&m->head, NULL);
    loop->on_wake = on_wake;
    loop->on_wake_ctx = m;
}

void um_mailbox_post(struct um_mailbox *m, struct um_message *msg)
{
    struct um_message *head = atomic_load_explicit(&m->head, memory_order_relaxed);
    do {
        msg->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&m->head, &head, msg, memory_order_release, memory_order_relaxed));
    if (!head) /* somebody else has rung already */
        um_loop_wake(m->loop);
}

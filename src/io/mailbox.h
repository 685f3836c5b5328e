/* SPDX-License-Identifier: Apache-2.0
 * mailbox: how ownership crosses threads (I6): a message is posted by any thread, taken by the loop's thread in order
 * per sender. A lock-free stack turned around when taken, so that posting never waits (I7). Owner: the loop's thread; a
 * posted message belongs to the receiver. Thread: post any, the rest the loop's. */
#ifndef UM_IO_MAILBOX_H
#define UM_IO_MAILBOX_H

#include "io/loop.h"

#include <stdatomic.h>

struct um_message {
    struct um_message *next;
    void (*run)(struct um_message *, void *receiver);
};

struct um_mailbox {
    struct um_loop *loop;
    void *receiver;
    _Atomic(struct um_message *) head;
};

void um_mailbox_init(struct um_mailbox *, struct um_loop *, void *receiver);
void um_mailbox_post(struct um_mailbox *, struct um_message *);
/* takes what is left without a wake-up, for shutting down */
void um_mailbox_drain(struct um_mailbox *);

#endif

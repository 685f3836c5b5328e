/* SPDX-License-Identifier: Apache-2.0
 * list: intrusive, doubly linked, circular, with a head node. A node that is in no list points at itself.
 * Thread: its owner's. */
#ifndef UM_BASE_LIST_H
#define UM_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct um_list {
    struct um_list *next, *prev;
};

#define UM_CONTAINER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))
/* body may remove `it`; it may not remove the next one */
#define UM_LIST_EACH(it, head)                                                                                         \
    for (struct um_list *it = (head)->next, *it##_next = it->next; it != (head); it = it##_next, it##_next = it->next)

static inline void um_list_init(struct um_list *l)
{
    l->next = l->prev = l;
}

static inline bool um_list_empty(const struct um_list *l)
{
    return l->next == l;
}

static inline void um_list_insert(struct um_list *before, struct um_list *node)
{
    node->prev = before->prev;
    node->next = before;
    before->prev->next = node;
    before->prev = node;
}

static inline void um_list_push(struct um_list *head, struct um_list *node) /* at the tail */
{
    um_list_insert(head, node);
}

static inline void um_list_push_front(struct um_list *head, struct um_list *node)
{
    um_list_insert(head->next, node);
}

static inline void um_list_remove(struct um_list *node) /* harmless on a node in no list */
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    um_list_init(node);
}

static inline struct um_list *um_list_first(struct um_list *head)
{
    return head->next == head ? NULL : head->next;
}

static inline struct um_list *um_list_pop(struct um_list *head)
{
    struct um_list *node = um_list_first(head);
    if (node)
        um_list_remove(node);
    return node;
}

/* all of `from` behind what `to` has; `from` is empty afterwards */
static inline void um_list_splice(struct um_list *to, struct um_list *from)
{
    if (um_list_empty(from))
        return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    um_list_init(from);
}

/* the same, before what `to` has */
static inline void um_list_splice_front(struct um_list *to, struct um_list *from)
{
    if (um_list_empty(from))
        return;
    from->prev->next = to->next;
    to->next->prev = from->prev;
    from->next->prev = to;
    to->next = from->next;
    um_list_init(from);
}

#endif

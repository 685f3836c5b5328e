/* SPDX-License-Identifier: Apache-2.0 */
#include "base/list.h"

#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

enum { N = 20 };

struct item {
    int value;
    struct um_list node;
};

/* the values from front to back, and the same from back to front */
static void assert_list(struct um_list *head, const int *want, int n)
{
    int i = 0;
    UM_LIST_EACH (it, head) {
        assert_true(i < n);
        assert_int_equal(UM_CONTAINER(it, struct item, node)->value, want[i++]);
    }
    assert_int_equal(i, n);
    for (struct um_list *it = head->prev; it != head; it = it->prev)
        assert_int_equal(UM_CONTAINER(it, struct item, node)->value, want[--i]);
    assert_int_equal(i, 0);
    assert_int_equal(um_list_empty(head), n == 0);
}

static int take_out(int *values, int n, int value)
{
    for (int i = 0; i < n; i++)
        if (values[i] == value) {
            memmove(values + i, values + i + 1, (size_t)(n - i - 1) * sizeof *values);
            return n - 1;
        }
    return n;
}

static void random_steps_as_in_an_array(void **state)
{
    struct um_list head;
    struct item items[N];
    int values[N], n = 0;
    struct um_rand r;
    um_list_init(&head);
    um_rand_init_seed(&r, 8);
    for (int i = 0; i < N; i++) {
        items[i].value = i;
        um_list_init(&items[i].node);
    }
    for (int step = 0; step < 20000; step++) {
        int i = (int)um_rand_below(&r, N);
        n = take_out(values, n, i);
        um_list_remove(&items[i].node); /* harmless if it is in no list */
        assert_true(um_list_empty(&items[i].node));
        switch (um_rand_below(&r, 4)) {
        case 0:
            um_list_push(&head, &items[i].node);
            values[n++] = i;
            break;
        case 1:
            um_list_push_front(&head, &items[i].node);
            memmove(values + 1, values, (size_t)n++ * sizeof *values);
            values[0] = i;
            break;
        case 2: {
            struct um_list *first = um_list_first(&head);
            assert_ptr_equal(um_list_pop(&head), first);
            if (first)
                n = take_out(values, n, values[0]);
        }
        }
        assert_list(&head, values, n);
    }
}

static void the_current_node_may_go(void **state)
{
    struct um_list head;
    struct item items[4];
    um_list_init(&head);
    for (int i = 0; i < 4; i++) {
        items[i].value = i;
        um_list_push(&head, &items[i].node);
    }
    UM_LIST_EACH (it, &head)
        if (UM_CONTAINER(it, struct item, node)->value % 2)
            um_list_remove(it);
    assert_list(&head, (int[]){0, 2}, 2);
}

static void splicing(void **state)
{
    struct um_list a, b;
    struct item items[4];
    um_list_init(&a);
    um_list_init(&b);
    for (int i = 0; i < 4; i++) {
        items[i].value = i;
        um_list_push(i < 2 ? &a : &b, &items[i].node);
    }
    um_list_splice(&a, &b);
    assert_list(&a, (int[]){0, 1, 2, 3}, 4);
    assert_list(&b, NULL, 0);
    um_list_splice(&a, &b);
    assert_list(&a, (int[]){0, 1, 2, 3}, 4);
    um_list_splice(&b, &a);
    assert_list(&b, (int[]){0, 1, 2, 3}, 4);
    assert_null(um_list_pop(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_steps_as_in_an_array),
        cmocka_unit_test(the_current_node_may_go),
        cmocka_unit_test(splicing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/compile_retry.h"

enum { ATTEMPTS = 2, BASE_INTERVAL_MS = 25, HOST_ATTEMPTS = 5 };

/* what Envoy retries when no answer began, by word */
static const struct retry_word {
    struct um_str word;
    bool on_connect_failure, on_reset, on_refused_stream;
    bool is_partial; /* it retries answers as well, which is not served yet */
} WORDS[] = {
    {UM_STR_INIT("connect-failure"), true, false, false, false},
    {UM_STR_INIT("refused-stream"), false, false, true, false},
    {UM_STR_INIT("reset"), true, true, true, false},
    {UM_STR_INIT("reset-before-request"), false, true, false, false},
    {UM_STR_INIT("5xx"), true, true, true, true},
    {UM_STR_INIT("gateway-error"), true, true, true, true},
};

static const struct retry_word *find_word(struct um_str word)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (um_str_eq(WORDS[i].word, word))
            return &WORDS[i];
    return NULL;
}

bool um_retry_word_is_served(struct um_str word)
{
    const struct retry_word *known = find_word(word);
    return known && !known->is_partial;
}

static void set_conditions(struct um_retry_policy *p, struct um_str retry_on)
{
    struct um_str item;
    while (um_str_split(&retry_on, ',', &item)) {
        const struct retry_word *word = find_word(item);
        if (!word)
            continue;
        p->on_connect_failure |= word->on_connect_failure;
        p->on_reset_before_answer |= word->on_reset;
        p->on_refused_stream |= word->on_refused_stream;
    }
}

struct um_retry_policy um_compile_retry(const struct um_http_retries *r)
{
    struct um_retry_policy p = {
        .attempts = r ? r->attempts.value : ATTEMPTS,
        .base_interval_ms = BASE_INTERVAL_MS,
        .host_attempts = HOST_ATTEMPTS,
    };
    if (r && r->retry_on.n) {
        set_conditions(&p, r->retry_on);
    } else {
        p.on_connect_failure = true;
        p.on_refused_stream = true;
        p.on_reset_before_answer = true; /* a kept connection that the server closed must not become a 503 */
    }
    if (r && r->backoff.is_set)
        p.base_interval_ms = r->backoff.ms;
    if (r && r->retry_ignore_previous_hosts.is_set && !r->retry_ignore_previous_hosts.value)
        p.host_attempts = 0;
    return p;
}

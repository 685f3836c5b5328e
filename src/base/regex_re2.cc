/* SPDX-License-Identifier: Apache-2.0 */
#include "base/regex.h"

#include <re2/re2.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

struct um_regex {
    std::string pattern;
    std::string prefix;
    re2::RE2::Options options;
    std::atomic<re2::RE2 *> slots[UM_REGEX_SLOTS];
};

static thread_local unsigned my_slot;

void um_regex_thread_init(unsigned slot)
{
    my_slot = slot < UM_REGEX_SLOTS ? slot : 0;
}

/* The common head of the least and the greatest text that can match. For `/api/.*` these are `/api/` and `/api0`; the upper
 * one does not match itself, so all that match are below it and have the lower one's next byte as well. */
static std::string literal_prefix(const re2::RE2 &re)
{
    std::string low, high;
    if (!re.PossibleMatchRange(&low, &high, 128))
        return {};
    size_t n = 0;
    while (n < low.size() && n < high.size() && low[n] == high[n])
        n++;
    bool is_next = n < low.size() && n + 1 == high.size() && (unsigned char)high[n] == (unsigned char)low[n] + 1;
    if (is_next && !re2::RE2::FullMatch(high, re))
        n++;
    return low.substr(0, n);
}

int um_regex_new(struct um_str pattern, bool ignore_case, struct um_regex **ret_regex, char **ret_error)
{
    um_regex *re = new (std::nothrow) um_regex{};
    if (!re)
        return UM_ENOMEM;
    re->pattern.assign(pattern.p ? pattern.p : "", pattern.n);
    re->options.set_log_errors(false);
    re->options.set_case_sensitive(!ignore_case);
    re->options.set_max_mem(1 << 20);
    re2::RE2 *first = new (std::nothrow) re2::RE2(re->pattern, re->options);
    if (!first || !first->ok()) {
        if (first && ret_error)
            *ret_error = strdup(first->error().c_str());
        int rc = first ? UM_ESYNTAX : UM_ENOMEM;
        delete first;
        delete re;
        return rc;
    }
    re->prefix = ignore_case ? std::string() : literal_prefix(*first);
    re->slots[0] = first;
    *ret_regex = re;
    return 0;
}

void um_regex_free(struct um_regex *re)
{
    if (!re)
        return;
    for (auto &slot : re->slots)
        delete slot.load();
    delete re;
}

struct um_str um_regex_pattern(const struct um_regex *re)
{
    return {re->pattern.data(), re->pattern.size()};
}

struct um_str um_regex_literal_prefix(const struct um_regex *re)
{
    return {re->prefix.data(), re->prefix.size()};
}

bool um_regex_match(struct um_regex *re, struct um_str text)
{
    re2::RE2 *mine = re->slots[my_slot].load(std::memory_order_relaxed);
    if (!mine) {
        mine = new (std::nothrow) re2::RE2(re->pattern, re->options);
        if (!mine)
            return false;
        re->slots[my_slot].store(mine, std::memory_order_relaxed);
    }
    return re2::RE2::FullMatch(re2::StringPiece(text.p ? text.p : "", text.n), *mine);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/kind_rules.h"

#include "base/regex.h"
#include "http/message.h"
#include "model/endpoint.h"

#include <ctype.h>
#include <stdlib.h>

enum { MAX_LABEL = 63, MAX_NAME = 253, MAX_HOST = 255 };

const char *um_rule_not_empty(struct um_str s, struct um_arena *arena)
{
    return s.n ? NULL : "must not be empty";
}

static bool is_label(struct um_str s)
{
    if (s.n == 0 || s.n > MAX_LABEL || s.p[0] == '-' || s.p[s.n - 1] == '-')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!isalnum((unsigned char)s.p[i]) && s.p[i] != '-')
            return false;
    return true;
}

static bool is_domain(struct um_str s)
{
    struct um_str label;
    if (s.n == 0 || s.n > MAX_HOST || um_str_find(s, ' ') >= 0 || um_str_find(s, '\t') >= 0)
        return false;
    if (s.n > 1 && s.p[s.n - 1] == '.')
        s.n--;
    while (um_str_split(&s, '.', &label))
        if (!is_label(label))
            return false;
    return true;
}

static bool is_ip(struct um_str s)
{
    struct um_sockaddr ignored;
    return um_sockaddr_parse(s, 0, &ignored) == 0;
}

const char *um_rule_label(struct um_str s, struct um_arena *arena)
{
    return is_label(s) ? NULL : "must be a DNS label: letters, digits and `-`, at most 63";
}

const char *um_rule_object_name(struct um_str s, struct um_arena *arena)
{
    static const char WRONG[] = "must be a DNS name in lower case: letters, digits, `-` and `.`, at most 253";
    for (size_t i = 0; i < s.n; i++)
        if (isupper((unsigned char)s.p[i]))
            return WRONG;
    return s.n <= MAX_NAME && is_domain(s) && s.p[s.n - 1] != '.' ? NULL : WRONG;
}

const char *um_rule_host(struct um_str s, struct um_arena *arena)
{
    if (s.n == 0)
        return "must not be empty";
    if (s.p[0] == '*')
        return "must name one host: a wildcard is not allowed here";
    return is_domain(s) || is_ip(s) ? NULL : "is not a valid host name";
}

const char *um_rule_wildcard_host(struct um_str s, struct um_arena *arena)
{
    struct um_str rest = um_str_skip(s, 1);
    if (s.n == 0 || s.p[0] != '*')
        return um_rule_host(s, arena);
    if (rest.n == 0)
        return NULL;
    bool is_right = (rest.p[0] == '.' || rest.p[0] == '-') && is_domain(um_str_skip(rest, 1));
    return is_right ? NULL : "is not a valid host name: a wildcard is `*`, or `*.` and a domain";
}

const char *um_rule_ip(struct um_str s, struct um_arena *arena)
{
    return is_ip(s) ? NULL : "must be an IP address";
}

const char *um_rule_ip_or_cidr(struct um_str s, struct um_arena *arena)
{
    ptrdiff_t slash = um_str_find(s, '/');
    uint64_t bits = 0;
    if (slash < 0)
        return um_rule_ip(s, arena);
    struct um_str address = {s.p, (size_t)slash};
    uint64_t max = um_str_find(address, ':') < 0 ? 32 : 128;
    bool is_right = is_ip(address) && um_str_to_u64(um_str_skip(s, (size_t)slash + 1), max, &bits) == 0;
    return is_right ? NULL : "must be an IP address or a range such as 10.0.0.0/8";
}

const char *um_rule_token(struct um_str s, struct um_arena *arena)
{
    return um_is_token(s) ? NULL : "is not a valid name (letters, digits and !#$%&'*+-.^_`|~)";
}

const char *um_rule_authority(struct um_str s, struct um_arena *arena)
{
    return s.n && um_is_authority(s) ? NULL : "must be a host, or host:port";
}

const char *um_rule_regex(struct um_str s, struct um_arena *arena)
{
    struct um_regex *regex = NULL;
    char *error = NULL;
    if (s.n > UM_REGEX_MAX_BYTES)
        return "is longer than 1024 characters";
    if (s.n == 0)
        return "must not be empty";
    if (um_regex_new(s, false, &regex, &error) == 0) {
        um_regex_free(regex);
        return NULL;
    }
    const char *wrong = um_arena_printf(arena, "is not a regular expression of RE2: %s", error ? error : "malformed").p;
    free(error);
    return wrong ? wrong : "is not a regular expression of RE2";
}

static bool is_retry_word(struct um_str s)
{
    static const struct um_str WORDS[] = {
        UM_STR_INIT("5xx"),
        UM_STR_INIT("gateway-error"),
        UM_STR_INIT("reset"),
        UM_STR_INIT("reset-before-request"),
        UM_STR_INIT("connect-failure"),
        UM_STR_INIT("retriable-4xx"),
        UM_STR_INIT("refused-stream"),
        UM_STR_INIT("retriable-status-codes"),
        UM_STR_INIT("retriable-headers"),
        UM_STR_INIT("envoy-ratelimited"),
        UM_STR_INIT("http3-post-connect-failure"),
        UM_STR_INIT("cancelled"),
        UM_STR_INIT("deadline-exceeded"),
        UM_STR_INIT("internal"),
        UM_STR_INIT("resource-exhausted"),
        UM_STR_INIT("unavailable"),
    };
    uint64_t status;
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (um_str_eq(s, WORDS[i]))
            return true;
    return um_str_to_u64(s, 599, &status) == 0 && status >= 100;
}

/* Istio's admission does not trim: "5xx, reset" is refused there, and here */
const char *um_rule_retry_on(struct um_str s, struct um_arena *arena)
{
    while (s.n) {
        ptrdiff_t comma = um_str_find(s, ',');
        struct um_str word = {s.p, comma < 0 ? s.n : (size_t)comma};
        if (is_retry_word(um_str_trim(word)) && !is_retry_word(word))
            return "must not have spaces between the conditions";
        if (!is_retry_word(word))
            return um_arena_printf(arena, "does not know the condition `%.*s`", UM_STR_ARG(word)).p;
        s = um_str_skip(s, word.n + 1);
    }
    return NULL;
}

const char *um_rule_gateway_reference(struct um_str s, struct um_arena *arena)
{
    ptrdiff_t slash = um_str_find(s, '/');
    struct um_str name = um_str_skip(s, (size_t)(slash + 1));
    struct um_str namespace_name = {s.p, slash < 0 ? 0 : (size_t)slash};
    bool is_right = slash < 0 || um_str_eq(namespace_name, UM_STR(".")) || is_label(namespace_name);
    return is_right && is_domain(name) ? NULL : "must be `mesh`, a Gateway's name, or NAMESPACE/NAME";
}

const char *um_rule_namespace_scope(struct um_str s, struct um_arena *arena)
{
    bool is_sign = s.n == 1 && strchr(".*~", s.p[0]);
    return is_sign || is_label(s) ? NULL : "must be `.`, `*` or a namespace";
}

const char *um_rule_server_host(struct um_str s, struct um_arena *arena)
{
    ptrdiff_t slash = um_str_find(s, '/');
    struct um_str namespace_name = {s.p, slash < 0 ? 0 : (size_t)slash};
    bool is_sign = namespace_name.n == 1 && strchr(".*", namespace_name.p[0]);
    if (slash >= 0 && !is_sign && !is_label(namespace_name))
        return "must be a host, or NAMESPACE/HOST";
    return um_rule_wildcard_host(um_str_skip(s, (size_t)(slash + 1)), arena);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "http/url.h"
#include "route/route.h"

enum { MILLION = 1000000 };

const struct um_weighted_cluster *um_route_pick_cluster(const struct um_route *route, uint64_t random)
{
    if (route->n_clusters == 1) /* whose weight does not count, even 0 */
        return &route->clusters[0];
    if (route->total_weight == 0)
        return NULL;
    uint64_t drawn = random % route->total_weight;
    for (uint32_t i = 0; i < route->n_clusters; i++) {
        if (drawn < route->clusters[i].weight)
            return &route->clusters[i];
        drawn -= route->clusters[i].weight;
    }
    return NULL;
}

/* ---- sampling ----------------------------------------------------------------------------------- */

/* quotes around a value are not part of it (RFC 6265 section 4.1.1) */
static struct um_str unquoted(struct um_str s)
{
    bool is_quoted = s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"';
    return is_quoted ? (struct um_str){s.p + 1, s.n - 2} : s;
}

static bool find_cookie(struct um_str rest, struct um_str name, struct um_str *ret_value)
{
    struct um_str pair;
    while (um_str_split(&rest, ';', &pair)) {
        ptrdiff_t equals = um_str_find(pair, '=');
        if (equals < 0 || !um_str_eq(um_str_trim((struct um_str){pair.p, (size_t)equals}), name))
            continue;
        *ret_value = unquoted(um_str_trim(um_str_skip(pair, (size_t)equals + 1)));
        return true;
    }
    return false;
}

bool um_route_cookie(const struct um_head *head, struct um_str name, struct um_str *ret_value)
{
    for (uint32_t i = head->first_of[UM_FIELD_COOKIE]; i > 0 && i <= head->n_fields; i++) {
        const struct um_field *f = &head->fields[i - 1];
        if (f->id == UM_FIELD_COOKIE && find_cookie(um_field_value(f), name, ret_value))
            return true;
    }
    return false;
}

static bool find_key(const struct um_shadow_policy *policy, const struct um_sample_request *request,
                     struct um_str *ret_key)
{
    const struct um_field *field;
    struct um_str path, query;
    switch (policy->sampling_key) {
    case UM_SAMPLING_RANDOM:
        return false;
    case UM_SAMPLING_HEADER:
        field = um_head_find(request->head, policy->sampling_name, 0);
        if (field)
            *ret_key = um_field_value(field);
        return field != NULL;
    case UM_SAMPLING_COOKIE:
        return um_route_cookie(request->head, policy->sampling_name, ret_key);
    case UM_SAMPLING_QUERY:
        um_url_split(request->path, &path, &query);
        return um_url_query_param(query, policy->sampling_name, ret_key);
    case UM_SAMPLING_SOURCE_ADDRESS:
        *ret_key = request->source_ip;
        return true;
    }
    return false;
}

/* Each part is hashed with the hash of those before it as its seed, so that no two (salt, cluster, key) run together.
 */
static uint64_t hash_key(const struct um_mirror *mirror, struct um_str key)
{
    uint64_t hash = um_str_hash(mirror->policy->sampling_salt);
    hash = um_str_hash_seed(mirror->cluster_name, hash);
    return um_str_hash_seed(key, hash);
}

/* A number stands for one of a million places, whatever the denominator, and the sample is the places below the
 * percentage: so a larger percentage holds all of a smaller one. */
bool um_route_sample(const struct um_mirror *mirror, const struct um_sample_request *request, uint64_t random)
{
    struct um_str key;
    bool has_key = find_key(mirror->policy, request, &key) && key.n; /* an empty key says nothing about who asks */
    uint64_t place = (has_key ? hash_key(mirror, key) : random) % MILLION;
    return place * mirror->denominator < (uint64_t)mirror->numerator * MILLION;
}

bool um_route_allows_method(const struct um_shadow_policy *policy, const struct um_head *head)
{
    if (policy->methods == 0 && policy->n_other_methods == 0)
        return true;
    if (head->method != UM_METHOD_OTHER)
        return policy->methods & 1u << head->method;
    for (uint32_t i = 0; i < policy->n_other_methods; i++)
        if (um_str_eq(policy->other_methods[i], head->method_name))
            return true;
    return false;
}

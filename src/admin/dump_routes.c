/* SPDX-License-Identifier: Apache-2.0
 * Route configurations as Envoy's messages: virtual hosts, matches, actions, mirrors. */
#include "admin/dump.h"

enum { BACKOFF_DEFAULT_MS = 25, BACKOFF_MAX_FACTOR = 10 };

/* ---- headers -------------------------------------------------------------------------------------- */

/* a literal for Envoy's formatter: `%` is written `%%` */
static json_t *header_value(struct um_str value)
{
    struct um_buf text;
    um_buf_init(&text, 0);
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '%')
            um_buf_add_char(&text, '%');
        um_buf_add_char(&text, value.p[i]);
    }
    json_t *made = text.failed ? NULL : um_json_str(um_buf_str(&text));
    um_buf_release(&text);
    return made;
}

/* core.v3.HeaderValueOption; to append is the protocol's default */
static json_t *header_option(const struct um_header_op *op)
{
    json_t *out = json_pack("{s:{s:o, s:o}}", "header", "key", um_json_str(op->name), "value", header_value(op->value));
    if (op->op == UM_EDIT_SET)
        um_json_set(&out, "append_action", json_string("OVERWRITE_IF_EXISTS_OR_ADD"));
    return out;
}

static json_t *headers_to_add(const struct um_header_ops *ops)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < ops->n; i++)
        if (ops->ops[i].op != UM_EDIT_REMOVE)
            um_json_append(&out, header_option(&ops->ops[i]));
    return out;
}

static json_t *headers_to_remove(const struct um_header_ops *ops)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < ops->n; i++)
        if (ops->ops[i].op == UM_EDIT_REMOVE)
            um_json_append(&out, um_json_str(ops->ops[i].name));
    return out;
}

/* mutation_rules.v3.HeaderMutation: what a ShadowPolicy does to a copy */
static json_t *header_mutations(const struct um_header_ops *ops)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < ops->n; i++) {
        const struct um_header_op *op = &ops->ops[i];
        um_json_append(&out, op->op == UM_EDIT_REMOVE ? json_pack("{s:o}", "remove", um_json_str(op->name))
                                                      : json_pack("{s:o}", "append", header_option(op)));
    }
    return out;
}

/* ---- match ---------------------------------------------------------------------------------------- */

/* type.matcher.v3.StringMatcher */
static json_t *string_matcher(const struct um_string_match *m)
{
    json_t *out = json_object();
    if (m->kind == UM_MATCH_EXACT)
        um_json_set(&out, "exact", um_json_str(m->value));
    else if (m->kind == UM_MATCH_PREFIX)
        um_json_set(&out, "prefix", um_json_str(m->value));
    else
        um_json_set(&out, "safe_regex", json_pack("{s:o}", "regex", um_json_str(m->value)));
    if (m->ignore_case)
        um_json_set(&out, "ignore_case", json_true());
    return out;
}

static struct um_str subject_name(const struct um_condition *c)
{
    static const struct um_str PSEUDO[] = {[UM_SUBJECT_METHOD] = UM_STR_INIT(":method"),
                                           [UM_SUBJECT_SCHEME] = UM_STR_INIT(":scheme"),
                                           [UM_SUBJECT_AUTHORITY] = UM_STR_INIT(":authority")};
    bool is_named = c->subject == UM_SUBJECT_HEADER || c->subject == UM_SUBJECT_QUERY;
    return is_named ? c->name : PSEUDO[c->subject];
}

/* HeaderMatcher or QueryParameterMatcher: the same members where both have them */
static json_t *matcher(const struct um_condition *c)
{
    bool is_presence = c->match.kind == UM_MATCH_PRESENT || c->match.kind == UM_MATCH_ANY;
    json_t *out = json_pack("{s:o}", "name", um_json_str(subject_name(c)));
    if (is_presence)
        um_json_set(&out, "present_match", json_true());
    if (c->is_inverted)
        um_json_set(&out, "invert_match", json_true());
    if (!is_presence)
        um_json_set(&out, "string_match", string_matcher(&c->match));
    if (c->is_inverted && !is_presence)
        um_json_set(&out, "treat_missing_header_as_empty", json_true());
    return out;
}

static json_t *matchers(const struct um_route_match *m, bool of_query)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < m->n_conditions; i++)
        if ((m->conditions[i].subject == UM_SUBJECT_QUERY) == of_query)
            um_json_append(&out, matcher(&m->conditions[i]));
    return out;
}

static json_t *route_match(const struct um_route_match *m)
{
    json_t *out = json_object();
    if (m->path.kind == UM_MATCH_EXACT)
        um_json_set(&out, "path", um_json_str(m->path.value));
    else if (m->path.kind != UM_MATCH_REGEX)
        um_json_set(&out, "prefix", m->path.kind == UM_MATCH_PREFIX ? um_json_str(m->path.value) : json_string("/"));
    if (m->path.kind != UM_MATCH_ANY)
        um_json_set(&out, "case_sensitive", json_boolean(!m->path.ignore_case));
    um_json_set_filled(&out, "headers", matchers(m, false));
    um_json_set_filled(&out, "query_parameters", matchers(m, true));
    if (m->path.kind == UM_MATCH_REGEX)
        um_json_set(&out, "safe_regex", json_pack("{s:o}", "regex", um_json_str(m->path.value)));
    return out;
}

/* ---- forwarding ----------------------------------------------------------------------------------- */

static void set_text(json_t **object, const char *key, struct um_str text)
{
    if (text.n)
        um_json_set(object, key, um_json_str(text));
}

static json_t *weighted_cluster(const struct um_weighted_cluster *w)
{
    json_t *out = json_pack("{s:o, s:o}", "name", um_json_str(w->cluster_name), "weight", um_json_u64(w->weight));
    um_json_set_filled(&out, "request_headers_to_add", headers_to_add(&w->request_headers));
    um_json_set_filled(&out, "response_headers_to_add", headers_to_add(&w->response_headers));
    um_json_set_filled(&out, "response_headers_to_remove", headers_to_remove(&w->response_headers));
    um_json_set_filled(&out, "request_headers_to_remove", headers_to_remove(&w->request_headers));
    set_text(&out, "host_rewrite_literal", w->host_rewrite);
    return out;
}

static json_t *weighted_clusters(const struct um_route *r)
{
    json_t *clusters = json_array();
    for (uint32_t i = 0; i < r->n_clusters; i++)
        um_json_append(&clusters, weighted_cluster(&r->clusters[i]));
    return json_pack("{s:o}", "clusters", clusters);
}

static json_t *retry_on(const struct um_retry_policy *p)
{
    struct um_buf text;
    um_buf_init(&text, 0);
    um_buf_add_cstr(&text, p->on_connect_failure ? ",connect-failure" : "");
    um_buf_add_cstr(&text, p->on_refused_stream ? ",refused-stream" : "");
    um_buf_add_cstr(&text, p->on_reset_before_answer ? ",reset-before-request" : "");
    json_t *made = text.failed ? NULL : um_json_str(um_str_skip(um_buf_str(&text), 1));
    um_buf_release(&text);
    return made;
}

static json_t *retry_policy(const struct um_retry_policy *p)
{
    static const char PREDICATE[] =
        "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate";
    json_t *out = json_pack("{s:o, s:o}", "retry_on", retry_on(p), "num_retries", um_json_u64(p->attempts));
    um_json_set(&out, "retry_host_predicate",
                json_pack("[{s:s, s:{s:s}}]", "name", "envoy.retry_host_predicates.previous_hosts", "typed_config",
                          "@type", PREDICATE));
    um_json_set(&out, "host_selection_retry_max_attempts", um_json_u64_text(p->host_attempts));
    if (p->base_interval_ms != BACKOFF_DEFAULT_MS)
        um_json_set(&out, "retry_back_off",
                    json_pack("{s:o, s:o}", "base_interval", um_json_duration(p->base_interval_ms), "max_interval",
                              um_json_duration(p->base_interval_ms * BACKOFF_MAX_FACTOR)));
    return out;
}

/* type.v3.FractionalPercent: HUNDRED and a numerator of 0 are the protocol's defaults */
static json_t *fraction(const struct um_mirror *m)
{
    json_t *out = json_object();
    if (m->numerator)
        um_json_set(&out, "numerator", um_json_u64(m->numerator));
    if (m->denominator == 1000000)
        um_json_set(&out, "denominator", json_string("MILLION"));
    return out;
}

static json_t *mirror_policy(const struct um_mirror *m)
{
    json_t *out = json_object();
    um_json_set(&out, "cluster", um_json_str(m->cluster_name));
    um_json_set(&out, "runtime_fraction", json_pack("{s:o}", "default_value", fraction(m)));
    um_json_set(&out, "trace_sampled", json_false());
    if (!m->policy->has_host_suffix)
        um_json_set(&out, "disable_shadow_host_suffix_append", json_true());
    um_json_set_filled(&out, "request_headers_mutations", header_mutations(&m->policy->headers));
    set_text(&out, "host_rewrite_literal", m->policy->host_rewrite);
    return out;
}

static json_t *mirror_policies(const struct um_route *r)
{
    json_t *out = json_array();
    for (uint32_t i = 0; i < r->n_mirrors; i++)
        um_json_append(&out, mirror_policy(&r->mirrors[i]));
    return out;
}

static json_t *forward_action(const struct um_route *r)
{
    json_t *out = json_object();
    if (r->n_clusters == 1)
        um_json_set(&out, "cluster", um_json_str(r->clusters[0].cluster_name));
    else
        um_json_set(&out, "weighted_clusters", weighted_clusters(r));
    if (r->has_path_rewrite)
        um_json_set(&out, "prefix_rewrite", um_json_str(r->path_rewrite));
    set_text(&out, "host_rewrite_literal", r->host_rewrite);
    um_json_set(&out, "timeout", um_json_duration(r->timeout_ms));
    if (r->retry.attempts)
        um_json_set(&out, "retry_policy", retry_policy(&r->retry));
    um_json_set(&out, "max_grpc_timeout", um_json_duration(r->timeout_ms));
    um_json_set_filled(&out, "request_mirror_policies", mirror_policies(r));
    return out;
}

/* ---- the other actions ---------------------------------------------------------------------------- */

/* 301 is the protocol's default */
static const char *redirect_code(uint16_t status)
{
    switch (status) {
    case 302:
        return "FOUND";
    case 303:
        return "SEE_OTHER";
    case 307:
        return "TEMPORARY_REDIRECT";
    case 308:
        return "PERMANENT_REDIRECT";
    default:
        return NULL;
    }
}

static json_t *redirect_action(const struct um_route *r)
{
    json_t *out = json_object();
    set_text(&out, "host_redirect", r->redirect_authority);
    set_text(&out, "path_redirect", r->redirect_path);
    if (redirect_code(r->status))
        um_json_set(&out, "response_code", json_string(redirect_code(r->status)));
    set_text(&out, "scheme_redirect", r->redirect_scheme);
    return out;
}

static json_t *direct_response(const struct um_route *r)
{
    json_t *out = json_pack("{s:i}", "status", (int)r->status);
    if (r->body.n)
        um_json_set(&out, "body", json_pack("{s:o}", "inline_string", um_json_str(r->body)));
    return out;
}

/* ---- route ---------------------------------------------------------------------------------------- */

/* istiod's: host:port of the one destination, else the name of the VirtualService with the port of the virtual host */
static void add_operation_target(struct um_buf *text, const struct um_virtual_host *vh, const struct um_route *r)
{
    const struct um_cluster *only = r->n_clusters == 1 ? r->clusters[0].cluster : NULL;
    if (only) {
        um_buf_addf(text, "%.*s:%u", UM_STR_ARG(only->host), (unsigned)only->port);
        return;
    }
    ptrdiff_t colon = um_str_rfind(vh->name, ':');
    um_buf_add(text, um_str_skip(r->config_path, (size_t)(um_str_rfind(r->config_path, '/') + 1)));
    if (colon >= 0)
        um_buf_add(text, um_str_skip(vh->name, (size_t)colon));
}

static json_t *operation(const struct um_virtual_host *vh, const struct um_route *r)
{
    struct um_buf text;
    um_buf_init(&text, 0);
    add_operation_target(&text, vh, r);
    if (r->match.path.kind == UM_MATCH_ANY)
        um_buf_add_char(&text, '/');
    um_buf_add(&text, r->match.path.value);
    if (r->match.path.kind == UM_MATCH_ANY || r->match.path.kind == UM_MATCH_PREFIX)
        um_buf_add_char(&text, '*');
    json_t *made = text.failed ? NULL : um_json_str(um_buf_str(&text));
    um_buf_release(&text);
    return made;
}

static json_t *route_json(const struct um_virtual_host *vh, const struct um_route *r)
{
    json_t *out = json_object();
    um_json_set(&out, "match", route_match(&r->match));
    if (r->action == UM_ACTION_FORWARD)
        um_json_set(&out, "route", forward_action(r));
    if (r->action == UM_ACTION_REDIRECT)
        um_json_set(&out, "redirect", redirect_action(r));
    if (r->config_path.n)
        um_json_set(&out, "metadata",
                    um_dump_istio_metadata(json_pack("{s:o}", "config", um_json_str(r->config_path))));
    um_json_set(&out, "decorator", json_pack("{s:o}", "operation", operation(vh, r)));
    if (r->action == UM_ACTION_DIRECT_RESPONSE)
        um_json_set(&out, "direct_response", direct_response(r));
    um_json_set_filled(&out, "request_headers_to_add", headers_to_add(&r->request_headers));
    um_json_set_filled(&out, "response_headers_to_add", headers_to_add(&r->response_headers));
    um_json_set_filled(&out, "response_headers_to_remove", headers_to_remove(&r->response_headers));
    um_json_set_filled(&out, "request_headers_to_remove", headers_to_remove(&r->request_headers));
    set_text(&out, "name", r->name);
    return out;
}

static json_t *virtual_host(const struct um_virtual_host *vh)
{
    json_t *domains = json_array(), *routes = json_array(), *out = json_object();
    for (uint32_t i = 0; i < vh->n_domains; i++)
        um_json_append(&domains, um_json_str(vh->domains[i]));
    for (uint32_t i = 0; i < vh->n_routes; i++)
        um_json_append(&routes, route_json(vh, &vh->routes[i]));
    um_json_set(&out, "name", um_json_str(vh->name));
    um_json_set(&out, "domains", domains);
    um_json_set_filled(&out, "routes", routes);
    um_json_set(&out, "include_request_attempt_count", json_true());
    return out;
}

static json_t *route_config(const struct um_route_config *config)
{
    json_t *hosts = json_array(), *out = json_object();
    for (uint32_t i = 0; i < config->n_virtual_hosts; i++)
        um_json_append(&hosts, virtual_host(&config->virtual_hosts[i]));
    um_json_set(&out, "@type", json_string("type.googleapis.com/envoy.config.route.v3.RouteConfiguration"));
    um_json_set(&out, "name", um_json_str(config->name));
    um_json_set_filled(&out, "virtual_hosts", hosts);
    um_json_set(&out, "validate_clusters", json_false());
    um_json_set(&out, "ignore_port_in_host_matching", json_true());
    return out;
}

json_t *um_dump_routes(const struct um_dump *dump)
{
    json_t *configs = json_array(), *out = json_object();
    for (uint32_t i = 0; i < dump->snapshot->n_route_configs; i++) {
        const struct um_route_config *config = &dump->snapshot->route_configs[i];
        if (um_dump_wants(dump, config->name))
            um_json_append(&configs, json_pack("{s:o, s:o, s:o}", "version_info", um_dump_version(dump), "route_config",
                                               route_config(config), "last_updated", um_dump_updated(dump)));
    }
    um_json_set_filled(&out, "dynamic_route_configs", configs);
    return out;
}

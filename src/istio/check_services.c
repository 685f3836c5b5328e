/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/check.h"

#include "istio/compile_scope.h"
#include "istio/names.h"

/* ---- ports -------------------------------------------------------------------------------------- */

/* what is said once, of the first of many */
struct note {
    const struct um_mesh_port *first;
    uint32_t n;
};

static void take(struct note *note, const struct um_mesh_port *port)
{
    if (note->n++ == 0)
        note->first = port;
}

static void say(struct um_compile *c, const struct note *note, const char *hint, const char *what)
{
    if (note->n > 1)
        um_complain(c->diag, UM_SEVERITY_WARNING, note->first->place, NULL, hint, "%s (and %u more ports)", what,
                    note->n - 1);
    else if (note->n)
        um_complain(c->diag, UM_SEVERITY_WARNING, note->first->place, NULL, hint, "%s", what);
}

/* only a sidecar opens listeners for these ports; what a gateway sends them is HTTP in any case */
static void check_ports(struct um_compile *c)
{
    struct note opaque = {0}, unnamed = {0}, http2 = {0};
    for (uint32_t i = 0; i < c->registry.n_services; i++) {
        const struct um_mesh_service *s = c->registry.services[i];
        for (uint32_t k = 0; k < s->n_ports; k++) {
            enum um_protocol p = s->ports[k].protocol;
            if (p == UM_PROTOCOL_HTTP2 || p == UM_PROTOCOL_GRPC)
                take(&http2, &s->ports[k]);
            else if (p == UM_PROTOCOL_UNNAMED)
                take(&unnamed, &s->ports[k]);
            else if (!um_protocol_is_http(p))
                take(&opaque, &s->ports[k]);
        }
    }
    say(c, &http2, NULL, "HTTP/2 is not served yet: spoken to in HTTP/1.1");
    if (c->is_gateway)
        return;
    say(c, &opaque, NULL, "no listener: only HTTP is served yet");
    say(c, &unnamed, "begin its name with `http-`, or set appProtocol", "names no protocol: taken as HTTP");
}

/* ---- original destinations ---------------------------------------------------------------------- */

/* requests come to umbra's own address: where they were meant to go otherwise is not known */
static const char NO_DESTINATION[] = "there is no original destination to go to: requests get 503";

static void check_resolution(struct um_compile *c, const struct um_mesh_service *s)
{
    if (s->discovery == UM_DISCOVERY_ORIGINAL_DST)
        um_complain(c->diag, UM_SEVERITY_WARNING, &s->meta->place, "spec.resolution", "use STATIC or DNS", "NONE: %s",
                    NO_DESTINATION);
}

static void check_load_balancer(struct um_compile *c, const struct um_traffic_blocks *blocks)
{
    if (blocks->load_balancer && blocks->load_balancer->simple == UM_LB_SIMPLE_PASSTHROUGH)
        um_complain(c->diag, UM_SEVERITY_WARNING, &blocks->load_balancer->place, "simple", NULL, "PASSTHROUGH: %s",
                    NO_DESTINATION);
}

static void check_policy(struct um_compile *c, const struct um_traffic_policy *policy)
{
    if (!policy)
        return;
    check_load_balancer(c, &policy->blocks);
    for (uint32_t i = 0; i < policy->n_port_level_settings; i++)
        check_load_balancer(c, &policy->port_level_settings[i].blocks);
}

/* ---- DestinationRules --------------------------------------------------------------------------- */

static bool selects_any(const struct um_mesh_service *s, const struct um_pairs *labels)
{
    for (uint32_t i = 0; i < s->n_instances; i++)
        if (um_pairs_contain(s->instances[i].labels, labels))
            return true;
    return s->n_instances == 0; /* nothing is known of its endpoints: that is not the subset's fault */
}

static void check_subsets(struct um_compile *c, const struct um_destination_rule *rule, const struct um_mesh_service *s)
{
    for (uint32_t i = 0; i < rule->n_subsets; i++)
        if (!selects_any(s, &rule->subsets[i].labels))
            um_complain(c->diag, UM_SEVERITY_WARNING, &rule->subsets[i].place, "labels", NULL,
                        "no endpoint of '%.*s' has these labels", UM_STR_ARG(s->host));
}

static void check_rule(struct um_compile *c, const struct um_destination_rule *rule)
{
    check_policy(c, rule->traffic_policy);
    for (uint32_t i = 0; i < rule->n_subsets; i++)
        check_policy(c, rule->subsets[i].traffic_policy);
    struct um_str host = um_compile_made(c, um_name_host(&c->scratch, rule->host, rule->meta.namespace_name));
    if (!host.p || rule->host.n == 0 || um_name_is_wildcard(host))
        return;
    const struct um_mesh_service *s = um_registry_find(&c->registry, host);
    if (s)
        check_subsets(c, rule, s);
    else
        um_complain(c->diag, UM_SEVERITY_WARNING, &rule->place, "host",
                    um_registry_hint(&c->registry, rule->host, host), "no Service or ServiceEntry has the host '%.*s'",
                    UM_STR_ARG(host));
}

void um_check_services(struct um_compile *c)
{
    check_ports(c);
    for (uint32_t i = 0; i < c->registry.n_services; i++)
        check_resolution(c, c->registry.services[i]);
    for (uint32_t i = 0; !um_compile_has_failed(c) && i < c->resources->n_destination_rules; i++)
        check_rule(c, &c->resources->destination_rules[i]);
}

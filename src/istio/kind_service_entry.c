/* SPDX-License-Identifier: Apache-2.0
 * ServiceEntry and WorkloadEntry. */
#include "istio/decode.h"
#include "istio/kind_rules.h"

enum { MAX_PORT = 65535 };

/* ---- ports ---- */

static const char *rule_protocol(struct um_str s, struct um_arena *arena)
{
    static const struct um_str KNOWN[] = {
        UM_STR_INIT("HTTP"),  UM_STR_INIT("HTTPS"), UM_STR_INIT("HTTP2"), UM_STR_INIT("GRPC"),  UM_STR_INIT("GRPC-WEB"),
        UM_STR_INIT("TCP"),   UM_STR_INIT("TLS"),   UM_STR_INIT("UDP"),   UM_STR_INIT("MONGO"), UM_STR_INIT("REDIS"),
        UM_STR_INIT("MYSQL"), UM_STR_INIT("HBONE"), UM_STR_INIT(""),
    };
    for (size_t i = 0; i < sizeof KNOWN / sizeof KNOWN[0]; i++)
        if (um_str_ieq(s, KNOWN[i]))
            return NULL;
    return "must be a protocol such as HTTP, HTTPS, HTTP2, GRPC, TCP or TLS";
}

static const struct um_field_row ENTRY_PORT_ROWS[] = {
    UM_ROW(OPT_U32, "number", um_entry_port, number, .min = 1, .max = MAX_PORT, .is_required = true),
    UM_ROW(TEXT, "name", um_entry_port, name, .is_required = true, .rule = um_rule_label),
    UM_ROW(TEXT, "protocol", um_entry_port, protocol, .rule = rule_protocol),
    UM_ROW(OPT_U32, "targetPort", um_entry_port, target_port, .min = 1, .max = MAX_PORT),
};
const struct um_table um_entry_port_table = UM_TABLE(ENTRY_PORT_ROWS, um_entry_port);

/* ---- endpoints, WorkloadEntry ---- */

static const char *rule_address(struct um_str s, struct um_arena *arena)
{
    return um_str_starts(s, UM_STR("unix://")) ? NULL : um_rule_host(s, arena);
}

static const struct um_field_row WORKLOAD_ROWS[] = {
    UM_ROW(TEXT, "address", um_workload, address, .rule = rule_address),
    UM_ROW(NAMED_PORTS, "ports", um_workload, ports),
    UM_ROW(PAIRS, "labels", um_workload, labels),
    UM_ROW(TEXT, "network", um_workload, network),
    UM_ROW(TEXT, "locality", um_workload, locality),
    UM_ROW(OPT_U32, "weight", um_workload, weight),
    UM_ROW(TEXT, "serviceAccount", um_workload, service_account),
};

static void check_workload(struct um_decoder *d, void *object)
{
    const struct um_workload *w = object;
    if (!um_place_has(&w->place, "address"))
        um_decode_fault(d, &w->place, "address", "is missing");
}

const struct um_table um_workload_table = UM_TABLE(WORKLOAD_ROWS, um_workload, .check = check_workload);

/* ---- ServiceEntry ---- */

/* the bytes of a port's number, as a key */
static struct um_str number_key(const struct um_entry_port *port)
{
    return (struct um_str){(const char *)&port->number.value, sizeof port->number.value};
}

/* leaves the ports by name in `names` */
static void check_ports(struct um_decoder *d, const struct um_service_entry *se, struct um_map *names)
{
    struct um_map numbers;
    um_map_init(&numbers);
    for (uint32_t i = 0; i < se->n_ports; i++) {
        struct um_entry_port *port = &se->ports[i];
        const struct um_entry_port *other = port->name.n ? um_decode_claim(d, names, port->name, port) : NULL;
        if (other)
            um_decode_fault(d, &port->place, "name", "ports[%d] has the same name", (int)other->place.index);
        other = port->number.is_set ? um_decode_claim(d, &numbers, number_key(port), port) : NULL;
        if (other)
            um_decode_fault(d, &port->place, "number", "ports[%d] has the same number", (int)other->place.index);
    }
    um_map_release(&numbers);
}

static void check_address(struct um_decoder *d, const struct um_service_entry *se, const struct um_workload *w)
{
    bool is_unix = um_str_starts(w->address, UM_STR("unix://"));
    bool is_static = se->resolution == UM_RESOLUTION_STATIC;
    if (is_static && w->address.n && !is_unix && um_rule_ip(w->address, d->arena))
        um_complain(d->diag, UM_SEVERITY_ERROR, &w->place, "address", "names need `resolution: DNS`",
                    "must be an IP address under `resolution: STATIC`");
    if (is_unix && !is_static)
        um_decode_fault(d, &w->place, "address", "a unix socket needs `resolution: STATIC`");
}

static void check_endpoints(struct um_decoder *d, const struct um_service_entry *se, const struct um_map *port_names)
{
    for (uint32_t i = 0; i < se->n_endpoints; i++) {
        const struct um_workload *w = &se->endpoints[i];
        check_address(d, se, w);
        for (uint32_t p = 0; p < w->ports.n; p++)
            if (!um_map_get(port_names, w->ports.items[p].name))
                um_decode_fault(d, &w->place, "ports", "`%.*s` is not the name of one of the ServiceEntry's ports",
                                UM_STR_ARG(w->ports.items[p].name));
    }
}

static bool has_wildcard(const struct um_strs *hosts)
{
    for (uint32_t i = 0; i < hosts->n; i++)
        if (hosts->items[i].n && hosts->items[i].p[0] == '*')
            return true;
    return false;
}

static void check_resolution(struct um_decoder *d, const struct um_service_entry *se)
{
    bool is_dns = se->resolution == UM_RESOLUTION_DNS || se->resolution == UM_RESOLUTION_DNS_ROUND_ROBIN;
    if (se->resolution == UM_RESOLUTION_NONE && se->n_endpoints)
        um_complain(d->diag, UM_SEVERITY_ERROR, &se->place, "endpoints", "say `resolution: STATIC` or DNS",
                    "cannot stand beside `resolution: NONE`, the default");
    if (is_dns && has_wildcard(&se->hosts) && !se->n_endpoints)
        um_decode_fault(d, &se->place, "hosts", "a wildcard cannot be resolved: `resolution: DNS` needs endpoints");
    if (se->resolution == UM_RESOLUTION_DNS_ROUND_ROBIN && se->n_endpoints > 1)
        um_decode_fault(d, &se->place, "endpoints", "`resolution: DNS_ROUND_ROBIN` takes one endpoint");
    if (se->resolution == UM_RESOLUTION_DYNAMIC_DNS)
        um_decode_fault(d, &se->place, "resolution", "DYNAMIC_DNS is not supported yet");
}

static void check_service_entry(struct um_decoder *d, void *object)
{
    struct um_service_entry *se = object;
    se->has_workload_selector = um_place_has(&se->place, "workloadSelector");
    struct um_map port_names;
    um_map_init(&port_names);
    check_ports(d, se, &port_names);
    check_endpoints(d, se, &port_names);
    um_map_release(&port_names);
    check_resolution(d, se);
    if (se->has_workload_selector && se->n_endpoints)
        um_decode_fault(d, &se->place, "workloadSelector", "cannot stand beside `endpoints`");
    if (!um_place_has(&se->place, "hosts"))
        um_decode_fault(d, &se->place, "hosts", "is missing");
}

static const char *rule_entry_host(struct um_str s, struct um_arena *arena)
{
    return um_str_eq(s, UM_STR("*")) ? "must not be `*`" : um_rule_wildcard_host(s, arena);
}

static const struct um_enum_name LOCATIONS[] = {
    {"MESH_EXTERNAL", UM_LOCATION_MESH_EXTERNAL},
    {"MESH_INTERNAL", UM_LOCATION_MESH_INTERNAL},
    {NULL, 0},
};

static const struct um_enum_name RESOLUTIONS[] = {
    {"NONE", UM_RESOLUTION_NONE},
    {"STATIC", UM_RESOLUTION_STATIC},
    {"DNS", UM_RESOLUTION_DNS},
    {"DNS_ROUND_ROBIN", UM_RESOLUTION_DNS_ROUND_ROBIN},
    {"DYNAMIC_DNS", UM_RESOLUTION_DYNAMIC_DNS},
    {NULL, 0},
};

static const struct um_field_row SELECTOR_ROWS[] = {
    UM_ROW(PAIRS, "labels", um_service_entry, workload_selector),
};
static const struct um_table selector_table = UM_TABLE(SELECTOR_ROWS, um_service_entry);

static const struct um_field_row SERVICE_ENTRY_ROWS[] = {
    UM_ROW(TEXTS, "hosts", um_service_entry, hosts, .rule = rule_entry_host),
    UM_ROW(TEXTS, "addresses", um_service_entry, addresses, .rule = um_rule_ip_or_cidr),
    UM_ROW_LIST(OBJECTS, "ports", um_service_entry, ports, .table = &um_entry_port_table),
    UM_ROW(ENUM, "location", um_service_entry, location, .names = LOCATIONS),
    UM_ROW(ENUM, "resolution", um_service_entry, resolution, .names = RESOLUTIONS),
    UM_ROW_LIST(OBJECTS, "endpoints", um_service_entry, endpoints, .table = &um_workload_table),
    UM_ROW_FLAT("workloadSelector", selector_table),
    UM_ROW(TEXTS, "exportTo", um_service_entry, export_to, .rule = um_rule_namespace_scope),
    UM_ROW(TEXTS, "subjectAltNames", um_service_entry, subject_alt_names, .support = UM_NO_EFFECT,
           .note = "TLS to the endpoints is not spoken yet"),
};
const struct um_table um_service_entry_table =
    UM_TABLE(SERVICE_ENTRY_ROWS, um_service_entry, .check = check_service_entry);

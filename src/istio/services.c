/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/services.h"

#include "istio/compile_grow.h"
#include "istio/compile_scope.h"
#include "istio/names.h"
#include "istio/services_build.h"

#include <stdio.h>

enum { HINTS_MAX = 20 };

/* ---- looking up --------------------------------------------------------------------------------- */

struct um_mesh_service *um_registry_find(const struct um_registry *r, struct um_str host)
{
    return um_map_get(&r->by_host, host);
}

const struct um_mesh_port *um_mesh_port_find(const struct um_mesh_service *service, uint16_t number)
{
    for (uint32_t i = 0; i < service->n_ports; i++)
        if (service->ports[i].number == number)
            return &service->ports[i];
    return NULL;
}

/* "NAME.NS" of a Service's host: what tells two of them apart, and short enough to compare */
static struct um_str without_domain(struct um_str host)
{
    struct um_str domain = UM_STR(".svc.cluster.local");
    return um_str_ends(host, domain) ? (struct um_str){host.p, host.n - domain.n} : host;
}

const char *um_registry_hint(struct um_registry *r, struct um_str written, struct um_str host)
{
    if (r->n_hints >= HINTS_MAX)
        return NULL;
    r->n_hints++;
    struct um_nearest nearest = um_nearest_to(without_domain(host));
    for (uint32_t i = 0; i < r->n_services; i++)
        um_nearest_consider(&nearest, without_domain(r->services[i]->host));
    if (!nearest.name.p)
        return NULL;
    ptrdiff_t dot = um_str_find(nearest.name, '.');
    if (um_str_find(written, '.') < 0 && dot >= 0) /* a short name is answered with a short name */
        nearest.name.n = (size_t)dot;
    return um_arena_printf(r->arena, "did you mean '%.*s'?", UM_STR_ARG(nearest.name)).p;
}

/* ---- building ----------------------------------------------------------------------------------- */

/* SE ports of the same host and namespace come together; the first of a number counts */
static void merge_ports(struct um_services_build *b, struct um_mesh_service *into, const struct um_mesh_service *from)
{
    struct um_mesh_port *ports = um_items_new(b->arena, into->n_ports + from->n_ports, sizeof *ports);
    if (!ports) {
        b->rc = UM_ENOMEM;
        return;
    }
    if (into->n_ports)
        memcpy(ports, into->ports, into->n_ports * sizeof *ports);
    into->ports = ports;
    for (uint32_t i = 0; i < from->n_ports; i++)
        if (!um_mesh_port_find(into, from->ports[i].number))
            ports[into->n_ports++] = from->ports[i];
}

static bool can_merge(const struct um_mesh_service *a, const struct um_mesh_service *b)
{
    return !a->kubernetes && !b->kubernetes && a->discovery == b->discovery &&
           um_str_eq(a->namespace_name, b->namespace_name);
}

/* Takes `s` into the registry, unless its host is there: then it joins it or, said at `place`.`field`, is left out. */
static void add_service(struct um_services_build *b, const struct um_mesh_service *s, const struct um_place *place,
                        const char *field)
{
    struct um_registry *r = b->registry;
    struct um_mesh_service *there = um_registry_find(r, s->host);
    if (there && can_merge(there, s)) {
        merge_ports(b, there, s);
        return;
    }
    if (there && there->kubernetes && s->kubernetes) /* decoding says so */
        return;
    if (there) {
        um_complain(b->diag, UM_SEVERITY_WARNING, place, field, NULL,
                    "host '%.*s' is already defined by %.*s, which counts", UM_STR_ARG(s->host),
                    UM_STR_ARG(there->meta->resource));
        return;
    }
    struct um_mesh_service *copy = um_arena_zalloc(b->arena, sizeof *copy);
    struct um_mesh_service **services = um_grow(b->arena, r->services, r->n_services, sizeof(struct um_mesh_service *));
    if (!copy || !services || um_map_put(&r->by_host, s->host, copy, NULL)) {
        b->rc = UM_ENOMEM;
        return;
    }
    *copy = *s;
    r->services = services;
    services[r->n_services++] = copy;
}

/* ---- Services ----------------------------------------------------------------------------------- */

static enum um_protocol service_protocol(const struct um_service_port *port)
{
    if (um_str_eq(port->protocol, UM_STR("UDP")) || um_str_eq(port->protocol, UM_STR("SCTP")))
        return UM_PROTOCOL_UDP;
    return um_protocol_of(port->app_protocol, port->name, (uint16_t)port->port.value);
}

static struct um_mesh_port service_port(const struct um_service_port *port)
{
    uint64_t target;
    struct um_mesh_port p = {
        .place = &port->place,
        .name = port->name,
        .number = (uint16_t)port->port.value,
        .protocol = service_protocol(port),
    };
    if (port->target_port.n == 0)
        p.target = p.number;
    else if (um_str_to_u64(port->target_port, UINT16_MAX, &target) == 0)
        p.target = (uint16_t)target;
    else
        p.target_name = port->target_port;
    return p;
}

static void set_service_addresses(struct um_services_build *b, struct um_mesh_service *s, const struct um_service *from)
{
    const struct um_str *ips = from->cluster_ips.n ? from->cluster_ips.items : &from->cluster_ip;
    uint32_t n = from->cluster_ips.n ? from->cluster_ips.n : from->cluster_ip.n > 0;
    s->addresses = um_items_new(b->arena, n, sizeof *s->addresses);
    if (!s->addresses) {
        b->rc = UM_ENOMEM;
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        if (!um_str_eq(ips[i], UM_STR("None")))
            s->addresses[s->n_addresses++] = ips[i];
}

static void add_kubernetes(struct um_services_build *b, const struct um_service *from)
{
    bool is_external_name = um_str_eq(from->type, UM_STR("ExternalName"));
    struct um_mesh_service s = {
        .host = um_name_service_host(b->arena, from->meta.name, from->meta.namespace_name),
        .name = from->meta.name,
        .namespace_name = from->meta.namespace_name,
        .meta = &from->meta,
        .kubernetes = from,
        .discovery = is_external_name ? UM_DISCOVERY_STRICT_DNS : UM_DISCOVERY_EDS,
        .is_external = is_external_name,
        .ports = um_items_new(b->arena, from->n_ports, sizeof *s.ports),
    };
    if (!s.host.p || !s.ports) {
        b->rc = UM_ENOMEM;
        return;
    }
    for (uint32_t i = 0; i < from->n_ports; i++)
        if (from->ports[i].port.is_set)
            s.ports[s.n_ports++] = service_port(&from->ports[i]);
    if (is_external_name)
        s.external_name = um_name_host(b->arena, from->external_name, from->meta.namespace_name);
    set_service_addresses(b, &s, from);
    add_service(b, &s, &from->meta.place, "metadata.name");
}

/* ---- ServiceEntries ----------------------------------------------------------------------------- */

static enum um_discovery discovery_of(enum um_resolution resolution)
{
    switch (resolution) {
    case UM_RESOLUTION_STATIC:
        return UM_DISCOVERY_EDS;
    case UM_RESOLUTION_DNS:
        return UM_DISCOVERY_STRICT_DNS;
    case UM_RESOLUTION_DNS_ROUND_ROBIN:
        return UM_DISCOVERY_LOGICAL_DNS;
    default:
        return UM_DISCOVERY_ORIGINAL_DST;
    }
}

bool um_services_is_of(const struct um_mesh_service *s, const struct um_service_entry *entry)
{
    return !s->kubernetes && um_str_eq(s->namespace_name, entry->meta.namespace_name) &&
           s->discovery == discovery_of(entry->resolution);
}

static void set_entry_ports(struct um_services_build *b, struct um_mesh_service *s, const struct um_service_entry *from)
{
    s->ports = um_items_new(b->arena, from->n_ports, sizeof *s->ports);
    if (!s->ports) {
        b->rc = UM_ENOMEM;
        return;
    }
    for (uint32_t i = 0; i < from->n_ports; i++) {
        const struct um_entry_port *port = &from->ports[i];
        if (!port->number.is_set)
            continue;
        s->ports[s->n_ports++] = (struct um_mesh_port){
            .place = &port->place,
            .name = port->name,
            .number = (uint16_t)port->number.value,
            .target = (uint16_t)(port->target_port.is_set ? port->target_port.value : port->number.value),
            .protocol = um_protocol_of(port->protocol, port->name, (uint16_t)port->number.value),
        };
    }
}

static void add_entry_hosts(struct um_services_build *b, const struct um_service_entry *from)
{
    struct um_mesh_service s = {
        .name = from->meta.name,
        .namespace_name = from->meta.namespace_name,
        .meta = &from->meta,
        .discovery = discovery_of(from->resolution),
        .is_external = from->location == UM_LOCATION_MESH_EXTERNAL,
        .addresses = from->addresses.items,
        .n_addresses = from->addresses.n,
    };
    if (!um_is_exported(&from->export_to, s.namespace_name, b->options->namespace_name))
        return;
    set_entry_ports(b, &s, from);
    for (uint32_t i = 0; b->rc == 0 && i < from->hosts.n; i++) {
        char field[32];
        snprintf(field, sizeof field, "hosts[%u]", i);
        s.host = um_name_lower(b->arena, from->hosts.items[i]);
        if (!s.host.p)
            b->rc = UM_ENOMEM;
        else
            add_service(b, &s, &from->place, field);
    }
}

/* those of the proxy's own namespace first: for one host they count before others */
static void add_entries(struct um_services_build *b, bool of_own_namespace)
{
    for (uint32_t i = 0; b->rc == 0 && i < b->resources->n_service_entries; i++) {
        const struct um_service_entry *entry = (const void *)b->entries_by_age[i];
        bool is_own = um_str_eq(entry->meta.namespace_name, b->options->namespace_name);
        if (is_own == of_own_namespace)
            add_entry_hosts(b, entry);
    }
}

/* ---- all together ------------------------------------------------------------------------------- */

static void link_external_names(struct um_registry *r)
{
    for (uint32_t i = 0; i < r->n_services; i++) {
        struct um_mesh_service *s = r->services[i];
        struct um_mesh_service *target = s->external_name.n ? um_registry_find(r, s->external_name) : NULL;
        if (target && target->external_name.n == 0)
            s->stands_for = target;
    }
}

int um_registry_build(struct um_registry *r, const struct um_resources *resources,
                      const struct um_compile_options *options, struct um_diag *diag, struct um_arena *arena)
{
    *r = (struct um_registry){.arena = arena};
    um_map_init(&r->by_host);
    struct um_services_build b = {
        .registry = r,
        .resources = resources,
        .options = options,
        .diag = diag,
        .arena = arena,
        .entries_by_age = um_by_age(arena, resources->service_entries, resources->n_service_entries,
                                    sizeof *resources->service_entries),
    };
    if (!b.entries_by_age)
        return UM_ENOMEM;
    for (uint32_t i = 0; b.rc == 0 && i < resources->n_services; i++)
        add_kubernetes(&b, &resources->services[i]);
    add_entries(&b, true);
    add_entries(&b, false);
    link_external_names(r);
    if (b.rc == 0)
        um_services_join(&b);
    return b.rc;
}

void um_registry_release(struct um_registry *r)
{
    um_map_release(&r->by_host);
}

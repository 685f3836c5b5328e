/* SPDX-License-Identifier: Apache-2.0 */
#include "istio/compile_grow.h"
#include "istio/names.h"
#include "istio/services_build.h"
#include "istio/services_workloads.h"

static const struct um_pairs NO_LABELS;

/* ---- one instance ------------------------------------------------------------------------------- */

static bool can_use_address(struct um_services_build *b, const struct um_mesh_service *s, struct um_str address,
                            const struct um_place *place, const char *field)
{
    struct um_sockaddr ignored;
    if (um_str_starts(address, UM_STR("unix://"))) {
        um_complain(b->diag, UM_SEVERITY_WARNING, place, field, NULL,
                    "unix sockets are not served yet: endpoint left out");
        return false;
    }
    if (address.n == 0)
        return false;
    if (s->discovery == UM_DISCOVERY_EDS && um_sockaddr_parse(address, 0, &ignored)) {
        um_complain(b->diag, UM_SEVERITY_WARNING, place, field, NULL, "'%.*s' is not an IP address: endpoint left out",
                    UM_STR_ARG(address));
        return false;
    }
    return true;
}

/* a new instance of `s`, ready and without labels; *ret_ports one per port of the service, all 0. NULL: no memory. */
static struct um_mesh_instance *new_instance(struct um_services_build *b, struct um_mesh_service *s,
                                             struct um_str address, uint16_t **ret_ports)
{
    uint16_t *ports = um_items_new(b->arena, s->n_ports, sizeof *ports);
    struct um_mesh_instance *items = um_grow(b->arena, s->instances, s->n_instances, sizeof *items);
    if (!ports || !items) {
        b->rc = UM_ENOMEM;
        return NULL;
    }
    s->instances = items;
    items += s->n_instances++;
    *items = (struct um_mesh_instance){
        .address = address, .labels = &NO_LABELS, .ports = ports, .weight = 1, .is_ready = true};
    *ret_ports = ports;
    return items;
}

static uint32_t named_port(const struct um_named_ports *ports, struct um_str name)
{
    for (uint32_t i = 0; i < ports->n; i++)
        if (um_str_eq(ports->items[i].name, name))
            return ports->items[i].number;
    return 0;
}

/* whether `entry` is one that gave the service this port; NULL: a Kubernetes Service, whose ports are all its own */
static bool has_port(const struct um_service_entry *entry, uint16_t number)
{
    for (uint32_t i = 0; entry && i < entry->n_ports; i++)
        if (entry->ports[i].number.value == number)
            return true;
    return !entry;
}

/* endpoints[] of a ServiceEntry, or a WorkloadEntry that it or a Service selects */
static void add_workload(struct um_services_build *b, struct um_mesh_service *s, const struct um_service_entry *entry,
                         const struct um_workload *w, const struct um_pairs *labels)
{
    uint16_t *ports;
    if (!can_use_address(b, s, w->address, &w->place, "address"))
        return;
    struct um_mesh_instance *instance = new_instance(b, s, w->address, &ports);
    if (!instance)
        return;
    instance->labels = labels;
    instance->locality = w->locality;
    if (w->weight.is_set && w->weight.value > 0)
        instance->weight = w->weight.value;
    for (uint32_t i = 0; i < s->n_ports; i++) {
        uint32_t named = named_port(&w->ports, s->ports[i].name);
        if (has_port(entry, s->ports[i].number))
            ports[i] = named ? (uint16_t)named : s->ports[i].target ? s->ports[i].target : s->ports[i].number;
    }
}

/* ---- Pods and WorkloadEntries by selector ------------------------------------------------------- */

static uint16_t container_port(const struct um_pod *pod, struct um_str name)
{
    for (uint32_t i = 0; i < pod->n_containers; i++)
        for (uint32_t k = 0; k < pod->containers[i].n_ports; k++)
            if (um_str_eq(pod->containers[i].ports[k].name, name))
                return (uint16_t)pod->containers[i].ports[k].container_port.value;
    return 0;
}

static void add_pod(struct um_services_build *b, struct um_mesh_service *s, const struct um_pod *pod)
{
    uint16_t *ports;
    bool has_ended = um_str_eq(pod->phase, UM_STR("Succeeded")) || um_str_eq(pod->phase, UM_STR("Failed"));
    if (has_ended || !can_use_address(b, s, pod->pod_ip, &pod->meta.place, "status.podIP"))
        return;
    struct um_mesh_instance *instance = new_instance(b, s, pod->pod_ip, &ports);
    if (!instance)
        return;
    instance->labels = &pod->meta.labels;
    instance->is_ready = pod->is_ready || (s->kubernetes && s->kubernetes->publish_not_ready_addresses.value);
    for (uint32_t i = 0; i < s->n_ports; i++)
        ports[i] = s->ports[i].target ? s->ports[i].target : container_port(pod, s->ports[i].target_name);
}

static void add_selected(struct um_services_build *b, struct um_mesh_service *s, const struct um_workload_index *x,
                         const struct um_service_entry *entry, bool wants_pods)
{
    const struct um_pairs *selector = entry ? &entry->workload_selector : &s->kubernetes->selector;
    struct um_workload_list list;
    int rc = um_workload_candidates(x, s->namespace_name, selector, b->arena, &list);
    if (rc) {
        b->rc = rc;
        return;
    }
    for (uint32_t i = 0; i < list.n; i++) {
        struct um_workload_ref ref = list.items[i];
        if (!um_pairs_contain(ref.labels, selector))
            continue;
        if (ref.entry)
            add_workload(b, s, entry, &ref.entry->workload, ref.labels);
        else if (wants_pods)
            add_pod(b, s, ref.pod);
    }
}

/* ---- EndpointSlices and Endpoints --------------------------------------------------------------- */

static const struct um_pairs *labels_of(struct um_services_build *b, const struct um_workload_index *x,
                                        struct um_str namespace_name, const struct um_target_ref *target,
                                        struct um_str address)
{
    const struct um_pod *pod = NULL;
    if (target && target->name.n) {
        struct um_str key = um_name_key(b->arena, namespace_name, target->name);
        if (!key.p)
            b->rc = UM_ENOMEM;
        else
            pod = um_map_get(&x->pods, key);
    }
    if (!pod)
        pod = um_map_get(&x->pods, address);
    return pod ? &pod->meta.labels : &NO_LABELS;
}

/* ports are joined by name, as kube-proxy does */
static uint16_t port_called(const struct um_endpoint_port *ports, uint32_t n, struct um_str name)
{
    for (uint32_t i = 0; i < n; i++)
        if (um_str_eq(ports[i].name, name))
            return (uint16_t)ports[i].port.value;
    return 0;
}

struct address_in {
    const struct um_place *place;
    const char *field;
    struct um_str address;
    const struct um_target_ref *target;
    const struct um_endpoint_port *ports;
    uint32_t n_ports;
    bool is_ready;
};

static void add_address(struct um_services_build *b, const struct um_workload_index *x, struct um_mesh_service *s,
                        const struct address_in *in)
{
    uint16_t *ports;
    if (!can_use_address(b, s, in->address, in->place, in->field))
        return;
    struct um_mesh_instance *instance = new_instance(b, s, in->address, &ports);
    if (!instance)
        return;
    instance->labels = labels_of(b, x, s->namespace_name, in->target, in->address);
    instance->is_ready = in->is_ready || s->kubernetes->publish_not_ready_addresses.value;
    for (uint32_t i = 0; i < s->n_ports; i++)
        ports[i] = port_called(in->ports, in->n_ports, s->ports[i].name);
}

/* the Kubernetes Service of that name, or NULL and a warning at `field` of the resource */
static struct um_mesh_service *owner(struct um_services_build *b, const struct um_meta *meta, struct um_str name,
                                     const char *field)
{
    struct um_str host = um_name_service_host(b->arena, name, meta->namespace_name);
    if (!host.p) {
        b->rc = UM_ENOMEM;
        return NULL;
    }
    struct um_mesh_service *s = um_registry_find(b->registry, host);
    if (s && s->kubernetes)
        return s;
    um_complain(b->diag, UM_SEVERITY_WARNING, &meta->place, field, um_registry_hint(b->registry, name, host),
                "there is no Service '%.*s' in namespace '%.*s': not used", UM_STR_ARG(name),
                UM_STR_ARG(meta->namespace_name));
    return NULL;
}

static void join_slice(struct um_services_build *b, const struct um_workload_index *x,
                       const struct um_endpoint_slice *slice)
{
    const struct um_str *name = um_pairs_get(&slice->meta.labels, UM_STR("kubernetes.io/service-name"));
    struct um_mesh_service *s = name ? owner(b, &slice->meta, *name, "metadata.labels") : NULL;
    if (!s)
        return;
    s->has_slices = true;
    for (uint32_t i = 0; b->rc == 0 && i < slice->n_endpoints; i++) {
        const struct um_slice_endpoint *e = &slice->endpoints[i];
        if (e->terminating.value || e->addresses.n == 0)
            continue;
        struct address_in in = {
            &e->place,
            "addresses[0]",
            e->addresses.items[0],
            e->target_ref,
            slice->ports,
            slice->n_ports,
            !e->ready.is_set || e->ready.value,
        };
        add_address(b, x, s, &in);
    }
}

static void join_subset(struct um_services_build *b, const struct um_workload_index *x, struct um_mesh_service *s,
                        const struct um_endpoint_subset *subset, bool is_ready)
{
    const struct um_endpoint_address *addresses = is_ready ? subset->addresses : subset->not_ready_addresses;
    uint32_t n = is_ready ? subset->n_addresses : subset->n_not_ready_addresses;
    for (uint32_t i = 0; b->rc == 0 && i < n; i++) {
        const struct um_endpoint_address *a = &addresses[i];
        struct address_in in = {&a->place, "ip", a->ip, a->target_ref, subset->ports, subset->n_ports, is_ready};
        add_address(b, x, s, &in);
    }
}

static void join_endpoints(struct um_services_build *b, const struct um_workload_index *x,
                           const struct um_endpoints *endpoints)
{
    struct um_mesh_service *s = owner(b, &endpoints->meta, endpoints->meta.name, "metadata.name");
    if (!s || s->has_slices) /* Kubernetes mirrors the one into the other */
        return;
    s->has_endpoints = true;
    for (uint32_t i = 0; i < endpoints->n_subsets; i++) {
        join_subset(b, x, s, &endpoints->subsets[i], true);
        join_subset(b, x, s, &endpoints->subsets[i], false);
    }
}

/* ---- services ----------------------------------------------------------------------------------- */

static void join_external_name(struct um_services_build *b, struct um_mesh_service *s)
{
    uint16_t *ports;
    if (s->stands_for || !new_instance(b, s, s->external_name, &ports))
        return;
    for (uint32_t i = 0; i < s->n_ports; i++)
        ports[i] = s->ports[i].number;
}

static void join_kubernetes(struct um_services_build *b, const struct um_workload_index *x)
{
    for (uint32_t i = 0; b->rc == 0 && i < b->registry->n_services; i++) {
        struct um_mesh_service *s = b->registry->services[i];
        if (s->external_name.n)
            join_external_name(b, s);
        else if (s->kubernetes)
            add_selected(b, s, x, NULL, !s->has_slices && !s->has_endpoints);
    }
}

static void join_entry(struct um_services_build *b, const struct um_workload_index *x,
                       const struct um_service_entry *entry, struct um_mesh_service *s)
{
    if (entry->has_workload_selector) {
        add_selected(b, s, x, entry, true);
        return;
    }
    for (uint32_t i = 0; b->rc == 0 && i < entry->n_endpoints; i++)
        add_workload(b, s, entry, &entry->endpoints[i], &entry->endpoints[i].labels);
}

/* DNS without endpoints resolves the host itself */
static void join_own_name(struct um_services_build *b, struct um_mesh_service *s)
{
    uint16_t *ports;
    bool is_dns = s->discovery == UM_DISCOVERY_STRICT_DNS || s->discovery == UM_DISCOVERY_LOGICAL_DNS;
    if (s->n_instances || !is_dns || um_name_is_wildcard(s->host) || !new_instance(b, s, s->host, &ports))
        return;
    for (uint32_t i = 0; i < s->n_ports; i++)
        ports[i] = s->ports[i].target;
}

static void join_entries(struct um_services_build *b, const struct um_workload_index *x)
{
    for (uint32_t i = 0; i < b->resources->n_service_entries; i++) {
        const struct um_service_entry *entry = (const void *)b->entries_by_age[i];
        for (uint32_t k = 0; b->rc == 0 && k < entry->hosts.n; k++) {
            struct um_str host = um_name_lower(b->arena, entry->hosts.items[k]);
            struct um_mesh_service *s = host.p ? um_registry_find(b->registry, host) : NULL;
            if (!host.p)
                b->rc = UM_ENOMEM;
            else if (s && um_services_is_of(s, entry))
                join_entry(b, x, entry, s);
        }
    }
    for (uint32_t i = 0; b->rc == 0 && i < b->registry->n_services; i++)
        if (!b->registry->services[i]->kubernetes)
            join_own_name(b, b->registry->services[i]);
}

/* ---- --endpoint --------------------------------------------------------------------------------- */

/* short name, name.namespace, name.namespace.svc or full host */
static struct um_mesh_service *find_given(struct um_services_build *b, struct um_str host)
{
    struct um_str full = um_name_host(b->arena, host, b->options->namespace_name);
    struct um_str under = um_arena_printf(b->arena, "%.*s%s", UM_STR_ARG(full),
                                          um_str_ends(full, UM_STR(".svc")) ? ".cluster.local" : ".svc.cluster.local");
    if (!full.p || !under.p) {
        b->rc = UM_ENOMEM;
        return NULL;
    }
    struct um_mesh_service *s = um_registry_find(b->registry, full);
    if (!s)
        s = um_registry_find(b->registry, under);
    if (s)
        return s->stands_for ? s->stands_for : s;
    const char *hint = um_registry_hint(b->registry, host, full);
    um_diag_add(b->diag, UM_SEVERITY_ERROR, (struct um_pos){"--endpoint", 0, 0},
                (struct um_diag_about){.hint = um_str_from(hint)}, "no Service or ServiceEntry has the host '%.*s'",
                UM_STR_ARG(host));
    return NULL;
}

static void join_given(struct um_services_build *b, const struct um_given_endpoint *given)
{
    char text[UM_SOCKADDR_TEXT_BYTES];
    uint16_t *ports;
    struct um_mesh_service *s = find_given(b, given->host);
    if (!s)
        return;
    struct um_pairs *labels = um_arena_zalloc(b->arena, sizeof *labels);
    struct um_pair *items = um_items_new(b->arena, given->n_labels, sizeof *items);
    size_t n = um_sockaddr_ip_text(&given->addr, text);
    struct um_str address = um_arena_str(b->arena, (struct um_str){text, n});
    struct um_mesh_instance *instance = new_instance(b, s, address, &ports);
    if (!labels || !items || !address.p || !instance) {
        b->rc = UM_ENOMEM;
        return;
    }
    for (uint32_t i = 0; i < given->n_labels; i++)
        items[i] = (struct um_pair){given->labels[i].key, given->labels[i].value};
    *labels = (struct um_pairs){items, given->n_labels};
    instance->labels = labels;
    for (uint32_t i = 0; i < s->n_ports; i++)
        ports[i] = um_sockaddr_port(&given->addr);
    if (s->discovery == UM_DISCOVERY_ORIGINAL_DST)
        s->discovery = UM_DISCOVERY_EDS;
}

void um_services_join(struct um_services_build *b)
{
    struct um_workload_index x;
    b->rc = um_workload_index_build(&x, b->resources, b->arena);
    for (uint32_t i = 0; b->rc == 0 && i < b->resources->n_endpoint_slices; i++)
        join_slice(b, &x, &b->resources->endpoint_slices[i]);
    for (uint32_t i = 0; b->rc == 0 && i < b->resources->n_endpoints; i++)
        join_endpoints(b, &x, &b->resources->endpoints[i]);
    if (b->rc == 0)
        join_kubernetes(b, &x);
    if (b->rc == 0)
        join_entries(b, &x);
    for (uint32_t i = 0; b->rc == 0 && i < b->options->n_endpoints; i++)
        join_given(b, &b->options->endpoints[i]);
    um_workload_index_release(&x);
}

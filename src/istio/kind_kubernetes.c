/* SPDX-License-Identifier: Apache-2.0
 * Service, EndpointSlice, Endpoints, Pod. Their tables are open: umbra reads a few of many fields. */
#include "istio/decode.h"
#include "istio/kind_rules.h"

enum { MAX_PORT = 65535 };

/* ---- Service ---- */

static const struct um_field_row SERVICE_PORT_ROWS[] = {
    UM_ROW(TEXT, "name", um_service_port, name),
    UM_ROW(TEXT, "protocol", um_service_port, protocol),
    UM_ROW(TEXT, "appProtocol", um_service_port, app_protocol),
    UM_ROW(OPT_U32, "port", um_service_port, port, .min = 1, .max = MAX_PORT, .is_required = true),
    UM_ROW(TEXT_OR_NUMBER, "targetPort", um_service_port, target_port),
};
static const struct um_table service_port_table = UM_TABLE(SERVICE_PORT_ROWS, um_service_port, .is_open = true);

/* TCP 80 and UDP 80 may stand beside each other */
static struct um_str port_key(struct um_decoder *d, const struct um_service_port *port)
{
    struct um_str protocol = port->protocol.n ? port->protocol : UM_STR("TCP");
    struct um_str key = um_arena_printf(d->arena, "%.*s %u", UM_STR_ARG(protocol), (unsigned)port->port.value);
    d->no_memory |= !key.p;
    return key;
}

static void check_service_ports(struct um_decoder *d, const struct um_service *s)
{
    struct um_map names, numbers;
    um_map_init(&names);
    um_map_init(&numbers);
    for (uint32_t i = 0; i < s->n_ports; i++) {
        struct um_service_port *port = &s->ports[i];
        const struct um_service_port *other = port->name.n ? um_decode_claim(d, &names, port->name, port) : NULL;
        if (other)
            um_decode_fault(d, &port->place, "name", "ports[%d] has the same name", (int)other->place.index);
        if (s->n_ports > 1 && port->name.n == 0)
            um_decode_fault(d, &port->place, "name", "is missing: a Service with several ports names each");
        other = port->port.is_set ? um_decode_claim(d, &numbers, port_key(d, port), port) : NULL;
        if (other)
            um_decode_fault(d, &port->place, "port", "ports[%d] has the same number", (int)other->place.index);
    }
    um_map_release(&names);
    um_map_release(&numbers);
}

static void check_service(struct um_decoder *d, void *object)
{
    const struct um_service *s = object;
    check_service_ports(d, s);
    if (um_str_eq(s->type, UM_STR("ExternalName")) && !s->external_name.n)
        um_decode_fault(d, &s->place, "externalName", "is missing: type is ExternalName");
}

static const struct um_field_row SERVICE_ROWS[] = {
    UM_ROW(PAIRS, "selector", um_service, selector),
    UM_ROW_LIST(OBJECTS, "ports", um_service, ports, .table = &service_port_table),
    UM_ROW(TEXT, "type", um_service, type),
    UM_ROW(TEXT, "externalName", um_service, external_name, .rule = um_rule_host),
    UM_ROW(TEXT, "clusterIP", um_service, cluster_ip),
    UM_ROW(TEXTS, "clusterIPs", um_service, cluster_ips),
    UM_ROW(OPT_BOOL, "publishNotReadyAddresses", um_service, publish_not_ready_addresses),
};
const struct um_table um_service_table = UM_TABLE(SERVICE_ROWS, um_service, .is_open = true, .check = check_service);

/* ---- EndpointSlice ---- */

static const struct um_field_row ENDPOINT_PORT_ROWS[] = {
    UM_ROW(TEXT, "name", um_endpoint_port, name),
    UM_ROW(TEXT, "protocol", um_endpoint_port, protocol),
    UM_ROW(TEXT, "appProtocol", um_endpoint_port, app_protocol),
    UM_ROW(OPT_U32, "port", um_endpoint_port, port, .min = 1, .max = MAX_PORT),
};
static const struct um_table endpoint_port_table = UM_TABLE(ENDPOINT_PORT_ROWS, um_endpoint_port, .is_open = true);

static const struct um_field_row TARGET_REF_ROWS[] = {
    UM_ROW(TEXT, "kind", um_target_ref, kind),
    UM_ROW(TEXT, "name", um_target_ref, name),
    UM_ROW(TEXT, "namespace", um_target_ref, namespace_name),
};
static const struct um_table target_ref_table = UM_TABLE(TARGET_REF_ROWS, um_target_ref, .is_open = true);

static const struct um_field_row CONDITION_ROWS[] = {
    UM_ROW(OPT_BOOL, "ready", um_slice_endpoint, ready),
    UM_ROW(OPT_BOOL, "serving", um_slice_endpoint, serving),
    UM_ROW(OPT_BOOL, "terminating", um_slice_endpoint, terminating),
};
static const struct um_table condition_table = UM_TABLE(CONDITION_ROWS, um_slice_endpoint, .is_open = true);

static const struct um_field_row SLICE_ENDPOINT_ROWS[] = {
    UM_ROW(TEXTS, "addresses", um_slice_endpoint, addresses, .is_required = true),
    UM_ROW_FLAT("conditions", condition_table),
    UM_ROW(TEXT, "hostname", um_slice_endpoint, hostname),
    UM_ROW(TEXT, "nodeName", um_slice_endpoint, node_name),
    UM_ROW(TEXT, "zone", um_slice_endpoint, zone),
    UM_ROW(OBJECT, "targetRef", um_slice_endpoint, target_ref, .table = &target_ref_table),
};
static const struct um_table slice_endpoint_table = UM_TABLE(SLICE_ENDPOINT_ROWS, um_slice_endpoint, .is_open = true);

static void check_addresses(struct um_decoder *d, const struct um_slice_endpoint *e)
{
    for (uint32_t i = 0; i < e->addresses.n; i++)
        if (um_rule_ip(e->addresses.items[i], d->arena))
            um_decode_fault(d, &e->place, um_arena_printf(d->arena, "addresses[%u]", (unsigned)i).p,
                            "must be an IP address");
}

static void check_slice(struct um_decoder *d, void *object)
{
    const struct um_endpoint_slice *slice = object;
    if (!um_pairs_get(&slice->meta.labels, UM_STR("kubernetes.io/service-name")))
        um_decode_warning(d, &slice->place, "metadata.labels",
                          "belongs to no Service: the label kubernetes.io/service-name is missing");
    for (uint32_t i = 0; !um_str_eq(slice->address_type, UM_STR("FQDN")) && i < slice->n_endpoints; i++)
        check_addresses(d, &slice->endpoints[i]);
}

static const char *rule_address_type(struct um_str s, struct um_arena *arena)
{
    bool is_known = um_str_eq(s, UM_STR("IPv4")) || um_str_eq(s, UM_STR("IPv6")) || um_str_eq(s, UM_STR("FQDN"));
    return is_known ? NULL : "must be IPv4, IPv6 or FQDN";
}

static const struct um_field_row SLICE_ROWS[] = {
    UM_ROW(TEXT, "addressType", um_endpoint_slice, address_type, .is_required = true, .rule = rule_address_type),
    UM_ROW_LIST(OBJECTS, "endpoints", um_endpoint_slice, endpoints, .table = &slice_endpoint_table),
    UM_ROW_LIST(OBJECTS, "ports", um_endpoint_slice, ports, .table = &endpoint_port_table),
};
const struct um_table um_endpoint_slice_table =
    UM_TABLE(SLICE_ROWS, um_endpoint_slice, .is_open = true, .check = check_slice);

/* ---- Endpoints ---- */

static const struct um_field_row ADDRESS_ROWS[] = {
    UM_ROW(TEXT, "ip", um_endpoint_address, ip, .is_required = true, .rule = um_rule_ip),
    UM_ROW(TEXT, "hostname", um_endpoint_address, hostname),
    UM_ROW(TEXT, "nodeName", um_endpoint_address, node_name),
    UM_ROW(OBJECT, "targetRef", um_endpoint_address, target_ref, .table = &target_ref_table),
};
static const struct um_table address_table = UM_TABLE(ADDRESS_ROWS, um_endpoint_address, .is_open = true);

static const struct um_field_row ENDPOINT_SUBSET_ROWS[] = {
    UM_ROW_LIST(OBJECTS, "addresses", um_endpoint_subset, addresses, .table = &address_table),
    UM_ROW_LIST(OBJECTS, "notReadyAddresses", um_endpoint_subset, not_ready_addresses, .table = &address_table),
    UM_ROW_LIST(OBJECTS, "ports", um_endpoint_subset, ports, .table = &endpoint_port_table),
};
static const struct um_table endpoint_subset_table =
    UM_TABLE(ENDPOINT_SUBSET_ROWS, um_endpoint_subset, .is_open = true);

static const struct um_field_row ENDPOINTS_ROWS[] = {
    UM_ROW_LIST(OBJECTS, "subsets", um_endpoints, subsets, .table = &endpoint_subset_table),
};
const struct um_table um_endpoints_table = UM_TABLE(ENDPOINTS_ROWS, um_endpoints, .is_open = true);

/* ---- Pod ---- */

static const struct um_field_row CONTAINER_PORT_ROWS[] = {
    UM_ROW(TEXT, "name", um_container_port, name),
    UM_ROW(TEXT, "protocol", um_container_port, protocol),
    UM_ROW(OPT_U32, "containerPort", um_container_port, container_port, .min = 1, .max = MAX_PORT),
};
static const struct um_table container_port_table = UM_TABLE(CONTAINER_PORT_ROWS, um_container_port, .is_open = true);

static const struct um_field_row CONTAINER_ROWS[] = {
    UM_ROW(TEXT, "name", um_container, name),
    UM_ROW_LIST(OBJECTS, "ports", um_container, ports, .table = &container_port_table),
};
static const struct um_table container_table = UM_TABLE(CONTAINER_ROWS, um_container, .is_open = true);

/* status is read before spec */
static void set_is_ready(struct um_decoder *d, void *object)
{
    struct um_pod *pod = object;
    pod->is_ready = true;
    for (uint32_t i = 0; i < pod->n_conditions; i++)
        if (um_str_eq(pod->conditions[i].type, UM_STR("Ready")))
            pod->is_ready = um_str_eq(pod->conditions[i].status, UM_STR("True"));
}

static const struct um_field_row POD_ROWS[] = {
    UM_ROW(TEXT, "serviceAccountName", um_pod, service_account_name),
    UM_ROW(TEXT, "nodeName", um_pod, node_name),
    UM_ROW_LIST(OBJECTS, "containers", um_pod, containers, .table = &container_table),
};
const struct um_table um_pod_table = UM_TABLE(POD_ROWS, um_pod, .is_open = true, .check = set_is_ready);

static const struct um_field_row POD_IP_ROWS[] = {
    UM_ROW(TEXT, "ip", um_pod_ip, ip, .rule = um_rule_ip),
};
static const struct um_table pod_ip_table = UM_TABLE(POD_IP_ROWS, um_pod_ip, .is_open = true);

static const struct um_field_row POD_CONDITION_ROWS[] = {
    UM_ROW(TEXT, "type", um_pod_condition, type),
    UM_ROW(TEXT, "status", um_pod_condition, status),
};
static const struct um_table pod_condition_table = UM_TABLE(POD_CONDITION_ROWS, um_pod_condition, .is_open = true);

static const struct um_field_row POD_STATUS_ROWS[] = {
    UM_ROW(TEXT, "podIP", um_pod, pod_ip, .rule = um_rule_ip),
    UM_ROW(TEXT, "phase", um_pod, phase),
    UM_ROW_LIST(OBJECTS, "podIPs", um_pod, pod_ips, .table = &pod_ip_table),
    UM_ROW_LIST(OBJECTS, "conditions", um_pod, conditions, .table = &pod_condition_table),
};
const struct um_table um_pod_status_table = UM_TABLE(POD_STATUS_ROWS, um_pod, .is_open = true);

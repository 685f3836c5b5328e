/* SPDX-License-Identifier: Apache-2.0
 * Service, EndpointSlice, Endpoints and Pod as decoded: the parts that routing needs (Kubernetes core/v1,
 * discovery.k8s.io/v1). Other fields of these kinds are accepted unread. */
#ifndef UM_ISTIO_KIND_KUBERNETES_H
#define UM_ISTIO_KIND_KUBERNETES_H

#include "istio/meta.h"

struct um_service_port {
    struct um_place place;
    struct um_str name, protocol, app_protocol; /* protocol: absent is TCP */
    struct um_opt_u32 port;
    struct um_str target_port; /* a number or the name of a container's port, as text; absent: port */
};

struct um_service {
    struct um_meta meta;
    struct um_place place; /* of spec */
    struct um_pairs selector;
    struct um_service_port *ports;
    uint32_t n_ports;
    struct um_str type; /* "ClusterIP" (absent too), "ExternalName", ... */
    struct um_str external_name;
    struct um_str cluster_ip; /* "None": headless */
    struct um_strs cluster_ips;
    struct um_opt_bool publish_not_ready_addresses;
};

struct um_endpoint_port {
    struct um_place place;
    struct um_str name, protocol, app_protocol; /* name absent or empty: the service's unnamed port */
    struct um_opt_u32 port;
};

struct um_target_ref {
    struct um_place place;
    struct um_str kind, name, namespace_name;
};

struct um_slice_endpoint {
    struct um_place place;
    struct um_strs addresses;                       /* all stand for one endpoint; the first is used */
    struct um_opt_bool ready, serving, terminating; /* conditions; ready absent: true */
    struct um_str hostname, node_name, zone;
    struct um_target_ref *target_ref;
};

struct um_endpoint_slice {
    struct um_meta meta;        /* label kubernetes.io/service-name names the service */
    struct um_place place;      /* of the resource: there is no spec */
    struct um_str address_type; /* "IPv4", "IPv6", "FQDN" */
    struct um_slice_endpoint *endpoints;
    uint32_t n_endpoints;
    struct um_endpoint_port *ports;
    uint32_t n_ports;
};

struct um_endpoint_address {
    struct um_place place;
    struct um_str ip, hostname, node_name;
    struct um_target_ref *target_ref;
};

struct um_endpoint_subset {
    struct um_place place;
    struct um_endpoint_address *addresses, *not_ready_addresses;
    uint32_t n_addresses, n_not_ready_addresses;
    struct um_endpoint_port *ports;
    uint32_t n_ports;
};

struct um_endpoints {
    struct um_meta meta;   /* has the service's name */
    struct um_place place; /* of the resource: there is no spec */
    struct um_endpoint_subset *subsets;
    uint32_t n_subsets;
};

struct um_container_port {
    struct um_place place;
    struct um_str name, protocol;
    struct um_opt_u32 container_port;
};

struct um_container {
    struct um_place place;
    struct um_str name;
    struct um_container_port *ports;
    uint32_t n_ports;
};

struct um_pod_ip {
    struct um_place place;
    struct um_str ip;
};

struct um_pod_condition {
    struct um_place place;
    struct um_str type, status; /* "Ready", "True" */
};

struct um_pod {
    struct um_meta meta;   /* labels choose services and subsets */
    struct um_place place; /* of spec */
    struct um_str service_account_name, node_name;
    struct um_container *containers;
    uint32_t n_containers;
    struct um_str pod_ip, phase; /* status */
    struct um_pod_ip *pod_ips;
    uint32_t n_pod_ips;
    struct um_pod_condition *conditions;
    uint32_t n_conditions;
    bool is_ready; /* false: the condition Ready is there and not True */
};

#endif

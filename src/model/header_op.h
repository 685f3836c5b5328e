/* SPDX-License-Identifier: Apache-2.0
 * header_op: set, add and remove of fields as routes carry them. Immutable, part of a snapshot.
 * Order within one um_header_ops: all removals, then sets and adds, each sorted by name as istiod emits them.
 * Source: Envoy HeaderValueOption, Istio Headers.HeaderOperations. */
#ifndef UM_MODEL_HEADER_OP_H
#define UM_MODEL_HEADER_OP_H

#include "http/message.h"

struct um_header_op {
    enum um_edit_op op;
    enum um_field_id id;
    struct um_str name;  /* lower-case */
    struct um_str value; /* literal; `%%` is already `%` */
};

struct um_header_ops {
    struct um_header_op *ops;
    uint32_t n;
};

#endif

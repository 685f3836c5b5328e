/* SPDX-License-Identifier: Apache-2.0
 * action: tables of what http[] does with a request: destination, headers, redirect, direct response, rewrite, retries,
 * fault, CORS. Internal to istio/. Thread: control. */
#ifndef UM_ISTIO_KIND_ACTION_H
#define UM_ISTIO_KIND_ACTION_H

#include "istio/decode.h"

extern const struct um_table um_destination_table, um_http_headers_table, um_http_redirect_table,
    um_http_direct_response_table, um_http_rewrite_table, um_http_retries_table, um_http_fault_table,
    um_cors_policy_table, um_percent_table;

#endif

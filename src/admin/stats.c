/* SPDX-License-Identifier: Apache-2.0
 * /stats and /stats/prometheus: the printers are stats/'s; here the parameters become their options. */
#include "admin/call.h"
#include "stats/prometheus.h"
#include "stats/stats_text.h"

#include <stdlib.h>

/* `usedonly` is taken and changes nothing here: sums close only where the zeros are shown */
void um_admin_get_prometheus(struct um_admin_call *call)
{
    call->response->content_type = UM_PROMETHEUS_CONTENT_TYPE;
    um_prometheus_print(&call->response->body, &call->view->stats);
}

/* false: the response says what is wrong; *ret_filter NULL without the parameter */
static bool read_filter(struct um_admin_call *call, struct um_regex **ret_filter)
{
    struct um_str pattern;
    char *error = NULL;
    *ret_filter = NULL;
    if (!um_admin_param(call, "filter", &pattern) || pattern.n == 0)
        return true;
    int rc = um_stats_filter_new(pattern, ret_filter, &error);
    if (rc)
        um_admin_say(call, rc == UM_ENOMEM ? 500 : 400, "Invalid regex: %s", error ? error : um_err_text(rc));
    free(error);
    return rc == 0;
}

void um_admin_get_stats(struct um_admin_call *call)
{
    struct um_str ignored;
    struct um_stats_text_options options = {.is_used_only = um_admin_param(call, "usedonly", &ignored),
                                            .is_json = um_admin_param_is(call, "format", "json")};
    if (!um_admin_param_is(call, "format", "prometheus")) {
        if (!read_filter(call, &options.filter))
            return;
        if (options.is_json)
            call->response->content_type = "application/json";
        um_stats_text_print(&call->response->body, &call->view->stats, &options);
        um_regex_free(options.filter);
    } else if (um_admin_param(call, "filter", &ignored)) {
        um_admin_say(call, 400, "parameter 'filter' is for the formats text and json");
    } else {
        um_admin_get_prometheus(call);
    }
}
